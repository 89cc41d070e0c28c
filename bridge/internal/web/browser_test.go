package web_test

import (
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/chromedp/chromedp"
)

// place is where the pages are tried: a running program with a virtual agent that
// hands over when it is told the word person.
type place struct {
	base, token string
	// restart stops the program and starts it again; nil where that cannot be
	// done.
	restart func(between func())
}

// here gives a place of this test's own, or the running program FOOTBRIDGE_URL
// names, with the desk's token in FOOTBRIDGE_DESK_TOKEN.
func here(t *testing.T) place {
	t.Helper()
	if base := os.Getenv("FOOTBRIDGE_URL"); base != "" {
		return place{base: base, token: os.Getenv("FOOTBRIDGE_DESK_TOKEN")}
	}
	s := newServer(t)
	return place{base: s.url(), token: deskToken, restart: func(between func()) {
		s.halt()
		between()
		s.start()
	}}
}

var (
	desktop = look{width: 1360, height: 820}
	phone   = look{width: 390, height: 780, phone: true, dark: true}
)

// signIn opens the desk by its link and says who is there.
func (p place) signIn(b *tab, agent, name string) {
	b.t.Helper()
	b.open(p.base + "/desk#token=" + p.token)
	b.until("the token has left the address", `location.hash === "" && !document.querySelector("#sign").hidden`)
	b.fill("#sign-agent", agent)
	b.fill("#sign-name", name)
	b.button("Sign in")
	b.sees("Nobody is waiting.")
}

// TestCustomerAndAgent is a whole conversation in two browsers: the virtual agent,
// a person, the program away in the middle, and the virtual agent again.
func TestCustomerAndAgent(t *testing.T) {
	t.Parallel()
	customerAndAgent(t, here(t))
}

func customerAndAgent(t *testing.T, p place) {
	t.Helper()
	agent, customer := newTab(t, desktop), newTab(t, phone)
	p.signIn(agent, "sam", "Sam")
	agent.shot("desk-empty")

	customer.open(p.base + "/chat?name=Ada")
	customer.until("choices", `document.querySelector(".options button:enabled")`)
	customer.shot("chat-greeting")
	customer.say("what are your hours")
	customer.until("the answer", `document.querySelectorAll(".word.virtual_agent").length >= 2`)
	customer.say("I want to talk to a person")
	agent.until("a waiting customer", `document.querySelector("#waiting .item")`)
	agent.sees("Ada")
	customer.until("a place in line", `document.querySelector("#standing").textContent.includes("next")`)
	customer.shot("chat-waiting")
	agent.shot("desk-waiting")
	agent.press("#waiting [data-role=accept]")
	agent.until("the room", `!document.querySelector("#act-handback").hidden`)
	customer.sees("Sam has joined")
	agent.say("Hello Ada, Sam here.")
	customer.sees("Hello Ada, Sam here.")
	customer.fill("#text", "my order")
	agent.until("the customer writes", `document.querySelector("#typing").textContent.includes("Ada is writing")`)
	customer.say(" is late")
	agent.sees("my order is late")
	agent.until("the mark read", `[...document.querySelectorAll("#talk .mine .mark")].some(m => m.textContent === "Read")`)
	agent.press("#note")
	agent.say("Seems to be order 4711.")
	agent.press("#note")
	agent.sees("private note")
	customer.until("the mark read", `[...document.querySelectorAll("#talk .mine .mark")].some(m => m.textContent === "Read")`)
	agent.shot("desk-talking")
	customer.shot("chat-talking")

	wantCustomer := []string{"what are your hours", "I want to talk to a person", "Hello Ada, Sam here.", "my order is late"}
	wantAgent := append(slices.Clone(wantCustomer), "Seems to be order 4711.")
	if p.restart != nil {
		throughRestart(p, agent, customer)
		said := []string{"said while you were away", "me too", "unsent draft"}
		wantCustomer, wantAgent = append(wantCustomer, said...), append(wantAgent, said...)
	}
	customer.saidOnce(wantCustomer...)
	agent.saidOnce(wantAgent...)
	if slices.Contains(customer.words(), "Seems to be order 4711.") {
		t.Error("the customer sees a private note")
	}

	handBack(agent, customer)
	customer.saidOnce(wantCustomer...)
	agent.clean()
	customer.clean()
}

// throughRestart has both write while the program is away, and the agent leave a
// draft.
func throughRestart(p place, agent, customer *tab) {
	p.restart(func() {
		agent.until("the desk knows", `document.querySelector("#connection").textContent !== ""`)
		customer.until("the chat knows", `!document.querySelector("#connection").hidden`)
		customer.say("said while you were away")
		agent.say("me too")
		agent.fill("#text", "unsent draft")
		customer.shot("chat-reconnecting")
	})
	customer.sees("me too")
	agent.sees("said while you were away")
	agent.until("nothing is on its way", `!document.querySelector(".pending") && document.querySelector("#connection").textContent === ""`)
	agent.do(chromedp.Reload())
	agent.until("the draft", `document.querySelector("#text").value === "unsent draft"`)
	agent.say("")
	customer.sees("unsent draft")
	customer.do(chromedp.Reload())
	customer.sees("unsent draft")
}

// handBack gives the conversation back and looks that the virtual agent answers
// nothing the human has handled.
func handBack(agent, customer *tab) {
	before := len(customer.words())
	agent.press("#act-handback")
	agent.fill("#handback [name=reason]", "resolved")
	agent.shot("desk-handback")
	agent.press("#handback .primary")
	customer.sees("The virtual agent is back")
	customer.until("its first words", `[...document.querySelectorAll("#talk > *")].at(-1).classList.contains("virtual_agent")`)
	agent.until("the conversation has left", `!document.querySelector("#mine .item")`)
	customer.say("hello again")
	customer.until("an answer", `[...document.querySelectorAll(".word")].at(-1).classList.contains("virtual_agent") && document.querySelectorAll("#talk .bubble").length >= `+strconv.Itoa(before+3))
	if got := len(customer.words()) - before; got != 3 {
		customer.t.Errorf("after the handback %d words were said, want 3 (back, hello again, its answer): %q", got, customer.words())
	}
	customer.shot("chat-back")
}
