package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/degrade"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// deliverNext offers the next event to the first leg that is free for it.
// Observer legs come after the others.
func (c *convo) deliverNext(ctx context.Context, at time.Time) (bool, error) {
	for _, observers := range []bool{false, true} {
		for _, id := range c.order {
			l := c.legs[id]
			if (l.Role == event.RoleObserver) != observers || at.Before(c.stalled[id]) || at.Before(c.fetching[id]) || !l.ready() {
				continue
			}
			return c.deliver(ctx, l)
		}
	}
	return false, nil
}

// ready reports whether the leg can be offered an event now.
func (l *leg) ready() bool {
	if d := l.doc.Delivery; d != nil {
		return !d.Offered && !d.Postponed
	}
	return len(l.doc.Queue) > 0
}

// deliver gives the leg's adapter the leg's next event.
func (c *convo) deliver(ctx context.Context, l *leg) (bool, error) {
	if l.doc.Delivery == nil {
		seq := l.doc.Queue[0]
		e, err := c.event(ctx, seq)
		if err != nil {
			return false, err
		}
		l.doc.Queue = l.doc.Queue[1:]
		l.doc.Delivery = &delivery{Seq: seq, Event: e.ID, Attempt: l.doc.Again[seq]}
		l.dirty = true
	}
	d := l.doc.Delivery
	d.MaybeDuplicate = d.MaybeDuplicate || d.Unsure
	e, err := c.event(ctx, d.Seq)
	if err != nil {
		return false, err
	}
	var no unfit
	if e, err = c.forLeg(ctx, l, e); errors.Is(err, errFetching) || errors.As(err, &no) {
		return true, c.withhold(ctx, l, err)
	} else if err != nil {
		return false, err
	}
	id := fmt.Sprintf("deliver/%s/%s/%d", e.ID, fullID(c.id, l.ID), d.Attempt)
	_, err = c.take(ctx, l, turn{id: id, in: adapter.Deliver{Event: e, MaybeDuplicate: d.MaybeDuplicate}})
	return true, err
}

// forLeg is the event as this leg is to have it: a message in content its far
// side carries, a hand-off with its whole transcript and its queue, the customer's
// history.
func (c *convo) forLeg(ctx context.Context, l *leg, e event.Event) (event.Event, error) {
	var err error
	switch body := e.Body.(type) {
	case event.MessageCreated:
		whole, err := c.linked(ctx, e, body.Content)
		if err != nil {
			return e, err
		}
		body.Content, l.doc.Delivery.Degraded = degrade.Content(whole, c.e.setup.Load().Accounts[l.Account].Profile.Levels)
		l.offer(whole, l.doc.Delivery.Degraded)
		e.Body = body
	case event.HandoffRequested:
		if l.Role == event.RoleLiveAgent {
			body.Transcript, err = c.transcript(ctx, e.Seq)
			c.linkEntries(ctx, body.Transcript)
			body.Context = c.doc.Attributes
			body.Routing.Queue = cmp.Or(body.Routing.Queue, c.doc.Queue)
			e.Body = body
		}
	case event.TranscriptShared:
		if e.Via == (event.Via{}) {
			body.Entries, err = c.heard(ctx, l, e.Seq)
			c.linkEntries(ctx, body.Entries)
			e.Body = body
		}
	default:
		if body := c.receiptFor(ctx, l, e.Body); body != nil {
			e.Body = body
		}
	}
	return e, err
}

// receiptFor names the message of a receipt as the leg's vendor knows it: by the
// vendor's own id where the message came from there. It is nil for other bodies.
func (c *convo) receiptFor(ctx context.Context, l *leg, body event.Body) event.Body {
	own := func(id string) string {
		e, err := c.e.Journal.Event(ctx, id)
		if err != nil || e.Via.Account != l.Account || e.Ref == "" {
			return id
		}
		return e.Ref
	}
	switch r := body.(type) {
	case event.MessageDelivered:
		r.Message = own(r.Message)
		return r
	case event.MessageRead:
		r.Message = own(r.Message)
		return r
	case event.MessageFailed:
		r.Message = own(r.Message)
		return r
	case event.AnswerCompleted:
		r.To = own(r.To)
		return r
	}
	return nil
}

// ReasonDegraded begins the reason of a delivery whose content its far side could
// not carry whole; what was lost follows, a word of package degrade.
const ReasonDegraded = "degraded "

// settle ends the leg's delivery when nothing that serves it is open.
func (b *batch) settle(l *leg, serves, dead bool) error {
	d := l.doc.Delivery
	if d == nil || !serves {
		return nil
	}
	if !dead && l.serving() {
		return nil
	}
	if !dead && (d.Postponed || !d.Offered) {
		return b.postpone(l, d)
	}
	outcome, reason := journal.Delivered, ""
	if d.Degraded != "" {
		reason = ReasonDegraded + d.Degraded
	}
	switch {
	case dead:
		outcome = journal.Dead
	case d.Failure != "":
		outcome, reason = journal.Failed, d.Failure
	}
	return b.end(l, d, outcome, reason)
}

// end gives the leg's delivery its one outcome.
func (b *batch) end(l *leg, d *delivery, outcome, reason string) error {
	b.outcome(l, d.Event, outcome, reason, d.MaybeDuplicate)
	l.let(d.Seq)
	if outcome != journal.Delivered {
		b.unheeded(d.Event)
		b.giveUp(l, d, strings.TrimSpace(outcome+" "+reason))
	}
	return b.err
}

// postpone leaves a delivery for the leg's next turn, where one is to come: an
// outcome that is not known is not tried again where the account says so, and a
// leg with nothing under way has no next turn of its own.
func (b *batch) postpone(l *leg, d *delivery) error {
	account := b.c.e.setup.Load().Accounts[l.Account]
	switch {
	case d.Seq < l.doc.Cut:
		return b.end(l, d, journal.Undelivered, "the conversation went on without it")
	case d.Unsure && account.FailUnknown:
		return b.end(l, d, journal.Failed, "outcome unknown")
	case !d.Postponed, awaitsClient(account.Profile), b.c.busy(l):
		return nil
	}
	return b.end(l, d, journal.Undelivered, "postponed with nothing under way that could bring it back")
}

// awaitsClient reports whether the far side comes to us when it wants to hear:
// what is put off waits for it.
func awaitsClient(p adapter.Profile) bool {
	return p.Levels.Push == adapter.PushNone || p.Levels.Push == adapter.PushSocket &&
		slices.ContainsFunc(p.Endpoints, func(e adapter.Endpoint) bool { return e.Transport != "" })
}

// serving reports whether something under way serves the leg's delivery.
func (l *leg) serving() bool {
	for _, k := range l.doc.Calls {
		if k.Serves {
			return true
		}
	}
	for _, k := range l.doc.Conns {
		if k.Serves {
			return true
		}
	}
	for _, s := range l.doc.Sends {
		if s.Serves {
			return true
		}
	}
	return false
}

// busy reports whether the leg will have another turn by itself.
func (c *convo) busy(l *leg) bool {
	return len(l.doc.Calls) > 0 || len(l.doc.Conns) > 0 || len(l.doc.Sends) > 0 || len(l.doc.Timers) > 0 || len(l.doc.Held) > 0 ||
		slices.ContainsFunc(c.queue, func(w work) bool { return w.leg == l.ID })
}

// shutLeg ends what a leg that has left was still to get. What the same step had
// to tell it goes to it yet, after what came before, none of it tried again.
func (b *batch) shutLeg(l *leg, told int64) {
	b.skip(l, cmp.Or(told, b.c.seq+1))
	d := l.doc.Delivery
	if told != 0 || len(l.doc.Queue) == 0 && d == nil {
		return
	}
	if d != nil && !d.Offered {
		b.drop(l, d.Event, d.Seq)
	}
	for _, seq := range l.doc.Queue {
		e, err := b.c.event(b.ctx, seq)
		if err != nil {
			b.err = err
			return
		}
		b.drop(l, e.ID, seq)
	}
	l.doc.Queue = nil
}

func (b *batch) drop(l *leg, eventID string, seq int64) {
	b.outcome(l, eventID, journal.Undelivered, "the leg had left", false)
	l.let(seq)
}

// let goes on from an event that has its outcome. Calls that are still under way
// for it serve nothing any more.
func (l *leg) let(seq int64) {
	l.dirty = true
	l.doc.Settled = max(l.doc.Settled, seq)
	if d := l.doc.Delivery; d == nil || d.Seq != seq {
		return
	}
	l.doc.Delivery = nil
	for _, k := range l.doc.Calls {
		k.Serves = false
	}
	for _, k := range l.doc.Conns {
		k.Serves = false
	}
	for _, s := range l.doc.Sends {
		s.Serves = false
	}
}

// skip lets the conversation go on without what a leg still does for anything
// before a position: it is not tried again, and what was put off is undelivered.
func (b *batch) skip(l *leg, before int64) {
	l.dirty = true
	l.doc.Cut = max(l.doc.Cut, before)
	if d := l.doc.Delivery; d != nil && d.Postponed && d.Seq < before {
		b.drop(l, d.Event, d.Seq)
	}
	b.then(func() { b.c.cutShort(l) })
}

// cutShort ends the pauses between tries of a leg's calls: the conversation goes
// on without them.
func (c *convo) cutShort(l *leg) {
	for tag, k := range l.doc.Calls {
		if k.resting && l.cut(k) {
			k.resting = false
			c.queue = append(c.queue, work{kind: workAttempt, leg: l.ID, tag: tag, call: k, attempt: Attempt{Reason: adapter.ReasonCancelled}})
		}
	}
	for conn, k := range l.doc.Conns {
		if !k.Stands && k.Of < l.doc.Cut {
			c.e.hangUp(fullID(c.id, l.ID), conn, websocketNormal)
		}
	}
}

// event gives one event of the conversation by position.
func (c *convo) event(ctx context.Context, seq int64) (event.Event, error) {
	if e, ok := c.recent[seq]; ok {
		return e, nil
	}
	events, err := c.e.Journal.Events(ctx, c.id, seq-1, 1)
	if err != nil {
		return event.Event{}, fmt.Errorf("read event %d of conversation %s: %w", seq, c.id, err)
	}
	if len(events) == 0 || events[0].Seq != seq {
		return event.Event{}, fmt.Errorf("event %d of conversation %s: %w", seq, c.id, journal.ErrNotFound)
	}
	c.remember(events[0])
	return events[0], nil
}

// historyPage is how many events are read at once.
const historyPage = 500

// history reads the stored events after a position.
func (c *convo) history(ctx context.Context, after int64) ([]event.Event, error) {
	var all []event.Event
	for {
		page, err := c.e.Journal.Events(ctx, c.id, after, historyPage)
		if err != nil {
			return nil, fmt.Errorf("read history of conversation %s: %w", c.id, err)
		}
		all = append(all, page...)
		if len(page) < historyPage {
			return all, nil
		}
		after = page[len(page)-1].Seq
	}
}
