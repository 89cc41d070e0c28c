package sqlite

import (
	"errors"
	"fmt"

	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// store writes the turn within a batch. It may run twice and changes nothing of
// the turn.
func (t *turn) store(b *batch) error {
	h, err := t.fence(b)
	if err != nil {
		return err
	}
	events, err := t.chain(b, h)
	if err != nil {
		return err
	}
	if len(events) > 0 {
		h.seq, h.chain = events[len(events)-1].seq, events[len(events)-1].chain
	}
	if err := t.storeConversation(b, h); err != nil {
		return err
	}
	if err := storeEvents(b, events); err != nil {
		return err
	}
	for _, part := range []func(*batch) error{t.storeLegs, t.storeKeys, t.storeRefs, t.storeFrames,
		t.storeDeliveries, t.storeLetters, t.storeIdempotent, t.storeTold} {
		if err := part(b); err != nil {
			return err
		}
	}
	return nil
}

// fence sees that the conversation is as the turn believes.
func (t *turn) fence(b *batch) (head, error) {
	h, err := b.head(t.Conversation)
	switch {
	case errors.Is(err, journal.ErrNotFound) && t.Version == 0:
		return head{chain: chainStart(t.Conversation)}, nil
	case err != nil:
		return head{}, err
	case h.version != t.Version:
		return head{}, fmt.Errorf("loaded at version %d, now %d: %w", t.Version, h.version, journal.ErrFenced)
	case !h.sealing:
		return head{}, journal.ErrErased
	}
	return h, nil
}

// chain gives the turn's events their positions and links.
func (t *turn) chain(b *batch, h head) ([]stored, error) {
	events := make([]stored, len(t.events))
	seq, previous := h.seq, h.chain
	for i, e := range t.events {
		if seq++; e.seq != seq {
			return nil, fmt.Errorf("event %s has seq %d where %d follows", e.id, e.seq, seq)
		}
		e.position, e.previous = b.nextPosition(), previous
		e.chain = e.link()
		events[i], previous = e, e.chain
	}
	return events, nil
}

func (t *turn) storeConversation(b *batch, h head) error {
	args := []any{micros(t.Updated), h.seq, h.chain, micros(t.Wake), t.Index.Owner, t.Index.Route,
		t.Index.Queue, t.Index.Agent, micros(t.Index.Left), t.state, t.summary}
	var err error
	switch {
	case t.Version == 0:
		if err = b.do(wInsertConversation, append(args, t.Index.State, t.Conversation, micros(t.Created))...); err == nil {
			err = b.do(wInsertKey, t.Conversation, t.wrapped)
		}
	case h.state == t.Index.State: // spares the index over states.
		err = b.do(wAdvanceConversation, append(args, t.Conversation)...)
	default:
		err = b.do(wUpdateConversation, append(args, t.Index.State, t.Conversation)...)
	}
	if err != nil {
		return fmt.Errorf("store state: %w", err)
	}
	return nil
}

func storeEvents(b *batch, events []stored) error {
	for _, e := range events {
		err := b.do(wInsertEvent, e.position, e.id, e.conversation, e.seq, e.kind, e.time, e.role, e.digest, e.chain)
		if err == nil {
			err = b.do(wInsertBody, e.position, e.sealed)
		}
		if err != nil {
			return fmt.Errorf("store event %s: %w", e.id, err)
		}
	}
	return nil
}

func (t *turn) storeLegs(b *batch) error {
	for i, leg := range t.Legs {
		n, err := b.exec(wUpsertLeg, leg.ID, t.Conversation, leg.Account, string(leg.Role), t.legs[i])
		if err == nil && n == 0 {
			err = errors.New("belongs to another conversation")
		}
		if err != nil {
			return fmt.Errorf("store leg %s: %w", leg.ID, err)
		}
	}
	return nil
}

func (t *turn) storeKeys(b *batch) error {
	for _, k := range t.Keys {
		if err := b.storeKey(k); err != nil {
			return fmt.Errorf("store key of leg %s at account %s: %w", k.Leg, k.Account, err)
		}
	}
	return nil
}

func (b *batch) storeKey(k journal.Key) error {
	fresh, err := b.exec(wInsertLegKey, k.Account, k.Key, k.Leg)
	if err != nil || fresh == 1 {
		return err
	}
	var leg string
	if err := b.row(wLegOfKey, k.Account, k.Key).Scan(&leg); err != nil {
		return err
	}
	switch leg {
	case k.Leg:
		return nil
	case k.From:
		return b.do(wMoveLegKey, k.Leg, k.Account, k.Key)
	}
	return fmt.Errorf("leg %s has it: %w", leg, journal.ErrKeyTaken)
}

func (t *turn) storeRefs(b *batch) error {
	for _, r := range t.Refs {
		if err := b.do(wInsertRef, r.Leg, r.Ref, string(r.Kind), r.Event); err != nil {
			return fmt.Errorf("store ref of event %s: %w", r.Event, err)
		}
	}
	return nil
}

// storeFrames stores the frames that came with the turn, and how frames ended.
func (t *turn) storeFrames(b *batch) error {
	repeats, err := t.insertFrames(b)
	if err != nil {
		return err
	}
	for id, outcome := range t.Ended {
		n, err := b.exec(wEndFrame, outcome, t.Conversation, id)
		if err == nil && n == 0 && !repeats[id] {
			err = journal.ErrNotFound
		}
		if err != nil {
			return fmt.Errorf("end frame %s: %w", id, err)
		}
	}
	for id, reply := range t.replies {
		if err := b.do(wInsertReply, id, t.Conversation, reply); err != nil {
			return fmt.Errorf("store reply to frame %s: %w", id, err)
		}
	}
	for _, leg := range t.Forget {
		if err := b.do(wForgetDedups, leg, journal.WhileHandoff); err != nil {
			return fmt.Errorf("forget dedup ids of leg %s: %w", leg, err)
		}
	}
	return nil
}

// insertFrames stores the turn's frames and gives those that repeat another of
// the same turn, which are not stored. One that repeats an earlier frame refuses
// the turn: its effects have happened already.
func (t *turn) insertFrames(b *batch) (repeats map[string]bool, err error) {
	own := make(map[string]bool, len(t.frames))
	repeats = map[string]bool{}
	for _, f := range t.frames {
		duplicate, err := b.insertFrame(f)
		if err != nil {
			return nil, err
		}
		switch {
		case duplicate == "":
			own[f.ID] = true
		case own[duplicate]:
			repeats[f.ID] = true
		default:
			return nil, fmt.Errorf("frame %s repeats frame %s: %w", f.ID, duplicate, journal.ErrKeyTaken)
		}
	}
	return repeats, nil
}

func (t *turn) storeDeliveries(b *batch) error {
	for _, d := range t.Deliveries {
		if err := b.storeDelivery(t.Conversation, d); err != nil {
			return fmt.Errorf("store delivery of event %s at leg %s: %w", d.Event, d.Leg, err)
		}
	}
	return nil
}

// storeDelivery keeps one outcome for an event at a leg; a later one replaces it,
// as when a dead letter was replayed.
func (b *batch) storeDelivery(conversation string, d journal.Delivery) error {
	args := []any{d.Outcome, d.Reason, d.MaybeDuplicate, micros(d.At), conversation, d.Event, d.Leg}
	fresh, err := b.exec(wInsertDelivery, args...)
	if err != nil {
		return err
	}
	b.count(countDeliveries+d.Outcome, 1)
	if fresh == 1 {
		return nil
	}
	var before string
	if err := b.row(wOutcomeOfDelivery, conversation, d.Event, d.Leg).Scan(&before); err != nil {
		return err
	}
	b.count(countDeliveries+before, -1)
	return b.do(wUpdateDelivery, args...)
}

func (t *turn) storeLetters(b *batch) error {
	for i, d := range t.DeadLetters {
		err := b.do(wInsertDeadLetter, d.ID, t.Conversation, d.Leg, d.Account, d.Adapter, d.Version, d.Frame,
			micros(d.At), micros(d.Replayed), t.reasons[i], t.inputs[i])
		if err != nil {
			return fmt.Errorf("store dead letter %s: %w", d.ID, err)
		}
	}
	return nil
}

func (t *turn) storeIdempotent(b *batch) error {
	i := t.Idempotent
	if i == nil {
		return nil
	}
	if err := b.do(wExpireIdempotents, micros(t.Updated)); err != nil {
		return fmt.Errorf("drop expired idempotency keys: %w", err)
	}
	fresh, err := b.exec(wInsertIdempotent, i.Token, i.Key, append([]byte{}, i.Digest...), i.Event, micros(i.Expires))
	if err == nil && fresh == 0 {
		err = journal.ErrRepeated
	}
	if err != nil {
		return fmt.Errorf("store idempotency key of event %s: %w", i.Event, err)
	}
	return nil
}
