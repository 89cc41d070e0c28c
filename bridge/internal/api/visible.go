package api

import (
	"context"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// eyes is what somebody sees of an event, and whether they see it at all.
type eyes func(event.Event) (event.Event, bool)

// shown are the kinds a customer may see when they were for them.
//
//nolint:gochecknoglobals // a table that is never written.
var shown = map[event.Kind]bool{
	event.KindConversationStarted: true,
	event.KindConversationEnded:   true,
	event.KindMessageCreated:      true,
	event.KindMessagePartial:      true,
	event.KindMessageDelivered:    true,
	event.KindMessageRead:         true,
	event.KindMessageFailed:       true,
	event.KindAnswerCompleted:     true,
	event.KindTypingStarted:       true,
	event.KindTypingStopped:       true,
	event.KindParticipantJoined:   true,
	event.KindParticipantLeft:     true,
	event.KindAvailabilityChanged: true,
	event.KindHandoffRequested:    true,
	event.KindHandoffQueued:       true,
	event.KindHandoffOffered:      true,
	event.KindHandoffAccepted:     true,
	event.KindHandoffCancelled:    true,
	event.KindHandoffFailed:       true,
	event.KindHandbackCompleted:   true,
	event.KindTransferCompleted:   true,
	event.KindCommandIssued:       true,
	event.KindSurveyOffered:       true,
	event.KindSurveyAnswered:      true,
}

// eyesOf is what the principal sees of a conversation: staff everything, a
// customer what they said and what was delivered to them. Events have to be read
// before: their deliveries are stored with them.
func (a *API) eyesOf(ctx context.Context, p principal, id string) (eyes, error) {
	if !p.customer() {
		return func(e event.Event) (event.Event, bool) { return e, true }, nil
	}
	deliveries, err := a.Journal.Deliveries(ctx, id)
	if err != nil {
		return nil, err
	}
	mine := map[string]bool{}
	for _, d := range deliveries {
		if d.Leg == customerLeg(id) && d.Outcome == journal.Delivered {
			mine[d.Event] = true
		}
	}
	return func(e event.Event) (event.Event, bool) {
		own := e.Actor.Role == event.RoleCustomer && e.Via.Role == event.RoleCustomer
		if !shown[e.Kind()] || !own && !mine[e.ID] {
			return event.Event{}, false
		}
		return plain(e), true
	}, nil
}

// customerLeg is the leg a conversation that was opened here began with.
func customerLeg(id string) string { return id + ".1" }

// plain is an event without what is not the customer's to know: where it came
// from, and what was handed over about them.
func plain(e event.Event) event.Event {
	e.Ref, e.Vendor, e.Via = "", nil, event.Via{}
	switch b := e.Body.(type) {
	case event.HandoffRequested:
		e.Body = event.HandoffRequested{Reason: b.Reason}
	case event.HandoffOffered:
		e.Body = event.HandoffOffered{Agent: event.Actor{Role: b.Agent.Role, Name: b.Agent.Name, Avatar: b.Agent.Avatar}}
	case event.ConversationStarted:
		e.Body = event.ConversationStarted{Customer: b.Customer, Language: b.Language}
	}
	if e.Actor.Role == event.RoleSystem {
		e.Actor.Name = ""
	}
	return e
}

// passing tells whether a customer sees an event that is not stored: what the
// owner of their conversation is doing now.
func (a *API) passing(ctx context.Context, e event.Event) bool {
	if !shown[e.Kind()] || e.Actor.Role == event.RoleCustomer {
		return false
	}
	row, err := a.Journal.Conversation(ctx, e.Conversation)
	if err != nil || row.Index.Owner != string(e.Actor.Role) {
		return false
	}
	return e.Actor.Role != event.RoleLiveAgent || row.Index.Agent == "" || e.Actor.ID == "" || row.Index.Agent == e.Actor.ID
}
