package chatwoot

import (
	"fmt"
	"slices"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/backend"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// What settings may say.
const (
	transcriptTurns = "turns"
	transcriptNote  = "note"
	againNew        = "new"
	againReopen     = "reopen"
	filesProxy      = "proxy"
	filesAsTold     = "as_told"
)

// settings are an account's, with the defaults filled in.
type settings struct {
	backend.Ways
	backend.Queues
	BaseURL         string   `json:"base_url"`
	AccountID       string   `json:"account_id"`
	InboxIdentifier string   `json:"inbox_identifier"`
	InboxID         string   `json:"inbox_id"`
	FileHosts       []string `json:"file_hosts"`
	Files           string   `json:"files"`
	Transcript      string   `json:"transcript"`
	MaxTurns        int      `json:"max_turns"`
	Again           string   `json:"again"`
	TextFormat      string   `json:"text_format"`
}

func settingsList() []adapter.Setting {
	return slices.Concat([]adapter.Setting{
		{Name: "base_url", Type: "string", Default: "https://app.chatwoot.com", Doc: "Where Chatwoot is; a self-hosted one's own address."},
		{Name: "account_id", Type: "string", Example: "1", Required: true, Doc: "The number of the account, as the address of its pages has it: /app/accounts/NUMBER."},
		{Name: "inbox_identifier", Type: "string", Example: "tLv6vvAwJyBLDTiTfCTGpPYp", Required: true, Doc: "The identifier of the inbox, as its Configuration page shows it."},
		{Name: "inbox_id", Type: "string", Example: "3", Required: true, Doc: "The number of the inbox, as the address of its settings has it: /settings/inboxes/NUMBER."},
		{Name: "file_hosts", Type: "list", Example: "files.example.com", Doc: "More hosts people's files may be fetched from, where Chatwoot names another than its own."},
		{Name: "files", Type: "string", Default: filesProxy, Values: []string{filesProxy, filesAsTold},
			Doc: "proxy: people's files are fetched through Chatwoot itself. as_told: at the address it names, which by default redirects to its storage; redirects are not followed."},
		{Name: "transcript", Type: "string", Default: transcriptTurns, Values: []string{transcriptTurns, transcriptNote},
			Doc: "How people see what was said before: turns as messages of the conversation, or all of it in a private note."},
		{Name: "max_turns", Type: "number", Default: "100", Doc: "How many turns, the last ones, become messages; those before are in a private note."},
		{Name: "again", Type: "string", Default: againNew, Values: []string{againNew, againReopen},
			Doc: "What the next hand-off of the same conversation gets: a new conversation, or the old one opened again, with what was said since a person last spoke."},
		{Name: "text_format", Type: "string", Default: event.FormatMarkdown, Values: []string{event.FormatMarkdown, event.FormatPlain},
			Doc: "The format of people's texts. Chatwoot's editor writes markdown."},
	}, backend.QueueSettings(), backend.WaySettings("Chatwoot", "resolving"))
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
	if s.MaxTurns < 0 {
		return fmt.Errorf("setting max_turns is %d: use a number, 0 or more", s.MaxTurns)
	}
	return s.Queues.Check()
}

func (s *settings) fill(a adapter.Account) error {
	err := manifest().FillSettings(a, s)
	s.BaseURL = strings.TrimRight(s.BaseURL, "/")
	return err
}
