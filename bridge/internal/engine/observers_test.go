package engine_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/engine"
)

// listening adds an observer to the rig; it dials a template and says what it
// hears to the live agent.
func listening(r *rig, on event.Kind, address, header string) {
	r.setup.Accounts["assist"] = engine.Account{Name: "assist", Adapter: "assist", Role: event.RoleObserver}
	r.setup.Routes[0].Observers = []engine.Listening{{Account: "assist", OpenOn: on}}
	r.plugins.defs["assist"] = puppet(func(tx *adapter.Tx, in adapter.Input) error {
		switch in := in.(type) {
		case adapter.Deliver:
			if in.Event.Kind() == on {
				tx.Dial("line", adapter.Dial{URL: address, Header: map[string][]string{"X-Call": {header}}})
			}
		case adapter.Frame:
			tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleObserver}, Body: event.NoteCreated{Text: string(in.Data)}})
			tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleObserver}, Body: event.MessageCreated{Content: event.Plain("to the customer")}})
		}
		return nil
	})
}

func TestObserverListensAndNeverReachesTheCustomer(t *testing.T) {
	for _, on := range []event.Kind{event.KindHandoffRequested, event.KindHandoffAccepted} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t)
			x := &exchange{}
			r.dialler = x.by
			listening(r, on, "wss://assist.example/live", "none")
			r.open()
			id := r.active()
			pass(time.Second)
			x.last().hear("angry")
			pass(time.Second)
			if !r.has(id, "observer note.created") || r.has(id, "system error.reported") {
				t.Errorf("%s: %q", on, r.kinds(id))
			}
			if got := r.far.bodies("http://vendor/out"); len(got) != 0 {
				t.Errorf("the customer got %q", got)
			}
			r.must(id, event.HandbackRequested{})
			pass(time.Second)
			if len(x.cables) != 1 {
				t.Errorf("%d lines", len(x.cables))
			}
		})
	}
}

func TestObserversAddressIsFilledFromContext(t *testing.T) {
	for address, want := range map[string]string{
		"wss://assist.example/calls/{context.call}?of={context.call}": "wss://assist.example/calls/a%2Fb%20c&d?of=a%2Fb+c%26d",
		"wss://assist.example/live":                                   "wss://assist.example/live",
		"wss://{context.call}.example/live":                           "",
		"wss://assist.example/{context.unknown}":                      "",
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t)
			var dialled []adapter.Dial
			var closed []string
			x := &exchange{dialling: func(d adapter.Dial) { dialled = append(dialled, d) }}
			r.dialler = x.by
			listening(r, event.KindHandoffRequested, address, "{context.call}")
			observer := r.plugins.defs["assist"].Adapter
			r.plugins.defs["assist"] = puppet(func(tx *adapter.Tx, in adapter.Input) error {
				if c, ok := in.(adapter.Closed); ok {
					closed = append(closed, c.Reason)
				}
				return observer.Handle(tx, in)
			})
			r.plugins.defs["front"] = puppet(func(tx *adapter.Tx, in adapter.Input) error {
				if q, ok := in.(adapter.Request); ok {
					tx.Reply(q.ID, adapter.Reply{Status: 200})
					tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleVirtualAgent}, Body: event.HandoffRequested{Context: map[string]string{"call": "a/b c&d"}}})
				}
				return nil
			})
			r.open()
			receipt := r.arrive(start(), "s1", "start")
			pass(time.Minute)
			var got []string
			for _, d := range dialled {
				got = append(got, d.URL)
				if d.Header.Get("X-Call") != "a/b c&d" {
					t.Errorf("header %v", d.Header)
				}
			}
			told := slices.ContainsFunc(r.events(receipt.Conversation), func(e event.Event) bool {
				b, ok := e.Body.(event.ErrorReported)
				return ok && b.Code == "observer_not_opened" && strings.Contains(b.Detail, "assist")
			})
			if strings.Join(got, " ") != want || told != (want == "") || slices.Equal(closed, []string{adapter.ClosedUnfilled}) != told {
				t.Errorf("%s: dialled %q, the desk was told: %t, the observer heard %q", address, got, told, closed)
			}
		})
	}
}

// An address that is none is a dial that fails, and nothing worse.
func TestObserverWithoutAnAddress(t *testing.T) {
	for _, address := range []string{"", "x", "://", "wss:"} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t)
			x := &exchange{fails: []engine.Attempt{{Reason: adapter.ReasonNotAllowed}}}
			r.dialler = x.by
			listening(r, event.KindHandoffRequested, address, "none")
			r.open()
			r.active()
			pass(time.Minute)
			if all := inputs[adapter.Closed](r.plugins); len(all) != 1 || all[0].Reason != adapter.ClosedDialFailed {
				t.Errorf("%q: %+v", address, all)
			}
		})
	}
}

// TestObserverHearsTheRestOfTheStep: a live agent who answers without taking the
// offer first takes it and speaks in one step; an observer that begins with the
// one has the other.
func TestObserverHearsTheRestOfTheStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		x := &exchange{}
		r.dialler = x.by
		listening(r, event.KindHandoffAccepted, "wss://assist.example/live", "none")
		r.open()
		id := r.arrive(start(), "s1", "start").Conversation
		r.say(id, "hello, this is Sam")
		pass(time.Second)
		for _, k := range []event.Kind{event.KindHandoffAccepted, event.KindMessageCreated} {
			if got := delivered(r.plugins, "assist", k); len(got) != 1 {
				t.Errorf("the observer was given %d %s", len(got), k)
			}
		}
		if got := delivered(r.plugins, "assist", event.KindHandoffRequested); len(got) != 0 {
			t.Errorf("the observer was given what came before it: %v", got)
		}
	})
}

// TestObserverThatIsNotReadyIsReportedOnce: people are told after what they did,
// and not again at the next hand-off.
func TestObserverThatIsNotReadyIsReportedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		listening(r, event.KindHandoffAccepted, "wss://assist.example/live", "none")
		a := r.setup.Accounts["assist"]
		a.Unready = "credential token is not set"
		r.setup.Accounts["assist"] = a
		r.open()
		id := r.arrive(start(), "s1", "start").Conversation
		r.say(id, "hello, this is Sam")
		r.must(id, event.HandbackRequested{})
		pass(time.Second)
		r.arrive(start(), "s1", "start")
		r.say(id, "hello again")
		pass(time.Second)
		all := r.kinds(id)
		i := slices.Index(all, "system error.reported")
		if i < 2 || all[i-2] != "live_agent handoff.accepted" || all[i-1] != "live_agent message.created" || slices.Contains(all[i+1:], "system error.reported") {
			t.Errorf("the conversation has %q", all)
		}
		if n := slices.Index(all[i:], "live_agent handoff.accepted"); n < 0 {
			t.Errorf("there was no second hand-off: %q", all)
		}
	})
}
