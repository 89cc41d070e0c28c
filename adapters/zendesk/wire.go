package zendesk

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// The limits of what is tried: a hand-off must still be in time for the next desk,
// and what a read does not bring the next one does.
const (
	openLimit = 10 * time.Second
	readLimit = 30 * time.Second
)

// How much of what Zendesk names is kept between turns, in bytes.
const (
	idLimit      = 64
	nameLimit    = 128
	addressLimit = 1024
)

// mark is the name in the metadata of what the bridge makes, so that it is known again.
const mark = "footbridge"

// fields is a JSON object to send.
type fields map[string]any

// put sets a field that has a value.
func (f fields) put(name, value string) {
	if value != "" {
		f[name] = value
	}
}

// api is a call of the API, as the app. A call without a body reads. What it sets is the
// same when it is set again.
func (d desk) api(method, path string, body fields) adapter.Call {
	c := adapter.Call{Method: method, URL: d.set.BaseURL + "/v2/apps/" + d.set.AppID + path, Repeat: adapter.RepeatKeyed,
		Header: http.Header{"Authorization": {"Basic " + d.tx.Credential(keyID) + ":" + d.tx.Credential(keySecret)}}}
	if body != nil {
		c.Body = codec.Compose(body)
		c.Header.Set("Content-Type", "application/json")
	}
	return c
}

// there is a call at the conversation.
func (d desk) there(method, path string, body fields) adapter.Call {
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
	who := event.Actor{Role: event.RoleLiveAgent, ID: within(author.Get("userId").Text(), idLimit), Name: within(strings.TrimSpace(author.Get("displayName").Text()), nameLimit)}
	if who.ID == "" {
		who.ID = who.Name
	}
	if address := author.Get("avatarUrl").Text(); strings.HasPrefix(address, "http") && len(address) <= addressLimit {
		who.Avatar = address
	}
	return who
}

// within cuts a text to so many bytes, between two characters.
func within(text string, limit int) string {
	for units := limit; len(text) > limit; units -= max(len(text)-limit, 4) / 4 {
		text, _ = codec.Cut(text, units)
	}
	return text
}
