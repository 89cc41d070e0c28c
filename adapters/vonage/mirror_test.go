package vonage_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/footbridge/footbridge/adapters/vonage"
	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/adaptertest"
	"github.com/footbridge/footbridge/bridge/event"
)

// side is one leg of the pair.
type side struct {
	account adapter.Account
	key     string
	state   []byte
	turns   int
	emitted []event.Event
	later   bool
	failed  []string
}

// pair is an HTTP agent's client and the HTTP agent we serve, wired to each
// other: what one sends the other hears, in order.
type pair struct {
	t             *rapid.T
	agent, client *side
	waiting       []func()
	socket        string // the agent's name of the socket both have
}

func newPair(t *rapid.T, settings string) *pair {
	return &pair{t: t,
		agent:  &side{account: account("agent", "virtual_agent", settings), key: "conversation"},
		client: &side{account: account("client", "customer", `{}`), key: "5f3c9a52-1111-4222-8333-444455556666"}}
}

func (p *pair) turn(s *side, in adapter.Input) {
	s.turns++
	out := adapter.Run(vonage.Definition(), adapter.Turn{ID: fmt.Sprint(s.account.Name, s.turns), Account: s.account, Key: s.key, Conversation: "c",
		Now: time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC), State: s.state, StateVersion: 1,
		Placeholders: map[string]string{"key": "the-key", "session_token": "the-token"}, Input: in})
	if out.Err != "" {
		p.t.Fatal(out.Err)
	}
	if !out.Unsupported {
		s.state = out.State
	}
	for _, effect := range out.Effects {
		p.effect(s, effect)
	}
}

func (p *pair) effect(s *side, effect adapter.Effect) {
	next := func(to *side, in adapter.Input) { p.waiting = append(p.waiting, func() { p.turn(to, in) }) }
	switch e := effect.(type) {
	case adapter.Emission:
		s.emitted = append(s.emitted, event.Event{Actor: e.Actor, Body: e.Body, Vendor: e.Vendor})
	case adapter.Postponed:
		s.later = true
	case adapter.Failure:
		s.failed = append(s.failed, e.Reason)
	case adapter.Calling:
		next(p.client, p.request(e))
	case adapter.Answer:
		next(p.agent, adapter.Result{Tag: e.Request, Status: e.Reply.Status, Body: e.Reply.Body})
	case adapter.Dialing:
		if !strings.HasSuffix(e.Dial.URL, "?token=the-token") {
			p.t.Fatalf("dialled %s", e.Dial.URL)
		}
		p.socket = e.Conn
		next(p.client, adapter.Opened{Conn: "served", Endpoint: "ws"})
		next(p.agent, adapter.Opened{Conn: e.Conn})
	case adapter.Sending:
		to, conn := p.client, "served"
		if s == p.client {
			to, conn = p.agent, p.socket
		}
		next(to, adapter.Frame{Conn: conn, Data: e.Data})
		if e.Tag != "" {
			next(s, adapter.Sent{Tag: e.Tag, Outcome: adapter.SentWritten})
		}
	}
}

// request is a call of the agent's as the client's leg has it.
func (p *pair) request(c adapter.Calling) adapter.Request {
	u, err := url.Parse(c.Call.URL)
	if err != nil {
		p.t.Fatal(err)
	}
	endpoint := "init"
	if u.Path != "/http/init" {
		endpoint = "step"
		if u.Path != "/http/"+p.client.key+"/step" || c.Call.Header.Get("Authorization") != "Bearer the-token" || c.Call.Header.Get("X-Vgai-Key") != "" {
			p.t.Fatalf("step at %s with %v", u.Path, c.Call.Header)
		}
	}
	return adapter.Request{ID: c.Tag, Endpoint: endpoint, Path: u.Path, Body: c.Call.Body}
}

// deliver offers an event until it is settled.
func (p *pair) deliver(s *side, id string, role event.Role, body event.Body) {
	in := adapter.Deliver{Event: event.Event{ID: id, Conversation: "c", Actor: event.Actor{Role: role}, Body: body}}
	for range 10 {
		s.later = false
		p.turn(s, in)
		for len(p.waiting) > 0 {
			next := p.waiting[0]
			p.waiting = p.waiting[1:]
			next()
		}
		if !s.later {
			return
		}
	}
	p.t.Fatalf("%s is postponed for ever", body.Kind())
}

func words(events []event.Event) []string {
	var out []string
	for _, e := range events {
		if m, ok := e.Body.(event.MessageCreated); ok {
			out = append(out, m.Content.Part.(event.Text).Text)
		}
	}
	return out
}

// TestTheTwoSidesUnderstandEachOther: init, its answer, steps and their answers,
// by request and on the socket, with any words.
func TestTheTwoSidesUnderstandEachOther(t *testing.T) {
	text := rapid.StringN(1, 80, -1)
	for _, way := range []string{"socket", "http"} {
		t.Run(way, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				p := newPair(t, `{"mode":"agent","agent_id":"a-1","greeting":"none","base_url":"https://studio.example","step":"`+way+`"}`)
				p.deliver(p.agent, "start", event.RoleSystem, event.ConversationStarted{})
				if got := p.client.emitted; len(got) != 1 || !reflect.DeepEqual(got[0].Body, event.ContextUpdated{Attributes: map[string]string{"agent_id": "a-1"}}) {
					t.Fatalf("init is %v", got)
				}
				asked := rapid.SliceOfN(text, 1, 4).Draw(t, "asked")
				var said []string
				for i, q := range asked {
					p.deliver(p.agent, fmt.Sprint("q", i), event.RoleCustomer, event.MessageCreated{Content: event.Plain(q)})
					for j, a := range rapid.SliceOfN(text, 0, 3).Draw(t, "answers") {
						p.deliver(p.client, fmt.Sprint("a", i, "-", j), event.RoleVirtualAgent, event.MessageCreated{Content: event.Plain(a)})
						said = append(said, a)
					}
					p.deliver(p.client, fmt.Sprint("done", i), event.RoleVirtualAgent, event.AnswerCompleted{})
				}
				if got := words(p.client.emitted); !slices.Equal(got, asked) {
					t.Fatalf("asked %q, heard %q", asked, got)
				}
				if got := words(p.agent.emitted); !slices.Equal(got, said) {
					t.Fatalf("said %q, heard %q", said, got)
				}
				if len(p.agent.failed)+len(p.client.failed) > 0 || len(p.agent.state) > 4<<10 || len(p.client.state) > 4<<10 {
					t.Fatalf("failed %q %q; states of %d and %d bytes", p.agent.failed, p.client.failed, len(p.agent.state), len(p.client.state))
				}
			})
		})
	}
}

func rehearsal(t *rapid.T, role, settings string) *adaptertest.Rehearsal {
	d := vonage.Definition()
	a := account("vonage", role, settings)
	a.Credentials = append(a.Credentials, "session_token")
	r, err := adaptertest.NewRehearsal(d.Manifest, d.Configure, adaptertest.InProcess(d), a)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// arrive is what a frame means.
func arrive(t *rapid.T, r *adaptertest.Rehearsal, endpoint string, frame map[string]any) []event.Event {
	data, err := json.Marshal(frame)
	if err != nil {
		t.Fatal(err)
	}
	events, err := r.Arrive(endpoint, "", data)
	if err != nil {
		t.Fatal(err)
	}
	return events
}

// depart is the frame the last of the events leaves as.
func depart(t *rapid.T, r *adaptertest.Rehearsal, events ...event.Event) map[string]any {
	out := map[string]any{}
	for _, e := range events {
		_, left, err := r.Deliver(event.Event{Actor: e.Actor, Body: e.Body, Vendor: e.Vendor})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range left {
			if err := json.Unmarshal(d.Body, &out); err != nil {
				t.Fatal(err)
			}
		}
	}
	return out
}

// frames are messages of a customer or a live agent, under that word for the type.
func frames(word string) *rapid.Generator[map[string]any] {
	return rapid.Custom(func(t *rapid.T) map[string]any {
		kind := rapid.SampledFrom([]string{"text", "image", "video", "audio", "file"}).Draw(t, "kind")
		f := map[string]any{word: kind}
		if kind == "text" {
			f["text"] = rapid.StringN(1, 60, -1).Draw(t, "text")
		} else {
			file := map[string]any{"url": "https://files.example/" + rapid.StringMatching(`[a-z0-9]{1,8}`).Draw(t, "file")}
			for _, name := range []string{"caption", "name"} {
				if text := rapid.StringN(0, 20, -1).Draw(t, name); text != "" {
					file[name] = text
				}
			}
			f[kind] = file
		}
		if rapid.Bool().Draw(t, "more") {
			f["x_future"] = map[string]any{"n": rapid.StringN(0, 9, -1).Draw(t, "n")}
		}
		return f
	})
}

// TestFramesComeBack: what AI Studio sends us we send to a desk as the same
// frame, and what a desk sends us we send to AI Studio.
func TestFramesComeBack(t *testing.T) {
	accepted := event.Event{Actor: event.Actor{Role: event.RoleLiveAgent}, Body: event.HandoffAccepted{}}
	rapid.Check(t, func(t *rapid.T) {
		studio := rehearsal(t, "virtual_agent", `{}`)
		desk := rehearsal(t, "live_agent", `{"base_url":"https://desk.example"}`)
		asked := arrive(t, studio, "start", map[string]any{"sessionId": "leg-1"})
		depart(t, studio, accepted)
		session := depart(t, desk, asked...)["sessionId"]

		in := frames("type").Draw(t, "inbound")
		in["sessionId"] = "leg-1"
		got := depart(t, desk, arrive(t, studio, "inbound", in)...)
		in["sessionId"] = session
		if !reflect.DeepEqual(got, in) {
			t.Fatalf("inbound %v became %v", in, got)
		}
		out := frames("message_type").Draw(t, "outbound")
		if got := depart(t, studio, arrive(t, desk, "outbound", out)...); !reflect.DeepEqual(got, out) {
			t.Fatalf("outbound %v became %v", out, got)
		}
	})
}

// TestAnswersComeBack: the answer to a step, in whatever it holds, is the one our
// own client is given.
func TestAnswersComeBack(t *testing.T) {
	message := rapid.Custom(func(t *rapid.T) any {
		m := map[string]any{"text": rapid.StringN(1, 60, -1).Draw(t, "text")}
		if rapid.Bool().Draw(t, "more") {
			m["delay"] = float64(rapid.IntRange(0, 99).Draw(t, "delay"))
		}
		return m
	})
	rapid.Check(t, func(t *rapid.T) {
		studio := rehearsal(t, "virtual_agent", `{"mode":"agent","agent_id":"a-1"}`)
		client := rehearsal(t, "customer", `{}`)
		arrive(t, client, "init", map[string]any{})
		arrive(t, client, "step", map[string]any{"input": "hi"})
		status := rapid.SampledFrom([]string{"AWAITING_INPUT", "ENDED"}).Draw(t, "status")
		answer := map[string]any{"messages": rapid.SliceOfN(message, 0, 4).Draw(t, "messages"), "session_status": status}
		if rapid.Bool().Draw(t, "nodes") {
			answer["nodes"] = []any{map[string]any{"name": "Collect", "status": "done"}}
		}
		if got := depart(t, client, arrive(t, studio, "ws", answer)...); !reflect.DeepEqual(got, answer) {
			t.Fatalf("%v became %v", answer, got)
		}
	})
}

// FuzzFrames gives every reader of frames any bytes.
func FuzzFrames(f *testing.F) {
	for _, seed := range []string{`{"messages":[{"text":"a"},"b",{"text":null}],"session_status":"ENDED","parameters":[{"name":"n","value":[1]}]}`,
		`{"message":{"text":"x"},"messages":{"text":"y"}}`, `[[{"text":1}],{"message":"m","connectionId":"c","requestId":"r"}]`,
		`{"action":"step","input ":7,"parameters":{"a":"b"}}`, `{"message_type":"image","image":"u"}`, `"x"`, ``, "\xff"} {
		f.Add([]byte(seed))
	}
	agent := []byte(`{"session":"s","expires":9000000000,"conn":"c","open":true}`)
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, turn := range []adapter.Turn{
			{Account: account("a", "virtual_agent", `{"mode":"agent","agent_id":"a","handoff_marker":"x","on_end":"handoff","handoff_parameter":"n"}`), State: agent, Input: adapter.Frame{Conn: "c", Data: data}},
			{Account: account("a", "virtual_agent", `{"mode":"agent","agent_id":"a"}`), State: agent, Input: adapter.Request{ID: "r", Endpoint: "start", Body: data}},
			{Account: account("c", "customer", `{}`), State: []byte(`{"conn":"c"}`), Input: adapter.Frame{Conn: "c", Data: data}},
			{Account: account("c", "customer", `{}`), Input: adapter.Request{ID: "r", Endpoint: "step", Body: data}},
		} {
			turn.ID, turn.Key, turn.StateVersion = "t", "s", 1
			out := adapter.Run(vonage.Definition(), turn)
			if strings.HasPrefix(out.Err, "panic") || len(out.State) > 4<<10 {
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
	})
}
