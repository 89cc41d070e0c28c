package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/conversation"
	"github.com/footbridge/footbridge/bridge/internal/engine"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// onWords lets a test take the deliveries of messages.
func onWords(say func(tx *adapter.Tx, in adapter.Deliver)) adapter.Definition {
	return puppetOver(front(), func(tx *adapter.Tx, in adapter.Deliver) bool {
		if in.Event.Kind() == event.KindMessageCreated {
			say(tx, in)
		}
		return in.Event.Kind() == event.KindMessageCreated
	})
}

// A delivery has one outcome, when no call that serves it is open.
func TestDeliverySettlesOnce(t *testing.T) {
	for _, c := range []struct {
		name    string
		say     func(tx *adapter.Tx, in adapter.Deliver)
		outcome string
	}{
		{"nothing to do", func(*adapter.Tx, adapter.Deliver) {}, journal.Delivered},
		{"failed at once", func(tx *adapter.Tx, _ adapter.Deliver) { tx.Fail("cannot") }, journal.Failed},
		{"two calls", func(tx *adapter.Tx, _ adapter.Deliver) {
			tx.Call("a", adapter.Call{Method: "POST", URL: out})
			tx.Call("b", adapter.Call{Method: "POST", URL: out})
		}, journal.Delivered},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				r.plugins.defs["front"] = onWords(c.say)
				r.open()
				r.far.will(answer{attempt: engine.Attempt{Status: 200}, took: 5 * time.Second})
				e := r.say(r.active(), "hello")
				synctest.Wait()
				if strings.HasPrefix(c.name, "two") && len(r.disk.outcomeOf(e.ID)) > 0 {
					t.Error("settled with a call open")
				}
				pass(time.Minute)
				if got := r.outcome(e); got.Outcome != c.outcome {
					t.Errorf("outcome %+v", got)
				}
			})
		})
	}
}

// What an adapter puts off comes again after its next turn; words that follow
// wait for it. With nothing under way it is undeliverable.
func TestLater(t *testing.T) {
	for _, c := range []struct {
		name   string
		timer  bool
		push   string
		others bool // the vendor speaks meanwhile
		first  string
	}{
		{"a timer brings it back", true, "", false, journal.Delivered},
		{"nothing brings it back", false, "", false, journal.Undelivered},
		{"it waits for the next poll", false, adapter.PushNone, true, journal.Delivered},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				account := r.setup.Accounts["studio"]
				account.Profile.Levels.Push = c.push
				r.setup.Accounts["studio"] = account
				ready := false
				def := onWords(func(tx *adapter.Tx, in adapter.Deliver) {
					if !ready && text(in.Event) == "one" {
						tx.Later()
						if c.timer {
							tx.After("again", 10*time.Second)
						}
						return
					}
					tx.Call("say/"+in.Event.ID, adapter.Call{Method: "POST", URL: out, Body: []byte(text(in.Event))})
				})
				base := def.Adapter
				def.Adapter = handler(func(tx *adapter.Tx, in adapter.Input) error {
					if _, fired := in.(adapter.Fired); fired {
						ready = true
					}
					return base.Handle(tx, in)
				})
				r.plugins.defs["front"] = def
				r.open()
				id := r.active()
				one, two := r.say(id, "one"), r.say(id, "two")
				pass(5 * time.Second)
				if c.others {
					if got := r.far.bodies(out); len(got) != 0 {
						t.Errorf("overtaken: %q", got)
					}
					r.plugins.with(func() { ready = true })
					r.arrive(inbound(), "s1", "poll")
				}
				pass(time.Minute)
				if got := r.outcome(one); got.Outcome != c.first || got.MaybeDuplicate {
					t.Errorf("first %+v", got)
				}
				want := []string{"one", "two"}
				if c.first != journal.Delivered {
					want = want[1:]
				}
				if got := r.far.bodies(out); !slices.Equal(got, want) || r.outcome(two).Outcome != journal.Delivered {
					t.Errorf("arrived %q", got)
				}
			})
		})
	}
}

// After an unknown outcome a delivery put off comes again marked, or fails where
// the account says so.
func TestLaterAfterUnknown(t *testing.T) {
	for _, fail := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t)
			account := r.setup.Accounts["studio"]
			account.FailUnknown = fail
			r.setup.Accounts["studio"] = account
			var marked []bool
			def := onWords(func(tx *adapter.Tx, in adapter.Deliver) {
				marked = append(marked, in.MaybeDuplicate)
				tx.Call(fmt.Sprint("say", len(marked)), adapter.Call{Method: "POST", URL: out, Repeat: adapter.RepeatNever})
			})
			base := def.Adapter
			def.Adapter = handler(func(tx *adapter.Tx, in adapter.Input) error {
				if res, ok := in.(adapter.Result); ok {
					if !res.OK() {
						tx.Later()
						tx.After("again", time.Second)
					}
					return nil
				}
				return base.Handle(tx, in)
			})
			r.plugins.defs["front"] = def
			r.open()
			id := r.active()
			r.far.will(reason(adapter.ReasonUnknown))
			e := r.say(id, "hello")
			pass(time.Minute)
			got := r.outcome(e)
			if fail && (got.Outcome != journal.Failed || len(marked) != 1) {
				t.Errorf("fail: %+v after %v", got, marked)
			}
			if !fail && (got.Outcome != journal.Delivered || !got.MaybeDuplicate || !slices.Equal(marked, []bool{false, true})) {
				t.Errorf("repeat: %+v after %v", got, marked)
			}
		})
	}
}

// A delivery put off does not hold up the end.
func TestEndAfterLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		account := r.setup.Accounts["studio"]
		account.Profile.Levels.Push = adapter.PushNone
		r.setup.Accounts["studio"] = account
		r.plugins.defs["front"] = onWords(func(tx *adapter.Tx, _ adapter.Deliver) { tx.Later() })
		r.open()
		id := r.active()
		words := r.say(id, "hello")
		synctest.Wait()
		end := r.must(id, event.ConversationEnded{})
		pass(time.Second)
		if got := r.outcome(words); got.Outcome != journal.Undelivered {
			t.Errorf("words %+v", got)
		}
		if got := r.outcome(end); got.Outcome != journal.Delivered {
			t.Errorf("end %+v", got)
		}
	})
}

// The customer's leg leaves with words under way and words in line: the first
// end as their call does, the others are undelivered, and nothing follows.
func TestLegLeavesWithWordsInLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		base := front().Adapter
		r.plugins.defs["front"] = adapter.Definition{Manifest: adapter.Manifest{StateVersion: 1}, Adapter: handler(func(tx *adapter.Tx, in adapter.Input) error {
			if q, ok := in.(adapter.Request); ok && strings.Contains(string(q.Body), "leave") {
				tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleCustomer}, Body: event.ConversationEnded{Reason: "gone"}})
				return nil
			}
			return base.Handle(tx, in)
		})}
		r.open()
		id := r.active()
		r.far.will(slices.Repeat([]answer{{attempt: engine.Attempt{Reason: adapter.ReasonRefused}, lost: true, took: 2 * time.Second}}, 50)...)
		var said []event.Event
		for i := range 5 {
			said = append(said, r.say(id, fmt.Sprint(i)))
		}
		synctest.Wait() // the first is under way now
		r.arrive(inbound(), "s1", "leave")
		pass(time.Minute)
		want := []string{journal.Failed, journal.Undelivered, journal.Undelivered, journal.Undelivered, journal.Undelivered}
		for i, e := range said {
			if got := r.outcome(e); got.Outcome != want[i] {
				t.Errorf("%d: %+v", i, got)
			}
		}
		if n := r.far.tried(); n != 1 {
			t.Errorf("%d tries", n)
		}
		if left := unsettled(r.disk); len(left) > 0 {
			t.Errorf("left %v", left)
		}
	})
}

// twoDesks is a setup whose first desk is a vendor's.
func twoDesks(r *rig, desk adapter.Definition) {
	r.setup.Accounts["far"] = engine.Account{Name: "far", Adapter: "far", Role: event.RoleLiveAgent}
	r.setup.Routes[0].LiveAgents = []string{"far", "desk"}
	r.plugins.defs["far"] = desk
}

// A desk that declines has left: what was in line for it is undelivered there;
// the next desk has it in its transcript.
func TestDeclinedDeskIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		var got []string
		twoDesks(r, puppet(func(tx *adapter.Tx, in adapter.Input) error {
			switch in := in.(type) {
			case adapter.Deliver:
				got = append(got, string(in.Event.Kind()))
				if in.Event.Kind() == event.KindHandoffRequested {
					tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleLiveAgent}, Body: event.HandoffQueued{}})
					tx.Call("start", adapter.Call{Method: "POST", URL: "http://far/start"})
				}
			case adapter.Result:
				tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleLiveAgent}, Body: event.HandoffFailed{Reason: event.FailedDeclined}})
			}
			return nil
		}))
		r.open()
		r.far.will(answer{attempt: engine.Attempt{Status: 409}, took: 2 * time.Second})
		receipt := r.arrive(start(), "s1", "start")
		synctest.Wait()
		r.arrive(inbound(), "s1", "anybody there?")
		pass(4 * time.Second)
		if !slices.Equal(got, []string{"handoff.requested"}) {
			t.Errorf("the desk got %v", got)
		}
		r.must(receipt.Conversation, event.HandoffAccepted{})
		synctest.Wait()
		outcomes := map[string]string{}
		for _, e := range r.events(receipt.Conversation) {
			if text(e) == "anybody there?" {
				for _, d := range r.disk.outcomeOf(e.ID) {
					outcomes[d.Leg[len(e.Conversation):]] = d.Outcome
				}
			}
		}
		if len(outcomes) != 1 || outcomes[".2"] != journal.Undelivered {
			t.Errorf("outcomes %v", outcomes)
		}
		if left := unsettled(r.disk); len(left) > 0 {
			t.Errorf("left %v", left)
		}
	})
}

// A delivery that can only fail lets the conversation go on.
func TestDeadDeliveryGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		twoDesks(r, puppet(func(_ *adapter.Tx, in adapter.Input) error {
			if _, ok := in.(adapter.Deliver); ok {
				return fmt.Errorf("cannot do this")
			}
			return nil
		}))
		r.open()
		receipt := r.arrive(start(), "s1", "start")
		pass(2 * time.Second)
		if n := len(r.disk.deadLetters()); n != 1 {
			t.Errorf("%d dead letters", n)
		}
		r.must(receipt.Conversation, event.HandoffAccepted{})
	})
}

// Resumed words keep the order of the journal, before what came after them.
func TestResumedWordsKeepTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		var got []string
		r.setup.Accounts["web"] = engine.Account{Name: "web", Adapter: engine.Native, Role: event.RoleCustomer}
		r.setup.Accounts["helper"] = engine.Account{Name: "helper", Adapter: "helper", Role: event.RoleVirtualAgent}
		r.setup.Routes = []engine.Route{{Name: "web", Customer: "web", VirtualAgent: "helper", LiveAgents: []string{"desk"},
			Timers: conversation.Timers{Waiting: time.Minute}}}
		r.plugins.defs["helper"] = puppet(func(tx *adapter.Tx, in adapter.Input) error {
			d, ok := in.(adapter.Deliver)
			if !ok {
				return nil
			}
			got = append(got, string(d.Event.Kind())+" "+text(d.Event))
			if text(d.Event) == "person please" {
				tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleVirtualAgent}, Body: event.HandoffRequested{}})
			}
			return nil
		})
		r.open()
		id, err := r.engine.Open(t.Context(), engine.Opening{Account: "web"})
		if err != nil {
			t.Fatal(err)
		}
		say := func(words string) {
			if _, err := r.engine.Do(t.Context(), engine.Command{Conversation: id, Role: event.RoleCustomer,
				Actor: event.Actor{Role: event.RoleCustomer}, Body: event.MessageCreated{Content: event.Plain(words)}}); err != nil {
				t.Error(err)
			}
		}
		say("person please")
		synctest.Wait()
		r.plugins.set(func(p *plugins) { p.down = true })
		say("one")
		say("two")
		pass(2 * time.Minute) // nobody came
		say("three")
		r.plugins.set(func(p *plugins) { p.down = false })
		pass(time.Minute)
		want := []string{"conversation.started ", "message.created person please", "message.created one", "message.created two",
			"handoff.failed ", "message.created three"}
		if !slices.Equal(got, want) {
			t.Errorf("the helper got %q", got)
		}
	})
}

// A call whose delivery was let go says nothing of the next one.
func TestLateResultOfDroppedDelivery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.plugins.defs["front"] = puppetOver(front(), func(tx *adapter.Tx, in adapter.Deliver) bool {
			switch in.Event.Kind() {
			case event.KindMessageCreated:
				tx.Call("say", adapter.Call{Method: "POST", URL: out})
				tx.Later()
			case event.KindConversationEnded:
				tx.Call("end", adapter.Call{Method: "POST", URL: "http://vendor/end"})
			default:
				return false
			}
			return true
		})
		r.open()
		id := r.active()
		r.far.will(answer{attempt: engine.Attempt{Status: 404}, took: 10 * time.Second})
		words := r.say(id, "hello")
		synctest.Wait()
		r.far.will(answer{attempt: engine.Attempt{Status: 200}, took: 20 * time.Second})
		end := r.must(id, event.ConversationEnded{})
		pass(time.Minute)
		if got := r.outcome(words); got.Outcome != journal.Undelivered {
			t.Errorf("words %+v", got)
		}
		if got := r.outcome(end); got.Outcome != journal.Delivered {
			t.Errorf("end %+v", got)
		}
	})
}

// State that grows without bound is refused; the leg goes on with what it had.
func TestStateIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.plugins.defs["front"] = adapter.Definition{Manifest: adapter.Manifest{StateVersion: 1},
			Adapter: adapter.Func(func(tx *adapter.Tx, s *string, in adapter.Input) error {
				if q, ok := in.(adapter.Request); ok {
					*s += string(q.Body)
					tx.Emit(message(event.RoleCustomer, "", fmt.Sprint(len(*s))))
				}
				return nil
			})}
		r.open()
		id := r.arrive(start(), "s1", "start").Conversation
		for i := range 5 {
			r.arrive(inbound(), "s1", fmt.Sprint(i, strings.Repeat("x", 20_000)))
		}
		r.arrive(inbound(), "s1", "small")
		r.letters(2)
		last := r.events(id)[len(r.events(id))-1]
		if n := text(last); n < "60000" || n > "61000" {
			t.Errorf("state has %s bytes", n)
		}
	})
}
