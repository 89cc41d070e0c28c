package engine_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/engine"
)

// streamingRig is a rig whose virtual agent speaks in pieces: its far side says
// "STREAM + text" for one more, "STREAM = text" for another instead of all before,
// "STREAM . text" for the whole, and "end" for the conversation's end. The
// customer's far side is told no pieces.
func streamingRig(t *testing.T) (*rig, *exchange) {
	r, x := askingRig(t)
	r.hears("brain", func(said string) []adapter.Emission {
		words := strings.SplitN(said, " ", 3)
		e := adapter.Emission{Actor: event.Actor{Role: event.RoleVirtualAgent, Name: "Iris"}}
		switch {
		case words[0] == "end":
			e.Body = event.ConversationEnded{Reason: "done"}
		case words[1] == ".":
			e.Body = event.MessageCreated{Content: event.Plain(words[2]), Stream: words[0]}
			if strings.HasPrefix(words[0], "known") {
				e.Ref = "the vendor's id"
			}
		default:
			e.Body = event.MessagePartial{Stream: words[0], Mode: map[string]string{"+": "append", "=": "replace"}[words[1]], Text: words[2]}
		}
		return []adapter.Emission{e}
	})
	return r, x
}

// heardWords are the messages the customer's far side was given.
func (r *rig) heardWords() []string {
	var all []string
	for _, e := range delivered(r.plugins, "studio", event.KindMessageCreated) {
		m := e.Body.(event.MessageCreated)
		all = append(all, fmt.Sprintf("%s %s: %s, incomplete %t", e.Actor.Name, m.Stream, text(e), m.Incomplete))
	}
	return all
}

// TestPiecesAreNeverLost: what was begun and never finished reaches the customer as
// far as it came, over a crash too, and what was finished is there once.
func TestPiecesAreNeverLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, x := streamingRig(t)
		r.call().hear("one")
		pass(time.Second)
		for _, frame := range []string{"a + He", "a + llo", "b + wrong", "b = right ", "b + now", "c + never mind", "c . the whole"} {
			x.last().hear(frame)
		}
		pass(time.Second)
		same(t, "at first", r.heardWords(), []string{"Iris c: the whole, incomplete false"})
		r.crash()
		r.call()
		pass(3 * time.Minute)
		same(t, "in the end", r.heardWords(), []string{"Iris c: the whole, incomplete false", "Iris a: Hello, incomplete true", "Iris b: right now, incomplete true"})
		pass(time.Hour)
		if n := len(r.heardWords()); n != 3 {
			t.Errorf("%d messages later", n)
		}
	})
}

// TestACustomersPiecesAreNotWords: what they began and did not send they have not
// said.
func TestACustomersPiecesAreNotWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := streamingRig(t)
		r.hears("widget", only("hesitates", by(event.RoleCustomer, event.MessagePartial{Stream: "s", Mode: "append", Text: "I hate"})))
		client := r.call()
		client.hear("one")
		client.hear("hesitates")
		pass(time.Hour)
		if n := len(r.asked(event.KindMessageCreated)); n != 1 {
			t.Errorf("the customer has said %d messages", n)
		}
	})
}

// TestPiecesOfWhatIsKnownAreNoMessage: a vendor that says a message again, piece by
// piece, says nothing new, and pieces without words are none.
func TestPiecesOfWhatIsKnownAreNoMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, x := streamingRig(t)
		r.call().hear("one")
		pass(time.Second)
		for _, frame := range []string{"known1 + Hel", "known1 . Hello", "known2 + Hel", "known2 . Hello", "e + gone", "e = "} {
			x.last().hear(frame)
		}
		pass(time.Hour)
		same(t, "the customer", r.heardWords(), []string{"Iris known1: Hello, incomplete false"})
	})
}

// TestPiecesComeBeforeTheEnd: whoever ends the conversation.
func TestPiecesComeBeforeTheEnd(t *testing.T) {
	for _, by := range []string{"the virtual agent", "the bridge"} {
		synctest.Test(t, func(t *testing.T) {
			r, x := streamingRig(t)
			r.call().hear("one")
			pass(time.Second)
			x.last().hear("a + Hello")
			pass(time.Second)
			id := r.disk.conversations()[0]
			if by == "the bridge" {
				if _, err := r.engine.Do(context.Background(), engine.Command{Conversation: id, Role: event.RoleSystem,
					Actor: event.Actor{Role: event.RoleSystem}, Body: event.ConversationEnded{}}); err != nil {
					t.Fatal(err)
				}
			} else {
				x.last().hear("end")
			}
			pass(time.Second)
			same(t, by, r.heardWords(), []string{"Iris a: Hello, incomplete true"})
			kinds := r.kinds(id)
			if n := len(kinds); !strings.HasSuffix(kinds[n-1], "conversation.ended") || kinds[n-2] != "virtual_agent message.created" {
				t.Errorf("%s: %q", by, kinds)
			}
		})
	}
}

// TestPiecesAreBounded: a virtual agent that begins without end, or says without
// end, costs little, and what is closed for it is not lost.
func TestPiecesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, x := streamingRig(t)
		r.call().hear("one")
		pass(time.Second)
		for i := range 9 {
			x.last().hear(fmt.Sprintf("s%d + begun", i))
			pass(time.Second)
		}
		same(t, "the oldest", r.heardWords(), []string{"Iris s0: begun, incomplete true"})
		for range 5 {
			x.last().hear("s1 + " + strings.Repeat("é", 10<<10))
		}
		x.last().hear("end")
		pass(time.Second)
		all := r.heardWords()
		if n := len(all[len(all)-1]); len(all) != 9 || n > 65<<10 {
			t.Errorf("%d messages, the last of %d bytes", len(all), n)
		}
		for _, one := range all {
			if strings.ContainsRune(one, '\uFFFD') {
				t.Error("a character was cut")
			}
		}
	})
}

// TestAnswerIsNotCompleteInTheMiddleOfAMessage: words and a pause are no whole
// answer while another message is being written.
func TestAnswerIsNotCompleteInTheMiddleOfAMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, x := streamingRig(t)
		r.call().hear("one")
		pass(time.Second)
		x.last().hear("a . Let me look")
		pass(time.Second)
		x.last().hear("b + I have")
		pass(20 * time.Second)
		if got := r.answered(); len(got) != 0 {
			t.Errorf("in the middle of a message the answer is complete: %q", got)
		}
		x.last().hear("b . I have found it")
		pass(time.Second)
		if got := r.answered(); len(got) != 0 {
			t.Errorf("at once after it the answer is complete: %q", got)
		}
		pass(time.Second)
		same(t, "the answer", r.answered(), r.asked(event.KindMessageCreated))
	})
}
