package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/conversation"
	"github.com/footbridge/footbridge/bridge/internal/credential"
	"github.com/footbridge/footbridge/bridge/internal/engine"
	"github.com/footbridge/footbridge/bridge/internal/journal"
	"github.com/footbridge/footbridge/bridge/internal/journal/sqlite"
)

// front is a small virtual agent's platform that holds the customer: it asks for
// an agent, passes the customer's words on and is called for the agent's.
type frontState struct {
	Held string `json:"held,omitempty"`
}

func front() adapter.Definition {
	return adapter.Definition{
		Manifest: adapter.Manifest{Name: "front", StateVersion: 1},
		Adapter: adapter.Func(func(tx *adapter.Tx, s *frontState, in adapter.Input) error {
			switch in := in.(type) {
			case adapter.Request:
				return frontRequest(tx, s, in)
			case adapter.Deliver:
				frontDeliver(tx, s, in.Event)
			case adapter.Result:
				if in.Tag == "disconnect" && in.OK() {
					tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleVirtualAgent}, Body: event.HandbackCompleted{}})
				}
				if !in.OK() {
					tx.Fail(fmt.Sprintf("status %d %s", in.Status, in.Reason))
				}
			case adapter.Expired:
				s.Held = ""
				tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleVirtualAgent}, Body: event.HandoffCancelled{Reason: "gone"}})
			}
			return nil
		}),
	}
}

func frontRequest(tx *adapter.Tx, s *frontState, in adapter.Request) error {
	var body struct{ Text string }
	if err := json.Unmarshal(in.Body, &body); err != nil {
		return err
	}
	if body.Text == "poison" {
		return fmt.Errorf("cannot read this")
	}
	if in.Endpoint == "start" {
		s.Held = in.ID
		tx.Hold(in.ID)
		tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleVirtualAgent}, Body: asked(body.Text)})
		return nil
	}
	tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleCustomer, ID: "c"}, Body: event.MessageCreated{Content: event.Plain(body.Text)}})
	return nil
}

// asked is the request for people of a start: "start", or with facts behind it
// such as "start queue=sales plan=gold".
func asked(text string) event.HandoffRequested {
	h := event.HandoffRequested{Reason: "asked"}
	for _, fact := range strings.Fields(text)[1:] {
		name, value, _ := strings.Cut(fact, "=")
		if name == "queue" {
			h.Routing.Queue = value
			continue
		}
		h.Context = map[string]string{name: value}
	}
	return h
}

func frontDeliver(tx *adapter.Tx, s *frontState, e event.Event) {
	switch body := e.Body.(type) {
	case event.HandoffQueued, event.HandoffAccepted:
		if s.Held != "" {
			tx.Reply(s.Held, adapter.Reply{Status: 200})
			s.Held = ""
		}
	case event.HandoffFailed:
		if s.Held != "" {
			tx.Reply(s.Held, adapter.Reply{Status: 503})
			s.Held = ""
		}
	case event.MessageCreated:
		if text, ok := body.Content.Part.(event.Text); ok {
			tx.Call("out-"+e.ID, adapter.Call{Method: "POST", URL: "http://vendor/out", Body: []byte(text.Text)})
		}
	case event.HandbackRequested:
		tx.Call("disconnect", adapter.Call{Method: "POST", URL: "http://vendor/disconnect"})
	}
}

// turner runs definitions in process; broken adapters can be told to die.
type turner struct {
	mu   sync.Mutex
	defs map[string]adapter.Definition
	die  int
}

func (t *turner) Turn(_ context.Context, name string, turn adapter.Turn) (adapter.Outcome, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.die > 0 {
		t.die--
		return adapter.Outcome{}, fmt.Errorf("process died")
	}
	return adapter.Run(t.defs[name], turn), nil
}

// vendor records the calls made and answers as told.
type vendor struct {
	mu      sync.Mutex
	calls   []string
	answers []engine.Attempt
}

func (v *vendor) Call(_ context.Context, account, _ string, _ map[string]string, c adapter.Call) engine.Attempt {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.calls = append(v.calls, account+" "+c.URL+" "+string(c.Body))
	if len(v.answers) > 0 {
		a := v.answers[0]
		v.answers = v.answers[1:]
		return a
	}
	return engine.Attempt{Status: 200}
}

func (v *vendor) made() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append([]string(nil), v.calls...)
}

type desk struct{ refusal string }

func (d *desk) Refusal(string, string) string { return d.refusal }
func (d *desk) Placeholders(_, _ string, tokens []string) map[string]string {
	out := map[string]string{}
	for _, name := range tokens {
		out[name] = "{" + name + "}"
	}
	return out
}
func (d *desk) Mint(account, key, name string, _ time.Time, ttl time.Duration) string {
	return account + "|" + key + "|" + name + "|" + ttl.String()
}

// world is an engine over a real journal.
type world struct {
	t       *testing.T
	engine  *engine.Engine
	journal *sqlite.Journal
	vendor  *vendor
	turner  *turner
	desk    *desk
	dir     string
}

func newWorld(t *testing.T, dir string) *world {
	t.Helper()
	keys, err := credential.OpenKeyring(dir)
	if err != nil {
		t.Fatal(err)
	}
	j, err := sqlite.Open(t.Context(), dir, keys, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, journal: j, vendor: &vendor{}, turner: &turner{defs: map[string]adapter.Definition{"front": front()}}, desk: &desk{}, dir: dir}
	w.engine = engine.New(engine.Options{Journal: j, Turner: w.turner, Caller: w.vendor, Desk: w.desk, Setup: setup()})
	if err := w.engine.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.stop)
	return w
}

func (w *world) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := w.engine.Close(ctx); err != nil {
		w.t.Errorf("close: %v", err)
	}
	_ = w.journal.Close()
}

func setup() *engine.Setup {
	return &engine.Setup{
		Accounts: map[string]engine.Account{
			"studio": {Name: "studio", Adapter: "front", Role: event.RoleVirtualAgent,
				Profile: adapter.Profile{HoldsCustomer: true, RetryWithin: time.Minute}},
			"desk": {Name: "desk", Adapter: engine.Native, Role: event.RoleLiveAgent},
		},
		Routes: []engine.Route{{Name: "studio", VirtualAgent: "studio", LiveAgents: []string{"desk"},
			Timers: conversation.Timers{Waiting: time.Minute, AgentSilence: time.Hour, Total: time.Hour}}},
		Text: func(_, key string) string { return "text " + key },
	}
}

func start() adapter.Endpoint {
	return adapter.Endpoint{Name: "start", Answer: adapter.AnswerReply, Unknown: adapter.UnknownOpen, DedupWhile: adapter.DedupHandoff}
}

func inbound() adapter.Endpoint {
	return adapter.Endpoint{Name: "inbound", Answer: adapter.AnswerAck, Unknown: adapter.UnknownIgnore}
}

func (w *world) arrive(ep adapter.Endpoint, key, text string) engine.Receipt {
	w.t.Helper()
	body, _ := json.Marshal(map[string]string{"text": text})
	in := adapter.Request{Endpoint: ep.Name, Method: "POST", Body: body}
	if ep.Answer == adapter.AnswerReply {
		in.ReplyBy = time.Now().Add(5 * time.Second)
	}
	r, err := w.engine.Accept(w.t.Context(), engine.Arrival{Account: "studio", Endpoint: ep, Key: key, Dedup: text, Request: in})
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *world) await(r engine.Receipt) adapter.Reply {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 6*time.Second)
	defer cancel()
	reply, _ := w.engine.Await(ctx, r)
	w.engine.Written(r, true)
	return reply
}

func (w *world) do(id string, role event.Role, body event.Body) event.Event {
	w.t.Helper()
	e, err := w.engine.Do(w.t.Context(), engine.Command{Conversation: id, Role: role,
		Actor: event.Actor{Role: role, ID: "sam", Name: "Sam"}, Body: body})
	if err != nil {
		w.t.Fatalf("%s: %v", body.Kind(), err)
	}
	return e
}

func (w *world) kinds(id string) []string {
	w.t.Helper()
	events, err := w.journal.Events(w.t.Context(), id, 0, 1000)
	if err != nil {
		w.t.Fatal(err)
	}
	var out []string
	for _, e := range events {
		out = append(out, string(e.Actor.Role)+" "+string(e.Kind()))
	}
	return out
}

func (w *world) eventually(what string, ok func() bool) {
	w.t.Helper()
	for range 500 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	w.t.Fatalf("never: %s", what)
}

func TestHandoffAndBack(t *testing.T) {
	w := newWorld(t, t.TempDir())
	r := w.arrive(start(), "s1", "start")
	w.eventually("requested", func() bool { return len(w.kinds(r.Conversation)) >= 2 })
	w.do(r.Conversation, event.RoleLiveAgent, event.HandoffQueued{Position: 1})
	if got := w.await(r); got.Status != 200 {
		t.Fatalf("start answered %d", got.Status)
	}
	for _, text := range []string{"one", "two", "three"} {
		w.arrive(inbound(), "s1", text)
	}
	w.do(r.Conversation, event.RoleLiveAgent, event.HandoffAccepted{})
	w.do(r.Conversation, event.RoleLiveAgent, event.MessageCreated{Content: event.Plain("hello")})
	w.do(r.Conversation, event.RoleLiveAgent, event.MessageCreated{Content: event.Plain("bye")})
	last := w.do(r.Conversation, event.RoleLiveAgent, event.NoteCreated{Text: "done"})
	w.do(r.Conversation, event.RoleLiveAgent, event.HandbackRequested{UpTo: last.ID})
	w.eventually("disconnect", func() bool { return len(w.vendor.made()) == 3 })
	want := []string{"studio http://vendor/out hello", "studio http://vendor/out bye", "studio http://vendor/disconnect "}
	if got := w.vendor.made(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("calls %q, want %q", got, want)
	}
	w.eventually("handback", func() bool {
		k := w.kinds(r.Conversation)
		return k[len(k)-1] == "virtual_agent handback.completed"
	})
	t.Log(w.kinds(r.Conversation))
}

func TestPoisonBecomesDeadLetter(t *testing.T) {
	w := newWorld(t, t.TempDir())
	r := w.arrive(start(), "s1", "start")
	w.arrive(inbound(), "s1", "poison")
	w.arrive(inbound(), "s1", "after")
	w.eventually("the word after the poison", func() bool {
		k := w.kinds(r.Conversation)
		return k[len(k)-1] == "customer message.created"
	})
}

func TestRestartGoesOn(t *testing.T) {
	dir := t.TempDir()
	w := newWorld(t, dir)
	r := w.arrive(start(), "s1", "start")
	w.eventually("requested", func() bool { return len(w.kinds(r.Conversation)) >= 2 })
	w.do(r.Conversation, event.RoleLiveAgent, event.HandoffAccepted{})
	w.await(r)
	w.vendor.answers = []engine.Attempt{{Reason: adapter.ReasonRefused}}
	w.do(r.Conversation, event.RoleLiveAgent, event.MessageCreated{Content: event.Plain("late")})
	w.eventually("first try", func() bool { return len(w.vendor.made()) == 1 })
	w.stop()

	again := newWorld(t, dir)
	again.eventually("the call after the restart", func() bool { return len(again.vendor.made()) == 1 })
	again.do(r.Conversation, event.RoleLiveAgent, event.MessageCreated{Content: event.Plain("more")})
	again.eventually("the next call", func() bool { return len(again.vendor.made()) == 2 })
	_ = journal.Delivered
}
