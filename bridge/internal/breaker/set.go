package breaker

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
)

// Set holds the breakers of one kind, one for each name, all with the same options. All methods may be called from many
// goroutines.
type Set struct {
	opts     Options
	onChange func(name string, from, to State)
	random   func() float64
	replaced atomic.Uint64

	mu       sync.Mutex
	breakers map[string]*Breaker

	queue sync.Mutex // never held while another lock is taken
	told  []change
	shut  bool
	ready chan struct{}
	ended chan struct{}
}

type change struct {
	name     string
	from, to State
}

// NewSet makes an empty set. onChange, which may be nil, is told every change of state, in order, from a goroutine of
// the set's own and under no lock, so it may ask the set anything but Close. Options that cannot work are refused.
func NewSet(o Options, onChange func(name string, from, to State)) (*Set, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("breaker options: %w", err)
	}
	s := &Set{
		opts:     o,
		onChange: onChange,
		random:   rand.Float64,
		breakers: map[string]*Breaker{},
		ready:    make(chan struct{}, 1),
		ended:    make(chan struct{}),
	}
	go s.announce()
	return s, nil
}

// Get returns the breaker of that name, made closed when first asked for. A name is for ever: use the account and host,
// or the adapter, never anything a far side chooses.
func (s *Set) Get(name string) *Breaker {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.breakers[name]
	if !ok {
		b = newBreaker(name, s)
		s.breakers[name] = b
	}
	return b
}

// States tells where each breaker stands now.
func (s *Set) States() map[string]State {
	all := s.all()
	states := make(map[string]State, len(all))
	for _, b := range all {
		states[b.name] = b.State()
	}
	return states
}

// Views tells where each breaker stands now, and why.
func (s *Set) Views() map[string]View {
	all := s.all()
	views := make(map[string]View, len(all))
	for _, b := range all {
		views[b.name] = b.View()
	}
	return views
}

// Replaced counts the breakers that were stuck half-open and were opened anew by the watchdog. It should stay zero.
func (s *Set) Replaced() uint64 { return s.replaced.Load() }

// Close tells the changes that are still untold and ends the set's goroutine and timers. The breakers go on working,
// but changes are no longer told. Closing twice is fine.
func (s *Set) Close() {
	s.queue.Lock()
	s.shut = true
	s.queue.Unlock()
	s.signal()
	<-s.ended
	for _, b := range s.all() {
		b.mu.Lock()
		b.stop()
		b.mu.Unlock()
	}
}

func (s *Set) all() []*Breaker {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*Breaker, 0, len(s.breakers))
	for _, b := range s.breakers {
		all = append(all, b)
	}
	return all
}

func (s *Set) closed() bool {
	s.queue.Lock()
	defer s.queue.Unlock()
	return s.shut
}

// tell queues a change. It never waits, since it is called under a breaker's lock.
func (s *Set) tell(c change) {
	s.queue.Lock()
	if !s.shut {
		s.told = append(s.told, c)
	}
	s.queue.Unlock()
	s.signal()
}

func (s *Set) signal() {
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

func (s *Set) announce() {
	defer close(s.ended)
	for range s.ready {
		changes, shut := s.take()
		for _, c := range changes {
			if s.onChange != nil {
				s.onChange(c.name, c.from, c.to)
			}
		}
		if shut {
			return
		}
	}
}

func (s *Set) take() ([]change, bool) {
	s.queue.Lock()
	defer s.queue.Unlock()
	changes := s.told
	s.told = nil
	return changes, s.shut
}
