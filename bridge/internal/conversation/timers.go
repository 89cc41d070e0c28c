package conversation

import (
	"time"

	"github.com/footbridge/footbridge/bridge/event"
)

// start runs a timer from now; a limit of 0 means it is switched off.
func (m *move) start(name TimerName, limit time.Duration) {
	if limit <= 0 {
		delete(m.s.Deadlines, name)
		return
	}
	if m.s.Deadlines == nil {
		m.s.Deadlines = map[TimerName]time.Time{}
	}
	m.s.Deadlines[name] = m.f.Now.Add(limit)
}

// restart runs a timer that runs already from now.
func (m *move) restart(name TimerName, limit time.Duration) {
	if _, runs := m.s.Deadlines[name]; runs {
		m.start(name, limit)
	}
}

// wait limits how long a hand-off may stay unaccepted; the vendor's own limit,
// in seconds, wins when it is shorter.
func (m *move) wait(vendor int) {
	limit := m.f.Timers.Waiting
	if own := time.Duration(vendor) * time.Second; own > 0 && (limit <= 0 || own < limit) {
		limit = own
	}
	m.start(TimerWaiting, limit)
}

// watch runs the timers of a live agent's phase. The virtual agent's own people
// are watched by their own platform.
func (m *move) watch() {
	m.s.Deadlines = nil
	m.start(TimerCustomerSilence, m.f.Timers.CustomerSilence)
	if va, _ := m.s.VirtualAgent(); va.ID != m.s.Owner.Leg {
		m.start(TimerAgentSilence, m.f.Timers.AgentSilence)
	}
}

// keepAlive puts off the silent end for as long as the virtual agent's platform
// has something to say.
func (m *move) keepAlive() {
	if m.in.Body != nil && m.s.Phase == Automated && m.leg.Role == event.RoleVirtualAgent && recorded(m.in.Body) {
		m.restart(TimerTotal, m.f.Timers.Total)
	}
}

// due guards an outcome against a timer that was put off meanwhile. The
// millisecond is what stored times are rounded to.
func due(h handler) handler {
	return func(m *move) {
		at, runs := m.s.Deadlines[m.in.Timer]
		if !runs || m.f.Now.Before(at.Add(-time.Millisecond)) {
			m.refused = RefusedState
			return
		}
		delete(m.s.Deadlines, m.in.Timer)
		h(m)
	}
}

// waitedTooLong: no further account is asked.
func waitedTooLong(m *move) {
	m.withdraw(event.FailedTimedOut)
	m.give(event.FailedTimedOut)
}

// agentSilent gives the conversation back, or ends it where there is no virtual
// agent to give it to.
func agentSilent(m *move) {
	m.say(TextAgentSilent)
	va, ok := m.s.VirtualAgent()
	if !ok {
		m.endBySystem(ReasonAgentSilent, toAll)
		return
	}
	m.returning(va)
	m.tell(event.HandbackRequested{Reason: ReasonAgentSilent}, toVirtual|toDesks|toObservers)
	m.release()
}

func customerSilent(m *move) {
	m.say(TextCustomerGone)
	m.endBySystem(ReasonCustomerSilent, toAll)
}

// expired ends a conversation that went back to a platform which holds the
// customer: neither is told, for we have left it already.
func expired(m *move) { m.endBySystem(ReasonExpired, toDesks|toObservers) }
