package conversation

import "github.com/footbridge/footbridge/bridge/event"

// Reasons of a conversation.ended by the bridge.
const (
	ReasonAgentSilent    = "agent_silent"
	ReasonCustomerSilent = "customer_silent"
	ReasonExpired        = "expired"
)

// end is the last of a conversation, told to all its legs.
func end(m *move) {
	m.pass()
	m.finish()
}

func (m *move) endBySystem(reason string, to dest) {
	m.tell(event.ConversationEnded{Reason: reason, By: event.RoleSystem}, to)
	m.finish()
}

// finish detaches every leg.
func (m *move) finish() {
	m.step.HandoffOver = m.s.Phase != Automated
	m.s.Phase, m.s.Owner = Ended, Owner{}
	m.s.Candidate, m.s.Former, m.s.Untried, m.s.Transferring = "", "", nil, false
	m.s.OpenStreams, m.s.Deadlines = nil, nil
	for _, leg := range m.s.Legs {
		m.close(leg.ID)
	}
}

// rated keeps the rating a customer gives when all is over, once. It is for the
// journal: no leg is there any more.
func rated(m *move) {
	if m.s.Rated || m.leg.Role != event.RoleCustomer {
		m.refused = RefusedEnded
		return
	}
	m.s.Rated = true
	recordOnly(m)
}
