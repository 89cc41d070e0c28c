package web_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/footbridge/footbridge/bridge/adapter"
)

// withAda gives a desk whose agent has the open conversation with Ada.
func withAda(s *server) (sam, ada *tab) {
	s.t.Helper()
	sam, ada = newTab(s.t, desktop), newTab(s.t, phone)
	place{base: s.url(), token: deskToken}.signIn(sam, "sam", "Sam")
	ada.open(s.url() + "/chat?name=Ada")
	ada.sees("Hello, how can I help?")
	ada.say("person please")
	sam.until("a waiting customer", `document.querySelector("#waiting .item")`)
	sam.press("#waiting [data-role=accept]")
	ada.sees("Sam has joined")
	return sam, ada
}

// TestFarSide: what the customer's side does not carry is said before it is sent.
func TestFarSide(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.far = &adapter.Levels{MaxText: 10, Typing: adapter.Dropped, Receipts: adapter.Dropped, Push: adapter.PushNone,
		Content: map[string]adapter.Level{"media": adapter.Rejected}}
	sam, _ := withAda(s)
	for _, text := range []string{"They do not see that you write.", "It does not tell whether they have read you.", "Your words arrive when they write next.",
		"A message has at most 10 characters", "They cannot be given files."} {
		sam.until(text, `document.querySelector("#far").textContent.includes(`+quoted(text)+`) && document.querySelector("#facts .lacks").innerText.includes(`+quoted(text)+`)`)
	}
	if !value[bool](sam, `document.querySelector("#attach").disabled`) {
		t.Error("a file can be given to a side that takes none")
	}
	writes := func(text string) {
		value[bool](sam, `(t => { t.value = `+quoted(text)+`; return t.dispatchEvent(new Event("input")); })(document.querySelector("#text"))`)
	}
	writes("👩‍👩‍👧 is one a")
	sam.until("ten letters fit", `document.querySelector("#far").textContent.startsWith("They")`)
	writes("👩‍👩‍👧 is one and more")
	sam.until("too long", `document.querySelector("#far").textContent === "17 characters: this arrives in 2 parts."`)
	sam.clean()
}

// held keeps back answers to how one conversation stands.
const held = `window.answers = []; const ask = window.fetch;
	window.fetch = async (...what) => {
		const answer = await ask(...what);
		if (/\/conversations\/[^\/?]+$/.test(what[0])) await new Promise((go) => answers.push(go));
		return answer;
	};`

// hiding counts how often the wrap-up is hidden from now on.
const hiding = `window.hidden = 0; new MutationObserver(() => { hidden += document.querySelector("#wrapup").hidden; }).observe(document.querySelector("#wrapup"), { attributeFilter: ["hidden"] });`

// TestOldAnswer: an answer that was asked for before the end, and comes after it, takes
// the wrap-up from nobody who is filling it in.
func TestOldAnswer(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	sam, ada := withAda(s)
	sam.until("it is open", `sessionStorage["footbridge.desk.open"] && document.querySelector("#act-end:not([hidden])")`)
	id := value[string](sam, `sessionStorage["footbridge.desk.open"]`)
	value[bool](sam, `(() => {`+held+` return true; })()`)
	if status := s.request("POST", "/conversations/"+id+"/events", deskToken, `{"kind":"context.updated","actor":{"role":"live_agent","id":"sam"},"body":{"attributes":{"plan":"gold"}}}`, nil); status >= 300 {
		t.Fatalf("context: %d", status)
	}
	sam.until("it is asked how it stands", `answers.length > 0`)
	ada.button("End chat")
	ada.press("#really .primary")
	sam.until("the wrap-up", `!document.querySelector("#wrapup").hidden && answers.length > 1`)
	sam.press(`#wrapup [name="disposition"]`)
	value[bool](sam, `(() => {`+hiding+` return true; })()`)
	for i := range value[int](sam, `answers.length`) {
		value[bool](sam, fmt.Sprintf(`(answers[%d](), window.since = performance.now(), true)`, i))
		sam.until("the page is drawn again", `performance.now() > since + 300`)
	}
	if !value[bool](sam, `hidden === 0 && document.activeElement.matches("#wrapup [name=disposition]")`) {
		t.Errorf("the wrap-up went away %d times", value[int](sam, "hidden"))
	}
	sam.clean()
}

// listening stands in for the browser's sound and notifications, and for somebody
// who looks elsewhere.
const listening = `window.tones = 0; window.notes = []; const node = () => ({ frequency: {}, gain: { setValueAtTime() {}, exponentialRampToValueAtTime() {} }, connect: () => node(), start() { tones++; }, stop() {} });
	window.AudioContext = class { currentTime = 0; destination = {}; createOscillator() { return node(); } createGain() { return node(); } resume() {} };
	window.Notification = class { static permission = "granted"; static requestPermission() { return Promise.resolve("granted"); } constructor(title, o) { notes.push(title + ": " + o.body); } close() {} };
	Object.defineProperty(document, "hasFocus", { value: () => false });`

// TestAlerts: who waits and who writes is heard and notified, once, as the agent
// has set it.
func TestAlerts(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	sam, ada := newTab(t, desktop), newTab(t, phone)
	sam.do(send(page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: listening}))
	place{base: s.url(), token: deskToken}.signIn(sam, "sam", "Sam")
	sam.press("#me")
	sam.press("#notices")
	sam.until("it is on", `localStorage["footbridge.desk.notices"] === "on"`)
	sam.do(chromedp.KeyEvent(kb.Escape))
	ada.open(s.url() + "/chat?name=Ada")
	ada.sees("Hello, how can I help?")
	ada.say("person please")
	sam.until("told that Ada waits", `notes.join() === "Ada is waiting: Wants to talk about an order." && tones === 2 && document.title.startsWith("1 waiting")`)
	sam.do(chromedp.Reload())
	sam.until("what there was before is no news", `document.querySelector("#waiting .item") && document.querySelector("#connection").textContent === ""`)
	sam.press("#waiting [data-role=accept]")
	ada.sees("Sam has joined")
	ada.say("are you there?")
	sam.until("told that Ada wrote", `notes.at(-1) === "Ada wrote: are you there?" && tones === 1 && document.title.startsWith("(")`)
	sam.press("#me")
	sam.press("#sound")
	ada.say("no sound now")
	sam.until("only notified", `notes.at(-1) === "Ada wrote: no sound now"`)
	if n := value[int](sam, `tones * 100 + notes.length`); n != 102 {
		t.Errorf("%d tones and %d notifications, want 1 and 2", n/100, n%100)
	}
	sam.clean()
}

// TestAway: while the bridge is away nobody seems to write, and what needs it is
// switched off; the wrap-up that is due outlives a reload.
func TestAway(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.dispositions = []string{"solved", "call back"}
	s.halt()
	s.start()
	sam, ada := withAda(s)
	ada.fill("#text", "half a word")
	sam.until("Ada writes", `document.querySelector("#typing").textContent.includes("Ada is writing")`)
	value[bool](sam, `(now => { Date.now = () => now; return true; })(Date.now())`) // it does not run out by itself
	s.halt()
	sam.until("nobody writes", `document.querySelector("#connection").textContent !== "" && document.querySelector("#typing").textContent === ""`)
	enabled := value[[]string](sam, `["next", "act-handback", "act-transfer", "act-end"].filter((id) => !document.getElementById(id).disabled)`)
	if len(enabled) > 0 {
		t.Errorf("without the bridge %s can be pressed", strings.Join(enabled, ", "))
	}
	s.start()
	sam.until("there again", `document.querySelector("#connection").textContent === "" && !document.querySelector("#act-end").disabled`)
	ada.until("there again", `document.querySelector("#connection").hidden`)
	ada.button("End chat")
	ada.press("#really .primary")
	sam.until("the wrap-up", `!document.querySelector("#wrapup").hidden`)
	sam.do(chromedp.Reload())
	sam.until("the wrap-up after a reload", `document.querySelector("#wrapup") && !document.querySelector("#wrapup").hidden && document.querySelectorAll("#wrapup option").length === 3`)
	value[bool](sam, `(document.querySelector("#wrapup").elements.disposition.value = "call back") !== ""`)
	sam.press("#wrapup .primary")
	sam.sees("Wrapped up: call back")
	sam.until("no wrap-up any more", `document.querySelector("#wrapup").hidden`)
	sam.press("#mine [data-role=close]")
	sam.until("nothing is left", `!document.querySelector("#mine .item")`)
	sam.do(chromedp.Reload())
	sam.sees("None yet.")
	sam.clean()
}

// TestZoomed: at twice the size, and on a narrow phone, nothing is cut off
// sideways and the words can still be written.
func TestZoomed(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	sam, _ := withAda(s)
	for _, size := range []struct{ width, height int64 }{{640, 360}, {683, 384}, {320, 568}, {1280, 720}} {
		sam.do(chromedp.EmulateViewport(size.width, size.height))
		sam.until("all fits", `document.documentElement.scrollWidth <= innerWidth`)
		sam.until("the words can be written", `(r => r.width > 120 && r.bottom <= innerHeight && r.top >= 0)(document.querySelector("#text").getBoundingClientRect())`)
		sam.until("the talk is seen", `document.querySelector("#scroll").clientHeight >= 80`)
		cut := value[[]string](sam, `[...document.querySelectorAll("#bar button, #bar select, #room-top button, #compose button")].filter((b) => b.offsetParent && b.getBoundingClientRect().width && (b.getBoundingClientRect().right > innerWidth + 1 || b.getBoundingClientRect().left < 0)).map((b) => b.id)`)
		if len(cut) > 0 {
			t.Errorf("%d×%d: %q are cut off", size.width, size.height, cut)
		}
		sam.shot("desk-zoom")
	}
	sam.clean()
}
