package pointer_test

import (
	"encoding/json"
	"testing"

	"pgregory.net/rapid"

	"github.com/footbridge/footbridge/bridge/internal/pointer"
)

func TestMaskText(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`{"a":{"b":1.50,"c":[1,{"d":"x"}]}}`, `{"a":{"b":"[masked]","c":[1,{"d":"[masked]"}]}}`},
		{`{"a":{"c":[1]}}`, `{"a":{"c":[1]}}`},
		{`{"a~b/c":"x","n":9007199254740993}`, `{"a~b/c":"[masked]","n":9007199254740993}`},
		{`[{"a":{"b":1}},"{\"a\":{\"b\":2}}",[{"a":{"b":3}}],{"b":4}]`, `[{"a":{"b":"[masked]"}},"{\"a\":{\"b\":\"[masked]\"}}",[{"a":{"b":"[masked]"}}],{"b":"[masked]"}]`},
		{`"{\"a\":{\"b\":1}}"`, `"{\"a\":{\"b\":\"[masked]\"}}"`},
		{`[ {"b":1} ]`, `[ {"b":1} ]`},
		{`not JSON`, `not JSON`},
		{`{"a":{"b":1}} {"a":{"b":2}}`, `{"a":{"b":1}} {"a":{"b":2}}`},
		{``, ``},
	} {
		if got := pointer.MaskText([]byte(c.text), []string{"/a/b", "/a/c/1/d", "", "/a~0b~1c", "/a/c/9", "/3/b"}); string(got) != c.want {
			t.Errorf("%s becomes %s, want %s", c.text, got, c.want)
		}
	}
}

func TestNothingMaskedIsLeft(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		steps := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "0", "1", "x/y", "~"}), 1, 3).Draw(t, "steps")
		doc := any("secret")
		for i := len(steps) - 1; i >= 0; i-- {
			doc = map[string]any{steps[i]: doc, "other": 1.0}
		}
		text, _ := json.Marshal(doc)
		p := ""
		for _, s := range steps {
			p += "/" + map[string]string{"x/y": "x~1y", "~": "~0"}[s]
			if p[len(p)-1] == '/' {
				p += s
			}
		}
		var after any
		if err := json.Unmarshal(pointer.MaskText(text, []string{p}), &after); err != nil {
			t.Fatal(err)
		}
		if got := pointer.Text(after, p); got != pointer.Masked {
			t.Fatalf("%s of %s is %q", p, text, got)
		}
	})
}

// TestRaw: what a pointer leads to keeps its bytes.
func TestRaw(t *testing.T) {
	const text = ` {"a":{"b/c":[1.50, {"d":"\u00e9"} ]},"n":null,"s":"x"}`
	for p, want := range map[string]string{"": text, "/a/b~1c/0": "1.50", "/a/b~1c/1": `{"d":"\u00e9"}`, "/n": "null", "/s": `"x"`,
		"/a/b~1c/2": "", "/a/b~1c/-1": "", "/a/b~1c/x": "", "/missing": "", "/s/x": "", "/n/x": "", "/missing/x": ""} {
		if got := pointer.Raw([]byte(text), p); string(got) != want {
			t.Errorf("%s leads to %s", p, got)
		}
	}
	for _, text := range []string{``, `{"s":1`, `{"s":1}{"s":2}`} {
		if got := pointer.Raw([]byte(text), "/s"); got != nil {
			t.Errorf("%s has %s", text, got)
		}
	}
}
