package api

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/footbridge/footbridge/bridge/internal/credential"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// Whatever comes in, reading it ends in a value or in a problem the caller can
// act on, and what is taken is what any other reader would see.
func FuzzStrict(f *testing.F) {
	for _, seed := range []string{``, `{}`, `{"kind":"a","body":{"x":[1,2]}}`, `{"kind":1}`, `{"a":1,"a":2}`, `[`, `{"kind":"\ud800"}`,
		strings.Repeat(`{"body":`, 70), `{"actor":{"role":"customer","id":null}}`, `{"kind":"x"}{}`} {
		f.Add([]byte(seed))
	}
	for _, c := range BadBodies() {
		if len(c.Body) < 10_000 {
			f.Add([]byte(c.Body))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var s Saying
		if err := strict(data, &s); err != nil {
			if p := problemOf(err); p.Status != http.StatusBadRequest && p.Status != http.StatusUnprocessableEntity {
				t.Fatalf("%q ends in %v", data, err)
			}
			return
		}
		var other struct{ Kind string }
		if err := json.Unmarshal(data, &other); err != nil {
			t.Fatalf("%q was taken, another reader says %v", data, err)
		}
		if string(s.Kind) != other.Kind {
			t.Fatalf("%q is of kind %q here and of kind %q elsewhere", data, s.Kind, other.Kind)
		}
	})
}

// Nothing but our own proof opens anything.
func FuzzOpened(f *testing.F) {
	key := []byte("key")
	f.Add("c.conversation")
	f.Add(sealed(key, "c.conversation"))
	f.Add(sealed([]byte("other"), "c.conversation"))
	f.Fuzz(func(t *testing.T, text string) {
		if message, ok := opened(key, text); ok && sealed(key, message) != text {
			t.Fatalf("%q opened as %q", text, message)
		}
		if message, ok := opened(key, sealed(key, text)); !ok || message != text {
			t.Fatalf("%q came back as %q", text, message)
		}
	})
}

type label struct{}

func (label) Derive(label string) []byte { return []byte(label) }

func TestSignInEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := New(Options{Keys: label{}, Journal: fedBy{tape: newTape()}, Setup: Setup{Tokens: []Token{{Name: "ops", Roles: []string{roleOperator}, Secret: credential.NewSecret("s")}}}})
		defer a.Close()
		in := httptest.NewRequestWithContext(t.Context(), http.MethodPost, Base+"/session", strings.NewReader(`{"token":"s"}`))
		in.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		a.ServeHTTP(w, in)
		cookies := w.Result().Cookies()
		me := func() int {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, Base+"/me", nil)
			r.AddCookie(cookies[0])
			out := httptest.NewRecorder()
			a.ServeHTTP(out, r)
			if renewed := out.Result().Cookies(); len(renewed) > 0 {
				cookies = renewed
			}
			return out.Code
		}
		if got := me(); got != http.StatusOK {
			t.Fatalf("signed in answers %d", got)
		}
		for left := signedInFor - time.Second; left > 0; left -= idleFor / 2 {
			time.Sleep(min(left, idleFor/2))
			me()
		}
		if got := me(); got != http.StatusOK {
			t.Errorf("just before its end a sign-in answers %d", got)
		}
		time.Sleep(time.Second)
		if got := me(); got != http.StatusUnauthorized {
			t.Errorf("at its end a sign-in answers %d", got)
		}
	})
}

// What cannot be recorded is not done: nobody is signed in.
func TestNoSignInWithoutARecord(t *testing.T) {
	a := New(Options{Keys: label{}, Journal: fedBy{tape: newTape(), unwritten: unwritten{err: journal.ErrClosed}},
		Setup: Setup{Tokens: []Token{{Name: "ops", Roles: []string{roleOperator}, Secret: credential.NewSecret("s")}}}})
	defer a.Close()
	in := httptest.NewRequestWithContext(t.Context(), http.MethodPost, Base+"/session", strings.NewReader(`{"token":"s"}`))
	in.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	a.ServeHTTP(w, in)
	if got := w.Result(); got.StatusCode != http.StatusServiceUnavailable || len(got.Cookies()) > 0 {
		t.Errorf("answered %d with cookies %v", got.StatusCode, got.Cookies())
	}
}
