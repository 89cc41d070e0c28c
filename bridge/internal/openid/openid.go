// Package openid signs people in at an OpenID Connect provider: the authorization
// code flow with PKCE, and what it takes not to believe the wrong one.
//
// It knows one provider, which an operator has named; nothing a browser brings
// chooses where it asks or which key it believes. It keeps no sign-ins: who came
// is told to its caller, once, with the roles the operator's table gives them.
package openid

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/footbridge/footbridge/bridge/internal/credential"
)

// ErrRefused says that what came is no sign-in: the provider said no, or what it
// is said to have answered is not to be believed. Everything else is the
// provider's trouble, and the same sign-in may be tried again.
var ErrRefused = errors.New("sign-in refused")

// Options name the provider and what its words mean here. All but Secret, Scopes
// and Transport are required.
type Options struct {
	// Issuer is the provider's name for itself, exactly.
	Issuer, ClientID string
	// Secret is the client's, zero for a public one.
	Secret credential.Secret
	// Callback is where the provider sends browsers back to.
	Callback string
	// Scopes are asked for besides openid.
	Scopes []string
	// RolesClaim names the claim that roles come from, a text or a list of them;
	// AgentClaim a live agent's id, NameClaim what people call them.
	RolesClaim, AgentClaim, NameClaim string
	// Roles are the values of RolesClaim that give a role, by role.
	Roles map[string][]string
	// Transport makes the calls; nil is net/http's own. No redirect is followed, and
	// a call is given up after 10 s.
	Transport http.RoundTripper
}

// Person is who signed in.
type Person struct {
	// Subject is the provider's id.
	Subject string `json:"subject"`
	// Agent is the live agent's id and Name their name, as the claims say.
	Agent string   `json:"agent,omitempty"`
	Name  string   `json:"name,omitempty"`
	Roles []string `json:"roles"`
}

// Flow is one sign-in under way. The browser keeps it where no page can read it;
// it is good once, which is for the caller to see to.
type Flow struct {
	State    string    `json:"state"`
	Nonce    string    `json:"nonce"`
	Verifier string    `json:"verifier"`
	Until    time.Time `json:"until"`
}

// FlowFor is how long somebody may take to sign in at the provider.
const FlowFor = 10 * time.Minute

// Provider is one provider. It is safe for concurrent use.
type Provider struct {
	o      Options
	client *http.Client

	mu    sync.Mutex
	about *metadata
	read  time.Time
	keys  keySet
}

// New makes a Provider; nothing is asked before somebody signs in.
func New(o Options) *Provider {
	return &Provider{o: o, client: &http.Client{Timeout: 10 * time.Second, Transport: o.Transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// Fingerprint changes with everything that decides who may do what: a sign-in
// under another one is not to hold.
func (p *Provider) Fingerprint() string {
	o := p.o
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q %q %q", o.Issuer, o.ClientID, o.RolesClaim, o.AgentClaim, o.NameClaim, o.Roles))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Begin gives the address to send the browser to, and the flow to keep for it.
func (p *Provider) Begin(ctx context.Context) (string, Flow, error) {
	about, err := p.metadata(ctx)
	if err != nil {
		return "", Flow{}, err
	}
	f := Flow{State: rand.Text(), Nonce: rand.Text(), Verifier: rand.Text() + rand.Text(), Until: time.Now().Add(FlowFor)}
	challenge := sha256.Sum256([]byte(f.Verifier))
	u, err := url.Parse(about.Authorization)
	if err != nil {
		return "", Flow{}, fmt.Errorf("provider's authorization endpoint: %w", err)
	}
	q := u.Query()
	for name, value := range map[string]string{"response_type": "code", "client_id": p.o.ClientID, "redirect_uri": p.o.Callback,
		"scope": strings.Join(append([]string{"openid"}, p.o.Scopes...), " "), "state": f.State, "nonce": f.Nonce,
		"code_challenge": base64.RawURLEncoding.EncodeToString(challenge[:]), "code_challenge_method": "S256"} {
		q.Set(name, value)
	}
	u.RawQuery = q.Encode()
	return u.String(), f, nil
}

// Finish reads what the browser came back with and asks the provider who it is.
func (p *Provider) Finish(ctx context.Context, f Flow, came url.Values) (Person, error) {
	about, err := p.metadata(ctx)
	if err != nil {
		return Person{}, err
	}
	if err := p.answers(about, f, came); err != nil {
		return Person{}, err
	}
	raw, err := p.exchange(ctx, about, came.Get("code"), f.Verifier)
	if err != nil {
		return Person{}, err
	}
	claims, err := p.verify(ctx, raw, f.Nonce, time.Now())
	if err != nil {
		return Person{}, err
	}
	return p.person(claims)
}

// answers tells whether what came back answers the flow: under its state, once,
// in time, and from the provider that was asked and no other.
func (p *Provider) answers(about *metadata, f Flow, came url.Values) error {
	for name, values := range came {
		if len(values) != 1 {
			return refused("parameter %.40q came %d times", name, len(values))
		}
	}
	switch issuer := came.Get("iss"); {
	case f.State == "" || subtle.ConstantTimeCompare([]byte(f.State), []byte(came.Get("state"))) != 1:
		return refused("the state is not that of the browser's sign-in")
	case !time.Now().Before(f.Until):
		return refused("it took longer than %s", FlowFor)
	case issuer != "" && issuer != p.o.Issuer, issuer == "" && about.NamesIssuer:
		return refused("the answer is of issuer %.100q", issuer)
	case came.Get("error") != "":
		return refused("the provider said %.100q", came.Get("error"))
	case came.Get("code") == "" || len(came.Get("code")) > maxCode:
		return refused("there is no code")
	}
	return nil
}

// person reads the claims that say who it is and what they may do.
func (p *Provider) person(c claims) (Person, error) {
	who := Person{Subject: c.Subject, Name: label(c.text(p.o.NameClaim))}
	values := c.texts(p.o.RolesClaim)
	for _, role := range []string{"live_agent", "supervisor", "operator"} {
		if slices.ContainsFunc(p.o.Roles[role], func(v string) bool { return slices.Contains(values, v) }) {
			who.Roles = append(who.Roles, role)
		}
	}
	if len(who.Roles) == 0 {
		return Person{}, refused("claim %s gives no role", p.o.RolesClaim)
	}
	if who.Agent = label(c.text(p.o.AgentClaim)); who.Agent == "" && slices.Contains(who.Roles, "live_agent") {
		return Person{}, refused("claim %s is no live agent's id", p.o.AgentClaim)
	}
	return who, nil
}

func refused(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrRefused}, args...)...)
}
