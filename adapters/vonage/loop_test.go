package vonage_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/footbridge/footbridge/adapters/vonage"
	"github.com/footbridge/footbridge/adapters/vonage/vonagesim"
	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

const secret = "the-real-key"

// loop runs one leg of the adapter on real sockets: requests become turns, calls
// are made, their answers become turns.
type loop struct {
	t       *testing.T
	account adapter.Account
	mu      sync.Mutex
	key     string
	state   []byte
	turns   int
	replies map[string]chan adapter.Reply
	emitted chan event.Event
	failed  []string
}

func newLoop(t *testing.T, role, key string) *loop {
	return &loop{t: t, account: adapter.Account{Name: "a", Role: event.Role(role), Credentials: []string{"key"}}, key: key,
		replies: map[string]chan adapter.Reply{}, emitted: make(chan event.Event, 100)}
}

// turn performs a turn, then makes its calls, each a turn again.
func (l *loop) turn(in adapter.Input) {
	l.mu.Lock()
	l.turns++
	out := adapter.Run(vonage.Definition(), adapter.Turn{ID: fmt.Sprint(l.turns), Account: l.account, Key: l.key, Conversation: "c",
		Now: time.Now(), State: l.state, StateVersion: 1, Placeholders: map[string]string{"key": "{{key}}"}, Input: in})
	if out.Err != "" {
		l.t.Error(out.Err)
	}
	l.state = out.State
	var calls []adapter.Calling
	for _, effect := range out.Effects {
		switch e := effect.(type) {
		case adapter.Emission:
			l.emitted <- event.Event{Actor: e.Actor, Body: e.Body, Ref: e.Ref}
		case adapter.Answer:
			l.replies[e.Request] <- e.Reply
		case adapter.Calling:
			calls = append(calls, e)
		case adapter.Binding:
			l.key = e.Key
		case adapter.Failure:
			l.failed = append(l.failed, e.Reason)
		}
	}
	l.mu.Unlock()
	for _, c := range calls {
		l.turn(l.call(c))
	}
}

func (l *loop) call(c adapter.Calling) adapter.Result {
	r := adapter.Result{Tag: c.Tag}
	req, err := http.NewRequestWithContext(l.t.Context(), c.Call.Method, c.Call.URL, bytes.NewReader(c.Call.Body))
	if err != nil {
		l.t.Error(err)
		return r
	}
	for name, values := range c.Call.Header {
		req.Header.Set(name, strings.ReplaceAll(values[0], "{{key}}", secret))
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		r.Reason = adapter.ReasonUnknown
		return r
	}
	defer res.Body.Close()
	r.Status, r.Header = res.StatusCode, res.Header
	r.Body, _ = io.ReadAll(res.Body)
	return r
}

func (l *loop) deliver(id string, role event.Role, body event.Body) {
	l.turn(adapter.Deliver{Event: event.Event{ID: id, Conversation: "c", Actor: event.Actor{Role: role}, Body: body, Time: time.Now()}})
}

// ServeHTTP serves the profile's endpoints; an unknown session is refused as the
// endpoint says.
func (l *loop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	profile, err := vonage.Definition().Configure(l.account)
	if err != nil {
		l.t.Error(err)
	}
	for _, e := range profile.Endpoints {
		if !strings.HasPrefix(r.URL.Path, strings.Split(e.Path, "{")[0]) {
			continue
		}
		body, _ := io.ReadAll(r.Body)
		id := fmt.Sprintf("%p", r)
		reply := make(chan adapter.Reply, 2)
		l.mu.Lock()
		l.replies[id] = reply
		l.mu.Unlock()
		l.turn(adapter.Request{ID: id, Endpoint: e.Name, Method: r.Method, Path: r.URL.Path, Body: body})
		answer := e.Default
		if e.Answer == adapter.AnswerReply {
			answer = <-reply
		}
		w.WriteHeader(answer.Status)
		_, _ = w.Write(answer.Body)
		return
	}
	l.t.Errorf("no endpoint for %s", r.URL.Path)
}

// next is the next emission, which must be of the kind.
func (l *loop) next(kind event.Kind) event.Event {
	l.t.Helper()
	select {
	case e := <-l.emitted:
		if e.Kind() != kind {
			l.t.Fatalf("emitted %s, want %s", e.Kind(), kind)
		}
		return e
	case <-time.After(5 * time.Second):
		l.t.Fatalf("no %s within 5 s", kind)
	}
	return event.Event{}
}

func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func TestRoutingAgainstTheStudio(t *testing.T) {
	l := newLoop(t, "virtual_agent", "s-1")
	studio := vonagesim.NewStudio(vonagesim.Options{Key: secret, BridgeURL: serve(t, l)})
	defer studio.Close()
	l.account.Settings = fmt.Appendf(nil, `{"base_url":%q}`, serve(t, studio.Handler()))

	started := make(chan vonagesim.Answer, 1)
	go func() {
		a, err := studio.Start(t.Context(), "s-1", vonagesim.Begin{
			Transcript: []vonagesim.Line{{Author: "Agent", Text: "Hi"}, {Author: "User", Text: "a person"}},
			Parameters: vonagesim.WhatsApp("s-1", "447700900001", "Ada")})
		if err != nil {
			t.Error(err)
		}
		started <- a
	}()
	l.next(event.KindParticipantJoined)
	asked := l.next(event.KindHandoffRequested).Body.(event.HandoffRequested)
	if len(asked.Transcript) != 2 || asked.Context["PROFILE_NAME"] != "Ada" {
		t.Errorf("asked with %+v", asked)
	}
	l.deliver("e-1", event.RoleLiveAgent, event.HandoffAccepted{})
	if a := <-started; a.Status != http.StatusOK {
		t.Fatalf("start answered %d", a.Status)
	}

	if a, err := studio.Say(t.Context(), "s-1", "are you there?"); err != nil || a.Status != http.StatusOK {
		t.Errorf("inbound answered %v, %v", a, err)
	}
	if got := l.next(event.KindMessageCreated).Body.(event.MessageCreated).Content; got != event.Plain("are you there?") {
		t.Errorf("the customer said %v", got)
	}
	long := strings.Repeat("0123456789", 1000)
	l.deliver("e-2", event.RoleLiveAgent, event.MessageCreated{Content: event.Plain("I am")})
	l.deliver("e-3", event.RoleLiveAgent, event.MessageCreated{Content: event.Plain(long)})
	shown := studio.Shown("s-1")
	if len(shown) != 4 || shown[0] != "I am" || strings.Join(shown[1:], "") != long {
		t.Errorf("the customer saw %d messages, %.80q", len(shown), shown)
	}

	l.deliver("e-4", event.RoleLiveAgent, event.HandbackRequested{})
	l.next(event.KindHandbackCompleted)
	if got := studio.State("s-1"); got != vonagesim.StateVirtualAgent {
		t.Errorf("the session is with %q", got)
	}
}

func TestRoutingWhenTheCustomerIsGone(t *testing.T) {
	l := newLoop(t, "virtual_agent", "s-1")
	studio := vonagesim.NewStudio(vonagesim.Options{Key: secret, BridgeURL: serve(t, l)})
	defer studio.Close()
	l.account.Settings = fmt.Appendf(nil, `{"base_url":%q}`, serve(t, studio.Handler()))
	go func() { _, _ = studio.Start(t.Context(), "s-1", vonagesim.Begin{}) }()
	l.next(event.KindHandoffRequested)
	studio.End("s-1")
	l.deliver("e-1", event.RoleLiveAgent, event.MessageCreated{Content: event.Plain("hello?")})
	if got := l.next(event.KindConversationEnded).Body; got != (event.ConversationEnded{Reason: "gone", By: event.RoleCustomer}) {
		t.Errorf("ended with %+v", got)
	}
	if !slices.Equal(l.failed, []string{"gone"}) {
		t.Errorf("failed with %q", l.failed)
	}
}

func TestDeskAgainstALiveAgentServer(t *testing.T) {
	l := newLoop(t, "live_agent", "c")
	desk := vonagesim.NewDesk(vonagesim.DeskOptions{Key: secret, BridgeURL: serve(t, l)})
	l.account.Settings = fmt.Appendf(nil, `{"base_url":%q}`, serve(t, desk.Handler()))

	l.deliver("e-1", event.RoleVirtualAgent, event.HandoffRequested{Transcript: []event.TranscriptEntry{
		{Actor: event.Actor{Role: event.RoleCustomer}, Content: event.Plain("a person")}}})
	l.next(event.KindHandoffQueued)
	session := desk.Sessions()[0]
	if a, err := desk.SayBare(t.Context(), session, "Hello"); err != nil || a.Status != http.StatusOK {
		t.Errorf("outbound answered %v, %v", a, err)
	}
	l.next(event.KindMessageCreated)
	l.deliver("e-2", event.RoleCustomer, event.MessageCreated{Content: event.Plain("hi")})
	l.deliver("e-3", event.RoleCustomer, event.MessageCreated{Content: event.Content{Part: event.Media{Kind: "image", URL: "https://files.example/a.png"}}})
	if got := desk.Shown(session); !slices.Equal(got, []string{"hi", "https://files.example/a.png"}) {
		t.Errorf("the agent saw %q", got)
	}
	for _, want := range []int{http.StatusOK, http.StatusNotFound} {
		if a, err := desk.Disconnect(t.Context(), session); err != nil || a.Status != want {
			t.Errorf("disconnect answered %v, %v, want %d", a, err, want)
		}
	}
	l.next(event.KindHandbackRequested)
	if a, _ := desk.Say(t.Context(), "another", "x"); a.Status != http.StatusNotFound {
		t.Errorf("an unknown session answered %d", a.Status)
	}
}
