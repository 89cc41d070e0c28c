package zendesk

import (
	"fmt"
	"slices"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/backend"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
)

// What settings may say.
const (
	transcriptTurns = "turns"
	transcriptBlock = "block"
	usersOwn        = "own"
	usersShared     = "shared"
)

const (
	defaultSource = "zd:agentWorkspace"
	defaultMedia  = "media.smooch.io"
)

// settings are an account's, with the defaults filled in.
type settings struct {
	backend.Ways
	Subdomain      string   `json:"subdomain"`
	BaseURL        string   `json:"base_url"`
	AppID          string   `json:"app_id"`
	Integration    string   `json:"integration"`
	Agents         string   `json:"agents_integration"`
	AgentSources   []string `json:"agent_sources"`
	AutomaticNames []string `json:"automatic_names"`
	FileHosts      []string `json:"file_hosts"`
	Users          string   `json:"users"`
	CustomerName   string   `json:"customer_name"`
	Transcript     string   `json:"transcript"`
	MaxTurns       int      `json:"max_turns"`
	Fields         []string `json:"fields"`
	Groups         []string `json:"groups"`
	Tags           []string `json:"tags"`
}

func placeSettings() []adapter.Setting {
	return []adapter.Setting{
		{Name: "subdomain", Type: "string", Example: "acme", Doc: "The first part of the account's address: acme of acme.zendesk.com."},
		{Name: "base_url", Type: "string", Example: "https://api.eu-1.smooch.io", Doc: "Where the API is, in place of https://SUBDOMAIN.zendesk.com/sc."},
		{Name: "app_id", Type: "string", Example: "5fb29b20fbfb52dd1eb2c7bc", Required: true, Doc: "The App ID the Conversations API page shows."},
		{Name: "integration", Type: "string", Default: "footbridge", Doc: "The name of the bridge's own switchboard integration."},
		{Name: "agents_integration", Type: "string", Default: "zd-agentWorkspace", Doc: "The name or id of the switchboard integration whose people answer."},
		{Name: "agent_sources", Type: "list", Default: defaultSource,
			Doc: "The source types people's messages have; what comes from another, such as a bot or a program, is not told to the customer."},
		{Name: "automatic_names", Type: "list", Example: "Acme",
			Doc: "Names under which Zendesk writes by itself (triggers, surveys, replies out of hours): nobody's words, not told to the customer."},
		{Name: "file_hosts", Type: "list", Default: defaultMedia, Doc: "More hosts people's files may be fetched from than the API's own."},
	}
}

// wayOfWorking is what people's doing means. Nothing tells that a conversation is
// assigned, so it is taken with the first words.
func wayOfWorking() []adapter.Setting {
	return slices.Concat([]adapter.Setting{
		{Name: "users", Type: "string", Default: usersOwn, Values: []string{usersOwn, usersShared},
			Doc: "Whether the bridge's customers are users of their own, with footbridge- before their id in Zendesk's externalId, or the same as those the company signs in elsewhere under that id."},
		{Name: "customer_name", Type: "string", Default: "Customer", Doc: "The user's name where the customer's is not known."},
		{Name: "transcript", Type: "string", Default: transcriptTurns, Values: []string{transcriptTurns, transcriptBlock},
			Doc: "How people see what was said before: each turn as a message, or all of it in one, which may need several."},
		{Name: "max_turns", Type: "number", Default: "100", Doc: "How many turns, the last ones, become messages; those before are told in one block."},
		{Name: "fields", Type: "list", Example: "plan=dataCapture.ticketField.360001",
			Doc: "Which fact goes into which field of the ticket, FACT=KEY; reason, summary, queue and language are facts, too."},
		{Name: "groups", Type: "list", Example: "billing=360002", Doc: "Which group a queue is for, QUEUE=NUMBER; * is every other queue, and none."},
		{Name: "tags", Type: "list", Example: "footbridge", Doc: "Tags every ticket gets."},
	}, backend.WaySettings("Zendesk", "ending the session")[1:])
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
	if s.MaxTurns < 0 {
		return fmt.Errorf("setting max_turns is %d: use a number, 0 or more", s.MaxTurns)
	}
	return codec.Rows(s.Groups).CheckNumbers("groups")
}

func (s *settings) fill(a adapter.Account) error {
	s.AgentSources, s.FileHosts = []string{defaultSource}, []string{defaultMedia}
	err := manifest().FillSettings(a, s)
	if s.BaseURL == "" && s.Subdomain != "" {
		s.BaseURL = "https://" + s.Subdomain + ".zendesk.com/sc"
	}
	s.BaseURL = strings.TrimRight(s.BaseURL, "/")
	return err
}
