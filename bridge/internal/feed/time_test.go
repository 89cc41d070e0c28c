package feed_test

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/internal/engine"
	"github.com/footbridge/footbridge/bridge/internal/feed"
)

// clockwork is a vendor under a fake clock: each try does what the next of its plan
// says, the last for ever.
type clockwork struct {
	mu    sync.Mutex
	plan  []step
	tries []time.Time
	lines []*wire
	gives string // the address, "" for a good one
}

// step is what one try comes to: a line that stands for a time, or an attempt that
// failed. A line may announce its end so long after it began.
type step struct {
	stands, announces time.Duration
	failed            engine.Attempt
	says              []string
}

func (c *clockwork) Call(context.Context, string, string, map[string]string, adapter.Call) engine.Attempt {
	return engine.Attempt{Status: 200, Body: []byte(`{"url":"` + cmp.Or(c.gives, "wss://line.example") + `"}`)}
}

func (c *clockwork) Line(context.Context, string, string, adapter.Dial) (engine.Link, engine.Attempt) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tries = append(c.tries, time.Now())
	next := c.plan[0]
	if len(c.plan) > 1 {
		c.plan = c.plan[1:]
	}
	if next.stands == 0 {
		return nil, next.failed
	}
	w := &wire{step: next, end: make(chan int, 1)}
	c.lines = append(c.lines, w)
	return w, engine.Attempt{}
}

// waits are the times between the tries.
func (c *clockwork) waits() (out []time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := 1; i < len(c.tries); i++ {
		out = append(out, c.tries[i].Sub(c.tries[i-1]))
	}
	return out
}

// wire is one line of a clockwork.
type wire struct {
	step
	end    chan int
	mu     sync.Mutex
	acks   []string
	closed int
}

func (w *wire) Run(heard func(string, []byte, bool)) adapter.Closed {
	for _, text := range w.says {
		heard("", []byte(text), false)
	}
	announces := time.NewTimer(w.announces)
	if w.announces == 0 {
		announces.Stop()
	}
	over := time.After(w.stands)
	for {
		select {
		case <-announces.C:
			heard("", []byte(`{"type":"bye"}`), false)
		case <-over:
			return adapter.Closed{Reason: adapter.ClosedByPeer}
		case w.closed = <-w.end:
			return adapter.Closed{Reason: adapter.ClosedLost}
		}
	}
}

func (w *wire) Write(_ context.Context, m engine.Message) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.acks = append(w.acks, string(m.Data))
	return adapter.SentWritten
}

func (w *wire) Close(code int) {
	select {
	case w.end <- code:
	default:
	}
}

// during runs a feed over a clockwork for a time.
func during(c *clockwork, in feed.Intake, d time.Duration) *feed.Feeds {
	f := feed.New(feed.Options{Intake: in, Out: c, Placeholder: func(string, string) string { return "x" }, Logger: slog.New(slog.DiscardHandler),
		Reached: func(string) {}, Reopened: func(string, string) {}, Refused: func(string, string) {}})
	f.Configure([]feed.Account{{Name: "desk", Feeds: []adapter.Feed{{Name: "socket", URL: "https://api.example", Address: "/url", Kind: "/type",
		Endpoints: map[string]string{"event": "events"}, Ack: "id", Ends: []string{"bye"}}}}})
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	f.Run(ctx)
	return f
}

// TestWaits: the wait between tries grows to a minute and is never the same for two; a
// line that stood starts it anew, one that falls at once does not.
func TestWaits(t *testing.T) {
	const minute = time.Minute
	refused := step{failed: engine.Attempt{Reason: adapter.ReasonRefused}}
	for name, c := range map[string]struct {
		plan []step
		want []time.Duration // the longest of each wait, which is half of it at least
	}{
		"refused":              {[]step{refused}, []time.Duration{1e9, 2e9, 4e9, 8e9, 16e9, 32e9, minute, minute}},
		"asked to wait":        {[]step{{failed: engine.Attempt{Status: 429, RetryAfter: 90 * time.Second}}}, []time.Duration{90e9, 90e9}},
		"falls at once":        {[]step{{stands: 1}}, []time.Duration{1e9, 2e9, 4e9, 8e9}},
		"stood in between":     {[]step{refused, refused, {stands: minute}, refused}, []time.Duration{1e9, 2e9, minute, 1e9}},
		"announced":            {[]step{{stands: 2 * minute, announces: minute}}, []time.Duration{minute, minute, minute}},
		"announced by a habit": {[]step{{stands: 2 * minute, announces: 1}}, []time.Duration{1e9, 2e9, 4e9, 8e9}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &clockwork{plan: c.plan}
				during(w, &book{}, 10*minute)
				got := w.waits()
				if len(got) < len(c.want) {
					t.Fatalf("tried %d times only", len(got))
				}
				for i, most := range c.want {
					exact := most == minute && len(w.lines) > 0 || most == 90e9
					if got[i] > most+2 || got[i] < most/2 || exact && got[i] < most {
						t.Errorf("wait %d is %s, want up to %s", i, got[i], most)
					}
				}
			})
		})
	}
}

// TestLetGo: a line whose end was announced is closed when its vendor does not do it,
// and all are when the feeds end.
func TestLetGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &clockwork{plan: []step{{stands: 24 * time.Hour, announces: time.Hour}, {stands: 24 * time.Hour}}}
		during(w, &book{}, time.Hour+31*time.Second)
		if len(w.lines) != 2 || w.lines[0].closed != 1000 || w.lines[1].closed != 1001 {
			t.Errorf("closed with %d and %d", w.lines[0].closed, w.lines[1].closed)
		}
		if got := w.waits(); !slices.Equal(got, []time.Duration{time.Hour}) {
			t.Errorf("opened after %v", got)
		}
	})
}

// TestPatience: a frame that finds no room is given up before its vendor says it
// again; one that is not acknowledged is not, for nobody would say it again.
func TestPatience(t *testing.T) {
	for name, c := range map[string]struct {
		says  string
		after time.Duration
	}{
		"acknowledged": {`{"type":"event","id":1}`, 2500 * time.Millisecond},
		"not":          {`{"type":"event"}`, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, begun := &book{}, time.Now()
				b.hold("")
				w := &clockwork{plan: []step{{stands: time.Hour, says: []string{c.says, c.says}}}}
				during(w, b, time.Minute)
				if len(b.gaveUp) != 2 || b.gaveUp[0].Sub(begun) != c.after || b.gaveUp[1].Sub(begun) != c.after || len(w.lines[0].acks) != 0 {
					t.Errorf("given up at %v, acknowledged %q", b.gaveUp, w.lines[0].acks)
				}
			})
		})
	}
}

// TestNotInTheClear: who is asked over TLS does not send the bridge elsewhere without.
func TestNotInTheClear(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &clockwork{plan: []step{{stands: time.Hour}}, gives: "ws://line.example"}
		f := during(w, &book{}, time.Minute)
		if len(w.tries) > 0 || !strings.Contains(f.States()[0].Reason, "not encrypted") {
			t.Errorf("dialled %d times, %+v", len(w.tries), f.States())
		}
	})
}
