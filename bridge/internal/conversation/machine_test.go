package conversation_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
	. "github.com/footbridge/footbridge/bridge/internal/conversation"
	"pgregory.net/rapid"
)

// machine runs random inputs through Decide and keeps its own book of who has
// been given what the customer said.
type machine struct {
	t   *rapid.T
	top topology
	s   State
	f   Facts
	// said has the position of every message of the customer, with the legs
	// that were given it.
	said map[int64]map[string]bool
	// transcripts has, for each opened leg, the position its transcript ends at.
	transcripts map[string]int64
}

func TestMachine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &machine{t: t, f: facts(), said: map[int64]map[string]bool{}, transcripts: map[string]int64{}}
		m.top = rapid.SampledFrom([]topology{platformHolds, bridgeBetween, peopleOnly}).Draw(t, "topology")
		m.f.NextSeq = 1
		m.s, _ = Start(m.top.legs(), m.f).Attach(Leg{ID: "obs", Account: "assist", Role: event.RoleObserver})
		steps := rapid.IntRange(20, 120).Draw(t, "steps")
		for range steps {
			m.world()
			m.step(m.input())
		}
	})
}

// world draws what is true outside the conversation.
func (m *machine) world() {
	m.f.Backends = nil
	for _, account := range []string{"main", "spare"} {
		refusal := rapid.SampledFrom([]string{"", "", "", event.FailedOutOfHours}).Draw(m.t, "refusal")
		m.f.Backends = append(m.f.Backends, Backend{Account: account, Refusal: refusal, Own: account == "spare"})
	}
	m.f.LeaveMessage = rapid.Bool().Draw(m.t, "leave")
	m.f.UpTo = rapid.Int64Range(0, m.f.NextSeq-1).Draw(m.t, "upto")
	m.f.Settled = rapid.Int64Range(0, m.f.NextSeq-1).Draw(m.t, "settled")
}

func machineBodies() []event.Body {
	return []event.Body{
		words("a"), words("b"), words("c"), event.MessageCreated{Stream: "s1"}, event.MessageCreated{Stream: "s2"},
		event.MessagePartial{Stream: "s1"}, event.MessagePartial{Stream: "s2"}, event.SurveyOffered{},
		event.TypingStarted{}, event.MessageRead{}, event.ContextUpdated{}, event.NoteCreated{}, event.WrapupCompleted{},
		event.HandoffRequested{}, event.HandoffRequested{Waiting: 30}, event.HandoffQueued{}, event.HandoffOffered{},
		event.HandoffAccepted{}, event.HandoffAccepted{}, event.HandoffDeclined{}, event.HandoffFailed{}, event.HandoffCancelled{},
		event.HandbackRequested{}, event.HandbackCompleted{}, event.HandbackFailed{},
		event.TransferRequested{}, event.TransferRequested{Reason: ReasonAgentLost}, event.TransferCompleted{},
		event.CommandIssued{Name: event.CommandHistory}, event.CommandIssued{Name: event.CommandLogout}, event.CommandIssued{Name: "back"},
		event.Unknown{Name: "game.played"}, event.Extension{},
	}
}

// input draws what happens next: as often what leads on as anything at all.
func (m *machine) input() Input {
	if rapid.Bool().Draw(m.t, "purposeful") {
		return m.purposeful()
	}
	if rapid.IntRange(0, 15).Draw(m.t, "timer") == 0 {
		return m.timer()
	}
	if rapid.IntRange(0, 60).Draw(m.t, "end") == 0 {
		return Input{Leg: m.top.front(), Actor: by(event.RoleCustomer), Body: event.ConversationEnded{}}
	}
	legs := []string{"", m.top.front(), m.top.front(), "nowhere"}
	for _, leg := range m.s.Legs {
		legs = append(legs, leg.ID)
	}
	for _, id := range []string{m.s.Owner.Leg, m.s.Candidate} {
		if id != "" {
			legs = append(legs, id, id, id)
		}
	}
	in := Input{Leg: rapid.SampledFrom(legs).Draw(m.t, "leg"), Body: rapid.SampledFrom(machineBodies()).Draw(m.t, "body")}
	in.Actor = m.author(in.Leg)
	return in
}

// purposeful is an input that the phase waits for, or words of the customer.
func (m *machine) purposeful() Input {
	if rapid.IntRange(0, 2).Draw(m.t, "customer") == 0 {
		return Input{Leg: m.top.front(), Actor: by(event.RoleCustomer), Body: words("w")}
	}
	if m.s.Left.Waits() && rapid.Bool().Draw(m.t, "left") {
		return m.dealWithLeft()
	}
	desk := func(leg string, bodies ...event.Body) Input {
		return Input{Leg: leg, Actor: live("sam"), Body: rapid.SampledFrom(bodies).Draw(m.t, "next")}
	}
	switch m.s.Phase {
	case Requested, Queued, Offered:
		return desk(m.s.Candidate, event.HandoffQueued{}, event.HandoffAccepted{}, event.HandoffDeclined{}, words("w"))
	case Active:
		if rapid.IntRange(0, 3).Draw(m.t, "lost") == 0 {
			return Input{Actor: by(event.RoleSystem), Body: event.TransferRequested{Reason: ReasonAgentLost}}
		}
		return desk(m.s.Owner.Leg, event.HandbackRequested{}, event.TransferRequested{}, words("w"), event.MessageRead{})
	case Returning:
		done := rapid.SampledFrom([]event.Body{event.HandbackCompleted{}, event.HandbackFailed{}}).Draw(m.t, "done")
		return Input{Leg: "va", Actor: by(event.RoleVirtualAgent), Body: done}
	}
	if m.top == peopleOnly {
		return Input{Actor: by(event.RoleSystem), Body: event.HandoffRequested{}}
	}
	if rapid.IntRange(0, 3).Draw(m.t, "own") == 0 {
		return desk("va", event.HandoffAccepted{})
	}
	return Input{Leg: "va", Actor: by(event.RoleVirtualAgent), Body: event.HandoffRequested{}}
}

func (m *machine) author(leg string) event.Actor {
	l, _ := m.s.Leg(leg)
	roles := []event.Role{event.RoleSystem, event.RoleCustomer, event.RoleLiveAgent}
	if l.Role != "" {
		roles = append(roles, l.Role, l.Role, l.Role)
	}
	actor := by(rapid.SampledFrom(roles).Draw(m.t, "role"))
	if actor.Role == event.RoleLiveAgent {
		actor.ID = rapid.SampledFrom([]string{"sam", "sam", "sam", "eve", ""}).Draw(m.t, "agent")
	}
	return actor
}

func (m *machine) timer() Input {
	names := []TimerName{TimerWaiting, TimerAgentSilence, TimerCustomerSilence, TimerTotal}
	name := rapid.SampledFrom(names).Draw(m.t, "name")
	if at, runs := m.s.Deadlines[name]; runs && rapid.Bool().Draw(m.t, "due") && at.After(m.f.Now) {
		m.f.Now = at
	}
	return Input{Timer: name}
}

func (m *machine) step(in Input) {
	before := m.s
	beforeJSON := asJSON(before)
	step := Decide(before, in, m.f)
	if asJSON(before) != beforeJSON {
		m.t.Fatalf("Decide changed its input %s to %s", beforeJSON, asJSON(before))
	}
	m.forgetful(beforeJSON, in, step)
	if step.Refused != "" {
		if asJSON(step.State) != beforeJSON || len(step.Drafts)+len(step.Open)+len(step.Closed)+len(step.Resume) > 0 {
			m.t.Fatalf("refused %s, and yet something follows: %+v", step.Refused, step)
		}
		return
	}
	m.s = step.State
	m.book(step)
	m.quiet(before, step)
	m.owned(before, step)
	m.nothingLost()
	m.resumed(before)
	m.left(before, in, step)
}

// forgetful: a state read back from its JSON behaves the same.
func (m *machine) forgetful(stored string, in Input, step Step) {
	var s State
	if err := json.Unmarshal([]byte(stored), &s); err != nil {
		m.t.Fatal(err)
	}
	if again := Decide(s, in, m.f); asJSON(again) != asJSON(step) {
		m.t.Fatalf("after a round trip of the state:\n%s\nbefore:\n%s", asJSON(again), asJSON(step))
	}
}

// book writes down who was given what.
func (m *machine) book(step Step) {
	for _, d := range step.Drafts {
		kind := d.Body.Kind()
		if kind == event.KindHandoffRequested {
			for _, id := range d.To {
				m.transcripts[id] = m.f.NextSeq
			}
		}
		if kind == event.KindMessageCreated && d.Actor.Role == event.RoleCustomer {
			m.said[m.f.NextSeq] = map[string]bool{d.Leg: true}
			for _, id := range d.To {
				m.said[m.f.NextSeq][id] = true
			}
		}
		if !event.Transient(d.Body) && d.Body.Kind() != event.KindMessagePartial {
			m.f.NextSeq++
		}
	}
	for _, r := range step.Resume {
		for seq, legs := range m.said {
			if seq <= r.After {
				continue
			}
			if legs[r.Leg] {
				m.t.Fatalf("leg %s is given message %d a second time", r.Leg, seq)
			}
			legs[r.Leg] = true
		}
	}
}

// quiet: only the owner and the bridge speak to the customer, an observer to
// nobody but live agents, and nothing goes to a leg that has left.
func (m *machine) quiet(before State, step Step) {
	front, _ := before.Front()
	for _, d := range step.Drafts {
		for _, id := range d.To {
			leg, ok := m.s.Leg(id)
			was, _ := before.Leg(id)
			if !ok || was.Detached || id == d.Leg {
				m.t.Fatalf("%s of leg %q goes to leg %q", d.Body.Kind(), d.Leg, id)
			}
			if d.Actor.Role == event.RoleObserver && leg.Role != event.RoleLiveAgent {
				m.t.Fatalf("%s of an observer goes to the %s", d.Body.Kind(), leg.Role)
			}
		}
		if slices.Contains(d.To, front.ID) {
			m.mayReachCustomer(before, d)
		}
	}
}

func (m *machine) mayReachCustomer(before State, d Draft) {
	stream := ""
	switch body := d.Body.(type) {
	case event.MessageCreated:
		stream = body.Stream
	case event.MessagePartial:
		stream = body.Stream
	case event.SurveyOffered, event.TypingStarted:
	default:
		return // a fact, not words
	}
	speaker := Owner{Leg: d.Leg, Role: d.Actor.Role}
	toSoftware := m.top == platformHolds && d.Actor.Role == event.RoleCustomer
	begun := d.Actor.Role == event.RoleVirtualAgent && slices.Contains(before.OpenStreams, stream)
	system := d.Actor.Role == event.RoleSystem && d.Leg == ""
	if speaker != before.Owner && speaker != m.s.Owner && !system && !begun && !toSoftware &&
		!(d.Actor.Role == event.RoleSystem && d.Leg == before.Owner.Leg) {
		m.t.Fatalf("%s by %v reaches the customer; the owner is %v", d.Body.Kind(), speaker, m.s.Owner)
	}
}

// owned: one owner or nobody, and the one the phase asks for.
func (m *machine) owned(before State, step Step) {
	leg, ok := m.s.Leg(m.s.Owner.Leg)
	_, software := m.s.VirtualAgent()
	allowed := map[event.Role]bool{"": true}
	switch m.s.Phase {
	case Automated:
		allowed = map[event.Role]bool{event.RoleVirtualAgent: software, "": !software}
	case Active:
		allowed = map[event.Role]bool{event.RoleLiveAgent: true}
	case Requested, Queued, Offered:
		allowed[event.RoleLiveAgent] = m.s.Transferring
	}
	if role := m.s.Owner.Role; !allowed[role] || (role != "") != ok || ok && leg.Detached {
		m.t.Fatalf("%s is owned by %+v on %+v", m.s.Phase, m.s.Owner, leg)
	}
	if _, ok := m.s.Leg(m.s.Candidate); m.s.Phase.Waiting() != ok {
		m.t.Fatalf("%s with candidate %q", m.s.Phase, m.s.Candidate)
	}
	open := func(s State) bool { return s.Phase.Waiting() || s.Phase == Active || s.Phase == Returning }
	failedAtOnce := before.Phase == Automated && m.s.Phase == Automated &&
		slices.ContainsFunc(step.Drafts, func(d Draft) bool { return d.Body.Kind() == event.KindHandoffFailed })
	if step.HandoffOver != (open(before) && !open(m.s) || failedAtOnce) {
		m.t.Fatalf("from %s to %s: HandoffOver is %v", before.Phase, m.s.Phase, step.HandoffOver)
	}
	for _, leg := range step.Open {
		m.begins(leg, step)
	}
}

// begins: the first event of an opened leg is its request.
func (m *machine) begins(leg Leg, step Step) {
	for _, d := range step.Drafts {
		if slices.Contains(d.To, leg.ID) {
			if d.Body.Kind() != event.KindHandoffRequested {
				m.t.Fatalf("leg %s begins with %s", leg.ID, d.Body.Kind())
			}
			return
		}
	}
	m.t.Fatalf("leg %s is opened with nothing to begin with", leg.ID)
}

// nothingLost: every message of the customer has a reader, or is kept where the
// next owner will get it.
func (m *machine) nothingLost() {
	for seq, legs := range m.said {
		switch m.s.Phase {
		case Ended:
			return
		case Automated:
			// A platform that holds the customer has had the words itself; with
			// nobody to own it they are in the next request's transcript.
			if m.top == bridgeBetween && !m.read(seq, legs) {
				m.t.Fatalf("message %d has no reader: %v, %s", seq, legs, asJSON(m.s))
			}
		case Requested, Queued, Offered, Returning:
			after := m.s.RequestSeq
			if m.s.Phase == Returning {
				after = m.s.ResumeSeq
			}
			if m.top == bridgeBetween && !m.read(seq, legs) && seq <= after {
				m.t.Fatalf("message %d is kept, but would not be resumed: %s", seq, asJSON(m.s))
			}
		case Active:
			if until, opened := m.transcripts[m.s.Owner.Leg]; opened && seq > until && !legs[m.s.Owner.Leg] {
				m.t.Fatalf("message %d is not before the live agent: %v, %s", seq, legs, asJSON(m.s))
			}
		}
	}
}

// resumed: the virtual agent is given what the customer said since it gave the
// conversation away, when nobody took it, or since the live agent last looked.
func (m *machine) resumed(before State) {
	after := before.RequestSeq
	switch {
	case m.top != bridgeBetween || m.s.Phase != Automated:
		return
	case before.Phase == Returning:
		after = before.ResumeSeq
	case !before.Phase.Waiting() || before.Transferring:
		return
	}
	for seq, legs := range m.said {
		if seq > after && !legs["va"] {
			m.t.Fatalf("the virtual agent never hears message %d: %s", seq, asJSON(before))
		}
	}
}

// read reports whether a leg that may answer was given the message, or had it
// in the transcript it was opened with and took the conversation.
func (m *machine) read(seq int64, legs map[string]bool) bool {
	for id := range legs {
		if id != "cust" && id != "obs" {
			return true
		}
	}
	for _, until := range m.transcripts {
		if seq < until {
			return true
		}
	}
	return false
}

// TestDeadlinesBelongToTheirPhase: no timer outlives what it watches.
func TestDeadlinesBelongToTheirPhase(t *testing.T) {
	allowed := map[Phase][]TimerName{
		Automated: {TimerTotal}, Requested: {TimerWaiting}, Queued: {TimerWaiting}, Offered: {TimerWaiting},
		Active: {TimerAgentSilence, TimerCustomerSilence},
	}
	rapid.Check(t, func(t *rapid.T) {
		m := &machine{t: t, top: bridgeBetween, f: facts(), said: map[int64]map[string]bool{}, transcripts: map[string]int64{}}
		m.top = rapid.SampledFrom([]topology{platformHolds, bridgeBetween, peopleOnly}).Draw(t, "topology")
		m.f.NextSeq = 1
		m.s = Start(m.top.legs(), m.f)
		for range 40 {
			m.world()
			m.step(m.input())
			m.f.Now = m.f.Now.Add(time.Second)
			for name := range m.s.Deadlines {
				if !slices.Contains(allowed[m.s.Phase], name) {
					t.Fatalf("%s runs in %s", name, m.s.Phase)
				}
			}
			if m.s.Phase.Waiting() && m.s.Deadlines[TimerWaiting].IsZero() {
				t.Fatalf("nothing ends the wait in %s", m.s.Phase)
			}
		}
	})
}
