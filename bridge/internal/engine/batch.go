package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// batch is one commit while it is put together. What it changes in memory counts
// only when it is stored; if storing fails the conversation is set aside.
type batch struct {
	c      *convo
	ctx    context.Context
	at     time.Time
	id     string
	count  int
	commit journal.Commit
	after  []func()
	byID   map[string]int64
	// froms are the legs that keys bound in this commit are taken over from.
	froms map[string]string
	// owing is the request this turn may answer or hold, and until when.
	owing string
	until time.Time
	// asked is the endpoint it came to.
	asked string
	// opened says the turn is that of a connection that stands now, or is lost.
	opened bool
	// minted are the tokens the turn made.
	minted []minted
	// told is what the commit is, for later; passes says that something passed by
	// that is not stored.
	told   Told
	passes bool
	err    error
}

// begin starts a commit; ids made in it derive from id.
func (c *convo) begin(id string) *batch {
	return &batch{c: c, ctx: c.e.ctx, id: id, at: now(), byID: map[string]int64{}, told: Told{Before: c.standing()}}
}

func (b *batch) nextID() string {
	b.count++
	return deriveID(b.id, "/", b.count)
}

// then runs f after the commit.
func (b *batch) then(f func()) { b.after = append(b.after, f) }

// finish stores the batch and then acts.
func (b *batch) finish(ctx context.Context) error {
	if b.err != nil {
		return b.err
	}
	c := b.c
	if err := b.fill(); err != nil {
		return err
	}
	start := time.Now()
	c.e.fail(PointBeforeCommit)
	if err := c.e.Journal.Commit(ctx, b.commit); err != nil {
		c.e.failed(b.id, err)
		return fmt.Errorf("store turn of conversation %s: %w", c.id, err)
	}
	c.e.fail(PointAfterCommit)
	c.e.stored(b.id)
	c.e.observe(b.commit, time.Since(start))
	c.version++
	b.act()
	return nil
}

// act does what follows from the commit.
func (b *batch) act() {
	for _, f := range b.after {
		f()
	}
}

// fill writes the conversation's and the changed legs' state into the commit.
func (b *batch) fill() error {
	c := b.c
	state, err := encode(c.doc)
	if err != nil {
		return err
	}
	summary, err := c.summary()
	if err != nil {
		return err
	}
	if err := b.tell(); err != nil {
		return err
	}
	k := &b.commit
	k.Conversation, k.Version, k.Created, k.Updated = c.id, c.version, c.created, b.at
	k.State, k.Wake = state, c.storedWake()
	k.Index = c.index(summary)
	for _, id := range c.order {
		l := c.legs[id]
		if !l.dirty {
			continue
		}
		data, err := encode(l.doc)
		if err != nil {
			return err
		}
		k.Legs = append(k.Legs, journal.Leg{ID: fullID(c.id, id), Conversation: c.id, Account: l.Account, Role: l.Role, Data: data})
		l.dirty = false
	}
	return nil
}

// outcome records how an event ended at a leg.
func (b *batch) outcome(l *leg, eventID, outcome, reason string, maybe bool) {
	b.commit.Deliveries = append(b.commit.Deliveries, journal.Delivery{Event: eventID, Leg: fullID(b.c.id, l.ID),
		Outcome: outcome, Reason: b.c.e.Redact(reason), MaybeDuplicate: maybe, At: b.at})
}

// dead makes a dead letter of the input.
func (b *batch) dead(l *leg, in adapter.Input, frame, reason string) {
	data, err := encode(store(in))
	if err != nil {
		b.err = err
		return
	}
	account := b.c.e.setup.Load().Accounts[l.Account]
	b.commit.DeadLetters = append(b.commit.DeadLetters, journal.DeadLetter{ID: deriveID(b.id, "/dead"), Conversation: b.c.id,
		Leg: fullID(b.c.id, l.ID), Account: l.Account, Adapter: account.Adapter, Frame: frame, Reason: b.c.e.Redact(reason), Input: data, At: b.at})
	if frame != "" {
		b.commit.Ended[frame] = journal.FrameDead
		b.refuseHeld(frame)
	}
}

// known gives the position of an event named by its id; 0 if there is none in
// this conversation.
func (b *batch) known(id string) int64 {
	if id == "" {
		return 0
	}
	if seq, ok := b.byID[id]; ok {
		return seq
	}
	e, err := b.c.e.Journal.Event(b.ctx, id)
	if err != nil || e.Conversation != b.c.id {
		return 0
	}
	return e.Seq
}

// ref gives the event the vendor's id stands for at a leg; "" if none.
func (b *batch) ref(l *leg, kind event.Kind, ref string) string {
	for _, r := range b.commit.Refs {
		if r.Leg == fullID(b.c.id, l.ID) && r.Ref == ref && (kind == "" || r.Kind == kind) {
			return r.Event
		}
	}
	id, err := b.c.e.Journal.Ref(b.ctx, fullID(b.c.id, l.ID), kind, ref)
	if err != nil {
		return ""
	}
	return id
}
