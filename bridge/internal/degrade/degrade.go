// Package degrade turns content a far side does not carry into content it does,
// by one rule for everybody. It is pure.
package degrade

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

// Content fits content to what a far side carries. lost names what was degraded,
// for example "choices" or "markdown", and is "unknown" for content of a type that is
// not ours; it is empty when nothing was.
func Content(c event.Content, l adapter.Levels) (fitted event.Content, lost string) {
	if c.Part == nil {
		return c, ""
	}
	if text, ok := c.Part.(event.Text); ok {
		return fitText(text, l)
	}
	switch l.Content[c.Part.Type()] {
	case adapter.Full, adapter.Partial:
		return c, ""
	}
	fitted, _ = fitText(event.Text{Text: words(c.Part), Format: event.FormatPlain}, l)
	if _, theirs := c.Part.(event.UnknownContent); theirs {
		return fitted, "unknown"
	}
	return fitted, c.Part.Type()
}

// fitText gives text in a format the far side reads.
func fitText(t event.Text, l adapter.Levels) (event.Content, string) {
	if t.Format == "" || t.Format == event.FormatPlain {
		return event.Content{Part: t}, ""
	}
	for _, f := range l.Formats {
		if f == t.Format {
			return event.Content{Part: t}, ""
		}
	}
	plain, known := map[string]func(string) string{event.FormatMarkdown: fromMarkdown, event.FormatHTML: fromHTML}[t.Format]
	if !known {
		return event.Content{Part: t}, ""
	}
	return event.Plain(plain(t.Text)), t.Format
}

// words is what a part says in plain text.
func words(p event.Part) string {
	switch p := p.(type) {
	case event.Media:
		return lines(p.Caption, named(p.Name, p.URL))
	case event.Choices:
		return lines(p.Text, numbered(p.Options))
	case event.Form:
		return lines(p.Title, p.Text, questions(p.Fields))
	case event.FormResponse:
		return answers(p.Values)
	case event.Card:
		return card(p)
	case event.Carousel:
		return cards(p.Cards)
	case event.Location:
		return lines(named(p.Name, p.Address), fmt.Sprintf("%.6g, %.6g", p.Latitude, p.Longitude))
	case event.Link:
		return named(p.Title, p.URL)
	case event.UnknownContent:
		return "[" + p.Name + "]"
	}
	return ""
}

// lines joins what is not empty.
func lines(parts ...string) string {
	var kept []string
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, "\n")
}

func named(name, value string) string {
	switch {
	case name == "" || value == "":
		return name + value
	}
	return name + ": " + value
}

func numbered(options []event.Choice) string {
	var out []string
	for i, o := range options {
		out = append(out, strconv.Itoa(i+1)+". "+named(o.Label, o.URL))
	}
	return strings.Join(out, "\n")
}

func questions(fields []event.Field) string {
	var out []string
	for i, f := range fields {
		label := f.Label
		if label == "" {
			label = f.Name
		}
		out = append(out, strconv.Itoa(i+1)+". "+label)
		for _, o := range f.Options {
			out = append(out, "   - "+o.Label)
		}
	}
	return strings.Join(out, "\n")
}

func answers(values []event.FieldValue) string {
	var out []string
	for _, v := range values {
		label := v.Label
		if label == "" {
			label = v.Name
		}
		out = append(out, named(label, v.Value))
	}
	return strings.Join(out, "\n")
}

func card(c event.Card) string {
	return lines(c.Title, c.Text, c.Image, numbered(c.Actions))
}

func cards(all []event.Card) string {
	var out []string
	for _, c := range all {
		out = append(out, card(c))
	}
	return strings.Join(out, "\n\n")
}
