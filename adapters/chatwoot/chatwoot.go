// Package chatwoot hands conversations to the people of a Chatwoot inbox of the
// channel type API.
//
// The customer's side is spoken through Chatwoot's public API, as the contact; the
// transcript, notes, status and assignment through its application API. Chatwoot
// tells once what its people do and never again, so its webhook is a hint: words,
// assignment and status are emitted from what is read back only, and a message that
// was read is not emitted a second time.
package chatwoot

import (
	"cmp"
	"net/http"
	"slices"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/backend"
	"github.com/footbridge/footbridge/bridge/event"
)

const (
	// vendor is our name in Event.Vendor.
	vendor = "chatwoot"
	// credential is the account's name of the API access token, and secret that of
	// what the webhook is signed with.
	credential = "token"
	secret     = "webhook_secret"
	// endpoint is the name of the webhook.
	endpoint = "webhook"
	// textLimit is Chatwoot's limit of one message.
	textLimit = 150_000
)

// Definition is the whole adapter: serve runs it, adaptertest tests it.
func Definition() adapter.Definition {
	return adapter.Definition{Manifest: manifest(), Configure: configure, Adapter: adapter.Func(handle), Unknown: words().Unknown}
}

func manifest() adapter.Manifest {
	return adapter.Manifest{
		Name: vendor, Title: "Chatwoot", Version: "1.0.0", StateVersion: 1,
		Roles:    []event.Role{event.RoleLiveAgent},
		FarSides: map[event.Role]string{event.RoleLiveAgent: "the people of an inbox of type API, in the cloud or self-hosted"},
		Settings: settingsList(),
		Credentials: []adapter.Credential{
			{Name: credential, Required: true, Doc: "The API access token of a user no person works as: an administrator. What that user writes is never shown to a customer."},
			{Name: secret, Doc: "The secret of the inbox's webhook. With it every request must be signed; without it the account's inbound setting applies."},
		},
		Samples: samples(),
	}
}

// samples are Chatwoot's answers where all goes well and nothing is new.
func samples() []adapter.Sample {
	const user = `"sender":{"id":1,"name":"Footbridge","type":"user"}`
	return backend.Samples([][2]string{
		{stepContact, `{"id":17,"source_id":"5c0c7fe1-8b9d-4a52-8a26-1a4f0c7d4b11","name":"Ada","email":null,"pubsub_token":"sample"}`},
		{stepFind, `[{"id":42,"inbox_id":3,"status":"resolved","messages":[]}]`},
		{stepCreate, `{"id":42,"inbox_id":3,"status":"pending","messages":[],"meta":{"sender":{"id":17,"name":"Ada","type":"contact"}}}`},
		{stepPost, `{"id":100,"content":"note","message_type":1,"private":true,` + user + `}`},
		{actNote, `{"id":101,"content":"note","message_type":1,"private":true,` + user + `}`},
		{stepOpen, `{"meta":{},"payload":{"success":true,"current_status":"open","conversation_id":42}}`},
		{stepAssign, `{"id":4,"name":"billing"}`},
		{actSay, `{"id":102,"content":"hello","message_type":"incoming","conversation_id":42,"attachments":[]}`},
		{readConversation, `{"id":42,"status":"open","meta":{"assignee":null,"team":null}}`},
		{readMessages, `{"meta":{"labels":[]},"payload":[]}`},
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
	p.Levels.Formats, p.Levels.MaxText, p.Levels.Typing = []string{event.FormatMarkdown}, textLimit, adapter.Full
	return p, nil
}

// webhook is where Chatwoot tells what its people do. A message has its
// conversation beside it; a conversation is told by itself.
func webhook(a adapter.Account) adapter.Endpoint {
	e := adapter.Endpoint{Name: endpoint, Method: http.MethodPost, Path: "/webhook", Answer: adapter.AnswerAck,
		Key: "body:/conversation/id,body:/id", Unknown: adapter.UnknownWait, NoKey: adapter.NoKeyIgnore, MaxBody: 1 << 20}
	if slices.Contains(a.Credentials, secret) {
		e.Auth, e.Dedup, e.DedupWhile = "signature:"+secret, "signature", adapter.DedupForever
		e.Signature = adapter.Signature{Algorithm: adapter.SignedHMACSHA256, Header: "X-Chatwoot-Signature", Prefix: "sha256=",
			Encoding: "hex", Over: "{time}.{body}", TimeHeader: "X-Chatwoot-Timestamp"}
	}
	return e
}

func assumptions() []string {
	return []string{
		"contact: source_id of the request is taken over; where it is not, the answer's is used",
		"contact: an address or number that is refused is left out, and the contact made without",
		"create: status pending keeps the conversation from the people until the transcript is there",
		"find: a contact's list has the conversations of its source_id, so an unknown create is looked up",
		"open: a token of an administrator leaves the conversation unassigned",
		"messages: before= pages back; a page without anything older is the beginning",
		"messages: the sender of a person has the type user; another type, or none, is no person",
		"messages: what the token's own user writes comes from us",
		"attachments: the address of a stored file answers at /proxy/ where it redirects at /redirect/ (setting files)",
		"texts: people write markdown (setting text_format)",
		"context: a value longer than 1,500 characters is cut",
		"typing: an event of a user that is not private is a person writing to the customer",
	}
}
