package engine

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/conversation"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// origin is what an event keeps of the input it was.
type origin struct {
	ref    string
	vendor map[string]json.RawMessage
}

// keptRecent bounds the events a loaded conversation keeps at hand.
const keptRecent = 256

// decide gives one input to the machine and records what follows. It returns the
// event the input became, and why it was refused if it was.
func (b *batch) decide(in conversation.Input, from origin) (event.Event, string) {
	c := b.c
	if event.Transient(in.Body) {
		return b.passOn(in), ""
	}
	b.reroute(in)
	step := conversation.Decide(c.doc.Machine, in, b.facts(in))
	if step.Refused != "" {
		return b.recordRefused(in, from, step.Refused), step.Refused
	}
	if step.State.Phase == conversation.Ended && len(c.doc.Streams) > 0 {
		b.closeStreams()
		step = conversation.Decide(c.doc.Machine, in, b.facts(in))
	}
	c.doc.Machine = step.State
	for _, l := range step.Open {
		b.open(l)
	}
	first, told, absent := b.recordStep(step.Drafts, from)
	for _, r := range step.Resume {
		b.resume(r)
	}
	for _, l := range c.doc.Machine.Legs {
		if known := c.legs[l.ID]; known != nil {
			known.Leg = l
		}
	}
	for _, id := range step.Closed {
		if l := c.legs[id]; l != nil {
			b.shutLeg(l, told[id])
		}
	}
	if step.HandoffOver {
		b.forgetDedup()
	}
	b.findPeople(first)
	for _, why := range absent {
		b.report(notOpened, why)
	}
	if first.Body != nil {
		b.followAnswer(first)
	}
	return first, ""
}

// recordStep records what follows from an input. It gives the event the input
// became, the last position each leg is told of, and why observers do not begin.
func (b *batch) recordStep(drafts []conversation.Draft, from origin) (first event.Event, told map[string]int64, absent []string) {
	told = map[string]int64{}
	var joined []string
	for _, d := range drafts {
		d.To = append(slices.Clip(d.To), b.newcomers(d, joined)...)
		e := b.record(d, from)
		for _, id := range d.To {
			told[id] = max(told[id], e.Seq)
		}
		if d.Input {
			first = e
			b.note(e)
			b.gather(d)
		}
		here, away := b.observe(e)
		joined, absent = append(joined, here...), append(absent, away...)
	}
	return first, told, absent
}

// findPeople asks for a live agent where a customer speaks and no virtual agent
// is there to.
func (b *batch) findPeople(e event.Event) {
	m := b.c.doc.Machine
	if _, automated := m.VirtualAgent(); automated || m.Phase != conversation.Automated ||
		e.Kind() != event.KindMessageCreated || e.Actor.Role != event.RoleCustomer {
		return
	}
	b.decide(conversation.Input{Actor: event.Actor{Role: event.RoleSystem},
		Body: event.HandoffRequested{Routing: event.Routing{Queue: b.c.doc.Queue, Language: b.c.doc.Language}}}, origin{})
}

// giveUp lets the conversation go on after a leg failed to do what it depends
// on: take a hand-off, or take the conversation back.
func (b *batch) giveUp(l *leg, d *delivery, reason string) {
	e, err := b.c.event(b.ctx, d.Seq)
	if err != nil {
		b.err = err
		return
	}
	m := b.c.doc.Machine
	in := conversation.Input{Actor: event.Actor{Role: event.RoleSystem}}
	switch {
	case e.Kind() == event.KindHandbackRequested && m.Phase == conversation.Returning && l.Role == event.RoleVirtualAgent:
		in.Body = event.HandbackFailed{Reason: reason}
	case e.Kind() == event.KindHandoffRequested && m.Phase.Waiting() && m.Candidate == l.ID:
		in.Body = event.HandoffFailed{Reason: event.FailedBackendDown}
	default:
		b.tellFailed(d, reason)
		return
	}
	b.decide(in, origin{})
}

// facts are what the machine must know of the world.
func (b *batch) facts(in conversation.Input) conversation.Facts {
	c := b.c
	setup := c.e.setup.Load()
	route, _ := setup.routeNamed(c.doc.Route)
	f := conversation.Facts{Now: b.at, Timers: route.Timers, LeaveMessage: route.LeaveMessage, NextSeq: c.seq + 1,
		Text: func(key string) string { return setup.Text(c.doc.Language, key) }}
	if l := c.legs[in.Leg]; l != nil {
		f.Settled = l.doc.Settled
	}
	switch body := in.Body.(type) {
	case event.HandbackRequested:
		f.UpTo = b.known(body.UpTo)
	case event.MessageRead:
		f.UpTo = b.known(body.Message)
	}
	queue := c.doc.Queue
	if h, ok := in.Body.(event.HandoffRequested); ok && h.Routing.Queue != "" {
		queue = h.Routing.Queue
	}
	for _, name := range route.LiveAgents {
		f.Backends = append(f.Backends, conversation.Backend{Account: name,
			Refusal: b.refusal(setup, name, queue), Own: setup.Accounts[name].Native() && !b.newcomer(name)})
	}
	return f
}

func (b *batch) refusal(s *Setup, account, queue string) string {
	a, ok := s.Accounts[account]
	if !ok || a.Unready != "" || b.newcomer(account) {
		return event.FailedBackendDown
	}
	return b.c.e.Desk.Refusal(account, queue)
}

// record makes an event of a draft, adds it to the commit and to the queues of
// the legs it is for.
func (b *batch) record(d conversation.Draft, from origin) event.Event {
	c := b.c
	if d.Body.Kind() == event.KindMessagePartial {
		return b.show(conversation.Input{Leg: d.Leg, Actor: d.Actor, Body: d.Body}, d.To)
	}
	c.seq++
	e := event.Event{ID: b.nextID(), Conversation: c.id, Seq: c.seq, Time: b.at, Actor: d.Actor, Body: d.Body}
	if l := c.legs[d.Leg]; l != nil {
		e.Via = event.Via{Account: l.Account, Role: l.Role}
	}
	if d.Input {
		e.Ref, e.Vendor = from.ref, from.vendor
		e = b.claim(e)
	}
	b.commit.Events = append(b.commit.Events, e)
	b.byID[e.ID] = e.Seq
	c.remember(e)
	for _, id := range d.To {
		b.enqueue(id, e)
	}
	return e
}

func (c *convo) remember(e event.Event) {
	if len(c.recent) >= keptRecent {
		maps.DeleteFunc(c.recent, func(seq int64, _ event.Event) bool { return seq <= c.seq-keptRecent/2 })
	}
	c.recent[e.Seq] = e
}

// enqueue gives an event to a leg. A native leg's far side reads the journal, so
// for it the commit is the delivery.
func (b *batch) enqueue(id string, e event.Event) {
	l := b.c.legs[id]
	if l == nil || l.Detached {
		return
	}
	l.dirty = true
	if b.c.e.setup.Load().Accounts[l.Account].Native() {
		l.doc.Settled = e.Seq
		b.outcome(l, e.ID, journal.Delivered, "", false)
		return
	}
	at, _ := slices.BinarySearch(l.doc.Queue, e.Seq)
	l.doc.Queue = slices.Insert(l.doc.Queue, at, e.Seq)
	if k := e.Kind(); k == event.KindConversationEnded || k == event.KindHandoffCancelled {
		b.skip(l, e.Seq)
	}
}

// recordRefused stores what a leg said that the conversation did not allow.
func (b *batch) recordRefused(in conversation.Input, from origin, reason string) event.Event {
	if in.Body == nil {
		return event.Event{}
	}
	e := b.record(conversation.Draft{Leg: in.Leg, Actor: in.Actor, Body: in.Body, Input: true}, from)
	if l := b.c.legs[in.Leg]; l != nil && e.Seq != 0 {
		b.outcome(l, e.ID, journal.RefusedEvent, reason, false)
	}
	return e
}

// tellRefused tells the leg that its message went nowhere, and why.
func (b *batch) tellRefused(l *leg, e event.Event, reason string) {
	if e.Kind() != event.KindMessageCreated || l.Detached {
		return
	}
	b.record(conversation.Draft{Actor: event.Actor{Role: event.RoleSystem}, To: []string{l.ID},
		Body: event.MessageFailed{Message: e.ID, Reason: "refused: " + reason}}, origin{})
}

// tellFailed tells whoever wrote a message that it did not arrive.
func (b *batch) tellFailed(d *delivery, reason string) {
	e, err := b.c.event(b.ctx, d.Seq)
	if err != nil || e.Kind() != event.KindMessageCreated && e.Kind() != event.KindInsightRequested {
		return
	}
	author := b.c.doc.Machine.Owner.Leg
	for _, id := range b.c.order {
		if l := b.c.legs[id]; l.Account == e.Via.Account && !l.Detached {
			author = l.ID
		}
	}
	b.record(conversation.Draft{Actor: event.Actor{Role: event.RoleSystem}, To: []string{author},
		Body: event.MessageFailed{Message: e.ID, Reason: reason}}, origin{})
}

// open adds a leg the machine decided to open. Its key is the conversation's id
// until the adapter binds the vendor's; a later leg of the same account has a key
// of its own.
func (b *batch) open(m conversation.Leg) {
	key := b.c.id
	if slices.ContainsFunc(b.c.order, func(id string) bool { return b.c.legs[id].Account == m.Account }) {
		key = fullID(b.c.id, m.ID)
	}
	b.openAs(m, journal.Key{Key: key})
}

// openAs adds a leg with a key of its own.
func (b *batch) openAs(m conversation.Leg, k journal.Key) {
	b.c.legs[m.ID] = &leg{Leg: m, dirty: true, doc: legDocument{Key: k.Key}}
	b.c.order = append(b.c.order, m.ID)
	k.Account, k.Leg = m.Account, fullID(b.c.id, m.ID)
	b.commit.Keys = append(b.commit.Keys, k)
}

// resume gives a leg the customer's words after a position, in their place among
// what it has not been offered yet.
func (b *batch) resume(r conversation.Resume) {
	l := b.c.legs[r.Leg]
	if l == nil {
		return
	}
	events, err := b.c.history(b.ctx, r.After)
	if err != nil {
		b.err = err
		return
	}
	queued := map[int64]bool{}
	for _, seq := range l.doc.Queue {
		queued[seq] = true
	}
	if d := l.doc.Delivery; d != nil {
		queued[d.Seq] = true
	}
	for _, e := range append(events, b.commit.Events...) {
		if e.Seq > r.After && e.Kind() == event.KindMessageCreated && e.Actor.Role == event.RoleCustomer && !queued[e.Seq] {
			queued[e.Seq] = true
			b.enqueue(r.Leg, e)
		}
	}
}

// forgetDedup lets the vendor's start count as new again.
func (b *batch) forgetDedup() {
	for _, id := range b.c.order {
		b.commit.Forget = append(b.commit.Forget, fullID(b.c.id, id))
	}
}

// passOn shows a transient event to those it is for; it is not stored.
func (b *batch) passOn(in conversation.Input) event.Event {
	return b.show(in, conversation.Audience(in.Body.Kind(), in.Actor.Role, b.c.doc.Machine, in.Leg))
}

// show tells whoever looks on of an event that is not stored, if it is for
// anybody.
func (b *batch) show(in conversation.Input, to []string) event.Event {
	e := event.Event{ID: b.nextID(), Conversation: b.c.id, Time: b.at, Actor: in.Actor, Body: in.Body}
	if l := b.c.legs[in.Leg]; l != nil {
		e.Via = event.Via{Account: l.Account, Role: l.Role}
	}
	b.passes = true
	if len(to) > 0 {
		b.then(func() { b.c.e.transient(e) })
		b.glimpse(e, to)
	}
	return e
}
