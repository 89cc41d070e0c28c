package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// manyRows is how many rows a list gives where the caller sets no limit.
const manyRows = 1000

func atMost(limit int) int {
	if limit <= 0 {
		return manyRows
	}
	return limit
}

// Events gives a conversation's events after a Seq, in order, at most limit (0:
// 1000), and checks them against the hash chain. It gives no event where any of
// them is damaged.
func (j *Journal) Events(ctx context.Context, conversation string, after int64, limit int) (events []event.Event, err error) {
	err = j.look(ctx, func(v *view) error {
		events, err = v.events(conversation, after, atMost(limit))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read events of %s: %w", conversation, err)
	}
	return events, nil
}

func (v *view) events(conversation string, after int64, limit int) ([]event.Event, error) {
	after = max(after, 0)
	rows, err := v.chained(conversation, after, limit)
	if err != nil {
		return nil, err
	}
	key, err := v.key(conversation)
	if err != nil {
		return nil, err
	}
	events := make([]event.Event, len(rows))
	for i, row := range rows {
		if events[i], err = row.open(key); err != nil {
			return nil, err
		}
	}
	return events, nil
}

// chained reads a stretch of a conversation's chain and sees that it has no gap
// and ends where the conversation says it ends.
func (v *view) chained(conversation string, after int64, limit int) ([]stored, error) {
	var last int64
	var chain []byte
	if err := v.row(rHead, conversation).Scan(&last, &chain); err != nil {
		return nil, err
	}
	rows, err := v.stored(rEventsOf, conversation, after, limit)
	if err != nil {
		return nil, err
	}
	position, end := int64(0), chainStart(conversation)
	for i, row := range rows {
		if row.seq != after+int64(i)+1 || row.position <= position {
			return nil, row.damaged("is not in its place")
		}
		position, end = row.position, row.chain
	}
	of, reached := place{"conversations", conversation, nil}, after+int64(len(rows))
	switch expected := min(int64(limit), max(last-after, 0)); {
	case int64(len(rows)) != expected:
		return nil, of.damaged(fmt.Sprintf("has %d events after %d where there were %d", len(rows), after, expected))
	case reached == last && (len(rows) > 0 || last == 0) && !bytes.Equal(end, chain):
		return nil, of.damaged("its last event does not end its chain")
	}
	return rows, nil
}

// stored reads events as they lie there, each checked by itself and against the
// one before.
func (v *view) stored(s read, args ...any) (all []stored, err error) {
	err = v.each(s, func(scan func(...any) error) error {
		e, err := scanStored(scan)
		if err != nil {
			return err
		}
		all = append(all, e)
		return e.check()
	}, args...)
	return all, err
}

func scanStored(scan func(...any) error) (e stored, err error) {
	err = scan(&e.position, &e.id, &e.conversation, &e.seq, &e.kind, &e.time, &e.role, &e.digest, &e.chain,
		&e.sealed, &e.previous)
	if e.seq == 1 && e.previous == nil {
		e.previous = chainStart(e.conversation)
	}
	return e, err
}

// Event gives one event by its id.
func (j *Journal) Event(ctx context.Context, id string) (e event.Event, err error) {
	err = j.look(ctx, func(v *view) error {
		row, err := scanStored(v.row(rEvent, id).Scan)
		if err != nil {
			return err
		}
		if err := row.check(); err != nil {
			return err
		}
		if row.id != id {
			return row.damaged("is found under the id " + id)
		}
		e, err = v.content(row)
		return err
	})
	if err != nil {
		return event.Event{}, fmt.Errorf("read event %s: %w", id, err)
	}
	return e, nil
}

func (v *view) content(row stored) (event.Event, error) {
	key, err := v.key(row.conversation)
	if err != nil {
		return event.Event{}, err
	}
	return row.open(key)
}

// Feed gives the events of all conversations after a position, in order of
// commit, at most limit (0: 1000). Events of erased conversations are left out;
// an empty answer means there is nothing after.
func (j *Journal) Feed(ctx context.Context, after int64, limit int) (feed []journal.Positioned, err error) {
	err = j.look(ctx, func(v *view) error {
		feed, err = v.feed(after, atMost(limit))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read events after position %d: %w", after, err)
	}
	return feed, nil
}

func (v *view) feed(after int64, limit int) (feed []journal.Positioned, err error) {
	for len(feed) < limit {
		rows, err := v.stored(rFeed, after, limit-len(feed))
		if err != nil {
			return nil, err
		}
		if len(rows) == 0 {
			return feed, nil
		}
		for _, row := range rows {
			after = row.position
			e, err := v.content(row)
			if errors.Is(err, journal.ErrErased) {
				continue
			}
			if err != nil {
				return nil, err
			}
			feed = append(feed, journal.Positioned{Position: row.position, Event: e})
		}
	}
	return feed, nil
}

// Position gives the last position given to an event, and the oldest one from
// which on none was dropped for its age; both 0 if there is none.
func (j *Journal) Position(ctx context.Context) (last, oldest int64, err error) {
	err = j.look(ctx, func(v *view) error { return v.row(rPosition).Scan(&last, &oldest) })
	if err != nil {
		return 0, 0, fmt.Errorf("read position: %w", err)
	}
	return last, oldest, nil
}
