package engine

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

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
	workAttached                  // the vendor asks again for an answer not given yet
	workReplay                    // an operator replays a dead letter
	workInput                     // a dead letter's input, once more
	workSent                      // a message to a connection has its outcome
	workLost                      // a connection went with the process before
	workGlimpse                   // a transient event for a leg
	workErase                     // the conversation is to be erased
)

// concluding reports whether the work ends something that is under way, and is
// done even while the engine closes.
func (k workKind) concluding() bool {
	return k == workAttempt || k == workSent || k == workWritten || k == workUnwritten
}

// work is one thing for a conversation's worker.
type work struct {
	kind    workKind
	leg     string
	tag     string
	frame   journal.Frame
	attempt Attempt
	call    *call
	send    *sending
	outcome string
	glimpse *event.Event
	until   time.Time
	tries   int
	letter  *letter
	command *command
	erasure *erasure
}

// weight is how many bytes the work keeps in memory.
func (w work) weight() int { return len(w.frame.Data) }

// decline tells whoever waits for the work that it is not done.
func (w work) decline(err error) {
	if w.command != nil {
		w.command.finish(event.Event{}, err)
	}
	if w.letter != nil {
		w.letter.tell(err)
	}
	if w.erasure != nil {
		w.erasure.tell(err)
	}
}

// convo is one conversation in memory. Its mailbox is shared; everything else
// belongs to the one goroutine that works for it.
type convo struct {
	e  *Engine
	id string

	mu      sync.Mutex
	mail    []work
	waits   int // inputs in mail and queue
	weight  int // their bytes
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
	known   map[string]bool // frames found in the journal, whose mail may still come
	stalled map[string]time.Time
	// fetching are the legs that rest until a file may be there.
	fetching map[string]time.Time
	strikes  map[string]int
	downs    map[string]int  // how often a leg found its plugin down
	suspect  map[string]bool // turns whose plugin died while others were in flight
}

// What waits in memory for one conversation is bounded; intake beyond it is
// refused before it is acknowledged.
const (
	maxWaiting = 1024
	maxWeight  = 8 << 20
)

// errGone says the conversation has left memory and must be fetched again.
var errGone = errors.New("conversation has left memory")

func newConvo(e *Engine, id string) *convo {
	return &convo{e: e, id: id}
}

// post adds work and starts the worker.
func (c *convo) post(w work) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone {
		return errGone
	}
	if !c.running {
		if !c.e.enter(w.kind == workAttempt || w.kind == workSent) {
			return ErrClosed
		}
		c.running = true
		go c.run()
	}
	c.mail = append(c.mail, w)
	c.count(w, 1)
	return nil
}

// count adds work to what waits, or takes it away.
func (c *convo) count(w work, by int) {
	if w.kind == workFrame || w.kind == workCommand {
		c.waits += by
		c.weight += by * w.weight()
	}
}

// full reports whether there is no room for more inputs.
func (c *convo) full() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.waits >= maxWaiting || c.weight >= maxWeight
}

// leave takes work out of what waits.
func (c *convo) leave(w work) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count(w, -1)
}

// again puts work back to the front: its leg is stalled.
func (c *convo) again(w work) {
	c.queue = append([]work{w}, c.queue...)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count(w, 1)
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
		if c.e.isClosed() {
			return ErrClosed
		}
		if err := c.load(ctx); err != nil {
			return err
		}
	}
	for {
		if ctx.Err() != nil {
			return ErrClosed
		}
		c.collect()
		if c.e.isClosed() {
			c.conclude()
			if len(c.queue) == 0 {
				return nil
			}
		}
		did, err := c.next(ctx)
		if err != nil || !did {
			return err
		}
	}
}

// conclude keeps only the work that ends something; the journal has the rest.
func (c *convo) conclude() {
	c.queue = slices.DeleteFunc(c.queue, func(w work) bool {
		if !w.kind.concluding() {
			w.decline(ErrClosed)
		}
		return !w.kind.concluding()
	})
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
		if w.kind == workFrame && c.known[w.frame.ID] {
			delete(c.known, w.frame.ID)
			c.leave(w)
			continue
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
	maps.DeleteFunc(c.fetching, func(_ string, until time.Time) bool { return !at.Before(until) })
	for i, w := range c.queue {
		if at.Before(c.stalled[w.leg]) {
			continue
		}
		c.queue = append(c.queue[:i:i], c.queue[i+1:]...)
		c.leave(w)
		return true, c.handle(ctx, w)
	}
	if c.e.isClosed() {
		return false, nil
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
	case workAttached:
		return c.onAttached(ctx, w)
	case workReplay:
		return c.onReplay(ctx, w)
	case workInput:
		return c.onInput(ctx, w)
	case workSent:
		return c.onSent(ctx, w)
	case workLost:
		return c.onLost(ctx, w)
	case workGlimpse:
		return c.onGlimpse(ctx, w)
	case workErase:
		return c.onErase(ctx, w)
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
	return !c.running && c.loaded && len(c.queue) == 0 && len(c.mail) == 0 && c.settled()
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
		w.decline(err)
	}
	switch {
	case errors.Is(err, ErrClosed):
	case errors.Is(err, journal.ErrErased), !c.loaded && errors.Is(err, journal.ErrNotFound):
		c.e.Logger.Debug("no such conversation", "conversation", c.id, "error", err)
	case errors.Is(err, journal.ErrDamaged), errors.Is(err, journal.ErrNotFound), errors.Is(err, journal.ErrClosed):
		c.e.Logger.Error("conversation given up", "conversation", c.id, "error", err)
	default:
		c.e.Logger.Error("conversation set aside", "conversation", c.id, "error", err, "mend", "it is taken up again from the journal in a second")
		c.e.wakeAt(c.id, time.Now().Add(time.Second))
	}
}
