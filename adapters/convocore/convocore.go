// Package convocore translates Convocore's interact socket, from both its sides.
//
// The socket carries one turn a connection: the client sends one object, the
// server answers in frames and closes. In the role virtual_agent we are that
// client, a connection for each thing the customer says; beside the socket stand
// the events webhook and the state of the conversation. In the role customer we
// serve the socket to whoever was built for it.
package convocore

import (
	"encoding/json"
	"net/http"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

// vendor is our name among adapters, and secret that of the one credential.
const (
	vendor = "convocore"
	secret = "secret"
)

// Definition is the whole adapter: serve runs it, adaptertest tests it.
func Definition() adapter.Definition {
	return adapter.Definition{
		Manifest:  manifest(),
		Configure: configure,
		Adapter: adapter.ByRole(map[event.Role]adapter.Adapter{
			event.RoleCustomer:     adapter.Func(handleClient),
			event.RoleVirtualAgent: adapter.Func(handleAgent),
		}),
		Unknown: words().Unknown,
	}
}

func manifest() adapter.Manifest {
	return adapter.Manifest{
		Name: vendor, Title: "Convocore", Version: "1.0.0", StateVersion: 1,
		Roles: []event.Role{event.RoleCustomer, event.RoleVirtualAgent},
		FarSides: map[event.Role]string{
			event.RoleCustomer:     "a client of `/interact`, which talks to us as to Convocore",
			event.RoleVirtualAgent: "`/interact`, one turn a connection; REST and the `events` webhook beside it",
		},
		Settings: settingList(),
		Credentials: []adapter.Credential{{Name: secret,
			Doc: "The workspace secret. Sent as a bearer token where we are the client; asked for, as a bearer token or in a webhook's body, where we are the server. Without it none is sent, and callers are let in by the account's inbound."}},
		Samples: []adapter.Sample{{Tag: "state/", Status: http.StatusOK, Body: json.RawMessage(`{"success":true}`)},
			{Tag: "append/", Status: http.StatusOK, Body: json.RawMessage(`{"success":true}`)}},
	}
}

func configure(a adapter.Account) (adapter.Profile, error) {
	var s settings
	if err := manifest().ReadSettings(a, &s); err != nil {
		return adapter.Profile{}, err
	}
	s.fill()
	if err := s.check(); err != nil {
		return adapter.Profile{}, err
	}
	if a.Role == event.RoleCustomer {
		return clientProfile(a, s), nil
	}
	return agentProfile(a, s)
}

// guarded is how callers show the secret, where the account has one.
func guarded(a adapter.Account, where string) string {
	for _, name := range a.Credentials {
		if name == secret {
			return where + "=" + secret
		}
	}
	return ""
}

func clientProfile(a adapter.Account, s settings) adapter.Profile {
	rich := adapter.Full
	if !*s.UIEngine {
		rich = adapter.Fallback
	}
	return adapter.Profile{
		Endpoints: []adapter.Endpoint{{Name: "interact", Method: http.MethodGet, Transport: adapter.TransportWebSocket,
			Path: s.Path, Answer: adapter.AnswerAck, Key: "frame:/convoId", Unknown: adapter.UnknownOpen, Auth: guarded(a, "bearer")}},
		Levels: adapter.Levels{
			Content: map[string]adapter.Level{"text": adapter.Full, "choices": rich, "card": rich, "carousel": rich, "form": rich,
				"media": partly(rich), "link": partly(rich), "location": adapter.Fallback, "form_response": adapter.Fallback},
			Formats: []string{event.FormatMarkdown}, Typing: adapter.Dropped, Receipts: adapter.Dropped, Partials: adapter.Partial,
			Transcript: adapter.Full, QueuePosition: adapter.Dropped, CustomerEnd: adapter.Dropped, Push: adapter.PushNone,
			Extensions: []string{frameAction, frameMetadata},
		},
		Assumptions: []string{
			"interact: an object without prompt, form or picture asks for the history, which is answered by sync_chat_history",
			"interact: a client takes several chunk frames without ui_engine as one text, so messages are set apart by an empty line",
			"interact: a client takes a chunk with ui_engine as all that was said in the turn, whatever came before it",
			"interact: a client that waits for people is told by action request_handoff (setting announce_handoff)",
			"interact: actionMetadata.mid names the client's message; without it a repeat is a new message",
		},
	}
}

// partly is full for the forms a client has an item for.
func partly(rich adapter.Level) adapter.Level {
	if rich == adapter.Full {
		return adapter.Partial
	}
	return rich
}

func agentProfile(a adapter.Account, s settings) (adapter.Profile, error) {
	hosts, err := s.hosts()
	if err != nil {
		return adapter.Profile{}, err
	}
	end := adapter.Dropped
	if s.Rest {
		end = adapter.Partial
	}
	return adapter.Profile{
		Hosts: hosts,
		Endpoints: []adapter.Endpoint{{Name: "events", Method: http.MethodPost, Path: "/events", Answer: adapter.AnswerAck,
			Key: "body:/payload/convoId", Unknown: adapter.UnknownIgnore, NoKey: adapter.NoKeyIgnore,
			Dedup: "body", DedupWhile: adapter.DedupForever, MaxBody: 1 << 20, Auth: guarded(a, "body:/payload/workspaceSecret")}},
		Mask: []string{"/payload/workspaceSecret"},
		Levels: adapter.Levels{
			Content: map[string]adapter.Level{"text": adapter.Full, "media": adapter.Partial, "form_response": adapter.Full},
			Formats: []string{event.FormatMarkdown}, Typing: adapter.Dropped, Receipts: adapter.Dropped, Partials: adapter.Full,
			Transcript: adapter.Dropped, QueuePosition: adapter.Dropped, CustomerEnd: end, Push: adapter.PushSocket,
		},
		Assumptions: agentAssumptions(),
	}, nil
}

func agentAssumptions() []string {
	return []string{
		"interact: metadata.turns may hold earlier turns; those up to the customer's last are left out",
		"interact: a turn whose only chunk begins like a program's error, and that ends without metadata, is a crash",
		"interact: an object sent again with the same actionMetadata.mid is answered once",
		"interact: frames of an unknown type (turn_patch, turn_commit) hold nothing that chunk and metadata do not",
		"interact: an action, or a tool_call of a tool, named like request_handoff asks for people (setting handoff_actions)",
		"interact: one turn at a time for a conversation; what the customer says meanwhile waits for its end (setting turn_limit)",
		"interact: prompt start makes the agent greet (setting greet)",
		"rest: userId in the address is the conversation's convoId, and the body of state is {metadata:{state}}",
		"rest: appended messages of the customer are from human, a summary is from system",
		"events: message_received from agent, human_agent, live_agent, operator or team is a live agent's message at the vendor",
		"events: human-chatting that we did not set says the vendor's own people have taken the conversation",
		"events: createdAt orders the states of a conversation; an older one than the last seen is ignored",
	}
}
