package slack_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/footbridge/footbridge/adapters/slack"
	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

// busy is a channel that takes a message a second, with so many of other conversations'
// before each of ours that it waits as long as this.
const busy = 90 * time.Second

// TestTranscriptInABusyChannel: a long transcript comes whole and in order however long
// each of its replies waits for its place.
func TestTranscriptInABusyChannel(t *testing.T) {
	var said []event.TranscriptEntry
	for n := range 200 {
		text := fmt.Sprintf("turn %03d. %s", n, strings.Repeat("okapi & co ", n))
		said = append(said, event.TranscriptEntry{Actor: event.Actor{Role: event.RoleCustomer}, Content: event.Content{Part: event.Text{Text: text}}})
	}
	request := adapter.Deliver{Event: event.Event{ID: "h", Body: event.HandoffRequested{Transcript: said}}}
	whole, posts := inBusyChannel(t, request)
	at := 0
	for _, one := range said {
		text, _ := one.Content.Part.(event.Text)
		i := strings.Index(whole[at:], strings.ReplaceAll(text.Text, "&", "&amp;"))
		if i < 0 {
			t.Fatalf("%.9s is not whole or not in order among %d replies", text.Text, posts)
		}
		at += i
	}
	if posts > 130 { // 240,000 characters in replies of up to 3,500
		t.Errorf("%d replies", posts)
	}
}

// inBusyChannel plays a hand-off and gives all that came to the channel. A call whose time
// is over before its place comes is let go of, as the bridge does.
func inBusyChannel(t *testing.T, request adapter.Deliver) (whole string, posts int) {
	t.Helper()
	var state []byte
	now := time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC)
	for inputs := []adapter.Input{request}; len(inputs) > 0; inputs = inputs[1:] {
		out := adapter.Run(slack.Definition(), adapter.Turn{Key: "c", StateVersion: 1, Account: account(plainSettings), State: state, Now: now,
			Placeholders: map[string]string{"token": "t"}, Input: inputs[0]})
		if state = out.State; out.Err != "" {
			t.Fatal(out.Err)
		}
		for _, effect := range out.Effects {
			switch x := effect.(type) {
			case adapter.Calling:
				r := adapter.Result{Tag: x.Tag, Status: 200, Body: fmt.Appendf(nil, `{"ok":true,"ts":"1780000000.%06d"}`, len(inputs))}
				if now = now.Add(busy); x.Call.GiveUp < busy && whole != "" {
					r = adapter.Result{Tag: x.Tag, Reason: adapter.ReasonTimeout}
				} else {
					var body struct{ Text string }
					if err := json.Unmarshal(x.Call.Body, &body); err != nil {
						t.Fatal(err)
					}
					whole, posts = whole+body.Text, posts+1
				}
				inputs = append(inputs, r)
			case adapter.Postponed:
				inputs = append(inputs, request)
			case adapter.Emission:
				if _, waits := x.Body.(event.HandoffQueued); waits {
					return whole, posts
				}
			}
		}
	}
	t.Fatal("nobody was asked")
	return "", 0
}
