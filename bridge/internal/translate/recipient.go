package translate

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/adaptertest"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/degrade"
)

// arrival is an event and the line of input it came from.
type arrival struct {
	line  int
	event event.Event
}

// recipient is the leg that events are passed on to. Until an event comes that
// begins such a leg they wait, for the bridge opens it no earlier.
type recipient struct {
	leg     *adaptertest.Rehearsal
	role    event.Role
	levels  adapter.Levels
	begun   bool
	taken   bool // a live agent has it, as far as the leg knows
	waiting []arrival
	past    past
	// left takes what leaves; failed is told of a delivery that was not made.
	left   func([]adaptertest.Departure) error
	failed func(line int, k event.Kind, err error)
}

// open prepares the leg. One that the vendor begins, or whose far side comes to
// us, is there from the beginning.
func (r *recipient) open() error {
	r.levels = r.leg.Profile().Levels
	if _, opened := beginnings()[r.role]; !opened {
		r.begun = true
	}
	if r.role == event.RoleLiveAgent {
		return nil
	}
	theirs, err := r.leg.Open()
	r.begun = r.begun || theirs
	return err
}

// beginnings is the event the bridge opens a leg with, by its role.
func beginnings() map[event.Role]event.Kind {
	return map[event.Role]event.Kind{event.RoleLiveAgent: event.KindHandoffRequested,
		event.RoleVirtualAgent: event.KindConversationStarted, event.RoleObserver: event.KindConversationStarted}
}

// take passes an event on, or keeps it until the leg begins.
func (r *recipient) take(a arrival) error {
	a.event = r.past.complete(a.event)
	if r.begun {
		return r.deliver(a)
	}
	if a.event.Kind() != beginnings()[r.role] {
		r.waiting = append(r.waiting, a)
		return nil
	}
	waited := r.waiting
	r.begun, r.waiting = true, nil
	if err := r.deliver(a); err != nil || r.role == event.RoleLiveAgent {
		return err // what was said before is in the hand-off
	}
	return r.deliverAll(waited)
}

// finish passes on what still waits when no more events come: to a leg that the
// bridge begins without a cause.
func (r *recipient) finish() error {
	if r.begun || len(r.waiting) == 0 {
		return nil
	}
	r.begun = true
	before := r.losses()
	left, err := r.leg.Begin()
	r.tell(r.waiting[0].line, beginnings()[r.role], before, err)
	if err := r.left(left); err != nil {
		return err
	}
	return r.deliverAll(r.waiting)
}

func (r *recipient) deliverAll(all []arrival) error {
	for _, a := range all {
		if err := r.deliver(a); err != nil {
			return err
		}
	}
	return nil
}

// deliver passes an event on in the content the far side carries. Who gives a
// conversation back has taken it before. Its error is that of writing what leaves.
func (r *recipient) deliver(a arrival) error {
	person := a.event.Actor.Role == event.RoleLiveAgent
	switch body := a.event.Body.(type) {
	case event.HandoffAccepted:
		r.taken = true
	case event.HandbackRequested:
		if person && !r.taken && r.role != event.RoleLiveAgent {
			if err := r.deliver(arrival{a.line, event.Event{Actor: a.event.Actor, Via: a.event.Via, Body: event.HandoffAccepted{}}}); err != nil {
				return err
			}
		}
	case event.MessageCreated:
		body.Content, _ = degrade.Content(body.Content, r.levels)
		a.event.Body = body
		r.taken = r.taken || person
	case event.MessagePartial:
		if r.levels.Partials != adapter.Full && r.levels.Partials != adapter.Partial {
			return nil // the whole of it follows
		}
	}
	before := r.losses()
	_, left, err := r.leg.Deliver(a.event)
	r.tell(a.line, a.event.Kind(), before, err)
	return r.left(left)
}

func (r *recipient) losses() int { return len(r.leg.Counts().Failed) }

// tell reports what went wrong with a delivery.
func (r *recipient) tell(line int, k event.Kind, before int, err error) {
	if err != nil {
		r.failed(line, k, err)
	}
	for _, reason := range r.leg.Counts().Failed[before:] {
		r.failed(line, k, undelivered(reason))
	}
}

// undelivered is the reason of an adapter that gave a delivery up.
type undelivered string

func (u undelivered) Error() string { return string(u) }

// past is what the bridge knows of the conversation so far, and gives along with
// a hand-off.
type past struct {
	said, given []event.TranscriptEntry
	facts       map[string]string
}

// complete notes an event; a hand-off gets everything said before it.
func (p *past) complete(e event.Event) event.Event {
	switch body := e.Body.(type) {
	case event.ConversationStarted:
		p.learn(body.Attributes)
	case event.ContextUpdated:
		p.learn(body.Attributes)
	case event.TranscriptShared:
		p.said = append(p.said, body.Entries...)
	case event.MessageCreated:
		p.said = append(p.said, event.TranscriptEntry{Actor: e.Actor, Time: e.Time, Content: body.Content, Event: e.ID})
	case event.HandoffRequested:
		p.learn(body.Context)
		p.hear(body.Transcript)
		body.Transcript, body.Context = slices.Clone(p.said), maps.Clone(p.facts)
		e.Body = body
	}
	return e
}

// hear adds what a transcript has beyond the one handed over before.
func (p *past) hear(now []event.TranscriptEntry) {
	fresh := now
	if n := len(p.given); n <= len(now) && reflect.DeepEqual(p.given, now[:n:n]) {
		fresh = now[n:]
	}
	p.said, p.given = append(p.said, fresh...), now
}

func (p *past) learn(facts map[string]string) {
	if p.facts == nil && len(facts) > 0 {
		p.facts = map[string]string{}
	}
	maps.Copy(p.facts, facts)
}

// describe says what was not delivered and why.
func describe(k event.Kind, err error) string { return fmt.Sprintf("%s was not delivered: %v", k, err) }
