package engine_test

import (
	"encoding/json"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/engine"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

func status(code int) answer { return answer{attempt: engine.Attempt{Status: code}} }

func reason(why string) answer {
	return answer{attempt: engine.Attempt{Reason: why}, lost: why != adapter.ReasonUnknown}
}

const out = "http://vendor/out"

func TestCallOutcomes(t *testing.T) {
	unknown, refused := reason(adapter.ReasonUnknown), reason(adapter.ReasonRefused)
	for _, c := range []struct {
		name    string
		answers []answer
		fail    bool // on_unknown = fail
		tries   int
		outcome string
		maybe   bool
	}{
		{"success", []answer{status(200)}, false, 1, journal.Delivered, false},
		{"refusal of the vendor", []answer{status(404)}, false, 1, journal.Failed, false},
		{"nobody took the connection", []answer{refused, refused}, false, 3, journal.Delivered, false},
		{"breaker open", []answer{reason(adapter.ReasonBreakerOpen)}, false, 2, journal.Delivered, false},
		{"not sent in time", []answer{reason(adapter.ReasonTimeout)}, false, 2, journal.Delivered, false},
		{"too many requests", []answer{status(429)}, false, 2, journal.Delivered, false},
		{"unknown", []answer{unknown}, false, 2, journal.Delivered, true},
		{"server error", []answer{status(502)}, false, 2, journal.Delivered, true},
		{"unknown, then refused by the vendor", []answer{unknown, status(400)}, false, 2, journal.Failed, true},
		{"unknown where it is not to be repeated", []answer{unknown}, true, 1, journal.Failed, false},
		{"unsent where unknown is not to be repeated", []answer{refused}, true, 2, journal.Delivered, false},
		{"not allowed", []answer{reason(adapter.ReasonNotAllowed)}, false, 1, journal.Failed, false},
		{"answer too large", []answer{reason(adapter.ReasonTooLarge)}, false, 1, journal.Failed, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				account := r.setup.Accounts["studio"]
				account.FailUnknown = c.fail
				r.setup.Accounts["studio"] = account
				r.open()
				id := r.active()
				r.far.will(c.answers...)
				e := r.say(id, "hello")
				pass(5 * time.Minute)
				if got := r.far.tried(); got != c.tries {
					t.Errorf("%d tries, want %d", got, c.tries)
				}
				if got := r.outcome(e); got.Outcome != c.outcome || got.MaybeDuplicate != c.maybe {
					t.Errorf("outcome %q maybe %v, want %q %v", got.Outcome, got.MaybeDuplicate, c.outcome, c.maybe)
				}
				if told := r.has(id, "system message.failed"); told != (c.outcome == journal.Failed) {
					t.Errorf("agent told of the failure: %v", told)
				}
			})
		})
	}
}

// A try is counted on the disk before its first byte leaves.
func TestTryIsStoredFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		var made atomic.Int32
		r.far.onCall = func(adapter.Call) {
			tries := int(made.Add(1))
			var doc struct {
				Calls map[string]struct{ Attempts int } `json:"calls"`
			}
			r.disk.mu.Lock()
			defer r.disk.mu.Unlock()
			for _, c := range r.disk.convos {
				if err := json.Unmarshal(c.Legs[slices.IndexFunc(c.Legs, func(l journal.Leg) bool { return l.Account == "studio" })].Data, &doc); err != nil {
					t.Error(err)
				}
			}
			for _, k := range doc.Calls {
				if k.Attempts != tries {
					t.Errorf("try %d is journaled as %d", tries, k.Attempts)
				}
			}
		}
		r.far.will(reason(adapter.ReasonUnknown), status(500), reason(adapter.ReasonRefused))
		r.open()
		r.say(r.active(), "hello")
		pass(time.Minute)
		if n := made.Load(); n != 4 {
			t.Errorf("%d tries", n)
		}
	})
}

func TestGiveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.open()
		id := r.active()
		r.far.will(slices.Repeat([]answer{reason(adapter.ReasonRefused)}, 1000)...)
		e := r.say(id, "hello")
		pass(9 * time.Minute)
		if len(r.disk.outcomeOf(e.ID)) > 1 { // the desk's own
			t.Fatal("given up early")
		}
		pass(2 * time.Minute)
		if got := r.outcome(e); got.Outcome != journal.Failed || got.MaybeDuplicate {
			t.Errorf("outcome %+v", got)
		}
		if n := r.far.tried(); n < 15 || n > 60 {
			t.Errorf("%d tries in ten minutes", n)
		}
	})
}

func TestRetryAfterCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.open()
		id := r.active()
		r.far.will(answer{attempt: engine.Attempt{Status: 429, RetryAfter: 2 * time.Minute}})
		r.say(id, "hello")
		pass(119 * time.Second)
		if n := r.far.tried(); n != 1 {
			t.Errorf("%d tries before the vendor's time", n)
		}
		pass(30 * time.Second)
		if n := r.far.tried(); n != 2 {
			t.Errorf("%d tries after it", n)
		}
	})
}

// caller is an adapter that makes one call a message, as told.
func caller(call adapter.Call, result func(tx *adapter.Tx, in adapter.Result)) adapter.Definition {
	base := front().Adapter
	return adapter.Definition{Manifest: adapter.Manifest{StateVersion: 1}, Adapter: handler(func(tx *adapter.Tx, in adapter.Input) error {
		switch in := in.(type) {
		case adapter.Deliver:
			if in.Event.Kind() == event.KindMessageCreated {
				c := call
				c.Method, c.URL, c.Body = "POST", out, []byte(text(in.Event))
				tx.Call("out-"+in.Event.ID, c)
				return nil
			}
		case adapter.Result:
			if result != nil {
				result(tx, in)
				return nil
			}
		}
		return base.Handle(tx, in)
	})}
}

type handler func(tx *adapter.Tx, in adapter.Input) error

func (h handler) Handle(tx *adapter.Tx, in adapter.Input) error { return h(tx, in) }

func TestRepeatRules(t *testing.T) {
	for _, c := range []struct {
		repeat string
		tries  int
		maybe  bool // in the Result
	}{
		{adapter.RepeatKeyed, 2, false},
		{adapter.RepeatMarked, 2, true},
		{adapter.RepeatNever, 1, false},
	} {
		t.Run(c.repeat, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				r.plugins.defs["front"] = caller(adapter.Call{Repeat: c.repeat}, nil)
				r.open()
				id := r.active()
				r.far.will(reason(adapter.ReasonUnknown))
				r.say(id, "hello")
				pass(time.Minute)
				results := inputs[adapter.Result](r.plugins)
				if n := r.far.tried(); n != c.tries || len(results) != 1 || results[0].MaybeDuplicate != c.maybe {
					t.Errorf("%d tries, results %+v", n, results)
				}
			})
		})
	}
}

// A call outlives a restart: one that waits was not sent, one under way may have
// been.
func TestCallsAcrossRestart(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer answer
		crash  bool
		maybe  bool
	}{
		{"waits, in order", reason(adapter.ReasonRefused), false, false},
		{"waits, crash", reason(adapter.ReasonRefused), true, false},
		{"unknown, waits, crash", reason(adapter.ReasonUnknown), true, true},
		{"under way, crash", answer{attempt: engine.Attempt{Status: 200}, took: 30 * time.Second}, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				r.open()
				id := r.active()
				r.far.will(c.answer)
				e := r.say(id, "hello")
				synctest.Wait()
				if c.crash {
					r.crash()
				} else {
					r.restart()
				}
				pass(time.Minute)
				if n := r.far.tried(); n != 2 {
					t.Errorf("%d tries", n)
				}
				if got := r.outcome(e); got.Outcome != journal.Delivered || got.MaybeDuplicate != c.maybe {
					t.Errorf("outcome %+v", got)
				}
			})
		})
	}
}

// Closing in order lets a call under way end: what it came to is stored, and
// nothing is sent twice.
func TestCloseLetsCallsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.open()
		id := r.active()
		r.far.will(answer{attempt: engine.Attempt{Status: 200}, took: 8 * time.Second})
		e := r.say(id, "hello")
		synctest.Wait()
		r.restart()
		pass(time.Minute)
		if got := r.outcome(e); r.far.tried() != 1 || got.Outcome != journal.Delivered || got.MaybeDuplicate {
			t.Errorf("%d tries, outcome %+v", r.far.tried(), got)
		}
	})
}

// When the conversation ends, retries that wait are cut short, words that were
// said go out once before the end, and every event has one outcome.
func TestEndCutsRetries(t *testing.T) {
	for _, restart := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t)
			ends := 0
			base := front().Adapter
			r.plugins.defs["front"] = adapter.Definition{Manifest: adapter.Manifest{StateVersion: 1}, Adapter: handler(func(tx *adapter.Tx, in adapter.Input) error {
				if d, ok := in.(adapter.Deliver); ok && d.Event.Kind() == event.KindConversationEnded {
					ends++
					tx.Call("end", adapter.Call{Method: "POST", URL: "http://vendor/end"})
					return nil
				}
				return base.Handle(tx, in)
			})}
			r.open()
			id := r.active()
			r.far.will(slices.Repeat([]answer{reason(adapter.ReasonRefused)}, 6)...)
			first := r.say(id, "one")
			second := r.say(id, "two")
			pass(500 * time.Millisecond)
			if restart {
				r.crash()
			}
			r.far.heal()
			end := r.must(id, event.ConversationEnded{Reason: "done"})
			pass(5 * time.Second)
			if got := r.outcome(first); got.Outcome != journal.Failed {
				t.Errorf("first %+v", got)
			}
			if got := r.outcome(second); got.Outcome != journal.Delivered {
				t.Errorf("second %+v", got)
			}
			if got := r.outcome(end); got.Outcome != journal.Delivered || ends != 1 {
				t.Errorf("end %+v, told %d times", got, ends)
			}
			results := inputs[adapter.Result](r.plugins)
			if results[0].Reason != adapter.ReasonCancelled {
				t.Errorf("first result %+v", results[0])
			}
			if got := r.far.bodies("http://vendor/end"); len(got) != 1 {
				t.Errorf("end arrived %d times", len(got))
			}
			if left := unsettled(r.disk); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
		})
	}
}

// The end's own calls are tried like any other.
func TestEndIsRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		base := front().Adapter
		r.plugins.defs["front"] = adapter.Definition{Manifest: adapter.Manifest{StateVersion: 1}, Adapter: handler(func(tx *adapter.Tx, in adapter.Input) error {
			if d, ok := in.(adapter.Deliver); ok && d.Event.Kind() == event.KindConversationEnded {
				tx.Call("end", adapter.Call{Method: "POST", URL: "http://vendor/end"})
				return nil
			}
			return base.Handle(tx, in)
		})}
		r.open()
		id := r.active()
		r.far.will(reason(adapter.ReasonRefused), status(503))
		end := r.must(id, event.ConversationEnded{})
		pass(time.Minute)
		if got := r.outcome(end); got.Outcome != journal.Delivered || r.far.tried() != 3 {
			t.Errorf("%+v after %d tries", got, r.far.tried())
		}
	})
}

// A call that is repeated by the adapter, under another tag, marks the delivery.
func TestAdaptersOwnRepeatIsMarked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		again := 0
		r.plugins.defs["front"] = caller(adapter.Call{Repeat: adapter.RepeatNever}, func(tx *adapter.Tx, in adapter.Result) {
			if !in.OK() {
				again++
				tx.Call("again", adapter.Call{Method: "POST", URL: out})
			}
		})
		r.open()
		id := r.active()
		r.far.will(reason(adapter.ReasonUnknown))
		e := r.say(id, "hello")
		pass(time.Minute)
		if got := r.outcome(e); again != 1 || got.Outcome != journal.Delivered || !got.MaybeDuplicate {
			t.Errorf("again %d, outcome %+v", again, got)
		}
	})
}

func TestTagInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.plugins.defs["front"] = puppetOver(front(), func(tx *adapter.Tx, in adapter.Deliver) bool {
			if in.Event.Kind() == event.KindMessageCreated {
				tx.Call("same", adapter.Call{Method: "POST", URL: out, Body: []byte("a")})
				tx.Call("same", adapter.Call{Method: "POST", URL: out, Body: []byte("b")})
			}
			return in.Event.Kind() == event.KindMessageCreated
		})
		r.open()
		e := r.say(r.active(), "hello")
		pass(time.Second)
		if got := r.far.bodies(out); !slices.Equal(got, []string{"a"}) || r.outcome(e).Outcome != journal.Delivered {
			t.Errorf("arrived %q", got)
		}
	})
}

// puppetOver is an adapter whose deliveries a test may take.
func puppetOver(d adapter.Definition, take func(tx *adapter.Tx, in adapter.Deliver) bool) adapter.Definition {
	return adapter.Definition{Manifest: d.Manifest, Adapter: handler(func(tx *adapter.Tx, in adapter.Input) error {
		if in, ok := in.(adapter.Deliver); ok && take(tx, in) {
			return nil
		}
		return d.Adapter.Handle(tx, in)
	})}
}
