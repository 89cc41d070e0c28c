package engine_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/conversation"
	"github.com/footbridge/footbridge/bridge/internal/engine"
)

// cable is one connection in a test's hands.
type cable struct {
	journal *crashing
	mu      sync.Mutex
	got     []string
	code    int
	outcome string // of the next write; empty is written
	heard   func(string, []byte, bool)
	ready   chan struct{}
	gone    chan struct{}
	once    sync.Once
}

func newCable(j *crashing) *cable {
	return &cable{journal: j, ready: make(chan struct{}), gone: make(chan struct{})}
}

func (c *cable) Run(heard func(string, []byte, bool)) adapter.Closed {
	c.heard = heard
	close(c.ready)
	<-c.gone
	return adapter.Closed{Code: c.code, Reason: adapter.ClosedByPeer}
}

func (c *cable) Write(_ context.Context, m engine.Message) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.journal.isDead() {
		return adapter.SentUnsent
	}
	outcome := c.outcome
	c.outcome = ""
	if outcome == "" || outcome == adapter.SentUnknown {
		c.got = append(c.got, string(m.Data))
	}
	if outcome == "" {
		return adapter.SentWritten
	}
	return outcome
}

func (c *cable) Close(code int) {
	c.once.Do(func() { c.code = code; close(c.gone) })
}

// hear lets the far side say something.
func (c *cable) hear(text string) {
	select {
	case <-c.ready:
		c.heard("", []byte(text), false)
	case <-c.gone:
	}
}

func (c *cable) received() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.got)
}

// exchange takes the dials of a test's engines.
type exchange struct {
	mu     sync.Mutex
	cables []*cable
	fails  []engine.Attempt
	dials  int
	// dialling is told of every try; it may be nil.
	dialling func(adapter.Dial)
}

func (x *exchange) by(j *crashing) dialler { return dialler{x, j} }

type dialler struct {
	*exchange
	journal *crashing
}

func (d dialler) Dial(_ context.Context, _, _ string, _ map[string]string, dial adapter.Dial) (engine.Link, engine.Attempt) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.dialling != nil {
		d.dialling(dial)
	}
	d.dials++
	if d.journal.isDead() {
		return nil, engine.Attempt{Reason: adapter.ReasonRefused}
	}
	if len(d.fails) > 0 {
		f := d.fails[0]
		d.fails = d.fails[1:]
		return nil, f
	}
	c := newCable(d.journal)
	d.cables = append(d.cables, c)
	return c, engine.Attempt{}
}

// last is the newest connection dialled.
func (x *exchange) last() *cable {
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.cables) == 0 {
		return nil
	}
	return x.cables[len(x.cables)-1]
}

type wired struct {
	Conn   string
	Failed bool
}

// widget serves a customer's socket; brain dials one for every conversation.
func widget(tx *adapter.Tx, s *wired, in adapter.Input) error {
	switch in := in.(type) {
	case adapter.Opened:
		s.Conn = in.Conn
	case adapter.Closed:
		if s.Conn == in.Conn {
			s.Conn = ""
		}
	case adapter.Frame:
		tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleCustomer, ID: "c"}, Body: event.MessageCreated{Content: event.Plain(string(in.Data))}})
	case adapter.Sent:
		if in.Outcome != adapter.SentWritten {
			tx.Later()
		}
	case adapter.Deliver:
		speak(tx, s.Conn, in)
	}
	return nil
}

func speak(tx *adapter.Tx, conn string, in adapter.Deliver) {
	m, ok := in.Event.Body.(event.MessageCreated)
	switch {
	case !ok:
	case conn == "":
		tx.Later()
	default:
		mark := ""
		if in.MaybeDuplicate {
			mark = "again: "
		}
		t, _ := m.Content.Part.(event.Text)
		tx.Send("words", conn, []byte(mark+t.Text))
	}
}

func brain(tx *adapter.Tx, s *wired, in adapter.Input) error {
	switch in := in.(type) {
	case adapter.Opened:
		s.Conn = in.Conn
	case adapter.Closed:
		*s = wired{Failed: in.Reason == adapter.ClosedDialFailed}
	case adapter.Frame:
		tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleVirtualAgent}, Body: event.MessageCreated{Content: event.Plain(string(in.Data))}})
	case adapter.Sent:
		if in.Outcome != adapter.SentWritten {
			tx.Later()
		}
	case adapter.Deliver:
		_, words := in.Event.Body.(event.MessageCreated)
		switch {
		case s.Failed:
			s.Failed = false
			tx.Fail("nobody there")
		case words && s.Conn == "":
			tx.Dial("line", adapter.Dial{URL: "ws://brain.example", GiveUp: 10 * time.Second})
			tx.Later()
		default:
			speak(tx, s.Conn, in)
		}
	}
	return nil
}

func definition(handle func(*adapter.Tx, *wired, adapter.Input) error) adapter.Definition {
	return adapter.Definition{Manifest: adapter.Manifest{StateVersion: 1}, Adapter: adapter.Func(handle)}
}

// wiredRig is a rig where both sides of the conversation are sockets.
func wiredRig(t *testing.T) (*rig, *exchange) {
	r, x := newRig(t), &exchange{}
	socket := adapter.Endpoint{Name: "ws", Transport: adapter.TransportWebSocket, Unknown: adapter.UnknownOpen}
	r.setup = &engine.Setup{
		Accounts: map[string]engine.Account{
			"studio": {Name: "studio", Adapter: "widget", Role: event.RoleCustomer,
				Profile: adapter.Profile{Levels: adapter.Levels{Push: adapter.PushSocket}, Endpoints: []adapter.Endpoint{socket}}},
			"brain": {Name: "brain", Adapter: "brain", Role: event.RoleVirtualAgent},
			"desk":  {Name: "desk", Adapter: engine.Native, Role: event.RoleLiveAgent},
		},
		Routes: []engine.Route{{Name: "web", Customer: "studio", VirtualAgent: "brain", LiveAgents: []string{"desk"},
			Timers: conversation.Timers{Waiting: time.Minute, AgentSilence: time.Hour, Total: 24 * time.Hour}}},
		Text: func(_, key string) string { return "text " + key },
	}
	r.plugins.defs["widget"], r.plugins.defs["brain"] = definition(widget), definition(brain)
	r.dialler = x.by
	r.open()
	return r, x
}

// call opens a customer's socket.
func (r *rig) call() *cable {
	r.t.Helper()
	c := newCable(r.journal)
	err := r.engine.Connect(context.Background(), engine.Arrival{Account: "studio", Key: "ada", Opened: &adapter.Opened{Endpoint: "ws"},
		Endpoint: adapter.Endpoint{Name: "ws", Transport: adapter.TransportWebSocket, Unknown: adapter.UnknownOpen}}, c)
	if err != nil {
		r.t.Fatalf("connect: %v", err)
	}
	synctest.Wait()
	return c
}

func (r *rig) closedReasons() []string {
	var out []string
	for _, in := range inputs[adapter.Closed](r.plugins) {
		out = append(out, in.Reason)
	}
	return out
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func TestWordsGoFromSocketToSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, x := wiredRig(t)
		client := r.call()
		client.hear("one")
		client.hear("two")
		pass(time.Second)
		far := x.last()
		same(t, "the virtual agent", far.received(), []string{"one", "two"})
		far.hear("answer")
		pass(time.Second)
		same(t, "the customer", client.received(), []string{"answer"})
		if left := unsettled(r.disk); len(left) > 0 || x.dials != 1 {
			t.Errorf("%d dials, left %q", x.dials, left)
		}
	})
}

func TestLostConnectionsAreToldOnceAndWordsWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, x := wiredRig(t)
		client := r.call()
		client.hear("one")
		pass(time.Second)
		r.crash()
		pass(time.Second)
		same(t, "connections ended", r.closedReasons(), []string{adapter.ClosedLost, adapter.ClosedLost})
		r.restart()
		pass(time.Second)
		if n := len(r.closedReasons()); n != 2 {
			t.Errorf("after another restart there are %d ends", n)
		}
		client = r.call()
		client.hear("two")
		pass(time.Second)
		same(t, "the virtual agent on its new line", x.last().received(), []string{"two"})
		client.Close(1001)
		pass(time.Second)
		x.last().hear("for later")
		pass(time.Hour)
		client = r.call()
		pass(time.Second)
		same(t, "the customer, back again", client.received(), []string{"for later"})
	})
}

func TestNewerSocketReplacesTheOlder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, x := wiredRig(t)
		first := r.call()
		first.hear("one")
		pass(time.Second)
		second := r.call()
		pass(time.Second)
		if first.code != engine.CloseReplaced {
			t.Errorf("the older socket was closed with %d", first.code)
		}
		same(t, "ends", r.closedReasons(), []string{adapter.ClosedReplaced})
		x.last().hear("hello")
		pass(time.Second)
		same(t, "the older", first.received(), nil)
		same(t, "the newer", second.received(), []string{"hello"})
	})
}

func TestUnknownSendIsRepeatedAndMarked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, x := wiredRig(t)
		client := r.call()
		client.hear("one")
		pass(time.Second)
		for outcome, want := range map[string]string{adapter.SentUnknown: "again: hello", adapter.SentUnsent: "hello"} {
			client.mu.Lock()
			client.outcome = outcome
			client.mu.Unlock()
			x.last().hear("hello")
			pass(time.Second)
			if client.code != 1013 {
				t.Errorf("%s: the connection goes on, and what follows could overtake: %d", outcome, client.code)
			}
			client = r.call()
			pass(time.Second)
			same(t, outcome, client.received(), []string{want})
		}
	})
}

func TestDialIsTriedUntilItIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, x := wiredRig(t)
		for range 100 {
			x.fails = append(x.fails, engine.Attempt{Status: 503})
		}
		client := r.call()
		client.hear("one")
		pass(time.Minute)
		ends := inputs[adapter.Closed](r.plugins)
		if len(ends) != 1 || ends[0].Reason != adapter.ClosedDialFailed || ends[0].Status != 503 || x.dials < 3 || x.dials > 60 {
			t.Errorf("after %d dials: %+v", x.dials, ends)
		}
		if left := unsettled(r.disk); len(left) > 0 {
			t.Errorf("left %q", left)
		}
		x.mu.Lock()
		x.fails = []engine.Attempt{{Reason: adapter.ReasonRefused}, {Status: 401}}
		x.mu.Unlock()
		before := x.dials
		client.hear("two")
		pass(time.Minute)
		if n := x.dials - before; n != 2 {
			t.Errorf("a dial that is refused for good was tried %d times", n)
		}
	})
}

// TestEverySendEndsOnceAcrossCrashes crashes at every commit there is.
func TestEverySendEndsOnceAcrossCrashes(t *testing.T) {
	for at := 1; at < 30; at++ {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprint(at, after), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { crashAt(t, at, after) })
			})
		}
	}
}

func crashAt(t *testing.T, at int, after bool) {
	r, x := wiredRig(t)
	client := r.call()
	r.journal.dieIn(at, after)
	go func() {
		client.hear("one")
		client.hear("two")
	}()
	pass(time.Second)
	if far := x.last(); far != nil {
		go far.hear("answer")
	}
	pass(time.Minute)
	r.crash()
	pass(time.Second)
	stored := 0
	for _, c := range r.disk.conversations() {
		for _, e := range r.events(c) {
			if e.Actor.Role == event.RoleCustomer && e.Kind() == event.KindMessageCreated {
				stored++
			}
		}
	}
	client = r.call()
	client.hear("three")
	pass(time.Minute)
	var reached []string
	for _, c := range x.cables {
		reached = append(reached, c.received()...)
	}
	words := map[string]int{}
	for _, w := range reached {
		words[strings.TrimPrefix(w, "again: ")]++
	}
	for i, word := range []string{"one", "two"}[:stored] {
		if words[word] == 0 {
			t.Errorf("stored word %d %q never reached the virtual agent: %q", i, word, reached)
		}
	}
	if words["three"] != 1 || len(reached) > stored+2 {
		t.Errorf("%d words stored before, and the virtual agent got %q", stored, reached)
	}
	if left := unsettled(r.disk); len(left) > 0 {
		t.Errorf("left %q", left)
	}
}
