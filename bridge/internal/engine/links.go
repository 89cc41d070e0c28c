package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// links are the connections this process has, by leg and name.
type links struct {
	mu   sync.Mutex
	open map[string]*link
	// newest are those that came to us, by leg and endpoint.
	newest map[string]*link
}

// link is one connection being dialled or open in this process.
type link struct {
	conversation, leg, account, conn string
	endpoint                         string // where it came to us
	cancel                           context.CancelFunc

	mu       sync.Mutex
	ends     Link // nil while dialled
	replaced bool
	closed   bool
	out      []outgoing
	writing  bool
	code     int // to close with when out is written
}

type outgoing struct {
	tag string
	s   *sending
	m   Message
}

func linkKey(leg, conn string) string { return leg + "/" + conn }

// put adds a link; the one before it at the same endpoint of the leg is replaced.
func (k *links) put(l *link) {
	if before := k.add(l); before != nil {
		before.replace()
	}
}

func (k *links) add(l *link) (before *link) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.open == nil {
		k.open, k.newest = map[string]*link{}, map[string]*link{}
	}
	k.open[linkKey(l.leg, l.conn)] = l
	if l.endpoint != "" {
		at := linkKey(l.leg, l.endpoint)
		before, k.newest[at] = k.newest[at], l
	}
	return before
}

func (k *links) get(leg, conn string) *link {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.open[linkKey(leg, conn)]
}

func (k *links) take(l *link) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.open[linkKey(l.leg, l.conn)] == l {
		delete(k.open, linkKey(l.leg, l.conn))
	}
	if at := linkKey(l.leg, l.endpoint); k.newest[at] == l {
		delete(k.newest, at)
	}
}

func (k *links) all() []*link {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Collect(maps.Values(k.open))
}

func (l *link) replace() {
	l.mu.Lock()
	l.replaced = true
	l.mu.Unlock()
	l.close(CloseReplaced)
}

// close ends the link after what was sent, or its dial.
func (l *link) close(code int) {
	l.mu.Lock()
	ends := l.ends
	l.closed = true
	if l.writing {
		l.code, ends = cmp.Or(l.code, code), nil // drain ends it
	}
	l.mu.Unlock()
	if l.cancel != nil {
		l.cancel()
	}
	if ends != nil {
		ends.Close(code)
	}
}

// stand gives a dialled link its connection; false when it was closed meanwhile.
func (l *link) stand(ends Link) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.ends = ends
	return true
}

// reason says how the link ended, from what its connection says of it.
func (l *link) reason(c adapter.Closed) adapter.Closed {
	l.mu.Lock()
	defer l.mu.Unlock()
	c.Conn = l.conn
	switch {
	case l.replaced:
		c.Reason = adapter.ClosedReplaced
	case l.closed:
		c.Reason = adapter.ClosedByUs
	}
	return c
}

// carry reads a link until it has ended.
func (e *Engine) carry(l *link) {
	defer e.work.Done()
	closed := l.ends.Run(func(name string, data []byte, binary bool) {
		if err := e.intake(l, adapter.Frame{Conn: l.conn, Event: name, Data: data, Binary: binary}); err != nil {
			l.ends.Close(websocketTryLater)
		}
	})
	if err := e.intake(l, l.reason(closed)); err != nil && !errors.Is(err, ErrClosed) {
		e.Logger.Warn("end of a connection not stored", "conversation", l.conversation, "account", l.account, "error", err)
	}
	e.links.take(l) // not before its end is stored: a conversation loaded meanwhile would take it for lost
}

// websocketTryLater is the close code of a service that cannot take more now.
const websocketTryLater = 1013

// websocketGoing is the close code of a service that stops.
const websocketGoing = 1001

// intake stores what a connection brought and gives it to the conversation. It
// waits while the conversation has no room: so the far side is slowed down.
func (e *Engine) intake(l *link, in adapter.Input) error {
	for e.full(l.conversation) && !e.isClosed() {
		time.Sleep(fullPause)
	}
	if e.isClosed() {
		return ErrClosed // the next start finds the connection lost
	}
	data, err := encode(store(in))
	if err != nil {
		return err
	}
	frame := journal.Frame{ID: NewID(), Conversation: l.conversation, Leg: l.leg, Account: l.account,
		Endpoint: cmp.Or(l.endpoint, l.conn), Received: now(), Data: data}
	if _, err := e.Journal.AcceptFrame(e.ctx, frame); err != nil {
		return fmt.Errorf("store what a connection brought: %w", err)
	}
	return e.post(l.conversation, work{kind: workFrame, leg: shortID(l.leg), frame: frame})
}

// reach dials until the connection stands, and then carries it.
func (e *Engine) reach(ctx context.Context, l *link, turn string, tokens map[string]string, d adapter.Dial, hasty bool) {
	ends, last := e.tryDial(ctx, l, turn, tokens, d, hasty)
	l.cancel()
	if ends != nil && !l.stand(ends) {
		ends.Close(websocketNormal)
		ends, last = nil, Attempt{Reason: adapter.ReasonCancelled}
	}
	if ends != nil && e.intake(l, adapter.Opened{Conn: l.conn}) == nil {
		e.carry(l)
		return
	}
	defer e.work.Done()
	if ends != nil {
		ends.Close(websocketTryLater)
	}
	defer e.links.take(l)
	closed := adapter.Closed{Conn: l.conn, Status: last.Status, Reason: adapter.ClosedDialFailed}
	if d.URL == unfilled {
		closed.Reason = adapter.ClosedUnfilled
	}
	if err := e.intake(l, closed); err != nil && !errors.Is(err, ErrClosed) {
		e.Logger.Warn("end of a dial not stored", "conversation", l.conversation, "account", l.account, "error", err)
	}
}

// tryDial makes the tries of a dial.
func (e *Engine) tryDial(ctx context.Context, l *link, turn string, tokens map[string]string, d adapter.Dial, hasty bool) (Link, Attempt) {
	if e.Dialer == nil || d.URL == "" || d.URL == unfilled {
		return nil, Attempt{Reason: adapter.ReasonNotAllowed}
	}
	for tries := 1; ; tries++ {
		e.fail(PointBeforeCall)
		ends, got := e.Dialer.Dial(ctx, l.account, turn, tokens, d)
		e.fail(PointAfterCall)
		if ends != nil || judge(got) == verdictFinal || hasty && got.Reason == adapter.ReasonBreakerOpen {
			return ends, got
		}
		select {
		case <-ctx.Done():
			return nil, got
		case <-time.After(backoff(tries, got.RetryAfter)):
		}
	}
}

// queue puts a message behind those that wait; not when the link is closed. idle
// says that nobody writes them.
func (l *link) queue(o outgoing) (taken, idle bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false, false
	}
	l.out = append(l.out, o)
	idle, l.writing = !l.writing, true
	return true, idle
}

// write gives a message to its link, behind those before it.
func (e *Engine) write(leg, conn string, o outgoing) {
	taken, idle := false, false
	l := e.links.get(leg, conn)
	if l != nil {
		taken, idle = l.queue(o)
	}
	switch {
	case !taken:
		e.sent(leg, o, adapter.SentUnsent)
	case idle:
		e.work.Add(1)
		go e.drain(l)
	}
}

// drain writes what waits for a link.
func (e *Engine) drain(l *link) {
	defer e.work.Done()
	for {
		l.mu.Lock()
		if len(l.out) == 0 {
			l.writing = false
			ends, code, closed := l.ends, l.code, l.closed
			l.mu.Unlock()
			if ends != nil && closed {
				ends.Close(code)
			}
			return
		}
		o, ends := l.out[0], l.ends
		l.out = l.out[1:]
		l.mu.Unlock()
		outcome := adapter.SentUnsent
		if ends != nil {
			e.fail(PointBeforeCall)
			ctx, cancel := context.WithTimeout(e.ctx, writeWithin)
			outcome = ends.Write(ctx, o.m)
			cancel()
			e.fail(PointAfterCall)
		}
		if ends != nil && outcome != adapter.SentWritten {
			ends.Close(websocketTryLater) // what is sent after it must not arrive before it
		}
		e.sent(l.leg, o, outcome)
	}
}

// sent tells the conversation what became of a message.
func (e *Engine) sent(leg string, o outgoing, outcome string) {
	if o.s == nil {
		return
	}
	conversation := leg[:len(leg)-len(shortID(leg))-1]
	_ = e.post(conversation, work{kind: workSent, leg: shortID(leg), tag: o.tag, send: o.s, outcome: outcome})
}

// websocketNormal is the close code of a connection that has done its work.
const websocketNormal = 1000

func (e *Engine) hangUp(leg, conn string, code int) {
	if l := e.links.get(leg, conn); l != nil {
		l.close(code)
	}
}
