package codec_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
)

func TestWordsCountWhatNobodyToldOf(t *testing.T) {
	words := codec.NewWords(nil, []codec.Field{
		{Name: "kind", Kind: codec.String | codec.Names, Values: "say leave"},
		{Name: "mood", Kind: codec.String, Values: "glad sad"},
		{Name: "card/mood", Kind: codec.Number},
		{Name: "text note", Kind: codec.String},
		{Name: "at", Kind: codec.Number},
		{Name: "card", Kind: codec.Object},
		{Name: "facts", Kind: codec.Object | codec.Own},
		{Name: "last", Kind: codec.Bool},
	})
	const field, value, kind, frame = adapter.UnknownField, adapter.UnknownValue, adapter.UnknownType, adapter.UnknownFrame
	for _, c := range []struct {
		frame string
		want  map[string]int
	}{
		{`{"kind":"say","text":"x","at":1,"last":true}`, nil},
		{`{"KIND":"Say","Text":"x","mood":"GLAD"," note ":"x"}`, nil},
		{`{"future":{"deep":{"deeper":1}},"card":{"future":null}}`, map[string]int{field: 2}},
		{`{"kind":"dance","mood":"odd","card":{"mood":"sad"}}`, map[string]int{frame: 1, value: 1, kind: 1}},
		{`{"kind":"","mood":null,"text":null}`, nil},
		{`{"text":5,"at":"5","card":"x","last":{}}`, map[string]int{kind: 4}},
		{`{"text":["a",1,{"b":2}],"mood":["glad","odd"]}`, map[string]int{kind: 2, value: 1}},
		{`{"card":[{"future":1},{"text":"x"}]}`, map[string]int{field: 1}},
		{`{"facts":{"anything":[1,{"kind":5}]}}`, nil},
		{`{"card":"{\"future\":1,\"text\":2}"}`, map[string]int{field: 1, kind: 1}},
		{`{"text":"{\"future\":1}"}`, nil},
		{`[{"future":1},{"future":1}]`, map[string]int{field: 2}},
		{`"{\"future\":1}"`, map[string]int{field: 1}},
		{`no JSON`, nil},
		{``, nil},
	} {
		if got := words.Unknown([]byte(c.frame)); !maps.Equal(got, c.want) || got != nil && c.want == nil {
			t.Errorf("%s: got %v, want %v", c.frame, got, c.want)
		}
	}
}

func TestWordsAreFolded(t *testing.T) {
	loose := func(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "")) }
	words := codec.NewWords(loose, []codec.Field{{Name: "risk_level", Kind: codec.String, Values: "HIGH_RISK"}, {Name: "the_card", Kind: codec.Object}, {Name: "the_card/riskLevel", Kind: codec.Number}})
	if got := words.Unknown([]byte(`{"riskLevel":"highRisk","THECARD":{"risk_level":1}}`)); got != nil {
		t.Errorf("other spellings are unknown: %v", got)
	}
}
