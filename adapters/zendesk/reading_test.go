package zendesk_test

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

	"github.com/footbridge/footbridge/adapters/zendesk"
	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

// workspace is what Zendesk has of one conversation, and a leg that reads it.
type workspace struct {
	t        *rapid.T
	page     int
	turns    int
	state    []byte
	messages []map[string]any
	released bool
	written  []string // by people, for the customer
	told     []string // what the leg emitted
	accepts  int
	ends     int
	open     []adapter.Calling
	hints    []adapter.Request // sent, and not come yet
}

func account() adapter.Account {
	return adapter.Account{Name: "desk", Role: event.RoleLiveAgent, Credentials: []string{"key_id", "key_secret"},
		Settings: []byte(`{"subdomain":"acme","app_id":"a1"}`)}
}

// turn gives the leg an input and keeps what comes of it.
func (b *workspace) turn(in adapter.Input) {
	b.turns++
	out := adapter.Run(zendesk.Definition(), adapter.Turn{ID: strconv.Itoa(b.turns), Account: account(), Key: "c1", Conversation: "c", State: b.state,
		StateVersion: 1, Placeholders: map[string]string{"key_id": "k", "key_secret": "s"}, Input: in})
	if out.Err != "" {
		b.t.Fatalf("%T: %s", in, out.Err)
	}
	if b.state = out.State; len(b.state) > 16<<10 {
		b.t.Fatalf("the state has %d bytes", len(b.state))
	}
	for _, effect := range out.Effects {
		switch x := effect.(type) {
		case adapter.Calling:
			if reads(x) && slices.ContainsFunc(b.open, reads) {
				b.t.Fatalf("%s while another read is open", x.Tag)
			}
			b.open = append(b.open, x)
		case adapter.Emission:
			b.hears(x)
		}
	}
}

func reads(c adapter.Calling) bool { return strings.HasPrefix(c.Tag, "read/") }

func (b *workspace) hears(e adapter.Emission) {
	switch body := e.Body.(type) {
	case event.MessageCreated:
		text, _ := body.Content.Part.(event.Text)
		b.told = append(b.told, text.Text)
	case event.HandoffAccepted:
		b.accepts++
	case event.HandbackRequested:
		b.ends++
	}
}

// store puts a message into the conversation. Zendesk's times are in milliseconds, so
// many may have the same.
func (b *workspace) store(kind, name, source, text string, metadata any) map[string]any {
	n := len(b.messages)
	at := time.Date(2026, 1, 5, 10, 0, 0, n/60*1e6, time.UTC).Format("2006-01-02T15:04:05.000Z")
	author := map[string]any{"type": kind}
	if name != "" {
		author["displayName"] = name
	}
	m := map[string]any{"id": fmt.Sprintf("m%05d", n), "received": at, "author": author, "source": map[string]any{"type": source},
		"content": map[string]any{"type": "text", "text": text}, "metadata": metadata}
	b.messages = append(b.messages, m)
	b.hints = append(b.hints, adapter.Request{ID: fmt.Sprint("r", n), Endpoint: "webhook", Body: encode(map[string]any{
		"id": fmt.Sprint("e", n), "type": "conversation:message", "payload": map[string]any{"conversation": map[string]any{"id": "c1"}, "message": m}})})
	return m
}

// writes is a person's message, whose hint is on its way.
func (b *workspace) writes() {
	text := fmt.Sprintf("w%d", len(b.written))
	b.written = append(b.written, text)
	b.store("business", "Sam", "zd:agentWorkspace", text, nil)
}

// answer ends an open call, as Zendesk would now.
func (b *workspace) answer(i int, fails string) {
	c := b.open[i]
	b.open = slices.Delete(b.open, i, i+1)
	if fails != "" && reads(c) {
		b.turn(adapter.Result{Tag: c.Tag, Reason: fails})
		return
	}
	b.turn(adapter.Result{Tag: c.Tag, Status: 200, Body: encode(b.reply(c))})
}

func (b *workspace) reply(c adapter.Calling) any {
	u, err := url.Parse(c.Call.URL)
	if err != nil {
		b.t.Fatal(err)
	}
	var body struct{ Metadata, Author map[string]any }
	_ = json.Unmarshal(c.Call.Body, &body) // a read has none
	switch act, _, _ := strings.Cut(c.Tag, "/"); {
	case c.Tag == "read/conversation":
		active := map[bool]any{true: nil, false: map[string]any{"name": "zd-agentWorkspace"}}[b.released]
		return map[string]any{"conversation": map[string]any{"id": "c1", "activeSwitchboardIntegration": active}}
	case c.Tag == "read/messages":
		return b.list(u.Query().Get("page[before]"), u.Query().Get("page[after]"))
	case act == "user":
		return map[string]any{"user": map[string]any{"id": "u1"}}
	case act == "create":
		return map[string]any{"conversation": map[string]any{"id": "c1"}}
	case act == "post", act == "tell", act == "say":
		kind, _ := body.Author["type"].(string)
		return map[string]any{"messages": []any{b.store(kind, "Footbridge", "api:conversations", "ours", body.Metadata)}}
	}
	return map[string]any{}
}

// list is a page: the newest messages, the newest before one, or those after one.
func (b *workspace) list(before, after string) any {
	list := b.messages
	at := func(id string) int {
		return slices.IndexFunc(list, func(m map[string]any) bool { return m["id"] == id })
	}
	from, to := max(len(list)-b.page, 0), len(list)
	more := from > 0
	switch {
	case before != "":
		to = max(at(before), 0)
		from = max(to-b.page, 0)
		more = from > 0
	case after != "":
		from = at(after) + 1
		to = min(from+b.page, len(list))
		more = to < len(list)
	}
	return map[string]any{"messages": list[from:to], "meta": map[string]any{"hasMore": more}}
}

func encode(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return data
}

// settle answers all that is open, and what comes of it.
func (b *workspace) settle() {
	for n := 0; len(b.open) > 0; n++ {
		if n > 2000 {
			b.t.Fatal("it never ends reading")
		}
		b.answer(0, "")
	}
}

// TestEachMessageOnceAndInOrder: whatever order hints come in, twice or never,
// however reads fail and overlap, each message of a person is told once and in
// order, nobody else's is, and the end comes after them.
func TestEachMessageOnceAndInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := &workspace{t: t, page: rapid.IntRange(5, 30).Draw(t, "page")}
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
			"the bridge asks":  func(*rapid.T) { b.turn(adapter.Reconcile{}) },
			"a program writes": func(*rapid.T) { b.store("business", "Answer Bot", "zd:answerBot", "bot", nil) },
			"a trigger writes": func(*rapid.T) { b.store("business", "", "zd:agentWorkspace", "survey", nil) },
			"": func(t *rapid.T) {
				if n := len(b.told); n > len(b.written) || !slices.Equal(b.told, b.written[:n]) {
					t.Fatalf("told %d of %d, not in order: %v", n, len(b.written), b.told[max(0, n-5):])
				}
			},
		})
		b.writes()
		b.released = true
		b.settle()
		b.turn(adapter.Reconcile{})
		b.settle()
		if !slices.Equal(b.told, b.written) || b.accepts != 1 || b.ends != 1 {
			t.Fatalf("told %d of %d, %d accepts, %d ends", len(b.told), len(b.written), b.accepts, b.ends)
		}
	})
}

func FuzzWebhook(f *testing.F) {
	for _, seed := range []string{`{"type":"conversation:message","payload":{"conversation":{"id":"c1"},"message":{"id":"m1","author":{"type":"business","displayName":"Sam"},"source":{"type":"zd:agentWorkspace"}}}}`,
		`{"type":"conversation:read","payload":{"activity":{"type":"conversation:read","author":{"type":"business"}}}}`,
		`{"type":"conversation:message:delivery:failure","payload":{"message":{"id":"s1"},"error":{"code":1}}}`,
		`{"type":"switchboard:passControl","payload":{"conversation":{"activeSwitchboardIntegration":{"name":"zd-agentWorkspace"}}}}`,
		`{"type":"user:merge","payload":{"mergedUsers":{"surviving":{"id":"u9"}},"mergedConversations":{"surviving":{"id":"c9"},"discarded":{"id":"c1"}}}}`, `[`, ``} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, phase := range []string{"open", "gone"} {
			tried(t, phase, 0, adapter.Request{ID: "r", Endpoint: "webhook", Body: body})
		}
	})
}

func FuzzRead(f *testing.F) {
	for _, seed := range []string{`{"messages":[{"id":"m1","received":"2026-01-05T10:00:00.000Z","author":{"type":"business","displayName":"Sam"},"content":{"type":"form","fields":[{"name":"n","options":{"label":"x"}}]}}],"meta":{"hasMore":true}}`,
		`{"messages":{"id":1e9,"author":{"type":"business","userId":7},"content":{"type":"location","coordinates":{"lat":"1e999","long":-0}}}}`,
		`{"messages":[{"id":"m1","author":{"type":"business","displayName":"S"},"content":{"type":"image","mediaUrl":"https://x/%zz","actions":[{"text":"a","uri":"javascript:x"}]}}]}`,
		`{"conversation":{"activeSwitchboardIntegration":null}}`, `[`} {
		f.Add([]byte(seed), false)
		f.Add([]byte(seed), true)
	}
	f.Fuzz(func(t *testing.T, body []byte, conversation bool) {
		tag := map[bool]string{true: "read/conversation", false: "read/messages"}[conversation]
		tried(t, "open", 2, adapter.Result{Tag: tag, Status: 200, Body: body})
	})
}

// FuzzAnswer: whatever a hand-off or a message is answered with, nothing breaks.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{`{"user":{"id":"u1"}}`, `{"conversation":{"id":"c1"}}`, `{"conversations":[{"id":"c1","metadata":{"footbridge":"h"}}]}`,
		`{"messages":[{"id":"m1","received":"2026-01-05T10:00:00Z"}]}`, `{"participants":[{"userId":"u2"}]}`, `{"attachment":{"mediaUrl":5}}`, `[`} {
		for i := range uint8(8) {
			f.Add([]byte(seed), i, 200)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte, which uint8, status int) {
		for _, in := range []adapter.Input{adapter.Result{Tag: "say/w", Status: status, Body: body}, adapter.Result{Tag: "who/w", Status: status, Body: body}} {
			tried(t, "open", 0, in)
		}
		step := []string{"user", "known", "profile", "create", "find", "take", "post", "pass"}[which%8]
		ran(t, fmt.Appendf(nil, `{"phase":"setting","handoff":"h","user":"u1","chat":"c1","setup":{"step":"%s/h/0","external":"x","next":[{"name":"a"}]}}`, step),
			adapter.Result{Tag: step + "/h/0", Status: status, Body: body})
	})
}

// tried gives any input to a leg in the middle of a conversation, or of a read.
func tried(t *testing.T, phase string, level int, in adapter.Input) {
	t.Helper()
	ran(t, fmt.Appendf(nil, `{"phase":%q,"handoff":"h","user":"u1","chat":"c1","own":["s1"],"saying":{"event":"w","next":[{"plain":"x"}]},"reading":{"low":{"id":"a","at":100},"level":%d}}`, phase, level), in)
}

// ran gives any input to a leg: no panic, nothing that cannot be written.
func ran(t *testing.T, state []byte, in adapter.Input) {
	t.Helper()
	out := adapter.Run(zendesk.Definition(), adapter.Turn{Key: "c1", StateVersion: 1, Account: account(), Input: in, State: state})
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
