package adapter_test

import (
	"encoding/json"
	"maps"
	"testing"

	"github.com/footbridge/footbridge/bridge/adapter"
)

func TestRunCountsWhatIsUnknown(t *testing.T) {
	handled := adapter.Func(func(_ *adapter.Tx, _ *struct{}, in adapter.Input) error {
		if _, closed := in.(adapter.Closed); closed {
			return adapter.ErrUnsupported
		}
		if f, ok := in.(adapter.Frame); ok && f.Binary {
			return adapter.ErrUnsupported
		}
		return nil
	})
	d := adapter.Definition{Adapter: handled, Unknown: func(data []byte) map[string]int {
		if len(data) == 0 {
			return nil
		}
		return map[string]int{string(data): 1}
	}, Manifest: adapter.Manifest{Samples: []adapter.Sample{
		{Tag: "known", Status: 200, Body: json.RawMessage(`{"id":1}`)}, {Tag: "bare", Status: 200, Body: json.RawMessage(`{}`)},
		{Tag: "list", Status: 200, Body: json.RawMessage(`[]`)}}}}
	for name, c := range map[string]struct {
		in   adapter.Input
		want string
	}{
		"request":                     {adapter.Request{Body: []byte("a")}, "a"},
		"frame":                       {adapter.Frame{Data: []byte("b")}, "b"},
		"frame that is unsupported":   {adapter.Frame{Data: []byte("c"), Binary: true}, "c"},
		"answer with a sample":        {adapter.Result{Tag: "known/1", Status: 200, Body: []byte("d")}, "d"},
		"answer whose sample is bare": {adapter.Result{Tag: "bare", Status: 200, Body: []byte("e")}, ""},
		"answer that is a list":       {adapter.Result{Tag: "list/1", Status: 200, Body: []byte("h")}, "h"},
		"answer without a sample":     {adapter.Result{Tag: "other", Status: 200, Body: []byte("f")}, ""},
		"refusal":                     {adapter.Result{Tag: "known", Status: 404, Body: []byte("g")}, ""},
		"closed":                      {adapter.Closed{}, ""},
	} {
		want := map[string]int{}
		if c.want != "" {
			want[c.want] = 1
		}
		if got := adapter.Run(d, adapter.Turn{Input: c.in}).Unknown; !maps.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	d.Unknown = nil
	if got := adapter.Run(d, adapter.Turn{Input: adapter.Frame{Data: []byte("x")}}).Unknown; got != nil {
		t.Errorf("an adapter that counts nothing counted %v", got)
	}
}

// TestStateIsWrittenAsItIsWeighed: a state is the JSON that an adapter weighs its texts
// in, without the escapes of a page.
func TestStateIsWrittenAsItIsWeighed(t *testing.T) {
	d := adapter.Definition{Adapter: adapter.Func(func(_ *adapter.Tx, s *map[string]string, _ adapter.Input) error {
		*s = map[string]string{"said": "<a> & b"}
		return nil
	})}
	if got := string(adapter.Run(d, adapter.Turn{Input: adapter.Frame{}}).State); got != `{"said":"<a> & b"}` {
		t.Errorf("the state is %s", got)
	}
}

// TestContentOfCall: whoever looks at a call sees its fields, and no link that works.
func TestContentOfCall(t *testing.T) {
	for want, call := range map[string]adapter.Call{
		``:        {},
		`{"a":1}`: {Body: []byte(`{"a":1}`)},
		`{"form":[{"name":"content","value":"hi"},{"name":"f","file":"https://b/media/x/a.png"}]}`: {Form: []adapter.FormField{
			{Name: "content", Value: "hi"}, {Name: "f", File: "https://b/media/x/a.png?expires=1&signature=s"}}},
		`{"upload":"https://b/media/x/a.png"}`: {Upload: "https://b/media/x/a.png?expires=1&signature=s"},
	} {
		if got := string(call.Content()); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
