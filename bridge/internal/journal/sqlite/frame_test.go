package sqlite

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/footbridge/footbridge/bridge/internal/journal"
)

func TestARepeatedFrameIsNotStored(t *testing.T) {
	j, ctx := openJournal(t, t.TempDir(), Options{}), context.Background()
	commit(t, j, newTurn("c"))
	accepted, err := j.AcceptFrame(ctx, frame("c", "f1"))
	equal(t, "first", accepted, journal.Accepted{}, err)

	again := frame("c", "f2")
	again.Dedup = "dedup-f1"
	accepted, err = j.AcceptFrame(ctx, again)
	equal(t, "again", accepted, journal.Accepted{Duplicate: "f1"}, err)

	c := newTurn("c")
	c.Version, c.Ended, c.Replies = 1, map[string]string{"f1": journal.FrameDone}, map[string][]byte{"f1": []byte("ok")}
	commit(t, j, c)
	accepted, err = j.AcceptFrame(ctx, again)
	equal(t, "after the reply", accepted, journal.Accepted{Duplicate: "f1", Reply: []byte("ok")}, err)
	frames, err := j.Frames(ctx, "c", "", 0)
	equal(t, "frames stored", len(frames), 1, err)
	one, err := j.Frame(ctx, "c", "f1")
	equal(t, "the first by its id", string(one.Data), "data of f1", err)
	if _, err := j.Frame(ctx, "c", "f2"); !errors.Is(err, journal.ErrNotFound) {
		t.Errorf("one that is not stored: %v", err)
	}
}

func TestADedupIDHoldsForItsAccountEndpointAndLegOnly(t *testing.T) {
	j, ctx := openJournal(t, t.TempDir(), Options{}), context.Background()
	commit(t, j, newTurn("c"))
	for id, change := range map[string]func(*journal.Frame){
		"f0": func(*journal.Frame) {},
		"f1": func(f *journal.Frame) { f.Leg = "c/2" },
		"f2": func(f *journal.Frame) { f.Endpoint = "status" },
		"f3": func(f *journal.Frame) { f.Account = "desk" },
		"f4": func(f *journal.Frame) { f.Dedup = "" },
		"f5": func(f *journal.Frame) { f.Dedup = "" },
	} {
		f := frame("c", id)
		f.Dedup = "same"
		change(&f)
		accepted, err := j.AcceptFrame(ctx, f)
		equal(t, id, accepted, journal.Accepted{}, err)
	}
}

func TestDedupIDsOfAHandoffAreForgotten(t *testing.T) {
	j, ctx := openJournal(t, t.TempDir(), Options{}), context.Background()
	commit(t, j, newTurn("c"))
	held, kept := frame("c", "f1"), frame("c", "f2")
	held.DedupWhile = journal.WhileHandoff
	for _, f := range []journal.Frame{held, kept} {
		if _, err := j.AcceptFrame(ctx, f); err != nil {
			t.Fatal(err)
		}
	}
	c := newTurn("c")
	c.Version, c.Forget = 1, []string{"c/1"}
	commit(t, j, c)
	held.ID, kept.ID = "f3", "f4"
	accepted, err := j.AcceptFrame(ctx, held)
	equal(t, "kept while the hand-off is open", accepted, journal.Accepted{}, err)
	accepted, err = j.AcceptFrame(ctx, kept)
	equal(t, "kept for ever", accepted, journal.Accepted{Duplicate: "f2"}, err)
}

func TestFramesAreAcceptedTogetherOrNotAtAll(t *testing.T) {
	j, ctx := openJournal(t, t.TempDir(), Options{}), context.Background()
	commit(t, j, newTurn("c"))
	twice := frame("c", "f2")
	twice.Dedup = "dedup-f1"
	accepted, err := j.AcceptFrames(ctx, []journal.Frame{frame("c", "f1"), twice})
	equal(t, "a repeat among them", accepted, []journal.Accepted{{}, {Duplicate: "f1"}}, err)
	clash := frame("c", "f1")
	clash.Dedup = ""
	if _, err := j.AcceptFrames(ctx, []journal.Frame{frame("c", "f3"), clash}); err == nil {
		t.Error("a frame with an id that is taken was accepted")
	}
	if _, err := j.AcceptFrame(ctx, journal.Frame{Conversation: "c"}); err == nil {
		t.Error("a frame without an id was accepted")
	}
	frames, err := j.Frames(ctx, "c", "", 0)
	equal(t, "frames stored", len(frames), 1, err)
}

func TestARepeatWithinATurnIsNotStored(t *testing.T) {
	j, ctx := openJournal(t, t.TempDir(), Options{}), context.Background()
	c := newTurn("c")
	c.Frames = []journal.Frame{frame("c", "f1"), frame("c", "f2")}
	c.Frames[1].Dedup = "dedup-f1"
	c.Ended = map[string]string{"f1": journal.FrameDone, "f2": journal.FrameDone}
	commit(t, j, c)
	frames, err := j.Frames(ctx, "c", "", 0)
	equal(t, "frames stored", len(frames), 1, err)
	equal(t, "outcome", frames[0].Outcome, journal.FrameDone, nil)
}

// What was signed is taken once until its time is over, at whatever leg it comes and
// whatever has become of the first one's conversation.
func TestASignedFrameIsTakenOnce(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	j := openJournal(t, dir, Options{})
	signed := func(conversation, id string, after time.Duration) journal.Frame {
		f := frame(conversation, id)
		f.Dedup, f.Mark, f.Received, f.MarkUntil = "", "signature:1", noon.Add(after), noon.Add(after+time.Hour)
		return f
	}
	for _, id := range []string{"a", "b", "c"} {
		c := newTurn(id)
		if id == "a" {
			c.Index.State, c.Frames = journal.StateEnded, []journal.Frame{signed(id, "first", 0)}
			c.Ended = map[string]string{"first": journal.FrameDone}
		}
		commit(t, j, c)
	}
	taken := func(what string) {
		t.Helper()
		until, err := j.Marked(ctx, "web", "in", "signature:1")
		equal(t, what+": Marked", until, noon.Add(time.Hour), err)
		accepted, err := j.AcceptFrame(ctx, signed("b", "captured", time.Hour-1000))
		equal(t, what, accepted, journal.Accepted{Duplicate: "first"}, err)
	}
	taken("at another leg")
	if err := j.Erase(ctx, "a", journal.Audit{At: noon}); err != nil {
		t.Fatal(err)
	}
	taken("erased")
	dropAll(t, j, journal.Bounds{Conversations: noon.Add(24 * time.Hour)})
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j = openJournal(t, dir, Options{})
	taken("dropped, after a restart")
	elsewhere := signed("b", "elsewhere", 0)
	elsewhere.Endpoint = "status"
	for _, f := range []journal.Frame{elsewhere, signed("c", "in its time", time.Hour)} {
		accepted, err := j.AcceptFrame(ctx, f)
		equal(t, f.ID, accepted, journal.Accepted{}, err)
	}
	until, err := j.Marked(ctx, "web", "in", "signature:1")
	equal(t, "anew", until, noon.Add(2*time.Hour), err)
	_, err = j.Marked(ctx, "web", "status", "signature:1")
	isError(t, "one that is over", err, journal.ErrNotFound)
}
