package zendesk_test

import (
	"strings"
	"testing"

	"github.com/footbridge/footbridge/adapters/zendesk"
	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

// TestPagesWithoutEnd: a message nobody knows of is looked for on pages that repeat
// themselves. The search ends, and the hand-off and the customer's words with it.
func TestPagesWithoutEnd(t *testing.T) {
	const page = `{"messages":[{"id":"m9","received":"2100-01-01T00:00:00.000Z"}],"meta":{"hasMore":true}}`
	answers := map[string]string{
		"user": `{"user":{"id":"u1"}}`, "create": `{"conversation":{"id":"c1"}}`, "take": `{}`, "pass": `{}`, "seek": page,
	}
	asked := event.HandoffRequested{Reason: "asked", Transcript: []event.TranscriptEntry{{Actor: event.Actor{Role: event.RoleCustomer}, Content: event.Plain("hello")}}}
	handoff := adapter.Deliver{Event: event.Event{ID: "h1", Actor: event.Actor{Role: event.RoleVirtualAgent}, Body: asked}}
	words := adapter.Deliver{Event: event.Event{ID: "w1", Actor: event.Actor{Role: event.RoleCustomer}, Body: event.MessageCreated{Content: event.Plain("anybody?")}}}
	var state []byte
	failed, queued := false, false
	var results []adapter.Input
	turn := func(in adapter.Input) (done bool) {
		out := adapter.Run(zendesk.Definition(), adapter.Turn{Account: account(), State: state, StateVersion: 1, Input: in})
		state, done = out.State, true
		for _, effect := range out.Effects {
			switch x := effect.(type) {
			case adapter.Calling:
				act, _, _ := strings.Cut(x.Tag, "/")
				r := adapter.Result{Tag: x.Tag, Status: 200, Body: []byte(answers[act])}
				if act == "post" || act == "say" {
					r.Reason, r.Body = adapter.ReasonUnknown, []byte(page)
				}
				results = append(results, r)
			case adapter.Emission:
				queued = queued || x.Body.Kind() == event.KindHandoffQueued
			case adapter.Postponed:
				done = false
			case adapter.Failure:
				failed = true
			}
		}
		return done
	}
	turns := 0
	for _, d := range []adapter.Deliver{handoff, words} {
		for done := false; !done || len(results) > 0; turns++ {
			if turns > 5000 {
				t.Fatal("it asks for ever")
			}
			if len(results) == 0 {
				done = turn(d)
				continue
			}
			next := results[0]
			results = results[1:]
			done = turn(next) && done
		}
	}
	if !queued || !failed {
		t.Errorf("people have it: %t, the words failed: %t", queued, failed)
	}
}
