package scripted_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/footbridge/footbridge/adapters/scripted"
	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/adaptertest"
	"github.com/footbridge/footbridge/bridge/event"
)

// stateLimit is what the state of a leg stays under, whatever a customer writes.
const stateLimit = 4096

func TestScripts(t *testing.T) {
	adaptertest.Scripts(t, scripted.Definition(), "testdata")
}

func TestLaws(t *testing.T) {
	adaptertest.Laws(t, scripted.Definition(), adaptertest.Options{Testdata: "testdata"})
}

func TestLawsOfAFullScript(t *testing.T) {
	adaptertest.Laws(t, scripted.Definition(), adaptertest.Options{Events: 500, Accounts: []adapter.Account{{
		Name: "helper", Role: event.RoleVirtualAgent, Settings: json.RawMessage(fullScript)}}})
}

const fullScript = `{"choices":["hello","Talk to a person"],"answers":[{"keywords":["hello"],"text":"Hi","choices":["person"]}],
 "handoff":{"queue":"q","skills":["s"],"attributes":{"topic":"general"}},"failed":{"no_agents":"Sorry"}}`

// chat is one leg, driven turn by turn.
type chat struct {
	t       testing.TB
	account adapter.Account
	state   []byte
	turns   int
}

func newChat(t testing.TB, settings string) *chat {
	c := &chat{t: t, account: adapter.Account{Name: "helper", Role: event.RoleVirtualAgent, Settings: json.RawMessage(settings)}}
	if _, err := scripted.Definition().Configure(c.account); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *chat) deliver(role event.Role, body event.Body) []event.Body {
	c.turns++
	e := event.Event{ID: fmt.Sprintf("e%d", c.turns), Actor: event.Actor{Role: role}, Body: body}
	out := adapter.Run(scripted.Definition(), adapter.Turn{ID: fmt.Sprintf("t%d", c.turns), Account: c.account, Key: "k",
		Now: time.Unix(0, 0), State: c.state, StateVersion: 1, Input: adapter.Deliver{Event: e}})
	if out.Err != "" || out.Unsupported {
		c.t.Fatalf("%s: error %q, unsupported %v", body.Kind(), out.Err, out.Unsupported)
	}
	if len(out.State) >= stateLimit {
		c.t.Fatalf("state is %d bytes", len(out.State))
	}
	c.state = out.State
	var bodies []event.Body
	for _, effect := range out.Effects {
		bodies = append(bodies, effect.(adapter.Emission).Body)
	}
	return bodies
}

func (c *chat) says(text string) []event.Body {
	return c.deliver(event.RoleCustomer, event.MessageCreated{Content: event.Plain(text)})
}

// Every message of a customer is answered, whatever it holds, and little is
// kept of it.
func TestAnswersAnything(t *testing.T) {
	keyword := strings.Repeat("\u2028<", 29) + "ab"
	settings, err := json.Marshal(map[string]any{"answers": []map[string]any{
		{"keywords": []string{keyword}, "text": "yes", "choices": []string{keyword}}}})
	if err != nil {
		t.Fatal(err)
	}
	text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"agent", "1", "2", keyword, strings.Repeat("<&\u2029", 300), "\xff\xfe"}))
	rapid.Check(t, func(rt *rapid.T) {
		c := newChat(t, string(settings))
		for _, words := range rapid.SliceOfN(text, 1, 12).Draw(rt, "texts") {
			if got := c.says(words); len(got) == 0 {
				rt.Fatalf("%q has no answer", words)
			}
		}
	})
}

// A keyword is found in any case, between any other words, and never within one.
func TestKeywordsAreWholeWords(t *testing.T) {
	c := newChat(t, `{"fallback":"no","choices":[],"answers":[{"keywords":["straße nach Σπάρτη"],"text":"yes"}]}`)
	rapid.Check(t, func(rt *rapid.T) {
		around := rapid.StringMatching(`([a-z]{1,4}[ ,.!-]{1,2}){0,3}`)
		recased := rapid.SampledFrom([]func(string) string{strings.ToUpper, strings.ToLower, strings.ToTitle, strings.Clone})
		keyword := recased.Draw(rt, "case")("straße nach Σπάρτη")
		before, after := around.Draw(rt, "before"), around.Draw(rt, "after")
		for said, want := range map[string]string{
			before + keyword + " " + after:       "yes",
			before + keyword + "x " + after:      "no",
			before + "x" + keyword + " " + after: "no",
		} {
			got := c.says(said)[0].(event.MessageCreated).Content.Part.(event.Text).Text
			if got != want {
				rt.Fatalf("%q was answered %q, not %q", said, got, want)
			}
		}
	})
}

// What is delivered after the end has no effect, whatever it is.
func TestQuietAfterTheEnd(t *testing.T) {
	for _, kind := range slices.Sorted(slices.Values(event.Kinds())) {
		c := newChat(t, "")
		c.deliver(event.RoleCustomer, event.ConversationEnded{})
		body, err := event.DecodeBody(kind, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.deliver(event.RoleCustomer, body); len(got) != 0 {
			t.Errorf("%s had %v", kind, got)
		}
	}
}

// A script that is accepted can be played; one that is not says why.
func FuzzSettings(f *testing.F) {
	f.Add([]byte(`{}`), "agent")
	f.Add([]byte(`{"greeting":"Hi","choices":["Order"],"answers":[{"keywords":["order"],"text":"Which?","choices":["order"]}]}`), "1")
	f.Add([]byte(`{}0`), "")
	f.Add([]byte(`{"answers":null,"failed":null,"handoff":null,"choices":null}`), "person")
	f.Fuzz(func(t *testing.T, settings []byte, text string) {
		_, err := scripted.Definition().Configure(adapter.Account{Role: event.RoleVirtualAgent, Settings: settings})
		if err != nil {
			return
		}
		c := newChat(t, string(settings))
		c.deliver(event.RoleSystem, event.ConversationStarted{})
		c.says(text)
		c.says("1")
		c.deliver(event.RoleSystem, event.HandoffFailed{Reason: event.FailedNoAgents})
		c.deliver(event.RoleLiveAgent, event.HandbackRequested{})
	})
}
