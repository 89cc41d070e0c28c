package engine_test

import (
	"context"
	"slices"
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

// askingRig is a wired rig whose customer's far side asks and stays for the answer.
func askingRig(t *testing.T) (*rig, *exchange) {
	r, x := wiredRig(t)
	r.shownTo(func(l *adapter.Levels) { l.Push = adapter.PushNone })
	return r, x
}

// deviant is an adapter that does otherwise with some inputs: for these it is true.
type deviant struct {
	adapter.Adapter
	deviates func(*adapter.Tx, adapter.Input) bool
}

func (d deviant) Handle(tx *adapter.Tx, in adapter.Input) error {
	if d.deviates(tx, in) {
		return nil
	}
	return d.Adapter.Handle(tx, in)
}

// deviates lets a side of the conversation, widget or brain, do otherwise.
func (r *rig) deviates(side string, how func(*adapter.Tx, adapter.Input) bool) {
	d := r.plugins.defs[side]
	d.Adapter = deviant{d.Adapter, how}
	r.plugins.defs[side] = d
}

// hears lets a side emit what it is given for something its far side says; for nil
// it does as it always does.
func (r *rig) hears(side string, emits func(said string) []adapter.Emission) {
	r.deviates(side, func(tx *adapter.Tx, in adapter.Input) bool {
		f, framed := in.(adapter.Frame)
		if !framed {
			return false
		}
		all := emits(string(f.Data))
		for _, e := range all {
			tx.Emit(e)
		}
		return all != nil
	})
}

// by is what an actor of a role emits.
func by(role event.Role, bodies ...event.Body) []adapter.Emission {
	var all []adapter.Emission
	for _, b := range bodies {
		all = append(all, adapter.Emission{Actor: event.Actor{Role: role, ID: map[event.Role]string{event.RoleCustomer: "c"}[role]}, Body: b})
	}
	return all
}

// only is what one thing that is said leads to.
func only(said string, emits []adapter.Emission) func(string) []adapter.Emission {
	return func(text string) []adapter.Emission {
		if text != said {
			return nil
		}
		return emits
	}
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
