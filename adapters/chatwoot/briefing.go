package chatwoot

import (
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter/backend"
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
	noted := max(len(said)-s.MaxTurns, 0)
	if s.Transcript == transcriptNote {
		noted = len(said)
	}
	var list []entry
	for _, part := range codec.Split(strings.Join(append(backend.Opening(body), backend.Lines(said[:noted])...), "\n"), partLimit) {
		list = append(list, entry{Type: typeOutgoing, Private: true, Text: part})
	}
	for _, one := range said[noted:] {
		list = append(list, turnOf(one)...)
	}
	return list
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
		before = backend.Author(one.Actor) + ": "
	}
	if file, ok := backend.File(one.Content); ok {
		caption, _ := codec.Cut(one.Content.Part.(event.Media).Caption, partLimit)
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
