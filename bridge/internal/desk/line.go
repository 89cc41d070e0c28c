package desk

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/conversation"
	"github.com/footbridge/footbridge/bridge/internal/engine"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// waiting is one conversation that waits for a live agent.
type waiting struct {
	id     string
	queue  string
	native bool // the account asked now is one of this desk
	since  time.Time
	skills []string
	wanted string // the agent a transfer is meant for

	announced bool // the hand-off was told its place
	offered   string
	asked     time.Time            // when offered
	declined  map[string]time.Time // who did not take it, and when

	pace
}

// holding is one conversation a live agent of this desk has.
type holding struct {
	id    string
	agent string
	pace
}

// pace keeps commands for one conversation apart.
type pace struct {
	busy bool      // a command is under way
	rest time.Time // none before this
}

func (p *pace) ready(now time.Time) bool { return !p.busy && !now.Before(p.rest) }

// Committed takes in what a turn changed. It is called for every commit, in each
// conversation's order, and does not block.
func (d *Desk) Committed(c journal.Commit) {
	d.mu.Lock()
	changed := d.follow(c.Conversation, c.Index, c.Events)
	d.mu.Unlock()
	if changed {
		d.stir()
	}
}

// follow brings line and holdings up to a conversation's new state, and tells
// whether that may give the desk something to do.
func (d *Desk) follow(id string, index journal.Index, events []event.Event) bool {
	phase := conversation.Phase(index.State)
	if !phase.Waiting() && phase != conversation.Active {
		left := d.leave(id)
		return d.hold(id, "") || left
	}
	holder, asked := d.accounts(index)
	changed := d.hold(id, holdingAgent(index, d.rules.Native[holder]))
	if phase == conversation.Active {
		return d.leave(id) || changed
	}
	w := d.line[id]
	if w == nil {
		w = &waiting{id: id}
		d.line[id] = w
	}
	w.queue, w.native = index.Queue, d.rules.Native[asked]
	for _, e := range events {
		w.note(e)
	}
	if phase != conversation.Offered {
		w.offered = ""
	}
	return true
}

// holdingAgent is the agent who has the conversation at this desk, "" if nobody.
func holdingAgent(index journal.Index, native bool) string {
	if !native {
		return ""
	}
	return index.Agent
}

// accounts reads which account has the conversation and which is asked: the first
// and the last live-agent leg that is still attached.
func (d *Desk) accounts(index journal.Index) (holder, asked string) {
	var s engine.Summary
	if json.Unmarshal(index.Summary, &s) != nil {
		return "", ""
	}
	for _, l := range s.Legs {
		if l.Role != event.RoleLiveAgent || l.Detached {
			continue
		}
		if holder == "" {
			holder = l.Account
		}
		asked = l.Account
	}
	return holder, asked
}

// leave takes a conversation out of the line, if it is in it.
func (d *Desk) leave(id string) bool {
	_, in := d.line[id]
	delete(d.line, id)
	return in
}

// hold notes who has a conversation, and their load; true when that changed.
func (d *Desk) hold(id, agentID string) bool {
	was := d.held[id]
	if was == nil && agentID == "" || was != nil && was.agent == agentID {
		return false
	}
	if was != nil {
		d.load(was.agent, -1)
		delete(d.held, id)
	}
	if agentID != "" {
		d.held[id] = &holding{id: id, agent: agentID}
		d.load(agentID, 1)
	}
	return true
}

func (d *Desk) load(id string, by int) {
	a := d.agent(id)
	a.Load, a.Since = a.Load+by, time.Now()
}

// note keeps what an event says about the waiting.
func (w *waiting) note(e event.Event) {
	switch body := e.Body.(type) {
	case event.HandoffRequested:
		w.begin(e.Time)
		w.announced, w.offered, w.declined = false, "", nil
		w.skills, w.wanted = body.Routing.Skills, body.Context[conversation.ContextTransferAgent]
	case event.TransferRequested:
		w.begin(e.Time)
	case event.HandoffQueued:
		w.announced = true
		w.passOver(w.offered, e.Time)
	case event.HandoffOffered:
		w.announced, w.offered, w.asked = true, body.Agent.ID, e.Time
	case event.HandoffDeclined:
		if e.Actor.Role == event.RoleLiveAgent {
			w.passOver(e.Actor.ID, e.Time)
		}
	}
}

func (w *waiting) begin(at time.Time) {
	if w.since.IsZero() {
		w.since = at
	}
}

// passOver notes that an agent did not take the conversation.
func (w *waiting) passOver(agentID string, at time.Time) {
	w.offered = ""
	if agentID == "" {
		return
	}
	if w.declined == nil {
		w.declined = map[string]time.Time{}
	}
	w.declined[agentID] = at
}

// ends tells whether an event ends the waiting it came after, so that a later
// request waits anew.
func ends(e event.Event) bool {
	switch e.Kind() {
	case event.KindHandoffFailed:
		return e.Actor.Role == event.RoleSystem
	case event.KindHandoffAccepted, event.KindHandoffCancelled, event.KindHandbackCompleted,
		event.KindTransferCompleted, event.KindTransferFailed:
		return true
	}
	return false
}

// Waiting counts who waits in the queue.
func (d *Desk) Waiting(queue string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.waitingIn(queue))
}

// Place is how one conversation waits at this desk.
type Place struct {
	// Position is its place in the queue, from 1; 0 when it does not wait here.
	Position int
	// Since is when it began to wait.
	Since time.Time
	// Offered is the agent who is asked now, "" if nobody is.
	Offered string
}

// Place tells how a conversation waits; the zero Place when it does not.
func (d *Desk) Place(id string) Place {
	d.mu.Lock()
	defer d.mu.Unlock()
	w := d.line[id]
	if w == nil || !w.native {
		return Place{}
	}
	return Place{Position: d.position(id), Since: w.since, Offered: w.offered}
}

// position is the place in the queue, 0 for none; the caller holds the lock.
func (d *Desk) position(id string) int {
	w := d.line[id]
	if w == nil || !w.native {
		return 0
	}
	before := 0
	for _, other := range d.line {
		if other.native && other.queue == w.queue && inOrder(other, w) < 0 {
			before++
		}
	}
	return 1 + before
}

// waitingIn lists a queue, who waits longest first.
func (d *Desk) waitingIn(queue string) []*waiting {
	var in []*waiting
	for _, w := range d.line {
		if w.native && w.queue == queue {
			in = append(in, w)
		}
	}
	slices.SortFunc(in, inOrder)
	return in
}

func inOrder(a, b *waiting) int {
	return cmp.Or(a.since.Compare(b.since), cmp.Compare(a.id, b.id))
}
