package libredesk_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/footbridge/footbridge/adapters/libredesk"
	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

// inbox is what Libredesk has of one conversation, and a leg that reads it.
type inbox struct {
	t        *rapid.T
	cap      int // the most a page has
	turns    int
	state    []byte
	messages []map[string]any // the oldest first
	made     int
	resolved bool
	written  []string // by people, for the customer
	told     []string // what the leg emitted
	ends     int
	open     []adapter.Calling
	hints    []adapter.Input // sent, and not come yet
}

func account() adapter.Account {
	return adapter.Account{Name: "desk", Role: event.RoleLiveAgent, Credentials: []string{"api_key", "api_secret", "inbox_secret"},
		Settings: []byte(`{"base_url":"https://desk.example","inbox_uuid":"8f1c3a52-5b1f-4c4e-9d3c-5f6f5b1f2a01"}`)}
}

// turn gives the leg an input and keeps what comes of it.
func (b *inbox) turn(in adapter.Input) {
	b.turns++
	out := adapter.Run(libredesk.Definition(), adapter.Turn{ID: strconv.Itoa(b.turns), Account: account(), Key: "c-1", Conversation: "c", State: b.state,
		StateVersion: 1, Placeholders: map[string]string{"inbox_secret": "s"}, Input: in})
	if out.Err != "" {
		b.t.Fatalf("%T: %s", in, out.Err)
	}
	if b.state = out.State; len(b.state) > 16<<10 {
		b.t.Fatalf("the state has %d bytes", len(b.state))
	}
	for _, effect := range out.Effects {
		switch x := effect.(type) {
		case adapter.Calling:
			if strings.HasPrefix(x.Tag, "read/") && slices.ContainsFunc(b.open, func(o adapter.Calling) bool { return strings.HasPrefix(o.Tag, "read/") }) {
				b.t.Fatalf("%s while another read is open", x.Tag)
			}
			b.open = append(b.open, x)
		case adapter.Emission:
			b.hears(x)
		}
	}
}

func (b *inbox) hears(e adapter.Emission) {
	switch body := e.Body.(type) {
	case event.MessageCreated:
		text, _ := body.Content.Part.(event.Text)
		b.told = append(b.told, text.Text)
	case event.HandbackRequested:
		b.ends++
	}
}

// store puts a message into the conversation.
func (b *inbox) store(kind, sender string, private bool, text string) string {
	b.made++
	id := fmt.Sprintf("m-%d", b.made)
	by := map[string]int{"agent": 7, "self": 1, "contact": 17}[sender]
	if sender == "self" {
		sender = "agent"
	}
	at := time.Date(2026, 1, 5, 10, 0, 0, b.made*1000, time.UTC).Format(time.RFC3339Nano)
	b.messages = append(b.messages, map[string]any{"uuid": id, "type": kind, "created_at": at, "content": text, "content_type": "html", "private": private,
		"sender_type": sender, "sender_id": by, "author": map[string]any{"first_name": "Sam", "type": sender}})
	return id
}

// writes is a person's message, whose hint is on its way, by webhook or socket.
func (b *inbox) writes() {
	text := fmt.Sprintf("w%d", len(b.written))
	b.written = append(b.written, text)
	b.hint(b.store("outgoing", "agent", false, text), "outgoing", 7)
}

func (b *inbox) hint(id, kind string, by int) {
	if b.made%3 == 0 {
		b.hints = append(b.hints, adapter.Frame{Conn: "widget-1", Data: fmt.Appendf(nil, `{"type":"new_message","data":{"uuid":%q,"conversation_uuid":"c-1"}}`, id)})
		return
	}
	b.hints = append(b.hints, adapter.Request{ID: id, Endpoint: "webhook", Body: fmt.Appendf(nil,
		`{"event":"message.created","payload":{"uuid":%q,"type":%q,"sender_id":%d,"sender_type":"agent","conversation_uuid":"c-1"}}`, id, kind, by)})
}

// answer ends an open call, as Libredesk would now.
func (b *inbox) answer(i int, fails string) {
	c := b.open[i]
	b.open = slices.Delete(b.open, i, i+1)
	if fails != "" && strings.HasPrefix(c.Tag, "read/") {
		b.turn(adapter.Result{Tag: c.Tag, Reason: fails})
		return
	}
	b.turn(adapter.Result{Tag: c.Tag, Status: 200, Body: encode(map[string]any{"status": "success", "data": b.reply(c)})})
}

func (b *inbox) reply(c adapter.Calling) any {
	u, err := url.Parse(c.Call.URL)
	if err != nil {
		b.t.Fatal(err)
	}
	act, _, _ := strings.Cut(c.Tag, "/")
	switch {
	case c.Tag == "read/conversation":
		return map[string]any{"uuid": "c-1", "status_category": map[bool]string{true: "resolved", false: "open"}[b.resolved], "assigned_user_id": 7}
	case c.Tag == "read/messages":
		return b.page(u.Query())
	case act == "init":
		return map[string]any{"conversation": map[string]any{"uuid": "c-1"}}
	case act == "brief", act == "note":
		return map[string]any{"uuid": b.store("outgoing", "self", true, "note"), "sender_id": 1}
	case act == "say":
		id := b.store("incoming", "contact", false, "customer")
		b.hint(id, "incoming", 17)
		return map[string]any{"uuid": id}
	}
	return map[string]any{}
}

// page is a page of the messages, the newest first, of no more than the server gives.
func (b *inbox) page(q url.Values) any {
	number, _ := strconv.Atoi(q.Get("page"))
	size, _ := strconv.Atoi(q.Get("page_size"))
	size = min(size, b.cap)
	list := slices.Clone(b.messages)
	slices.Reverse(list)
	from := min((number-1)*size, len(list))
	return map[string]any{"results": list[from:min(from+size, len(list))], "total": len(list), "per_page": size, "page": number}
}

func encode(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return data
}

// settle answers all that is open, and what comes of it.
func (b *inbox) settle() {
	for n := 0; len(b.open) > 0; n++ {
		if n > 2000 {
			b.t.Fatal("it never ends reading")
		}
		b.answer(0, "")
	}
}

// TestEachMessageOnceAndInOrder: whatever order hints come in, twice or never,
// however reads fail, overlap and move, each message of a person is told once and in
// order, and the end after them.
func TestEachMessageOnceAndInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := &inbox{t: t, cap: rapid.IntRange(4, 40).Draw(t, "page")}
		b.turn(adapter.Deliver{Event: event.Event{ID: "h", Actor: event.Actor{Role: event.RoleVirtualAgent}, Body: event.HandoffRequested{Summary: "s"}}})
		b.settle()
		b.turn(adapter.Opened{Conn: "widget-1"})
		t.Repeat(map[string]func(*rapid.T){
			"people write": func(t *rapid.T) {
				for range rapid.SampledFrom([]int{1, 1, 2, 25, 60}).Draw(t, "how many") {
					b.writes()
				}
			},
			"the customer writes": func(*rapid.T) {
				if !slices.ContainsFunc(b.open, func(c adapter.Calling) bool { return strings.HasPrefix(c.Tag, "say/") }) {
					b.turn(adapter.Deliver{Event: event.Event{ID: fmt.Sprint("c", b.turns), Actor: event.Actor{Role: event.RoleCustomer}, Body: event.MessageCreated{Content: event.Plain("x")}}})
				}
			},
			"a hint comes": func(t *rapid.T) {
				if len(b.hints) > 0 {
					i := rapid.IntRange(0, len(b.hints)-1).Draw(t, "which")
					b.turn(b.hints[i])
					if rapid.Bool().Draw(t, "and no more") {
						b.hints = slices.Delete(b.hints, i, i+1)
					}
				}
			},
			"hints are lost": func(*rapid.T) { b.hints = nil },
			"a call ends": func(t *rapid.T) {
				if len(b.open) > 0 {
					fails := rapid.SampledFrom([]string{"", "", "", "", adapter.ReasonUnknown, adapter.ReasonTooLarge}).Draw(t, "fails")
					b.answer(rapid.IntRange(0, len(b.open)-1).Draw(t, "which"), fails)
				}
			},
			"the bridge asks": func(*rapid.T) { b.turn(adapter.Reconcile{}) },
			"a note":          func(*rapid.T) { b.store("outgoing", "agent", true, "note") },
			"an activity":     func(*rapid.T) { b.store("activity", "agent", false, "activity") },
			"": func(t *rapid.T) {
				if n := len(b.told); n > len(b.written) || !slices.Equal(b.told, b.written[:n]) {
					t.Fatalf("told %d of %d, not in order: %v", n, len(b.written), b.told[max(0, n-5):])
				}
			},
		})
		b.resolved = true
		b.settle()
		b.turn(adapter.Reconcile{})
		b.settle()
		if !slices.Equal(b.told, b.written) || b.ends != 1 {
			t.Fatalf("told %d of %d, and %d ends", len(b.told), len(b.written), b.ends)
		}
	})
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
		tried(t, "open", 2, adapter.Result{Tag: tag, Status: 200, Body: body})
	})
}

func FuzzFrame(f *testing.F) {
	for _, seed := range []string{`{"type":"joined","data":{}}`, `{"type":"typing","data":{"conversation_uuid":"c-1","is_typing":true}}`,
		`{"type":"new_message","data":{"uuid":"m-1","conversation_uuid":"c-1"}}`, `{"type":"conversation_update","data":[]}`, `{"type":"error"}`, `{`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) { tried(t, "open", 0, adapter.Frame{Conn: "widget-1", Data: body}) })
}

// tried gives any input to a leg in the middle of a conversation, or of a read: no
// panic, nothing that cannot be written.
func tried(t *testing.T, phase string, level int, in adapter.Input) {
	t.Helper()
	out := adapter.Run(libredesk.Definition(), adapter.Turn{Key: "c-1", StateVersion: 1, Account: account(), Input: in,
		State: fmt.Appendf(nil, `{"phase":%q,"handoff":"h","chat":"c-1","self":"1","line":{"conn":1,"up":true},"reading":{"low":{"at":100},"level":%d,"at":"1/30","assignee":"7"}}`, phase, level)})
	if strings.HasPrefix(out.Err, "panic") || len(out.State) > 16<<10 {
		t.Errorf("%s, state of %d bytes", out.Err, len(out.State))
	}
	for _, e := range out.Effects {
		if m, ok := e.(adapter.Emission); ok {
			if _, err := json.Marshal(event.Event{Body: m.Body, Actor: m.Actor, Vendor: m.Vendor}); err != nil {
				t.Errorf("an emission cannot be written: %v", err)
			}
		}
	}
}
