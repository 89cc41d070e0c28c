// Package engine carries conversations: it stores every input before anybody
// acts on it, gives each to its adapter in turn, lets package conversation
// decide what follows, stores that in one commit, and only then acts.
//
// One goroutine at a time works for a conversation; conversations run in
// parallel. Nothing the engine promises rests on memory: after a crash it goes
// on from the journal.
package engine

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// ErrUnavailable says a turn did not begin because the plugin is down. The turn
// waits, and does not count as failed.
var ErrUnavailable = errors.New("adapter is not running")

// ErrClosed says the engine is shutting down.
var ErrClosed = errors.New("engine is closed")

// Points at which Options.Fail is called; crash tests stop the process there.
const (
	PointBeforeCommit = "before_commit"
	PointAfterCommit  = "after_commit"
	PointAfterReply   = "after_reply"
	PointBeforeCall   = "before_call"
	PointAfterCall    = "after_call"
	PointBeforeResult = "before_result_commit"
)

// Options are what an engine is made of. Journal, Turner, Caller, Desk and
// Setup are required.
type Options struct {
	Journal Journal
	Turner  Turner
	Caller  Caller
	// Dialer opens connections; nil where no adapter dials any.
	Dialer Dialer
	// Media keeps files; nil where messages keep whatever adapters say of them.
	Media    Media
	Desk     Desk
	Observer Observer
	Setup    *Setup
	Logger   *slog.Logger
	// Redact takes secrets out of what adapters say of what went wrong, before it is
	// kept; nil where there are none.
	Redact func(string) string
	// Fail is called at the crash points; nil in production.
	Fail func(point string)
	// Fatal is called once, in a goroutine of its own, when the journal can no
	// longer be trusted.
	Fatal func(error)
}

// Engine is the running whole. Its methods are safe for concurrent use.
type Engine struct {
	Options
	setup    atomic.Pointer[Setup]
	ctx      context.Context
	cancel   context.CancelFunc
	quit     chan struct{}
	work     sync.WaitGroup
	gates    gates
	links    links
	drained  drained
	started  time.Time
	gaps     gaps
	lanes    lanes
	bindings bindings

	mu      sync.Mutex
	closed  bool
	fatal   bool
	convos  map[string]*convo
	waiters map[string][]chan reply
	wakes   map[string]*time.Timer
	// spoilt counts the times a turn could not be stored, by turn.
	spoilt map[string]int
}

// New makes an engine; Start begins work.
func New(o Options) *Engine {
	e := &Engine{Options: o, convos: map[string]*convo{}, waiters: map[string][]chan reply{}, wakes: map[string]*time.Timer{},
		spoilt: map[string]int{}, quit: make(chan struct{})}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	e.setup.Store(o.Setup)
	if e.Logger == nil {
		e.Logger = slog.New(slog.DiscardHandler)
	}
	if e.Redact == nil {
		e.Redact = func(s string) string { return s }
	}
	return e
}

// Start takes up every conversation the journal says has work left. It returns
// when all are scheduled.
func (e *Engine) Start(ctx context.Context) error {
	e.started = now()
	if err := e.readDrained(ctx); err != nil {
		return err
	}
	waking, err := e.Journal.Waking(ctx)
	if err != nil {
		return fmt.Errorf("find conversations with work left: %w", err)
	}
	for _, w := range waking {
		e.wakeAt(w.Conversation, w.At)
	}
	e.Logger.Info("conversations taken up", "count", len(waking))
	e.work.Add(1)
	go e.sweep()
	return nil
}

// idleAfter is how long a conversation stays in memory with nothing to do.
const idleAfter = 5 * time.Minute

// sweep lets go of idle conversations until the engine closes.
func (e *Engine) sweep() {
	defer e.work.Done()
	tick := time.NewTicker(idleAfter / 5)
	defer tick.Stop()
	for {
		select {
		case <-e.quit:
			return
		case <-tick.C:
		}
		for _, c := range e.loaded() {
			if c.evict(time.Now().Add(-idleAfter)) {
				e.drop(c)
			}
		}
	}
}

// loaded lists the conversations in memory.
func (e *Engine) loaded() []*convo {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Collect(maps.Values(e.convos))
}

// Close stops taking work, lets the turns and calls under way end and be stored
// until ctx ends, and leaves everything else to the journal and the next start.
// Whoever still waits for an answer gets the endpoint's declared failure.
func (e *Engine) Close(ctx context.Context) error {
	e.shut()
	done := make(chan struct{})
	go func() { e.work.Wait(); close(done) }()
	defer e.cancel()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		e.cancel()
		<-done
		return ctx.Err()
	}
}

func (e *Engine) shut() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return
	}
	e.closed = true
	close(e.quit)
	for _, t := range e.wakes {
		t.Stop()
	}
	for _, waiting := range e.waiters {
		give(waiting, reply{declared: true})
	}
	for _, l := range e.links.all() {
		go l.close(websocketGoing)
	}
}

// enter counts a goroutine of the engine's; false when the engine is closed, but
// for one that is started by another.
func (e *Engine) enter(byOther bool) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed && !byOther {
		return false
	}
	e.work.Add(1)
	return true
}

// Configure replaces the setup. Conversations take it up with their next turn.
func (e *Engine) Configure(s *Setup) { e.setup.Store(s) }

// now is the time of a turn: UTC, to the millisecond, as events carry it.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// NewID gives an id that sorts by the time it was made.
func NewID() string { return ulid.Make().String() }

// deriveID gives an id that is the same for the same parts: 128 bits in the
// alphabet of the other ids.
func deriveID(parts ...any) string {
	sum := sha256.Sum256(fmt.Append(nil, parts...))
	return ulid.ULID(sum[:16]).String()
}

// fail calls the crash hook.
func (e *Engine) fail(point string) {
	if e.Fail != nil {
		e.Fail(point)
	}
}

// convo gives the conversation of that id, to be loaded by its worker if it is
// not in memory; nil when it is not and the engine is closed.
func (e *Engine) convo(id string) *convo {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.convos[id]
	if c == nil && !e.closed {
		c = newConvo(e, id)
		e.convos[id] = c
	}
	return c
}

// full reports whether a conversation has no room for more.
func (e *Engine) full(id string) bool {
	e.mu.Lock()
	c := e.convos[id]
	e.mu.Unlock()
	return c != nil && c.full()
}

// post gives a conversation work and starts its worker if none runs.
func (e *Engine) post(id string, w work) error {
	for {
		c := e.convo(id)
		if c == nil {
			return ErrClosed
		}
		if err := c.post(w); !errors.Is(err, errGone) {
			return err
		}
	}
}

// failed notes that a turn could not be stored. The journal's own end is told
// once; a turn that is refused again and again is a dead letter in the end.
func (e *Engine) failed(turn string, err error) {
	e.mu.Lock()
	over := errors.Is(err, journal.ErrClosed) && !e.fatal && !e.closed
	switch {
	case over:
		e.fatal = true
	case errors.Is(err, journal.ErrClosed), errors.Is(err, journal.ErrFenced), errors.Is(err, context.Canceled):
	default:
		e.spoilt[turn]++
	}
	e.mu.Unlock()
	if over && e.Fatal != nil {
		go e.Fatal(err)
	}
}

// stored forgets that a turn could not be stored.
func (e *Engine) stored(turn string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.spoilt, turn)
}

// unstorable reports whether a turn was refused by the journal too often.
func (e *Engine) unstorable(turn string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.spoilt[turn] >= maxStrikes
}

// drop forgets a conversation that has left memory.
func (e *Engine) drop(c *convo) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.convos[c.id] == c {
		delete(e.convos, c.id)
	}
}

// wakeAt gives a conversation a wake at a time; the earlier one is replaced.
func (e *Engine) wakeAt(id string, at time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if t := e.wakes[id]; t != nil {
		t.Stop()
		delete(e.wakes, id)
	}
	if at.IsZero() || e.closed {
		return
	}
	var t *time.Timer
	t = time.AfterFunc(max(time.Until(at), 0), func() {
		_ = e.post(id, work{kind: workWake})
		e.mu.Lock()
		defer e.mu.Unlock()
		if e.wakes[id] == t {
			delete(e.wakes, id)
		}
	})
	e.wakes[id] = t
}

func (e *Engine) observe(c journal.Commit, took time.Duration) {
	if e.Observer != nil {
		e.Observer.Committed(c, took)
	}
}

func (e *Engine) transient(ev event.Event) {
	if e.Observer != nil {
		e.Observer.Transient(ev)
	}
}

// gates makes the turns of an adapter whose process died while several were in
// flight run one at a time, so that the one at fault is found.
type gates struct {
	mu    sync.Mutex
	gates map[string]*sync.RWMutex
}

func (g *gates) gate(adapter string) *sync.RWMutex {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.gates == nil {
		g.gates = map[string]*sync.RWMutex{}
	}
	m := g.gates[adapter]
	if m == nil {
		m = &sync.RWMutex{}
		g.gates[adapter] = m
	}
	return m
}
