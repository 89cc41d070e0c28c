package conversation_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
	. "github.com/footbridge/footbridge/bridge/internal/conversation"
	"pgregory.net/rapid"
)

// Words of testdata/left.txt before a phase.
const (
	leftPrefix  = "left_"
	askedPrefix = "asked_"
)

// leftIn reads what a phase of the file says of a message that was left.
func leftIn(phase string) (Left, string) {
	if rest, ok := strings.CutPrefix(phase, leftPrefix); ok {
		return Left{Asked: 3, Since: now().Add(-time.Hour)}, rest
	}
	if rest, ok := strings.CutPrefix(phase, askedPrefix); ok {
		return Left{Asked: 3}, rest
	}
	return Left{}, phase
}

func leftWord(l Left) string {
	switch {
	case l.Waits():
		return leftPrefix
	case l.Asked > 0:
		return askedPrefix
	}
	return ""
}

// TestLeftExpectations compares Decide with the hand-written file where a message
// is asked for or was left.
func TestLeftExpectations(t *testing.T) {
	all, some := inputs(), map[string]Input{}
	for _, name := range []string{"customer-message", "legless-accepted", "gone-accepted", "legless-wrapup", "gone-wrapup", "legless-message",
		"va-handoff-requested", "accepted", "timer-waiting", "people-accepted", "customer-ended"} {
		some[name] = all[name]
	}
	checkFile(t, "testdata/left.txt", some, []string{"asked_automated", "asked_requested", "asked_queued", "asked_ended",
		"left_automated", "left_requested", "left_queued", "left_offered", "left_ended"})
}

// refuseAll lets nobody take a hand-off.
func (k *talk) refuseAll(reason string) {
	for i := range k.f.Backends {
		k.f.Backends[i].Refusal = reason
	}
}

// leaves brings the conversation to where the customer has left a message.
func leaves(t *testing.T, top topology) *talk {
	t.Helper()
	k := begin(t, top)
	k.f.LeaveMessage = true
	k.refuseAll(event.FailedOutOfHours)
	if top == peopleOnly {
		k.do("", by(event.RoleSystem), event.HandoffRequested{})
	} else {
		k.do("va", by(event.RoleVirtualAgent), event.HandoffRequested{})
	}
	if k.s.Left != (Left{Asked: 3}) { // after the request and the text for it
		t.Fatalf("asked for a message: %+v", k.s.Left)
	}
	k.f.Now = k.f.Now.Add(time.Minute)
	k.do(top.front(), by(event.RoleCustomer), words("call me"))
	if want := (Left{Asked: 3, Since: k.f.Now}); k.s.Left != want {
		t.Fatalf("left: %+v, want %+v", k.s.Left, want)
	}
	return k
}

// TestLeftIsTakenUp: an agent of our own desk takes up what was left though
// nothing is open; the leg begins with the request and nothing is told twice; the
// way back to the virtual agent is the usual one.
func TestLeftIsTakenUp(t *testing.T) {
	k := leaves(t, bridgeBetween)
	k.f.Now = k.f.Now.Add(time.Hour)
	k.do("cust", by(event.RoleCustomer), words("or write"))
	step := k.do("", live("kim"), event.HandoffAccepted{})
	k.phase(Active, event.RoleLiveAgent)
	if len(step.Open) != 1 || step.Open[0].Account != "spare" || step.Open[0].ID != k.s.Owner.Leg || len(step.Resume) != 0 || step.HandoffOver {
		t.Fatalf("taken up: %+v", step)
	}
	asked, accepted := draft(t, step, event.KindHandoffRequested), draft(t, step, event.KindHandoffAccepted)
	if body := asked.Body.(event.HandoffRequested); body.Reason != ReasonLeftMessage || asked.Actor.Role != event.RoleSystem || !slices.Equal(asked.To, []string{k.s.Owner.Leg}) {
		t.Errorf("the leg begins with %+v", asked)
	}
	if !accepted.Input || accepted.Leg != k.s.Owner.Leg || accepted.Actor != live("kim") || k.s.Agent != live("kim") {
		t.Errorf("accepted: %+v by %+v", accepted, k.s.Agent)
	}
	if k.s.Left != (Left{}) || k.s.Requester != "va" || k.s.Handoff.Reason != ReasonLeftMessage {
		t.Errorf("afterwards: %s", asJSON(k.s))
	}
	k.refused(RefusedTaken, "", live("eve"), event.HandoffAccepted{})
	k.refused(RefusedNoOffer, "", live("eve"), event.WrapupCompleted{})
	if to := draft(t, k.do("cust", by(event.RoleCustomer), words("thanks")), event.KindMessageCreated).To; !slices.Contains(to, k.s.Owner.Leg) || slices.Contains(to, "va") {
		t.Errorf("later words go to %v", to)
	}
	own := k.s.Owner.Leg
	k.do(own, live("kim"), words("we call you"))
	k.do(own, live("kim"), event.HandbackRequested{})
	back := k.do("va", by(event.RoleVirtualAgent), event.HandbackCompleted{})
	k.phase(Automated, event.RoleVirtualAgent)
	if want := []Resume{{Leg: "va", After: int64(len(k.log) - 2)}}; !slices.Equal(back.Resume, want) {
		t.Errorf("the virtual agent is resumed %v, want %v: nothing the agent has answered", back.Resume, want)
	}
}

// TestLeftWithoutDesk: where the route has no desk of ours nobody can take it up,
// but somebody can still say that it is dealt with.
func TestLeftWithoutDesk(t *testing.T) {
	k := leaves(t, peopleOnly)
	k.f.Backends = []Backend{{Account: "main"}}
	k.refused(RefusedNoOffer, "", live("kim"), event.HandoffAccepted{})
	k.do("cust", by(event.RoleCustomer), event.ConversationEnded{})
	if !k.s.Left.Waits() {
		t.Fatal("the end takes the message away")
	}
	k.refused(RefusedEnded, "", live("kim"), event.HandoffAccepted{})
	k.do("", live("kim"), event.WrapupCompleted{Disposition: "called"})
	k.phase(Ended, "")
	k.refused(RefusedNoOffer, "", live("eve"), event.WrapupCompleted{})
}

// TestLeftOutlastsAHandoff: it waits from when it was left, whatever fails later,
// until somebody has it; then words are no left message any more.
func TestLeftOutlastsAHandoff(t *testing.T) {
	k := leaves(t, bridgeBetween)
	left := k.s.Left
	k.f.Now = k.f.Now.Add(time.Hour)
	k.do("va", by(event.RoleVirtualAgent), event.HandoffRequested{})
	k.do("cust", by(event.RoleCustomer), words("still there"))
	if k.s.Left != left {
		t.Fatalf("a later hand-off makes it %+v, want %+v", k.s.Left, left)
	}
	k.f.Backends[0].Refusal = ""
	k.handoff()
	k.do(k.s.Owner.Leg, live("sam"), event.HandbackRequested{})
	k.do("va", by(event.RoleVirtualAgent), event.HandbackCompleted{})
	if step := k.do("cust", by(event.RoleCustomer), words("to the virtual agent")); k.s.Left != (Left{}) || len(step.Drafts) != 1 {
		t.Errorf("after a live agent had it: %+v, %v", k.s.Left, step.Drafts)
	}
}

// TestLeftInParts: where the bridge itself looks for a person at every word, who
// adds to what they left is not asked for it again.
func TestLeftInParts(t *testing.T) {
	k := leaves(t, peopleOnly)
	step := k.do("", by(event.RoleSystem), event.HandoffRequested{})
	if got := textKeys(step); len(got) > 0 || draft(t, step, event.KindHandoffFailed).Actor.Role != event.RoleSystem {
		t.Errorf("the customer is told %q", got)
	}
	k.do("", live("kim"), event.WrapupCompleted{})
	if got := textKeys(k.do("", by(event.RoleSystem), event.HandoffRequested{})); !slices.Equal(got, []string{event.FailedOutOfHours, TextLeaveMessage}) {
		t.Errorf("after it was dealt with the customer is told %q", got)
	}
}

// TestNothingIsLeft where the route does not ask for it.
func TestNothingIsLeft(t *testing.T) {
	k := begin(t, bridgeBetween)
	k.refuseAll(event.FailedOutOfHours)
	k.do("va", by(event.RoleVirtualAgent), event.HandoffRequested{})
	if step := k.do("cust", by(event.RoleCustomer), words("hello?")); k.s.Left != (Left{}) || len(step.Drafts) != 1 {
		t.Errorf("left: %+v, %v", k.s.Left, step.Drafts)
	}
	k.refused(RefusedNoOffer, "", live("kim"), event.HandoffAccepted{})
}

// dealWithLeft is somebody at the desk who takes up what was left, or says that it
// is dealt with.
func (m *machine) dealWithLeft() Input {
	return Input{Actor: live("kim"), Body: rapid.SampledFrom([]event.Body{event.HandoffAccepted{}, event.HandoffAccepted{}, event.WrapupCompleted{}}).Draw(m.t, "deal")}
}

// left: what was left waits until a live agent has the conversation or somebody
// without a leg says that it is dealt with, and one is left by words of the
// customer alone, after they were asked.
func (m *machine) left(before State, in Input, step Step) {
	was, is := before.Left, m.s.Left
	told := slices.ContainsFunc(step.Drafts, func(d Draft) bool { return d.Body.Kind() == event.KindMessageLeft })
	words := in.Body != nil && in.Body.Kind() == event.KindMessageCreated && in.Actor.Role == event.RoleCustomer
	done := in.Body != nil && in.Body.Kind() == event.KindWrapupCompleted && in.Leg == ""
	switch {
	case m.s.Owner.Role == event.RoleLiveAgent:
		if is != (Left{}) {
			m.t.Fatalf("a live agent has the conversation, and yet %+v is left", is)
		}
	case was.Waits() && is != was:
		if is != (Left{}) || !done {
			m.t.Fatalf("%+v becomes %+v by %T", was, is, in.Body)
		}
	case is.Waits() && !was.Waits():
		if !words || was.Asked == 0 || !told {
			m.t.Fatalf("left by %T, asked for at %d, told: %v", in.Body, was.Asked, told)
		}
	case words && was.Asked > 0 && !was.Waits():
		m.t.Fatalf("words leave nothing though asked for at %d", was.Asked)
	case told:
		m.t.Fatalf("told of a message that is not left: %+v", is)
	}
}

// TestLeftGivenBackAtOnce: what the virtual agent had before it was taken up it is
// not given again.
func TestLeftGivenBackAtOnce(t *testing.T) {
	k := leaves(t, bridgeBetween)
	before := int64(len(k.log))
	k.do("", live("kim"), event.HandoffAccepted{})
	k.do(k.s.Owner.Leg, live("kim"), event.HandbackRequested{})
	step := k.do("va", by(event.RoleVirtualAgent), event.HandbackCompleted{})
	if want := []Resume{{Leg: "va", After: before + 1}}; !slices.Equal(step.Resume, want) {
		t.Errorf("resumed %v, want %v", step.Resume, want)
	}
}
