package backend

import (
	"cmp"
	"slices"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
)

// What Ways may say.
const (
	OnAssigned      = "assigned"
	OnReply         = "reply"
	ResolveHandback = "handback"
	ResolveEnd      = "end"
)

const (
	defaultEnded     = "The customer has left the conversation."
	defaultCancelled = "The customer no longer waits for a person."
	defaultAbsent    = "The customer does not see this: the conversation went on without this desk."
)

// Ways are settings every desk has: what its people's doing means, and what they are
// told. An adapter's settings embed it.
type Ways struct {
	AcceptedOn    string `json:"accepted_on"`
	OnResolve     string `json:"on_resolve"`
	EndedText     string `json:"ended_text"`
	CancelledText string `json:"cancelled_text"`
	AbsentText    string `json:"absent_text"`
}

// WaySettings are the settings of Ways, for the manifest. resolved is what the vendor
// calls the end of people's work.
func WaySettings(title, resolved string) []adapter.Setting {
	return []adapter.Setting{
		{Name: "accepted_on", Type: "string", Default: OnAssigned, Values: []string{OnAssigned, OnReply},
			Doc: "When a person has taken the conversation: when it is assigned to them, also by " + title + " itself, or when they first write."},
		{Name: "on_resolve", Type: "string", Default: ResolveHandback, Values: []string{ResolveHandback, ResolveEnd},
			Doc: "What " + resolved + " means: the conversation goes back to the virtual agent, or ends. Use end on routes without a virtual agent."},
		{Name: "ended_text", Type: "string", Default: defaultEnded, Doc: "What people are told, and no customer, when the customer has left."},
		{Name: "cancelled_text", Type: "string", Default: defaultCancelled, Doc: "What people are told, and no customer, when a hand-off is withdrawn."},
		{Name: "absent_text", Type: "string", Default: defaultAbsent, Doc: "What people are told, and no customer, who write when the conversation has gone on without them."},
	}
}

// Queues are settings of a desk with teams and agents: whom the conversations of a
// queue are for. An adapter's settings embed it.
type Queues struct {
	Teams  codec.Rows `json:"teams"`
	Agents codec.Rows `json:"agents"`
}

// QueueSettings are the settings of Queues, for the manifest.
func QueueSettings() []adapter.Setting {
	return []adapter.Setting{
		{Name: "teams", Type: "list", Example: "billing=4", Doc: "Which team a queue is for, QUEUE=NUMBER; * is every other queue, and none."},
		{Name: "agents", Type: "list", Example: "vip=7", Doc: "Which agent a queue is for, QUEUE=NUMBER, in place of a team."},
	}
}

// Check refuses rows that are none.
func (q *Queues) Check() error {
	return cmp.Or(q.Teams.CheckNumbers("teams"), q.Agents.CheckNumbers("agents"))
}

// For is whom a queue's conversations are for: an agent before a team, 0 for nobody.
func (q *Queues) For(queue string) (id int64, agent bool) {
	if id, ok := q.Agents.Value(queue); ok {
		return codec.NumberID(id), true
	}
	id2, _ := q.Teams.Value(queue)
	return codec.NumberID(id2), false
}

// Profile is what the profiles of all desks have in common; an adapter adds its own to
// it. base is the setting base_url, which it refuses where that is no address, and files
// are hosts beside that one, of which each is named once.
func Profile(base string, files []string) (adapter.Profile, error) {
	own, err := codec.Address("base_url", base, "https", "http")
	if err != nil {
		return adapter.Profile{}, err
	}
	p := adapter.Profile{Hosts: []string{own.Host}, Reconcile: true, Levels: adapter.Levels{
		Content:  map[string]adapter.Level{"text": adapter.Full, "media": adapter.Full},
		Receipts: adapter.Partial, Partials: adapter.Fallback, Transcript: adapter.Full,
		QueuePosition: adapter.Dropped, CustomerEnd: adapter.Full, Push: adapter.PushCall}}
	for _, host := range files {
		if !slices.Contains(p.Hosts, host) {
			p.Hosts = append(p.Hosts, host)
		}
	}
	return p, nil
}
