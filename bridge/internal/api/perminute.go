package api

import (
	"sync"
	"time"
)

// maxCounted bounds what is counted at a time.
const maxCounted = 10_000

// perMinute counts by a key how often something was done since the first time in a
// minute.
type perMinute[K comparable] struct {
	limit int

	mu sync.Mutex
	of map[K]*minute
}

type minute struct {
	since time.Time
	count int
}

// add counts one, and reports whether it is past the limit.
func (p *perMinute[K]) add(key K) (past bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.of == nil {
		p.of = map[K]*minute{}
	}
	was, now := p.of[key], time.Now()
	if was == nil || now.Sub(was.since) >= time.Minute {
		p.room(now)
		was = &minute{since: now}
		p.of[key] = was
	}
	was.count++
	return was.count > p.limit
}

// full reports whether the limit is reached.
func (p *perMinute[K]) full(key K) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	was := p.of[key]
	return was != nil && was.count >= p.limit && time.Since(was.since) < time.Minute
}

// room forgets whose minute is over, and everybody where that is not enough:
// memory is worth more than the count.
func (p *perMinute[K]) room(now time.Time) {
	if len(p.of) < maxCounted {
		return
	}
	for key, was := range p.of {
		if now.Sub(was.since) >= time.Minute {
			delete(p.of, key)
		}
	}
	if len(p.of) >= maxCounted {
		clear(p.of)
	}
}
