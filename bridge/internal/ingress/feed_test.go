package ingress

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/internal/engine"
)

// tally is what the doors counted.
type tally struct {
	mu      sync.Mutex
	refused []string
	taken   int
}

func (y *tally) doors(e Accepter, a Account) *Ingress {
	i := New(Options{Engine: e, Refused: func(_, reason string) {
		y.mu.Lock()
		defer y.mu.Unlock()
		y.refused = append(y.refused, reason)
	}, Received: func(string, string, engine.Receipt) { y.taken++ }})
	i.Configure([]Account{a})
	return i
}

// TestHeardIsPosted: a frame comes to exactly what a request to its endpoint comes to,
// is counted as that is, and is acknowledged where the request has an answer for good.
func TestHeardIsPosted(t *testing.T) {
	plain := endpoint()
	refusing, open, loose, fresh := endpoint(), endpoint(), endpoint(), endpoint()
	refusing.Unknown, refusing.Refusal = adapter.UnknownRefuse, adapter.Reply{Status: 410}
	open.Unknown, loose.NoKey, fresh.Key = adapter.UnknownOpen, adapter.NoKeyIgnore, "header:X-Key,new"
	for name, c := range map[string]struct {
		e    adapter.Endpoint
		body string
		err  error
		ack  bool
	}{
		"good":               {plain, `{"session":{"id":"s1"},"message":{"id":"m1","n":1.50},"pin":"1234"}`, nil, true},
		"no dedup":           {plain, `{"session":{"id":"s1"}}`, nil, true},
		"a new key":          {fresh, `{}`, nil, true},
		"a list":             {listed(), `{"events":[{"session":"s1","id":"a"},{"id":"b"},{"session":"s2","id":"c"}]}`, nil, true},
		"no list":            {listed(), `{}`, nil, true},
		"no key":             {plain, `{"session":{}}`, nil, true},
		"no key, let go":     {loose, `{"session":{}}`, nil, true},
		"a key of no use":    {plain, `{"session":{"id":"a\u0000b"}}`, nil, true},
		"not JSON":           {plain, `{"session"`, nil, true},
		"nothing":            {plain, ``, nil, true},
		"no object":          {plain, `["s1"]`, nil, true},
		"a name twice":       {plain, `{"session":{"id":"s1"},"session":{"id":"s2"}}`, nil, true},
		"too deep":           {plain, `{"session":{"id":"s1"},"a":` + strings.Repeat("[", 70) + strings.Repeat("]", 70) + `}`, nil, true},
		"too large":          {plain, `{"session":{"id":"s1"},"a":"` + strings.Repeat("x", 4096) + `"}`, nil, true},
		"nobody's":           {plain, `{"session":{"id":"s1"}}`, engine.ErrUnknownKey, true},
		"nobody's, refused":  {refusing, `{"session":{"id":"s1"}}`, engine.ErrUnknownKey, true},
		"the account drains": {open, `{"session":{"id":"s1"}}`, engine.ErrDrained, false},
		"no room":            {plain, `{"session":{"id":"s1"}}`, engine.ErrBusy, false},
		"the engine closes":  {plain, `{"session":{"id":"s1"}}`, engine.ErrClosed, false},
		"the journal fails":  {plain, `{"session":{"id":"s1"}}`, errors.New("disk full"), false},
	} {
		t.Run(name, func(t *testing.T) {
			posted, told := &book{err: c.err}, &book{err: c.err}
			var byPost, byFeed tally
			a := Account{Name: "studio", Endpoints: []adapter.Endpoint{c.e}, AllowUnauthenticated: true, Mask: []string{"/pin"}}
			w := served(byPost.doors(posted, a), "/in/studio/inbound", c.body)
			h := byFeed.doors(told, a).Heard("studio", "inbound", []byte(c.body))
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if got := h.Store(ctx); got != c.ack || got != (w.Code < 500) {
				t.Errorf("acknowledged: %v; a request is answered %d", got, w.Code)
			}
			if !reflect.DeepEqual(alike(told), alike(posted)) || !slices.Equal(byFeed.refused, byPost.refused) || byFeed.taken != byPost.taken {
				t.Errorf("a frame comes to %+v %v, a request to %+v %v", alike(told), byFeed.refused, alike(posted), byPost.refused)
			}
			var keys []string
			for _, a := range told.stored() {
				keys = append(keys, a.Key)
			}
			if c.err == nil && !slices.Equal(h.Keys(), keys) {
				t.Errorf("its keys are %q, stored are %q", h.Keys(), keys)
			}
		})
	}
}

// alike are arrivals without what is made anew for each: headers, and keys of ours.
func alike(b *book) []engine.Arrival {
	all := b.stored()
	for i := range all {
		all[i].Request.Header = http.Header{"Content-Type": all[i].Request.Header["Content-Type"]}
		if strings.HasSuffix(all[i].Endpoint.Key, "new") {
			all[i].Key = "new"
		}
	}
	return all
}

// TestHeardOfNoDoor: an endpoint that has no path has no door, and one that is gone
// hears nothing.
func TestHeardOfNoDoor(t *testing.T) {
	e := endpoint()
	e.Path = ""
	b := &book{}
	i := new(tally).doors(b, Account{Name: "studio", Endpoints: []adapter.Endpoint{e}, AllowUnauthenticated: true, Hosts: []string{"example.com"}})
	const body = `{"session":{"id":"s1"}}`
	for _, path := range []string{"/in/studio", "/in/studio/", "/"} {
		if w := served(i, path, body); w.Code != http.StatusNotFound {
			t.Errorf("%s answered %d", path, w.Code)
		}
	}
	if !i.Heard("studio", "inbound", []byte(body)).Store(t.Context()) || len(b.stored()) != 1 || b.stored()[0].Request.Path != "" {
		t.Errorf("stored %+v", b.stored())
	}
	if i.Heard("studio", "other", nil) != nil || i.Heard("other", "inbound", nil) != nil {
		t.Error("somebody hears what is nobody's")
	}
	i.Configure(nil)
	if i.Heard("studio", "inbound", nil) != nil {
		t.Error("an account that is gone hears")
	}
}

// full has no room for a time.
type full struct {
	*book
	until time.Time
	tries int
}

func (f *full) Accept(ctx context.Context, a engine.Arrival) (engine.Receipt, error) {
	if ctx.Err() != nil {
		return engine.Receipt{}, ctx.Err()
	}
	if f.tries++; time.Now().Before(f.until) {
		return engine.Receipt{}, engine.ErrBusy
	}
	return f.book.Accept(ctx, a)
}

// TestHeardWaits: a frame waits for room and for its account's rate, and is counted as
// refused once, when it is given up. What an account that drains does not take waits
// for nothing.
func TestHeardWaits(t *testing.T) {
	const body = `{"session":{"id":"s1"}}`
	synctest.Test(t, func(t *testing.T) {
		var y tally
		f := &full{book: &book{}, until: time.Now().Add(2 * time.Second)}
		i := y.doors(f, Account{Name: "studio", Endpoints: []adapter.Endpoint{endpoint()}})
		store := func(patience time.Duration) (bool, time.Duration) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			begun := time.Now()
			ok := i.Heard("studio", "inbound", []byte(body)).Store(ctx)
			return ok, time.Since(begun)
		}
		if ok, took := store(time.Second); ok || took != time.Second || !slices.Equal(y.refused, []string{"busy"}) {
			t.Errorf("stored %v after %s, counted %q", ok, took, y.refused)
		}
		if ok, took := store(time.Minute); !ok || took != time.Second || f.tries < 4 || len(y.refused) != 1 || y.taken != 1 {
			t.Errorf("stored %v after %s and %d tries, counted %q", ok, took, f.tries, y.refused)
		}
		i.Limit(Rates{Account: 1})
		f.until = time.Now().Add(10 * time.Second)
		if ok, took := store(time.Minute); !ok || took != 10*time.Second {
			t.Errorf("stored %v after %s: it waits for room, and is one request however often it is tried", ok, took)
		}
		var took time.Duration
		for range 4 {
			ok, one := store(time.Minute)
			if took += one; !ok {
				t.Error("not stored at its rate")
			}
		}
		if took < 2*time.Second-100*time.Millisecond || took > 3*time.Second {
			t.Errorf("four took %s at one a second", took)
		}
		if ok, took := store(0); ok || took != 0 || y.refused[len(y.refused)-1] != "rate" {
			t.Errorf("stored %v after %s beyond its rate, counted %q", ok, took, y.refused)
		}
		i.Limit(Rates{})
		if ok, _ := store(0); !ok {
			t.Error("what could be stored was given up halfway")
		}
		f.err = fmt.Errorf("studio: %w", engine.ErrDrained)
		if ok, took := store(time.Minute); ok || took != 0 {
			t.Errorf("stored %v after %s while the account drains", ok, took)
		}
	})
}
