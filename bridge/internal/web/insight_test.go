package web_test

import (
	"slices"
	"strings"
	"testing"
)

// TestInsights is what the desk shows of an assistant: news as lines, the newest
// of each kind in the panel, notes among the words, and all of it as text. The
// customer sees none of it.
func TestInsights(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := place{base: s.url(), token: deskToken}
	sam, customer := newTab(t, desktop), newTab(t, phone)
	p.signIn(sam, "sam", "Sam")
	customer.open(p.base + "/chat?name=Ada")
	customer.sees("Hello, how can I help?")
	customer.say("person please")
	sam.until("a waiting customer", `document.querySelector("#waiting .item")`)
	sam.press("#waiting [data-role=accept]")
	customer.sees("Sam has joined")
	customer.say("insight")
	sam.until("the assistant's note", `[...document.querySelectorAll("#talk .note")].some(n => n.innerText.includes("Assistant · private note"))`)
	sam.until("how loud it is", `document.querySelector("#sound-level")?.textContent === "2"`)
	shownOnce(sam)
	sam.shot("desk-insights")
	sam.until("how loud it was is forgotten", `document.querySelector("#sound-level").textContent === "–"`)
	customer.say("still there?")
	sam.sees("still there?")
	if seen := value[string](customer, `document.body.textContent`); strings.Contains(seen, "NEGATIVE") || strings.Contains(seen, "stolen") || strings.Contains(seen, "unheard") {
		t.Errorf("the customer sees what the assistant said: %s", seen)
	}
	shownOnce(sam)
	sam.open("about:blank") // the story is read anew, not told live
	sam.open(p.base + "/desk")
	sam.until("the room again", `document.querySelector("#mine .open")`)
	sam.press("#mine .open")
	sam.until("the note again", `document.querySelector("#talk .note")`)
	shownOnce(sam)
	sam.clean()
	customer.clean()
}

// shownOnce looks at the lines and the panel of the desk.
func shownOnce(b *tab) {
	b.t.Helper()
	lines := value[[]string](b, `[...document.querySelectorAll("#talk .fact")].map(f => { const c = f.cloneNode(true); c.querySelector("time")?.remove(); return c.textContent.trim(); }).filter(t => t.startsWith("Assistant,"))`)
	want := []string{
		"Assistant, utterance: customer said “my card is gone”", "Assistant, utterance: customer said “yes please”",
		"Assistant, dialog: customer said “unheard " + stealing + "”", "Assistant, constructor: weather rain",
	}
	if !slices.Equal(lines, want) {
		b.t.Errorf("the lines are\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
	panel := value[[]string](b, `[...document.querySelectorAll("#facts section")].filter(s => ["Suggested reply", "Mood", "Tasks", "Who it is", "Assistant"].includes(s.dataset.head)).map(s => s.innerText.replace(/\s+/g, " ").trim())`)
	want = []string{"Suggested reply Say " + stealing + " Use it Dismiss", "Mood Customer Negative", "Tasks ○ block card open",
		"Who it is Verified Match Advice Verified Caller 447700900009", "Assistant constructor weather rain"}
	if !slices.Equal(panel, want) {
		b.t.Errorf("the panel says\n%s\nwant\n%s", strings.Join(panel, "\n"), strings.Join(want, "\n"))
	}
	if says := value[string](b, `document.querySelector("#facts .curve")?.getAttribute("aria-label") || ""`); !strings.Contains(says, "Positive at") || !strings.Contains(says, "Negative at") {
		b.t.Errorf("the curve of moods says %q", says)
	}
	if notes := value[[]string](b, `[...document.querySelectorAll("#talk .note .bubble")].map(n => n.innerText)`); !slices.Equal(notes, []string{"A note " + stealing}) {
		b.t.Errorf("the notes are %q", notes)
	}
	if value[bool](b, `!!document.querySelector("#desk script, #desk img") || document.title.includes("stolen")`) {
		b.t.Error("what an assistant said became part of the page")
	}
}
