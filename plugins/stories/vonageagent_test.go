package stories

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/footbridge/footbridge/adapters/vonage/vonagesim"
	"github.com/footbridge/footbridge/bridge/event"
)

// okapiFlow is what the simulated HTTP agent says in the stories.
func okapiFlow() vonagesim.Flow {
	return vonagesim.Flow{Greeting: "okapi hello", Back: "okapi welcome back", Failed: "okapi nobody is free", Turns: []vonagesim.Turn{
		{Word: "person", Texts: []string{"okapi, one moment"}, People: true},
		{Word: "marker", Texts: []string{"okapi, I ask for someone #live-agent#"}},
		{Word: "parameter", Texts: []string{"okapi, I look for someone"}, Parameters: []vonagesim.Parameter{{Name: "live_agent", Value: "yes"}, {Name: "queue", Value: "billing"}}},
		{Word: "bye", Texts: []string{"okapi, goodbye"}, End: true},
	}}
}

// flowRig has a customer's account, whose virtual agent is an HTTP agent of AI
// Studio with these settings more.
func flowRig(t *testing.T, customer, settings string) (*rig, *vonagesim.Studio) {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	r := newRig(t, setting{extra: account("shop", customer, "customer") +
		account("flow", flowAgent, "virtual_agent", at("http://"+server.Listener.Addr().String()), settings) + route("shop", "flow", "desk")})
	studio := vonagesim.NewStudio(vonagesim.Options{Key: flowKey, BridgeURL: "http://" + r.public + "/in/flow", Flow: okapiFlow()})
	server.Config.Handler = studio.Handler()
	server.Start()
	t.Cleanup(func() {
		_ = studio.Close()
		server.Close()
	})
	return r, studio
}

// theSession is the one the HTTP agent has.
func theSession(r *rig, studio *vonagesim.Studio) string {
	r.t.Helper()
	r.eventually("a session", func() bool { return len(studio.Sessions()) > 0 })
	return studio.Sessions()[0]
}

// attempts counts what came to an endpoint of AI Studio for a session; the
// session of an init is none yet.
func attempts(studio *vonagesim.Studio, endpoint, session string) int {
	n := 0
	for _, rec := range studio.Records() {
		if rec.Endpoint == endpoint && rec.Session == session && rec.Committed {
			n++
		}
	}
	return n
}

// TestHTTPAgentRoutesToTheDesk: a web chat talks to an HTTP agent over its
// socket; its flow asks for people by a start for the session we began, has the
// conversation back on the same session, and what was said to people is not
// stepped. The socket breaks meanwhile, or the bridge does.
func TestHTTPAgentRoutesToTheDesk(t *testing.T) {
	t.Parallel()
	for name, happens := range map[string]func(r *rig, studio *vonagesim.Studio){
		"calm":       func(*rig, *vonagesim.Studio) {},
		"line broke": func(r *rig, studio *vonagesim.Studio) { studio.Drop(theSession(r, studio)) },
		"bridge killed": func(r *rig, _ *vonagesim.Studio) {
			r.kill()
			r.ready()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, studio := flowRig(t, webChat, "")
			id, token := r.chatAt("pk_shop")
			r.answered(id, "okapi hello")
			session := theSession(r, studio)
			r.write(id, token, "1", "okapi one")
			r.answered(id, "You said: okapi one")
			r.write(id, token, "2", "okapi person please")
			r.inState(id, "queued")
			r.eventually("routed", func() bool { return studio.State(session) == vonagesim.StateLiveAgent })
			r.write(id, token, "3", "okapi while waiting")
			r.say(id, "accept", event.HandoffAccepted{})
			r.say(id, "words", event.MessageCreated{Content: event.Plain("okapi from the person")})
			r.write(id, token, "4", "okapi for the person")
			happens(r, studio)
			r.say(id, "more", event.MessageCreated{Content: event.Plain("okapi more from the person")})
			r.reads(id, "okapi more from the person")
			r.say(id, "back", event.HandbackRequested{UpTo: last(r.events(id))})
			r.inState(id, "automated")
			r.answered(id, "okapi welcome back")
			r.write(id, token, "5", "okapi again")
			r.answered(id, "You said: okapi again")
			said := []string{"okapi one", "okapi person please", "okapi while waiting", "okapi for the person", "okapi again"}
			seen := r.seenBy(id, token)
			tale{flows: []flow{
				{"the desk", said, texts(r.events(id), event.RoleCustomer)},
				{"the customer, of the live agent", []string{"okapi from the person", "okapi more from the person"}, texts(seen, event.RoleLiveAgent)},
				{"the customer, of the virtual agent", []string{"okapi hello", "You said: okapi one", "okapi, one moment", "okapi welcome back", "You said: okapi again"},
					texts(seen, event.RoleVirtualAgent)},
			}}.once(t)
			if got, want := studio.Heard(session), []string{"", "okapi one", "okapi person please", "okapi again"}; !slices.Equal(got, want) {
				t.Errorf("the HTTP agent heard %q, want %q", got, want)
			}
			if n := len(studio.Sessions()); n != 1 {
				t.Errorf("%d sessions were begun", n)
			}
			if n := attempts(studio, "disconnect", session); n != 1 {
				t.Errorf("%d disconnects", n)
			}
			if n := len(r.conversations()); n != 1 {
				t.Errorf("%d conversations", n)
			}
		})
	}
}

// TestHTTPAgentSessionEndsMeanwhile: the session is over when people give the
// conversation back; a new one begins and hears the summary first.
func TestHTTPAgentSessionEndsMeanwhile(t *testing.T) {
	t.Parallel()
	r, studio := flowRig(t, webChat, "")
	id, token := r.chatAt("pk_shop")
	r.answered(id, "okapi hello")
	old := theSession(r, studio)
	r.write(id, token, "1", "okapi person please")
	r.inState(id, "queued")
	r.say(id, "accept", event.HandoffAccepted{})
	r.say(id, "words", event.MessageCreated{Content: event.Plain("okapi from the person")})
	studio.End(old)
	r.eventually("the socket closed", func() bool { return !studio.Connected(old) })
	r.say(id, "back", event.HandbackRequested{UpTo: last(r.events(id)), Summary: "okapi was refunded"})
	r.inState(id, "automated")
	r.write(id, token, "2", "okapi again")
	r.answered(id, "You said: okapi again")
	all := studio.Sessions()
	if len(all) != 2 {
		t.Fatalf("%d sessions were begun, want 2", len(all))
	}
	if got, want := studio.Heard(all[1]), []string{"okapi was refunded", "okapi again"}; !slices.Equal(got, want) {
		t.Errorf("the new session heard %q, want %q", got, want)
	}
	r.write(id, token, "3", "okapi bye")
	r.inState(id, "ended")
	if got := texts(r.seenBy(id, token), event.RoleVirtualAgent); got[len(got)-1] != "okapi, goodbye" {
		t.Errorf("the flow's last words were %q", got)
	}
}

// TestHTTPAgentByRequests: where the HTTP agent is stepped by requests a marker
// or a parameter asks for people, and the same session goes on afterwards.
func TestHTTPAgentByRequests(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ setting, ask, words string }{
		"marker":    {`handoff_marker = "#live-agent#"`, "okapi marker please", "okapi, I ask for someone"},
		"parameter": {`handoff_parameter = "live_agent=yes"`, "okapi parameter please", "okapi, I look for someone"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, studio := flowRig(t, webChat, "step = \"http\"\n"+c.setting)
			id, token := r.chatAt("pk_shop")
			r.answered(id, "okapi hello")
			session := theSession(r, studio)
			r.write(id, token, "1", c.ask)
			r.answered(id, c.words)
			r.inState(id, "queued")
			r.say(id, "accept", event.HandoffAccepted{})
			r.write(id, token, "2", "okapi for the person")
			r.say(id, "words", event.MessageCreated{Content: event.Plain("okapi from the person")})
			r.reads(id, "okapi from the person")
			r.say(id, "back", event.HandbackRequested{UpTo: last(r.events(id))})
			r.inState(id, "automated")
			r.write(id, token, "3", "okapi again")
			r.answered(id, "You said: okapi again")
			tale{flows: []flow{
				{"the desk", []string{c.ask, "okapi for the person", "okapi again"}, texts(r.events(id), event.RoleCustomer)},
				{"the customer", []string{"okapi hello", c.words, "You said: okapi again"}, texts(r.seenBy(id, token), event.RoleVirtualAgent)},
			}}.once(t)
			if got, want := studio.Heard(session), []string{"", c.ask, "okapi again"}; !slices.Equal(got, want) {
				t.Errorf("the HTTP agent heard %q, want %q", got, want)
			}
			if sessions, n := len(studio.Sessions()), attempts(studio, "disconnect", session)+attempts(studio, "ws", session); sessions != 1 || n != 0 {
				t.Errorf("%d sessions were begun, %d frames and disconnects came", sessions, n)
			}
		})
	}
}

// widgetRig has the scripted virtual agent behind a served HTTP agent with these
// settings.
func widgetRig(t *testing.T, settings string) *rig {
	t.Helper()
	return newRig(t, setting{extra: account("widget", httpClient, "customer", settings) + route("widget", "helper", "desk")})
}

// widget begins a session as a widget's server does.
func (r *rig) widget(account string) *vonagesim.Widget {
	r.t.Helper()
	w := vonagesim.NewWidget(vonagesim.WidgetOptions{Key: widgetKey, BaseURL: "http://" + r.public + "/in/" + account,
		Client: &http.Client{Timeout: 40 * time.Second, Transport: r.client.Transport}})
	if a, err := w.Init(r.t.Context()); err != nil || a.Status != http.StatusOK {
		r.t.Fatalf("init: %v %v", a.Status, err)
	}
	r.t.Cleanup(w.Close)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tokens = append(r.tokens, w.Token)
	return w
}

// steps takes one step and gives the texts of its answer.
func (r *rig) steps(w *vonagesim.Widget, input string) []string {
	r.t.Helper()
	began := time.Now()
	a, said, err := w.Step(r.t.Context(), input)
	if err != nil || a.Status != http.StatusOK {
		r.t.Fatalf("step %q: %d %s %v", input, a.Status, a.Body, err)
	}
	if took := time.Since(began); took > 15*time.Second {
		r.t.Errorf("the answer to %q took %s: it was given up, not complete", input, took)
	}
	return said
}

// told steps until the widget was told something.
func (r *rig) told(w *vonagesim.Widget, text string) {
	r.t.Helper()
	r.eventually("the widget is told "+text, func() bool {
		return slices.Contains(w.Texts(), text) || slices.Contains(r.steps(w, ""), text)
	})
}

// TestWidgetStepsByRequests: a widget that was built for an HTTP agent steps us,
// reaches a person and the virtual agent again; what the person says comes with
// the next step, also when the bridge was killed in between.
func TestWidgetStepsByRequests(t *testing.T) {
	t.Parallel()
	for _, killed := range []bool{false, true} {
		t.Run(fmt.Sprintf("killed=%t", killed), func(t *testing.T) {
			t.Parallel()
			r := widgetRig(t, "")
			w := r.widget("widget")
			r.told(w, "okapi greeting\n1. Talk to a person")
			if got := r.steps(w, "okapi apples"); !slices.Equal(got, []string{"okapi about apples"}) {
				t.Errorf("the answer was %q", got)
			}
			r.steps(w, "okapi agent please")
			id := r.conversation(w.Session)
			r.inState(id, "queued")
			r.steps(w, "okapi while waiting")
			r.say(id, "accept", event.HandoffAccepted{})
			r.say(id, "one", event.MessageCreated{Content: event.Plain("okapi Sam here")})
			r.say(id, "two", event.MessageCreated{Content: event.Plain("okapi what is it")})
			if killed {
				r.kill()
				r.ready()
			}
			if got := only(r.steps(w, "okapi for Sam"), "okapi Sam here", "okapi what is it"); len(got) != 2 {
				t.Errorf("the next step brought %q of the person", got)
			}
			r.say(id, "three", event.MessageCreated{Content: event.Plain("okapi I see")})
			r.told(w, "okapi I see")
			r.say(id, "back", event.HandbackRequested{UpTo: last(r.events(id))})
			r.inState(id, "automated")
			r.steps(w, "okapi pears")
			r.told(w, "okapi about pears")
			tale{flows: []flow{
				{"the desk", []string{"okapi apples", "okapi agent please", "okapi while waiting", "okapi for Sam", "okapi pears"}, texts(r.events(id), event.RoleCustomer)},
				{"the widget", []string{"okapi about apples", "okapi Sam here", "okapi what is it", "okapi I see", "okapi about pears"}, w.Texts()},
			}}.once(t)
		})
	}
}

// TestWidgetIsGoneWhenItIsAnswered: what a person says while a step has nobody
// waiting for its answer any more comes with a later step: the widget has left,
// or the bridge was killed.
func TestWidgetIsGoneWhenItIsAnswered(t *testing.T) {
	t.Parallel()
	for _, killed := range []bool{false, true} {
		t.Run(fmt.Sprintf("killed=%t", killed), func(t *testing.T) {
			t.Parallel()
			r := widgetRig(t, `step_wait = "1s"`)
			w := r.widget("widget")
			r.steps(w, "okapi agent please")
			id := r.conversation(w.Session)
			r.say(id, "accept", event.HandoffAccepted{})
			for len(r.steps(w, "")) > 0 { // until there is nothing new
			}
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			if killed {
				time.AfterFunc(200*time.Millisecond, r.kill)
			}
			if a, _, err := w.Step(ctx, ""); err == nil {
				t.Fatalf("a step that asks what is new was answered %s at once", a.Body)
			}
			r.ready()
			r.say(id, "one", event.MessageCreated{Content: event.Plain("okapi to nobody")})
			time.Sleep(1500 * time.Millisecond) // the answer would be given meanwhile
			r.say(id, "two", event.MessageCreated{Content: event.Plain("okapi to you")})
			r.told(w, "okapi to you")
			if got, want := only(w.Texts(), "okapi to nobody", "okapi to you"), []string{"okapi to nobody", "okapi to you"}; !slices.Equal(got, want) {
				t.Errorf("the widget was told %q, want %q", got, want)
			}
		})
	}
}

// TestWidgetOnASocket: the same on one connection, and after a crash of the
// bridge on the next.
func TestWidgetOnASocket(t *testing.T) {
	t.Parallel()
	r := widgetRig(t, "")
	w := r.widget("widget")
	open := func() {
		t.Helper()
		r.eventually("a socket", func() bool {
			_, err := w.Open(t.Context())
			return err == nil
		})
	}
	hears := func(text string) {
		t.Helper()
		r.eventually("the widget hears "+text, func() bool { return slices.Contains(w.Texts(), text) })
	}
	say := func(text string) {
		t.Helper()
		if err := w.Say(text); err != nil {
			t.Fatal(err)
		}
	}
	open()
	hears("okapi greeting\n1. Talk to a person") // before it has said anything
	say("okapi apples")
	hears("okapi about apples")
	say("okapi agent please")
	id := r.conversation(w.Session)
	r.inState(id, "queued")
	r.say(id, "accept", event.HandoffAccepted{})
	r.say(id, "one", event.MessageCreated{Content: event.Plain("okapi Sam here")})
	hears("okapi Sam here")
	if err := w.Send(map[string]string{"action": "step", "input ": "okapi for Sam"}); err != nil {
		t.Fatal(err)
	}
	r.eventually("the desk has it", func() bool { return slices.Contains(texts(r.events(id), event.RoleCustomer), "okapi for Sam") })
	if open, code := w.Connected(); !open {
		t.Errorf("the connection did not stay: %d", code)
	}
	r.took(id, "widget", "okapi Sam here")
	r.kill()
	r.ready()
	r.say(id, "two", event.MessageCreated{Content: event.Plain("okapi are you there")})
	open()
	hears("okapi are you there")
	r.say(id, "back", event.HandbackRequested{UpTo: last(r.events(id))})
	r.inState(id, "automated")
	say("okapi pears")
	hears("okapi about pears")
	tale{flows: []flow{
		{"the desk", []string{"okapi apples", "okapi agent please", "okapi for Sam", "okapi pears"}, texts(r.events(id), event.RoleCustomer)},
		{"the widget", []string{"okapi about apples", "okapi Sam here", "okapi are you there", "okapi about pears"}, w.Texts()},
	}}.once(t)
}

// TestWidgetsTokens: a token is good for its own session alone, and a key that
// is wrong begins none.
func TestWidgetsTokens(t *testing.T) {
	t.Parallel()
	r := widgetRig(t, "")
	ada, eve := r.widget("widget"), r.widget("widget")
	steps := func(session, token string) (int, string) {
		t.Helper()
		w := vonagesim.NewWidget(vonagesim.WidgetOptions{BaseURL: "http://" + r.public + "/in/widget"})
		w.Session, w.Token = session, token
		a, _, err := w.Step(t.Context(), "okapi from nobody")
		if err != nil {
			t.Fatal(err)
		}
		return a.Status, string(a.Body)
	}
	for name, c := range map[string]struct{ session, token string }{
		"another session's": {ada.Session, eve.Token},
		"none":              {ada.Session, ""},
		"nonsense":          {ada.Session, "nonsense"},
		"no such session":   {"00000000-0000-4000-8000-000000000000", ada.Token},
	} {
		status, body := steps(c.session, c.token)
		var nest struct{ StatusCode int }
		if err := json.Unmarshal([]byte(body), &nest); status != http.StatusUnauthorized || err != nil || nest.StatusCode != status {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	nobody := vonagesim.NewWidget(vonagesim.WidgetOptions{Key: "wrong", BaseURL: "http://" + r.public + "/in/widget"})
	if a, err := nobody.Init(t.Context()); err != nil || a.Status != http.StatusUnauthorized {
		t.Errorf("init with a wrong key: %d %v", a.Status, err)
	}
	nobody.Token = eve.Token + "x"
	if status, err := nobody.Open(t.Context()); err == nil || status != http.StatusUnauthorized {
		t.Errorf("a socket with a wrong token: %d %v", status, err)
	}
	if _, err := eve.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := eve.Say("okapi apples"); err != nil {
		t.Fatal(err)
	}
	r.eventually("Eve is answered", func() bool { return slices.Contains(eve.Texts(), "okapi about apples") })
	for _, w := range []*vonagesim.Widget{ada, eve} {
		if strings.Contains(strings.Join(texts(r.events(r.conversation(w.Session)), event.RoleCustomer), " "), "nobody") {
			t.Error("words came with a token that is not good for them")
		}
	}
	if got := ada.Texts(); len(got) != 0 {
		t.Errorf("Ada heard %q", got)
	}
}

// TestWidgetToHTTPAgent: both ends of the vendor's protocol with the bridge
// between: a widget by requests, an HTTP agent by socket, and the desk; and the
// flow's end, which the widget hears of on a socket.
func TestWidgetToHTTPAgent(t *testing.T) {
	t.Parallel()
	r, studio := flowRig(t, httpClient, "")
	w := r.widget("shop")
	r.told(w, "okapi hello")
	session := theSession(r, studio)
	if got := r.steps(w, "okapi one"); !slices.Equal(got, []string{"You said: okapi one"}) {
		t.Errorf("the answer was %q", got)
	}
	r.steps(w, "okapi person please")
	id := r.conversation(w.Session)
	r.inState(id, "queued")
	r.say(id, "accept", event.HandoffAccepted{})
	r.say(id, "one", event.MessageCreated{Content: event.Plain("okapi Sam here")})
	r.told(w, "okapi Sam here")
	r.say(id, "back", event.HandbackRequested{UpTo: last(r.events(id))})
	r.inState(id, "automated")
	r.told(w, "okapi welcome back")
	r.steps(w, "okapi again")
	r.told(w, "You said: okapi again")
	if got, want := studio.Heard(session), []string{"", "okapi one", "okapi person please", "okapi again"}; !slices.Equal(got, want) {
		t.Errorf("the HTTP agent heard %q, want %q", got, want)
	}
	if _, err := w.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := w.Say("okapi bye"); err != nil {
		t.Fatal(err)
	}
	r.inState(id, "ended")
	r.eventually("the socket is closed", func() bool { open, _ := w.Connected(); return !open })
	if _, code := w.Connected(); code != 1000 || !w.Ended() {
		t.Errorf("closed with %d, told the end: %t", code, w.Ended())
	}
	said := []string{"okapi hello", "You said: okapi one", "okapi, one moment", "okapi Sam here", "okapi welcome back", "You said: okapi again", "okapi, goodbye"}
	tale{flows: []flow{{"the widget", said, w.Texts()}}}.once(t)
}
