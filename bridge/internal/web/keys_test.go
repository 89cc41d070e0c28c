package web_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/footbridge/footbridge/bridge/event"
)

// typist uses a page as somebody does who has no mouse: keys go to whatever has
// the focus. It notes which of the desk's acts it has done.
type typist struct {
	*tab
	done map[string]bool
}

// A key that the page takes for itself writes nothing, as with a real keyboard.
func (y typist) keys(keys string) {
	y.t.Helper()
	for _, r := range keys {
		events := kb.Encode(r)
		down, up := *events[0], *events[len(events)-1]
		if len(events) == 3 {
			down.Text, down.UnmodifiedText = events[1].Text, events[1].UnmodifiedText
		}
		y.do(send(input.DispatchKeyEvent, down), send(input.DispatchKeyEvent, up))
	}
}

// alt presses a key with Alt held, as somebody does who is writing.
func (y typist) alt(key string) {
	y.t.Helper()
	y.do(chromedp.KeyEvent(key, chromedp.KeyModifiers(chromedp.ModifierAlt)))
}

// act presses the key of an act.
func (y typist) act(id, key string) {
	y.t.Helper()
	y.done[id] = true
	y.keys(key)
}

// quiet leaves the words, so that letters alone count.
func (y typist) quiet() {
	y.t.Helper()
	y.keys(kb.Escape)
	y.until("nobody writes", `!document.activeElement.matches("textarea, input, select")`)
}

// focused waits until an element has the focus.
func (y typist) focused(selector string) {
	y.t.Helper()
	y.until("the focus is on "+selector, `document.activeElement?.matches(`+quoted(selector)+`)`)
}

// tabTo presses Tab until an element has the focus.
func (y typist) tabTo(selector string) {
	y.t.Helper()
	for range 40 {
		if value[bool](y.tab, `document.activeElement?.matches(`+quoted(selector)+`)`) {
			return
		}
		y.keys(kb.Tab)
	}
	y.t.Fatalf("Tab never comes to %s\n%s", selector, y.shown())
}

// TestDeskByKeyboard does everything the desk can do without a mouse: what "?"
// lists is what has to be done here.
func TestDeskByKeyboard(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	ada, bob := newTab(t, phone), newTab(t, phone)
	sam := typist{tab: newTab(t, desktop), done: map[string]bool{}}
	signInByKey(s, sam)
	for _, c := range []struct {
		b    *tab
		name string
	}{{ada, "Ada"}, {bob, "Bob"}} {
		c.b.open(s.url() + "/chat?name=" + c.name)
		c.b.sees("Hello, how can I help?")
		c.b.say("person please")
		sam.sees(c.name)
	}
	takeByKey(sam, ada, bob)
	writeByKey(t, s, sam, ada)
	suggestionByKey(s, sam, ada)
	leaveByKey(sam, ada, bob)
	leftByKey(s, sam)
	aboutMeByKey(sam)

	sam.keys("?")
	sam.focused("#keys-find")
	sam.done["keys"] = true
	listed := value[[]string](sam.tab, `[...document.querySelectorAll("#keys-list button")].map(b => b.dataset.act)`)
	for _, id := range listed {
		if !sam.done[id] {
			t.Errorf("%s was not done by keyboard", id)
		}
	}
	if len(listed) < 20 {
		t.Errorf("only %q are listed", listed)
	}
	sam.keys(kb.Escape)
	sam.until("the list is closed", `!document.querySelector("#keys").open`)
	sam.clean()
}

// signInByKey signs in by the form alone.
func signInByKey(s *server, sam typist) {
	sam.t.Helper()
	sam.open(s.url() + "/desk")
	sam.focused("#sign-token")
	sam.keys(deskToken + kb.Tab + "sam" + kb.Tab + "Sam" + kb.Enter)
	sam.sees("Nobody is waiting.")
	sam.until("the line", `document.querySelector("#connection").textContent === ""`)
}

// takeByKey looks at who waits, takes one by its key and the other as the next.
func takeByKey(sam typist, ada, bob *tab) {
	sam.t.Helper()
	sam.until("both wait", `document.querySelectorAll("#waiting .item").length === 2`)
	sam.act("down", "j")
	sam.until("the first is open", `document.querySelector("#room-name").textContent === "Ada"`)
	sam.act("down", "j")
	sam.until("the second is open", `document.querySelector("#room-name").textContent === "Bob"`)
	sam.act("decline", "d")
	sam.until("what declining means", `document.querySelector("#turn-down").open`)
	sam.keys(kb.Escape)
	sam.until("nothing is declined", `!document.querySelector("#turn-down").open && document.querySelectorAll("#waiting .item").length === 2`)
	sam.act("up", "k")
	sam.until("the first again", `document.querySelector("#room-name").textContent === "Ada"`)
	sam.act("accept", "a")
	ada.sees("Sam has joined")
	sam.focused("#text")
	sam.quiet()
	sam.act("next", "n")
	bob.sees("Sam has joined")
	sam.until("both are mine, Bob's is open", `document.querySelector("#room-name").textContent === "Bob" && document.querySelectorAll("#mine .item").length === 2 && document.activeElement.id === "text"`)
	sam.quiet()
	first := value[bool](sam.tab, `document.querySelector("#mine .name").textContent === "Ada"`)
	sam.act("mine", map[bool]string{true: "1", false: "2"}[first])
	sam.until("Ada's", `document.querySelector("#room-name").textContent === "Ada"`)
}

// writeByKey says something, notes something, gives a file and a ready answer, and
// sends again what did not arrive.
func writeByKey(t *testing.T, s *server, sam typist, ada *tab) {
	t.Helper()
	sam.quiet()
	sam.act("reply", "r")
	sam.focused("#text")
	sam.keys("typed by key" + kb.Enter)
	ada.sees("typed by key")
	sam.alt("p")
	sam.done["note"] = true
	sam.until("a note", `document.querySelector("#note").checked`)
	sam.keys("for us alone" + kb.Enter)
	sam.sees("private note")
	sam.quiet()
	sam.act("reply", "r")
	sam.until("no note", `!document.querySelector("#note").checked`)
	sam.alt("/")
	sam.done["replies"] = true
	sam.until("the ready answers", `document.querySelectorAll("#replies [role=option]").length === 3`)
	sam.keys("gr" + kb.ArrowDown + kb.ArrowUp + kb.Tab)
	sam.until("the words of the answer", `document.querySelector("#text").value === "Hello Ada, this is Sam."`)
	sam.keys(kb.Enter)
	ada.sees("Hello Ada, this is Sam.")
	fileByKey(t, sam, ada)
	s.refuse.Store(1)
	sam.act("reply", "r")
	sam.focused("#text")
	sam.keys("said at last" + kb.Enter)
	sam.until("it was refused", `document.querySelector(".failed .mark")`)
	sam.quiet()
	sam.act("again", "u")
	ada.sees("said at last")
	sam.act("oldest", kb.Home)
	sam.until("the beginning", `document.querySelector("#scroll").scrollTop === 0`)
	sam.act("newest", kb.End)
	sam.until("the end", `(b => b.scrollTop + b.clientHeight > b.scrollHeight - 40)(document.querySelector("#scroll"))`)
}

// fileByKey opens the browser's file dialog by key and answers it.
func fileByKey(t *testing.T, sam typist, ada *tab) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "terms.txt")
	if err := os.WriteFile(name, []byte("all is well"), 0o600); err != nil {
		t.Fatal(err)
	}
	sam.do(send(page.SetInterceptFileChooserDialog, page.SetInterceptFileChooserDialogParams{Enabled: true}))
	asked := make(chan *page.EventFileChooserOpened, 1)
	if err := chromedp.Listen(sam.ctx, func(ev any) {
		if e, ok := ev.(*page.EventFileChooserOpened); ok {
			select {
			case asked <- e:
			default:
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	sam.quiet()
	sam.act("attach", "f")
	ctx, cancel := context.WithTimeout(sam.ctx, patience)
	defer cancel()
	select {
	case e := <-asked:
		sam.do(send(dom.SetFileInputFiles, dom.SetFileInputFilesParams{Files: []string{name}, BackendNodeID: e.BackendNodeID}))
	case <-ctx.Done():
		t.Fatal("the file dialog never opened")
	}
	ada.sees("terms.txt")
}

// suggestionByKey uses a suggested reply as it is, another with words of its own,
// and dismisses a third; the assistant is told which.
func suggestionByKey(s *server, sam typist, ada *tab) {
	sam.t.Helper()
	ada.say("insight")
	sam.until("a suggestion", `document.querySelector("#suggested")`)
	sam.act("insert", "i")
	sam.until("its words", `document.querySelector("#text").value.startsWith("Say ")`)
	sam.keys(" now" + kb.Enter)
	sam.until("it is answered", `!document.querySelector("#suggested")`)
	ada.say("insight")
	sam.until("one more", `document.querySelector("#suggested")`)
	sam.quiet()
	sam.keys("i")
	sam.until("its words again", `document.querySelector("#text").value.startsWith("Say ")`)
	sam.keys(kb.Enter)
	sam.until("it is answered, too", `!document.querySelector("#suggested")`)
	ada.say("insight")
	sam.until("another", `document.querySelector("#suggested")`)
	sam.quiet()
	sam.act("dismiss", "x")
	sam.until("it is gone", `!document.querySelector("#suggested")`)
	events, err := s.journal.Events(context.Background(), value[string](sam.tab, `sessionStorage["footbridge.desk.open"]`), 0, 1000)
	s.must(err)
	var outcomes []string
	for _, e := range events {
		if body, ok := e.Body.(event.InsightRequested); ok && body.Type == event.SuggestionAnswered {
			outcomes = append(outcomes, string(body.Parameters["outcome"]))
		}
	}
	if want := []string{`"edited"`, `"accepted"`, `"dismissed"`}; !slices.Equal(outcomes, want) {
		sam.t.Errorf("the assistant was told %q, want %q", outcomes, want)
	}
}

// leaveByKey passes one on to a queue and takes it back, ends it, and hands the
// other back.
func leaveByKey(sam typist, ada, bob *tab) {
	sam.t.Helper()
	sam.act("details", "g")
	sam.until("the details", `document.querySelector("#desk").classList.contains("more")`)
	sam.keys("g")
	sam.until("no details", `!document.querySelector("#desk").classList.contains("more")`)
	sam.act("transfer", "t")
	sam.focused(`#transfer [name="agent"]`)
	sam.keys(kb.Tab + "sales" + kb.Tab + "more to do" + kb.Enter)
	sam.until("it is being passed on", `!document.querySelector("#act-withdraw").hidden`)
	sam.quietly()
	sam.act("withdraw", "v")
	sam.until("it is mine again", `!document.querySelector("#act-end").hidden`)
	sam.quietly()
	sam.act("end", "e")
	sam.focused(`#finish [name="disposition"]`)
	sam.keys("solved" + kb.Enter)
	ada.sees("This conversation has ended.")
	sam.sees("Wrapped up: solved")
	sam.act("close", "c")
	sam.until("it is closed", `document.querySelectorAll("#mine .item").length === 1 && document.querySelector("#room-top").hidden`)
	sam.keys("1")
	sam.until("Bob's", `document.querySelector("#room-name").textContent === "Bob"`)
	sam.quiet()
	sam.act("handback", "h")
	sam.focused(`#handback [name="reason"]`)
	sam.keys("resolved" + kb.Enter)
	bob.sees("The virtual agent is back")
	sam.until("it has left", `!document.querySelector("#mine .item")`)
	bob.say("person again")
	sam.sees("Bob")
	sam.quietly()
	sam.keys("n")
	bob.until("joined again", `[...document.querySelectorAll(".fact")].filter(f => f.innerText.includes("Sam has joined")).length === 2`)
	bob.button("End chat")
	bob.press("#really .primary")
	sam.until("the wrap-up", `!document.querySelector("#wrapup").hidden`)
	sam.quietly()
	sam.act("wrapup", "w")
	sam.focused(`#wrapup [name="disposition"]`)
	sam.keys("left" + kb.Enter)
	sam.sees("Wrapped up: left")
	sam.quietly()
	sam.keys("c")
	sam.until("nothing is left", `!document.querySelector("#mine .item")`)
}

// quietly is quiet where there may be no conversation to go back to.
func (y typist) quietly() {
	y.t.Helper()
	if value[bool](y.tab, `document.activeElement.matches("textarea, input")`) {
		y.quiet()
	}
}

// aboutMeByKey changes state, sound and capacity.
func aboutMeByKey(sam typist) {
	sam.t.Helper()
	sam.act("state", "s")
	sam.until("busy", `document.querySelector("#state").value === "busy" && document.querySelector("#dot").classList.contains("busy")`)
	sam.act("sound", "m")
	sam.until("no sound", `localStorage["footbridge.desk.sound"] === "off" && !document.querySelector("#sound").checked`)
	sam.act("menu", "y")
	sam.focused("#capacity")
	sam.keys(kb.ArrowUp + kb.Tab)
	sam.until("more at once", `document.querySelector("#load").textContent === "0 of 6"`)
	sam.tabTo("#leave-all")
	sam.keys(kb.Escape)
	sam.until("the menu is closed", `!document.querySelector("#menu").matches(":popover-open")`)
}

// TestKeysTable: what "?" lists can be found and run from there, and letters alone
// can be switched off.
func TestKeysTable(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	y := typist{tab: newTab(t, desktop), done: map[string]bool{}}
	signInByKey(s, y)
	y.do(chromedp.KeyEvent("k", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	y.focused("#keys-find")
	y.shot("desk-keys")
	y.keys("change my st" + kb.Enter)
	y.until("busy", `document.querySelector("#state").value === "busy" && !document.querySelector("#keys").open`)
	y.keys("?")
	y.focused("#keys-find")
	shown := value[[]string](y.tab, `[...document.querySelectorAll("#keys-list button:enabled")].map(b => b.dataset.act)`)
	if slices.Contains(shown, "end") || !slices.Contains(shown, "sound") {
		t.Errorf("with nothing open %q can be done", shown)
	}
	y.tabTo("#keys-single")
	y.keys(" " + kb.Escape)
	y.keys("m")
	y.alt("m")
	y.until("only the one with Alt counted", `localStorage["footbridge.desk.sound"] === "off"`)
	y.clean()
}
