package web_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/footbridge/footbridge/bridge/internal/api"
)

// hostile are what somebody may be called, say or send to become part of a page.
func hostile() []string {
	return []string{stealing, `"><svg/onload=document.title='stolen'>`, `javascript:document.title='stolen'`, `</pre></script><script>document.title='stolen'</script>`,
		`{{constructor.constructor("document.title='stolen'")()}}`, "<a href=\"javascript:document.title='stolen'\">x</a>", "constructor", "__proto__",
		"\u202egnp.exe", "a\nNote over F: forged;#35;%%"}
}

// TestConsolePictureOfWords: one conversation, with words that would be more than
// words if they could; the link to it, and what is copied.
func TestConsolePictureOfWords(t *testing.T) {
	t.Parallel()
	s := watched(t)
	id, _ := s.begin(hostile()[0])
	for _, words := range hostile() {
		s.says(id, words)
	}
	s.says(id, "poison")
	b := s.console(t, desktop, sueToken)
	b.until("the name as text", listed+`[0] === `+quoted(hostile()[0]))
	b.press("#rows a")
	b.until("the dead letter", `document.querySelector("#seq .step.dead")`)
	b.do(chromedp.Reload())
	b.until("the same after a reload", `location.hash === "#/conversations/`+id+`" && document.querySelector("#seq .step.dead")`)
	shown := value[[]string](b, `[...document.querySelectorAll("#seq .step.event .text")].map((n) => n.textContent)`)
	for _, words := range hostile() {
		n := 0
		for _, text := range shown {
			if text == words {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%q stands in the picture %d times as text", words, n)
		}
	}
	for i := range value[int](b, `document.querySelectorAll("#seq > li").length`) {
		value[bool](b, fmt.Sprintf(`document.querySelectorAll("#seq > li button")[%d].click() || true`, i))
	}
	value[bool](b, `[...document.querySelectorAll("#seq > li button")].find((n) => n.textContent.includes("onerror")).click() || true`)
	b.until("the details as text", `document.querySelector("#detail-raw").textContent.includes("<img src=x onerror=")`)
	b.shot("console-detail")
	if value[bool](b, `!!document.querySelector("main img, main svg, main script, main a[href^='javascript:']") || document.title.includes("stolen")`) {
		t.Error("what was said became part of the page")
	}
	if unnamed := value[int](b, `[...document.querySelectorAll("#seq button")].filter((n) => !/^\d\d:\d\d:\d\d\.\d{3} /.test(n.getAttribute("aria-label"))).length`); unnamed != 0 {
		t.Errorf("%d rows have no name for who does not see them", unnamed)
	}
	copiedIsText(t, s, b, id)
	b.clean()
}

// copiedIsText compares what the two buttons copy.
func copiedIsText(t *testing.T, s *server, b *tab, id string) {
	t.Helper()
	value[bool](b, `(navigator.clipboard.writeText = (text) => { window.copied = text; return Promise.resolve(); }, true)`)
	b.button("Copy as text")
	b.sees("The picture is in the clipboard")
	lines := strings.Split(strings.TrimSpace(value[string](b, `window.copied`)), "\n")
	want := []string{"sequenceDiagram", "    participant L1 as web (customer)", "    participant L2 as helper (virtual agent)", "    participant F as Footbridge"}
	for i, line := range want {
		if i >= len(lines) || lines[i] != line {
			t.Fatalf("the copied text begins\n%s\nwant\n%s", strings.Join(lines[:min(4, len(lines))], "\n"), strings.Join(want, "\n"))
		}
	}
	statement := regexp.MustCompile(`^    (L\d->>F|F->>L\d|F-xL\d|Note over F): \d\d:\d\d:\d\d\.\d{3} [^;<>]*$`)
	plain := strings.NewReplacer("#35;", "", "#59;", "", "#lt;", "", "#gt;", "")
	for _, line := range lines[4:] {
		if !statement.MatchString(plain.Replace(line)) {
			t.Errorf("no statement of a sequence diagram: %q", line)
		}
	}
	b.button("Copy JSON")
	b.sees("footbridge trace --json")
	var trace struct{ Turns []json.RawMessage }
	s.request("GET", "/conversations/"+id+"/trace?limit=1000", sueToken, "", &trace)
	copied := strings.Split(strings.TrimSpace(value[string](b, `window.copied`)), "\n")
	if len(copied) != len(trace.Turns) {
		t.Fatalf("%d turns were copied, want %d", len(copied), len(trace.Turns))
	}
	for i, turn := range trace.Turns {
		var got, want any
		s.must(json.Unmarshal([]byte(copied[i]), &got))
		s.must(json.Unmarshal(turn, &want))
		if !reflect.DeepEqual(got, want) {
			t.Errorf("turn %d was copied as %s, want %s", i, copied[i], turn)
		}
	}
}

// TestConsoleIsLive: what happens in the conversation that is shown is in its
// picture, and what is open in the details stays.
func TestConsoleIsLive(t *testing.T) {
	t.Parallel()
	s := watched(t)
	id, _ := s.begin("Ada")
	b := s.console(t, desktop, opsToken)
	b.goes("#/conversations/" + id)
	b.sees("conversation.started")
	b.press("#seq li.event button")
	s.says(id, "one more thing")
	b.sees("one more thing")
	b.sees("You said: **one more thing**")
	b.until("the details are still open", `!document.querySelector("#detail").hidden`)
	b.goes("#/conversations/none")
	b.sees("There is no such thing.")
	b.goes("#/conversations/" + id)
	b.sees("one more thing")
	s.request("POST", "/erasures", opsToken, `{"conversation":"`+id+`","reason":"test"}`, nil)
	b.do(chromedp.Reload())
	b.sees("This conversation was erased")
	b.clean()
}

// TestConsoleDeadLetters: one operator replays, the other is told that it was done,
// a supervisor is told why they cannot.
func TestConsoleDeadLetters(t *testing.T) {
	t.Parallel()
	s := watched(t)
	id, _ := s.begin("Ada")
	s.says(id, "poison")
	one, two, sue := s.console(t, desktop, opsToken), s.console(t, phone, opsToken), s.console(t, desktop, sueToken)
	for _, b := range []*tab{one, two, sue} {
		b.goes("#/dead-letters")
		b.until("the letter", `document.querySelector("#letters tr .reason")?.textContent.includes("cannot read <script>")`)
	}
	one.until("a count", `document.querySelector("#waiting-letters").textContent === "1"`)
	if !value[bool](sue, `document.querySelector("#letters button").disabled`) {
		t.Error("a supervisor may replay")
	}
	sue.sees("Only an operator may replay")
	if reason := value[string](sue, `document.getElementById(document.querySelector("#letters button").getAttribute("aria-describedby")).textContent`); !strings.Contains(reason, "supervisor") {
		t.Errorf("the button says why not: %q", reason)
	}
	one.shot("console-letters")
	two.shot("console-phone-letters")
	one.press("#letters button")
	one.sees("Replayed: its conversation has it once more.")
	one.until("marked", `!document.querySelector("#letters button") && document.querySelector("#letters").textContent.includes("replayed ") || document.querySelectorAll("#letters tr").length === 2`)
	two.press("#letters tr:last-child button")
	two.sees("It was replayed already; nothing was done again.")
	two.press("#letters a")
	two.until("its conversation", `location.hash === "#/conversations/`+id+`"`)
	for _, b := range []*tab{one, two, sue} {
		b.clean()
	}
}

// TestConsoleAccounts: who is in trouble, since when, why and until when; who
// answers anybody; what passes.
func TestConsoleAccounts(t *testing.T) {
	t.Parallel()
	s := watched(t)
	b := s.console(t, desktop, sueToken)
	b.until("one in trouble", `document.querySelector("#trouble").textContent === "1"`)
	b.press("#tab-accounts")
	for _, text := range []string{"studio", "other · 1.2.3 · virtual agent", "answers anybody: no authentication", "vendor.example is not called: breaker open, since 1 min, because: answered 503, next try in",
		"socket is not listened to, since 1 min, because: it answered 401", "events is listened to, since 1 h",
		"stopped: it died", "web → helper → desk"} {
		b.sees(text)
	}
	b.until("levels", `document.querySelector("#matrix .level.dropped")?.textContent === "dropped" && document.querySelector("#matrix tbody th").textContent === "receipts"`)
	red := value[string](b, `getComputedStyle(document.querySelector(".chip.alarm")).backgroundColor`)
	if red != "rgb(164, 48, 42)" {
		t.Errorf("an account that answers anybody is shown in %s", red)
	}
	b.shot("console-accounts")
	if !value[bool](b, `[...document.querySelectorAll("#accounts button")].every((n) => n.disabled)`) {
		t.Error("a supervisor may drain")
	}
	b.sees("Only an operator may drain accounts")
	ops := s.console(t, desktop, opsToken)
	ops.press("#tab-accounts")
	ops.press(`[data-key="web"] button`)
	ops.press("#drain .primary")
	ops.sees("web takes nothing new.")
	b.goes("#/accounts")
	b.sees("drained: takes nothing new")
	ops.until("a way back", `document.querySelector('[data-key="web"] button').textContent === "Resume"`)
	ops.press(`[data-key="web"] button`)
	ops.sees("web takes what is new again.")
	ops.until("drained no more", `!document.querySelector("#accounts .chip.warm")`)
	b.clean()
	ops.clean()
}

// TestConsoleSignIn: only for operators and supervisors; where somebody wanted to go
// is where they come; the token is kept nowhere; and out again.
func TestConsoleSignIn(t *testing.T) {
	t.Parallel()
	s := watched(t)
	b := newTab(t, desktop)
	b.open(s.url() + "/console#/dead-letters")
	b.until("the form", `!document.querySelector("#sign").hidden && document.querySelector("#main").hidden`)
	b.fill("#sign-token", kimToken)
	b.button("Sign in")
	b.sees("This sign-in is not for operators or supervisors.")
	value[string](b, `document.querySelector("#sign-token").value = ""`)
	b.fill("#sign-token", "wrong")
	b.button("Sign in")
	b.sees("Nobody is signed in.")
	value[string](b, `document.querySelector("#sign-token").value = ""`)
	b.fill("#sign-token", sueToken)
	b.button("Sign in")
	b.sees("There are none.")
	b.until("where they wanted to go", `location.hash === "#/dead-letters" && document.querySelector("#me").textContent === "sue · supervisor"`)
	if kept := value[string](b, `JSON.stringify(localStorage) + JSON.stringify(sessionStorage) + document.cookie`); strings.Contains(kept, sueToken) {
		t.Error("the page keeps the token where scripts can read it")
	}
	b.button("Sign out")
	b.until("the form again", `!document.querySelector("#sign").hidden`)
	b.open(s.url() + "/console#problem=refused")
	b.do(chromedp.Reload())
	b.clean()
}

// TestConsoleFromElsewhere: a page of another origin makes the operator's browser
// send what it likes, and nothing comes of it.
func TestConsoleFromElsewhere(t *testing.T) {
	t.Parallel()
	s := watched(t)
	id, _ := s.begin("Ada")
	s.says(id, "poison")
	b := s.console(t, desktop, opsToken)
	b.goes("#/dead-letters")
	b.until("the letter", `document.querySelector("#letters button")`)
	var letters api.DeadLetterList
	s.request("GET", "/dead-letters", opsToken, "", &letters)
	target := s.url() + "/api/v1/dead-letters/" + letters.DeadLetters[0].ID + "/replay"
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<form method="post" action=%q></form><script>
			const tries = [["cors", "application/json"], ["no-cors", "text/plain"]].map(([mode, type]) =>
				fetch(%q, { method: "POST", mode, credentials: "include", headers: { "Content-Type": type }, body: "{}" }).catch(() => {}));
			Promise.all(tries).then(() => fetch(%q, { credentials: "include" })).then((a) => a.text()).catch(() => "nothing").then((text) => { document.title = "tried: " + text; });
		</script>`, target, target, s.url()+"/api/v1/dead-letters")
	}))
	t.Cleanup(elsewhere.Close)
	b.open(elsewhere.URL) // another port of this machine: the cookie goes along
	b.until("all was tried, and nothing read", `document.title === "tried: nothing"`)
	value[bool](b, `document.forms[0].submit() || true`)
	b.sees("cross_origin")
	s.request("GET", "/dead-letters", opsToken, "", &letters)
	if letters.DeadLetters[0].Replayed != nil {
		t.Error("a page from elsewhere replayed a dead letter")
	}
}

// TestConsoleFits: on a phone, and at twice the size, nothing has to be moved
// sideways to be read.
func TestConsoleFits(t *testing.T) {
	t.Parallel()
	s := watched(t)
	id, _ := s.begin("Ada with a name that is rather long for a name")
	s.says(id, "hello, "+strings.Repeat("a_word_without_any_end_", 12))
	s.says(id, "poison")
	for name, l := range map[string]look{"phone": phone, "200": {width: 640, height: 480}, "dark": {width: 1360, height: 820, dark: true}} {
		b := s.console(t, l, opsToken)
		for part, text := range map[string]string{"": "Ada with", "/" + id: "dead letter", "accounts": "answered 503", "dead-letters": "cannot read"} {
			hash := "#/conversations" + part
			if part != "" && part[0] != '/' {
				hash = "#/" + part
			}
			b.goes(hash)
			b.sees(text)
			if wide := value[float64](b, `Math.max(...[...document.querySelectorAll("body, main > section:not([hidden]) *")].filter((n) => !n.closest(".sideways, .tabs, .unseen, .way, thead")).map((n) => n.getBoundingClientRect().right)) - innerWidth`); wide > 1 {
				t.Errorf("%s: %q is %v px too wide", name, hash, wide)
			}
			b.shot("console-" + name + strings.ReplaceAll(part, "/"+id, "-picture"))
		}
		b.clean()
	}
}
