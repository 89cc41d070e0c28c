// Package stories tests the whole program with the real plugins: real processes
// and sockets, simulated vendors, and kills.
package stories

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/footbridge/footbridge/adapters/vonage/vonagesim"
)

// repository is the root of this one, from here.
const repository = "../.."

// The exit codes of the program.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

// TestMain lets more tests wait at once than there are processors, for that is
// what most of them do, and removes the binaries when all are done.
func TestMain(m *testing.M) {
	flag.Parse()
	_ = flag.Set("test.parallel", strconv.Itoa(2*runtime.GOMAXPROCS(0)))
	code := m.Run()
	if built.Load() {
		dir, _ := binaries()
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

// built says that binaries has been asked for.
var built atomic.Bool

// binaries is the folder of the program and its plugins, built once with the
// crash points in.
var binaries = sync.OnceValues(func() (string, error) {
	built.Store(true)
	dir, err := os.MkdirTemp("", "footbridge-bin-")
	if err != nil {
		return "", err
	}
	build := exec.Command("go", "build", "-buildvcs=false", "-tags", "failpoint", "-o", dir+"/", "./bridge/cmd/footbridge",
		"./bridge/cmd/footbridge/testdata/ledger", "./plugins/...")
	build.Dir = repository
	if out, err := build.CombinedOutput(); err != nil {
		return dir, fmt.Errorf("build: %w\n%s", err, out)
	}
	return dir, nil
})

// ports gives every listener a port of its own, outside the range the system
// takes ports for calls from: a bridge that is killed must find its port free.
var ports atomic.Int32

func freeAddr(t *testing.T) string {
	t.Helper()
	for range 1000 {
		addr := fmt.Sprintf("127.0.0.1:%d", 12000+(os.Getpid()*131+int(ports.Add(1)))%20000)
		l, err := net.Listen("tcp", addr)
		if err != nil {
			continue
		}
		_ = l.Close()
		return addr
	}
	t.Fatal("no port is free")
	return ""
}

// rig is a running bridge with simulated vendors around it.
type rig struct {
	t *testing.T
	home
	hitLog string
	studio *vonagesim.Studio
	desk   *vonagesim.Desk
	// studioAt is where AI Studio is, which has files, too.
	studioAt string
	client   *http.Client
	done     chan struct{}
	fails    []string // of the processes to come
	env      []string
	*process
}

// home is where a bridge runs: the binaries it is of, folders of its own, its
// addresses and its configuration file.
type home struct {
	bin, dir, tmp string
	public, admin string
	config        string
}

func newHome(t *testing.T) home {
	t.Helper()
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	tmp, err := os.MkdirTemp("", "fb") // sockets leave no room for a longer path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(tmp) })
	p := home{bin: bin, dir: t.TempDir(), tmp: tmp, public: freeAddr(t), admin: freeAddr(t)}
	p.config = filepath.Join(p.dir, "config.toml")
	return p
}

// configure writes the configuration file.
func (p home) configure(t *testing.T, text string) {
	t.Helper()
	if err := os.WriteFile(p.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// line is how the bridge is started there.
func (p home) line() []string {
	return []string{filepath.Join(p.bin, "footbridge"), "serve", "--config", p.config}
}

// environ is the least its environment has.
func (p home) environ() []string { return []string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + p.tmp} }

// process is what changes while a rig runs.
type process struct {
	mu       sync.Mutex
	cmd      *exec.Cmd
	log      bytes.Buffer
	closing  bool
	restarts int
	problems []string // what the API refused with
	tokens   []string // what customers were given
}

// of is the same bridge as a part of the test looks at it.
func (r *rig) of(t *testing.T) *rig {
	part := *r
	part.t = t
	return &part
}

// setting changes the configuration of a rig.
type setting struct {
	idempotency bool // the simulated AI Studio honours a key
	backends    []string
	timers      string
	route       string // keys of AI Studio's route
	studio      string // settings of AI Studio's account
	extra       string // keys at the top; {desk} is the live-agent server's address
	place       string // how a place in the queue is told
	breaker     string
	env         []string // more of the environment
}

// newRig builds everything and starts the bridge. fails are the crash points of
// the first process, of the one after it, and so on.
func newRig(t *testing.T, s setting, fails ...string) *rig {
	t.Helper()
	r := &rig{t: t, home: newHome(t), client: &http.Client{Timeout: 15 * time.Second}, done: make(chan struct{}), fails: fails, env: s.env, process: &process{}}
	t.Cleanup(r.client.CloseIdleConnections)
	r.hitLog = filepath.Join(r.dir, "hits")
	header := ""
	if s.idempotency {
		header = "Idempotency-Key"
	}
	r.studio = vonagesim.NewStudio(vonagesim.Options{Key: studioKey, BridgeURL: "http://" + r.public + "/in/studio", IdempotencyHeader: header})
	r.studioAt = serve(t, pictures(r.studio.Handler()))
	r.desk = vonagesim.NewDesk(vonagesim.DeskOptions{Key: deskKey, BridgeURL: "http://" + r.public + "/in/vdesk"})
	desk := serve(t, r.desk.Handler())
	r.configure(t, r.toml(s, r.studioAt, desk, header))
	cmd, err := r.start()
	if err != nil {
		t.Fatal(err)
	}
	go r.keep(cmd)
	t.Cleanup(r.close)
	r.ready()
	return r
}

// configuration has both vendors, both built-ins and a route for each front. The
// place in a queue is told in words in the matrix alone: elsewhere it would stand
// among the words that are counted.
const configuration = `
%s
[texts.en]
queue_position = %q
[server]
listen = %q
[admin]
listen = %q
[journal]
dir = %q
[log]
level = "debug"
%s
[[api.tokens]]
name = "desk"
roles = ["live_agent", "supervisor", "operator"]
token = "env:DESK_TOKEN"
[accounts.studio]
adapter = "vonage"
role = "virtual_agent"
credentials = { key = "env:STUDIO_KEY" }
[accounts.studio.settings]
mode = "routing"
base_url = %q
%s
%s
[accounts.vdesk]
adapter = "vonage"
role = "live_agent"
settings = { base_url = %q, agent_phone = "447700900002" }
credentials = { key = "env:VDESK_KEY" }
[accounts.web]
adapter = "native"
role = "customer"
publishable_key = "pk_test"
[accounts.helper]
adapter = "scripted"
role = "virtual_agent"
[accounts.helper.settings]
greeting = "okapi greeting"
fallback = "okapi fallback"
welcome_back = "okapi welcome back"
answers = [{ keywords = ["apples"], text = "okapi about apples" }, { keywords = ["pears"], text = "okapi about pears" },
  { keywords = ["plums"], text = "okapi about plums" }, { keywords = ["cherries"], text = "okapi about cherries" }]
[accounts.desk]
adapter = "native"
role = "live_agent"
[[routes]]
name = "web"
customer = "web"
virtual_agent = "helper"
live_agent = ["desk"]
[[routes]]
name = "studio"
virtual_agent = "studio"
live_agent = %s
%s
%s
`

func (r *rig) toml(s setting, studio, desk, header string) string {
	if s.backends == nil {
		s.backends = []string{"desk"}
	}
	backends, _ := json.Marshal(s.backends)
	if header != "" {
		header = fmt.Sprintf("idempotency_header = %q", header)
	}
	return fmt.Sprintf(configuration, strings.ReplaceAll(s.extra, "{desk}", desk), s.place, r.public, r.admin, filepath.Join(r.dir, "data"), s.breaker, studio, header, s.studio, desk, backends, s.timers, s.route)
}

// start runs the bridge with the next crash point.
func (r *rig) start() (*exec.Cmd, error) {
	fail := ""
	if len(r.fails) > 0 {
		fail, r.fails = r.fails[0], r.fails[1:]
	}
	line := r.line()
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Env = slices.Concat(r.environ(), secretsEnv(), []string{"FOOTBRIDGE_FAILPOINT=" + fail, "FOOTBRIDGE_FAILPOINT_LOG=" + r.hitLog, "FOOTBRIDGE_SLOW=" + os.Getenv("FOOTBRIDGE_SLOW")}, r.env)
	out := &locked{mu: &r.mu, b: &r.log}
	cmd.Stdout, cmd.Stderr = out, out
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cmd = cmd
	return cmd, cmd.Start()
}

// keep starts the bridge again after a crash, as a service manager would.
func (r *rig) keep(cmd *exec.Cmd) {
	defer close(r.done)
	for {
		_ = cmd.Wait()
		r.mu.Lock()
		closing := r.closing
		r.restarts++
		r.mu.Unlock()
		if closing {
			return
		}
		if cmd.ProcessState.Exited() {
			r.t.Errorf("the bridge ended by itself: %s", cmd.ProcessState)
			return
		}
		next, err := r.start()
		if err != nil {
			r.t.Errorf("start the bridge again: %v", err)
			return
		}
		cmd = next
	}
}

// locked writes under a lock that readers of the buffer take too.
type locked struct {
	mu *sync.Mutex
	b  *bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (r *rig) output() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.String()
}

func (r *rig) kill() {
	r.mu.Lock()
	defer r.mu.Unlock()
	_ = r.cmd.Process.Kill()
}

// close ends the bridge, unless it has been.
func (r *rig) close() {
	r.stop()
	if r.t.Failed() {
		r.t.Logf("output of the bridge:\n%s", tail(r.output(), 20000))
	}
}

// stop ends the bridge as an operator would, and looks through what it leaves.
func (r *rig) stop() {
	r.mu.Lock()
	stopped := r.closing
	r.mu.Unlock()
	if stopped {
		return
	}
	r.discreet()
	r.keepTraces()
	r.mu.Lock()
	r.closing = true
	_ = r.cmd.Process.Signal(os.Interrupt)
	r.mu.Unlock()
	select {
	case <-r.done:
	case <-time.After(60 * time.Second):
		r.kill()
		<-r.done
		r.t.Error("bridge did not end within 60 s of an interrupt")
	}
	r.sealed()
}

// keepTraces writes how the conversations of a test that failed went, turn by turn,
// into the folder FOOTBRIDGE_TRACES, if there is one.
func (r *rig) keepTraces() {
	dir := os.Getenv("FOOTBRIDGE_TRACES")
	if dir == "" || !r.t.Failed() {
		return
	}
	for _, c := range r.conversations() {
		name := filepath.Join(dir, strings.ReplaceAll(r.t.Name(), "/", "-")+"-"+c.ID)
		if err := os.WriteFile(name, []byte(r.command("", "trace", c.ID).out), 0o600); err != nil {
			r.t.Log(err)
		}
	}
}

// stored reads from the journal, when the bridge has ended, what became of a
// conversation's events.
func (r *rig) stored(id string) []delivery {
	r.t.Helper()
	return r.ledger(id).Deliveries
}

// delivery is how one event ended at one leg.
type delivery struct {
	Event, Leg, Outcome, Reason string
	MaybeDuplicate              bool
}

// ledger is what a journal has of one conversation, opened.
type ledger struct {
	State []byte
	Legs  []struct {
		ID, Account string
		Data        []byte
	}
	Frames     []struct{ Data []byte }
	Deliveries []delivery
	Events     json.RawMessage
}

// ledger ends the bridge and reads its journal.
func (r *rig) ledger(id string) ledger {
	r.t.Helper()
	r.stop()
	out, err := exec.Command(filepath.Join(r.bin, "ledger"), filepath.Join(r.dir, "data"), id).Output()
	if err != nil {
		r.t.Fatalf("read the journal: %v", err)
	}
	var all ledger
	if err := json.Unmarshal(out, &all); err != nil {
		r.t.Fatal(err)
	}
	return all
}

func (r *rig) canaries() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append(canaries(), r.tokens...)
}

// discreet looks for what was said, and for secrets, where they must not be.
func (r *rig) discreet() {
	r.t.Helper()
	r.mu.Lock()
	problems := strings.Join(r.problems, "\n")
	r.mu.Unlock()
	for where, text := range map[string]string{"log": r.output(), "metrics": r.metrics(), "errors of the API": problems} {
		for _, canary := range r.canaries() {
			if at := strings.Index(text, canary); at >= 0 {
				r.t.Errorf("%q is in the %s: %s", canary, where, tail(text[:min(len(text), at+100)], 300))
			}
		}
	}
}

// sealed looks for the same in the files of the journal.
func (r *rig) sealed() {
	r.t.Helper()
	files, err := filepath.Glob(filepath.Join(r.dir, "data", "*"))
	if err != nil || len(files) == 0 {
		r.t.Errorf("no journal: %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			continue // a folder, or gone since
		}
		for _, canary := range r.canaries() {
			if bytes.Contains(data, []byte(canary)) {
				r.t.Errorf("%q is in %s", canary, filepath.Base(file))
			}
		}
	}
}

func tail(s string, n int) string {
	return s[max(0, len(s)-n):]
}

func (r *rig) ready() {
	r.t.Helper()
	r.eventually("ready", func() bool {
		resp, err := r.client.Get("http://" + r.admin + "/readyz")
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}
