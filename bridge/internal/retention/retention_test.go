package retention_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/credential"
	"github.com/footbridge/footbridge/bridge/internal/journal"
	"github.com/footbridge/footbridge/bridge/internal/journal/sqlite"
	"github.com/footbridge/footbridge/bridge/internal/retention"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const day = 24 * time.Hour

// kept is a journal with retention running, under a fake clock.
type kept struct {
	*sqlite.Journal
	t       *testing.T
	dir     string
	removed journal.Removed
}

func (k *kept) count(r journal.Removed) {
	k.removed.Frames += r.Frames
	k.removed.Conversations += r.Conversations
	k.removed.DeadLetters += r.DeadLetters
	k.removed.Audit += r.Audit
}

func keeping(t *testing.T, rules retention.Rules, check func(*kept)) {
	synctest.Test(t, func(t *testing.T) {
		keys, err := credential.OpenKeyring(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		k := &kept{t: t, dir: t.TempDir()}
		if k.Journal, err = sqlite.Open(t.Context(), k.dir, keys, sqlite.Options{}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			retention.Run(ctx, retention.Options{Store: k, Rules: func() retention.Rules { return rules }, Removed: k.count, Logger: slog.New(slog.DiscardHandler)})
		}()
		check(k)
		cancel()
		<-done
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	})
}

// fill stores a conversation that ends now, with a frame and a dead letter, and a
// record in the audit trail.
func (k *kept) fill(id string) {
	k.t.Helper()
	now := time.Now()
	err := k.Commit(k.t.Context(), journal.Commit{Conversation: id, Created: now, Updated: now, Index: journal.Index{State: journal.StateEnded},
		Legs: []journal.Leg{{ID: id + ".1", Account: "web", Role: event.RoleCustomer}},
		Events: []event.Event{{ID: id + "-1", Conversation: id, Seq: 1, Time: now, Actor: event.Actor{Role: event.RoleCustomer},
			Body: event.MessageCreated{Content: event.Plain("hi")}}},
		Frames:      []journal.Frame{{ID: id + "-f", Conversation: id, Leg: id + ".1", Account: "web", Received: now, Outcome: journal.FrameDone}},
		DeadLetters: []journal.DeadLetter{{ID: id + "-d", Conversation: id, At: now}}})
	if err == nil {
		err = k.Record(k.t.Context(), journal.Audit{Who: "token ops", Action: journal.AuditSignedIn})
	}
	if err != nil {
		k.t.Fatal(err)
	}
}

// after wants to have removed so much once the clock has moved on.
func (k *kept) after(d time.Duration, want journal.Removed) {
	k.t.Helper()
	time.Sleep(d)
	synctest.Wait()
	if k.removed != want {
		k.t.Errorf("removed are %+v, want %+v", k.removed, want)
	}
	if err := k.Scrub(k.t.Context()); err != nil {
		k.t.Error(err)
	}
}

func TestEverythingGoesWithinTheHour(t *testing.T) {
	rules := retention.Rules{Raw: 7 * day, DeadLetters: 14 * day, Conversations: 30 * day, Audit: 60 * day}
	keeping(t, rules, func(k *kept) {
		k.fill("one")
		k.after(7*day-time.Minute, journal.Removed{})
		k.after(time.Hour, journal.Removed{Frames: 1})
		k.fill("two")
		k.after(7*day, journal.Removed{Frames: 1, DeadLetters: 1})
		k.after(time.Hour, journal.Removed{Frames: 2, DeadLetters: 1})
		k.after(16*day, journal.Removed{Frames: 2, DeadLetters: 2, Conversations: 1})
		k.after(61*day, journal.Removed{Frames: 2, DeadLetters: 2, Conversations: 2, Audit: 2})
		last, oldest, err := k.Position(k.t.Context())
		if err != nil || last != 2 || oldest != 3 {
			k.t.Errorf("positions are %d and %d, %v", last, oldest, err)
		}
	})
}

func TestNothingGoesWithoutARule(t *testing.T) {
	keeping(t, retention.Rules{}, func(k *kept) {
		k.fill("one")
		k.after(40*day, journal.Removed{})
	})
}

// What lies open in the journal while it is kept, because something is looked up by
// it, is in no file of it afterwards, the write-ahead log neither.
func TestWhatLayOpenIsGoneFromTheFiles(t *testing.T) {
	open := []string{"okapi-key", "okapi-ref", "okapi-once", "okapi-reason", "okapi-dedup"}
	keeping(t, retention.Rules{Raw: 7 * day, Conversations: 30 * day}, func(k *kept) {
		k.fill("one")
		now := time.Now()
		err := k.Commit(k.t.Context(), journal.Commit{Conversation: "two", Created: now, Updated: now, Index: journal.Index{State: journal.StateEnded},
			Legs: []journal.Leg{{ID: "two.1", Account: "web", Role: event.RoleCustomer}}, Keys: []journal.Key{{Account: "web", Key: open[0], Leg: "two.1"}},
			Refs:       []journal.Ref{{Leg: "two.1", Kind: event.KindMessageCreated, Ref: open[1], Event: "two-1"}},
			Idempotent: &journal.Idempotent{Token: "t", Key: open[2], Event: "two-1", Expires: now.Add(day)},
			Deliveries: []journal.Delivery{{Event: "two-1", Leg: "two.1", Outcome: "failed", Reason: open[3], At: now}},
			Frames:     []journal.Frame{{ID: "two-f", Conversation: "two", Leg: "two.1", Account: "web", Received: now, Dedup: open[4], Outcome: journal.FrameDone}},
			Events: []event.Event{{ID: "two-1", Conversation: "two", Seq: 1, Time: now, Actor: event.Actor{Role: event.RoleCustomer},
				Body: event.MessageCreated{Content: event.Plain("hi")}}}})
		if err != nil {
			t.Fatal(err)
		}
		if found := k.holds(open); len(found) != len(open) {
			t.Errorf("while it is kept only %v lie open", found)
		}
		k.after(31*day, journal.Removed{Frames: 2, Conversations: 2})
		if found := k.holds(open); len(found) > 0 {
			t.Errorf("%v are still there", found)
		}
	})
}

// holds tells which of the words are in the journal's folder.
func (k *kept) holds(words []string) (found []string) {
	k.t.Helper()
	files, err := filepath.Glob(filepath.Join(k.dir, "*"))
	if err != nil || len(files) < 3 {
		k.t.Fatalf("files are %v: %v", files, err)
	}
	for _, word := range words {
		for _, name := range files {
			if data, err := os.ReadFile(name); err == nil && bytes.Contains(data, []byte(word)) {
				found = append(found, word)
				break
			}
		}
	}
	return found
}

// failing is a store that cannot drop at first.
type failing struct{ left, busy, emptied int }

func (f *failing) EmptyLog(context.Context) error {
	f.emptied++
	if f.busy--; f.busy >= 0 {
		return journal.ErrReading
	}
	return nil
}

// A log that somebody reads is emptied the next time, though nothing was dropped
// since; one from which nothing was dropped is left alone.
func TestTheLogIsEmptiedOnceItCan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for busy, want := range map[int]int{0: 1, 2: 3} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			s := &once{failing: failing{busy: busy}}
			retention.Run(ctx, retention.Options{Store: s, Rules: func() retention.Rules { return retention.Rules{} }, Removed: func(journal.Removed) {},
				Logger: slog.New(slog.DiscardHandler)})
			cancel()
			if s.emptied != want {
				t.Errorf("in use %d times, emptied %d times, want %d", busy, s.emptied, want)
			}
		}
	})
}

// once is a store that drops something the first time.
type once struct {
	failing
	dropped bool
}

func (o *once) Drop(context.Context, journal.Bounds) (r journal.Removed, err error) {
	if !o.dropped {
		o.dropped, r.Conversations = true, 1
	}
	return r, nil
}

func (f *failing) Drop(context.Context, journal.Bounds) (journal.Removed, error) {
	if f.left--; f.left >= 0 {
		return journal.Removed{}, errors.New("disk is slow")
	}
	return journal.Removed{}, nil
}

func TestWhatFailsIsToldAndTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		var log strings.Builder
		f := &failing{left: 2}
		retention.Run(ctx, retention.Options{Store: f, Rules: func() retention.Rules { return retention.Rules{} }, Removed: func(journal.Removed) {},
			Logger: slog.New(slog.NewTextHandler(&log, nil))})
		if n := strings.Count(log.String(), "disk is slow"); n != 2 || f.left > -4 || f.emptied != 0 {
			t.Errorf("told %d times, %d tries left\n%s", n, f.left, log.String())
		}
	})
}
