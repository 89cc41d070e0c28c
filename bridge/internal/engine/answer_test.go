package engine_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

// shownTo changes what the customer's far side carries.
func (r *rig) shownTo(change func(*adapter.Levels)) {
	a := r.setup.Accounts["studio"]
	change(&a.Profile.Levels)
	r.setup.Accounts["studio"] = a
}

// delivered are the events of a kind the adapter of an account was given.
func delivered(p *plugins, account string, k event.Kind) []event.Event {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []event.Event
	for _, t := range p.turns {
		if d, ok := t.Input.(adapter.Deliver); ok && t.Account.Name == account && d.Event.Kind() == k {
			all = append(all, d.Event)
		}
	}
	return all
}

func TestAnswersAreCompleteAfterQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, x := askingRig(t)
		client := r.call()
		complete := func() int { return len(delivered(r.plugins, "studio", event.KindAnswerCompleted)) }
		client.hear("one")
		pass(time.Minute)
		if n := complete(); n != 0 {
			t.Fatalf("before its first word an answer is complete %d times", n)
		}
		x.last().hear("first")
		pass(time.Second)
		x.last().hear("second")
		pass(1400 * time.Millisecond)
		if n := complete(); n != 0 {
			t.Errorf("1.4 s after a word an answer is complete %d times", n)
		}
		pass(200 * time.Millisecond)
		all := delivered(r.plugins, "studio", event.KindAnswerCompleted)
		if len(all) != 1 || all[0].Body.(event.AnswerCompleted).To == "" {
			t.Fatalf("complete: %v", all)
		}
		x.last().hear("an afterthought")
		pass(time.Minute)
		if n := complete(); n != 1 {
			t.Errorf("words nobody asked for are an answer: %d", n)
		}
	})
}

func TestAnswersOfRequestsAreCompleteToo(t *testing.T) {
	for _, c := range []struct {
		e    adapter.Endpoint
		want int
	}{
		{adapter.Endpoint{Name: "step", Key: "path:leg", Answer: adapter.AnswerReply}, 1},
		{adapter.Endpoint{Name: "init", Key: "new", Answer: adapter.AnswerReply}, 0},
		{adapter.Endpoint{Name: "hook", Key: "path:leg", Answer: adapter.AnswerAck}, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			r, x := wiredRig(t)
			r.shownTo(func(l *adapter.Levels) { l.Push = adapter.PushSocket })
			a := r.setup.Accounts["studio"]
			a.Profile.Endpoints = append(slices.Clone(a.Profile.Endpoints), c.e)
			r.setup.Accounts["studio"] = a
			r.call().hear("one")
			pass(time.Second)
			x.last().hear("first")
			pass(2 * time.Second)
			if n := len(delivered(r.plugins, "studio", event.KindAnswerCompleted)); n != c.want {
				t.Errorf("with %s an answer is complete %d times, want %d", c.e.Name, n, c.want)
			}
		})
	}
}

func TestPeoplesAnswersAreNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, x := askingRig(t)
		r.hears("brain", only("a person", by(event.RoleVirtualAgent, event.HandoffRequested{})))
		client := r.call()
		client.hear("a person, please")
		pass(time.Second)
		id := r.disk.conversations()[0]
		x.last().hear("a person")
		pass(time.Second)
		client.hear("hello?")
		pass(time.Millisecond)
		if n := len(delivered(r.plugins, "studio", event.KindAnswerCompleted)); n != 2 {
			t.Errorf("while waiting: %d", n)
		}
		r.must(id, event.HandoffAccepted{})
		client.hear("are you there?")
		pass(time.Millisecond)
		if n := len(delivered(r.plugins, "studio", event.KindAnswerCompleted)); n != 3 {
			t.Errorf("with a person: %d", n)
		}
	})
}

// A virtual agent that asks for people in the midst of its answer, and then
// completes it, is not heard any more: the answer is complete all the same, once.
func TestAnswersThatAskForPeopleAreComplete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, x := askingRig(t)
		r.hears("brain", only("a person", by(event.RoleVirtualAgent, event.HandoffRequested{}, event.AnswerCompleted{})))
		client := r.call()
		client.hear("a person, please")
		pass(time.Second)
		x.last().hear("a person")
		pass(2 * time.Second)
		all := delivered(r.plugins, "studio", event.KindAnswerCompleted)
		if len(all) != 1 || all[0].Actor.Role != event.RoleSystem {
			t.Errorf("complete: %v", all)
		}
	})
}

func TestNumberIsTheChoice(t *testing.T) {
	for said, want := range map[string]string{"2": "tea-please", " 2. ": "tea-please", "1": "Coffee", "3": "3", "0": "0", "tea": "tea"} {
		synctest.Test(t, func(t *testing.T) {
			r, x := wiredRig(t)
			r.plugins.defs["brain"] = puppet(func(tx *adapter.Tx, in adapter.Input) error {
				d, ok := in.(adapter.Deliver)
				if ok && text(d.Event) == "hello" {
					tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleVirtualAgent}, Body: event.MessageCreated{Content: event.Content{
						Part: event.Choices{Text: "Which?", Options: []event.Choice{{Label: "Coffee"}, {Label: "Tea", Value: "tea-please"}}}}}})
				}
				return nil
			})
			client := r.call()
			client.hear("hello")
			pass(time.Second)
			same(t, "the customer", client.received(), []string{"Which?\n1. Coffee\n2. Tea"})
			client.hear(said)
			client.hear("2")
			pass(time.Second)
			got := delivered(r.plugins, "brain", event.KindMessageCreated)
			if text(got[1]) != want {
				t.Errorf("%q reached the virtual agent as %q, want %q", said, text(got[1]), want)
			}
			if text(got[2]) != "2" {
				t.Errorf("words after the next are a choice still: %q", text(got[2]))
			}
			_ = x
		})
	}
}

func TestTypingIsShownAndLeavesNoTrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, x := wiredRig(t)
		r.hears("brain", only("...", by(event.RoleVirtualAgent, event.TypingStarted{})))
		r.plugins.defs["widget"] = definition(func(tx *adapter.Tx, s *wired, in adapter.Input) error {
			if d, ok := in.(adapter.Deliver); ok && d.Event.Kind() == event.KindTypingStarted {
				tx.Send("", s.Conn, []byte("is typing"))
				s.Conn = "spoilt"
				return nil
			}
			return widget(tx, s, in)
		})
		client := r.call()
		client.hear("one")
		pass(time.Second)
		x.last().hear("...")
		pass(time.Second)
		same(t, "a far side that does not show it", client.received(), nil)
		r.shownTo(func(l *adapter.Levels) { l.Typing = adapter.Full })
		before := len(r.events(r.disk.conversations()[0]))
		x.last().hear("...")
		pass(time.Second)
		x.last().hear("words")
		pass(time.Second)
		same(t, "a far side that shows it", client.received(), []string{"is typing", "words"})
		if n := len(r.events(r.disk.conversations()[0])); n != before+1 {
			t.Errorf("%d events were stored, want the words alone", n-before)
		}
	})
}
