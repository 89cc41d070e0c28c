package libredesk

import (
	"cmp"
	"net/url"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/backend"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// How much of what Libredesk names is kept between turns, in bytes.
const (
	idLimit      = 128
	nameLimit    = 128
	addressLimit = 1024
)

// widget is a call of the widget API, as the contact. A call without a body reads.
func (d desk) widget(method, path string, body backend.Fields) adapter.Call {
	c := d.json(method, "/api/v1/widget"+path, body)
	c.Header.Set("X-Libredesk-Inbox-Id", d.set.InboxUUID)
	if path != exchangePath {
		c.Header.Set("Authorization", "Bearer "+d.Tx.Credential(session))
	}
	return c
}

// ours is the path of the conversation at the widget API.
func (d desk) ours(path string) string {
	return "/chat/conversations/" + url.PathEscape(d.s.Chat) + path
}

// agent is a call of the agent API, as the key's agent. What it sets is the same when
// it is set again.
func (d desk) agent(method, path string, body backend.Fields) adapter.Call {
	c := d.json(method, "/api/v1"+path, body)
	c.Header.Set("Authorization", "token "+d.Tx.Credential(credentialKey)+":"+d.Tx.Credential(credentialSecret))
	c.Repeat = adapter.RepeatKeyed
	return c
}

// theirs is the path of the conversation at the agent API.
func (d desk) theirs(path string) string {
	return "/conversations/" + url.PathEscape(d.s.Chat) + path
}

func (d desk) json(method, path string, body backend.Fields) adapter.Call {
	return backend.JSON(method, d.set.BaseURL+path, body)
}

// dataOf is what an answer says: all of them are {"status","data"}.
func dataOf(r adapter.Result) (codec.Value, bool) {
	v, err := codec.Lenient(r.Body)
	return v.Get("data"), err == nil && r.OK()
}

// is reports whether a field has a word, in any case.
func is(v codec.Value, word string) bool { return strings.EqualFold(v.Text(), word) }

// uuidOf is what Libredesk knows a conversation or message by, or "".
func uuidOf(v codec.Value) string {
	if id := v.Get("uuid").Text(); len(id) <= idLimit {
		return id
	}
	return ""
}

// instant is a time in microseconds since 1970, as exact as Libredesk's are, or 0.
func instant(v codec.Value) int64 {
	at, err := time.Parse(time.RFC3339Nano, v.Text())
	if err != nil || at.Year() < 2000 || at.Year() > 3000 {
		return 0
	}
	return at.UnixMicro()
}

// address is a place Libredesk names, which may be one of its own without its host.
func (s *settings) address(text string) string {
	base, err := url.Parse(s.BaseURL + "/")
	if err != nil || text == "" {
		return ""
	}
	u, err := base.Parse(text)
	if err != nil {
		return ""
	}
	return codec.WebAddress(u.String())
}

// actorOf is a person as the customer is to know them.
func (s *settings) actorOf(id string, v codec.Value) event.Actor {
	name := strings.TrimSpace(v.Get("first_name").Text() + " " + v.Get("last_name").Text())
	who := event.Actor{Role: event.RoleLiveAgent, ID: codec.Within(cmp.Or(id, v.Get("id").Text()), idLimit), Name: codec.Within(name, nameLimit)}
	if address := s.address(v.Get("avatar_url").Text()); len(address) <= addressLimit {
		who.Avatar = address
	}
	return who
}
