package conversation

import (
	"slices"

	"github.com/footbridge/footbridge/bridge/event"
)

// ReasonLeftMessage is the reason of a handoff.requested by the bridge for a live
// agent who takes up a message the customer left.
const ReasonLeftMessage = "left_message"

// askToLeave asks the customer for a message where the route wants that. One that
// waits already stays the one that waits.
func (m *move) askToLeave() {
	if !m.f.LeaveMessage {
		return
	}
	if !m.s.Left.Waits() {
		m.s.Left.Asked = m.seq()
	}
	m.say(TextLeaveMessage)
}

// leave notes that the customer has left a message. As long as one is asked for,
// no live agent has the conversation.
func (m *move) leave() {
	if m.s.Left.Asked == 0 || m.s.Left.Waits() {
		return
	}
	m.s.Left.Since = m.f.Now
	m.tell(event.MessageLeft{}, toNobody)
}

// takeUp gives the conversation to a live agent of our own desk who answers the
// message that was left. They are there: hours and queues do not matter.
func takeUp(m *move) {
	own := slices.IndexFunc(m.f.Backends, func(b Backend) bool { return b.Own })
	if !m.s.Left.Waits() || own < 0 {
		m.refused = RefusedNoOffer
		return
	}
	m.s.Handoff, m.s.LastFailure = event.HandoffRequested{Reason: ReasonLeftMessage}, ""
	m.s.Requester, m.s.RequestSeq, m.s.Owner = m.s.Owner.Leg, m.seq(), Owner{}
	m.s.ReadSeq, m.s.LastAgentSeq, m.s.ResumeSeq = 0, 0, 0
	m.open(m.f.Backends[own].Account)
	m.ask()
	m.in.Leg = m.s.Candidate
	m.accept(m.in.Body, true)
}

// leftDone is the word of somebody at the desk that the message is dealt with.
func leftDone(m *move) {
	if !m.s.Left.Waits() {
		m.refused = RefusedNoOffer
		return
	}
	m.s.Left = Left{}
	recordOnly(m)
}
