package api

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

const (
	// hubPage is how many events are read from the journal at a time.
	hubPage = 500
	// hubBuffer is how far a subscriber may fall behind.
	hubBuffer = 512
	// maxSubscribers bounds the streams and sockets that are open.
	maxSubscribers = 10_000
	// hubPause is how long the hub waits after a read that failed.
	hubPause = time.Second
)

// item is one event on its way to subscribers; position 0 is one that is not
// stored.
type item = journal.Positioned

// hub reads the journal once for all who look on.
type hub struct {
	feed Feed
	log  *slog.Logger
	quit chan struct{}
	done chan struct{}
	stir chan struct{}

	mu     sync.Mutex
	closed bool
	at     int64 // everything up to here was given out, or nobody asked for it
	subs   map[*subscriber]bool
}

// subscriber is one stream. Its channel is closed when it is too slow.
type subscriber struct {
	conversation string // the only one it is told of; "" is all
	items        chan item
}

func newHub(f Feed, log *slog.Logger) *hub {
	h := &hub{feed: f, log: log, quit: make(chan struct{}), done: make(chan struct{}), stir: make(chan struct{}, 1), subs: map[*subscriber]bool{}}
	go h.run()
	return h
}

func (h *hub) close() {
	h.mu.Lock()
	if !h.closed {
		h.closed = true
		close(h.quit)
	}
	h.mu.Unlock()
	<-h.done
}

// join adds a subscriber: it is told of everything stored after this moment.
func (h *hub) join(ctx context.Context, conversation string) (*subscriber, error) {
	last, _, err := h.feed.Position(ctx)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closed:
		return nil, fault(codeClosing)
	case len(h.subs) >= maxSubscribers:
		return nil, fault(codeBusy)
	case len(h.subs) == 0:
		h.at = max(h.at, last)
	}
	s := &subscriber{conversation: conversation, items: make(chan item, hubBuffer)}
	h.subs[s] = true
	select {
	case h.stir <- struct{}{}:
	default:
	}
	return s, nil
}

func (h *hub) leave(s *subscriber) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.subs, s)
}

// run follows the journal until the hub is closed. While nobody looks on it
// reads nothing.
func (h *hub) run() {
	defer close(h.done)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() { <-h.quit; cancel() }()
	for {
		changed := h.feed.Changed()
		if !h.pump(ctx) {
			h.wait(h.stir, nil, hubPause)
		} else {
			h.wait(h.stir, changed, 0)
		}
		if ctx.Err() != nil {
			return
		}
	}
}

// wait waits for one of two things, the end, or a time if there is one.
func (h *hub) wait(stir, changed <-chan struct{}, limit time.Duration) {
	var late <-chan time.Time
	if limit > 0 {
		timer := time.NewTimer(limit)
		defer timer.Stop()
		late, stir = timer.C, nil
	}
	select {
	case <-h.quit:
	case <-stir:
	case <-changed:
	case <-late:
	}
}

// pump gives out what is new; false when the journal could not be read.
func (h *hub) pump(ctx context.Context) bool {
	for {
		h.mu.Lock()
		at, asked := h.at, len(h.subs) > 0
		h.mu.Unlock()
		if !asked {
			return true
		}
		items, upTo, err := read(ctx, h.feed, at, h.log)
		if err != nil {
			if ctx.Err() == nil {
				h.log.Error("live events cannot be read", "error", err, "mend", "see the journal's own errors; it is tried again every second")
			}
			return false
		}
		h.mu.Lock()
		h.at = max(h.at, upTo)
		for _, it := range items {
			h.give(it)
		}
		h.mu.Unlock()
		if upTo == at {
			return true
		}
	}
}

// give hands one item to everybody it is for; who has no room is let go and
// comes back by its cursor. The caller holds the lock.
func (h *hub) give(it item) {
	for s := range h.subs {
		if s.conversation != "" && s.conversation != it.Event.Conversation {
			continue
		}
		if it.Position == 0 && len(s.items) > hubBuffer/2 {
			continue
		}
		select {
		case s.items <- it:
		default:
			delete(h.subs, s)
			close(s.items)
		}
	}
}

func (h *hub) transient(e event.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.give(item{Event: e})
}

// read gives the events after a position and the position it got to. What is
// damaged is passed over: it is reported where the damage is.
func read(ctx context.Context, f Feed, after int64, log *slog.Logger) ([]item, int64, error) {
	items, err := f.Feed(ctx, after, hubPage)
	if errors.Is(err, journal.ErrDamaged) {
		items, err = f.Feed(ctx, after, 1)
	}
	switch {
	case errors.Is(err, journal.ErrDamaged):
		log.Error("event passed over in live streams", "position", after+1, "error", err)
		return nil, after + 1, nil
	case err != nil:
		return nil, after, err
	case len(items) > 0:
		after = items[len(items)-1].Position
	}
	return items, after, nil
}
