package engine_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/conversation"
	"github.com/footbridge/footbridge/bridge/internal/engine"
)

// expired are the reasons of the Expired the adapter was given.
func (r *rig) expired() []string {
	var out []string
	for _, in := range inputs[adapter.Expired](r.plugins) {
		out = append(out, in.Reason)
	}
	return out
}

func TestHeldReplyRunsOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.open()
		receipt := r.arrive(start(), "s1", "start")
		began := time.Now()
		if got, ok := r.await(receipt); ok {
			t.Errorf("got %d without an answer", got.Status)
		}
		if took := time.Since(began); took > 5100*time.Millisecond {
			t.Errorf("declared failure after %s", took)
		}
		r.engine.Written(receipt, false)
		pass(5 * time.Minute)
		if got := r.expired(); !slices.Equal(got, []string{adapter.ExpiredDeadline}) {
			t.Errorf("expired %v", got)
		}
		if !r.has(receipt.Conversation, "virtual_agent handoff.cancelled") {
			t.Error("the hand-off goes on without its asker")
		}
	})
}

// A vendor whose connection went asks again: it attaches while the answer is
// open, or gets the one that is stored.
func TestHeldReplyAskedAgain(t *testing.T) {
	for _, c := range []struct {
		name    string
		restart func(r *rig)
		answer  bool // before the vendor asks again
	}{
		{"open, connection lost", func(r *rig) {}, false},
		{"answered, connection lost", func(r *rig) {}, true},
		{"open, restart", (*rig).restart, false},
		{"answered, restart", (*rig).restart, true},
		{"open, crash", (*rig).crash, false},
		{"answered, crash", (*rig).crash, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				r.open()
				first := r.arrive(start(), "s1", "start")
				gone, cancel := context.WithCancel(context.Background())
				cancel()
				r.engine.Await(gone, first)
				r.engine.Written(first, false)
				synctest.Wait()
				c.restart(r)
				accept := func() { r.must(first.Conversation, event.HandoffAccepted{}) }
				if c.answer {
					accept()
				}
				pass(30 * time.Second)
				second := r.arrive(start(), "s1", "start")
				if !second.Duplicate || second.Conversation != first.Conversation {
					t.Errorf("taken for new: %+v", second)
				}
				if !c.answer {
					accept()
				}
				if got, ok := r.await(second); !ok || got.Status != 200 {
					t.Errorf("got %d %v", got.Status, ok)
				}
				r.engine.Written(second, true)
				pass(5 * time.Minute)
				if got := r.expired(); len(got) > 0 {
					t.Errorf("expired %v", got)
				}
				if left := unsettled(r.disk); len(left) > 0 {
					t.Errorf("left %v", left)
				}
			})
		})
	}
}

// One that does not ask again is lost, once, when the endpoint's time is over.
func TestHeldReplyLost(t *testing.T) {
	for _, answered := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t)
			r.timers(conversation.Timers{Waiting: time.Hour})
			r.open()
			first := r.arrive(start(), "s1", "start")
			synctest.Wait()
			r.crash()
			if answered {
				r.must(first.Conversation, event.HandoffQueued{})
			}
			pass(64 * time.Second)
			if got := r.expired(); len(got) > 0 {
				t.Errorf("lost too early: %v", got)
			}
			pass(2 * time.Second)
			r.crash()
			pass(10 * time.Minute)
			if got := r.expired(); !slices.Equal(got, []string{adapter.ExpiredLost}) {
				t.Errorf("expired %v", got)
			}
		})
	}
}

// A vendor that cannot ask again has lost its answer with its connection, and the
// leg hears of it at once: over a crash too.
func TestHeldReplyNobodyCanAskFor(t *testing.T) {
	for _, crashes := range []bool{false, true} {
		for _, dedup := range []string{"", "body"} {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				r.timers(conversation.Timers{Waiting: time.Hour})
				e := start()
				e.Dedup = dedup
				a := r.setup.Accounts["studio"]
				a.Profile.Endpoints = []adapter.Endpoint{e}
				r.setup.Accounts["studio"] = a
				r.open()
				first := r.arrive(e, "s1", "start")
				synctest.Wait()
				if crashes {
					r.crash()
				} else {
					gone, cancel := context.WithCancel(context.Background())
					cancel()
					r.engine.Await(gone, first)
					r.engine.Written(first, false)
				}
				pass(time.Second)
				want := map[string][]string{"": {adapter.ExpiredLost}}[dedup]
				if got := r.expired(); !slices.Equal(got, want) {
					t.Errorf("crash %t, dedup %q: expired %v, want %v", crashes, dedup, got, want)
				}
			})
		}
	}
}

// The plugin is down when the start comes: the vendor gets the failure in time,
// asks again, and is answered when the plugin is back.
func TestHeldReplyWhilePluginIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.open()
		r.plugins.set(func(p *plugins) { p.down = true })
		first := r.arrive(start(), "s1", "start")
		if _, ok := r.await(first); ok {
			t.Error("answered by nobody")
		}
		r.engine.Written(first, false)
		pass(20 * time.Second)
		second := r.arrive(start(), "s1", "start")
		r.plugins.set(func(p *plugins) { p.down = false })
		hasty, cancel := context.WithTimeout(context.Background(), 4*time.Second)
		defer cancel()
		if _, ok := r.engine.Await(hasty, second); ok {
			t.Error("answered by nobody")
		}
		r.engine.Written(second, false)
		third := r.arrive(start(), "s1", "start")
		r.must(first.Conversation, event.HandoffAccepted{})
		if got, ok := r.await(third); !ok || got.Status != 200 {
			t.Errorf("got %d %v", got.Status, ok)
		}
		if !second.Duplicate || !third.Duplicate || len(r.expired()) > 0 {
			t.Errorf("duplicates %v %v, expired %v", second.Duplicate, third.Duplicate, r.expired())
		}
	})
}

// An answer that is no success is not owed: it is not stored for the vendor's
// next try, which gets the declared failure at once.
func TestRefusalIsNotOwed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.plugins.defs["front"] = puppet(func(tx *adapter.Tx, in adapter.Input) error {
			if in, ok := in.(adapter.Request); ok {
				tx.Reply(in.ID, adapter.Reply{Status: 409})
				tx.Reply(in.ID, adapter.Reply{Status: 200})
				tx.Reply("nobody", adapter.Reply{Status: 200})
				tx.Hold("nobody")
			}
			return nil
		})
		r.open()
		forever := start()
		forever.DedupWhile = adapter.DedupForever
		first := r.arrive(forever, "s1", "start")
		if got, ok := r.await(first); !ok || got.Status != 409 {
			t.Errorf("got %d %v", got.Status, ok)
		}
		began := time.Now()
		if got, ok := r.await(r.arrive(forever, "s1", "start")); ok || time.Since(began) > time.Second {
			t.Errorf("again: got %d %v after %s", got.Status, ok, time.Since(began))
		}
		pass(5 * time.Minute)
		if left := unsettled(r.disk); len(left) > 0 || len(r.expired()) > 0 {
			t.Errorf("left %v, expired %v", left, r.expired())
		}
	})
}

// A turn that answers nothing, errs, or is dead, gives the declared failure; so
// does asking again for it.
func TestNoAnswer(t *testing.T) {
	for _, what := range []string{"nothing", "poison"} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t)
			base := front().Adapter
			r.plugins.defs["front"] = adapter.Definition{Manifest: adapter.Manifest{StateVersion: 1}, Adapter: handler(func(tx *adapter.Tx, in adapter.Input) error {
				if q, ok := in.(adapter.Request); ok && what == "nothing" {
					_ = q
					return nil
				}
				return base.Handle(tx, in)
			})}
			r.open()
			for range 2 {
				began := time.Now()
				receipt := r.arrive(start(), "s1", what)
				if _, ok := r.await(receipt); ok || time.Since(began) > 2*time.Second {
					t.Errorf("%s: %v after %s", what, ok, time.Since(began))
				}
				r.engine.Written(receipt, false)
			}
			if n := len(r.disk.deadLetters()); (n == 1) != (what == "poison") {
				t.Errorf("%s: %d dead letters", what, n)
			}
		})
	}
}

// The adapter may answer in the turn that tells it the time is over.
func TestAnswerAtTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.plugins.defs["front"] = puppet(func(tx *adapter.Tx, in adapter.Input) error {
			switch in := in.(type) {
			case adapter.Request:
				tx.Hold(in.ID)
			case adapter.Expired:
				tx.Reply(in.Request, adapter.Reply{Status: 504})
			}
			return nil
		})
		r.open()
		receipt := r.arrive(start(), "s1", "start")
		if got, ok := r.await(receipt); !ok || got.Status != 504 {
			t.Errorf("got %d %v", got.Status, ok)
		}
		r.engine.Written(receipt, true)
		pass(5 * time.Minute)
		if got := r.expired(); len(got) != 1 {
			t.Errorf("expired %v", got)
		}
	})
}

// A retry that comes while the first connection is still there gets the same
// answer; losing one of the two loses nothing.
func TestTwoConnectionsOneAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.open()
		first := r.arrive(start(), "s1", "start")
		second := r.arrive(start(), "s1", "start")
		r.engine.Written(first, false)
		gone, cancel := context.WithCancel(context.Background())
		cancel()
		r.engine.Await(gone, first)
		synctest.Wait()
		r.must(first.Conversation, event.HandoffAccepted{})
		if got, ok := r.await(second); !ok || got.Status != 200 {
			t.Errorf("got %d %v", got.Status, ok)
		}
		r.engine.Written(second, true)
		pass(5 * time.Minute)
		if got := r.expired(); len(got) > 0 {
			t.Errorf("expired %v", got)
		}
	})
}

// Closing lets go of those who wait; nothing is stored after.
func TestCloseReleasesWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.open()
		receipt := r.arrive(start(), "s1", "start")
		synctest.Wait()
		began := time.Now()
		go func() { _ = r.engine.Close(context.Background()) }()
		if _, ok := r.await(receipt); ok || time.Since(began) > time.Second {
			t.Errorf("%v after %s", ok, time.Since(began))
		}
		if _, err := r.try(inbound(), "s1", "late"); err != engine.ErrClosed {
			t.Errorf("accepted: %v", err)
		}
	})
}
