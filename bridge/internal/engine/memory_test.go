package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// memory is a journal without a disk, for tests under a fake clock. It outlives
// the engines that use it, as the disk does.
type memory struct {
	mu         sync.Mutex
	convos     map[string]*journal.Conversation
	wakes      map[string]time.Time
	events     map[string][]event.Event
	frames     []*journal.Frame
	dedups     map[[3]string]*journal.Frame
	marks      map[[3]string]*journal.Frame
	keys       map[[2]string]string
	refs       []journal.Ref
	replies    map[string][]byte
	outcomes   map[[2]string][]journal.Delivery // event and leg
	letters    map[string]*journal.DeadLetter
	idempotent map[[2]string]journal.Idempotent
	commits    int
	told       map[string][]journal.Turn
	erased     map[string]journal.Audit
	drained    []string
}

func newMemory() *memory {
	return &memory{convos: map[string]*journal.Conversation{}, wakes: map[string]time.Time{}, events: map[string][]event.Event{},
		dedups: map[[3]string]*journal.Frame{}, marks: map[[3]string]*journal.Frame{}, keys: map[[2]string]string{}, replies: map[string][]byte{},
		outcomes: map[[2]string][]journal.Delivery{}, letters: map[string]*journal.DeadLetter{}, idempotent: map[[2]string]journal.Idempotent{},
		erased: map[string]journal.Audit{}, told: map[string][]journal.Turn{}}
}

func (m *memory) Drain(_ context.Context, account string, drained bool, _ journal.Audit) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.drained = slices.DeleteFunc(slices.Clone(m.drained), func(a string) bool { return a == account })
	if drained {
		m.drained = append(m.drained, account)
	}
	return nil
}

func (m *memory) Drained(context.Context) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.drained, nil
}

func (m *memory) AcceptFrame(_ context.Context, f journal.Frame) (journal.Accepted, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.convos[f.Conversation] == nil {
		return journal.Accepted{}, journal.ErrNotFound
	}
	if _, gone := m.erased[f.Conversation]; gone {
		return journal.Accepted{}, journal.ErrErased
	}
	if first := m.insert(f); first != "" {
		return journal.Accepted{Duplicate: first, Reply: m.replies[first]}, nil
	}
	return journal.Accepted{}, nil
}

// insert stores a frame, or names the one it repeats.
func (m *memory) insert(f journal.Frame) string {
	mark := [3]string{f.Account, f.Endpoint, f.Mark}
	if first := m.marks[mark]; f.Mark != "" && first != nil && f.Received.Before(first.MarkUntil) {
		return first.ID
	}
	key := [3]string{f.Leg, f.Endpoint, f.Dedup}
	if f.Dedup != "" && m.dedups[key] != nil {
		return m.dedups[key].ID
	}
	m.frames = append(m.frames, &f)
	if f.Dedup != "" {
		m.dedups[key] = &f
	}
	if f.Mark != "" {
		m.marks[mark] = &f
	}
	return ""
}

func (m *memory) Marked(_ context.Context, account, endpoint, mark string) (time.Time, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if f := m.marks[[3]string{account, endpoint, mark}]; f != nil {
		return f.MarkUntil, nil
	}
	return time.Time{}, journal.ErrNotFound
}

func (m *memory) Frame(_ context.Context, _, id string) (journal.Frame, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, f := range m.frames {
		if f.ID == id {
			return *f, nil
		}
	}
	return journal.Frame{}, journal.ErrNotFound
}

func (m *memory) FindLeg(_ context.Context, account, key string) (journal.Leg, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	id, ok := m.keys[[2]string{account, key}]
	if !ok {
		return journal.Leg{}, journal.ErrNotFound
	}
	return m.leg(id), nil
}

func (m *memory) leg(id string) journal.Leg {
	conversation, _, _ := strings.Cut(id, ".")
	c := m.convos[conversation]
	at := slices.IndexFunc(c.Legs, func(l journal.Leg) bool { return l.ID == id })
	return c.Legs[at]
}

func (m *memory) Reply(_ context.Context, frame string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r, ok := m.replies[frame]; ok {
		return r, nil
	}
	return nil, journal.ErrNotFound
}

func (m *memory) Commit(_ context.Context, k journal.Commit) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, err := m.check(k)
	if err != nil {
		return err
	}
	m.commits++
	if t := k.Told; len(t.Data) > 0 {
		t.Number, t.At = k.Version+1, k.Updated
		m.told[k.Conversation] = append(m.told[k.Conversation], t)
	}
	c.Version, c.Updated, c.State = k.Version+1, k.Updated, k.State
	c.Seq += int64(len(k.Events))
	m.convos[k.Conversation], m.wakes[k.Conversation] = c, k.Wake
	for _, l := range k.Legs {
		c.Legs = append(slices.DeleteFunc(slices.Clone(c.Legs), func(o journal.Leg) bool { return o.ID == l.ID }), l)
	}
	for _, key := range k.Keys {
		m.keys[[2]string{key.Account, key.Key}] = key.Leg
	}
	for _, e := range k.Events {
		m.events[k.Conversation] = append(m.events[k.Conversation], again(e))
	}
	m.refs = append(m.refs, k.Refs...)
	m.storeFrames(k)
	for _, d := range k.Deliveries {
		m.outcomes[[2]string{d.Event, d.Leg}] = append(m.outcomes[[2]string{d.Event, d.Leg}], d)
	}
	for _, d := range k.DeadLetters {
		m.letters[d.ID] = &d
	}
	if i := k.Idempotent; i != nil {
		m.idempotent[[2]string{i.Token, i.Key}] = *i
	}
	return nil
}

func (m *memory) storeFrames(k journal.Commit) {
	for _, f := range k.Frames {
		m.insert(f)
	}
	for _, f := range m.frames {
		if outcome, ok := k.Ended[f.ID]; ok && f.Conversation == k.Conversation {
			f.Outcome = outcome
		}
	}
	for id, r := range k.Replies {
		if m.replies[id] == nil {
			m.replies[id] = r
		}
	}
	maps.DeleteFunc(m.dedups, func(_ [3]string, f *journal.Frame) bool {
		return f.DedupWhile == journal.WhileHandoff && slices.Contains(k.Forget, f.Leg)
	})
}

// check refuses what the real journal refuses.
func (m *memory) check(k journal.Commit) (*journal.Conversation, error) {
	c := m.convos[k.Conversation]
	switch {
	case c == nil && k.Version != 0:
		return nil, journal.ErrNotFound
	case c == nil:
		c = &journal.Conversation{ID: k.Conversation, Created: k.Created}
	case c.Version != k.Version:
		return nil, journal.ErrFenced
	}
	if _, gone := m.erased[k.Conversation]; gone {
		return nil, journal.ErrErased
	}
	for _, key := range k.Keys {
		if has := m.keys[[2]string{key.Account, key.Key}]; has != "" && has != key.Leg && has != key.From {
			return nil, fmt.Errorf("leg %s has %s: %w", has, key.Key, journal.ErrKeyTaken)
		}
	}
	for i, e := range k.Events {
		if e.Seq != c.Seq+int64(i)+1 {
			return nil, fmt.Errorf("event has seq %d after %d", e.Seq, c.Seq)
		}
		if _, ok := m.find(e.ID); ok {
			return nil, fmt.Errorf("event %s is there already", e.ID)
		}
	}
	for _, d := range k.DeadLetters {
		if m.letters[d.ID] != nil {
			return nil, errors.New("dead letter is there already")
		}
	}
	if i := k.Idempotent; i != nil {
		if old, ok := m.idempotent[[2]string{i.Token, i.Key}]; ok && !old.Expires.Before(k.Updated) {
			return nil, journal.ErrRepeated
		}
	}
	return c, nil
}

// again is an event as it comes back from a disk.
func again(e event.Event) event.Event {
	data, err := json.Marshal(e)
	if err != nil {
		return e
	}
	var back event.Event
	if json.Unmarshal(data, &back) != nil {
		return e
	}
	return back
}

func (m *memory) Load(_ context.Context, id string) (journal.Conversation, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.convos[id]
	if c == nil {
		return journal.Conversation{}, journal.ErrNotFound
	}
	if _, gone := m.erased[id]; gone {
		return journal.Conversation{}, journal.ErrErased
	}
	out := *c
	out.Legs = slices.Clone(c.Legs)
	for _, f := range m.frames {
		if f.Conversation == id && f.Outcome == "" {
			out.Pending = append(out.Pending, *f)
		}
	}
	return out, nil
}

func (m *memory) Waking(context.Context) ([]journal.Waking, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []journal.Waking
	for id, at := range m.wakes {
		if slices.ContainsFunc(m.frames, func(f *journal.Frame) bool { return f.Conversation == id && f.Outcome == "" }) {
			at = time.UnixMilli(1)
		}
		if !at.IsZero() {
			all = append(all, journal.Waking{Conversation: id, At: at})
		}
	}
	return all, nil
}

func (m *memory) Events(_ context.Context, id string, after int64, limit int) ([]event.Event, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := m.events[id]
	all = all[min(after, int64(len(all))):]
	return slices.Clone(all[:min(limit, len(all))]), nil
}

func (m *memory) Event(_ context.Context, id string) (event.Event, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e, ok := m.find(id); ok {
		return e, nil
	}
	return event.Event{}, journal.ErrNotFound
}

func (m *memory) find(id string) (event.Event, bool) {
	for _, events := range m.events {
		for _, e := range events {
			if e.ID == id {
				return e, true
			}
		}
	}
	return event.Event{}, false
}

func (m *memory) Ref(_ context.Context, leg string, kind event.Kind, ref string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.refs {
		if r.Leg == leg && r.Ref == ref && (kind == "" || r.Kind == kind) {
			return r.Event, nil
		}
	}
	return "", journal.ErrNotFound
}

func (m *memory) Idempotent(_ context.Context, token, key string) (journal.Idempotent, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if i, ok := m.idempotent[[2]string{token, key}]; ok {
		return i, nil
	}
	return journal.Idempotent{}, journal.ErrNotFound
}

func (m *memory) DeadLetter(_ context.Context, id string) (journal.DeadLetter, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if d := m.letters[id]; d != nil {
		return *d, nil
	}
	return journal.DeadLetter{}, journal.ErrNotFound
}

func (m *memory) Erase(_ context.Context, id string, why journal.Audit) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.convos[id] == nil {
		return journal.ErrNotFound
	}
	if _, before := m.erased[id]; !before {
		m.erased[id] = why
	}
	delete(m.wakes, id)
	maps.DeleteFunc(m.keys, func(_ [2]string, leg string) bool { return strings.HasPrefix(leg, id+".") })
	return nil
}

func (m *memory) MarkReplayed(_ context.Context, id string, at time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if d := m.letters[id]; d != nil && d.Replayed.IsZero() {
		d.Replayed = at
	}
	return nil
}

func (m *memory) Deliveries(_ context.Context, id string) ([]journal.Delivery, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []journal.Delivery
	for key, d := range m.outcomes {
		if strings.HasPrefix(key[1], id+".") {
			all = append(all, d...)
		}
	}
	return all, nil
}

// records of all conversations in order.
func (m *memory) all() []event.Event {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []event.Event
	for _, id := range slices.Sorted(maps.Keys(m.events)) {
		all = append(all, m.events[id]...)
	}
	return all
}

// conversations lists the ids of all there are.
func (m *memory) conversations() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.convos))
}

func (m *memory) outcomeOf(eventID string) []journal.Delivery {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []journal.Delivery
	for key, d := range m.outcomes {
		if key[0] == eventID {
			all = append(all, d...)
		}
	}
	return all
}

func (m *memory) turns(conversation string) []journal.Turn {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.told[conversation])
}

func (m *memory) deadLetters() []journal.DeadLetter {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []journal.DeadLetter
	for _, d := range m.letters {
		all = append(all, *d)
	}
	return all
}
