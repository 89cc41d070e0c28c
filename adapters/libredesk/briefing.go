package libredesk

import (
	"cmp"
	"html"
	"maps"
	"slices"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// partLimit is the longest part of a note, in UTF-16 code units.
const partLimit = 6000

// briefing is what people are shown of a conversation before they see the customer's
// next words, as the texts of private notes. It is the same each time it is made.
func briefing(body event.HandoffRequested) []string {
	lines := []string{"Handed over to a person."}
	for _, one := range [][2]string{{"Reason", body.Reason}, {"Summary", body.Summary}, {"Queue", body.Routing.Queue}, {"Language", body.Routing.Language}} {
		if one[1] != "" {
			lines = append(lines, one[0]+": "+one[1])
		}
	}
	if known := facts(body.Context); known != "" {
		lines = append(lines, "", known)
	}
	if len(body.Transcript) > 0 {
		lines = append(lines, "")
	}
	for _, one := range body.Transcript {
		if text := codec.Plain(one.Content); text != "" {
			lines = append(lines, author(one.Actor)+": "+text)
		}
	}
	return codec.Split(strings.Join(lines, "\n"), partLimit)
}

// lastWords is what the customer said last, or "".
func lastWords(said []event.TranscriptEntry) string {
	for _, one := range slices.Backward(said) {
		if text, ok := one.Content.Part.(event.Text); ok && one.Actor.Role == event.RoleCustomer && strings.TrimSpace(text.Text) != "" {
			return text.Text
		}
	}
	return ""
}

func author(a event.Actor) string {
	names := map[event.Role]string{event.RoleCustomer: "Customer", event.RoleVirtualAgent: "Virtual agent", event.RoleLiveAgent: "Live agent",
		event.RoleObserver: "Assistant"}
	return cmp.Or(a.Name, names[a.Role], string(a.Role))
}

// facts are facts in words, a line each.
func facts(attributes map[string]string) string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		lines = append(lines, name+": "+attributes[name])
	}
	return strings.Join(lines, "\n")
}

// noteHTML is a text as a note has it.
func noteHTML(text string) string {
	return "<p>" + strings.ReplaceAll(html.EscapeString(text), "\n", "<br>") + "</p>"
}

// within cuts a text to so many bytes, between two characters.
func within(text string, limit int) string {
	for units := limit; len(text) > limit; units -= max(len(text)-limit, 4) / 4 {
		text, _ = codec.Cut(text, units)
	}
	return text
}

// customerOf is who the customer is: who asked, or spoke before.
func customerOf(e event.Event, body event.HandoffRequested) event.Actor {
	who := event.Actor{}
	all := []event.Actor{e.Actor}
	for _, one := range body.Transcript {
		all = append(all, one.Actor)
	}
	for _, one := range all {
		if one.Role == event.RoleCustomer {
			who.ID, who.Name = cmp.Or(who.ID, one.ID), cmp.Or(who.Name, one.Name)
		}
	}
	return who
}

// fact is the first of the facts that is there, by names in any case.
func fact(context map[string]string, names ...string) string {
	for _, name := range names {
		for _, key := range slices.Sorted(maps.Keys(context)) {
			if strings.EqualFold(key, name) && context[key] != "" {
				return context[key]
			}
		}
	}
	return ""
}
