package chatwoot_test

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/footbridge/footbridge/adapters/chatwoot"
	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/adaptertest"
	"github.com/footbridge/footbridge/bridge/event"
)

func TestDeskLaws(t *testing.T) {
	adaptertest.DeskLaws(t, chatwoot.Definition(), account(), newInbox)
}

func account() adapter.Account {
	return adapter.Account{Name: "desk", Role: event.RoleLiveAgent, Credentials: []string{"token"},
		Settings: []byte(`{"account_id":"1","inbox_identifier":"i","inbox_id":"3"}`)}
}

type object = map[string]any

// inbox is what Chatwoot has of one conversation.
type inbox struct {
	page     int
	messages []object
	resolved bool
	next     int
}

func newInbox(page int) adaptertest.Desk {
	b := &inbox{page: page, next: 100}
	return adaptertest.Desk{Reads: "read/", Answer: b.answer,
		Writes: func(name, text string) []adapter.Input {
			return hint(b.store(1, false, person(name), text), "outgoing")
		},
		Late: b.late,
		Else: map[string]func() []adapter.Input{
			"a note":      func() []adapter.Input { b.store(1, true, person("Sam"), "note"); return nil },
			"an activity": func() []adapter.Input { b.store(2, false, nil, "activity"); return nil },
		},
		Ends: func() []adapter.Input { b.resolved = true; return nil },
	}
}

// store puts a message into the conversation; every other one is of another
// conversation, as ids are the installation's.
func (b *inbox) store(kind int, private bool, who object, text string) int {
	b.next += 1 + b.next%2
	b.messages = append(b.messages, object{"id": b.next, "content": text, "message_type": kind, "private": private, "sender": who})
	return b.next
}

// late: an id is given before its message is stored, and every other one is free.
func (b *inbox) late(name, text string) []adapter.Input {
	b.store(1, false, person(name), text)
	n := len(b.messages) - 1
	at, m := n-2, b.messages[n]
	m["id"] = b.messages[at]["id"].(int) - 1
	b.messages = slices.Insert(b.messages[:n], at, m)
	return hint(m["id"].(int), "outgoing")
}

func person(name string) object {
	return object{"id": 7 + len(name) + int(name[0]), "name": name, "type": "user"}
}
func self() object { return object{"id": 1, "name": "Footbridge", "type": "user"} }
func ada() object  { return object{"id": 17, "name": "Ada", "type": "contact"} }

func hint(id int, kind string) []adapter.Input {
	body := fmt.Sprintf(`{"event":"message_created","id":%d,"message_type":%q,"sender":{"id":7,"type":"user"},"conversation":{"id":42}}`, id, kind)
	return []adapter.Input{adapter.Request{ID: fmt.Sprint(id), Endpoint: "webhook", Body: []byte(body)}}
}

func (b *inbox) answer(c adapter.Calling) (any, []adapter.Input) {
	switch act, _, _ := strings.Cut(c.Tag, "/"); {
	case strings.HasPrefix(c.Tag, "read/conversation"):
		return object{"id": 42, "status": map[bool]string{true: "resolved", false: "open"}[b.resolved], "meta": object{"assignee": person("Sam")}}, nil
	case strings.HasPrefix(c.Tag, "read/messages"):
		return object{"payload": b.before(c.Call.URL)}, nil
	case act == "contact":
		return object{"id": 17, "source_id": "s"}, nil
	case act == "create":
		return object{"id": 42, "messages": []any{}}, nil
	case act == "post", act == "note":
		return object{"id": b.store(1, true, self(), "note"), "message_type": 1, "sender": self()}, nil
	case act == "say":
		id := b.store(0, false, ada(), "customer")
		return object{"id": id}, hint(id, "incoming")
	}
	return object{}, nil
}

// before is a page: the newest messages, or the newest before one.
func (b *inbox) before(address string) []object {
	end := len(b.messages)
	if u, err := url.Parse(address); err == nil && u.Query().Has("before") {
		mark, _ := strconv.Atoi(u.Query().Get("before"))
		end, _ = slices.BinarySearchFunc(b.messages, mark, func(m object, n int) int { return m["id"].(int) - n })
	}
	return b.messages[max(0, end-b.page):end]
}

func FuzzWebhook(f *testing.F) {
	for _, seed := range []string{`{"event":"message_created","id":103,"message_type":"outgoing","sender":{"id":7,"type":"user"},"conversation":{"id":42}}`,
		`{"event":"conversation_typing_on","user":{"id":7,"type":"user"},"conversation":{"id":42}}`, `{"event":"conversation_updated","id":42}`, `[`, ``} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) { tried(t, adapter.Request{ID: "r", Endpoint: "webhook", Body: body}) })
}

func FuzzRead(f *testing.F) {
	for _, seed := range []string{`{"payload":[{"id":103,"content":"Hi","message_type":1,"private":false,"sender":{"id":7,"name":"Sam","type":"user"},"attachments":[{"file_type":"image","data_url":"https://x/a"}]}]}`,
		`{"payload":{"id":1e9,"content_type":"cards","content_attributes":"{\"items\":[{}]}"}}`, `{"payload":[{"id":-5},{"id":99999999999999999999}]}`, `{"id":42,"status":"resolved","meta":{"assignee":{"id":7}}}`, `[`} {
		f.Add([]byte(seed), false)
		f.Add([]byte(seed), true)
	}
	f.Fuzz(func(t *testing.T, body []byte, conversation bool) {
		tag := map[bool]string{true: "read/conversation", false: "read/messages"}[conversation]
		tried(t, adapter.Result{Tag: tag + "/h", Status: 200, Body: body})
	})
}

// tried gives any input to a leg in the middle of a read.
func tried(t *testing.T, in adapter.Input) {
	t.Helper()
	adaptertest.Harmless(t, chatwoot.Definition(), adapter.Turn{Account: account(), Input: in,
		State: []byte(`{"phase":"open","handoff":"h","source":"s","chat":"42","self":"1","reading":{"low":{"id":"100","at":100},"level":2}}`)})
}
