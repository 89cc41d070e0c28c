// Package slack hands conversations to the people of a Slack channel, each as a
// thread.
//
// Slack tells an event a few times and promises no order, so its events are hints:
// words are emitted from what conversations.replies gives only, in the order of their
// timestamps, and a message that was read is not emitted a second time. Buttons at the
// head of the thread take the conversation, hand it back and close it.
package slack

import (
	"cmp"
	"net/http"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/backend"
	"github.com/footbridge/footbridge/bridge/event"
)

// The account's names of its secrets.
const (
	botToken  = "token"
	userToken = "user_token"
	secret    = "signing_secret"
	appToken  = "app_token"
)

// The endpoints.
const (
	endpointEvents  = "events"
	endpointActions = "actions"
)

const (
	// textLimit is the longest message with words of a customer, in characters as they
	// are sent: within the 4,000 Slack shows as one message.
	textLimit = 3000
	// messageLimit is what Slack takes as one text, in characters.
	messageLimit = 40_000
	// filesHost is where files are.
	filesHost = "files.slack.com"
)

// Definition is the whole adapter: serve runs it, adaptertest tests it.
func Definition() adapter.Definition {
	return adapter.Definition{Manifest: manifest(), Configure: configure, Adapter: adapter.Func(handle), Unknown: words().Unknown}
}

func manifest() adapter.Manifest {
	return adapter.Manifest{
		Name: "slack", Title: "Slack", Version: "1.0.0", StateVersion: 1,
		Roles:    []event.Role{event.RoleLiveAgent},
		FarSides: map[event.Role]string{event.RoleLiveAgent: "the people of a channel, a thread for each conversation"},
		Settings: settingsList(),
		Credentials: []adapter.Credential{
			{Name: botToken, Required: true, Doc: "The bot user OAuth token of the app, xoxb-…"},
			{Name: secret, Doc: "The signing secret of the app, with which Slack signs what it posts; required with transport http."},
			{Name: appToken, Doc: "The app-level token with connections:write, xapp-…; required with transport socket."},
			{Name: userToken, Doc: "A user token of the app with channels:history, to read threads with; the bot's own where it is left out."},
		},
		Samples: samples(),
	}
}

// samples are Slack's answers where all goes well and nothing is new.
func samples() []adapter.Sample {
	const posted = `{"ok":true,"channel":"C0123456789","ts":"1780000000.000100","message":{"type":"message","bot_id":"B1","ts":"1780000000.000100","text":"x"}}`
	return backend.Samples([][2]string{
		{stepOpen, posted}, {stepPost, posted}, {actSay, posted}, {actLine, posted}, {actRoot, posted},
		{stepFind, `{"ok":true,"messages":[],"has_more":false}`},
		{readThread, `{"ok":true,"messages":[],"has_more":false}`},
		{actWho, `{"ok":true,"user":{"id":"U1","name":"sam","profile":{"display_name":"Sam","image_72":""}}}`},
	})
}

func configure(a adapter.Account) (adapter.Profile, error) {
	var s settings
	if err := cmp.Or(manifest().ReadSettings(a, &settings{}), s.fill(a), s.check(a)); err != nil {
		return adapter.Profile{}, err
	}
	p, err := backend.Profile(s.BaseURL, []string{filesHost})
	if err != nil {
		return p, err
	}
	p.Endpoints, p.Assumptions, p.Pace = endpoints(), assumptions(), time.Second
	p.Levels.Formats, p.Levels.MaxText, p.Levels.Typing = []string{event.FormatMarkdown}, textLimit, adapter.Dropped
	for _, host := range p.Hosts {
		p.FileLogins = append(p.FileLogins, adapter.FileLogin{Host: host, Prefix: "Bearer ", Credential: botToken})
	}
	if s.Transport == transportSocket {
		listened(&p, s.BaseURL)
	}
	return p, nil
}

// listened has the bridge hold Slack's Socket Mode for the endpoints, which then have
// no door.
func listened(p *adapter.Profile, base string) {
	for i, e := range p.Endpoints {
		p.Endpoints[i] = adapter.Endpoint{Name: e.Name, Method: e.Method, Answer: e.Answer, Key: e.Key, Dedup: e.Dedup, DedupWhile: e.DedupWhile,
			Unknown: e.Unknown, NoKey: e.NoKey, MaxBody: e.MaxBody}
	}
	p.Hosts = append(p.Hosts, "wss-primary.slack.com", "wss-backup.slack.com", "wss-mobile.slack.com")
	p.Feeds = []adapter.Feed{{Name: "socket", URL: base + "/apps.connections.open", Address: "/url", Credential: appToken, Prefix: "Bearer ",
		Kind: "/type", Endpoints: map[string]string{"events_api": endpointEvents, "interactive": endpointActions},
		Body: "/payload", Ack: "envelope_id", Ends: []string{"disconnect"}}}
}

// endpoints are where Slack tells what people write and which buttons they press. A
// message names its thread, a button the leg itself.
func endpoints() []adapter.Endpoint {
	signed := adapter.Signature{Algorithm: adapter.SignedHMACSHA256, Header: "X-Slack-Signature", Prefix: "v0=", Encoding: "hex",
		Over: "v0:{time}:{body}", TimeHeader: "X-Slack-Request-Timestamp"}
	return []adapter.Endpoint{
		{Name: endpointEvents, Method: http.MethodPost, Path: "/events", Answer: adapter.AnswerAck,
			Key:   "body:/event/thread_ts,body:/event/message/thread_ts,body:/event/previous_message/thread_ts",
			Dedup: "body:/event_id", DedupWhile: adapter.DedupForever, Unknown: adapter.UnknownWait, NoKey: adapter.NoKeyIgnore, MaxBody: 1 << 20,
			Auth: "signature:" + secret, Signature: signed, Challenge: "body:/challenge"},
		{Name: endpointActions, Method: http.MethodPost, Path: "/actions", Answer: adapter.AnswerAck, Form: "payload",
			Key:   "body:/actions/0/value",
			Dedup: "body:/trigger_id", DedupWhile: adapter.DedupForever, Unknown: adapter.UnknownIgnore, NoKey: adapter.NoKeyIgnore, MaxBody: 1 << 20,
			Auth: "signature:" + secret, Signature: signed},
	}
}

func assumptions() []string {
	return []string{
		"conversations.replies: a bot's token reads threads of channels it is a member of (credential user_token where it may not)",
		"conversations.replies: pages go from old to new; the head of the thread may be on each",
		"conversations.history, conversations.replies: give the metadata of our own messages, so that what nobody knows of is looked up",
		"chat.postMessage: username and icon_url are taken with chat:write.customize (setting customize)",
		"chat.postMessage: 4,000 characters are one message, and 40,000 are taken",
		"files.completeUploadExternal: shares in a thread, in the name given; the message it makes is told by no answer",
		"messages: a person's have a user other than the app's own and no bot_id or app_id; of the subtypes file_share and thread_broadcast are a person's",
		"messages: the times of edits grow",
		"errors: internal_error, fatal_error, service_unavailable, request_timeout and team_added_to_org pass",
		"block_actions: trigger_id is another for each press, and the same when a press is sent again",
		"apps.connections.open: names one of wss-primary, wss-backup and wss-mobile.slack.com",
		"files: url_private of files.slack.com answers the token without a redirect",
	}
}
