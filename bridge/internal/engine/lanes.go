package engine

import (
	"maps"
	"sync"
	"time"
)

// lanes keeps calls apart that a vendor takes one after the other only, with a pause
// between. A place in a lane is taken in the order of asking, and given back by nobody:
// a call that is cancelled leaves a gap.
type lanes struct {
	mu   sync.Mutex
	free map[lane]time.Time // when the next may leave
	held map[lane]time.Time // until when the vendor asked for nothing
}

// lane is one of an account's.
type lane struct{ account, name string }

// place gives when a call may leave that could at a time, and takes that place.
func (s *lanes) place(l lane, pace time.Duration, at time.Time) time.Time {
	if l.name == "" || pace <= 0 {
		return at
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(at)
	at = later(at, later(s.free[l], s.held[l]))
	if s.free == nil {
		s.free = map[lane]time.Time{}
	}
	s.free[l] = at.Add(pace)
	return at
}

// forget lets go of what is over; the caller holds the lock.
func (s *lanes) forget(at time.Time) {
	over := func(_ lane, until time.Time) bool { return until.Before(at) }
	maps.DeleteFunc(s.free, over)
	maps.DeleteFunc(s.held, over)
}

// hold lets nothing of a lane leave until a time: the vendor asked for it.
func (s *lanes) hold(l lane, until time.Time) {
	if l.name == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held == nil {
		s.held = map[lane]time.Time{}
	}
	s.held[l] = later(s.held[l], until)
}

// isHeld reports whether nothing of a lane may leave now.
func (s *lanes) isHeld(l lane, at time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return at.Before(s.held[l])
}

// inLane gives when a call may leave that could at a time.
func (c *convo) inLane(l *leg, k *call, at time.Time) time.Time {
	return c.e.lanes.place(k.lane(l), c.e.setup.Load().Accounts[l.Account].Profile.Pace, at)
}

func (k *call) lane(l *leg) lane { return lane{l.Account, k.request().Lane} }
