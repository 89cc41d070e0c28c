package sqlite

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// gate holds the writer back before a COMMIT until it is opened, so that what is
// asked for meanwhile is gathered.
type gate struct {
	held chan struct{}
	open chan struct{}
	once sync.Once
}

func newGate() *gate { return &gate{held: make(chan struct{}), open: make(chan struct{})} }

func (g *gate) hook(point string) {
	if point != "before_commit" {
		return
	}
	g.once.Do(func() {
		close(g.held)
		<-g.open
	})
}

// gatherAll runs the changes so that all of them wait for the writer together,
// but for those refused before they reach it.
func gatherAll(t *testing.T, j *Journal, g *gate, changes []func() error) []error {
	t.Helper()
	errs := make([]error, len(changes))
	var refused atomic.Int64
	var all sync.WaitGroup
	all.Go(func() { commit(t, j, newTurn("first")) })
	<-g.held
	for i, change := range changes {
		all.Go(func() {
			if errs[i] = change(); errs[i] != nil {
				refused.Add(1)
			}
		})
	}
	for len(j.writer.queue)+int(refused.Load()) < len(changes) {
		time.Sleep(time.Millisecond)
	}
	close(g.open)
	all.Wait()
	return errs
}

func TestCommitsThatWaitShareATransaction(t *testing.T) {
	const writers = 64
	g := newGate()
	var sizes []int
	j := openJournal(t, t.TempDir(), Options{Hook: g.hook, OnCommit: func(n int, d time.Duration) {
		if sizes = append(sizes, n); d <= 0 {
			t.Error("no time passed")
		}
	}})
	var changes []func() error
	for i := range writers {
		c := newTurn(fmt.Sprintf("c%d", i))
		c.Events = []event.Event{said(c.Conversation, 1, "hi")}
		if i%8 == 3 {
			c.Version = 7 // of a conversation that is not there
		}
		changes = append(changes, func() error { return j.Commit(context.Background(), c) })
	}
	for i, err := range gatherAll(t, j, g, changes) {
		if want := i%8 == 3; want != (err != nil) {
			t.Errorf("commit %d: %v", i, err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	equal(t, "sizes of transactions", sizes, []int{1, writers - writers/8}, nil)
}

func TestARefusedCommitDoesNotDisturbItsNeighbours(t *testing.T) {
	const writers = 64
	g := newGate()
	dir := t.TempDir()
	setUp := openJournal(t, dir, Options{})
	for i := range writers {
		commit(t, setUp, newTurn(fmt.Sprintf("c%d", i)))
	}
	if err := setUp.Close(); err != nil {
		t.Fatal(err)
	}
	j := openJournal(t, dir, Options{Hook: g.hook})
	spoil := []func(*journal.Commit){
		func(*journal.Commit) {},
		func(c *journal.Commit) { c.Version = 5 },
		func(c *journal.Commit) { c.Events[0].Seq = 9 },
		func(c *journal.Commit) { c.Keys = []journal.Key{{Account: "web", Key: "k", Leg: "nowhere"}} },
	}
	var changes []func() error
	for i := range writers {
		c := newTurn(fmt.Sprintf("c%d", i))
		c.Version, c.Events = 1, []event.Event{said(c.Conversation, 1, "hi")}
		spoil[i%len(spoil)](&c)
		changes = append(changes, func() error { return j.Commit(context.Background(), c) })
	}
	for i, err := range gatherAll(t, j, g, changes) {
		if sound := i%len(spoil) == 0; sound != (err == nil) {
			t.Errorf("commit %d: %v", i, err)
		}
		loaded, err := j.Load(context.Background(), fmt.Sprintf("c%d", i))
		want := int64(1)
		if i%len(spoil) == 0 {
			want = 2
		}
		equal(t, "version", loaded.Version, want, err)
	}
	counts, err := j.Stats(context.Background())
	equal(t, "events", counts.Events, int64(writers/len(spoil)), err)
	if err := j.Scrub(context.Background()); err != nil {
		t.Error(err)
	}
}

// A change that breaks the transaction of all is found by storing each by itself.
func TestABrokenBatchIsStoredOneByOne(t *testing.T) {
	g := newGate()
	j := openJournal(t, t.TempDir(), Options{Hook: g.hook})
	var changes []func() error
	for i := range 8 {
		c := newTurn(fmt.Sprintf("c%d", i))
		changes = append(changes, func() error { return j.Commit(context.Background(), c) })
	}
	changes[4] = func() error {
		return j.submit(context.Background(), func(b *batch) error { return b.do(wRollback) })
	}
	for i, err := range gatherAll(t, j, g, changes) {
		if (i == 4) != (err != nil) {
			t.Errorf("change %d: %v", i, err)
		}
	}
	counts, err := j.Stats(context.Background())
	equal(t, "conversations", counts.Conversations["automated"], int64(8), err)
}

func TestManyWritersAtOnce(t *testing.T) {
	const writers, turns = 64, 5
	j, ctx := openJournal(t, t.TempDir(), Options{}), context.Background()
	var fenced, stored atomic.Int64
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			c := newTurn(fmt.Sprintf("c%d", w/2)) // two writers for a conversation
			for stored := int64(0); stored < turns; {
				loaded, err := j.Load(ctx, c.Conversation)
				if err != nil && !errors.Is(err, journal.ErrNotFound) {
					t.Error(err)
					return
				}
				c.Version = loaded.Version
				c.Events = []event.Event{said(c.Conversation, loaded.Seq+1, "hi")}
				err = j.Commit(ctx, c)
				if errors.Is(err, journal.ErrFenced) {
					fenced.Add(1)
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				stored++
			}
			stored.Add(turns)
		})
	}
	all.Wait()
	feed, err := j.Feed(ctx, 0, 10_000)
	equal(t, "events stored", int64(len(feed)), stored.Load(), err)
	for i, p := range feed {
		if p.Position != int64(i)+1 {
			t.Fatalf("event %d has position %d", i, p.Position)
		}
	}
	t.Logf("%d commits, %d fenced", stored.Load(), fenced.Load())
	if err := j.Scrub(ctx); err != nil {
		t.Error(err)
	}
}

func TestACallerMayGiveUpWhileItWaits(t *testing.T) {
	g := newGate()
	j := openJournal(t, t.TempDir(), Options{Hook: g.hook})
	var first sync.WaitGroup
	first.Go(func() { commit(t, j, newTurn("first")) })
	<-g.held
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	isError(t, "giving up", j.submit(ctx, func(*batch) error { t.Error("was stored"); return nil }), context.Canceled)
	close(g.open)
	first.Wait()
	commit(t, j, newTurn("second"))
}

func TestChangedIsClosedWhenEventsAreStored(t *testing.T) {
	j, ctx := openJournal(t, t.TempDir(), Options{}), context.Background()
	changed := j.Changed()
	c := newTurn("c")
	commit(t, j, c)
	if _, err := j.AcceptFrame(ctx, frame("c", "f1")); err != nil {
		t.Fatal(err)
	}
	select {
	case <-changed:
		t.Error("closed without events")
	default:
	}
	c.Version, c.Events = 1, []event.Event{said("c", 1, "hi")}
	commit(t, j, c)
	<-changed // closed by the commit, or the test ends by its time limit.
	if j.Changed() == changed {
		t.Error("no channel for the next change")
	}
}

// Each row makes the disk fail in its way; the journal has to end for good.
func TestAFailedDiskEndsTheJournal(t *testing.T) {
	for name, spoil := range map[string]func(*testing.T, *Journal){
		"commit fails": func(t *testing.T, j *Journal) {
			t.Helper()
			broken, err := j.writer.conn.PrepareContext(context.Background(), "RELEASE nowhere")
			if err != nil {
				t.Fatal(err)
			}
			j.writer.stmts[wCommit] = broken
		},
		"disk is full": func(t *testing.T, j *Journal) {
			t.Helper()
			var pages int
			if err := j.writer.conn.QueryRowContext(context.Background(), "PRAGMA max_page_count = 1").Scan(&pages); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir, ctx, told := t.TempDir(), context.Background(), make(chan error, 2)
			j := openJournal(t, dir, Options{OnFatal: func(err error) { told <- err }})
			commit(t, j, newTurn("before"))
			spoil(t, j)
			c := newTurn("c")
			c.State = []byte(strings.Repeat("much ", 20_000))
			isError(t, "the commit", j.Commit(ctx, c), journal.ErrClosed)
			isError(t, "what OnFatal was told", <-told, journal.ErrClosed)
			isError(t, "the next commit", j.Commit(ctx, newTurn("d")), journal.ErrClosed)
			_, err := j.Load(ctx, "before")
			isError(t, "reading", err, journal.ErrClosed)
			if err := j.Close(); err != nil {
				t.Error(err)
			}
			if len(told) != 0 {
				t.Error("OnFatal was called twice")
			}

			again := openJournal(t, dir, Options{})
			_, err = again.Load(ctx, "c")
			isError(t, "the refused conversation", err, journal.ErrNotFound)
			commit(t, again, newTurn("c"))
		})
	}
}
