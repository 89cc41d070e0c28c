package engine

import (
	"context"
	"time"
)

// Unaccounted counts the conversations that have work left in the journal, due now,
// with nobody at it: not in memory, without a connection or a wake. There is none,
// but one that was given up because it cannot be read.
func (e *Engine) Unaccounted(ctx context.Context) (int, error) {
	minded := map[string]bool{}
	e.mind(minded)
	waking, err := e.Journal.Waking(ctx)
	if err != nil {
		return 0, err
	}
	e.mind(minded) // what was taken up meanwhile
	n := 0
	for _, w := range waking {
		if !minded[w.Conversation] && w.At.Before(time.Now()) {
			n++
		}
	}
	return n, nil
}

// mind adds the conversations somebody is at, or will be.
func (e *Engine) mind(into map[string]bool) {
	for _, l := range e.links.all() {
		into[l.conversation] = true
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for id := range e.convos {
		into[id] = true
	}
	for id := range e.wakes {
		into[id] = true
	}
}
