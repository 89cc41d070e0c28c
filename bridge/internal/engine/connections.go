package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

// Link is one connection that stands. Its methods may be called from any
// goroutine; Run once.
type Link interface {
	// Run reads until the connection has ended and tells how. heard is given
	// each message in order; while it runs nothing more is read.
	Run(heard func(name string, data []byte, binary bool)) adapter.Closed
	// Write hands one message to the connection and tells what became of it,
	// one of the adapter.Sent constants.
	Write(ctx context.Context, m Message) string
	// Close ends the connection after what was written; Run then returns.
	Close(code int)
}

// Message is what a turn sends. Tokens are the leg's captured tokens, whose
// placeholders the data may hold beside those of the account's credentials.
type Message struct {
	Turn   string
	Tokens map[string]string
	Data   []byte
	Binary bool
}

// Dialer opens connections to vendors.
type Dialer interface {
	// Dial makes one try. Without a Link the Attempt says why: a Reason, or the
	// Status that was answered in place of a connection.
	Dial(ctx context.Context, account, turn string, tokens map[string]string, d adapter.Dial) (Link, Attempt)
}

// connection is one connection of a leg as it is stored: being dialled or open.
type connection struct {
	// Turn is the one that asked for it; empty for one that came to us.
	Turn   string    `json:"turn,omitempty"`
	Serves bool      `json:"serves,omitempty"`
	GiveUp time.Time `json:"give_up,omitzero"`
	// Stands says its Opened has had its turn.
	Stands bool `json:"stands,omitempty"`
	// Binds is as in adapter.Dial.
	Binds bool `json:"binds,omitempty"`
	// Of is the position in the leg's order of what it is dialled for.
	Of int64 `json:"of,omitempty"`
}

// sending is one message that is being written.
type sending struct {
	Turn   string `json:"turn"`
	Conn   string `json:"conn"`
	Serves bool   `json:"serves,omitempty"`
}

// CloseReplaced is the close code of a socket whose place a newer one took.
const CloseReplaced = 4000

const (
	defaultDialGiveUp = time.Minute
	writeWithin       = 30 * time.Second
	fullPause         = 50 * time.Millisecond
)

// unfilled is in place of an address that lacks a fact of the conversation: nobody
// is dialled, and the leg hears of it as of a dial that failed.
const unfilled = "unfilled:"

// Connect gives a connection that came to an endpoint to its leg, opening a
// conversation where the endpoint begins them. It returns when the leg's Opened
// is stored; the link is then read until it ends. Errors are those of Accept, and
// the caller closes the connection.
func (e *Engine) Connect(ctx context.Context, a Arrival, ends Link) error {
	opened := *a.Opened
	opened.Conn = NewID()
	a.Opened = &opened
	refused := false
	a.attach = func(r Receipt) {
		l := &link{conversation: r.Conversation, leg: fullID(r.Conversation, r.Leg), account: a.Account, conn: opened.Conn,
			endpoint: a.Endpoint.Name, ends: ends}
		if refused = !e.enter(false); refused {
			return
		}
		e.hold(l)
		go e.carry(l)
	}
	if _, err := e.Accept(ctx, a); err != nil || !refused {
		return err
	}
	return ErrClosed
}

// hold keeps a link for as long as it lasts; one that comes as the engine closes
// is closed.
func (e *Engine) hold(l *link) {
	e.links.put(l)
	if e.isClosed() {
		l.close(websocketGoing)
	}
}

// dial asks for a connection; it is tried until it stands or is given up.
func (b *batch) dial(l *leg, x adapter.Dialing, serves bool) {
	if _, used := l.doc.Conns[x.Conn]; used || x.Conn == "" {
		b.c.e.Logger.Warn("dial dropped: its connection is in use", "conversation", b.c.id, "account", l.Account)
		return
	}
	giveUp := x.Dial.GiveUp
	if giveUp <= 0 {
		giveUp = defaultDialGiveUp
	}
	k := &connection{Turn: b.id, Serves: serves, GiveUp: b.at.Add(giveUp), Binds: x.Dial.Binds, Of: l.doc.Settled}
	if d := l.doc.Delivery; d != nil {
		k.Of = d.Seq
	}
	if l.doc.Conns == nil {
		l.doc.Conns = map[string]*connection{}
	}
	l.doc.Conns[x.Conn] = k
	if x.Dial.Binds {
		b.c.binds(l, x.Conn, k.GiveUp)
	}
	if !b.fillDial(l, &x.Dial) {
		x.Dial.URL = unfilled
	}
	dialled := &link{conversation: b.c.id, leg: fullID(b.c.id, l.ID), account: l.Account, conn: x.Conn}
	tokens := maps.Clone(l.doc.Tokens)
	hasty := b.hasty(l, serves)
	b.then(func() {
		ctx, cancel := context.WithDeadline(b.c.e.ctx, k.GiveUp)
		dialled.cancel = cancel
		b.c.e.hold(dialled)
		b.c.e.work.Add(1)
		go b.c.e.reach(ctx, dialled, k.Turn, tokens, x.Dial, hasty)
	})
}

// hasty reports whether the leg is being asked to take a hand-off: then it does
// not wait for a breaker to close, for the next backend is asked.
func (b *batch) hasty(l *leg, serves bool) bool {
	d := l.doc.Delivery
	if !serves || d == nil || l.Role != event.RoleLiveAgent {
		return false
	}
	e, err := b.c.event(b.ctx, d.Seq)
	return err == nil && e.Kind() == event.KindHandoffRequested
}

// send puts one message on its way to a connection.
func (b *batch) send(l *leg, x adapter.Sending, serves bool) {
	m := Message{Turn: b.id, Tokens: maps.Clone(l.doc.Tokens), Data: b.fillMinted(x.Data), Binary: x.Binary}
	o := outgoing{tag: x.Tag, m: m}
	if x.Tag != "" {
		if _, open := l.doc.Sends[x.Tag]; open {
			b.c.e.Logger.Warn("send dropped: its tag is in use", "conversation", b.c.id, "account", l.Account)
			return
		}
		if l.doc.Sends == nil {
			l.doc.Sends = map[string]*sending{}
		}
		o.s = &sending{Turn: b.id, Conn: x.Conn, Serves: serves}
		l.doc.Sends[x.Tag] = o.s
		if d := l.doc.Delivery; d != nil {
			d.MaybeDuplicate = d.MaybeDuplicate || serves && d.Unsure
		}
	}
	leg := fullID(b.c.id, l.ID)
	b.then(func() { b.c.e.write(leg, x.Conn, o) })
}

// onSent gives the adapter the end of a send.
func (c *convo) onSent(ctx context.Context, w work) error {
	l := c.legs[w.leg]
	if l == nil {
		return nil
	}
	s := l.doc.Sends[w.tag]
	if s == nil || w.send != nil && w.send != s {
		return nil
	}
	id := fmt.Sprintf("sent/%s/%s/%s", fullID(c.id, l.ID), w.tag, s.Turn)
	done, err := c.take(ctx, l, turn{id: id, in: adapter.Sent{Tag: w.tag, Outcome: w.outcome}})
	if !done && err == nil {
		c.again(w)
	}
	return err
}

// onLost gives the adapter the end of a connection that went with the process.
func (c *convo) onLost(ctx context.Context, w work) error {
	l := c.legs[w.leg]
	if l == nil || l.doc.Conns[w.tag] == nil || c.e.links.get(fullID(c.id, l.ID), w.tag) != nil {
		return nil
	}
	id := fmt.Sprintf("lost/%s/%s/%d", fullID(c.id, l.ID), w.tag, l.doc.Turns)
	done, err := c.take(ctx, l, turn{id: id, in: adapter.Closed{Conn: w.tag, Reason: adapter.ClosedLost}})
	if !done && err == nil {
		c.again(w)
	}
	return err
}

// recoverLinks ends the connections and sends a leg had in the process before
// this one.
func (c *convo) recoverLinks(l *leg) {
	for _, tag := range slices.Sorted(maps.Keys(l.doc.Sends)) {
		c.queue = append(c.queue, work{kind: workSent, leg: l.ID, tag: tag, outcome: adapter.SentUnknown})
	}
	open := map[string]bool{}
	for conn := range l.doc.Conns {
		open[conn] = true
	}
	for _, w := range c.queue {
		if w.kind != workFrame || w.leg != l.ID {
			continue
		}
		if in, ok := readInput(w.frame.Data).(adapter.Opened); ok {
			open[in.Conn] = true
		}
	}
	for _, conn := range slices.Sorted(maps.Keys(open)) {
		if c.e.links.get(fullID(c.id, l.ID), conn) == nil {
			c.queue = append(c.queue, work{kind: workLost, leg: l.ID, tag: conn})
		}
	}
}

// hangUp closes what a leg that has left and has nothing more to be told still
// has open.
func (b *batch) hangUp(l *leg) {
	if !l.Detached || len(l.doc.Queue) > 0 || l.doc.Delivery != nil {
		return
	}
	leg := fullID(b.c.id, l.ID)
	for _, conn := range slices.Sorted(maps.Keys(l.doc.Conns)) {
		b.then(func() { b.c.e.hangUp(leg, conn, websocketNormal) })
	}
}
