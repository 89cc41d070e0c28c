package sqlite

import (
	"context"
	"fmt"
	"time"

	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// Erase destroys the data key of a conversation, and with it all that was said in
// it: whatever asks for its content gets journal.ErrErased, and it takes no
// commit or frame any more. What vendors and callers gave to know things by goes
// too, and its dead letters; why is recorded in the same commit. The chain of its
// events stays, so that it can still be verified. Erasing again does nothing;
// journal.ErrNotFound means there is no such conversation.
//
// The key's bytes may lie in the write-ahead log until EmptyLog has returned.
func (j *Journal) Erase(ctx context.Context, conversation string, why journal.Audit) error {
	why.Action, why.Subject = journal.AuditErased, conversation
	err := j.submit(ctx, func(b *batch) error {
		h, err := b.head(conversation)
		if err != nil || !h.sealing {
			return err
		}
		if err := b.record(j.trail, why); err != nil {
			return err
		}
		return b.erase(conversation)
	})
	if err != nil {
		return fmt.Errorf("erase conversation %s: %w", conversation, err)
	}
	j.vault.forget(conversation)
	return nil
}

// erase takes away all that can be read of a conversation. What is sealed stays:
// somebody who took the key a moment ago still finds what it fits.
func (b *batch) erase(conversation string) error {
	for _, s := range []write{wDeleteKey, wDeleteLegKeys, wDeleteRefs, wDeleteDedups, wDeleteIdempotents, wDeleteReplies,
		wDeleteDeadLetters, wDeleteFrameBodies, wDeleteTurns, wEraseDeliveries, wEndErased} {
		if err := b.do(s, conversation); err != nil {
			return err
		}
	}
	frames, err := b.exec(wDeleteFrames, conversation)
	b.count(countFramesGone, frames)
	return err
}

const (
	// emptyTries, emptyPragma and emptyPause bound how long EmptyLog waits for those
	// who still use the log; each try holds writing up for one timeout at most.
	emptyTries  = 50
	emptyPragma = "busy_timeout(100)"
	emptyPause  = 20 * time.Millisecond
	emptyingLog = `PRAGMA wal_checkpoint(TRUNCATE)`
)

// EmptyLog empties the write-ahead log, in which destroyed keys still lie. It
// waits some seconds for those who read, then gives journal.ErrReading; a start
// empties the log too.
func (j *Journal) EmptyLog(ctx context.Context) error {
	db, err := openPool(j.path, []string{emptyPragma}, 1)
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // nothing is left to be written.
	for range emptyTries {
		if err := j.usable(); err != nil {
			return err
		}
		busy, _, err := fold(db.QueryRowContext(ctx, emptyingLog))
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
	return journal.ErrReading
}
