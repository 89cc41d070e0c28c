package sqlite

import (
	"context"
	"fmt"
	"time"

	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// Of each kind one call of Drop removes at most so many, so that nobody waits
// long behind it. Conversations are removed one a transaction.
const (
	dropConversations = 8
	dropRows          = 250
)

// Drop removes some of what is older than its bound, and says how much it was:
// nothing once all is gone. Conversations go whole, with everything of theirs, so
// that the chains of the others stay; positions up to their last event's count as
// gone from then on.
func (j *Journal) Drop(ctx context.Context, b journal.Bounds) (r journal.Removed, err error) {
	for _, kind := range []struct {
		bound time.Time
		drop  func(context.Context, int64) (int64, error)
		count *int64
	}{{b.Raw, j.dropFrames, &r.Frames}, {b.Raw, j.dropTurns, &r.Turns}, {b.DeadLetters, j.dropLetters, &r.DeadLetters},
		{b.Audit, j.dropAudit, &r.Audit}, {b.Conversations, j.dropEnded, &r.Conversations}} {
		if kind.bound.IsZero() {
			continue
		}
		if *kind.count, err = kind.drop(ctx, micros(kind.bound)); err != nil {
			return r, fmt.Errorf("drop what is too old: %w", err)
		}
	}
	return r, nil
}

// tooOld lists what a reading finds older than a bound, off the writer's path.
func tooOld[T any](ctx context.Context, j *Journal, s read, args ...any) (all []T, err error) {
	err = j.look(ctx, func(v *view) error {
		return v.each(s, func(scan func(...any) error) error {
			var one T
			err := scan(&one)
			all = append(all, one)
			return err
		}, args...)
	})
	return all, err
}

func (j *Journal) dropFrames(ctx context.Context, before int64) (gone int64, err error) {
	old, err := tooOld[int64](ctx, j, rOldFrames, before, dropRows)
	if err != nil || len(old) == 0 {
		return 0, err
	}
	err = j.submit(ctx, func(b *batch) error {
		gone = 0
		for _, arrival := range old {
			n, err := b.dropFrame(arrival)
			if err != nil {
				return err
			}
			gone += n
		}
		b.count(countFramesGone, gone)
		return nil
	})
	return gone, err
}

// dropFrame removes a frame with its content and the answer it got.
func (b *batch) dropFrame(arrival int64) (int64, error) {
	for _, s := range []write{wDropReply, wDropFrameBody} {
		if err := b.do(s, arrival); err != nil {
			return 0, err
		}
	}
	return b.exec(wDropFrame, arrival)
}

func (j *Journal) dropLetters(ctx context.Context, before int64) (gone int64, err error) {
	old, err := tooOld[string](ctx, j, rOldLetters, before, dropRows)
	if err != nil || len(old) == 0 {
		return 0, err
	}
	err = j.submit(ctx, func(b *batch) error {
		gone = 0
		for _, id := range old {
			n, err := b.exec(wDropLetter, id)
			if err != nil {
				return err
			}
			gone += n
		}
		return nil
	})
	return gone, err
}

func (j *Journal) dropEnded(ctx context.Context, before int64) (gone int64, err error) {
	old, err := tooOld[string](ctx, j, rOldConversations, journal.StateEnded, before, before, dropConversations)
	for _, id := range old {
		if err == nil {
			err = j.submit(ctx, func(b *batch) error { return b.dropConversation(id) })
		}
		if err != nil {
			return gone, err
		}
		j.vault.forget(id)
		gone++
	}
	return gone, err
}

// dropConversation removes a conversation and everything of it.
func (b *batch) dropConversation(id string) error {
	var last, retained int64
	if err := b.row(wLastPosition, id).Scan(&last, &retained); err != nil {
		return err
	}
	b.count(countRetained, max(last-retained, 0))
	for _, s := range []struct {
		write write
		count string
	}{{wDeleteKey, ""}, {wDeleteLegKeys, ""}, {wDeleteRefs, ""}, {wDeleteDedups, ""}, {wDeleteIdempotents, ""}, {wDeleteReplies, ""},
		{wDeleteDeadLetters, ""}, {wDeleteFrameBodies, ""}, {wDeleteTurns, ""}, {wDeleteFrames, countFramesGone}, {wDropDeliveries, ""}, {wDropLegs, ""},
		{wDropBodies, ""}, {wDropEvents, countEventsGone}, {wDropConversation, ""}} {
		n, err := b.exec(s.write, id)
		if err != nil {
			return err
		}
		if s.count != "" {
			b.count(s.count, n)
		}
	}
	return nil
}

// dropAudit moves the front of the audit trail on.
func (j *Journal) dropAudit(ctx context.Context, before int64) (gone int64, err error) {
	old, err := tooOld[int64](ctx, j, rOldAudit, before, dropRows)
	if err != nil || len(old) == 0 {
		return 0, err
	}
	last := old[len(old)-1]
	err = j.submit(ctx, func(b *batch) error {
		e, err := readEnds(j.trail, b.row(wAuditEnds))
		if err != nil {
			return err
		}
		if err := b.row(wAuditChain, last).Scan(&e.before); err != nil {
			return err
		}
		if gone, err = b.exec(wDropAudit, last); err != nil {
			return err
		}
		e.first = last + 1
		return b.do(wMoveAuditEnds, e.first, e.before, e.last, e.seal(j.trail))
	})
	return gone, err
}
