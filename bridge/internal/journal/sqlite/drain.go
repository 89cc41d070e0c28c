package sqlite

import (
	"context"
	"fmt"

	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// Drain notes that an account takes nothing new, or does again; who said so is
// recorded in the same commit. Saying again what holds already does nothing.
func (j *Journal) Drain(ctx context.Context, account string, drained bool, who journal.Audit) error {
	who.Action, who.Subject = journal.AuditResumed, account
	note := wDeleteDrained
	if drained {
		who.Action, note = journal.AuditDrained, wInsertDrained
	}
	err := j.submit(ctx, func(b *batch) error {
		changed, err := b.exec(note, account)
		if err != nil || changed == 0 {
			return err
		}
		return b.record(j.trail, who)
	})
	if err != nil {
		return fmt.Errorf("note %s of account %s: %w", who.Action, account, err)
	}
	return nil
}

// Drained lists the accounts that take nothing new, by name.
func (j *Journal) Drained(ctx context.Context) (accounts []string, err error) {
	err = j.look(ctx, func(v *view) error {
		return v.each(rDrained, func(scan func(...any) error) error {
			var account string
			err := scan(&account)
			accounts = append(accounts, account)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list drained accounts: %w", err)
	}
	return accounts, nil
}
