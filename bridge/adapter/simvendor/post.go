package simvendor

import (
	"bytes"
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// Trouble is what becomes of what a vendor tells on its way.
type Trouble struct {
	// Lose sends nothing, Twice all twice.
	Lose  bool `json:"lose"`
	Twice bool `json:"twice"`
	// Shuffle sends what gathers within the time in any order.
	Shuffle time.Duration `json:"shuffle"`
	// Delay is how late it is sent.
	Delay time.Duration `json:"delay"`
}

// Times is how often it is sent, all going well.
func (t Trouble) Times() int {
	if t.Twice {
		return 2
	}
	return 1
}

// Post carries what a vendor tells, notices of one kind: webhooks, or frames on a
// connection. Its methods are safe for concurrent use.
type Post[N any] struct {
	together time.Duration
	deliver  func([]N, Trouble)
	client   http.Client
	waiting  chan N
	ctx      context.Context
	stop     context.CancelFunc
	done     sync.WaitGroup

	mu      sync.Mutex
	trouble Trouble
	told    int
}

// NewPost begins one, which Close ends. Notices go to deliver in the order they were
// put: each by itself, or all of those that gather within together or by Trouble's
// shuffle. deliver sends them, Trouble.Times each, and is not called again before it
// returns. Within is how long an answer to Tell is waited for.
func NewPost[N any](within, together time.Duration, deliver func([]N, Trouble)) *Post[N] {
	p := &Post[N]{together: together, deliver: deliver, waiting: make(chan N, 100_000)}
	p.ctx, p.stop = context.WithCancel(context.Background())
	p.client.Timeout = within
	p.done.Go(p.run)
	return p
}

// Close waits for what is being sent; what waits is not sent.
func (p *Post[N]) Close() {
	p.stop()
	p.done.Wait()
	p.client.CloseIdleConnections()
}

// Trouble sets what becomes of what is to come.
func (p *Post[N]) Trouble(t Trouble) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.trouble = t
}

// Told is how often something was sent, each try counted.
func (p *Post[N]) Told() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.told
}

// Context ends when Close is called.
func (p *Post[N]) Context() context.Context { return p.ctx }

// Put puts a notice on its way, and says whether it was lost at once. It never waits.
func (p *Post[N]) Put(n N) (lost bool) {
	if p.now().Lose {
		return true
	}
	select {
	case p.waiting <- n:
		return false
	default:
		return true
	}
}

// Count counts something that is sent otherwise than by Tell.
func (p *Post[N]) Count() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told++
}

// Tell posts a body to an address, with those headers, and counts it. The body of the
// answer is not for reading; an error is no answer in time.
func (p *Post[N]) Tell(address string, body []byte, header http.Header) (*http.Response, error) {
	req, err := http.NewRequestWithContext(p.ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header = header
	p.Count()
	resp, err := p.client.Do(req)
	if err != nil {
		return nil, err
	}
	_ = resp.Body.Close()
	return resp, nil
}

// Again sends something again after each of the waits, beside what else is sent, until
// send says that it was taken. Its first try, which has failed, is not among them.
func (p *Post[N]) Again(waits []time.Duration, send func() (taken bool)) {
	p.done.Go(func() {
		for _, wait := range waits {
			if !pause(p.ctx, wait) || send() {
				return
			}
		}
	})
}

// Control adds to mux the order POST /sim/trouble, a Trouble with its times in
// milliseconds.
func (p *Post[N]) Control(mux *http.ServeMux) {
	mux.HandleFunc("POST /sim/trouble", Ordered(func(t Trouble) {
		t.Shuffle *= time.Millisecond
		t.Delay *= time.Millisecond
		p.Trouble(t)
	}))
}

func (p *Post[N]) now() Trouble {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.trouble
}

// run delivers what waits until the end.
func (p *Post[N]) run() {
	for {
		select {
		case <-p.ctx.Done():
			return
		case n := <-p.waiting:
			t := p.now()
			batch := p.gathered(n, t.Shuffle)
			if !pause(p.ctx, t.Delay) {
				return
			}
			p.deliver(batch, t)
		}
	}
}

// gathered is a notice with those that come in time to go with it.
func (p *Post[N]) gathered(n N, shuffle time.Duration) []N {
	batch := []N{n}
	within := max(p.together, shuffle)
	if within == 0 || !pause(p.ctx, within) {
		return batch
	}
	for range len(p.waiting) {
		batch = append(batch, <-p.waiting)
	}
	if shuffle > 0 {
		rand.Shuffle(len(batch), func(i, j int) { batch[i], batch[j] = batch[j], batch[i] })
	}
	return batch
}
