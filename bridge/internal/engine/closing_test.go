package engine_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/engine"
)

// slowCable takes a while to write, and writes nothing once it is closed.
type slowCable struct {
	*cable
}

func (c slowCable) Write(ctx context.Context, m engine.Message) string {
	time.Sleep(100 * time.Millisecond)
	select {
	case <-c.gone:
		return adapter.SentUnsent
	default:
		return c.cable.Write(ctx, m)
	}
}

// turns answers each frame and hangs up; what it sends after that is too late.
func turns(tx *adapter.Tx, s *wired, in adapter.Input) error {
	switch in := in.(type) {
	case adapter.Frame:
		for _, text := range []string{"one", "two", "three"} {
			tx.Send("", in.Conn, []byte(text))
		}
		tx.Send("last", in.Conn, []byte("four"))
		tx.Close(in.Conn, 1000)
		tx.Send("late", in.Conn, []byte("five"))
	case adapter.Sent:
		tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleCustomer, ID: "c"},
			Body: event.MessageCreated{Content: event.Plain(in.Tag + " " + in.Outcome)}})
	}
	return nil
}

// TestAConnectionIsClosedAfterWhatWasSent: a turn that sends and closes has sent.
func TestAConnectionIsClosedAfterWhatWasSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := wiredRig(t)
		r.plugins.defs["widget"] = definition(turns)
		c := slowCable{newCable(r.journal)}
		socket := adapter.Endpoint{Name: "ws", Transport: adapter.TransportWebSocket, Unknown: adapter.UnknownOpen}
		if err := r.engine.Connect(context.Background(), engine.Arrival{Account: "studio", Key: "ada", Endpoint: socket,
			Opened: &adapter.Opened{Endpoint: "ws"}}, c); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		c.hear("hello")
		pass(time.Minute)
		same(t, "the far side", c.received(), []string{"one", "two", "three", "four"})
		if c.code != 1000 {
			t.Errorf("closed with %d", c.code)
		}
		same(t, "ends", r.closedReasons(), []string{adapter.ClosedByUs})
		var sent []string
		for _, in := range inputs[adapter.Sent](r.plugins) {
			if in.Tag != "words" { // the virtual agent's leg's
				sent = append(sent, in.Tag+" "+in.Outcome)
			}
		}
		same(t, "sends", sent, []string{"late unsent", "last written"})
	})
}

// TestAQueuedHandoffIsToldBeforeTheAnswerIsComplete: who comes with a question and
// leaves with its answer hears that people were asked for; and is given no pieces
// of words, for it cannot be given the rest whenever that is ready.
func TestAQueuedHandoffIsToldBeforeTheAnswerIsComplete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, x := wiredRig(t)
		r.shownTo(func(l *adapter.Levels) { l.Push, l.Partials = adapter.PushNone, adapter.Full })
		r.hears("brain", func(said string) []adapter.Emission {
			if said == "piece" {
				return by(event.RoleVirtualAgent, event.MessagePartial{Stream: "s", Mode: "append", Text: "one"})
			}
			return by(event.RoleVirtualAgent, event.MessageCreated{Stream: "s", Content: event.Plain("one moment")}, event.HandoffRequested{})
		})
		client := r.call()
		client.hear("a person, please")
		pass(time.Second)
		x.last().hear("piece")
		pass(time.Second)
		x.last().hear("hand off")
		pass(time.Second)
		r.must(r.disk.conversations()[0], event.HandoffQueued{Position: 1})
		pass(time.Second)
		var kinds []string
		r.plugins.mu.Lock()
		defer r.plugins.mu.Unlock()
		for _, turn := range r.plugins.turns {
			if in, ok := turn.Input.(adapter.Deliver); ok && turn.Account.Name == "studio" && in.Event.Kind() != event.KindMessageCreated {
				kinds = append(kinds, string(in.Event.Kind()))
			}
		}
		same(t, "the customer's side", kinds, []string{"handoff.queued", "answer.completed"})
	})
}
