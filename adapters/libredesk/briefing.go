package libredesk

import (
	"html"
	"slices"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter/backend"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// partLimit is the longest part of a note, in UTF-16 code units.
const partLimit = 6000

// briefing is what people are shown of a conversation before they see the customer's
// next words, as the texts of private notes. It is the same each time it is made.
func briefing(body event.HandoffRequested) []string {
	lines := backend.Opening(body)
	if known := backend.Facts(body.Context); known != "" {
		lines = append(lines, "", known)
	}
	if len(body.Transcript) > 0 {
		lines = append(lines, "")
	}
	lines = append(lines, backend.Lines(body.Transcript)...)
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

// noteHTML is a text as a note has it.
func noteHTML(text string) string {
	return "<p>" + strings.ReplaceAll(html.EscapeString(text), "\n", "<br>") + "</p>"
}
