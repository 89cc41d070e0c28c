package feed

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/internal/engine"
	"github.com/footbridge/footbridge/bridge/internal/pointer"
)

const (
	firstWait, longestWait = time.Second, time.Minute
	// settled is how long a connection stands that was worth opening: after a shorter
	// one the next is waited for.
	settled = time.Minute
	// lingers is how long a connection whose end is announced is still heard once the
	// next one stands.
	lingers = 30 * time.Second
)

// The close codes a vendor is told.
const (
	closeNormal = 1000
	closeGoing  = 1001
)

// holding is one feed while it is held.
type holding struct {
	o       *Options
	account Account
	feed    adapter.Feed
	stop    context.CancelFunc
	order   order

	mu     sync.Mutex
	alive  int // connections that stand
	opened int
	state  State
}

func newHolding(o *Options, a Account, f adapter.Feed) *holding {
	return &holding{o: o, account: a, feed: f, state: State{Account: a.Name, Feed: f.Name, Since: time.Now().UTC(), Reason: "it has not been opened yet"}}
}

func (h *holding) now() State {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.state
}

// run keeps a connection open until ctx ends.
func (h *holding) run(ctx context.Context) {
	var lines sync.WaitGroup
	defer lines.Wait()
	var old *line
	for tries := 0; ctx.Err() == nil; {
		link, after, err := h.open(ctx)
		if err != nil {
			tries++
			h.failed(ctx, err)
			sleep(ctx, max(backoff(tries), after))
			continue
		}
		l := &line{holding: h, link: link, announced: make(chan struct{}), ended: make(chan struct{})}
		h.stands()
		lines.Go(func() { l.run(ctx) })
		old.letGo()
		begun := time.Now()
		old = l.last()
		if tries++; time.Since(begun) >= settled {
			tries = 0
		}
		sleep(ctx, backoff(tries))
	}
}

// backoff is the wait before a try after so many that came to nothing.
func backoff(tries int) time.Duration {
	if tries == 0 {
		return 0
	}
	d := min(firstWait<<min(tries-1, 10), longestWait)
	return d/2 + rand.N(d/2)
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// open makes one try to open the connection. The error is for people and holds nothing
// the vendor said; after is how long the vendor asks to be left alone.
func (h *holding) open(ctx context.Context) (link engine.Link, after time.Duration, err error) {
	f, turn := h.feed, "feed/"+h.account.Name+"/"+h.feed.Name
	header := http.Header{}
	if f.Credential != "" {
		header.Set(cmp.Or(f.Header, "Authorization"), f.Prefix+h.o.Placeholder(turn, f.Credential))
	}
	address := f.URL
	if f.Address != "" {
		got := h.o.Out.Call(ctx, h.account.Name, turn, nil, adapter.Call{Method: http.MethodPost, URL: f.URL, Header: header})
		if address, err = h.address(got); err != nil {
			return nil, got.RetryAfter, err
		}
		header = nil
	}
	link, got := h.o.Out.Line(ctx, h.account.Name, turn, adapter.Dial{URL: address, Header: header})
	if link == nil {
		return nil, got.RetryAfter, fmt.Errorf("connect to %s: %w", hostOf(address), h.fault(got))
	}
	return link, 0, nil
}

// address reads the answer to the question for an address.
func (h *holding) address(got engine.Attempt) (string, error) {
	f := h.feed
	if got.Reason != "" || got.Status/100 != 2 {
		return "", fmt.Errorf("ask %s for an address: %w", hostOf(f.URL), h.fault(got))
	}
	doc, _ := pointer.Decode(got.Body)
	address := pointer.Text(doc, f.Address)
	switch {
	case address == "":
		return "", fmt.Errorf("ask %s for an address: its answer has none at %s; mend: see that credential %s is good and that the vendor lets it listen", hostOf(f.URL), f.Address, f.Credential)
	case strings.HasPrefix(f.URL, "https:") && !strings.HasPrefix(address, "wss:"):
		return "", fmt.Errorf("ask %s for an address: it gave one that is not encrypted", hostOf(f.URL))
	}
	return address, nil
}

// fault says for people why a try came to nothing.
func (h *holding) fault(got engine.Attempt) error {
	switch {
	case got.Reason == adapter.ReasonNotAllowed:
		return errors.New("the bridge may not; mend: if it is the vendor's, name it in the account's allowed_hosts")
	case got.Reason != "":
		return errors.New(strings.ReplaceAll(got.Reason, "_", " "))
	case got.Status == http.StatusUnauthorized, got.Status == http.StatusForbidden:
		return fmt.Errorf("it answered %d; mend: see that credential %s is good", got.Status, h.feed.Credential)
	}
	return fmt.Errorf("it answered %d", got.Status)
}

// hostOf is what may be said of an address: the rest of it may be a secret.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "an address that is none"
	}
	return u.Host
}

// failed notes that a try came to nothing.
func (h *holding) failed(ctx context.Context, err error) {
	h.mu.Lock()
	news := h.state.Reason != err.Error()
	h.state.Reason = err.Error()
	h.mu.Unlock()
	if news && ctx.Err() == nil {
		h.o.Logger.Warn("feed not opened", "account", h.account.Name, "feed", h.feed.Name, "error", err)
	}
}

// stands notes that a connection stands. Where none did, words may have been lost.
func (h *holding) stands() {
	h.mu.Lock()
	h.alive++
	h.opened++
	first, gap := h.opened == 1, h.alive == 1
	if gap {
		h.state.Up, h.state.Since = true, time.Now().UTC()
	}
	h.state.Reason = ""
	h.mu.Unlock()
	if !first {
		h.o.Reopened(h.account.Name, h.feed.Name)
	}
	if gap {
		h.o.Logger.Info("feed stands", "account", h.account.Name, "feed", h.feed.Name)
		h.o.Reached(h.account.Name)
	}
}

// fell notes that a connection has ended.
func (h *holding) fell(ctx context.Context, why string) {
	h.mu.Lock()
	h.alive--
	down := h.alive == 0
	if down {
		h.state.Up, h.state.Since, h.state.Reason = false, time.Now().UTC(), why
	}
	h.mu.Unlock()
	if down && ctx.Err() == nil {
		h.o.Logger.Warn("feed lost", "account", h.account.Name, "feed", h.feed.Name, "reason", why)
	}
}
