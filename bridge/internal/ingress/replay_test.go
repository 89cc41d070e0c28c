package ingress_test

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/credential"
	"github.com/footbridge/footbridge/bridge/internal/engine"
	"github.com/footbridge/footbridge/bridge/internal/ingress"
	"github.com/footbridge/footbridge/bridge/internal/journal"
	"github.com/footbridge/footbridge/bridge/internal/journal/sqlite"
)

// bridge is the doors over a real engine and a real journal, with an adapter whose
// vendor signs what it sends: each request is one message, "end" ends it all.
type bridge struct {
	t       *testing.T
	dir     string
	journal *sqlite.Journal
	engine  *engine.Engine
	doors   *ingress.Ingress
	// dedup is where the vendor's id is; "" is the signature.
	dedup               string
	repeated, conflicts int
}

func handle(tx *adapter.Tx, _ *struct{}, in adapter.Input) error {
	if r, ok := in.(adapter.Request); ok {
		if strings.Contains(string(r.Body), "end") {
			tx.Emit(adapter.Emission{Body: event.ConversationEnded{}, Actor: event.Actor{Role: event.RoleCustomer}})
			return nil
		}
		tx.Emit(adapter.Emission{Body: event.MessageCreated{Content: event.Plain("hello")}, Actor: event.Actor{Role: event.RoleCustomer}})
	}
	return nil
}

func (b *bridge) Turn(_ context.Context, _ string, t adapter.Turn) (adapter.Outcome, error) {
	return adapter.Run(adapter.Definition{Manifest: adapter.Manifest{StateVersion: 1}, Adapter: adapter.Func(handle)}, t), nil
}
func (b *bridge) Refusal(string, string) string                            { return "" }
func (b *bridge) Placeholders(string, string, []string) map[string]string  { return nil }
func (b *bridge) Mint(_, _, _ string, _ time.Time, _ time.Duration) string { return "" }
func (b *bridge) Call(context.Context, string, string, map[string]string, adapter.Call) engine.Attempt {
	return engine.Attempt{Status: 200}
}

func (b *bridge) start() {
	b.t.Helper()
	keys, err := credential.OpenKeyring(b.dir)
	if err == nil {
		b.journal, err = sqlite.Open(b.t.Context(), b.dir, keys, sqlite.Options{})
	}
	if err != nil {
		b.t.Fatal(err)
	}
	e := adapter.Endpoint{Name: "hook", Method: "POST", Path: "/hook", Answer: adapter.AnswerAck, Key: "body:/id", Unknown: adapter.UnknownOpen,
		Dedup: cmp.Or(b.dedup, "signature"), DedupWhile: adapter.DedupForever, Auth: "signature:secret", Signature: adapter.Signature{
			Algorithm: adapter.SignedHMACSHA256, Header: "S", Encoding: "hex", Over: "{time}.{body}", TimeHeader: "T"}}
	profile := adapter.Profile{Endpoints: []adapter.Endpoint{e}}
	setup := &engine.Setup{Text: func(_, key string) string { return key },
		Routes: []engine.Route{{Name: "r", Customer: "vendor", LiveAgents: []string{"desk"}}},
		Accounts: map[string]engine.Account{"vendor": {Name: "vendor", Adapter: "x", Role: event.RoleCustomer, Profile: profile},
			"desk": {Name: "desk", Adapter: engine.Native, Role: event.RoleLiveAgent}}}
	b.engine = engine.New(engine.Options{Journal: b.journal, Turner: b, Caller: b, Desk: b, Setup: setup})
	if err := b.engine.Start(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
	b.doors = ingress.New(ingress.Options{Engine: b.engine, Received: func(_, _ string, r engine.Receipt) {
		if r.Duplicate {
			b.repeated++
		}
		if r.Conflict {
			b.conflicts++
		}
	}})
	b.doors.Configure([]ingress.Account{{Name: "vendor", Endpoints: profile.Endpoints, Secrets: map[string]credential.Secret{"secret": credential.NewSecret("key")}}})
}

func (b *bridge) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := b.engine.Close(ctx); err != nil {
		b.t.Error(err)
	}
	if err := b.journal.Close(); err != nil {
		b.t.Error(err)
	}
}

// ask sends a request signed now, or the same bytes again.
func (b *bridge) ask(body, stamp string) {
	b.t.Helper()
	m := hmac.New(sha256.New, []byte("key"))
	fmt.Fprintf(m, "%s.%s", stamp, body)
	r := httptest.NewRequest("POST", "/in/vendor/hook", io.NopCloser(strings.NewReader(body)))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("T", stamp)
	r.Header.Set("S", hex.EncodeToString(m.Sum(nil)))
	w := httptest.NewRecorder()
	if b.doors.ServeHTTP(w, r); w.Code != 200 {
		b.t.Fatalf("%s answered %d %s", body, w.Code, w.Body)
	}
}

func (b *bridge) conversations() []journal.Listed {
	b.t.Helper()
	list, err := b.journal.Conversations(b.t.Context(), journal.Filter{Limit: 100})
	if err != nil {
		b.t.Fatal(err)
	}
	return list
}

// holds waits for so many conversations and messages, and then for more that must
// not come.
func (b *bridge) holds(conversations, messages int) {
	b.t.Helper()
	var list []journal.Listed
	said := 0
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		list, said = b.conversations(), 0
		for _, c := range list {
			events, err := b.journal.Events(b.t.Context(), c.ID, 0, 100)
			if err != nil && !c.Erased {
				b.t.Fatal(err)
			}
			for _, e := range events {
				if e.Kind() == event.KindMessageCreated && e.Actor.Role == event.RoleCustomer {
					said++
				}
			}
		}
		if len(list) >= conversations && said >= messages || time.Now().After(deadline) {
			break
		}
	}
	if len(list) != conversations || said != messages {
		b.t.Fatalf("%d conversations, %d messages; want %d and %d", len(list), said, conversations, messages)
	}
}

// TestCapturedRequest: the very same signed bytes are one message: at once, after a
// restart, after their conversation has ended, after both, after the same person has
// come again, and when nothing of the conversation is left.
func TestCapturedRequest(t *testing.T) {
	b := &bridge{t: t, dir: t.TempDir()}
	b.start()
	first, later := strconv.FormatInt(time.Now().Unix()-1, 10), strconv.FormatInt(time.Now().Unix(), 10)
	const hello, end = `{"id":"c-1","text":"hello"}`, `{"id":"c-1","text":"end"}`
	b.ask(hello, first)
	b.ask(hello, first)
	b.ask(hello, later) // the customer says it again
	b.holds(1, 2)
	b.stop()
	b.start()
	b.ask(hello, first)
	b.ask(hello, later)
	b.holds(1, 2)
	b.ask(end, later)
	for b.conversations()[0].Index.State != "ended" {
		time.Sleep(5 * time.Millisecond)
	}
	captured := func() {
		b.ask(hello, first)
		b.ask(hello, later)
		b.ask(end, later)
	}
	captured()
	b.holds(1, 2)
	b.stop()
	b.start()
	captured()
	b.holds(1, 2)
	ended := b.conversations()[0].ID
	if err := b.engine.Erase(t.Context(), ended, journal.Audit{}); err != nil {
		t.Fatal(err)
	}
	captured()
	b.holds(1, 0)
	b.ask(hello, strconv.FormatInt(time.Now().Unix()+1, 10))
	b.holds(2, 1)
	captured()
	b.holds(2, 1)
	b.stop()
}

// TestAnotherBodyUnderOneID: what came first under an id counts. Another body is
// answered like it, counted, and kept for people to look at.
func TestAnotherBodyUnderOneID(t *testing.T) {
	b := &bridge{t: t, dir: t.TempDir(), dedup: "body:/ref"}
	b.start()
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	const first, other = `{"id":"c-1","ref":"7","text":"hello"}`, `{"id":"c-1","ref":"7","text":"transfer it all"}`
	b.ask(first, stamp)
	b.ask(first, stamp)
	if b.repeated != 1 || b.conflicts != 0 {
		t.Errorf("the same again: %d repeated, %d in conflict", b.repeated, b.conflicts)
	}
	b.ask(other, stamp)
	if b.repeated != 2 || b.conflicts != 1 {
		t.Errorf("another body: %d repeated, %d in conflict", b.repeated, b.conflicts)
	}
	b.holds(1, 1)
	b.stop()
	b.start() // a kept one has no turn later either
	b.holds(1, 1)
	list, err := b.journal.Conversations(t.Context(), journal.Filter{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	frames, err := b.journal.Frames(t.Context(), list[0].ID, "", 0)
	if err != nil || len(frames) != 2 {
		t.Fatalf("%d frames, %v", len(frames), err)
	}
	if kept := frames[1]; kept.Outcome != journal.FrameConflict || kept.Dedup != "" || !strings.Contains(string(kept.Data), base64.StdEncoding.EncodeToString([]byte(other))) {
		t.Errorf("kept is %s %q: %s", kept.Outcome, kept.Dedup, kept.Data)
	}
	b.stop()
}
