package zendesk_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/footbridge/footbridge/adapters/zendesk"
	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

// Whatever was said before, a hand-off ends with people who have it, and what is kept of
// it meanwhile is far from what the bridge refuses, 64 KiB.
func TestRoomForWhatWasSaid(t *testing.T) {
	long, wide := strings.Repeat("x", 100<<10), strings.Repeat("\x01", 4096)
	press := []event.Choice{{Label: "Yes", Value: long}}
	for name, part := range map[string]event.Part{
		"text":     event.Text{Text: wide},
		"card":     event.Card{Title: "Okapi", Image: "data:image/png;base64," + long, Actions: []event.Choice{{Label: "Buy", URL: "https://shop.example"}}},
		"button":   event.Carousel{Cards: []event.Card{{Title: "Okapi", Actions: press}}},
		"choices":  event.Choices{Text: "Okapi?", Options: press},
		"question": event.Form{Fields: []event.Field{{Name: long, Label: "Okapi"}}},
		"options":  event.Form{Fields: []event.Field{{Name: "okapi", Label: "Okapi", Options: []event.Choice{{Label: "Yes", Value: long}}}}},
		"link":     event.Link{URL: "https://shop.example/" + long, Title: "Okapi"},
		"place":    event.Location{Latitude: 1, Longitude: 2, Name: "Okapi", Address: long},
		"file":     event.Media{Kind: "file", URL: "https://bridge.example/media/1", Name: long, MIME: long, Caption: "Okapi"},
		"caption":  event.Media{Kind: "image", URL: "https://bridge.example/media/1", Caption: "Okapi" + wide},
		"address":  event.Media{Kind: "file", URL: "https://shop.example/" + long, Caption: "Okapi"},
	} {
		t.Run(name, func(t *testing.T) {
			said := []event.TranscriptEntry{{Actor: event.Actor{Role: event.RoleVirtualAgent}, Content: event.Content{Part: part}},
				{Actor: event.Actor{Role: event.RoleCustomer}, Content: event.Content{Part: part}}}
			request := adapter.Deliver{Event: event.Event{ID: "h", Actor: event.Actor{Role: event.RoleVirtualAgent}, Body: event.HandoffRequested{Transcript: said, Summary: wide,
				Routing: event.Routing{Queue: long}, Context: map[string]string{"name": long}}}}
			if sent := opened(t, request); name != "text" && !strings.Contains(sent, "Okapi") && !strings.Contains(sent, "okapi") {
				t.Errorf("people are not shown it: %.300s", sent)
			}
		})
	}
}

// opened plays a hand-off that Zendesk takes, offered again as often as is asked for, and
// gives all that was sent.
func opened(t *testing.T, request adapter.Deliver) string {
	t.Helper()
	var state []byte
	var sent strings.Builder
	inputs := []adapter.Input{request}
	for n := 0; len(inputs) > 0; n++ {
		in := inputs[0]
		out := adapter.Run(zendesk.Definition(), adapter.Turn{ID: fmt.Sprint(n), Account: account(), Key: "c1", Conversation: "c", State: state,
			StateVersion: 1, Placeholders: map[string]string{"key_id": "k", "key_secret": "s"}, Input: in})
		inputs = inputs[1:]
		if state = out.State; out.Err != "" || len(state) > 32<<10 || n > 500 {
			t.Fatalf("turn %d, %T: %s, a state of %d bytes", n, in, out.Err, len(state))
		}
		for _, effect := range out.Effects {
			switch x := effect.(type) {
			case adapter.Calling:
				sent.Write(x.Call.Content())
				inputs = append(inputs, adapter.Result{Tag: x.Tag, Status: 200, Body: []byte(`{"user":{"id":"u1"},"conversation":{"id":"c1"},"messages":[{"id":"m1"}],"attachment":{"mediaUrl":"https://media.example/1"}}`)})
			case adapter.Postponed:
				inputs = append(inputs, request)
			case adapter.Emission:
				if _, waits := x.Body.(event.HandoffQueued); waits {
					return sent.String()
				}
			}
		}
	}
	t.Fatal("nobody was asked")
	return ""
}
