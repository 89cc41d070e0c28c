package sqlite

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// fullTurn is a first commit that has everything a commit can have.
func fullTurn() journal.Commit {
	c := newTurn("c")
	c.Wake = noon.Add(time.Minute)
	c.Keys = []journal.Key{{Account: "web", Key: "visitor", Leg: "c/1"}}
	c.Events = []event.Event{said("c", 1, "hello"), said("c", 2, "anyone there?")}
	c.Refs = []journal.Ref{{Leg: "c/1", Kind: event.KindMessageCreated, Ref: "v-1", Event: "c-1"}, {Leg: "c/1", Ref: "v-2", Event: "c-2"}}
	c.Frames = []journal.Frame{frame("c", "f1"), frame("c", "f2")}
	c.Ended = map[string]string{"f1": journal.FrameDone}
	c.Replies = map[string][]byte{"f1": []byte("answer")}
	c.Deliveries = []journal.Delivery{{Event: "c-1", Leg: "c/2", Outcome: journal.Dead, Reason: "gone", MaybeDuplicate: true, At: noon}}
	c.DeadLetters = []journal.DeadLetter{{ID: "d1", Conversation: "c", Leg: "c/2", Account: "desk", Adapter: "native",
		Version: "1", Frame: "f1", Reason: "cannot be read", Input: []byte("input"), At: noon}}
	c.Idempotent = &journal.Idempotent{Token: "desk", Key: "once", Digest: []byte{1, 2}, Event: "c-1", Expires: noon.Add(time.Hour)}
	c.Told = journal.Turn{Leg: "c/1", Data: []byte("what it was")}
	return c
}

func frame(conversation, id string) journal.Frame {
	return journal.Frame{ID: id, Conversation: conversation, Leg: conversation + "/1", Account: "web", Endpoint: "in",
		Received: noon, Data: []byte("data of " + id), Dedup: "dedup-" + id, ReplyBy: noon.Add(time.Second)}
}

// equal compares what was read with what was stored.
func equal(t *testing.T, what string, got, want any, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", what, err)
	} else if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

func isError(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: got error %v, want %v", what, got, want)
	}
}

func TestEverythingOfACommitIsReadBack(t *testing.T) {
	dir := t.TempDir()
	j := openJournal(t, dir, Options{})
	c := fullTurn()
	commit(t, j, c)
	readBack(t, j, c)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	readBack(t, openJournal(t, dir, Options{}), c)
}

func readBack(t *testing.T, j *Journal, c journal.Commit) {
	t.Helper()
	ctx := context.Background()
	leg := c.Legs[0]
	leg.Conversation = "c"
	ended := c.Frames[0]
	ended.Outcome = journal.FrameDone

	loaded, err := j.Load(ctx, "c")
	equal(t, "Load", loaded, journal.Conversation{ID: "c", Version: 1, Created: noon, Updated: noon, Seq: 2,
		State: c.State, Legs: []journal.Leg{leg}, Pending: c.Frames[1:]}, err)
	found, err := j.FindLeg(ctx, "web", "visitor")
	equal(t, "FindLeg", found, leg, err)
	events, err := j.Events(ctx, "c", 0, 0)
	equal(t, "Events", events, c.Events, err)
	events, err = j.Events(ctx, "c", 1, 1)
	equal(t, "Events after 1", events, c.Events[1:], err)
	e, err := j.Event(ctx, "c-2")
	equal(t, "Event", e, c.Events[1], err)
	feed, err := j.Feed(ctx, 1, 0)
	equal(t, "Feed", feed, []journal.Positioned{{Position: 2, Event: c.Events[1]}}, err)
	frames, err := j.Frames(ctx, "c", "", 0)
	equal(t, "Frames", frames, []journal.Frame{ended, c.Frames[1]}, err)
	frames, err = j.Frames(ctx, "c", "f1", 5)
	equal(t, "Frames after f1", frames, c.Frames[1:], err)
	one, err := j.Frame(ctx, "c", "f2")
	equal(t, "Frame", one, c.Frames[1], err)
	turns, err := j.Turns(ctx, "c", 0, 0)
	equal(t, "Turns", turns, []journal.Turn{{Number: 1, At: noon, Leg: "c/1", Data: []byte("what it was")}}, err)
	turns, err = j.Turns(ctx, "c", 1, 0)
	equal(t, "Turns after the last", len(turns), 0, err)
	reply, err := j.Reply(ctx, "f1")
	equal(t, "Reply", reply, []byte("answer"), err)
	deliveries, err := j.Deliveries(ctx, "c")
	equal(t, "Deliveries", deliveries, c.Deliveries, err)
	letters, err := j.DeadLetters(ctx, time.Time{}, "", 0)
	equal(t, "DeadLetters", letters, c.DeadLetters, err)
	letter, err := j.DeadLetter(ctx, "d1")
	equal(t, "DeadLetter", letter, c.DeadLetters[0], err)
	idempotent, err := j.Idempotent(ctx, "desk", "once")
	equal(t, "Idempotent", idempotent, *c.Idempotent, err)
	listed, err := j.Conversation(ctx, "c")
	equal(t, "Conversation", listed, journal.Listed{ID: "c", Created: noon, Updated: noon, Index: c.Index}, err)
	waking, err := j.Waking(ctx)
	equal(t, "Waking", waking, []journal.Waking{{Conversation: "c", At: noon}}, err)
	counts, err := j.Stats(ctx)
	equal(t, "Stats", counts, journal.Counts{Conversations: map[string]int64{"automated": 1},
		Deliveries: map[string]int64{"dead": 1}, Events: 2, Pending: 1, DeadLetters: 1}, err)
	backlog, err := j.Backlog(ctx)
	equal(t, "Backlog", backlog, map[string]int64{"web": 1}, err)
	last, oldest, err := j.Position(ctx)
	equal(t, "Position", []int64{last, oldest}, []int64{2, 1}, err)
	if err := j.Scrub(ctx); err != nil {
		t.Errorf("Scrub: %v", err)
	}
}

func TestWhatIsNotThereIsNotFound(t *testing.T) {
	j, ctx := openJournal(t, t.TempDir(), Options{}), context.Background()
	_, accept := j.AcceptFrame(ctx, frame("c", "f"))
	_, load := j.Load(ctx, "c")
	_, leg := j.FindLeg(ctx, "web", "k")
	_, events := j.Events(ctx, "c", 0, 0)
	_, one := j.Event(ctx, "e")
	_, listed := j.Conversation(ctx, "c")
	_, letter := j.DeadLetter(ctx, "d")
	_, ref := j.Ref(ctx, "l", "", "r")
	_, reply := j.Reply(ctx, "f")
	_, idempotent := j.Idempotent(ctx, "t", "k")
	for what, err := range map[string]error{"AcceptFrame": accept, "Load": load, "FindLeg": leg, "Events": events, "Event": one,
		"Conversation": listed, "DeadLetter": letter, "Ref": ref, "Reply": reply, "Idempotent": idempotent,
		"MarkReplayed": j.MarkReplayed(ctx, "d", noon), "Verify": j.Verify(ctx, "c"), "Erase": j.Erase(ctx, "c", journal.Audit{Who: "token ops"}),
		"Commit": j.Commit(ctx, journal.Commit{Conversation: "c", Version: 1})} {
		isError(t, what, err, journal.ErrNotFound)
	}
}

func TestOnlyTheExpectedVersionIsCommitted(t *testing.T) {
	j, ctx := openJournal(t, t.TempDir(), Options{}), context.Background()
	c := newTurn("c")
	commit(t, j, c)
	isError(t, "making it again", j.Commit(ctx, c), journal.ErrFenced)
	c.Version, c.State = 1, []byte("second")
	commit(t, j, c)
	isError(t, "an old version", j.Commit(ctx, c), journal.ErrFenced)
	c.Version = 9
	isError(t, "a version to come", j.Commit(ctx, c), journal.ErrFenced)
	loaded, err := j.Load(ctx, "c")
	equal(t, "version and state", []any{loaded.Version, string(loaded.State)}, []any{int64(2), "second"}, err)
}

// Each row spoils a commit; nothing of it may be stored, and a sound one passes
// afterwards.
func TestARefusedCommitLeavesNothing(t *testing.T) {
	ctx := context.Background()
	for name, row := range map[string]struct {
		spoil func(*journal.Commit)
		want  error
		says  string
	}{
		"key of another leg":  {func(c *journal.Commit) { c.Keys = []journal.Key{{Account: "web", Key: "taken", Leg: "c/1"}} }, journal.ErrKeyTaken, ""},
		"key from wrong leg":  {func(c *journal.Commit) { c.Keys = []journal.Key{{Account: "web", Key: "taken", Leg: "c/1", From: "x"}} }, journal.ErrKeyTaken, ""},
		"repeated frame":      {func(c *journal.Commit) { c.Frames = []journal.Frame{frame("c", "f9")}; c.Frames[0].Dedup = "dedup-f1" }, journal.ErrKeyTaken, ""},
		"frame not there":     {func(c *journal.Commit) { c.Ended = map[string]string{"f9": journal.FrameDone} }, journal.ErrNotFound, ""},
		"repeated event":      {func(c *journal.Commit) { c.Events[0].ID = "other-1" }, nil, "other-1"},
		"event twice":         {func(c *journal.Commit) { c.Events[1].ID = c.Events[0].ID }, nil, "c-2"},
		"gap before events":   {func(c *journal.Commit) { c.Events = c.Events[1:] }, nil, "seq 3 where 2"},
		"gap in events":       {func(c *journal.Commit) { c.Events[1].Seq = 4 }, nil, "seq 4 where 3"},
		"event without seq":   {func(c *journal.Commit) { c.Events[1].Seq = 0 }, nil, "no position"},
		"event without id":    {func(c *journal.Commit) { c.Events[1].ID = "" }, nil, "needs both"},
		"event of another":    {func(c *journal.Commit) { c.Events[1].Conversation = "other" }, nil, "other"},
		"frame of another":    {func(c *journal.Commit) { c.Frames = []journal.Frame{frame("other", "f9")} }, nil, "other"},
		"leg of another":      {func(c *journal.Commit) { c.Legs = []journal.Leg{{ID: "other/1"}} }, nil, "another conversation"},
		"used idempotency":    {func(c *journal.Commit) { c.Idempotent = &journal.Idempotent{Token: "desk", Key: "once"} }, journal.ErrRepeated, ""},
		"repeated letter":     {func(c *journal.Commit) { c.DeadLetters[0].ID = "d0" }, nil, "d0"},
		"letter of another":   {func(c *journal.Commit) { c.DeadLetters[0].Conversation = "other" }, nil, "other"},
		"key for unknown leg": {func(c *journal.Commit) { c.Keys = []journal.Key{{Account: "web", Key: "new", Leg: "nowhere"}} }, nil, "nowhere"},
	} {
		t.Run(name, func(t *testing.T) {
			j := openJournal(t, t.TempDir(), Options{})
			other := newTurn("other")
			other.Events = []event.Event{said("other", 1, "hi")}
			other.Keys = []journal.Key{{Account: "web", Key: "taken", Leg: "other/1"}}
			other.DeadLetters = []journal.DeadLetter{{ID: "d0", Conversation: "other"}}
			commit(t, j, other)
			first := newTurn("c")
			first.Events, first.Frames = []event.Event{said("c", 1, "one")}, []journal.Frame{frame("c", "f1")}
			first.Idempotent = &journal.Idempotent{Token: "desk", Key: "once", Expires: noon.Add(time.Hour)}
			commit(t, j, first)

			next := func() journal.Commit {
				c := newTurn("c")
				c.Version, c.State = 1, []byte("next")
				c.Events = []event.Event{said("c", 2, "two"), said("c", 3, "three")}
				c.DeadLetters = []journal.DeadLetter{{ID: "d1", Conversation: "c"}}
				return c
			}
			before := everything(t, j)
			c := next()
			row.spoil(&c)
			err := j.Commit(ctx, c)
			if err == nil || row.want != nil && !errors.Is(err, row.want) || !strings.Contains(err.Error(), row.says) {
				t.Errorf("got error %v, want %v saying %q", err, row.want, row.says)
			}
			equal(t, "journal after the refusal", everything(t, j), before, nil)
			commit(t, j, next())
			if err := j.Scrub(ctx); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAKeyMovesFromALegThatIsNamed(t *testing.T) {
	j, ctx := openJournal(t, t.TempDir(), Options{}), context.Background()
	for i, key := range []journal.Key{{Leg: "c0/1"}, {Leg: "c1/1", From: "c0/1"}} {
		c := newTurn(fmt.Sprintf("c%d", i))
		key.Account, key.Key = "web", "visitor"
		c.Keys = []journal.Key{key, key} // said twice is said once.
		commit(t, j, c)
		leg, err := j.FindLeg(ctx, "web", "visitor")
		equal(t, "leg of the key", leg.ID, key.Leg, err)
	}
}

func TestADeliveryHasOneOutcome(t *testing.T) {
	j, ctx := openJournal(t, t.TempDir(), Options{}), context.Background()
	c := newTurn("c")
	c.Deliveries = []journal.Delivery{{Event: "e", Leg: "l", Outcome: journal.Dead, At: noon}}
	commit(t, j, c)
	c.Version, c.Deliveries[0].Outcome = 1, journal.Delivered
	commit(t, j, c)
	deliveries, err := j.Deliveries(ctx, "c")
	equal(t, "deliveries", deliveries, c.Deliveries, err)
	counts, err := j.Stats(ctx)
	equal(t, "counts", counts.Deliveries, map[string]int64{"dead": 0, "delivered": 1}, err)
}

func TestAnIdempotencyKeyIsFreeAgainOnceExpired(t *testing.T) {
	j, ctx := openJournal(t, t.TempDir(), Options{}), context.Background()
	c := newTurn("c")
	c.Idempotent = &journal.Idempotent{Token: "desk", Key: "once", Event: "first", Expires: noon.Add(time.Hour)}
	commit(t, j, c)
	c.Version, c.Updated = 1, noon.Add(time.Hour)
	isError(t, "before it expires", j.Commit(ctx, c), journal.ErrRepeated)
	c.Updated, c.Idempotent.Event = noon.Add(time.Hour+time.Second), "second"
	commit(t, j, c)
	i, err := j.Idempotent(ctx, "desk", "once")
	equal(t, "event", i.Event, "second", err)
}

func TestRefsAreFoundByKindOrAny(t *testing.T) {
	j, ctx := openJournal(t, t.TempDir(), Options{}), context.Background()
	c := newTurn("c")
	c.Events = []event.Event{said("c", 1, "one"), said("c", 2, "two")}
	c.Refs = []journal.Ref{{Leg: "c/1", Kind: event.KindMessageRead, Ref: "r", Event: "c-2"},
		{Leg: "c/1", Kind: event.KindMessageCreated, Ref: "r", Event: "c-1"},
		{Leg: "c/1", Kind: event.KindMessageCreated, Ref: "r", Event: "c-2"}}
	commit(t, j, c)
	for kind, want := range map[event.Kind]string{"": "c-1", event.KindMessageRead: "c-2", event.KindMessageCreated: "c-1"} {
		got, err := j.Ref(ctx, "c/1", kind, "r")
		equal(t, "ref of kind "+string(kind), got, want, err)
	}
	_, err := j.Ref(ctx, "c/2", "", "r")
	isError(t, "ref of another leg", err, journal.ErrNotFound)
}
