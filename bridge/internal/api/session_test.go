package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/footbridge/footbridge/bridge/internal/credential"
)

// tokens makes a setup of tokens called NAME with the secret NAME-secret.
func tokens(role string, names ...string) Setup {
	var s Setup
	for _, name := range names {
		s.Tokens = append(s.Tokens, Token{Name: name, Roles: []string{role}, Secret: credential.NewSecret(name + "-secret")})
	}
	return s
}

func apiOf(t *testing.T, ended *Ended, names ...string) *API {
	t.Helper()
	a := New(Options{Keys: label{}, Journal: fedBy{tape: newTape()}, Setup: tokens(roleOperator, names...), Ended: ended})
	t.Cleanup(a.Close)
	return a
}

// browser keeps cookies as one does.
type browser struct {
	t      *testing.T
	a      *API
	from   string
	cookie *http.Cookie
}

func (b *browser) ask(method, path, body string) *http.Response {
	b.t.Helper()
	r := httptest.NewRequestWithContext(b.t.Context(), method, Base+path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	if b.from != "" {
		r.RemoteAddr = b.from
	}
	if b.cookie != nil {
		r.AddCookie(b.cookie)
	}
	w := httptest.NewRecorder()
	b.a.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		b.cookie = c
	}
	return w.Result()
}

func (b *browser) signIn(name string) *browser {
	b.t.Helper()
	if got := b.ask("POST", "/session", `{"token":"`+name+`-secret"}`).StatusCode; got != http.StatusOK {
		b.t.Fatalf("signing in as %s answers %d", name, got)
	}
	return b
}

// is wants the browser to be signed in as somebody, "" for nobody.
func (b *browser) is(who string) {
	b.t.Helper()
	p, _ := b.a.signedIn(b.request())
	if got := strings.TrimPrefix(p.name, "token "); got != who {
		b.t.Errorf("signed in is %q, want %q", got, who)
	}
}

func (b *browser) request() *http.Request {
	r := httptest.NewRequestWithContext(b.t.Context(), "GET", Base+"/me", nil)
	r.AddCookie(b.cookie)
	return r
}

func TestIdleSignInEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := (&browser{t: t, a: apiOf(t, nil, "ops")}).signIn("ops")
		first := *b.cookie
		time.Sleep(idleFor - time.Second)
		if got := b.ask("GET", "/me", "").StatusCode; got != http.StatusOK {
			t.Fatalf("before it is idle a sign-in answers %d", got)
		}
		time.Sleep(time.Second)
		b.is("ops") // it was used
		stolen := &browser{t: t, a: b.a, cookie: &first}
		stolen.is("") // the cookie of before was not
		time.Sleep(idleFor)
		if got := b.ask("GET", "/me", "").StatusCode; got != http.StatusUnauthorized {
			t.Errorf("an idle sign-in answers %d", got)
		}
	})
}

// The cookie is written anew with every sign-in, and what it was before is worth
// nothing: neither to go on with, nor for whoever put it there.
func TestSignInRotates(t *testing.T) {
	a := apiOf(t, nil, "ops", "mallory")
	mallory := (&browser{t: t, a: a}).signIn("mallory")
	planted := *mallory.cookie
	victim := &browser{t: t, a: a, cookie: &planted}
	victim.signIn("ops")
	if victim.cookie.Value == planted.Value {
		t.Error("the cookie stayed")
	}
	victim.is("ops")
	mallory.is("")
	before := *victim.cookie
	victim.signIn("ops")
	victim.is("ops")
	(&browser{t: t, a: a, cookie: &before}).is("")
}

func TestSignOut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "signed-out.json")
	open := func() *Ended {
		e, err := OpenEnded(path)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	a := apiOf(t, open(), "ops", "boss")
	here, there, other := (&browser{t: t, a: a}).signIn("ops"), (&browser{t: t, a: a}).signIn("ops"), (&browser{t: t, a: a}).signIn("boss")
	kept := *here.cookie
	if got := here.ask("DELETE", "/session", "").StatusCode; got != http.StatusNoContent || here.cookie.MaxAge >= 0 {
		t.Errorf("signing out answers %d and sets %v", got, here.cookie)
	}
	(&browser{t: t, a: a, cookie: &kept}).is("")
	there.is("ops")
	third := (&browser{t: t, a: a}).signIn("ops")
	left := *third.cookie
	if got := there.ask("DELETE", "/session?everywhere=true", "").StatusCode; got != http.StatusNoContent {
		t.Errorf("signing out everywhere answers %d", got)
	}
	(&browser{t: t, a: a, cookie: &left}).is("")
	other.is("boss")

	// A restart brings nobody back, and whoever did not sign out stays.
	again := apiOf(t, open(), "ops", "boss")
	for _, cookie := range []http.Cookie{kept, left} {
		(&browser{t: t, a: again, cookie: &cookie}).is("")
	}
	(&browser{t: t, a: again, cookie: other.cookie}).is("boss")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v", info, err)
	}
	if err := os.WriteFile(path, []byte(`{"sign_ins":{`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenEnded(path); err == nil || !strings.Contains(err.Error(), "mend: remove the file") {
		t.Errorf("a damaged file: %v", err)
	}
}

// What is remembered of sign-ins that can no longer hold is forgotten.
func TestEndedForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEnded()
		for _, id := range []string{"a", "b"} {
			if err := e.one(id); err != nil {
				t.Fatal(err)
			}
			time.Sleep(signedInFor + time.Second)
		}
		if err := e.all("somebody"); err != nil || len(e.said.SignIns) != 0 || len(e.said.Names) != 1 {
			t.Errorf("remembered are %v, %v", e.said, err)
		}
	})
}

// A stream ends when what opened it no longer holds.
func TestStreamsEndWithTheirProof(t *testing.T) {
	for name, end := range map[string]func(a *API, b *browser){
		"role taken": func(a *API, _ *browser) { s := tokens(roleLiveAgent, "ops"); a.Configure(s) },
		"token gone": func(a *API, _ *browser) { a.Configure(Setup{}) },
		"secret changed": func(a *API, _ *browser) {
			s := tokens(roleOperator, "ops")
			s.Tokens[0].Secret = credential.NewSecret("x")
			a.Configure(s)
		},
		"bound":      func(a *API, _ *browser) { s := tokens(roleOperator, "ops"); s.Tokens[0].Agent = "sam"; a.Configure(s) },
		"signed out": func(_ *API, b *browser) { b.ask("DELETE", "/session", "") },
		"over":       func(*API, *browser) { time.Sleep(signedInFor) },
	} {
		synctest.Test(t, func(t *testing.T) {
			a := apiOf(t, nil, "ops")
			b := (&browser{t: t, a: a}).signIn("ops")
			p, ok := a.signedIn(b.request())
			if !ok {
				t.Fatal("nobody is signed in")
			}
			s := &stream{api: a, who: p}
			s.filter.Store(&Filter{})
			done := make(chan error, 1)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go func() { done <- s.follow(ctx, &recorder{}) }()
			time.Sleep(5 * time.Minute)
			select {
			case err := <-done:
				t.Fatalf("%s: the stream ended at once: %v", name, err)
			default:
			}
			end(a, b)
			select {
			case err := <-done:
				if !errors.Is(err, errOver) {
					t.Errorf("%s: the stream ends with %v", name, err)
				}
			case <-time.After(time.Minute):
				t.Errorf("%s: the stream goes on", name)
			}
		})
	}
}

func TestTicketsAreBound(t *testing.T) {
	a := apiOf(t, nil, "ops")
	one, two := (&browser{t: t, a: a}).signIn("ops"), (&browser{t: t, a: a}).signIn("ops")
	issue := func(b *browser, origin string) string {
		p, _ := a.signedIn(b.request())
		ticket, _ := a.tickets.issue(p, origin, time.Now())
		return ticket.Ticket
	}
	redeem := func(b *browser, ticket, origin string) bool {
		r := httptest.NewRequestWithContext(t.Context(), "GET", Base+"/socket", nil)
		if b != nil {
			r = b.request()
		}
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
		_, ok := a.redeem(ticket, r)
		return ok
	}
	if !redeem(one, issue(one, "https://a.example"), "https://a.example") || !redeem(one, issue(one, "https://a.example"), "") {
		t.Error("the browser itself is refused")
	}
	if redeem(two, issue(one, ""), "") || redeem(nil, issue(one, ""), "") {
		t.Error("another sign-in may use the ticket")
	}
	if redeem(one, issue(one, "https://a.example"), "https://b.example") {
		t.Error("a page of another origin may use the ticket")
	}
	ticket := issue(one, "")
	if redeem(two, ticket, ""); redeem(one, ticket, "") {
		t.Error("a ticket somebody else showed is still good")
	}
	ticket = issue(one, "")
	program, _ := a.byToken("ops", a.proofOf(a.setup.Load().Tokens[0]))
	programs, _ := a.tickets.issue(program, "", time.Now())
	kept := *one.cookie
	one.ask("DELETE", "/session", "")
	if one.cookie = &kept; redeem(one, ticket, "") {
		t.Error("a ticket outlives its sign-in")
	}
	if a.Configure(Setup{}); redeem(nil, programs.Ticket, "") {
		t.Error("a ticket outlives its token")
	}
}

func TestGuessing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := apiOf(t, nil, "ops")
		a.Logger = slog.New(slog.DiscardHandler)
		guess := func(from, name string, want int) {
			t.Helper()
			b := &browser{t: t, a: a, from: from}
			if got := b.ask("POST", "/session", `{"token":"`+name+`-secret"}`); got.StatusCode != want || (want == 429) != (got.Header.Get("Retry-After") == "60") {
				t.Errorf("%s as %s answers %d, want %d", from, name, got.StatusCode, want)
			}
		}
		for i := range wrongSignIns {
			guess([]string{"[2001:db8::1]:1", "[2001:db8::2]:1"}[i%2], "wrong", 401)
		}
		guess("[2001:db8::3]:1", "ops", 429) // right, and of the same network
		guess("[2001:db8:1::1]:1", "ops", 200)
		guess("192.0.2.1:5", "ops", 200)
		time.Sleep(time.Minute)
		guess("[2001:db8::1]:1", "ops", 200)

		bearer := func(token string) error {
			r := httptest.NewRequestWithContext(t.Context(), "GET", Base+"/me", nil)
			_, err := a.bearer("Bearer "+token, r)
			return err
		}
		for range wrongTokens {
			if err := bearer("wrong"); problemOf(err).Code != codeUnauthorized {
				t.Fatalf("a wrong token ends in %v", err)
			}
		}
		if err := bearer("ops-secret"); problemOf(err).Code != codeGuessing {
			t.Errorf("after too many wrong ones a token ends in %v", err)
		}
		if err := bearer(a.customerToken("c")); err != nil {
			t.Errorf("a customer's token, which cannot be guessed, ends in %v", err)
		}
		time.Sleep(time.Minute)
		if err := bearer("ops-secret"); err != nil {
			t.Errorf("a minute later a token ends in %v", err)
		}
	})
}

// Many addresses take bounded memory, and the minute of each is its own.
func TestGuessersAreBounded(t *testing.T) {
	g := guesses{limit: 1}
	for i := range 3 * maxCounted {
		g.add(netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 32))
	}
	if len(g.of) > maxCounted {
		t.Errorf("%d addresses are remembered", len(g.of))
	}
}

func TestCustomersTokenEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := apiOf(t, nil)
		token := a.customerToken("c-1")
		time.Sleep(customerFor - time.Second)
		if p, ok := a.customerOf(token); !ok || p.conversation != "c-1" || !a.still(p) {
			t.Errorf("before its end the token is of %q", p.conversation)
		}
		p, _ := a.customerOf(token)
		time.Sleep(time.Second)
		if _, ok := a.customerOf(token); ok || a.still(p) {
			t.Error("the token outlives its end")
		}
		if _, ok := a.customerOf(sealed(a.customer, "c.c-1")); ok {
			t.Error("a token without an end is taken")
		}
	})
}
