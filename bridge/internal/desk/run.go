package desk

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/conversation"
	"github.com/footbridge/footbridge/bridge/internal/engine"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// Performer gives a conversation a command and waits for what it came to;
// *engine.Engine is one.
type Performer interface {
	Do(ctx context.Context, c engine.Command) (event.Event, error)
}

// Records are what Seed reads.
type Records interface {
	Conversations(ctx context.Context, f journal.Filter) ([]journal.Listed, error)
	Events(ctx context.Context, conversation string, after int64, limit int) ([]event.Event, error)
}

const (
	// patience is how long an agent is asked before another is.
	patience = 30 * time.Second
	// within bounds one command; a conversation that is slow holds up only
	// itself.
	within = 10 * time.Second
	// together bounds the commands under way at once.
	together = 32
	// seedPage is how many records Seed reads at a time.
	seedPage = 500
)

// Seed takes up from the journal who waits and who has which conversation. Call
// it once, before the engine starts.
func (d *Desk) Seed(ctx context.Context, r Records) error {
	for _, phase := range []conversation.Phase{conversation.Requested, conversation.Queued, conversation.Offered, conversation.Active} {
		f := journal.Filter{State: string(phase), Limit: seedPage}
		for {
			page, err := r.Conversations(ctx, f)
			if err != nil {
				return fmt.Errorf("list %s conversations: %w", phase, err)
			}
			for _, l := range page {
				if err := d.take(ctx, r, l); err != nil {
					return err
				}
			}
			if len(page) < seedPage {
				break
			}
			f.Before = page[len(page)-1].ID
		}
	}
	return nil
}

// take takes up one conversation.
func (d *Desk) take(ctx context.Context, r Records, l journal.Listed) error {
	if l.Erased {
		return nil
	}
	var story []event.Event
	if conversation.Phase(l.Index.State).Waiting() {
		var err error
		if story, err = d.story(ctx, r, l.ID); err != nil {
			return err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.follow(l.ID, l.Index, story)
	if w := d.line[l.ID]; w != nil {
		w.begin(l.Created)
	}
	if h := d.held[l.ID]; h != nil {
		d.expect(h.agent)
	}
	return nil
}

// story reads the events since the conversation began to wait.
func (d *Desk) story(ctx context.Context, r Records, id string) ([]event.Event, error) {
	var story []event.Event
	for after := int64(0); ; {
		page, err := r.Events(ctx, id, after, seedPage)
		if errors.Is(err, journal.ErrDamaged) {
			d.log.Error("waiting conversation cannot be read", "conversation", id, "error", err)
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read events of waiting conversation %s: %w", id, err)
		}
		for _, e := range page {
			if story = append(story, e); ends(e) {
				story = nil
			}
			after = e.Seq
		}
		if len(page) < seedPage {
			return story, nil
		}
	}
}

// errand is one command the desk wants done.
type errand struct {
	command engine.Command
	pace    *pace
	done    func() // under the lock, once the conversation has answered
}

// Run tells hand-offs their place, offers conversations of push queues, asks
// somebody else when an agent does not answer, and passes on the conversations of
// agents who are lost. It returns when ctx ends and no command is under way.
func (d *Desk) Run(ctx context.Context, p Performer) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var under sync.WaitGroup
	defer under.Wait()
	slots := make(chan struct{}, together)
	for {
		for _, e := range d.due(time.Now()) {
			slots <- struct{}{}
			under.Go(func() {
				d.perform(ctx, p, e)
				<-slots
			})
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-d.wake:
		}
	}
}

// perform does one errand. What the conversation refuses is not asked again
// soon; what failed is tried again.
func (d *Desk) perform(ctx context.Context, p Performer, e errand) {
	bounded, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	_, err := p.Do(bounded, e.command)
	var refusal *engine.Refusal
	refused := errors.As(err, &refusal) || errors.Is(err, engine.ErrKeyReused)
	if err != nil && !refused && ctx.Err() == nil {
		d.log.Warn("desk could not reach a conversation", "conversation", e.command.Conversation, "kind", e.command.Body.Kind(), "error", err)
	}
	d.mu.Lock()
	e.pace.busy = false
	switch {
	case refused:
		e.pace.rest = time.Now().Add(patience)
		e.done()
	case err != nil:
		e.pace.rest = time.Now().Add(time.Second)
	default:
		e.done()
	}
	d.mu.Unlock()
	d.stir()
}

// due collects what has to be done now, and marks it as under way.
func (d *Desk) due(now time.Time) []errand {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.forget(now)
	errands := d.missing(now)
	offers := map[string]int{}
	for _, w := range d.line {
		if w.offered != "" {
			offers[w.offered]++
		}
	}
	for _, w := range d.inLine() {
		if !w.native || !w.ready(now) {
			continue
		}
		if e, ok := d.step(w, now, offers); ok {
			w.busy = true
			errands = append(errands, e)
		}
	}
	return errands
}

// inLine is everybody who waits, longest first.
func (d *Desk) inLine() []*waiting {
	names := map[string]bool{}
	var all []*waiting
	for _, w := range d.line {
		if !names[w.queue] {
			names[w.queue] = true
			all = append(all, d.waitingIn(w.queue)...)
		}
	}
	return all
}

// missing passes on what lost agents have.
func (d *Desk) missing(now time.Time) []errand {
	gone := map[string]bool{}
	for _, id := range d.lost(now) {
		gone[id] = true
	}
	var errands []errand
	for _, h := range d.held {
		if !gone[h.agent] || !h.ready(now) {
			continue
		}
		h.busy = true
		d.log.Warn("live agent is gone", "agent", h.agent, "conversation", h.id, "mend", "another is sought")
		errands = append(errands, errand{pace: &h.pace, done: func() {}, command: engine.Command{Conversation: h.id, Role: event.RoleSystem,
			Actor: event.Actor{Role: event.RoleSystem}, Body: event.TransferRequested{Reason: conversation.ReasonAgentLost}}})
	}
	return errands
}

// step is what one waiting conversation needs next, if anything. An agent who
// does not answer loses the offer by the conversation's going back to the queue:
// unlike a decline, that changes nothing if the agent has just answered.
func (d *Desk) step(w *waiting, now time.Time, offers map[string]int) (errand, bool) {
	e := errand{pace: &w.pace, done: func() {}}
	e.command = engine.Command{Conversation: w.id, Role: event.RoleLiveAgent, Actor: event.Actor{Role: event.RoleSystem}}
	switch {
	case !w.announced, w.offered != "" && (now.Sub(w.asked) >= patience || d.left(w.offered, now)):
		e.command.Body = event.HandoffQueued{Position: d.position(w.id)}
		e.done = func() { w.announced = true }
		return e, true
	case w.offered != "":
		return e, false
	}
	id := d.choose(w, now, offers)
	if id == "" {
		return e, false
	}
	offers[id]++
	e.command.Body = event.HandoffOffered{Agent: event.Actor{Role: event.RoleLiveAgent, ID: id, Name: d.agents[id].Name}}
	return e, true
}

// choose is who is asked: in push queues whoever is next in turn, elsewhere only
// the agent a transfer names.
func (d *Desk) choose(w *waiting, now time.Time, offers map[string]int) string {
	id := d.next(w, now, offers)
	if d.rules.Queues[w.queue].Assign == assignPush || id == w.wanted && w.declined[id].IsZero() {
		return id
	}
	return ""
}

// left tells whether an agent who was asked is no longer there to answer.
func (d *Desk) left(id string, now time.Time) bool {
	a := d.agents[id]
	return a == nil || a.state(now, d.rules.lost()) == Offline
}
