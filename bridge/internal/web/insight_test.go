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
	s := newServer(t)
	p := place{base: s.url(), token: deskToken}
	sam, customer := newTab(t, desktop), newTab(t, phone)
	p.signIn(sam, "sam", "Sam")
	customer.open(p.base + "/chat?name=Ada")
	customer.sees("Hello, how can I help?")
	customer.say("person please")
	sam.until("a waiting customer", `document.querySelector("#waiting .item")`)
	sam.button("Accept")
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
		"Assistant, dialog: customer said “unheard " + stealing + "”", "Assistant, analysis: customer sentiment POSITIVE",
		"Assistant, analysis: customer sentiment NEGATIVE; tasks block card open; suggested reply Say " + stealing,
		"Assistant, verification: label MATCH; agent text Verified", "Assistant, caller number: number 447700900009", "Assistant, constructor: weather rain",
	}
	if !slices.Equal(lines, want) {
		b.t.Errorf("the lines are\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
	panel := value[[]string](b, `[...document.querySelectorAll("#facts h2")].find(h => h.textContent === "Assistant").nextElementSibling.querySelectorAll("dt").values().map(d => d.textContent + ": " + d.nextElementSibling.textContent).filter(t => !t.startsWith("sound level")).toArray()`)
	want = []string{"analysis: customer sentiment NEGATIVE; tasks block card open; suggested reply Say " + stealing,
		"verification: label MATCH; agent text Verified", "caller number: number 447700900009", "constructor: weather rain"}
	if !slices.Equal(panel, want) {
		b.t.Errorf("the panel says %q, want %q", panel, want)
	}
	if notes := value[[]string](b, `[...document.querySelectorAll("#talk .note .bubble")].map(n => n.innerText)`); !slices.Equal(notes, []string{"A note " + stealing}) {
		b.t.Errorf("the notes are %q", notes)
	}
	if value[bool](b, `!!document.querySelector("#desk script, #desk img") || document.title.includes("stolen")`) {
		b.t.Error("what an assistant said became part of the page")
	}
}
