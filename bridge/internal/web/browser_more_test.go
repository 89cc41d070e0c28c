package web_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestChatAlone is what the chat does without a person: choices, forms, files,
// hostile words, reload, end and a new beginning.
func TestChatAlone(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := newTab(t, look{width: 1100, height: 760})
	b.open(s.url() + "/chat")
	b.until("choices", `document.querySelector(".options button:enabled")`)
	b.button("Opening hours")
	b.sees("You said: Opening hours")
	b.until("old choices rest", `!document.querySelector(".options button:enabled")`)
	b.say("form")
	b.fill(`[name="street"]`, "Mill Lane 1")
	b.press(".form .primary")
	b.sees("Mill Lane 1")
	b.say("file")
	b.until("a link to the file", `document.querySelector("#talk a[href='https://files.example/invoice.pdf']")?.rel === "noopener noreferrer"`)
	hostile := `<img src=x onerror="document.title='stolen'"> javascript:alert(1) **bold**`
	b.say(hostile)
	b.until("the hostile words came through", `document.querySelectorAll(".word.virtual_agent").length === 6 && !document.querySelector(".pending")`)
	b.saidOnce(hostile)
	b.say("html")
	b.until("html without its tags", `[...document.querySelectorAll(".bubble")].at(-1).innerText.replace(/\s+/g, " ") === "Safe & sound x Safe words"`)
	if value[bool](b, `!!document.querySelector("#talk img, #talk script, #talk a[href^='javascript:']") || document.title === "stolen"`) {
		t.Error("what was said became part of the page")
	}
	b.shot("chat-content")
	before := len(b.words())
	b.do(chromedp.Reload())
	b.until("the same words after a reload", `document.querySelectorAll("#talk .bubble").length === `+strconv.Itoa(before))
	b.button("End chat")
	b.press("#really .primary")
	b.sees("This conversation has ended.")
	b.shot("chat-ended")
	b.button("Start a new one")
	b.until("a new greeting", `document.querySelectorAll("#talk .bubble").length === 1 && document.querySelector(".options button:enabled")`)
	b.clean()
}

// TestLostAnswers has the program take words whose answers never arrive: they are
// sent again, and are said once.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := newTab(t, phone)
	b.open(s.url() + "/chat")
	b.sees("Hello, how can I help?")
	s.lose.Store(3)
	b.say("first")
	b.say("second")
	b.until("both are answered and nothing is on its way", `document.querySelectorAll(".word.virtual_agent").length >= 3 && !document.querySelector(".pending") && !localStorage.getItem(Object.keys(localStorage).find(k => k.startsWith("footbridge.outbox."))).includes("message.created")`)
	b.do(chromedp.Reload())
	b.until("the whole conversation", `document.querySelectorAll("#talk .bubble").length >= 5`)
	b.saidOnce("first", "second", "You said: first", "You said: second")
	if n := s.lose.Load(); n > 0 {
		t.Errorf("%d answers were not lost: the test shows nothing", n)
	}
}

// TestTwoAgents is what two people at the desk see of each other: who is first,
// an offer by transfer, notes, and the end with its wrap-up.
func TestTwoAgents(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := place{base: s.url(), token: deskToken}
	sam, kim := newTab(t, desktop), newTab(t, look{width: 390, height: 780, phone: true})
	customer := newTab(t, look{width: 800, height: 700})
	p.signIn(sam, "sam", "Sam")
	p.signIn(kim, "kim", "Kim")
	customer.open(p.base + "/chat?name=Ada")
	customer.sees("Hello, how can I help?")
	customer.say("person please")
	for _, b := range []*tab{sam, kim} {
		b.until("a waiting customer", `document.querySelector("#waiting .item")`)
	}
	kim.shot("desk-phone-waiting")
	sam.button("Take next")
	customer.sees("Sam has joined")
	kim.until("taken by Sam", `!document.querySelector("#waiting .item")`)
	sam.press("#act-transfer")
	sam.fill(`#transfer [name="agent"]`, "kim")
	sam.fill(`#transfer [name="reason"]`, "knows orders")
	sam.press("#transfer .primary")
	kim.until("offered", `document.querySelector("#waiting .item.offered")`)
	kim.shot("desk-phone-offered")
	kim.press("#waiting [data-role=accept]")
	customer.sees("Kim has joined")
	sam.until("it has left Sam", `!document.querySelector("#mine .item")`)
	kim.say("Kim here")
	customer.sees("Kim here")
	kim.button("←")
	customer.say("are you there?")
	kim.until("unread", `document.querySelector(".unread")?.textContent === "1" && document.title.startsWith("(1)")`)
	kim.shot("desk-phone-unread")
	kim.press("#mine .open")
	kim.until("read", `!document.querySelector(".unread")`)
	kim.button("Details")
	kim.until("the details", `getComputedStyle(document.querySelector("#facts")).display !== "none"`)
	kim.shot("desk-phone-details")
	kim.button("Close")
	kim.until("no details", `getComputedStyle(document.querySelector("#facts")).display === "none"`)
	kim.shot("desk-phone-room")
	kim.press("#act-end")
	kim.fill(`#finish [name="disposition"]`, "solved")
	kim.press("#finish .primary")
	customer.sees("This conversation has ended.")
	kim.sees("Wrapped up: solved")
	kim.shot("desk-phone-ended")
	for _, b := range []*tab{sam, kim, customer} {
		b.clean()
	}
}

// TestDecline gives a conversation nobody takes back to the virtual agent.
func TestDecline(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := place{base: s.url(), token: deskToken}
	sam, customer := newTab(t, look{width: 1360, height: 820, dark: true}), newTab(t, phone)
	p.signIn(sam, "sam", "Sam")
	sam.do(chromedp.SetValue(chromedp.CSS("#state"), "away"))
	customer.open(p.base + "/chat")
	customer.sees("Hello, how can I help?")
	customer.say("person")
	sam.until("a waiting customer", `document.querySelector("#waiting .item")`)
	sam.press("#waiting .open")
	sam.sees("I wrote to you yesterday, too.")
	sam.shot("desk-dark")
	sam.press("#act-decline")
	sam.fill(`#turn-down [name="reason"]`, "closing time")
	sam.shot("desk-dark-decline")
	sam.press("#turn-down .primary")
	sam.sees("Nobody is waiting.")
	customer.sees("Notice: declined")
	customer.until("the virtual agent again", `document.querySelector("#with").textContent === "Helper"`)
	sam.clean()
	customer.clean()
}

// TestSignIn refuses a wrong token and keeps who has signed in through a reload.
func TestSignIn(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := newTab(t, desktop)
	b.open(s.url() + "/desk#token=wrong")
	b.until("a refusal", `!document.querySelector("#sign-problem").hidden && location.hash === ""`)
	b.shot("desk-sign-in")
	b.fill("#sign-token", deskToken)
	b.fill("#sign-agent", "sam")
	b.button("Sign in")
	b.sees("Nobody is waiting.")
	b.do(chromedp.Reload())
	b.sees("Nobody is waiting.")
	if kept := value[string](b, `JSON.stringify(localStorage) + JSON.stringify(sessionStorage) + document.cookie`); strings.Contains(kept, deskToken) {
		t.Error("the page keeps the token where scripts can read it")
	}
	b.press("#me")
	b.button("Sign out")
	b.until("the form again", `!document.querySelector("#sign").hidden`)
	b.open(s.url() + "/desk#token=" + kimToken) // only the fragment changes
	b.until("a token for one agent asks nothing", `document.querySelector("#me").textContent === "kim" && !document.querySelector("#desk").hidden`)
	b.until("only the account in trouble", `[...document.querySelectorAll("#accounts li")].map((li) => li.textContent).join() === "studio · open"`)
	b.clean()
}
