package web_test

import (
	"context"
	"testing"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/engine"
)

// fails has the far side of a role tell that the newest of some words did not
// arrive there.
func (s *server) fails(id string, by event.Role, text, reason string) {
	s.t.Helper()
	e := sam{s, id}.has(event.KindMessageCreated, func(e event.Event) bool {
		m, _ := e.Body.(event.MessageCreated)
		return m.Content.Part == event.Text{Text: text, Format: event.FormatPlain}
	})
	_, err := s.engine.Do(context.Background(), engine.Command{Conversation: id, Role: by, Actor: event.Actor{Role: by, ID: "sam"},
		Body: event.MessageFailed{Message: e.ID, Reason: reason}})
	s.must(err)
}

// mark waits for what is told of some words, and for the buttons beside it.
func (b *tab) mark(text, want string) {
	b.t.Helper()
	b.until(text+": "+want, `[...document.querySelectorAll("#talk .mine")].filter((n) => n.querySelector(".bubble").innerText === `+quoted(text)+`).map((n) => n.querySelector(".way")?.innerText.trim()).join(" | ") === `+quoted(want))
}

// TestFailedOnTheFarSide: words that the bridge took and the far side did not are
// marked so, with the reason, and sent once more, by button or key: once.
func TestFailedOnTheFarSide(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	agent, customer := withAda(s)
	agent.until("the room", `sessionStorage["footbridge.desk.open"]`)
	id := value[string](agent, `sessionStorage["footbridge.desk.open"]`)
	agent.say("one")
	customer.sees("one")
	agent.mark("one", "Read")
	s.fails(id, event.RoleCustomer, "one", "number unknown")
	agent.mark("one", "Not delivered: number unknown Try again")
	agent.press(".failed .way button")
	agent.mark("one", "Not delivered: number unknown | Read")
	customer.until("it came twice", `[...document.querySelectorAll("#talk .live_agent .bubble")].map((n) => n.innerText).join() === "one,one"`)

	agent.say("two")
	customer.sees("two")
	s.fails(id, event.RoleCustomer, "two", "gone")
	agent.mark("two", "Not delivered: gone Try again")
	y := typist{tab: agent, done: map[string]bool{}}
	y.quiet()
	y.keys("u")
	agent.mark("two", "Not delivered: gone | Read")
	y.keys("u") // there is nothing more to send
	agent.say("three")
	customer.until("each as often as it was sent", `[...document.querySelectorAll("#talk .live_agent .bubble")].map((n) => n.innerText).join() === "one,one,two,two,three"`)

	customer.say("four")
	agent.sees("four")
	s.fails(id, event.RoleLiveAgent, "four", "no signal")
	customer.mark("four", "Not delivered: no signal Try again")
	customer.press(".failed .way button")
	agent.until("the agent has it twice", `[...document.querySelectorAll("#talk .customer .bubble")].filter((n) => n.innerText === "four").length === 2`)
	s.fails(id, event.RoleCustomer, "three", "gone")
	agent.mark("three", "Not delivered: gone Try again")
	customer.button("End chat")
	customer.press("#really .primary")
	agent.mark("three", "Not delivered: gone")
	customer.mark("four", "Not delivered: no signal | Read")
	agent.clean()
	customer.clean()
}
