package api_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/api"
	"github.com/footbridge/footbridge/bridge/internal/config"
	"github.com/footbridge/footbridge/bridge/internal/credential"
	"github.com/footbridge/footbridge/bridge/internal/desk"
	"github.com/footbridge/footbridge/bridge/internal/engine"
	"github.com/footbridge/footbridge/bridge/internal/journal"
	"github.com/footbridge/footbridge/bridge/internal/journal/sqlite"
	"github.com/footbridge/footbridge/bridge/internal/media"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Secrets of the tests' tokens.
const (
	samToken      = "sam-secret"
	deskToken     = "desk-secret"
	superToken    = "super-secret"
	operatorToken = "operator-secret"
	key           = "pk_web"
	site          = "https://shop.example"
)

// bridge is a whole bridge under an API: journal, engine, desk and a virtual
// agent that repeats what it is told.
type bridge struct {
	t       *testing.T
	keys    *credential.Keyring
	journal *sqlite.Journal
	engine  *engine.Engine
	desk    *desk.Desk
	api     *api.API
	server  *httptest.Server
	answers *answers
	files   string // their folder
}

// answers counts what the API says it answered, as ROUTE STATUS.
type answers struct{ counts sync.Map }

func (a *answers) count(route string, status int) {
	n, _ := a.counts.LoadOrStore(fmt.Sprintf("%s %d", route, status), new(atomic.Int64))
	n.(*atomic.Int64).Add(1)
}

func (a *answers) of(what string) int64 {
	n, ok := a.counts.Load(what)
	if !ok {
		return 0
	}
	return n.(*atomic.Int64).Load()
}

type observer struct {
	desk *desk.Desk
	mu   sync.Mutex
	api  *api.API
}

func (o *observer) Committed(c journal.Commit, _ time.Duration)                  { o.desk.Committed(c) }
func (o *observer) Turned(engine.TurnReport)                                     {}
func (o *observer) Called(string, string, time.Duration)                         {}
func (o *observer) Received(string, string, bool)                                {}
func (o *observer) Call(context.Context, string) (int, error)                    { return 0, errors.New("no calls here") }
func (o *observer) Placeholders(string, string, []string) map[string]string      { return nil }
func (o *observer) Mint(string, string, string, time.Time, time.Duration) string { return "" }
func (o *observer) Refusal(_, queue string) string                               { return o.desk.Refusal(queue) }

func (o *observer) Transient(e event.Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.api != nil {
		o.api.Transient(e)
	}
}

type caller struct{}

func (caller) Call(context.Context, string, string, map[string]string, adapter.Call) engine.Attempt {
	return engine.Attempt{Reason: adapter.ReasonRefused}
}

// placeholder looks as what stands for a secret.
var placeholder = "fbcred_" + strings.Repeat("a", 52)

// parrot repeats what the customer says; some words make it do more.
type parrot struct{}

func (parrot) Turn(_ context.Context, _ string, t adapter.Turn) (adapter.Outcome, error) {
	return adapter.Run(adapter.Definition{Manifest: adapter.Manifest{StateVersion: 1}, Adapter: adapter.Func(parrotTurn)}, t), nil
}

func parrotTurn(tx *adapter.Tx, _ *struct{}, in adapter.Input) error {
	d, ok := in.(adapter.Deliver)
	if !ok {
		return nil
	}
	emit := func(b event.Body) {
		tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleVirtualAgent, Name: "Parrot"}, Body: b})
	}
	switch b := d.Event.Body.(type) {
	case event.HandbackRequested:
		emit(event.HandbackCompleted{})
	case event.MessageCreated:
		words, _ := b.Content.Part.(event.Text)
		switch words.Text {
		case "human":
			emit(event.HandoffRequested{Reason: "asked", Summary: "wants a human", Context: map[string]string{"card": "4242"}})
			emit(event.MessageCreated{Content: event.Plain("canary-late")}) // it has given the word away
		case "poison":
			return errors.New("cannot read this")
		case "call":
			tx.Call("c1", adapter.Call{Method: "POST", URL: "http://vendor.example/x?key=" + placeholder, Body: []byte(`{"key":"` + placeholder + `"}`), GiveUp: time.Millisecond})
		default:
			emit(event.ErrorReported{Code: "internal"})
			emit(event.Extension{Vendor: "x", Name: "y", Data: json.RawMessage(`{"hidden":"canary-extension"}`)})
			emit(event.MessageCreated{Content: event.Plain("you said " + words.Text)})
		}
	}
	return nil
}

// status is how the accounts stand: all well, drained as the engine has it.
type status struct{ engine *engine.Engine }

func (s status) Accounts() []api.Account {
	return []api.Account{{Name: "desk", Adapter: "native", Role: "live_agent", Ready: true, Drained: s.engine.Drained("desk")},
		{Name: "web", Adapter: "native", Role: "customer", Ready: true, Drained: s.engine.Drained("web")}}
}

func (status) Adapters() []api.Adapter { return nil }
func (status) Matrix() []api.Pairing {
	return []api.Pairing{{Front: api.Party{Account: "web"}, Back: api.Party{Account: "desk"}, Levels: map[string]string{"text": "full"}}}
}

func setup() api.Setup {
	token := func(name, secret, agent string, roles ...string) api.Token {
		return api.Token{Name: name, Secret: credential.NewSecret(secret), Agent: agent, Roles: roles}
	}
	return api.Setup{
		Tokens: []api.Token{token("sam", samToken, "sam", "live_agent"), token("desk", deskToken, "", "live_agent"),
			token("boss", superToken, "", "supervisor"), token("ops", operatorToken, "", "operator")},
		Sites: map[string]api.Site{"web": {PublishableKey: key, AllowedOrigins: []string{site}}, "open": {}},
	}
}

func engineSetup() *engine.Setup {
	return &engine.Setup{
		Text: func(_, key string) string { return "text " + key },
		Accounts: map[string]engine.Account{
			"web":  {Name: "web", Adapter: engine.Native, Role: event.RoleCustomer},
			"open": {Name: "open", Adapter: engine.Native, Role: event.RoleCustomer},
			"help": {Name: "help", Adapter: "parrot", Role: event.RoleVirtualAgent},
			"desk": {Name: "desk", Adapter: engine.Native, Role: event.RoleLiveAgent},
		},
		Routes: []engine.Route{
			{Name: "web", Customer: "web", VirtualAgent: "help", LiveAgents: []string{"desk"}, Queue: "front"},
			{Name: "open", Customer: "open", LiveAgents: []string{"desk"}},
		},
	}
}

func start(t *testing.T) *bridge {
	t.Helper()
	keys, err := credential.OpenKeyring(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	b := &bridge{t: t, keys: keys, answers: &answers{}}
	if b.journal, err = sqlite.Open(t.Context(), t.TempDir(), keys, sqlite.Options{}); err != nil {
		t.Fatal(err)
	}
	b.desk = desk.New(desk.Rules{Native: map[string]bool{"desk": true}, Queues: map[string]config.Queue{"front": {}}}, nil)
	watch := &observer{desk: b.desk}
	b.engine = engine.New(engine.Options{Journal: b.journal, Turner: parrot{}, Caller: caller{}, Desk: watch, Observer: watch, Setup: engineSetup()})
	b.files = t.TempDir()
	files := media.New(media.Options{Dir: b.files, Vault: b.journal, Key: []byte("files"),
		Rules: media.Rules{MaxSize: 1 << 20, MaxFiles: 3, MaxTotal: 1 << 20, Types: media.DefaultTypes(), Fetch: media.FetchNever}})
	t.Cleanup(files.Close)
	b.api = api.New(api.Options{Journal: b.journal, Engine: b.engine, Desk: b.desk, Files: files, Status: status{b.engine}, Keys: keys, Setup: setup(), Peer: peer(), MaxUploads: 4, Answered: b.answers.count})
	watch.mu.Lock()
	watch.api = b.api
	watch.mu.Unlock()
	if err := b.engine.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	running := make(chan struct{})
	go func() { b.desk.Run(ctx, b.engine); close(running) }()
	b.server = httptest.NewServer(b.api)
	t.Cleanup(func() {
		b.api.Close()
		b.server.Close()
		stop()
		<-running
		if err := b.engine.Close(context.Background()); err != nil {
			t.Error(err)
		}
		if err := b.journal.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// peer gives every request an address of its own, or the one it names: what is
// counted by address is not to depend on what else a test asks for.
func peer() func(*http.Request) (netip.Addr, bool) {
	var asked atomic.Uint32
	return func(r *http.Request) (netip.Addr, bool) {
		if addr, err := netip.ParseAddr(r.Header.Get("X-Peer")); err == nil {
			return addr, true
		}
		var four [4]byte
		binary.BigEndian.PutUint32(four[:], 10<<24|asked.Add(1))
		return netip.AddrFrom4(four), true
	}
}

// reply is an answer of the API.
type reply struct {
	t      *testing.T
	Status int
	Header http.Header
	Body   []byte
}

type header map[string]string

// ask sends a request with a bearer token; "" is none.
func (b *bridge) ask(method, path, token, body string, more ...header) reply {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.server.URL+api.Base+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for _, h := range more {
		for name, value := range h {
			r.Header.Set(name, value)
		}
	}
	answer, err := b.server.Client().Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return reply{b.t, answer.StatusCode, answer.Header, data}
}

// is checks the status and, for a problem, its code.
func (r reply) is(status int, code string) reply {
	r.t.Helper()
	if r.Status != status {
		r.t.Fatalf("status %d, want %d: %s", r.Status, status, r.Body)
	}
	if code == "" {
		return r
	}
	p := r.problem()
	if p.Code != code {
		r.t.Fatalf("code %q, want %q: %s", p.Code, code, r.Body)
	}
	return r
}

// problem reads a problem document and checks what all must have.
func (r reply) problem() api.Problem {
	r.t.Helper()
	p := decode[api.Problem](r)
	if got := r.Header.Get("Content-Type"); got != "application/problem+json" {
		r.t.Errorf("content type of a problem is %q", got)
	}
	if p.Mend == "" || p.Title == "" || p.Type == "" || p.Status != r.Status || p.RequestID != r.Header.Get("X-Request-ID") || p.RequestID == "" {
		r.t.Errorf("problem is not whole: %s", r.Body)
	}
	return p
}

func decode[T any](r reply) T {
	r.t.Helper()
	var v T
	if err := json.Unmarshal(r.Body, &v); err != nil {
		r.t.Fatalf("answer %s: %v", r.Body, err)
	}
	return v
}

// open begins a conversation as a customer would.
func (b *bridge) open() (id, token string) {
	b.t.Helper()
	o := decode[api.Opened](b.ask("POST", "/conversations", "", `{"publishable_key":"`+key+`","customer":{"name":"Ada"}}`).is(201, ""))
	return o.Conversation, o.Token
}

func message(text string) string {
	data, _ := json.Marshal(text)
	return `{"kind":"message.created","body":{"content":{"type":"text","text":` + string(data) + `}}}`
}

// say posts an event and gives it back.
func (b *bridge) say(id, token, body string) event.Event {
	b.t.Helper()
	return decode[event.Event](b.ask("POST", "/conversations/"+id+"/events", token, body).is(201, ""))
}

// handoff brings a conversation into the desk's queue.
func (b *bridge) handoff() (id, token string) {
	b.t.Helper()
	id, token = b.open()
	b.say(id, token, message("human"))
	b.state(id, "queued")
	return id, token
}

// state waits until a conversation is in a state.
func (b *bridge) state(id, want string) {
	b.t.Helper()
	b.until(func() bool {
		return decode[api.Conversation](b.ask("GET", "/conversations/"+id, superToken, "").is(200, "")).State == want
	}, "conversation is not "+want)
}

func (b *bridge) until(done func() bool, otherwise string) {
	b.t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if done() {
			return
		}
	}
	b.t.Fatal(otherwise)
}

func (b *bridge) events(id, token, query string) api.EventList {
	b.t.Helper()
	return decode[api.EventList](b.ask("GET", "/conversations/"+id+"/events"+query, token, "").is(200, ""))
}

// heard waits until a text is among what the token sees.
func (b *bridge) heard(id, token, text string) {
	b.t.Helper()
	b.until(func() bool {
		return bytes.Contains(b.ask("GET", "/conversations/"+id+"/events?limit=1000", token, "").Body, []byte(text))
	}, "nobody said "+text)
}

// sse is an open event stream.
type sse struct {
	t      *testing.T
	lines  *bufio.Scanner
	cancel func()
}

func (b *bridge) listen(path, token string, more ...header) *sse {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 20*time.Second)
	r, err := http.NewRequestWithContext(ctx, "GET", b.server.URL+api.Base+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for _, h := range more {
		for name, value := range h {
			r.Header.Set(name, value)
		}
	}
	answer, err := b.server.Client().Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	if answer.StatusCode != 200 || answer.Header.Get("Content-Type") != "text/event-stream" {
		b.t.Fatalf("stream answered %d %s", answer.StatusCode, answer.Header.Get("Content-Type"))
	}
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, 1<<20)
	stop := func() { cancel(); answer.Body.Close() }
	b.t.Cleanup(stop)
	return &sse{b.t, lines, stop}
}

// next gives the next block that has a field: its id and its event, if any.
func (s *sse) next() (id string, e event.Event) {
	s.t.Helper()
	for s.lines.Scan() {
		line := s.lines.Text()
		if rest, ok := strings.CutPrefix(line, "id: "); ok {
			id = rest
		}
		if rest, ok := strings.CutPrefix(line, "data: "); ok {
			if err := json.Unmarshal([]byte(rest), &e); err != nil {
				s.t.Fatal(err)
			}
		}
		if line == "" && (id != "" || e.Body != nil) {
			return id, e
		}
	}
	s.t.Fatalf("stream ended: %v", s.lines.Err())
	return "", e
}

// until reads until an event of the kind comes.
func (s *sse) until(kind event.Kind) (string, event.Event) {
	s.t.Helper()
	for {
		if id, e := s.next(); e.Kind() == kind {
			return id, e
		}
	}
}
