package engine_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/engine"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

func (r *rig) drain(account string, drained bool) {
	r.t.Helper()
	if err := r.engine.Drain(r.t.Context(), account, drained, journal.Audit{Who: "token ops"}); err != nil {
		r.t.Fatal(err)
	}
	if r.engine.Drained(account) != drained {
		r.t.Errorf("account %s is drained: %t", account, !drained)
	}
}

// A drained desk keeps the conversation it has, to the last transfer within it,
// and gets no other until it is resumed; a crash changes nothing of that.
func TestDrainedDesk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.open()
		id := r.active()
		r.drain("desk", true)
		r.crash()
		if !r.engine.Drained("desk") {
			t.Fatal("forgotten with the crash")
		}
		r.must(id, event.TransferRequested{})
		if !r.has(id, "live_agent transfer.requested") || r.has(id, "system transfer.failed") {
			t.Errorf("the transfer within the desk: %q", r.kinds(id))
		}
		r.must(id, event.HandoffAccepted{})
		r.say(id, "still here")
		r.must(id, event.HandbackRequested{})
		pass(time.Second)
		r.arrive(start(), "s1", "start once more")
		other := r.arrive(start(), "s2", "start").Conversation
		pass(time.Second)
		for _, c := range []string{id, other} {
			if all := r.kinds(c); all[len(all)-1] != "system handoff.failed" {
				t.Errorf("a hand-off to the drained desk: %q", all)
			}
		}
		r.drain("desk", false)
		if id := r.arrive(start(), "s3", "start").Conversation; r.has(id, "system handoff.failed") {
			t.Errorf("after it was resumed: %q", r.kinds(id))
		}
		if got := r.far.bodies(out); !slices.Contains(got, "still here") {
			t.Errorf("arrived %q", got)
		}
	})
}

// The next backend of the route is asked where the first is drained.
func TestDrainedDeskIsPassedOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.setup.Accounts["spare"] = engine.Account{Name: "spare", Adapter: engine.Native, Role: event.RoleLiveAgent}
		r.setup.Routes[0].LiveAgents = []string{"desk", "spare"}
		r.open()
		r.drain("desk", true)
		id := r.arrive(start(), "s1", "start").Conversation
		r.must(id, event.HandoffAccepted{})
		events := r.events(id)
		if via := events[len(events)-1].Via.Account; via != "spare" {
			t.Errorf("accepted by %q", via)
		}
	})
}

// No conversation begins with a drained account; one that runs goes on, and a
// route without it takes those that come.
func TestDrainedEntry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		web := r.setup.Routes[0]
		web.Name, web.Customer = "web", "web"
		people := engine.Route{Name: "people", Customer: "web", LiveAgents: []string{"desk"}, Match: engine.Match{Language: "de"}}
		r.setup.Accounts["web"] = engine.Account{Name: "web", Adapter: engine.Native, Role: event.RoleCustomer}
		r.setup.Routes = append(r.setup.Routes, web, people)
		r.open()
		id := r.active()
		r.drain("studio", true)
		if _, err := r.try(start(), "s2", "start"); !errors.Is(err, engine.ErrDrained) {
			t.Errorf("a start: %v", err)
		}
		if _, err := r.engine.Open(t.Context(), engine.Opening{Account: "web"}); !errors.Is(err, engine.ErrDrained) {
			t.Errorf("a customer: %v", err)
		}
		if len(r.disk.conversations()) != 1 {
			t.Errorf("%d conversations stored", len(r.disk.conversations()))
		}
		if _, err := r.engine.Open(t.Context(), engine.Opening{Account: "web", Language: "de"}); err != nil {
			t.Errorf("a customer whose words another route takes: %v", err)
		}
		r.arrive(inbound(), "s1", "still there?")
		synctest.Wait()
		if r.said(id, "still there?") != 1 {
			t.Errorf("the conversation that runs: %q", r.kinds(id))
		}
	})
}

// A drained observer begins nothing, and people are told.
func TestDrainedObserver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		x := &exchange{}
		r.dialler = x.by
		listening(r, event.KindHandoffAccepted, "wss://assist.example/live", "none")
		r.open()
		r.drain("assist", true)
		id := r.active()
		pass(time.Second)
		told := slices.ContainsFunc(r.events(id), func(e event.Event) bool {
			b, ok := e.Body.(event.ErrorReported)
			return ok && strings.Contains(b.Detail, "drained")
		})
		if got := delivered(r.plugins, "assist", event.KindHandoffAccepted); len(got) != 0 || !told {
			t.Errorf("the observer was given %d events; the desk was told: %t", len(got), told)
		}
	})
}
