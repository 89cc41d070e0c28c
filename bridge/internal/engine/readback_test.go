package engine_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/engine"
)

// list is where a vendor shows what it has.
const list = out + "/list"

// lookedFor is a call whose outcome can be looked for.
func lookedFor() adapter.Call {
	return adapter.Call{Repeat: adapter.RepeatReadback, Readback: &adapter.Call{Method: http.MethodGet, URL: list}}
}

// watch notes the tries of the far side, as their methods.
func (r *rig) watch() func() string {
	var methods []string
	r.far.onCall = func(c adapter.Call) {
		r.mu.Lock()
		defer r.mu.Unlock()
		methods = append(methods, c.Method)
	}
	return func() string {
		r.mu.Lock()
		defer r.mu.Unlock()
		return strings.Join(methods, " ")
	}
}

// TestReadback: after an unknown outcome the call is not made again; its vendor is
// asked what it has, until it answers, and the adapter hears that.
func TestReadback(t *testing.T) {
	unknown, found := reason(adapter.ReasonUnknown), answer{attempt: answered("found")}
	result := func(status int, reason, body string) string { return fmt.Sprintf("%d %s %s", status, reason, body) }
	none, captures := lookedFor(), lookedFor()
	none.Readback = nil
	captures.Readback.Capture = []adapter.Capture{{Name: "pass", Pointer: "/pass"}}
	for name, c := range map[string]struct {
		call    adapter.Call
		answers []answer
		tries   string
		want    string
	}{
		"good":               {lookedFor(), []answer{found}, "POST", result(200, "", "found")},
		"refused":            {lookedFor(), []answer{status(404)}, "POST", result(404, "", "")},
		"never left":         {lookedFor(), []answer{reason(adapter.ReasonRefused), status(429), found}, "POST POST POST", result(200, "", "found")},
		"unknown":            {lookedFor(), []answer{unknown, found}, "POST GET", result(200, "unknown", "found")},
		"a fault over there": {lookedFor(), []answer{status(503), found}, "POST GET", result(200, "unknown", "found")},
		"it left in the end": {lookedFor(), []answer{reason(adapter.ReasonRefused), unknown, found}, "POST POST GET", result(200, "unknown", "found")},
		"found at last":      {lookedFor(), []answer{unknown, unknown, status(500), status(429), reason(adapter.ReasonRefused), found}, "POST GET GET GET GET GET", result(200, "unknown", "found")},
		"no list":            {lookedFor(), []answer{unknown, status(404)}, "POST GET", result(404, "unknown", "")},
		"may not look":       {lookedFor(), []answer{unknown, reason(adapter.ReasonNotAllowed)}, "POST GET", result(0, "unknown", "")},
		"what is captured":   {captures, []answer{unknown, {attempt: answered(`{"pass":"s3cret"}`)}}, "POST GET", result(200, "unknown", `{"pass":"`+adapter.CapturedMark+`"}`)},
		"nowhere to look":    {none, []answer{unknown, found}, "POST", result(0, "unknown", "")},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				r.plugins.defs["front"] = caller(c.call, nil)
				r.open()
				id := r.active()
				tries := r.watch()
				r.far.will(c.answers...)
				r.say(id, "hello")
				pass(10 * time.Minute)
				results := inputs[adapter.Result](r.plugins)
				if len(results) != 1 || tries() != c.tries {
					t.Fatalf("tries %s, results %+v", tries(), results)
				}
				if got := result(results[0].Status, results[0].Reason, string(results[0].Body)); got != c.want || results[0].MaybeDuplicate {
					t.Errorf("result %s, marked %v, want %s", got, results[0].MaybeDuplicate, c.want)
				}
			})
		})
	}
}

// TestReadbackInNoLane: a look is not held up by the lane of what it looks for.
func TestReadbackInNoLane(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		account := r.setup.Accounts["studio"]
		account.Profile.Pace = time.Minute
		r.setup.Accounts["studio"] = account
		call := lookedFor()
		call.Lane = "room"
		r.plugins.defs["front"] = caller(call, nil)
		r.open()
		id := r.active()
		tries := r.watch()
		r.far.will(reason(adapter.ReasonUnknown))
		r.say(id, "hello")
		r.say(id, "again")
		pass(10 * time.Second)
		if tries() != "POST GET" {
			t.Errorf("tries are %s", tries())
		}
		pass(time.Minute)
		if tries() != "POST GET POST" {
			t.Errorf("tries are %s", tries())
		}
	})
}

// TestReadbackEnds: a vendor that shows nothing is asked for a minute, or as long as the
// read says; one whose conversation is over is asked no more.
func TestReadbackEnds(t *testing.T) {
	for name, c := range map[string]struct {
		giveUp, ends, by time.Duration
	}{
		"a minute": {0, 0, time.Minute}, "as it says": {5 * time.Minute, 0, 5 * time.Minute}, "no longer than wanted": {5 * time.Minute, 10 * time.Second, 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				call := lookedFor()
				call.GiveUp, call.Readback.GiveUp = 10*time.Second, c.giveUp
				var at time.Time
				r.plugins.defs["front"] = caller(call, func(*adapter.Tx, adapter.Result) { at = time.Now() })
				r.open()
				id := r.active()
				r.far.will(slices.Repeat([]answer{{attempt: engine.Attempt{Status: 503, Body: []byte("sorry")}}}, 500)...)
				r.say(id, "hello")
				begun := time.Now()
				if c.ends > 0 {
					pass(c.ends)
					r.must(id, event.ConversationEnded{Reason: "resolved"})
				}
				pass(10 * time.Minute)
				results := inputs[adapter.Result](r.plugins)
				if len(results) == 0 || results[0].Reason != adapter.ReasonUnknown || results[0].Status != 0 || len(results[0].Body) > 0 || at.Sub(begun) > c.by+time.Second || at.Sub(begun) < c.by*9/10-31*time.Second {
					t.Errorf("after %s: %+v", at.Sub(begun), results)
				}
			})
		})
	}
}

// TestReadbackAcrossRestart: an attempt that a crash cut off is looked for by the next
// process, however long it was away; a look that was cut off is made again.
func TestReadbackAcrossRestart(t *testing.T) {
	slow := answer{attempt: engine.Attempt{Status: 200}, took: 8 * time.Second}
	unknown, refused := reason(adapter.ReasonUnknown), reason(adapter.ReasonRefused)
	for name, c := range map[string]struct {
		answers     []answer
		after, away time.Duration
		restart     func(*rig)
		tries       string
	}{
		"under way, crash":           {[]answer{slow}, 0, 0, (*rig).crash, "POST GET"},
		"under way, away for long":   {[]answer{slow}, 0, 15 * time.Minute, (*rig).crash, "POST GET"},
		"unknown, waits, crash":      {[]answer{unknown}, 0, 0, (*rig).crash, "POST GET"},
		"unknown, waits, in order":   {[]answer{unknown}, 0, 0, (*rig).restart, "POST GET"},
		"looks, crash":               {[]answer{unknown, slow}, 2 * time.Second, 0, (*rig).crash, "POST GET GET"},
		"looks, away for long":       {[]answer{unknown, slow}, 2 * time.Second, 15 * time.Minute, (*rig).crash, "POST GET GET"},
		"refused, waits, crash":      {[]answer{refused}, 0, 0, (*rig).crash, "POST POST"},
		"look refused, waits, crash": {[]answer{unknown, {attempt: refused.attempt, took: 2 * time.Second}}, 2600 * time.Millisecond, 0, (*rig).crash, "POST GET GET"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				r.plugins.defs["front"] = caller(lookedFor(), nil)
				r.open()
				id := r.active()
				tries := r.watch()
				r.far.will(c.answers...)
				r.say(id, "hello")
				pass(c.after)
				if c.away > 0 { // nobody is there: the next is not opened before
					r.journal.die()
					time.Sleep(c.away)
				}
				c.restart(r)
				pass(time.Minute)
				results := inputs[adapter.Result](r.plugins)
				if len(results) != 1 || tries() != c.tries || results[0].Status != 200 || results[0].MaybeDuplicate || (results[0].Reason == adapter.ReasonUnknown) != strings.HasSuffix(c.tries, "GET") {
					t.Errorf("tries %s, results %+v", tries(), results)
				}
			})
		})
	}
}

// finder is an adapter that says each message once: it looks for what it does not know
// and says again what is not there. A tag is the words and how often they were tried.
func finder() adapter.Definition {
	base := front().Adapter
	say := func(tx *adapter.Tx, words, tag string) error {
		c := lookedFor()
		c.Method, c.URL, c.Body, c.Readback.GiveUp = http.MethodPost, out, []byte(words), 8*time.Minute
		tx.Call(tag, c)
		return nil
	}
	return adapter.Definition{Manifest: adapter.Manifest{StateVersion: 1}, Adapter: handler(func(tx *adapter.Tx, in adapter.Input) error {
		if d, ok := in.(adapter.Deliver); ok && d.Event.Kind() == event.KindMessageCreated {
			return say(tx, text(d.Event), text(d.Event)+"/")
		}
		r, _ := in.(adapter.Result)
		words, _, tried := strings.Cut(r.Tag, "/")
		switch {
		case !tried:
			return base.Handle(tx, in)
		case r.OK():
		case r.Reason != adapter.ReasonUnknown || r.Status != http.StatusOK:
			tx.Fail(fmt.Sprint(r.Status, r.Reason))
		case !slices.Contains(strings.Fields(string(r.Body)), words):
			return say(tx, words, r.Tag+"again")
		}
		return nil
	})}
}

// saying is what happens around one message of a drawn story.
type saying struct {
	answers      []answer
	dies         int
	after, crash bool
	wait         time.Duration
}

func drawSaying(t *rapid.T) saying {
	drawn := []answer{status(200), status(500), status(503), {attempt: engine.Attempt{Status: 503}, lost: true}, reason(adapter.ReasonUnknown),
		{attempt: engine.Attempt{Reason: adapter.ReasonUnknown}, lost: true}, {attempt: engine.Attempt{Reason: adapter.ReasonRefused}, lost: true},
		{attempt: engine.Attempt{Status: 429}, lost: true}, {attempt: engine.Attempt{Status: 200}, took: 3 * time.Second}}
	return saying{rapid.SliceOfN(rapid.SampledFrom(drawn), 0, 4).Draw(t, "answers"), rapid.IntRange(0, 6).Draw(t, "dies"),
		rapid.Bool().Draw(t, "after"), rapid.Bool().Draw(t, "crash"), rapid.SampledFrom(waits).Draw(t, "wait")}
}

// TestReadbackOnce: whatever the network does and wherever the process dies, a vendor
// that can be looked at has each message once, in order.
func TestReadbackOnce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		sayings := rapid.SliceOfN(rapid.Custom(drawSaying), 1, 5).Draw(rt, "sayings")
		var said, has, problems []string
		synctest.Test(t, func(t *testing.T) {
			s := &story{rig: newRig(t)}
			s.plugins.defs["front"] = finder()
			s.far.lists = true
			s.open()
			s.id = s.active()
			for _, x := range sayings {
				s.far.will(x.answers...)
				s.journal.dieIn(x.dies, x.after)
				s.desk("say")
				time.Sleep(x.wait)
				if s.journal.isDead() || x.crash {
					s.crash()
				}
			}
			s.far.heal()
			s.journal.dieIn(0, false)
			pass(10 * time.Minute)
			said, problems = s.said, s.problems
			has = slices.DeleteFunc(s.far.bodies(out), func(body string) bool { return !strings.HasPrefix(body, "a") })
		})
		if !slices.Equal(has, said) || len(problems) > 0 {
			rt.Errorf("said %q, the vendor has %q, %v", said, has, problems)
		}
	})
}
