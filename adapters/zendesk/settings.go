package zendesk

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
)

// What settings may say.
const (
	transcriptTurns = "turns"
	transcriptBlock = "block"
	releaseHandback = "handback"
	releaseEnd      = "end"
)

const (
	defaultIntegration = "footbridge"
	defaultAgents      = "zd-agentWorkspace"
	defaultSource      = "zd:agentWorkspace"
	defaultMedia       = "media.smooch.io"
	defaultPrefix      = "footbridge-"
	defaultName        = "Customer"
	defaultMaxTurns    = 100
	defaultEnded       = "The customer has left the conversation."
	defaultCancelled   = "The customer no longer waits for a person."
	defaultAbsent      = "The customer does not see this: the conversation went on without this desk."
)

// settings are an account's, with the defaults filled in.
type settings struct {
	Subdomain      string   `json:"subdomain"`
	BaseURL        string   `json:"base_url"`
	AppID          string   `json:"app_id"`
	Integration    string   `json:"integration"`
	Agents         string   `json:"agents_integration"`
	AgentSources   []string `json:"agent_sources"`
	AutomaticNames []string `json:"automatic_names"`
	FileHosts      []string `json:"file_hosts"`
	UserPrefix     *string  `json:"user_prefix"`
	CustomerName   string   `json:"customer_name"`
	Transcript     string   `json:"transcript"`
	MaxTurns       *int     `json:"max_turns"`
	Fields         []string `json:"fields"`
	Groups         []string `json:"groups"`
	Tags           []string `json:"tags"`
	OnRelease      string   `json:"on_release"`
	EndedText      string   `json:"ended_text"`
	CancelledText  string   `json:"cancelled_text"`
	AbsentText     string   `json:"absent_text"`
}

func placeSettings() []adapter.Setting {
	return []adapter.Setting{
		{Name: "subdomain", Type: "string", Example: "acme", Doc: "The first part of the account's address: acme of acme.zendesk.com."},
		{Name: "base_url", Type: "string", Example: "https://api.eu-1.smooch.io", Doc: "Where the API is, in place of https://SUBDOMAIN.zendesk.com/sc."},
		{Name: "app_id", Type: "string", Example: "5fb29b20fbfb52dd1eb2c7bc", Required: true, Doc: "The App ID the Conversations API page shows."},
		{Name: "integration", Type: "string", Default: defaultIntegration, Doc: "The name of the bridge's own switchboard integration."},
		{Name: "agents_integration", Type: "string", Default: defaultAgents, Doc: "The name or id of the switchboard integration whose people answer."},
		{Name: "agent_sources", Type: "list", Default: defaultSource,
			Doc: "The source types people's messages have; what comes from another, such as a bot or a program, is not told to the customer."},
		{Name: "automatic_names", Type: "list", Example: "Acme",
			Doc: "Names under which Zendesk writes by itself (triggers, surveys, replies out of hours): nobody's words, not told to the customer."},
		{Name: "file_hosts", Type: "list", Default: defaultMedia, Doc: "More hosts people's files may be fetched from than the API's own."},
	}
}

func wayOfWorking() []adapter.Setting {
	return []adapter.Setting{
		{Name: "user_prefix", Type: "string", Default: defaultPrefix,
			Doc: "What stands before the customer's id in Zendesk's externalId, so that nobody is taken for a user the company signs in elsewhere; empty to have them be the same."},
		{Name: "customer_name", Type: "string", Default: defaultName, Doc: "The user's name where the customer's is not known."},
		{Name: "transcript", Type: "string", Default: transcriptTurns, Values: []string{transcriptTurns, transcriptBlock},
			Doc: "How people see what was said before: each turn as a message, or all of it in one, which may need several."},
		{Name: "max_turns", Type: "number", Default: "100", Doc: "How many turns, the last ones, become messages; those before are told in one block."},
		{Name: "fields", Type: "list", Example: "plan=dataCapture.ticketField.360001",
			Doc: "Which fact goes into which field of the ticket, FACT=KEY; reason, summary, queue and language are facts, too."},
		{Name: "groups", Type: "list", Example: "billing=360002", Doc: "Which group a queue is for, QUEUE=NUMBER; * is every other queue, and none."},
		{Name: "tags", Type: "list", Example: "footbridge", Doc: "Tags every ticket gets."},
		{Name: "on_release", Type: "string", Default: releaseHandback, Values: []string{releaseHandback, releaseEnd},
			Doc: "What it means that people end the session: the conversation goes back to the virtual agent, or ends. Use end on routes without a virtual agent."},
		{Name: "ended_text", Type: "string", Default: defaultEnded, Doc: "What people are told when the customer has left."},
		{Name: "cancelled_text", Type: "string", Default: defaultCancelled, Doc: "What people are told when a hand-off is withdrawn."},
		{Name: "absent_text", Type: "string", Default: defaultAbsent, Doc: "What people are told who write when the conversation has gone on without them."},
	}
}

func (s *settings) fill() {
	for _, d := range []struct {
		value *string
		other string
	}{{&s.Integration, defaultIntegration}, {&s.Agents, defaultAgents}, {&s.CustomerName, defaultName}, {&s.Transcript, transcriptTurns},
		{&s.OnRelease, releaseHandback}, {&s.EndedText, defaultEnded}, {&s.CancelledText, defaultCancelled}, {&s.AbsentText, defaultAbsent}} {
		*d.value = cmp.Or(*d.value, d.other)
	}
	if s.AgentSources == nil {
		s.AgentSources = []string{defaultSource}
	}
	if s.FileHosts == nil {
		s.FileHosts = []string{defaultMedia}
	}
	if s.UserPrefix == nil {
		prefix := defaultPrefix
		s.UserPrefix = &prefix
	}
	if s.MaxTurns == nil {
		most := defaultMaxTurns
		s.MaxTurns = &most
	}
	if s.BaseURL == "" && s.Subdomain != "" {
		s.BaseURL = "https://" + s.Subdomain + ".zendesk.com/sc"
	}
	s.BaseURL = strings.TrimRight(s.BaseURL, "/")
}

// check holds what has a form of its own against it.
func (s *settings) check() error {
	if s.BaseURL == "" {
		return fmt.Errorf("setting subdomain is not set: use acme of acme.zendesk.com, or set base_url")
	}
	for _, one := range [][2]string{{"subdomain", s.Subdomain}, {"app_id", s.AppID}, {"integration", s.Integration}} {
		if strings.ContainsAny(one[1], "/?#%&:. ") {
			return fmt.Errorf("setting %s is %q: use the name alone, as Zendesk shows it", one[0], one[1])
		}
	}
	for _, row := range s.Fields {
		if fact, key, ok := strings.Cut(row, "="); !ok || fact == "" || !strings.HasPrefix(key, "dataCapture.") {
			return fmt.Errorf("setting fields has %q: use FACT=KEY, such as plan=dataCapture.ticketField.360001", row)
		}
	}
	if *s.MaxTurns < 0 {
		return fmt.Errorf("setting max_turns is %d: use a number, 0 or more", *s.MaxTurns)
	}
	return codec.Rows(s.Groups).CheckNumbers("groups")
}

func settingsOf(tx *adapter.Tx) (settings, error) {
	var s settings
	err := tx.Settings(&s)
	s.fill()
	return s, err
}
