package vonagesim_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/footbridge/footbridge/adapters/vonage/vonagesim"
	"github.com/footbridge/footbridge/bridge/adapter/simvendor/simtest"
)

// client begins a session at a Studio.
func client(t *testing.T, url string) *vonagesim.Widget {
	t.Helper()
	w := vonagesim.NewWidget(vonagesim.WidgetOptions{Key: "secret", BaseURL: url})
	if a, err := w.Init(t.Context()); err != nil || a.Status != 200 {
		t.Fatalf("init: %d %s %v", a.Status, a.Body, err)
	}
	t.Cleanup(w.Close)
	return w
}

func open(t *testing.T, w *vonagesim.Widget) {
	t.Helper()
	if _, err := w.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func say(t *testing.T, w *vonagesim.Widget, frame any) {
	t.Helper()
	if text, ok := frame.(string); ok {
		frame = map[string]string{"action": "step", "input": text}
	}
	if err := w.Send(frame); err != nil {
		t.Fatal(err)
	}
}

func hears(t *testing.T, w *vonagesim.Widget, want ...string) {
	t.Helper()
	simtest.Until(t, "texts", func() bool { return len(w.Texts()) >= len(want) })
	if got := w.Texts(); !slices.Equal(got, want) {
		t.Fatalf("the client heard %q, want %q", got, want)
	}
}

func closed(t *testing.T, w *vonagesim.Widget, want int) {
	t.Helper()
	simtest.Until(t, "the socket's end", func() bool { open, _ := w.Connected(); return !open })
	if _, code := w.Connected(); code != want {
		t.Errorf("closed with %d, want %d", code, want)
	}
}

func TestInit(t *testing.T) {
	s, url := studio(t, &bridge{status: 200}, vonagesim.Options{})
	for body, want := range map[string]int{`{}`: 400, `nonsense`: 400} {
		if status, answer := simtest.Ask(t, "POST", url+"/http/init", body, "X-Vgai-Key", "secret"); status != want {
			t.Errorf("%s: %d %s", body, status, answer)
		}
	}
	if status, _ := simtest.Ask(t, "POST", url+"/http/init", `{"agent_id":"a"}`, "X-Vgai-Key", "wrong"); status != 401 {
		t.Errorf("a wrong key: %d", status)
	}
	w := client(t, url)
	if _, err := time.Parse("2006-01-02T15:04:05.000000", w.Begins); err != nil {
		t.Error(err)
	}
	if at, err := time.Parse("2006-01-02T15:04:05.000Z", w.Expires); err != nil || time.Until(at) < 23*time.Hour {
		t.Errorf("expires %s, %v", w.Expires, err)
	}
	if n := strings.Count(w.Token, "."); n != 2 || w.Session != s.Sessions()[0] {
		t.Errorf("token of %d parts, session %q", n+1, w.Session)
	}
}

func TestSteps(t *testing.T) {
	s, url := studio(t, &bridge{status: 200}, vonagesim.Options{})
	w, other := client(t, url), client(t, url)
	for _, c := range []struct {
		input string
		want  []string
	}{
		{"", []string{"Hello, how can I help?"}},
		{"hi", []string{"You said: hi"}},
		{"a Person", []string{"One moment, please.", "Nobody is free right now."}}, // no socket, no routing
		{"bye", []string{"Goodbye."}},
	} {
		if a, got, err := w.Step(t.Context(), c.input, vonagesim.Parameter{Name: "plan", Value: "gold"}); err != nil || a.Status != 200 || !slices.Equal(got, c.want) {
			t.Errorf("%q: %d %q %v, want %q", c.input, a.Status, got, err, c.want)
		}
	}
	if !w.Ended() || len(s.Given(w.Session)) != 4 {
		t.Errorf("ended %t, given %v", w.Ended(), s.Given(w.Session))
	}
	if got, want := s.Heard(w.Session), []string{"", "hi", "a Person", "bye"}; !slices.Equal(got, want) {
		t.Errorf("heard %q, want %q", got, want)
	}
	refused := func(session, token string, want int) {
		t.Helper()
		status, body := simtest.Ask(t, "POST", url+"/http/"+session+"/step", `{"input":"x"}`, "Authorization", "Bearer "+token)
		var nest struct{ StatusCode int }
		if err := json.Unmarshal([]byte(body), &nest); status != want || err != nil || nest.StatusCode != want {
			t.Errorf("%d %s, want %d", status, body, want)
		}
	}
	refused(w.Session, w.Token, 404) // it has ended
	refused(other.Session, w.Token, 401)
	refused(other.Session, "", 401)
	s.End(other.Session)
	refused(other.Session, other.Token, 404)
	for _, rec := range s.Records() {
		if strings.Contains(fmt.Sprint(rec.Header), w.Token) {
			t.Error("a record holds a token")
		}
	}
}

func TestSocketRoutesAndGoesOn(t *testing.T) {
	b := &bridge{status: 200}
	s, url := studio(t, b, vonagesim.Options{})
	w := client(t, url)
	open(t, w)
	say(t, w, "")
	say(t, w, map[string]string{"action": "step", "input ": "hi"})
	say(t, w, "a person")
	hears(t, w, "Hello, how can I help?", "You said: hi", "One moment, please.")
	simtest.Until(t, "people", func() bool { return s.State(w.Session) == vonagesim.StateLiveAgent })
	say(t, w, "hello?")
	simtest.Until(t, "an inbound", func() bool { b.mu.Lock(); defer b.mu.Unlock(); return len(b.got) == 2 })
	for i, parts := range [][]string{
		{"/start ", `[{"Agent":"Hello, how can I help?"},{"User":"hi"},{"Agent":"You said: hi"},{"User":"a person"},{"Agent":"One moment, please."}]`,
			`{"name":"CALLER_PHONE_NUMBER","value":""}`, `"sessionId":"` + w.Session + `"`},
		{"/inbound ", `"text":"hello?"`},
	} {
		for _, part := range parts {
			if !strings.Contains(b.got[i], part) {
				t.Errorf("%s is not in %s", part, b.got[i])
			}
		}
	}
	for _, path := range []string{"outbound", "disconnect"} {
		if status, _ := simtest.Ask(t, "POST", url+"/live-agent/"+path+"/"+w.Session, `{"message_type":"text","text":"Sam here"}`, "X-Vgai-Key", "secret"); status != 200 {
			t.Errorf("%s: %d", path, status)
		}
	}
	say(t, w, "bye")
	simtest.Until(t, "the end", w.Ended)
	closed(t, w, 1000)
	hears(t, w, "Hello, how can I help?", "You said: hi", "One moment, please.", "Welcome back.", "Goodbye.")
	if status, err := w.Open(t.Context()); err == nil || status != http.StatusForbidden {
		t.Errorf("a session that has ended: %d %v", status, err)
	}
}

func TestSocketNodeFails(t *testing.T) {
	_, url := studio(t, &bridge{status: 503}, vonagesim.Options{})
	w := client(t, url)
	open(t, w)
	say(t, w, "a person")
	hears(t, w, "One moment, please.", "Nobody is free right now.")
}

func TestSocketCloses(t *testing.T) {
	s, url := studio(t, &bridge{status: 200}, vonagesim.Options{Idle: 100 * time.Millisecond})
	w := client(t, url)
	open(t, w)
	closed(t, w, 1001)
	open(t, w)
	simtest.Until(t, "the socket", func() bool { return s.Connected(w.Session) })
	s.Drop(w.Session)
	closed(t, w, -1)
	w.Token += "x"
	if status, err := w.Open(t.Context()); err == nil || status != http.StatusForbidden {
		t.Errorf("a wrong token: %d %v", status, err)
	}
	short, url := studio(t, &bridge{status: 200}, vonagesim.Options{Life: 200 * time.Millisecond})
	w = client(t, url)
	open(t, w)
	closed(t, w, 1000)
	if a, _, err := w.Step(t.Context(), "late"); err != nil || a.Status != 404 || short.State(w.Session) != vonagesim.StateEnded {
		t.Errorf("after its time: %d %v", a.Status, err)
	}
}

func TestSocketRefusesWhatIsNoStep(t *testing.T) {
	s, url := studio(t, &bridge{status: 200}, vonagesim.Options{})
	w := client(t, url)
	open(t, w)
	say(t, w, map[string]string{"action": "dance", "input": "x"})
	say(t, w, []int{1})
	say(t, w, "hi")
	hears(t, w, "You said: hi")
	if got := s.Heard(w.Session); !slices.Equal(got, []string{"hi"}) {
		t.Errorf("heard %q", got)
	}
}

func TestAgentFaults(t *testing.T) {
	s, url := studio(t, &bridge{status: 200}, vonagesim.Options{IdempotencyHeader: "K"})
	w := client(t, url)
	s.Fail(vonagesim.Fault{Endpoint: "step", Drop: vonagesim.DropAfter})
	var answers []string
	for range 3 {
		_, body := simtest.Ask(t, "POST", url+"/http/"+w.Session+"/step", `{"input":"once"}`, "Authorization", "Bearer "+w.Token, "K", "e-1")
		answers = append(answers, body)
	}
	if got := s.Heard(w.Session); len(got) != 1 || answers[1] != answers[2] || !strings.Contains(answers[1], "You said: once") {
		t.Errorf("heard %q, answered %q", got, answers)
	}
	s.Fail(vonagesim.Fault{Endpoint: "ws", Status: 503})
	opens := func(want int) {
		t.Helper()
		if status, _ := w.Open(t.Context()); status != want {
			t.Errorf("opened with %d, want %d", status, want)
		}
	}
	opens(503)
	s.Fail(vonagesim.Fault{Endpoint: "ws", Times: -1, Drop: vonagesim.DropBefore})
	opens(0)
	s.Heal()
	opens(101)
	simtest.Until(t, "the agent knows of the socket", func() bool { return s.Connected(w.Session) })
	for _, c := range []struct{ path, want string }{
		{"/sim/sessions", w.Session}, {"/sim/sessions/" + w.Session, `"heard":["once"]`},
	} {
		res, err := http.Get(url + c.path)
		if err != nil {
			t.Fatal(err)
		}
		var body json.RawMessage
		if err := json.NewDecoder(res.Body).Decode(&body); err != nil || !strings.Contains(string(body), c.want) {
			t.Errorf("%s: %s %v", c.path, body, err)
		}
		res.Body.Close()
	}
	if _, body := simtest.Ask(t, "POST", url+"/sim/drop", `{"session":"`+w.Session+`"}`); !strings.Contains(body, "{}") {
		t.Errorf("drop: %s", body)
	}
	closed(t, w, -1)
}
