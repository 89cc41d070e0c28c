package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// reply is what a waiting request gets. Declared says the endpoint's own failure
// is to be used.
type reply struct {
	adapter.Reply
	declared bool
}

// Await waits for the answer to a request of an endpoint that replies. ok is
// false when there is none in time; the endpoint's declared failure is then the
// answer. The caller says with Written what became of it.
func (e *Engine) Await(ctx context.Context, r Receipt) (adapter.Reply, bool) {
	defer e.leave(r)
	select {
	case got := <-r.answer:
		return got.Reply, !got.declared
	case <-ctx.Done():
		return adapter.Reply{}, false
	}
}

// Written says whether the answer to a request reached the vendor. An answer
// that did not is kept for the vendor's next try.
func (e *Engine) Written(r Receipt, ok bool) {
	kind := workWritten
	if !ok {
		kind = workUnwritten
	}
	e.fail(PointAfterReply)
	_ = e.post(r.Conversation, work{kind: kind, leg: r.Leg, tag: r.Frame})
}

func (e *Engine) wait(frame string) chan reply {
	ch := make(chan reply, 1)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.waiters[frame] = append(e.waiters[frame], ch)
	return ch
}

// awaited reports whether the vendor's connection is still there.
func (e *Engine) awaited(frame string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.waiters[frame]) > 0
}

func (e *Engine) leave(r Receipt) {
	e.mu.Lock()
	defer e.mu.Unlock()
	waiting := e.waiters[r.Frame]
	for i, ch := range waiting {
		if ch == r.answer {
			waiting = append(waiting[:i:i], waiting[i+1:]...)
		}
	}
	if len(waiting) == 0 {
		delete(e.waiters, r.Frame)
		return
	}
	e.waiters[r.Frame] = waiting
}

// deliverReply hands a committed answer to whoever waits for it.
func (e *Engine) deliverReply(frame string, r reply) {
	e.mu.Lock()
	defer e.mu.Unlock()
	give(e.waiters[frame], r)
}

// give hands an answer to those who wait and have none yet.
func give(waiting []chan reply, r reply) {
	for _, ch := range waiting {
		select {
		case ch <- r:
		default:
		}
	}
}

// mayAnswer lets the turn answer or hold the request of its input, beside those
// held already: not one that was acknowledged, and not one that is lost.
func (b *batch) mayAnswer(in adapter.Input) {
	switch in := in.(type) {
	case adapter.Request:
		if !in.ReplyBy.IsZero() {
			b.owing, b.until, b.asked = in.ID, in.ReplyBy, in.Endpoint
		}
	case adapter.Expired:
		if in.Reason == adapter.ExpiredDeadline {
			b.owing = in.Request
		}
	}
}

// hold keeps a request open past its turn; nil for a request that is not open.
func (b *batch) hold(l *leg, request string) *held {
	if h := l.doc.Held[request]; h != nil || request != b.owing || request == "" {
		return h
	}
	h := &held{ReplyBy: b.until, Lost: !b.c.e.awaited(request) || b.until.Before(b.at), Once: b.once(l)}
	if b.until.IsZero() {
		return h // it has expired: this is its last chance
	}
	if l.doc.Held == nil {
		l.doc.Held = map[string]*held{}
	}
	l.doc.Held[request] = h
	return h
}

// once reports whether a request at the endpoint cannot be known when it comes
// again: its answer is lost with its connection.
func (b *batch) once(l *leg) bool {
	for _, e := range b.c.e.setup.Load().Accounts[l.Account].Profile.Endpoints {
		if e.Name == b.asked {
			return e.Dedup == ""
		}
	}
	return false
}

// requireAnswer sees to it that a request at a replying endpoint is answered or
// held.
func (b *batch) requireAnswer(l *leg, r adapter.Request) {
	if _, answered := b.commit.Replies[r.ID]; !answered && !r.ReplyBy.IsZero() && l.doc.Held[r.ID] == nil {
		b.refuseHeld(r.ID)
	}
}

// answer stores the reply and lets the vendor have it after the commit. A success
// stays owed until it is written.
func (b *batch) answer(l *leg, x adapter.Answer) {
	x.Reply.Body = b.fillMinted(x.Reply.Body)
	data, err := json.Marshal(x.Reply)
	if err != nil {
		b.err = fmt.Errorf("encode reply: %w", err)
		return
	}
	h := b.hold(l, x.Request)
	if h == nil || h.Answered {
		b.c.e.Logger.Warn("answer dropped: its request is not open", "conversation", b.c.id, "account", l.Account)
		return
	}
	h.Answered = true
	if x.Request == b.owing {
		b.owing = ""
	}
	if x.Reply.Status < 200 || x.Reply.Status > 299 {
		delete(l.doc.Held, x.Request)
	}
	if b.commit.Replies == nil {
		b.commit.Replies = map[string][]byte{}
	}
	b.commit.Replies[x.Request] = data
	l.dirty = true
	b.then(func() { b.c.e.deliverReply(x.Request, reply{Reply: x.Reply}) })
}

// refuseHeld gives whoever waits for the frame the endpoint's declared failure.
func (b *batch) refuseHeld(frame string) {
	b.then(func() { b.c.e.deliverReply(frame, reply{declared: true}) })
}

// heldUntil is when an answer still owed is given up.
func (c *convo) heldUntil(l *leg, h *held) time.Time {
	if !h.Lost {
		return h.ReplyBy.Add(answerGrace(h))
	}
	if h.Once && !h.Answered {
		return time.UnixMilli(1) // at once: what it was kept open for is for the next
	}
	return h.ReplyBy.Add(c.e.setup.Load().Accounts[l.Account].Profile.RetryWithin)
}

// answerGrace is the time an answer that is committed may take to be written.
func answerGrace(h *held) time.Duration {
	if h.Answered {
		return 5 * time.Second
	}
	return 0
}

// lapse gives up an answer still owed.
func (c *convo) lapse(ctx context.Context, l *leg, request string) error {
	h := l.doc.Held[request]
	reason := adapter.ExpiredDeadline
	if h.Lost || h.Answered {
		reason = adapter.ExpiredLost
	}
	id := fmt.Sprintf("expired/%s/%s/%s", fullID(c.id, l.ID), request, reason)
	done, err := c.take(ctx, l, turn{id: id, in: adapter.Expired{Request: request, Reason: reason}})
	if done && err == nil {
		c.e.deliverReply(request, reply{declared: true})
	}
	return err
}

// onAttached keeps a request open for the vendor who asks for its answer again.
// One that will have no answer any more gets the declared failure.
func (c *convo) onAttached(ctx context.Context, w work) error {
	l := c.legs[w.leg]
	if l == nil || c.pending(w.tag) {
		return nil
	}
	h := l.doc.Held[w.tag]
	if h == nil && w.tries == 0 {
		// The first request may have been stored only just now.
		w.tries++
		c.after(pause/4, w)
		return nil
	}
	if h == nil || h.Answered {
		r := reply{declared: true}
		if stored, err := c.e.Journal.Reply(ctx, w.tag); err == nil {
			r = committedReply(stored)
		}
		c.e.deliverReply(w.tag, r)
		return nil
	}
	h.ReplyBy, h.Lost = later(h.ReplyBy, w.until), false
	l.dirty = true
	return c.begin(fmt.Sprintf("attached/%s/%s/%d", c.id, w.tag, c.version)).finish(ctx)
}

// pending reports whether a frame still waits for its turn.
func (c *convo) pending(frame string) bool {
	return slices.ContainsFunc(c.queue, func(w work) bool { return w.kind == workFrame && w.frame.ID == frame })
}

// onWritten notes that an answer reached the vendor, or did not.
func (c *convo) onWritten(ctx context.Context, w work) error {
	l := c.legs[w.leg]
	if l == nil || l.doc.Held[w.tag] == nil {
		return nil
	}
	if w.kind == workWritten {
		delete(l.doc.Held, w.tag)
		c.answerProves(l)
	} else {
		l.doc.Held[w.tag].Lost = !c.e.awaited(w.tag)
	}
	l.dirty = true
	b := c.begin(fmt.Sprintf("written/%s/%s/%d", c.id, w.tag, c.version))
	b.caused(l, Cause{Frame: w.tag, Reason: writtenAs[w.kind]})
	return b.finish(ctx)
}

// committedReply is the answer stored for a frame, for a vendor that asks again.
// Only a success counts; else it gets the endpoint's failure.
func committedReply(stored []byte) reply {
	var r reply
	if json.Unmarshal(stored, &r.Reply) != nil || r.Status < 200 || r.Status > 299 {
		return reply{declared: true}
	}
	return r
}

// answerProves clears earlier answers that may not have arrived: the vendor has
// had one for the same leg since.
func (c *convo) answerProves(l *leg) {
	for id, h := range l.doc.Held {
		if h.Answered && h.Lost {
			delete(l.doc.Held, id)
		}
	}
}

// inboundProves clears answers the vendor must have had: it goes on talking.
func (c *convo) inboundProves(l *leg, f journal.Frame) {
	for id, h := range l.doc.Held {
		if h.Answered && id < f.ID {
			delete(l.doc.Held, id)
		}
	}
}

// writtenAs is how an answer left, for whoever looks later.
//
//nolint:gochecknoglobals // a table that is never written.
var writtenAs = map[workKind]string{workWritten: adapter.SentWritten, workUnwritten: adapter.SentUnsent}
