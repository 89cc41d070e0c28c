package conversation

import (
	"maps"

	"github.com/footbridge/footbridge/bridge/event"
)

// ReasonAgentLost is the reason of a transfer.requested by the bridge whose live
// agent is gone: nobody owns the conversation until another accepts.
const ReasonAgentLost = "agent_lost"

// ContextTransferAgent is the fact of a handoff.requested that names the live
// agent a transfer is meant for.
const ContextTransferAgent = "transfer_agent"

// transfer seeks another live agent.
func transfer(m *move) {
	body, _ := m.in.Body.(event.TransferRequested)
	m.s.Handoff = transferred(m.s.Handoff, body)
	m.s.LastFailure = ""
	m.s.Untried = m.transferOrder()
	m.pass()
	m.s.Phase, m.s.Transferring, m.s.Former = Queued, true, m.s.Owner.Leg
	if m.role() == event.RoleSystem && body.Reason == ReasonAgentLost {
		m.lose()
	}
	if !m.openNext() {
		m.failTransfer(m.s.LastFailure)
		return
	}
	m.ask()
	m.s.Deadlines = nil
	m.wait(0)
}

// lose takes the conversation from a live agent who is gone.
func (m *move) lose() {
	m.leftByOwnPeople()
	m.s.Owner, m.s.Agent = Owner{}, event.Actor{}
	m.say(TextAgentLost)
}

// loseInTransfer is the old owner's vanishing before another has accepted.
func loseInTransfer(m *move) {
	body, _ := m.in.Body.(event.TransferRequested)
	if !m.s.Transferring || m.s.Owner.Leg == "" || body.Reason != ReasonAgentLost {
		m.refused = RefusedOpen
		return
	}
	m.pass()
	m.lose()
}

// transferred is the request the next live agent gets.
func transferred(h event.HandoffRequested, t event.TransferRequested) event.HandoffRequested {
	h.Waiting = 0
	if t.Reason != "" {
		h.Reason = t.Reason
	}
	if r := t.Routing; r.Queue != "" || len(r.Skills) > 0 || r.Priority != 0 || r.Language != "" {
		h.Routing = r
	}
	h.Context = maps.Clone(h.Context)
	delete(h.Context, ContextTransferAgent)
	if t.Agent == "" {
		return h
	}
	if h.Context == nil {
		h.Context = map[string]string{}
	}
	h.Context[ContextTransferAgent] = t.Agent
	return h
}

// transferOrder is the route's accounts, the owner's own first.
func (m *move) transferOrder() []string {
	owner, _ := m.s.Leg(m.s.Owner.Leg)
	var same, others []string
	for _, account := range accounts(m.f.Backends) {
		if account == owner.Account {
			same = append(same, account)
		} else {
			others = append(others, account)
		}
	}
	return append(same, others...)
}

// completeTransfer tells those concerned who has the conversation now.
func (m *move) completeTransfer() {
	to := m.s.resolve(toFormer|toFront|toVirtual|toObservers, event.RoleLiveAgent, m.in.Leg)
	m.step.Drafts = append(m.step.Drafts, Draft{Leg: m.in.Leg, Actor: m.agent(), Body: event.TransferCompleted{}, To: to})
	m.leftByOwnPeople()
	m.s.LastAgentSeq, m.s.ReadSeq = max(m.s.LastAgentSeq, m.s.ReadSeq), 0
	m.detach(m.s.Former)
}

// leftByOwnPeople: the virtual agent's leg has had the customer's words until
// now where its own people pass the conversation on.
func (m *move) leftByOwnPeople() {
	former, _ := m.s.Leg(m.s.Former)
	if former.Role == event.RoleVirtualAgent && m.s.Owner.Leg == former.ID {
		m.s.RequestSeq = m.seq() - 1
	}
}

// failTransfer leaves the conversation with its old owner; without one it is a
// hand-off that failed.
func (m *move) failTransfer(reason string) {
	m.tell(event.TransferFailed{Reason: reason}, toFormer)
	if m.s.Owner.Leg == "" {
		m.detach(m.s.Former)
		m.fail(reason)
		return
	}
	m.s.Phase, m.s.Transferring, m.s.LastFailure = Active, false, reason
	m.s.Candidate, m.s.Former, m.s.Untried = "", "", nil
	m.watch()
}

// cancelTransfer withdraws a transfer; only who passes the conversation on, or
// the bridge, may.
func cancelTransfer(m *move) {
	system := m.in.Leg == ""
	if !m.s.Transferring || !system && m.in.Leg != m.s.Owner.Leg {
		m.refused = RefusedState
		return
	}
	m.input(m.s.resolve(toCandidate, m.role(), m.in.Leg))
	m.detach(m.s.Candidate)
	if m.s.Owner.Leg == "" {
		m.failTransfer(event.FailedNoAgents)
		return
	}
	m.failTransfer("cancelled")
}

// reassign is a desk's own transfer: the leg stays, its live agent changes.
func reassign(m *move) {
	if m.in.Leg != m.s.Owner.Leg {
		m.refused = RefusedNotOwner
		return
	}
	m.pass()
	m.s.Agent = m.agent()
}
