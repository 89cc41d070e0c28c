package engine_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/engine"
)

// waiting is an endpoint of the front's vendor whose key may not be known yet.
func waiting() adapter.Endpoint {
	return adapter.Endpoint{Name: "inbound", Answer: adapter.AnswerAck, Unknown: adapter.UnknownWait}
}

// binder makes something at its vendor for what an agent says, and is given a key.
type binder struct{ adapter.Adapter }

func (b binder) Handle(tx *adapter.Tx, in adapter.Input) error {
	switch in := in.(type) {
	case adapter.Deliver:
		if _, said := in.Event.Body.(event.MessageCreated); said {
			tx.Call("make", adapter.Call{Method: "POST", URL: out, Binds: true})
			return nil
		}
	case adapter.Result:
		if in.Tag == "make" {
			if in.OK() {
				tx.Bind("made")
			}
			return nil
		}
	}
	return b.Adapter.Handle(tx, in)
}

// newBinder is a rig whose vendor takes a second to make what it is asked for.
func newBinder(t *testing.T, made engine.Attempt) (*rig, string) {
	r := newRig(t)
	def := r.plugins.defs["front"]
	def.Adapter = binder{def.Adapter}
	r.plugins.defs["front"] = def
	r.open()
	id := r.active()
	pass(10 * time.Second)
	r.far.will(answer{attempt: made, took: time.Second})
	return r, id
}

// early sends a request for the key in a goroutine of its own.
func (r *rig) early(key string) (took func() time.Duration, got *error) {
	began, ended := time.Now(), time.Time{}
	got = new(error)
	go func() {
		_, *got = r.try(waiting(), key, "hello")
		ended = time.Now()
	}()
	return func() time.Duration { return ended.Sub(began) }, got
}

// TestRequestWaitsForItsKey: a vendor that calls back before it has answered is kept
// until its key is known, and then no longer.
func TestRequestWaitsForItsKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, id := newBinder(t, engine.Attempt{Status: 200})
		r.say(id, "make it")
		pass(100 * time.Millisecond)
		took, err := r.early("made")
		pass(5 * time.Second)
		if *err != nil || took() != 900*time.Millisecond {
			t.Errorf("%v after %s, want nil when the key is bound", *err, took())
		}
		if got := texts(r.events(id)); len(got) != 1 || got[0] != "hello" {
			t.Errorf("said %q", got)
		}
	})
}

// TestRequestWaitsInVain: where nothing is under way that could bind its key, or what
// was has bound another, a request is not kept; one that is kept too long may come
// again.
func TestRequestWaitsInVain(t *testing.T) {
	for name, c := range map[string]struct {
		under bool
		made  engine.Attempt
		key   string
		took  time.Duration
		want  error
	}{
		"nothing under way": {false, engine.Attempt{}, "other", 0, engine.ErrUnknownKey},
		"another key":       {true, engine.Attempt{Status: 200}, "other", 900 * time.Millisecond, engine.ErrUnknownKey},
		"refused":           {true, engine.Attempt{Status: 400}, "made", 900 * time.Millisecond, engine.ErrUnknownKey},
		"tried again":       {true, engine.Attempt{Reason: adapter.ReasonRefused}, "other", 2500 * time.Millisecond, engine.ErrBusy},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, id := newBinder(t, c.made)
				if name == "tried again" {
					r.far.will(reason(adapter.ReasonRefused), reason(adapter.ReasonRefused), reason(adapter.ReasonRefused), reason(adapter.ReasonRefused), reason(adapter.ReasonRefused))
				}
				if c.under {
					r.say(id, "make it")
					pass(100 * time.Millisecond)
				}
				took, err := r.early(c.key)
				pass(10 * time.Minute)
				if !errors.Is(*err, c.want) || took() != c.took {
					t.Errorf("%v after %s, want %v after %s", *err, took(), c.want, c.took)
				}
			})
		})
	}
}

// TestRequestWaitsOverRestart: what is under way is known again after a crash, and
// until all is taken up a request waits to be sure.
func TestRequestWaitsOverRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, id := newBinder(t, engine.Attempt{Status: 200})
		r.say(id, "make it")
		pass(100 * time.Millisecond)
		r.crash()
		took, err := r.early("made")
		pass(time.Minute)
		if *err != nil || took() > 2500*time.Millisecond {
			t.Errorf("%v after %s", *err, took())
		}
		r.far.will(reason(adapter.ReasonUnknown), answer{attempt: engine.Attempt{Status: 200}, took: 4 * time.Second})
		r.say(id, "make another")
		pass(100 * time.Millisecond)
		r.crash()
		pass(3 * time.Second)
		took, err = r.early("another")
		pass(time.Minute)
		if !errors.Is(*err, engine.ErrBusy) && took() == 0 {
			t.Errorf("what is under way since before the start is not waited for: %v after %s", *err, took())
		}
		_, err = r.early("other")
		pass(time.Minute)
		if !errors.Is(*err, engine.ErrUnknownKey) {
			t.Errorf("a key nobody binds: %v", *err)
		}
	})
}
