package engine

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// load reads the conversation from the journal.
func (c *convo) load(ctx context.Context) error {
	stored, err := c.e.Journal.Load(ctx, c.id)
	if err != nil {
		return fmt.Errorf("load conversation %s: %w", c.id, err)
	}
	c.version, c.seq, c.created = stored.Version, stored.Seq, stored.Created
	c.legs, c.order = map[string]*leg{}, nil
	c.known, c.stalled, c.strikes = map[string]bool{}, map[string]time.Time{}, map[string]int{}
	c.downs, c.suspect = map[string]int{}, map[string]bool{}
	c.recent = map[int64]event.Event{}
	if err := json.Unmarshal(stored.State, &c.doc); err != nil {
		return fmt.Errorf("read state of conversation %s: %w", c.id, err)
	}
	for _, l := range stored.Legs {
		if err := c.loadLeg(l); err != nil {
			return err
		}
	}
	slices.SortFunc(c.order, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) })
	for _, f := range stored.Pending {
		c.known[f.ID] = true
		w := work{kind: workFrame, leg: shortID(f.Leg), frame: f}
		c.queue = append(c.queue, w)
		c.mu.Lock()
		c.count(w, 1)
		c.mu.Unlock()
	}
	if err := c.recover(ctx); err != nil {
		return err
	}
	c.loaded = true
	return nil
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
		if len(l.doc.Queue) > 0 || l.doc.Delivery != nil || len(l.doc.Calls) > 0 || len(l.doc.Held) > 0 || l.dialling() {
			return false
		}
	}
	return len(c.doc.pendingReplays()) == 0
}

// dialling reports whether a connection or a message is on its way.
func (l *leg) dialling() bool {
	for _, k := range l.doc.Conns {
		if !k.Stands {
			return true
		}
	}
	return len(l.doc.Sends) > 0
}

// connected reports whether a leg has a connection: it would be gone after a
// restart, and its leg is to hear of it then.
func (c *convo) connected() bool {
	for _, l := range c.legs {
		if len(l.doc.Conns) > 0 {
			return true
		}
	}
	return false
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
	earliest(c.doc.answerDue())
	if len(c.doc.Streams) > 0 {
		_, s := c.doc.oldest()
		earliest(s.Due)
	}
	for id, l := range c.legs {
		free := c.stalled[id]
		earliest(free)
		if at := c.readBackAt(l); !at.IsZero() {
			earliest(later(at, free))
		}
		earliest(c.fetching[id])
		for _, t := range l.doc.Timers {
			earliest(later(t, free))
		}
		for _, h := range l.doc.Held {
			earliest(later(c.heldUntil(l, h), free))
		}
	}
	return at
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// storedWake is what the journal is told: like wake, but at once where a restart has
// work to take up or something to read back.
func (c *convo) storedWake() time.Time {
	if !c.settled() || c.connected() || c.readsBack() {
		return time.UnixMilli(1).UTC()
	}
	return c.wake()
}
