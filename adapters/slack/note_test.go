package slack_test

import (
	"encoding/json"
	"slices"
	"strconv"
	"testing"

	"github.com/footbridge/footbridge/adapters/slack"
	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

// TestNotesHoweverTheyAreWritten: a reply that a person sees begin with a mark of notes
// is a note, and what has it elsewhere is the customer's.
func TestNotesHoweverTheyAreWritten(t *testing.T) {
	const own = `{"channels":["*=C0SUPPORT"],"note_prefixes":["internal:","🔒",">>"]}`
	for _, row := range []struct {
		settings, text string
		note           bool
	}{
		{plainSettings, "//x", true}, {plainSettings, " \t// x", true}, {plainSettings, "\u00a0//x", true}, {plainSettings, "\u200b//x", true}, {plainSettings, "\ufeff//x", true},
		{plainSettings, "*// x*", true}, {plainSettings, "_~// x~_", true}, {plainSettings, "&gt; // x", true}, {plainSettings, "• // x", true}, {plainSettings, "／／x", true},
		{plainSettings, ":lock: x", true}, {plainSettings, "🔒 x", true}, {plainSettings, "*:lock:* x", true}, {plainSettings, "\n//x", true},
		{own, "Internal: x", true}, {own, "INTERNAL: x", true}, {own, ":lock: x", true}, {own, "&gt;&gt; x", true}, {own, "*Internal:* x", true},
		{plainSettings, "x // y", false}, {plainSettings, "<https://example.com/a>", false}, {plainSettings, "```// code```", false}, {plainSettings, "/ /x", false},
		{plainSettings, "*x* // y", false}, {plainSettings, "&gt; x", false}, {plainSettings, ":unlock: x", false}, {own, "internal x", false}, {own, "&gt; x", false}, {own, "//x", false},
	} {
		body := encode(map[string]any{"ok": true, "messages": []any{map[string]any{"type": "message", "user": "U0KIM", "text": row.text, "ts": ts(50)}}})
		out := adapter.Run(slack.Definition(), adapter.Turn{Key: "c", StateVersion: 1, Account: account(row.settings), Input: adapter.Result{Tag: "read/h", Status: 200, Body: body},
			State: []byte(`{"phase":"open","handoff":"h","channel":"C0SUPPORT","chat":` + strconv.Quote(ts(0)) + `,"taken":true,"people":[{"role":"live_agent","id":"U0KIM","name":"Kim"}],"reading":{"level":1}}`)})
		var kinds []event.Kind
		for _, effect := range out.Effects {
			if e, ok := effect.(adapter.Emission); ok {
				kinds = append(kinds, e.Body.Kind())
			}
		}
		want := map[bool]event.Kind{true: event.KindNoteCreated, false: event.KindMessageCreated}[row.note]
		if len(kinds) != 1 || kinds[0] != want {
			t.Errorf("%q with %s: %v, not %s; %s", row.text, row.settings, kinds, want, out.Err)
		}
	}
}

// TestNotesStayNotes: however many notes are told of while the thread cannot be read, as
// many are remembered as have room, and those that were read are let go of with the
// messages before them.
func TestNotesStayNotes(t *testing.T) {
	state := []byte(`{"phase":"open","handoff":"h","channel":"C0SUPPORT","chat":` + strconv.Quote(ts(0)) + `,"taken":true,"people":[{"role":"live_agent","id":"U0KIM","name":"Kim"}],` +
		`"reading":{"low":{"id":` + strconv.Quote(ts(0)) + `,"at":1780000000000000}}}`)
	turn := func(in adapter.Input) (told, noted int) {
		out := adapter.Run(slack.Definition(), adapter.Turn{Key: "c", StateVersion: 1, Account: account(plainSettings), Input: in, Placeholders: map[string]string{"token": "t"}, State: state})
		if state = out.State; out.Err != "" {
			t.Fatal(out.Err)
		}
		for _, effect := range out.Effects {
			if e, ok := effect.(adapter.Emission); ok {
				switch e.Body.(type) {
				case event.MessageCreated:
					told++
				case event.NoteCreated:
					noted++
				}
			}
		}
		return told, noted
	}
	hint := func(n int64) {
		turn(adapter.Request{ID: "r", Endpoint: "events", Body: encode(map[string]any{"event": map[string]any{"type": "message", "channel": "C0SUPPORT",
			"user": "U0KIM", "text": "//x", "ts": ts(n), "thread_ts": ts(0)}})})
	}
	var page []any
	for n := int64(1); n <= 300; n++ {
		hint(n)
		if n > 250 {
			page = append(page, map[string]any{"type": "message", "user": "U0KIM", "text": "x", "ts": ts(n), "edited": map[string]any{"ts": ts(1000 + n)}})
		}
	}
	if len(state) > 4<<10 {
		t.Errorf("a state of %d bytes", len(state))
	}
	for _, want := range [][2]int{{0, 50}, {0, 0}} {
		if told, noted := turn(adapter.Result{Tag: "read/h", Status: 200, Body: encode(map[string]any{"ok": true, "messages": page})}); told != want[0] || noted != want[1] {
			t.Errorf("%d told and %d noted, want %v", told, noted, want)
		}
		for _, m := range page {
			m.(map[string]any)["edited"] = map[string]any{"ts": ts(2000)}
		}
		hint(301)
	}
	var after struct {
		Reading struct {
			Low   struct{ At int64 }
			Notes []int64
		}
	}
	if err := json.Unmarshal(state, &after); err != nil {
		t.Fatal(err)
	}
	if r := after.Reading; len(r.Notes) != 41 || slices.Min(r.Notes) <= r.Low.At {
		t.Errorf("behind %d the notes %d are remembered", r.Low.At, r.Notes)
	}
}
