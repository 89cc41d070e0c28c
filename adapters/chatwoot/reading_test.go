package chatwoot_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/footbridge/footbridge/adapters/chatwoot"
	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

// inbox is what Chatwoot has of one conversation, and a leg that reads it.
type inbox struct {
	t        *rapid.T
	page     int
	turns    int
	state    []byte
	messages []map[string]any
	resolved bool
	written  []string // by people, for the customer
	told     []string // what the leg emitted
	ends     int
	open     []adapter.Calling
	hints    []adapter.Request // sent, and not come yet
	next     int
}

func account() adapter.Account {
	return adapter.Account{Name: "desk", Role: event.RoleLiveAgent, Credentials: []string{"token"},
		Settings: []byte(`{"account_id":"1","inbox_identifier":"i","inbox_id":"3"}`)}
}

// turn gives the leg an input and keeps what comes of it.
func (b *inbox) turn(in adapter.Input) {
	b.turns++
	out := adapter.Run(chatwoot.Definition(), adapter.Turn{ID: strconv.Itoa(b.turns), Account: account(), Key: "42", Conversation: "c", State: b.state,
		StateVersion: 1, Placeholders: map[string]string{"token": "t"}, Input: in})
	if out.Err != "" {
		b.t.Fatalf("%T: %s", in, out.Err)
	}
	if b.state = out.State; len(b.state) > 16<<10 {
		b.t.Fatalf("the state has %d bytes", len(b.state))
	}
	for _, effect := range out.Effects {
		switch x := effect.(type) {
		case adapter.Calling:
			b.asks(x)
		case adapter.Emission:
			b.hears(x)
		}
	}
}

func (b *inbox) asks(c adapter.Calling) {
	if strings.HasPrefix(c.Tag, "read/") && slices.ContainsFunc(b.open, func(o adapter.Calling) bool { return strings.HasPrefix(o.Tag, "read/") }) {
		b.t.Fatalf("%s while another read is open", c.Tag)
	}
	b.open = append(b.open, c)
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

// store puts a message into the conversation; every other one is of another
// conversation, as ids are the installation's.
func (b *inbox) store(kind int, private bool, who map[string]any, text string) int {
	b.next += 1 + b.next%2
	b.messages = append(b.messages, map[string]any{"id": b.next, "content": text, "message_type": kind, "private": private, "sender": who})
	return b.next
}

func sam() map[string]any  { return map[string]any{"id": 7, "name": "Sam", "type": "user"} }
func self() map[string]any { return map[string]any{"id": 1, "name": "Footbridge", "type": "user"} }
func ada() map[string]any  { return map[string]any{"id": 17, "name": "Ada", "type": "contact"} }

// writes is a person's message, whose hint is on its way.
func (b *inbox) writes() {
	text := fmt.Sprintf("w%d", len(b.written))
	b.written = append(b.written, text)
	b.hint(b.store(1, false, sam(), text), "outgoing")
}

func (b *inbox) hint(id int, kind string) {
	body := fmt.Sprintf(`{"event":"message_created","id":%d,"message_type":%q,"sender":{"id":7,"type":"user"},"conversation":{"id":42}}`, id, kind)
	b.hints = append(b.hints, adapter.Request{ID: fmt.Sprint(b.next), Endpoint: "webhook", Body: []byte(body)})
}

// answer ends an open call, as Chatwoot would now.
func (b *inbox) answer(i int, fails bool) {
	c := b.open[i]
	b.open = slices.Delete(b.open, i, i+1)
	if fails && strings.HasPrefix(c.Tag, "read/") {
		b.turn(adapter.Result{Tag: c.Tag, Reason: adapter.ReasonUnknown})
		return
	}
	b.turn(adapter.Result{Tag: c.Tag, Status: 200, Body: b.reply(c)})
}

func (b *inbox) reply(c adapter.Calling) []byte {
	u, err := url.Parse(c.Call.URL)
	if err != nil {
		b.t.Fatal(err)
	}
	act, _, _ := strings.Cut(c.Tag, "/")
	switch {
	case c.Tag == "read/conversation":
		return encode(map[string]any{"id": 42, "status": map[bool]string{true: "resolved", false: "open"}[b.resolved], "meta": map[string]any{"assignee": sam()}})
	case c.Tag == "read/messages":
		return encode(map[string]any{"payload": b.before(u.Query().Get("before"))})
	case act == "contact":
		return []byte(`{"id":17,"source_id":"s"}`)
	case act == "create":
		return []byte(`{"id":42,"messages":[]}`)
	case act == "post", act == "note":
		return encode(map[string]any{"id": b.store(1, true, self(), "note"), "message_type": 1, "sender": self()})
	case act == "say":
		id := b.store(0, false, ada(), "customer")
		b.hint(id, "incoming")
		return encode(map[string]any{"id": id})
	}
	return []byte(`{}`)
}

// before is a page: the newest messages, or the newest before one.
func (b *inbox) before(mark string) []map[string]any {
	end := len(b.messages)
	if n, err := strconv.Atoi(mark); err == nil {
		end, _ = slices.BinarySearchFunc(b.messages, n, func(m map[string]any, n int) int { return m["id"].(int) - n })
	}
	return b.messages[max(0, end-b.page):end]
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
		b.answer(0, false)
	}
}

// TestEachMessageOnceAndInOrder: whatever order hints come in, twice or never,
// however reads fail and overlap, each message of a person is told once and in
// order, and the end after them.
func TestEachMessageOnceAndInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := &inbox{t: t, page: rapid.IntRange(5, 30).Draw(t, "page"), next: 100}
		b.turn(adapter.Deliver{Event: event.Event{ID: "h", Actor: event.Actor{Role: event.RoleVirtualAgent}, Body: event.HandoffRequested{Summary: "s"}}})
		b.settle()
		t.Repeat(map[string]func(*rapid.T){
			"people write": func(t *rapid.T) {
				for range rapid.SampledFrom([]int{1, 1, 2, 25, 60}).Draw(t, "how many") {
					b.writes()
				}
			},
			"the customer writes": func(*rapid.T) {
				if !slices.ContainsFunc(b.open, func(c adapter.Calling) bool { return strings.HasPrefix(c.Tag, "say/") }) {
					b.turn(adapter.Deliver{Event: event.Event{ID: fmt.Sprint("m", b.turns), Actor: event.Actor{Role: event.RoleCustomer}, Body: event.MessageCreated{Content: event.Plain("x")}}})
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
					b.answer(rapid.IntRange(0, len(b.open)-1).Draw(t, "which"), rapid.IntRange(0, 5).Draw(t, "fails") == 0)
				}
			},
			"the bridge asks": func(*rapid.T) { b.turn(adapter.Reconcile{}) },
			"a note":          func(*rapid.T) { b.store(1, true, sam(), "note") },
			"an activity":     func(*rapid.T) { b.store(2, false, nil, "activity") },
			"": func(t *rapid.T) {
				if n := len(b.told); n > len(b.written) || !slices.Equal(b.told, b.written[:n]) {
					t.Fatalf("told %d of %d, not in order", n, len(b.written))
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
		tried(t, adapter.Result{Tag: tag, Status: 200, Body: body})
	})
}

// tried gives any input to a leg in the middle of a read: no panic, nothing that
// cannot be written.
func tried(t *testing.T, in adapter.Input) {
	t.Helper()
	out := adapter.Run(chatwoot.Definition(), adapter.Turn{Key: "42", StateVersion: 1, Account: account(), Input: in,
		State: []byte(`{"phase":"open","handoff":"h","source":"s","chat":"42","self":"1","reading":{"low":{"id":"100","at":100},"level":2}}`)})
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
