package libredesk

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
)

// What settings may say.
const (
	onAssigned      = "assigned"
	onReply         = "reply"
	resolveHandback = "handback"
	resolveEnd      = "end"
)

const (
	defaultDomain    = "customer.invalid"
	defaultAsk       = "I would like to talk to a person."
	defaultName      = "Customer"
	defaultEnded     = "The customer has left the conversation."
	defaultCancelled = "The customer no longer waits for a person."
	defaultAbsent    = "The customer does not see this: the conversation went on without this desk."
)

// settings are an account's, with the defaults filled in.
type settings struct {
	BaseURL       string   `json:"base_url"`
	InboxUUID     string   `json:"inbox_uuid"`
	FileHosts     []string `json:"file_hosts"`
	Teams         []string `json:"teams"`
	Agents        []string `json:"agents"`
	AcceptedOn    string   `json:"accepted_on"`
	OnResolve     string   `json:"on_resolve"`
	EmailDomain   string   `json:"email_domain"`
	AskText       string   `json:"ask_text"`
	CustomerName  string   `json:"customer_name"`
	EndedText     string   `json:"ended_text"`
	CancelledText string   `json:"cancelled_text"`
	AbsentText    string   `json:"absent_text"`
}

func placeSettings() []adapter.Setting {
	return []adapter.Setting{
		{Name: "base_url", Type: "string", Example: "https://desk.example.com", Required: true, Doc: "Where Libredesk is."},
		{Name: "inbox_uuid", Type: "string", Example: "8f1c3a52-5b1f-4c4e-9d3c-5f6f5b1f2a01", Required: true,
			Doc: "The inbox's uuid, as its installation page has it (inboxID)."},
		{Name: "file_hosts", Type: "list", Example: "files.example.com", Doc: "More hosts people's files may be fetched from, where Libredesk keeps them on another than its own."},
	}
}

func wayOfWorking() []adapter.Setting {
	return []adapter.Setting{
		{Name: "teams", Type: "list", Example: "billing=4", Doc: "Which team a queue is for, QUEUE=NUMBER; * is every other queue, and none."},
		{Name: "agents", Type: "list", Example: "vip=7", Doc: "Which agent a queue is for, QUEUE=NUMBER, in place of a team."},
		{Name: "accepted_on", Type: "string", Default: onAssigned, Values: []string{onAssigned, onReply},
			Doc: "When a person has taken the conversation: when it is assigned to them, also by Libredesk itself, or when they first write."},
		{Name: "on_resolve", Type: "string", Default: resolveHandback, Values: []string{resolveHandback, resolveEnd},
			Doc: "What Resolved and Closed mean: the conversation goes back to the virtual agent, or ends. Use end on routes without a virtual agent."},
		{Name: "email_domain", Type: "string", Default: defaultDomain,
			Doc: "Libredesk wants an address of every contact: one who has none gets their id at this domain. Nothing must be delivered there."},
		{Name: "ask_text", Type: "string", Default: defaultAsk, Doc: "The contact's first message where the customer has said nothing yet."},
		{Name: "customer_name", Type: "string", Default: defaultName, Doc: "The contact's name where the customer's is not known."},
		{Name: "ended_text", Type: "string", Default: defaultEnded, Doc: "The private note people get when the customer has left."},
		{Name: "cancelled_text", Type: "string", Default: defaultCancelled, Doc: "The private note people get when a hand-off is withdrawn."},
		{Name: "absent_text", Type: "string", Default: defaultAbsent, Doc: "The private note people get who write when the conversation has gone on without them."},
	}
}

func (s *settings) fill() {
	for _, d := range []struct {
		value *string
		other string
	}{{&s.AcceptedOn, onAssigned}, {&s.OnResolve, resolveHandback}, {&s.EmailDomain, defaultDomain}, {&s.AskText, defaultAsk},
		{&s.CustomerName, defaultName}, {&s.EndedText, defaultEnded}, {&s.CancelledText, defaultCancelled}, {&s.AbsentText, defaultAbsent}} {
		*d.value = cmp.Or(*d.value, d.other)
	}
	s.BaseURL = strings.TrimRight(s.BaseURL, "/")
}

// check holds what has a form of its own against it.
func (s *settings) check() error {
	if !regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`).MatchString(s.InboxUUID) {
		return fmt.Errorf("setting inbox_uuid is %q: use the uuid on the inbox's installation page", s.InboxUUID)
	}
	if strings.ContainsAny(s.EmailDomain, "@ <>,;/") || !strings.Contains(s.EmailDomain, ".") {
		return fmt.Errorf("setting email_domain is %q: use a domain such as %s", s.EmailDomain, defaultDomain)
	}
	return cmp.Or(codec.Rows(s.Teams).CheckNumbers("teams"), codec.Rows(s.Agents).CheckNumbers("agents"))
}

// assignment is whom a queue's conversations are for: "user" or "team" and the
// number, or "" for nobody.
func (s *settings) assignment(queue string) (kind string, id int64) {
	for _, of := range []struct {
		kind string
		rows codec.Rows
	}{{"user", s.Agents}, {"team", s.Teams}} {
		if id, ok := of.rows.Value(queue); ok {
			return of.kind, codec.NumberID(id)
		}
	}
	return "", 0
}

func settingsOf(tx *adapter.Tx) (settings, error) {
	var s settings
	err := tx.Settings(&s)
	s.fill()
	return s, err
}
