package sqlite

import (
	"context"
	"fmt"
	"strings"

	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// Stats counts what the journal holds. It is cheap enough to be asked for every
// few seconds.
func (j *Journal) Stats(ctx context.Context) (journal.Counts, error) {
	c := journal.Counts{Conversations: map[string]int64{}, Deliveries: map[string]int64{}}
	err := j.look(ctx, func(v *view) error {
		if err := v.named(rStates, func(state string, n int64) { c.Conversations[state] = n }); err != nil {
			return err
		}
		err := v.named(rCounters, func(name string, n int64) {
			if outcome, ok := strings.CutPrefix(name, countDeliveries); ok {
				c.Deliveries[outcome] = n
			} else if name == countPosition {
				c.Events = n
			}
		})
		if err != nil {
			return err
		}
		if err := v.row(rPendingCount).Scan(&c.Pending); err != nil {
			return err
		}
		if err := v.row(rDeadCount).Scan(&c.DeadLetters); err != nil {
			return err
		}
		return v.row(rLeftCount).Scan(&c.Left)
	})
	if err != nil {
		return journal.Counts{}, fmt.Errorf("count journal: %w", err)
	}
	return c, nil
}

// Backlog counts by account the frames no turn has dealt with.
func (j *Journal) Backlog(ctx context.Context) (map[string]int64, error) {
	waiting := map[string]int64{}
	err := j.look(ctx, func(v *view) error {
		return v.named(rBacklog, func(account string, n int64) { waiting[account] = n })
	})
	if err != nil {
		return nil, fmt.Errorf("count frames that wait: %w", err)
	}
	return waiting, nil
}

func (v *view) named(s read, add func(name string, n int64)) error {
	return v.each(s, func(scan func(...any) error) error {
		var name string
		var n int64
		if err := scan(&name, &n); err != nil {
			return err
		}
		add(name, n)
		return nil
	})
}
