package event

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// example is an event as the documents show one.
const example = `{"id":"01J0000000000000000000000A","conversation":"01J0000000000000000000000B","seq":7,"time":"2026-11-20T10:00:00.123Z","kind":"message.created",
 "actor":{"role":"customer","id":"c-1","name":"Ada"},"via":{"account":"studio","role":"virtual_agent"},
 "ref":"vendor's own id","body":{"content":{"type":"text","text":"hello","format":"plain"}},"vendor":{"acme":{"mood":"good"}}}`

func decode(t testing.TB, data string) Event {
	t.Helper()
	var e Event
	if err := json.Unmarshal([]byte(data), &e); err != nil {
		t.Fatalf("%s: %v", data, err)
	}
	return e
}

func encode(t rapid.TB, e Event) []byte {
	t.Helper()
	data, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// sameJSON compares values, whatever the order of members and the spaces.
func sameJSON(t testing.TB, a, b []byte) bool {
	t.Helper()
	var x, y any
	for data, v := range map[*[]byte]*any{&a: &x, &b: &y} {
		dec := json.NewDecoder(bytes.NewReader(*data))
		dec.UseNumber()
		if err := dec.Decode(v); err != nil {
			t.Fatalf("%s: %v", *data, err)
		}
	}
	return reflect.DeepEqual(x, y)
}

func TestExample(t *testing.T) {
	e := decode(t, example)
	want := Event{ID: "01J0000000000000000000000A", Conversation: "01J0000000000000000000000B", Seq: 7,
		Time:  time.Date(2026, 11, 20, 10, 0, 0, 123e6, time.UTC),
		Actor: Actor{Role: RoleCustomer, ID: "c-1", Name: "Ada"}, Via: Via{Account: "studio", Role: RoleVirtualAgent},
		Ref: "vendor's own id", Body: MessageCreated{Content: Plain("hello")},
		Vendor: map[string]json.RawMessage{"acme": json.RawMessage(`{"mood":"good"}`)}}
	if !reflect.DeepEqual(e, want) {
		t.Errorf("read %+v", e)
	}
	if got := encode(t, e); !sameJSON(t, got, []byte(example)) {
		t.Errorf("written %s", got)
	}
}

// Every event of every kind is the same after it is written and read, and is
// written the same again.
func TestRoundTrip(t *testing.T) {
	for _, kind := range append(kinds(), "future.happened") {
		t.Run(string(kind), rapid.MakeCheck(func(t *rapid.T) {
			e := drawEvent(t, kind)
			data := encode(t, e)
			var back Event
			if err := json.Unmarshal(data, &back); err != nil {
				t.Fatalf("%s: %v", data, err)
			}
			if again := encode(t, back); !bytes.Equal(data, again) {
				t.Fatalf("written as\n%s\nthen as\n%s", data, again)
			}
			if _, unknown := e.Body.(Unknown); !unknown && !reflect.DeepEqual(e, back) {
				t.Fatalf("made\n%+v\nread\n%+v", e, back)
			}
		}))
	}
}

// What this program does not know passes through it.
func TestUnknownPassesThrough(t *testing.T) {
	for _, data := range []string{
		`{"kind":"future.happened","actor":{"role":"customer"},"body":{"n":12345678901234567890,"deep":[{"x":1.50}],"s":"<&>\u2028"}}`,
		`{"kind":"future.happened","actor":{"role":"customer"},"body":null}`,
		`{"kind":"future.happened","actor":{"role":"customer"},"body":[1,"two"]}`,
		`{"kind":"future.happened","actor":{"role":"visitor from tomorrow"},"body":"text"}`,
		`{"kind":"message.created","actor":{"role":"customer"},"body":{"content":{"type":"hologram","depth":3.0,"text":{"not":"text"}}}}`,
		`{"kind":"transcript.shared","actor":{"role":"system"},"body":{"entries":[{"actor":{"role":"x"},"content":{"type":"hologram"}}]}}`,
		`{"kind":"insight.observed","actor":{"role":"observer"},"body":{"type":"hologram","depth":3.0,"level":{"not":"a number"}}}`,
		`{"kind":"insight.observed","actor":{"role":"observer"},"body":{"type":"analysis","tasks":[{"name":"check","n":12345678901234567890},"plain",null]}}`,
		`{"kind":"insight.requested","actor":{"role":"live_agent"},"body":{"type":"flow","parameters":{"id":"f-1","deep":[1.50]}}}`,
		`{"kind":"typing.stopped","actor":{"role":"customer"},"body":{},"vendor":{"acme":[1e400,{"a":null}]}}`,
	} {
		if got := encode(t, decode(t, data)); !sameJSON(t, got, []byte(data)) {
			t.Errorf("read    %s\nwritten %s", data, got)
		}
	}
}

// Fields a newer side adds to a known kind are read over.
func TestUnknownFieldsAreIgnored(t *testing.T) {
	e := decode(t, `{"kind":"handoff.queued","actor":{"role":"live_agent","mood":"good"},"weather":"fine","body":{"position":2,"mood":"good"}}`)
	if e.Body != (HandoffQueued{Position: 2}) {
		t.Errorf("read %+v", e.Body)
	}
}

func TestEmptyBodies(t *testing.T) {
	for _, kind := range kinds() {
		for _, rest := range []string{``, `,"body":null`, `,"body":{}`} {
			e := decode(t, `{"kind":"`+string(kind)+`","actor":{"role":"system"}`+rest+`}`)
			if e.Kind() != kind || !reflect.ValueOf(e.Body).IsZero() {
				t.Errorf("%s%s was read as %+v", kind, rest, e.Body)
			}
		}
	}
	if got := encode(t, Event{Body: Unknown{Name: "future.happened"}}); !strings.Contains(string(got), `"body":{}`) {
		t.Errorf("an unknown body of nothing is written %s", got)
	}
}

// A body of the wrong type is an error that names the kind.
func TestWrongBodies(t *testing.T) {
	for _, kind := range kinds() {
		for _, body := range append(wrongFields(kind), `5`, `"x"`, `[]`, `true`) {
			var e Event
			err := json.Unmarshal([]byte(`{"kind":"`+string(kind)+`","actor":{"role":"system"},"body":`+body+`}`), &e)
			if err == nil || !strings.Contains(err.Error(), string(kind)) {
				t.Errorf("%s with body %s: error %v", kind, body, err)
			}
		}
	}
}

// wrongFields has, for each field of a kind's body, a body where it is of a type
// no field has.
func wrongFields(kind Kind) []string {
	body, err := DecodeBody(kind, nil)
	if err != nil {
		return nil
	}
	var out []string
	typ := reflect.TypeOf(body)
	for i := range typ.NumField() {
		name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
		if typ.Field(i).Type != reflect.TypeFor[json.RawMessage]() && name != "" {
			out = append(out, `{"`+name+`":[[0.5]]}`)
		}
	}
	return out
}

func TestNoEvent(t *testing.T) {
	for _, data := range []string{
		``, `null `, `5`, `[]`, `{}`, `{"kind":""}`, `{"kind":7}`, `{"kind":"typing.stopped","seq":"7"}`, `{"kind":"typing.stopped","seq":1.5}`,
		`{"kind":"typing.stopped","time":"yesterday"}`, `{"kind":"typing.stopped","time":"0000-01-01T00:00:00+01:00"}`,
		`{"kind":"typing.stopped","actor":"customer"}`, `{"kind":"typing.stopped","vendor":[]}`,
		`{"kind":"message.created","body":{"content":{"text":"no type"}}}`, `{"kind":"message.created","body":{"content":"text"}}`,
		`{"kind":"message.created","body":{"content":{"type":"media","size":"big"}}}`,
		`{"kind":"insight.observed","body":{"text":"no type"}}`, `{"kind":"insight.observed","body":{"type":7}}`,
		`{"kind":"insight.observed","body":{"type":"sound_level","level":"loud"}}`,
	} {
		var e Event
		if err := e.UnmarshalJSON([]byte(data)); err == nil {
			t.Errorf("%s was read as %+v", data, e)
		}
	}
}

// Times are kept in UTC and to the millisecond, whatever they were given in.
func TestTime(t *testing.T) {
	e := decode(t, `{"kind":"typing.stopped","actor":{"role":"customer"},"time":"2026-11-20T11:00:00.1239+01:00"}`)
	if e.Time.Location() != time.UTC {
		t.Errorf("read in %s", e.Time.Location())
	}
	if got := string(encode(t, e)); !strings.Contains(got, `"time":"2026-11-20T10:00:00.123Z"`) {
		t.Errorf("written %s", got)
	}
}

// The zero values of the sums are written as something that can be read.
func TestZeroContent(t *testing.T) {
	for _, c := range []Content{{}, {UnknownContent{Name: "hologram"}}, {Text{}}, {Choices{}}, {Carousel{}}} {
		e := Event{Body: MessageCreated{Content: c}}
		back := decode(t, string(encode(t, e)))
		got := back.Body.(MessageCreated).Content
		if (got.Part == nil) != (c.Part == nil) || (c.Part != nil && got.Type() != c.Type()) {
			t.Errorf("%#v came back as %#v", c, got)
		}
	}
	if (Event{}).Kind() != "" {
		t.Error("an event without a body has a kind")
	}
}

func TestTransient(t *testing.T) {
	for _, kind := range kinds() {
		body, err := DecodeBody(kind, nil)
		if err != nil {
			t.Fatal(err)
		}
		if want := strings.HasPrefix(string(kind), "typing."); Transient(body) != want {
			t.Errorf("%s is transient: %v", kind, Transient(body))
		}
	}
	for _, insight := range append(Insights(), UnknownInsight{Name: "hologram"}) {
		if want := insight.InsightType() == "sound_level"; Transient(InsightObserved{insight}) != want {
			t.Errorf("insight %s is transient: %v", insight.InsightType(), !want)
		}
	}
	if Transient(nil) || Transient(Unknown{Name: "future.happened"}) {
		t.Error("what is not known is transient")
	}
}

// An insight is written flat, its type first; what is not told is left out, and
// what is told as nothing is not.
func TestInsightIsFlat(t *testing.T) {
	no, zero := false, int64(0)
	for want, insight := range map[string]Insight{
		`{"type":"sound_level","level":0}`:                       SoundLevel{},
		`{"type":"analysis","customer_angry":false}`:             Analysis{CustomerAngry: &no},
		`{"type":"utterance","index":0,"speaker":"customer"}`:    Utterance{Index: &zero, Speaker: RoleCustomer},
		`{"type":"voice"}`:                                       Voice{},
		`{"type":"dialog","utterances":[{"text":"hi"}]}`:         Dialog{Utterances: []Utterance{{Text: "hi"}}},
		`{"type":"hologram"}`:                                    UnknownInsight{Name: "hologram"},
		`{"type":"tts","label":"GENUINE"}`:                       SyntheticSpeech{Label: "GENUINE"},
		`{"type":"attached_data","entries":[{"k":"v"},["odd"]]}`: AttachedData{Entries: []json.RawMessage{[]byte(`{"k":"v"}`), []byte(`["odd"]`)}},
	} {
		if got, err := json.Marshal(InsightObserved{insight}); err != nil || string(got) != want {
			t.Errorf("%#v is written %s (%v), want %s", insight, got, err, want)
		}
	}
}

// What can be read can be written, and read again as the same. Empty lists and
// maps are left out one level at a time, so the second writing settles the form.
func FuzzEvent(f *testing.F) {
	f.Add([]byte(example))
	f.Add([]byte(`{"kind":"future.happened","actor":{"role":"customer"},"body":{"x":[1,{}]},"vendor":{"acme":null}}`))
	f.Add([]byte(`{"kind":"handoff.requested","actor":{"role":"virtual_agent"},"body":{"transcript":[{"actor":{},"content":{"type":"x"}}],"context":{"a":"b"},"routing":{"skills":[]}}}`))
	f.Add([]byte(`{"kind":"insight.observed","body":{"type":"dialog","latest":3,"utterances":[{"index":1,"speaker":"customer","started":"2026-01-01T00:00:00Z"}]}}`))
	f.Add([]byte(`{"KIND":"typing.started","body":{"expires":"0000-01-01T00:00:00+23:59"},"time":"9999-12-31T23:59:59-01:00"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var e Event
		if err := json.Unmarshal(data, &e); err != nil {
			return
		}
		back := decode(t, string(encode(t, e)))
		settled := encode(t, back)
		if again := encode(t, decode(t, string(settled))); !bytes.Equal(settled, again) || back.Kind() != e.Kind() {
			t.Fatalf("read    %s\nwritten %s\nthen    %s", data, settled, again)
		}
	})
}
