package libredesk_test

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/footbridge/footbridge/adapters/libredesk"
	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/adaptertest"
	"github.com/footbridge/footbridge/bridge/event"
)

func TestDeskLaws(t *testing.T) {
	adaptertest.DeskLaws(t, libredesk.Definition(), account(), newInbox)
}

func account() adapter.Account {
	return adapter.Account{Name: "desk", Role: event.RoleLiveAgent, Credentials: []string{"api_key", "api_secret", "inbox_secret"},
		Settings: []byte(`{"base_url":"https://desk.example","inbox_uuid":"8f1c3a52-5b1f-4c4e-9d3c-5f6f5b1f2a01"}`)}
}

type object = map[string]any

// inbox is what Libredesk has of one conversation.
type inbox struct {
	cap      int      // the most a page has
	messages []object // the newest first
	resolved bool
}

func newInbox(page int) adaptertest.Desk {
	b := &inbox{cap: page}
	return adaptertest.Desk{Reads: "read/", Answer: b.answer,
		Writes: func(name, text string) []adapter.Input {
			return b.hint(b.store("outgoing", "agent", name, false, text), "outgoing")
		},
		Late: b.late,
		Else: map[string]func() []adapter.Input{
			"a note":      func() []adapter.Input { b.store("outgoing", "agent", "Sam", true, "note"); return nil },
			"an activity": func() []adapter.Input { b.store("activity", "agent", "Sam", false, "activity"); return nil },
		},
		Ends: func() []adapter.Input { b.resolved = true; return nil },
	}
}

// store puts a message into the conversation.
func (b *inbox) store(kind, sender, name string, private bool, text string) object {
	n := len(b.messages) + 1
	m := object{"uuid": fmt.Sprintf("m-%d", n), "type": kind, "created_at": time.Date(2026, 1, 5, 10, 0, 0, n*10_000, time.UTC).Format("2006-01-02T15:04:05.00000Z07:00"),
		"content": text, "content_type": "html", "private": private, "sender_type": sender, "sender_id": map[string]int{"Sam": 7, "Kim": 8, "Lee": 9, "Ada": 17, "": 1}[name],
		"author": object{"first_name": name, "type": sender}}
	b.messages = slices.Insert(b.messages, 0, m)
	return m
}

// late puts a message before the newest two, a moment newer than the one before it.
func (b *inbox) late(name, text string) []adapter.Input {
	m := b.store("outgoing", "agent", name, false, text)
	m["created_at"] = strings.Replace(b.messages[3]["created_at"].(string), "Z", "1Z", 1)
	b.messages = slices.Insert(b.messages[1:], 2, m)
	return b.hint(m, "outgoing")
}

// hint tells of a message, by webhook or socket.
func (b *inbox) hint(m object, kind string) []adapter.Input {
	if len(b.messages)%3 == 0 {
		return []adapter.Input{adapter.Frame{Conn: "widget-1", Data: fmt.Appendf(nil, `{"type":"new_message","data":{"uuid":%q,"conversation_uuid":"c-1"}}`, m["uuid"])}}
	}
	return []adapter.Input{adapter.Request{ID: fmt.Sprint(m["uuid"]), Endpoint: "webhook", Body: fmt.Appendf(nil,
		`{"event":"message.created","payload":{"uuid":%q,"type":%q,"sender_id":%d,"sender_type":%q,"conversation_uuid":"c-1"}}`, m["uuid"], kind, m["sender_id"], m["sender_type"])}}
}

func (b *inbox) answer(c adapter.Calling) (any, []adapter.Input) {
	data, hints := b.data(c)
	return object{"status": "success", "data": data}, hints
}

func (b *inbox) data(c adapter.Calling) (any, []adapter.Input) {
	switch act, _, _ := strings.Cut(c.Tag, "/"); {
	case strings.HasPrefix(c.Tag, "read/conversation"):
		return object{"uuid": "c-1", "status_category": map[bool]string{true: "resolved", false: "open"}[b.resolved], "assigned_user_id": 7}, nil
	case strings.HasPrefix(c.Tag, "read/messages"):
		return b.page(c.Call.URL), nil
	case act == "init":
		return object{"conversation": object{"uuid": "c-1"}}, nil
	case act == "brief", act == "note":
		m := b.store("outgoing", "agent", "", true, "note")
		return object{"uuid": m["uuid"], "sender_id": 1}, nil
	case act == "say":
		m := b.store("incoming", "contact", "Ada", false, "customer")
		return object{"uuid": m["uuid"]}, b.hint(m, "incoming")
	}
	return object{}, nil
}

// page is a page of the messages, of no more than the server gives.
func (b *inbox) page(address string) any {
	u, err := url.Parse(address)
	if err != nil {
		return nil
	}
	number, _ := strconv.Atoi(u.Query().Get("page"))
	size, _ := strconv.Atoi(u.Query().Get("page_size"))
	size = min(size, b.cap)
	from := min((number-1)*size, len(b.messages))
	return object{"results": b.messages[from:min(from+size, len(b.messages))], "total": len(b.messages), "per_page": size, "page": number}
}

func FuzzWebhook(f *testing.F) {
	for _, seed := range []string{`{"event":"message.created","payload":{"uuid":"m-1","type":"outgoing","sender_id":7,"sender_type":"agent","conversation_uuid":"c-1"}}`,
		`{"event":"conversation.assigned","payload":{"conversation_uuid":"c-1","assigned_to":7}}`, `{"event":"conversation.created","payload":{"uuid":"c-1"}}`, `[`, ``} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, phase := range []string{"open", "gone"} {
			tried(t, phase, 0, adapter.Request{ID: "r", Endpoint: "webhook", Body: body})
		}
	})
}

func FuzzRead(f *testing.F) {
	for _, seed := range []string{`{"data":{"results":[{"uuid":"m-1","created_at":"2026-01-05T10:00:00Z","content":"<p>Hi</p>","type":"outgoing","sender_type":"agent","sender_id":7,"author":{"first_name":"Sam"},"attachments":[{"url":"/a","content_type":"image/png"}]}],"total":1,"per_page":30}}`,
		`{"data":{"results":{"uuid":1e9,"meta":"{\"is_csat\":true}"},"total":-1,"per_page":99999999999999999999}}`, `{"data":{"uuid":"c-1","status":"Resolved","assigned_user_id":7}}`, `{"data":[{"id":7,"first_name":"Sam"}]}`, `[`} {
		for i := range uint8(3) {
			f.Add([]byte(seed), i)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte, which uint8) {
		tag := []string{"read/messages", "read/conversation", "read/agents"}[which%3]
		tried(t, "open", 2, adapter.Result{Tag: tag + "/h", Status: 200, Body: body})
	})
}

func FuzzFrame(f *testing.F) {
	for _, seed := range []string{`{"type":"joined","data":{}}`, `{"type":"typing","data":{"conversation_uuid":"c-1","is_typing":true}}`,
		`{"type":"new_message","data":{"uuid":"m-1","conversation_uuid":"c-1"}}`, `{"type":"conversation_update","data":[]}`, `{"type":"error"}`, `{`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) { tried(t, "open", 0, adapter.Frame{Conn: "widget-1", Data: body}) })
}

// tried gives any input to a leg in the middle of a conversation, or of a read.
func tried(t *testing.T, phase string, level int, in adapter.Input) {
	t.Helper()
	adaptertest.Harmless(t, libredesk.Definition(), adapter.Turn{Account: account(), Input: in,
		State: fmt.Appendf(nil, `{"phase":%q,"handoff":"h","chat":"c-1","self":"1","line":{"conn":1,"up":true},"reading":{"low":{"at":100},"level":%d,"at":"1/30","assignee":"7"}}`, phase, level)})
}
