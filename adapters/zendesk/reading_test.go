package zendesk_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/footbridge/footbridge/adapters/zendesk"
	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/adaptertest"
	"github.com/footbridge/footbridge/bridge/event"
)

func TestDeskLaws(t *testing.T) {
	adaptertest.DeskLaws(t, zendesk.Definition(), account(), newWorkspace)
}

func account() adapter.Account {
	return adapter.Account{Name: "desk", Role: event.RoleLiveAgent, Credentials: []string{"key_id", "key_secret"},
		Settings: []byte(`{"subdomain":"acme","app_id":"a1"}`)}
}

type object = map[string]any

// workspace is what Zendesk has of one conversation.
type workspace struct {
	page     int
	messages []object
	released bool
}

func newWorkspace(page int) adaptertest.Desk {
	b := &workspace{page: page}
	writes := func(name, source, text string) []adapter.Input {
		_, hint := b.store("business", name, source, text, nil)
		return hint
	}
	return adaptertest.Desk{Reads: "read/", Answer: b.answer, Late: b.late, Accepts: true, Room: 32 << 10,
		Writes: func(name, text string) []adapter.Input { return writes(name, "zd:agentWorkspace", text) },
		Else: map[string]func() []adapter.Input{
			"a program writes": func() []adapter.Input { return writes("Answer Bot", "zd:answerBot", "bot") },
			"a trigger writes": func() []adapter.Input { return writes("", "zd:agentWorkspace", "survey") },
		},
		Ends: func() []adapter.Input { b.released = true; return nil },
	}
}

// store puts a message into the conversation. Zendesk's times are in milliseconds, so
// many may have the same.
func (b *workspace) store(kind, name, source, text string, metadata any) (object, []adapter.Input) {
	n := len(b.messages)
	at := time.Date(2026, 1, 5, 10, 0, 0, n/60*1e6, time.UTC).Format("2006-01-02T15:04:05.000Z")
	author := object{"type": kind}
	if name != "" {
		author["displayName"] = name
	}
	m := object{"id": fmt.Sprintf("m%05d", n), "received": at, "author": author, "source": object{"type": source},
		"content": object{"type": "text", "text": text}, "metadata": metadata}
	b.messages = append(b.messages, m)
	hint, err := json.Marshal(object{"id": fmt.Sprint("e", n), "type": "conversation:message", "payload": object{"conversation": object{"id": "c1"}, "message": m}})
	if err != nil {
		return m, nil
	}
	return m, []adapter.Input{adapter.Request{ID: fmt.Sprint("r", n), Endpoint: "webhook", Body: hint}}
}

// late puts a message before the newest two, of the same time as the one before it.
func (b *workspace) late(name, text string) []adapter.Input {
	m, hint := b.store("business", name, "zd:agentWorkspace", text, nil)
	n := len(b.messages) - 1
	at := n - 2
	m["id"], m["received"] = fmt.Sprint(b.messages[at-1]["id"], "a"), b.messages[at-1]["received"]
	b.messages = slices.Insert(b.messages[:n], at, m)
	return hint
}

func (b *workspace) answer(c adapter.Calling) (any, []adapter.Input) {
	switch act, _, _ := strings.Cut(c.Tag, "/"); {
	case strings.HasPrefix(c.Tag, "read/conversation"):
		active := map[bool]any{true: nil, false: object{"name": "zd-agentWorkspace"}}[b.released]
		return object{"conversation": object{"id": "c1", "activeSwitchboardIntegration": active}}, nil
	case strings.HasPrefix(c.Tag, "read/messages"):
		return b.list(c.Call.URL), nil
	case act == "user":
		return object{"user": object{"id": "u1"}}, nil
	case act == "create":
		return object{"conversation": object{"id": "c1"}}, nil
	case act == "post", act == "tell", act == "say":
		var body struct{ Metadata, Author object }
		_ = json.Unmarshal(c.Call.Body, &body) // a file's has none
		kind, _ := body.Author["type"].(string)
		m, hint := b.store(kind, "Footbridge", "api:conversations", "ours", body.Metadata)
		return object{"messages": []any{m}, "attachment": object{"mediaUrl": "https://media.example/1"}}, hint
	}
	return object{"attachment": object{"mediaUrl": "https://media.example/1"}}, nil
}

// list is a page: the newest messages, the newest before one, or those after one.
func (b *workspace) list(address string) any {
	u, err := url.Parse(address)
	if err != nil {
		return nil
	}
	at := func(id string) int { return slices.IndexFunc(b.messages, func(m object) bool { return m["id"] == id }) }
	to := len(b.messages)
	if before := u.Query().Get("page[before]"); before != "" {
		to = max(at(before), 0)
	}
	from := max(to-b.page, 0)
	more := from > 0
	if after := u.Query().Get("page[after]"); after != "" {
		from = at(after) + 1
		to = min(from+b.page, len(b.messages))
		more = to < len(b.messages)
	}
	return object{"messages": b.messages[from:to], "meta": object{"hasMore": more}}
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
		tried(t, "open", 2, adapter.Result{Tag: tag + "/h", Status: 200, Body: body})
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

// ran gives any input to a leg.
func ran(t *testing.T, state []byte, in adapter.Input) {
	t.Helper()
	adaptertest.Harmless(t, zendesk.Definition(), adapter.Turn{Account: account(), Input: in, State: state})
}
