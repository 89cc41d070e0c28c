package engine_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/conversation"
	"github.com/footbridge/footbridge/bridge/internal/engine"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// unreadable is a journal whose conversations cannot be read while it is damaged.
type unreadable struct {
	*memory
	damaged bool
}

func (u *unreadable) Load(ctx context.Context, id string) (journal.Conversation, error) {
	if u.damaged {
		return journal.Conversation{}, journal.ErrDamaged
	}
	return u.memory.Load(ctx, id)
}

func (r *rig) unaccounted() int {
	r.t.Helper()
	n, err := r.engine.Unaccounted(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return n
}

// Work is under way as long as somebody is at it: in memory, at a timer, behind a
// connection. What was given up is counted, until it is taken up again.
func TestUnaccounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		disk := &unreadable{memory: r.disk}
		r.store = disk
		listening(r, event.KindHandoffAccepted, "wss://assist.example/live", "none")
		r.dialler = (&exchange{}).by
		r.timers(conversation.Timers{}) // nothing wakes it
		r.open()
		r.active()
		for _, after := range []time.Duration{0, time.Second, 20 * time.Minute} { // it has left memory, its connection stands
			if pass(after); r.unaccounted() != 0 {
				t.Fatalf("after %s: %d", after, r.unaccounted())
			}
		}
		r.close()
		disk.damaged = true
		r.open()
		pass(time.Second)
		if got := r.unaccounted(); got != 1 {
			t.Errorf("given up: %d", got)
		}
		disk.damaged = false
		r.restart()
		pass(time.Second)
		if got := r.unaccounted(); got != 0 {
			t.Errorf("taken up again: %d", got)
		}
	})
}

// A call that is answered late is work under way, though nothing wakes it.
func TestACallUnderWayIsAccountedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.timers(conversation.Timers{})
		r.open()
		id := r.active()
		r.far.will(answer{attempt: engine.Attempt{Status: 200}, took: 20 * time.Second})
		r.say(id, "slow")
		pass(time.Second)
		if got := r.unaccounted(); got != 0 || len(underWay(r.disk, id)) == 0 {
			t.Errorf("%d, under way %v", got, underWay(r.disk, id))
		}
		pass(time.Minute)
	})
}
