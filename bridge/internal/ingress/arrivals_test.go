package ingress

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/internal/engine"
	"github.com/footbridge/footbridge/bridge/internal/pointer"
)

// listed is an endpoint that is sent several events at once.
func listed() adapter.Endpoint {
	e := endpoint()
	e.Batch, e.Key, e.Dedup, e.NoKey = "/events", "body:/session", "body:/id", adapter.NoKeyIgnore
	return e
}

// takes are the requests an engine was given, as "key dedup body".
func (b *book) takes() []string {
	var out []string
	for _, a := range b.stored() {
		out = append(out, a.Key+" "+a.Dedup+" "+string(a.Request.Body))
	}
	return out
}

// TestBatch: each object of a list is a request of its own, and nothing of a list is
// stored that cannot be read whole.
func TestBatch(t *testing.T) {
	for name, c := range map[string]struct {
		body   string
		status int
		want   []string
	}{
		"two": {`{"app":1,"events":[{"session":"s1","id":"a","n":1.50},{"id":"b","session":"s2"}]}`, 200,
			[]string{`s1 a {"id":"a","n":1.50,"session":"s1"}`, `s2 b {"id":"b","session":"s2"}`}},
		"none":                 {`{"events":[]}`, 200, nil},
		"one that is nobody's": {`{"events":[{"id":"a"},{"session":"s2","id":"b"}]}`, 200, []string{`s2 b {"id":"b","session":"s2"}`}},
		"no list":              {`{"events":{"session":"s1"}}`, 400, nil},
		"nothing there":        {`{}`, 400, nil},
		"a word among them":    {`{"events":[{"session":"s1","id":"a"},"b"]}`, 400, nil},
		"a key of no use":      {`{"events":[{"session":"s1","id":"a"},{"session":"a\u0000b","id":"b"}]}`, 400, nil},
		"masked":               {`{"events":[{"session":"s1","id":"a","pin":"1234"}]}`, 200, []string{`s1 a {"id":"a","pin":"[masked]","session":"s1"}`}},
	} {
		t.Run(name, func(t *testing.T) {
			b := &book{}
			s := openDoors(t, b, Account{Name: "studio", Endpoints: []adapter.Endpoint{listed()}, Mask: []string{"/pin"}})
			if resp := post(t, s+"/in/studio/inbound", c.body); resp.StatusCode != c.status {
				t.Errorf("answered %d %s", resp.StatusCode, text(t, resp))
			}
			if got := b.takes(); !slices.Equal(got, c.want) {
				t.Errorf("stored %q", got)
			}
		})
	}
}

// picky is an engine that has no room from a place on, or does not know some keys.
type picky struct {
	*book
	room   int
	nobody string
}

func (p *picky) Accept(ctx context.Context, a engine.Arrival) (engine.Receipt, error) {
	switch {
	case a.Key == p.nobody:
		return engine.Receipt{}, engine.ErrUnknownKey
	case len(p.stored()) >= p.room:
		return engine.Receipt{}, engine.ErrBusy
	}
	return p.book.Accept(ctx, a)
}

// TestBatchStoredInPart: a list is acknowledged when all of it is stored. What was is
// known by its id when the vendor sends it again.
func TestBatchStoredInPart(t *testing.T) {
	const three = `{"events":[{"session":"s1","id":"a"},{"session":"s2","id":"b"},{"session":"s3","id":"c"}]}`
	for name, c := range map[string]struct {
		p      picky
		status int
		stored int
		why    []string
	}{
		"no room for the last": {picky{room: 2}, 503, 2, []string{"busy"}},
		"one of nobody":        {picky{room: 9, nobody: "s2"}, 200, 2, []string{"unknown_key"}},
		"all":                  {picky{room: 9}, 200, 3, nil},
	} {
		c.p.book = &book{}
		var why []string
		received := 0
		i := New(Options{Engine: &c.p, Refused: func(_, reason string) { why = append(why, reason) },
			Received: func(string, string, engine.Receipt) { received++ }})
		i.Configure([]Account{{Name: "studio", Endpoints: []adapter.Endpoint{listed()}, AllowUnauthenticated: true}})
		w := served(i, "/in/studio/inbound", three)
		if w.Code != c.status || len(c.p.stored()) != c.stored || received != c.stored || !slices.Equal(why, c.why) {
			t.Errorf("%s: answered %d, %d stored, %d counted, %q left out", name, w.Code, len(c.p.stored()), received, why)
		}
	}
}

// TestBatchOfASigner: the objects of a signed list have marks of their own.
func TestBatchOfASigner(t *testing.T) {
	e := signedEndpoint()
	e.Batch, e.Key, e.Dedup = "/events", "body:/session", "body:/id"
	b := &book{}
	s := openDoors(t, b, signer(e))
	const body = `{"events":[{"session":"s1","id":"a"},{"session":"s1","id":"b"}]}`
	if resp := post(t, s+"/in/studio/inbound", body, signedAs(signingKey, body, time.Now())...); resp.StatusCode != 200 {
		t.Fatalf("answered %d", resp.StatusCode)
	}
	got := b.stored()
	if len(got) != 2 || got[0].Mark == got[1].Mark || !strings.HasSuffix(got[0].Mark, "#0") || got[0].MarkFor <= 0 {
		t.Errorf("stored %+v", got)
	}
}

// TestForm: the JSON in a field of a form is read as the body, and the form is what is
// signed.
func TestForm(t *testing.T) {
	e := signedEndpoint()
	e.Form, e.Key = "payload", "body:/session/id"
	b := &book{}
	s := openDoors(t, b, signer(e))
	const json = `{"session":{"id":"s 1&"},"message":{"id":"m"}}`
	form := url.Values{"payload": {json}, "x": {"y"}}.Encode()
	for name, c := range map[string]struct {
		body, kind string
		status     int
	}{
		"good":            {form, "application/x-www-form-urlencoded", 200},
		"as JSON":         {json, "application/json", 415},
		"another field":   {"other=" + url.QueryEscape(json), "application/x-www-form-urlencoded", 400},
		"twice":           {form + "&payload=1", "application/x-www-form-urlencoded", 400},
		"not JSON":        {"payload=hello", "application/x-www-form-urlencoded", 400},
		"two same names":  {"payload=" + url.QueryEscape(`{"session":{"id":"a"},"session":{"id":"b"}}`), "application/x-www-form-urlencoded", 400},
		"not a form":      {"payload=%zz", "application/x-www-form-urlencoded", 400},
		"of no signature": {form + "&x=z", "application/x-www-form-urlencoded", 401},
	} {
		before := len(b.stored())
		signed := c.body
		if c.status == 401 {
			signed = form
		}
		resp := post(t, s+"/in/studio/inbound", c.body, append(signedAs(signingKey, signed, time.Now()), "Content-Type", c.kind)...)
		if resp.StatusCode != c.status || (len(b.stored()) > before) != (c.status == 200) {
			t.Errorf("%s: answered %d, %d stored", name, resp.StatusCode, len(b.stored())-before)
		}
	}
	if got := b.takes(); len(got) != 1 || got[0] != fmt.Sprintf("s 1& %s %s", b.stored()[0].Mark, json) {
		t.Errorf("stored %q", got)
	}
}

// TestChallenge: a vendor that wants to see that the address is ours gets its word
// back, and nothing is stored; without a right signature it gets nothing.
func TestChallenge(t *testing.T) {
	e := signedEndpoint()
	e.Challenge = "body:/challenge"
	b := &book{}
	s := openDoors(t, b, signer(e))
	const body = `{"type":"url_verification","challenge":"<b>3eZbrw1a</b>"}`
	resp := post(t, s+"/in/studio/inbound", body, signedAs(signingKey, body, time.Now())...)
	if got := text(t, resp); resp.StatusCode != 200 || got != "<b>3eZbrw1a</b>" || resp.Header.Get("Content-Type") != "text/plain; charset=utf-8" || resp.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("answered %d %q %v", resp.StatusCode, got, resp.Header)
	}
	resp = post(t, s+"/in/studio/inbound", body, signedAs("another key", body, time.Now())...)
	if got := text(t, resp); resp.StatusCode != 401 || strings.Contains(got, "3eZbrw1a") {
		t.Errorf("a forged one: %d %q", resp.StatusCode, got)
	}
	if n := len(b.stored()); n != 0 {
		t.Errorf("%d stored", n)
	}
	good := good
	if resp := post(t, s+"/in/studio/inbound", good, signedAs(signingKey, good, time.Now())...); resp.StatusCode != 200 || len(b.stored()) != 1 {
		t.Errorf("what is no challenge: %d, %d stored", resp.StatusCode, len(b.stored()))
	}
}

// FuzzArrivals: whatever comes as a list in a field of a form, what is taken of it are
// objects that read the same again, each with a key that is usable.
func FuzzArrivals(f *testing.F) {
	for _, seed := range []string{`{"events":[{"session":"s1","id":"a"},{"id":"b"}]}`, `{"events":[]}`, `{"events":[1,"x",null]}`, `{"events":{"0":{}}}`, `{"events":[[{"session":"x"}]]}`,
		`{"challenge":"c","events":[{"session":"s"}]}`, `{"events":[{"session":"a","session":"b"}]}`, `{"events":[{"session":"\u0000"}]}`, "", "\xff"} {
		f.Add(seed)
	}
	e := listed()
	e.Form, e.Challenge = "payload", "body:/challenge"
	f.Fuzz(func(t *testing.T, body string) {
		b := &book{}
		i := New(Options{Engine: b})
		i.Configure([]Account{{Name: "studio", Endpoints: []adapter.Endpoint{e}, AllowUnauthenticated: true}})
		w := served(i, "/in/studio/inbound", url.Values{"payload": {body}}.Encode(), "Content-Type", "application/x-www-form-urlencoded")
		if w.Code != 200 && len(b.stored()) > 0 {
			t.Errorf("%d stored of a request answered %d", len(b.stored()), w.Code)
		}
		if challenged := strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain"); challenged && (w.Body.Len() == 0 || len(b.stored()) > 0) {
			t.Errorf("a challenge is answered %q, with %d stored", w.Body, len(b.stored()))
		}
		for _, a := range b.stored() {
			in := fields{body: a.Request.Body}
			if err := in.parse(); err != nil || pointer.Text(in.doc, "/session") != a.Key || a.Key == "" || len(a.Key) > maxKey {
				t.Errorf("%q is taken as %q: %v", a.Key, a.Request.Body, err)
			}
		}
	})
}
