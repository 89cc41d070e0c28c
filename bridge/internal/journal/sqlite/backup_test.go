package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/credential"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

func backUp(t *testing.T, dir, into string) string {
	t.Helper()
	name, err := BackUp(context.Background(), dir, into, nothing)
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// restore restores with the master key of another journal's folder.
func restore(t *testing.T, from, keys string) (*Journal, Restored) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "restored")
	r, err := Restore(context.Background(), from, dir, openKeys(t, keys), Options{}, nothing)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(dir+"-master", os.DirFS(keys+"-master")); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(dir+"-master", "master.key"), 0o600); err != nil {
		t.Fatal(err)
	}
	return openJournal(t, dir, Options{}), r
}

// A backup taken while conversations are written restores to a journal of one
// moment, and that goes on.
func TestABackupUnderLoadRestores(t *testing.T) {
	dir, into, ctx := t.TempDir(), t.TempDir(), context.Background()
	j := openJournal(t, dir, Options{})
	stop := make(chan struct{})
	var work sync.WaitGroup
	for w := range 4 {
		work.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				c := newTurn(fmt.Sprintf("c-%d-%d", w, n))
				c.Events = []event.Event{said(c.Conversation, 1, "hello"), said(c.Conversation, 2, "there")}
				if err := j.Commit(ctx, c); err != nil {
					t.Error(err)
				}
			}
		})
	}
	record(t, j, 3)
	first := backUp(t, dir, into)
	second := backUp(t, dir, into)
	close(stop)
	work.Wait()
	for _, name := range []string{first, into} {
		restored, r := restore(t, name, dir)
		if name == into {
			equal(t, "the newest", r.From, second, nil)
		}
		listed, err := restored.Conversations(ctx, journal.Filter{Limit: 1 << 20})
		equal(t, "conversations", []any{len(listed), r.Erased}, []any{r.Conversations, 0}, err)
		for _, l := range listed {
			if events, err := restored.Events(ctx, l.ID, 0, 0); err != nil || len(events) != 2 {
				t.Fatalf("events of %s: %d, %v", l.ID, len(events), err)
			}
		}
		commit(t, restored, newTurn("after"))
		ends, err := restored.VerifyAudit(ctx)
		equal(t, "audit", ends.Last, int64(4), err)
		if err := restored.Scrub(ctx); err != nil {
			t.Error(err)
		}
	}
}

// Who was erased cannot be read in a copy made before, as soon as the keys were
// backed up again; and no copy holds keys.
func TestTheErasedStayErasedInOldBackups(t *testing.T) {
	dir, into, ctx := t.TempDir(), t.TempDir(), context.Background()
	j := openJournal(t, dir, Options{})
	commit(t, j, fullTurn())
	other := newTurn("other")
	other.Events = []event.Event{said("other", 1, "mine")}
	commit(t, j, other)
	var wrapped []byte
	if err := j.reads.QueryRow(`SELECT wrapped FROM keys WHERE conversation = 'c'`).Scan(&wrapped); err != nil {
		t.Fatal(err)
	}
	old := backUp(t, dir, into)
	if file, err := os.ReadFile(old); err != nil || bytes.Contains(file, wrapped) {
		t.Errorf("the copy holds a key (%v)", err)
	}
	before, _ := restore(t, old, dir)
	if _, err := before.Events(ctx, "c", 0, 0); err != nil {
		t.Error(err)
	}
	if err := j.Erase(ctx, "c", journal.Audit{Who: "token ops"}); err != nil {
		t.Fatal(err)
	}
	if err := BackUpKeys(ctx, dir, into); err != nil {
		t.Fatal(err)
	}
	after, r := restore(t, old, dir)
	equal(t, "restored", []int{r.Conversations, r.Erased}, []int{1, 1}, nil)
	_, err := after.Events(ctx, "c", 0, 0)
	isError(t, "Events", err, journal.ErrErased)
	_, err = after.FindLeg(ctx, "web", "visitor")
	isError(t, "FindLeg", err, journal.ErrNotFound)
	letters, err := after.DeadLetters(ctx, time.Time{}, "", 0)
	equal(t, "DeadLetters", len(letters), 0, err)
	mine, err := after.Events(ctx, "other", 0, 0)
	equal(t, "events of the other", len(mine), 1, err)
	files, err := filepath.Glob(filepath.Join(into, "*"))
	equal(t, "files", len(files), 2, err)
	for _, name := range files {
		info, err := os.Stat(name)
		equal(t, "mode of "+name, info.Mode().Perm(), os.FileMode(0o600), err)
	}
}

func TestARestoreIsRefused(t *testing.T) {
	dir, into, ctx := t.TempDir(), t.TempDir(), context.Background()
	j := openJournal(t, dir, Options{})
	commit(t, j, newTurn("c"))
	backUp(t, dir, into)
	older, err := os.ReadFile(filepath.Join(into, keysName))
	if err != nil {
		t.Fatal(err)
	}
	late := newTurn("late")
	late.Events = []event.Event{said("late", 1, "hi")}
	commit(t, j, late)
	name := backUp(t, dir, into)
	into2 := t.TempDir()
	lone := filepath.Join(into2, filepath.Base(name))
	if err := errors.Join(copyFile(name, lone), os.WriteFile(filepath.Join(into2, keysName), older, 0o600)); err != nil {
		t.Fatal(err)
	}
	for what, row := range map[string]struct{ from, dir, want string }{
		"a running bridge's folder": {into, dir, "in use"},
		"keys older than the copy":  {lone, t.TempDir(), "older than the copy"},
		"an empty folder":           {t.TempDir(), t.TempDir(), "no copy"},
		"nothing":                   {filepath.Join(into, "none"), t.TempDir(), "no such file"},
	} {
		_, err := Restore(ctx, row.from, row.dir, openKeys(t, dir), Options{}, nothing)
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v", what, err)
		}
	}
	another, err := credential.OpenKeyring(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(ctx, into, t.TempDir(), another, Options{}, nothing); err == nil || !strings.Contains(err.Error(), "master key") {
		t.Errorf("another master key: %v", err)
	}
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, fileName), []byte("something"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(ctx, into, full, openKeys(t, dir), Options{}, nothing); err == nil || !strings.Contains(err.Error(), "there already") {
		t.Errorf("a folder with a journal: %v", err)
	}
}

// nothing lies beside the journal.
func nothing() error { return nil }

// What lies beside the journal is copied between it and its keys, and brought back
// before the journal has its name: a restore that fails there can be repeated.
func TestWhatLiesBesideIsCopiedBetween(t *testing.T) {
	dir, into, ctx := t.TempDir(), filepath.Join(t.TempDir(), "backup"), context.Background()
	j := openJournal(t, dir, Options{})
	commit(t, j, newTurn("c"))
	commit(t, j, newTurn("d"))
	name, err := BackUp(ctx, dir, into, func() error {
		copies, _ := filepath.Glob(filepath.Join(into, copyPrefix+"*"+copySuffix))
		if _, err := os.Stat(filepath.Join(into, keysName)); len(copies) != 1 || err == nil {
			t.Errorf("copies are %v, the keys %v", copies, err)
		}
		return j.Erase(ctx, "d", journal.Audit{Who: "token ops", Reason: "7"})
	})
	if err != nil {
		t.Fatal(err)
	}
	if ids, err := BackedUp(into); err != nil || len(ids) != 1 || !ids["c"] {
		t.Errorf("readable are %v, %v", ids, err)
	}
	if _, err := BackUp(ctx, dir, t.TempDir(), func() error { return errors.New("the disk is full") }); err == nil || !strings.Contains(err.Error(), "the disk is full") {
		t.Errorf("what failed beside it: %v", err)
	}
	restored := filepath.Join(t.TempDir(), "restored")
	for _, fault := range []error{errors.New("cut short"), nil} {
		_, err := Restore(ctx, name, restored, openKeys(t, dir), Options{}, func() error {
			if info, err := os.Stat(filepath.Join(restored, fileName)); err != nil || info.Size() > 0 {
				t.Errorf("the journal is there already: %v", err)
			}
			return fault
		})
		if (err == nil) != (fault == nil) {
			t.Errorf("with %v: %v", fault, err)
		}
	}
}
