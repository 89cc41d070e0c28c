package ws

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/lxzan/gws"
)

// parcel is what waits to be written together: a frame, and the binary frames that belong to it.
type parcel struct {
	op       gws.Opcode
	data     []byte
	attached [][]byte
	done     chan error // buffered; nil when nobody waits
}

func (p *parcel) size() int {
	n := len(p.data)
	for _, a := range p.attached {
		n += len(a)
	}
	return n
}

func (p *parcel) resolve(err error) {
	if p.done != nil {
		p.done <- err
	}
}

// outbox is the bounded queue between callers and the writer. Its mutex is held for moments only.
type outbox struct {
	maxCount, maxBytes int
	wake               chan struct{} // buffered by one

	mu     sync.Mutex
	queue  []*parcel
	count  int // parcels queued or being written
	bytes  int // of their frames' data
	pong   *parcel
	closed bool
}

func newOutbox(o Options) *outbox {
	return &outbox{maxCount: o.OutboxMessages, maxBytes: o.OutboxBytes, wake: make(chan struct{}, 1)}
}

func (o *outbox) signal() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// put queues a parcel in order.
func (o *outbox) put(p *parcel) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.closed:
		return ErrClosed
	case o.count >= o.maxCount || o.bytes+p.size() > o.maxBytes:
		return ErrOverflow
	}
	o.queue = append(o.queue, p)
	o.count++
	o.bytes += p.size()
	o.signal()
	return nil
}

// putPong sets the pong that goes out next; a newer one replaces it.
func (o *outbox) putPong(payload []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.closed {
		o.pong = &parcel{op: gws.OpcodePong, data: payload}
		o.signal()
	}
}

// withdraw takes a parcel back; false means its write has begun or ended.
func (o *outbox) withdraw(p *parcel) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	i := slices.Index(o.queue, p)
	if i < 0 {
		return false
	}
	o.queue = slices.Delete(o.queue, i, i+1)
	o.count--
	o.bytes -= p.size()
	return true
}

// next takes the parcel to write. Nil and last: nothing will come any more.
func (o *outbox) next() (p *parcel, last bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if p, o.pong = o.pong, nil; p != nil {
		return p, false
	}
	if len(o.queue) == 0 {
		return nil, o.closed
	}
	p, o.queue[0] = o.queue[0], nil
	o.queue = o.queue[1:]
	return p, false
}

// written gives back the room of a data parcel that next returned.
func (o *outbox) written(p *parcel) {
	if p.op == gws.OpcodePong {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.count--
	o.bytes -= p.size()
}

// shut takes no more parcels, and unless flush drops those that wait.
func (o *outbox) shut(flush bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed, o.pong = true, nil
	if !flush {
		for _, p := range o.queue {
			p.resolve(ErrClosed)
		}
		o.queue = nil
	}
	o.signal()
}

// writeLoop is the connection's only writer of frames. It ends with the close frame.
func (c *Conn) writeLoop() {
	defer close(c.written)
	beat := time.NewTimer(c.jitter())
	defer beat.Stop()
	for {
		p, last := c.out.next()
		if last {
			c.sayGoodbye()
			return
		}
		c.step(p, beat)
	}
}

// step writes a parcel, after a ping if one is due; without a parcel it waits for either.
func (c *Conn) step(p *parcel, beat *time.Timer) {
	if p != nil {
		select {
		case <-beat.C:
			c.ping(beat)
		default:
		}
		c.send(p)
		return
	}
	select {
	case <-beat.C:
		c.ping(beat)
	case <-c.out.wake:
	}
}

func (c *Conn) ping(beat *time.Timer) {
	beat.Reset(c.jitter())
	if err := c.sock.WritePing(nil); err != nil {
		c.lost(err)
	}
}

func (c *Conn) send(p *parcel) {
	frames, err := 0, c.sock.WriteMessage(p.op, p.data)
	for ; err == nil && frames < len(p.attached); frames++ {
		err = c.sock.WriteMessage(gws.OpcodeBinary, p.attached[frames])
	}
	c.out.written(p)
	if err != nil {
		c.lost(err)
	}
	p.resolve(outcome(err, frames > 0))
}

// outcome is what the sender of a parcel learns of its write; begun: a frame of it went out whole.
func outcome(err error, begun bool) error {
	var failed *writeError
	switch {
	case err == nil:
		return nil
	case begun || errors.As(err, &failed) && failed.started:
		return ErrUnknown
	}
	return ErrClosed
}

func (c *Conn) sayGoodbye() {
	e := c.ended()
	if e.frame == 0 {
		return
	}
	reason := e.Reason
	if e.Remote {
		reason = ""
	}
	c.wire.writeClose(e.frame, reason)
}
