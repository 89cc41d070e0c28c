package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// maxStrikes is how often the same turn may fail before it is a dead letter.
const maxStrikes = 3

// stallFor is how long a leg waits before its turn is tried again.
const stallFor = 100 * time.Millisecond

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
	if !ok {
		return adapter.Outcome{}, turnDead, fmt.Sprintf("account %s is no longer configured", l.Account)
	}
	start := time.Now()
	out, err := c.call(ctx, account.Adapter, adapter.Turn{
		ID: id, Account: accountOf(account), Key: l.doc.Key, Conversation: c.id,
		Now: now(), State: l.doc.State, StateVersion: l.doc.StateVersion,
		Placeholders: c.e.Desk.Placeholders(l.Account, id), Input: in,
	}, c.strikes[id] > 0)
	switch {
	case err != nil:
		c.e.turned(account.Adapter, "died", start)
		return c.strike(l, id, err.Error(), errors.Is(err, ErrUnavailable))
	case out.Err != "":
		c.e.turned(account.Adapter, "failed", start)
		return c.strike(l, id, out.Err, false)
	case out.Unsupported:
		c.e.turned(account.Adapter, "unsupported", start)
	default:
		c.e.turned(account.Adapter, "good", start)
	}
	delete(c.strikes, id)
	return out, turnGood, ""
}

// strike counts a failure and says whether the turn is tried again. A turn that
// did not begin is tried for ever: the journal is the buffer.
func (c *convo) strike(l *leg, id, reason string, unavailable bool) (adapter.Outcome, turnResult, string) {
	if !unavailable {
		c.strikes[id]++
	}
	c.e.Logger.Warn("turn failed", "conversation", c.id, "account", l.Account, "turn", id, "strikes", c.strikes[id], "reason", reason)
	if c.strikes[id] >= maxStrikes {
		delete(c.strikes, id)
		return adapter.Outcome{}, turnDead, reason
	}
	c.stalled[l.ID] = time.Now().Add(stallFor << c.strikes[id])
	return adapter.Outcome{}, turnStalled, reason
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

func (e *Engine) turned(adapter, outcome string, start time.Time) {
	if e.Observer != nil {
		e.Observer.Turned(adapter, outcome, time.Since(start))
	}
}

func accountOf(a Account) adapter.Account {
	return adapter.Account{Name: a.Name, Role: a.Role, Settings: a.Settings,
		Credentials: a.Credentials, PublicURL: a.PublicURL}
}

// take runs one input's whole turn: adapter, effects, commit. settle is called
// on the batch when the turn is good, dead when it failed for good.
func (c *convo) take(ctx context.Context, l *leg, id string, in adapter.Input, ended string) (bool, error) {
	out, result, reason := c.runTurn(ctx, l, id, in)
	if result == turnStalled {
		return false, nil
	}
	b := c.begin(id)
	if ended != "" {
		b.commit.Ended = map[string]string{ended: journal.FrameDone}
	}
	c.touch(l)
	serves := c.finishInput(l, in)
	if result == turnDead {
		b.dead(l, in, ended, reason)
	} else {
		b.apply(l, in, out, serves)
	}
	if err := b.settle(l, serves, result == turnDead); err != nil {
		return true, err
	}
	if _, isResult := in.(adapter.Result); isResult {
		c.e.fail(PointBeforeResult)
	}
	return true, b.finish(ctx)
}

// touch counts the turn and lets a postponed delivery be offered again.
func (c *convo) touch(l *leg) {
	l.dirty = true
	l.doc.Turns++
	if d := l.doc.Delivery; d != nil && d.Postponed {
		d.Postponed, d.Offered = false, false
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
		delete(c.flying, flight(l.ID, in.Tag))
		return k != nil && k.Serves
	case adapter.Fired:
		delete(l.doc.Timers, in.Timer)
	case adapter.Expired:
		delete(l.doc.Held, in.Request)
	}
	return false
}
