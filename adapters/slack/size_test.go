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
	for _, sign := range []string{"a", "語", "👩‍👩‍👧‍👦", "\u0e49", "\x01", "&", "<"} {
		long := strings.Repeat(sign, 5000)
		said := event.TranscriptEntry{Actor: event.Actor{Role: event.RoleCustomer, Name: long}, Content: event.Content{Part: event.Text{Text: long}}}
		body := event.HandoffRequested{Summary: long, Transcript: []event.TranscriptEntry{said, said, said}}
		out := adapter.Run(slack.Definition(), adapter.Turn{Key: "c", StateVersion: 1, Account: account(plainSettings), Input: adapter.Deliver{Event: event.Event{ID: "h", Body: body}}})
		if len(out.State) > 14<<10 || out.Err != "" { // people's names take the rest
			t.Errorf("%q: %d bytes; %s", sign, len(out.State), out.Err)
		}
	}
}

// TestStateOfALongCaption: a file with much to say for itself leaves one, too.
func TestStateOfALongCaption(t *testing.T) {
	for _, n := range []int{10, 2000, 3000, 12_000} {
		file := event.Media{Kind: "image", URL: "https://bridge.example/media/1", Name: "a.png", Size: 5, Caption: strings.Repeat("語", n)}
		e := event.Event{ID: "m", Actor: event.Actor{Role: event.RoleCustomer}, Body: event.MessageCreated{Content: event.Content{Part: file}}}
		out := adapter.Run(slack.Definition(), adapter.Turn{Key: "c", StateVersion: 1, Account: account(plainSettings), Input: adapter.Deliver{Event: e},
			Placeholders: map[string]string{"token": "t"}, State: []byte(`{"phase":"open","handoff":"h","channel":"C0SUPPORT","chat":"1780000000.000100"}`)})
		if len(out.State) > 14<<10 || out.Err != "" || len(out.Effects) == 0 { // in parts it is put off, too
			t.Errorf("%d: %d bytes, %d effects; %s", n, len(out.State), len(out.Effects), out.Err)
		}
	}
}
