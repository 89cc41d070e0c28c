package stories

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// What must be in no log, metric, error or file: the secrets, and a word every
// text of the stories has.
const (
	studioKey   = "studio-key-canary-4711"
	deskKey     = "desk-key-canary-0815"
	deskToken   = "desk-token-canary-1234567890"
	flowKey     = "flow-key-canary-2718"
	widgetKey   = "widget-key-canary-3141"
	chatToken   = "chat-token-canary-2342"
	convoSecret = "convo-secret-canary-9183"
	assistToken = "assist-token-canary-5813"
	wootToken   = "woot-token-canary-6180"
	wootSecret  = "woot-secret-canary-3398"
	slackToken  = "slack-token-canary-4410"
	slackSecret = "slack-secret-canary-9925"
	slackApp    = "slack-app-canary-5536"
	libreKey    = "libre-key-canary-7731"
	libreSecret = "libre-secret-canary-8842"
	libreInbox  = "libre-inbox-canary-9953"
	libreHook   = "libre-hook-canary-1064"
	zenKeyID    = "zen-key-id-canary-2175"
	zenKey      = "zen-key-canary-3286"
	zenHook     = "zen-hook-canary-4397"
	canary      = "okapi"
)

// secrets are the variables of the environment every bridge of a rig begins with.
func secrets() map[string]string {
	return map[string]string{"STUDIO_KEY": studioKey, "VDESK_KEY": deskKey, "DESK_TOKEN": deskToken, "FLOW_KEY": flowKey,
		"WIDGET_KEY": widgetKey, "CHAT_TOKEN": chatToken, "CONVO_SECRET": convoSecret, "ASSIST_TOKEN": assistToken,
		"WOOT_TOKEN": wootToken, "WOOT_SECRET": wootSecret,
		"SLACK_TOKEN": slackToken, "SLACK_SECRET": slackSecret, "SLACK_APP": slackApp,
		"LIBRE_KEY": libreKey, "LIBRE_SECRET": libreSecret, "LIBRE_INBOX": libreInbox, "LIBRE_HOOK": libreHook,
		"ZEN_KEY_ID": zenKeyID, "ZEN_KEY": zenKey, "ZEN_HOOK": zenHook}
}

// The far sides that stories beside the rig's own have accounts at.
const (
	webChat    = "web chat"
	routing    = "AI Studio"
	flowAgent  = "HTTP agent"
	httpClient = "client of an HTTP agent"
	liveServer = "live-agent server"
	aiseraChat = "Aisera"
	convocore  = "Convocore"
	assistant  = "Agent Assist"
	chatwoot   = "Chatwoot"
	libredesk  = "Libredesk"
	slackDesk  = "Slack"
	zendesk    = "Zendesk"
)

// farSides say of each its adapter, what its account has beside its settings, and
// which settings it always has.
func farSides() map[string]struct{ adapter, keys, settings string } {
	return map[string]struct{ adapter, keys, settings string }{
		webChat:    {"native", `publishable_key = "pk_{name}"`, ""},
		routing:    {"vonage", `credentials = { key = "env:STUDIO_KEY" }`, `mode = "routing"`},
		flowAgent:  {"vonage", `credentials = { key = "env:FLOW_KEY" }`, "mode = \"agent\"\nagent_id = \"6501fa2b6ae1a7b1c2d3e4f5\""},
		httpClient: {"vonage", `credentials = { key = "env:WIDGET_KEY" }`, ""},
		liveServer: {"vonage", `credentials = { key = "env:VDESK_KEY" }`, `agent_phone = "447700900002"`},
		aiseraChat: {"aisera", `credentials = { token = "env:CHAT_TOKEN" }`, `channel_id = "c-1"`},
		convocore:  {"convocore", `credentials = { secret = "env:CONVO_SECRET" }`, ""},
		chatwoot: {"chatwoot", "credentials = { token = \"env:WOOT_TOKEN\", webhook_secret = \"env:WOOT_SECRET\" }\nreconcile = \"10s\"",
			"account_id = \"1\"\ninbox_identifier = \"inbox\"\ninbox_id = \"3\""},
		slackDesk: {"slack", "credentials = { token = \"env:SLACK_TOKEN\", signing_secret = \"env:SLACK_SECRET\", app_token = \"env:SLACK_APP\" }\nreconcile = \"10s\"", ""},
		libredesk: {"libredesk", "reconcile = \"10s\"\ncredentials = { api_key = \"env:LIBRE_KEY\", api_secret = \"env:LIBRE_SECRET\", " +
			"inbox_secret = \"env:LIBRE_INBOX\", webhook_secret = \"env:LIBRE_HOOK\" }", `inbox_uuid = "8f1c3a52-5b1f-4c4e-9d3c-5f6f5b1f2a01"`},
		zendesk: {"zendesk", "reconcile = \"10s\"\ncredentials = { key_id = \"env:ZEN_KEY_ID\", key_secret = \"env:ZEN_KEY\", webhook_secret = \"env:ZEN_HOOK\" }",
			`app_id = "app-1"`},
		assistant: {"omilia", `credentials = { token = "env:ASSIST_TOKEN" }`, `url = "wss://unused.example/agent-assist/{context.call_id}"`},
	}
}

// account is one of a far side, with more settings, a line each.
func account(name, farSide, role string, settings ...string) string {
	of := farSides()[farSide]
	text := fmt.Sprintf("[accounts.%s]\nadapter = %q\nrole = %q\n%s\n", name, of.adapter, role, strings.ReplaceAll(of.keys, "{name}", name))
	if lines := strings.TrimSpace(of.settings + "\n" + strings.Join(settings, "\n")); lines != "" {
		text += fmt.Sprintf("[accounts.%s.settings]\n%s\n", name, lines)
	}
	return text
}

// at is the setting that replaces a vendor's address.
func at(address string) string { return fmt.Sprintf("base_url = %q", address) }

// route is one from a customer's account by a virtual agent to people; either of
// the two may be "". It ends as a table that can have more keys.
func route(customer, virtual, people string) string {
	text := fmt.Sprintf("[[routes]]\nname = %q\nlive_agent = [%q]\n", customer+virtual, people)
	for _, side := range [][2]string{{"customer", customer}, {"virtual_agent", virtual}} {
		if side[1] != "" {
			text += fmt.Sprintf("%s = %q\n", side[0], side[1])
		}
	}
	return text
}

// shop is a web chat beside the rig's own, with a route of its own.
func shop(virtual, people string) string {
	return account("shop", webChat, "customer") + route("shop", virtual, people)
}

// secretsEnv is the secrets as an environment has them.
func secretsEnv() []string {
	var env []string
	for name, value := range secrets() {
		env = append(env, name+"="+value)
	}
	return env
}

// canaries are the words that must be nowhere, whatever the story.
func canaries() []string { return append(slices.Collect(maps.Values(secrets())), canary) }

// serve serves a simulated vendor and gives its address.
func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}
