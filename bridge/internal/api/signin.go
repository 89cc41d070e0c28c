package api

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/footbridge/footbridge/bridge/internal/journal"
)

const (
	// signedInFor is how long a sign-in holds.
	signedInFor = 12 * time.Hour
	// ticketFor is how long a ticket may wait to be used.
	ticketFor = 30 * time.Second
	// maxTickets bounds the tickets that are not yet used.
	maxTickets = 10_000
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

// customerToken is good for one conversation, as its customer.
func (a *API) customerToken(conversation string) string {
	return sealed(a.customer, "c."+conversation)
}

func (a *API) customerOf(token string) (principal, bool) {
	message, ok := opened(a.customer, token)
	conversation, is := strings.CutPrefix(message, "c.")
	if !ok || !is || conversation == "" {
		return principal{}, false
	}
	return principal{name: "customer " + conversation, roles: []string{roleCustomer}, conversation: conversation}, true
}

// signIn is what a cookie says, under our proof: which token, and until when.
type signIn struct {
	Token string `json:"t"`
	// Proof changes with the token's secret, so that a changed secret signs out.
	Proof string `json:"p"`
	Until int64  `json:"u"`
	Nonce string `json:"n"`
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
	if err != nil || json.Unmarshal(raw, &s) != nil || time.Now().Unix() >= s.Until {
		return principal{}, false
	}
	for _, t := range a.setup.Load().Tokens {
		if t.Name == s.Token && !t.Secret.IsZero() && hmac.Equal([]byte(s.Proof), []byte(a.proofOf(t))) {
			return t.principal(), true
		}
	}
	return principal{}, false
}

func (a *API) proofOf(t Token) string { return sign(a.cookie, "secret "+t.Name+" "+t.Secret.Reveal()) }

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

func (a *API) setCookie(w http.ResponseWriter, r *http.Request, value string, age int) {
	http.SetCookie(w, &http.Cookie{Name: a.cookieName(r), Value: value, Path: "/", MaxAge: age,
		HttpOnly: true, Secure: a.secure(r), SameSite: http.SameSiteLaxMode})
}

// postSession signs a browser in with a static token.
func (a *API) postSession(w http.ResponseWriter, r *http.Request, _ principal) error {
	if err := a.sameSite(route{}, r); err != nil {
		return err
	}
	var body signInBody
	if err := readBody(w, r, &body); err != nil {
		return err
	}
	for _, t := range a.setup.Load().Tokens {
		if !t.Secret.Matches(body.Token) {
			continue
		}
		said, err := json.Marshal(signIn{Token: t.Name, Proof: a.proofOf(t), Until: time.Now().Add(signedInFor).Unix(), Nonce: rand.Text()})
		if err != nil {
			return err
		}
		if err := a.Journal.Record(r.Context(), journal.Audit{Who: t.principal().name, Action: journal.AuditSignedIn}); err != nil {
			return err
		}
		a.setCookie(w, r, sealed(a.cookie, base64.RawURLEncoding.EncodeToString(said)), int(signedInFor.Seconds()))
		return answer(w, http.StatusOK, t.principal().show())
	}
	return fault(codeUnauthorized).at("token").mending("use a token of [[api.tokens]]; one that was made for you is printed at start")
}

// deleteSession signs a browser out.
func (a *API) deleteSession(w http.ResponseWriter, r *http.Request, _ principal) error {
	if err := a.sameSite(route{}, r); err != nil {
		return err
	}
	if p, ok := a.signedIn(r); ok {
		if err := a.Journal.Record(r.Context(), journal.Audit{Who: p.name, Action: journal.AuditSignedOut}); err != nil {
			return err
		}
	}
	a.setCookie(w, r, "", -1)
	w.WriteHeader(http.StatusNoContent)
	return nil
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
	return Me{Name: name, Roles: p.roles, Agent: p.agent, Conversation: p.conversation}
}

func (a *API) getMe(w http.ResponseWriter, _ *http.Request, p principal) error {
	return answer(w, http.StatusOK, p.show())
}

// Ticket opens one stream or socket in its bearer's name.
type Ticket struct {
	Ticket  string    `json:"ticket"`
	Expires time.Time `json:"expires"`
}

func (a *API) postTicket(w http.ResponseWriter, _ *http.Request, p principal) error {
	t, ok := a.tickets.issue(p, time.Now())
	if !ok {
		return fault(codeBusy)
	}
	return answer(w, http.StatusCreated, t)
}

// tickets are good once, for a short time.
type tickets struct {
	mu   sync.Mutex
	open map[string]heldTicket
}

type heldTicket struct {
	principal
	until time.Time
}

func (t *tickets) issue(p principal, now time.Time) (Ticket, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open == nil {
		t.open = map[string]heldTicket{}
	}
	if len(t.open) >= maxTickets {
		for value, held := range t.open {
			if now.After(held.until) {
				delete(t.open, value)
			}
		}
	}
	if len(t.open) >= maxTickets {
		return Ticket{}, false
	}
	value, until := rand.Text(), now.Add(ticketFor)
	t.open[value] = heldTicket{p, until}
	return Ticket{Ticket: value, Expires: until.UTC()}, true
}

func (t *tickets) redeem(value string) (principal, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	held, ok := t.open[value]
	delete(t.open, value)
	return held.principal, ok && time.Now().Before(held.until)
}
