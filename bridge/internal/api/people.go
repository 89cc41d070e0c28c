package api

import (
	"net/http"
	"slices"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/desk"
	"github.com/footbridge/footbridge/bridge/internal/engine"
)

// AgentList is everybody at the desk.
type AgentList struct {
	Agents []desk.Agent `json:"agents"`
}

// QueueList is every queue of the desk.
type QueueList struct {
	Queues []desk.Queue `json:"queues"`
}

// Declaration is what a live agent says of themselves. What is left out stays as
// it was.
type Declaration struct {
	State    string   `json:"state"`
	Name     *string  `json:"name,omitempty"`
	Queues   []string `json:"queues,omitempty"`
	Skills   []string `json:"skills,omitempty"`
	Capacity int      `json:"capacity,omitempty"`
}

// Availability says whether the desk takes hand-offs now.
type Availability struct {
	Open bool `json:"open"`
	// Reason is why not, in the words of handoff.failed.
	Reason     string     `json:"reason,omitempty"`
	NextOpen   *time.Time `json:"next_open,omitempty"`
	QueueDepth int        `json:"queue_depth"`
}

// Tools are what the operator gives live agents to work with.
type Tools struct {
	// Replies are answers ready to be sent.
	Replies []CannedReply `json:"replies"`
	// Dispositions are what the end of a conversation may be called; with none,
	// agents write their own words.
	Dispositions []string `json:"dispositions"`
}

// CannedReply is an answer agents send with few keys. {customer} and {agent} in
// its text stand for their names.
type CannedReply struct {
	Name     string `json:"name"`
	Text     string `json:"text"`
	Language string `json:"language,omitempty"`
}

const (
	maxCapacity = 1000
	maxWords    = 100
)

func (a *API) listAgents(w http.ResponseWriter, _ *http.Request, _ principal) error {
	return answer(w, http.StatusOK, AgentList{Agents: a.Desk.Agents()})
}

func (a *API) getAgentState(w http.ResponseWriter, r *http.Request, p principal) error {
	agent, ok := a.Desk.Get(r.PathValue("id"))
	if !ok {
		if p.agent != r.PathValue("id") {
			return fault(codeNotFound)
		}
		agent = desk.Agent{ID: p.agent, State: desk.Offline, Queues: []string{}, Skills: []string{}}
	}
	return answer(w, http.StatusOK, agent)
}

func (a *API) putAgentState(w http.ResponseWriter, r *http.Request, p principal) error {
	id := r.PathValue("id")
	if p.agent != "" && p.agent != id && !p.has(roleSupervisor) {
		return fault(codeAgent)
	}
	var d Declaration
	if err := readBody(w, r, &d); err != nil {
		return err
	}
	switch {
	case len(id) > maxName, d.Name != nil && len(*d.Name) > maxName:
		return invalid("name", "give at most 200 bytes each for id and name")
	case d.Capacity < 0 || d.Capacity > maxCapacity:
		return invalid("capacity", "give a number from 1 to 1000")
	case len(d.Queues) > maxWords || len(d.Skills) > maxWords:
		return invalid("queues", "give at most 100 queues and 100 skills")
	}
	agent, err := a.Desk.Declare(id, desk.Declaration(d))
	if err != nil {
		return invalid("state", "use available, busy, away or offline")
	}
	return answer(w, http.StatusOK, agent)
}

func (a *API) getDesk(w http.ResponseWriter, _ *http.Request, _ principal) error {
	t := a.setup.Load().Tools
	return answer(w, http.StatusOK, Tools{Replies: append([]CannedReply{}, t.Replies...), Dispositions: append([]string{}, t.Dispositions...)})
}

func (a *API) listQueues(w http.ResponseWriter, _ *http.Request, _ principal) error {
	return answer(w, http.StatusOK, QueueList{Queues: a.Desk.Queues()})
}

// deskDrained reports whether none of the desk's accounts takes anything new.
func (a *API) deskDrained() bool {
	ours := slices.DeleteFunc(a.Status.Accounts(), func(c Account) bool { return c.Adapter != engine.Native || c.Role != roleLiveAgent })
	return len(ours) > 0 && !slices.ContainsFunc(ours, func(c Account) bool { return !c.Drained })
}

func (a *API) getAvailability(w http.ResponseWriter, r *http.Request, _ principal) error {
	queues := a.Desk.Queues()
	if name := r.URL.Query().Get("queue"); name != "" || len(queues) == 0 {
		queues = []desk.Queue{a.Desk.Queue(name)}
	}
	var out Availability
	if a.deskDrained() {
		for i := range queues {
			queues[i].Refusal = event.FailedBackendDown
		}
	}
	for _, q := range queues {
		out.Open = out.Open || q.Refusal == ""
		out.QueueDepth += q.Waiting
	}
	if out.Open {
		return answer(w, http.StatusOK, out)
	}
	for _, q := range queues {
		out.Reason = q.Refusal
		if at := q.NextOpen; !at.IsZero() && (out.NextOpen == nil || at.Before(*out.NextOpen)) {
			at = at.UTC()
			out.NextOpen = &at
		}
	}
	return answer(w, http.StatusOK, out)
}
