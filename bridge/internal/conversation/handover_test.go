package conversation_test

import (
	"reflect"
	"slices"
	"testing"

	"github.com/footbridge/footbridge/bridge/event"
	. "github.com/footbridge/footbridge/bridge/internal/conversation"
)

func TestHandbackResumesAfterWhatTheAgentSaw(t *testing.T) {
	for name, c := range map[string]struct {
		upTo, read, settled int64
		speaks              bool
		want                int64
	}{
		"what the handback names":     {upTo: 4, read: 5, settled: 6, want: 4},
		"what the agent read":         {read: 5, settled: 6, want: 5},
		"what the leg settled":        {settled: 4, speaks: true, want: 4},
		"the agent's own last words":  {speaks: true, want: 6},
		"nothing known":               {want: 1},
		"never before the request":    {upTo: 0, read: 0, settled: 0, want: 1},
		"a place the agent never saw": {upTo: 1, want: 1},
	} {
		k := begin(t, bridgeBetween)
		desk := k.handoff() // events 1 and 2
		for range 3 {
			k.do("cust", asCustomer(), words("and?")) // 3, 4, 5
		}
		if c.speaks {
			k.do(desk, live("sam"), words("so")) // 6
		}
		k.f.UpTo = c.read
		if c.read > 0 {
			k.do(desk, live("sam"), event.MessageRead{})
		}
		k.f.UpTo, k.f.Settled = c.upTo, c.settled
		k.do(desk, live("sam"), event.HandbackRequested{})
		if k.s.ResumeSeq != c.want {
			t.Errorf("%s: resumes after %d, want %d", name, k.s.ResumeSeq, c.want)
		}
		k.f.UpTo, k.f.Settled = 0, 0
		k.do("cust", asCustomer(), words("are you there?"))
		step := k.do("va", asVirtual(), event.HandbackCompleted{})
		if want := []Resume{{Leg: "va", After: c.want}}; !reflect.DeepEqual(step.Resume, want) {
			t.Errorf("%s: %v, want %v", name, step.Resume, want)
		}
		k.phase(Automated, event.RoleVirtualAgent)
	}
}

func TestNeverBeforeTheRequest(t *testing.T) {
	k := begin(t, bridgeBetween)
	for range 4 {
		k.do("cust", asCustomer(), words("hi"))
	}
	desk := k.handoff()
	k.f.UpTo = 2
	k.do(desk, live("sam"), event.HandbackRequested{})
	if k.s.ResumeSeq != 5 {
		t.Errorf("resumes after %d: the virtual agent has had what came before its request at 5", k.s.ResumeSeq)
	}
}

func TestSayAgainWhereWordsCannotBeHandedOver(t *testing.T) {
	k := begin(t, platformHolds)
	desk := k.handoff()
	k.do(desk, live("sam"), words("bye"))
	k.do("va", asCustomer(), words("one more thing"))
	step := k.do(desk, live("sam"), event.HandbackRequested{})
	if got := textKeys(step); !slices.Equal(got, []string{TextSayAgain}) {
		t.Fatalf("texts %q", got)
	}
	if step.Drafts[0].Body.Kind() != event.KindMessageCreated || !slices.Equal(step.Drafts[0].To, []string{"va"}) {
		t.Errorf("the text is not before the handback, or goes elsewhere: %+v", step.Drafts)
	}
	if step := k.do("va", asVirtual(), event.HandbackCompleted{}); len(step.Resume) > 0 {
		t.Errorf("resumes %v on a platform that has the words", step.Resume)
	}

	k = begin(t, platformHolds)
	desk = k.handoff()
	k.do("va", asCustomer(), words("thanks"))
	k.do(desk, live("sam"), words("bye"))
	if got := textKeys(k.do(desk, live("sam"), event.HandbackRequested{})); len(got) > 0 {
		t.Errorf("texts %q, with every word answered", got)
	}

	k = begin(t, bridgeBetween)
	desk = k.handoff()
	k.do("cust", asCustomer(), words("one more thing"))
	if got := textKeys(k.do(desk, live("sam"), event.HandbackRequested{})); len(got) > 0 {
		t.Errorf("texts %q, where the words are handed over", got)
	}
}

func TestHandbackFailedGivesKeptWordsToTheAgent(t *testing.T) {
	k := begin(t, bridgeBetween)
	desk := k.handoff()
	k.do(desk, live("sam"), event.HandbackRequested{})
	handback := int64(len(k.log))
	k.do("cust", asCustomer(), words("hello?"))
	step := k.do("va", asSystem(), event.HandbackFailed{Reason: "down"})
	if want := []Resume{{Leg: desk, After: handback}}; !reflect.DeepEqual(step.Resume, want) {
		t.Errorf("resumes %v, want %v", step.Resume, want)
	}
	k.phase(Active, event.RoleLiveAgent)
	k.do(desk, live("sam"), words("I am still here"))
}

func TestStreamBegunBeforeTheRequestMayFinish(t *testing.T) {
	k := begin(t, bridgeBetween)
	piece := func(stream string) Draft {
		return k.do("va", asVirtual(), event.MessagePartial{Stream: stream, Mode: "append", Text: "w"}).Drafts[0]
	}
	piece("begun")
	desk := k.handoff()
	if to := piece("begun").To; !slices.Contains(to, "cust") {
		t.Errorf("a piece of the message that was begun goes to %q", to)
	}
	if to := piece("late").To; slices.Contains(to, "cust") {
		t.Errorf("a piece of a later message goes to %q", to)
	}
	whole := func(stream string) []string {
		return k.do("va", asVirtual(), event.MessageCreated{Content: event.Plain("w"), Stream: stream}).Drafts[0].To
	}
	if to := whole("begun"); !slices.Equal(to, []string{"cust", desk}) {
		t.Errorf("its end goes to %q, want customer and agent", to)
	}
	for _, stream := range []string{"begun", "late", ""} {
		if to := whole(stream); !slices.Equal(to, []string{desk}) {
			t.Errorf("later words of stream %q go to %q, want the agent only", stream, to)
		}
	}
}

func TestClosingAStreamLeavesTheOldStateAlone(t *testing.T) {
	k := begin(t, bridgeBetween)
	for _, stream := range []string{"a", "b", "c"} {
		k.do("va", asVirtual(), event.MessagePartial{Stream: stream, Mode: "append"})
	}
	before := k.s
	k.do("va", asVirtual(), event.MessageCreated{Stream: "a"})
	if want := []string{"a", "b", "c"}; !slices.Equal(before.OpenStreams, want) {
		t.Errorf("the old state has streams %q, want %q", before.OpenStreams, want)
	}
}

func TestStreamsAreBounded(t *testing.T) {
	k := begin(t, bridgeBetween)
	for i := range 100 {
		k.do("va", asVirtual(), event.MessagePartial{Stream: string(rune('a' + i)), Mode: "append"})
	}
	if n := len(k.s.OpenStreams); n != 32 {
		t.Errorf("remembers %d streams, want 32", n)
	}
}

func TestVendorsOwnPeople(t *testing.T) {
	for _, top := range []topology{platformHolds, bridgeBetween} {
		k := begin(t, top)
		k.do("va", asVirtual(), event.HandoffRequested{})
		desk, request := k.s.Candidate, k.s.RequestSeq
		k.do(top.front(), asCustomer(), words("hello?"))
		step := k.do("va", live("pat"), event.HandoffAccepted{})
		k.phase(Active, event.RoleLiveAgent)
		if d := draft(t, step, event.KindHandoffCancelled); !slices.Equal(d.To, []string{desk}) || !slices.Equal(step.Closed, []string{desk}) {
			t.Errorf("topology %d: the desk is told %+v, closed %v", top, d, step.Closed)
		}
		want := []Resume{{Leg: "va", After: request}}
		if top == platformHolds {
			want = nil
		}
		if !reflect.DeepEqual(step.Resume, want) {
			t.Errorf("topology %d: resumes %v, want %v", top, step.Resume, want)
		}
		k.refused(RefusedNotOwner, "va", live("eve"), words("me too"))
		k.do("va", live("pat"), words("hello"))
		step = k.do("va", live("pat"), event.HandbackRequested{})
		if !step.HandoffOver || len(step.Resume) > 0 {
			t.Errorf("topology %d: over %v, resumes %v", top, step.HandoffOver, step.Resume)
		}
		k.phase(Automated, event.RoleVirtualAgent)
	}
}

func TestVendorsOwnPeopleLostAfterTransferIsNotHeardTwice(t *testing.T) {
	k := begin(t, bridgeBetween)
	k.do("va", live("pat"), event.HandoffAccepted{})
	k.do("cust", asCustomer(), words("to pat")) // delivered to the virtual agent's leg
	k.do("", asSystem(), event.TransferRequested{Reason: ReasonAgentLost})
	lost := int64(len(k.log))
	k.do("cust", asCustomer(), words("to nobody"))
	step := k.fire(TimerWaiting)
	if len(step.Resume) != 1 || step.Resume[0].After < 2 || step.Resume[0].After > lost {
		t.Errorf("resumes %v: words up to the loss have been there", step.Resume)
	}
	if leg, _ := k.s.Leg("va"); leg.Detached {
		t.Error("the virtual agent's leg is detached with its people")
	}
}

func TestTransfer(t *testing.T) {
	k := begin(t, bridgeBetween)
	k.f.Backends = []Backend{{Account: "main", Refusal: event.FailedQueueFull}, {Account: "spare"}, {Account: "third"}}
	sam := k.handoff()
	step := k.do(sam, live("sam"), event.TransferRequested{Reason: "billing", Agent: "kim", Routing: event.Routing{Queue: "billing"}})
	k.phase(Queued, event.RoleLiveAgent)
	kim := k.s.Candidate
	if leg, _ := k.s.Leg(kim); leg.Account != "spare" {
		t.Errorf("asks %s first, want the owner's own account", leg.Account)
	}
	body := draft(t, step, event.KindHandoffRequested).Body.(event.HandoffRequested)
	if body.Reason != "billing" || body.Routing.Queue != "billing" || body.Context[ContextTransferAgent] != "kim" {
		t.Errorf("asks with %+v", body)
	}
	k.do(sam, live("sam"), words("I pass you on"))
	if to := k.do("cust", asCustomer(), words("fine")).Drafts[0].To; !slices.Equal(to, []string{sam, kim}) {
		t.Errorf("the customer's words go to %q", to)
	}
	step = k.do(kim, live("kim"), event.HandoffAccepted{})
	if d := draft(t, step, event.KindTransferCompleted); !slices.Equal(d.To, []string{"cust", "va", sam}) || d.Actor.ID != "kim" {
		t.Errorf("completed with %+v", d)
	}
	if !slices.Equal(step.Closed, []string{sam}) || step.HandoffOver || k.s.Agent.ID != "kim" {
		t.Errorf("closed %v, over %v, agent %+v", step.Closed, step.HandoffOver, k.s.Agent)
	}
	k.refused(RefusedDetached, sam, live("sam"), words("oh, and"))
	k.do(sam, live("sam"), event.NoteCreated{Text: "be kind"})
}

func TestLaterTransferForgetsTheAgentOfTheFirst(t *testing.T) {
	k := begin(t, bridgeBetween)
	sam := k.handoff()
	k.do(sam, live("sam"), event.TransferRequested{Agent: "kim"})
	kim := k.s.Candidate
	k.do(kim, live("kim"), event.HandoffAccepted{})
	before := k.s
	k.do(kim, live("kim"), event.TransferRequested{})
	if agent, there := k.s.Handoff.Context[ContextTransferAgent]; there {
		t.Errorf("the second transfer asks for %q", agent)
	}
	if before.Handoff.Context[ContextTransferAgent] != "kim" {
		t.Error("the context of an earlier state was changed")
	}
}

func TestTransferNobodyTakes(t *testing.T) {
	k := begin(t, bridgeBetween)
	sam := k.handoff()
	k.f.Backends = []Backend{{Account: "main", Refusal: event.FailedOutOfHours}}
	step := k.do(sam, live("sam"), event.TransferRequested{})
	if d := draft(t, step, event.KindTransferFailed); !slices.Equal(d.To, []string{sam}) || d.Body != (event.TransferFailed{Reason: event.FailedOutOfHours}) {
		t.Errorf("failed with %+v", d)
	}
	k.phase(Active, event.RoleLiveAgent)
	if _, runs := k.s.Deadlines[TimerAgentSilence]; !runs {
		t.Error("nobody watches the agent any more")
	}
	k.do(sam, live("sam"), words("it is me again"))
}

func TestAgentLost(t *testing.T) {
	k := begin(t, bridgeBetween)
	sam := k.handoff()
	k.do("cust", asCustomer(), words("one"))
	k.do(sam, live("sam"), words("two"))
	answered := int64(len(k.log))
	k.do("cust", asCustomer(), words("three"))
	step := k.do("", asSystem(), event.TransferRequested{Reason: ReasonAgentLost})
	if got := textKeys(step); !slices.Equal(got, []string{TextAgentLost}) {
		t.Errorf("texts %q", got)
	}
	k.refused(RefusedNotOwner, sam, live("sam"), words("I am back"))
	k.do(k.s.Candidate, asSystem(), event.HandoffQueued{})
	k.f.Settled = int64(len(k.log)) // of the desk that shows the queue, where nobody reads
	step = k.fire(TimerWaiting)
	if !step.HandoffOver || len(step.Closed) != 2 {
		t.Errorf("over %v, closed %v", step.HandoffOver, step.Closed)
	}
	if want := []Resume{{Leg: "va", After: answered}}; !reflect.DeepEqual(step.Resume, want) {
		t.Errorf("resumes %v, want %v", step.Resume, want)
	}
	k.phase(Automated, event.RoleVirtualAgent)
}

func TestAgentUnknownAtAcceptIsTheFirstWhoSpeaks(t *testing.T) {
	k := begin(t, bridgeBetween)
	k.do("va", asVirtual(), event.HandoffRequested{})
	desk := k.s.Candidate
	k.do(desk, live(""), event.HandoffAccepted{})
	k.do(desk, live("sam"), words("hello"))
	k.refused(RefusedNotOwner, desk, live("eve"), words("hello"))
	k.do(desk, live("eve"), event.TransferCompleted{})
	k.do(desk, live("eve"), words("hello"))
}
