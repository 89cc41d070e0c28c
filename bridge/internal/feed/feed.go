// Package feed holds the connections on which vendors say what they would otherwise
// post to endpoints. What a frame says is stored as a request is, and only then is the
// frame acknowledged.
package feed

import (
	"context"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/internal/credential"
	"github.com/footbridge/footbridge/bridge/internal/engine"
)

// Account is what must be known of one account to hold its feeds. One that is not
// ready has none.
type Account struct {
	Name  string
	Feeds []adapter.Feed
	// Hosts and Secrets are the account's: feeds begin anew when they change.
	Hosts   []string
	Secrets map[string]credential.Secret
}

// Intake reads what frames say to endpoints.
type Intake interface {
	// Heard reads a body; nil where the account has no such endpoint now. It is called
	// for the frames of a connection in their order.
	Heard(account, endpoint string, body []byte) Heard
}

// Heard is what one frame says to an endpoint.
type Heard interface {
	// Keys are whose legs it is for: what is for the same is stored in order.
	Keys() []string
	// Store keeps it, trying until ctx ends. true: the vendor need not say it again.
	Store(ctx context.Context) bool
}

// Out opens connections; egress is one.
type Out interface {
	engine.Caller
	// Line makes one try to open a connection, as engine.Dialer does.
	Line(ctx context.Context, account, turn string, d adapter.Dial) (engine.Link, engine.Attempt)
}

// Options are what Feeds are made of. All functions may be called from any goroutine.
type Options struct {
	Intake Intake
	Out    Out
	// Placeholder stands for a credential in what a turn sends.
	Placeholder func(turn, credential string) string
	// Reached is told when an account's feed stands that did not: the vendor may have
	// spoken in vain meanwhile.
	Reached func(account string)
	// Reopened counts connections after a feed's first; Refused frames that are not
	// stored: for an endpoint's own reasons its Intake counts.
	Reopened func(account, feed string)
	Refused  func(account, reason string)
	Logger   *slog.Logger
}

// State is how one feed stands.
type State struct {
	Account, Feed string
	Up            bool
	// Since is when that began; Reason why it is not up, for people.
	Since  time.Time
	Reason string
}

// Feeds holds the feeds of all accounts. It is safe for concurrent use.
type Feeds struct {
	o       Options
	changed chan struct{}

	mu     sync.Mutex
	wanted []Account
	held   map[string]*holding
}

// New makes Feeds that hold nothing yet.
func New(o Options) *Feeds {
	return &Feeds{o: o, changed: make(chan struct{}, 1), held: map[string]*holding{}}
}

// Configure replaces the accounts. Feeds that stay as they were go on; Run has the
// others end and begin.
func (s *Feeds) Configure(accounts []Account) {
	s.mu.Lock()
	s.wanted = accounts
	s.mu.Unlock()
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// Run holds the feeds until ctx ends, and returns when the last frame heard is dealt
// with. It is called once.
func (s *Feeds) Run(ctx context.Context) {
	var work sync.WaitGroup
	defer work.Wait()
	for {
		s.settle(ctx, &work)
		select {
		case <-ctx.Done():
			return
		case <-s.changed:
		}
	}
}

// settle ends what is not wanted any more and begins what is not held yet.
func (s *Feeds) settle(ctx context.Context, work *sync.WaitGroup) {
	s.mu.Lock()
	defer s.mu.Unlock()
	wanted := map[string]*holding{}
	for _, a := range s.wanted {
		for _, f := range a.Feeds {
			wanted[a.Name+"/"+f.Name] = newHolding(&s.o, a, f)
		}
	}
	for name, h := range s.held {
		if next := wanted[name]; next != nil && h.same(next) {
			delete(wanted, name)
			continue
		}
		h.stop()
		delete(s.held, name)
	}
	for name, h := range wanted {
		s.held[name] = h
		ctx, cancel := context.WithCancel(ctx)
		h.stop = cancel
		work.Go(func() {
			defer cancel()
			h.run(ctx)
		})
	}
}

// States tells how the feeds stand, by account and name.
func (s *Feeds) States() []State {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []State
	for _, name := range slices.Sorted(maps.Keys(s.held)) {
		out = append(out, s.held[name].now())
	}
	return out
}

// same reports whether two feeds are held in the same way.
func (h *holding) same(o *holding) bool {
	secret := func(h *holding) credential.Secret { return h.account.Secrets[h.feed.Credential] }
	return reflect.DeepEqual(h.feed, o.feed) && slices.Equal(h.account.Hosts, o.account.Hosts) &&
		(h.feed.Credential == "" || secret(h).Equal(secret(o)))
}
