package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// AcceptFrame stores one frame of an existing conversation; when it returns, the
// frame is on disk. It takes no part in the fence. A frame whose dedup id was
// seen at its account, endpoint and leg is not stored, and the answer names the
// first one; so it is with the mark of a signed frame, at any leg.
// journal.ErrNotFound means there is no such conversation, and
// journal.ErrErased that it was erased.
func (j *Journal) AcceptFrame(ctx context.Context, f journal.Frame) (journal.Accepted, error) {
	all, err := j.AcceptFrames(ctx, []journal.Frame{f})
	if err != nil {
		return journal.Accepted{}, err
	}
	return all[0], nil
}

// AcceptFrames stores several frames as AcceptFrame does, all of them or none,
// and answers for each in order.
func (j *Journal) AcceptFrames(ctx context.Context, frames []journal.Frame) ([]journal.Accepted, error) {
	sealed := make([]sealedFrame, len(frames))
	for i, f := range frames {
		key, err := j.key(ctx, f.Conversation)
		if err != nil {
			return nil, fmt.Errorf("accept frame %s: %w", f.ID, err)
		}
		if sealed[i], err = sealFrame(key, f); err != nil {
			return nil, err
		}
	}
	answers := make([]journal.Accepted, len(frames))
	err := j.submit(ctx, func(b *batch) error { return b.acceptFrames(sealed, answers) })
	if err != nil {
		return nil, fmt.Errorf("accept frame: %w", err)
	}
	for i := range answers {
		if err := j.addReply(ctx, &answers[i]); err != nil {
			return nil, err
		}
	}
	return answers, nil
}

// addReply gives the answer its duplicate got, if that is known by now.
func (j *Journal) addReply(ctx context.Context, a *journal.Accepted) (err error) {
	if a.Duplicate == "" {
		return nil
	}
	a.Reply, err = j.Reply(ctx, a.Duplicate)
	if errors.Is(err, journal.ErrNotFound) || errors.Is(err, journal.ErrErased) {
		return nil
	}
	return err
}

// sealedFrame is a frame ready to be written.
type sealedFrame struct {
	journal.Frame
	sealed []byte
	digest []byte
}

func sealFrame(key DataKey, f journal.Frame) (sealedFrame, error) {
	if f.ID == "" {
		return sealedFrame{}, fmt.Errorf("frame of conversation %s has no id", f.Conversation)
	}
	sealed := sealedFrame{Frame: f, sealed: framePlace(f.ID).seal(key, f.Data)}
	sealed.digest = sealed.sum()
	return sealed, nil
}

// sum is a digest over all of the frame but its outcome.
func (f sealedFrame) sum() []byte {
	b := appendField(make([]byte, 0, len(f.sealed)+256), f.sealed)
	for _, field := range []string{f.ID, f.Conversation, f.Leg, f.Account, f.Endpoint, f.Dedup, f.DedupWhile,
		decimal(micros(f.Received)), decimal(micros(f.ReplyBy))} {
		b = appendField(b, field)
	}
	return digest(b)
}

func (b *batch) acceptFrames(frames []sealedFrame, answers []journal.Accepted) error {
	for i, f := range frames {
		if err := b.sealing(f.Conversation); err != nil {
			return err
		}
		duplicate, err := b.insertFrame(f)
		if err != nil {
			return err
		}
		answers[i] = journal.Accepted{Duplicate: duplicate}
	}
	return nil
}

// sealing sees that the conversation is there and has not been erased since its
// key was taken.
func (b *batch) sealing(conversation string) error {
	var there bool
	if err := b.row(wSealing, conversation).Scan(&there); err != nil {
		return err
	}
	if there {
		return nil
	}
	_, err := b.head(conversation)
	if err == nil {
		err = journal.ErrErased
	}
	return fmt.Errorf("conversation %s: %w", conversation, err)
}

// insertFrame stores the frame, or gives the id of the one it repeats.
func (b *batch) insertFrame(f sealedFrame) (duplicate string, err error) {
	if duplicate, err = b.marked(f.Frame); err != nil || duplicate != "" {
		return duplicate, err
	}
	if f.Dedup != "" {
		fresh, err := b.exec(wInsertDedup, f.Leg, f.Endpoint, f.Dedup, f.Account, f.DedupWhile, f.Conversation, f.ID)
		if err != nil {
			return "", fmt.Errorf("remember dedup id of frame %s: %w", f.ID, err)
		}
		if fresh == 0 {
			err := b.row(wFrameOfDedup, f.Leg, f.Endpoint, f.Dedup, f.Account).Scan(&duplicate)
			return duplicate, err
		}
	}
	arrival := b.nextArrival()
	err = b.do(wInsertFrame, arrival, f.ID, f.Conversation, f.Leg, f.Account, f.Endpoint, micros(f.Received),
		micros(f.ReplyBy), f.Dedup, f.DedupWhile, f.Outcome, f.digest)
	if err == nil {
		err = b.do(wInsertFrameBody, arrival, f.sealed)
	}
	if err != nil {
		return "", fmt.Errorf("store frame %s: %w", f.ID, err)
	}
	return "", nil
}

// marked remembers what was signed, or gives the id of the frame that had its
// mark. Marks that are over go here: so many stay as were taken in their time.
func (b *batch) marked(f journal.Frame) (duplicate string, err error) {
	if f.Mark == "" {
		return "", nil
	}
	if err := b.do(wExpireMarks, micros(f.Received)); err != nil {
		return "", fmt.Errorf("drop marks that are over: %w", err)
	}
	fresh, err := b.exec(wInsertMark, f.Account, f.Endpoint, f.Mark, f.ID, micros(f.MarkUntil))
	if err == nil && fresh == 0 {
		err = b.row(wFrameOfMark, f.Account, f.Endpoint, f.Mark).Scan(&duplicate)
	}
	if err != nil {
		return "", fmt.Errorf("remember the mark of frame %s: %w", f.ID, err)
	}
	return duplicate, nil
}

// head is what a commit builds on.
type head struct {
	version, seq int64
	chain        []byte
	state        string
	sealing      bool // the conversation has a key
}

func (b *batch) head(conversation string) (head, error) {
	var h head
	err := b.row(wHead, conversation).Scan(&h.version, &h.seq, &h.chain, &h.state, &h.sealing)
	if errors.Is(err, sql.ErrNoRows) {
		return head{}, journal.ErrNotFound
	}
	return h, err
}
