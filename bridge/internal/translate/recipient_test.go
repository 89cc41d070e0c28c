package translate

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/adaptertest"
	"github.com/footbridge/footbridge/bridge/event"
)

// echo is an adapter that calls its vendor with each event it is given, gives
// notes up and cannot read errors. Its vendor begins the legs of customers.
func echo() adapter.Definition {
	return adapter.Definition{
		Manifest: adapter.Manifest{Name: "echo", StateVersion: 1},
		Configure: func(a adapter.Account) (adapter.Profile, error) {
			p := adapter.Profile{Levels: adapter.Levels{Partials: adapter.Fallback}}
			if a.Role == event.RoleCustomer {
				p.Mask = []string{"/token"}
				p.Endpoints = []adapter.Endpoint{{Name: "say", Method: "POST", Path: "/say", Answer: adapter.AnswerReply, Unknown: adapter.UnknownOpen}}
			}
			return p, nil
		},
		Adapter: adapter.Func(func(tx *adapter.Tx, _ *struct{}, in adapter.Input) error {
			switch in := in.(type) {
			case adapter.Request:
				tx.Emit(adapter.Emission{Body: event.Extension{Vendor: "echo", Name: "said", Data: in.Body}})
				tx.Reply(in.ID, adapter.Reply{Status: 200, Body: []byte(`"welcome"`)})
			case adapter.Deliver:
				return said(tx, in.Event)
			}
			return nil
		}),
	}
}

func said(tx *adapter.Tx, e event.Event) error {
	switch e.Body.(type) {
	case event.NoteCreated:
		tx.Fail("no notes")
		return nil
	case event.ErrorReported:
		return errors.New("what error")
	}
	body, err := json.Marshal(e.Body)
	tx.Call(e.ID, adapter.Call{Method: "POST", URL: "https://vendor.example/" + string(e.Kind()), Body: body})
	return err
}

// by makes a body's author a live agent.
type by struct{ event.Body }

// passedOn is what an echo in that role sends for the events, and what was said
// of those it did not take.
func passedOn(t *testing.T, role event.Role, bodies ...event.Body) (left, remarks []string) {
	t.Helper()
	d := echo()
	leg, err := adaptertest.NewRehearsal(d.Manifest, d.Configure, adaptertest.InProcess(d), adapter.Account{Name: "echo", Role: role})
	if err != nil {
		t.Fatal(err)
	}
	r := &recipient{leg: leg, role: role,
		left: func(all []adaptertest.Departure) error {
			for _, d := range all {
				left = append(left, strings.TrimPrefix(d.Path, "/")+" "+string(d.Body))
			}
			return nil
		},
		failed: func(line int, k event.Kind, err error) {
			remarks = append(remarks, fmt.Sprintf("%d %s", line, describe(k, err)))
		}}
	if err := r.open(); err != nil {
		t.Fatal(err)
	}
	for i, body := range bodies {
		e := event.Event{ID: fmt.Sprintf("x%d", i+1), Actor: event.Actor{Role: event.RoleCustomer}, Body: body}
		if agent, ok := body.(by); ok {
			e.Actor.Role, e.Body = event.RoleLiveAgent, agent.Body
		}
		if err := r.take(arrival{i + 1, e}); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.finish(); err != nil {
		t.Fatal(err)
	}
	return left, remarks
}

func words(text string) event.MessageCreated {
	return event.MessageCreated{Content: event.Plain(text)}
}

// begins wants the beginnings of what left.
func begins(t *testing.T, left []string, want ...string) {
	t.Helper()
	if !slices.EqualFunc(left, want, strings.HasPrefix) {
		t.Errorf("left:\n%s\nwant, each from the beginning:\n%s", strings.Join(left, "\n"), strings.Join(want, "\n"))
	}
}

// What was said and learned before a hand-off comes with it, and not again.
func TestHandoffBringsThePast(t *testing.T) {
	given := []event.TranscriptEntry{{Actor: event.Actor{Role: event.RoleVirtualAgent}, Content: event.Plain("earlier")}}
	left, _ := passedOn(t, event.RoleLiveAgent, event.ContextUpdated{Attributes: map[string]string{"plan": "gold"}}, words("before"),
		event.HandoffRequested{Summary: "s", Transcript: given, Context: map[string]string{"id": "7"}}, words("after"),
		event.HandoffRequested{Transcript: given})
	begins(t, left, "handoff.requested ", "message.created ", "handoff.requested ")
	var h event.HandoffRequested
	for i, want := range map[int][]string{0: {"before", "earlier"}, 2: {"before", "earlier", "after"}} {
		_, body, _ := strings.Cut(left[i], " ")
		if err := json.Unmarshal([]byte(body), &h); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range h.Transcript {
			got = append(got, e.Content.Part.(event.Text).Text)
		}
		if !slices.Equal(got, want) || h.Context["plan"] != "gold" || h.Context["id"] != "7" {
			t.Errorf("hand-off %d brings %q and %v, want %q", i, got, h.Context, want)
		}
	}
}

// A leg nothing begins is begun all the same, and everything follows in order.
func TestBegunWithoutACause(t *testing.T) {
	left, _ := passedOn(t, event.RoleLiveAgent, words("one"), words("two"))
	begins(t, left, `handoff.requested {}`, `message.created {"content":{"type":"text","text":"one"`, `message.created {"content":{"type":"text","text":"two"`)
	left, _ = passedOn(t, event.RoleVirtualAgent, words("one"))
	begins(t, left, `conversation.started `, `message.created `)
	if left, _ := passedOn(t, event.RoleLiveAgent); len(left) > 0 {
		t.Errorf("for no events there left %q", left)
	}
}

// A virtual agent's leg hears what came before its beginning after it.
func TestBeginningComesFirst(t *testing.T) {
	left, _ := passedOn(t, event.RoleVirtualAgent, words("one"), event.ConversationStarted{Language: "cy"}, words("two"))
	begins(t, left, `conversation.started {"language":"cy"}`, `message.created {"content":{"type":"text","text":"one"`, `message.created {"content":{"type":"text","text":"two"`)
}

// A leg the vendor begins is there from the beginning; the answer to what began it
// is nobody's.
func TestBegunByTheVendor(t *testing.T) {
	left, _ := passedOn(t, event.RoleCustomer, words("one"))
	begins(t, left, `message.created `)
}

// Who gives a conversation back had it: the far side is told so, once.
func TestHandbackIsOfATaker(t *testing.T) {
	left, _ := passedOn(t, event.RoleCustomer, by{event.HandbackRequested{}})
	begins(t, left, "handoff.accepted ", "handback.requested ")
	for _, took := range []event.Body{by{event.HandoffAccepted{}}, by{words("mine")}} {
		left, _ = passedOn(t, event.RoleCustomer, took, by{event.HandbackRequested{}})
		begins(t, left, string(took.Kind())+" ", "handback.requested ")
	}
	left, _ = passedOn(t, event.RoleCustomer, words("theirs"), by{event.HandbackRequested{}})
	begins(t, left, "message.created ", "handoff.accepted ", "handback.requested ")
}

// Content is what the far side carries, and no part of a message comes where the
// whole does.
func TestContentIsFitted(t *testing.T) {
	choices := event.MessageCreated{Content: event.Content{Part: event.Choices{Text: "Which?", Options: []event.Choice{{Label: "Red"}, {Label: "Blue"}}}}}
	left, _ := passedOn(t, event.RoleCustomer, event.MessagePartial{Stream: "s", Text: "Wh"}, choices)
	begins(t, left, `message.created {"content":{"type":"text","text":"Which?\n1. Red\n2. Blue"`)
}

// What is given up or cannot be read is told with its line; the rest goes on.
func TestLossesAreTold(t *testing.T) {
	left, remarks := passedOn(t, event.RoleCustomer, event.NoteCreated{}, words("one"), event.ErrorReported{}, words("two"))
	begins(t, left, `message.created `, `message.created `)
	begins(t, remarks, "1 note.created was not delivered: no notes", "3 error.reported was not delivered: ")
}

// What the bridge would not store is not shown to the adapter here either.
func TestSecretsAreMasked(t *testing.T) {
	d := echo()
	leg, err := adaptertest.NewRehearsal(d.Manifest, d.Configure, adaptertest.InProcess(d), adapter.Account{Name: "echo", Role: event.RoleCustomer})
	if err != nil {
		t.Fatal(err)
	}
	var out, log strings.Builder
	run := &translating{out: &out, remarks: &log, source: leg, endpoint: "say"}
	if err := run.line(1, []byte(`{"token":"hunter2","text":"hi"}`)); err != nil || log.Len() > 0 {
		t.Fatalf("%v, %s", err, log.String())
	}
	if strings.Contains(out.String(), "hunter2") || !strings.Contains(out.String(), `"text":"hi"`) {
		t.Errorf("the event is %s", out.String())
	}
}

func TestParse(t *testing.T) {
	for _, c := range []struct {
		raw                  bool
		line, path, frame, e string
	}{
		{line: `{"a": 1}`, frame: `{"a": 1}`},
		{line: `"words"`, frame: `"words"`},
		{line: `[]`, frame: `[]`},
		{line: `{"path":"/x?y=z","frame":{"a":1}}`, path: "/x?y=z", frame: `{"a":1}`},
		{line: ` {"frame":"f","path":"/x"}`, path: "/x", frame: `"f"`},
		{line: `{"path":"/x","frame":1,"more":1}`, frame: `{"path":"/x","frame":1,"more":1}`},
		{line: `{"path":"/x"}`, frame: `{"path":"/x"}`},
		{line: `{"path":7,"frame":{}}`, frame: `{"path":7,"frame":{}}`},
		{line: `{"path":":%","frame":{}}`, e: "is no address"},
		{line: `{"a":}`, e: "is not JSON, which this endpoint takes"},
		{line: `{} {}`, e: "is not JSON"},
		{line: strings.Repeat(" ", maxLine) + "{}", e: "more than 16777216"},
		{raw: true, line: ` a=b `, frame: ` a=b `},
		{raw: true, line: `{"path":"/x","frame":"a=b"}`, path: "/x", frame: "a=b"},
		{raw: true, line: `"a=b"`, frame: `"a=b"`},
	} {
		path, frame, err := (&translating{raw: c.raw}).parse([]byte(c.line))
		if c.e != "" {
			if err == nil || !strings.Contains(err.Error(), c.e) {
				t.Errorf("%.40s: error %v, want %q", c.line, err, c.e)
			}
			continue
		}
		if err != nil || path != c.path || string(frame) != c.frame {
			t.Errorf("%s: path %q frame %q error %v", c.line, path, frame, err)
		}
	}
}
