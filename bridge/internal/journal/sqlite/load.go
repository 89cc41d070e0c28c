package sqlite

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// FindLeg gives the leg a vendor's key leads to, also when its conversation has
// ended; journal.ErrNotFound if it leads to none.
func (j *Journal) FindLeg(ctx context.Context, account, key string) (leg journal.Leg, err error) {
	err = j.look(ctx, func(v *view) error {
		leg, err = v.leg(v.row(rLegOfKey, account, key).Scan)
		if err == nil && leg.Account != account {
			err = place{"leg_keys", leg.ID, nil}.damaged("leads to a leg of another account")
		}
		return err
	})
	if err != nil {
		return journal.Leg{}, fmt.Errorf("find leg of account %s: %w", account, err)
	}
	return leg, nil
}

func (v *view) leg(scan func(...any) error) (journal.Leg, error) {
	var leg journal.Leg
	var sealed []byte
	if err := scan(&leg.ID, &leg.Conversation, &leg.Account, &leg.Role, &sealed); err != nil {
		return journal.Leg{}, err
	}
	key, err := v.key(leg.Conversation)
	if err != nil {
		return journal.Leg{}, err
	}
	leg.Data, err = legPlace(leg).unseal(key, sealed)
	return leg, err
}

// Load gives what is needed to go on with a conversation, all of one moment.
func (j *Journal) Load(ctx context.Context, conversation string) (c journal.Conversation, err error) {
	err = j.look(ctx, func(v *view) error {
		c, err = v.load(conversation)
		return err
	})
	if err != nil {
		return journal.Conversation{}, fmt.Errorf("load conversation %s: %w", conversation, err)
	}
	return c, nil
}

func (v *view) load(conversation string) (journal.Conversation, error) {
	c := journal.Conversation{ID: conversation}
	var created, updated, wake int64
	var sealed []byte
	err := v.row(rConversation, conversation).Scan(&c.Version, &created, &updated, &wake, &c.Seq, &sealed)
	if err != nil {
		return c, err
	}
	c.Created, c.Updated = fromMicros(created), fromMicros(updated)
	key, err := v.key(conversation)
	if err != nil {
		return c, err
	}
	if c.State, err = statePlace(conversation, c.Version, wake).unseal(key, sealed); err != nil {
		return c, err
	}
	if c.Legs, err = v.legs(conversation); err != nil {
		return c, err
	}
	c.Pending, err = v.frames(rPending, conversation)
	return c, err
}

func (v *view) legs(conversation string) (legs []journal.Leg, err error) {
	err = v.each(rLegs, func(scan func(...any) error) error {
		leg, err := v.leg(scan)
		legs = append(legs, leg)
		return err
	}, conversation)
	return legs, err
}

// frames reads frames of one conversation; args begin with its id.
func (v *view) frames(s read, args ...any) (frames []journal.Frame, err error) {
	err = v.each(s, func(scan func(...any) error) error {
		f, err := v.frame(scan)
		frames = append(frames, f.Frame)
		return err
	}, args...)
	return frames, err
}

// frame reads one frame with its content.
func (v *view) frame(scan func(...any) error) (sealedFrame, error) {
	f, err := scanFrame(scan)
	if err != nil {
		return f, err
	}
	key, err := v.key(f.Conversation)
	if err != nil {
		return f, err
	}
	f.Data, err = framePlace(f.ID).unseal(key, f.sealed)
	return f, err
}

// scanFrame reads one frame and sees that its content is as it was stored.
func scanFrame(scan func(...any) error) (f sealedFrame, err error) {
	var received, replyBy int64
	err = scan(&f.ID, &f.Conversation, &f.Leg, &f.Account, &f.Endpoint, &received, &replyBy, &f.Dedup,
		&f.DedupWhile, &f.Outcome, &f.digest, &f.sealed)
	if err != nil {
		return f, err
	}
	f.Received, f.ReplyBy = fromMicros(received), fromMicros(replyBy)
	if f.sealed == nil {
		return f, framePlace(f.ID).damaged("is missing")
	}
	if !bytes.Equal(f.sum(), f.digest) {
		return f, framePlace(f.ID).damaged("does not match its digest")
	}
	return f, nil
}

// Waking lists the conversations that need the engine by themselves: those with
// a wake time, and those with frames no turn has dealt with, which are due since
// the first of them came in. Erased ones need nothing.
func (j *Journal) Waking(ctx context.Context) ([]journal.Waking, error) {
	due := map[string]time.Time{}
	err := j.look(ctx, func(v *view) error {
		for _, s := range []read{rWakes, rEarliest} {
			if err := v.wakes(s, due); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list waking conversations: %w", err)
	}
	waking := make([]journal.Waking, 0, len(due))
	for conversation, at := range due {
		waking = append(waking, journal.Waking{Conversation: conversation, At: at})
	}
	return waking, nil
}

func (v *view) wakes(s read, due map[string]time.Time) error {
	return v.each(s, func(scan func(...any) error) error {
		var conversation string
		var micro int64
		if err := scan(&conversation, &micro); err != nil {
			return err
		}
		at := fromMicros(micro)
		if known, ok := due[conversation]; !ok || at.Before(known) {
			due[conversation] = at
		}
		return nil
	})
}

// Reply gives the answer committed for a held frame; journal.ErrNotFound if there
// is none.
func (j *Journal) Reply(ctx context.Context, frame string) (reply []byte, err error) {
	err = j.look(ctx, func(v *view) error {
		reply, err = v.reply(v.row(rReply, frame).Scan)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read reply to frame %s: %w", frame, err)
	}
	return reply, nil
}

func (v *view) reply(scan func(...any) error) ([]byte, error) {
	var frame, conversation string
	var sealed []byte
	if err := scan(&frame, &conversation, &sealed); err != nil {
		return nil, err
	}
	key, err := v.key(conversation)
	if err != nil {
		return nil, err
	}
	return replyPlace(frame).unseal(key, sealed)
}

// Ref gives the id of the event a vendor's id means at a leg; kind "" asks for
// any kind, and gets the earliest event.
func (j *Journal) Ref(ctx context.Context, leg string, kind event.Kind, ref string) (id string, err error) {
	err = j.look(ctx, func(v *view) error {
		return v.row(rRef, leg, ref, string(kind), string(kind)).Scan(&id)
	})
	if err != nil {
		return "", fmt.Errorf("find ref at leg %s: %w", leg, err)
	}
	return id, nil
}

// Marked tells until when an endpoint's signed request with that mark counts as
// taken; journal.ErrNotFound means that none was, or that it was forgotten since.
func (j *Journal) Marked(ctx context.Context, account, endpoint, mark string) (until time.Time, err error) {
	err = j.look(ctx, func(v *view) error {
		var at int64
		err := v.row(rMark, account, endpoint, mark).Scan(&at)
		until = fromMicros(at)
		return err
	})
	if err != nil {
		return time.Time{}, fmt.Errorf("find a mark: %w", err)
	}
	return until, nil
}

// Idempotent gives what an API call with this key came to, also when it has
// expired since.
func (j *Journal) Idempotent(ctx context.Context, token, key string) (journal.Idempotent, error) {
	i := journal.Idempotent{Token: token, Key: key}
	err := j.look(ctx, func(v *view) error {
		var expires int64
		err := v.row(rIdempotent, token, key).Scan(&i.Digest, &i.Event, &expires)
		i.Expires = fromMicros(expires)
		return err
	})
	if err != nil {
		return journal.Idempotent{}, fmt.Errorf("find idempotency key: %w", err)
	}
	return i, nil
}
