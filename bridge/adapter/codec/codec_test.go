package codec_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rivo/uniseg"
	"pgregory.net/rapid"

	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

func TestStrictRefusesTheAmbiguous(t *testing.T) {
	bad := map[string]string{
		"duplicate names":   `{"a":1,"a":2}`,
		"nested duplicates": `{"x":[{"a":1,"a":2}]}`,
		"broken UTF-8":      "{\"a\":\"\xff\"}",
		"lone surrogate":    `{"a":"\ud800"}`,
		"two values":        `{} {}`,
		"trailing comma":    `{"a":1,}`,
		"nothing":           ``,
		"cut short":         `{"a":[1,2`,
		"too deep":          strings.Repeat("[", 200) + strings.Repeat("]", 200),
	}
	for name, in := range bad {
		if _, err := codec.Strict([]byte(in)); err == nil {
			t.Errorf("%s: %s was accepted", name, in)
		}
	}
}

func TestLenientTakesTheFirst(t *testing.T) {
	v, err := codec.Lenient([]byte("\ufeff{\"a\":\"one\",\"a\":\"two\",\"b\":\"\xff\"}"))
	if err != nil {
		t.Fatal(err)
	}
	if got := v.Get("a").Text(); got != "one" {
		t.Errorf("a = %q, want the first", got)
	}
	if got := v.Get("b").Text(); got != "\ufffd" {
		t.Errorf("b = %q, want the replacement character", got)
	}
	if !json.Valid(v.Raw()) {
		t.Errorf("raw is not JSON: %s", v.Raw())
	}
}

func TestValue(t *testing.T) {
	v, err := codec.Strict([]byte(` { "SessionID" : 9007199254740993, "exact":"no","Exact":"yes", "none":null,
		"list":[1, "two", {"x" : true}], "twice":"[{\"a\":1}]", "odd":"[not json" } `))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ got, want string }{
		{v.Get("sessionId").Text(), "9007199254740993"},
		{v.Get("missing", "sessionid").Text(), "9007199254740993"},
		{v.Get("Exact").Text(), "yes"},
		{v.Get("EXACT").Text(), "no"},
		{v.Get("none").Text(), ""},
		{v.Get("list").Text(), `[1,"two",{"x":true}]`},
		{v.Get("list").Items()[2].Get("x").Text(), "true"},
		{v.Get("twice").Unwrap().Items()[0].Get("a").Text(), "1"},
		{v.Get("odd").Unwrap().Text(), "[not json"},
		{string(v.Get("list").Raw()), `[1, "two", {"x" : true}]`},
		{string(v.Without("EXACT", "list", "twice", "odd")), `{"SessionID":9007199254740993}`},
		{string(v.Without("sessionid", "exact", "list", "twice", "odd")), ``},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
	if v.Get("none").Exists() || v.Get("missing").Exists() || !v.Get("exact").Exists() {
		t.Error("Exists is wrong about null, a missing member or a string")
	}
	if n := len(v.Get("exact").Items()); n != 1 {
		t.Errorf("a single value has %d items, want itself", n)
	}
}

func TestEncodeKeepsMarkup(t *testing.T) {
	got, err := codec.Encode(map[string]string{"text": "<b>&"})
	if err != nil || string(got) != `{"text":"<b>&"}` {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestSplit(t *testing.T) {
	family := "👩‍👩‍👧‍👦" // one grapheme cluster, 11 code units
	for _, c := range []struct {
		name, text string
		limit      int
		want       []string
	}{
		{"nothing", "", 5, nil},
		{"within", "hello", 5, []string{"hello"}},
		{"plain", "hello world", 5, []string{"hello", " worl", "d"}},
		{"not within a cluster", "ab" + family + "c", 12, []string{"ab", family + "c"}},
		{"a cluster alone too long", family, 4, []string{"👩\u200d", "👩\u200d", "👧\u200d", "👦"}},
		{"accents stay", "e\u0301e\u0301", 3, []string{"e\u0301", "e\u0301"}},
		{"flags stay", "🇩🇪🇫🇷", 5, []string{"🇩🇪", "🇫🇷"}},
		{"no limit to speak of", "😀a", 0, []string{"😀", "a"}},
	} {
		got := codec.Split(c.text, c.limit)
		if strings.Join(got, "|") != strings.Join(c.want, "|") {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestSplitLaws(t *testing.T) {
	piece := rapid.SampledFrom([]string{"a", " ", "\n", "é", "e\u0301", "😀", "👩‍👩‍👧‍👦", "🇩🇪", "\xff", "漢", "\r\n", "한"})
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(piece, 0, 60).Draw(t, "pieces"), "")
		limit := rapid.IntRange(2, 40).Draw(t, "limit")
		parts := codec.Split(text, limit)
		if strings.Join(parts, "") != text {
			t.Fatalf("parts %q are not the text %q", parts, text)
		}
		ends := boundaries(text)
		at := 0
		for _, p := range parts {
			if codec.Length(p) > limit || p == "" {
				t.Fatalf("part %q has %d units, limit %d", p, codec.Length(p), limit)
			}
			at += len(p)
			if limit >= 11 && !ends[at] {
				t.Fatalf("part %q ends inside a cluster of %q", p, text)
			}
		}
	})
}

func boundaries(text string) map[int]bool {
	ends := map[int]bool{}
	for g := uniseg.NewGraphemes(text); g.Next(); {
		_, end := g.Positions()
		ends[end] = true
	}
	return ends
}

func TestPlain(t *testing.T) {
	for _, c := range []struct {
		part event.Part
		want string
	}{
		{event.Text{Text: "hi"}, "hi"},
		{event.Media{Kind: "image", URL: "https://x/y.png", Caption: "a cat"}, "a cat\nhttps://x/y.png"},
		{event.Choices{Text: "Which?", Options: []event.Choice{{Label: "Red"}, {Label: "Blue", URL: "https://b"}}}, "Which?\n1. Red\n2. Blue https://b"},
		{event.Form{Title: "You", Fields: []event.Field{{Name: "n", Label: "Name"}, {Name: "mail"}}}, "You\n1. Name\n2. mail"},
		{event.FormResponse{Values: []event.FieldValue{{Name: "n", Label: "Name", Value: "Ada"}}}, "Name: Ada"},
		{event.Card{Title: "T", Text: "x", Actions: []event.Choice{{Label: "Go"}}}, "T\nx\n1. Go"},
		{event.Carousel{Cards: []event.Card{{Title: "A"}, {Title: "B"}}}, "A\nB"},
		{event.Location{Latitude: 1.5, Longitude: -2, Name: "Here"}, "Here\n1.5, -2"},
		{event.Link{URL: "https://x", Title: "X"}, "X\nhttps://x"},
		{event.UnknownContent{Name: "hologram"}, ""},
		{nil, ""},
	} {
		if got := codec.Plain(event.Content{Part: c.part}); got != c.want {
			t.Errorf("%T: got %q, want %q", c.part, got, c.want)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, seed := range []string{`{"a":[1,{"b":null}]}`, "\xff", `{"a":1,"a":2}`, `"\ud800"`, `[[[`, `1e999`, "0\v", "1\u00a0", "{} \t\r\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		strict, err := codec.Strict(data)
		if err == nil && !json.Valid(strict.Raw()) {
			t.Errorf("raw of %q is not JSON: %q", data, strict.Raw())
		}
		if err == nil && json.Valid(data) != true {
			t.Errorf("%q was accepted", data)
		}
		lenient, err := codec.Lenient(data)
		if err == nil && !json.Valid(lenient.Raw()) {
			t.Errorf("raw of %q is not JSON: %q", data, lenient.Raw())
		}
		if kept := lenient.Without(); err == nil && kept != nil && !json.Valid(kept) {
			t.Errorf("what is kept of %q is not JSON: %q", data, kept)
		}
		_ = lenient.Unwrap().Text()
	})
}

// Within gives the longest beginning there is room for, or nearly: it never takes more,
// and cuts no cluster apart that has room.
func TestWithin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringN(0, 60, 240).Draw(t, "text")
		limit := rapid.IntRange(0, 100).Draw(t, "limit")
		got := codec.Within(text, limit)
		if !strings.HasPrefix(text, got) || len(text) <= limit && got != text {
			t.Fatalf("%q within %d bytes is %q", text, limit, got)
		}
		if len(got) > limit || utf8.ValidString(text) && !utf8.ValidString(got) {
			t.Fatalf("%q takes %d bytes of %d", got, len(got), limit)
		}
	})
	if got := codec.Within("語語語", 5); got != "語" {
		t.Errorf("%q of what has room for one", got)
	}
	if got := codec.Within("Ada Lovelace", 3); got != "Ada" {
		t.Errorf("%q is not what has room", got)
	}
	if got := codec.Within("👩‍👩‍👧‍👧👩‍👩‍👧‍👧", 30); got != "👩‍👩‍👧‍👧" {
		t.Errorf("%q: a cluster is whole", got)
	}
}
