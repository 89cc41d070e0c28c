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
	to := Audience(m.in.Body.Kind(), m.role(), m.s, m.in.Leg)
	if x, ok := m.in.Body.(event.Extension); ok {
		to = append(to, m.kin(x)...)
	}
	m.input(to)
}

// kin are the far sides of an extension's own vendor that its author speaks to
// and that have a frame for it.
func (m *move) kin(x event.Extension) []string {
	row := map[event.Role]dest{event.RoleCustomer: toVirtual, event.RoleVirtualAgent: toFront}[m.role()]
	if row == toNobody || !m.s.automated(m.in.Leg) {
		return nil
	}
	return slices.DeleteFunc(m.s.resolve(row, m.role(), m.in.Leg), func(id string) bool {
		leg, _ := m.s.Leg(id)
		return !slices.Contains(leg.Shows, x.Vendor+"/"+x.Name)
	})
}

// automated reports whether a leg is an end of the talk between the customer and
// the virtual agent that has the conversation.
func (s State) automated(leg string) bool {
	front, _ := s.Front()
	return s.Owner.Role == event.RoleVirtualAgent && (leg == s.Owner.Leg || leg == front.ID)
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
