package sqlite

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// model says what a journal has to hold, in plain maps.
type model struct {
	versions map[string]int64
	events   map[string][]event.Event
	pending  map[string]map[string]bool
	dedups   map[string]string // to the frame that had it first
	feed     []string
	erased   map[string]bool
	frames   int
}

// run is one random life of a journal beside its model.
type run struct {
	*model
	t   *testing.T
	dir string
	j   *Journal
}

// A journal that is written, refused, closed, opened and erased in any order
// holds what the model holds.
func TestAJournalBehavesLikeItsModel(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		m := &run{t: t, dir: t.TempDir(), model: &model{versions: map[string]int64{}, events: map[string][]event.Event{},
			pending: map[string]map[string]bool{}, dedups: map[string]string{}, erased: map[string]bool{}}}
		m.open(r)
		defer func() { m.j.Close() }() //nolint:errcheck // checked where it matters.
		r.Repeat(map[string]func(*rapid.T){
			"commit": m.commit, "stale": m.stale, "accept": m.accept, "reopen": m.reopen, "erase": m.erase, "": m.check,
		})
	})
}

func (m *run) open(r *rapid.T) {
	j, err := Open(context.Background(), m.dir, openKeys(m.t, m.dir), Options{})
	if err != nil {
		r.Fatal(err)
	}
	m.j = j
}

func (m *run) reopen(r *rapid.T) {
	if rapid.IntRange(0, 4).Draw(r, "seldom") > 0 {
		return
	}
	if err := m.j.Scrub(context.Background()); err != nil {
		r.Fatal(err)
	}
	if err := m.j.Close(); err != nil {
		r.Fatal(err)
	}
	m.open(r)
}

func conversation(r *rapid.T) string {
	return rapid.SampledFrom([]string{"a", "b", "c"}).Draw(r, "conversation")
}

func (m *run) commit(r *rapid.T) {
	id := conversation(r)
	c := newTurn(id)
	c.Version = m.versions[id]
	for range rapid.IntRange(0, 3).Draw(r, "events") {
		c.Events = append(c.Events, said(id, int64(len(m.events[id])+len(c.Events)+1), rapid.String().Draw(r, "text")))
	}
	c.Ended = map[string]string{}
	for _, f := range slices.Sorted(maps.Keys(m.pending[id])) {
		if rapid.Bool().Draw(r, "end "+f) {
			c.Ended[f] = journal.FrameDone
		}
	}
	err := m.j.Commit(context.Background(), c)
	if m.erased[id] {
		if !errors.Is(err, journal.ErrErased) {
			r.Fatalf("commit after erasing: %v", err)
		}
		return
	}
	if err != nil {
		r.Fatal(err)
	}
	m.versions[id]++
	m.events[id] = append(m.events[id], c.Events...)
	for _, e := range c.Events {
		m.feed = append(m.feed, e.ID)
	}
	for f := range c.Ended {
		delete(m.pending[id], f)
	}
}

func (m *run) stale(r *rapid.T) {
	c := newTurn(conversation(r))
	c.Version = m.versions[c.Conversation] + rapid.SampledFrom([]int64{-1, 1, 5}).Draw(r, "off")
	c.State = []byte("stale")
	if err := m.j.Commit(context.Background(), c); err == nil {
		r.Fatal("a stale commit was stored")
	}
}

func (m *run) accept(r *rapid.T) {
	m.frames++
	f := frame(conversation(r), fmt.Sprintf("f%04d", m.frames))
	f.Dedup = rapid.SampledFrom([]string{"", "x", "y"}).Draw(r, "dedup")
	accepted, err := m.j.AcceptFrame(context.Background(), f)
	switch {
	case m.erased[f.Conversation] || m.versions[f.Conversation] == 0:
		if err == nil {
			r.Fatal("accepted where there is no conversation")
		}
		return
	case err != nil:
		r.Fatal(err)
	}
	scope := f.Conversation + "/" + f.Dedup
	if first := m.dedups[scope]; accepted.Duplicate != first {
		r.Fatalf("duplicate of %q, want %q", accepted.Duplicate, first)
	}
	if accepted.Duplicate == "" {
		if m.pending[f.Conversation] == nil {
			m.pending[f.Conversation] = map[string]bool{}
		}
		m.pending[f.Conversation][f.ID] = true
		if f.Dedup != "" {
			m.dedups[scope] = f.ID
		}
	}
}

func (m *run) erase(r *rapid.T) {
	id := conversation(r)
	if len(m.events[id]) < 4 { // rare enough that conversations grow
		return
	}
	if err := m.j.Erase(context.Background(), id, journal.Audit{Who: "token ops"}); err != nil {
		r.Fatal(err)
	}
	m.erased[id] = true
}

func (m *run) check(r *rapid.T) {
	ctx := context.Background()
	for id, version := range m.versions {
		loaded, err := m.j.Load(ctx, id)
		if m.erased[id] {
			if !errors.Is(err, journal.ErrErased) {
				r.Fatalf("load after erasing: %v", err)
			}
			continue
		}
		if err != nil || loaded.Version != version || loaded.Seq != int64(len(m.events[id])) || len(loaded.Pending) != len(m.pending[id]) {
			r.Fatalf("loaded %+v, %v; want version %d, %d events, pending %v", loaded, err, version, len(m.events[id]), m.pending[id])
		}
		events, err := m.j.Events(ctx, id, 0, 0)
		if err != nil || len(events) != len(m.events[id]) || len(events) > 0 && !reflect.DeepEqual(events, m.events[id]) {
			r.Fatalf("events %+v, %v; want %+v", events, err, m.events[id])
		}
	}
	last, _, err := m.j.Position(ctx)
	if err != nil || last != int64(len(m.feed)) {
		r.Fatalf("position %d, %v; want %d", last, err, len(m.feed))
	}
}
