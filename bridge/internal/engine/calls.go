package engine

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
)

// The back-off between tries of a call: doubled each time, with full jitter.
const (
	backoffFirst = 200 * time.Millisecond
	backoffMost  = 30 * time.Second
)

func flight(leg, tag string) string { return leg + "/" + tag }

// try makes one try of a call in its own goroutine.
func (c *convo) try(l *leg, tag string, k *call) {
	c.flying[flight(l.ID, tag)] = true
	leg, account, request := l.ID, l.Account, k.Call
	turn := k.Turn
	c.e.work.Add(1)
	go func() {
		defer c.e.work.Done()
		c.e.fail(PointBeforeCall)
		attempt := c.e.Caller.Call(c.e.ctx, account, turn, request)
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
	v := judge(w.attempt)
	wait := backoff(k.Attempts, w.attempt.RetryAfter)
	if v == verdictFinal || k.Call.Repeat == adapter.RepeatNever && v == verdictUnsure || now().Add(wait).After(k.GiveUp) {
		return c.result(ctx, l, w, k)
	}
	if v == verdictUnsure && k.Call.Repeat != adapter.RepeatKeyed {
		k.MaybeDuplicate = true
		l.dirty = true
	}
	k.resting = true
	c.after(wait, work{kind: workRetry, leg: w.leg, tag: w.tag, call: k})
	return nil
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
	in := adapter.Result{Tag: w.tag, Status: w.attempt.Status, Header: w.attempt.Header, Body: w.attempt.Body,
		Reason: w.attempt.Reason, MaybeDuplicate: k.MaybeDuplicate}
	if d := l.doc.Delivery; d != nil && k.Serves && k.MaybeDuplicate {
		d.MaybeDuplicate = true
	}
	done, err := c.take(ctx, l, fmt.Sprintf("result/%s/%s/%s", fullID(c.id, l.ID), w.tag, k.Turn), in, "")
	if !done && err == nil {
		c.queue = append([]work{w}, c.queue...)
	}
	return err
}

// onRetry journals the next try of a call and makes it.
func (c *convo) onRetry(ctx context.Context, w work) error {
	l, k := c.callOf(w)
	if k == nil || !k.resting {
		return nil
	}
	k.resting = false
	k.Attempts++
	l.dirty = true
	b := c.begin(fmt.Sprintf("try/%s/%s/%d", fullID(c.id, l.ID), w.tag, k.Attempts))
	b.then(func() { c.try(l, w.tag, k) })
	return b.finish(ctx)
}

// recover takes up the calls that were under way when the process before this
// one ended: what they came to is not known.
func (c *convo) recover(ctx context.Context) error {
	for _, id := range c.order {
		l := c.legs[id]
		for tag := range l.doc.Calls {
			c.flying[flight(id, tag)] = true
			c.queue = append(c.queue, work{kind: workAttempt, leg: id, tag: tag, attempt: Attempt{Reason: adapter.ReasonUnknown}})
		}
		for _, h := range l.doc.Held {
			if !h.Lost {
				h.Lost, l.dirty = true, true
			}
		}
	}
	return ctx.Err()
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
