package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/conversation"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// workKind says what a piece of work is.
type workKind int

const (
	workWake      workKind = iota // look at what is due
	workFrame                     // a stored frame waits for its turn
	workAttempt                   // a try of a call has ended
	workRetry                     // a call's back-off is over
	workCommand                   // the API speaks for a native leg
	workWritten                   // an answer reached the vendor
	workUnwritten                 // the vendor's connection went before its answer
	workInput                     // a dead letter's input, once more
	workRedeliver                 // a dead letter's event, once more
)

// work is one thing for a conversation's worker.
type work struct {
	kind    workKind
	leg     string
	tag     string
	frame   journal.Frame
	attempt Attempt
	call    *call
	input   adapter.Input
	turn    string
	command *command
	tries   int
}

// convo is one conversation in memory. Its mailbox is shared; everything else
// belongs to the one goroutine that works for it.
type convo struct {
	e  *Engine
	id string

	mu      sync.Mutex
	mail    []work
	running bool
	gone    bool
	idle    time.Time

	loaded  bool
	version int64
	seq     int64
	created time.Time
	doc     document
	legs    map[string]*leg
	order   []string
	queue   []work
	recent  map[int64]event.Event
	known   map[string]bool // frames in queue or done in this load
	stalled map[string]time.Time
	strikes map[string]int
	flying  map[string]bool // calls with a try or back-off in this process
}

// maxMail bounds the mailbox of a conversation; intake beyond it is refused
// before it is acknowledged.
const maxMail = 4096

func newConvo(e *Engine, id string) *convo {
	return &convo{e: e, id: id}
}

// post adds work and starts the worker; false when the conversation has left
// memory and must be fetched again.
func (c *convo) post(w work) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone {
		return false
	}
	c.mail = append(c.mail, w)
	if !c.running {
		c.running = true
		c.e.work.Add(1)
		go c.run()
	}
	return true
}

// full reports whether the mailbox has no room.
func (c *convo) full() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.mail) >= maxMail
}

// run works until nothing is left to do.
func (c *convo) run() {
	defer c.e.work.Done()
	for {
		if err := c.round(c.e.ctx); err != nil {
			c.abandon(err)
			return
		}
		if c.rest() {
			return
		}
	}
}

// round does everything that can be done now.
func (c *convo) round(ctx context.Context) error {
	if !c.loaded {
		if err := c.load(ctx); err != nil {
			return err
		}
	}
	for {
		if ctx.Err() != nil || c.e.isClosed() {
			return ErrClosed
		}
		c.collect()
		did, err := c.next(ctx)
		if err != nil || !did {
			return err
		}
	}
}

func (e *Engine) isClosed() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.closed
}

// collect moves the mail to the queue, which only the worker touches.
func (c *convo) collect() {
	c.mu.Lock()
	mail := c.mail
	c.mail = nil
	c.mu.Unlock()
	for _, w := range mail {
		if w.kind == workFrame {
			if c.known[w.frame.ID] {
				continue
			}
			c.known[w.frame.ID] = true
		}
		c.queue = append(c.queue, w)
	}
}

// next does one piece of work: the first in the queue whose leg is not stalled,
// else what is due, else the next delivery.
func (c *convo) next(ctx context.Context) (bool, error) {
	at := time.Now()
	for id, until := range c.stalled {
		if !at.Before(until) {
			delete(c.stalled, id)
		}
	}
	for i, w := range c.queue {
		if at.Before(c.stalled[w.leg]) {
			continue
		}
		c.queue = append(c.queue[:i:i], c.queue[i+1:]...)
		return true, c.handle(ctx, w)
	}
	if did, err := c.due(ctx, at); did || err != nil {
		return did, err
	}
	return c.deliverNext(ctx, at)
}

func (c *convo) handle(ctx context.Context, w work) error {
	switch w.kind {
	case workFrame:
		return c.onFrame(ctx, w)
	case workAttempt:
		return c.onAttempt(ctx, w)
	case workRetry:
		return c.onRetry(ctx, w)
	case workCommand:
		return c.onCommand(ctx, w)
	case workWritten, workUnwritten:
		return c.onWritten(ctx, w)
	case workInput:
		return c.onInput(ctx, w)
	case workRedeliver:
		return c.onRedeliver(ctx, w)
	case workWake:
	}
	return nil
}

// rest ends the worker when there is nothing to do; false when mail has come.
func (c *convo) rest() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.mail) > 0 {
		return false
	}
	c.running = false
	c.e.wakeAt(c.id, c.wake())
	c.idle = time.Now()
	if c.doc.Machine.Phase == conversation.Ended && c.evictable() {
		c.gone = true
		c.e.drop(c)
	}
	return true
}

// evictable reports whether nothing of the conversation lives in memory alone.
func (c *convo) evictable() bool {
	return c.loaded && !c.running && len(c.queue) == 0 && len(c.mail) == 0 && len(c.flying) == 0 && c.settled()
}

// evict lets go of the conversation if it has been idle since a time.
func (c *convo) evict(since time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone || !c.evictable() || c.idle.After(since) {
		return false
	}
	c.gone = true
	return true
}

// abandon forgets a conversation whose worker cannot go on. What was stored is
// taken up again from the journal after a pause.
func (c *convo) abandon(err error) {
	c.mu.Lock()
	mail := append(c.queue, c.mail...)
	c.mail, c.gone, c.running = nil, true, false
	c.mu.Unlock()
	c.e.drop(c)
	for _, w := range mail {
		if w.command != nil {
			w.command.finish(event.Event{}, err)
		}
	}
	if c.e.isClosed() || errors.Is(err, journal.ErrNotFound) || errors.Is(err, journal.ErrDamaged) {
		c.e.Logger.Error("conversation given up", "conversation", c.id, "error", err)
		return
	}
	c.e.Logger.Error("conversation set aside", "conversation", c.id, "error", err, "mend", "it is taken up again from the journal in a second")
	c.e.wakeAt(c.id, time.Now().Add(time.Second))
}

// load reads the conversation from the journal.
func (c *convo) load(ctx context.Context) error {
	stored, err := c.e.Journal.Load(ctx, c.id)
	if err != nil {
		return fmt.Errorf("load conversation %s: %w", c.id, err)
	}
	c.version, c.seq, c.created = stored.Version, stored.Seq, stored.Created
	c.legs, c.order = map[string]*leg{}, nil
	c.known, c.stalled, c.strikes, c.flying = map[string]bool{}, map[string]time.Time{}, map[string]int{}, map[string]bool{}
	c.recent = map[int64]event.Event{}
	if err := json.Unmarshal(stored.State, &c.doc); err != nil {
		return fmt.Errorf("read state of conversation %s: %w", c.id, err)
	}
	for _, l := range stored.Legs {
		if err := c.loadLeg(l); err != nil {
			return err
		}
	}
	for _, f := range stored.Pending {
		if !c.known[f.ID] {
			c.known[f.ID] = true
			c.queue = append(c.queue, work{kind: workFrame, leg: shortID(f.Leg), frame: f})
		}
	}
	c.loaded = true
	return c.recover(ctx)
}

func (c *convo) loadLeg(l journal.Leg) error {
	short := shortID(l.ID)
	member, ok := c.doc.Machine.Leg(short)
	if !ok {
		return fmt.Errorf("leg %s is stored but not part of conversation %s", l.ID, c.id)
	}
	loaded := &leg{Leg: member}
	if err := json.Unmarshal(l.Data, &loaded.doc); err != nil {
		return fmt.Errorf("read state of leg %s: %w", l.ID, err)
	}
	c.legs[short] = loaded
	c.order = append(c.order, short)
	return nil
}

// settled reports whether no leg has anything under way.
func (c *convo) settled() bool {
	for _, l := range c.legs {
		if len(l.doc.Queue) > 0 || l.doc.Delivery != nil || len(l.doc.Calls) > 0 || len(l.doc.Held) > 0 {
			return false
		}
	}
	return true
}

// wake is when the conversation next has something to do by itself; zero for
// never.
func (c *convo) wake() time.Time {
	var at time.Time
	earliest := func(t time.Time) {
		if !t.IsZero() && (at.IsZero() || t.Before(at)) {
			at = t
		}
	}
	for _, t := range c.doc.Machine.Deadlines {
		earliest(t)
	}
	for id, l := range c.legs {
		earliest(c.stalled[id])
		for _, t := range l.doc.Timers {
			earliest(t)
		}
		for _, h := range l.doc.Held {
			earliest(c.heldUntil(l, h))
		}
	}
	return at
}

// storedWake is what the journal is told: like wake, but at once where work is
// under way that a restart would have to take up.
func (c *convo) storedWake() time.Time {
	if !c.settled() {
		return time.UnixMilli(1).UTC()
	}
	return c.wake()
}
