package conversation

import (
	"slices"
	"strconv"

	"github.com/footbridge/footbridge/bridge/event"
)

// Start gives a fresh conversation between legs. It is Automated and owned by
// its virtual agent, or by nobody where it has none. Legs without an ID are
// numbered.
func Start(legs []Leg, _ Facts) State {
	s := State{Phase: Automated, NextLeg: 1}
	for _, leg := range legs {
		s, _ = s.Attach(leg)
	}
	s.Owner = s.software()
	return s
}

// Attach gives the state with leg added to it, and the leg as it was added: one
// without an ID is numbered. The engine calls it for observers; live-agent legs
// are opened by Decide.
func (s State) Attach(leg Leg) (State, Leg) {
	s.NextLeg = max(s.NextLeg, 1)
	if leg.ID == "" {
		leg.ID = strconv.Itoa(s.NextLeg)
	}
	if n, err := strconv.Atoi(leg.ID); err == nil && n >= s.NextLeg {
		s.NextLeg = n + 1
	}
	s.Legs = append(slices.Clone(s.Legs), leg)
	return s, leg
}

// Leg finds a leg by its ID, attached or not.
func (s State) Leg(id string) (Leg, bool) {
	return s.find(func(leg Leg) bool { return leg.ID == id })
}

// Front is the attached leg that leads to the customer: the customer's own,
// else the virtual agent's where its platform holds the customer.
func (s State) Front() (Leg, bool) {
	leg, ok := s.find(func(leg Leg) bool { return !leg.Detached && leg.Role == event.RoleCustomer })
	if ok {
		return leg, true
	}
	return s.find(func(leg Leg) bool { return !leg.Detached && leg.HoldsCustomer })
}

// VirtualAgent is the attached leg of the virtual agent.
func (s State) VirtualAgent() (Leg, bool) {
	return s.find(func(leg Leg) bool { return !leg.Detached && leg.Role == event.RoleVirtualAgent })
}

func (s State) find(match func(Leg) bool) (Leg, bool) {
	i := slices.IndexFunc(s.Legs, match)
	if i < 0 {
		return Leg{}, false
	}
	return s.Legs[i], true
}

// software is the owner while no live agent has the conversation.
func (s State) software() Owner {
	va, ok := s.VirtualAgent()
	if !ok {
		return Owner{}
	}
	return Owner{Leg: va.ID, Role: event.RoleVirtualAgent}
}

// open adds a live-agent leg of account; it is the candidate from now on.
func (m *move) open(account string) {
	var leg Leg
	m.s, leg = m.s.Attach(Leg{Account: account, Role: event.RoleLiveAgent})
	m.s.Candidate = leg.ID
	m.step.Open = append(m.step.Open, leg)
}

// detach ends the deliveries to a live-agent leg. A virtual agent's leg stays
// until the conversation ends, also where its own people had the conversation.
func (m *move) detach(id string) {
	leg, ok := m.s.Leg(id)
	if ok && leg.Role == event.RoleLiveAgent {
		m.close(id)
	}
}

func (m *move) close(id string) {
	for i := range m.s.Legs {
		if m.s.Legs[i].ID == id && !m.s.Legs[i].Detached {
			m.s.Legs[i].Detached = true
			m.step.Closed = append(m.step.Closed, id)
		}
	}
}
