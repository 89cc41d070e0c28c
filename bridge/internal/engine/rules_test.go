package engine_test

import (
	"errors"
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

// words lets a request's text say what the turn does.
func words(says map[string]func(tx *adapter.Tx)) adapter.Definition {
	return puppetOverRequests(func(tx *adapter.Tx, q adapter.Request) (bool, error) {
		for word, do := range says {
			if strings.Contains(string(q.Body), `"`+word+`"`) {
				do(tx)
				return true, nil
			}
		}
		return false, nil
	})
}

func message(role event.Role, ref, words string) adapter.Emission {
	return adapter.Emission{Actor: event.Actor{Role: role}, Ref: ref, Body: event.MessageCreated{Content: event.Plain(words)}}
}

// What the conversation does not allow is recorded with its refusal as the one
// outcome, and the leg is told.
func TestRefusedEmission(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.plugins.defs["front"] = words(map[string]func(*adapter.Tx){
			"again": func(tx *adapter.Tx) {
				tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleVirtualAgent}, Body: event.HandoffRequested{}})
			},
			"stranger": func(tx *adapter.Tx) { tx.Emit(message(event.RoleLiveAgent, "", "who am I")) },
			"partial": func(tx *adapter.Tx) {
				tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleLiveAgent}, Body: event.MessagePartial{Stream: "s", Text: "x"}})
			},
		})
		r.open()
		id := r.active()
		for _, word := range []string{"again", "stranger", "partial"} {
			r.arrive(inbound(), "s1", word)
		}
		synctest.Wait()
		var refused []string
		for _, e := range r.events(id) {
			for _, d := range r.disk.outcomeOf(e.ID) {
				if d.Outcome == journal.RefusedEvent {
					refused = append(refused, string(e.Kind())+" "+d.Reason)
				}
			}
		}
		if want := []string{"handoff.requested " + conversation.RefusedOpen, "message.created " + conversation.RefusedNotOwner}; !slices.Equal(refused, want) {
			t.Errorf("refused %q, want %q", refused, want)
		}
		var told []string
		for _, d := range inputs[adapter.Deliver](r.plugins) {
			if f, ok := d.Event.Body.(event.MessageFailed); ok {
				told = append(told, f.Reason)
			}
		}
		if len(told) != 1 || !strings.Contains(told[0], "refused") {
			t.Errorf("told %q", told)
		}
	})
}

// A receipt names a message by the vendor's id or ours; one of nothing we know
// is dropped.
func TestReceiptsFindTheirMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		receipt := func(ref string) func(tx *adapter.Tx) {
			return func(tx *adapter.Tx) {
				tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleCustomer}, Body: event.MessageDelivered{Message: ref}})
			}
		}
		def := words(map[string]func(*adapter.Tx){"read": receipt("v-1"), "stray": receipt("v-2")})
		base := def.Adapter
		def.Adapter = handler(func(tx *adapter.Tx, in adapter.Input) error {
			if d, ok := in.(adapter.Deliver); ok && d.Event.Kind() == event.KindMessageCreated {
				tx.Known(d.Event.ID, "v-1")
				tx.Known("no such event", "v-2")
				return nil
			}
			return base.Handle(tx, in)
		})
		r.plugins.defs["front"] = def
		r.open()
		id := r.active()
		e := r.say(id, "hello")
		synctest.Wait()
		r.arrive(inbound(), "s1", "read")
		r.arrive(inbound(), "s1", "stray")
		synctest.Wait()
		var receipts []string
		for _, got := range r.events(id) {
			if d, ok := got.Body.(event.MessageDelivered); ok {
				receipts = append(receipts, d.Message)
			}
		}
		if !slices.Equal(receipts, []string{e.ID}) {
			t.Errorf("receipts %q of %s", receipts, e.ID)
		}
	})
}

// What we sent never comes back as new: by our own id, by the vendor's, and what
// the vendor says twice is said once.
func TestEchoIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		var sent string
		def := words(map[string]func(*adapter.Tx){
			"echo": func(tx *adapter.Tx) {
				e := message(event.RoleCustomer, "v-9", "echoed")
				e.Echo = sent
				tx.Emit(e)
			},
			"byref":   func(tx *adapter.Tx) { tx.Emit(message(event.RoleCustomer, "v-1", "echoed")) },
			"learned": func(tx *adapter.Tx) { tx.Emit(message(event.RoleCustomer, "v-9", "echoed")) },
			"twice": func(tx *adapter.Tx) {
				tx.Emit(message(event.RoleCustomer, "c-1", "mine"))
				tx.Emit(message(event.RoleCustomer, "c-1", "mine"))
			},
			"thrice":  func(tx *adapter.Tx) { tx.Emit(message(event.RoleCustomer, "c-1", "mine")) },
			"foreign": func(tx *adapter.Tx) { e := message(event.RoleCustomer, "", "new"); e.Echo = "not ours"; tx.Emit(e) },
		})
		base := def.Adapter
		def.Adapter = handler(func(tx *adapter.Tx, in adapter.Input) error {
			if d, ok := in.(adapter.Deliver); ok && d.Event.Kind() == event.KindMessageCreated {
				sent = d.Event.ID
				tx.Known(sent, "v-1")
				return nil
			}
			return base.Handle(tx, in)
		})
		r.plugins.defs["front"] = def
		r.open()
		id := r.active()
		r.say(id, "hello")
		synctest.Wait()
		for _, word := range []string{"echo", "byref", "learned", "twice", "thrice", "foreign"} {
			r.arrive(inbound(), "s1", word)
			synctest.Wait()
			r.crash()
		}
		synctest.Wait()
		if e, m, n := r.said(id, "echoed"), r.said(id, "mine"), r.said(id, "new"); e != 0 || m != 1 || n != 1 {
			t.Errorf("echoed %d, mine %d, new %d", e, m, n)
		}
	})
}

// The machine's timers and the adapter's are kept across restarts and fire once.
func TestTimers(t *testing.T) {
	for _, restart := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t)
			r.plugins.defs["front"] = words(map[string]func(*adapter.Tx){
				"set":  func(tx *adapter.Tx) { tx.After("a", 30*time.Second); tx.After("b", 10*time.Second) },
				"stop": func(tx *adapter.Tx) { tx.Stop("b"); tx.Stop("never set") },
			})
			r.timers(conversation.Timers{AgentSilence: time.Hour})
			r.open()
			id := r.active()
			r.arrive(inbound(), "s1", "set")
			r.arrive(inbound(), "s1", "stop")
			synctest.Wait()
			if restart {
				r.crash()
			}
			pass(29 * time.Second)
			if n := len(inputs[adapter.Fired](r.plugins)); n != 0 {
				t.Errorf("%d fired early", n)
			}
			pass(2 * time.Second)
			if got := inputs[adapter.Fired](r.plugins); len(got) != 1 || got[0].Timer != "a" {
				t.Errorf("fired %v", got)
			}
			pass(58 * time.Minute)
			if r.has(id, "system handback.requested") {
				t.Error("the agent counts as silent early")
			}
			pass(2 * time.Minute)
			if !r.has(id, "system handback.requested") || !r.has(id, "virtual_agent handback.completed") {
				t.Errorf("after the agent's silence: %v", r.kinds(id))
			}
		})
	}
}

func TestWaitingRunsOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.open()
		receipt := r.arrive(start(), "s1", "start")
		r.must(receipt.Conversation, event.HandoffQueued{})
		r.engine.Written(receipt, true)
		pass(61 * time.Second)
		if !r.has(receipt.Conversation, "system handoff.failed") {
			t.Errorf("events %v", r.kinds(receipt.Conversation))
		}
	})
}

// Customer and live agents only: the hand-off begins with the conversation, and
// again with the customer's next words when nobody came.
func TestStraightToPeople(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.setup.Accounts["web"] = engine.Account{Name: "web", Adapter: engine.Native, Role: event.RoleCustomer}
		r.setup.Routes = []engine.Route{{Name: "web", Customer: "web", LiveAgents: []string{"desk"}, Queue: "sales", Timers: conversation.Timers{Waiting: time.Minute}}}
		r.open()
		id, err := r.engine.Open(t.Context(), engine.Opening{Account: "web", Language: "de", Customer: event.Actor{Role: event.RoleCustomer, ID: "ada"}})
		if err != nil {
			t.Fatal(err)
		}
		if !r.has(id, "system handoff.requested") {
			t.Errorf("events %v", r.kinds(id))
		}
		pass(2 * time.Minute)
		customer := engine.Command{Conversation: id, Role: event.RoleCustomer, Actor: event.Actor{Role: event.RoleCustomer, ID: "ada"},
			Body: event.MessageCreated{Content: event.Plain("anybody?")}}
		if _, err := r.engine.Do(t.Context(), customer); err != nil {
			t.Fatal(err)
		}
		r.must(id, event.HandoffAccepted{})
		r.say(id, "here I am")
		if _, err := r.engine.Do(t.Context(), customer); err != nil {
			t.Fatal(err)
		}
		r.must(id, event.ConversationEnded{})
		if _, err := r.engine.Do(t.Context(), customer); err == nil {
			t.Error("words after the end")
		}
		synctest.Wait()
		want := []string{"system conversation.started", "system handoff.requested", "system message.created", "system handoff.failed",
			"customer message.created", "system handoff.requested", "live_agent handoff.accepted", "live_agent message.created",
			"customer message.created", "live_agent conversation.ended"}
		got := r.kinds(id)
		got = slices.DeleteFunc(got, func(k string) bool { return k == "system handoff.cancelled" })
		if !slices.Equal(got, want) {
			t.Errorf("events %q\nwant %q", got, want)
		}
		if left := unsettled(r.disk); len(left) > 0 {
			t.Errorf("left %v", left)
		}
	})
}

// A key leads to a new conversation once its own has ended, and only then; a
// vendor that begins twice at once begins one.
func TestKeyAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.open()
		id := r.active()
		if again := r.arrive(start(), "s1", "start again"); again.Conversation != id {
			t.Error("a second start of an open conversation began another")
		}
		r.must(id, event.ConversationEnded{})
		synctest.Wait()
		if late := r.arrive(inbound(), "s1", "late"); late.Conversation != id {
			t.Error("words alone began a conversation")
		}
		both := make(chan engine.Receipt, 2)
		for range 2 {
			go func() {
				receipt, _ := r.try(start(), "s1", "start") // refused, it is of no conversation
				both <- receipt
			}()
		}
		first, second := <-both, <-both
		if first.Conversation == id || first.Conversation != second.Conversation || first.Duplicate == second.Duplicate {
			t.Errorf("began %+v and %+v", first, second)
		}
		r.arrive(inbound(), "s1", "to the new one")
		synctest.Wait()
		if r.said(first.Conversation, "to the new one") != 1 || r.said(id, "late") != 1 {
			t.Error("words went astray")
		}
		if _, err := r.try(inbound(), "s2", "unknown"); !errors.Is(err, engine.ErrUnknownKey) {
			t.Errorf("unknown key: %v", err)
		}
	})
}

// An adapter binds a key that an ended conversation had, and not one that
// another still has.
func TestBinding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.plugins.defs["front"] = words(map[string]func(*adapter.Tx){"bind": func(tx *adapter.Tx) { tx.Bind("vendor-7") }})
		r.open()
		one := r.active()
		r.arrive(inbound(), "s1", "bind")
		synctest.Wait()
		two := r.arrive(start(), "s2", "start 2")
		r.arrive(inbound(), "s2", "bind")
		r.arrive(inbound(), "s2", "goes on")
		if l := r.letters(1)[0]; !strings.Contains(l.Reason, "another conversation") {
			t.Errorf("reason %q", l.Reason)
		}
		if got := r.arrive(inbound(), "vendor-7", "whose"); got.Conversation != one || r.said(two.Conversation, "goes on") != 1 {
			t.Error("the key was taken from a conversation that has it")
		}
		r.must(one, event.ConversationEnded{})
		r.arrive(inbound(), "s2", "bind")
		r.letters(1)
		r.disk.mu.Lock()
		for k := range r.disk.dedups {
			if k[2] == "bind" {
				delete(r.disk.dedups, k)
			}
		}
		r.disk.mu.Unlock()
		r.arrive(inbound(), "s2", "bind")
		synctest.Wait()
		if got := r.arrive(inbound(), "vendor-7", "whose now"); got.Conversation != two.Conversation {
			t.Error("the key of an ended conversation was not taken over")
		}
	})
}

// Intake is refused before it is acknowledged when a conversation has too much
// waiting, by number and by size, and taken again later.
func TestIntakeIsBounded(t *testing.T) {
	for _, size := range []int{10, 200_000} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t)
			r.open()
			id := r.active()
			r.plugins.set(func(p *plugins) { p.down = true })
			taken := 0
			var err error
			for range 3000 {
				if _, err = r.try(inbound(), "s1", fmt.Sprint(taken, strings.Repeat("x", size))); err != nil {
					break
				}
				taken++
			}
			if !errors.Is(err, engine.ErrBusy) || taken < 30 {
				t.Errorf("%d taken, then %v", taken, err)
			}
			if _, err := r.do(id, event.MessageCreated{Content: event.Plain("x")}); !errors.Is(err, engine.ErrBusy) {
				t.Errorf("command: %v", err)
			}
			r.plugins.set(func(p *plugins) { p.down = false })
			pass(10 * time.Second)
			if _, err := r.try(inbound(), "s1", "last"); err != nil {
				t.Error(err)
			}
			synctest.Wait()
			said := 0
			for _, e := range r.events(id) {
				if e.Actor.Role == event.RoleCustomer {
					said++
				}
			}
			if said != taken+1 {
				t.Errorf("said %d of %d", said, taken+1)
			}
		})
	}
}

// An Idempotency-Key names one event for a day, in order and after a restart.
func TestIdempotency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.timers(conversation.Timers{Waiting: time.Minute})
		r.open()
		id := r.active()
		say := func(key, words string) (event.Event, error) {
			return r.engine.Do(t.Context(), engine.Command{Conversation: id, Role: event.RoleLiveAgent, Token: "desk", Key: key,
				Actor: event.Actor{Role: event.RoleLiveAgent, ID: "sam"}, Body: event.MessageCreated{Content: event.Plain(words)}})
		}
		first, err := say("k", "hello")
		if err != nil {
			t.Fatal(err)
		}
		r.crash()
		if again, err := say("k", "hello"); err != nil || again.ID != first.ID {
			t.Errorf("again %s %v, want %s", again.ID, err, first.ID)
		}
		if _, err := say("k", "other"); !errors.Is(err, engine.ErrKeyReused) {
			t.Errorf("other words: %v", err)
		}
		if r.said(id, "hello") != 1 {
			t.Errorf("said %d times", r.said(id, "hello"))
		}
		pass(25 * time.Hour)
		if later, err := say("k", "other"); err != nil || later.ID == first.ID {
			t.Errorf("a day later: %v", err)
		}
	})
}

// Typing passes by and leaves nothing in the journal.
func TestTransientIsNotStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.open()
		id := r.active()
		synctest.Wait()
		before, events := r.disk.commits, len(r.events(id))
		if _, err := r.do(id, event.TypingStarted{}); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if r.disk.commits != before || len(r.events(id)) != events {
			t.Errorf("%d commits for it", r.disk.commits-before)
		}
	})
}

// In a transfer within a desk the agent who passes the conversation on goes on
// speaking; who accepts it speaks next.
func TestTransferWithinTheDesk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.open()
		id := r.active()
		r.must(id, event.TransferRequested{})
		r.say(id, "one moment")
		if r.has(id, "live_agent transfer.completed") || r.has(id, "system transfer.completed") {
			t.Error("the old agent's words took the transfer")
		}
		ann := func(body event.Body) error {
			_, err := r.engine.Do(t.Context(), engine.Command{Conversation: id, Role: event.RoleLiveAgent,
				Actor: event.Actor{Role: event.RoleLiveAgent, ID: "ann"}, Body: body})
			return err
		}
		if err := ann(event.HandoffAccepted{}); err != nil {
			t.Fatal(err)
		}
		if err := ann(event.MessageCreated{Content: event.Plain("hello, Ann here")}); err != nil {
			t.Fatal(err)
		}
		if _, err := r.do(id, event.MessageCreated{Content: event.Plain("me too")}); err == nil {
			t.Error("the old agent speaks on")
		}
		synctest.Wait()
		if got := r.far.bodies(out); !slices.Equal(got, []string{"one moment", "hello, Ann here"}) {
			t.Errorf("arrived %q", got)
		}
	})
}

// A hand-off brings the whole transcript, as far as it fits: what was said, and not
// what was refused.
func TestTranscript(t *testing.T) {
	for _, each := range []int{10, 20_000} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t)
			var got event.HandoffRequested
			twoDesks(r, puppet(func(tx *adapter.Tx, in adapter.Input) error {
				d, _ := in.(adapter.Deliver)
				switch body := d.Event.Body.(type) {
				case event.HandoffRequested:
					got = body
				case event.HandoffCancelled:
					tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleLiveAgent}, Body: event.MessageCreated{Content: event.Plain("too late")}})
				}
				return nil
			}))
			r.open()
			id := r.arrive(start(), "s1", "start").Conversation
			synctest.Wait()
			for i := range 20 {
				r.arrive(inbound(), "s1", fmt.Sprintf("%d %s", i, strings.Repeat("x", each)))
			}
			pass(6 * time.Second) // the hand-off is withdrawn
			r.arrive(start(), "s1", "start again")
			synctest.Wait()
			n := len(got.Transcript)
			if last := got.Transcript[n-1].Content.Part.(event.Text).Text; !strings.HasPrefix(last, "19 ") {
				t.Errorf("last entry %.10q", last)
			}
			if each < 100 && n != 20 || each > 100 && (n < 8 || n > 15) {
				t.Errorf("%d entries of %d", n, each)
			}
			_ = id
		})
	}
}
