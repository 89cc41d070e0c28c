package stories

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// stuck is a command that waits for something that never comes.
type stuck struct {
	p     *program
	asked *atomic.Int32 // times the bridge was asked
	// bridge is the address of the bridge, pipe one into which nobody writes.
	bridge, pipe string
}

// newStuck prepares a bridge that does not answer, and an adapter that does not
// start.
func newStuck(t *testing.T) stuck {
	t.Helper()
	s := stuck{p: newProgram(t, strings.Replace("[server]\nlisten = \"{public}\"\n[plugins]\ndir = \"{data}/../plugins\"\nstart_timeout = \"10m\"\n"+small,
		`adapter = "scripted"`, `adapter = "sleeper"`, 1)), asked: new(atomic.Int32)}
	dir := filepath.Join(s.p.dir, "plugins")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s.p.write(filepath.Join(dir, "footbridge-adapter-sleeper"), "#!/bin/sh\necho started >&2\nsleep 600\n", 0o755)
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	go func() {
		for {
			conn, err := silent.Accept()
			if err != nil {
				return
			}
			s.asked.Add(1)
			t.Cleanup(func() { _ = conn.Close() })
		}
	}()
	s.p.env = append(s.p.env, "FOOTBRIDGE_TOKEN=x", "PATH="+dir+":"+os.Getenv("PATH"))
	s.bridge, s.pipe = "http://"+silent.Addr().String(), filepath.Join(s.p.dir, "pipe")
	if err := syscall.Mkfifo(s.pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

// begin runs the command and waits until it waits.
func (s stuck) begin(t *testing.T, line string) *program {
	t.Helper()
	p := &program{t: t, home: s.p.home, env: s.p.env, ended: make(chan struct{})}
	p.cmd = exec.Command(footbridge(t), strings.Fields(strings.NewReplacer("BRIDGE", s.bridge, "CONFIG", p.config, "PIPE", s.pipe).Replace(line))...)
	p.cmd.Env = p.env
	out := &locked{mu: &p.mu, b: &p.log}
	p.cmd.Stdout, p.cmd.Stderr = out, out
	in, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close() })
	before := s.asked.Load()
	p.begin()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if s.asked.Load() > before || strings.Contains(p.output(), "[y/N]") || strings.Contains(p.output(), "serves") || p.waits() {
			break
		}
	}
	return p
}

// waits reports whether the process has a child, or waits at a pipe.
func (p *program) waits() bool {
	tasks := fmt.Sprintf("/proc/%d/task/*/", p.cmd.Process.Pid)
	children, _ := filepath.Glob(tasks + "children")
	where, _ := filepath.Glob(tasks + "wchan")
	for _, name := range append(children, where...) {
		text, err := os.ReadFile(name)
		if err == nil && len(text) > 0 && (filepath.Base(name) == "children" || strings.Contains(string(text), "pipe")) {
			return true
		}
	}
	return false
}

// TestSignals: a command that waits ends at the first signal, and says why; a hangup
// ends it without a word.
func TestSignals(t *testing.T) {
	t.Parallel()
	s := newStuck(t)
	for _, line := range []string{
		"check --config CONFIG", "adapters --config CONFIG", "matrix --config CONFIG", "doctor --config CONFIG", "adapter test sleeper --config CONFIG",
		"conversations --url BRIDGE", "conversations 01A --url BRIDGE", "dead-letters list --url BRIDGE", "dead-letters replay 01A --url BRIDGE",
		"dead-letters replay --all --url BRIDGE", "audit list --url BRIDGE", "conversations export 01A --reason r --url BRIDGE",
		"conversations erase 01A --reason r --yes --url BRIDGE", "conversations erase 01A --reason r --url BRIDGE",
		"conversations erase --customer - --reason r --yes --url BRIDGE", "translate --adapter scripted --role virtual_agent --endpoint x",
		"accounts --url BRIDGE", "accounts drain studio --url BRIDGE",
		"serve --config CONFIG", "simulate vonage -listen 127.0.0.1:0",
	} {
		t.Run(line, func(t *testing.T) {
			for _, sign := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
				code, said := exitFailed, "interrupted"
				switch command, _, _ := strings.Cut(line, " "); {
				case command == "serve" && sign == syscall.SIGHUP:
					continue // which asks it to read its configuration again
				case sign == syscall.SIGHUP:
					code, said = -1, ""
				case strings.Contains(line, "erase 01A --reason r --url"):
					said = "nothing was erased"
				case command == "serve", command == "simulate":
					code, said = exitOK, ""
				}
				p := s.begin(t, line)
				p.signal(sign)
				if got := p.wait(); got != code || !strings.Contains(p.output(), said) {
					t.Errorf("%s: exit code %d, want %d and %q:\n%s", sign, got, code, said, p.output())
				}
			}
		})
	}
}

// TestSecondSignal: what cannot be ended in peace ends at the second signal.
func TestSecondSignal(t *testing.T) {
	t.Parallel()
	s := newStuck(t)
	s.p.write(filepath.Join(s.p.dir, "master.key"), strings.Repeat("k", 32), 0o600)
	p := s.begin(t, "restore PIPE --config CONFIG")
	p.signal(os.Interrupt)
	time.Sleep(200 * time.Millisecond)
	p.signal(syscall.SIGTERM)
	if got := p.wait(); got != exitInterrupted {
		t.Errorf("exit code %d:\n%s", got, p.output())
	}
}

// TestReaderGoesAway: a bridge goes on when nobody reads what it prints any more, as
// when its log's collector is started again; a list ends.
func TestReaderGoesAway(t *testing.T) {
	t.Parallel()
	p := newProgram(t, "[server]\nlisten = \"{public}\"\n"+small)
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd = exec.Command(footbridge(t), "serve", "--config", p.config)
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = p.env, write, write
	p.begin()
	p.until("/readyz")
	_, _ = read.Close(), write.Close()
	for range 3 {
		p.signal(syscall.SIGHUP) // which is logged
		time.Sleep(100 * time.Millisecond)
		p.until("/readyz")
	}
	p.signal(os.Interrupt)
	if code := p.wait(); code != exitOK {
		t.Errorf("exit code %d", code)
	}
	cut := exec.Command("sh", "-c", `"$@" | head -c 1 > /dev/null`, "sh", footbridge(t), "completion", "bash")
	if out, err := cut.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("a list whose reader goes: %v %s", err, out)
	}
}
