package engine

import (
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/conversation"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// defaultGiveUp bounds the tries of a call that names no bound.
const defaultGiveUp = 10 * time.Minute

// soonest is the shortest time a timer runs: an adapter that sets one anew each
// time must not keep the bridge busy with nothing else.
const soonest = 10 * time.Millisecond

// apply puts a good turn's state and effects into the batch.
func (b *batch) apply(l *leg, in adapter.Input, out adapter.Outcome, serves bool) {
	l.doc.State, l.doc.StateVersion = out.State, out.StateVersion
	b.opened = ownTurn(in)
	b.mayAnswer(in)
	b.mint(l, out)
	for _, effect := range out.Effects {
		b.effect(l, effect, serves)
	}
	switch in := in.(type) {
	case adapter.Request:
		b.requireAnswer(l, in)
	case adapter.Deliver:
		if in.Event.Kind() == event.KindCommandIssued && len(out.Effects) == 0 {
			b.unheeded(in.Event.ID) // an adapter says that it does not take a command by doing nothing
		}
	}
}

func (b *batch) effect(l *leg, effect adapter.Effect, serves bool) {
	b.leaves(effect)
	switch x := effect.(type) {
	case adapter.Emission:
		b.emit(l, x)
	case adapter.Answer:
		b.answer(l, x)
	case adapter.Holding:
		b.hold(l, x.Request)
	case adapter.Calling:
		b.start(l, x, serves)
	case adapter.Dialing:
		b.dial(l, x, serves)
	case adapter.Sending:
		b.send(l, x, serves)
	case adapter.Closing:
		leg := fullID(b.c.id, l.ID)
		b.then(func() { b.c.e.hangUp(leg, x.Conn, x.Code) })
	case adapter.Timer:
		if l.doc.Timers == nil {
			l.doc.Timers = map[string]time.Time{}
		}
		l.doc.Timers[x.Name] = b.at.Add(max(x.After, soonest))
	case adapter.TimerStop:
		delete(l.doc.Timers, x.Name)
	case adapter.Binding:
		l.doc.Key = x.Key
		b.commit.Keys = append(b.commit.Keys, journal.Key{Account: l.Account, Key: x.Key, Leg: fullID(b.c.id, l.ID), From: b.froms[x.Key]})
	case adapter.Learned:
		b.know(l, x)
	case adapter.Postponed:
		if d := l.doc.Delivery; d != nil && serves {
			d.Postponed = true
			b.offerAgain(d)
		}
	case adapter.Failure:
		if d := l.doc.Delivery; d != nil && serves {
			d.Failure = x.Reason
		}
	}
}

// ownTurn reports whether an input is the last a delivery hears of its connection:
// it stands, or it went with a restart.
func ownTurn(in adapter.Input) bool {
	if c, ok := in.(adapter.Closed); ok {
		return c.Reason == adapter.ClosedLost
	}
	_, opened := in.(adapter.Opened)
	return opened
}

// offerAgain offers a delivery again at once where the turn that puts it off is
// that of its connection: there is no other to wait for.
func (b *batch) offerAgain(d *delivery) {
	if b.opened {
		d.Postponed, d.Offered, d.Failure = false, false, ""
		d.Attempt++
	}
}

// know ties an event we sent to the vendor's id of it: receipts find it, and it
// does not come back as new.
func (b *batch) know(l *leg, x adapter.Learned) {
	e, err := b.c.e.Journal.Event(b.ctx, x.Event)
	if err != nil || e.Conversation != b.c.id {
		return
	}
	b.learn(l, "", x.Ref, x.Event)
	b.learn(l, e.Kind(), x.Ref, x.Event)
}

func (b *batch) learn(l *leg, kind event.Kind, ref, eventID string) {
	if ref == "" || b.ref(l, kind, ref) != "" {
		return
	}
	b.commit.Refs = append(b.commit.Refs, journal.Ref{Leg: fullID(b.c.id, l.ID), Kind: kind, Ref: ref, Event: eventID})
}

// emit gives an adapter's emission to the machine, unless it is one we have
// already or our own coming back.
func (b *batch) emit(l *leg, x adapter.Emission) {
	if x.Body == nil {
		return
	}
	kind := x.Body.Kind()
	if x.Echo != "" && b.known(x.Echo) != 0 {
		b.know(l, adapter.Learned{Event: x.Echo, Ref: x.Ref})
		return
	}
	if x.Ref != "" && b.ref(l, kind, x.Ref) != "" {
		b.gathered(l.ID, x.Body)
		return
	}
	body := b.resolve(l, x.Body)
	if body == nil {
		return
	}
	body = l.choose(x.Actor.Role, body)
	in := conversation.Input{Leg: l.ID, Actor: x.Actor, Body: body}
	first, refused := b.decide(in, origin{ref: x.Ref, vendor: x.Vendor})
	if refused != "" {
		b.tellRefused(l, first, refused)
	}
	if first.Seq != 0 {
		b.learn(l, kind, x.Ref, first.ID)
	}
}

// resolve turns the vendor's id in a receipt into the event's; nil when the
// receipt is of nothing we know.
func (b *batch) resolve(l *leg, body event.Body) event.Body {
	find := func(ref string) string {
		if b.known(ref) != 0 {
			return ref
		}
		return b.ref(l, "", ref)
	}
	switch r := body.(type) {
	case event.MessageDelivered:
		if r.Message = find(r.Message); r.Message != "" {
			return r
		}
		return nil
	case event.MessageRead:
		if r.Message = find(r.Message); r.Message != "" {
			return r
		}
		return nil
	case event.MessageFailed:
		if r.Message = find(r.Message); r.Message != "" {
			return r
		}
		return nil
	}
	return body
}

// start puts a call on the leg's list; its first try is counted in this very
// commit, so that no byte leaves before it is journaled.
func (b *batch) start(l *leg, x adapter.Calling, serves bool) {
	if l.doc.Calls == nil {
		l.doc.Calls = map[string]*call{}
	}
	if _, open := l.doc.Calls[x.Tag]; open {
		b.c.e.Logger.Warn("call dropped: its tag is in use", "conversation", b.c.id, "account", l.Account)
		return
	}
	giveUp := x.Call.GiveUp
	if giveUp <= 0 {
		giveUp = defaultGiveUp
	}
	if x.Call.Repeat == "" {
		x.Call.Repeat = adapter.RepeatMarked
	}
	if x.Call.Repeat == adapter.RepeatMarked && b.c.e.setup.Load().Accounts[l.Account].FailUnknown {
		x.Call.Repeat = adapter.RepeatNever
	}
	if x.Call.Repeat == adapter.RepeatReadback && x.Call.Readback == nil {
		x.Call.Repeat = adapter.RepeatNever // there is nowhere to look
	}
	k := &call{Call: x.Call, Turn: b.id, Serves: serves, GiveUp: b.at.Add(giveUp), Attempts: 1, Of: l.doc.Settled}
	if d := l.doc.Delivery; d != nil {
		k.Of = d.Seq
		d.MaybeDuplicate = d.MaybeDuplicate || serves && d.Unsure
	}
	l.doc.Calls[x.Tag] = k
	if x.Call.Binds {
		b.c.binds(l, x.Tag, k.GiveUp)
	}
	if at := b.c.inLane(l, k, b.at); at.After(b.at) {
		k.Attempts, k.Unsent, k.resting = 0, true, true
		b.then(func() { b.c.after(time.Until(at), work{kind: workRetry, leg: l.ID, tag: x.Tag, call: k}) })
		return
	}
	b.then(func() { b.c.try(l, x.Tag, k) })
}
