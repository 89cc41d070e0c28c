package slack_test

import (
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
