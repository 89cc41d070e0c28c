package engine

import (
	"context"
	"errors"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// fetchPause is how long a leg that is to have a file rests before it is asked
// again whether the file is there.
const fetchPause = 200 * time.Millisecond

// errFetching says a file is still being fetched.
var errFetching = errors.New("file is still being fetched")

// unfit says why a leg cannot be given a file.
type unfit string

func (u unfit) Error() string { return "file refused: " + string(u) }

// claim gives the file of a message an adapter brought a place to be kept in.
func (b *batch) claim(e event.Event) event.Event {
	said, ok := e.Body.(event.MessageCreated)
	file, isFile := said.Content.Part.(event.Media)
	if !ok || !isFile || b.c.e.Media == nil || b.c.e.setup.Load().Accounts[e.Via.Account].Native() || e.Via.Account == "" {
		return e
	}
	said.Content = event.Content{Part: b.c.e.Media.Claim(e.Conversation, e.ID, file)}
	e.Body = said
	return e
}

// linked is a message's content with its file as a far side can have it.
func (c *convo) linked(ctx context.Context, e event.Event, content event.Content) (event.Content, error) {
	file, ok := content.Part.(event.Media)
	if !ok || c.e.Media == nil {
		return content, nil
	}
	file, pending, refused := c.e.Media.Link(ctx, e, file)
	switch {
	case refused != "":
		return content, unfit(refused)
	case pending:
		return content, errFetching
	}
	return event.Content{Part: file}, nil
}

// linkEntries does so for a transcript. What cannot be had now stays as it was
// told.
func (c *convo) linkEntries(ctx context.Context, entries []event.TranscriptEntry) {
	for i, entry := range entries {
		e := event.Event{ID: entry.Event, Conversation: c.id, Body: event.MessageCreated{Content: entry.Content}}
		if content, err := c.linked(ctx, e, entry.Content); err == nil {
			entries[i].Content = content
		}
	}
}

// withhold ends or puts off a delivery whose file the leg cannot have, or not
// yet.
func (c *convo) withhold(ctx context.Context, l *leg, why error) error {
	if errors.Is(why, errFetching) {
		if c.fetching == nil {
			c.fetching = map[string]time.Time{}
		}
		c.fetching[l.ID] = time.Now().Add(fetchPause)
		return nil
	}
	b := c.begin("withhold/" + l.doc.Delivery.Event + "/" + fullID(c.id, l.ID))
	if err := b.end(l, l.doc.Delivery, journal.Failed, why.Error()); err != nil {
		return err
	}
	return b.finish(ctx)
}
