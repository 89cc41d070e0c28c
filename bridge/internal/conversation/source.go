package conversation

import "github.com/footbridge/footbridge/bridge/event"

// source is who an input comes from, as the state sees it. Sources are bits, so
// that a row of the table can name several.
type source uint16

const (
	bySystem    source = 1 << iota // the bridge itself
	byCustomer                     // the customer, on whichever leg holds them
	byVirtual                      // the virtual agent
	byPeople                       // live agents of the virtual agent's own platform who do not own
	byCandidate                    // the live-agent leg that is asked now
	byOwner                        // the live agent who has the conversation
	byStranger                     // any other live agent on an attached leg
	byObserver
	byGone     // a live-agent leg that has left
	byDeparted // any other leg that has left or never was
	byImpostor // an author the leg cannot speak for
	byDesk     // a live agent of the bridge's own desk, without a leg

	byLive   = byCandidate | byOwner | byStranger
	byAnyone = bySystem | byCustomer | byVirtual | byPeople | byLive | byObserver
)

// voices says which author on which kind of leg is which source. A live agent
// on a live-agent leg, and a leg's customer, are looked at more closely.
//
//nolint:gochecknoglobals // a table that is never written.
var voices = map[[2]event.Role]source{
	{event.RoleCustomer, event.RoleCustomer}:         byCustomer,
	{event.RoleVirtualAgent, event.RoleVirtualAgent}: byVirtual,
	{event.RoleVirtualAgent, event.RoleCustomer}:     byCustomer,
	{event.RoleVirtualAgent, event.RoleLiveAgent}:    byPeople,
	{event.RoleLiveAgent, event.RoleLiveAgent}:       byStranger,
	{event.RoleObserver, event.RoleObserver}:         byObserver,
}

// spoken are the kinds that put words before the customer. Only their true
// author may utter them; other facts a leg may also report as system.
//
//nolint:gochecknoglobals // a table that is never written.
var spoken = map[event.Kind]bool{
	event.KindMessageCreated: true,
	event.KindMessagePartial: true,
	event.KindSurveyOffered:  true,
}

// sourceOf classifies the author of an input.
func sourceOf(s State, in Input) source {
	if in.Leg == "" {
		return legless(in.Actor.Role)
	}
	leg, ok := s.Leg(in.Leg)
	switch {
	case ok && leg.Detached && leg.Role == event.RoleLiveAgent:
		return byGone
	case !ok || leg.Detached:
		return byDeparted
	}
	from, ok := voices[[2]event.Role{leg.Role, voiceOn(leg, in)}]
	if !ok {
		return byImpostor
	}
	return s.place(from, leg, in.Actor)
}

// legless is who speaks through no leg.
func legless(role event.Role) source {
	switch role {
	case "", event.RoleSystem:
		return bySystem
	case event.RoleLiveAgent:
		return byDesk
	}
	return byImpostor
}

// voiceOn is the author's role on the leg: the leg's own where the author is
// not named, or where the leg reports a fact, not words, of another.
func voiceOn(leg Leg, in Input) event.Role {
	role := in.Actor.Role
	words := in.Body != nil && spoken[in.Body.Kind()]
	foreign := role == event.RoleSystem ||
		role == event.RoleCustomer && leg.Role == event.RoleVirtualAgent && !leg.HoldsCustomer
	switch {
	case role == "", foreign && !words:
		return leg.Role
	case foreign:
		return event.RoleSystem
	}
	return role
}

// place tells the live agents of a conversation apart.
func (s State) place(from source, leg Leg, actor event.Actor) source {
	if from != byStranger && from != byPeople {
		return from
	}
	switch {
	case s.Owner == Owner{Leg: leg.ID, Role: event.RoleLiveAgent} && s.sameAgent(actor):
		return byOwner
	case from == byStranger && s.Phase.Waiting() && leg.ID == s.Candidate:
		return byCandidate
	}
	return from
}

func (s State) sameAgent(actor event.Actor) bool {
	return actor.Role != event.RoleLiveAgent || actor.ID == "" || s.Agent.ID == "" || actor.ID == s.Agent.ID
}
