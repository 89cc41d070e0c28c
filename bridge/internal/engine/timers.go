package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/conversation"
)

// due deals with the first deadline that has passed.
func (c *convo) due(ctx context.Context, at time.Time) (bool, error) {
	for _, name := range slices.Sorted(maps.Keys(c.doc.Machine.Deadlines)) {
		if !at.Before(c.doc.Machine.Deadlines[name]) {
			return true, c.expire(ctx, name)
		}
	}
	if due := c.doc.answerDue(); !due.IsZero() && !at.Before(due) {
		return true, c.beQuiet(ctx)
	}
	if _, s := c.doc.oldest(); !s.Due.IsZero() && !at.Before(s.Due) {
		return true, c.lapseStream(ctx)
	}
	for _, id := range c.order {
		l := c.legs[id]
		if at.Before(c.stalled[id]) {
			continue
		}
		if read := c.readBackAt(l); !read.IsZero() && !at.Before(read) {
			return true, c.readBack(ctx, l)
		}
		for _, name := range slices.Sorted(maps.Keys(l.doc.Timers)) {
			if !at.Before(l.doc.Timers[name]) {
				return true, c.fire(ctx, l, name)
			}
		}
		for _, request := range slices.Sorted(maps.Keys(l.doc.Held)) {
			if !at.Before(c.heldUntil(l, l.doc.Held[request])) {
				return true, c.lapse(ctx, l, request)
			}
		}
	}
	return false, nil
}

// expire gives the machine a deadline of its own.
func (c *convo) expire(ctx context.Context, name conversation.TimerName) error {
	b := c.begin(fmt.Sprintf("timer/%s/%s/%d", c.id, name, c.version))
	at := c.doc.Machine.Deadlines[name]
	b.decide(conversation.Input{Timer: name, Actor: event.Actor{Role: event.RoleSystem}}, origin{})
	if c.doc.Machine.Deadlines[name].Equal(at) {
		delete(c.doc.Machine.Deadlines, name) // the machine had no use for it
	}
	return b.finish(ctx)
}

// fire gives an adapter its timer.
func (c *convo) fire(ctx context.Context, l *leg, name string) error {
	id := fmt.Sprintf("fired/%s/%s/%d", fullID(c.id, l.ID), name, l.doc.Turns)
	_, err := c.take(ctx, l, turn{id: id, in: adapter.Fired{Timer: name}})
	return err
}
