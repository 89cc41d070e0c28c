package chatwoot

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// briefing is what people are shown of a conversation before they see the customer's
// next words: a private note, and what was said, as turns or in notes. It is the same
// each time it is made.
func (s *settings) briefing(body event.HandoffRequested) []entry {
	said := body.Transcript
	if s.Again == againReopen {
		said = said[lastPerson(said):]
	}
	turns := len(said)
	if s.Transcript == transcriptNote {
		turns = 0
	}
	noted := max(len(said)-min(turns, *s.MaxTurns), 0)
	if s.Transcript == transcriptNote {
		noted = len(said)
	}
	lines := opening(body)
	for _, one := range said[:noted] {
		if text := codec.Plain(one.Content); text != "" {
			lines = append(lines, author(one.Actor)+": "+text)
		}
	}
	var list []entry
	for _, part := range codec.Split(strings.Join(lines, "\n"), partLimit) {
		list = append(list, entry{Type: typeOutgoing, Private: true, Text: part})
	}
	for _, one := range said[noted:] {
		list = append(list, turnOf(one)...)
	}
	return list
}

// opening is why the conversation comes, in words.
func opening(body event.HandoffRequested) []string {
	lines := []string{"Handed over to a person."}
	for _, one := range [][2]string{{"Reason", body.Reason}, {"Summary", body.Summary}, {"Queue", body.Routing.Queue}, {"Language", body.Routing.Language}} {
		if one[1] != "" {
			lines = append(lines, one[0]+": "+one[1])
		}
	}
	return lines
}

// lastPerson is the place after the last words of a live agent.
func lastPerson(said []event.TranscriptEntry) int {
	for i := len(said) - 1; i >= 0; i-- {
		if said[i].Actor.Role == event.RoleLiveAgent {
			return i + 1
		}
	}
	return 0
}

// turnOf is one turn as messages. All but the customer's stand as the token's user's,
// so another person's has the name before it.
func turnOf(one event.TranscriptEntry) []entry {
	kind, before := typeOutgoing, ""
	switch one.Actor.Role {
	case event.RoleCustomer:
		kind = typeIncoming
	case event.RoleLiveAgent:
		before = author(one.Actor) + ": "
	}
	if file, ok := one.Content.Part.(event.Media); ok && file.URL != "" {
		caption, _ := codec.Cut(file.Caption, partLimit)
		file.Caption = ""
		return []entry{{Type: kind, Text: caption, File: &file}}
	}
	text := codec.Plain(one.Content)
	if text == "" {
		return nil
	}
	var list []entry
	for _, part := range codec.Split(before+text, partLimit) {
		list = append(list, entry{Type: kind, Text: part})
	}
	return list
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
