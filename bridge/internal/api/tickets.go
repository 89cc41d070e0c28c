package api

import (
	"crypto/rand"
	"net/http"
	"sync"
	"time"
)

const (
	// ticketFor is how long a ticket may wait to be used.
	ticketFor = 30 * time.Second
	// maxTickets bounds the tickets that are not yet used.
	maxTickets = 10_000
)

// Ticket opens one stream or socket in its bearer's name.
type Ticket struct {
	Ticket  string    `json:"ticket"`
	Expires time.Time `json:"expires"`
}

func (a *API) postTicket(w http.ResponseWriter, r *http.Request, p principal) error {
	t, ok := a.tickets.issue(p, r.Header.Get("Origin"), time.Now())
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

// heldTicket is good for the browser that asked for it: with its sign-in, if it
// had one, and from pages of the same origin.
type heldTicket struct {
	principal
	origin string
	until  time.Time
}

func (t *tickets) issue(p principal, origin string, now time.Time) (Ticket, bool) {
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
	t.open[value] = heldTicket{p, origin, until}
	return Ticket{Ticket: value, Expires: until.UTC()}, true
}

func (t *tickets) redeem(value string) (heldTicket, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	held, ok := t.open[value]
	delete(t.open, value)
	return held, ok && time.Now().Before(held.until)
}

// redeem finds whose ticket it is. Whoever else shows it has used it up.
func (a *API) redeem(ticket string, r *http.Request) (principal, bool) {
	held, ok := a.tickets.redeem(ticket)
	origin := r.Header.Get("Origin")
	if !ok || !a.still(held.principal) || origin != "" && held.origin != "" && origin != held.origin {
		return principal{}, false
	}
	if held.signIn.ID != "" {
		shown, ok := a.signedIn(r)
		return held.principal, ok && shown.signIn.ID == held.signIn.ID
	}
	return held.principal, true
}
