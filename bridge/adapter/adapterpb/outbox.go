package adapterpb

import (
	"context"
	"runtime"
	"sync"
)

// The most one stream message gathers. A single item may be larger.
const (
	gatherItems = 64
	gatherBytes = 256 << 10
)

// Outbox gathers what many goroutines have for one stream, so that under load a
// message carries several items and alone none waits. Both sides of the Turns
// stream write through one. Its methods are safe for concurrent use, but Run is
// called once.
type Outbox[T any] struct {
	wake chan struct{}

	mu     sync.Mutex
	items  []T
	sizes  []int
	closed bool
}

// NewOutbox makes an empty Outbox.
func NewOutbox[T any]() *Outbox[T] {
	return &Outbox[T]{wake: make(chan struct{}, 1)}
}

// Put adds an item of a size in bytes. It never blocks.
func (o *Outbox[T]) Put(item T, size int) {
	o.mu.Lock()
	o.items = append(o.items, item)
	o.sizes = append(o.sizes, size)
	o.mu.Unlock()
	o.ring()
}

// Close lets Run return once everything put before has been sent.
func (o *Outbox[T]) Close() {
	o.mu.Lock()
	o.closed = true
	o.mu.Unlock()
	o.ring()
}

func (o *Outbox[T]) ring() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// Run sends what is put, in order and several at once, until Close, the end of
// ctx, or the first error of send, which it returns. The slice given to send is
// good for that call only.
func (o *Outbox[T]) Run(ctx context.Context, send func([]T) error) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-o.wake:
		}
		// Goroutines that are about to put get the processor first: what they
		// have goes out in the same message.
		runtime.Gosched()
		items, sizes, closed := o.take()
		for len(items) > 0 {
			n := gather(sizes)
			if err := send(items[:n]); err != nil {
				return err
			}
			items, sizes = items[n:], sizes[n:]
		}
		if closed {
			return nil
		}
	}
}

func (o *Outbox[T]) take() ([]T, []int, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	items, sizes := o.items, o.sizes
	o.items, o.sizes = nil, nil
	return items, sizes, o.closed
}

// gather says how many of the items go into the next message: at least one.
func gather(sizes []int) int {
	total := 0
	for i, size := range sizes {
		total += size
		if i > 0 && (total > gatherBytes || i >= gatherItems) {
			return i
		}
	}
	return len(sizes)
}
