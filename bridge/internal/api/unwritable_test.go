package api_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/api"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// spoilt is a journal in which what a customer said has no JSON form.
type spoilt struct{ api.Journal }

func (s spoilt) Events(ctx context.Context, id string, after int64, limit int) ([]event.Event, error) {
	events, err := s.Journal.Events(ctx, id, after, limit)
	for i := range events {
		events[i] = spoil(events[i])
	}
	return events, err
}

func (s spoilt) Feed(ctx context.Context, after int64, limit int) ([]journal.Positioned, error) {
	items, err := s.Journal.Feed(ctx, after, limit)
	for i := range items {
		items[i].Event = spoil(items[i].Event)
	}
	return items, err
}

func spoil(e event.Event) event.Event {
	if e.Kind() == event.KindMessageCreated && e.Actor.Role == event.RoleCustomer {
		e.Body = event.Unknown{Name: e.Kind(), JSON: []byte(`{"content":`)}
	}
	return e
}

// TestAnEventThatCannotBeShown: the list has the others and names it, and streams go on
// after it, for a supervisor and for the customer.
func TestAnEventThatCannotBeShown(t *testing.T) {
	b := start(t)
	id, token := b.open()
	said := b.say(id, token, message("hello"))
	b.heard(id, token, "you said hello")
	c, log := b.over(&faulty{})
	c.api.Journal = spoilt{c.api.Journal}
	for _, who := range []string{superToken, token} {
		got := decode[api.EventList](c.ask("GET", "/conversations/"+id+"/events", who, "").is(200, ""))
		if !slices.Equal(got.Damaged, []api.DamagedEvent{{ID: said.ID, Seq: said.Seq}}) || len(got.Events) == 0 ||
			slices.ContainsFunc(got.Events, func(e event.Event) bool { return e.ID == said.ID }) {
			t.Errorf("the list is %+v", got)
		}
		stream := c.listen("/events?after=0", who)
		if _, e := stream.until(event.KindMessageCreated); e.Actor.Role != event.RoleVirtualAgent {
			t.Errorf("the stream has %+v", e)
		}
	}
	if text := log.String(); !strings.Contains(text, "events of a conversation cannot be shown") || !strings.Contains(text, said.ID) || !strings.Contains(text, "passed over in a live stream") {
		t.Errorf("the log is %s", text)
	}
}
