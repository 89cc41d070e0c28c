package convocoresim_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/footbridge/footbridge/adapters/convocore/convocoresim"
	"github.com/footbridge/footbridge/bridge/adapter/simvendor/simtest"
)

const secret = "workspace"

// platform runs a server and gives a client of it.
func platform(t *testing.T, o convocoresim.Options) (*convocoresim.Server, *convocoresim.Client, string) {
	t.Helper()
	s := convocoresim.NewServer(o)
	h := httptest.NewServer(s.Handler())
	t.Cleanup(h.Close)
	return s, convocoresim.NewClient("ws"+strings.TrimPrefix(h.URL, "http")+"/interact", o.Secret, "c-1"), h.URL
}

func TestOneTurnAConnection(t *testing.T) {
	s, c, _ := platform(t, convocoresim.Options{Secret: secret, Greeting: "welcome"})
	for _, turn := range []struct {
		mid, prompt, text string
		summed            []string
		whole, handoff    bool
	}{
		{"", "start", "welcome", []string{"welcome"}, true, false},
		{"m-1", "hello", "You said: hello", []string{"You said: hello"}, true, false},
		{"m-1", "hello", "You said: hello", []string{"You said: hello"}, true, false},
		{"m-2", "a human please", "I will ask my colleagues.", []string{"I will ask my colleagues."}, true, true},
		{"m-3", "choices", "Which one?", []string{"Which one?"}, true, false},
		{"m-4", "snapshot", "You said: snapshot", []string{"You said: snapshot"}, true, false},
		{"m-5", "bare", "You said: bare", nil, true, false},
		{"m-6", "crash", "TypeError: Cannot read properties of undefined (reading 'ID')", nil, false, false},
	} {
		r, err := c.Say(t.Context(), turn.mid, turn.prompt)
		if err != nil {
			t.Fatal(err)
		}
		if r.Text() != turn.text || !slices.Equal(r.Summed(), turn.summed) || r.Whole() != turn.whole || r.Handoff() != turn.handoff || r.Code != 1000 {
			t.Errorf("%s: text %q, summed %q, whole %v, handoff %v, code %d", turn.prompt, r.Text(), r.Summed(), r.Whole(), r.Handoff(), r.Code)
		}
	}
	if got := s.Heard("c-1"); !slices.Equal(got, []string{"hello", "a human please", "choices", "snapshot", "bare", "crash"}) {
		t.Errorf("the history has %q", got)
	}
	r, err := c.History(t.Context())
	if err != nil || !slices.Equal(r.History("human"), s.Heard("c-1")) || r.Code != 1000 {
		t.Errorf("history %q, %v", r.History("human"), err)
	}
	if n := len(s.Objects("c-1")); n != 9 {
		t.Errorf("%d objects came", n)
	}
}

func TestATurnIsHeldCancelledAndLost(t *testing.T) {
	s, c, _ := platform(t, convocoresim.Options{})
	begin := func(mid, prompt string) *convocoresim.Exchange {
		t.Helper()
		x, err := c.Begin(t.Context(), convocoresim.Object{Prompt: prompt, ActionMetadata: &convocoresim.ActionMetadata{MID: mid}})
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	x := begin("m-1", "stall here")
	if err := x.Cancel(t.Context(), "enough"); err != nil {
		t.Fatal(err)
	}
	if r := x.Wait(t.Context()); !r.Whole() || r.Text() == "You said: stall here" {
		t.Errorf("cancelled: %q, code %d", r.Text(), r.Code)
	}
	x = begin("m-2", "pause here")
	ended := make(chan convocoresim.Reply)
	go func() { ended <- x.Wait(context.Background()) }()
	var r convocoresim.Reply
	for done := false; !done; {
		select {
		case r = <-ended:
			done = true
		case <-time.After(10 * time.Millisecond):
			s.Release("c-1")
		}
	}
	if !r.Whole() || r.Text() != "You said: pause here" {
		t.Errorf("released: %q, code %d", r.Text(), r.Code)
	}
	if r, err := c.Say(t.Context(), "m-3", "drop it"); err != nil || r.Whole() || r.Code != -1 {
		t.Errorf("dropped: %q, code %d, %v", r.Text(), r.Code, err)
	}
	if r, err := c.Say(t.Context(), "m-3", "drop it"); err != nil || r.Text() != "You said: drop it" {
		t.Errorf("sent again: %q, %v", r.Text(), err)
	}
}

// TestPeople: the REST edge takes states and messages, and the webhook tells them.
func TestPeople(t *testing.T) {
	s, c, address := platform(t, convocoresim.Options{Secret: secret})
	var mu sync.Mutex
	var told []string
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var e struct {
			Type    string
			Payload struct {
				ConvoID, WorkspaceSecret string
				CreatedAt                int64
				LightConvoData           struct{ State string }
				MessageContent           string
			}
		}
		if json.NewDecoder(r.Body).Decode(&e) != nil || e.Payload.WorkspaceSecret != secret || e.Payload.CreatedAt == 0 || e.Payload.ConvoID != "c-1" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		told = append(told, e.Type+" "+e.Payload.LightConvoData.State+e.Payload.MessageContent)
	}))
	defer hook.Close()
	s.Events(hook.URL)
	post := func(path, token, body string) (int, string) {
		return simtest.Ask(t, "POST", address+path, body, "Authorization", "Bearer "+token)
	}
	if status, _ := post("/agents/a/interact/c-1/state", "wrong", `{}`); status != http.StatusUnauthorized || s.Refused() != 1 {
		t.Errorf("a wrong secret: %d", status)
	}
	if status, _ := post("/agents/a/interact/c-1/state", secret, `{"metadata":{"state":"human-chatting","chatAssignedTo":"Sam"}}`); status != http.StatusOK {
		t.Errorf("state: %d", status)
	}
	if r, err := c.Say(t.Context(), "m-1", "hello"); err != nil || r.Text() != "" || !r.Whole() {
		t.Errorf("the agent spoke while people had the conversation: %q, %v", r.Text(), err)
	}
	if status, body := post("/agents/a/interact/c-1", secret, `{}`); status != http.StatusOK || !strings.Contains(body, "TypeError") {
		t.Errorf("nothing to append: %d %s", status, body)
	}
	post("/agents/a/interact/c-1", secret, `{"appendMessages":[{"from":"human","type":"text","item":{"type":"text","payload":{"message":"for Sam"}}}]}`)
	post("/sim/say", secret, `{"convo":"c-1","text":"from Sam"}`)
	post("/sim/giveback", secret, `{"convo":"c-1"}`)
	if status, err := s.TellWith("wrong", "webhook_test", map[string]any{"convoId": "c-1"}); err != nil || status != http.StatusUnauthorized {
		t.Errorf("a wrong secret: %d, %v", status, err)
	}
	simtest.Until(t, "four events", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(told) >= 4
	})
	mu.Lock()
	defer mu.Unlock()
	slices.Sort(told)
	if want := []string{"conversation_updated ai-chatting", "conversation_updated human-chatting", "message_received from Sam", "message_received hello"}; !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
	if got := s.Heard("c-1"); !slices.Equal(got, []string{"hello", "for Sam"}) {
		t.Errorf("heard %q", got)
	}
}
