package stories

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// program is the real program with a configuration of its own, for tests that
// look at how it begins and ends.
type program struct {
	t *testing.T
	home
	env   []string
	cmd   *exec.Cmd
	mu    sync.Mutex
	log   bytes.Buffer
	ended chan struct{}
}

// small is the rest of a configuration that begins with the public listener.
const small = `[admin]
listen = "{admin}"
[journal]
dir = "{data}"
[[api.tokens]]
name = "desk"
roles = ["live_agent", "supervisor", "operator"]
token = "env:DESK_TOKEN"
[accounts.web]
adapter = "native"
role = "customer"
publishable_key = "pk_test"
[accounts.helper]
adapter = "scripted"
role = "virtual_agent"
[accounts.desk]
adapter = "native"
role = "live_agent"
[[routes]]
name = "web"
customer = "web"
virtual_agent = "helper"
live_agent = ["desk"]
`

// newProgram writes the configuration, with its places filled in.
func newProgram(t *testing.T, config string) *program {
	t.Helper()
	p := &program{t: t, home: newHome(t), ended: make(chan struct{})}
	p.env = p.environ()
	config = strings.NewReplacer("{public}", p.public, "{admin}", p.admin, "{data}", filepath.Join(p.dir, "data")).Replace(config)
	p.configure(t, config)
	return p
}

func footbridge(t *testing.T) string {
	t.Helper()
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(bin, "footbridge")
}

// serve starts the bridge; wrap runs it through another program.
func (p *program) serve(wrap ...string) {
	p.t.Helper()
	line := append(wrap, p.line()...)
	p.cmd = exec.Command(line[0], line[1:]...)
	p.cmd.Env = p.env
	out := &locked{mu: &p.mu, b: &p.log}
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.begin()
}

// begin starts the command; the test ends it if it has not ended by then.
func (p *program) begin() {
	p.t.Helper()
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	go func() { _ = p.cmd.Wait(); close(p.ended) }()
	p.t.Cleanup(func() {
		p.signal(syscall.SIGTERM)
		select {
		case <-p.ended:
		case <-time.After(40 * time.Second):
			_ = p.cmd.Process.Kill()
			<-p.ended
			p.t.Error("the program did not end")
		}
		if p.t.Failed() {
			p.t.Logf("output:\n%s", tail(p.output(), 8000))
		}
	})
}

func (p *program) signal(s os.Signal) { _ = p.cmd.Process.Signal(s) }

func (p *program) output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// await waits until all parts have been printed.
func (p *program) await(parts ...string) {
	p.t.Helper()
	for deadline := time.Now().Add(40 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if missing(p.output(), parts) == "" {
			return
		}
	}
	p.says(parts...)
}

// says wants all parts in the output.
func (p *program) says(parts ...string) {
	p.t.Helper()
	if part := missing(p.output(), parts); part != "" {
		p.t.Errorf("never said: %q\n%s", part, p.output())
	}
}

// missing is the first part that is not in the text, "" for none.
func missing(text string, parts []string) string {
	for _, part := range parts {
		if !strings.Contains(text, part) {
			return part
		}
	}
	return ""
}

// wait gives the exit code.
func (p *program) wait() int {
	p.t.Helper()
	select {
	case <-p.ended:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(40 * time.Second):
		p.t.Fatal("the program does not end")
		return 0
	}
}

// outcome is what a command came to.
type outcome struct {
	out, err string
	code     int
}

func (o outcome) all() string { return o.out + o.err }

// finish runs a command to its end.
func finish(t *testing.T, env []string, stdin io.Reader, args ...string) outcome {
	t.Helper()
	cmd := exec.Command(footbridge(t), args...)
	var out, errs bytes.Buffer
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = env, stdin, &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return outcome{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
}

// run runs a command with the program's configuration and environment.
func (p *program) run(args ...string) outcome {
	p.t.Helper()
	return finish(p.t, p.env, nil, append(args, "--config", p.config)...)
}

func readAll(t *testing.T, r io.Reader) string {
	t.Helper()
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
