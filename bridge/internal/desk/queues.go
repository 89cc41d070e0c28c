package desk

import (
	"cmp"
	"slices"
	"time"
)

// Queue is one waiting line as it stands now.
type Queue struct {
	Name string `json:"name"`
	// Open tells whether its hours are open; NextOpen is when they next are,
	// zero when it is not known.
	Open     bool      `json:"open"`
	NextOpen time.Time `json:"next_open,omitzero"`
	// Waiting counts who waits; MaxWaiting is its limit, 0 for none.
	Waiting    int `json:"waiting"`
	MaxWaiting int `json:"max_waiting,omitempty"`
	// Available counts the agents who serve it and are available.
	Available int    `json:"available"`
	Assign    string `json:"assign"`
	// Refusal is why it takes no hand-off now, "" when it does.
	Refusal string `json:"refusal,omitempty"`
	// Conversations are who waits, longest first.
	Conversations []string `json:"conversations"`
}

// Queues lists the configured queues and every other one somebody waits in, by
// name.
func (d *Desk) Queues() []Queue {
	d.mu.Lock()
	names := map[string]bool{}
	for name := range d.rules.Queues {
		names[name] = true
	}
	for _, w := range d.line {
		if w.native {
			names[w.queue] = true
		}
	}
	d.mu.Unlock()
	all := make([]Queue, 0, len(names))
	for name := range names {
		all = append(all, d.Queue(name))
	}
	slices.SortFunc(all, func(a, b Queue) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// Queue gives one queue; one that is not configured is always open.
func (d *Desk) Queue(name string) Queue {
	now := time.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	in := d.waitingIn(name)
	configured, ok := d.rules.Queues[name]
	q := Queue{Name: name, Open: true, Waiting: len(in), MaxWaiting: configured.MaxWaiting,
		Assign: cmp.Or(configured.Assign, "pull"), Conversations: make([]string, 0, len(in))}
	for _, w := range in {
		q.Conversations = append(q.Conversations, w.id)
	}
	if hours, limited := d.rules.Hours[configured.Hours]; ok && limited {
		var change time.Time
		if q.Open, change = hours.Open(now); !q.Open {
			q.NextOpen = change
		}
	}
	q.Refusal = d.refusal(name, q.Waiting, now)
	for _, a := range d.agents {
		if a.serves(name, nil) && a.state(now, d.rules.lost()) == Available {
			q.Available++
		}
	}
	return q
}

// Next is the agent a conversation of the queue would be offered to now: of those
// who are available with room the least loaded, and of these the longest idle;
// "" when there is nobody.
func (d *Desk) Next(queue string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.next(&waiting{queue: queue}, time.Now(), nil)
}

// next chooses for one conversation: the agent it is meant for, else who is next
// in turn. Who has just not taken it, or has an offer open that fills their room,
// is passed over.
func (d *Desk) next(w *waiting, now time.Time, offers map[string]int) string {
	var room []*agent
	for _, a := range d.agents {
		switch {
		case a.state(now, d.rules.lost()) != Available, a.Load+offers[a.ID] >= a.Capacity,
			now.Sub(w.declined[a.ID]) < patience:
		case a.ID == w.wanted && w.declined[a.ID].IsZero():
			return a.ID
		case a.serves(w.queue, w.skills):
			room = append(room, a)
		}
	}
	if len(room) == 0 {
		return ""
	}
	return slices.MinFunc(room, func(a, b *agent) int {
		return cmp.Or(cmp.Compare(a.Load+offers[a.ID], b.Load+offers[b.ID]), a.Since.Compare(b.Since), cmp.Compare(a.ID, b.ID))
	}).ID
}
