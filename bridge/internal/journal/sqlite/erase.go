package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Erase destroys the data key of a conversation, and with it all that was said in
// it: whatever asks for its content gets journal.ErrErased, and it takes no
// commit or frame any more. The vendor's keys stop leading to its legs. What lies
// open stays, so that the hash chain can still be verified. Erasing again does
// nothing; journal.ErrNotFound means there is no such conversation.
func (j *Journal) Erase(ctx context.Context, conversation string) error {
	err := j.submit(ctx, func(b *batch) error {
		if _, err := b.head(conversation); err != nil {
			return err
		}
		for _, s := range []write{wDeleteLegKeys, wDeleteKey} {
			if err := b.do(s, conversation); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("erase conversation %s: %w", conversation, err)
	}
	j.vault.forget(conversation)
	if err := j.emptyLog(ctx); err != nil {
		return fmt.Errorf("erase conversation %s: %w", conversation, err)
	}
	return nil
}

const (
	// emptyTries, emptyPragma and emptyPause bound how long Erase waits for those
	// who still use the log; each try holds writing up for one timeout at most.
	emptyTries  = 50
	emptyPragma = "busy_timeout(100)"
	emptyPause  = 20 * time.Millisecond
)

// emptyLog empties the write-ahead log, in which the destroyed key still lies.
func (j *Journal) emptyLog(ctx context.Context) error {
	db, err := openPool(j.path, []string{emptyPragma}, 1)
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // nothing is left to be written.
	for range emptyTries {
		if err := j.usable(); err != nil {
			return err
		}
		busy, _, err := fold(db.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`))
		if err != nil {
			return j.writer.judge(err)
		}
		if !busy {
			return nil
		}
		select {
		case <-time.After(emptyPause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return errors.New("the key is destroyed, but the log that may still hold it is in use: erase again")
}
