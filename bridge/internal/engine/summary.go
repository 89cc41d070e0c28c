package engine

import (
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// Summary is what a list shows of a conversation, in the API's form.
type Summary struct {
	Customer   event.Actor       `json:"customer"`
	Language   string            `json:"language,omitempty"`
	Agent      event.Actor       `json:"agent,omitzero"`
	Reason     string            `json:"reason,omitempty"`
	Summary    string            `json:"summary,omitempty"`
	Attributes map[string]string `json:"attributes,omitempty"`
	Legs       []SummaryLeg      `json:"legs"`
}

// SummaryLeg is one leg in a Summary.
type SummaryLeg struct {
	Account  string     `json:"account"`
	Role     event.Role `json:"role"`
	Key      string     `json:"key"`
	Detached bool       `json:"detached,omitempty"`
}

func (c *convo) summary() ([]byte, error) {
	s := Summary{Customer: c.doc.Customer, Language: c.doc.Language, Agent: c.doc.Machine.Agent,
		Reason: c.doc.Machine.Handoff.Reason, Summary: c.doc.Machine.Handoff.Summary, Attributes: c.doc.Attributes}
	for _, id := range c.order {
		l := c.legs[id]
		s.Legs = append(s.Legs, SummaryLeg{Account: l.Account, Role: l.Role, Key: l.doc.Key, Detached: l.Detached})
	}
	return encode(s)
}

func (c *convo) index(summary []byte) journal.Index {
	m := c.doc.Machine
	return journal.Index{State: string(m.Phase), Owner: string(m.Owner.Role), Route: c.doc.Route,
		Queue: c.doc.Queue, Agent: m.Agent.ID, Left: m.Left.Since, Summary: summary}
}
