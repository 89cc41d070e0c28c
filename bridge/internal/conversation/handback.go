package conversation

import "github.com/footbridge/footbridge/bridge/event"

// handBack gives the conversation to the virtual agent, who has yet to take it.
func handBack(m *move) {
	va, ok := m.s.VirtualAgent()
	if !ok {
		m.refused = RefusedState
		return
	}
	if m.s.Owner.Leg == va.ID {
		m.pass()
		m.tell(event.HandbackCompleted{}, toFront|toObservers)
		m.returned()
		return
	}
	m.returning(va)
	m.pass()
	m.release()
}

// returning settles which of the customer's words are for the virtual agent. A
// platform that holds the customer cannot be given any: the customer is asked
// to say them again.
func (m *move) returning(va Leg) {
	m.s.ResumeSeq = m.lastSeen()
	if va.HoldsCustomer && m.s.LastCustomerSeq > m.s.ResumeSeq {
		m.say(TextSayAgain)
	}
}

func (m *move) release() {
	m.s.Phase, m.s.Former, m.s.Owner = Returning, m.s.Owner.Leg, Owner{}
	m.s.KeptSeq = m.seq() - 1
	m.s.Deadlines = nil
}

// lastSeen is the position of the last event the live agent is known to have
// seen; what came before the request the virtual agent has seen itself. What
// other legs than the owner's say of their own place does not count.
func (m *move) lastSeen() int64 {
	upTo, settled := m.f.UpTo, m.f.Settled
	if m.s.Owner.Leg == "" || m.in.Leg != "" && m.in.Leg != m.s.Owner.Leg {
		upTo, settled = 0, 0
	}
	for _, seq := range []int64{upTo, m.s.ReadSeq, settled, m.s.LastAgentSeq} {
		if seq > 0 {
			return max(seq, m.s.RequestSeq)
		}
	}
	return m.s.RequestSeq
}

// handedBack is the virtual agent's taking over.
func handedBack(m *move) {
	m.pass()
	m.detach(m.s.Former)
	m.hop()
	after := m.s.ResumeSeq
	m.automate()
	m.resumeVirtual(after)
}

// ownPeopleDone is the end of what the virtual agent's own people had.
func ownPeopleDone(m *move) {
	va, _ := m.s.VirtualAgent()
	if va.ID == "" || m.s.Owner.Leg != va.ID {
		m.refused = RefusedState
		return
	}
	m.pass()
	m.returned()
}

// returned ends a hand-off to the virtual agent's own people. The leg has had
// the customer's words all along.
func (m *move) returned() {
	m.hop()
	m.automate()
}

// handbackFailed leaves the conversation with the live agent who gave it away.
func handbackFailed(m *move) {
	m.pass()
	m.giveKept(m.s.Former)
	m.s.Phase, m.s.Owner = Active, Owner{Leg: m.s.Former, Role: event.RoleLiveAgent}
	m.s.Former, m.s.ResumeSeq = "", 0
	m.watch()
}

// automate ends the hand-off and gives the conversation to software.
func (m *move) automate() {
	m.s.Phase, m.s.Owner = Automated, m.s.software()
	m.s.Requester, m.s.Candidate, m.s.Former, m.s.Untried = "", "", "", nil
	m.s.Transferring, m.s.Agent, m.s.Handoff = false, event.Actor{}, event.HandoffRequested{}
	m.s.RequestSeq, m.s.KeptSeq, m.s.ReadSeq, m.s.ResumeSeq = 0, 0, 0, 0
	m.s.Deadlines = nil
	m.step.HandoffOver = true
	if va, ok := m.s.VirtualAgent(); ok && va.HoldsCustomer {
		m.start(TimerTotal, m.f.Timers.Total)
	}
}

// resumeVirtual gives the virtual agent the customer's words after a position.
func (m *move) resumeVirtual(after int64) {
	if va, ok := m.s.VirtualAgent(); ok && !va.HoldsCustomer {
		m.step.Resume = append(m.step.Resume, Resume{Leg: va.ID, After: after})
	}
}
