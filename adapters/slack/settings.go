package slack

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/backend"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
)

// What settings may say.
const (
	editsTell   = "tell"
	editsIgnore = "ignore"

	transportHTTP   = "http"
	transportSocket = "socket"
)

// settings are an account's, with the defaults filled in.
type settings struct {
	backend.Ways
	BaseURL       string     `json:"base_url"`
	Transport     string     `json:"transport"`
	Channels      codec.Rows `json:"channels"`
	NotePrefixes  []string   `json:"note_prefixes"`
	Customize     bool       `json:"customize"`
	Edits         string     `json:"edits"`
	EditedText    string     `json:"edited_text"`
	ClaimLabel    string     `json:"claim_label"`
	HandBackLabel string     `json:"hand_back_label"`
	CloseLabel    string     `json:"close_label"`
}

func settingsList() []adapter.Setting {
	own := []adapter.Setting{
		{Name: "base_url", Type: "string", Default: "https://slack.com/api", Doc: "Where Slack's methods are."},
		{Name: "channels", Type: "list", Example: "*=C0123456789", Required: true, Doc: "The channel of a queue, QUEUE=CHANNEL; * is every other queue, and none. A channel's id is at the foot of its details."},
		{Name: "transport", Type: "string", Default: transportHTTP, Values: []string{transportHTTP, transportSocket},
			Doc: "How Slack tells what people do. http: it posts to the bridge. socket: the bridge listens in Socket Mode, and needs no public address for it."},
		{Name: "note_prefixes", Type: "list", Example: "//", Doc: "What a message begins with that is for other people only. Left out: // and :lock:"},
		{Name: "customize", Type: "boolean", Default: "true", Doc: "Whether words stand under the name and picture of who said them (scope chat:write.customize); otherwise the name is before them."},
		{Name: "edits", Type: "string", Default: editsTell, Values: []string{editsTell, editsIgnore}, Doc: "What becomes of a message people edit after it was told: the customer is told the new words, or nothing."},
		{Name: "edited_text", Type: "string", Default: "Corrected: ", Doc: "What stands before words that were edited."},
		{Name: "claim_label", Type: "string", Default: "Claim", Doc: "The button that takes the conversation."},
		{Name: "hand_back_label", Type: "string", Default: "Hand back", Doc: "The button that gives it back to the virtual agent, or declines it."},
		{Name: "close_label", Type: "string", Default: "Close", Doc: "The button that ends it."},
	}
	return append(own, slices.DeleteFunc(backend.WaySettings("Slack", "handing back"), func(s adapter.Setting) bool { return !strings.HasSuffix(s.Name, "_text") })...)
}

// check holds what has a form of its own against it.
func (s *settings) check(a adapter.Account) error {
	if needed := map[string]string{transportHTTP: secret, transportSocket: appToken}[s.Transport]; !slices.Contains(a.Credentials, needed) {
		return fmt.Errorf("transport %s needs the credential %s: set it, or use another transport", s.Transport, needed)
	}
	for _, row := range s.Channels {
		if queue, id, _ := strings.Cut(row, "="); queue == "" || !isChannel(id) {
			return fmt.Errorf("setting channels has %q: use QUEUE=CHANNEL with the channel's id, such as *=C0123456789", row)
		}
	}
	for _, p := range s.NotePrefixes {
		if strings.TrimSpace(p) == "" {
			return fmt.Errorf("setting note_prefixes has %q: every message would be a note", p)
		}
	}
	for _, label := range []string{s.ClaimLabel, s.HandBackLabel, s.CloseLabel} {
		if codec.Length(label) > labelLimit {
			return fmt.Errorf("the label %q is longer than %d characters: Slack takes no more on a button", label, labelLimit)
		}
	}
	return nil
}

// labelLimit is the longest words of a button.
const labelLimit = 75

// isChannel reports whether a word is the id of a channel, public or private.
func isChannel(id string) bool { return regexp.MustCompile(`^[CG][A-Z0-9]{2,20}$`).MatchString(id) }

// channel is that of a queue, or "".
func (s *settings) channel(queue string) string {
	id, _ := s.Channels.Value(queue)
	return id
}

func (s *settings) fill(a adapter.Account) error {
	s.NotePrefixes = []string{"//", ":lock:"}
	err := manifest().FillSettings(a, s)
	s.BaseURL, s.AcceptedOn = strings.TrimRight(s.BaseURL, "/"), backend.OnAssigned
	return err
}
