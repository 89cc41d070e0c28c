package slack_test

import (
	"strings"
	"testing"

	"github.com/footbridge/footbridge/adapters/slack"
	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

// TestStateOfLongTexts: a hand-off in any script leaves a state that is small.
func TestStateOfLongTexts(t *testing.T) {
	for _, sign := range []string{"a", "語", "👩‍👩‍👧‍👦", "\u0e49", "\x01"} {
		long := strings.Repeat(sign, 5000)
		said := event.TranscriptEntry{Actor: event.Actor{Role: event.RoleCustomer, Name: long}, Content: event.Content{Part: event.Text{Text: long}}}
		body := event.HandoffRequested{Summary: long, Transcript: []event.TranscriptEntry{said, said, said}}
		out := adapter.Run(slack.Definition(), adapter.Turn{Key: "c", StateVersion: 1, Account: account(plainSettings), Input: adapter.Deliver{Event: event.Event{ID: "h", Body: body}}})
		if len(out.State) > 14<<10 || out.Err != "" { // people's names take the rest
			t.Errorf("%q: %d bytes; %s", sign, len(out.State), out.Err)
		}
	}
}
