package conversation

import (
	"maps"
	"slices"

	"github.com/footbridge/footbridge/bridge/event"
)

// Decide gives what follows from one input. It never changes s. An input the
// state does not allow gives a Step with Refused set, the same State and no
// drafts.
//
// Decide trusts that in.Body, where it is of a known kind, is the struct of
// that kind. It is safe for concurrent use.
func Decide(s State, in Input, f Facts) Step {
	m := &move{s: s.copy(), in: in, f: f}
	m.leg, _ = s.Leg(in.Leg)
	outcome(s, in)(m)
	if m.refused != "" {
		return Step{State: s, Refused: m.refused}
	}
	m.keepAlive()
	m.step.State = m.s
	return m.step
}

// copy gives a state that can be changed without changing s.
func (s State) copy() State {
	s.Legs = slices.Clone(s.Legs)
	s.Untried = slices.Clone(s.Untried)
	s.OpenStreams = slices.Clone(s.OpenStreams)
	s.Deadlines = maps.Clone(s.Deadlines)
	return s
}

// move is one Decide on its way: the state being changed and the step being
// filled.
type move struct {
	s       State
	in      Input
	f       Facts
	leg     Leg // where the input came from; zero for the bridge
	step    Step
	refused string
}

// handler is one outcome of the table.
type handler func(*move)

// refuse gives the outcome that leaves everything as it is.
func refuse(reason string) handler {
	return func(m *move) { m.refused = reason }
}

// recorded reports whether events with the body get a position.
func recorded(body event.Body) bool {
	return !event.Transient(body) && body.Kind() != event.KindMessagePartial
}

// seq is the position the next recorded draft gets.
func (m *move) seq() int64 {
	seq := m.f.NextSeq
	for _, d := range m.step.Drafts {
		if recorded(d.Body) {
			seq++
		}
	}
	return seq
}

// input records the input itself for the given legs.
func (m *move) input(to []string) {
	m.step.Drafts = append(m.step.Drafts, Draft{
		Leg: m.in.Leg, Actor: m.in.Actor, Body: m.in.Body, To: to, Input: true})
}

// pass records the input for those the audience table names.
func (m *move) pass() {
	m.input(Audience(m.in.Body.Kind(), m.role(), m.s, m.in.Leg))
}

// tell records a fact of the bridge itself.
func (m *move) tell(body event.Body, to dest) {
	actor := event.Actor{Role: event.RoleSystem}
	m.step.Drafts = append(m.step.Drafts, Draft{Actor: actor, Body: body, To: m.s.resolve(to, actor.Role, "")})
}

// role is the input's author; a leg that names nobody speaks as what it is.
func (m *move) role() event.Role {
	if m.in.Actor.Role != "" {
		return m.in.Actor.Role
	}
	if m.in.Leg == "" {
		return event.RoleSystem
	}
	return m.leg.Role
}

func record(m *move) { m.pass() }

// recordOnly keeps the input in the journal and gives it to nobody.
func recordOnly(m *move) { m.input(nil) }
