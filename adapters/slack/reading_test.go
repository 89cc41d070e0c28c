package slack_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/footbridge/footbridge/adapters/slack"
	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/adaptertest"
	"github.com/footbridge/footbridge/bridge/event"
)

func TestDeskLaws(t *testing.T) {
	adaptertest.DeskLaws(t, slack.Definition(), account(plainSettings), newThread)
}

func account(settings string) adapter.Account {
	return adapter.Account{Name: "people", Role: event.RoleLiveAgent, Credentials: []string{"token", "signing_secret"}, Settings: []byte(settings)}
}

const plainSettings = `{"channels":["*=C0SUPPORT"]}`

type object = map[string]any

// thread is what Slack has of one conversation.
type thread struct {
	page     int
	messages []object
	next     int64
}

func newThread(page int) adaptertest.Desk {
	b := &thread{page: page}
	store := func(m object) func() []adapter.Input {
		return func() []adapter.Input { b.store(maps.Clone(m)); return nil }
	}
	return adaptertest.Desk{Reads: "read/", Answer: b.answer, Writes: b.writes, Ends: b.ends, Late: b.late, Accepts: true, Room: 16 << 10,
		Else: map[string]func() []adapter.Input{
			"somebody claims":   func() []adapter.Input { return b.presses("claim", "Kim") },
			"a note":            store(object{"user": "U0SAM", "text": "//note"}),
			"the bridge writes": store(object{"user": "U0BOT", "bot_id": "B1", "text": "echo"}),
			"somebody joins":    store(object{"user": "U0LEE", "subtype": "channel_join", "text": "joins"}),
		},
	}
}

func ts(n int64) string { return fmt.Sprintf("1780000000.%06d", n) }

func user(name string) string { return "U0" + strings.ToUpper(name) }

// store puts a message into the thread.
func (b *thread) store(m object) string {
	b.next += 10
	m["type"], m["ts"], m["thread_ts"] = "message", ts(b.next), ts(0)
	b.messages = append(b.messages, m)
	return ts(b.next)
}

func (b *thread) writes(name, text string) []adapter.Input {
	at := b.store(object{"user": user(name), "text": text})
	body := fmt.Sprintf(`{"type":"event_callback","event":{"type":"message","channel":"C0SUPPORT","user":%q,"text":"x","ts":%q,"thread_ts":%q}}`, user(name), at, ts(0))
	return []adapter.Input{adapter.Request{ID: at, Endpoint: "events", Body: []byte(body)}}
}

// late puts a message before the newest two.
func (b *thread) late(name, text string) []adapter.Input {
	hint, n := b.writes(name, text), len(b.messages)-1
	at, m := n-2, b.messages[n]
	m["ts"] = strings.TrimSuffix(b.messages[at]["ts"].(string), "0") + "1"
	b.messages = slices.Insert(b.messages[:n], at, m)
	return hint
}

func (b *thread) presses(action, name string) []adapter.Input {
	b.next += 10
	body := fmt.Sprintf(`{"type":"block_actions","user":{"id":%q},"container":{"message_ts":%q},"actions":[{"action_id":"footbridge_%s","action_ts":%q}]}`, user(name), ts(0), action, ts(b.next))
	return []adapter.Input{adapter.Request{ID: "p" + ts(b.next), Endpoint: "actions", Body: []byte(body)}}
}

// ends: two people hand it back, and what is written between is too late.
func (b *thread) ends() []adapter.Input {
	return slices.Concat(b.presses("hand_back", "Sam"), b.writes("Kim", "too late"), b.presses("hand_back", "Kim"))
}

func (b *thread) answer(c adapter.Calling) (any, []adapter.Input) {
	act, of, _ := strings.Cut(c.Tag, "/")
	switch act {
	case "read":
		return b.replies(c.Call.URL), nil
	case "who":
		name := map[string]string{"U0SAM": "Sam", "U0KIM": "Kim", "U0LEE": "Lee"}[of]
		return object{"ok": true, "user": object{"id": of, "name": name}}, nil
	case "say":
		return object{"ok": true, "ts": b.store(object{"user": "U0BOT", "bot_id": "B1", "text": "customer"})}, nil
	}
	return object{"ok": true, "ts": ts(0)}, nil
}

// replies is a page of the thread after a mark, its head before it.
func (b *thread) replies(address string) object {
	u, err := url.Parse(address)
	if err != nil {
		return nil
	}
	after := max(u.Query().Get("oldest"), u.Query().Get("cursor"))
	page, body := []object{{"type": "message", "ts": ts(0), "thread_ts": ts(0), "bot_id": "B1", "text": "head"}}, object{"ok": true}
	for _, m := range b.messages {
		if m["ts"].(string) <= after {
			continue
		}
		if len(page) > b.page {
			body["has_more"], body["response_metadata"] = true, object{"next_cursor": page[b.page]["ts"]}
			break
		}
		page = append(page, m)
	}
	body["messages"] = page
	return body
}

func encode(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return data
}

// TestPagesAreOfOneQuestion: a cursor is good for the question it came from only, so
// all pages are asked for alike, however much was read meanwhile.
func TestPagesAreOfOneQuestion(t *testing.T) {
	var messages []any
	for n := range 60 {
		messages = append(messages, object{"type": "message", "user": "U0KIM", "text": "x", "ts": ts(int64(50 + n))})
	}
	body := encode(object{"ok": true, "messages": messages, "response_metadata": object{"next_cursor": "abc"}})
	state := []byte(`{"phase":"open","handoff":"h","channel":"C0SUPPORT","chat":"1780000000.000000","taken":true,"people":[{"role":"live_agent","id":"U0KIM","name":"Kim"}],"reading":{"low":{"id":"1780000000.000000","at":1780000000000000}}}`)
	var asked []string
	for _, in := range []adapter.Input{adapter.Reconcile{}, adapter.Result{Tag: "read/h", Status: 200, Body: body}} {
		out := adapter.Run(slack.Definition(), adapter.Turn{Key: "c", StateVersion: 1, Account: account(plainSettings), Input: in, Placeholders: map[string]string{"token": "t"}, State: state})
		state = out.State
		for _, effect := range out.Effects {
			if c, ok := effect.(adapter.Calling); ok {
				asked = append(asked, strings.ReplaceAll(c.Call.URL, "cursor=abc&", ""))
			}
		}
	}
	if len(asked) != 2 || asked[0] != asked[1] {
		t.Errorf("asked for %q", asked)
	}
}

func FuzzEvent(f *testing.F) {
	for _, seed := range []string{`{"event":{"type":"message","channel":"C0SUPPORT","user":"U0SAM","ts":"1780000001.0","thread_ts":"1780000000.000100"}}`,
		`{"event":{"type":"message","subtype":"message_changed","channel":"C0SUPPORT","message":{"user":"U0SAM","thread_ts":"9","edited":{"ts":"x"}}}}`, `[`, ``} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) { tried(t, adapter.Request{ID: "r", Endpoint: "events", Body: body}) })
}

func FuzzPress(f *testing.F) {
	for _, seed := range []string{`{"type":"block_actions","user":{"id":"U0SAM","name":"sam"},"container":{"message_ts":"1780000000.000100"},"actions":[{"action_id":"footbridge_close","action_ts":"1"}]}`,
		`{"type":"block_actions","actions":{"action_id":"footbridge_claim"}}`, `{"type":"view_submission"}`, `{`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) { tried(t, adapter.Request{ID: "r", Endpoint: "actions", Body: body}) })
}

func FuzzRead(f *testing.F) {
	for _, seed := range []string{`{"ok":true,"messages":[{"user":"U0SAM","ts":"1780000001.000100","text":"*Hi* <https://x|y> &amp; :wave:","files":[{"url_private":"https://files.slack.com/a","mimetype":"image/png","size":1}]}]}`,
		`{"ok":true,"messages":[{"user":"U0SAM","ts":"-1.5"},{"user":"U0SAM","ts":"99999999999999999999.9","edited":{"ts":"1e9"}}],"response_metadata":{"next_cursor":"c"}}`,
		`{"ok":false,"error":"missing_scope"}`, `[`} {
		f.Add([]byte(seed), "read/h")
	}
	f.Add([]byte(`{"ok":true,"user":{"profile":{"display_name":"Sam"}}}`), "who/U0SAM")
	f.Fuzz(func(t *testing.T, body []byte, tag string) {
		tried(t, adapter.Result{Tag: tag, Status: 200, Body: body})
	})
}

// tried gives any input to a leg in the middle of a read.
func tried(t *testing.T, in adapter.Input) {
	t.Helper()
	adaptertest.Harmless(t, slack.Definition(), adapter.Turn{Account: account(plainSettings), Input: in,
		State: []byte(`{"phase":"open","handoff":"h","channel":"C0SUPPORT","chat":"1780000000.000100","asking":"U0SAM","people":[{"role":"live_agent","id":"U0KIM","name":"Kim"}],"reading":{"low":{"id":"1780000000.000100","at":1780000000000100},"level":1}}`)})
}
