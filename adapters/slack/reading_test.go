package slack_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/footbridge/footbridge/adapters/slack"
	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

// thread is what Slack has of one conversation, and a leg that reads it.
type thread struct {
	t        *rapid.T
	page     int
	turns    int
	state    []byte
	messages []map[string]any
	written  []string // by people, for the customer
	told     []string // what the leg emitted
	accepts  int
	ends     int
	open     []adapter.Calling
	hints    []adapter.Request // sent, and not come yet
	next     int64
}

func account(settings string) adapter.Account {
	return adapter.Account{Name: "people", Role: event.RoleLiveAgent, Credentials: []string{"token", "signing_secret"}, Settings: []byte(settings)}
}

const plainSettings = `{"channels":["*=C0SUPPORT"]}`

// turn gives the leg an input and keeps what comes of it.
func (b *thread) turn(in adapter.Input) {
	b.turns++
	out := adapter.Run(slack.Definition(), adapter.Turn{ID: strconv.Itoa(b.turns), Account: account(plainSettings), Key: "c", Conversation: "c", State: b.state,
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
			if slices.ContainsFunc(b.open, func(o adapter.Calling) bool { return o.Tag == x.Tag }) {
				b.t.Fatalf("%s is asked for while it is open", x.Tag)
			}
			b.open = append(b.open, x)
		case adapter.Emission:
			b.hears(x)
		}
	}
}

func (b *thread) hears(e adapter.Emission) {
	switch body := e.Body.(type) {
	case event.MessageCreated:
		text, _ := body.Content.Part.(event.Text)
		b.told = append(b.told, text.Text+" by "+e.Actor.Name)
	case event.HandoffAccepted:
		b.accepts++
	case event.HandbackRequested, event.HandoffFailed:
		b.ends++
	}
}

func ts(n int64) string { return fmt.Sprintf("1780000000.%06d", n) }

// store puts a message into the thread.
func (b *thread) store(m map[string]any) string {
	b.next += 10
	m["type"], m["ts"], m["thread_ts"] = "message", ts(b.next), ts(0)
	b.messages = append(b.messages, m)
	return ts(b.next)
}

// writes is a person's message, whose hint is on its way.
func (b *thread) writes(who string) {
	text := fmt.Sprintf("w%d", len(b.written))
	b.written = append(b.written, text+" by "+strings.ToLower(who[2:]))
	at := b.store(map[string]any{"user": who, "text": text})
	body := fmt.Sprintf(`{"type":"event_callback","event":{"type":"message","channel":"C0SUPPORT","user":%q,"text":"x","ts":%q,"thread_ts":%q}}`, who, at, ts(0))
	b.hints = append(b.hints, adapter.Request{ID: at, Endpoint: "events", Body: []byte(body)})
}

func (b *thread) presses(action, who string) {
	b.next += 10
	body := fmt.Sprintf(`{"type":"block_actions","user":{"id":%q},"container":{"message_ts":%q},"actions":[{"action_id":"footbridge_%s","action_ts":%q}]}`, who, ts(0), action, ts(b.next))
	b.turn(adapter.Request{ID: "p" + strconv.Itoa(b.turns), Endpoint: "actions", Body: []byte(body)})
}

// answer ends an open call, as Slack would now.
func (b *thread) answer(i int, fails bool) {
	c := b.open[i]
	b.open = slices.Delete(b.open, i, i+1)
	switch {
	case fails && strings.HasPrefix(c.Tag, "read/"):
		b.turn(adapter.Result{Tag: c.Tag, Reason: adapter.ReasonUnknown})
	case strings.HasPrefix(c.Tag, "read/"):
		b.turn(adapter.Result{Tag: c.Tag, Status: 200, Body: b.replies(c)})
	case strings.HasPrefix(c.Tag, "who/"):
		id := c.Tag[len("who/"):]
		b.turn(adapter.Result{Tag: c.Tag, Status: 200, Body: encode(map[string]any{"ok": true, "user": map[string]any{"id": id, "name": strings.ToLower(id[2:])}})})
	default:
		b.turn(adapter.Result{Tag: c.Tag, Status: 200, Body: []byte(`{"ok":true,"ts":"` + ts(0) + `"}`)})
	}
}

// replies is a page of the thread after a mark, its head before it.
func (b *thread) replies(c adapter.Calling) []byte {
	u, err := url.Parse(c.Call.URL)
	if err != nil {
		b.t.Fatal(err)
	}
	after := max(u.Query().Get("oldest"), u.Query().Get("cursor"))
	page, body := []map[string]any{{"type": "message", "ts": ts(0), "thread_ts": ts(0), "bot_id": "B1", "text": "head"}}, map[string]any{"ok": true}
	for _, m := range b.messages {
		if m["ts"].(string) <= after {
			continue
		}
		if len(page) > b.page {
			body["has_more"], body["response_metadata"] = true, map[string]any{"next_cursor": page[b.page]["ts"]}
			break
		}
		page = append(page, m)
	}
	body["messages"] = page
	return encode(body)
}

func encode(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return data
}

// settle answers all that is open, and what comes of it.
func (b *thread) settle() {
	for n := 0; len(b.open) > 0; n++ {
		if n > 2000 {
			b.t.Fatal("it never ends reading")
		}
		b.answer(0, false)
	}
}

// moves are what may happen at any time.
func (b *thread) moves() map[string]func(*rapid.T) {
	people := rapid.SampledFrom([]string{"U0SAM", "U0KIM", "U0LEE"})
	return map[string]func(*rapid.T){
		"people write": func(t *rapid.T) {
			for range rapid.SampledFrom([]int{1, 1, 2, 25, 60}).Draw(t, "how many") {
				b.writes(people.Draw(t, "who"))
			}
		},
		"somebody claims": func(t *rapid.T) { b.presses("claim", people.Draw(t, "who")) },
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
		"the bridge asks":   func(*rapid.T) { b.turn(adapter.Reconcile{}) },
		"a note":            func(*rapid.T) { b.store(map[string]any{"user": "U0SAM", "text": "//note"}) },
		"the bridge writes": func(*rapid.T) { b.store(map[string]any{"user": "U0BOT", "bot_id": "B1", "text": "echo"}) },
		"somebody joins":    func(*rapid.T) { b.store(map[string]any{"user": "U0LEE", "subtype": "channel_join", "text": "joins"}) },
	}
}

// TestEachMessageOnceAndInOrder: whatever order hints and presses come in, twice or
// never, however reads fail and overlap, each message of a person is told once, in
// order and under their name, it is accepted once, and the end comes once and after
// what was written before it.
func TestEachMessageOnceAndInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := &thread{t: t, page: rapid.IntRange(1, 30).Draw(t, "page")}
		b.turn(adapter.Deliver{Event: event.Event{ID: "h", Actor: event.Actor{Role: event.RoleVirtualAgent}, Body: event.HandoffRequested{Summary: "s"}}})
		b.settle()
		moves := maps.Clone(b.moves())
		moves[""] = func(t *rapid.T) {
			if n := len(b.told); n > len(b.written) || !slices.Equal(b.told, b.written[:n]) {
				t.Fatalf("told %d of %d, not in order", n, len(b.written))
			}
		}
		t.Repeat(moves)
		b.writes("U0SAM")
		before := len(b.written)
		b.presses("hand_back", "U0SAM")
		b.writes("U0KIM")
		b.presses("hand_back", "U0KIM")
		b.settle()
		b.turn(adapter.Fired{Timer: "look"}) // where a read had failed
		b.settle()
		if !slices.Equal(b.told, b.written[:before]) || b.ends != 1 || b.accepts != 1 {
			t.Fatalf("told %d of %d, accepted %d times, and %d ends", len(b.told), before, b.accepts, b.ends)
		}
	})
}

// TestPagesAreOfOneQuestion: a cursor is good for the question it came from only, so
// all pages are asked for alike, however much was read meanwhile.
func TestPagesAreOfOneQuestion(t *testing.T) {
	var messages []any
	for n := range 60 {
		messages = append(messages, map[string]any{"type": "message", "user": "U0KIM", "text": "x", "ts": ts(int64(50 + n))})
	}
	body := encode(map[string]any{"ok": true, "messages": messages, "response_metadata": map[string]any{"next_cursor": "abc"}})
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

// tried gives any input to a leg in the middle of a read: no panic, nothing that
// cannot be written.
func tried(t *testing.T, in adapter.Input) {
	t.Helper()
	out := adapter.Run(slack.Definition(), adapter.Turn{Key: "c", StateVersion: 1, Account: account(plainSettings), Input: in,
		State: []byte(`{"phase":"open","handoff":"h","channel":"C0SUPPORT","chat":"1780000000.000100","asking":"U0SAM","people":[{"role":"live_agent","id":"U0KIM","name":"Kim"}],"reading":{"low":{"id":"1780000000.000100","at":1780000000000100},"level":1}}`)})
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
