package sqlite

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// DeadLetters lists dead letters, the newest first, after the one of that time and
// id (a zero time: from the newest), at most limit (0: 1000). That one need not be
// there any more.
func (j *Journal) DeadLetters(ctx context.Context, at time.Time, id string, limit int) (letters []journal.DeadLetter, err error) {
	before := int64(math.MaxInt64)
	if !at.IsZero() {
		before = micros(at)
	}
	err = j.look(ctx, func(v *view) error {
		letters, err = v.letters(rDeadLetters, before, id, atMost(limit))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list dead letters: %w", err)
	}
	return letters, nil
}

func (v *view) letters(s read, args ...any) (letters []journal.DeadLetter, err error) {
	err = v.each(s, func(scan func(...any) error) error {
		d, err := v.letter(scan)
		letters = append(letters, d)
		return err
	}, args...)
	return letters, err
}

// DeadLetter gives one dead letter.
func (j *Journal) DeadLetter(ctx context.Context, id string) (d journal.DeadLetter, err error) {
	err = j.look(ctx, func(v *view) error {
		d, err = v.letter(v.row(rDeadLetter, id).Scan)
		return err
	})
	if err != nil {
		return journal.DeadLetter{}, fmt.Errorf("read dead letter %s: %w", id, err)
	}
	return d, nil
}

// letter reads one dead letter with its content.
func (v *view) letter(scan func(...any) error) (journal.DeadLetter, error) {
	var d journal.DeadLetter
	var at, replayed int64
	var reason, input []byte
	err := scan(&d.ID, &d.Conversation, &d.Leg, &d.Account, &d.Adapter, &d.Version, &d.Frame, &at, &replayed,
		&reason, &input)
	if err != nil {
		return d, err
	}
	d.At, d.Replayed = fromMicros(at), fromMicros(replayed)
	key, err := v.key(d.Conversation)
	if err != nil {
		return d, err
	}
	ofReason, ofInput := letterPlaces(d)
	why, err := ofReason.unseal(key, reason)
	if err != nil {
		return d, err
	}
	d.Reason = string(why)
	d.Input, err = ofInput.unseal(key, input)
	return d, err
}

// MarkReplayed notes when a dead letter was replayed. The first time stands;
// journal.ErrNotFound if there is no such letter.
func (j *Journal) MarkReplayed(ctx context.Context, id string, at time.Time) error {
	marked := int64(0)
	err := j.submit(ctx, func(b *batch) (err error) {
		marked, err = b.exec(wReplayedDeadLetter, micros(at), id)
		return err
	})
	if err != nil {
		return fmt.Errorf("mark dead letter %s replayed: %w", id, err)
	}
	if marked == 0 {
		_, err = j.DeadLetter(ctx, id)
	}
	return err
}
