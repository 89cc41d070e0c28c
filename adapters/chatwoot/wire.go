package chatwoot

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/backend"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// The words of message_type; reads have their numbers, webhooks the words.
const (
	typeIncoming = "incoming"
	typeOutgoing = "outgoing"
	typeActivity = "activity"
	typeTemplate = "template"
)

// person is the type of a sender who is one.
const person = "user"

// public is the address of a contact's own part of the public API.
func (d desk) public(path string) string {
	address := d.set.BaseURL + "/public/api/v1/inboxes/" + d.set.InboxIdentifier + "/contacts"
	if d.s.Source != "" && path != "" {
		address += "/" + url.PathEscape(d.s.Source) + path
	}
	return address
}

// ours is the address of the conversation at the public API.
func (d desk) ours(path string) string {
	return d.public("/conversations/" + url.PathEscape(d.s.Chat) + path)
}

// theirs is the address of the conversation at the application API.
func (d desk) theirs(path string) string {
	return d.set.BaseURL + "/api/v1/accounts/" + d.set.AccountID + "/conversations/" + url.PathEscape(d.s.Chat) + path
}

// post is a call of the public API, which knows who calls by the address.
func post(address string, body backend.Fields) adapter.Call {
	return backend.JSON(http.MethodPost, address, body)
}

// asUser is a call of the application API, in the name of the token's user.
func (d desk) asUser(method, address string, body backend.Fields) adapter.Call {
	c := backend.JSON(method, address, body)
	c.Repeat = adapter.RepeatKeyed
	c.Header.Set("Api_access_token", d.Tx.Credential(credential))
	return c
}

// kindOf is the kind of a message as a word, whichever way it is written.
func kindOf(message codec.Value) string {
	text := strings.ToLower(message.Get("message_type").Text())
	if word, ok := map[string]string{"0": typeIncoming, "1": typeOutgoing, "2": typeActivity, "3": typeTemplate}[text]; ok {
		return word
	}
	return text
}

// yes reads a truth.
func yes(v codec.Value) bool { return strings.EqualFold(v.Text(), "true") }

// isPerson reports whether a sender, user or assignee is a person who works there.
// Where nothing says what it is, otherwise counts.
func isPerson(v codec.Value, otherwise bool) bool {
	kind := v.Get("type").Text()
	if kind == "" {
		return otherwise && codec.NumberID(v.Get("id").Text()) != 0
	}
	return strings.EqualFold(kind, person) && v.Get("id").Text() != ""
}

// actorOf is a person as the customer is to know them: by the name they chose for it.
func actorOf(v codec.Value) event.Actor {
	a := event.Actor{Role: event.RoleLiveAgent, ID: v.Get("id").Text()}
	for _, field := range []string{"available_name", "name"} {
		if name := v.Get(field).Text(); a.Name == "" {
			a.Name = name
		}
	}
	for _, field := range []string{"avatar_url", "thumbnail"} {
		if address := v.Get(field).Text(); a.Avatar == "" && strings.HasPrefix(address, "http") {
			a.Avatar = address
		}
	}
	return a
}
