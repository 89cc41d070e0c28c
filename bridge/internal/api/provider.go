package api

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/footbridge/footbridge/bridge/internal/openid"
)

// maxFlows bounds the sign-ins that are remembered as finished.
const maxFlows = 10_000

// flow is a sign-in at the provider and the page it is for.
type flow struct {
	openid.Flow
	Next string `json:"next"`
}

// flows knows which sign-ins have come back, so that each does once.
type flows struct {
	key []byte

	mu   sync.Mutex
	done map[string]time.Time
}

// finish takes a state that is good until then, and tells whether it is the first
// time, and there is room to remember it.
func (f *flows) finish(state string, until time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.done == nil {
		f.done = map[string]time.Time{}
	}
	for old, at := range f.done {
		if len(f.done) >= maxFlows && time.Now().After(at) {
			delete(f.done, old)
		}
	}
	if _, again := f.done[state]; again || len(f.done) >= maxFlows {
		return false
	}
	f.done[state] = until
	return true
}

// pages are where a sign-in may lead to; the browser chooses among these.
//
//nolint:gochecknoglobals // a table that is never written.
var pages = []string{"/desk", "/console"}

// startSignIn sends the browser to the provider. What it needs to know on its way
// back it keeps itself, under our proof and out of reach of pages.
func (a *API) startSignIn(w http.ResponseWriter, r *http.Request, _ principal) error {
	provider := a.setup.Load().Provider
	if provider == nil {
		return fault(codeNotFound).mending("sign in with a token of [[api.tokens]], or set [auth.oidc]")
	}
	next := r.URL.Query().Get("next")
	if !slices.Contains(pages, next) {
		next = pages[0]
	}
	address, f, err := provider.Begin(r.Context())
	if err != nil {
		a.Logger.Error("sign-in at the provider cannot begin", "error", err)
		a.turn(w, r, next+"#problem=provider_down")
		return nil
	}
	said, err := json.Marshal(flow{f, next})
	if err != nil {
		return err
	}
	a.setCookie(w, r, a.flowName(r), sealed(a.flows.key, base64.RawURLEncoding.EncodeToString(said)), int(openid.FlowFor.Seconds()))
	a.turn(w, r, address)
	return nil
}

// finishSignIn takes the browser back. Why somebody is refused is for the log.
func (a *API) finishSignIn(w http.ResponseWriter, r *http.Request, _ principal) error {
	provider := a.setup.Load().Provider
	if provider == nil {
		return fault(codeNotFound).mending("sign in with a token of [[api.tokens]], or set [auth.oidc]")
	}
	from := a.address(r)
	if err := refused(&a.signIns, from); err != nil {
		return err
	}
	f := a.flowOf(r)
	a.setCookie(w, r, a.flowName(r), "", -1)
	who, err := a.finish(provider, f, r)
	if err == nil {
		_, err = a.begin(w, r, signIn{Person: &who, Proof: provider.Fingerprint()})
	}
	switch {
	case err == nil:
		a.turn(w, r, f.Next)
	case errors.Is(err, openid.ErrRefused):
		a.signIns.add(from)
		a.Logger.Warn("sign-in refused", "address", from, "reason", err)
		a.turn(w, r, f.Next+"#problem=refused")
	default:
		a.Logger.Error("sign-in at the provider failed", "error", err)
		a.turn(w, r, f.Next+"#problem=provider_down")
	}
	return nil
}

func (a *API) finish(provider Provider, f flow, r *http.Request) (openid.Person, error) {
	came := r.URL.Query()
	if f.State != "" && hmac.Equal([]byte(came.Get("state")), []byte(f.State)) && !a.flows.finish(f.State, f.Until) {
		return openid.Person{}, errors.Join(openid.ErrRefused, errors.New("it has come back before"))
	}
	return provider.Finish(r.Context(), f.Flow, came)
}

// flowOf is the sign-in the browser began; none is one that nothing answers.
func (a *API) flowOf(r *http.Request) flow {
	none := flow{Next: pages[0]}
	c, err := r.Cookie(a.flowName(r))
	if err != nil {
		return none
	}
	message, ok := opened(a.flows.key, c.Value)
	raw, err := base64.RawURLEncoding.DecodeString(message)
	var f flow
	if !ok || err != nil || json.Unmarshal(raw, &f) != nil || !slices.Contains(pages, f.Next) {
		return none
	}
	return f
}

func (a *API) flowName(r *http.Request) string {
	return strings.TrimSuffix(a.cookieName(r), "footbridge") + "footbridge-flow"
}

func (a *API) turn(w http.ResponseWriter, r *http.Request, address string) {
	http.Redirect(w, r, address, http.StatusSeeOther)
}
