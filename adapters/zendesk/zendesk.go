// Package zendesk hands conversations to the people of a Zendesk account, through the
// Sunshine Conversations API of its messaging.
//
// Who may speak there is told by a switchboard: the bridge has an integration of its own
// in it, keeps control while it writes down what was said, and passes it to the people's.
// Zendesk tries its webhook five times and then never again, so for words and control it
// is a hint: they are emitted from what is read back only, and a message that was read is
// not emitted a second time.
package zendesk

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
	vendor = "zendesk"
	// keyID and keySecret are the account's names of the API key, and secret that of
	// what the webhook shows.
	keyID     = "key_id"
	keySecret = "key_secret"
	secret    = "webhook_secret"
	// endpoint is the name of the webhook.
	endpoint = "webhook"
	// textLimit is Zendesk's limit of one text.
	textLimit = 4096
)

// Definition is the whole adapter: serve runs it, adaptertest tests it.
func Definition() adapter.Definition {
	return adapter.Definition{Manifest: manifest(), Configure: configure, Adapter: adapter.Func(handle), Unknown: words().Unknown}
}

func manifest() adapter.Manifest {
	return adapter.Manifest{
		Name: vendor, Title: "Zendesk", Version: "1.0.0", StateVersion: 1,
		Roles:    []event.Role{event.RoleLiveAgent},
		FarSides: map[event.Role]string{event.RoleLiveAgent: "the people of an Agent Workspace, by Sunshine Conversations"},
		Settings: append(placeSettings(), wayOfWorking()...),
		Credentials: []adapter.Credential{
			{Name: keyID, Required: true, Doc: "The Key ID of a Conversations API key; it begins with app_."},
			{Name: keySecret, Required: true, Doc: "The secret key that belongs to it."},
			{Name: secret, Doc: "The shared secret of the integration's webhook, which every request shows. Without it the account's inbound setting applies."},
		},
		Samples: samples(),
	}
}

// samples are Zendesk's answers where all goes well and nothing is new.
func samples() []adapter.Sample {
	return backend.Samples([][2]string{
		{stepUser, `{"user":{"id":"u-1","externalId":"footbridge-c-1"}}`},
		{stepCreate, `{"conversation":{"id":"c-1","type":"personal","metadata":{}}}`},
		{stepTake, `{}`},
		{stepPost, `{"messages":[{"id":"m-1","received":"2026-01-05T10:00:00.000Z"}]}`},
		{stepPass, `{}`},
		{actSay, `{"messages":[{"id":"m-2","received":"2026-01-05T10:00:01.000Z"}]}`},
		{actTell, `{"messages":[{"id":"m-3","received":"2026-01-05T10:00:02.000Z"}]}`},
		{actAccept, `{}`},
		{readConversation, `{"conversation":{"id":"c-1","activeSwitchboardIntegration":{"name":"zd-agentWorkspace"}}}`},
		{readMessages, `{"messages":[],"meta":{"hasMore":false}}`},
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
	p.Levels.MaxText, p.Levels.Typing = textLimit, adapter.Partial
	p.Levels.Content["location"] = adapter.Full
	return p, nil
}

// webhook is where Zendesk tells what happens in any conversation of the app, several
// things at once; of those that are not ours nothing is kept. What comes before ours is
// known is no news, or is read. A merge of two users names the conversation that is no
// more before the one that stays.
func webhook(a adapter.Account) adapter.Endpoint {
	e := adapter.Endpoint{Name: endpoint, Method: http.MethodPost, Path: "/webhook", Answer: adapter.AnswerAck, Batch: "/events",
		Key:   "body:/payload/conversation/id,body:/payload/mergedConversations/discarded/id,body:/payload/mergedConversations/surviving/id",
		Dedup: "body:/id", DedupWhile: adapter.DedupForever, Unknown: adapter.UnknownIgnore, NoKey: adapter.NoKeyIgnore, MaxBody: 1 << 20}
	if slices.Contains(a.Credentials, secret) {
		e.Auth = "header:X-API-Key=" + secret
	}
	return e
}

func assumptions() []string {
	return []string{
		"user: a user who is there already answers 409, and is read and changed by externalId",
		"user: an address or picture that is refused is left out, and the user made without",
		"conversations: filter[userId] lists a user's, with their metadata, so an unknown create is looked up",
		"switchboard: passControl and releaseControl have happened when they are answered",
		"switchboard: people who end the session release control, or pass it on; a conversation says who has it",
		"offerControl: what is offered stays with whoever offers it until acceptControl; offered to the bridge, it is given back",
		"passControl: metadata of dataCapture.systemField and dataCapture.ticketField fills the ticket, 4 KB in all",
		"releaseControl: takes a reason, ticketClosed or transferToEmail, and tells it",
		"messages: metadata of a message is in what is read of it, and marks those of the bridge, so an unknown one is looked up",
		"messages: source.type of people's is zd:agentWorkspace (setting agent_sources), and they have a displayName or userId",
		"messages: what triggers and surveys write has no displayName, or one of automatic_names",
		"messages: author.subtypes with AI is no person",
		"messages: a user who writes may send text, files and locations; forms are answered as text",
		"messages: page[before] takes the id of a message, and hasMore tells of older ones",
		"messages: a user who is not known any more answers 400, 403 or 404, and participants name who it is now",
		"attachments: access=public files can be fetched at mediaUrl without a key",
		"activity: a user can be shown to have read, not to type",
	}
}
