package conversation_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
	. "github.com/footbridge/footbridge/bridge/internal/conversation"
)

// now is where every test begins.
func now() time.Time { return time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC) }

// topology is who holds the customer.
type topology int

const (
	platformHolds topology = 1 // the virtual agent's leg carries the customer
	bridgeBetween topology = 2 // the customer has a leg of their own
	peopleOnly    topology = 3 // and there is no virtual agent
)

func (t topology) front() string {
	if t == platformHolds {
		return "va"
	}
	return "cust"
}

func (t topology) legs() []Leg {
	va := Leg{ID: "va", Account: "studio", Role: event.RoleVirtualAgent, HoldsCustomer: t == platformHolds}
	customer := Leg{ID: "cust", Account: "web", Role: event.RoleCustomer}
	switch t {
	case platformHolds:
		return []Leg{va}
	case peopleOnly:
		return []Leg{customer}
	}
	return []Leg{customer, va}
}

func facts() Facts {
	return Facts{Now: now(), NextSeq: 20,
		Timers:   Timers{Waiting: 5 * time.Minute, AgentSilence: time.Hour, CustomerSilence: 2 * time.Hour, Total: 24 * time.Hour},
		Backends: []Backend{{Account: "main"}, {Account: "spare", Own: true}},
		Text:     func(key string) string { return key }}
}

func live(id string) event.Actor { return event.Actor{Role: event.RoleLiveAgent, ID: id} }

func by(role event.Role) event.Actor { return event.Actor{Role: role} }

func words(text string) event.Body { return event.MessageCreated{Content: event.Plain(text)} }

// talk is a conversation under test: it gives inputs one after the other, each
// at the next position.
type talk struct {
	t *testing.T
	s State
	f Facts
	// log has every recorded draft, its position counting from 1.
	log []Draft
}

func begin(t *testing.T, top topology) *talk {
	t.Helper()
	f := facts()
	f.NextSeq = 1
	return &talk{t: t, s: Start(top.legs(), f), f: f}
}

// do gives an input that must be allowed.
func (k *talk) do(leg string, actor event.Actor, body event.Body) Step {
	k.t.Helper()
	step := k.try(Input{Leg: leg, Actor: actor, Body: body})
	if step.Refused != "" {
		k.t.Fatalf("%s by %s on leg %q in %s: refused %s", body.Kind(), actor.Role, leg, k.s.Phase, step.Refused)
	}
	return step
}

// refused gives an input that must be refused for the reason.
func (k *talk) refused(reason, leg string, actor event.Actor, body event.Body) {
	k.t.Helper()
	before := asJSON(k.s)
	step := k.try(Input{Leg: leg, Actor: actor, Body: body})
	if step.Refused != reason {
		k.t.Fatalf("%s by %s on leg %q in %s: refused %q, want %q", body.Kind(), actor.Role, leg, k.s.Phase, step.Refused, reason)
	}
	if len(step.Drafts) > 0 || asJSON(k.s) != before {
		k.t.Fatalf("a refused input changed the conversation: %s, drafts %v", asJSON(k.s), step.Drafts)
	}
}

// fire lets a timer run out.
func (k *talk) fire(name TimerName) Step {
	k.t.Helper()
	at, runs := k.s.Deadlines[name]
	if !runs {
		k.t.Fatalf("timer %s does not run in %s: %v", name, k.s.Phase, k.s.Deadlines)
	}
	k.f.Now = at
	step := k.try(Input{Timer: name})
	if step.Refused != "" {
		k.t.Fatalf("timer %s in %s: refused %s", name, k.s.Phase, step.Refused)
	}
	return step
}

func (k *talk) try(in Input) Step {
	step := Decide(k.s, in, k.f)
	k.s = step.State
	for _, d := range step.Drafts {
		if !event.Transient(d.Body) && d.Body.Kind() != event.KindMessagePartial {
			k.log = append(k.log, d)
		}
	}
	k.f.NextSeq = int64(len(k.log)) + 1
	return step
}

// handoff brings the conversation to a live agent "sam" and gives the leg.
func (k *talk) handoff() string {
	k.t.Helper()
	k.do("va", by(event.RoleVirtualAgent), event.HandoffRequested{Reason: "asked"})
	leg := k.s.Candidate
	k.do(leg, live("sam"), event.HandoffAccepted{})
	return leg
}

func (k *talk) phase(want Phase, owner event.Role) {
	k.t.Helper()
	if k.s.Phase != want || k.s.Owner.Role != owner {
		k.t.Fatalf("phase %s with owner %q, want %s with %q", k.s.Phase, k.s.Owner.Role, want, owner)
	}
}

// draft finds the draft of a kind in a step.
func draft(t *testing.T, step Step, kind event.Kind) Draft {
	t.Helper()
	for _, d := range step.Drafts {
		if d.Body.Kind() == kind {
			return d
		}
	}
	t.Fatalf("no %s among %v", kind, step.Drafts)
	return Draft{}
}

// textKeys are the system texts of a step, in order.
func textKeys(step Step) []string {
	var keys []string
	for _, d := range step.Drafts {
		if m, ok := d.Body.(event.MessageCreated); ok && d.Leg == "" && !d.Input {
			keys = append(keys, m.Content.Part.(event.Text).Text)
		}
	}
	return keys
}

func asJSON(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(data)
}
