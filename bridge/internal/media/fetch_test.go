package media

import (
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
)

// told is an event of a vendor that points to a file.
func told(s *Store, address string) event.Event {
	e := event.Event{ID: "e-" + address, Conversation: here, Via: event.Via{Account: "studio"}}
	e.Body = event.MessageCreated{Content: event.Content{Part: s.Claim(here, e.ID, event.Media{Kind: "image", URL: address, Caption: "look"})}}
	return e
}

// TestFetched: a far side waits until the file is here, and then has a link of
// ours, however often it is asked for.
func TestFetched(t *testing.T) {
	w := &web{kind: "image/png", body: png, gate: make(chan struct{})}
	s := newStore(t, newSafe(t, here), w)
	e := told(s, "https://vendor.example/files/a.png?sig=1")
	m, _ := mediaOf(e)
	if again, _ := mediaOf(told(s, "https://vendor.example/files/a.png?sig=1")); !Of(here, m.Blob) || again.Blob != m.Blob {
		t.Errorf("claimed %q, then %q", m.Blob, again.Blob)
	}
	s.Stored(e)
	s.Stored(e)
	if _, pending, _ := s.Link(t.Context(), e, m); !pending {
		t.Error("nobody waits for the fetch")
	}
	close(w.gate)
	if r := get(s, s.linked(t, m.Blob)); bodyOf(t, r) != string(png) {
		t.Errorf("got %d", r.StatusCode)
	}
	out, pending, refused := s.Link(t.Context(), e, m)
	if pending || refused != "" || out.Blob != "" || out.Caption != "look" || out.Name != "a.png" || !strings.HasPrefix(out.URL, "https://bridge.example/media/"+m.Blob+"/a.png?expires=") {
		t.Errorf("link %+v %v %q", out, pending, refused)
	}
	if r := get(s, out.URL); bodyOf(t, r) != string(png) {
		t.Errorf("the far side's link: %d", r.StatusCode)
	}
	if len(w.asked) != 1 || w.asked[0] != "studio https://vendor.example/files/a.png?sig=1" {
		t.Errorf("asked %v", w.asked)
	}
}

// TestAskedForBeforeItIsBegun: whoever reads the journal knows of a file before the store
// is told of it, and waits; not for ever, where the event was never stored.
func TestAskedForBeforeItIsBegun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore(t, newSafe(t, here), &web{kind: "image/png", body: png})
		e := told(s, "https://vendor.example/a.png")
		m, _ := mediaOf(e)
		got := make(chan error, 1)
		go func() {
			_, err := s.LinkTo(t.Context(), m.Blob)
			got <- err
		}()
		time.Sleep(time.Second)
		s.Stored(e)
		if err := <-got; err != nil {
			t.Errorf("asked for before it was begun: %v", err)
		}
		lost, _ := mediaOf(told(s, "https://vendor.example/lost.png"))
		began := time.Now()
		if _, err := s.LinkTo(t.Context(), lost.Blob); !errors.Is(err, ErrNotFound) || time.Since(began) > claimLasts {
			t.Errorf("one that was never stored: %v after %s", err, time.Since(began))
		}
		time.Sleep(claimLasts)
		told(s, "https://vendor.example/next.png")
		if len(s.claims) != 1 {
			t.Errorf("%d claims are remembered", len(s.claims))
		}
		s.Close()
	})
}

// TestNotFetched: the vendor's link stays where there is no file; a file that
// breaks a rule is not passed on at all.
func TestNotFetched(t *testing.T) {
	w := &web{status: errors.New("gone")}
	s := newStore(t, newSafe(t, here), w)
	settled := func(e event.Event) (event.Media, string) {
		t.Helper()
		m, _ := mediaOf(e)
		s.Stored(e)
		s.await(t.Context(), m.Blob)
		out, pending, refused := s.Link(t.Context(), e, m)
		if pending {
			t.Error("it is still pending")
		}
		return out, refused
	}
	if out, refused := settled(told(s, "https://vendor.example/a")); out.URL != "https://vendor.example/a" || out.Blob != "" || refused != "" {
		t.Errorf("got %+v %q", out, refused)
	}
	gone, _ := mediaOf(told(s, "https://vendor.example/a"))
	if l, err := s.LinkTo(t.Context(), gone.Blob); err != nil || l.URL != "https://vendor.example/a" || !l.Expires.IsZero() {
		t.Errorf("link %+v %v", l, err)
	}
	if r := get(s, s.sign(gone.Blob, "a", time.Now().Add(time.Hour))); r.StatusCode != http.StatusNotFound {
		t.Errorf("a file that is not here: %d", r.StatusCode)
	}
	w.status, w.kind, w.body = nil, "text/html", []byte("<html>")
	if out, refused := settled(told(s, "https://vendor.example/b")); !strings.Contains(refused, "not taken") {
		t.Errorf("got %+v %q", out, refused)
	}
	bad, _ := mediaOf(told(s, "https://vendor.example/b"))
	var no *Refusal
	if _, err := s.LinkTo(t.Context(), bad.Blob); !errors.As(err, &no) {
		t.Errorf("link to it: %v", err)
	}
	foreign := event.Media{Blob: newHandle(there), URL: "https://x.example/"}
	if _, _, refused := s.Link(t.Context(), event.Event{Conversation: here}, foreign); refused == "" {
		t.Error("another conversation's file is passed on")
	}
	if m := s.Claim(here, "e", event.Media{Blob: newHandle(here)}); m.Blob != "" {
		t.Error("an adapter names a file")
	}
	s.Rules.Fetch = FetchNever
	if m := s.Claim(here, "e", event.Media{URL: "https://vendor.example/c"}); m.Blob != "" {
		t.Error("claimed though nothing is fetched")
	}
}

// TestFetchedAfterRestart: what a stop cut short is fetched by the next start.
func TestFetchedAfterRestart(t *testing.T) {
	v, w := newSafe(t, here), &web{kind: "image/png", body: png, gate: make(chan struct{})}
	s := newStore(t, v, w)
	e := told(s, "https://vendor.example/a.png")
	m, _ := mediaOf(e)
	s.Stored(e)
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		if left, _ := filepath.Glob(s.path(m.Blob) + wanted); len(left) == 1 || time.Now().After(deadline) {
			break
		}
	}
	s.Close()
	o := s.Options
	o.Source = &web{kind: "image/png", body: png}
	next := New(o)
	t.Cleanup(next.Close)
	next.Resume(t.Context())
	if r := get(next, next.linked(t, m.Blob)); bodyOf(t, r) != string(png) {
		t.Errorf("got %d", r.StatusCode)
	}
	if left, _ := filepath.Glob(filepath.Join(s.Dir, "*", "*"+wanted)); len(left) > 0 {
		t.Errorf("still wanted: %v", left)
	}
}
