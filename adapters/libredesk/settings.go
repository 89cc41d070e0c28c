package libredesk

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/backend"
)

// defaultDomain is one at which nobody is.
const defaultDomain = "customer.invalid"

// settings are an account's, with the defaults filled in.
type settings struct {
	backend.Ways
	backend.Queues
	BaseURL      string   `json:"base_url"`
	InboxUUID    string   `json:"inbox_uuid"`
	FileHosts    []string `json:"file_hosts"`
	EmailDomain  string   `json:"email_domain"`
	AskText      string   `json:"ask_text"`
	CustomerName string   `json:"customer_name"`
}

func settingsList() []adapter.Setting {
	return slices.Concat([]adapter.Setting{
		{Name: "base_url", Type: "string", Example: "https://desk.example.com", Required: true, Doc: "Where Libredesk is."},
		{Name: "inbox_uuid", Type: "string", Example: "8f1c3a52-5b1f-4c4e-9d3c-5f6f5b1f2a01", Required: true,
			Doc: "The inbox's uuid, as its installation page has it (inboxID)."},
		{Name: "file_hosts", Type: "list", Example: "files.example.com", Doc: "More hosts people's files may be fetched from, where Libredesk keeps them on another than its own."},
		{Name: "email_domain", Type: "string", Default: defaultDomain,
			Doc: "Libredesk wants an address of every contact: one who has none gets their id at this domain. Nothing must be delivered there."},
		{Name: "ask_text", Type: "string", Default: "I would like to talk to a person.", Doc: "The contact's first message where the customer has said nothing yet."},
		{Name: "customer_name", Type: "string", Default: "Customer", Doc: "The contact's name where the customer's is not known."},
	}, backend.QueueSettings(), backend.WaySettings("Libredesk", "Resolved and Closed"))
}

// check holds what has a form of its own against it.
func (s *settings) check() error {
	if !regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`).MatchString(s.InboxUUID) {
		return fmt.Errorf("setting inbox_uuid is %q: use the uuid on the inbox's installation page", s.InboxUUID)
	}
	if strings.ContainsAny(s.EmailDomain, "@ <>,;/") || !strings.Contains(s.EmailDomain, ".") {
		return fmt.Errorf("setting email_domain is %q: use a domain such as %s", s.EmailDomain, defaultDomain)
	}
	return s.Queues.Check()
}

func (s *settings) fill(a adapter.Account) error {
	err := manifest().FillSettings(a, s)
	s.BaseURL = strings.TrimRight(s.BaseURL, "/")
	return err
}
