package engine

import (
	"context"
	"reflect"

	"github.com/footbridge/footbridge/bridge/event"
)

// transcript is everything said in the conversation up to a position: what the
// vendor handed over, and what went through us.
func (c *convo) transcript(ctx context.Context, upTo int64) ([]event.TranscriptEntry, error) {
	events, err := c.history(ctx, 0)
	if err != nil {
		return nil, err
	}
	var entries, given []event.TranscriptEntry
	for _, e := range events {
		if e.Seq > upTo {
			break
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
			entries = append(entries, event.TranscriptEntry{Actor: e.Actor, Time: e.Time, Content: body.Content, Event: e.ID})
		}
	}
	return newest(entries), nil
}

// maxTranscript bounds the transcript that goes with a hand-off, in bytes of its
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
