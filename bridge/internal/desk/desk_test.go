package desk

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/config"
	"github.com/footbridge/footbridge/bridge/internal/conversation"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestPlaceIsToldAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Rules{})
		w.run()
		synctest.Wait()
		began := time.Now()
		w.ask("a", "sales")
		w.expect("a handoff.requested", "a handoff.queued 1")
		w.ask("b", "sales")
		w.expect("b handoff.requested", "b handoff.queued 2")
		w.ask("c", "support")
		w.expect("c handoff.requested", "c handoff.queued 1")
		if since := time.Since(began); since != 0 {
			t.Errorf("told after %s, want at once", since)
		}
		if got := w.desk.Place("b").Position; got != 2 {
			t.Errorf("position of b is %d, want 2", got)
		}
		w.as("sam", "a", event.HandoffAccepted{})
		if got := w.desk.Place("b").Position; got != 1 {
			t.Errorf("after a was taken the position of b is %d, want 1", got)
		}
		if a, _ := w.desk.Get("sam"); a.Load != 1 {
			t.Errorf("load is %d, want 1", a.Load)
		}
		w.as("sam", "a", event.ConversationEnded{})
		if a, _ := w.desk.Get("sam"); a.Load != 0 {
			t.Errorf("load after the end is %d, want 0", a.Load)
		}
	})
}

func TestOnlyNativeDesksAreAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Rules{Native: map[string]bool{"vendor": true}})
		w.run()
		w.ask("a", "")
		w.expect("a handoff.requested")
		if w.desk.Place("a").Position != 0 || w.desk.Waiting("") != 0 {
			t.Error("a conversation at another desk is counted here")
		}
		w.must("a", "3", event.RoleLiveAgent, "", event.HandoffFailed{Reason: "declined"})
		w.expect("a handoff.failed", "a handoff.requested", "a handoff.queued 1")
	})
}

func TestFailedCommandIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Rules{})
		w.fail = errors.New("busy")
		w.run()
		w.ask("a", "")
		w.expect("a handoff.requested")
		time.Sleep(2 * time.Second)
		w.expect("a handoff.queued 1")
	})
}

func TestPushAsksOneAfterTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, queues("sales", config.Queue{Assign: "push"}))
		w.run()
		w.desk.Connect("kim")
		time.Sleep(time.Second)
		w.desk.Connect("sam")
		w.ask("a", "sales")
		w.expect("a handoff.requested", "a handoff.queued 1", "a handoff.offered kim")
		time.Sleep(patience - time.Second)
		w.expect()
		time.Sleep(2 * time.Second)
		w.expect("a handoff.queued 1", "a handoff.offered sam")
		w.as("sam", "a", event.HandoffDeclined{})
		w.expect("a handoff.declined")
		time.Sleep(patience)
		w.expect("a handoff.offered kim")
		w.as("kim", "a", event.HandoffAccepted{})
		w.saw()
		time.Sleep(2 * patience)
		w.expect()
	})
}

func TestPushLeavesRoomAndSkills(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, queues("sales", config.Queue{Assign: "push"}))
		w.run()
		if _, err := w.desk.Declare("kim", Declaration{State: Available, Capacity: 1, Queues: []string{"sales"}}); err != nil {
			t.Fatal(err)
		}
		w.desk.Connect("kim")
		w.desk.Connect("lee")
		if _, err := w.desk.Declare("lee", Declaration{State: Available, Queues: []string{"support"}}); err != nil {
			t.Fatal(err)
		}
		w.ask("a", "sales")
		w.expect("a handoff.requested", "a handoff.queued 1", "a handoff.offered kim")
		w.ask("b", "sales")
		w.expect("b handoff.requested", "b handoff.queued 2")
		w.as("kim", "a", event.HandoffAccepted{})
		w.saw()
		if a, _ := w.desk.Get("kim"); a.State != Busy {
			t.Errorf("kim is %s with no room, want busy", a.State)
		}
		w.as("kim", "a", event.ConversationEnded{})
		w.expect("a conversation.ended", "b handoff.offered kim")
	})
}

func TestTransferToNamedAgentIsOfferedInPullQueues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Rules{})
		w.run()
		w.desk.Connect("kim")
		w.desk.Connect("sam")
		w.ask("a", "")
		w.as("sam", "a", event.HandoffAccepted{})
		w.saw()
		w.as("sam", "a", event.TransferRequested{Agent: "kim"})
		w.expect("a transfer.requested ", "a handoff.requested", "a handoff.queued 1", "a handoff.offered kim")
		if a, _ := w.desk.Get("sam"); a.Load != 1 {
			t.Errorf("the old owner's load is %d before somebody took over, want 1", a.Load)
		}
		w.as("kim", "a", event.HandoffAccepted{})
		sam, _ := w.desk.Get("sam")
		kim, _ := w.desk.Get("kim")
		if sam.Load != 0 || kim.Load != 1 {
			t.Errorf("loads are sam %d kim %d, want 0 and 1", sam.Load, kim.Load)
		}
	})
}

func TestLostAgentsConversationsArePassedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Rules{Lost: time.Minute})
		w.run()
		w.desk.Connect("sam")
		w.ask("a", "")
		w.as("sam", "a", event.HandoffAccepted{})
		w.saw()
		time.Sleep(10 * time.Minute)
		w.expect()
		w.desk.Disconnect("sam")
		time.Sleep(30 * time.Second)
		w.desk.Touch("sam")
		time.Sleep(59 * time.Second)
		w.expect()
		time.Sleep(2 * time.Second)
		w.expect("a transfer.requested agent_lost", "a handoff.requested", "a handoff.queued 1")
		if a, _ := w.desk.Get("sam"); a.State != Offline || a.Load != 0 {
			t.Errorf("sam is %s with load %d, want offline with 0", a.State, a.Load)
		}
	})
}

func TestAgentsBeforeARestartAreExpected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := newWorld(t, Rules{})
		for _, id := range []string{"a", "b"} {
			before.ask(id, "")
			before.must(id, "3", event.RoleLiveAgent, "sam", event.HandoffAccepted{})
			time.Sleep(time.Second)
		}
		before.ask("late", "")
		before.ask("later", "")
		before.desk = New(Rules{Native: map[string]bool{"desk": true}}, nil)
		if err := before.desk.Seed(t.Context(), before); err != nil {
			t.Fatal(err)
		}
		before.log = nil
		before.run()
		before.expectSet("late handoff.queued 1", "later handoff.queued 2")
		if a, _ := before.desk.Get("sam"); a.Load != 2 {
			t.Fatalf("load after a restart is %d, want 2", a.Load)
		}
		time.Sleep(59 * time.Second)
		before.expect()
		time.Sleep(2 * time.Second)
		before.expectSet("a transfer.requested agent_lost", "a handoff.requested", "a handoff.queued 3",
			"b transfer.requested agent_lost", "b handoff.requested", "b handoff.queued 4")
	})
}

// expectSet is expect where the order between conversations is open.
func (w *world) expectSet(want ...string) {
	w.t.Helper()
	got := w.saw()
	slices.Sort(got)
	slices.Sort(want)
	for i := range min(len(got), len(want)) {
		if got[i][:len(got[i])-1] != want[i][:len(want[i])-1] {
			w.t.Errorf("recorded %q, want %q", got[i], want[i])
		}
	}
	if len(got) != len(want) {
		w.t.Errorf("recorded %q, want %q", got, want)
	}
}

func TestSeedKeepsTheOrderOfRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Rules{})
		w.open("first", "q")
		time.Sleep(time.Hour)
		w.ask("second", "q")
		time.Sleep(time.Minute)
		w.must("first", "2", event.RoleVirtualAgent, "", event.HandoffRequested{})
		order := []int{w.desk.Place("second").Position, w.desk.Place("first").Position}
		again := New(Rules{Native: map[string]bool{"desk": true}}, nil)
		if err := again.Seed(t.Context(), w); err != nil {
			t.Fatal(err)
		}
		for i, got := range []int{again.Place("second").Position, again.Place("first").Position} {
			if got != i+1 || got != order[i] {
				t.Errorf("position %d after a restart, %d before, want %d", got, order[i], i+1)
			}
		}
	})
}

func TestRefusals(t *testing.T) {
	monday := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	rules := Rules{
		Queues: map[string]config.Queue{"q": {Hours: "office", MaxWaiting: 2, WhenNoAgent: "fail"}, "open": {}},
		Hours:  map[string]config.Hours{"office": {Timezone: "UTC", Week: config.Week{Mon: []string{"09:00-17:00"}}}},
	}
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(monday))
		d := New(rules, nil)
		for _, c := range []struct {
			what    string
			do      func()
			queue   string
			waiting int
			at      time.Time
			want    string
		}{
			{"nobody", func() {}, "q", 0, monday, event.FailedNoAgents},
			{"another queue", func() {}, "open", 9, monday, ""},
			{"unknown queue", func() {}, "?", 9, monday, ""},
			{"away", func() { declare(t, d, Away) }, "q", 0, monday, event.FailedNoAgents},
			{"there", func() { declare(t, d, Available) }, "q", 1, monday, ""},
			{"full", func() {}, "q", 2, monday, event.FailedQueueFull},
			{"closed", func() {}, "q", 0, monday.Add(12 * time.Hour), event.FailedOutOfHours},
		} {
			c.do()
			if got := d.refusal(c.queue, c.waiting, c.at); got != c.want {
				t.Errorf("%s: refusal %q, want %q", c.what, got, c.want)
			}
		}
		time.Sleep(12 * time.Hour)
		q := d.Queue("q")
		if q.Refusal != d.Refusal("q") || q.Refusal != event.FailedOutOfHours {
			t.Errorf("closed queue is refused with %q and %q", q.Refusal, d.Refusal("q"))
		}
		if q.Open || !q.NextOpen.Equal(monday.Add(7*24*time.Hour-time.Hour)) {
			t.Errorf("closed queue is open %v, next %s", q.Open, q.NextOpen)
		}
	})
}

func declare(t *testing.T, d *Desk, state string) {
	t.Helper()
	if _, err := d.Declare("sam", Declaration{State: state}); err != nil {
		t.Fatal(err)
	}
}

func TestDeclareRefusesOtherWords(t *testing.T) {
	d := New(Rules{}, nil)
	if _, err := d.Declare("sam", Declaration{State: "asleep"}); !errors.Is(err, ErrState) {
		t.Errorf("error %v, want ErrState", err)
	}
	if len(d.Agents()) != 0 {
		t.Error("a refused declaration left an agent behind")
	}
}

func TestOldAgentsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Rules{})
		w.run()
		w.desk.Touch("sam")
		w.desk.Connect("kim")
		time.Sleep(forgetAfter + time.Minute)
		synctest.Wait()
		if all := w.desk.Agents(); len(all) != 1 || all[0].ID != "kim" {
			t.Errorf("agents are %v, want kim alone", all)
		}
	})
}

// Whatever happens, loads are the conversations held, and positions of a queue
// are 1 to n.
func TestLoadsAndPositionsAgree(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, Rules{})
		ids := []string{"a", "b", "c", "d"}
		agents := []string{"sam", "kim"}
		for _, id := range ids {
			w.open(id, "q")
		}
		bodies := []event.Body{event.HandoffRequested{}, event.HandoffAccepted{}, event.TransferRequested{}, event.HandoffQueued{},
			event.ConversationEnded{}, event.TransferRequested{Reason: conversation.ReasonAgentLost}, event.HandoffDeclined{}}
		for range rapid.IntRange(1, 60).Draw(rt, "steps") {
			k := w.talks[rapid.SampledFrom(ids).Draw(rt, "id")]
			body := rapid.SampledFrom(bodies).Draw(rt, "body")
			role, leg := event.RoleLiveAgent, k.leg(event.RoleLiveAgent)
			if _, request := body.(event.HandoffRequested); request {
				role, leg = event.RoleVirtualAgent, "2"
			}
			if r, lost := body.(event.TransferRequested); lost && r.Reason != "" {
				role, leg = event.RoleSystem, ""
			}
			in := conversation.Input{Leg: leg, Body: body, Actor: event.Actor{Role: role, ID: rapid.SampledFrom(agents).Draw(rt, "agent")}}
			for id, other := range w.talks {
				if other == k {
					_, _ = w.decide(id, k, in)
				}
			}
		}
		w.check(rt)
	})
}

func (w *world) check(t *rapid.T) {
	loads, waiting := map[string]int{}, 0
	for id, k := range w.talks {
		if k.state.Phase == conversation.Active || k.state.Phase.Waiting() && k.state.Agent.ID != "" {
			loads[k.state.Agent.ID]++
		}
		last, _ := k.state.Leg(k.state.Candidate)
		if k.state.Phase.Waiting() && last.Account == "desk" {
			waiting++
		} else if w.desk.Place(id).Position != 0 {
			t.Fatalf("%s does not wait here but has a position", id)
		}
	}
	for _, a := range w.desk.Agents() {
		held := loads[a.ID]
		for _, k := range w.talks {
			if owner, _ := k.state.Leg(k.state.Owner.Leg); k.state.Agent.ID == a.ID && owner.Account == "vendor" {
				held--
			}
		}
		if a.Load != held {
			t.Fatalf("%s has load %d, want %d", a.ID, a.Load, held)
		}
	}
	if got := w.desk.Waiting("q"); got != waiting {
		t.Fatalf("%d wait, want %d", got, waiting)
	}
	for i, id := range w.desk.Queue("q").Conversations {
		if w.desk.Place(id).Position != i+1 {
			t.Fatalf("%s has position %d, want %d", id, w.desk.Place(id).Position, i+1)
		}
	}
}

func TestSeedCountsTheLastWaitOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Rules{})
		w.ask("again", "q")
		time.Sleep(time.Minute)
		w.must("again", "2", event.RoleVirtualAgent, "", event.HandoffCancelled{})
		w.ask("other", "q")
		time.Sleep(time.Minute)
		w.must("again", "2", event.RoleVirtualAgent, "", event.HandoffRequested{})
		after := New(Rules{Native: map[string]bool{"desk": true}}, nil)
		if err := after.Seed(t.Context(), w); err != nil {
			t.Fatal(err)
		}
		for _, d := range []*Desk{w.desk, after} {
			if got := []int{d.Place("other").Position, d.Place("again").Position}; !slices.Equal(got, []int{1, 2}) {
				t.Errorf("positions of other and again are %v, want 1 and 2", got)
			}
		}
	})
}

func TestProgramsThatOnlyAskAreNotLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Rules{})
		w.run()
		w.desk.Touch("sam")
		w.ask("a", "")
		w.as("sam", "a", event.HandoffAccepted{})
		w.saw()
		time.Sleep(time.Hour)
		w.expect()
		if gone := w.desk.Lost(time.Now()); len(gone) != 0 {
			t.Errorf("lost are %v, want nobody", gone)
		}
	})
}

func TestOfferToSomebodyWhoLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, queues("sales", config.Queue{Assign: "push"}))
		w.run()
		w.desk.Connect("kim")
		time.Sleep(time.Second)
		w.desk.Connect("sam")
		w.ask("a", "sales")
		w.saw()
		if _, err := w.desk.Declare("kim", Declaration{State: Offline}); err != nil {
			t.Fatal(err)
		}
		w.expect("a handoff.queued 1", "a handoff.offered sam")
	})
}
