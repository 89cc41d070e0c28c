package engine_test

import (
	"encoding/json"
	"testing"
	"testing/synctest"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/engine"
)

// TestRouteOfAHandoff: whom a hand-off goes to is decided by what is known when
// it is asked for, not by what was known when the conversation began.
func TestRouteOfAHandoff(t *testing.T) {
	s := setup()
	for _, name := range []string{"gold", "sales", "other"} {
		s.Accounts[name] = engine.Account{Name: name, Adapter: engine.Native, Role: event.RoleLiveAgent}
	}
	narrow := func(name string, m engine.Match) engine.Route {
		r := s.Routes[0]
		r.Name, r.LiveAgents, r.Match, r.Queue = name, []string{name}, m, name+" queue"
		return r
	}
	elsewhere := narrow("other", engine.Match{Attributes: map[string]string{"plan": "gold"}})
	elsewhere.Customer, elsewhere.VirtualAgent = "desk", "studio"
	s.Routes = append([]engine.Route{elsewhere, narrow("gold", engine.Match{Attributes: map[string]string{"plan": "gold"}}),
		narrow("sales", engine.Match{Queue: "sales"})}, s.Routes...)
	for text, want := range map[string][2]string{
		"start":                       {"desk", ""},
		"start plan=silver":           {"desk", ""},
		"start plan=gold":             {"gold", "gold queue"},
		"start queue=sales":           {"sales", "sales"},
		"start queue=sales plan=gold": {"gold", "sales"},
		"start queue=support":         {"desk", "support"},
	} {
		w := newWorld(t, t.TempDir())
		w.engine.Configure(s)
		r := w.arrive(start(), "s1", text)
		w.eventually("requested", func() bool { return len(w.kinds(r.Conversation)) >= 2 })
		stored, err := w.journal.Load(t.Context(), r.Conversation)
		if err != nil {
			t.Fatal(err)
		}
		var state struct{ Queue string }
		if err := json.Unmarshal(stored.State, &state); err != nil {
			t.Fatal(err)
		}
		if got := [2]string{stored.Legs[len(stored.Legs)-1].Account, state.Queue}; got != want {
			t.Errorf("%q goes to %q, want %q", text, got, want)
		}
	}
}

// TestQueueReachesADesk: a desk elsewhere is told the queue the hand-off asks for, or
// else the route's, as the bridge's own desk is.
func TestQueueReachesADesk(t *testing.T) {
	for text, want := range map[string]string{"start": "support", "start queue=sales": "sales"} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t)
			got := "nothing"
			twoDesks(r, puppet(func(_ *adapter.Tx, in adapter.Input) error {
				d, _ := in.(adapter.Deliver)
				if body, ok := d.Event.Body.(event.HandoffRequested); ok {
					got = body.Routing.Queue
				}
				return nil
			}))
			r.setup.Routes[0].Queue = "support"
			r.open()
			r.arrive(start(), "s1", text)
			synctest.Wait()
			if got != want {
				t.Errorf("%q asks for the queue %q, want %q", text, got, want)
			}
		})
	}
}
