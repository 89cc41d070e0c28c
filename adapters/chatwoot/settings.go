package chatwoot

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// What settings may say.
const (
	transcriptTurns = "turns"
	transcriptNote  = "note"
	againNew        = "new"
	againReopen     = "reopen"
	onAssigned      = "assigned"
	onReply         = "reply"
	resolveHandback = "handback"
	resolveEnd      = "end"
	filesProxy      = "proxy"
	filesAsTold     = "as_told"
)

const (
	defaultBase      = "https://app.chatwoot.com"
	defaultMaxTurns  = 100
	defaultEnded     = "The customer has left the conversation."
	defaultCancelled = "The customer no longer waits for a person."
	defaultAbsent    = "The customer does not see this: the conversation went on without this desk."
)

// settings are an account's, with the defaults filled in.
type settings struct {
	BaseURL         string   `json:"base_url"`
	AccountID       string   `json:"account_id"`
	InboxIdentifier string   `json:"inbox_identifier"`
	InboxID         string   `json:"inbox_id"`
	FileHosts       []string `json:"file_hosts"`
	Files           string   `json:"files"`
	Transcript      string   `json:"transcript"`
	MaxTurns        *int     `json:"max_turns"`
	Teams           []string `json:"teams"`
	Agents          []string `json:"agents"`
	Again           string   `json:"again"`
	AcceptedOn      string   `json:"accepted_on"`
	OnResolve       string   `json:"on_resolve"`
	TextFormat      string   `json:"text_format"`
	EndedText       string   `json:"ended_text"`
	CancelledText   string   `json:"cancelled_text"`
	AbsentText      string   `json:"absent_text"`
}

func placeSettings() []adapter.Setting {
	return []adapter.Setting{
		{Name: "base_url", Type: "string", Default: defaultBase, Doc: "Where Chatwoot is; a self-hosted one's own address."},
		{Name: "account_id", Type: "string", Example: "1", Required: true, Doc: "The number of the account, as the address of its pages has it: /app/accounts/NUMBER."},
		{Name: "inbox_identifier", Type: "string", Example: "tLv6vvAwJyBLDTiTfCTGpPYp", Required: true, Doc: "The identifier of the inbox, as its Configuration page shows it."},
		{Name: "inbox_id", Type: "string", Example: "3", Required: true, Doc: "The number of the inbox, as the address of its settings has it: /settings/inboxes/NUMBER."},
		{Name: "file_hosts", Type: "list", Example: "files.example.com", Doc: "More hosts people's files may be fetched from, where Chatwoot names another than its own."},
		{Name: "files", Type: "string", Default: filesProxy, Values: []string{filesProxy, filesAsTold},
			Doc: "proxy: people's files are fetched through Chatwoot itself. as_told: at the address it names, which by default redirects to its storage; redirects are not followed."},
	}
}

func wayOfWorking() []adapter.Setting {
	return []adapter.Setting{
		{Name: "transcript", Type: "string", Default: transcriptTurns, Values: []string{transcriptTurns, transcriptNote},
			Doc: "How people see what was said before: turns as messages of the conversation, or all of it in a private note."},
		{Name: "max_turns", Type: "number", Default: "100", Doc: "How many turns, the last ones, become messages; those before are in a private note."},
		{Name: "teams", Type: "list", Example: "billing=4", Doc: "Which team a queue is for, QUEUE=NUMBER; * is every other queue, and none."},
		{Name: "agents", Type: "list", Example: "vip=7", Doc: "Which agent a queue is for, QUEUE=NUMBER, in place of a team."},
		{Name: "again", Type: "string", Default: againNew, Values: []string{againNew, againReopen},
			Doc: "What the next hand-off of the same conversation gets: a new conversation, or the old one opened again, with what was said since a person last spoke."},
		{Name: "accepted_on", Type: "string", Default: onAssigned, Values: []string{onAssigned, onReply},
			Doc: "When a person has taken the conversation: when it is assigned to them, also by Chatwoot itself, or when they first write."},
		{Name: "on_resolve", Type: "string", Default: resolveHandback, Values: []string{resolveHandback, resolveEnd},
			Doc: "What resolving means: the conversation goes back to the virtual agent, or ends. Use end on routes without a virtual agent."},
		{Name: "text_format", Type: "string", Default: event.FormatMarkdown, Values: []string{event.FormatMarkdown, event.FormatPlain},
			Doc: "The format of people's texts. Chatwoot's editor writes markdown."},
		{Name: "ended_text", Type: "string", Default: defaultEnded, Doc: "The private note people get when the customer has left."},
		{Name: "cancelled_text", Type: "string", Default: defaultCancelled, Doc: "The private note people get when a hand-off is withdrawn."},
		{Name: "absent_text", Type: "string", Default: defaultAbsent, Doc: "The private note people get who write when the conversation has gone on without them."},
	}
}

func (s *settings) fill() {
	for _, d := range []struct {
		value *string
		other string
	}{{&s.BaseURL, defaultBase}, {&s.Files, filesProxy}, {&s.Transcript, transcriptTurns}, {&s.Again, againNew}, {&s.AcceptedOn, onAssigned},
		{&s.OnResolve, resolveHandback}, {&s.TextFormat, event.FormatMarkdown}, {&s.EndedText, defaultEnded},
		{&s.CancelledText, defaultCancelled}, {&s.AbsentText, defaultAbsent}} {
		*d.value = cmp.Or(*d.value, d.other)
	}
	if s.MaxTurns == nil {
		most := defaultMaxTurns
		s.MaxTurns = &most
	}
	s.BaseURL = strings.TrimRight(s.BaseURL, "/")
}

// check holds what has a form of its own against it.
func (s *settings) check() error {
	for _, n := range [][2]string{{"account_id", s.AccountID}, {"inbox_id", s.InboxID}} {
		if codec.NumberID(n[1]) == 0 {
			return fmt.Errorf("setting %s is %q: use the number Chatwoot's address has", n[0], n[1])
		}
	}
	if s.InboxIdentifier == "" || strings.ContainsAny(s.InboxIdentifier, "/?#% ") {
		return fmt.Errorf("setting inbox_identifier is %q: use the identifier on the inbox's Configuration page", s.InboxIdentifier)
	}
	if *s.MaxTurns < 0 {
		return fmt.Errorf("setting max_turns is %d: use a number, 0 or more", *s.MaxTurns)
	}
	return cmp.Or(codec.Rows(s.Teams).CheckNumbers("teams"), codec.Rows(s.Agents).CheckNumbers("agents"))
}

// assignment is whom a queue's conversations are for: the field of the call and the
// number, or "" for nobody.
func (s *settings) assignment(queue string) (field string, id int64) {
	for _, of := range []struct {
		field string
		rows  codec.Rows
	}{{"assignee_id", s.Agents}, {"team_id", s.Teams}} {
		if id, ok := of.rows.Value(queue); ok {
			return of.field, codec.NumberID(id)
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
