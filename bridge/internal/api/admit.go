package api

import (
	"crypto/hmac"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/footbridge/footbridge/bridge/event"
)

// The roles routes are for.
const (
	roleCustomer   = string(event.RoleCustomer)
	roleLiveAgent  = string(event.RoleLiveAgent)
	roleSupervisor = "supervisor"
	roleOperator   = "operator"
)

// principal is who asks. The zero principal is nobody.
type principal struct {
	name  string
	roles []string
	// title is what people call it, where that is known.
	title string
	// agent is the only agent the principal may act as; "" means any.
	agent string
	// picture is the address of that agent's, "" where there is none.
	picture string
	// conversation is the only one a customer has.
	conversation string
	// signIn is the browser's, where a cookie showed who it is.
	signIn signIn
	// again finds the same principal anew, if what showed who it is still holds.
	again func() (principal, bool)
}

func (p principal) has(role string) bool { return slices.Contains(p.roles, role) }

func (p principal) known() bool { return p.name != "" }

func (p principal) customer() bool { return p.conversation != "" }

func (p principal) any(roles []string) bool {
	return slices.ContainsFunc(p.roles, func(r string) bool { return slices.Contains(roles, r) })
}

// owns tells whether the principal may see the conversation at all.
func (p principal) owns(conversation string) bool {
	return !p.customer() || p.conversation == conversation
}

// admit finds out who asks and whether the route is for them.
func (a *API) admit(route route, r *http.Request) (principal, error) {
	p, err := a.identify(route, r)
	if err != nil {
		return principal{}, err
	}
	switch {
	case route.roles == nil:
		return p, nil
	case !p.known():
		return principal{}, fault(codeUnauthorized)
	case !p.any(route.roles):
		return principal{}, fault(codeForbidden).mending("use a token with one of the roles " + strings.Join(route.roles, ", "))
	}
	return p, nil
}

// identify reads the caller's proof: a bearer token, else for streams a ticket,
// else a sign-in cookie. A proof that is wrong is refused, none at all is nobody.
func (a *API) identify(route route, r *http.Request) (principal, error) {
	if header := r.Header.Get("Authorization"); header != "" {
		return a.bearer(header, r)
	}
	if ticket := r.URL.Query().Get("ticket"); route.stream && ticket != "" {
		if route.socket && !a.welcome(r) {
			return principal{}, fault(codeOrigin)
		}
		if p, ok := a.redeem(ticket, r); ok {
			return p, nil
		}
		return principal{}, fault(codeUnauthorized).mending("get a new ticket: each is good once, for 30 seconds, for who asked for it")
	}
	p, ok := a.signedIn(r)
	if !ok {
		return principal{}, nil
	}
	return p, a.sameSite(route, r)
}

// bearer finds whose token it is. Customers' tokens cannot be guessed, so that
// they are good also from where somebody guesses others.
func (a *API) bearer(header string, r *http.Request) (principal, error) {
	scheme, value, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return principal{}, fault(codeUnauthorized)
	}
	if p, ok := a.customerOf(value); ok {
		return p, nil
	}
	from := a.address(r)
	if err := refused(&a.bearers, from); err != nil {
		return principal{}, err
	}
	t, ok := a.tokenOf(value)
	if !ok {
		a.bearers.add(from)
		return principal{}, fault(codeUnauthorized)
	}
	p, _ := a.byToken(t.Name, a.proofOf(t))
	return p, nil
}

// tokenOf finds the token with a secret. All are compared, each in constant time.
func (a *API) tokenOf(secret string) (found Token, ok bool) {
	for _, t := range a.setup.Load().Tokens {
		if t.Secret.Matches(secret) {
			found, ok = t, true
		}
	}
	return found, ok
}

// byToken finds whom a token is for, if its secret is still the one of the proof.
func (a *API) byToken(name, proof string) (principal, bool) {
	for _, t := range a.setup.Load().Tokens {
		if t.Name == name && !t.Secret.IsZero() && hmac.Equal([]byte(proof), []byte(a.proofOf(t))) {
			return principal{name: "token " + t.Name, roles: t.Roles, agent: t.Agent, picture: t.Picture,
				again: func() (principal, bool) { return a.byToken(name, proof) }}, true
		}
	}
	return principal{}, false
}

// sameSite refuses what a page of another site makes a browser send with its
// cookie: unsafe methods, and sockets, which browsers open across sites freely.
func (a *API) sameSite(route route, r *http.Request) error {
	if route.socket && !a.ownOrigin(r) {
		return fault(codeOrigin)
	}
	protection := http.NewCrossOriginProtection()
	if origin := a.publicOrigin(); origin != "" {
		_ = protection.AddTrustedOrigin(origin)
	}
	if protection.Check(r) != nil {
		return fault(codeOrigin)
	}
	return nil
}

// ownOrigin tells whether a page of the bridge itself sent the request.
func (a *API) ownOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false
	}
	if origin == a.publicOrigin() {
		return true
	}
	u, err := url.Parse(origin)
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return err == nil && u.Host == r.Host && u.Scheme == scheme
}

// welcome tells whether a page may open a socket with a ticket: one of ours, or of
// a site that some account lets in. What is no page names no origin.
func (a *API) welcome(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	return origin == "" || a.ownOrigin(r) || a.allowed(origin)
}

// publicOrigin is the origin of the public address, "" if there is none.
func (a *API) publicOrigin() string {
	u, err := url.Parse(a.setup.Load().PublicURL)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// shareWith lets the pages of allowed sites read the answer, and answers their
// browsers' questions before a request; true when that was all.
func (a *API) shareWith(w http.ResponseWriter, r *http.Request) bool {
	origin := r.Header.Get("Origin")
	preflight := r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != ""
	h := w.Header()
	h.Add("Vary", "Origin")
	if origin == "" || !a.allowed(origin) {
		return false
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", requestID+", Retry-After")
	if preflight {
		h.Set("Access-Control-Allow-Methods", "GET, POST")
		h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key, Last-Event-ID")
		h.Set("Access-Control-Max-Age", "600")
		w.WriteHeader(http.StatusNoContent)
	}
	return preflight
}

// allowed tells whether some account lets pages of the origin in.
func (a *API) allowed(origin string) bool {
	for _, s := range a.setup.Load().Sites {
		if slices.Contains(s.AllowedOrigins, origin) {
			return true
		}
	}
	return false
}
