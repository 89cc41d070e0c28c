package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// maxStrikes is how often the same turn may fail before it is a dead letter.
const maxStrikes = 3

// stallFor is how long a leg waits before its turn is tried again: twice as long
// each time, and while the plugin is down at most stallMost.
const (
	stallFor  = 100 * time.Millisecond
	stallMost = 5 * time.Second
)

// turnResult says how running a turn went.
type turnResult int

const (
	turnGood    turnResult = iota // the outcome counts
	turnStalled                   // try again later
	turnDead                      // it failed for good
)

// runTurn gives the input to the leg's adapter. Failures are counted by turn id.
func (c *convo) runTurn(ctx context.Context, l *leg, id string, in adapter.Input) (adapter.Outcome, turnResult, string) {
	account, ok := c.e.setup.Load().Accounts[l.Account]
	switch {
	case !ok:
		return adapter.Outcome{}, turnDead, fmt.Sprintf("account %s is no longer configured", l.Account)
	case c.e.unstorable(id):
		return adapter.Outcome{}, turnDead, "what the turn came to cannot be stored"
	}
	start := time.Now()
	out, err := c.call(ctx, account.Adapter, c.turnOf(l, account, id, in), c.suspect[id])
	outcome, reason, counts := "good", "", true
	switch {
	case errors.Is(err, ErrUnavailable):
		return adapter.Outcome{}, c.wait(l, err), ""
	case err != nil:
		// Only a death alone counts: the plugin may have died of another turn.
		outcome, reason, counts = "died", err.Error(), c.suspect[id]
		c.suspect[id] = true
	case out.Err != "":
		outcome, reason = "failed", out.Err
	case out.Unsupported:
		outcome = "unsupported"
	}
	if c.e.Observer != nil {
		_, back := in.(adapter.Reconcile)
		c.e.Observer.Turned(TurnReport{l.Account, account.Adapter, outcome, time.Since(start), back, out.Unknown})
	}
	if reason == "" {
		return out, turnGood, ""
	}
	return adapter.Outcome{}, c.strike(l, id, counts), reason
}

// turnOf is the turn of an input, with everything its adapter may know.
func (c *convo) turnOf(l *leg, account Account, id string, in adapter.Input) adapter.Turn {
	return adapter.Turn{ID: id, Account: accountOf(account), Key: l.doc.Key, Conversation: c.id,
		Now: now(), State: l.doc.State, StateVersion: l.doc.StateVersion,
		Placeholders: c.e.Desk.Placeholders(l.Account, id, slices.Sorted(maps.Keys(l.doc.Tokens))), Input: in}
}

// wait stalls a leg whose plugin is down. Its turn is tried for ever: the
// journal is the buffer.
func (c *convo) wait(l *leg, err error) turnResult {
	if c.downs[l.ID] == 0 {
		c.e.Logger.Warn("turn waits for its adapter", "conversation", c.id, "account", l.Account, "error", err)
	}
	c.stalled[l.ID] = time.Now().Add(min(stallFor<<min(c.downs[l.ID], 10), stallMost))
	c.downs[l.ID]++
	return turnStalled
}

// freed forgets what went wrong with a turn.
func (c *convo) freed(l *leg, id string) {
	delete(c.strikes, id)
	delete(c.suspect, id)
	delete(c.downs, l.ID)
}

// strike counts a failure and says whether the turn is tried again. What the
// adapter said of it may hold people's words: that is for the dead letter.
func (c *convo) strike(l *leg, id string, counts bool) turnResult {
	if counts {
		c.strikes[id]++
	}
	c.e.Logger.Warn("turn failed", "conversation", c.id, "account", l.Account, "turn", id, "strikes", c.strikes[id],
		"mend", "its dead letter will say why, if it fails three times")
	if c.strikes[id] >= maxStrikes {
		return turnDead
	}
	c.stalled[l.ID] = time.Now().Add(stallFor << c.strikes[id])
	return turnStalled
}

// call runs the turn; after a failure alone, so that a death is its own.
func (c *convo) call(ctx context.Context, name string, t adapter.Turn, alone bool) (adapter.Outcome, error) {
	gate := c.e.gates.gate(name)
	if alone {
		gate.Lock()
		defer gate.Unlock()
	} else {
		gate.RLock()
		defer gate.RUnlock()
	}
	return c.e.Turner.Turn(ctx, name, t)
}

func accountOf(a Account) adapter.Account {
	return adapter.Account{Name: a.Name, Role: a.Role, Settings: a.Settings,
		Credentials: a.Credentials, PublicURL: a.PublicURL}
}

// turn is one input for a leg. The ids of what it brings derive from its own.
type turn struct {
	id string
	in adapter.Input
	// frame is the stored frame the turn ends, if it is one.
	frame string
	// replay says the input was dealt with before, and closes nothing now.
	replay bool
}

// take runs one input's whole turn: adapter, effects, commit. It reports whether
// the turn is over; if not, the leg is stalled and the turn is tried again.
func (c *convo) take(ctx context.Context, l *leg, t turn) (bool, error) {
	out, result, reason := c.runTurn(ctx, l, t.id, t.in)
	b := c.begin(t.id)
	b.caused(l, c.causeOf(l, t))
	if result == turnGood {
		if why, err := b.mayStore(l, out); err != nil {
			return false, err
		} else if why != "" {
			result, reason = c.strike(l, t.id, true), why
		}
	}
	if result == turnStalled {
		return false, nil
	}
	c.freed(l, t.id)
	if t.frame != "" {
		b.commit.Ended = map[string]string{t.frame: journal.FrameDone}
	}
	c.touch(l)
	l.hears(t.in, b.at)
	serves := !t.replay && c.finishInput(l, t.in)
	if result == turnDead {
		b.dead(l, t.in, t.frame, reason)
	} else {
		b.apply(l, t.in, out, serves)
	}
	if err := b.settle(l, serves, result == turnDead); err != nil {
		return true, err
	}
	b.then(func() { c.bound(l, t.in) })
	b.hangUp(l)
	if _, isResult := t.in.(adapter.Result); isResult {
		c.e.fail(PointBeforeResult)
	}
	return true, b.finish(ctx)
}

// The size of a leg's state, in bytes: from where it is remarked on, and where it
// is refused.
const (
	largeState = 16 << 10
	mostState  = 64 << 10
)

// mayStore gives why a turn cannot be stored: its state is too large, or a key it
// binds is another's.
func (b *batch) mayStore(l *leg, out adapter.Outcome) (string, error) {
	if len(out.State) > mostState {
		return fmt.Sprintf("its state has %d bytes; at most %d are kept", len(out.State), mostState), nil
	}
	if len(out.State) > largeState && len(l.doc.State) <= largeState {
		b.c.e.Logger.Warn("state of a leg is large", "conversation", b.c.id, "account", l.Account, "bytes", len(out.State),
			"mend", "the adapter should keep less between turns")
	}
	return b.mayBind(l, out)
}

// mayBind looks whether the keys a turn binds are free, and from which legs of
// ended conversations they are taken over; it gives why one is not.
func (b *batch) mayBind(l *leg, out adapter.Outcome) (string, error) {
	for _, effect := range out.Effects {
		x, ok := effect.(adapter.Binding)
		if !ok {
			continue
		}
		found, err := b.c.e.Journal.FindLeg(b.ctx, l.Account, x.Key)
		switch {
		case errors.Is(err, journal.ErrNotFound):
			continue
		case err != nil:
			return "", fmt.Errorf("find the leg of a key: %w", err)
		case found.ID == fullID(b.c.id, l.ID):
			continue
		case !b.left(b.ctx, found):
			return "the key it binds belongs to another conversation", nil
		}
		if b.froms == nil {
			b.froms = map[string]string{}
		}
		b.froms[x.Key] = found.ID
	}
	return "", nil
}

// left reports whether a leg has nothing more to say: it has left this
// conversation, or its own is over.
func (b *batch) left(ctx context.Context, l journal.Leg) bool {
	if l.Conversation == b.c.id {
		own := b.c.legs[shortID(l.ID)]
		return own != nil && own.Detached
	}
	return b.c.e.hasEnded(ctx, l.Conversation)
}

// touch counts the turn and lets a postponed delivery be offered again.
func (c *convo) touch(l *leg) {
	l.dirty = true
	l.doc.Turns++
	if d := l.doc.Delivery; d != nil && d.Postponed {
		d.Postponed, d.Offered, d.Failure = false, false, ""
		d.Attempt++
	}
}

// finishInput takes away what the input closes, and says whether the turn serves
// the leg's delivery.
func (c *convo) finishInput(l *leg, in adapter.Input) bool {
	switch in := in.(type) {
	case adapter.Deliver:
		l.doc.Delivery.Offered = true
		return true
	case adapter.Result:
		k := l.doc.Calls[in.Tag]
		delete(l.doc.Calls, in.Tag)
		if d := l.doc.Delivery; d != nil && k != nil && k.Serves {
			d.Unsure = d.Unsure || in.Reason == adapter.ReasonUnknown || in.Reason == "" && in.Status >= 500
		}
		return k != nil && k.Serves
	case adapter.Opened:
		return l.opened(in)
	case adapter.Closed:
		k := l.doc.Conns[in.Conn]
		delete(l.doc.Conns, in.Conn)
		return k != nil && k.Serves
	case adapter.Sent:
		return l.written(in)
	case adapter.Fired:
		delete(l.doc.Timers, in.Timer)
	case adapter.Expired:
		delete(l.doc.Held, in.Request)
	}
	return false
}
