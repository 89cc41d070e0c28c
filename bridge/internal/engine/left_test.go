package engine_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/conversation"
	"github.com/footbridge/footbridge/bridge/internal/engine"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// indexed remembers what the last commit lets a conversation be found by.
type indexed struct {
	engine.Journal
	mu   sync.Mutex
	last journal.Index
}

func (x *indexed) Commit(ctx context.Context, c journal.Commit) error {
	err := x.Journal.Commit(ctx, c)
	if err == nil {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.last = c.Index
	}
	return err
}

func (x *indexed) left() time.Time {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.last.Left
}

// leftRig is a conversation whose customer has left a message, after the desk was
// asked and nobody there took it.
func leftRig(t *testing.T) (r *rig, x *exchange, client *cable, id string, index *indexed) {
	r, x = wiredRig(t)
	index = &indexed{Journal: r.disk}
	r.store = index
	r.setup.Routes[0].LeaveMessage = true
	r.hears("brain", only("a person", by(event.RoleVirtualAgent, event.HandoffRequested{})))
	r.restart()
	client = r.call()
	client.hear("hello")
	pass(time.Second)
	x.last().hear("a person")
	pass(2 * time.Minute) // nobody takes it
	if index.left() != (time.Time{}) {
		t.Fatalf("left at %s before a word", index.left())
	}
	client.hear("call me back")
	pass(time.Second)
	r.desk.refusal = event.FailedOutOfHours
	return r, x, client, r.disk.conversations()[0], index
}

// deals has an agent take a left message up, or say that it is dealt with.
func (r *rig) deals(agent, id string, body event.Body) (event.Event, error) {
	return r.engine.Do(context.Background(), engine.Command{Conversation: id, Role: event.RoleLiveAgent,
		Actor: event.Actor{Role: event.RoleLiveAgent, ID: agent}, Body: body})
}

func refusedFor(t *testing.T, err error, reason string) {
	t.Helper()
	var r *engine.Refusal
	if !errors.As(err, &r) || r.Reason != reason {
		t.Errorf("refused with %v, want %s", err, reason)
	}
}

// TestLeftMessageIsTakenUp: after a crash, by one of two who want it at once and
// though nothing is open, but not while the desk is drained; the answer arrives, and the virtual agent hears only what
// is said after it has the conversation again.
func TestLeftMessageIsTakenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, x, client, id, index := leftRig(t)
		since := index.left()
		if since.IsZero() || !r.has(id, "system message.left") {
			t.Fatalf("left at %s: %q", since, r.kinds(id))
		}
		r.drain("desk", true)
		_, err := r.deals("sam", id, event.HandoffAccepted{})
		refusedFor(t, err, conversation.RefusedNoOffer)
		r.drain("desk", false)
		r.crash()
		client = r.call()
		answers := map[string]error{}
		var both sync.WaitGroup
		var mu sync.Mutex
		for _, agent := range []string{"sam", "kim"} {
			both.Go(func() {
				_, err := r.deals(agent, id, event.HandoffAccepted{})
				mu.Lock()
				defer mu.Unlock()
				answers[agent] = err
			})
		}
		both.Wait()
		winner, loser := "sam", "kim"
		if answers[winner] != nil {
			winner, loser = loser, winner
		}
		if answers[winner] != nil {
			t.Fatalf("nobody may take it up: %v", answers)
		}
		refusedFor(t, answers[loser], conversation.RefusedTaken)
		if !index.left().IsZero() {
			t.Errorf("it still waits, since %s", index.left())
		}
		events := r.events(id)
		last := events[len(events)-2:]
		if last[0].Kind() != event.KindHandoffRequested || last[0].Body.(event.HandoffRequested).Reason != conversation.ReasonLeftMessage ||
			last[1].Actor.ID != winner || last[1].Via != (event.Via{Account: "desk", Role: event.RoleLiveAgent}) {
			t.Errorf("taken up by %+v", last)
		}
		if _, err := r.deals(winner, id, event.MessageCreated{Content: event.Plain("we call you")}); err != nil {
			t.Fatal(err)
		}
		client.hear("thank you")
		pass(time.Second)
		if _, err := r.deals(winner, id, event.HandbackRequested{}); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		if got := client.received(); !slices.Contains(got, "we call you") {
			t.Errorf("the customer received %q", got)
		}
		if got := x.last().received(); slices.Contains(got, "we call you") {
			t.Errorf("the virtual agent was told %q", got)
		}
		if left := unsettled(r.disk); len(left) > 0 {
			t.Errorf("unsettled %v", left)
		}
	})
}

// TestLeftMessageIsDone: also by somebody who is not at it, after the end and a
// crash, once.
func TestLeftMessageIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _, _, id, index := leftRig(t)
		system := engine.Command{Conversation: id, Role: event.RoleSystem, Actor: event.Actor{Role: event.RoleSystem}, Body: event.ConversationEnded{}}
		if _, err := r.engine.Do(t.Context(), system); err != nil {
			t.Fatal(err)
		}
		r.crash()
		_, err := r.deals("kim", id, event.HandoffAccepted{})
		refusedFor(t, err, conversation.RefusedEnded)
		e, err := r.deals("kim", id, event.WrapupCompleted{Disposition: "called"})
		if err != nil || e.Via != (event.Via{}) || !index.left().IsZero() {
			t.Fatalf("done: %+v, %v; waits since %s", e, err, index.left())
		}
		r.crash()
		_, err = r.deals("sam", id, event.HandoffAccepted{})
		refusedFor(t, err, conversation.RefusedEnded)
		if e, err := r.deals("sam", id, event.WrapupCompleted{}); err != nil || e.Via.Account != "desk" {
			t.Errorf("a wrap-up of the leg that was asked: %+v, %v", e, err)
		}
	})
}

// TestLeftMessageWhileAskedAgain: a later hand-off is taken as any other, whether
// somebody has dealt with the message meanwhile, without a leg, or not.
func TestLeftMessageWhileAskedAgain(t *testing.T) {
	for _, done := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			r, x, client, id, index := leftRig(t)
			r.desk.refusal = ""
			client.hear("a person")
			pass(time.Second)
			x.last().hear("a person")
			pass(time.Second)
			if done {
				if e, err := r.deals("kim", id, event.WrapupCompleted{}); err != nil || e.Via != (event.Via{}) || !index.left().IsZero() {
					t.Fatalf("done: %+v, %v; waits since %s", e, err, index.left())
				}
			}
			if e, err := r.deals("sam", id, event.HandoffAccepted{}); err != nil || e.Via.Account != "desk" || !index.left().IsZero() {
				t.Errorf("accepted: %+v, %v; waits since %s", e, err, index.left())
			}
			for _, e := range r.events(id) {
				if body, ok := e.Body.(event.HandoffRequested); ok && body.Reason == conversation.ReasonLeftMessage {
					t.Error("taken up as a left message")
				}
			}
		})
	}
}
