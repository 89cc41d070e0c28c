package engine

import (
	"context"
	"fmt"
	"hash/fnv"
	"sync"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
)

const (
	// overlap is how far before the last word of a vendor its leg reads back.
	overlap = 2 * time.Minute
	// spread is the time over which the legs of an account read back after the same
	// event: a vendor that has just come back is not asked by all at once.
	spread = 5 * time.Second
	// nextGap is how soon after one gap of an account another can end.
	nextGap = 30 * time.Second
)

// readBackAt is when a leg next reads back what its vendor may have told us unheard:
// after the account's interval, and soon after a start of the bridge or the end of a
// time in which the vendor could not be reached. It is zero for a leg that does not.
func (c *convo) readBackAt(l *leg) time.Time {
	every := c.e.setup.Load().Accounts[l.Account].Reconcile
	if every <= 0 || l.Detached || l.doc.Turns == 0 {
		return time.Time{}
	}
	last := later(l.doc.Reconciled, c.created)
	at := last.Add(every)
	for _, gap := range []time.Time{c.e.started, c.e.gaps.last(l.Account)} {
		if soon := gap.Add(c.share(l)); last.Before(gap) && soon.Before(at) {
			at = soon
		}
	}
	return at
}

// share is a leg's own part of the spread.
func (c *convo) share(l *leg) time.Duration {
	h := fnv.New32a()
	_, _ = h.Write([]byte(fullID(c.id, l.ID)))
	return time.Duration(h.Sum32()) % spread
}

// readsBack reports whether a leg reads back: it is to do so soon after a start.
func (c *convo) readsBack() bool {
	for _, l := range c.legs {
		if !c.readBackAt(l).IsZero() {
			return true
		}
	}
	return false
}

// readBack gives a leg's adapter the time since which its vendor may not have been
// heard.
func (c *convo) readBack(ctx context.Context, l *leg) error {
	since := later(l.doc.Heard, c.created).Add(-overlap)
	_, err := c.take(ctx, l, turn{id: fmt.Sprintf("%s/%s/%d", causeReconcile, fullID(c.id, l.ID), l.doc.Turns), in: adapter.Reconcile{Since: since}})
	return err
}

// hears notes what an input says of when the vendor was heard.
func (l *leg) hears(in adapter.Input, at time.Time) {
	switch in.(type) {
	case adapter.Request, adapter.Frame, adapter.Opened:
		l.doc.Heard = at
	case adapter.Reconcile:
		l.doc.Reconciled = at
	}
}

// gaps remembers when accounts came within reach again.
type gaps struct {
	mu    sync.Mutex
	ended map[string]time.Time
}

// last is when an account last came within reach again; zero where it never was away.
func (g *gaps) last(account string) time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.ended[account]
}

// end notes that an account is within reach again; false when that was noted just
// now.
func (g *gaps) end(account string, at time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if at.Sub(g.ended[account]) < nextGap {
		return false
	}
	if g.ended == nil {
		g.ended = map[string]time.Time{}
	}
	g.ended[account] = at
	return true
}

// Reached has the legs of an account read back: a call to it went through that had
// not before, or what it speaks on stands again, so it may have spoken to us meanwhile
// just as much in vain.
func (e *Engine) Reached(account string) {
	if e.setup.Load().Accounts[account].Reconcile <= 0 || !e.gaps.end(account, now()) {
		return
	}
	for _, c := range e.loaded() {
		_ = e.post(c.id, work{kind: workWake})
	}
}
