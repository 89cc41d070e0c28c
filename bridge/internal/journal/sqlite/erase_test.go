package sqlite

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

func TestErasingDestroysContentAndKeepsTheChain(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	j := openJournal(t, dir, Options{})
	c := fullTurn()
	commit(t, j, c)
	var wrapped []byte
	if err := j.reads.QueryRow(`SELECT wrapped FROM keys`).Scan(&wrapped); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := j.Erase(ctx, "c", journal.Audit{Who: "token ops"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.EmptyLog(ctx); err != nil {
		t.Fatal(err)
	}
	for range 2 { // before and after opening anew
		erased(t, j, c)
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		j = openJournal(t, dir, Options{})
	}
	for _, name := range []string{j.path, j.path + "-wal"} {
		if file, err := os.ReadFile(name); err != nil || bytes.Contains(file, wrapped) {
			t.Errorf("%s still holds the key (%v)", name, err)
		}
	}
	for _, text := range []string{"visitor", "dedup-f1", "once"} { // a vendor's key and id, an API call's key
		if file, err := os.ReadFile(j.path); err != nil || bytes.Contains(file, []byte(text)) {
			t.Errorf("%q is still in the file (%v)", text, err)
		}
	}
	tamper(t, j, `UPDATE bodies SET `+flip("sealed")+` WHERE position = 2`)
	damaged(t, "Verify of damage", j.Verify(ctx, "c"))
}

func erased(t *testing.T, j *Journal, c journal.Commit) {
	t.Helper()
	ctx := context.Background()
	_, load := j.Load(ctx, "c")
	_, events := j.Events(ctx, "c", 0, 0)
	_, one := j.Event(ctx, "c-1")
	_, frames := j.Frames(ctx, "c", "", 0)
	_, turns := j.Turns(ctx, "c", 0, 0)
	_, accept := j.AcceptFrame(ctx, frame("c", "f9"))
	c.Version = 1
	for what, err := range map[string]error{"Load": load, "Events": events, "Event": one, "Frames": frames, "Turns": turns,
		"AcceptFrame": accept, "Commit": j.Commit(ctx, c)} {
		isError(t, what, err, journal.ErrErased)
	}
	_, leg := j.FindLeg(ctx, "web", "visitor")
	_, reply := j.Reply(ctx, "f1")
	_, letter := j.DeadLetter(ctx, "d1")
	_, known := j.Idempotent(ctx, "token", "key")
	_, ref := j.Ref(ctx, c.Refs[0].Leg, "", c.Refs[0].Ref)
	for what, err := range map[string]error{"FindLeg": leg, "Reply": reply, "DeadLetter": letter, "Idempotent": known, "Ref": ref,
		"MarkReplayed": j.MarkReplayed(ctx, "d1", noon)} {
		isError(t, what, err, journal.ErrNotFound)
	}

	index := c.Index
	index.Summary, index.State = nil, journal.StateEnded
	for _, row := range everything(t, j) {
		if strings.HasPrefix(row, "turns ") {
			t.Errorf("still there: %s", row)
		}
	}
	listed, err := j.Conversations(ctx, journal.Filter{})
	equal(t, "Conversations", listed, []journal.Listed{{ID: "c", Created: noon, Updated: noon, Index: index, Erased: true}}, err)
	letters, err := j.DeadLetters(ctx, time.Time{}, "", 0)
	equal(t, "DeadLetters", len(letters), 0, err)
	deliveries, err := j.Deliveries(ctx, "c")
	equal(t, "Deliveries", []any{len(deliveries), deliveries[0].Outcome, deliveries[0].Reason}, []any{1, journal.Dead, ""}, err)
	waking, err := j.Waking(ctx)
	equal(t, "Waking", len(waking), 0, err)
	trail, err := j.AuditTrail(ctx, 0, 0)
	equal(t, "AuditTrail", []any{len(trail), trail[0].Action, trail[0].Subject}, []any{1, journal.AuditErased, "c"}, err)
	if err := j.Verify(ctx, "c"); err != nil {
		t.Error(err)
	}
	if err := j.Scrub(ctx); err != nil {
		t.Error(err)
	}
}

// Somebody who reads the log keeps it from being emptied; erasing waits for them,
// and says so when its caller does not.
func TestErasingWaitsForTheLog(t *testing.T) {
	j := openJournal(t, t.TempDir(), Options{})
	commit(t, j, newTurn("c"))
	reader, err := j.reads.Begin()
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := reader.QueryRow(`SELECT COUNT(*) FROM keys`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	if err := j.Erase(ctx, "c", journal.Audit{Who: "token ops"}); err != nil {
		t.Fatal(err)
	}
	isError(t, "while somebody reads", j.EmptyLog(ctx), context.DeadlineExceeded)
	if err := reader.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := j.EmptyLog(context.Background()); err != nil {
		t.Error(err)
	}
}

// A change that took its key before the erasure must not be stored after it.
func TestNothingIsStoredUnderADestroyedKey(t *testing.T) {
	j, ctx := openJournal(t, t.TempDir(), Options{}), context.Background()
	c := newTurn("c")
	commit(t, j, c)
	c.Version = 1
	late, err := j.sealTurn(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	key, err := j.key(ctx, "c")
	if err != nil {
		t.Fatal(err)
	}
	f, err := sealFrame(key, frame("c", "f1"))
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Erase(ctx, "c", journal.Audit{Who: "token ops"}); err != nil {
		t.Fatal(err)
	}
	isError(t, "commit", j.submit(ctx, late.store), journal.ErrErased)
	isError(t, "frame", j.submit(ctx, func(b *batch) error {
		return b.acceptFrames([]sealedFrame{f}, make([]journal.Accepted, 1))
	}), journal.ErrErased)
	j.vault.remember("c", key, late.mark)
	if _, err := j.Load(ctx, "c"); err == nil {
		t.Error("the destroyed key was remembered")
	}
}

// A reading that began before the erasure may still find the key; it must not
// leave it behind for those that begin after.
func TestAnOldViewLeavesNoKeyBehind(t *testing.T) {
	j, ctx := openJournal(t, t.TempDir(), Options{}), context.Background()
	commit(t, j, newTurn("c"))
	j.vault.forget("c")
	err := j.look(ctx, func(v *view) error {
		var seq int64
		if err := v.row(rHead, "c").Scan(&seq, new([]byte)); err != nil { // the view's moment is now
			return err
		}
		if err := j.Erase(ctx, "c", journal.Audit{Who: "token ops"}); err != nil {
			return err
		}
		_, err := v.key("c")
		return err
	})
	if err != nil {
		t.Errorf("the view that began before: %v", err)
	}
	_, err = j.Load(ctx, "c")
	isError(t, "Load", err, journal.ErrErased)
}

func TestTheFeedLeavesErasedConversationsOut(t *testing.T) {
	j, ctx := openJournal(t, t.TempDir(), Options{}), context.Background()
	for i := range 6 {
		c := newTurn(fmt.Sprintf("c%d", i))
		c.Events = []event.Event{said(c.Conversation, 1, "hi")}
		commit(t, j, c)
	}
	for _, id := range []string{"c0", "c2", "c3", "c5"} {
		if err := j.Erase(ctx, id, journal.Audit{Who: "token ops"}); err != nil {
			t.Fatal(err)
		}
	}
	for _, row := range []struct {
		after int64
		limit int
		want  []int64
	}{{0, 0, []int64{2, 5}}, {0, 1, []int64{2}}, {2, 1, []int64{5}}, {5, 1, nil}} {
		feed, err := j.Feed(ctx, row.after, row.limit)
		var got []int64
		for _, p := range feed {
			got = append(got, p.Position)
		}
		equal(t, fmt.Sprintf("after %d, %d of them", row.after, row.limit), got, row.want, err)
	}
}

func TestTheVaultRemembersTheKeysLastUsed(t *testing.T) {
	v := newVault(openKeys(t, t.TempDir()))
	key, _, err := v.make()
	if err != nil {
		t.Fatal(err)
	}
	for i := range cachedKeys + 1 {
		v.remember(fmt.Sprint(i), key, 0)
		v.find("0")
	}
	for id, want := range map[string]bool{"0": true, "1": false, "2": true, fmt.Sprint(cachedKeys): true} {
		if got := v.find(id); (got != nil) != want {
			t.Errorf("key %s remembered: %v, want %v", id, got != nil, want)
		}
	}
	if v.recent.Len() != cachedKeys || len(v.byID) != cachedKeys {
		t.Errorf("%d and %d keys are kept", v.recent.Len(), len(v.byID))
	}
}
