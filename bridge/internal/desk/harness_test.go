package desk

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/config"
	"github.com/footbridge/footbridge/bridge/internal/conversation"
	"github.com/footbridge/footbridge/bridge/internal/engine"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// world runs the real state machine of conversations under a desk, without
// journal or engine.
type world struct {
	t    *testing.T
	desk *Desk

	mu    sync.Mutex
	talks map[string]*talk
	log   []string
	fail  error // given to the next command instead of an answer
}

type talk struct {
	state   conversation.State
	queue   string
	created time.Time
	events  []event.Event
}

func newWorld(t *testing.T, r Rules) *world {
	if r.Native == nil {
		r.Native = map[string]bool{"desk": true}
	}
	return &world{t: t, desk: New(r, nil), talks: map[string]*talk{}}
}

// run keeps the desk's loop going until the test ends.
func (w *world) run() {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { w.desk.Run(ctx, w); close(done) }()
	w.t.Cleanup(func() { stop(); <-done })
}

// open begins a conversation at a virtual agent.
func (w *world) open(id, queue string) {
	legs := []conversation.Leg{{Account: "web", Role: event.RoleCustomer}, {Account: "helper", Role: event.RoleVirtualAgent}}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.talks[id] = &talk{queue: queue, created: time.Now(), state: conversation.Start(legs, conversation.Facts{})}
}

// ask opens a conversation and requests its hand-off.
func (w *world) ask(id, queue string) {
	w.open(id, queue)
	w.must(id, "2", event.RoleVirtualAgent, "", event.HandoffRequested{Reason: "help", Routing: event.Routing{Queue: queue}})
}

// leg is the leg a command of the role speaks through, as the engine finds it.
func (k *talk) leg(role event.Role) string {
	if role == event.RoleSystem {
		return ""
	}
	for _, id := range []string{k.state.Candidate, k.state.Owner.Leg} {
		if l, ok := k.state.Leg(id); ok && l.Role == role {
			return id
		}
	}
	for _, l := range slices.Backward(k.state.Legs) {
		if l.Role == role {
			return l.ID
		}
	}
	return ""
}

func (w *world) Do(_ context.Context, c engine.Command) (event.Event, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	k := w.talks[c.Conversation]
	if k == nil {
		return event.Event{}, journal.ErrNotFound
	}
	if err := w.fail; err != nil {
		w.fail = nil
		return event.Event{}, err
	}
	return w.decide(c.Conversation, k, conversation.Input{Leg: k.leg(c.Role), Actor: c.Actor, Body: c.Body})
}

// must gives a conversation an input that has to be allowed.
func (w *world) must(id, leg string, role event.Role, actor string, body event.Body) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, err := w.decide(id, w.talks[id], conversation.Input{Leg: leg, Actor: event.Actor{Role: role, ID: actor}, Body: body}); err != nil {
		w.t.Fatalf("%s %s: %v", id, body.Kind(), err)
	}
}

// as lets a live agent speak.
func (w *world) as(agent, id string, body event.Body) {
	w.t.Helper()
	w.mu.Lock()
	leg := w.talks[id].leg(event.RoleLiveAgent)
	w.mu.Unlock()
	w.must(id, leg, event.RoleLiveAgent, agent, body)
}

func (w *world) decide(id string, k *talk, in conversation.Input) (event.Event, error) {
	step := conversation.Decide(k.state, in, conversation.Facts{Now: time.Now(), NextSeq: int64(len(k.events) + 1),
		Backends: []conversation.Backend{{Account: "desk"}, {Account: "vendor"}}})
	if step.Refused != "" {
		w.log = append(w.log, fmt.Sprintf("%s %s refused %s", id, in.Body.Kind(), step.Refused))
		return event.Event{}, &engine.Refusal{Reason: step.Refused}
	}
	k.state = step.State
	var commit journal.Commit
	for _, d := range step.Drafts {
		e := event.Event{Conversation: id, Seq: int64(len(k.events) + 1), Time: time.Now(), Actor: d.Actor, Body: d.Body}
		k.events = append(k.events, e)
		commit.Events = append(commit.Events, e)
		w.log = append(w.log, describe(e))
	}
	commit.Conversation, commit.Index = id, k.index(w.t)
	w.desk.Committed(commit)
	return event.Event{}, nil
}

func describe(e event.Event) string {
	line := e.Conversation + " " + string(e.Kind())
	switch b := e.Body.(type) {
	case event.HandoffQueued:
		line += fmt.Sprint(" ", b.Position)
	case event.HandoffOffered:
		line += " " + b.Agent.ID
	case event.TransferRequested:
		line += " " + b.Reason
	}
	return line
}

func (k *talk) index(t *testing.T) journal.Index {
	var s engine.Summary
	for _, l := range k.state.Legs {
		s.Legs = append(s.Legs, engine.SummaryLeg{Account: l.Account, Role: l.Role, Detached: l.Detached})
	}
	raw, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return journal.Index{State: string(k.state.Phase), Owner: string(k.state.Owner.Role), Agent: k.state.Agent.ID, Queue: k.queue, Summary: raw}
}

// Conversations and Events let a world be the records of another desk.
func (w *world) Conversations(_ context.Context, f journal.Filter) ([]journal.Listed, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var ids []string
	for id, k := range w.talks {
		if string(k.state.Phase) == f.State && (f.Before == "" || id < f.Before) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	slices.Reverse(ids)
	var page []journal.Listed
	for _, id := range ids[:min(f.Limit, len(ids))] {
		page = append(page, journal.Listed{ID: id, Created: w.talks[id].created, Index: w.talks[id].index(w.t)})
	}
	return page, nil
}

func (w *world) Events(_ context.Context, id string, after int64, limit int) ([]event.Event, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := w.talks[id].events
	from := min(int(after), len(all))
	return all[from:min(from+limit, len(all))], nil
}

// saw waits until everything has settled and gives what was recorded since the
// last call.
func (w *world) saw() []string {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	log := w.log
	w.log = nil
	return log
}

func (w *world) expect(want ...string) {
	w.t.Helper()
	if got := w.saw(); !slices.Equal(got, want) {
		w.t.Errorf("recorded:\n %q\nwant:\n %q", got, want)
	}
}

func queues(name string, q config.Queue) Rules {
	return Rules{Queues: map[string]config.Queue{name: q}}
}
