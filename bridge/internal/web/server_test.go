package web_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/api"
	"github.com/footbridge/footbridge/bridge/internal/config"
	"github.com/footbridge/footbridge/bridge/internal/conversation"
	"github.com/footbridge/footbridge/bridge/internal/credential"
	"github.com/footbridge/footbridge/bridge/internal/desk"
	"github.com/footbridge/footbridge/bridge/internal/engine"
	"github.com/footbridge/footbridge/bridge/internal/journal"
	"github.com/footbridge/footbridge/bridge/internal/journal/sqlite"
	"github.com/footbridge/footbridge/bridge/internal/media"
	"github.com/footbridge/footbridge/bridge/internal/web"
)

const (
	deskToken = "desk-token-of-the-test"
	kimToken  = "token-of-kim-alone"
	chatKey   = "pk_test"
)

// heard is what a virtual agent remembers: how many words it was given.
type heard struct{ Words int }

// helper is a virtual agent that greets with choices, repeats what it is told,
// asks for a person when told to, and says so when it is back.
func helper() adapter.Definition {
	return adapter.Definition{
		Manifest: adapter.Manifest{Name: "helper", StateVersion: 1, Roles: []event.Role{event.RoleVirtualAgent}},
		Adapter: adapter.Func(func(tx *adapter.Tx, s *heard, in adapter.Input) error {
			d, ok := in.(adapter.Deliver)
			if !ok {
				return nil
			}
			switch body := d.Event.Body.(type) {
			case event.ConversationStarted:
				helperSays(tx, event.Content{Part: event.Choices{Text: "Hello, how can I help?",
					Options: []event.Choice{{ID: "1", Label: "Opening hours"}, {ID: "2", Label: "Talk to a person"}}}})
			case event.MessageCreated:
				if text, ok := body.Content.Part.(event.Text); ok && text.Text == "poison" {
					return errors.New("cannot read " + stealing)
				}
				s.Words++
				helperHears(tx, body)
			case event.HandbackRequested:
				tx.Emit(adapter.Emission{Actor: helperActor(), Body: event.HandbackCompleted{}})
				helperSays(tx, event.Plain("I am back."))
			}
			return nil
		}),
	}
}

func helperActor() event.Actor { return event.Actor{Role: event.RoleVirtualAgent, Name: "Helper"} }

func helperSays(tx *adapter.Tx, c event.Content) {
	tx.Emit(adapter.Emission{Actor: helperActor(), Body: event.MessageCreated{Content: c}})
}

func helperWrites(tx *adapter.Tx, index int64, text string) {
	tx.Emit(adapter.Emission{Actor: helperActor(), Body: event.MessagePartial{Stream: "one", Index: index, Mode: "append", Text: text}})
}

func helperHears(tx *adapter.Tx, m event.MessageCreated) {
	text, ok := m.Content.Part.(event.Text)
	_, all, hostile := strings.Cut(text.Text, everything)
	switch {
	case hostile && strings.HasPrefix(text.Text, "only "):
		for _, part := range hostileParts(all) {
			helperSays(tx, event.Content{Part: part})
		}
	case hostile:
		helperSaysAll(tx, all)
	case ok && strings.Contains(strings.ToLower(text.Text), "person"):
		helperSays(tx, event.Plain("I will find somebody for you."))
		tx.Emit(adapter.Emission{Actor: helperActor(), Body: event.HandoffRequested{Reason: "asked for a person",
			Summary: "Wants to talk about an order.", Context: map[string]string{"order": "4711", "plan": "gold"},
			Transcript: []event.TranscriptEntry{{Actor: event.Actor{Role: event.RoleCustomer, Name: "Ada"},
				Time: time.Now().Add(-26 * time.Hour), Content: event.Plain("I wrote to you yesterday, too.")}}}})
	case ok && text.Text == "slowly":
		helperWrites(tx, 0, "Let me see, ")
	case ok && text.Text == "go on":
		helperWrites(tx, 1, "it is on its way.")
		tx.Emit(adapter.Emission{Actor: helperActor(), Body: event.MessageCreated{Stream: "one", Content: event.Plain("Let me see, it is on its way.")}})
	case ok && text.Text == "form":
		helperSays(tx, event.Content{Part: event.Form{ID: "address", Title: "Your address", Fields: []event.Field{
			{Name: "street", Label: "Street", Required: true}, {Name: "floor", Label: "Floor", Options: []event.Choice{{Label: "1st"}, {Label: "2nd"}}}}}})
	case ok && text.Text == "odd form":
		var fields []event.Field
		for _, name := range []string{"elements", "addEventListener", "append", "submit", "className", "remove"} {
			fields = append(fields, event.Field{Name: name, Label: "The " + name})
		}
		helperSays(tx, event.Content{Part: event.Form{ID: "odd", Fields: fields}})
	case ok && text.Text == "html":
		helperSays(tx, event.Content{Part: event.Text{Format: event.FormatHTML,
			Text: `<p>Safe &amp; sound</p><script>document.title="stolen"</script><img src=x onerror="document.title='stolen'"><a href="javascript:alert(1)">x</a> Safe words`}})
	case ok && text.Text == "file":
		helperSays(tx, event.Content{Part: event.Media{Kind: "file", URL: "https://files.example/invoice.pdf", Name: "invoice.pdf", Size: 48_213, Caption: "Your invoice"}})
	case ok:
		helperSays(tx, event.Content{Part: event.Text{Text: "You said: **" + text.Text + "**", Format: event.FormatMarkdown}})
	default:
		data, _ := json.Marshal(m.Content)
		helperSays(tx, event.Plain("You sent: "+string(data)))
	}
}

// assistant is an observer that says all it could when it hears of an insight.
func assistant() adapter.Definition {
	return adapter.Definition{
		Manifest: adapter.Manifest{Name: "assistant", StateVersion: 1, Roles: []event.Role{event.RoleObserver}},
		Adapter: adapter.Func(func(tx *adapter.Tx, _ *struct{}, in adapter.Input) error {
			d, ok := in.(adapter.Deliver)
			if !ok {
				return nil
			}
			m, _ := d.Event.Body.(event.MessageCreated)
			text, said := m.Content.Part.(event.Text)
			if _, x, all := strings.Cut(text.Text, everything); all {
				assistantSaysAll(tx, x)
			}
			if strings.Contains(text.Text, "blue bag") {
				for _, i := range calmFindings() {
					tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleObserver}, Body: event.InsightObserved{Insight: i}})
				}
			}
			if said && d.Event.Actor.Role == event.RoleCustomer && text.Text == "insight" {
				for _, body := range findings() {
					tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleObserver}, Body: body})
				}
			}
			return nil
		}),
	}
}

// stealing is what an insight may bring along from somebody else's words.
const stealing = `<script>document.title="stolen"</script><img src=x onerror="document.title='stolen'">`

func findings() []event.Body {
	final, begun, first, second := true, false, int64(1), int64(2)
	ada := func(index int64, text string, end bool) event.Utterance {
		return event.Utterance{Index: &index, Speaker: event.RoleCustomer, Text: text, Final: &end}
	}
	var bodies []event.Body
	for _, i := range []event.Insight{
		ada(first, "my card is gone", final), ada(second, "yes", begun), ada(second, "yes please", final), ada(first, "my card is gone", final),
		event.Dialog{Utterances: []event.Utterance{ada(first, "my card is gone", final), ada(second, "yes please", final), ada(3, "unheard "+stealing, final)}},
		event.Analysis{CustomerSentiment: "POSITIVE"},
		event.Analysis{CustomerSentiment: "NEGATIVE", SuggestedReply: "Say " + stealing, Tasks: []json.RawMessage{json.RawMessage(`{"block card":"open"}`)}},
		event.Verification{Label: "MATCH", AgentText: "Verified"}, event.CallerNumber{Number: "447700900009"},
		event.UnknownInsight{Name: "constructor", JSON: json.RawMessage(`{"type":"constructor","weather":"rain"}`)}, event.SoundLevel{Level: 2},
	} {
		bodies = append(bodies, event.InsightObserved{Insight: i})
	}
	return append(bodies, event.NoteCreated{Text: "A note " + stealing})
}

// calmFindings are what is found out in a talk that is worth a picture.
func calmFindings() []event.Insight {
	trust := int64(92)
	return []event.Insight{event.Analysis{CustomerSentiment: "NEGATIVE"}, event.Analysis{CustomerSentiment: "NEUTRAL"},
		event.Analysis{CustomerSentiment: "POSITIVE", CustomerEmotions: []string{"relieved"}, NextTask: "order_card", SuggestedReply: "Shall I send the new card to the same address?",
			Tasks:          []json.RawMessage{json.RawMessage(`{"block_card":"done"}`), json.RawMessage(`{"order_card":"open"}`)},
			RemainingTasks: []json.RawMessage{json.RawMessage(`{"order_card":"open"}`)}},
		event.Verification{Label: "MATCH", Risk: "LOW", AgentText: "Caller is verified"}, event.CallerNumber{Number: "+44 7700 900009", Trust: &trust}}
}

// inProcess runs definitions without a plugin.
type inProcess struct {
	mu   sync.Mutex
	defs map[string]adapter.Definition
}

func (p *inProcess) Turn(_ context.Context, name string, t adapter.Turn) (adapter.Outcome, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return adapter.Run(p.defs[name], t), nil
}

// noCalls is for adapters that make none.
type noCalls struct{}

func (noCalls) Call(context.Context, string, string, map[string]string, adapter.Call) engine.Attempt {
	return engine.Attempt{Reason: adapter.ReasonRefused}
}

type accounts struct{ s *server }

func (a accounts) Accounts() []api.Account {
	web := api.Account{Name: "web", Adapter: "native", Role: "customer", Ready: true, Drained: a.s.engine.Drained("web")}
	if a.s.far != nil {
		web.Adapter, web.Capabilities = "poor", *a.s.far
	}
	return []api.Account{web, {Name: "helper", Adapter: "helper", Role: "virtual_agent", Ready: true},
		{Name: "studio", Adapter: "other", Role: "virtual_agent", Ready: true, Breakers: map[string]string{"vendor.example": "open"}, Version: "1.2.3", Open: true, Unready: "",
			Guards: []api.Guard{{Host: "vendor.example", State: "open", Since: time.Now().Add(-time.Minute), Next: time.Now().Add(time.Hour), Reason: "answered 503"}},
			Feeds:  []api.Listening{{Name: "socket", Since: time.Now().Add(-time.Minute), Reason: "it answered 401"}, {Name: "events", Up: true, Since: time.Now().Add(-time.Hour)}}}}
}
func (accounts) Adapters() []api.Adapter {
	return []api.Adapter{{Name: "helper", Version: "1.2.3", State: "running", Breaker: "closed"}, {Name: "other", State: "stopped", Reason: "it died", Restarts: 3}}
}
func (accounts) Matrix() []api.Pairing {
	return []api.Pairing{{Front: api.Party{Account: "web", Adapter: "native", Role: "customer"}, VirtualAgent: &api.Party{Account: "helper"}, Back: api.Party{Account: "desk"},
		Levels: map[string]string{"typing": "full", "receipts": "dropped"}}}
}

// server is the real engine, journal, desk, API and pages behind one address,
// with a virtual agent in process. It can be stopped and started again.
type server struct {
	t       *testing.T
	dir     string
	address string
	site    api.Site

	journal      *sqlite.Journal
	engine       *engine.Engine
	desk         *desk.Desk
	api          *api.API
	files        *media.Store
	http         *http.Server
	stop         context.CancelFunc
	work         sync.WaitGroup
	lose         atomic.Int32 // how many answers to words get lost on the way
	refuse       atomic.Int32 // how many words are refused for good
	visits       sync.Map     // what pages of elsewhere asked with a cookie
	dispositions []string
	far          *adapter.Levels // what the customers' side is said to carry; nil for all
}

func newServer(t *testing.T, with ...func(*api.Site)) *server {
	t.Helper()
	s := &server{t: t, dir: t.TempDir(), address: "127.0.0.1:0", site: api.Site{PublishableKey: chatKey}}
	for _, change := range with {
		change(&s.site)
	}
	s.start()
	s.t.Cleanup(s.halt)
	return s
}

func (s *server) url() string { return "http://" + s.address }

func (s *server) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *server) start() {
	s.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	keys, err := credential.OpenKeyring(s.dir)
	s.must(err)
	s.journal, err = sqlite.Open(ctx, s.dir, keys, sqlite.Options{})
	s.must(err)
	s.desk = desk.New(desk.Rules{Native: map[string]bool{"desk": true}, Queues: map[string]config.Queue{}}, nil)
	s.must(s.desk.Seed(ctx, s.journal))
	s.engine = engine.New(engine.Options{Journal: s.journal, Turner: &inProcess{defs: map[string]adapter.Definition{"helper": helper(), "assistant": assistant()}},
		Caller: noCalls{}, Desk: refusals{s.desk}, Observer: watcher{s}, Setup: routes(), Fail: func(string) { pause() }})
	s.files = media.New(media.Options{Dir: filepath.Join(s.dir, "media"), Vault: s.journal, Key: keys.Derive("files"),
		Rules: media.Rules{MaxSize: 1 << 20, MaxFiles: 10, MaxTotal: 1 << 24, Types: media.DefaultTypes(), Fetch: media.FetchNever}})
	s.api = api.New(api.Options{Journal: s.journal, Engine: s.engine, Desk: s.desk, Files: s.files, Status: accounts{s}, Keys: keys, Setup: api.Setup{
		Tokens: []api.Token{{Name: "desk", Roles: []string{"live_agent", "supervisor"}, Secret: credential.NewSecret(deskToken)},
			{Name: "kim", Agent: "kim", Roles: []string{"live_agent"}, Secret: credential.NewSecret(kimToken)}},
		Sites: map[string]api.Site{"web": s.site},
		Tools: api.Tools{Replies: []api.CannedReply{{Name: "greeting", Text: "Hello {customer}, this is {agent}.", Language: "en"},
			{Name: "gruss", Text: "Hallo {customer}", Language: "de"}, {Name: "hours", Text: "We are open from 9 to 5."}},
			Dispositions: s.dispositions}}})
	s.must(s.engine.Start(ctx))
	pages, err := web.New(web.Options{DefaultKey: chatKey})
	s.must(err)
	mux := http.NewServeMux()
	mux.Handle("/api/", slow(s.lossy(s.api)))
	mux.Handle(media.Root, s.files)
	mux.HandleFunc("/portrait.png", portrait)
	mux.Handle("/", pages)
	l, err := net.Listen("tcp", s.address)
	s.must(err)
	s.address = l.Addr().String()
	s.http = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	s.work.Go(func() { _ = s.http.Serve(l) })
	s.work.Go(func() { s.desk.Run(ctx, s.engine) })
}

// portrait is a live agent's picture.
func portrait(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "image/png")
	w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
	data, _ := base64.StdEncoding.DecodeString(dot)
	_, _ = w.Write(data)
}

// pause takes up to FOOTBRIDGE_SLOW: make slow looks for what needs a quick machine.
func pause() {
	if most, _ := time.ParseDuration(os.Getenv("FOOTBRIDGE_SLOW")); most > 0 {
		time.Sleep(rand.N(most))
	}
}

// slow lets requests and answers take their time, so that they overtake each other.
func slow(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		pause()
		next.ServeHTTP(&late{ResponseWriter: w}, r)
	})
}

// late is an answer that leaves a while after it was made.
type late struct {
	http.ResponseWriter
	once sync.Once
}

func (l *late) Write(p []byte) (int, error) {
	l.once.Do(pause)
	return l.ResponseWriter.Write(p)
}

func (l *late) WriteHeader(status int) {
	l.once.Do(pause)
	l.ResponseWriter.WriteHeader(status)
}

func (l *late) Unwrap() http.ResponseWriter { return l.ResponseWriter }

// lossy lets some words arrive and loses the answers, and refuses others. What
// pages tell by themselves, such as what has been read, is let through: nobody
// knows when that comes.
func (s *server) lossy(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := r.Cookie("footbridge"); err == nil && r.Header.Get("Sec-Fetch-Site") != "same-origin" {
			s.visits.Store(r.Method+" "+strings.TrimPrefix(r.URL.Path, api.Base), true)
		}
		switch said := words(r); {
		case said && s.lose.Add(-1) >= 0:
			next.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		case said && s.refuse.Add(-1) >= 0:
			r.Body = io.NopCloser(strings.NewReader("{}"))
			next.ServeHTTP(w, r)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// words tells whether a request says something, and leaves its body to be read.
func words(r *http.Request) bool {
	if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/events") {
		return false
	}
	data, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(data), r.Body))
	var e struct{ Kind event.Kind }
	return err == nil && json.Unmarshal(data, &e) == nil && e.Kind == event.KindMessageCreated
}

func (s *server) halt() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	s.api.Close()
	_ = s.http.Shutdown(ctx)
	_ = s.http.Close()
	s.stop()
	s.work.Wait()
	s.files.Close()
	if err := s.engine.Close(ctx); err != nil {
		s.t.Errorf("close engine: %v", err)
	}
	if err := s.journal.Close(); err != nil {
		s.t.Errorf("close journal: %v", err)
	}
}

func routes() *engine.Setup {
	return &engine.Setup{
		Accounts: map[string]engine.Account{
			"web":    {Name: "web", Adapter: engine.Native, Role: event.RoleCustomer},
			"helper": {Name: "helper", Adapter: "helper", Role: event.RoleVirtualAgent},
			"desk":   {Name: "desk", Adapter: engine.Native, Role: event.RoleLiveAgent},
			"ears":   {Name: "ears", Adapter: "assistant", Role: event.RoleObserver},
		},
		Routes: []engine.Route{{Name: "web", Customer: "web", VirtualAgent: "helper", LiveAgents: []string{"desk"}, Queue: "sales",
			Observers: []engine.Listening{{Account: "ears", OpenOn: event.KindHandoffAccepted}},
			Timers:    conversation.Timers{Waiting: 5 * time.Minute, AgentSilence: time.Hour}}},
		Text: func(_, key string) string { return "Notice: " + key },
	}
}

type refusals struct{ *desk.Desk }

func (r refusals) Refusal(_, queue string) string                         { return r.Desk.Refusal(queue) }
func (refusals) Placeholders(_, _ string, _ []string) map[string]string   { return nil }
func (refusals) Mint(_, _, _ string, _ time.Time, _ time.Duration) string { return "" }

// watcher passes on what the engine did.
type watcher struct{ s *server }

func (w watcher) Committed(c journal.Commit, _ time.Duration) { w.s.desk.Committed(c) }
func (watcher) Turned(engine.TurnReport)                      {}
func (w watcher) Transient(e event.Event)                     { w.s.api.Transient(e) }
