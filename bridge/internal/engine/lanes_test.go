package engine_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/engine"
)

// laned is the front's adapter, whose vendor takes the words for its agents one after
// the other.
type laned struct {
	adapter.Adapter
	lane string
}

func (a laned) Handle(tx *adapter.Tx, in adapter.Input) error {
	if d, ok := in.(adapter.Deliver); ok {
		if m, said := d.Event.Body.(event.MessageCreated); said {
			text, _ := m.Content.Part.(event.Text)
			tx.Call("out", adapter.Call{Method: "POST", URL: out, Lane: a.lane, Body: []byte(text.Text)})
			return nil
		}
	}
	return a.Adapter.Handle(tx, in)
}

// lanedRig has conversations whose words share a lane, and notes when each word leaves.
type lanedRig struct {
	*rig
	ids  []string
	mu   sync.Mutex
	left []time.Time
}

func newLaned(t *testing.T, lane string, conversations int) *lanedRig {
	r := &lanedRig{rig: newRig(t)}
	def := r.plugins.defs["front"]
	def.Adapter = laned{def.Adapter, lane}
	r.plugins.defs["front"] = def
	account := r.setup.Accounts["studio"]
	account.Profile.Pace = time.Second
	r.setup.Accounts["studio"] = account
	r.far.onCall = func(c adapter.Call) {
		if c.URL == out {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.left = append(r.left, time.Now())
		}
	}
	r.open()
	for i := range conversations {
		receipt := r.arrive(start(), fmt.Sprint("s", i), fmt.Sprint("start x=", i))
		r.must(receipt.Conversation, event.HandoffAccepted{})
		r.ids = append(r.ids, receipt.Conversation)
		pass(time.Second)
	}
	pass(time.Minute)
	r.heal()
	return r
}

func (r *lanedRig) heal() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.left = nil
}

// gaps are the times between the words that left.
func (r *lanedRig) gaps() []time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []time.Duration
	for i := 1; i < len(r.left); i++ {
		out = append(out, r.left[i].Sub(r.left[i-1]).Round(10*time.Millisecond))
	}
	return out
}

// TestLaneKeepsThePace: what shares a lane leaves a second apart, in order, whosever
// conversation it is; what shares none leaves at once.
func TestLaneKeepsThePace(t *testing.T) {
	for name, c := range map[string]struct {
		lane string
		want []time.Duration
	}{
		"a lane":  {"C1", []time.Duration{time.Second, time.Second, time.Second}},
		"no lane": {"", []time.Duration{0, 0, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newLaned(t, c.lane, 4)
				for i, id := range r.ids {
					r.say(id, fmt.Sprint("word ", i))
					synctest.Wait()
				}
				pass(time.Minute)
				if got := r.gaps(); !slices.Equal(got, c.want) {
					t.Errorf("the words left %v apart, want %v", got, c.want)
				}
				if got := r.far.bodies(out); !slices.Equal(got[len(got)-4:], []string{"word 0", "word 1", "word 2", "word 3"}) {
					t.Errorf("arrived as %q", got)
				}
			})
		})
	}
}

// TestLaneWaitsForAll: when the vendor asks one call to wait, nothing of its lane
// leaves meanwhile.
func TestLaneWaitsForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newLaned(t, "C1", 3)
		r.far.will(answer{attempt: engine.Attempt{Status: 429, RetryAfter: 20 * time.Second}, took: 500 * time.Millisecond})
		r.say(r.ids[0], "first")
		synctest.Wait()
		r.say(r.ids[1], "second")
		synctest.Wait()
		r.say(r.ids[2], "third")
		pass(time.Minute)
		r.mu.Lock()
		defer r.mu.Unlock()
		if len(r.left) != 4 {
			t.Fatalf("%d tries", len(r.left))
		}
		if got := r.far.bodies(out); !slices.Equal(got[len(got)-3:], []string{"first", "second", "third"}) {
			t.Errorf("arrived as %q", got)
		}
		for i, at := range r.left[1:] {
			if since := at.Sub(r.left[0]); since < 20*time.Second {
				t.Errorf("try %d left %s after the vendor asked to wait twenty seconds", i+2, since)
			}
		}
	})
}

// TestLaneOverRestart: what waited for its place when the process died leaves after
// the next start, once, and is no possible duplicate: it never left.
func TestLaneOverRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newLaned(t, "C1", 2)
		r.say(r.ids[0], "first")
		synctest.Wait()
		waits := r.say(r.ids[1], "second")
		pass(100 * time.Millisecond)
		r.crash()
		pass(time.Minute)
		got := r.far.bodies(out)
		if n := slices.Index(got, "second"); n < 0 || slices.Contains(got[n+1:], "second") {
			t.Errorf("arrived as %q, want the second once", got)
		}
		for _, d := range r.disk.outcomeOf(waits.ID) {
			if d.MaybeDuplicate {
				t.Errorf("what never left is called a possible duplicate: %+v", d)
			}
		}
	})
}
