package sqlite

import (
	"context"
	"fmt"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// Commit stores everything of one turn, or nothing; when it returns nil, all of
// it is on disk and the conversation's version is one higher.
//
// journal.ErrFenced means the stored version is not Commit.Version (0: that the
// conversation exists already); journal.ErrKeyTaken that a key leads to another
// leg, or that a frame's dedup id was seen before; journal.ErrRepeated that the
// idempotency key was used; journal.ErrErased that the conversation was erased.
// Events have to continue the conversation's Seq without a gap.
func (j *Journal) Commit(ctx context.Context, c journal.Commit) error {
	t, err := j.sealTurn(ctx, c)
	if err != nil {
		return fmt.Errorf("commit conversation %s: %w", c.Conversation, err)
	}
	if err := j.submit(ctx, t.store); err != nil {
		return fmt.Errorf("commit conversation %s: %w", c.Conversation, err)
	}
	j.vault.remember(c.Conversation, t.key, t.mark)
	return nil
}

// turn is a commit sealed and ready to be written.
type turn struct {
	journal.Commit
	key     DataKey
	mark    int64  // for the vault to remember the key by
	wrapped []byte // the key of a new conversation
	state   []byte
	summary []byte
	legs    [][]byte
	events  []stored
	frames  []sealedFrame
	replies map[string][]byte
	reasons [][]byte // of dead letters
	inputs  [][]byte
	told    []byte
}

// sealTurn does all that needs no database, so that the writer has little to do.
func (j *Journal) sealTurn(ctx context.Context, c journal.Commit) (*turn, error) {
	t := &turn{Commit: c}
	if err := j.keyFor(ctx, t); err != nil {
		return nil, err
	}
	for _, seal := range []func() error{t.sealEvents, t.sealFrames, t.sealLetters} {
		if err := seal(); err != nil {
			return nil, err
		}
	}
	t.state = statePlace(c.Conversation, c.Version+1, micros(c.Wake)).seal(t.key, c.State)
	t.summary = summaryPlace(c.Conversation, c.Version+1, micros(c.Updated), c.Index).seal(t.key, c.Index.Summary)
	for _, leg := range c.Legs {
		leg.Conversation = c.Conversation
		t.legs = append(t.legs, legPlace(leg).seal(t.key, leg.Data))
	}
	if len(c.Told.Data) > 0 {
		t.told = turnPlace(c.Conversation, c.Version+1, micros(c.Updated), c.Told.Leg).seal(t.key, c.Told.Data)
	}
	t.replies = make(map[string][]byte, len(c.Replies))
	for frame, reply := range c.Replies {
		t.replies[frame] = replyPlace(frame).seal(t.key, reply)
	}
	return t, nil
}

func (j *Journal) keyFor(ctx context.Context, t *turn) (err error) {
	if t.Conversation == "" {
		return fmt.Errorf("commit names no conversation")
	}
	t.mark = j.vault.marked()
	if t.Version == 0 {
		t.key, t.wrapped, err = j.vault.make()
		return err
	}
	t.key, err = j.key(ctx, t.Conversation)
	return err
}

func (t *turn) sealEvents() error {
	for _, e := range t.Events {
		if err := t.fits(e); err != nil {
			return err
		}
		plain, err := e.MarshalJSON()
		if err != nil {
			return fmt.Errorf("encode event %s: %w", e.ID, err)
		}
		s := stored{id: e.ID, conversation: e.Conversation, seq: e.Seq, kind: string(e.Kind()),
			time: eventTime(e.Time), role: string(e.Actor.Role)}
		s.sealed = s.body().seal(t.key, plain)
		s.digest = digest(s.sealed)
		t.events = append(t.events, s)
	}
	return nil
}

// fits says what keeps an event from being stored with this turn, or nil.
func (t *turn) fits(e event.Event) error {
	switch {
	case e.ID == "" || e.Kind() == "":
		return fmt.Errorf("event %q of kind %q: needs both an id and a kind", e.ID, e.Kind())
	case e.Seq <= 0:
		return fmt.Errorf("event %s: has no position in its conversation, so it is not stored", e.ID)
	case e.Conversation != t.Conversation:
		return fmt.Errorf("event %s: belongs to conversation %q", e.ID, e.Conversation)
	}
	return nil
}

func (t *turn) sealFrames() error {
	for _, f := range t.Frames {
		if f.Conversation != t.Conversation {
			return fmt.Errorf("frame %s: belongs to conversation %q", f.ID, f.Conversation)
		}
		sealed, err := sealFrame(t.key, f)
		if err != nil {
			return err
		}
		t.frames = append(t.frames, sealed)
	}
	return nil
}

func (t *turn) sealLetters() error {
	for _, d := range t.DeadLetters {
		if d.Conversation != t.Conversation {
			return fmt.Errorf("dead letter %s: belongs to conversation %q", d.ID, d.Conversation)
		}
		reason, input := letterPlaces(d)
		t.reasons = append(t.reasons, reason.seal(t.key, []byte(d.Reason)))
		t.inputs = append(t.inputs, input.seal(t.key, d.Input))
	}
	return nil
}
