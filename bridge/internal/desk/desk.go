// Package desk keeps the people and the queues of the built-in live-agent desk:
// who is there, who waits, in which order, and who is asked next.
//
// It holds no words and writes nothing by itself. What it knows of conversations
// it learns from the engine's commits; what it wants done it asks for as
// commands, which the conversation may refuse.
package desk

import (
	"log/slog"
	"sync"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/config"
)

// Rules are what an operator configures. They are not changed after they are
// given to a Desk.
type Rules struct {
	// Queues are the waiting lines by name. A queue without an entry is always
	// open, has no limit and is pulled from.
	Queues map[string]config.Queue
	// Hours are the opening hours queues refer to.
	Hours map[string]config.Hours
	// Lost is how long an agent with neither socket nor request is kept; 60 s if
	// it is zero.
	Lost time.Duration
	// Native names the live-agent accounts whose people are at this desk.
	Native map[string]bool
}

// lostAfter is Rules.Lost where it is not set.
const lostAfter = time.Minute

func (r Rules) lost() time.Duration {
	if r.Lost > 0 {
		return r.Lost
	}
	return lostAfter
}

// Desk is the live state of the desk. Its methods are safe for concurrent use and
// never wait for anything but each other.
type Desk struct {
	log     *slog.Logger
	started time.Time
	wake    chan struct{}

	mu     sync.Mutex
	rules  Rules
	agents map[string]*agent
	line   map[string]*waiting
	held   map[string]*holding
}

// New makes a desk where nobody is yet. Agents count as gone from this moment at
// the earliest. A nil logger is silent.
func New(r Rules, log *slog.Logger) *Desk {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Desk{log: log, started: time.Now(), wake: make(chan struct{}, 1), rules: r,
		agents: map[string]*agent{}, line: map[string]*waiting{}, held: map[string]*holding{}}
}

// Configure replaces the rules. Who waits stays in line.
func (d *Desk) Configure(r Rules) {
	d.mu.Lock()
	d.rules = r
	d.mu.Unlock()
	d.stir()
}

// stir has Run look again without waiting for its tick.
func (d *Desk) stir() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// Refusal is why the queue takes no further hand-off now, one of the
// event.Failed constants; "" means it does.
func (d *Desk) Refusal(queue string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.refusal(queue, len(d.waitingIn(queue)), time.Now())
}

func (d *Desk) refusal(queue string, waiting int, now time.Time) string {
	q, ok := d.rules.Queues[queue]
	switch {
	case !ok:
		return ""
	case !d.open(q, now):
		return event.FailedOutOfHours
	case q.MaxWaiting > 0 && waiting >= q.MaxWaiting:
		return event.FailedQueueFull
	case q.WhenNoAgent == whenFail && !d.anyone(queue, now):
		return event.FailedNoAgents
	}
	return ""
}

// The words of config.Queue.
const (
	whenFail   = "fail"
	assignPush = "push"
)

// open tells whether the queue's hours are open; a queue without hours always is.
func (d *Desk) open(q config.Queue, now time.Time) bool {
	hours, ok := d.rules.Hours[q.Hours]
	if !ok {
		return q.Hours == ""
	}
	open, _ := hours.Open(now)
	return open
}

// anyone tells whether somebody who serves the queue is available.
func (d *Desk) anyone(queue string, now time.Time) bool {
	for _, a := range d.agents {
		if a.serves(queue, nil) && a.state(now, d.rules.lost()) == Available {
			return true
		}
	}
	return false
}
