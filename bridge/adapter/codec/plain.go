package codec

import (
	"fmt"
	"strings"

	"github.com/footbridge/footbridge/bridge/event"
)

// Plain says content in plain words, for a far side that carries nothing else.
// The bridge degrades content before delivery, so this is for transcripts and as
// the last resort. It is "" for content that has no words, such as a type this
// program does not know.
func Plain(c event.Content) string {
	switch p := c.Part.(type) {
	case event.Text:
		return p.Text
	case event.Media:
		return lines(p.Caption, first(p.URL, p.Name))
	case event.Choices:
		return lines(p.Text, numbered(p.Options))
	case event.Form:
		return plainForm(p)
	case event.FormResponse:
		return plainResponse(p)
	case event.Card:
		return plainCard(p)
	case event.Carousel:
		return plainCarousel(p)
	case event.Location:
		return lines(p.Name, p.Address, fmt.Sprintf("%g, %g", p.Latitude, p.Longitude))
	case event.Link:
		return lines(p.Title, p.URL)
	}
	return ""
}

func numbered(options []event.Choice) string {
	out := make([]string, 0, len(options))
	for i, o := range options {
		out = append(out, strings.TrimSpace(fmt.Sprintf("%d. %s %s", i+1, o.Label, o.URL)))
	}
	return lines(out...)
}

func plainForm(f event.Form) string {
	out := []string{f.Title, f.Text}
	for i, field := range f.Fields {
		out = append(out, fmt.Sprintf("%d. %s", i+1, first(field.Label, field.Name)))
	}
	return lines(out...)
}

func plainResponse(f event.FormResponse) string {
	out := make([]string, 0, len(f.Values))
	for _, v := range f.Values {
		out = append(out, first(v.Label, v.Name)+": "+v.Value)
	}
	return lines(out...)
}

func plainCard(c event.Card) string {
	return lines(c.Title, c.Text, c.Image, numbered(c.Actions))
}

func plainCarousel(c event.Carousel) string {
	out := make([]string, 0, len(c.Cards))
	for _, card := range c.Cards {
		out = append(out, plainCard(card))
	}
	return lines(out...)
}

// lines joins what is not empty, a line each.
func lines(parts ...string) string {
	kept := parts[:0:0]
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, "\n")
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
