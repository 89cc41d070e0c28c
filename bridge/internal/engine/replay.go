package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/internal/conversation"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// ErrReplayed says a dead letter was replayed before.
var ErrReplayed = errors.New("dead letter was replayed already")

// letter is a dead letter on its way to be replayed.
type letter struct {
	journal.DeadLetter
	input storedInput
	// done is told when the replay is stored; nil where nobody asks.
	done chan error
}

// tell answers whoever asked for the replay, once.
func (l *letter) tell(err error) {
	select {
	case l.done <- err:
	default:
	}
}

// Replay gives a dead letter's input to its adapter once more, for an operator
// who has mended what was wrong. It returns when the replay is stored and will
// happen, whatever befalls; ErrReplayed says it was asked for before, so that
// replaying twice changes nothing. An event for a leg that has left is refused.
func (e *Engine) Replay(ctx context.Context, id string) error {
	l, err := e.letter(ctx, id)
	switch {
	case err != nil:
		return err
	case !l.Replayed.IsZero():
		return ErrReplayed
	}
	l.done = make(chan error, 1)
	if err := e.post(l.Conversation, work{kind: workReplay, letter: l}); err != nil {
		return err
	}
	select {
	case err = <-l.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	if err != nil && !errors.Is(err, ErrReplayed) {
		return err
	}
	return errors.Join(err, e.Journal.MarkReplayed(ctx, id, time.Now().UTC()))
}

func (e *Engine) letter(ctx context.Context, id string) (*letter, error) {
	d, err := e.Journal.DeadLetter(ctx, id)
	if err != nil {
		return nil, err
	}
	l := &letter{DeadLetter: d}
	if err := json.Unmarshal(d.Input, &l.input); err != nil {
		return nil, fmt.Errorf("dead letter %s cannot be read: %w", id, err)
	}
	if l.input.Event == "" && l.input.input() == nil {
		return nil, fmt.Errorf("dead letter %s is of a kind this version does not know", id)
	}
	return l, nil
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
	case s.Opened != nil:
		return *s.Opened
	case s.Frame != nil:
		return *s.Frame
	case s.Closed != nil:
		return *s.Closed
	case s.Sent != nil:
		return *s.Sent
	case s.Reconcile != nil:
		return *s.Reconcile
	}
	return nil
}

// readInput reads the input of a stored frame; nil when it cannot be read.
func readInput(data []byte) adapter.Input {
	var s storedInput
	switch err := json.Unmarshal(data, &s); {
	case err != nil:
		return nil
	case s.Request != nil:
		return *s.Request
	}
	return s.input()
}

// onReplay stores that a dead letter is to be replayed, once.
func (c *convo) onReplay(ctx context.Context, w work) error {
	l := c.legs[shortID(w.letter.Leg)]
	_, before := c.doc.Replays[w.letter.ID]
	switch {
	case before:
		w.decline(ErrReplayed)
		return nil
	case l == nil || w.letter.input.Event != "" && l.Detached:
		w.decline(&Refusal{conversation.RefusedDetached})
		return nil
	}
	b := c.begin(fmt.Sprintf("replays/%s/%d", w.letter.ID, c.version))
	if err := c.replay(ctx, l, w.letter); err != nil {
		w.decline(err)
		return err
	}
	if err := b.finish(ctx); err != nil {
		w.decline(err)
		return err
	}
	w.letter.tell(nil)
	return nil
}

// replay puts an event at the end of the leg's queue again, and any other input
// in line for its turn.
func (c *convo) replay(ctx context.Context, l *leg, d *letter) error {
	if c.doc.Replays == nil {
		c.doc.Replays = map[string]bool{}
	}
	c.doc.Replays[d.ID] = d.input.Event != ""
	if d.input.Event == "" {
		c.queue = append(c.queue, work{kind: workInput, leg: l.ID, letter: &letter{DeadLetter: d.DeadLetter, input: d.input}})
		return nil
	}
	e, err := c.e.Journal.Event(ctx, d.input.Event)
	if err != nil {
		return err
	}
	if l.doc.Again == nil {
		l.doc.Again = map[int64]int{}
	}
	l.doc.Again[e.Seq] += againStep
	l.doc.Queue = append(l.doc.Queue, e.Seq)
	l.dirty = true
	return nil
}

// againStep parts the attempts of one giving of an event from those of the next,
// so that their turns have different ids.
const againStep = 1_000_000

// onInput gives an adapter the input of a dead letter.
func (c *convo) onInput(ctx context.Context, w work) error {
	l := c.legs[w.leg]
	if l == nil {
		return nil
	}
	before := c.doc.Replays[w.letter.ID]
	c.doc.Replays[w.letter.ID] = true
	done, err := c.take(ctx, l, turn{id: "replay/" + w.letter.ID, in: w.letter.input.input(), replay: true})
	if !done && err == nil {
		c.doc.Replays[w.letter.ID] = before
		c.again(work{kind: workInput, leg: w.leg, letter: w.letter})
	}
	return err
}

// recoverReplays takes up the replays that have not had their turn.
func (c *convo) recoverReplays(ctx context.Context) error {
	for _, id := range c.doc.pendingReplays() {
		d, err := c.e.letter(ctx, id)
		if err != nil {
			return fmt.Errorf("take up the replay of dead letter %s: %w", id, err)
		}
		c.queue = append(c.queue, work{kind: workInput, leg: shortID(d.Leg), letter: d})
	}
	return ctx.Err()
}
