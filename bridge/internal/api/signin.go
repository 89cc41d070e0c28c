package api

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/internal/journal"
	"github.com/footbridge/footbridge/bridge/internal/openid"
)

const (
	// signedInFor is how long a sign-in holds, idleFor how long without any use,
	// renewEvery how often use is noted.
	signedInFor = 12 * time.Hour
	idleFor     = 30 * time.Minute
	renewEvery  = time.Minute
	// customerFor is how long a customer's token is good.
	customerFor = 30 * 24 * time.Hour
)

// sign gives a message its proof under one of our keys.
func sign(key []byte, message string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(message))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// sealed writes a message with its proof; opened gives it back if it is ours.
func sealed(key []byte, message string) string { return message + "." + sign(key, message) }

func opened(key []byte, text string) (string, bool) {
	i := strings.LastIndexByte(text, '.')
	if i < 0 {
		return "", false
	}
	return text[:i], hmac.Equal([]byte(text[i+1:]), []byte(sign(key, text[:i])))
}

// customerToken is good for one conversation, as its customer, for customerFor.
func (a *API) customerToken(conversation string) string {
	return sealed(a.customer, "c."+conversation+"."+strconv.FormatInt(time.Now().Add(customerFor).Unix(), 10))
}

func (a *API) customerOf(token string) (principal, bool) {
	message, ok := opened(a.customer, token)
	rest, is := strings.CutPrefix(message, "c.")
	conversation, until, _ := strings.Cut(rest, ".")
	end, err := strconv.ParseInt(until, 10, 64)
	if !ok || !is || conversation == "" || err != nil || time.Now().Unix() >= end {
		return principal{}, false
	}
	return principal{name: "customer " + conversation, roles: []string{roleCustomer}, conversation: conversation,
		again: func() (principal, bool) { return a.customerOf(token) }}, true
}

// signIn is what a cookie says, under our proof.
type signIn struct {
	// ID is new with every sign-in and goes into no answer.
	ID    string `json:"i"`
	Token string `json:"t,omitempty"`
	// Person is who the provider said it is, where there is no Token.
	Person *openid.Person `json:"w,omitempty"`
	// Proof changes with the token's secret, or with what the provider's words mean
	// here, so that such a change signs out.
	Proof string `json:"p"`
	// Began and Seen are in milliseconds since 1970.
	Began int64 `json:"b"`
	Seen  int64 `json:"s"`
}

// signedIn finds who the cookie belongs to.
func (a *API) signedIn(r *http.Request) (principal, bool) {
	c, err := r.Cookie(a.cookieName(r))
	if err != nil {
		return principal{}, false
	}
	message, ok := opened(a.cookie, c.Value)
	if !ok {
		return principal{}, false
	}
	raw, err := base64.RawURLEncoding.DecodeString(message)
	var s signIn
	if err != nil || json.Unmarshal(raw, &s) != nil || time.Since(time.UnixMilli(s.Seen)) >= idleFor {
		return principal{}, false
	}
	return a.ofSignIn(s)
}

// ofSignIn finds whose sign-in it is, if it still holds. Idle it is not asked to
// be: an open stream is use enough.
func (a *API) ofSignIn(s signIn) (principal, bool) {
	p, ok := a.whose(s)
	if !ok || time.Since(time.UnixMilli(s.Began)) >= signedInFor || a.Ended.has(s.ID, p.name, s.Began) {
		return principal{}, false
	}
	p.signIn = s
	p.again = func() (principal, bool) { return a.ofSignIn(s) }
	return p, true
}

// whose is the one the sign-in says, if its proof still holds.
func (a *API) whose(s signIn) (principal, bool) {
	if s.Person == nil {
		return a.byToken(s.Token, s.Proof)
	}
	provider := a.setup.Load().Provider
	if provider == nil || !hmac.Equal([]byte(provider.Fingerprint()), []byte(s.Proof)) {
		return principal{}, false
	}
	return principal{name: "person " + s.Person.Subject, title: s.Person.Name, roles: s.Person.Roles, agent: s.Person.Agent}, true
}

func (a *API) proofOf(t Token) string { return sign(a.cookie, "secret "+t.Name+" "+t.Secret.Reveal()) }

// still tells whether a principal may do what it could when it was admitted.
func (a *API) still(p principal) bool {
	now, ok := p.again()
	return ok && now.agent == p.agent && slices.Equal(now.roles, p.roles)
}

// secure tells whether the browser sees us over TLS, so that the cookie can be
// bound to it; plain http is for this host alone.
func (a *API) secure(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	loopback := host == "localhost" || ip != nil && ip.IsLoopback()
	return !loopback && strings.HasPrefix(a.setup.Load().PublicURL, "https:")
}

func (a *API) cookieName(r *http.Request) string {
	if a.secure(r) {
		return "__Host-footbridge"
	}
	return "footbridge"
}

func (a *API) setCookie(w http.ResponseWriter, r *http.Request, name, value string, age int) {
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: age,
		HttpOnly: true, Secure: a.secure(r), SameSite: http.SameSiteLaxMode})
}

// renew writes the cookie again, so that who uses it is not idle; at most once a
// minute.
func (a *API) renew(w http.ResponseWriter, r *http.Request, p principal) {
	s, now := p.signIn, time.Now()
	if s.ID == "" || now.Sub(time.UnixMilli(s.Seen)) < renewEvery {
		return
	}
	s.Seen = now.UnixMilli()
	a.writeSignIn(w, r, s)
}

func (a *API) writeSignIn(w http.ResponseWriter, r *http.Request, s signIn) {
	said, _ := json.Marshal(s) // strings and numbers
	left := time.Until(time.UnixMilli(s.Began).Add(signedInFor))
	a.setCookie(w, r, a.cookieName(r), sealed(a.cookie, base64.RawURLEncoding.EncodeToString(said)), int(left.Seconds()))
}

// begin signs a browser in. The sign-in it came with, if any, ends: nobody goes
// on with a cookie that somebody else knew before.
func (a *API) begin(w http.ResponseWriter, r *http.Request, s signIn) (principal, error) {
	if before, ok := a.signedIn(r); ok {
		if err := a.Ended.one(before.signIn.ID); err != nil {
			return principal{}, err
		}
	}
	now := time.Now().UnixMilli()
	s.ID, s.Began, s.Seen = rand.Text(), now, now
	p, ok := a.ofSignIn(s)
	if !ok {
		return principal{}, fault(codeUnauthorized)
	}
	if err := a.Journal.Record(r.Context(), journal.Audit{Who: p.name, Action: journal.AuditSignedIn}); err != nil {
		return principal{}, err
	}
	a.Logger.Info("signed in", "who", p.name, "address", a.address(r))
	a.writeSignIn(w, r, s)
	return p, nil
}

// postSession signs a browser in with a static token.
func (a *API) postSession(w http.ResponseWriter, r *http.Request, _ principal) error {
	if err := a.sameSite(route{}, r); err != nil {
		return err
	}
	from := a.address(r)
	if err := refused(&a.signIns, from); err != nil {
		return err
	}
	var body signInBody
	if err := readBody(w, r, &body); err != nil {
		return err
	}
	t, ok := a.tokenOf(body.Token)
	if !ok {
		a.signIns.add(from)
		a.Logger.Warn("sign-in refused", "address", from)
		return fault(codeUnauthorized).at("token").mending("use a token of [[api.tokens]]; one that was made for you is printed at start")
	}
	p, err := a.begin(w, r, signIn{Token: t.Name, Proof: a.proofOf(t)})
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, p.show())
}

// deleteSession signs a browser out, with everywhere=true every browser that is
// signed in in the same name.
func (a *API) deleteSession(w http.ResponseWriter, r *http.Request, _ principal) error {
	if err := a.sameSite(route{}, r); err != nil {
		return err
	}
	a.setCookie(w, r, a.cookieName(r), "", -1)
	if p, ok := a.signedIn(r); ok {
		if err := a.Journal.Record(r.Context(), journal.Audit{Who: p.name, Action: journal.AuditSignedOut}); err != nil {
			return err
		}
		if err := a.end(p, r.URL.Query().Get("everywhere") == "true"); err != nil {
			return err
		}
		a.Logger.Info("signed out", "who", p.name, "address", a.address(r))
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (a *API) end(p principal, everywhere bool) error {
	if everywhere {
		return a.Ended.all(p.name)
	}
	return a.Ended.one(p.signIn.ID)
}

// Me is who the caller is.
type Me struct {
	Name  string   `json:"name"`
	Roles []string `json:"roles"`
	// Agent is the only agent the caller may act as; "" means any.
	Agent string `json:"agent,omitempty"`
	// Conversation is the only one a customer has.
	Conversation string `json:"conversation,omitempty"`
}

func (p principal) show() Me {
	_, name, _ := strings.Cut(p.name, " ")
	if p.title != "" {
		name = p.title
	}
	return Me{Name: name, Roles: p.roles, Agent: p.agent, Conversation: p.conversation}
}

func (a *API) getMe(w http.ResponseWriter, _ *http.Request, p principal) error {
	return answer(w, http.StatusOK, p.show())
}
