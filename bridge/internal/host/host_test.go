package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

// built is the echo plugin, built once for all tests, with the others beside it.
var built string

func TestMain(m *testing.M) {
	Launch()
	if dir := os.Getenv("HOST_TEST_HELPER"); dir != "" {
		hold(dir)
	}
	dir, err := buildPlugins()
	if err != nil {
		panic(err)
	}
	code := m.Run()
	if os.Getenv("HOST_TEST_BUILT") == "" {
		os.RemoveAll(dir)
	}
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// buildPlugins makes the plugins, in a folder everybody may enter, or finds them
// made.
func buildPlugins() (dir string, err error) {
	if dir = os.Getenv("HOST_TEST_BUILT"); dir == "" {
		if dir, err = os.MkdirTemp("", "fb-built-"); err != nil {
			return "", err
		}
		build := exec.Command("go", "build", "-buildvcs=false", "-o", dir+"/", "./testdata/echo", "./testdata/hostile", "./testdata/rogue")
		build.Env = append(os.Environ(), "CGO_ENABLED=0") // as they are released: they need no other file
		if out, err := build.CombinedOutput(); err != nil {
			return "", fmt.Errorf("%w: %s", err, out)
		}
		err = os.Chmod(dir, 0o755)
	}
	built = filepath.Join(dir, "echo")
	return dir, err
}

// hold is a host in a process of its own, for a test to kill.
func hold(dir string) {
	h, err := New(Options{Dir: dir, Sandbox: os.Getenv("HOST_TEST_SANDBOX"), Launcher: Self})
	if err == nil {
		_, err = h.Start(context.Background(), "echo")
	}
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	fmt.Println(h.Pid("echo"), h.o.RunDir)
	select {}
}

// plugins makes a folder of plugins by name: what is built under that name, the
// echo plugin where nothing is, or a script.
func plugins(t testing.TB, scripts map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, script := range scripts {
		path := filepath.Join(dir, executablePrefix+name)
		data := []byte(script)
		if script == "" {
			var err error
			data, err = os.ReadFile(filepath.Join(filepath.Dir(built), name))
			if errors.Is(err, os.ErrNotExist) {
				data, err = os.ReadFile(built)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(path, data, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func newHost(t testing.TB, o Options) *Host {
	t.Helper()
	run, err := os.MkdirTemp("", "fb-run-")
	if err != nil {
		t.Fatal(err)
	}
	o.RunDir = run
	orDefault(&o.BackoffMin, 10*time.Millisecond)
	orDefault(&o.Launcher, Self)
	h, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		h.Close()
		left, err := os.ReadDir(run)
		if err != nil || len(left) > 0 {
			t.Errorf("left in the run folder: %v %v", left, err)
		}
		os.RemoveAll(run)
	})
	return h
}

func started(t testing.TB, o Options, names ...string) *Host {
	t.Helper()
	scripts := make(map[string]string)
	for _, name := range names {
		scripts[name] = ""
	}
	o.Dir = plugins(t, scripts)
	h := newHost(t, o)
	for _, name := range names {
		if _, err := h.Start(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

func request(text string) adapter.Turn {
	return adapter.Turn{ID: "t1", Account: adapter.Account{Name: "a", Role: event.RoleVirtualAgent}, Key: "k",
		Now: time.Unix(1_700_000_000, 0), Input: adapter.Request{ID: "r1", Endpoint: "in", Method: "POST", Path: "/in",
			Header: http.Header{"Content-Type": {"application/json"}}, Body: fmt.Appendf(nil, `{"text":%q}`, text)}}
}

func order(word string) adapter.Turn {
	t := request("")
	t.Input = adapter.Fired{Timer: word}
	return t
}

func said(out adapter.Outcome) string {
	for _, e := range out.Effects {
		if m, ok := e.(adapter.Emission); ok {
			return m.Body.(event.MessageCreated).Content.Part.(event.Text).Text
		}
	}
	return "error: " + out.Err
}

func ask(t testing.TB, h *Host, name string, turn adapter.Turn) string {
	t.Helper()
	out, err := h.Turn(t.Context(), name, turn)
	if err != nil {
		t.Fatalf("turn: %v", err)
	}
	return said(out)
}

// eventually waits until a condition holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("not in ten seconds: %s", what)
}

func serves(h *Host, name string) func() bool {
	return func() bool {
		out, err := h.Turn(context.Background(), name, request("back"))
		return err == nil && said(out) == "back"
	}
}

func alive(pid int) bool {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return syscall.Kill(pid, 0) == nil
	}
	return !bytes.Contains(data, []byte(") Z "))
}

// stopped reports whether every thread of a process is.
func stopped(pid int) bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	for _, f := range threads {
		if data, _ := os.ReadFile(f); !bytes.Contains(data, []byte(") T ")) {
			return false
		}
	}
	return len(threads) > 0
}

func TestTurnsInParallel(t *testing.T) {
	h := started(t, Options{}, "echo")
	var all sync.WaitGroup
	for i := range 300 {
		all.Go(func() {
			text := fmt.Sprintf("hello %d", i)
			out, err := h.Turn(t.Context(), "echo", request(text))
			if err != nil || said(out) != text || len(out.Effects) != 2 || string(out.State) != `{"Turns":1}` {
				t.Errorf("turn %d: %v %+v", i, err, out)
			}
		})
	}
	all.Wait()
	if got := ask(t, h, "echo", order("sleep")); got != "slept" {
		t.Errorf("sleep said %q", got)
	}
}

func TestSlowTurnDoesNotHoldOthers(t *testing.T) {
	h := started(t, Options{TurnTimeout: 5 * time.Second}, "echo")
	ctx, cancel := context.WithCancel(t.Context())
	var slow sync.WaitGroup
	slow.Go(func() {
		if _, err := h.Turn(ctx, "echo", order("hang")); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled turn: %v", err)
		}
	})
	for range 50 {
		ask(t, h, "echo", request("quick"))
	}
	pid := h.Pid("echo")
	cancel()
	slow.Wait()
	if ask(t, h, "echo", request("after")) != "after" || h.Pid("echo") != pid {
		t.Error("a cancelled turn cost the process")
	}
}

func TestFaultsOfAnAdapterAreOutcomes(t *testing.T) {
	h := started(t, Options{}, "echo")
	for turn, want := range map[string]string{
		"panic": "error: panic: on order", "goexit": "error: the adapter ended its goroutine",
		"big": "larger than", "nothing": "error: panic: ",
	} {
		if got := ask(t, h, "echo", order(turn)); !strings.Contains(got, want) {
			t.Errorf("%s gave %q", turn, got)
		}
	}
	large := request("x")
	large.State = make([]byte, 2<<20)
	if got := ask(t, h, "echo", large); !strings.Contains(got, "larger than") {
		t.Errorf("large turn gave %q", got)
	}
	broken := request("x")
	broken.Key = "\xff"
	if got := ask(t, h, "echo", broken); !strings.Contains(got, "not UTF-8") {
		t.Errorf("broken key gave %q", got)
	}
	if h.States()[0].Restarts != 0 {
		t.Error("a bad turn cost the process")
	}
}

func TestConfigure(t *testing.T) {
	h := started(t, Options{TurnTimeout: time.Second}, "echo")
	p, err := h.Configure(t.Context(), "echo", adapter.Account{Name: "eu"})
	if err != nil || len(p.Hosts) != 1 || p.Hosts[0] != "eu.example" {
		t.Errorf("profile %+v, %v", p, err)
	}
	if want := []string{"/pin", "/token", "/payload/secret", "/session"}; !slices.Equal(p.Mask, want) {
		t.Errorf("the credentials of its endpoints are not masked: %v, not %v", p.Mask, want)
	}
	if _, err := h.Configure(t.Context(), "echo", adapter.Account{Name: "refused"}); err == nil ||
		!strings.Contains(err.Error(), "use eu or us") {
		t.Errorf("refused settings: %v", err)
	}
	if _, err := h.Configure(t.Context(), "echo", adapter.Account{Name: "hang"}); !errors.Is(err, ErrTimeout) {
		t.Errorf("hanging configure: %v", err)
	}
	eventually(t, "the plugin serves again", serves(h, "echo"))
}

func TestKilledPluginComesBack(t *testing.T) {
	restarted := make(chan string, 10)
	h := started(t, Options{TurnTimeout: 10 * time.Second, OnRestart: func(name string) { restarted <- name }}, "echo")
	var turns sync.WaitGroup
	failed := make(chan error, 20)
	for range 20 {
		turns.Go(func() {
			_, err := h.Turn(t.Context(), "echo", order("hang"))
			failed <- err
		})
	}
	eventually(t, "the turns are under way", func() bool {
		l := h.plugin("echo").link.Load()
		l.mu.Lock()
		defer l.mu.Unlock()
		return len(l.pending) == 20
	})
	began := time.Now()
	if err := syscall.Kill(h.Pid("echo"), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	turns.Wait()
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("turns of a dead process waited %s", took)
	}
	for range 20 {
		if err := <-failed; !errors.Is(err, ErrDied) {
			t.Errorf("turn of a killed plugin: %v", err)
		}
	}
	eventually(t, "the plugin serves again", serves(h, "echo"))
	if name := <-restarted; name != "echo" {
		t.Errorf("restarted %q", name)
	}
	if s := h.States()[0]; s.Restarts != 1 || s.Status != statusRunning || !strings.Contains(s.LastError, "died") {
		t.Errorf("state %+v", s)
	}
}

func TestExitInTurn(t *testing.T) {
	h := started(t, Options{}, "echo", "other")
	pid := h.Pid("other")
	if _, err := h.Turn(t.Context(), "echo", order("exit")); !errors.Is(err, ErrDied) {
		t.Errorf("exit: %v", err)
	}
	if ask(t, h, "other", request("mine")) != "mine" || h.Pid("other") != pid {
		t.Error("the other plugin was disturbed")
	}
	eventually(t, "the plugin serves again", serves(h, "echo"))
	if s := h.States()[0]; !strings.Contains(s.LastError, "exit status 7") {
		t.Errorf("state %+v", s)
	}
}

func TestStoppedPluginTimesOut(t *testing.T) {
	h := started(t, Options{TurnTimeout: time.Second}, "echo", "other")
	pid := h.Pid("echo")
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the process is stopped", func() bool { return stopped(pid) })
	began := time.Now()
	_, err := h.Turn(t.Context(), "echo", request("x"))
	if took := time.Since(began); !errors.Is(err, ErrTimeout) || took > 5*time.Second {
		t.Errorf("turn of a stopped plugin: %v after %s", err, took)
	}
	eventually(t, "the plugin serves again", serves(h, "echo"))
	if alive(pid) {
		t.Error("the stopped process is still there")
	}
	if ask(t, h, "other", request("mine")) != "mine" {
		t.Error("the other plugin was disturbed")
	}
}

func TestStoppedIdlePluginIsNoticed(t *testing.T) {
	h := started(t, Options{healthEvery: 20 * time.Millisecond, healthWithin: 300 * time.Millisecond}, "echo")
	pid := h.Pid("echo")
	time.Sleep(200 * time.Millisecond)
	if h.Pid("echo") != pid {
		t.Fatal("health checks ended a healthy plugin")
	}
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "another process", func() bool { now := h.Pid("echo"); return now != 0 && now != pid })
	if s := h.States()[0]; !strings.Contains(s.LastError, "health checks") {
		t.Errorf("state %+v", s)
	}
}

// TestPoisonIsNoCrashLoop: a plugin that answers between its deaths runs again at
// once, however often it dies; one that answers nothing rests, longer each time, and
// is quarantined.
func TestPoisonIsNoCrashLoop(t *testing.T) {
	h := started(t, Options{TurnTimeout: 20 * time.Second, BackoffMax: time.Minute, Quarantine: Quarantine{Failures: 6, Within: time.Minute, For: time.Minute}}, "echo")
	dies := func(n int) {
		if _, err := h.Turn(t.Context(), "echo", order("exit")); !errors.Is(err, ErrDied) {
			t.Fatalf("death %d: %v", n, err)
		}
		eventually(t, "the plugin runs again, or rests", func() bool {
			s := h.States()[0]
			return s.Restarts == n && s.Status == statusRunning || s.Status == statusQuarantined
		})
	}
	for n := range 12 { // the wait before the twelfth would be 20 s
		if got := ask(t, h, "echo", request("fine")); got != "fine" {
			t.Fatalf("%d: %q", n, got)
		}
		dies(n + 1)
	}
	for n := range 5 { // the last one that had answered is the first of six
		if s := h.States()[0]; s.Status != statusRunning {
			t.Fatalf("after %d deaths without an answer: %+v", n, s)
		}
		dies(13 + n)
	}
	if s := h.States()[0]; s.Status != statusQuarantined {
		t.Errorf("after five deaths without an answer: %+v", s)
	}
}

func TestCrashLoopIsQuarantined(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	h := newHost(t, Options{Dir: plugins(t, map[string]string{"crash": "", "echo": ""}),
		BackoffMax: 20 * time.Millisecond, Quarantine: Quarantine{Failures: 4, Within: time.Minute, For: 300 * time.Millisecond},
		OnState: func(name, state string) {
			mu.Lock()
			defer mu.Unlock()
			if name == "crash" {
				seen = append(seen, state)
			}
		}})
	if _, err := h.Start(t.Context(), "echo"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Start(t.Context(), "crash"); err == nil || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("start: %v", err)
	}
	if _, err := h.Turn(t.Context(), "crash", request("x")); !errors.Is(err, ErrDown) {
		t.Errorf("turn while restarting: %v", err)
	}
	eventually(t, "quarantine", func() bool {
		_, err := h.Turn(t.Context(), "crash", request("x"))
		return errors.Is(err, ErrQuarantined)
	})
	if ask(t, h, "echo", request("mine")) != "mine" {
		t.Error("the other plugin was disturbed")
	}
	mu.Lock()
	if got := strings.Join(seen, " "); got != "restarting restarting restarting quarantined" {
		t.Errorf("states %s", got)
	}
	mu.Unlock()
	eventually(t, "another try", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(seen) > 4
	})
}
