package web_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/config"
	"github.com/footbridge/footbridge/bridge/internal/desk"
	"github.com/footbridge/footbridge/bridge/internal/engine"
)

// shut closes the desk's queue, or opens it again; who asks for a person while it
// is closed is asked for a message.
func (s *server) shut(closed bool) {
	setup, queues := routes(), map[string]config.Queue{}
	setup.Routes[0].LeaveMessage = true
	if closed {
		queues["sales"] = config.Queue{Hours: "never"}
	}
	s.engine.Configure(setup)
	s.desk.Configure(desk.Rules{Native: map[string]bool{"desk": true}, Queues: queues})
}

// leaves has a customer leave a message, without a browser, and gives the
// conversation.
func (s *server) leaves(name, words string) string {
	s.t.Helper()
	who := event.Actor{Role: event.RoleCustomer, ID: "c-" + name, Name: name}
	ctx := s.t.Context()
	id, err := s.engine.Open(ctx, engine.Opening{Account: "web", Customer: who, Language: "en"})
	s.must(err)
	says := func(text string) {
		_, err := s.engine.Do(ctx, engine.Command{Conversation: id, Role: event.RoleCustomer, Actor: who, Body: event.MessageCreated{Content: event.Plain(text)}})
		s.must(err)
	}
	says("person please")
	for end := time.Now().Add(patience); len(s.kind(id, event.KindHandoffFailed)) == 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("%s was not turned down", name)
		}
	}
	says(words)
	return id
}

// kind are a conversation's events of a kind.
func (s *server) kind(id string, kind event.Kind) (found []event.Event) {
	s.t.Helper()
	all, err := s.journal.Events(context.Background(), id, 0, 1000)
	s.must(err)
	for _, e := range all {
		if e.Kind() == kind {
			found = append(found, e)
		}
	}
	return found
}

// TestLeftMessageIsAnswered: the customer asks for a person out of hours and leaves
// a message; every desk sees it, also after a reload, one answers, and the customer
// reads the answer.
func TestLeftMessageIsAnswered(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.shut(true)
	sam, kim, ada := newTab(t, desktop), newTab(t, desktop), newTab(t, phone)
	place{base: s.url(), token: deskToken}.signIn(sam, "sam", "Sam")
	place{base: s.url(), token: deskToken}.signIn(kim, "kim", "Kim")
	ada.open(s.url() + "/chat?name=Ada")
	ada.sees("Hello, how can I help?")
	ada.say("person please")
	ada.sees("Notice: leave_message")
	sam.do(chromedp.Sleep(time.Second)) // what the hand-off made the desk look up it has by now
	if shown := value[bool](sam, `!document.querySelector("#left-head").hidden || !!document.querySelector("#waiting .item")`); shown {
		t.Error("somebody waits or has left a message already")
	}
	ada.say("please call me about the blue lamp")
	ada.say("after five")
	for _, b := range []*tab{sam, kim} {
		b.until("the message", `document.querySelector("#left-head").textContent === "Left messages · 1" && document.querySelector("#left .name").textContent === "Ada" && document.title.startsWith("1 left · ")`)
		b.until("it is unread", `document.querySelector("#left .unread").textContent === "2" && document.querySelector("#left .said").textContent === "after five"`)
		b.until("its tags", `document.querySelector("#left .tags").innerText.includes("queue sales") && document.querySelector("#left time").dateTime`)
	}
	sam.press("#left .open")
	sam.sees("please call me about the blue lamp")
	sam.sees("The customer left a message")
	sam.until("it is only read", `document.querySelector("#compose").hidden && !document.querySelector("#act-answer").hidden && !document.querySelector("#act-done").hidden && document.querySelector("#act-accept").hidden && document.querySelector("#room-standing").textContent === "left a message"`)
	if n := len(s.kind(value[string](sam, `sessionStorage["footbridge.desk.open"]`), event.KindMessageRead)); n != 0 {
		t.Errorf("looking at it sent %d receipts", n)
	}
	sam.shot("desk-left")
	sam.do(chromedp.Reload())
	sam.until("it is still there, and open", `document.querySelector("#left .item.chosen") && !document.querySelector("#act-answer").hidden && document.querySelector("#talk").innerText.includes("after five")`)
	sam.until("the line", `document.querySelector("#connection").textContent === ""`)
	sam.press("#act-answer")
	ada.sees("Sam has joined")
	sam.until("it is mine", `document.querySelector("#mine .item.chosen") && document.querySelector("#left").hidden && !document.querySelector("#compose").hidden && document.activeElement.id === "text"`)
	kim.until("it is gone", `document.querySelector("#left-head").hidden && !document.querySelector("#left .item") && document.title.startsWith("Desk")`)
	sam.say("Hello Ada, I call you at five.")
	ada.sees("Hello Ada, I call you at five.")
	ada.say("thank you")
	sam.sees("thank you")
	sam.saidOnce("please call me about the blue lamp", "after five", "Hello Ada, I call you at five.", "thank you")
	handBack(sam, ada)
	for _, b := range []*tab{sam, kim, ada} {
		b.clean()
	}
}

// TestLeftMessageIsDone: what was left in a conversation that is over can only be
// done with, with a disposition or without; then it is gone for good.
func TestLeftMessageIsDone(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.dispositions = []string{"solved", "call back"}
	s.halt()
	s.start()
	s.shut(true)
	over, open := s.leaves("Ada", "the lamp is blue"), s.leaves("Bob", "mine is red")
	_, err := s.engine.Do(t.Context(), engine.Command{Conversation: over, Role: event.RoleCustomer, Actor: event.Actor{Role: event.RoleCustomer, ID: "c-Ada"}, Body: event.ConversationEnded{}})
	s.must(err)
	sam := newTab(t, phone)
	place{base: s.url(), token: deskToken}.signIn(sam, "sam", "Sam")
	sam.until("both, the older first", `[...document.querySelectorAll("#left .name")].map(n => n.textContent).join() === "Ada,Bob" && document.title.startsWith("2 left")`)
	if got := value[string](sam, `[...document.querySelectorAll("#left .acts")].map(a => a.innerText.replace(/\s+/g, " ")).join()`); got != "Done,Answer Done" {
		t.Errorf("what can be done is %q", got)
	}
	sam.press("#left .open")
	sam.until("it has ended", `document.querySelector("#room-standing").textContent === "left a message, ended" && document.querySelector("#act-answer").hidden && document.querySelector("#wrapup").hidden && document.documentElement.scrollWidth <= innerWidth`)
	sam.shot("desk-left-phone")
	sam.press("#act-done")
	sam.until("a choice of dispositions", `document.querySelectorAll("#left-done option").length === 3`)
	value[bool](sam, `(document.querySelector("#left-done [name=disposition]").value = "call back") !== ""`)
	sam.press("#left-done .primary")
	sam.until("the other one", `document.querySelectorAll("#left .item").length === 1 && !document.querySelector("#desk").classList.contains("talking")`)
	sam.press("#left [data-role=done]")
	sam.press("#left-done .primary")
	sam.until("none", `document.querySelector("#left-head").hidden && document.title.startsWith("Desk")`)
	sam.do(chromedp.Reload())
	sam.sees("None yet.")
	sam.until("none after a reload", `document.querySelector("#connection").textContent === "" && document.querySelector("#left-head").hidden`)
	for id, want := range map[string]string{over: "call back", open: ""} {
		if all := s.kind(id, event.KindWrapupCompleted); len(all) != 1 || all[0].Body.(event.WrapupCompleted).Disposition != want || all[0].Actor.ID != "sam" {
			t.Errorf("of %s was said %+v, want the disposition %q", id, all, want)
		}
	}
	sam.clean()
}

// TestLeftMessageIsTold: a message is heard and notified as somebody who waits is,
// once, and what was there before is no news; whoever is away is told nothing.
func TestLeftMessageIsTold(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.shut(true)
	s.leaves("Bob", "from before")
	sam := newTab(t, desktop)
	sam.do(send(page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: listening}))
	place{base: s.url(), token: deskToken}.signIn(sam, "sam", "Sam")
	sam.until("what was there", `document.querySelectorAll("#left .item").length === 1`)
	sam.press("#me")
	sam.press("#notices")
	sam.do(chromedp.KeyEvent(kb.Escape))
	before := value[int](sam, `tones`)
	s.leaves("Ada", "please call me")
	sam.until("told of it", `notes.join() === "Ada left a message: please call me" && tones === `+fmt.Sprint(before+2))
	value[bool](sam, `(s => { s.value = "away"; return s.dispatchEvent(new Event("change", { bubbles: true })); })(document.querySelector("#state"))`)
	sam.until("away", `document.querySelector("#dot").classList.contains("away")`)
	s.leaves("Cleo", "me too")
	sam.until("listed", `document.querySelectorAll("#left .item").length === 3 && document.querySelector("#left .item:last-child .said").textContent === "me too"`)
	sam.press("#left .item:last-child .open")
	sam.until("open", `document.querySelector("#talk").innerText.includes("me too")`)
	if n := value[int](sam, `notes.length`); n != 1 {
		t.Errorf("%d notifications, want 1", n)
	}
	sam.clean()
}

// TestLeftMessageInTheConsole: a supervisor finds what was left by a filter.
func TestLeftMessageInTheConsole(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.shut(true)
	id := s.leaves("Ada", "please call me")
	other, err := s.engine.Open(t.Context(), engine.Opening{Account: "web", Customer: event.Actor{Role: event.RoleCustomer, ID: "c-Bob", Name: "Bob"}})
	s.must(err)
	b := newTab(t, desktop)
	b.open(s.url() + "/console#token=" + deskToken)
	b.until("both", `document.querySelectorAll("#rows tr").length === 2`)
	value[bool](b, `(f => { f.value = "true"; return f.dispatchEvent(new Event("input", { bubbles: true })); })(document.querySelector("#filters [name=left]"))`)
	b.until("the one where a message waits", `location.hash === "#/conversations?left=true" && document.querySelectorAll("#rows tr").length === 1 && document.querySelector("#rows a").href.endsWith(`+quoted(id)+`)`)
	b.do(chromedp.Reload())
	b.until("the same after a reload", `document.querySelector("#filters [name=left]").value === "true" && document.querySelectorAll("#rows tr").length === 1`)
	_, err = s.engine.Do(t.Context(), engine.Command{Conversation: id, Role: event.RoleLiveAgent, Actor: event.Actor{Role: event.RoleLiveAgent, ID: "kim"}, Body: event.WrapupCompleted{}})
	s.must(err)
	b.until("none any more", `!document.querySelector("#rows tr")`)
	b.button("Clear")
	b.until("both again", `[...document.querySelectorAll("#rows a")].some(a => a.href.endsWith(`+quoted(other)+`)) && document.querySelectorAll("#rows tr").length === 2`)
	b.clean()
}

// leftByKey answers one message that was left and is done with another.
func leftByKey(s *server, sam typist) {
	sam.t.Helper()
	s.shut(true)
	first := s.leaves("Cleo", "call me")
	s.leaves("Dan", "write to me")
	sam.until("two messages", `document.querySelectorAll("#left .item").length === 2`)
	sam.quietly()
	sam.keys("j")
	sam.until("the first is open", `document.querySelector("#room-name").textContent === "Cleo"`)
	sam.act("answer", "l")
	sam.until("it is mine", `document.querySelectorAll("#left .item").length === 1 && document.querySelector("#mine .item.chosen")`)
	sam.focused("#text")
	sam.keys("we call you" + kb.Enter)
	sam.sees("we call you")
	if all := s.kind(first, event.KindHandoffAccepted); len(all) != 1 || all[0].Actor.ID != "sam" {
		sam.t.Errorf("taken up by %+v", all)
	}
	sam.quiet()
	sam.keys("e")
	sam.focused(`#finish [name="disposition"]`)
	sam.keys("solved" + kb.Enter)
	sam.sees("Wrapped up: solved")
	sam.keys("c")
	sam.until("it is closed", `!document.querySelector("#mine .item")`)
	sam.keys("j")
	sam.until("the other is open", `document.querySelector("#room-name").textContent === "Dan"`)
	sam.act("done", "o")
	sam.focused(`#left-done [name="disposition"]`)
	sam.keys("written" + kb.Enter)
	sam.until("it is done", `document.querySelector("#left-head").hidden && document.querySelector("#room-top").hidden`)
	s.shut(false)
}

// TestLeftMessageIsAccessible has axe-core look at what was left, in both themes,
// on a desktop and on a phone.
func TestLeftMessageIsAccessible(t *testing.T) {
	t.Parallel()
	source := axeSource(t)
	s := newServer(t)
	s.shut(true)
	s.leaves("Ada", "please call me about the blue lamp")
	for _, l := range []look{{width: 1360, height: 820}, {width: 1360, height: 820, dark: true}, {width: 390, height: 780, phone: true}, {width: 390, height: 780, phone: true, dark: true}} {
		sam := newTab(t, l)
		place{base: s.url(), token: deskToken}.signIn(sam, "sam", "Sam")
		sam.until("the message", `document.querySelector("#left .unread")`)
		sam.accessible(source, "a message was left")
		sam.press("#left .open")
		sam.until("it is open", `!document.querySelector("#act-answer").hidden && document.documentElement.scrollWidth <= innerWidth`)
		sam.accessible(source, "the message")
		sam.press("#act-done")
		sam.until("the question", `document.querySelector("#left-done").open`)
		sam.accessible(source, "done")
		sam.do(chromedp.KeyEvent(kb.Escape))
		sam.clean()
	}
}
