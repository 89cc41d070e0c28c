// Package libredesk hands conversations to the people of a Libredesk live-chat inbox.
//
// The customer's side is spoken through the widget API, as the contact whom a token
// that the bridge signs makes known; notes, status, assignment and all reading through
// the agent API. Libredesk tells once what its people do and never again, so its
// webhook and its socket are hints: words, assignment and status are emitted from what
// is read back only, and a message that was read is not emitted a second time.
package libredesk

import (
	"cmp"
	"net/http"
	"slices"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/backend"
	"github.com/footbridge/footbridge/bridge/event"
)

// The account's names of its secrets, and session that of the contact's token.
const (
	credentialKey    = "api_key"
	credentialSecret = "api_secret"
	inboxSecret      = "inbox_secret"
	webhookSecret    = "webhook_secret"
	session          = "session"
)

const (
	// endpoint is the name of the webhook.
	endpoint = "webhook"
	// bytesLimit is Libredesk's limit of one message of a contact, in bytes, and
	// textLimit what is within it in any script, in grapheme clusters.
	bytesLimit = 10_000
	textLimit  = 1500
)

// Definition is the whole adapter: serve runs it, adaptertest tests it.
func Definition() adapter.Definition {
	return adapter.Definition{Manifest: manifest(), Configure: configure, Adapter: adapter.Func(handle), Unknown: words().Unknown}
}

func manifest() adapter.Manifest {
	return adapter.Manifest{
		Name: "libredesk", Title: "Libredesk", Version: "1.0.0", StateVersion: 1,
		Roles:    []event.Role{event.RoleLiveAgent},
		FarSides: map[event.Role]string{event.RoleLiveAgent: "the people of a live-chat inbox"},
		Settings: settingsList(),
		Credentials: []adapter.Credential{
			{Name: credentialKey, Required: true, Doc: "The API key of an agent no person works as. What that agent writes is never shown to a customer."},
			{Name: credentialSecret, Required: true, Doc: "The secret shown once with that key."},
			{Name: inboxSecret, Required: true, Doc: "The secret of the inbox, with which the bridge signs who the customer is."},
			{Name: webhookSecret, Doc: "The secret of the webhook. With it every request must be signed; without it the account's inbound setting applies."},
		},
		Samples: samples(),
	}
}

// samples are Libredesk's answers where all goes well and nothing is new.
func samples() []adapter.Sample {
	const uuid = `"9b1f3f0e-0d3c-4f55-9d3c-5f6f5b1f2a01"`
	return backend.Samples([][2]string{
		{stepExchange, `{"status":"success","data":{"session_token":"[captured]","user":{"user_id":17,"is_visitor":false,"first_name":"Ada","last_name":""}}}`},
		{stepFind, `{"status":"success","data":[]}`},
		{stepInit, `{"status":"success","data":{"conversation":{"uuid":` + uuid + `,"status":"Open","assignee":null},"messages":[]}}`},
		{stepNote, `{"status":"success","data":{"uuid":"4d3c8a52-0001-4a52-8a26-1a4f0c7d4b11","type":"outgoing","private":true,"sender_id":1,"sender_type":"agent"}}`},
		{actNote, `{"status":"success","data":{"uuid":"4d3c8a52-0002-4a52-8a26-1a4f0c7d4b11","type":"outgoing","private":true,"sender_id":1,"sender_type":"agent"}}`},
		{actSay, `{"status":"success","data":{"uuid":"4d3c8a52-0003-4a52-8a26-1a4f0c7d4b11","status":"received","content":"hello","conversation_uuid":` + uuid + `}}`},
		{readConversation, `{"status":"success","data":{"uuid":` + uuid + `,"status":"Open","status_category":"open","assigned_user_id":null}}`},
		{readAgents, `{"status":"success","data":[]}`},
		{readMessages, `{"status":"success","data":{"results":[],"total":0,"per_page":30,"total_pages":0,"page":1}}`},
	})
}

func configure(a adapter.Account) (adapter.Profile, error) {
	var s settings
	if err := cmp.Or(manifest().ReadSettings(a, &settings{}), s.fill(a), s.check()); err != nil {
		return adapter.Profile{}, err
	}
	p, err := backend.Profile(s.BaseURL, s.FileHosts)
	if err != nil {
		return p, err
	}
	p.Endpoints, p.Assumptions = []adapter.Endpoint{webhook(a)}, assumptions()
	p.Levels.MaxText, p.Levels.Typing = textLimit, adapter.Full
	return p, nil
}

// webhook is where Libredesk tells what its people do. Messages, assignments and
// statuses name their conversation; a conversation is told by itself.
func webhook(a adapter.Account) adapter.Endpoint {
	e := adapter.Endpoint{Name: endpoint, Method: http.MethodPost, Path: "/webhook", Answer: adapter.AnswerAck,
		Key:     "body:/payload/conversation_uuid,body:/payload/conversation/uuid,body:/payload/uuid",
		Unknown: adapter.UnknownWait, NoKey: adapter.NoKeyIgnore, MaxBody: 1 << 20}
	if slices.Contains(a.Credentials, webhookSecret) {
		e.Auth, e.Dedup, e.DedupWhile = "signature:"+webhookSecret, "signature", adapter.DedupForever
		e.Signature = adapter.Signature{Algorithm: adapter.SignedHMACSHA256, Header: "X-Libredesk-Signature", Prefix: "sha256=",
			Encoding: "hex", Over: "{body}"}
	}
	return e
}

func assumptions() []string {
	return []string{
		"exchange: the same external_user_id is the same contact, so that people see who comes again",
		"exchange: the answer's Date is the clock a conversation's created_at is of, so that an unknown init is looked up",
		"init: what was told before the conversation is known here is read from its list of messages",
		"messages: page 1 has the newest, and total counts them all",
		"messages: an author of another type than agent, an agent called System and what has meta.is_automated are no person's words",
		"messages: what the key's own agent writes comes from us",
		"attachments: the address of a file is on base_url's host, or on one of file_hosts, and needs no redirect",
		"conversation: status_category resolved is the end of people's work, whatever the status is called",
		"typing: what the widget's socket tells is a person writing to the customer",
		"webhooks: a secret is kept when it is given with POST, and its length is not limited",
	}
}
