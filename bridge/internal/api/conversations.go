package api

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/engine"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// Conversation is one row of a list.
type Conversation struct {
	ID    string `json:"id"`
	State string `json:"state"`
	// Owner is the role that may speak to the customer now, "" for nobody.
	Owner   string    `json:"owner"`
	Route   string    `json:"route,omitempty"`
	Queue   string    `json:"queue,omitempty"`
	Created time.Time `json:"created"`
	Updated time.Time `json:"updated"`
	engine.Summary
	// Position is the place in the desk's queue, from 1; 0 when it has none.
	Position int `json:"position,omitempty"`
	// WaitingSince is when it joined that queue; Offered is the agent who is asked now.
	WaitingSince time.Time `json:"waiting_since,omitzero"`
	Offered      string    `json:"offered,omitempty"`
	// Left is the message the customer left that nobody has dealt with.
	Left *Left `json:"left,omitempty"`
	// Erased says the content is gone.
	Erased bool `json:"erased,omitempty"`
}

// Left is a message that was left for live agents when none took a hand-off.
type Left struct {
	Since time.Time `json:"since"`
}

// ConversationList is one page of conversations, newest first.
type ConversationList struct {
	Conversations []Conversation `json:"conversations"`
	Next          *string        `json:"next"`
}

// Opened is a conversation that was opened, with its customer's token.
type Opened struct {
	Conversation string `json:"conversation"`
	Token        string `json:"token"`
}

func (a *API) show(l journal.Listed) Conversation {
	place := a.Desk.Place(l.ID)
	c := Conversation{ID: l.ID, State: l.Index.State, Owner: l.Index.Owner, Route: l.Index.Route, Queue: l.Index.Queue,
		Created: l.Created.UTC(), Updated: l.Updated.UTC(), Erased: l.Erased,
		Position: place.Position, WaitingSince: place.Since.UTC(), Offered: place.Offered}
	if since := l.Index.Left; !since.IsZero() {
		c.Left = &Left{Since: since.UTC()}
	}
	_ = json.Unmarshal(l.Index.Summary, &c.Summary) // a summary that is gone or of a newer program shows as empty
	if c.Legs == nil {
		c.Legs = []engine.SummaryLeg{}
	}
	return c
}

// forCustomer leaves what a customer may know of their own conversation.
func (c Conversation) forCustomer() Conversation {
	return Conversation{ID: c.ID, State: c.State, Owner: c.Owner, Created: c.Created, Updated: c.Updated, Position: c.Position,
		Erased: c.Erased, Summary: engine.Summary{Customer: c.Customer, Language: c.Language,
			Agent: event.Actor{Role: c.Agent.Role, Name: c.Agent.Name, Avatar: c.Agent.Avatar}, Legs: []engine.SummaryLeg{}}}
}

// scanned bounds how many rows one search by words looks at.
const scanned = 5000

func (a *API) listConversations(w http.ResponseWriter, r *http.Request, _ principal) error {
	q := r.URL.Query()
	p, err := pageOf(q, "state", "owner", "queue", "account", "agent", "route", "since", "left", "q")
	if err != nil {
		return err
	}
	f := journal.Filter{State: q.Get("state"), Owner: q.Get("owner"), Queue: q.Get("queue"), Account: q.Get("account"),
		Agent: q.Get("agent"), Route: q.Get("route"), Before: p.after, Limit: p.limit}
	if f.Since, err = sinceOf(q); err != nil {
		return err
	}
	if f.Left = q.Get("left") == "true"; !f.Left && q.Has("left") {
		return invalid("left", "use true, or leave it out")
	}
	out := ConversationList{Conversations: []Conversation{}}
	words := strings.ToLower(q.Get("q"))
	for seen := 0; len(out.Conversations) < p.limit && seen < scanned; seen += f.Limit {
		rows, err := a.Journal.Conversations(r.Context(), f)
		if err != nil {
			return err
		}
		for _, row := range rows {
			f.Before = row.ID
			if c := a.show(row); c.matches(words) {
				out.Conversations = append(out.Conversations, c)
			}
			if len(out.Conversations) == p.limit {
				break
			}
		}
		out.Next = next(len(rows) == f.Limit, f.Before)
		if out.Next == nil {
			break
		}
	}
	return answer(w, http.StatusOK, out)
}

// matches tells whether the words are in what the row shows.
func (c Conversation) matches(words string) bool {
	if words == "" {
		return true
	}
	shown := []string{c.ID, c.Customer.Name, c.Customer.ID, c.Agent.Name, c.Reason, c.Summary.Summary, c.Queue}
	return slices.ContainsFunc(shown, func(s string) bool { return strings.Contains(strings.ToLower(s), words) })
}

func (a *API) getConversation(w http.ResponseWriter, r *http.Request, p principal) error {
	id := r.PathValue("id")
	if !p.owns(id) {
		return fault(codeForbidden)
	}
	row, err := a.Journal.Conversation(r.Context(), id)
	if err != nil {
		return err
	}
	c := a.show(row)
	if p.customer() {
		c = c.forCustomer()
	}
	return answer(w, http.StatusOK, c)
}

// Opening is the request for a conversation.
type Opening struct {
	// PublishableKey is the account's, for browsers; Account its name, for
	// programs with a token and pages of the bridge itself.
	PublishableKey string            `json:"publishable_key,omitempty"`
	Account        string            `json:"account,omitempty"`
	Customer       OpeningCustomer   `json:"customer,omitzero"`
	Language       string            `json:"language,omitempty"`
	Attributes     map[string]string `json:"attributes,omitempty"`
}

// OpeningCustomer is who the conversation is for. ID counts only where a program
// with a token says it; a browser's word for it proves nothing.
type OpeningCustomer struct {
	ID     string `json:"id,omitempty"`
	Name   string `json:"name,omitempty"`
	Avatar string `json:"avatar,omitempty"`
}

func (a *API) postConversation(w http.ResponseWriter, r *http.Request, p principal) error {
	var o Opening
	if err := readBody(w, r, &o); err != nil {
		return err
	}
	if err := o.check(); err != nil {
		return err
	}
	if p.customer() {
		p = principal{} // their token is good for their own conversation: here it is nobody's
	}
	account, err := a.siteOf(o, r, p)
	if err != nil {
		return err
	}
	customer := event.Actor{Role: event.RoleCustomer, ID: o.Customer.ID, Name: o.Customer.Name, Avatar: o.Customer.Avatar}
	if customer.ID == "" || !p.known() {
		customer.ID = "c-" + engine.NewID()
	}
	id, err := a.Engine.Open(r.Context(), engine.Opening{Account: account, Customer: customer, Language: o.Language, Attributes: o.Attributes,
		Vouched: p.known() && o.PublishableKey == ""})
	if err != nil {
		return err
	}
	return answer(w, http.StatusCreated, Opened{Conversation: id, Token: a.customerToken(id)})
}

// siteOf finds the customer account an opening is for, and whether the caller
// may open one there.
func (a *API) siteOf(o Opening, r *http.Request, p principal) (string, error) {
	sites := a.setup.Load().Sites
	if o.PublishableKey == "" {
		site, ok := sites[o.Account]
		switch {
		case !ok && o.Account == "":
			return "", invalid("publishable_key", "give the key of a native customer account, or its name as account")
		case !ok:
			return "", invalid("account", "name a native account with the role customer")
		case !p.known() && site.PublishableKey != "":
			return "", fault(codeUnauthorized).at("publishable_key").mending("give the account's publishable_key")
		case !p.known() && !a.ownOrigin(r):
			return "", fault(codeUnauthorized).at("account").mending("give the account a publishable_key and send that, or use a token")
		}
		return o.Account, nil
	}
	for name, site := range sites {
		if site.PublishableKey == o.PublishableKey {
			return name, a.fromSite(site, r)
		}
	}
	return "", fault(codeUnauthorized).at("publishable_key").mending("use the publishable_key of an account")
}

// fromSite refuses browsers on sites the account does not name. What is no
// browser names no origin.
func (a *API) fromSite(s Site, r *http.Request) error {
	origin := r.Header.Get("Origin")
	if origin == "" || slices.Contains(s.AllowedOrigins, origin) || a.ownOrigin(r) {
		return nil
	}
	return fault(codeOrigin)
}

// Limits of what an opening may bring.
const (
	maxName       = 200
	maxAttributes = 64
	maxAttribute  = 2000
)

func (o Opening) check() error {
	switch {
	case len(o.Customer.ID) > maxName, len(o.Customer.Name) > maxName:
		return invalid("customer", "give at most 200 bytes each")
	case !webAddress(o.Customer.Avatar):
		return invalid("customer.avatar", "give an https address")
	case len(o.Language) > maxName:
		return invalid("language", "give a language such as en or pt-BR")
	case len(o.Attributes) > maxAttributes:
		return invalid("attributes", "give at most 64")
	}
	for name, value := range o.Attributes {
		if name == "" || len(name) > maxName || len(value) > maxAttribute {
			return invalid("attributes", "give names of at most 200 and values of at most 2000 bytes")
		}
	}
	return nil
}

// webAddress tells whether a text is empty or an address a browser may be sent
// to: nothing that runs.
func webAddress(text string) bool {
	if text == "" {
		return true
	}
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}
