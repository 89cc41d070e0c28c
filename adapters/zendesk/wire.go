package zendesk

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/backend"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// How much of what Zendesk names is kept between turns, in bytes.
const (
	idLimit      = 64
	nameLimit    = 128
	addressLimit = 1024
)

// mark is the name in the metadata of what the bridge makes, so that it is known again.
const mark = "footbridge"

// api is a call of the API, as the app. A call without a body reads. What it sets is the
// same when it is set again.
func (d desk) api(method, path string, body backend.Fields) adapter.Call {
	c := backend.JSON(method, d.set.BaseURL+"/v2/apps/"+d.set.AppID+path, body)
	c.Repeat = adapter.RepeatKeyed
	c.Header.Set("Authorization", "Basic "+d.Tx.Credential(keyID)+":"+d.Tx.Credential(keySecret))
	return c
}

// there is a call at the conversation.
func (d desk) there(method, path string, body backend.Fields) adapter.Call {
	return d.api(method, "/conversations/"+url.PathEscape(d.s.Chat)+path, body)
}

// idOf is what Zendesk knows something by, or "".
func idOf(v codec.Value) string {
	if id := v.Get("id").Text(); len(id) <= idLimit {
		return id
	}
	return ""
}

// is reports whether a field has a word, in any case.
func is(v codec.Value, word string) bool { return strings.EqualFold(v.Text(), word) }

// instant is a time in milliseconds since 1970, as exact as Zendesk's are, or 0.
func instant(v codec.Value) int64 {
	at, err := time.Parse(time.RFC3339Nano, v.Text())
	if err != nil || at.Year() < 2000 || at.Year() > 3000 {
		return 0
	}
	return at.UnixMilli()
}

// has reports whether a list names a text, in any case.
func has(list []string, text string) bool {
	return slices.ContainsFunc(list, func(one string) bool { return strings.EqualFold(one, text) })
}

// held reports whether a switchboard integration is the people's, by any of its names.
func (s *settings) held(v codec.Value) bool {
	return is(v.Get("name"), s.Agents) || is(v.Get("id"), s.Agents) || is(v.Get("integrationId"), s.Agents)
}

// person reports whether an author is one of the people, and not what writes by itself.
func (s *settings) person(author codec.Value) bool {
	name := strings.TrimSpace(author.Get("displayName").Text())
	machine := slices.ContainsFunc(author.Get("subtypes").Items(), func(v codec.Value) bool { return is(v, "AI") })
	return is(author.Get("type"), "business") && !machine && (name != "" || author.Get("userId").Text() != "") && !has(s.AutomaticNames, name)
}

// actorOf is a person as the customer is to know them.
func actorOf(author codec.Value) event.Actor {
	who := event.Actor{Role: event.RoleLiveAgent, ID: codec.Within(author.Get("userId").Text(), idLimit), Name: codec.Within(strings.TrimSpace(author.Get("displayName").Text()), nameLimit)}
	if who.ID == "" {
		who.ID = who.Name
	}
	if address := author.Get("avatarUrl").Text(); strings.HasPrefix(address, "http") && len(address) <= addressLimit {
		who.Avatar = address
	}
	return who
}
