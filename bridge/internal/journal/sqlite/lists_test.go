package sqlite

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

func TestConversationsAreListedByFilter(t *testing.T) {
	j, ctx := openJournal(t, t.TempDir(), Options{}), context.Background()
	for _, id := range []string{"b", "a", "c", "d"} { // a and c are made at the same moment
		c := newTurn(id)
		c.Created = map[string]time.Time{"b": noon, "a": noon.Add(time.Minute), "c": noon.Add(time.Minute), "d": noon.Add(2 * time.Minute)}[id]
		c.Index = journal.Index{State: "automated", Owner: "helper", Route: "web", Queue: "q-" + id, Agent: "agent-" + id}
		c.Legs = []journal.Leg{{ID: id + "/1", Account: "account-" + id}, {ID: id + "/2", Account: "desk"}}
		commit(t, j, c)
		if id == "c" {
			c.Version, c.Index.State, c.Index.Owner, c.Index.Route = 1, "active", "desk", "studio"
			commit(t, j, c)
		}
	}
	d := newTurn("d")
	d.Version, d.Created = 1, noon.Add(2*time.Minute)
	d.Index = journal.Index{State: "automated", Owner: "helper", Route: "web", Queue: "q-d", Agent: "agent-d", Left: noon.Add(time.Hour)}
	commit(t, j, d)
	for name, row := range map[string]struct {
		filter journal.Filter
		want   string
	}{
		"all, newest first": {journal.Filter{}, "dcab"},
		"a page":            {journal.Filter{Limit: 2}, "dc"},
		"the next page":     {journal.Filter{Limit: 2, Before: "c"}, "ab"},
		"after the last":    {journal.Filter{Before: "b"}, ""},
		"before nothing":    {journal.Filter{Before: "nowhere"}, ""},
		"state":             {journal.Filter{State: "active"}, "c"},
		"former state":      {journal.Filter{State: "automated"}, "dab"},
		"owner":             {journal.Filter{Owner: "desk"}, "c"},
		"route":             {journal.Filter{Route: "studio"}, "c"},
		"queue":             {journal.Filter{Queue: "q-a"}, "a"},
		"agent":             {journal.Filter{Agent: "agent-d"}, "d"},
		"account of one":    {journal.Filter{Account: "account-b"}, "b"},
		"account of all":    {journal.Filter{Account: "desk", Limit: 10}, "dcab"},
		"since":             {journal.Filter{Since: noon.Add(time.Minute)}, "dca"},
		"several":           {journal.Filter{State: "automated", Since: noon.Add(time.Minute), Before: "d"}, "a"},
		"left":              {journal.Filter{Left: true}, "d"},
		"left elsewhere":    {journal.Filter{Left: true, Queue: "q-a"}, ""},
		"what nobody has":   {journal.Filter{Queue: "' OR 1 = 1 --"}, ""},
	} {
		list, err := j.Conversations(ctx, row.filter)
		got := ""
		for _, l := range list {
			got += l.ID
		}
		equal(t, name, got, row.want, err)
	}
	counts, err := j.Stats(ctx)
	equal(t, "states", counts.Conversations, map[string]int64{"automated": 3, "active": 1}, err)
	equal(t, "left", counts.Left, int64(1), err)
	row, err := j.Conversation(ctx, "d")
	equal(t, "left since", row.Index.Left, noon.Add(time.Hour), err)

	d.Version, d.Index.Left = 2, time.Time{}
	commit(t, j, d)
	list, err := j.Conversations(ctx, journal.Filter{Left: true})
	equal(t, "left once it is dealt with", len(list), 0, err)
}

// A journal from before messages could be left opens with none, and all it lists
// still fits its seals.
func TestNothingWasLeftBefore(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	j := openJournal(t, dir, Options{})
	c := newTurn("c")
	c.Index = journal.Index{State: "automated", Summary: []byte("sum")}
	commit(t, j, c)
	if got := len(summaryPlace("c", 1, 2, c.Index).open); got != 7 {
		t.Errorf("a row where nothing was left is sealed with %d fields, want those it was always sealed with", got)
	}
	tamper(t, j, `DROP INDEX conversations_left; ALTER TABLE conversations DROP COLUMN left_since; DELETE FROM migrations WHERE number >= 8`)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j = openJournal(t, dir, Options{})
	list, err := j.Conversations(ctx, journal.Filter{})
	if err != nil || len(list) != 1 || !list[0].Index.Left.IsZero() || string(list[0].Index.Summary) != "sum" {
		t.Fatalf("listed %+v, %v", list, err)
	}
	tamper(t, j, `UPDATE conversations SET left_since = 1`)
	_, err = j.Conversation(ctx, "c")
	damaged(t, "a message nobody left", err)
}

// What is erased is no message for anybody, whether it had ended or not.
func TestErasingTakesWhatWasLeft(t *testing.T) {
	j, ctx := openJournal(t, t.TempDir(), Options{}), context.Background()
	for _, state := range []string{"automated", journal.StateEnded} {
		c := newTurn(state)
		c.Index = journal.Index{State: state, Left: noon}
		commit(t, j, c)
		if err := j.Erase(ctx, state, journal.Audit{Who: "token ops"}); err != nil {
			t.Fatal(err)
		}
	}
	counts, err := j.Stats(ctx)
	equal(t, "left", counts.Left, int64(0), err)
}

func TestWakingIsTheEarliestReason(t *testing.T) {
	j, ctx := openJournal(t, t.TempDir(), Options{}), context.Background()
	for id, wake := range map[string]time.Time{"never": {}, "timer": noon.Add(time.Hour), "frame": {}, "both": noon.Add(-time.Hour)} {
		c := newTurn(id)
		c.Wake = wake
		if id == "frame" || id == "both" {
			c.Frames = []journal.Frame{frame(id, id+"-1"), frame(id, id+"-2")}
			c.Frames[1].Received = noon.Add(time.Minute)
		}
		commit(t, j, c)
	}
	waking, err := j.Waking(ctx)
	got := map[string]time.Time{}
	for _, w := range waking {
		got[w.Conversation] = w.At
	}
	equal(t, "waking", got, map[string]time.Time{"timer": noon.Add(time.Hour), "frame": noon, "both": noon.Add(-time.Hour)}, err)

	c := newTurn("frame")
	c.Version, c.Ended = 1, map[string]string{"frame-1": journal.FrameDone, "frame-2": journal.FrameDead}
	commit(t, j, c)
	waking, err = j.Waking(ctx)
	equal(t, "conversations once the frames ended", len(waking), 2, err)
}

func TestDeadLettersArePagedAndMarked(t *testing.T) {
	j, ctx := openJournal(t, t.TempDir(), Options{}), context.Background()
	c := newTurn("c")
	for i, at := range []time.Duration{4, 0, 3, 3, 1} { // minutes; ids say nothing of time
		c.DeadLetters = append(c.DeadLetters, journal.DeadLetter{ID: fmt.Sprintf("d%d", i), Conversation: "c", At: noon.Add(at * time.Minute)})
	}
	commit(t, j, c)
	var read []journal.DeadLetter
	for last := (journal.DeadLetter{}); ; last = read[len(read)-1] {
		page, err := j.DeadLetters(ctx, last.At, last.ID, 2)
		if err != nil {
			t.Fatal(err)
		}
		if read = append(read, page...); len(page) < 2 {
			break
		}
	}
	of := c.DeadLetters
	equal(t, "all pages", read, []journal.DeadLetter{of[0], of[3], of[2], of[4], of[1]}, nil)
	page, err := j.DeadLetters(ctx, noon.Add(2*time.Minute), "none any more", 2)
	equal(t, "after one that is gone", page, []journal.DeadLetter{of[4], of[1]}, err)
	for _, at := range []time.Time{noon.Add(time.Minute), noon.Add(time.Hour)} {
		if err := j.MarkReplayed(ctx, "d3", at); err != nil {
			t.Fatal(err)
		}
	}
	letter, err := j.DeadLetter(ctx, "d3")
	equal(t, "first replay", letter.Replayed, noon.Add(time.Minute), err)
	counts, err := j.Stats(ctx)
	equal(t, "letters left", counts.DeadLetters, int64(4), err)
}

// Content of every kind reads back as it was, beyond one page of verification.
func TestALongConversationIsReadInPages(t *testing.T) {
	j, ctx := openJournal(t, t.TempDir(), Options{}), context.Background()
	c := newTurn("c")
	for n := range int64(verifyPage + 20) {
		c.Events = append(c.Events, said("c", n+1, fmt.Sprint("word ", n)))
		c.Frames = append(c.Frames, frame("c", fmt.Sprintf("f%04d", n)))
	}
	c.Events[7].Body = event.Unknown{Name: "far.future", JSON: []byte(`{"a":1}`)}
	commit(t, j, c)
	if err := j.Verify(ctx, "c"); err != nil {
		t.Error(err)
	}
	var read []event.Event
	for after := int64(0); ; after = read[len(read)-1].Seq {
		page, err := j.Events(ctx, "c", after, 97)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		read = append(read, page...)
	}
	equal(t, "events in pages", read, c.Events, nil)
	tamper(t, j, `UPDATE bodies SET `+flip("sealed")+fmt.Sprintf(` WHERE position = %d`, verifyPage+10))
	damaged(t, "Verify", j.Verify(ctx, "c"))
	page, err := j.Events(ctx, "c", 0, 97)
	equal(t, "a page before the damage", page, c.Events[:97], err)
}
