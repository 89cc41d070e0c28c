// Package breaker stops calls to a far side that is down, so that it can recover and so that routes can pass it over:
// one circuit breaker for each plugin process and for each account's endpoint host.
//
// It stands over sony/gobreaker and closes that library's gaps: every call has a deadline inside the breaker, a hung,
// panicking or exiting call gives its probe slot back, the open time is jittered and grows, and no callback runs under
// a lock. The package is the only user of that library.
package breaker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"
)

// ErrOpen is returned by Do when the call was not made: the breaker is open, or half-open with its one probe under way.
var ErrOpen = errors.New("breaker is open")

// What the library is told about a call that did not succeed.
var (
	errFailure = errors.New("failure")
	errNeutral = errors.New("neutral")
)

// State is where a breaker stands. The text is the one that pages and metrics show.
type State string

// The states of a breaker: Closed lets calls through, Open refuses them all, HalfOpen lets one through as a probe.
const (
	Closed   State = "closed"
	Open     State = "open"
	HalfOpen State = "half_open"
)

// states gives our word for each of the library's states, by its number.
//
//nolint:gochecknoglobals // a table that is never written.
var states = [...]State{gobreaker.StateClosed: Closed, gobreaker.StateHalfOpen: HalfOpen, gobreaker.StateOpen: Open}

// Outcome is what a call says about the health of the far side. The zero value is no outcome and counts as a Failure.
type Outcome int

// The outcomes. Success also covers what a healthy far side refuses: 4xx, 429, a refusal by the adapter. Failure is a
// death, a timeout, a transport error or a 5xx. Neutral counts for nothing: the caller itself gave up.
const (
	Success Outcome = iota + 1
	Failure
	Neutral
)

// verdicts is what the library is told for each outcome; what is not listed is a failure.
//
//nolint:gochecknoglobals // a table that is never written.
var verdicts = [...]error{0: errFailure, Success: nil, Failure: errFailure, Neutral: errNeutral}

type gate = gobreaker.TwoStepCircuitBreaker[struct{}]

// Breaker guards the calls to one far side. Get makes it; all methods may be called from many goroutines.
type Breaker struct {
	name string
	set  *Set

	mu    sync.Mutex
	gate  *gate
	last  State       // as last told to onChange
	trips uint        // since the last success: the open time grows with it
	since time.Time   // of the last change; zero: none yet
	until time.Time   // end of the open time; zero while it is not open
	why   string      // the last failure, in its caller's words
	probe time.Time   // when the probe now under way began; zero: none
	alarm *time.Timer // wakes the breaker at the end of the open time, or when a probe is overdue
}

// pass is the leave to make one call, given back to the gate that gave it.
type pass struct {
	gate *gate
	done func(error)
}

func newBreaker(name string, set *Set) *Breaker {
	b := &Breaker{name: name, set: set, last: Closed}
	b.gate = b.newGate(time.Hour, func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= set.opts.Failures })
	return b
}

// State tells where the breaker stands now. A breaker whose open time is over is HalfOpen, called or not.
func (b *Breaker) State() State {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.observe()
	return b.last
}

// View is where a breaker stands, for people.
type View struct {
	State State
	// Since is the time of the last change; zero where there was none.
	Since time.Time
	// Next is when an open breaker lets a probe through.
	Next time.Time
	// Why is the last failure in its caller's words; "" where there was none.
	Why string
}

// View tells where the breaker stands now, and why.
func (b *Breaker) View() View {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.observe()
	return View{State: b.last, Since: b.since, Next: b.until, Why: b.why}
}

// Blame notes what a failure was, for people: a few words without secrets or
// anybody's own.
func (b *Breaker) Blame(why string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.why = why
}

// Do makes the call if the breaker lets it, and counts its outcome. The call gets a context that ends with ctx or after
// the set's Deadline, runs in its own goroutine, and must return soon after that context has ended.
//
// A nil error means that the call has returned, whatever its outcome; results are handed over in variables it shares
// with the caller. With any other error those variables must not be read, since an abandoned call may still be running:
// ErrOpen (not called), context.Canceled (ctx was cancelled; counts for nothing), context.DeadlineExceeded (the call did
// not return in time; a failure), ErrExited or *PanicError (failures). A call that ran out of time cannot be neutral, and
// a call whose caller cancelled cannot be a failure.
func (b *Breaker) Do(ctx context.Context, call func(context.Context) Outcome) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("call %s: %w", b.name, err)
	}
	p, ok := b.enter()
	if !ok {
		return fmt.Errorf("call %s: %w", b.name, ErrOpen)
	}
	outcome, err := run(ctx, b.set.opts.Deadline, call)
	b.leave(p, outcome)
	if err != nil {
		return fmt.Errorf("call %s: %w", b.name, err)
	}
	return nil
}

func (b *Breaker) enter() (pass, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.observe()
	done, err := b.gate.Allow()
	if err != nil {
		return pass{}, false
	}
	if b.last == HalfOpen {
		b.probe = time.Now()
		b.wake(b.set.opts.overdue())
	}
	return pass{b.gate, done}, true
}

// leave counts the outcome, unless the gate was replaced since: then the call belongs to an older time.
func (b *Breaker) leave(p pass, o Outcome) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p.gate != b.gate {
		return
	}
	verdict := errFailure
	if o > 0 && int(o) < len(verdicts) {
		verdict = verdicts[o]
	}
	if b.last == HalfOpen {
		b.probe = time.Time{}
	}
	if verdict == nil {
		b.trips = 0
	}
	p.done(verdict)
	b.observe()
}

// observe takes over a change of state, and opens a breaker whose probe has been away for too long.
func (b *Breaker) observe() {
	now := states[b.gate.State()]
	if now == HalfOpen && !b.probe.IsZero() && time.Since(b.probe) >= b.set.opts.overdue() {
		b.set.replaced.Add(1)
		now = Open
	}
	if now == b.last {
		return
	}
	from := b.last
	b.last, b.since, b.until = now, time.Now(), time.Time{}
	b.probe = time.Time{}
	b.stop()
	if now == Open {
		b.reopen()
	}
	b.set.tell(change{b.name, from, now})
}

// reopen puts an open gate in place whose open time is the next one. The library fixes that time when a gate is made,
// so growth and jitter need a new gate for each trip.
func (b *Breaker) reopen() {
	open := b.set.opts.openFor(b.trips, b.set.random())
	b.trips++
	forced := true
	b.gate = b.newGate(open, func(c gobreaker.Counts) bool {
		return forced || c.ConsecutiveFailures >= b.set.opts.Failures
	})
	if done, err := b.gate.Allow(); err == nil {
		done(errFailure)
	}
	forced = false
	b.until = b.since.Add(open)
	b.wake(open)
}

func (b *Breaker) newGate(open time.Duration, trip func(gobreaker.Counts) bool) *gate {
	window, bucket := b.set.opts.window()
	return gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		Name:         b.name,
		MaxRequests:  1,
		Interval:     window,
		BucketPeriod: bucket,
		Timeout:      open,
		ReadyToTrip:  trip,
		IsSuccessful: func(err error) bool { return err == nil },
		IsExcluded:   func(err error) bool { return err == errNeutral },
	})
}

// wake looks at the breaker again just after d, so that a change is told though nobody calls.
func (b *Breaker) wake(d time.Duration) {
	b.stop()
	if !b.set.closed() {
		b.alarm = time.AfterFunc(d+time.Nanosecond, func() { b.State() })
	}
}

func (b *Breaker) stop() {
	if b.alarm != nil {
		b.alarm.Stop()
	}
}
