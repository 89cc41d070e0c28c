package conversation

import (
	"time"

	"github.com/footbridge/footbridge/bridge/event"
)

// hopsMax is how often a hand-off may fail or come straight back before the
// next is turned down unasked.
const hopsMax = 4

// hopsForgiven is after how long a hop no longer counts.
const hopsForgiven = time.Minute

// hop counts a hand-off that failed or came back. One turned down unasked does
// not count, or asking again and again would keep the guard up for ever.
func (m *move) hop() {
	if m.s.Hops < hopsMax {
		m.s.Hops, m.s.HopAt = m.s.Hops+1, m.f.Now
	}
}

// request opens a hand-off.
func request(m *move) {
	if !m.mayRequest() {
		m.refused = RefusedRole
		return
	}
	body, _ := m.in.Body.(event.HandoffRequested)
	body.Transcript = nil
	m.s.Handoff, m.s.Owner = body, Owner{}
	m.s.Requester, m.s.RequestSeq, m.s.LastFailure = m.in.Leg, m.seq(), ""
	m.s.ReadSeq, m.s.LastAgentSeq, m.s.ResumeSeq = 0, 0, 0
	m.s.Deadlines = nil
	if m.f.Now.Sub(m.s.HopAt) > hopsForgiven {
		m.s.Hops = 0
	}
	if m.s.Hops >= hopsMax {
		m.pass()
		m.fail(event.FailedRejected)
		return
	}
	m.s.Untried = accounts(m.f.Backends)
	found := m.openNext()
	m.s.Phase, m.s.KeptSeq = Requested, m.s.RequestSeq
	m.pass()
	if !found {
		m.fail(m.s.LastFailure)
		return
	}
	m.wait(m.s.Handoff.Waiting)
}

// mayRequest: the virtual agent asks for a live agent; without one the customer
// or the bridge does.
func (m *move) mayRequest() bool {
	if _, automated := m.s.VirtualAgent(); automated {
		return m.leg.Role == event.RoleVirtualAgent
	}
	return m.in.Leg == "" || m.leg.Role == event.RoleCustomer
}

func accounts(backends []Backend) []string {
	var names []string
	for _, b := range backends {
		names = append(names, b.Account)
	}
	return names
}

// openNext opens a leg at the next account that takes hand-offs now.
func (m *move) openNext() bool {
	for len(m.s.Untried) > 0 {
		account := m.s.Untried[0]
		m.s.Untried = m.s.Untried[1:]
		refusal := m.refusal(account)
		if refusal == "" {
			m.open(account)
			return true
		}
		m.s.LastFailure = refusal
	}
	if m.s.LastFailure == "" {
		m.s.LastFailure = event.FailedNoAgents
	}
	return false
}

// refusal is why an account cannot be asked; one that has left the route is down.
func (m *move) refusal(account string) string {
	for _, b := range m.f.Backends {
		if b.Account == account {
			return b.Refusal
		}
	}
	return event.FailedBackendDown
}

// ask gives a leg that was opened later the request to begin with.
func (m *move) ask() {
	m.s.KeptSeq = m.seq()
	m.tell(m.s.Handoff, toCandidate)
}

func queue(m *move) {
	m.answer(Queued)
	m.sayPlace()
}

// queueOfOwn is the place in the line of the virtual agent's own people. Where its
// platform holds the customer it shows that itself.
func queueOfOwn(m *move) {
	m.pass()
	if !m.leg.HoldsCustomer {
		m.sayPlace()
	}
}

func offer(m *move) { m.answer(Offered) }

func (m *move) answer(phase Phase) {
	m.showKept()
	m.s.Phase = phase
	m.pass()
}

// showKept gives the candidate what the customer said before its desk answered.
func (m *move) showKept() {
	if m.s.Phase == Requested {
		m.giveKept(m.s.Candidate)
	}
}

func (m *move) giveKept(leg string) {
	if m.s.LastCustomerSeq > m.s.KeptSeq {
		m.step.Resume = append(m.step.Resume, Resume{Leg: leg, After: m.s.KeptSeq})
	}
}

// take is handoff.accepted from the leg that was asked.
func take(m *move) {
	if m.role() != event.RoleLiveAgent {
		m.refused = RefusedRole
		return
	}
	m.accept(m.in.Body, true)
}

// accept makes the candidate the owner.
func (m *move) accept(body event.Body, asInput bool) {
	m.showKept()
	transfer := m.s.Transferring
	d := Draft{Leg: m.in.Leg, Actor: m.agent(), Body: body, Input: asInput}
	if !transfer {
		d.To = Audience(body.Kind(), event.RoleLiveAgent, m.s, m.in.Leg)
	}
	m.step.Drafts = append(m.step.Drafts, d)
	if transfer {
		m.completeTransfer()
	}
	m.own(m.in.Leg)
}

// own gives the conversation to the live agent who speaks.
func (m *move) own(leg string) {
	m.s.Phase, m.s.Owner = Active, Owner{Leg: leg, Role: event.RoleLiveAgent}
	m.s.Agent, m.s.Left = m.agent(), Left{}
	m.s.Candidate, m.s.Untried, m.s.Former, m.s.Transferring = "", nil, "", false
	m.watch()
}

func takeOwn(m *move) { m.acceptOwn(m.in.Body, true) }

// acceptOwn makes the virtual agent's own people the owner; a desk that was
// asked already is told that it is no longer needed.
func (m *move) acceptOwn(body event.Body, asInput bool) {
	if m.s.Phase == Automated {
		m.s.Requester, m.s.RequestSeq = m.in.Leg, m.seq()
		m.s.ReadSeq, m.s.LastAgentSeq = 0, 0
	} else if m.s.LastCustomerSeq > m.s.RequestSeq && !m.leg.HoldsCustomer {
		m.step.Resume = append(m.step.Resume, Resume{Leg: m.in.Leg, After: m.s.RequestSeq})
	}
	m.step.Drafts = append(m.step.Drafts, Draft{Leg: m.in.Leg, Actor: m.agent(), Body: body, Input: asInput,
		To: Audience(body.Kind(), event.RoleLiveAgent, m.s, m.in.Leg)})
	m.withdraw("taken")
	m.own(m.in.Leg)
}

// withdraw takes the offer from the candidate.
func (m *move) withdraw(reason string) {
	if m.s.Candidate == "" {
		return
	}
	m.tell(event.HandoffCancelled{Reason: reason, By: event.RoleSystem}, toCandidate)
	m.detach(m.s.Candidate)
	m.s.Candidate = ""
}

// decline is one live agent's no while the desk still has others, or the desk's.
func decline(m *move) {
	if m.role() != event.RoleLiveAgent {
		nextBackend(m)
		return
	}
	m.s.Phase = Queued
	m.pass()
}

// nextBackend asks the next account after the candidate's no.
func nextBackend(m *move) {
	m.input(nil)
	m.detach(m.s.Candidate)
	m.s.Candidate, m.s.LastFailure = "", event.FailedDeclined
	if body, ok := m.in.Body.(event.HandoffFailed); ok && body.Reason != "" {
		m.s.LastFailure = body.Reason
	}
	found := m.openNext()
	switch {
	case found && m.s.Transferring:
		m.s.Phase = Queued
		m.ask()
	case found:
		m.s.Phase = Requested
		m.ask()
	default:
		m.give(m.s.LastFailure)
	}
}

// give ends the waiting phase with nobody found.
func (m *move) give(reason string) {
	if m.s.Transferring {
		m.failTransfer(reason)
		return
	}
	m.fail(reason)
}

// fail ends a hand-off nobody took.
func (m *move) fail(reason string) {
	m.s.LastFailure = reason
	if m.s.Requester != "" || !m.s.Left.Waits() { // who adds to what they left has been told
		m.say(reason)
		m.askToLeave()
	}
	m.tell(event.HandoffFailed{Reason: reason}, toAsker|toObservers)
	m.hop()
	after := m.unread()
	m.automate()
	m.resumeVirtual(after)
}

// cancel withdraws a hand-off for the one who asked.
func cancel(m *move) {
	if m.s.Transferring {
		cancelTransfer(m)
		return
	}
	m.pass()
	m.detach(m.s.Candidate)
	after := m.unread()
	m.automate()
	m.resumeVirtual(after)
}

// unread is the position after which the customer's words have no reader when
// the waiting phase ends without one.
func (m *move) unread() int64 {
	if m.s.Transferring {
		return m.lastSeen()
	}
	return m.s.RequestSeq
}
