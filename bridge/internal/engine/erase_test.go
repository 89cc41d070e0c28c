package engine_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/engine"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

var why = journal.Audit{Who: "token ops", Reason: "asked"}

// ended is the reason with which the conversation's one end was recorded.
func (r *rig) ended(id string) string {
	r.t.Helper()
	reason, times := "", 0
	for _, e := range r.events(id) {
		if b, ok := e.Body.(event.ConversationEnded); ok {
			reason, times = b.Reason, times+1
		}
	}
	if times != 1 {
		r.t.Errorf("ended %d times: %v", times, r.kinds(id))
	}
	return reason
}

// TestARunningConversationEndsBeforeItIsErased: its far side hears of the end, and
// everything it was to get has an outcome.
func TestARunningConversationEndsBeforeItIsErased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.open()
		id := r.active()
		said := r.say(id, "okapi")
		if err := r.engine.Erase(context.Background(), id, why); err != nil {
			t.Fatal(err)
		}
		if got := r.ended(id); got != engine.ReasonErased {
			t.Errorf("ended as %q", got)
		}
		if got := r.outcome(said).Outcome; got != journal.Delivered {
			t.Errorf("what was said before is %s", got)
		}
		all := r.events(id)
		if got := r.outcome(all[len(all)-1]); got.Outcome != journal.Delivered || r.disk.erased[id] != why {
			t.Errorf("the far side's word of the end is %+v, erased: %v", got, r.disk.erased)
		}
		if _, err := r.try(inbound(), "s1", "later"); !errors.Is(err, engine.ErrUnknownKey) {
			t.Errorf("a frame after it: %v", err)
		}
		if _, err := r.do(id, event.MessageCreated{Content: event.Plain("later")}); !errors.Is(err, journal.ErrErased) {
			t.Errorf("a command after it: %v", err)
		}
		if err := r.engine.Erase(context.Background(), id, journal.Audit{}); err != nil || r.disk.erased[id] != why {
			t.Errorf("a second time: %v, %v", err, r.disk.erased[id])
		}
		if err := r.engine.Erase(context.Background(), "nobody", why); !errors.Is(err, journal.ErrNotFound) {
			t.Errorf("one that is not there: %v", err)
		}
	})
}

// TestErasureDoesNotWaitForAVendorThatIsDown: what could not be delivered ends as
// erased, once, and nothing is tried after.
func TestErasureDoesNotWaitForAVendorThatIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.open()
		id := r.active()
		r.plugins.set(func(p *plugins) { p.down = true })
		one, two := r.say(id, "one"), r.say(id, "two")
		synctest.Wait()
		began := time.Now()
		if err := r.engine.Erase(context.Background(), id, why); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < 4*time.Second || took > 6*time.Second {
			t.Errorf("erased after %s", took)
		}
		for _, e := range []event.Event{one, two} {
			if got := r.outcome(e).Outcome; got != journal.Erased {
				t.Errorf("%s is %s", text(e), got)
			}
		}
		r.plugins.set(func(p *plugins) { p.down = false })
		tried := r.far.tried()
		pass(time.Hour)
		if r.far.tried() != tried {
			t.Error("something was sent after the erasure")
		}
		r.crash()
		pass(time.Hour)
		if r.far.tried() != tried {
			t.Error("something was sent after the restart")
		}
	})
}
