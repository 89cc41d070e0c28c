package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/conversation"
	"github.com/footbridge/footbridge/bridge/internal/credential"
	"github.com/footbridge/footbridge/bridge/internal/engine"
	"github.com/footbridge/footbridge/bridge/internal/ingress"
	"github.com/footbridge/footbridge/bridge/internal/journal"
	"github.com/footbridge/footbridge/bridge/internal/journal/sqlite"
)

// bubble is the engine over a real journal with adapters in process, under a fake
// clock: what the program is, without sockets and processes.
type bubble struct {
	t       *testing.T
	journal *sqlite.Journal
	engine  *engine.Engine
	doors   *ingress.Ingress
	// refusal is what every live-agent account answers to a hand-off.
	refusal string
	// gate, when there is one, takes a word before each frame or turn is stored.
	gate atomic.Pointer[chan string]

	mu    sync.Mutex
	calls []string
	slow  map[string]time.Duration // by the path of a call
	until time.Time                // no call arrives before
	tried int
}

// Turn runs the adapters in process.
func (b *bubble) Turn(_ context.Context, name string, t adapter.Turn) (adapter.Outcome, error) {
	return adapter.Run(definitions()[name], t), nil
}

// Call is a far side that takes everything, once it can be reached.
func (b *bubble) Call(ctx context.Context, account, _ string, _ map[string]string, c adapter.Call) engine.Attempt {
	path := c.URL[strings.LastIndex(c.URL, "example/")+len("example"):]
	const deadline = 10 * time.Second // of the breaker around every call
	if slow := b.slow[path]; slow > 0 {
		time.Sleep(min(slow, deadline))
		if slow > deadline || ctx.Err() != nil {
			return engine.Attempt{Reason: adapter.ReasonUnknown}
		}
	}
	var body struct{ Text string }
	_ = json.Unmarshal(c.Body, &body)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.tried++; time.Now().Before(b.until) {
		return engine.Attempt{Reason: adapter.ReasonRefused}
	}
	b.calls = append(b.calls, strings.TrimSpace(account+" "+path+" "+body.Text))
	return engine.Attempt{Status: 200, Body: []byte("{}")}
}

// unreachable lets no call arrive for a while.
func (b *bubble) unreachable(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.until = time.Now().Add(d)
}

func (b *bubble) tries() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.tried
}

func (b *bubble) made() []string {
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.calls)
}

// Refusal answers for all accounts.
func (b *bubble) Refusal(string, string) string { return b.refusal }

// Placeholders stand for nothing here.
func (b *bubble) Placeholders(string, string, []string) map[string]string {
	return map[string]string{"key": "x"}
}
func (b *bubble) Mint(_, _, _ string, _ time.Time, _ time.Duration) string { return "" }

// AcceptFrame and Commit are where things are stored.
func (w watched) AcceptFrame(ctx context.Context, f journal.Frame) (journal.Accepted, error) {
	w.before("frame")
	return w.Journal.AcceptFrame(ctx, f)
}

func (w watched) Commit(ctx context.Context, c journal.Commit) error {
	if len(c.Replies) > 0 {
		w.before("reply")
	} else {
		w.before("commit")
	}
	return w.Journal.Commit(ctx, c)
}

// watched is a journal whose writes are seen before they are made.
type watched struct {
	*sqlite.Journal
	b *bubble
}

func (w watched) before(what string) {
	if gate := w.b.gate.Load(); gate != nil {
		*gate <- what
	}
}

func newBubble(t *testing.T, backend string, timers conversation.Timers) *bubble {
	t.Helper()
	b := &bubble{t: t, slow: map[string]time.Duration{}}
	dir := t.TempDir()
	keys, err := credential.OpenKeyring(dir)
	if err != nil {
		t.Fatal(err)
	}
	if b.journal, err = sqlite.Open(t.Context(), dir, keys, sqlite.Options{}); err != nil {
		t.Fatal(err)
	}
	setup := b.setup(backend, timers)
	b.engine = engine.New(engine.Options{Journal: watched{b.journal, b}, Turner: b, Caller: b, Desk: b, Setup: setup})
	if err := b.engine.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.doors = ingress.New(ingress.Options{Engine: b.engine, Logger: slog.New(slog.DiscardHandler)})
	var doors []ingress.Account
	for name, a := range setup.Accounts {
		doors = append(doors, ingress.Account{Name: name, Endpoints: a.Profile.Endpoints,
			Secrets: map[string]credential.Secret{"key": credential.NewSecret("desk-key")}})
	}
	b.doors.Configure(doors)
	t.Cleanup(b.stop)
	return b
}

func (b *bubble) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := b.engine.Close(ctx); err != nil {
		b.t.Errorf("close engine: %v", err)
	}
	if err := b.journal.Close(); err != nil {
		b.t.Errorf("close journal: %v", err)
	}
}

func (b *bubble) setup(backend string, timers conversation.Timers) *engine.Setup {
	accounts := map[string]engine.Account{
		"studio": {Adapter: "platform", Role: event.RoleVirtualAgent},
		"people": {Adapter: "server", Role: event.RoleLiveAgent},
		"desk":   {Adapter: engine.Native, Role: event.RoleLiveAgent},
		"web":    {Adapter: engine.Native, Role: event.RoleCustomer},
		"helper": {Adapter: "menu", Role: event.RoleVirtualAgent},
	}
	for name, a := range accounts {
		a.Name, a.Credentials = name, []string{"key"}
		if !a.Native() {
			profile, err := definitions()[a.Adapter].Configure(adapter.Account{Name: name, Role: a.Role, Settings: a.Settings, Credentials: a.Credentials})
			if err != nil {
				b.t.Fatal(err)
			}
			a.Profile = profile
		}
		accounts[name] = a
	}
	return &engine.Setup{Accounts: accounts, Text: func(_, key string) string { return "text of " + key },
		Routes: []engine.Route{{Name: "studio", VirtualAgent: "studio", LiveAgents: []string{backend}, Timers: timers},
			{Name: "web", Customer: "web", VirtualAgent: "helper", LiveAgents: []string{backend}, Timers: timers}}}
}

// post sends a request of a far side through the real doors; its answer comes when
// it comes.
func (b *bubble) post(path, body string) *answer {
	a := &answer{ResponseRecorder: httptest.NewRecorder()}
	r := httptest.NewRequestWithContext(b.t.Context(), http.MethodPost, path, io.NopCloser(strings.NewReader(body)))
	r.RemoteAddr = "127.0.0.1:1"
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Key", "desk-key")
	go b.doors.ServeHTTP(a, r)
	return a
}

// answer is a response as who asked sees it: from its first byte on.
type answer struct {
	*httptest.ResponseRecorder
	mu      sync.Mutex
	written bool
}

func (a *answer) WriteHeader(status int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.written = true
	a.ResponseRecorder.WriteHeader(status)
}

func (a *answer) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.written = true
	return a.ResponseRecorder.Write(p)
}

// status is the answer's, 0 while not a byte of it is written.
func (a *answer) status() int {
	synctest.Wait()
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.written {
		return 0
	}
	return a.Code
}

// within gives the status once the answer is there.
func (b *bubble) within(a *answer, limit time.Duration) int {
	b.t.Helper()
	for waited := time.Duration(0); waited < limit; waited += 100 * time.Millisecond {
		if status := a.status(); status != 0 {
			return status
		}
		time.Sleep(100 * time.Millisecond)
	}
	b.t.Fatalf("no answer within %s", limit)
	return 0
}

// begin asks for people; waiting is the platform's own limit in seconds, 0 for none.
func (b *bubble) begin(key string, waiting int) *answer {
	return b.post("/in/studio/start", fmt.Sprintf(`{"id":%q,"waiting":%d}`, key, waiting))
}

// opened is a hand-off to the desk that somebody has accepted.
func (b *bubble) opened(key string) (id string) {
	b.t.Helper()
	start := b.begin(key, 0)
	id = b.only().ID
	b.do(id, event.HandoffAccepted{})
	if got := b.within(start, time.Second); got != http.StatusOK {
		b.t.Fatalf("start was answered %d", got)
	}
	return id
}

func (b *bubble) tell(key, text string) {
	b.t.Helper()
	b.sends("inbound", fmt.Sprintf(`{"id":%q,"text":%q}`, key, text))
}

// sends posts what the platform tells and wants no answer to.
func (b *bubble) sends(what, body string) {
	b.t.Helper()
	a := b.post("/in/studio/"+what, body)
	if got := b.within(a, time.Second); got != http.StatusOK {
		b.t.Fatalf("%s was answered %d", what, got)
	}
}

// do speaks for the built-in desk.
func (b *bubble) do(id string, body event.Body) {
	b.t.Helper()
	b.speak(id, event.Actor{Role: event.RoleLiveAgent, ID: "sam", Name: "Sam"}, body)
}

// speak speaks for somebody who comes through the API.
func (b *bubble) speak(id string, who event.Actor, body event.Body) {
	b.t.Helper()
	synctest.Wait()
	if _, err := b.engine.Do(b.t.Context(), engine.Command{Conversation: id, Role: who.Role, Actor: who, Body: body}); err != nil {
		b.t.Fatalf("%s: %v", body.Kind(), err)
	}
}

// only is the one conversation there is.
func (b *bubble) only() journal.Listed {
	b.t.Helper()
	synctest.Wait()
	all, err := b.journal.Conversations(b.t.Context(), journal.Filter{Limit: 10})
	if err != nil || len(all) != 1 {
		b.t.Fatalf("%d conversations, %v", len(all), err)
	}
	return all[0]
}

// seen is what the desk can read of a conversation: who did what.
func (b *bubble) seen(id string) []string {
	b.t.Helper()
	synctest.Wait()
	events, err := b.journal.Events(b.t.Context(), id, 0, 1000)
	if err != nil {
		b.t.Fatal(err)
	}
	var out []string
	for _, e := range events {
		text := ""
		if m, ok := e.Body.(event.MessageCreated); ok {
			text = " " + codec.Plain(m.Content)
		}
		out = append(out, string(e.Actor.Role)+" "+string(e.Kind())+text)
	}
	return out
}

// outcomes are how the event of a kind ended, by leg.
func (b *bubble) outcomes(id string, kind event.Kind) map[string]string {
	b.t.Helper()
	events, err := b.journal.Events(b.t.Context(), id, 0, 1000)
	if err != nil {
		b.t.Fatal(err)
	}
	deliveries, err := b.journal.Deliveries(b.t.Context(), id)
	if err != nil {
		b.t.Fatal(err)
	}
	found := map[string]string{}
	for _, e := range events {
		for _, d := range deliveries {
			if e.Kind() == kind && d.Event == e.ID {
				found[strings.TrimPrefix(d.Leg, id+".")] = d.Outcome
			}
		}
	}
	return found
}

// served is the key of the leg that leads to the server.
func (b *bubble) served() string {
	b.t.Helper()
	var s engine.Summary
	if err := json.Unmarshal(b.only().Index.Summary, &s); err != nil {
		b.t.Fatal(err)
	}
	return s.Legs[len(s.Legs)-1].Key
}

// release lets the journal store one thing after the other. The answer has to
// come after the thing named last, and not a byte of it before.
func (b *bubble) release(gate chan string, a *answer, last string) {
	b.t.Helper()
	for stored := ""; stored != last; {
		time.Sleep(time.Second)
		if got := a.status(); got != 0 {
			b.t.Fatalf("answered %d before the %s was stored", got, last)
		}
		select {
		case stored = <-gate:
		case <-time.After(5 * time.Second):
			b.t.Fatalf("the journal was not asked to store the %s", last)
		}
	}
	if got := a.status(); got != http.StatusOK {
		b.t.Fatalf("answered %d after the %s was stored", got, last)
	}
}

// drain lets everything be stored that wants to be now.
func (b *bubble) drain(gate chan string) {
	for {
		select {
		case <-gate:
		case <-time.After(time.Second):
			return
		}
	}
}

// open lets everything be stored from now on.
func (b *bubble) open(gate chan string) {
	b.gate.Store(nil)
	b.drain(gate)
}
