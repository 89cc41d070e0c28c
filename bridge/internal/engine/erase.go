package engine

import (
	"context"
	"errors"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/conversation"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// ReasonErased is why a conversation ends that is erased while it runs.
const ReasonErased = "erased"

const (
	// erasePatience is how long the far sides of a conversation that is erased may
	// take to hear of its end; what they have not heard by then has the outcome
	// erased.
	erasePatience = 5 * time.Second
	erasePause    = 20 * time.Millisecond
)

// errUnsettled says something of the conversation is still under way.
var errUnsettled = errors.New("conversation has something under way")

// erasure asks a conversation's worker to erase it.
type erasure struct {
	why   journal.Audit
	until time.Time
	done  chan error
}

func (k *erasure) tell(err error) {
	select {
	case k.done <- err:
	default:
	}
}

// Erase ends a conversation if it runs, waits a few seconds until its far sides
// have heard of that, and destroys its content for good. Erasing again changes
// nothing; journal.ErrNotFound means there is no such conversation. The caller
// empties the journal's log when all is erased.
func (e *Engine) Erase(ctx context.Context, id string, why journal.Audit) error {
	_, err := e.Do(ctx, Command{Conversation: id, Role: event.RoleSystem, Actor: event.Actor{Role: event.RoleSystem},
		Body: event.ConversationEnded{Reason: ReasonErased, By: event.RoleSystem}})
	if err == nil || refused(err) {
		err = e.eraseSettled(ctx, id, why)
	}
	for _, final := range []error{nil, journal.ErrNotFound, journal.ErrClosed, ErrClosed, ErrBusy, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, final) {
			return err
		}
	}
	return e.Journal.Erase(ctx, id, why) // no worker can work for it: erased, damaged
}

// refused reports whether the conversation had ended already.
func refused(err error) bool {
	var r *Refusal
	return errors.As(err, &r) && r.Reason == conversation.RefusedEnded
}

// eraseSettled asks the worker until nothing is under way, or for so long.
func (e *Engine) eraseSettled(ctx context.Context, id string, why journal.Audit) error {
	k := &erasure{why: why, until: time.Now().Add(erasePatience), done: make(chan error, 1)}
	for {
		if err := e.post(id, work{kind: workErase, erasure: k}); err != nil {
			return err
		}
		select {
		case err := <-k.done:
			if !errors.Is(err, errUnsettled) {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
		select {
		case <-time.After(erasePause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// onErase erases the conversation once it is settled, or its time is over. The
// error it ends with makes the worker forget the conversation.
func (c *convo) onErase(ctx context.Context, w work) error {
	if time.Now().Before(w.erasure.until) && (!c.settled() || len(c.queue) > 0) {
		w.erasure.tell(errUnsettled)
		return nil
	}
	b := c.begin("erase/" + c.id)
	for _, id := range c.order {
		b.eraseLeg(c.legs[id])
	}
	err := b.finish(ctx)
	if err == nil {
		err = c.e.Journal.Erase(ctx, c.id, w.erasure.why)
	}
	w.erasure.tell(err)
	if err != nil {
		return err
	}
	c.e.wakeAt(c.id, time.Time{})
	return journal.ErrErased
}

// eraseLeg gives everything the leg was still to get its outcome, lets go of its
// connections and answers who waits.
func (b *batch) eraseLeg(l *leg) {
	seqs := l.doc.Queue
	if d := l.doc.Delivery; d != nil {
		seqs = append([]int64{d.Seq}, seqs...)
	}
	for _, seq := range seqs {
		e, err := b.c.event(b.ctx, seq)
		if err != nil {
			b.err = err
			return
		}
		b.outcome(l, e.ID, journal.Erased, "", false)
	}
	leg := fullID(b.c.id, l.ID)
	for conn := range l.doc.Conns {
		b.then(func() { b.c.e.hangUp(leg, conn, websocketNormal) })
	}
	for frame := range l.doc.Held {
		b.then(func() { b.c.e.deliverReply(frame, reply{declared: true}) })
	}
	l.doc = legDocument{Key: l.doc.Key}
	l.dirty = true
}
