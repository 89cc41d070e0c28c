package host

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func TestHostEnvironmentIsNotSeen(t *testing.T) {
	t.Setenv("CANARY_SECRET", "canary-4711")
	t.Setenv("TZ", "Europe/Berlin")
	h := started(t, Options{}, "echo")
	env := ask(t, h, "echo", order("env"))
	if strings.Contains(env, "canary") || strings.Contains(env, "PATH=") || !strings.Contains(env, "TZ=Europe/Berlin") {
		t.Errorf("environment of the plugin:\n%s", env)
	}
}

func TestSandbox(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("namespaces are Linux's")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	dial := order("dial")
	dial.Key = port
	off := started(t, Options{Sandbox: SandboxOff}, "echo")
	if got := ask(t, off, "echo", dial); got != "connected" {
		t.Errorf("without a sandbox dial says %q", got)
	}
	h := started(t, Options{}, "echo")
	if missing := h.Missing(); len(missing) > 0 {
		t.Skipf("this system lacks %v", missing)
	}
	if got := ask(t, h, "echo", dial); got == "connected" {
		t.Error("the plugin reached the host's network")
	}
	if got := ask(t, h, "echo", order("pid")); got != "1" {
		t.Errorf("the plugin's own number is %s", got)
	}
	// A process of the same account, with a secret in its environment.
	secret := exec.Command("/bin/sleep", "60")
	secret.Env = []string{"CANARY_SECRET=canary-4711"}
	if err := secret.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { secret.Process.Kill(); _ = secret.Wait() }()
	if strings.Contains(ask(t, h, "echo", order("hunt")), "canary") {
		t.Error("the plugin read another process's environment")
	}
	if !strings.Contains(ask(t, off, "echo", order("hunt")), "canary") {
		t.Error("the hunt finds nothing even without a sandbox")
	}
	required := started(t, Options{Sandbox: SandboxRequired}, "echo")
	if ask(t, required, "echo", request("x")) != "x" {
		t.Error("no answer under the required sandbox")
	}
}

// TestWhatIsMissing: a sandbox that cannot be whole says what it lacks and what
// to do, once at the start; required does not start.
func TestWhatIsMissing(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("elsewhere everything is missing")
	}
	for launcher, why := range map[string]string{"/bin/false": "the launcher fails", "/nowhere/at/all": "the launcher fails"} {
		var log lockedBuffer
		o := Options{Launcher: launcher, Dir: plugins(t, map[string]string{"echo": ""}), Logger: slog.New(slog.NewTextHandler(&log, nil))}
		h := newHost(t, o)
		if missing := h.Missing(); len(missing) == 0 || !strings.Contains(missing[0].String(), why) || missing[0].Mend == "" {
			t.Errorf("missing: %v", missing)
		}
		if strings.Count(log.String(), "plugins run with less than the whole sandbox") != len(h.Missing()) {
			t.Errorf("log:\n%s", log.String())
		}
		if _, err := h.Start(t.Context(), "echo"); err != nil || strings.Contains(h.States()[0].Sandbox, "Landlock") {
			t.Errorf("%v, %q", err, h.States()[0].Sandbox)
		}
		o.Sandbox = SandboxRequired
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), why) || !strings.Contains(err.Error(), "mend: ") {
			t.Errorf("required: %v", err)
		}
	}
	if off := newHost(t, Options{Sandbox: SandboxOff}); len(off.Missing()) > 0 {
		t.Errorf("off misses %v", off.Missing())
	}
}

// TestWhatNeedsTheSystem: a script, and a program that is kept in a folder, run in
// the sandbox too, and reach no more than what they need.
func TestWhatNeedsTheSystem(t *testing.T) {
	h := newHost(t, Options{Dir: plugins(t, map[string]string{"script": "#!/bin/sh\n" +
		"for f in /etc/passwd /proc/1/cmdline /tmp; do /bin/cat $f >/dev/null 2>&1 && a=\"$a $f\"; done\n" +
		"(echo x > x; : > /tmp/hostile-script) 2>/dev/null && a=\"$a wrote\"\necho \"reached:$a.\"\n", "echo": ""}), BackoffMin: time.Minute})
	if missing := h.Missing(); len(missing) > 0 {
		t.Skipf("this system lacks %v", missing)
	}
	if _, err := h.Start(t.Context(), "script"); err == nil || !strings.Contains(err.Error(), `"reached:."`) {
		t.Errorf("script: %v", err)
	}
	p, err := h.install("echo")
	if err != nil {
		t.Fatal(err)
	}
	defer p.image.close()
	p.image, _, err = copyExecutable(io.NewSectionReader(p.image.file, 0, 1<<30), h.o.RunDir, p.name)
	if err != nil {
		t.Fatal(err)
	}
	defer p.image.close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	r, err := h.handshake(ctx, p, h.log)
	if err != nil {
		t.Fatal(err)
	}
	r.end()
	r.gone(endGrace)
	r.remove()
}

func TestNothingOutlivesAPlugin(t *testing.T) {
	for _, mode := range []string{"namespaces", SandboxOff} {
		h := newHost(t, Options{Sandbox: SandboxOff, Dir: plugins(t, map[string]string{"echo": ""})})
		if mode != SandboxOff { // the whole sandbox has no grandchildren
			h.sandbox = settle("", 0)
		}
		if _, err := h.Start(t.Context(), "echo"); err != nil {
			t.Fatal(err)
		}
		before := children(t)
		ask(t, h, "echo", order("child")) // which holds standard error
		if children(t) != before+1 {
			t.Fatalf("%s: there is no grandchild", mode)
		}
		pid := h.Pid("echo")
		began := time.Now()
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the death is noticed", func() bool { return h.Pid("echo") != pid })
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("%s: death noticed after %s", mode, took)
		}
		eventually(t, "the grandchild is gone", func() bool { return children(t) <= before })
	}
}

// children counts the grandchildren the echo plugin has made on this machine.
func children(t *testing.T) int {
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, f := range files {
		if data, _ := os.ReadFile(f); string(data) == "sleep\x0060.4711\x00" {
			n++
		}
	}
	return n
}

func TestKilledHostLeavesNoPlugin(t *testing.T) {
	for _, mode := range []string{SandboxAuto, SandboxOff} {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "HOST_TEST_SANDBOX="+mode, "HOST_TEST_HELPER="+plugins(t, map[string]string{"echo": ""}))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		line, _ := bufio.NewReader(out).ReadString('\n')
		word, run, _ := strings.Cut(strings.TrimSpace(line), " ")
		pid, err := strconv.Atoi(word)
		if err != nil || !alive(pid) {
			t.Fatalf("helper said %q", line)
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		eventually(t, mode+": the plugin is gone with its host", func() bool { return !alive(pid) })
		os.RemoveAll(run)
	}
}

func TestPrintsComeToTheLogCapped(t *testing.T) {
	var log lockedBuffer
	h := started(t, Options{Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})), TurnTimeout: 10 * time.Second}, "echo")
	if got := ask(t, h, "echo", order("print")); got != "printed" {
		t.Errorf("print said %q", got)
	}
	if ask(t, h, "echo", request("x")) != "x" {
		t.Error("prints blocked the plugin")
	}
	eventually(t, "the prints are in the log", func() bool { return strings.Contains(log.String(), "to stdout") })
	text := log.String()
	if strings.ContainsAny(text, "\x1b\x00") || strings.Count(text, "to stdout") > 3*linesPerSecond || len(text) > 100<<10 {
		t.Errorf("log of %d bytes with %d lines", len(text), strings.Count(text, "to stdout"))
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.String()
}

func TestBareRunSaysWhatItIs(t *testing.T) {
	cmd := exec.Command(built)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(stderr.String(), "Footbridge plugin") {
		t.Errorf("bare run: %v %q", err, stderr.String())
	}
	out, err := exec.Command(built, "--manifest").Output()
	if err != nil || !bytes.Contains(out, []byte(`"version": "1.2.3"`)) {
		t.Errorf("manifest: %v %s", err, out)
	}
}

func TestRestartsLeakNothing(t *testing.T) {
	h := started(t, Options{BackoffMax: 10 * time.Millisecond, Quarantine: Quarantine{Failures: 1000}}, "echo")
	held := func() int {
		files, _ := os.ReadDir("/proc/self/fd")
		dirs, _ := os.ReadDir(h.o.RunDir)
		return runtime.NumGoroutine() + len(files) + len(dirs)
	}
	restart := func() {
		pid := h.Pid("echo")
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		eventually(t, "another process", func() bool { now := h.Pid("echo"); return now != 0 && now != pid })
	}
	restart()
	before := held()
	for range 15 {
		restart()
	}
	// Each restart that left one goroutine, file or folder would make 15.
	eventually(t, "everything is given back", func() bool { return held() < before+10 })
}

// TestMemory: a plugin has so much memory as it is given, and its runtime knows;
// one that takes more ends, and runs again.
func TestMemory(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("limits are Linux's")
	}
	type row struct {
		memory, mib int
		want        string
	}
	rows := []row{{0, 500, "holds 500 with 768MiB"}, {256 << 20, 64, "holds 64 with 192MiB"}, {256 << 20, 500, ""}, {128 << 20, 1, "holds 1 with 96MiB"}}
	if detector {
		rows = []row{rows[0], {0, 1500, ""}, {2 << 30, 1, "holds 1 with 1536MiB"}}
	}
	for _, c := range rows {
		h := started(t, Options{Memory: c.memory, BackoffMin: 10 * time.Millisecond, TurnTimeout: 20 * time.Second}, "echo")
		hold := order("hold")
		hold.Key = strconv.Itoa(c.mib)
		out, err := h.Turn(t.Context(), "echo", hold)
		if c.want == "" {
			if !errors.Is(err, ErrDied) {
				t.Errorf("%d MiB of %d: %q, %v", c.mib, c.memory>>20, said(out), err)
			}
			eventually(t, "the plugin runs again", func() bool { s := h.States()[0]; return s.Status == statusRunning && s.Restarts == 1 })
		} else if err != nil || said(out) != c.want {
			t.Errorf("%d MiB of %d: %q, %v", c.mib, c.memory>>20, said(out), err)
		}
	}
}
