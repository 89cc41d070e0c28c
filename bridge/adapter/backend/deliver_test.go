package backend_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

// given is an event of a kind, by who did it, and what a desk does with it in the phases
// none, setting, open, returning, cut, gone and ended: its calls in their order, and the
// phase it is in then where that is another.
type given struct {
	kind event.Kind
	by   event.Role
	want [7]string
}

// expected has a row for each kind that is for a desk.
func expected() []given {
	return []given{
		{event.KindHandoffRequested, event.RoleVirtualAgent, [7]string{"open >setting", "later", "", "", "", "", ""}},
		{event.KindMessageCreated, event.RoleCustomer, [7]string{"fail", "fail", "say", "fail", "fail", "fail", ""}},
		{event.KindMessageCreated, event.RoleVirtualAgent, [7]string{"", "", "note", "", "", "", ""}},
		{event.KindMessageCreated, event.RoleLiveAgent, [7]string{"", "", "note", "", "", "", ""}},
		{event.KindMessageCreated, event.RoleObserver, [7]string{"", "", "note", "", "", "", ""}},
		{event.KindMessageCreated, event.RoleSystem, [7]string{}},
		{event.KindNoteCreated, event.RoleObserver, [7]string{"", "note", "note", "note", "note", "note", ""}},
		{event.KindContextUpdated, event.RoleCustomer, [7]string{"", "note", "note", "note", "note", "note", ""}},
		{event.KindErrorReported, event.RoleSystem, [7]string{"", "note", "note", "note", "note", "note", ""}},
		{event.KindHandoffCancelled, event.RoleCustomer, [7]string{"", "note close >gone", "note close >gone", ">gone", "note close >gone", "", ""}},
		{event.KindHandoffFailed, event.RoleSystem, [7]string{"", "note close >gone", "note close >gone", ">gone", "note close >gone", "", ""}},
		{event.KindHandbackCompleted, event.RoleVirtualAgent, [7]string{"", "note close >gone", "note close >gone", ">gone", "note close >gone", "", ""}},
		{event.KindTransferCompleted, event.RoleLiveAgent, [7]string{"", "note close >gone", "note close >gone", ">gone", "note close >gone", "", ""}},
		{event.KindHandbackFailed, event.RoleVirtualAgent, [7]string{"", "", "", "open-again note >open", "", "", ""}},
		{event.KindConversationEnded, event.RoleCustomer, [7]string{">ended", "note close >ended", "note close >ended", ">ended", "note close >ended", ">ended", ""}},
	}
}

// Every kind in every phase does what the table says, and no other kind anything.
func TestEveryKindInEveryPhase(t *testing.T) {
	rows := expected()
	for _, kind := range event.Kinds() {
		if !slices.ContainsFunc(rows, func(g given) bool { return g.kind == kind }) {
			rows = append(rows, given{kind: kind, by: event.RoleCustomer})
		}
	}
	for _, row := range rows {
		for i, phase := range []string{"", "setting", "open", "returning", "cut", "gone", "ended"} {
			if got := done(t, row.kind, row.by, phase); got != row.want[i] {
				t.Errorf("%s by %s in phase %q: %q, want %q", row.kind, row.by, phase, got, row.want[i])
			}
		}
	}
}

// done is what a leg in a phase does with a delivery.
func done(t *testing.T, kind event.Kind, by event.Role, phase string) string {
	t.Helper()
	bodies := map[event.Kind]string{event.KindMessageCreated: `{"content":{"type":"text","text":"Hello"}}`, event.KindNoteCreated: `{"text":"aside"}`,
		event.KindContextUpdated: `{"attributes":{"plan":"gold"}}`, event.KindErrorReported: `{"code":"late"}`}
	body := bodies[kind]
	if body == "" {
		body = "{}"
	}
	var e event.Event
	if err := json.Unmarshal(fmt.Appendf(nil, `{"id":"h","kind":%q,"actor":{"role":%q},"body":%s}`, kind, by, body), &e); err != nil {
		t.Fatal(err)
	}
	state := fmt.Appendf(nil, `{"phase":%q,"handoff":"h","chat":"7","setup":{"step":"open/h"}}`, phase)
	if phase == "" {
		state = nil
	}
	out := adapter.Run(definition(), adapter.Turn{ID: "t", Key: "c", Conversation: "c", State: state, StateVersion: 1,
		Account: adapter.Account{Name: "desk", Role: event.RoleLiveAgent, Credentials: []string{"key"}}, Placeholders: map[string]string{"key": "k"}, Input: adapter.Deliver{Event: e}})
	var after struct{ Phase string }
	if len(out.State) > 0 {
		if err := json.Unmarshal(out.State, &after); err != nil {
			t.Fatal(err)
		}
	}
	words := []string{}
	for _, effect := range out.Effects {
		switch x := effect.(type) {
		case adapter.Calling:
			act, _, _ := strings.Cut(x.Tag, "/")
			words = append(words, act)
		case adapter.Failure:
			words = append(words, "fail")
		case adapter.Postponed:
			words = append(words, "later")
		case adapter.Emission:
			words = append(words, string(x.Body.Kind()))
		}
	}
	if after.Phase != phase {
		words = append(words, ">"+after.Phase)
	}
	return strings.Join(append(words, strings.Fields(out.Err)...), " ")
}

// Of a hand-off that is no longer being made nothing is kept, whatever ended it.
func TestNothingIsKeptOfAHandOffThatIsOver(t *testing.T) {
	for name, in := range map[string]adapter.Input{
		"opened":    adapter.Result{Tag: "part/h/1", Status: 200},
		"failed":    adapter.Result{Tag: "open/h/1", Status: 403},
		"withdrawn": adapter.Deliver{Event: event.Event{ID: "c", Body: event.HandoffCancelled{}}},
	} {
		step := "part/h/1"
		if r, ok := in.(adapter.Result); ok {
			step = r.Tag
		}
		out := adapter.Run(definition(), adapter.Turn{ID: "t", Key: "c", Conversation: "c", StateVersion: 1, Input: in,
			State:   fmt.Appendf(nil, `{"phase":"setting","handoff":"h","chat":"7","setup":{"step":%q,"queue":"billing","next":["one"]}}`, step),
			Account: adapter.Account{Name: "desk", Role: event.RoleLiveAgent, Credentials: []string{"key"}}, Placeholders: map[string]string{"key": "k"}})
		if out.Err != "" || strings.Contains(string(out.State), "setup") {
			t.Errorf("%s: %s keeps %s", name, out.Err, out.State)
		}
	}
}

// After the end no answer is anybody's.
func TestNothingIsAnsweredAfterTheEnd(t *testing.T) {
	for phase, want := range map[string]int{"open": 1, "ended": 0} {
		out := adapter.Run(definition(), adapter.Turn{ID: "t", Key: "c", Conversation: "c", StateVersion: 1, Input: adapter.Result{Tag: "say/m", Status: 400},
			State:   fmt.Appendf(nil, `{"phase":%q,"handoff":"h","chat":"7","saying":{"event":"m"}}`, phase),
			Account: adapter.Account{Name: "desk", Role: event.RoleLiveAgent, Credentials: []string{"key"}}, Placeholders: map[string]string{"key": "k"}})
		if out.Err != "" || len(out.Effects) != want {
			t.Errorf("in phase %s: %s %v", phase, out.Err, out.Effects)
		}
	}
}

// Who writes while the conversation is on its way back is told when it was taken, once;
// where it came back to these people they are heard, and nobody is told the next time.
func TestWhoWritesWhileItIsOnItsWayBack(t *testing.T) {
	writes := adapter.Request{Endpoint: "hook", Body: []byte(`{"said":true}`)}
	deliver := func(body event.Body) adapter.Input { return adapter.Deliver{Event: event.Event{ID: "x", Body: body}} }
	taken, back := deliver(event.HandbackCompleted{}), deliver(event.HandbackFailed{})
	for name, c := range map[string]struct {
		inputs []adapter.Input
		told   int
	}{
		"nobody writes":       {[]adapter.Input{taken}, 0},
		"somebody, twice":     {[]adapter.Input{writes, writes, taken, writes}, 1},
		"only after it":       {[]adapter.Input{taken, writes, writes}, 1},
		"before it came back": {[]adapter.Input{writes, back, nil, taken}, 0},
	} {
		state, told := []byte(`{"phase":"returning","handoff":"h","chat":"7"}`), 0
		for _, in := range c.inputs {
			if in == nil { // they give it back again
				state = []byte(strings.Replace(string(state), `"phase":"open"`, `"phase":"returning"`, 1))
				continue
			}
			out := adapter.Run(definition(), adapter.Turn{ID: "t", Key: "c", Conversation: "c", StateVersion: 1, Input: in, State: state,
				Account: adapter.Account{Name: "desk", Role: event.RoleLiveAgent, Credentials: []string{"key"}}, Placeholders: map[string]string{"key": "k"}})
			state = out.State
			d, _ := in.(adapter.Deliver)
			_, cameBack := d.Event.Body.(event.HandbackFailed) // which is a note of its own
			for _, effect := range out.Effects {
				if call, ok := effect.(adapter.Calling); ok && strings.HasPrefix(call.Tag, "note/") && !cameBack {
					told++
				}
			}
			if out.Err != "" {
				t.Errorf("%s: %s", name, out.Err)
			}
		}
		if told != c.told {
			t.Errorf("%s: told %d times, want %d", name, told, c.told)
		}
	}
}
