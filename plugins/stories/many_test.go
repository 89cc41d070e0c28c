package stories

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
)

// Two hundred conversations at once: every customer gets the words of their own
// agent, all of them, in order and nothing else.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	many := 200
	if testing.Short() {
		many = 20
	}
	r := newRig(t, setting{})
	each := func(do func(n int)) {
		var all sync.WaitGroup
		room := make(chan struct{}, 24)
		for n := range many {
			all.Go(func() {
				room <- struct{}{}
				defer func() { <-room }()
				do(n)
			})
		}
		all.Wait()
		if t.Failed() {
			t.FailNow()
		}
	}
	ids := sync.Map{}
	each(func(n int) { r.try("start", func() bool { return r.startOnce(session(n)) }) })
	for _, c := range r.conversations() {
		for _, l := range c.Legs {
			ids.Store(l.Key, c.ID)
		}
	}
	id := func(n int) string { id, _ := ids.Load(session(n)); return fmt.Sprint(id) }
	each(func(n int) { r.tell(session(n), "from "+session(n)) })
	each(func(n int) { r.say(id(n), "accept "+id(n), event.HandoffAccepted{}) })
	for _, text := range []string{"first", "second"} {
		each(func(n int) {
			r.say(id(n), text+id(n), event.MessageCreated{Content: event.Plain("okapi " + text + " to " + session(n))})
		})
	}
	each(func(n int) { r.say(id(n), "back "+id(n), event.HandbackRequested{}) })
	each(func(n int) {
		r.try("back", func() bool { return r.disconnects(session(n)) == 1 })
		want := []string{"okapi first to " + session(n), "okapi second to " + session(n)}
		if got := r.studio.Shown(session(n)); !slices.Equal(got, want) {
			t.Errorf("%s was shown %q, want %q", session(n), got, want)
		}
		if got := texts(r.events(id(n)), event.RoleCustomer); len(got) != 1 || !strings.Contains(got[0], "from "+session(n)+"/") {
			t.Errorf("the agent of %s was shown %q", session(n), got)
		}
	})
	if got := r.counter("footbridge_dead_letters_total"); got != 0 {
		t.Errorf("%d dead letters", got)
	}
}

func session(n int) string { return fmt.Sprintf("many-%03d", n) }

func (r *rig) startOnce(session string) bool {
	a, err := r.studio.Start(r.t.Context(), session, opening())
	return err == nil && a.Status/100 == 2
}

// try is eventually for goroutines that are not the test's own.
func (r *rig) try(what string, ok func() bool) {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
	}
	r.t.Errorf("never: %s", what)
}

// No error repeats what it was sent, to whoever sent it or into the log.
func TestErrorsAreDiscreet(t *testing.T) {
	t.Parallel()
	r := newRig(t, setting{})
	r.begin("s1")
	id := r.conversation("s1")
	for _, c := range []struct{ method, path, token, body string }{
		{"POST", "/in/studio/start", "", `{"sessionId":"s1" okapi}`},
		{"POST", "/in/studio/start", "", `{"okapi":1}`},
		{"POST", "/in/studio/inbound", "", `{"sessionId":["okapi"]}`},
		{"POST", "/in/studio/inbound", "", `{"sessionId":"s1","okapi":"` + "\xff" + `"}`},
		{"POST", "/in/studio/inbound", "", `{"sessionId":"s1","okapi":1,"okapi":2}`},
		{"POST", "/in/studio/inbound", "", `{"sessionId":"s1","type":"image","image":"okapi"}`},
		{"POST", "/in/studio/inbound", "", strings.Repeat("okapi", 100_000)},
		{"POST", "/in/studio/okapi", "", `{}`},
		{"POST", "/in/vdesk/live-agent/outbound/okapi", "", `{"text":"okapi"}`},
		{"POST", "/api/v1/conversations/" + id + "/events", "okapi", `{}`},
		{"POST", "/api/v1/conversations/" + id + "/events", deskToken, `{"kind":"message.created","body":{"content":{"type":"text","text":"okapi"}},"other":1}`},
		{"POST", "/api/v1/conversations/" + id + "/events", deskToken, `{"kind":"message.created","actor":{"role":"live_agent","id":"sam"},"body":{"content":"okapi"}}`},
		{"POST", "/api/v1/conversations/" + id + "/events", deskToken, `{"kind":"okapi","body":{"text":"okapi"}}`},
		{"POST", "/api/v1/conversations/" + id + "/events", deskToken, `{"kind":"handback.requested","actor":{"role":"live_agent","id":"okapi"},"body":{"reason":"okapi"}}`},
		{"POST", "/api/v1/conversations", "", `{"publishable_key":"okapi"}`},
		{"POST", "/api/v1/conversations", "", `{"account":"okapi"}`},
		{"GET", "/api/v1/conversations/okapi/events", deskToken, ``},
		{"GET", "/api/v1/conversations/okapi", deskToken, ``},
		{"GET", "/api/v1/events?ticket=okapi", "", ``},
		{"GET", "/api/v1/conversations?other=okapi", deskToken, ``},
		{"GET", "/api/v1/conversations?limit=okapi", deskToken, ``},
	} {
		r.broken(c.method, c.path, c.token, c.body)
	}
	r.tell("s1", "still well")
}

// broken sends what cannot be taken and keeps the answer for the canaries.
func (r *rig) broken(method, path, token, body string) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, "http://"+r.public+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := r.client.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	if resp.StatusCode >= 500 {
		r.t.Errorf("%s %s with %.60q is answered %d", method, path, body, resp.StatusCode)
	}
	if resp.StatusCode >= 400 {
		r.refused(fmt.Sprint(method, " ", resp.StatusCode), resp.StatusCode, answer)
	}
}
