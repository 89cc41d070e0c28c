package web_test

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// programConfig is the least the story needs: a customer, a virtual agent that is a
// plugin, and the desk.
const programConfig = `[server]
listen = %q
[admin]
listen = %q
[journal]
dir = %q
[[api.tokens]]
name = "desk"
roles = ["live_agent"]
token = "env:DESK_TOKEN"
[accounts.web]
adapter = "native"
role = "customer"
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

// program is the bridge as people run it, with its plugin.
type program struct {
	t    *testing.T
	dir  string
	base string
	log  bytes.Buffer
	cmd  *exec.Cmd
}

// newProgram builds the bridge and the virtual agent's plugin, and starts them.
func newProgram(t *testing.T) *program {
	t.Helper()
	dir, err := os.MkdirTemp("", "fb") // sockets leave no room for a longer path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	build := exec.Command("go", "build", "-buildvcs=false", "-o", dir+"/", "./bridge/cmd/footbridge", "./plugins/footbridge-adapter-scripted")
	build.Dir = "../../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	public, admin := keptAddress(t, 0), keptAddress(t, 1)
	config := fmt.Sprintf(programConfig, public, admin, filepath.Join(dir, "data"))
	if err := os.WriteFile(filepath.Join(dir, "config.toml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	p := &program{t: t, dir: dir, base: "http://" + public}
	p.start()
	t.Cleanup(p.end)
	return p
}

// keptAddress is out of the range the system takes ports for calls from: a bridge
// that was killed must find its port free.
func keptAddress(t *testing.T, nth int) string {
	t.Helper()
	for n := nth; n < 2000; n += 2 {
		address := fmt.Sprintf("127.0.0.1:%d", 12000+(os.Getpid()*131+n)%20000)
		if l, err := net.Listen("tcp", address); err == nil {
			_ = l.Close()
			return address
		}
	}
	t.Fatal("no port is free")
	return ""
}

// start runs the bridge and waits until it answers.
func (p *program) start() {
	p.t.Helper()
	p.cmd = exec.Command(filepath.Join(p.dir, "footbridge"), "serve", "--config", filepath.Join(p.dir, "config.toml"))
	p.cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + p.dir, "DESK_TOKEN=" + deskToken}
	p.cmd.Stdout, p.cmd.Stderr, p.cmd.WaitDelay = &p.log, &p.log, time.Second // plugins end a moment later
	if err := p.cmd.Start(); err != nil {
		p.t.Fatalf("start the bridge: %v", err)
	}
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
		if answer, err := http.Get(p.base + "/chat"); err == nil {
			_ = answer.Body.Close()
			return
		}
	}
	p.t.Fatal("the bridge never answered")
}

// stop sends the bridge a signal and waits until it is gone.
func (p *program) stop(by syscall.Signal) {
	_ = p.cmd.Process.Signal(by)
	_ = p.cmd.Wait()
}

func (p *program) end() {
	p.stop(syscall.SIGTERM)
	if p.t.Failed() {
		p.t.Logf("the bridge wrote:\n%s", p.log.String())
	}
}

// TestCustomerAndAgentOnTheProgram is the same conversation with the program and its
// plugin as they are built, killed in the middle: kill -9 leaves nobody time to write
// anything down.
func TestCustomerAndAgentOnTheProgram(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	customerAndAgent(t, place{base: p.base, token: deskToken, restart: func(between func()) {
		p.stop(syscall.SIGKILL)
		between()
		p.start()
	}})
}
