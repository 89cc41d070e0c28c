// Package host starts, checks, supervises and calls plugins. Each adapter is one
// process; what one does never disturbs another.
//
// The host trusts a plugin with nothing. It runs what it checked, from memory
// nobody can change; without the bridge's environment; in namespaces of its own,
// with no file but the folder of its socket, no network and few system calls,
// where the kernel gives that; under deadlines of the host's own; and ends it with
// its process group when the bridge ends.
package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/adapterpb"
)

// The ways a call of a plugin ends without an answer. After ErrDied and
// ErrTimeout the plugin is started again, and the call may be repeated.
var (
	// ErrDied says the process ended before it answered.
	ErrDied = errors.New("the plugin died")
	// ErrTimeout says the plugin did not answer in time and has been ended.
	ErrTimeout = errors.New("the plugin did not answer in time")
	// ErrDown says the plugin is not running now; it is started again by itself.
	ErrDown = errors.New("the plugin is not running")
	// ErrQuarantined says the plugin failed too often and is left alone for a while.
	ErrQuarantined = errors.New("the plugin is quarantined")
)

// Absent reports whether an error says that there was no plugin to ask, and not
// that it refused.
func Absent(err error) bool {
	return slices.ContainsFunc([]error{ErrDied, ErrTimeout, ErrDown, ErrQuarantined}, func(e error) bool { return errors.Is(err, e) })
}

// How plugins are shut off from the machine.
const (
	SandboxAuto     = "auto"     // what the system gives; a warning says what is missing
	SandboxRequired = "required" // all of it, or New fails
	SandboxOff      = "off"      // nothing
)

// Quarantine says when a plugin is left alone: after Failures in a row within
// Within, without a turn answered between them, for the time For; then it is tried
// again.
type Quarantine struct {
	Failures    int
	Within, For time.Duration
}

// Options are a Host's. Zero values mean what the comments say.
type Options struct {
	// Dir is the folder of plugins, Beside the folder of the executable; PATH
	// comes after both. Empty ones are passed over.
	Dir, Beside string
	// RunDir is a folder for this host alone, made with mode 0700 and emptied of
	// what an earlier run left: sockets, and where executables cannot be kept in
	// memory the copies that run. Its path is at most 60 bytes long. Empty means one
	// in the system's temporary folder, removed by Close.
	RunDir string
	// Checksums pins executables by adapter: SHA-256 in hex.
	Checksums map[string]string
	// StartTimeout bounds a start, Describe included (10 s); TurnTimeout a turn
	// and a Configure (2 s).
	StartTimeout, TurnTimeout time.Duration
	Sandbox                   string // SandboxAuto
	// Memory is how many bytes of its own each plugin may have, where it shuts itself
	// off (1 GiB). One that wants more ends.
	Memory int
	// Launcher is a program whose main calls Launch first: what it starts as shuts
	// itself off from within before it becomes the plugin. It is Self in such a
	// program; without it there are namespaces alone.
	Launcher string
	Logger   *slog.Logger
	// OnRestart is called when an adapter runs again after a failure, before the
	// first turn of the new process; OnState at every change to "running",
	// "restarting" and "quarantined". Both are called from the adapter's own
	// goroutine and must not wait for the Host.
	OnRestart  func(adapter string)
	OnState    func(adapter, state string)
	Quarantine Quarantine // 10 within 5 minutes, for 5 minutes
	// BackoffMin and BackoffMax bound the wait before a restart (0.1 s, 30 s). A
	// plugin that answered a turn, or ran for BackoffMax, begins at BackoffMin again.
	BackoffMin, BackoffMax time.Duration

	healthEvery, healthWithin time.Duration
}

// State is how one plugin does.
type State struct {
	Adapter string
	// Status is "starting", "running", "restarting", "quarantined" or "stopped".
	Status   string
	Restarts int
	Since    time.Time
	// LastError is why it last failed, "" if it never did.
	LastError string
	// Path is the executable as found, Checksum its SHA-256 in hex.
	Path, Checksum string
	// Version is the adapter's own, "" before it first ran.
	Version string
	// Sandbox says what the process is shut off with, "" for nothing.
	Sandbox string
}

// Host runs plugins. Its methods are safe for concurrent use.
type Host struct {
	o       Options
	log     *slog.Logger
	sandbox *sandbox
	temp    string // RunDir where the host made it, to be removed

	starts  sync.Mutex // one Start at a time installs
	mu      sync.Mutex
	closed  bool
	plugins map[string]*supervisor
}

// New makes a Host that runs nothing yet. It fails when RunDir cannot be used or
// the sandbox required does not exist on this system.
func New(o Options) (*Host, error) {
	h := &Host{o: withDefaults(o), plugins: make(map[string]*supervisor)}
	h.log = h.o.Logger
	var err error
	if h.sandbox, err = newSandbox(h.o.Sandbox, h.o.Launcher, h.o.Memory, h.log); err != nil {
		return nil, err
	}
	if h.o.RunDir == "" {
		if h.temp, err = os.MkdirTemp("", "footbridge-"); err != nil {
			return nil, fmt.Errorf("make run folder: %w", err)
		}
		h.o.RunDir = h.temp
	}
	if h.o.RunDir, err = filepath.Abs(h.o.RunDir); err != nil {
		return nil, fmt.Errorf("run folder: %w", err)
	}
	if err := prepareRunDir(h.o.RunDir); err != nil {
		return nil, err
	}
	return h, nil
}

func withDefaults(o Options) Options {
	orDefault(&o.StartTimeout, 10*time.Second)
	orDefault(&o.TurnTimeout, 2*time.Second)
	orDefault(&o.Quarantine.Failures, 10)
	orDefault(&o.Quarantine.Within, 5*time.Minute)
	orDefault(&o.Quarantine.For, 5*time.Minute)
	orDefault(&o.BackoffMin, 100*time.Millisecond)
	orDefault(&o.BackoffMax, 30*time.Second)
	orDefault(&o.healthEvery, 5*time.Second)
	orDefault(&o.healthWithin, time.Second)
	orDefault(&o.Sandbox, SandboxAuto)
	orDefault(&o.Memory, 1<<30)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.OnRestart == nil {
		o.OnRestart = func(string) {}
	}
	if o.OnState == nil {
		o.OnState = func(string, string) {}
	}
	return o
}

func orDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// A socket's path has 107 bytes at most; go-plugin's names take 41 of them.
const maxRunDir = 60

func prepareRunDir(dir string) error {
	if len(dir) > maxRunDir {
		return fmt.Errorf("run folder %s: its path has %d bytes, and sockets leave room for %d; choose a shorter one",
			dir, len(dir), maxRunDir)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make run folder: %w", err)
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("run folder: %w", err)
	}
	if !info.IsDir() || info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("run folder %s: others may enter it; it must be a folder of this account alone (chmod 700)", dir)
	}
	return sweep(dir)
}

// sweep removes what an earlier run left.
func sweep(dir string) error {
	for _, pattern := range []string{socketPrefix + "*", copyPrefix + "*"} {
		left, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return fmt.Errorf("sweep run folder: %w", err)
		}
		for _, path := range left {
			if err := removeFolder(path); err != nil {
				return fmt.Errorf("sweep run folder: %w", err)
			}
		}
	}
	return nil
}

//nolint:gochecknoglobals // never written.
var adapterName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

// Start finds the adapter's executable, checks it, runs it, and keeps it running
// until Close. It returns when the plugin is ready. The executable must not be
// writable by everybody, nor may its folder, and must have the checksum pinned
// for it. When Start fails before the plugin ran, nothing is kept; when the
// plugin fails to start it is tried again as if it had died later. Starting a
// running adapter gives its manifest; a changed executable is taken by a new
// Host only.
func (h *Host) Start(ctx context.Context, name string) (adapter.Manifest, error) {
	s, first, err := h.supervise(name)
	if err != nil {
		return adapter.Manifest{}, fmt.Errorf("start adapter %s: %w", name, err)
	}
	if first == nil {
		return s.described()
	}
	select {
	case err := <-first:
		if err != nil {
			return adapter.Manifest{}, fmt.Errorf("start adapter %s: %w", name, err)
		}
		return s.described()
	case <-ctx.Done():
		return adapter.Manifest{}, fmt.Errorf("start adapter %s: %w", name, ctx.Err())
	}
}

// supervise gives the adapter's supervisor, and where it is a new one the result
// of its first start.
func (h *Host) supervise(name string) (*supervisor, <-chan error, error) {
	if !adapterName.MatchString(name) {
		return nil, nil, errors.New("a name has small letters, digits, - and _ only")
	}
	h.starts.Lock()
	defer h.starts.Unlock()
	if s := h.plugin(name); s != nil {
		return s, nil, nil
	}
	program, err := h.install(name)
	if err != nil {
		return nil, nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		program.image.close()
		return nil, nil, errors.New("the host is closed")
	}
	s := newSupervisor(h, name, program)
	h.plugins[name] = s
	first := make(chan error, 1)
	go s.run(first)
	return s, first, nil
}

// Configure fits an adapter to an account. An error that is none of this
// package's is the adapter's word on the account's settings.
func (h *Host) Configure(ctx context.Context, name string, a adapter.Account) (adapter.Profile, error) {
	l, err := h.link(name)
	if err != nil {
		return adapter.Profile{}, fmt.Errorf("configure account %s: %w", a.Name, err)
	}
	p, err := l.configure(ctx, a, h.o.TurnTimeout)
	if err != nil {
		return adapter.Profile{}, fmt.Errorf("configure account %s: %w", a.Name, err)
	}
	return p, nil
}

// Turn performs one turn. Many may run at once. The error is ErrDied, ErrTimeout,
// ErrDown, ErrQuarantined or ctx's; whatever the adapter did wrong, an answer
// that makes no sense included, is in Outcome.Err. t must not be changed before
// Turn returns, nor after when it returns an error.
func (h *Host) Turn(ctx context.Context, name string, t adapter.Turn) (adapter.Outcome, error) {
	l, err := h.link(name)
	if err != nil {
		return adapter.Outcome{}, err
	}
	m, err := adapterpb.EncodeTurn(t)
	if err != nil {
		return adapter.Outcome{Err: err.Error()}, nil
	}
	answer, err := l.turn(ctx, m, h.o.TurnTimeout)
	if err != nil {
		return adapter.Outcome{}, err
	}
	if n := len(answer.GetEffects()); n > adapterpb.MaxEffects {
		return adapter.Outcome{Err: fmt.Sprintf("the turn has %d effects; the bridge takes %d", n, adapterpb.MaxEffects)}, nil
	}
	out, err := adapterpb.DecodeOutcome(answer)
	if err != nil {
		return adapter.Outcome{Err: err.Error()}, nil
	}
	return out, nil
}

func (h *Host) plugin(name string) *supervisor {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.plugins[name]
}

func (h *Host) link(name string) (*link, error) {
	s := h.plugin(name)
	if s == nil {
		return nil, fmt.Errorf("adapter %s was not started: %w", name, ErrDown)
	}
	if l := s.link.Load(); l != nil {
		return l, nil
	}
	return nil, s.why()
}

// States lists every plugin started, by name.
func (h *Host) States() []State {
	h.mu.Lock()
	plugins := maps.Clone(h.plugins)
	h.mu.Unlock()
	states := make([]State, 0, len(plugins))
	for _, name := range slices.Sorted(maps.Keys(plugins)) {
		states = append(states, plugins[name].snapshot())
	}
	return states
}

// Missing lists the protections that were asked for and that this system does not
// give.
func (h *Host) Missing() []Missing { return slices.Clone(h.sandbox.missing) }

// Pid is the process of an adapter now, 0 if it has none.
func (h *Host) Pid(name string) int {
	if s := h.plugin(name); s != nil {
		if l := s.link.Load(); l != nil {
			return l.proc.pid
		}
	}
	return 0
}

// Close ends every plugin and waits until all are gone, at most a few seconds.
// Calls under way end with ErrDied. Closing twice is no error.
func (h *Host) Close() {
	h.mu.Lock()
	h.closed = true
	plugins := maps.Clone(h.plugins)
	h.mu.Unlock()
	for _, s := range plugins {
		s.cancel()
	}
	for _, s := range plugins {
		<-s.done
		s.program.image.close()
	}
	if err := sweep(h.o.RunDir); err != nil {
		h.log.Warn("the run folder could not be emptied", "error", err)
	}
	if h.temp != "" {
		_ = os.Remove(h.temp)
	}
}
