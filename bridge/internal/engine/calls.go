package engine

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

// The back-off between tries of a call: doubled each time, with full jitter.
const (
	backoffFirst = 200 * time.Millisecond
	backoffMost  = 30 * time.Second
)

// try makes one try of a call in its own goroutine.
func (c *convo) try(l *leg, tag string, k *call) {
	leg, account, request := l.ID, l.Account, k.request()
	turn, tokens := k.Turn, maps.Clone(l.doc.Tokens)
	ctx, cancel := context.WithDeadline(c.e.ctx, k.GiveUp)
	c.e.work.Add(1)
	go func() {
		defer c.e.work.Done()
		defer cancel()
		c.e.fail(PointBeforeCall)
		attempt := c.e.Caller.Call(ctx, account, turn, tokens, request)
		c.e.fail(PointAfterCall)
		if c.e.ctx.Err() == nil {
			_ = c.e.post(c.id, work{kind: workAttempt, leg: leg, tag: tag, call: k, attempt: attempt})
		}
	}()
}

// verdict says what a try means for its call.
type verdict int

const (
	verdictFinal  verdict = iota // this is the result
	verdictUnsent                // nothing left us: try again
	verdictUnsure                // the vendor may have acted
)

func judge(a Attempt) verdict {
	switch a.Reason {
	case "":
		if a.Status >= 500 {
			return verdictUnsure
		}
		if a.Status == 429 {
			return verdictUnsent
		}
		return verdictFinal
	case adapter.ReasonUnknown:
		return verdictUnsure
	case adapter.ReasonBreakerOpen, adapter.ReasonRefused, adapter.ReasonTimeout:
		return verdictUnsent
	}
	return verdictFinal
}

// onAttempt deals with the end of a try: again later, or the call's Result.
func (c *convo) onAttempt(ctx context.Context, w work) error {
	l, k := c.callOf(w)
	if k == nil {
		return nil
	}
	v, err := c.weigh(ctx, l, k, w.attempt)
	if err != nil {
		return err
	}
	if k.Attempts > 1 && (v == verdictFinal && w.attempt.Reason == "") {
		c.e.Reached(l.Account)
	}
	wait := backoff(k.Attempts, w.attempt.RetryAfter)
	if w.attempt.RetryAfter > 0 {
		c.e.lanes.hold(k.lane(l), now().Add(w.attempt.RetryAfter))
	}
	if v == verdictUnsure && k.Call.Repeat == adapter.RepeatReadback && !k.Reading {
		c.look(l, w.tag, k)
	}
	switch {
	case v == verdictUnsent && l.cut(k):
		w.attempt = Attempt{Reason: adapter.ReasonCancelled}
		return c.result(ctx, l, w, k)
	case v == verdictFinal, l.cut(k), k.Call.Repeat == adapter.RepeatNever && v == verdictUnsure, now().Add(wait).After(k.GiveUp):
		return c.result(ctx, l, w, k)
	}
	wait = time.Until(c.inLane(l, k, now().Add(wait)))
	l.dirty = true
	k.resting, k.Unsent, k.last = true, v == verdictUnsent, w.attempt
	k.MaybeDuplicate = k.MaybeDuplicate || v == verdictUnsure && !k.Reading && k.Call.Repeat != adapter.RepeatKeyed
	c.after(wait, work{kind: workRetry, leg: w.leg, tag: w.tag, call: k})
	if !k.Unsent {
		return nil // the next commit will do: a restart takes it for unknown too
	}
	return c.begin(fmt.Sprintf("rest/%s/%s/%d", fullID(c.id, l.ID), w.tag, k.Attempts)).finish(ctx)
}

// cut reports whether the conversation goes on without the call.
func (l *leg) cut(k *call) bool { return k.Of < l.doc.Cut }

// weigh judges a try. A hand-off does not wait for a breaker to close: the next
// backend is asked.
func (c *convo) weigh(ctx context.Context, l *leg, k *call, a Attempt) (verdict, error) {
	d := l.doc.Delivery
	if a.Reason != adapter.ReasonBreakerOpen || !k.Serves || d == nil || l.Role != event.RoleLiveAgent {
		return judge(a), nil
	}
	e, err := c.event(ctx, d.Seq)
	if err == nil && e.Kind() == event.KindHandoffRequested {
		return verdictFinal, nil
	}
	return judge(a), err
}

// callOf finds the call a piece of work is about; nil when it has ended since.
func (c *convo) callOf(w work) (*leg, *call) {
	l := c.legs[w.leg]
	if l == nil {
		return nil, nil
	}
	k := l.doc.Calls[w.tag]
	if w.call != nil && w.call != k {
		return l, nil
	}
	return l, k
}

// result gives the adapter the end of a call.
func (c *convo) result(ctx context.Context, l *leg, w work, k *call) error {
	end := k.outcome(w.attempt)
	in := adapter.Result{Tag: w.tag, Status: end.Status, Header: end.Header, Body: l.capture(k.request(), end),
		Reason: end.Reason, MaybeDuplicate: k.MaybeDuplicate}
	if k.Reading {
		in.Reason = adapter.ReasonUnknown
	}
	if d := l.doc.Delivery; d != nil && k.Serves && k.MaybeDuplicate {
		d.MaybeDuplicate = true
	}
	id := fmt.Sprintf("result/%s/%s/%s", fullID(c.id, l.ID), w.tag, k.Turn)
	done, err := c.take(ctx, l, turn{id: id, in: in})
	if !done && err == nil {
		c.again(w)
	}
	return err
}

// onRetry journals the next try of a call and makes it.
func (c *convo) onRetry(ctx context.Context, w work) error {
	l, k := c.callOf(w)
	if k == nil || !k.resting {
		return nil
	}
	if at := now(); c.e.lanes.isHeld(k.lane(l), at) && at.Before(k.GiveUp) {
		c.after(c.inLane(l, k, at).Sub(at), w)
		return nil
	}
	k.resting, k.Unsent = false, false
	k.Attempts++
	l.dirty = true
	b := c.begin(fmt.Sprintf("try/%s/%s/%d", fullID(c.id, l.ID), w.tag, k.Attempts))
	b.caused(l, Cause{Of: k.Turn, Tag: w.tag, Attempt: k.Attempts, Status: k.last.Status, Reason: k.last.Reason, MaybeDuplicate: k.MaybeDuplicate})
	b.then(func() { c.try(l, w.tag, k) })
	return b.finish(ctx)
}

// recover takes up what was under way when the process before this one ended:
// what a call came to is not known, unless it was between two tries.
func (c *convo) recover(ctx context.Context) error {
	for _, id := range c.order {
		l := c.legs[id]
		for _, tag := range slices.Sorted(maps.Keys(l.doc.Calls)) {
			w := work{kind: workAttempt, leg: id, tag: tag, call: l.doc.Calls[tag], attempt: Attempt{Reason: adapter.ReasonUnknown}}
			if w.call.Reading {
				c.look(l, tag, w.call)
			}
			if w.call.Call.Binds {
				c.binds(l, tag, w.call.GiveUp)
			}
			if w.call.Unsent {
				w.attempt.Reason = adapter.ReasonRefused
			}
			c.queue = append(c.queue, w)
		}
		c.recoverLinks(l)
		for request, h := range l.doc.Held {
			if !h.Lost && !c.e.awaited(request) {
				h.Lost, l.dirty = true, true
			}
		}
	}
	return c.recoverReplays(ctx)
}

// after posts work when a time has passed, unless the engine closes before.
func (c *convo) after(d time.Duration, w work) {
	time.AfterFunc(d, func() { _ = c.e.post(c.id, w) })
}

// backoff is the pause before the next try. What the far side asked for counts.
func backoff(attempts int, asked time.Duration) time.Duration {
	most := min(backoffFirst<<min(attempts, 10), backoffMost)
	wait := backoffFirst/2 + rand.N(most)
	return max(wait, asked)
}
