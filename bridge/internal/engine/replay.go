package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// ErrReplayed says a dead letter was replayed before.
var ErrReplayed = errors.New("dead letter was replayed already")

// Replay gives a dead letter's input to its adapter once more, for an operator
// who has mended what was wrong. Its events get the ids they would have had, so
// that replaying twice changes nothing. It returns when the turn is under way,
// not when it is done.
func (e *Engine) Replay(ctx context.Context, id string) error {
	d, err := e.Journal.DeadLetter(ctx, id)
	if err != nil {
		return err
	}
	if !d.Replayed.IsZero() {
		return ErrReplayed
	}
	var stored storedInput
	if err := json.Unmarshal(d.Input, &stored); err != nil {
		return fmt.Errorf("dead letter %s cannot be read: %w", id, err)
	}
	w := work{kind: workInput, leg: shortID(d.Leg), turn: "replay/" + id, input: stored.input()}
	if stored.Event != "" {
		w = work{kind: workRedeliver, leg: shortID(d.Leg), tag: stored.Event}
	} else if w.input == nil {
		return fmt.Errorf("dead letter %s is of a kind this version does not know", id)
	}
	if err := e.Journal.MarkReplayed(ctx, id, time.Now().UTC()); err != nil {
		return err
	}
	return e.post(d.Conversation, w)
}

// input is the input a dead letter kept. A request's caller has long had its
// answer.
func (s storedInput) input() adapter.Input {
	switch {
	case s.Request != nil:
		r := *s.Request
		r.ReplyBy = time.Time{}
		return r
	case s.Result != nil:
		return *s.Result
	case s.Fired != nil:
		return *s.Fired
	case s.Expired != nil:
		return *s.Expired
	}
	return nil
}

// onRedeliver puts an event at the end of a leg's queue again.
func (c *convo) onRedeliver(ctx context.Context, w work) error {
	l := c.legs[w.leg]
	e, err := c.e.Journal.Event(ctx, w.tag)
	if l == nil || errors.Is(err, journal.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	l.doc.Queue = append(l.doc.Queue, e.Seq)
	l.dirty = true
	return c.begin("redeliver/" + w.tag + "/" + fmt.Sprint(c.version)).finish(ctx)
}
