package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/conversation"
	"github.com/footbridge/footbridge/bridge/internal/engine"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// crashing is a journal whose process can die: from then on nothing is stored or
// read. The commit it dies at may have reached the disk.
type crashing struct {
	engine.Journal
	mu    sync.Mutex
	dead  bool
	in    int  // commits until it dies; 0 is never
	after bool // the last commit reaches the disk
}

func (c *crashing) die() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dead = true
}

func (c *crashing) dieIn(commits int, after bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.in, c.after = commits, after
}

func (c *crashing) isDead() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dead
}

// store lets a write happen, or the process die at it.
func (c *crashing) store(write func() error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dead {
		return journal.ErrClosed
	}
	if c.in > 0 {
		if c.in--; c.in == 0 {
			c.dead = true
			if c.after {
				_ = write()
			}
			return journal.ErrClosed
		}
	}
	return write()
}

func (c *crashing) Commit(ctx context.Context, k journal.Commit) error {
	return c.store(func() error { return c.Journal.Commit(ctx, k) })
}

func (c *crashing) AcceptFrame(ctx context.Context, f journal.Frame) (got journal.Accepted, err error) {
	err = c.store(func() error {
		got, err = c.Journal.AcceptFrame(ctx, f)
		return err
	})
	return got, err
}

func (c *crashing) Load(ctx context.Context, id string) (journal.Conversation, error) {
	if c.isDead() {
		return journal.Conversation{}, journal.ErrClosed
	}
	return c.Journal.Load(ctx, id)
}

func (c *crashing) FindLeg(ctx context.Context, account, key string) (journal.Leg, error) {
	if c.isDead() {
		return journal.Leg{}, journal.ErrClosed
	}
	return c.Journal.FindLeg(ctx, account, key)
}

// answer is what the far side makes of a try.
type answer struct {
	attempt engine.Attempt
	lost    bool // it never arrived
	took    time.Duration
}

// arrival is a call that reached the far side.
type arrival struct{ account, url, body string }

// farSide answers calls as told, then with 200.
type farSide struct {
	mu       sync.Mutex
	answers  []answer
	tries    int
	tokens   map[string]string // of the last try
	arrivals []arrival
	onCall   func(c adapter.Call)
	lists    bool // GET is answered with what arrived by POST
}

func (f *farSide) will(answers ...answer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answers = append(f.answers, answers...)
}

func (f *farSide) heal() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answers = nil
}

func (f *farSide) take(account string, c adapter.Call) answer {
	f.mu.Lock()
	defer f.mu.Unlock()
	a := answer{attempt: engine.Attempt{Status: 200}}
	if len(f.answers) > 0 {
		a, f.answers = f.answers[0], f.answers[1:]
	}
	f.tries++
	if f.lists && c.Method == http.MethodGet && a.attempt.Status == http.StatusOK {
		for _, b := range f.arrivals {
			a.attempt.Body = append(a.attempt.Body, b.body+" "...)
		}
	}
	if !a.lost {
		f.arrivals = append(f.arrivals, arrival{account, c.URL, string(c.Body)})
	}
	return a
}

// bodies are what arrived at an address, in order.
func (f *farSide) bodies(url string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []string
	for _, a := range f.arrivals {
		if a.url == url {
			out = append(out, a.body)
		}
	}
	return out
}

func (f *farSide) tried() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.tries
}

// line is one engine's way to the far side; it is cut when its process dies.
type line struct {
	*farSide
	journal *crashing
}

func (l line) Call(ctx context.Context, account, _ string, tokens map[string]string, c adapter.Call) engine.Attempt {
	l.mu.Lock()
	l.tokens = tokens
	l.mu.Unlock()
	if l.journal.isDead() {
		return engine.Attempt{Reason: adapter.ReasonRefused}
	}
	if l.onCall != nil {
		l.onCall(c)
	}
	a := l.take(account, c)
	select {
	case <-time.After(a.took):
		return a.attempt
	case <-ctx.Done():
		return engine.Attempt{Reason: adapter.ReasonUnknown}
	}
}

// plugins run adapters in process and can be down or die.
type plugins struct {
	mu    sync.Mutex
	defs  map[string]adapter.Definition
	down  bool
	dies  func(t adapter.Turn) bool
	turns []adapter.Turn

	running sync.Mutex // one turn at a time
}

func (p *plugins) Turn(_ context.Context, name string, t adapter.Turn) (adapter.Outcome, error) {
	p.mu.Lock()
	p.turns = append(p.turns, t)
	down, dies, def := p.down, p.dies != nil && p.dies(t), p.defs[name]
	p.mu.Unlock()
	switch {
	case down:
		return adapter.Outcome{}, fmt.Errorf("not there: %w", engine.ErrUnavailable)
	case dies:
		return adapter.Outcome{}, fmt.Errorf("process died")
	}
	p.running.Lock()
	defer p.running.Unlock()
	return adapter.Run(def, t), nil
}

// with lets a test look at what its adapters share with it, between turns.
func (p *plugins) with(look func()) {
	p.running.Lock()
	defer p.running.Unlock()
	look()
}

// process is one engine's way to the plugins; it is cut when the engine dies.
type process struct {
	*plugins
	journal *crashing
}

func (p process) Turn(ctx context.Context, name string, t adapter.Turn) (adapter.Outcome, error) {
	if p.journal.isDead() {
		return adapter.Outcome{}, engine.ErrUnavailable
	}
	return p.plugins.Turn(ctx, name, t)
}

func (p *plugins) set(change func(*plugins)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(p)
}

// inputs are the inputs of one type the adapters were given.
func inputs[T adapter.Input](p *plugins) []T {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []T
	for _, t := range p.turns {
		if in, ok := t.Input.(T); ok {
			all = append(all, in)
		}
	}
	return all
}

// puppet is an adapter without state.
func puppet(handle func(tx *adapter.Tx, in adapter.Input) error) adapter.Definition {
	return adapter.Definition{Manifest: adapter.Manifest{StateVersion: 1},
		Adapter: adapter.Func(func(tx *adapter.Tx, _ *struct{}, in adapter.Input) error { return handle(tx, in) })}
}

// rig is an engine over a journal that outlives it.
type rig struct {
	t       *testing.T
	disk    *memory
	store   engine.Journal
	journal *crashing
	engine  *engine.Engine
	far     *farSide
	plugins *plugins
	desk    *desk
	dialler func(*crashing) dialler
	media   engine.Media
	setup   *engine.Setup
	dead    []*engine.Engine

	mu    sync.Mutex
	fatal []error
}

func newRig(t *testing.T) *rig {
	r := &rig{t: t, disk: newMemory(), far: &farSide{}, desk: &desk{}, setup: setup(),
		plugins: &plugins{defs: map[string]adapter.Definition{"front": front()}}}
	r.store = r.disk
	t.Cleanup(r.close)
	return r
}

// open starts an engine on what the disk holds.
func (r *rig) open() {
	r.t.Helper()
	r.journal = &crashing{Journal: r.store}
	var dials engine.Dialer
	if r.dialler != nil {
		dials = r.dialler(r.journal)
	}
	r.engine = engine.New(engine.Options{Journal: r.journal, Dialer: dials, Media: r.media, Turner: process{r.plugins, r.journal}, Caller: line{r.far, r.journal}, Desk: r.desk, Setup: r.setup,
		Fatal: func(err error) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.fatal = append(r.fatal, err)
		}})
	if err := r.engine.Start(context.Background()); err != nil {
		r.t.Fatal(err)
	}
}

// close ends the engines, the crashed ones too.
func (r *rig) close() {
	r.t.Helper()
	if r.engine == nil {
		return
	}
	for _, e := range append(r.dead, r.engine) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		if err := e.Close(ctx); err != nil {
			r.t.Errorf("close: %v", err)
		}
		cancel()
	}
	r.dead = nil
}

// restart closes the engine in order and opens another.
func (r *rig) restart() {
	r.t.Helper()
	r.close()
	r.open()
}

// crash leaves the engine where it is and opens another.
func (r *rig) crash() {
	r.t.Helper()
	r.journal.die()
	r.dead = append(r.dead, r.engine)
	r.open()
}

// arrive sends a request as a vendor does, and returns when all that follows from it
// without a wait has happened: what a test does next does not race it.
func (r *rig) arrive(ep adapter.Endpoint, key, text string) engine.Receipt {
	r.t.Helper()
	receipt, err := r.try(ep, key, text)
	if err != nil {
		r.t.Fatalf("%s %s: %v", ep.Name, text, err)
	}
	synctest.Wait()
	return receipt
}

// try sends a request until it is stored or refused.
func (r *rig) try(ep adapter.Endpoint, key, text string) (engine.Receipt, error) {
	body, _ := json.Marshal(map[string]string{"text": text})
	in := adapter.Request{Endpoint: ep.Name, Method: "POST", Body: body}
	if ep.Answer == adapter.AnswerReply {
		in.ReplyBy = time.Now().Add(5 * time.Second)
	}
	return r.engine.Accept(context.Background(), engine.Arrival{Account: "studio", Endpoint: ep, Key: key, Dedup: text, Request: in})
}

// await waits for the answer as long as a vendor does.
func (r *rig) await(receipt engine.Receipt) (adapter.Reply, bool) {
	ctx, cancel := context.WithTimeout(context.Background(), 6*time.Second)
	defer cancel()
	return r.engine.Await(ctx, receipt)
}

func (r *rig) do(id string, body event.Body) (event.Event, error) {
	return r.engine.Do(context.Background(), engine.Command{Conversation: id, Role: event.RoleLiveAgent,
		Actor: event.Actor{Role: event.RoleLiveAgent, ID: "sam"}, Body: body})
}

// must is do as arrive is try.
func (r *rig) must(id string, body event.Body) event.Event {
	r.t.Helper()
	e, err := r.do(id, body)
	if err != nil {
		r.t.Fatalf("%s: %v", body.Kind(), err)
	}
	synctest.Wait()
	return e
}

// active brings a conversation to where the desk has it, and gives its id.
func (r *rig) active() string {
	r.t.Helper()
	receipt := r.arrive(start(), "s1", "start")
	r.must(receipt.Conversation, event.HandoffAccepted{})
	if got, ok := r.await(receipt); !ok || got.Status != 200 {
		r.t.Fatalf("start got %d %v", got.Status, ok)
	}
	r.engine.Written(receipt, true)
	return receipt.Conversation
}

// say sends the customer an agent's words.
func (r *rig) say(id, text string) event.Event {
	r.t.Helper()
	return r.must(id, event.MessageCreated{Content: event.Plain(text)})
}

// kinds are the events of a conversation, as "role kind".
func (r *rig) kinds(id string) []string {
	var out []string
	for _, e := range r.events(id) {
		out = append(out, string(e.Actor.Role)+" "+string(e.Kind()))
	}
	return out
}

func (r *rig) events(id string) []event.Event {
	events, err := r.store.Events(context.Background(), id, 0, 100000)
	if err != nil {
		r.t.Fatal(err)
	}
	return events
}

func (r *rig) has(id, kind string) bool { return slices.Contains(r.kinds(id), kind) }

// outcome is how the one event ended at the front's leg.
func (r *rig) outcome(e event.Event) journal.Delivery {
	r.t.Helper()
	var all []journal.Delivery
	for _, d := range r.disk.outcomeOf(e.ID) {
		if d.Leg == e.Conversation+".1" {
			all = append(all, d)
		}
	}
	if len(all) != 1 {
		r.t.Fatalf("%s has outcomes %v", e.Kind(), all)
	}
	return all[0]
}

// unsettled lists what the journal's legs still have under way.
func unsettled(disk *memory) []string {
	var out []string
	for id := range disk.convos {
		out = append(out, underWay(disk, id)...)
	}
	return out
}

// underWay lists the same of one conversation.
func underWay(from engine.Journal, id string) []string {
	c, err := from.Load(context.Background(), id)
	if err != nil {
		return []string{err.Error()}
	}
	var out []string
	for _, l := range c.Legs {
		var doc map[string]json.RawMessage
		if err := json.Unmarshal(l.Data, &doc); err != nil {
			out = append(out, err.Error())
		}
		for _, part := range []string{"queue", "delivery", "calls", "held", "sends"} {
			if v := string(doc[part]); v != "" && v != "{}" && v != "[]" && v != "null" {
				out = append(out, fmt.Sprintf("leg %s %s %s", l.ID, part, v))
			}
		}
	}
	for _, f := range c.Pending {
		out = append(out, "frame "+f.ID)
	}
	return out
}

// timers is a setup with other limits.
func (r *rig) timers(t conversation.Timers) { r.setup.Routes[0].Timers = t }

func text(e event.Event) string {
	if m, ok := e.Body.(event.MessageCreated); ok {
		if t, ok := m.Content.Part.(event.Text); ok {
			return t.Text
		}
	}
	return ""
}

// pass lets time go by in a bubble, and all that follows happen.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
