package sqlite

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// usualPage is how many conversations a list gives where the caller sets no limit.
const usualPage = 50

// Conversations lists conversations, the newest by creation first, at most
// Filter.Limit (0: 50). Filter.Since is of their creation.
func (j *Journal) Conversations(ctx context.Context, f journal.Filter) (list []journal.Listed, err error) {
	query, args := listQuery(f)
	err = j.look(ctx, func(v *view) error {
		rows, err := v.tx.QueryContext(v.ctx, query, args...)
		if err != nil {
			return err
		}
		return eachOf(rows, func(scan func(...any) error) error {
			l, err := v.listed(scan)
			list = append(list, l)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list conversations: %w", err)
	}
	return list, nil
}

func listQuery(f journal.Filter) (query string, args []any) {
	limit := f.Limit
	if limit <= 0 {
		limit = usualPage
	}
	conditions := []string{"1 = 1"}
	for _, c := range []struct{ value, condition string }{
		{f.State, "c.state = ?"},
		{f.Owner, "c.owner = ?"},
		{f.Route, "c.route = ?"},
		{f.Queue, "c.queue = ?"},
		{f.Agent, "c.agent = ?"},
		{f.Account, "EXISTS (SELECT 1 FROM legs l WHERE l.conversation = c.id AND l.account = ?)"},
		{f.Before, "(c.created, c.id) < (SELECT b.created, b.id FROM conversations b WHERE b.id = ?)"},
	} {
		if c.value != "" {
			conditions, args = append(conditions, c.condition), append(args, c.value)
		}
	}
	if !f.Since.IsZero() {
		conditions, args = append(conditions, "c.created >= ?"), append(args, micros(f.Since))
	}
	if f.Left {
		conditions = append(conditions, "c.left_since > 0")
	}
	query = listedColumns + " WHERE " + strings.Join(conditions, " AND ") + " ORDER BY c.created DESC, c.id DESC LIMIT ?"
	return query, append(args, limit)
}

// Conversation gives one row of the list.
func (j *Journal) Conversation(ctx context.Context, id string) (l journal.Listed, err error) {
	err = j.look(ctx, func(v *view) error {
		l, err = v.listed(v.row(rListed, id).Scan)
		return err
	})
	if err != nil {
		return journal.Listed{}, fmt.Errorf("read conversation %s: %w", id, err)
	}
	return l, nil
}

func (v *view) listed(scan func(...any) error) (journal.Listed, error) {
	var l journal.Listed
	var version, created, updated, left int64
	var sealed []byte
	err := scan(&l.ID, &version, &created, &updated, &l.Index.State, &l.Index.Owner, &l.Index.Route, &l.Index.Queue,
		&l.Index.Agent, &left, &sealed)
	if err != nil {
		return l, err
	}
	l.Created, l.Updated = fromMicros(created), fromMicros(updated)
	l.Index.Left = fromMicros(left)
	key, err := v.key(l.ID)
	if errors.Is(err, journal.ErrErased) {
		l.Erased = true
		return l, nil
	}
	if err != nil {
		return l, err
	}
	l.Index.Summary, err = summaryPlace(l.ID, version, updated, l.Index).unseal(key, sealed)
	return l, err
}

// Frame gives one frame of a conversation.
func (j *Journal) Frame(ctx context.Context, conversation, id string) (journal.Frame, error) {
	var found []journal.Frame
	err := j.look(ctx, func(v *view) (err error) {
		if _, err := v.key(conversation); err != nil {
			return err
		}
		found, err = v.frames(rFrame, conversation, id)
		return err
	})
	if err == nil && len(found) == 0 {
		err = journal.ErrNotFound
	}
	if err != nil {
		return journal.Frame{}, fmt.Errorf("read frame %s: %w", id, err)
	}
	return found[0], nil
}

// Frames gives a conversation's frames after one of them ("": from the first), by
// id, at most limit (0: 1000).
func (j *Journal) Frames(ctx context.Context, conversation, after string, limit int) (frames []journal.Frame, err error) {
	err = j.look(ctx, func(v *view) error {
		if _, err := v.key(conversation); err != nil {
			return err
		}
		frames, err = v.frames(rFrames, conversation, after, atMost(limit))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read frames of %s: %w", conversation, err)
	}
	return frames, nil
}

// Deliveries gives what became of a conversation's events at each leg, in order
// of time.
func (j *Journal) Deliveries(ctx context.Context, conversation string) (deliveries []journal.Delivery, err error) {
	err = j.look(ctx, func(v *view) error {
		return v.each(rDeliveries, func(scan func(...any) error) error {
			var d journal.Delivery
			var at int64
			err := scan(&d.Event, &d.Leg, &d.Outcome, &d.Reason, &d.MaybeDuplicate, &at)
			d.At = fromMicros(at)
			deliveries = append(deliveries, d)
			return err
		}, conversation)
	})
	if err != nil {
		return nil, fmt.Errorf("read deliveries of %s: %w", conversation, err)
	}
	return deliveries, nil
}
