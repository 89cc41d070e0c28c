package degrade_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/degrade"
)

func TestContent(t *testing.T) {
	none := adapter.Levels{}
	cases := []struct {
		name   string
		in     event.Part
		levels adapter.Levels
		want   string
		lost   string
	}{
		{"plain stays", event.Text{Text: "*a*", Format: event.FormatPlain}, none, "*a*", ""},
		{"markdown", event.Text{Text: "**Hi** [us](https://x.example/a) and `code`\n# T\n* one", Format: event.FormatMarkdown}, none,
			"Hi us (https://x.example/a) and code\nT\n- one", "markdown"},
		{"markdown carried", event.Text{Text: "**Hi**", Format: event.FormatMarkdown}, adapter.Levels{Formats: []string{"markdown"}}, "**Hi**", ""},
		{"snake_case stays", event.Text{Text: "a_b_c 2*3*4", Format: event.FormatMarkdown}, none, "a_b_c 2*3*4", "markdown"},
		{"html", event.Text{Text: "<p>A &amp; <b>B</b></p><script>x()</script><a href='https://x.example'>go</a>", Format: event.FormatHTML}, none,
			"A & B\ngo (https://x.example)", "html"},
		{"choices", event.Choices{Text: "Which?", Options: []event.Choice{{Label: "Red"}, {Label: "Blue"}}}, none, "Which?\n1. Red\n2. Blue", "choices"},
		{"form", event.Form{Title: "You", Fields: []event.Field{{Name: "n", Label: "Name"}, {Name: "c", Options: []event.Choice{{Label: "A"}}}}}, none,
			"You\n1. Name\n2. c\n   - A", "form"},
		{"answers", event.FormResponse{Values: []event.FieldValue{{Name: "n", Label: "Name", Value: "Ada"}, {Name: "c", Value: "1"}}}, none, "Name: Ada\nc: 1", "form_response"},
		{"media", event.Media{Kind: "image", URL: "https://x.example/i.png", Name: "i.png", Caption: "look"}, none, "look\ni.png: https://x.example/i.png", "media"},
		{"carousel", event.Carousel{Cards: []event.Card{{Title: "A", Text: "a", Actions: []event.Choice{{Label: "Go", URL: "https://x.example"}}}, {Title: "B"}}}, none,
			"A\na\n1. Go: https://x.example\n\nB", "carousel"},
		{"location", event.Location{Latitude: 1.5, Longitude: -2, Name: "Here"}, none, "Here\n1.5, -2", "location"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, lost := degrade.Content(event.Content{Part: c.in}, c.levels)
			text, ok := got.Part.(event.Text)
			if !ok || text.Text != c.want || lost != c.lost {
				t.Fatalf("got %#v lost %q, want %q lost %q", got.Part, lost, c.want, c.lost)
			}
		})
	}
}

func TestCarriedContentIsUntouched(t *testing.T) {
	in := event.Content{Part: event.Choices{Text: "Which?"}}
	got, lost := degrade.Content(in, adapter.Levels{Content: map[string]adapter.Level{"choices": adapter.Full}})
	if lost != "" || got.Part.Type() != "choices" {
		t.Fatalf("got %#v lost %q", got.Part, lost)
	}
}

// Whatever comes in, plain text is a fixed point: degrading twice loses nothing more.
func TestTwiceIsOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		format := rapid.SampledFrom([]string{event.FormatMarkdown, event.FormatHTML}).Draw(t, "format")
		in := event.Content{Part: event.Text{Text: rapid.String().Draw(t, "text"), Format: format}}
		once, _ := degrade.Content(in, adapter.Levels{})
		twice, lost := degrade.Content(once, adapter.Levels{})
		if lost != "" || twice != once {
			t.Fatalf("%#v became %#v", once, twice)
		}
	})
}
