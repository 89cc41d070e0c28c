// Package aisera translates Aisera's conversation socket, from both its ends.
//
// In the role virtual_agent we are Aisera's chat client and its virtual agent
// answers; when it wants a person, either our people take the conversation or
// its own do. In the role live_agent we are its chat client too, but ask for its
// people at once and carry their words only. In the role customer an existing
// chat client of Aisera's comes to us and we answer as Aisera's server would.
package aisera

import (
	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

const (
	// vendor is our name in Event.Vendor and Extension.Vendor.
	vendor = "aisera"
	// credential is the account's name of the token every frame carries.
	credential = "token"
	// endpoint is the name of the socket, the same from both ends.
	endpoint = "ws"
)

// Definition is the whole adapter: serve runs it, adaptertest tests it.
func Definition() adapter.Definition {
	return adapter.Definition{
		Manifest:  manifest(),
		Configure: configure,
		Adapter: adapter.ByRole(map[event.Role]adapter.Adapter{
			event.RoleCustomer:     adapter.Func(handleCustomer),
			event.RoleVirtualAgent: adapter.Func(handleVirtual),
			event.RoleLiveAgent:    adapter.Func(handlePeople),
		}),
		Unknown: words().Unknown,
	}
}

func manifest() adapter.Manifest {
	return adapter.Manifest{
		Name: vendor, Title: "Aisera", Version: "1.0.0", StateVersion: 1,
		Roles: []event.Role{event.RoleCustomer, event.RoleVirtualAgent, event.RoleLiveAgent},
		FarSides: map[event.Role]string{
			event.RoleCustomer:     "its chat client, WebSocket or Socket.IO, which talks to us as to Aisera",
			event.RoleVirtualAgent: "its conversation WebSocket; people are ours, or its own",
			event.RoleLiveAgent:    "its people, asked for as a chat client asks",
		},
		Settings: append(addressSettings(), wordSettings()...),
		Credentials: []adapter.Credential{{Name: credential, Required: true,
			Doc: "The token every frame carries. In the role customer: the token the chat clients must send us."}},
	}
}

func addressSettings() []adapter.Setting {
	client := []event.Role{event.RoleVirtualAgent, event.RoleLiveAgent}
	return []adapter.Setting{
		{Name: "host", Type: "string", Example: "acme.chatbot.aisera.cloud", Roles: client,
			Doc: "The chat host of the tenant. Required unless base_url is set."},
		{Name: "base_url", Type: "string", Example: "https://acme.chatbot.aisera.cloud", Roles: client,
			Doc: "Replaces host, with its scheme; http and ws connect without TLS."},
		{Name: "path", Type: "string",
			Doc: "The path of the socket. Default: /socket.io/ for the transport socketio, /ws for raw."},
		{Name: "transport", Type: "string", Default: "socketio", Values: []string{"socketio", "raw"},
			Doc: "socketio: Socket.IO over WebSocket. raw: a WebSocket whose messages are the frames."},
		{Name: "event", Type: "string", Default: "message",
			Doc: "The name frames are sent under, for the transport socketio. Frames of any name are read."},
		{Name: "channel_id", Type: "string", Example: "f9975e56-84dd-cbfb-e171-1785ae4b1282", Required: true, Roles: client,
			Doc: "The id of the channel in the tenant, as the console shows it."},
		{Name: "user_email", Type: "string", Example: "guest@example.com", Roles: client,
			Doc: "The address sent for customers whose own is not known. Without it none is sent."},
		{Name: "user_id", Type: "string", Default: "customer", Values: []string{"customer", "conversation"}, Roles: client,
			Doc: "Whom the tenant knows the customer as: by the id they have in the conversation where there is one, or always by the conversation's own id."},
		{Name: "user_key", Type: "string", Default: "userId", Values: []string{"userId", "userid"}, Roles: client,
			Doc: "How the name of that field is written; both are read."},
	}
}

func wordSettings() []adapter.Setting {
	virtual, people := []event.Role{event.RoleVirtualAgent}, []event.Role{event.RoleLiveAgent}
	client, customer := []event.Role{event.RoleVirtualAgent, event.RoleLiveAgent}, []event.Role{event.RoleCustomer}
	both := []event.Role{event.RoleCustomer, event.RoleVirtualAgent}
	return []adapter.Setting{
		{Name: "people", Type: "string", Default: peopleOurs, Values: []string{peopleOurs, peopleVendor}, Roles: virtual,
			Doc: "Who answers when a flow wants a person. ours: the route's live agents, and Aisera is told when they pick up, pass on and finish. vendor: Aisera's own people, on the same socket."},
		{Name: "type_in", Type: "string", Default: "data", Values: []string{"data", "top"}, Roles: virtual,
			Doc: "Where the type of a live agent's request stands in its frame; both are read."},
		{Name: "answer_in", Type: "string", Default: "top", Values: []string{"top", "data", "response"}, Roles: customer,
			Doc: "Where the fields of an answer stand in the frames we send; all are read."},
		{Name: "logout", Type: "string", Default: logoutCommands, Values: []string{logoutCommands, logoutEnds}, Roles: customer,
			Doc: "What /logout means. command: an order to whoever answers, who finishes the session. end: the end of the conversation too."},
		{Name: "streaming", Type: "string", Default: "append", Values: []string{"append", "replace"}, Roles: both,
			Doc: "What a StreamingInProgress holds: the next piece of the answer, or all of it so far. In the role customer: what the client expects; pieces of the other kind are left out and the whole answer follows."},
		{Name: "text_format", Type: "string", Default: event.FormatPlain,
			Values: []string{event.FormatPlain, event.FormatMarkdown, event.FormatHTML}, Roles: both,
			Doc: "The format of the virtual agent's texts."},
		{Name: "ask_text", Type: "string", Default: "Contact live agent", Roles: people,
			Doc: "What is said to Aisera to be given a person."},
		{Name: "leave_text", Type: "string", Default: logoutText, Roles: people,
			Doc: "What is said when the customer has left, to finish Aisera's session."},
		{Name: "resume", Type: "string", Default: resumeHistory, Values: []string{resumeHistory, resumeNone}, Roles: client,
			Doc: "How a new connection in the middle of a conversation is made known: history asks for the session's history, so that Aisera knows whose the connection is; none waits for the customer's next words."},
		{Name: "summary_var", Type: "string", Default: "summary", Roles: client,
			Doc: "The session variable the summary of a hand-off or of the live agent's work is given in."},
		{Name: "transcript_var", Type: "string", Default: "transcript", Roles: people,
			Doc: "The session variable the transcript of a hand-off is given in, a line for what each said, the author before it."},
	}
}
