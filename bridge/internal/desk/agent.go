package desk

import (
	"cmp"
	"errors"
	"slices"
	"time"
)

// The states of an agent.
const (
	Available = "available" // there, with room for another conversation
	Busy      = "busy"      // there, without room or wanting no more
	Away      = "away"      // there, but not to be asked
	Offline   = "offline"   // not there
)

// capacity is how many conversations an agent takes who declares no limit.
const capacity = 5

// forgetAfter is how long an agent who holds nothing is remembered.
const forgetAfter = 24 * time.Hour

// ErrState says a declared state is not one of the four.
var ErrState = errors.New("state must be available, busy, away or offline")

// Agent is one live agent as the desk sees them now.
type Agent struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
	// Queues and Skills are what the agent serves; no queues means every queue.
	Queues []string `json:"queues"`
	Skills []string `json:"skills"`
	// Capacity is how many conversations they take at once.
	Capacity int `json:"capacity"`
	// State is the effective one; Declared is what they said, "" if nothing.
	State    string `json:"state"`
	Declared string `json:"declared,omitempty"`
	// Sockets are their open connections; Seen is their last sign of life.
	Sockets int       `json:"sockets"`
	Seen    time.Time `json:"seen,omitzero"`
	// Load counts the conversations they have; Since is when that last changed.
	Load  int       `json:"load"`
	Since time.Time `json:"since,omitzero"`
}

// Declaration is what an agent says of themselves. Nil fields leave what was
// said before; Capacity 0 does too.
type Declaration struct {
	State    string
	Name     *string
	Queues   []string
	Skills   []string
	Capacity int
}

type agent struct {
	Agent
	watched bool // had a socket, declared a state or is expected: may be lost
}

// agent finds or makes the entry of an id; the caller holds the lock.
func (d *Desk) agent(id string) *agent {
	a := d.agents[id]
	if a == nil {
		a = &agent{Agent: Agent{ID: id, Capacity: capacity, Since: time.Now()}}
		d.agents[id] = a
	}
	return a
}

// Touch notes a request of the agent.
func (d *Desk) Touch(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.agent(id).Seen = time.Now()
}

// Connect notes an opened socket of the agent.
func (d *Desk) Connect(id string) {
	d.mu.Lock()
	a := d.agent(id)
	a.Seen, a.watched = time.Now(), true
	a.Sockets++
	d.mu.Unlock()
	d.stir()
}

// Disconnect notes that a socket of the agent has closed.
func (d *Desk) Disconnect(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	a := d.agent(id)
	a.Seen, a.Sockets = time.Now(), max(0, a.Sockets-1)
}

// Expect watches an agent who had a conversation before a restart: one who does
// not show within the time counts as lost.
func (d *Desk) Expect(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.expect(id)
}

func (d *Desk) expect(id string) {
	if a := d.agent(id); !a.watched {
		a.watched, a.Seen = true, d.started
	}
}

// Declare takes what an agent says of themselves; ErrState when the state is
// none of the four.
func (d *Desk) Declare(id string, say Declaration) (Agent, error) {
	if !slices.Contains([]string{Available, Busy, Away, Offline}, say.State) {
		return Agent{}, ErrState
	}
	d.mu.Lock()
	defer d.stir()
	defer d.mu.Unlock()
	now := time.Now()
	a := d.agent(id)
	if a.Declared != say.State {
		a.Since = now
	}
	a.Declared, a.Seen, a.watched = say.State, now, true
	if say.Name != nil {
		a.Name = *say.Name
	}
	if say.Queues != nil {
		a.Queues = slices.Clone(say.Queues)
	}
	if say.Skills != nil {
		a.Skills = slices.Clone(say.Skills)
	}
	a.Capacity = cmp.Or(say.Capacity, a.Capacity)
	return a.show(now, d.rules.lost()), nil
}

// Get gives one agent, and whether the desk knows them.
func (d *Desk) Get(id string) (Agent, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	a, ok := d.agents[id]
	if !ok {
		return Agent{}, false
	}
	return a.show(time.Now(), d.rules.lost()), true
}

// Agents lists everybody the desk knows, by id.
func (d *Desk) Agents() []Agent {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	all := make([]Agent, 0, len(d.agents))
	for _, a := range d.agents {
		all = append(all, a.show(now, d.rules.lost()))
	}
	slices.SortFunc(all, func(a, b Agent) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// Lost lists the agents who had a socket, declared a state or were expected, and
// have given no sign of life since. Their conversations need somebody else.
func (d *Desk) Lost(now time.Time) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.lost(now)
}

func (d *Desk) lost(now time.Time) []string {
	var gone []string
	for id, a := range d.agents {
		if a.watched && !a.present(now, d.rules.lost()) {
			gone = append(gone, id)
		}
	}
	slices.Sort(gone)
	return gone
}

// forget lets go of agents nobody has heard of for long.
func (d *Desk) forget(now time.Time) {
	for id, a := range d.agents {
		if a.Sockets == 0 && a.Load == 0 && now.Sub(a.Seen) > forgetAfter {
			delete(d.agents, id)
		}
	}
}

// present tells whether the agent has given a sign of life lately.
func (a *agent) present(now time.Time, lost time.Duration) bool {
	return a.Sockets > 0 || now.Sub(a.Seen) < lost
}

// state is what the agent can be taken for: what they declared as long as they
// are there. One who declared nothing is available while connected.
func (a *agent) state(now time.Time, lost time.Duration) string {
	switch {
	case !a.present(now, lost), a.Declared == "" && a.Sockets == 0:
		return Offline
	case a.Declared != "" && a.Declared != Available:
		return a.Declared
	case a.Load >= a.Capacity:
		return Busy
	}
	return Available
}

func (a *agent) show(now time.Time, lost time.Duration) Agent {
	out := a.Agent
	out.State = a.state(now, lost)
	out.Queues, out.Skills = list(a.Queues), list(a.Skills)
	return out
}

func list(s []string) []string { return append([]string{}, s...) }

// serves tells whether the agent takes conversations of the queue that ask for
// the skills.
func (a *agent) serves(queue string, skills []string) bool {
	if len(a.Queues) > 0 && !slices.Contains(a.Queues, queue) {
		return false
	}
	for _, s := range skills {
		if !slices.Contains(a.Skills, s) {
			return false
		}
	}
	return true
}
