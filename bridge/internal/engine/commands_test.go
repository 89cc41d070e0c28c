package engine_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

// orderingRig is a rig whose customer's far side asks and stays for the answer:
// what begins with a slash is a command. The virtual agent starts over where it
// is told to, asks for a person at "a person", and knows no other command.
func orderingRig(t *testing.T) (*rig, *exchange) {
	r, x := askingRig(t)
	r.hears("widget", func(said string) []adapter.Emission {
		if name, command := strings.CutPrefix(said, "/"); command {
			return by(event.RoleCustomer, event.CommandIssued{Name: name})
		}
		return nil
	})
	r.deviates("brain", takesOrders)
	r.hears("brain", only("in line", by(event.RoleLiveAgent, event.HandoffQueued{Position: 3})))
	r.hears("brain", only("a person", by(event.RoleVirtualAgent, event.HandoffRequested{})))
	return r, x
}

func takesOrders(tx *adapter.Tx, in adapter.Input) bool {
	d, _ := in.(adapter.Deliver)
	order, _ := d.Event.Body.(event.CommandIssued)
	switch {
	case order.Name == "reset":
		tx.Emit(by(event.RoleVirtualAgent, event.MessageCreated{Content: event.Plain("from the start")})[0])
	case order.Name == "cancel":
		tx.Fail("there is nothing to cancel")
	case text(d.Event) == "unheard":
		tx.Fail("the message has no words to send")
	default:
		return false
	}
	return true
}

// answered are the events whose answers the customer's far side was told to be
// complete, in order.
func (r *rig) answered() []string {
	var to []string
	for _, e := range delivered(r.plugins, "studio", event.KindAnswerCompleted) {
		to = append(to, e.Body.(event.AnswerCompleted).To)
	}
	return to
}

// histories are the transcripts the customer's far side was given, a line each.
func (r *rig) histories() []string {
	var all []string
	for _, e := range delivered(r.plugins, "studio", event.KindTranscriptShared) {
		line := []string{string(e.Actor.Role)}
		for _, entry := range e.Body.(event.TranscriptShared).Entries {
			line = append(line, string(entry.Actor.Role)+": "+entry.Content.Part.(event.Text).Text)
		}
		all = append(all, strings.Join(line, " | "))
	}
	return all
}

// asked are the ids of the customer's events of a kind.
func (r *rig) asked(k event.Kind) []string {
	var ids []string
	for _, e := range r.disk.all() {
		if e.Kind() == k && e.Actor.Role == event.RoleCustomer {
			ids = append(ids, e.ID)
		}
	}
	return ids
}

// TestHistoryIsAnsweredByTheBridge: whoever has the conversation, the customer is
// given what they said and were told, at once, and nothing else.
func TestHistoryIsAnsweredByTheBridge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, x := orderingRig(t)
		client := r.call()
		client.hear("one")
		pass(time.Second)
		x.last().hear("first")
		pass(2 * time.Second)
		client.hear("/history")
		pass(time.Millisecond)
		x.last().hear("a person")
		pass(2 * time.Second)
		x.last().hear("too late")
		client.hear("/history")
		pass(time.Millisecond)
		id := r.disk.conversations()[0]
		r.must(id, event.HandoffAccepted{})
		r.must(id, event.NoteCreated{Text: "not for the customer"})
		r.say(id, "here I am")
		pass(time.Second)
		client.hear("/history")
		pass(time.Millisecond)
		before := "system | customer: one | virtual_agent: first"
		same(t, "the histories", r.histories(), []string{before, before, before + " | live_agent: here I am"})
		same(t, "the answers", r.answered(), append(r.asked(event.KindMessageCreated), r.asked(event.KindCommandIssued)...))
		if got := delivered(r.plugins, "brain", event.KindCommandIssued); len(got) != 0 {
			t.Errorf("the virtual agent was asked too: %v", got)
		}
	})
}

// TestHistoryIsNotPartOfItself: a second desk's transcript and a second history
// hold everything once.
func TestHistoryIsNotPartOfItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, x := orderingRig(t)
		r.setup.Accounts["far"] = r.setup.Accounts["brain"]
		far := r.setup.Accounts["far"]
		far.Name, far.Role = "far", event.RoleLiveAgent
		r.setup.Accounts["far"] = far
		r.setup.Routes[0].LiveAgents = []string{"far"}
		client := r.call()
		client.hear("one")
		pass(time.Second)
		client.hear("/history")
		client.hear("/history")
		pass(time.Second)
		x.last().hear("a person")
		pass(time.Second)
		same(t, "the histories", r.histories(), []string{"system | customer: one", "system | customer: one"})
		got := delivered(r.plugins, "far", event.KindHandoffRequested)
		if len(got) != 1 {
			t.Fatalf("%d desks were asked", len(got))
		}
		if all := got[0].Body.(event.HandoffRequested).Transcript; len(all) != 1 || all[0].Actor.Role != event.RoleCustomer {
			t.Errorf("the desk was given %v", all)
		}
	})
}

// TestWhatNobodyDoesIsAnswered: an order the virtual agent does not take, and
// words that could not be given to it, keep nobody waiting.
func TestWhatNobodyDoesIsAnswered(t *testing.T) {
	for said, after := range map[string]time.Duration{"/back": 0, "/cancel": 0, "unheard": 0, "/reset": 1500 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			r, _ := orderingRig(t)
			client := r.call()
			client.hear(said)
			pass(time.Millisecond)
			if early := len(r.answered()) == 1; early != (after == 0) {
				t.Errorf("%s is answered at once: %t", said, early)
			}
			pass(after)
			same(t, said, r.answered(), append(r.asked(event.KindMessageCreated), r.asked(event.KindCommandIssued)...))
		})
	}
}

// TestOrderNobodyTakesAnswersNothingElse: the answer to what was said before is
// still to come.
func TestOrderNobodyTakesAnswersNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, x := orderingRig(t)
		client := r.call()
		client.hear("one")
		pass(time.Second)
		client.hear("/history")
		client.hear("/back")
		pass(time.Second)
		orders := r.asked(event.KindCommandIssued)
		same(t, "at once", r.answered(), orders)
		x.last().hear("first")
		pass(2 * time.Second)
		same(t, "after the answer", r.answered(), append(slices.Clone(orders), r.asked(event.KindMessageCreated)...))
	})
}

// TestLogoutWithAPersonIsTheEnd: the customer has left and the desk knows.
func TestLogoutWithAPersonIsTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, x := orderingRig(t)
		client := r.call()
		client.hear("/logout")
		client.hear("one")
		pass(time.Second)
		id := r.disk.conversations()[0]
		if r.has(id, "system conversation.ended") {
			t.Error("who logs out of the virtual agent has left the bridge too")
		}
		x.last().hear("a person")
		pass(time.Second)
		r.must(id, event.HandoffAccepted{})
		client.hear("/logout")
		pass(time.Second)
		all := r.events(id)
		if b, ok := all[len(all)-1].Body.(event.ConversationEnded); !ok || b.Reason != "logout" || b.By != event.RoleCustomer {
			t.Errorf("the last is %v", all[len(all)-1].Body)
		}
	})
}

// TestHistoryEndsWhereItWasAskedFor: what is said before it could be delivered
// comes after it.
func TestHistoryEndsWhereItWasAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := orderingRig(t)
		offered := 0
		r.deviates("widget", func(tx *adapter.Tx, in adapter.Input) bool {
			d, ok := in.(adapter.Deliver)
			if !ok || d.Event.Kind() != event.KindTranscriptShared {
				return false
			}
			if offered++; offered == 1 {
				tx.Later()
			}
			return offered == 1
		})
		client := r.call()
		client.hear("one")
		client.hear("/history")
		pass(time.Second)
		client.hear("two")
		pass(time.Second)
		same(t, "the histories", r.histories(), []string{"system | customer: one", "system | customer: one"})
	})
}

// TestPlaceInTheVendorsLineIsAnAnswer: the virtual agent's own people are waited
// for, and there may be no words with that.
func TestPlaceInTheVendorsLineIsAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, x := orderingRig(t)
		r.call().hear("one")
		pass(time.Second)
		x.last().hear("in line")
		pass(time.Second)
		if got := r.answered(); len(got) != 0 {
			t.Errorf("after a second the answer is complete: %q", got)
		}
		pass(time.Second)
		same(t, "the answer", r.answered(), r.asked(event.KindMessageCreated))
		queued := delivered(r.plugins, "studio", event.KindHandoffQueued)
		if len(queued) != 1 || queued[0].Body.(event.HandoffQueued).Position != 3 {
			t.Errorf("the customer was shown %v", queued)
		}
	})
}
