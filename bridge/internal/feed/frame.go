package feed

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/footbridge/footbridge/bridge/internal/engine"
	"github.com/footbridge/footbridge/bridge/internal/pointer"
)

const (
	// patience is how long there is to find room for a frame that is acknowledged:
	// vendors send what is not within a few seconds again.
	patience = 2500 * time.Millisecond
	// atOnce is how many frames of a connection are being stored; while they are no
	// more is read.
	atOnce = 32
	// ackWithin is for an acknowledgement to be written.
	ackWithin = 5 * time.Second
)

// line is one connection of a feed.
type line struct {
	*holding
	link      engine.Link
	announced chan struct{} // closed when the vendor says that it will end
	once      sync.Once
	ended     chan struct{}
	storing   sync.WaitGroup
	room      chan struct{}
}

// run hears the connection until it has ended and all it brought is dealt with.
func (l *line) run(ctx context.Context) {
	l.room = make(chan struct{}, atOnce)
	going := context.AfterFunc(ctx, func() { l.link.Close(closeGoing) })
	defer going()
	closed := l.link.Run(func(_ string, data []byte, _ bool) { l.hear(ctx, data) })
	l.fell(ctx, fmt.Sprintf("the connection ended (%s, code %d)", closed.Reason, closed.Code))
	close(l.ended)
	l.storing.Wait()
}

// last waits until another connection is needed. It returns the line where it is still
// there.
func (l *line) last() *line {
	select {
	case <-l.announced:
		return l
	case <-l.ended:
		return nil
	}
}

// letGo ends a line whose place another has taken, unless its vendor does.
func (l *line) letGo() {
	if l == nil {
		return
	}
	time.AfterFunc(lingers, func() { l.link.Close(closeNormal) })
}

// hear takes one frame. It returns when there is room for the next.
func (l *line) hear(ctx context.Context, data []byte) {
	f := l.feed
	var kind string
	_ = json.Unmarshal(pointer.Raw(data, f.Kind), &kind)
	id := l.id(data)
	endpoint, known := f.Endpoints[kind]
	switch {
	case slices.Contains(f.Ends, kind):
		l.once.Do(func() { close(l.announced) })
		l.acknowledge(id)
	case known:
		l.take(ctx, endpoint, pointer.Raw(data, f.Body), id)
	case !json.Valid(data):
		l.o.Refused(l.account.Name, "syntax")
	case id != nil:
		l.o.Refused(l.account.Name, "kind")
		l.acknowledge(id)
	}
}

// id is what a frame is acknowledged with; nil where it is not.
func (l *line) id(data []byte) json.RawMessage {
	var fields map[string]json.RawMessage
	if l.feed.Ack == "" || json.Unmarshal(data, &fields) != nil {
		return nil
	}
	return fields[l.feed.Ack]
}

// take has what a frame says stored, behind what came before it for the same legs, and
// then acknowledges the frame. While too many are being stored it waits.
func (l *line) take(ctx context.Context, endpoint string, body []byte, id json.RawMessage) {
	heard := l.o.Intake.Heard(l.account.Name, endpoint, body)
	if heard == nil {
		return // it is no more; the vendor says it again to whom it then has
	}
	select {
	case l.room <- struct{}{}:
	case <-ctx.Done():
		return
	}
	turn := l.order.join(heard.Keys())
	// Who is sent no acknowledgement does not say it again: then there is no end to the
	// patience, and the vendor is slowed down.
	cancel := context.CancelFunc(func() {})
	if id != nil {
		ctx, cancel = context.WithTimeout(ctx, patience)
	}
	l.storing.Go(func() {
		defer func() { <-l.room }()
		defer turn.leave()
		defer cancel()
		turn.wait()
		if heard.Store(ctx) {
			l.acknowledge(id)
		}
	})
}

// acknowledge tells the vendor that a frame need not come again. One that gets lost
// makes it come again, and then it is known.
func (l *line) acknowledge(id json.RawMessage) {
	if id == nil {
		return
	}
	data, err := json.Marshal(map[string]json.RawMessage{l.feed.Ack: id})
	if err != nil {
		return // it was read from JSON
	}
	ctx, cancel := context.WithTimeout(context.Background(), ackWithin)
	defer cancel()
	l.link.Write(ctx, engine.Message{Turn: "feed", Data: data})
}

// order keeps what is for the same leg in the order it came.
type order struct {
	mu   sync.Mutex
	last map[string]*place
}

// place is one frame's in the order.
type place struct {
	order  *order
	keys   []string
	before []*place
	done   chan struct{}
}

func (o *order) join(keys []string) *place {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.last == nil {
		o.last = map[string]*place{}
	}
	p := &place{order: o, keys: keys, done: make(chan struct{})}
	for _, key := range keys {
		if before := o.last[key]; before != nil && before != p {
			p.before = append(p.before, before)
		}
		o.last[key] = p
	}
	return p
}

// wait returns when all that came before is stored or given up.
func (p *place) wait() {
	for _, before := range p.before {
		<-before.done
	}
}

func (p *place) leave() {
	close(p.done)
	p.order.mu.Lock()
	defer p.order.mu.Unlock()
	for _, key := range p.keys {
		if p.order.last[key] == p {
			delete(p.order.last, key)
		}
	}
}
