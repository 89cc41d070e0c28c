package conversation_test

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
	. "github.com/footbridge/footbridge/bridge/internal/conversation"
)

func asVirtual() event.Actor  { return by(event.RoleVirtualAgent) }
func asCustomer() event.Actor { return by(event.RoleCustomer) }
func asSystem() event.Actor   { return by(event.RoleSystem) }

func TestStartNumbersLegs(t *testing.T) {
	s := Start([]Leg{{Account: "web", Role: event.RoleCustomer}, {ID: "7", Account: "helper", Role: event.RoleVirtualAgent}, {Account: "assist", Role: event.RoleObserver}}, facts())
	var ids []string
	for _, leg := range s.Legs {
		ids = append(ids, leg.ID)
	}
	if want := []string{"1", "7", "8"}; !slices.Equal(ids, want) {
		t.Errorf("legs %q, want %q", ids, want)
	}
	if s.Phase != Automated || s.Owner != (Owner{Leg: "7", Role: event.RoleVirtualAgent}) {
		t.Errorf("starts %s owned by %+v", s.Phase, s.Owner)
	}
	front, _ := s.Front()
	va, _ := s.VirtualAgent()
	if front.ID != "1" || va.ID != "7" {
		t.Errorf("front %q, virtual agent %q", front.ID, va.ID)
	}
	if people := Start(peopleOnly.legs(), facts()); people.Owner != (Owner{}) {
		t.Errorf("without a virtual agent the owner is %+v", people.Owner)
	}
}

func TestAgentAcceptsAfterOurTimeout(t *testing.T) {
	k := begin(t, bridgeBetween)
	k.do("va", asVirtual(), event.HandoffRequested{})
	desk := k.s.Candidate
	step := k.fire(TimerWaiting)
	if d := draft(t, step, event.KindHandoffCancelled); !slices.Equal(d.To, []string{desk}) || d.Body != (event.HandoffCancelled{Reason: event.FailedTimedOut, By: event.RoleSystem}) {
		t.Errorf("the desk is told %+v", d)
	}
	if len(step.Open) > 0 {
		t.Errorf("another account is asked after the time is up: %v", step.Open)
	}
	k.phase(Automated, event.RoleVirtualAgent)
	k.refused(RefusedNoOffer, desk, live("sam"), event.HandoffAccepted{})
	k.refused(RefusedDetached, desk, live("sam"), words("hello?"))
}

func TestAgentAcceptsAfterCancel(t *testing.T) {
	k := begin(t, bridgeBetween)
	k.do("va", asVirtual(), event.HandoffRequested{})
	desk := k.s.Candidate
	step := k.do("va", asVirtual(), event.HandoffCancelled{})
	if !step.HandoffOver || !slices.Equal(step.Closed, []string{desk}) {
		t.Errorf("over %v, closed %v", step.HandoffOver, step.Closed)
	}
	k.refused(RefusedNoOffer, desk, live("sam"), event.HandoffAccepted{})
}

func TestBothClose(t *testing.T) {
	k := begin(t, platformHolds)
	desk := k.handoff()
	step := k.do("va", asVirtual(), event.ConversationEnded{Reason: "gone"})
	if !step.HandoffOver || len(k.s.Deadlines) > 0 {
		t.Errorf("over %v, deadlines %v", step.HandoffOver, k.s.Deadlines)
	}
	k.refused(RefusedEnded, desk, live("sam"), event.ConversationEnded{})
}

func TestBothActAtOnce(t *testing.T) {
	k := begin(t, bridgeBetween)
	k.do("va", asVirtual(), event.HandoffRequested{})
	desk := k.s.Candidate
	k.do(desk, live("sam"), event.HandoffAccepted{})
	k.refused(RefusedTaken, desk, live("kim"), event.HandoffAccepted{})
	k.refused(RefusedTaken, desk, live("sam"), event.HandoffAccepted{})
	k.refused(RefusedState, "va", asVirtual(), event.HandoffCancelled{})
	k.do(desk, live("sam"), event.HandbackRequested{})
	k.refused(RefusedNotOwner, desk, live("sam"), event.HandbackRequested{})
}

func TestSecondHandoffOfTheSameConversation(t *testing.T) {
	k := begin(t, bridgeBetween)
	first := k.handoff()
	k.do("cust", asCustomer(), words("thanks"))
	k.do(first, live("sam"), event.HandbackRequested{})
	step := k.do("va", asVirtual(), event.HandbackCompleted{})
	if !step.HandoffOver || !slices.Equal(step.Closed, []string{first}) {
		t.Errorf("over %v, closed %v", step.HandoffOver, step.Closed)
	}
	second := k.handoff()
	if second == first {
		t.Errorf("leg %s is used again", first)
	}
	k.phase(Active, event.RoleLiveAgent)
	k.refused(RefusedTaken, first, live("sam"), event.HandoffAccepted{})
	k.do(first, live("sam"), event.WrapupCompleted{Disposition: "solved"})
}

func TestDuplicateRequest(t *testing.T) {
	k := begin(t, platformHolds)
	k.do("va", asVirtual(), event.HandoffRequested{})
	k.refused(RefusedOpen, "va", asVirtual(), event.HandoffRequested{})
	k.do(k.s.Candidate, live("sam"), event.HandoffAccepted{})
	k.refused(RefusedOpen, "va", asVirtual(), event.HandoffRequested{})
}

func TestWordsForAnEndedConversation(t *testing.T) {
	k := begin(t, bridgeBetween)
	desk := k.handoff()
	k.do("cust", asCustomer(), event.ConversationEnded{})
	k.refused(RefusedEnded, "cust", asCustomer(), words("one more thing"))
	k.refused(RefusedEnded, desk, live("sam"), words("bye"))
	k.refused(RefusedEnded, "va", asVirtual(), words("bye"))
	k.refused(RefusedEnded, "", asSystem(), words("bye"))
	k.do(desk, live("sam"), event.WrapupCompleted{})
}

func TestObserverSpeaks(t *testing.T) {
	k := begin(t, platformHolds)
	k.s, _ = k.s.Attach(Leg{ID: "obs", Account: "assist", Role: event.RoleObserver})
	desk := k.handoff()
	k.refused(RefusedRole, "obs", by(event.RoleObserver), words("psst"))
	k.refused(RefusedRole, "obs", asSystem(), words("psst"))
	for _, body := range []event.Body{event.NoteCreated{Text: "angry"}, event.Extension{Name: "mood"}} {
		step := k.do("obs", by(event.RoleObserver), body)
		if to := step.Drafts[0].To; !slices.Equal(to, []string{desk}) {
			t.Errorf("%s of an observer goes to %q", body.Kind(), to)
		}
	}
}

func TestObserverIsNotHeardByVendorsOwnPeople(t *testing.T) {
	k := begin(t, platformHolds)
	k.s, _ = k.s.Attach(Leg{ID: "obs", Account: "assist", Role: event.RoleObserver})
	k.do("va", live("pat"), event.HandoffAccepted{})
	step := k.do("obs", by(event.RoleObserver), event.NoteCreated{Text: "angry"})
	if to := step.Drafts[0].To; len(to) > 0 {
		t.Errorf("a note goes to %q, which holds the customer", to)
	}
}

func TestAudienceOfAnObserverIsTheLiveAgent(t *testing.T) {
	s := phaseState(bridgeBetween, "active")
	for _, kind := range append(event.Kinds(), "game.played") {
		for _, id := range Audience(kind, event.RoleObserver, s, "obs") {
			if id != "own" {
				t.Errorf("%s of an observer is for %q", kind, id)
			}
		}
	}
}

// Whoever says them and whenever, notes and insights are for live agents alone.
func TestNotesAndInsightsAreForLiveAgentsAlone(t *testing.T) {
	roles := []event.Role{event.RoleCustomer, event.RoleVirtualAgent, event.RoleLiveAgent, event.RoleObserver, event.RoleSystem, "robot"}
	for _, top := range []topology{platformHolds, bridgeBetween, peopleOnly} {
		for _, phase := range phases() {
			s := phaseState(top, phase)
			for _, kind := range []event.Kind{event.KindInsightObserved, event.KindNoteCreated} {
				for _, role := range roles {
					for _, id := range Audience(kind, role, s, "") {
						if leg, _ := s.Leg(id); leg.Role != event.RoleLiveAgent {
							t.Errorf("%s of %s in %s is for %s, a %s", kind, role, phase, id, leg.Role)
						}
					}
				}
			}
		}
	}
}

func TestPlatformGoneEndsForTheAgent(t *testing.T) {
	k := begin(t, platformHolds)
	desk := k.handoff()
	step := k.do("va", asSystem(), event.ConversationEnded{Reason: "gone"})
	if d := draft(t, step, event.KindConversationEnded); !slices.Equal(d.To, []string{desk}) {
		t.Errorf("the end goes to %q, want the agent's leg %s", d.To, desk)
	}
}

func TestKeptWordsReachTheCandidateOnce(t *testing.T) {
	k := begin(t, bridgeBetween)
	k.do("va", asVirtual(), event.HandoffRequested{})
	desk, request := k.s.Candidate, k.s.RequestSeq
	if to := k.do("cust", asCustomer(), words("hello?")).Drafts[0].To; len(to) > 0 {
		t.Errorf("words before the desk answers go to %q", to)
	}
	step := k.do(desk, asSystem(), event.HandoffQueued{Position: 1})
	if want := []Resume{{Leg: desk, After: request}}; !reflect.DeepEqual(step.Resume, want) {
		t.Errorf("resumes %v, want %v", step.Resume, want)
	}
	if to := k.do("cust", asCustomer(), words("still there?")).Drafts[0].To; !slices.Equal(to, []string{desk}) {
		t.Errorf("words in the queue go to %q", to)
	}
	if step := k.do(desk, live("sam"), event.HandoffAccepted{}); len(step.Resume) > 0 {
		t.Errorf("what was shown in the queue is given again: %v", step.Resume)
	}
}

func TestNextBackendIsAskedWithTheSameRequest(t *testing.T) {
	k := begin(t, bridgeBetween)
	k.do("va", asVirtual(), event.HandoffRequested{Reason: "asked", Context: map[string]string{"plan": "gold"},
		Transcript: []event.TranscriptEntry{{Content: event.Plain("hi")}}})
	first, request := k.s.Candidate, k.s.RequestSeq
	if k.s.Handoff.Transcript != nil {
		t.Error("the state keeps the transcript")
	}
	k.do("cust", asCustomer(), words("hello?"))
	step := k.do(first, asSystem(), event.HandoffFailed{Reason: event.FailedQueueFull})
	second := k.s.Candidate
	d := draft(t, step, event.KindHandoffRequested)
	if !slices.Equal(d.To, []string{second}) || d.Actor.Role != event.RoleSystem || !reflect.DeepEqual(d.Body, k.s.Handoff) {
		t.Errorf("asks with %+v", d)
	}
	if k.s.RequestSeq != request || !slices.Equal(step.Closed, []string{first}) || step.HandoffOver {
		t.Errorf("request at %d, closed %v, over %v", k.s.RequestSeq, step.Closed, step.HandoffOver)
	}
	step = k.do(second, asSystem(), event.HandoffDeclined{})
	if d := step.Drafts[len(step.Drafts)-1]; d.Body != (event.HandoffFailed{Reason: event.FailedDeclined}) || !slices.Equal(d.To, []string{"cust", "va"}) {
		t.Errorf("the last draft is %+v", d)
	}
	if want := []Resume{{Leg: "va", After: request}}; !reflect.DeepEqual(step.Resume, want) || !step.HandoffOver {
		t.Errorf("resumes %v, want %v; over %v", step.Resume, want, step.HandoffOver)
	}
	k.phase(Automated, event.RoleVirtualAgent)
}

func TestNobodyTakesHandoffs(t *testing.T) {
	for name, c := range map[string]struct {
		backends []Backend
		leave    bool
		reason   string
		texts    []string
	}{
		"no backends":   {nil, false, event.FailedNoAgents, []string{event.FailedNoAgents}},
		"all refuse":    {[]Backend{{Account: "a", Refusal: event.FailedQueueFull}, {Account: "b", Refusal: event.FailedOutOfHours}}, false, event.FailedOutOfHours, []string{event.FailedOutOfHours}},
		"leave message": {[]Backend{{Account: "a", Refusal: event.FailedOutOfHours}}, true, event.FailedOutOfHours, []string{event.FailedOutOfHours, TextLeaveMessage}},
	} {
		k := begin(t, bridgeBetween)
		k.f.Backends, k.f.LeaveMessage = c.backends, c.leave
		step := k.do("va", asVirtual(), event.HandoffRequested{})
		if got := draft(t, step, event.KindHandoffFailed); got.Body != (event.HandoffFailed{Reason: c.reason}) {
			t.Errorf("%s: %+v", name, got)
		}
		if step.Drafts[0].Body.Kind() != event.KindHandoffRequested || !slices.Equal(textKeys(step), c.texts) || !step.HandoffOver {
			t.Errorf("%s: drafts %v, texts %q, over %v", name, step.Drafts, textKeys(step), step.HandoffOver)
		}
		k.phase(Automated, event.RoleVirtualAgent)
	}
}

func TestPeopleOnly(t *testing.T) {
	k := begin(t, peopleOnly)
	k.f.LeaveMessage, k.f.Backends = true, nil
	step := k.do("", asSystem(), event.HandoffRequested{})
	if got := textKeys(step); !slices.Equal(got, []string{event.FailedNoAgents, TextLeaveMessage}) {
		t.Errorf("texts %q", got)
	}
	k.phase(Automated, "")
	k.f.Backends = facts().Backends
	k.do("cust", asCustomer(), event.HandoffRequested{})
	desk := k.s.Candidate
	k.do(desk, live("sam"), event.HandoffAccepted{})
	k.refused(RefusedState, desk, live("sam"), event.HandbackRequested{})
	step = k.fire(TimerAgentSilence)
	if d := draft(t, step, event.KindConversationEnded); d.Body != (event.ConversationEnded{Reason: ReasonAgentSilent, By: event.RoleSystem}) || len(d.To) != 2 {
		t.Errorf("ends with %+v", d)
	}
}

func TestHopGuard(t *testing.T) {
	k := begin(t, bridgeBetween)
	back := func() {
		k.do(k.handoff(), live("sam"), event.HandbackRequested{})
		k.do("va", asVirtual(), event.HandbackCompleted{})
	}
	fail := func() Step {
		k.f.Backends = nil
		defer func() { k.f.Backends = facts().Backends }()
		return k.do("va", asVirtual(), event.HandoffRequested{})
	}
	back()
	fail()
	back()
	fail()
	step := k.do("va", asVirtual(), event.HandoffRequested{})
	if d := draft(t, step, event.KindHandoffFailed); d.Body != (event.HandoffFailed{Reason: event.FailedRejected}) {
		t.Errorf("the fifth hand-off ends with %+v", d)
	}
	k.do("cust", asCustomer(), words("please"))
	k.do("va", asVirtual(), event.HandoffRequested{})
	k.phase(Requested, "")
}

// A minute after the last hand-off that was tried the next is tried again, however
// often it was asked for in between: some platforms never show us the word of
// the customer that leads to the next hand-off.
func TestHopGuardForgetsAfterAWhile(t *testing.T) {
	k := begin(t, bridgeBetween)
	k.f.Backends = nil
	for range 4 {
		k.do("va", asVirtual(), event.HandoffRequested{})
	}
	k.f.Backends = facts().Backends
	for range 3 {
		k.f.Now = k.f.Now.Add(20 * time.Second)
		k.do("va", asVirtual(), event.HandoffRequested{})
		k.phase(Automated, event.RoleVirtualAgent)
	}
	k.f.Now = k.f.Now.Add(time.Second)
	k.do("va", asVirtual(), event.HandoffRequested{})
	k.phase(Requested, "")
}

func TestWaitingTakesTheShorterLimit(t *testing.T) {
	for _, c := range []struct {
		ours   time.Duration
		vendor int
		want   time.Duration
	}{{time.Minute, 0, time.Minute}, {time.Minute, 30, 30 * time.Second}, {time.Minute, 90, time.Minute}, {0, 30, 30 * time.Second}, {0, 0, 0}} {
		k := begin(t, platformHolds)
		k.f.Timers.Waiting = c.ours
		k.do("va", asVirtual(), event.HandoffRequested{Waiting: c.vendor})
		at, runs := k.s.Deadlines[TimerWaiting]
		if runs != (c.want > 0) || runs && at.Sub(k.f.Now) != c.want {
			t.Errorf("ours %v, vendor's %ds: waits until %v, want %v", c.ours, c.vendor, at, c.want)
		}
	}
}

func TestSilenceStartsAnew(t *testing.T) {
	k := begin(t, platformHolds)
	desk := k.handoff()
	started := k.f.Now
	k.f.Now = started.Add(10 * time.Minute)
	k.do(desk, live("sam"), event.TypingStarted{})
	if at := k.s.Deadlines[TimerAgentSilence]; at.Sub(started) != k.f.Timers.AgentSilence {
		t.Errorf("typing moved the agent's deadline to %v", at)
	}
	k.do(desk, live("sam"), words("hello"))
	k.do("va", asCustomer(), words("hello"))
	for name, limit := range map[TimerName]time.Duration{TimerAgentSilence: k.f.Timers.AgentSilence, TimerCustomerSilence: k.f.Timers.CustomerSilence} {
		if at := k.s.Deadlines[name]; at.Sub(k.f.Now) != limit {
			t.Errorf("%s at %v", name, at)
		}
	}
	if step := k.try(Input{Timer: TimerAgentSilence}); step.Refused != RefusedState {
		t.Errorf("a timer before its time: refused %q", step.Refused)
	}
	if step := k.try(Input{Timer: TimerWaiting}); step.Refused != RefusedState {
		t.Errorf("a timer that does not run: refused %q", step.Refused)
	}
}

func TestExpiryTellsBothPeople(t *testing.T) {
	k := begin(t, bridgeBetween)
	desk := k.handoff()
	step := k.fire(TimerAgentSilence)
	if d := draft(t, step, event.KindHandbackRequested); !slices.Equal(d.To, []string{"va", desk}) {
		t.Errorf("the handback goes to %q", d.To)
	}
	if got := textKeys(step); !slices.Equal(got, []string{TextAgentSilent}) {
		t.Errorf("texts %q", got)
	}
	k.phase(Returning, "")

	k = begin(t, bridgeBetween)
	desk = k.handoff()
	step = k.fire(TimerCustomerSilence)
	if d := draft(t, step, event.KindConversationEnded); !slices.Equal(d.To, []string{"cust", "va", desk}) {
		t.Errorf("the end goes to %q", d.To)
	}
}

func TestExpiryAfterHandbackIsSilent(t *testing.T) {
	k := begin(t, platformHolds)
	k.do(k.handoff(), live("sam"), event.HandbackRequested{})
	k.do("va", asVirtual(), event.HandbackCompleted{})
	k.f.Now = k.f.Now.Add(time.Hour)
	k.do("va", asCustomer(), words("still with the virtual agent"))
	if at := k.s.Deadlines[TimerTotal]; at.Sub(k.f.Now) != k.f.Timers.Total {
		t.Errorf("ends at %v, want a day after the last input", at)
	}
	step := k.fire(TimerTotal)
	if len(step.Drafts) != 1 || len(step.Drafts[0].To) > 0 || step.HandoffOver {
		t.Errorf("tells %+v, over %v", step.Drafts, step.HandoffOver)
	}
	k.phase(Ended, "")

	k = begin(t, bridgeBetween)
	k.do(k.handoff(), live("sam"), event.HandbackRequested{})
	k.do("va", asVirtual(), event.HandbackCompleted{})
	if len(k.s.Deadlines) > 0 {
		t.Errorf("a conversation we stand between has deadlines %v", k.s.Deadlines)
	}
}

func TestSystemTextsCanBeSwitchedOff(t *testing.T) {
	for name, text := range map[string]func(string) string{"no texts": nil, "empty": func(string) string { return "" }} {
		k := begin(t, bridgeBetween)
		k.f.Text, k.f.Backends = text, nil
		if got := textKeys(k.do("va", asVirtual(), event.HandoffRequested{})); len(got) > 0 {
			t.Errorf("%s: texts %q", name, got)
		}
	}
}

// TestPlaceInWords: a customer whose platform shows no place in a queue is told
// each one a desk tells, and no other.
func TestPlaceInWords(t *testing.T) {
	for _, in := range []bool{true, false} {
		k := begin(t, platformHolds)
		k.s.Legs[0].PlaceInWords = in
		k.f.Text = func(key string) string { return key + " {position}" }
		k.do("va", asVirtual(), event.HandoffRequested{})
		desk := k.s.Candidate
		for _, q := range []struct {
			position int
			want     []string
		}{{0, nil}, {3, []string{"queue_position 3"}}, {2, []string{"queue_position 2"}}} {
			if !in {
				q.want = nil
			}
			step := k.do(desk, live(""), event.HandoffQueued{Position: q.position})
			if got := textKeys(step); !slices.Equal(got, q.want) {
				t.Errorf("in words %t, position %d: told %q, want %q", in, q.position, got, q.want)
			}
			if len(q.want) > 0 && !slices.Equal(step.Drafts[1].To, []string{"va"}) {
				t.Errorf("the place is told to %q", step.Drafts[1].To)
			}
		}
	}
}

func TestTextKeysAreAllThatIsSaid(t *testing.T) {
	keys := TextKeys()
	for _, phase := range phases() {
		for _, in := range inputs() {
			for _, top := range []topology{platformHolds, bridgeBetween} {
				for _, key := range textKeys(Decide(phaseState(top, phase), in, facts())) {
					if !slices.Contains(keys, key) {
						t.Errorf("%q is said and not listed", key)
					}
				}
			}
		}
	}
}

// The virtual agent's own people are on its platform, which knows what it is to
// log out.
func TestLogoutIsForThePlatformOfTheOwner(t *testing.T) {
	k := begin(t, bridgeBetween)
	k.do("va", live("pat"), event.HandoffAccepted{})
	step := k.do("cust", asCustomer(), event.CommandIssued{Name: event.CommandLogout})
	if d := draft(t, step, event.KindCommandIssued); !slices.Equal(d.To, []string{"va"}) || len(step.Drafts) != 1 {
		t.Errorf("to %v, with %v", d.To, step.Drafts)
	}
	k.phase(Active, event.RoleLiveAgent)
	people := begin(t, peopleOnly)
	people.do("cust", asCustomer(), event.CommandIssued{Name: event.CommandLogout})
	people.phase(Ended, "")
}

// TestPlaceInTheVendorsLineInWords: the bridge tells it where the customer's own
// platform shows none, and not where the virtual agent's holds them.
func TestPlaceInTheVendorsLineInWords(t *testing.T) {
	for top, want := range map[topology][]string{bridgeBetween: {"queue_position 3"}, platformHolds: nil} {
		k := begin(t, top)
		k.s.Legs[0].PlaceInWords = true
		k.f.Text = func(key string) string { return key + " {position}" }
		step := k.do("va", live("pat"), event.HandoffQueued{Position: 3})
		if got := textKeys(step); !slices.Equal(got, want) {
			t.Errorf("topology %d: told %q, want %q", top, got, want)
		}
	}
}

// TestOneRatingAfterTheEnd: who has left says how it was, once; nobody else does.
func TestOneRatingAfterTheEnd(t *testing.T) {
	k := begin(t, bridgeBetween)
	answer := event.SurveyAnswered{Score: "5"}
	k.do("cust", asCustomer(), event.SurveyAnswered{Score: "4"})
	k.do("cust", asCustomer(), event.ConversationEnded{Reason: "left", By: event.RoleCustomer})
	k.refused(RefusedEnded, "va", asVirtual(), answer)
	step := k.do("cust", asCustomer(), answer)
	if d := draft(t, step, event.KindSurveyAnswered); len(d.To) != 0 || len(step.Drafts) != 1 {
		t.Errorf("to %v, with %v", d.To, step.Drafts)
	}
	k.phase(Ended, "")
	k.refused(RefusedEnded, "cust", asCustomer(), answer)
}
