package engine_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// shelf is where files are kept; those named in refused are not passed on, and
// none is before ready.
type shelf struct {
	mu      sync.Mutex
	ready   time.Time
	refused string
	asked   int
}

func (s *shelf) Claim(_, id string, m event.Media) event.Media {
	m.Blob = "blob of " + id
	return m
}

func (s *shelf) Link(_ context.Context, _ event.Event, m event.Media) (event.Media, bool, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	if s.refused != "" {
		return m, false, s.refused
	}
	m.URL, m.Blob = "https://bridge.example/"+m.Blob, ""
	return m, time.Now().Before(s.ready), ""
}

func filed(name string) event.Content {
	return event.Content{Part: event.Media{Kind: "image", Blob: name}}
}

// fileRig has a far side that takes files, and gives what it was given.
func fileRig(t *testing.T, s *shelf) (*rig, func() []string) {
	r := newRig(t)
	r.media = s
	var mu sync.Mutex
	var got []string
	r.plugins.defs["front"] = onWords(func(_ *adapter.Tx, in adapter.Deliver) {
		mu.Lock()
		defer mu.Unlock()
		if m, ok := in.Event.Body.(event.MessageCreated).Content.Part.(event.Media); ok {
			got = append(got, m.URL)
		} else {
			got = append(got, text(in.Event))
		}
	})
	front := r.setup.Accounts["front"]
	front.Profile.Levels.Content = map[string]adapter.Level{"media": adapter.Full}
	r.setup.Accounts["front"] = front
	r.open()
	return r, func() []string { mu.Lock(); defer mu.Unlock(); return slices.Clone(got) }
}

// TestFileIsWaitedFor: words after a file wait for it, and it comes as a link.
func TestFileIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{ready: time.Now().Add(5 * time.Second)}
		r, got := fileRig(t, s)
		id := r.active()
		e := r.must(id, event.MessageCreated{Content: filed("one")})
		r.say(id, "after")
		pass(4 * time.Second)
		if n := len(r.disk.outcomeOf(e.ID)); n > 0 || len(got()) > 0 {
			t.Errorf("before the file is there: %d outcomes, %q", n, got())
		}
		r.restart()
		pass(10 * time.Second)
		if want := []string{"https://bridge.example/one", "after"}; !slices.Equal(got(), want) || r.outcome(e).Outcome != journal.Delivered {
			t.Errorf("got %q, %+v", got(), r.outcome(e))
		}
		if s.asked > 60 {
			t.Errorf("asked %d times", s.asked)
		}
	})
}

// TestFileIsRefused: the far side is not given it, its author is told why, and
// what follows goes on.
func TestFileIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, got := fileRig(t, &shelf{refused: "the scanner found it harmful"})
		id := r.active()
		e := r.must(id, event.MessageCreated{Content: filed("one")})
		r.say(id, "after")
		pass(time.Minute)
		const why = "file refused: the scanner found it harmful"
		if d := r.outcome(e); d.Outcome != journal.Failed || d.Reason != why || !slices.Equal(got(), []string{"after"}) {
			t.Errorf("got %q, %+v", got(), d)
		}
		told := slices.ContainsFunc(r.events(id), func(x event.Event) bool {
			f, ok := x.Body.(event.MessageFailed)
			return ok && f.Message == e.ID && f.Reason == "failed "+why
		})
		if !told {
			t.Errorf("nobody is told: %v", r.kinds(id))
		}
	})
}
