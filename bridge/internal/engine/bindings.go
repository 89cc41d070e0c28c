package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// waitForKey is how long a request at an endpoint that waits for its key is kept: less
// than the three seconds the strictest vendors give.
const waitForKey = 2500 * time.Millisecond

// bindings are the calls and dials under way whose result will bind a key, by account.
type bindings struct {
	mu   sync.Mutex
	open map[string]map[string]time.Time // by account and by what is under way; until when
	done chan struct{}                   // closed when one ends
}

// begin notes something under way; noting it again changes nothing.
func (b *bindings) begin(account, what string, until time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open == nil {
		b.open = map[string]map[string]time.Time{}
	}
	if b.open[account] == nil {
		b.open[account] = map[string]time.Time{}
	}
	b.open[account][what] = until
}

// end notes that it is over, and wakes who waits.
func (b *bindings) end(account, what string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.open[account], what)
	if b.done != nil {
		close(b.done)
		b.done = nil
	}
}

// next gives a channel that is closed when something ends, or nil where nothing of
// the account is under way. What is long over, and was never told so, does not count.
func (b *bindings) next(account string, at time.Time) <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	for what, until := range b.open[account] {
		if at.After(until) {
			delete(b.open[account], what)
		}
	}
	if len(b.open[account]) == 0 {
		return nil
	}
	if b.done == nil {
		b.done = make(chan struct{})
	}
	return b.done
}

// binds notes that a call or dial of a leg will bind a key, until it is over.
func (c *convo) binds(l *leg, what string, until time.Time) {
	c.e.bindings.begin(l.Account, fullID(c.id, l.ID)+"/"+what, until)
}

// bound notes that it is over. The key is in the journal by then.
func (c *convo) bound(l *leg, in adapter.Input) {
	what := ""
	switch in := in.(type) {
	case adapter.Result:
		what = in.Tag
	case adapter.Closed:
		what = in.Conn
	case adapter.Opened:
		what = in.Conn
	default:
		return
	}
	c.e.bindings.end(l.Account, fullID(c.id, l.ID)+"/"+what)
}

// acceptWaiting deals with a key nobody has at an endpoint that waits: somebody may be
// about to bind it. ErrBusy says that the wait was too long; ErrUnknownKey that there
// is nothing to wait for.
func (e *Engine) acceptWaiting(ctx context.Context, a Arrival) (Receipt, error) {
	ctx, cancel := context.WithTimeout(ctx, waitForKey)
	defer cancel()
	for {
		over := e.bindings.next(a.Account, now())
		found, err := e.Journal.FindLeg(ctx, a.Account, a.Key)
		switch {
		case err == nil:
			return e.acceptKnown(ctx, a, found)
		case !errors.Is(err, journal.ErrNotFound) && ctx.Err() == nil:
			return Receipt{}, fmt.Errorf("find the leg of a request: %w", err)
		}
		fresh := e.freshFor()
		if over == nil && fresh <= 0 {
			return Receipt{}, ErrUnknownKey
		}
		if fresh <= 0 {
			fresh = waitForKey
		}
		select {
		case <-over:
		case <-time.After(fresh):
		case <-ctx.Done():
			return Receipt{}, ErrBusy
		case <-e.quit:
			return Receipt{}, ErrClosed
		}
	}
}

// freshFor is how long conversations may still be being taken up after a start, so that
// it is not known yet what is under way; 0 or less once they are.
func (e *Engine) freshFor() time.Duration { return waitForKey - now().Sub(e.started) }
