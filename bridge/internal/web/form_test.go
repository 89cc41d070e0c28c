package web_test

import "testing"

// TestFormOfOddNames: a vendor may call its fields what a browser calls its own.
func TestFormOfOddNames(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := newTab(t, phone)
	b.open(s.url() + "/chat?name=Ada")
	b.sees("Hello, how can I help?")
	b.say("odd form")
	b.sees("The addEventListener")
	b.fill(`.form [name=elements]`, "fire")
	b.fill(`.form [name=submit]`, "now")
	b.press(".form button")
	b.sees("You said: **The elements: fire")
	b.until("all of it is answered", `document.querySelectorAll(".form [name]:disabled, .form button:disabled").length === 7`)
	b.sees("The submit: now")
	b.clean()
}

// TestRoomThatIsGone: on a phone, whoever looks at a customer whom somebody else takes
// is back at the lists, not in an empty room without a way out.
func TestRoomThatIsGone(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	ada, sam, kim := newTab(t, phone), newTab(t, phone), newTab(t, desktop)
	p := place{base: s.url(), token: deskToken}
	p.signIn(sam, "sam", "Sam")
	p.signIn(kim, "kim", "Kim")
	ada.open(s.url() + "/chat?name=Ada")
	ada.sees("Hello, how can I help?")
	ada.say("person please")
	sam.press("#waiting .item")
	sam.until("the room has the screen", `getComputedStyle(document.querySelector(".lists")).display === "none"`)
	kim.press("#waiting [data-role=accept]")
	ada.sees("Kim has joined")
	sam.until("the lists are back", `getComputedStyle(document.querySelector(".lists")).display !== "none"`)
	sam.until("the next one is looked at", `!document.querySelector("#waiting .item")`)
	sam.clean()
}
