package engine

import (
	"context"
	"fmt"
	"reflect"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// transcript is everything said in the conversation up to a position: what the
// vendor handed over, and what went through us. What was refused was not said.
func (c *convo) transcript(ctx context.Context, upTo int64) ([]event.TranscriptEntry, error) {
	refused, err := c.with(ctx, func(d journal.Delivery) bool { return d.Outcome == journal.RefusedEvent })
	if err != nil {
		return nil, err
	}
	events, err := c.history(ctx, 0)
	if err != nil {
		return nil, err
	}
	var entries, given []event.TranscriptEntry
	for _, e := range events {
		if e.Seq > upTo {
			break
		}
		if refused[e.ID] {
			continue
		}
		switch body := e.Body.(type) {
		case event.HandoffRequested:
			entries = append(entries, newEntries(given, body.Transcript)...)
			if len(body.Transcript) > 0 {
				given = body.Transcript
			}
		case event.TranscriptShared:
			entries = append(entries, body.Entries...)
		case event.MessageCreated:
			entries = append(entries, entryOf(e, body))
		}
	}
	return newest(entries), nil
}

// heard is what a leg's customer said and was given up to a position: the answer
// to command.issued{history}. It is put together when it is delivered and never
// stored, so that it is in no transcript itself.
func (c *convo) heard(ctx context.Context, l *leg, upTo int64) ([]event.TranscriptEntry, error) {
	given, err := c.with(ctx, func(d journal.Delivery) bool { return d.Leg == fullID(c.id, l.ID) && d.Outcome == journal.Delivered })
	if err != nil {
		return nil, err
	}
	events, err := c.history(ctx, 0)
	if err != nil {
		return nil, err
	}
	entries := []event.TranscriptEntry{}
	for _, e := range events {
		own := e.Actor.Role == event.RoleCustomer && e.Via == event.Via{Account: l.Account, Role: l.Role}
		if e.Seq > upTo || !own && !given[e.ID] {
			continue
		}
		switch body := e.Body.(type) {
		case event.TranscriptShared:
			entries = append(entries, body.Entries...)
		case event.MessageCreated:
			entries = append(entries, entryOf(e, body))
		}
	}
	return newest(entries), nil
}

// with are the conversation's events that have an outcome of a kind.
func (c *convo) with(ctx context.Context, outcome func(journal.Delivery) bool) (map[string]bool, error) {
	deliveries, err := c.e.Journal.Deliveries(ctx, c.id)
	if err != nil {
		return nil, fmt.Errorf("find what became of conversation %s: %w", c.id, err)
	}
	found := map[string]bool{}
	for _, d := range deliveries {
		found[d.Event] = found[d.Event] || outcome(d)
	}
	return found, nil
}

func entryOf(e event.Event, body event.MessageCreated) event.TranscriptEntry {
	return event.TranscriptEntry{Actor: e.Actor, Time: e.Time, Content: body.Content, Event: e.ID}
}

// maxTranscript bounds the transcript that goes with a hand-off or answers a customer, in bytes of its
// JSON.
const maxTranscript = 256 << 10

// newest keeps the end of a transcript that is too long.
func newest(entries []event.TranscriptEntry) []event.TranscriptEntry {
	size := 0
	for i := len(entries) - 1; i >= 0; i-- {
		data, err := encode(entries[i])
		if size += len(data) + 1; err != nil || size > maxTranscript {
			return entries[i+1:]
		}
	}
	return entries
}

// newEntries is what a transcript adds to the one handed over before: a vendor
// sends the whole conversation again with every hand-off.
func newEntries(before, now []event.TranscriptEntry) []event.TranscriptEntry {
	if len(before) > len(now) {
		return now
	}
	for i := range before {
		if !reflect.DeepEqual(before[i], now[i]) {
			return now
		}
	}
	return now[len(before):]
}
