package engine

import (
	"encoding/json"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/pointer"
)

// What is kept of bytes that left or were answered, of each at most.
const (
	mostSent     = 64 << 10
	mostAnswered = 4 << 10
)

// Told is what one commit was, as the journal keeps it: what came, what was sent
// and how the conversation stood before and after. Secrets are in none of it: what
// adapters send has placeholders in their place.
type Told struct {
	// Turn is the id the commit's events derive from.
	Turn  string `json:"turn"`
	Cause Cause  `json:"cause"`
	// First is the position of its first event, Events how many there are.
	First  int64  `json:"first,omitempty"`
	Events int64  `json:"events,omitempty"`
	Sent   []Sent `json:"sent,omitempty"`
	// Dead says the input became a dead letter.
	Dead   *Dead    `json:"dead,omitempty"`
	Before Standing `json:"before,omitzero"`
	After  Standing `json:"after,omitzero"`
}

// causeReconcile is the Kind of a turn in which an adapter reads back.
const causeReconcile = "reconcile"

// Cause is why there was a commit. Kind is how the turn's id begins: frame,
// deliver, result, try, sent, lost, fired, expired, written, reconcile and replay have the
// fields that say more; others, such as command, open, timer and quiet, have none.
type Cause struct {
	Kind  string `json:"kind"`
	Frame string `json:"frame,omitempty"`
	// Event is the one the leg is given.
	Event string `json:"event,omitempty"`
	// Of is the turn that asked for the call or send with this Tag.
	Of  string `json:"of,omitempty"`
	Tag string `json:"tag,omitempty"`
	// Attempt counts the tries of a call from 1.
	Attempt int `json:"attempt,omitempty"`
	// Status, Reason and Body are how it ended: for a try how the one before did.
	Status int    `json:"status,omitempty"`
	Reason string `json:"reason,omitempty"`
	Body   []byte `json:"body,omitempty"`
	// MaybeDuplicate says the vendor may have had it twice.
	MaybeDuplicate bool `json:"maybe_duplicate,omitempty"`
	// Name is a timer's, a connection's or a dead letter's.
	Name string `json:"name,omitempty"`
}

// Sent is something a turn had leave us: a call, a message to a connection (send),
// an answer, a dial or a close.
type Sent struct {
	Kind string `json:"kind"`
	Tag  string `json:"tag,omitempty"`
	// Conn is the connection, Frame the request that is answered.
	Conn   string `json:"conn,omitempty"`
	Frame  string `json:"frame,omitempty"`
	Method string `json:"method,omitempty"`
	URL    string `json:"url,omitempty"`
	Status int    `json:"status,omitempty"`
	Data   []byte `json:"data,omitempty"`
	// Bytes is the size where Data was cut.
	Bytes int `json:"bytes,omitempty"`
}

// Dead names a dead letter.
type Dead struct {
	ID     string `json:"id"`
	Reason string `json:"reason"`
}

// Standing is how a conversation stands: its state, and who may speak to the
// customer.
type Standing struct {
	State string     `json:"state,omitempty"`
	Owner event.Role `json:"owner,omitempty"`
}

// ReadTold reads what a commit was; false where it cannot be read.
func ReadTold(data []byte) (Told, bool) {
	var t Told
	return t, json.Unmarshal(data, &t) == nil
}

func (c *convo) standing() Standing {
	return Standing{State: string(c.doc.Machine.Phase), Owner: c.doc.Machine.Owner.Role}
}

// caused notes what a turn was about.
func (b *batch) caused(l *leg, by Cause) {
	by.Kind, _, _ = strings.Cut(b.id, "/")
	b.told.Cause, b.commit.Told.Leg = by, fullID(b.c.id, l.ID)
}

// causeOf is what a turn's input says of why it is taken.
func (c *convo) causeOf(l *leg, t turn) Cause {
	by := Cause{Frame: t.frame}
	switch in := t.in.(type) {
	case adapter.Deliver:
		by.Event, by.MaybeDuplicate = in.Event.ID, in.MaybeDuplicate
	case adapter.Result:
		by.Tag, by.Status, by.Reason, by.MaybeDuplicate = in.Tag, in.Status, in.Reason, in.MaybeDuplicate
		by.Body = cutShort(pointer.MaskText(in.Body, c.e.setup.Load().Accounts[l.Account].Profile.Masks()), mostAnswered)
		if k := l.doc.Calls[in.Tag]; k != nil {
			by.Of, by.Attempt = k.Turn, k.Attempts
		}
	case adapter.Sent:
		by.Tag, by.Reason = in.Tag, in.Outcome
		if s := l.doc.Sends[in.Tag]; s != nil {
			by.Of = s.Turn
		}
	case adapter.Closed:
		by.Name, by.Reason, by.Status = in.Conn, in.Reason, in.Status
	case adapter.Fired:
		by.Name = in.Timer
	case adapter.Expired:
		by.Frame, by.Reason = in.Request, in.Reason
	}
	if letter, replayed := strings.CutPrefix(t.id, "replay/"); replayed {
		by.Name = letter
	}
	return by
}

// leaves notes what an adapter had leave us, before secrets are put into it.
func (b *batch) leaves(effect adapter.Effect) {
	var s Sent
	switch x := effect.(type) {
	case adapter.Calling:
		s = sentData("call", x.Call.Content())
		s.Tag, s.Method, s.URL = x.Tag, x.Call.Method, x.Call.URL
	case adapter.Sending:
		s = sentData("send", x.Data)
		s.Tag, s.Conn = x.Tag, x.Conn
	case adapter.Answer:
		s = sentData("answer", x.Reply.Body)
		s.Frame, s.Status = x.Request, x.Reply.Status
	case adapter.Dialing:
		s = Sent{Kind: "dial", Conn: x.Conn, URL: x.Dial.URL}
	case adapter.Closing:
		s = Sent{Kind: "close", Conn: x.Conn, Status: x.Code}
	default:
		return
	}
	b.told.Sent = append(b.told.Sent, s)
}

func sentData(kind string, data []byte) Sent {
	s := Sent{Kind: kind, Data: cutShort(data, mostSent)}
	if len(s.Data) < len(data) {
		s.Bytes = len(data)
	}
	return s
}

func cutShort(data []byte, most int) []byte { return data[:min(len(data), most)] }

// readIdly reports whether the commit is of a read back, or its answer, that brought
// nothing: such turns come every few minutes, and nobody wants to see them all.
func (b *batch) readIdly() bool {
	t := &b.told
	if len(b.commit.Events)+len(b.commit.DeadLetters) > 0 || t.Before != t.After {
		return false
	}
	return t.Cause.Kind == causeReconcile || strings.HasPrefix(t.Cause.Of, causeReconcile+"/") && len(t.Sent) == 0
}

// tell puts what the commit was into it. What came of nothing and changed nothing
// is not told, nor is what only passed by.
func (b *batch) tell() error {
	t := &b.told
	t.Turn, t.After = b.id, b.c.standing()
	if n := len(b.commit.Events); n > 0 {
		t.First, t.Events = b.commit.Events[0].Seq, int64(n)
	}
	for _, d := range b.commit.DeadLetters {
		t.Dead = &Dead{ID: d.ID, Reason: d.Reason}
	}
	if b.readIdly() {
		return nil
	}
	if (b.passes || t.Cause.Kind == "") && t.Events == 0 && len(t.Sent) == 0 && t.Dead == nil && t.Before == t.After {
		return nil
	}
	t.Cause.Kind, _, _ = strings.Cut(b.id, "/")
	data, err := encode(t)
	b.commit.Told.Data = data
	return err
}
