package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/credential"
	"github.com/footbridge/footbridge/bridge/internal/engine"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// Trace is one page of how a conversation went, turn by turn.
type Trace struct {
	Legs []TraceLeg `json:"legs"`
	// Untold are events of before the first turn that is still kept; only on the
	// first page.
	Untold []TraceEvent `json:"untold,omitempty"`
	Turns  []TraceTurn  `json:"turns"`
	Next   *string      `json:"next"`
}

// TraceLeg is one leg, by its id within the conversation.
type TraceLeg struct {
	ID       string     `json:"id"`
	Account  string     `json:"account"`
	Role     event.Role `json:"role"`
	Detached bool       `json:"detached,omitempty"`
}

// TraceTurn is one commit of a conversation.
type TraceTurn struct {
	ID string    `json:"id"`
	At time.Time `json:"at"`
	// Kind is why there was one: frame, deliver, result, try, sent, lost, fired,
	// expired, written, replay, command, open, timer, quiet and others.
	Kind string `json:"kind"`
	// Leg is the one it was a turn of; "" where it was the bridge's own.
	Leg string `json:"leg,omitempty"`
	// Frame is what the vendor sent; only its id where it is no longer kept.
	Frame *Frame `json:"frame,omitempty"`
	// Given is the event the leg was given.
	Given string `json:"given,omitempty"`
	// Ended is how something that was sent went on.
	Ended *TraceEnd `json:"ended,omitempty"`
	// Name is the timer's, the connection's or the dead letter's.
	Name       string          `json:"name,omitempty"`
	Events     []TraceEvent    `json:"events"`
	Sent       []TraceSent     `json:"sent"`
	DeadLetter *TraceLetter    `json:"dead_letter,omitempty"`
	Before     engine.Standing `json:"before"`
	After      engine.Standing `json:"after"`
}

// TraceEvent is an event with what became of it at each leg.
type TraceEvent struct {
	Event      event.Event     `json:"event"`
	Deliveries []TraceDelivery `json:"deliveries"`
}

// TraceDelivery is how an event ended at one leg.
type TraceDelivery struct {
	Leg            string    `json:"leg"`
	Outcome        string    `json:"outcome"`
	Reason         string    `json:"reason,omitempty"`
	MaybeDuplicate bool      `json:"maybe_duplicate,omitempty"`
	At             time.Time `json:"at"`
}

// TraceSent is something that left: a call, a message to a connection (send), an
// answer, a dial or a close. Secrets and headers are not in it.
type TraceSent struct {
	Kind       string `json:"kind"`
	Tag        string `json:"tag,omitempty"`
	Connection string `json:"connection,omitempty"`
	// Frame is the request that is answered.
	Frame  string          `json:"frame,omitempty"`
	Method string          `json:"method,omitempty"`
	URL    string          `json:"url,omitempty"`
	Status int             `json:"status,omitempty"`
	Body   json.RawMessage `json:"body,omitempty"`
	Text   string          `json:"text,omitempty"`
	// Bytes is the whole size where Text is cut.
	Bytes int `json:"bytes,omitempty"`
}

// TraceEnd is how a try, a call, a message or an answer ended. For a try it is
// how the one before did.
type TraceEnd struct {
	// Turn is the one that had it sent, Tag which of what it sent.
	Turn           string          `json:"turn,omitempty"`
	Tag            string          `json:"tag,omitempty"`
	Attempt        int             `json:"attempt,omitempty"`
	Status         int             `json:"status,omitempty"`
	Reason         string          `json:"reason,omitempty"`
	MaybeDuplicate bool            `json:"maybe_duplicate,omitempty"`
	Body           json.RawMessage `json:"body,omitempty"`
	Text           string          `json:"text,omitempty"`
}

// TraceLetter is the dead letter the input became.
type TraceLetter struct {
	ID     string `json:"id"`
	Reason string `json:"reason"`
}

func (a *API) getTrace(w http.ResponseWriter, r *http.Request, _ principal) error {
	p, err := pageOf(r.URL.Query())
	if err != nil {
		return err
	}
	after, err := position(p.after)
	if err != nil {
		return err
	}
	id := r.PathValue("id")
	row, err := a.Journal.Conversation(r.Context(), id)
	if err != nil {
		return err
	}
	turns, err := a.Journal.Turns(r.Context(), id, after, p.limit)
	if err != nil {
		return err
	}
	out := Trace{Legs: []TraceLeg{}, Turns: make([]TraceTurn, 0, len(turns))}
	for i, l := range a.show(row).Legs {
		out.Legs = append(out.Legs, TraceLeg{ID: strconv.Itoa(i + 1), Account: l.Account, Role: l.Role, Detached: l.Detached})
	}
	if err := a.trace(r.Context(), id, turns, after == 0, &out); err != nil {
		return err
	}
	if len(turns) > 0 {
		out.Next = next(len(turns) == p.limit, strconv.FormatInt(turns[len(turns)-1].Number, 10))
	}
	return answer(w, http.StatusOK, out)
}

// trace adds the turns with their events and frames, and on the first page the
// events that are older than they.
func (a *API) trace(ctx context.Context, id string, turns []journal.Turn, first bool, out *Trace) error {
	told := make([]engine.Told, len(turns))
	for i, t := range turns {
		told[i], _ = engine.ReadTold(t.Data) // what a newer program tells shows as far as it is known
	}
	from, to := stretch(told)
	if first {
		from = 1
	}
	if first && to == 0 {
		to = maxLimit
	}
	events, err := a.tracedEvents(ctx, id, from, to)
	if err != nil {
		return err
	}
	for i, t := range turns {
		turn, err := a.showTurn(ctx, id, t, told[i])
		if err != nil {
			return err
		}
		turn.Events = take(events, told[i].First, told[i].First+told[i].Events-1)
		out.Turns = append(out.Turns, turn)
	}
	if first {
		out.Untold = take(events, 1, to)
	}
	return nil
}

// stretch is the first and the last position of the events turns made; 0 if none.
func stretch(told []engine.Told) (from, to int64) {
	for _, t := range told {
		if t.Events > 0 {
			from, to = cmp.Or(from, t.First), t.First+t.Events-1
		}
	}
	return from, to
}

// take takes the events of a stretch out of those that were read.
func take(events map[int64]TraceEvent, from, to int64) []TraceEvent {
	taken := []TraceEvent{}
	for seq := from; seq <= to; seq++ {
		if e, ok := events[seq]; ok {
			taken = append(taken, e)
			delete(events, seq)
		}
	}
	return taken
}

// tracedEvents reads the events from one position to another with what became of
// them.
func (a *API) tracedEvents(ctx context.Context, id string, from, to int64) (map[int64]TraceEvent, error) {
	deliveries, err := a.Journal.Deliveries(ctx, id)
	if err != nil {
		return nil, err
	}
	ends := map[string][]TraceDelivery{}
	for _, d := range deliveries {
		ends[d.Event] = append(ends[d.Event], TraceDelivery{Leg: shortLeg(d.Leg), Outcome: d.Outcome, Reason: d.Reason,
			MaybeDuplicate: d.MaybeDuplicate, At: d.At.UTC()})
	}
	found := map[int64]TraceEvent{}
	for after := from - 1; after >= 0 && after < to; {
		events, err := a.Journal.Events(ctx, id, after, int(min(maxLimit, to-after)))
		if err != nil || len(events) == 0 {
			return found, err
		}
		for _, e := range events {
			after = e.Seq
			found[e.Seq] = TraceEvent{Event: e, Deliveries: append([]TraceDelivery{}, ends[e.ID]...)}
		}
	}
	return found, nil
}

// shortLeg is a leg's id within its conversation.
func shortLeg(full string) string {
	_, short, _ := strings.Cut(full, ".")
	return short
}

func (a *API) showTurn(ctx context.Context, id string, t journal.Turn, told engine.Told) (TraceTurn, error) {
	c := told.Cause
	out := TraceTurn{ID: told.Turn, At: t.At.UTC(), Kind: c.Kind, Leg: shortLeg(t.Leg), Given: c.Event, Name: c.Name,
		Sent: []TraceSent{}, Before: told.Before, After: told.After}
	if c.Of != "" || c.Reason != "" || c.Status != 0 {
		out.Ended = &TraceEnd{Turn: c.Of, Tag: c.Tag, Attempt: c.Attempt, Status: c.Status, Reason: c.Reason, MaybeDuplicate: c.MaybeDuplicate}
		out.Ended.Body, out.Ended.Text = a.showBytes(c.Body)
	}
	for _, s := range told.Sent {
		out.Sent = append(out.Sent, a.showSent(s))
	}
	if told.Dead != nil {
		out.DeadLetter = &TraceLetter{ID: told.Dead.ID, Reason: a.Redact(told.Dead.Reason)}
	}
	if c.Frame == "" {
		return out, nil
	}
	f, err := a.Journal.Frame(ctx, id, c.Frame)
	if errors.Is(err, journal.ErrNotFound) {
		f, err = journal.Frame{ID: c.Frame}, nil // it was too old
	}
	shown := a.showFrame(f)
	out.Frame = &shown
	return out, err
}

// showSent puts a word in the place of secrets and of what stands for them.
func (a *API) showSent(s engine.Sent) TraceSent {
	out := TraceSent{Kind: s.Kind, Tag: s.Tag, Connection: s.Conn, Frame: s.Frame, Method: s.Method,
		URL: a.Redact(credential.Veil(s.URL)), Status: s.Status, Bytes: s.Bytes}
	out.Body, out.Text = a.showBytes([]byte(credential.Veil(string(s.Data))))
	return out
}
