package sqlite

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// dropAll drops until nothing is too old, and adds up.
func dropAll(t *testing.T, j *Journal, b journal.Bounds) (all journal.Removed) {
	t.Helper()
	for {
		r, err := j.Drop(context.Background(), b)
		if err != nil {
			t.Fatal(err)
		}
		if !r.Any() {
			return all
		}
		all.Frames, all.Turns, all.Conversations = all.Frames+r.Frames, all.Turns+r.Turns, all.Conversations+r.Conversations
		all.DeadLetters, all.Audit = all.DeadLetters+r.DeadLetters, all.Audit+r.Audit
	}
}

// aged is a conversation of one event, one ended and one pending frame and one
// dead letter, of some hours after noon.
func aged(id, state string, hours int) journal.Commit {
	at := noon.Add(time.Duration(hours) * time.Hour)
	c := newTurn(id)
	c.Created, c.Updated, c.Index.State = at, at, state
	c.Keys = []journal.Key{{Account: "web", Key: "of " + id, Leg: id + "/1"}}
	c.Events = []event.Event{said(id, 1, "hi")}
	for i, name := range []string{"done", "pending"} {
		f := frame(id, id+"-"+name)
		f.Received = at
		c.Frames = append(c.Frames, f)
		if i == 0 {
			c.Ended = map[string]string{f.ID: journal.FrameDone}
			c.Replies = map[string][]byte{f.ID: []byte("answer")}
		}
	}
	c.DeadLetters = []journal.DeadLetter{{ID: "d-" + id, Conversation: id, Leg: id + "/1", Account: "web", Input: []byte("input"), At: at}}
	c.Told.Data = []byte("what it was")
	return c
}

func TestWhatIsTooOldIsDropped(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	j := openJournal(t, dir, Options{})
	const n = 20 // more than one call drops
	for i := range n {
		commit(t, j, aged(fmt.Sprintf("old-%02d", i), journal.StateEnded, i))
	}
	commit(t, j, aged("running", "active", 0))
	commit(t, j, aged("young", journal.StateEnded, 100))
	for i := range 600 {
		a := journal.Audit{At: noon.Add(time.Duration(i) * time.Hour), Who: "token ops", Action: journal.AuditSignedIn}
		if err := j.Record(ctx, a); err != nil {
			t.Fatal(err)
		}
	}
	at := func(hours int) time.Time { return noon.Add(time.Duration(hours) * time.Hour) }
	equal(t, "nothing", dropAll(t, j, journal.Bounds{}), journal.Removed{}, nil)
	equal(t, "none so old", dropAll(t, j, journal.Bounds{Raw: noon, Conversations: noon, DeadLetters: noon, Audit: noon}), journal.Removed{}, nil)
	equal(t, "frames", dropAll(t, j, journal.Bounds{Raw: at(5)}), journal.Removed{Frames: 6, Turns: 6}, nil)
	equal(t, "dead letters", dropAll(t, j, journal.Bounds{DeadLetters: at(3)}), journal.Removed{DeadLetters: 4}, nil)
	equal(t, "audit", dropAll(t, j, journal.Bounds{Audit: at(550)}), journal.Removed{Audit: 550}, nil)
	equal(t, "conversations", dropAll(t, j, journal.Bounds{Conversations: at(50)}), journal.Removed{Conversations: n}, nil)
	for range 2 {
		dropped(t, j, n)
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		j = openJournal(t, dir, Options{})
	}
	record(t, j, 1)
	ends, err := j.VerifyAudit(ctx)
	equal(t, "VerifyAudit", []int64{ends.First, ends.Last}, []int64{551, 601}, err)
}

// dropped wants the old conversations gone whole and the others whole.
func dropped(t *testing.T, j *Journal, n int64) {
	t.Helper()
	ctx := context.Background()
	_, err := j.Load(ctx, "old-07")
	isError(t, "Load", err, journal.ErrNotFound)
	_, err = j.FindLeg(ctx, "web", "of old-07")
	isError(t, "FindLeg", err, journal.ErrNotFound)
	for _, id := range []string{"running", "young"} {
		if err := j.Verify(ctx, id); err != nil {
			t.Error(err)
		}
	}
	if err := j.Scrub(ctx); err != nil {
		t.Error(err)
	}
	running, err := j.Frames(ctx, "running", "", 0)
	equal(t, "frames of the running one", []any{len(running), running[0].ID}, []any{1, "running-pending"}, err)
	young, err := j.Frames(ctx, "young", "", 0)
	equal(t, "frames of the young one", len(young), 2, err)
	turns, err := j.Turns(ctx, "young", 0, 0)
	equal(t, "turns of the young one", len(turns), 1, err)
	turns, err = j.Turns(ctx, "running", 0, 0)
	equal(t, "turns of the running one", len(turns), 0, err)
	letters, err := j.DeadLetters(ctx, time.Time{}, "", 0)
	equal(t, "DeadLetters", []any{len(letters), letters[0].ID}, []any{1, "d-young"}, err)
	last, oldest, err := j.Position(ctx)
	equal(t, "Position", []int64{last, oldest}, []int64{n + 2, n + 1}, err)
	feed, err := j.Feed(ctx, oldest-1, 0)
	equal(t, "Feed", len(feed), 2, err)
}

// A conversation that goes on while others of the same time are dropped keeps its
// events; whoever was before the last dropped position cannot go on unseen.
func TestThePositionAfterWhatWasDropped(t *testing.T) {
	j, ctx := openJournal(t, t.TempDir(), Options{}), context.Background()
	commit(t, j, aged("long", "active", 0))
	commit(t, j, aged("short", journal.StateEnded, 0))
	_, oldest, err := j.Position(ctx)
	equal(t, "oldest before", oldest, int64(1), err)
	dropAll(t, j, journal.Bounds{Conversations: noon.Add(time.Hour)})
	_, oldest, err = j.Position(ctx)
	equal(t, "oldest after", oldest, int64(3), err)
	feed, err := j.Feed(ctx, 0, 0)
	equal(t, "Feed", []any{len(feed), feed[0].Event.Conversation}, []any{1, "long"}, err)
}
