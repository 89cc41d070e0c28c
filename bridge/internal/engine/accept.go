package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/conversation"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// ErrUnknownKey says no conversation has the key and the endpoint begins none.
var ErrUnknownKey = errors.New("no conversation has this key")

// ErrBusy says the conversation has no room; nothing was stored.
var ErrBusy = errors.New("conversation has too much waiting")

// Arrival is one request of a vendor, checked and authenticated.
type Arrival struct {
	Account  string
	Endpoint adapter.Endpoint
	Key      string
	Dedup    string
	// Mark tells a signed request from every other of its endpoint, for MarkFor
	// from now: so long it counts once. It is "" where nothing is signed.
	Mark    string
	MarkFor time.Duration
	Request adapter.Request
	// Opened is there for a connection; there is no Request then.
	Opened *adapter.Opened
	// attach is called when the input is stored, before its turn.
	attach func(Receipt)
}

// Receipt says what became of an arrival. It is given once the request is
// stored.
type Receipt struct {
	Conversation string
	Leg          string
	// Frame is the id the request is stored under; of the first one where the
	// vendor sent it again.
	Frame     string
	Duplicate bool
	// Conflict says a Duplicate has another body than the first had.
	Conflict bool
	answer   chan reply
}

// Accept stores a request and gives it to its conversation, opening one where
// the endpoint begins conversations. When it returns without error the request
// is synced and will be dealt with; ErrUnknownKey, ErrBusy, ErrDrained and errors
// of the journal mean that nothing was stored.
func (e *Engine) Accept(ctx context.Context, a Arrival) (Receipt, error) {
	const tries = 5
	var err error
	for range tries {
		var r Receipt
		r, err = e.accept(ctx, a)
		if !errors.Is(err, journal.ErrKeyTaken) {
			return r, err
		}
	}
	return Receipt{}, err
}

func (e *Engine) accept(ctx context.Context, a Arrival) (Receipt, error) {
	if e.isClosed() {
		return Receipt{}, ErrClosed
	}
	found, err := e.Journal.FindLeg(ctx, a.Account, a.Key)
	switch {
	case errors.Is(err, journal.ErrNotFound):
		return e.acceptUnknown(ctx, a, "")
	case err != nil:
		return Receipt{}, fmt.Errorf("find the leg of a request: %w", err)
	}
	if a.Endpoint.Unknown == adapter.UnknownOpen && e.hasEnded(ctx, found.Conversation) {
		return e.acceptUnknown(ctx, a, found.ID)
	}
	return e.acceptKnown(ctx, a, found)
}

func (e *Engine) acceptKnown(ctx context.Context, a Arrival, l journal.Leg) (Receipt, error) {
	if e.full(l.Conversation) {
		return Receipt{}, ErrBusy
	}
	frame, err := a.frame(l.Conversation, l.ID)
	if err != nil {
		return Receipt{}, err
	}
	r := Receipt{Conversation: l.Conversation, Leg: shortID(l.ID), Frame: frame.ID}
	if a.waits() {
		r.answer = e.wait(r.Frame)
	}
	got, err := e.Journal.AcceptFrame(ctx, frame)
	if err != nil {
		e.leave(r)
		return Receipt{}, fmt.Errorf("store a request: %w", err)
	}
	if got.Duplicate != "" {
		e.leave(r)
		r.Conflict = a.Opened == nil && e.conflicts(ctx, frame, got.Duplicate)
		return e.again(ctx, r, a, got), nil
	}
	e.hand(r, frame, a.attach)
	return r, nil
}

// hand gives a stored request to its conversation. One that comes as the engine
// closes has its turn after the next start.
func (e *Engine) hand(r Receipt, frame journal.Frame, attach func(Receipt)) {
	if attach != nil {
		attach(r)
	}
	if e.post(r.Conversation, work{kind: workFrame, leg: r.Leg, frame: frame}) != nil {
		e.deliverReply(r.Frame, reply{declared: true})
	}
}

// conflicts reports whether a repeated request has another body than its first. It is
// kept then, for people to look at; no turn has it.
func (e *Engine) conflicts(ctx context.Context, f journal.Frame, first string) bool {
	stored, err := e.Journal.Frame(ctx, f.Conversation, first)
	if err != nil || sameBody(stored.Data, f.Data) {
		return false // the first may be older than frames are kept
	}
	f.Dedup, f.Mark, f.ReplyBy, f.Outcome = "", "", time.Time{}, journal.FrameConflict
	_, err = e.Journal.AcceptFrame(ctx, f)
	e.Logger.Warn("another body came under an id that was there; the first one counts", "account", f.Account, "endpoint", f.Endpoint,
		"conversation", f.Conversation, "frame", f.ID, "first", first, "error", err)
	return true
}

// sameBody compares the bodies of two stored requests.
func sameBody(a, b []byte) bool {
	var one, other storedInput
	if json.Unmarshal(a, &one) != nil || json.Unmarshal(b, &other) != nil || one.Request == nil || other.Request == nil {
		return true
	}
	return bytes.Equal(one.Request.Body, other.Request.Body)
}

// again attaches a repeated request to its first: to the answer committed, or to
// the one still to come.
func (e *Engine) again(ctx context.Context, r Receipt, a Arrival, got journal.Accepted) Receipt {
	r.Frame, r.Duplicate = got.Duplicate, true
	if !a.waits() {
		return r
	}
	r.answer = e.wait(r.Frame)
	stored := got.Reply
	if len(stored) == 0 {
		// It may have been stored since the journal was asked.
		stored, _ = e.Journal.Reply(ctx, r.Frame)
	}
	if len(stored) > 0 {
		e.deliverReply(r.Frame, committedReply(stored))
		return r
	}
	if e.post(r.Conversation, work{kind: workAttached, leg: r.Leg, tag: r.Frame, until: a.Request.ReplyBy}) != nil {
		e.deliverReply(r.Frame, reply{declared: true})
	}
	return r
}

// acceptUnknown deals with a key no open conversation has. What was signed and is
// taken already begins nothing: it can only be a repetition, or captured.
func (e *Engine) acceptUnknown(ctx context.Context, a Arrival, replaces string) (Receipt, error) {
	switch a.Endpoint.Unknown {
	case adapter.UnknownOpen:
	case adapter.UnknownWait:
		return e.acceptWaiting(ctx, a)
	default:
		return Receipt{}, ErrUnknownKey
	}
	if err := e.fresh(ctx, a); err != nil {
		return Receipt{}, err
	}
	c, b, err := e.begin(opening{account: a.Account, key: a.Key, replaces: replaces})
	if err != nil {
		return Receipt{}, err
	}
	entry := c.order[0]
	frame, err := a.frame(c.id, fullID(c.id, entry))
	if err != nil {
		return Receipt{}, err
	}
	b.commit.Frames = []journal.Frame{frame}
	r := Receipt{Conversation: c.id, Leg: entry, Frame: frame.ID}
	if a.waits() {
		r.answer = e.wait(frame.ID)
	}
	if err := b.finish(ctx); err != nil {
		e.leave(r)
		return Receipt{}, err
	}
	e.hand(r, frame, a.attach)
	return r, nil
}

// fresh is nil for what may begin a conversation, and ErrUnknownKey for what was
// taken before.
func (e *Engine) fresh(ctx context.Context, a Arrival) error {
	if a.Mark == "" {
		return nil
	}
	until, err := e.Journal.Marked(ctx, a.Account, a.Endpoint.Name, a.Mark)
	switch {
	case errors.Is(err, journal.ErrNotFound):
		return nil
	case err != nil:
		return fmt.Errorf("find whether a request was taken: %w", err)
	case now().Before(until):
		return ErrUnknownKey
	}
	return nil
}

func (a Arrival) waits() bool { return a.Endpoint.Answer == adapter.AnswerReply && a.Opened == nil }

func (a Arrival) frame(conversationID, leg string) (journal.Frame, error) {
	id := NewID()
	a.Request.ID = id
	in := adapter.Input(a.Request)
	if a.Opened != nil {
		in = *a.Opened
	}
	data, err := encode(store(in))
	at := now()
	return journal.Frame{ID: id, Conversation: conversationID, Leg: leg, Account: a.Account, Endpoint: a.Endpoint.Name,
		Received: at, Data: data, Dedup: a.Dedup, DedupWhile: a.Endpoint.DedupWhile, Mark: a.Mark, MarkUntil: at.Add(a.MarkFor), ReplyBy: a.Request.ReplyBy}, err
}

// hasEnded reports whether a conversation is over; one that cannot be read
// counts as open, so that its key is not given away.
func (e *Engine) hasEnded(ctx context.Context, id string) bool {
	stored, err := e.Journal.Load(ctx, id)
	if err != nil {
		return false
	}
	var doc document
	return json.Unmarshal(stored.State, &doc) == nil && doc.Machine.Phase == conversation.Ended
}

// opening is what a new conversation begins with.
type opening struct {
	account, key, replaces string
	customer               event.Actor
	language               string
	attributes             map[string]string
	vouched                bool
}

// begin makes a conversation that is not stored yet, and the batch that will
// store it.
func (e *Engine) begin(o opening) (*convo, *batch, error) {
	setup := e.setup.Load()
	route, err := e.takes(setup, o.account, Match{Language: o.language, Attributes: o.attributes})
	if err != nil {
		return nil, nil, err
	}
	if o.language == "" {
		o.language = setup.Accounts[o.account].Language
	}
	c := newConvo(e, NewID())
	c.legs, c.recent, c.created = map[string]*leg{}, map[int64]event.Event{}, now()
	c.doc = document{Route: route.Name, Queue: route.Queue, Language: o.language, Started: true}
	b := c.begin("open/" + c.id)
	c.doc.Machine = conversation.Start(e.members(setup, route, o.account), b.facts(conversation.Input{}))
	for i, m := range c.doc.Machine.Legs {
		if i == 0 && o.key != "" {
			b.openAs(m, journal.Key{Key: o.key, From: o.replaces})
			continue
		}
		b.open(m)
	}
	b.decide(conversation.Input{Actor: event.Actor{Role: event.RoleSystem},
		Body: event.ConversationStarted{Customer: o.customer, Language: o.language, Attributes: o.attributes}}, origin{})
	if !o.vouched {
		c.doc.Vouched = nil
	}
	if route.VirtualAgent == "" {
		b.decide(conversation.Input{Actor: event.Actor{Role: event.RoleSystem}, Body: event.HandoffRequested{Routing: event.Routing{Queue: route.Queue, Language: o.language}}}, origin{})
	}
	return c, b, nil
}

// members are the legs a conversation of the route begins with, the one it
// began at first.
func (e *Engine) members(s *Setup, r Route, entry string) []conversation.Leg {
	member := func(name string) conversation.Leg {
		a := s.Accounts[name]
		return conversation.Leg{Account: name, Role: a.Role, HoldsCustomer: a.Profile.HoldsCustomer,
			PlaceInWords: a.Profile.Levels.QueuePosition == adapter.Fallback, Shows: a.extensions()}
	}
	legs := []conversation.Leg{member(entry)}
	if r.VirtualAgent != "" && r.VirtualAgent != entry {
		legs = append(legs, member(r.VirtualAgent))
	}
	return legs
}

// onFrame gives a stored request its turn.
func (c *convo) onFrame(ctx context.Context, w work) error {
	l := c.legs[w.leg]
	if l == nil {
		return fmt.Errorf("frame %s is for leg %s, which does not exist", w.frame.ID, w.leg)
	}
	in := readInput(w.frame.Data)
	if in == nil {
		return fmt.Errorf("frame %s cannot be read: %w", w.frame.ID, journal.ErrDamaged)
	}
	if _, asked := in.(adapter.Request); asked {
		c.inboundProves(l, w.frame)
	}
	done, err := c.take(ctx, l, turn{id: "frame/" + w.frame.ID, in: in, frame: w.frame.ID})
	if !done && err == nil {
		c.again(w)
	}
	return err
}

// pause is how long a caller waits before it asks again for a busy conversation.
const pause = time.Second

// RetryAfter is what a caller refused with ErrBusy is told to wait.
func RetryAfter() time.Duration { return pause }
