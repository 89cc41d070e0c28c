package engine

import (
	"context"
	"maps"
	"slices"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

// maxTransient is how much of a conversation may wait before transient events are
// dropped.
const maxTransient = 16

// glimpse gives a transient event to the legs it is for whose far side shows such
// things. Nothing of it is stored, and it is the first to be dropped.
func (b *batch) glimpse(e event.Event, to []string) {
	for _, id := range to {
		l := b.c.legs[id]
		if l == nil || l.Detached || !b.c.e.setup.Load().Accounts[l.Account].shows(e.Kind()) {
			continue
		}
		b.then(func() {
			if len(b.c.queue) < maxTransient {
				b.c.queue = append(b.c.queue, work{kind: workGlimpse, leg: id, glimpse: &e})
			}
		})
	}
}

// shows reports whether the account's far side shows a transient kind. One that
// cannot be reached whenever there is something has no use for it.
func (a Account) shows(k event.Kind) bool {
	level := a.Profile.Levels.Typing
	if k == event.KindMessagePartial {
		level = a.Profile.Levels.Partials
	}
	return !a.Native() && a.Profile.Levels.Push != adapter.PushNone && (level == adapter.Full || level == adapter.Partial)
}

// onGlimpse gives an adapter a transient event. Its turn may send and call once,
// and leaves no trace: what it makes of its state is forgotten. Words that are
// still to be delivered go first, so that nothing overtakes them.
func (c *convo) onGlimpse(ctx context.Context, w work) error {
	l := c.legs[w.leg]
	if l == nil || l.Detached || l.doc.Delivery != nil || len(l.doc.Queue) > 0 {
		return nil
	}
	account, ok := c.e.setup.Load().Accounts[l.Account]
	if !ok {
		return nil
	}
	id := "glimpse/" + w.glimpse.ID + "/" + l.ID
	out, err := c.call(ctx, account.Adapter, c.turnOf(l, account, id, adapter.Deliver{Event: *w.glimpse}), false)
	if err != nil || out.Err != "" {
		return nil //nolint:nilerr // at most once: nobody waits for it
	}
	leg, tokens := fullID(c.id, l.ID), maps.Clone(l.doc.Tokens)
	for _, effect := range out.Effects {
		switch x := effect.(type) {
		case adapter.Sending:
			c.e.write(leg, x.Conn, outgoing{m: Message{Turn: id, Tokens: tokens, Data: slices.Clone(x.Data), Binary: x.Binary}})
		case adapter.Calling:
			c.e.callOnce(l.Account, id, tokens, x.Call)
		}
	}
	return nil
}

// callOnce makes a call nobody waits for.
func (e *Engine) callOnce(account, turn string, tokens map[string]string, call adapter.Call) {
	if !e.enter(false) {
		return
	}
	go func() {
		defer e.work.Done()
		ctx, cancel := context.WithTimeout(e.ctx, writeWithin)
		defer cancel()
		e.Caller.Call(ctx, account, turn, tokens, call)
	}()
}
