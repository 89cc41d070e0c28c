// Package api is the native API under /api/v1: everything the pages, live agents'
// programs and operators can see and do. It decides who may ask for what and
// puts it into HTTP; what is asked for it leaves to the journal, the engine and
// the desk.
//
// Every route is a row of one table, with the roles it is for; the description
// of the API is made from the same table.
package api

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/credential"
	"github.com/footbridge/footbridge/bridge/internal/desk"
	"github.com/footbridge/footbridge/bridge/internal/engine"
	"github.com/footbridge/footbridge/bridge/internal/journal"
	"github.com/footbridge/footbridge/bridge/internal/media"
	"github.com/footbridge/footbridge/bridge/internal/openid"
)

// Base is the path all routes are under.
const Base = "/api/v1"

// Conversations is what the API reads of conversations.
type Conversations interface {
	Conversations(ctx context.Context, f journal.Filter) ([]journal.Listed, error)
	Conversation(ctx context.Context, id string) (journal.Listed, error)
	Events(ctx context.Context, conversation string, after int64, limit int) ([]event.Event, error)
}

// Outcomes is what the API reads of what became of inputs and events.
type Outcomes interface {
	Deliveries(ctx context.Context, conversation string) ([]journal.Delivery, error)
	DeadLetters(ctx context.Context, at time.Time, id string, limit int) ([]journal.DeadLetter, error)
	// Backlog counts by account the frames no turn has dealt with.
	Backlog(ctx context.Context) (map[string]int64, error)
}

// Raw is what the API reads of what came and what was made of it.
type Raw interface {
	Frames(ctx context.Context, conversation, after string, limit int) ([]journal.Frame, error)
	Frame(ctx context.Context, conversation, id string) (journal.Frame, error)
	Turns(ctx context.Context, conversation string, after int64, limit int) ([]journal.Turn, error)
}

// Feed is the journal as one sequence of events.
type Feed interface {
	Feed(ctx context.Context, after int64, limit int) ([]journal.Positioned, error)
	// Position gives the last position and the oldest one still there.
	Position(ctx context.Context) (last, oldest int64, err error)
	// Changed is closed at the next commit with events.
	Changed() <-chan struct{}
}

// Journal is everything the API asks of the journal.
type Journal interface {
	Conversations
	Outcomes
	Raw
	Feed
	Auditor
	// EmptyLog takes what was erased out of the store's log.
	EmptyLog(ctx context.Context) error
}

// Engine is what the API asks to be done; *engine.Engine is one.
type Engine interface {
	Open(ctx context.Context, o engine.Opening) (string, error)
	Do(ctx context.Context, c engine.Command) (event.Event, error)
	Replay(ctx context.Context, deadLetter string) error
	Eraser
	Drainer
}

// Eraser ends conversations and destroys their content.
type Eraser interface {
	Erase(ctx context.Context, conversation string, why journal.Audit) error
}

// Drainer lets accounts take nothing new, or take it again.
type Drainer interface {
	Drain(ctx context.Context, account string, drain bool, who journal.Audit) error
}

// FileList is all files of a conversation together.
type FileList interface {
	Handles(conversation string) ([]string, error)
	// Remove removes them; their key is gone.
	Remove(conversation string) error
}

// Files keeps the files of conversations; *media.Store is one.
type Files interface {
	FileList
	Put(ctx context.Context, conversation string, given event.Media, content io.Reader) (event.Media, error)
	Describe(ctx context.Context, handle string) (media.File, error)
	LinkTo(ctx context.Context, handle string) (media.Link, error)
}

// Status tells how accounts and plugins stand now.
type Status interface {
	Accounts() []Account
	Adapters() []Adapter
	// Matrix tells what passes between every front end and every back end.
	Matrix() []Pairing
}

// Keys derives the keys of tokens and cookies; *credential.Keyring is one.
type Keys interface {
	Derive(label string) []byte
}

// Token is one static token.
type Token struct {
	Name   string
	Roles  []string
	Secret credential.Secret
	// Agent is the only agent its bearer may act as; "" means any.
	Agent string
	// Picture is the address of that agent's picture; "" is none.
	Picture string
}

// Site is one native customer account.
type Site struct {
	// PublishableKey lets a browser open a conversation; "" means that only
	// pages of the bridge's own origin and programs with a token may.
	PublishableKey string
	// AllowedOrigins are the sites whose pages may do so.
	AllowedOrigins []string
	// Chat is how its chat looks and speaks.
	Chat Chat
}

// Setup is the configuration the API works by. It is replaced as a whole.
type Setup struct {
	Tokens []Token
	// Sites are the native customer accounts by name.
	Sites map[string]Site
	// PublicURL is how the world reaches us; "" if it is not known.
	PublicURL string
	// Provider signs people in by OpenID Connect; nil where nobody does.
	Provider Provider
	// Tools are what live agents are given to work with.
	Tools Tools
}

// Provider signs people in; *openid.Provider is one.
type Provider interface {
	Begin(ctx context.Context) (address string, f openid.Flow, err error)
	Finish(ctx context.Context, f openid.Flow, came url.Values) (openid.Person, error)
	// Fingerprint changes with everything that decides who may do what.
	Fingerprint() string
}

// Options are what an API is made of. Logger, Peer, Ended
// and Answered may be left out.
type Options struct {
	Journal Journal
	Engine  Engine
	Desk    *desk.Desk
	Files   Files
	Status  Status
	Keys    Keys
	Setup   Setup
	Logger  *slog.Logger
	// Peer tells the address a request comes from, through proxies that are
	// trusted; nil means the connection's own.
	Peer func(*http.Request) (netip.Addr, bool)
	// Ended remembers who signed out; nil means that it is forgotten with the
	// process.
	Ended *Ended
	// Answered is told of each request, with the method and path of its route, "" where there
	// is none, and the status it was answered with; nil means nobody asks.
	Answered func(route string, status int)
	// MaxUploads is how many files a customer may upload in a minute; 0 is no limit.
	MaxUploads int
	// Redact takes secrets out of what is shown of vendors' frames; nil where there
	// are none.
	Redact func(string) string
}

// API serves the native API. It is safe for concurrent use.
type API struct {
	Options
	setup    atomic.Pointer[Setup]
	mux      *http.ServeMux
	hub      *hub
	tickets  tickets
	customer []byte // key of customers' tokens
	cookie   []byte // key of sign-in cookies
	signIns  guesses
	bearers  guesses
	uploads  perMinute[string]
	flows    flows
}

// New makes an API and starts the goroutine that follows the journal; Close ends
// it.
func New(o Options) *API {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Redact == nil {
		o.Redact = func(s string) string { return s }
	}
	if o.Ended == nil {
		o.Ended = newEnded()
	}
	if o.Answered == nil {
		o.Answered = func(string, int) {}
	}
	a := &API{Options: o, mux: http.NewServeMux(), signIns: guesses{limit: wrongSignIns}, bearers: guesses{limit: wrongTokens}, uploads: perMinute[string]{limit: o.MaxUploads},
		customer: o.Keys.Derive("api customer token"), cookie: o.Keys.Derive("api sign-in cookie"),
		flows: flows{key: o.Keys.Derive("api sign-in flow")}}
	a.Configure(o.Setup)
	a.hub = newHub(o.Journal, o.Logger)
	for _, r := range routes() {
		a.mux.Handle(r.method+" "+Base+r.path, a.serve(r))
	}
	return a
}

// Configure replaces the setup. Tokens that are gone stop working at once, also
// where somebody signed in with them; open streams end within beatEvery.
func (a *API) Configure(s Setup) { a.setup.Store(&s) }

// Transient shows an event that is not stored to whoever looks on. It does not
// block.
func (a *API) Transient(e event.Event) { a.hub.transient(e) }

// Close ends all streams and sockets and waits for the goroutine that feeds
// them. Requests after it are served, but for streams.
func (a *API) Close() { a.hub.close() }

// ServeHTTP answers one request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set(requestID, engine.NewID())
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	if a.shareWith(w, r) {
		return
	}
	if _, pattern := a.mux.Handler(r); pattern == "" {
		err := a.noRoute(w, r)
		a.Answered("", problemOf(err).Status)
		a.refuse(w, r, err)
		return
	}
	a.mux.ServeHTTP(w, r)
}

// noRoute says whether the path or only the method is unknown.
func (a *API) noRoute(w http.ResponseWriter, r *http.Request) error {
	allowed := ""
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
		other := &http.Request{Method: method, URL: r.URL, Host: r.Host}
		if _, pattern := a.mux.Handler(other); pattern != "" {
			if allowed != "" {
				allowed += ", "
			}
			allowed += method
		}
	}
	if allowed == "" {
		return fault(codeNotFound)
	}
	w.Header().Set("Allow", allowed)
	return fault(codeMethod).mending("use " + allowed)
}

// serve wraps a route's handler in what all routes have in common.
func (a *API) serve(route route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, err := a.admit(route, r)
		if err == nil {
			a.seen(p)
			if route.roles != nil {
				a.renew(w, r, p)
			}
			err = route.handle(a, w, r, p)
		}
		status := route.status
		if err != nil {
			status = problemOf(err).Status
			a.refuse(w, r, err)
		}
		a.Answered(route.method+" "+route.path, status)
	})
}

// seen notes a live agent's sign of life.
func (a *API) seen(p principal) {
	if p.agent != "" && p.has(roleLiveAgent) {
		a.Desk.Touch(p.agent)
	}
}
