package stories

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
)

// patience is how long a test waits for what has to come; only order and outcome
// are asserted.
const patience = 60 * time.Second

// eventually waits generously: only order and outcome are asserted.
func (r *rig) eventually(what string, ok func() bool) { r.t.Helper(); eventually(r.t, what, ok) }

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	if !comesTrue(ok) {
		t.Fatalf("never: %s", what)
	}
}

// comesTrue asks less often the longer it waits: many wait beside each other, and each
// question costs the bridge as much as what is waited for.
func comesTrue(ok func() bool) bool {
	pause := 10 * time.Millisecond
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); pause = min(pause*3/2, 150*time.Millisecond) {
		if ok() {
			return true
		}
		time.Sleep(pause)
	}
	return false
}

// api calls the native API until it answers; a crash in between is ridden out,
// as clients do, with the same idempotency key.
func (r *rig) api(method, path, token, key string, body, into any) int {
	r.t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		r.t.Fatal(err)
	}
	deadline := time.Now().Add(patience)
	for {
		status, answer, err := r.once(method, path, token, key, data)
		switch {
		case err == nil && status < 500:
			if into != nil && status < 300 {
				if err := json.Unmarshal(answer, into); err != nil {
					r.t.Fatalf("%s %s: %v in %s", method, path, err, answer)
				}
			}
			if status >= 300 {
				r.refused(method+" "+path, status, answer)
			}
			return status
		case time.Now().After(deadline):
			r.t.Fatalf("%s %s: %d %s %v", method, path, status, answer, err)
		case err == nil:
			r.refused(method+" "+path, status, answer)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// refused keeps an error of the API, for the canaries.
func (r *rig) refused(what string, status int, answer []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.problems = append(r.problems, fmt.Sprintf("%s: %d %s", what, status, answer))
}

func (r *rig) once(method, path, token, key string, data []byte) (int, []byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, "http://"+r.public+"/api/v1"+path, bytes.NewReader(data))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 64<<20))
	return resp.StatusCode, answer, err
}

// say posts an event of the live agent Sam.
func (r *rig) say(id, key string, body event.Body) event.Event {
	r.t.Helper()
	var e event.Event
	if status := r.api("POST", "/conversations/"+id+"/events", deskToken, id+" "+key,
		map[string]any{"kind": body.Kind(), "actor": map[string]string{"role": "live_agent", "id": "sam", "name": "Sam"}, "body": body}, &e); status != http.StatusCreated {
		r.t.Fatalf("%s: status %d", body.Kind(), status)
	}
	return e
}

func (r *rig) events(id string) []event.Event {
	r.t.Helper()
	return r.seenBy(id, deskToken)
}

// seenBy is a conversation as the bearer of a token sees it.
func (r *rig) seenBy(id, token string) []event.Event {
	r.t.Helper()
	var all []event.Event
	after := ""
	for {
		var page struct {
			Events []event.Event `json:"events"`
			Next   *string       `json:"next"`
		}
		path := "/conversations/" + id + "/events?limit=1000"
		if after != "" {
			path += "&after=" + after
		}
		if status := r.api("GET", path, token, "", nil, &page); status != http.StatusOK {
			r.t.Fatalf("events: status %d", status)
		}
		all = append(all, page.Events...)
		if page.Next == nil || *page.Next == "" {
			return all
		}
		after = *page.Next
	}
}

type listed struct {
	ID    string `json:"id"`
	State string `json:"state"`
	Legs  []struct {
		Account, Key string
	} `json:"legs"`
}

func (r *rig) conversations() []listed {
	r.t.Helper()
	var page struct {
		Conversations []listed `json:"conversations"`
	}
	r.api("GET", "/conversations?limit=1000", deskToken, "", nil, &page)
	return page.Conversations
}

// conversation finds the conversation that has a key.
func (r *rig) conversation(key string) string {
	r.t.Helper()
	id := ""
	r.eventually("a conversation with key "+key, func() bool {
		for _, c := range r.conversations() {
			for _, l := range c.Legs {
				if l.Key == key {
					id = c.ID
					return true
				}
			}
		}
		return false
	})
	return id
}

func (r *rig) state(id string) string {
	var c listed
	r.api("GET", "/conversations/"+id, deskToken, "", nil, &c)
	return c.State
}

func (r *rig) inState(id, state string) {
	r.t.Helper()
	r.eventually("conversation "+state, func() bool { return r.state(id) == state })
}

// took waits until the journal has it that an account was given the words. What has
// left and is not recorded yet leaves again after a crash, as docs/guarantees.md says.
func (r *rig) took(id, account, text string) {
	r.t.Helper()
	r.eventually(account+" took "+text, func() bool {
		var trace struct {
			Legs  []struct{ ID, Account string }
			Turns []struct {
				Events []struct {
					Event      event.Event
					Deliveries []struct{ Leg, Outcome string }
				}
			}
		}
		r.api("GET", "/conversations/"+id+"/trace?limit=1000", deskToken, "", nil, &trace)
		accounts := map[string]string{}
		for _, l := range trace.Legs {
			accounts[l.ID] = l.Account
		}
		for _, turn := range trace.Turns {
			for _, e := range turn.Events {
				for _, d := range e.Deliveries {
					if accounts[d.Leg] == account && d.Outcome == "delivered" && slices.Contains(texts([]event.Event{e.Event}, e.Event.Actor.Role), text) {
						return true
					}
				}
			}
		}
		return false
	})
}

// texts are the words of one role in a conversation, in order.
func texts(events []event.Event, role event.Role) []string {
	var out []string
	for _, e := range events {
		m, ok := e.Body.(event.MessageCreated)
		if !ok || e.Actor.Role != role {
			continue
		}
		if text, ok := m.Content.Part.(event.Text); ok {
			out = append(out, text.Text)
		}
	}
	return out
}

func (r *rig) metrics() string {
	resp, err := r.client.Get("http://" + r.admin + "/metrics")
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil && !errors.Is(err, io.EOF) {
		return ""
	}
	return string(data)
}

func (r *rig) hits() []string {
	data, err := os.ReadFile(r.hitLog)
	if err != nil {
		return nil
	}
	return strings.Fields(strings.ReplaceAll(strings.TrimSpace(string(data)), " ", "/"))
}
