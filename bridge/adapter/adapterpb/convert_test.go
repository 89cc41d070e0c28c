package adapterpb_test

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/adapterpb"
	"github.com/footbridge/footbridge/bridge/event"
)

// draw makes the values of one property run. Empty lists, maps and byte slices
// are nil: the wire does not tell them apart.
type draw struct{ *rapid.T }

func (d draw) text() string { return rapid.String().Draw(d.T, "text") }

func (d draw) bytes() []byte {
	if b := rapid.SliceOf(rapid.Byte()).Draw(d.T, "bytes"); len(b) > 0 {
		return b
	}
	return nil
}

func (d draw) bool() bool { return rapid.Bool().Draw(d.T, "bool") }

func (d draw) int() int { return rapid.Int().Draw(d.T, "int") }

func (d draw) time() time.Time {
	if d.bool() {
		return time.Time{}
	}
	return time.Unix(0, rapid.Int64Range(1, math.MaxInt64/2).Draw(d.T, "ns")).UTC()
}

func (d draw) values() map[string][]string {
	n := rapid.IntRange(0, 3).Draw(d.T, "names")
	var m map[string][]string
	for range n {
		if m == nil {
			m = make(map[string][]string)
		}
		var list []string
		for range rapid.IntRange(0, 3).Draw(d.T, "values") {
			list = append(list, string(d.bytes()))
		}
		m[string(d.bytes())] = list
	}
	return m
}

func (d draw) json() json.RawMessage {
	data, err := json.Marshal(map[string]any{d.text(): d.int(), "list": []string{d.text()}})
	if err != nil {
		d.Fatal(err)
	}
	return data
}

func (d draw) vendor() map[string]json.RawMessage {
	if d.bool() {
		return nil
	}
	return map[string]json.RawMessage{d.text(): d.json()}
}

func (d draw) actor() event.Actor {
	return event.Actor{Role: rapid.SampledFrom([]event.Role{"", event.RoleCustomer, event.RoleVirtualAgent, event.RoleLiveAgent, event.RoleObserver, event.RoleSystem}).Draw(d.T, "role"), ID: d.text(), Name: d.text(), Avatar: d.text()}
}

func (d draw) body() event.Body {
	return rapid.SampledFrom([]event.Body{
		event.MessageCreated{Content: event.Plain(d.text()), Stream: d.text()},
		event.MessageCreated{Content: event.Content{Part: event.Choices{Text: d.text(), Options: []event.Choice{{Label: d.text()}}}}},
		event.HandoffRequested{Summary: d.text(), Context: map[string]string{"a": d.text()},
			Transcript: []event.TranscriptEntry{{Actor: d.actor(), Content: event.Plain(d.text())}}},
		event.ConversationEnded{Reason: d.text(), By: event.RoleLiveAgent},
		event.TypingStopped{},
		event.Extension{Vendor: d.text(), Name: d.text(), Data: d.json()},
		event.Unknown{Name: "weather.changed", JSON: d.json()},
	}).Draw(d.T, "body")
}

func (d draw) event() event.Event {
	e := event.Event{ID: d.text(), Conversation: d.text(), Seq: int64(d.int()), Time: d.time().Truncate(time.Millisecond),
		Actor: d.actor(), Body: d.body(), Ref: d.text(), Vendor: d.vendor()}
	if d.bool() {
		e.Via = event.Via{Account: d.text(), Role: event.RoleCustomer}
	}
	return e
}

func (d draw) input() adapter.Input {
	return rapid.SampledFrom([]adapter.Input{
		adapter.Request{ID: d.text(), Endpoint: d.text(), Method: d.text(), Path: string(d.bytes()), Query: d.values(),
			Header: d.values(), Body: d.bytes(), ReplyBy: d.time()},
		adapter.Deliver{Event: d.event(), MaybeDuplicate: d.bool()},
		adapter.Result{Tag: d.text(), Status: d.int(), Header: d.values(), Body: d.bytes(), Reason: d.text(), MaybeDuplicate: d.bool()},
		adapter.Fired{Timer: d.text()},
		adapter.Expired{Request: d.text(), Reason: d.text()},
		adapter.Opened{Conn: d.text(), Endpoint: d.text(), Path: string(d.bytes()), Query: d.values(), Header: d.values()},
		adapter.Frame{Conn: d.text(), Event: string(d.bytes()), Data: d.bytes(), Binary: d.bool()},
		adapter.Closed{Conn: d.text(), Code: d.int(), Status: d.int(), Reason: d.text()},
		adapter.Sent{Tag: d.text(), Outcome: d.text()},
		adapter.Reconcile{Since: d.time()},
		adapter.Check{ID: d.text(), Create: d.bool()},
	}).Draw(d.T, "input")
}

func (d draw) readback() *adapter.Call {
	if d.bool() {
		return nil
	}
	return &adapter.Call{Method: d.text(), URL: d.text(), Header: d.values(), GiveUp: time.Duration(d.int()), Lane: d.text(),
		Capture: []adapter.Capture{{Name: d.text(), Pointer: d.text()}}}
}

func (d draw) effect() adapter.Effect {
	return rapid.SampledFrom([]adapter.Effect{
		adapter.Emission{Body: d.body(), Actor: d.actor(), Ref: d.text(), Echo: d.text(), Vendor: d.vendor()},
		adapter.Answer{Request: d.text(), Reply: adapter.Reply{Status: d.int(), Header: d.values(), Body: d.bytes()}},
		adapter.Holding{Request: d.text()},
		adapter.Calling{Tag: d.text(), Call: adapter.Call{Method: d.text(), URL: d.text(), Header: d.values(), Body: d.bytes(),
			Repeat: d.text(), GiveUp: time.Duration(d.int()), Binds: d.bool(),
			Capture: []adapter.Capture{{Name: d.text(), Pointer: d.text()}}, Upload: d.text(), Lane: d.text(), Readback: d.readback(),
			Form: []adapter.FormField{{Name: d.text(), Value: d.text()}, {Name: d.text(), File: d.text(), Filename: d.text(), MIME: d.text()}}}},
		adapter.Dialing{Conn: d.text(), Dial: adapter.Dial{URL: d.text(), Header: d.values(), Protocols: []string{d.text()},
			Transport: d.text(), Event: d.text(), GiveUp: time.Duration(d.int()), Binds: d.bool()}},
		adapter.Sending{Tag: d.text(), Conn: d.text(), Data: d.bytes(), Binary: d.bool()},
		adapter.Closing{Conn: d.text(), Code: d.int()},
		adapter.Minting{Name: d.text(), Placeholder: d.text(), TTL: time.Duration(d.int())},
		adapter.Timer{Name: d.text(), After: time.Duration(d.int())},
		adapter.TimerStop{Name: d.text()},
		adapter.Binding{Key: d.text()},
		adapter.Learned{Event: d.text(), Ref: d.text()},
		adapter.Postponed{},
		adapter.Failure{Reason: d.text()},
	}).Draw(d.T, "effect")
}

func (d draw) turn() adapter.Turn {
	t := adapter.Turn{ID: d.text(), Key: d.text(), Conversation: d.text(), Now: d.time(), State: d.bytes(),
		StateVersion: d.int(), Input: d.input(),
		Account: adapter.Account{Name: d.text(), Role: event.Role(d.text()), Settings: d.json(), PublicURL: d.text()}}
	if d.bool() {
		t.Account.Credentials = []string{d.text(), d.text()}
		t.Placeholders = map[string]string{d.text(): d.text()}
	}
	return t
}

// crossed sends a message over the wire.
func crossed[M proto.Message](t interface{ Fatal(...any) }, m, to M) M {
	data, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if err := proto.Unmarshal(data, to); err != nil {
		t.Fatal(err)
	}
	return to
}

func TestEveryTurnCrosses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := draw{t}.turn()
		m, err := adapterpb.EncodeTurn(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := adapterpb.DecodeTurn(crossed(t, m, &adapterpb.Turn{}))
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("got  %#v\nwant %#v", got, want)
		}
	})
}

func TestEveryOutcomeCrosses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := draw{t}
		want := adapter.Outcome{State: d.bytes(), StateVersion: d.int(), Err: d.text(), Unsupported: d.bool()}
		for range rapid.IntRange(0, 12).Draw(t, "effects") {
			want.Effects = append(want.Effects, d.effect())
		}
		if n := d.int(); d.bool() {
			want.Unknown = map[string]int{d.text(): n}
		}
		m, err := adapterpb.EncodeOutcome(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := adapterpb.DecodeOutcome(crossed(t, m, &adapterpb.Outcome{}))
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("got  %#v\nwant %#v", got, want)
		}
	})
}

// TestWhatIsEncodedCanBeSent holds for names that are no text at all: either they
// are refused, or the message can be written.
func TestWhatIsEncodedCanBeSent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		any := func() string { return string(draw{t}.bytes()) }
		turn := adapter.Turn{ID: any(), Key: any(), Account: adapter.Account{Name: any(), Credentials: []string{any()}},
			Placeholders: map[string]string{any(): any()}, Input: adapter.Result{Tag: any(), Reason: any()}}
		if m, err := adapterpb.EncodeTurn(turn); err == nil {
			crossed(t, m, &adapterpb.Turn{})
		}
		out := adapter.Outcome{Err: any(), Effects: []adapter.Effect{adapter.Failure{Reason: any()},
			adapter.Emission{Body: event.Unknown{Name: event.Kind(any())}, Actor: event.Actor{Name: any()}, Ref: any(),
				Vendor: map[string]json.RawMessage{any(): []byte("1")}},
			adapter.Calling{Tag: any(), Call: adapter.Call{URL: any()}}}}
		if m, err := adapterpb.EncodeOutcome(out); err == nil {
			crossed(t, m, &adapterpb.Outcome{})
		}
	})
}

func TestNotEncoded(t *testing.T) {
	for name, turn := range map[string]adapter.Turn{
		"no input":      {},
		"no body":       {Input: adapter.Deliver{}},
		"bad event":     {Input: adapter.Deliver{Event: event.Event{Body: event.Extension{Data: []byte("{")}}}},
		"broken key":    {Key: "\xff", Input: adapter.Fired{}},
		"far future":    {Now: time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC), Input: adapter.Fired{}},
		"far deadline":  {Input: adapter.Request{ReplyBy: time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC)}},
		"broken secret": {Placeholders: map[string]string{"a": "\xff"}, Input: adapter.Fired{}},
	} {
		if _, err := adapterpb.EncodeTurn(turn); err == nil {
			t.Errorf("%s: encoded", name)
		}
	}
	for name, e := range map[string]adapter.Effect{
		"none": nil, "no body": adapter.Emission{}, "broken tag": adapter.Calling{Tag: "\xff"},
	} {
		if _, err := adapterpb.EncodeOutcome(adapter.Outcome{Effects: []adapter.Effect{e}}); err == nil {
			t.Errorf("%s: encoded", name)
		}
	}
	m, err := adapterpb.EncodeOutcome(adapter.Outcome{Err: "it said \xff"})
	if err != nil || !utf8.ValidString(m.GetError()) {
		t.Errorf("broken words of an error: %q, %v", m.GetError(), err)
	}
}

// badOutcomes are rows of the catalogue of bad input. FuzzDecodeOutcome begins with them.
func badOutcomes() map[string]*adapterpb.Outcome {
	emission := func(kind, body, vendor string) *adapterpb.Outcome {
		m := &adapterpb.Emission{Kind: kind, Body: []byte(body)}
		if vendor != "" {
			m.Vendor = map[string][]byte{"v": []byte(vendor)}
		}
		return &adapterpb.Outcome{Effects: []*adapterpb.Effect{{Effect: &adapterpb.Effect_Emission{Emission: m}}}}
	}
	return map[string]*adapterpb.Outcome{
		"G6 none":           nil,
		"G6 no kind":        emission("", "{}", ""),
		"G8 broken body":    emission("message.created", "{", ""),
		"G8 broken unknown": emission("weather.changed", "{", ""),
		"G8 broken vendor":  emission("message.created", "{}", "{"),
	}
}

func TestNotDecoded(t *testing.T) {
	for name, m := range badOutcomes() {
		if _, err := adapterpb.DecodeOutcome(m); err == nil {
			t.Errorf("%s: decoded", name)
		}
	}
	newer := &adapterpb.Outcome{Effects: []*adapterpb.Effect{{}}}
	if _, err := adapterpb.DecodeOutcome(newer); !errors.Is(err, adapterpb.ErrUnknown) {
		t.Errorf("an effect of a newer plugin: %v", err)
	}
	if _, err := adapterpb.DecodeTurn(&adapterpb.Turn{}); !errors.Is(err, adapterpb.ErrUnknown) {
		t.Errorf("an input of a newer bridge: %v", err)
	}
	wrong := &adapterpb.Turn{Input: &adapterpb.Turn_Deliver{Deliver: &adapterpb.Deliver{Event: []byte("{")}}}
	if _, err := adapterpb.DecodeTurn(wrong); err == nil || errors.Is(err, adapterpb.ErrUnknown) {
		t.Errorf("a broken event: %v", err)
	}
}

func TestFeaturesNameEveryArm(t *testing.T) {
	features := strings.Join(adapterpb.Features(), " ")
	turn, effect := (&adapterpb.Turn{}).ProtoReflect().Descriptor(), (&adapterpb.Effect{}).ProtoReflect().Descriptor()
	arms := 0
	for prefix, oneof := range map[string]interface{ Len() int }{"input.": turn.Oneofs().Get(0).Fields(), "effect.": effect.Oneofs().Get(0).Fields()} {
		arms += oneof.Len()
		if strings.Count(features, prefix) != oneof.Len() {
			t.Errorf("%d features begin with %s, and there are %d arms", strings.Count(features, prefix), prefix, oneof.Len())
		}
	}
	if arms != len(adapterpb.Features()) {
		t.Errorf("%d arms, %d features", arms, len(adapterpb.Features()))
	}
}

func FuzzDecodeTurn(f *testing.F) {
	for _, in := range []adapter.Input{adapter.Fired{Timer: "t"}, adapter.Request{ID: "r", Path: "/\xff"},
		adapter.Deliver{Event: event.Event{ID: "e", Body: event.MessageCreated{Content: event.Plain("hi")}}}} {
		m, err := adapterpb.EncodeTurn(adapter.Turn{ID: "t1", Now: time.Unix(1, 0), Input: in})
		if err != nil {
			f.Fatal(err)
		}
		data, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var m adapterpb.Turn
		if proto.Unmarshal(data, &m) != nil {
			return
		}
		turn, err := adapterpb.DecodeTurn(&m)
		if err != nil {
			return
		}
		m2, err := adapterpb.EncodeTurn(turn)
		if err != nil {
			return // a time out of range
		}
		if _, err := adapterpb.DecodeTurn(m2); err != nil {
			t.Fatalf("decoded and encoded, but not again: %v", err)
		}
	})
}

func FuzzDecodeOutcome(f *testing.F) {
	m, err := adapterpb.EncodeOutcome(adapter.Outcome{State: []byte("{}"), Effects: []adapter.Effect{
		adapter.Emission{Body: event.MessageCreated{Content: event.Plain("hi")}, Vendor: map[string]json.RawMessage{"v": []byte("1")}},
		adapter.Answer{Request: "r", Reply: adapter.Reply{Status: 200, Header: map[string][]string{"A": {"b"}}}},
		adapter.Calling{Tag: "c"}, adapter.Postponed{}}})
	if err != nil {
		f.Fatal(err)
	}
	data, err := proto.Marshal(m)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	for _, bad := range badOutcomes() {
		data, err := proto.Marshal(bad)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var m adapterpb.Outcome
		if proto.Unmarshal(data, &m) != nil {
			return
		}
		out, err := adapterpb.DecodeOutcome(&m)
		if err != nil {
			return
		}
		again, err := adapterpb.EncodeOutcome(out)
		if err != nil {
			t.Fatalf("decoded but not encoded: %v", err)
		}
		if len(again.GetEffects()) != len(out.Effects) {
			t.Fatalf("%d effects became %d", len(out.Effects), len(again.GetEffects()))
		}
	})
}

// Kinds and roles lie open in the journal, so an adapter cannot put words there.
func TestEmissionsOfNoKindOrRole(t *testing.T) {
	for _, c := range []struct {
		kind, role string
		taken      bool
	}{
		{"message.created", "virtual_agent", true}, {"note.created", "", true}, {"weather.changed_v2", "system", true}, {"extension", "observer", true},
		{"Message.Created", "system", false}, {"call Ada", "system", false}, {"sk-12-Zq7/tR", "system", false}, {"", "system", false},
		{"a.b.c.d.e", "system", false}, {strings.Repeat("a", 33), "system", false}, {"message.created", "Ada", false}, {"message.created", "sk-12-Zq7", false},
	} {
		outcome := &adapterpb.Outcome{Effects: []*adapterpb.Effect{{Effect: &adapterpb.Effect_Emission{Emission: &adapterpb.Emission{
			Kind: c.kind, Body: []byte("{}"), Actor: &adapterpb.Actor{Role: c.role}}}}}}
		_, err := adapterpb.DecodeOutcome(outcome)
		if (err == nil) != c.taken {
			t.Errorf("%+v: %v", c, err)
		}
		if err != nil && (c.kind != "" && strings.Contains(err.Error(), c.kind) || strings.Contains(err.Error(), "Ada")) {
			t.Errorf("the error repeats it: %v", err)
		}
	}
}
