package sqlite

import (
	"context"
	"fmt"

	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// turnPlace ties what a turn was to its row and to what lies open there.
func turnPlace(conversation string, number, at int64, leg string) place {
	return place{"turns", conversation, []string{decimal(number), decimal(at), leg}}
}

// storeTold stores what the commit was, where its author tells.
func (t *turn) storeTold(b *batch) error {
	if t.told == nil {
		return nil
	}
	if err := b.do(wInsertTurn, t.Conversation, t.Version+1, micros(t.Updated), t.Told.Leg, t.told); err != nil {
		return fmt.Errorf("store what the turn was: %w", err)
	}
	return nil
}

// Turns gives what the commits of a conversation were, after one of them (0: from
// the first), in order, at most limit (0: 1000). Those that are too old are gone,
// and so are those of commits that tell nothing.
func (j *Journal) Turns(ctx context.Context, conversation string, after int64, limit int) (turns []journal.Turn, err error) {
	err = j.look(ctx, func(v *view) error {
		if _, err := v.key(conversation); err != nil {
			return err
		}
		turns, err = v.turns(rTurns, conversation, after, atMost(limit))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read turns of %s: %w", conversation, err)
	}
	return turns, nil
}

// turns reads turns of one conversation; args begin with its id.
func (v *view) turns(s read, args ...any) (turns []journal.Turn, err error) {
	conversation, _ := args[0].(string)
	key, err := v.key(conversation)
	if err != nil {
		return nil, err
	}
	err = v.each(s, func(scan func(...any) error) error {
		var t journal.Turn
		var at int64
		var sealed []byte
		if err := scan(&t.Number, &at, &t.Leg, &sealed); err != nil {
			return err
		}
		t.At = fromMicros(at)
		t.Data, err = turnPlace(conversation, t.Number, at, t.Leg).unseal(key, sealed)
		turns = append(turns, t)
		return err
	}, args...)
	return turns, err
}

// dropTurns removes turns of before a time, the oldest first.
func (j *Journal) dropTurns(ctx context.Context, before int64) (gone int64, err error) {
	old, err := tooOld[int64](ctx, j, rOldTurns, before, dropRows)
	if err != nil || len(old) == 0 {
		return 0, err
	}
	err = j.submit(ctx, func(b *batch) (err error) {
		gone, err = b.exec(wDropTurns, old[len(old)-1])
		return err
	})
	return gone, err
}
