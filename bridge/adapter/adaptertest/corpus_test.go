package adaptertest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/adaptertest"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// post is a small adapter for the frames of a made-up vendor, unless it is given
// a flaw.
type post struct{ flaw string }

func (y post) definition() adapter.Definition {
	d := adapter.Definition{
		Manifest: adapter.Manifest{Name: "post", StateVersion: 1, Roles: []event.Role{event.RoleVirtualAgent, event.RoleLiveAgent}},
		Configure: func(adapter.Account) (adapter.Profile, error) {
			return adapter.Profile{Endpoints: []adapter.Endpoint{{Name: "in", Method: "POST", Path: "/in", Answer: adapter.AnswerAck, Unknown: adapter.UnknownOpen}}}, nil
		},
		Adapter: adapter.Func(y.handle),
		Unknown: codec.NewWords(nil, []codec.Field{
			{Name: "kind", Kind: codec.String | codec.Names, Values: "say leave"},
			{Name: "mood", Kind: codec.String, Values: "glad sad"},
			{Name: "text name", Kind: codec.String},
			{Name: "who", Kind: codec.Object},
			{Name: "at", Kind: codec.Number},
		}).Unknown,
	}
	if y.flaw == "counts nothing" {
		d.Unknown = nil
	}
	if what, ok := strings.CutPrefix(y.flaw, "does not count "); ok {
		count := d.Unknown
		d.Unknown = func(data []byte) map[string]int {
			counts := maps.Clone(count(data))
			delete(counts, what)
			return counts
		}
	}
	return d
}

// postState is what the mirror knows of the customer.
type postState struct {
	Name string `json:"name,omitempty"`
}

func (y post) handle(tx *adapter.Tx, s *postState, in adapter.Input) error {
	if d, ok := in.(adapter.Deliver); ok {
		y.write(tx, s, d.Event)
		return nil
	}
	r, ok := in.(adapter.Request)
	if !ok {
		return adapter.ErrUnsupported
	}
	v, err := codec.Lenient(r.Body)
	if err == nil {
		err = y.refuses(v)
	}
	if err == nil {
		y.read(tx, v)
	}
	return err
}

// refuses are the flaws that end in an error.
func (y post) refuses(v codec.Value) error {
	switch {
	case y.flaw == "refuses unknown fields" && v.Get("zzFuture").Exists(),
		y.flaw == "refuses unknown fields within" && v.Get("who").Get("zzFuture").Exists(),
		y.flaw == "refuses unknown moods" && !strings.Contains("GLAD SAD", strings.ToUpper(v.Get("mood").Text())),
		y.flaw == "refuses other types" && v.Get("text").Exists() && !v.Get("text").IsString(),
		y.flaw == "needs a name" && !v.Get("who").Get("name").Exists():
		return errors.New(y.flaw)
	}
	return nil
}

func (y post) read(tx *adapter.Tx, v codec.Value) {
	name, mood, text := v.Get("who").Get("name").Text(), v.Get("mood").Text(), v.Get("text").Text()
	kind := strings.ToLower(v.Get("kind").Text())
	switch {
	case y.flaw == "needs its own case" && v.Get("kind").Text() == "SAY",
		y.flaw == "drops words of an unknown mood" && mood == "zzFuture",
		y.flaw == "takes null for the end" && string(v.Get("at").Raw()) == "null":
		return
	case y.flaw == "takes every kind for words":
		kind = "say"
	case y.flaw == "takes the number for the name" && !v.Get("at").Exists():
		name = "nobody"
	case y.flaw == "ends on a strange number" && v.Get("at").IsString():
		tx.Emit(adapter.Emission{Body: event.ConversationEnded{}})
	case y.flaw == "reads names as written" && v.Members()[0].Name == "KIND":
		text += "?"
	}
	if name != "" {
		tx.Emit(adapter.Emission{Body: event.ContextUpdated{Attributes: map[string]string{"name": name}}})
	}
	if kind == "say" {
		e := adapter.Emission{Body: event.MessageCreated{Content: event.Plain(text)}, Actor: event.Actor{Role: event.RoleCustomer, Name: mood}}
		if at := v.Get("at"); at.Exists() {
			e.Vendor = map[string]json.RawMessage{"post": json.RawMessage(fmt.Sprintf(`{"at":%s}`, at.Raw()))}
		}
		tx.Emit(e)
	}
}

// write is the mirror: it sends what the events say.
func (y post) write(tx *adapter.Tx, s *postState, e event.Event) {
	call := func(tag, body string) {
		tx.Call(tag, adapter.Call{Method: "POST", URL: "https://post.example/in", Body: []byte(body)})
	}
	switch body := e.Body.(type) {
	case event.ContextUpdated:
		if s.Name = body.Attributes["name"]; y.flaw == "gives the name up" {
			tx.Fail("names are not for this desk")
		}
	case event.MessageCreated:
		if y.flaw == "writes nothing" {
			return
		}
		frame := map[string]any{"kind": "say", "text": codec.Plain(body.Content), "mood": e.Actor.Name, "who": map[string]string{"name": s.Name}}
		if at := struct{ At int }{}; json.Unmarshal(e.Vendor["post"], &at) == nil {
			frame["at"] = at.At
		}
		if y.flaw == "forgets the mood" {
			delete(frame, "mood")
		}
		data, _ := json.Marshal(frame)
		switch y.flaw {
		case "says it twice":
			call("first", string(data))
		case "greets":
			call("first", `{"hello":1}`)
		}
		call("say", string(data))
	}
}

// said is a frame of the vendor's in which everything can be changed.
func said() adaptertest.Case {
	return adaptertest.Case{Name: "said", Role: event.RoleVirtualAgent, Endpoint: "in",
		Frame: json.RawMessage(`{"kind":"say","text":"hello","mood":"glad","at":5,"who":{"name":"Ada"}}`),
		Events: []json.RawMessage{json.RawMessage(`{"kind":"context.updated","body":{"attributes":{"name":"Ada"}}}`),
			json.RawMessage(`{"kind":"message.created","actor":{"name":"glad"},"body":{"content":{"type":"text","text":"hello","format":"plain"}}}`)},
		Kinds: []string{"/kind"}, Enums: map[string][]string{"/mood": {"/1/actor/name"}}}
}

func examined(c adaptertest.Case, y post) error {
	d := y.definition()
	return c.Examine(d.Manifest, d.Configure, adaptertest.InProcess(d))
}

func TestChangesOfAFrame(t *testing.T) {
	if err := examined(said(), post{}); err != nil {
		t.Fatalf("a good adapter: %v", err)
	}
	for flaw, want := range map[string]string{
		"counts nothing":                 `an unknown field at "": is not counted`,
		"does not count frame":           `an unknown kind of frame at "/kind": is not counted`,
		"does not count value":           `a new value at "/mood": is not counted`,
		"does not count type":            `another type at "/text": is never counted`,
		"refuses unknown fields":         `an unknown field at ""`,
		"refuses unknown fields within":  `an unknown field at "/who"`,
		"refuses unknown moods":          `another value at "/mood"`,
		"refuses other types":            `the type of 7919 at "/text"`,
		"needs a name":                   `no field at "/who/name"`,
		"needs its own case":             `the other case, which is not counted, at "/kind"`,
		"drops words of an unknown mood": `a new value at "/mood": changes the events at ["/0"]`,
		"takes null for the end":         `null at "/at": changes the events at ["/0" "/1"]`,
		"takes every kind for words":     `an unknown kind of frame at "/kind": gives`,
		"takes the number for the name":  `no field at "/at": changes the events`,
		"ends on a strange number":       `the type of "zzText" at "/at": changes the events at ["+conversation.ended"]`,
		"reads names as written":         `the name in the other case, which is not counted at "/kind"`,
	} {
		if err := examined(said(), post{flaw}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: want %s, got %.600v", flaw, want, err)
		}
	}
}

// TestWhatACaseSaysIsHeld: a case that says too little or too much is found.
func TestWhatACaseSaysIsHeld(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*adaptertest.Case)
		want   string
	}{
		"unknown things nobody mentions": {func(c *adaptertest.Case) {
			c.Frame = json.RawMessage(`{"kind":"say","text":"hello","mood":"glad","who":{"name":"Ada"},"new":1}`)
		}, "1 things the adapter does not know, want 0"},
		"unknown things that are not there": {func(c *adaptertest.Case) { c.Unknown = 2 }, "0 things the adapter does not know, want 2"},
		"an enum that gives more":           {func(c *adaptertest.Case) { c.Enums = map[string][]string{"/mood": {}} }, `a new value at "/mood": changes the events`},
		"an enum that is none":              {func(c *adaptertest.Case) { c.Enums["/text"] = []string{"/1"} }, `a new value at "/text": is not counted`},
		"a kind that is none":               {func(c *adaptertest.Case) { c.Kinds = append(c.Kinds, "/who/name") }, `an unknown kind of frame at "/who/name"`},
	} {
		one := said()
		c.change(&one)
		if err := examined(one, post{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: want %s, got %.600v", name, c.want, err)
		}
	}
}

// TestOpenPlacesAreNotLookedAt: what a case calls open or required is not held to
// what it gives.
func TestOpenPlacesAreNotLookedAt(t *testing.T) {
	c := said()
	c.Required = []string{"/who/name"}
	if err := examined(c, post{"needs a name"}); err != nil {
		t.Errorf("a required field was taken away: %v", err)
	}
	c = said()
	c.Open = []string{"/who"}
	if err := examined(c, post{"does not count field"}); err == nil || strings.Contains(err.Error(), `"/who"`) {
		t.Errorf("an open field is counted: %v", err)
	}
}

// written is a frame that the mirror writes again.
func written() adaptertest.Case {
	c := said()
	c.Enums, c.Kinds = map[string][]string{"/mood": {"/1/actor/name"}}, []string{"/kind"}
	c.VendorOnly = []string{"/at"}
	c.Back = &adaptertest.Back{Role: event.RoleLiveAgent}
	return c
}

func TestTheWayBack(t *testing.T) {
	if err := examined(written(), post{}); err != nil {
		t.Fatalf("a good mirror: %v", err)
	}
	for flaw, want := range map[string]string{
		"says it twice":     "2 frames left, want 1",
		"gives the name up": `not delivered: ["names are not for this desk"]`,
		"writes nothing":    "0 frames left, want 1",
		"forgets the mood":  "it is another frame",
	} {
		if err := examined(written(), post{flaw}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: want %s, got %.300v", flaw, want, err)
		}
	}
	c := written()
	c.Back.Ahead = []json.RawMessage{json.RawMessage(`{"hello":1}`)}
	if err := examined(c, post{"greets"}); err != nil {
		t.Errorf("a frame ahead of it: %v", err)
	}
	c.Back.Ahead = []json.RawMessage{json.RawMessage(`{"hello":2}`)}
	if err := examined(c, post{"greets"}); err == nil || !strings.Contains(err.Error(), "ahead of it another frame left") {
		t.Errorf("another frame ahead of it: %v", err)
	}
	c = said()
	c.VendorOnly = []string{"/at"}
	if err := examined(c, post{}); err == nil || !strings.Contains(err.Error(), "nothing proves it") {
		t.Errorf("a claim nothing proves: %v", err)
	}
	if c.Mirror = "TestElsewhere"; examined(c, post{}) != nil {
		t.Error("a claim another test proves is refused")
	}
}
