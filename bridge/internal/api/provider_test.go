package api_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/footbridge/footbridge/bridge/internal/api"
	"github.com/footbridge/footbridge/bridge/internal/openid"
)

// company is a provider that lets in who names somebody as the code.
type company struct {
	print string
	down  bool
	begun int
}

func (c *company) Begin(context.Context) (string, openid.Flow, error) {
	if c.down {
		return "", openid.Flow{}, errors.New("cannot be reached")
	}
	c.begun++
	f := openid.Flow{State: fmt.Sprint("state-", c.begun), Nonce: "n", Verifier: "verifier-canary", Until: time.Now().Add(openid.FlowFor)}
	return "https://idp.example/authorize?state=" + f.State, f, nil
}

func (c *company) Finish(_ context.Context, f openid.Flow, came url.Values) (openid.Person, error) {
	switch {
	case c.down:
		return openid.Person{}, errors.New("cannot be reached")
	case f.State == "" || came.Get("state") != f.State || came.Get("code") == "":
		return openid.Person{}, fmt.Errorf("%w: reason-canary", openid.ErrRefused)
	}
	return openid.Person{Subject: "u-1", Agent: came.Get("code"), Name: "Sam Smith", Roles: []string{"live_agent"}}, nil
}

func (c *company) Fingerprint() string { return c.print }

func withCompany(t *testing.T) (*bridge, *company) {
	b := start(t)
	b.server.Client().CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c := &company{print: "one"}
	s := setup()
	s.Provider = c
	b.api.Configure(s)
	return b, c
}

// cookies gives what a reply sets, as a browser would send it.
func cookies(r reply) header {
	var all []string
	for _, c := range (&http.Response{Header: r.Header}).Cookies() {
		if c.MaxAge > 0 {
			all = append(all, c.Name+"="+c.Value)
		}
		if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" {
			r.t.Errorf("cookie %s is %v", c.Name, c)
		}
	}
	return header{"Cookie": strings.Join(all, "; ")}
}

// leads wants a redirect.
func (r reply) leads(to string) reply {
	r.t.Helper()
	if got := r.is(303, "").Header.Get("Location"); got != to {
		r.t.Errorf("it leads to %q, want %q", got, to)
	}
	return r
}

func TestSignInAtTheProvider(t *testing.T) {
	b, c := withCompany(t)
	flow := cookies(b.ask("GET", "/session/start?next=/console", "", "").leads("https://idp.example/authorize?state=state-1"))
	if strings.Contains(flow["Cookie"], "canary") {
		t.Error("the verifier can be read in the cookie")
	}
	cross := header{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"} // as a browser comes back
	r := b.ask("GET", "/session/finish?code=sam&state=state-1", "", "", flow, cross).leads("/console")
	in := cookies(r)
	if strings.Contains(in["Cookie"], "flow") {
		t.Error("the flow is kept")
	}
	me := decode[api.Me](b.ask("GET", "/me", "", "", in).is(200, ""))
	if me.Name != "Sam Smith" || me.Agent != "sam" || len(me.Roles) != 1 {
		t.Errorf("signed in is %+v", me)
	}
	b.ask("GET", "/session/finish?code=kim&state=state-1", "", "", flow, cross).leads("/console#problem=refused")
	id, _ := b.handoff()
	e := b.ask("POST", "/conversations/"+id+"/events", "", `{"kind":"handoff.accepted","actor":{"role":"live_agent","name":"Boss"},"body":{}}`, in,
		header{"Sec-Fetch-Site": "same-origin"}).is(201, "")
	if said := string(e.Body); !strings.Contains(said, `"id":"sam"`) || !strings.Contains(said, `"name":"Sam Smith"`) {
		t.Errorf("the actor is not who signed in: %s", said)
	}
	b.ask("PUT", "/agents/kim/state", "", `{"state":"available"}`, in, header{"Sec-Fetch-Site": "same-origin"}).is(403, "agent_mismatch")
	c.print = "two" // the table of roles has changed
	b.ask("GET", "/me", "", "", in).is(401, "unauthorized")
	c.print = "one"
	b.ask("GET", "/me", "", "", in).is(200, "")
	b.api.Configure(setup())
	b.ask("GET", "/me", "", "", in).is(401, "unauthorized")
	b.ask("GET", "/session/start", "", "").is(404, "not_found")
	b.ask("GET", "/session/finish", "", "").is(404, "not_found")
}

func TestRefusedAtTheProvider(t *testing.T) {
	b, c := withCompany(t)
	for _, next := range []string{"//evil.example", "https://evil.example", "/desk/../../x", "/\\evil.example", "", "/desk%0d%0aX: y"} {
		flow := cookies(b.ask("GET", "/session/start?next="+url.QueryEscape(next), "", "").is(303, ""))
		r := b.ask("GET", fmt.Sprint("/session/finish?code=sam&state=state-", c.begun), "", "", flow).leads("/desk")
		b.ask("GET", "/me", "", "", cookies(r)).is(200, "")
	}
	flow := cookies(b.ask("GET", "/session/start", "", "").is(303, ""))
	other := cookies(b.ask("GET", "/session/start", "", "").is(303, ""))
	state := fmt.Sprint("state-", c.begun-1)
	forged := header{"Cookie": flow["Cookie"][:len(flow["Cookie"])-2] + "zz"}
	asSignIn := header{"Cookie": "footbridge=" + strings.TrimPrefix(flow["Cookie"], "footbridge-flow=")}
	for name, cookie := range map[string]header{"another's": other, "none": {}, "forged": forged, "a sign-in": b.signIn(samToken)} {
		r := b.ask("GET", "/session/finish?code=sam&state="+state, "", "", cookie).leads("/desk#problem=refused")
		if in := cookies(r); in["Cookie"] != "" {
			t.Errorf("with the cookie of %s somebody is signed in: %v", name, in)
		}
		if strings.Contains(fmt.Sprint(r.Header)+string(r.Body), "canary") {
			t.Error("the reason is told")
		}
	}
	b.ask("GET", "/me", "", "", asSignIn).is(401, "unauthorized")
	for range 5 {
		b.ask("GET", "/session/finish?state=x", "", "", header{"X-Peer": "192.0.2.1"}).leads("/desk#problem=refused")
	}
	b.ask("GET", "/session/finish?code=sam&state="+state, "", "", flow, header{"X-Peer": "192.0.2.1"}).is(429, "too_many_attempts")
	c.down = true
	b.ask("GET", "/session/start?next=/console", "", "").leads("/console#problem=provider_down")
	b.ask("GET", "/session/finish?code=sam&state="+state, "", "", flow).leads("/desk#problem=provider_down")
}
