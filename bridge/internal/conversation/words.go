package conversation

import (
	"slices"

	"github.com/footbridge/footbridge/bridge/event"
)

// openStreamsMax bounds the streams remembered of a virtual agent that never
// finishes any.
const openStreamsMax = 32

func customerSays(m *move) {
	m.s.LastCustomerSeq = m.seq()
	m.s.Hops = 0
	m.restart(TimerCustomerSilence, m.f.Timers.CustomerSilence)
	m.pass()
	m.leave()
}

// customerOrders passes a command on to the owner. The past only the bridge has
// whole, so it answers for it; and who logs out with no virtual agent there to
// take that has left.
func customerOrders(m *move) {
	body, _ := m.in.Body.(event.CommandIssued)
	owner, _ := m.s.Leg(m.s.Owner.Leg)
	switch {
	case body.Name == event.CommandHistory:
		m.input(nil)
		m.step.Drafts = append(m.step.Drafts, Draft{Actor: event.Actor{Role: event.RoleSystem},
			Body: event.TranscriptShared{}, To: []string{m.in.Leg}})
	case body.Name == event.CommandLogout && owner.Role != event.RoleVirtualAgent:
		m.pass()
		m.tell(event.ConversationEnded{Reason: event.CommandLogout, By: event.RoleCustomer}, toAll)
		m.finish()
	default:
		m.pass()
	}
}

func ownerSays(m *move) {
	m.s.LastAgentSeq = m.seq()
	if m.s.Agent.ID == "" {
		m.s.Agent = m.agent()
	}
	m.restart(TimerAgentSilence, m.f.Timers.AgentSilence)
	m.pass()
}

// candidateSays is a live agent who answers without taking the offer first.
func candidateSays(m *move) {
	m.accept(event.HandoffAccepted{}, false)
	ownerSays(m)
}

// peopleSay is the same for the virtual agent's own people.
func peopleSay(m *move) {
	m.acceptOwn(event.HandoffAccepted{}, false)
	ownerSays(m)
}

// virtualSays passes on what the virtual agent says. While it does not own the
// conversation only the rest of a message it had begun reaches the customer.
func virtualSays(m *move) {
	stream, last := streamOf(m.in.Body)
	begun := stream != "" && slices.Contains(m.s.OpenStreams, stream)
	m.followStream(stream, begun, last)
	to := Audience(m.in.Body.Kind(), m.role(), m.s, m.in.Leg)
	front, _ := m.s.Front()
	if begun && m.s.Phase != Automated && front.ID != m.in.Leg && !slices.Contains(to, front.ID) {
		to = append([]string{front.ID}, to...)
	}
	m.input(to)
}

func (m *move) followStream(stream string, begun, last bool) {
	switch {
	case begun && last:
		m.s.OpenStreams = slices.DeleteFunc(m.s.OpenStreams, func(s string) bool { return s == stream })
	case stream == "" || begun || last || m.s.Phase != Automated:
		return
	default:
		m.s.OpenStreams = append(m.s.OpenStreams, stream)
		m.s.OpenStreams = m.s.OpenStreams[max(0, len(m.s.OpenStreams)-openStreamsMax):]
	}
}

// streamOf names the stream a body belongs to, and whether the body closes it.
func streamOf(body event.Body) (stream string, last bool) {
	switch b := body.(type) {
	case event.MessagePartial:
		return b.Stream, false
	case event.MessageCreated:
		return b.Stream, true
	}
	return "", false
}

// agentReads moves the live agent's place in the conversation.
func agentReads(m *move) {
	m.s.ReadSeq = max(m.s.ReadSeq, m.f.UpTo)
	m.pass()
}

// agent is the live agent who speaks.
func (m *move) agent() event.Actor {
	actor := m.in.Actor
	actor.Role = event.RoleLiveAgent
	return actor
}
