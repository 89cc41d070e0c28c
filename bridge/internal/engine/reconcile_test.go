package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/engine"
)

const (
	read      = "http://vendor/read"
	readEvery = 5 * time.Minute
)

// reader is the front's adapter, whose vendor tells nothing twice: it reads back when
// it is asked to, and says whatever the answer has.
type reader struct{ adapter.Adapter }

func (r reader) Handle(tx *adapter.Tx, in adapter.Input) error {
	switch in := in.(type) {
	case adapter.Reconcile:
		tx.Call("read", adapter.Call{Method: "GET", URL: read})
		return nil
	case adapter.Result:
		if in.Tag != "read" {
			break
		}
		for text := range strings.FieldsSeq(string(in.Body)) {
			tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleCustomer, ID: "c"}, Ref: text, Body: event.MessageCreated{Content: event.Plain(text)}})
		}
		return nil
	}
	return r.Adapter.Handle(tx, in)
}

// readsBack puts the reader in the front's place.
func (r *rig) readsBack() {
	def := r.plugins.defs["front"]
	def.Adapter = reader{def.Adapter}
	r.plugins.defs["front"] = def
}

// newReader is a rig whose vendor is read back.
func newReader(t *testing.T) *rig {
	r := newRig(t)
	r.readsBack()
	account := r.setup.Accounts["studio"]
	account.Reconcile = readEvery
	r.setup.Accounts["studio"] = account
	r.open()
	return r
}

// answered is a good answer that says something.
func answered(text string) engine.Attempt { return engine.Attempt{Status: 200, Body: []byte(text)} }

// reads are the times since which the vendor was read back.
func (r *rig) reads() []adapter.Reconcile { return inputs[adapter.Reconcile](r.plugins) }

// TestReadBackInTime: a leg reads back at its interval, from two minutes before its
// vendor was last heard, and what it brings twice is there once.
func TestReadBackInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReader(t)
		id := r.active()
		heard := time.Now()
		pass(readEvery - time.Second)
		if n := len(r.reads()); n != 0 {
			t.Fatalf("read back %d times before it is time", n)
		}
		for _, text := range []string{"one", "one two", "one two"} {
			r.far.will(answer{attempt: answered(text)})
			pass(readEvery)
		}
		all := r.reads()
		if len(all) != 3 {
			t.Fatalf("read back %d times in fifteen minutes, want 3", len(all))
		}
		for _, in := range all {
			if got := heard.Sub(in.Since); got < 2*time.Minute || got > 2*time.Minute+time.Second {
				t.Errorf("asked for what was said since %s before the vendor was heard, want two minutes", got)
			}
		}
		if got := texts(r.events(id)); !slices.Equal(got, []string{"one", "two"}) {
			t.Errorf("said %q, want one and two, once each", got)
		}
	})
}

// texts are the words of a conversation, in order.
func texts(events []event.Event) []string {
	var out []string
	for _, e := range events {
		if m, ok := e.Body.(event.MessageCreated); ok && e.Actor.Role == event.RoleCustomer {
			text, _ := m.Content.Part.(event.Text)
			out = append(out, text.Text)
		}
	}
	return out
}

// TestReadBackAfterStart: whatever was told while the bridge was down is read back
// soon after it is up, and not before each leg's share of a few seconds.
func TestReadBackAfterStart(t *testing.T) {
	for name, again := range map[string]func(*rig){"restart": (*rig).restart, "crash": (*rig).crash} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newReader(t)
				id := r.active()
				pass(time.Minute)
				r.far.will(answer{attempt: answered("unheard")})
				again(r)
				pass(6 * time.Second)
				if n := len(r.reads()); n != 1 {
					t.Fatalf("read back %d times after the start, want once", n)
				}
				if got := texts(r.events(id)); !slices.Equal(got, []string{"unheard"}) {
					t.Errorf("said %q", got)
				}
				pass(readEvery)
				if n := len(r.reads()); n != 2 {
					t.Errorf("read back %d times, want once more after the interval", n)
				}
			})
		})
	}
}

// TestReadBackAfterGap: a vendor that was out of reach may have called in vain too.
func TestReadBackAfterGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReader(t)
		id := r.active()
		pass(time.Minute)
		r.far.will(reason(adapter.ReasonRefused), reason(adapter.ReasonRefused), status(200), answer{attempt: answered("unheard")})
		r.say(id, "hello")
		pass(30 * time.Second)
		if n := len(r.reads()); n != 1 {
			t.Fatalf("read back %d times after the gap, want once", n)
		}
		if got := texts(r.events(id)); !slices.Equal(got, []string{"unheard"}) {
			t.Errorf("said %q", got)
		}
	})
}

// TestReadBackAfterSilence: what a vendor speaks on stands again, and it may have spoken
// in vain; twice at once is once.
func TestReadBackAfterSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReader(t)
		id := r.active()
		pass(time.Minute)
		r.far.will(answer{attempt: answered("unheard")})
		r.engine.Reached("studio")
		r.engine.Reached("studio")
		r.engine.Reached("nobody")
		pass(30 * time.Second)
		if n := len(r.reads()); n != 1 {
			t.Fatalf("read back %d times, want once", n)
		}
		if got := texts(r.events(id)); !slices.Equal(got, []string{"unheard"}) {
			t.Errorf("said %q", got)
		}
	})
}

// TestReadBackEnds: nobody reads back for a conversation that is over, or for an
// account whose vendor tells again.
func TestReadBackEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReader(t)
		id := r.active()
		r.must(id, event.ConversationEnded{Reason: "resolved"})
		pass(3 * readEvery)
		r.restart()
		pass(3 * readEvery)
		if n := len(r.reads()); n != 0 {
			t.Errorf("read back %d times after the end", n)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.readsBack()
		r.open()
		r.active()
		pass(3 * readEvery)
		if n := len(r.reads()); n != 0 {
			t.Errorf("read back %d times where the vendor repeats", n)
		}
	})
}

// TestReadBackIsQuiet: what brought nothing leaves no trace behind; what brought
// something does.
func TestReadBackIsQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReader(t)
		id := r.active()
		pass(time.Second) // the answer to the start is told too
		before := len(r.disk.turns(id))
		pass(10 * readEvery)
		if n := len(r.reads()); n != 10 {
			t.Fatalf("read back %d times", n)
		}
		if after := len(r.disk.turns(id)); after != before {
			t.Errorf("ten idle reads told %d turns", after-before)
		}
		r.far.will(answer{attempt: answered("news")})
		pass(readEvery)
		if after := len(r.disk.turns(id)); after != before+1 {
			t.Errorf("a read with news told %d turns, want 1", after-before)
		}
	})
}

// TestManyReadBack: a hundred legs read back over seconds, not at once.
func TestManyReadBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReader(t)
		for i := range 100 {
			r.arrive(start(), fmt.Sprint("s", i), fmt.Sprint("start ", i, "=x"))
		}
		pass(time.Minute)
		r.restart()
		var most, seen int
		for range 60 {
			pass(100 * time.Millisecond)
			n := len(r.reads())
			most, seen = max(most, n-seen), n
		}
		if seen != 100 || most > 20 {
			t.Errorf("%d of 100 legs read back within 6 s, at most %d in a tenth of a second", seen, most)
		}
	})
}
