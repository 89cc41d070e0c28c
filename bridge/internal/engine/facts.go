package engine

import (
	"maps"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/conversation"
)

// note keeps what the conversation's own events say about it.
func (b *batch) note(e event.Event) {
	c := b.c
	switch body := e.Body.(type) {
	case event.ConversationStarted:
		c.doc.Customer, c.doc.Language, c.doc.Attributes = body.Customer, body.Language, nil
		b.keep(e, body.Attributes)
	case event.ContextUpdated:
		b.keep(e, body.Attributes)
	case event.ParticipantJoined:
		if body.Participant.Role == event.RoleCustomer {
			c.doc.Customer = body.Participant
		}
	case event.HandoffRequested:
		b.keep(e, body.Context)
		if body.Routing.Queue != "" {
			c.doc.Queue = body.Routing.Queue
		}
		if body.Routing.Language != "" {
			c.doc.Language = body.Routing.Language
		}
	case event.TransferRequested:
		if body.Routing.Queue != "" {
			c.doc.Queue = body.Routing.Queue
		}
	}
}

// keep adds facts about the customer. Whom a transfer is for is none.
func (b *batch) keep(e event.Event, facts map[string]string) {
	facts = maps.Clone(facts)
	delete(facts, conversation.ContextTransferAgent)
	b.c.doc.Attributes = added(b.c.doc.Attributes, facts)
	if b.vouched(e) {
		b.c.doc.Vouched = added(b.c.doc.Vouched, facts)
	}
}

// vouched reports whether an event is the word of the business's own side: not the
// customer's, and not that of an account as whose far side anybody may speak.
func (b *batch) vouched(e event.Event) bool {
	for _, role := range []event.Role{e.Actor.Role, e.Via.Role} {
		if role == event.RoleCustomer {
			return false
		}
	}
	return !b.c.e.setup.Load().Accounts[e.Via.Account].Anybody
}

func added(to, facts map[string]string) map[string]string {
	if to == nil && len(facts) > 0 {
		to = map[string]string{}
	}
	maps.Copy(to, facts)
	return to
}
