package api

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"sync/atomic"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
)

// beatEvery is how often a quiet stream shows that it lives.
const beatEvery = 15 * time.Second

// Why a stream ends that its reader did not end.
var (
	errSlow    = errors.New("reader is too slow")
	errClosing = errors.New("bridge is shutting down")
	errOver    = errors.New("its token or sign-in is over")
)

// outlet takes what a stream has to say. Position 0 is an event that is not
// stored.
type outlet interface {
	event(position int64, e event.Event) error
	beat(position int64) error
}

// Filter chooses events of a stream; empty fields choose all.
type Filter struct {
	Conversations []string `json:"conversations,omitempty"`
	Kinds         []string `json:"kinds,omitempty"`
}

func (f *Filter) takes(e event.Event) bool {
	return (len(f.Conversations) == 0 || slices.Contains(f.Conversations, e.Conversation)) &&
		(len(f.Kinds) == 0 || slices.Contains(f.Kinds, string(e.Kind())))
}

// stream is what one subscriber follows.
type stream struct {
	api    *API
	who    principal
	filter atomic.Pointer[Filter]
	after  int64
}

// streamOf reads what a stream is asked for. A position that is gone, or was
// never given, is refused: its reader has to begin anew.
func (a *API) streamOf(r *http.Request, p principal) (*stream, error) {
	q := r.URL.Query()
	s := &stream{api: a, who: p}
	s.filter.Store(&Filter{Conversations: wordsOf(q, "conversation"), Kinds: wordsOf(q, "kind")})
	last, oldest, err := s.bounds(r.Context())
	if err != nil {
		return nil, err
	}
	cursor := cursorOf(r, q)
	if cursor == "" {
		s.after = last
		return s, nil
	}
	if s.after, err = position(cursor); err != nil {
		return nil, err
	}
	if s.after > last || s.after < oldest-1 {
		return nil, fault(codeGone).at("after")
	}
	return s, nil
}

// cursorOf is where to go on: what the browser remembers before what the address
// says, which it repeats when it comes back.
func cursorOf(r *http.Request, q url.Values) string {
	if id := r.Header.Get("Last-Event-ID"); id != "" {
		return id
	}
	return q.Get("after")
}

// bounds are the last and the oldest position of what the stream follows: the
// journal's, or for a customer their conversation's.
func (s *stream) bounds(ctx context.Context) (last, oldest int64, err error) {
	if !s.who.customer() {
		return s.api.Journal.Position(ctx)
	}
	for {
		events, err := s.api.Journal.Events(ctx, s.who.conversation, last, maxLimit)
		if err != nil {
			return 0, 0, err
		}
		if len(events) == 0 {
			return last, 0, nil
		}
		last = events[len(events)-1].Seq
	}
}

// follow gives the outlet everything after s.after, without a gap, until ctx ends
// or something goes wrong.
func (s *stream) follow(ctx context.Context, out outlet) error {
	sub, err := s.api.hub.join(ctx, s.who.conversation)
	if err != nil {
		return err
	}
	defer s.api.hub.leave(sub)
	if err := out.beat(s.after); err != nil {
		return err
	}
	if err := s.catchUp(ctx, out); err != nil {
		return err
	}
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.api.hub.quit:
			return errClosing
		case <-tick.C:
			if !s.api.still(s.who) {
				return errOver
			}
			err = out.beat(s.after)
		case it, ok := <-sub.items:
			if !ok {
				return errSlow
			}
			err = s.live(ctx, it, out)
		}
		if err != nil {
			return err
		}
	}
}

// catchUp gives what was stored before the stream was live.
func (s *stream) catchUp(ctx context.Context, out outlet) error {
	if s.who.customer() {
		return s.conversation(ctx, out)
	}
	for {
		items, upTo, err := read(ctx, s.api.Journal, s.after, s.api.Logger)
		if err != nil || upTo == s.after {
			return err
		}
		for _, it := range items {
			if err := s.give(it, out); err != nil {
				return err
			}
		}
		s.after = upTo
	}
}

// live gives one item of the hub.
func (s *stream) live(ctx context.Context, it item, out outlet) error {
	switch {
	case it.Position == 0 && s.who.customer():
		if s.api.passing(ctx, it.Event) {
			return s.tell(out, 0, plain(it.Event))
		}
		return nil
	case it.Position == 0:
		return s.give(it, out)
	case s.who.customer():
		if it.Event.Seq <= s.after {
			return nil
		}
		return s.conversation(ctx, out)
	case it.Position <= s.after:
		return nil
	}
	s.after = it.Position
	return s.give(it, out)
}

func (s *stream) give(it item, out outlet) error {
	if !s.filter.Load().takes(it.Event) {
		return nil
	}
	return s.tell(out, it.Position, it.Event)
}

// tell gives one event. One that cannot be written is passed over: the list of its
// conversation names it.
func (s *stream) tell(out outlet, position int64, e event.Event) error {
	err := out.event(position, e)
	if !unwritable(err) {
		return err
	}
	s.api.Logger.Error("event passed over in a live stream", "event", e.ID, "conversation", e.Conversation, "error", err)
	if position == 0 {
		return nil
	}
	return out.beat(position)
}

// conversation gives a customer what is new in theirs; positions are the
// conversation's own.
func (s *stream) conversation(ctx context.Context, out outlet) error {
	for {
		events, err := s.api.Journal.Events(ctx, s.who.conversation, s.after, maxLimit)
		if err != nil || len(events) == 0 {
			return err
		}
		see, err := s.api.eyesOf(ctx, s.who, s.who.conversation)
		if err != nil {
			return err
		}
		for _, e := range events {
			s.after = e.Seq
			if seen, ok := see(e); ok && s.filter.Load().takes(e) {
				if err := s.tell(out, e.Seq, seen); err != nil {
					return err
				}
			}
		}
	}
}

// present marks a live agent as connected until the function it gives is called.
func (a *API) present(r *http.Request, p principal) (func(), error) {
	id := r.URL.Query().Get("agent")
	switch {
	case !p.has(roleLiveAgent):
		return func() {}, nil
	case p.agent != "" && id != "" && id != p.agent:
		return nil, fault(codeAgent).at("agent")
	case p.agent != "":
		id = p.agent
	}
	if id == "" {
		return func() {}, nil
	}
	a.Desk.Connect(id)
	return func() { a.Desk.Disconnect(id) }, nil
}
