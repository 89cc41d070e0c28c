package web_test

import (
	"context"
	"fmt"
	"html"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/engine"
)

// TestWidgetAccessible has axe-core look into the widget's shadow root on another
// site's page, in both themes, on a desktop and on a phone.
func TestWidgetAccessible(t *testing.T) {
	t.Parallel()
	source := axeSource(t)
	for _, l := range looks() {
		t.Run(fmt.Sprintf("%d dark %v", l.width, l.dark), func(t *testing.T) {
			t.Parallel()
			everyFace(t, l, source)
		})
	}
}

// everyFace goes through all the widget can show.
func everyFace(t *testing.T, l look, source string) {
	t.Helper()
	s := newShop(t, `data-name="Ada"`, asks)
	b := newTab(t, l)
	looks := func(what string) {
		t.Helper()
		b.accessibleIn(source, "footbridge-chat", what)
	}
	b.open(s.URL + "/plain")
	b.inside("the button that opens it", `q(".opener")`)
	looks("closed")
	b.tap(`q(".opener")`)
	b.reads("Hello, how can I help?")
	looks("choices")
	b.writes("form")
	b.inside("a form", `q(".form")`)
	looks("a form")
	b.writes("slowly")
	b.inside("words that are being written", `q(".live .bubble")`)
	looks("words that are being written")
	b.writes("a person please")
	b.inside("a place in line", `q("#standing").textContent.includes("next")`)
	looks("in line")
	agent := s.bridge.waiting()
	agent.does(event.KindHandoffAccepted, `{}`)
	agent.does(event.KindTypingStarted, `{}`)
	b.inside("somebody writes", `q("#typing").textContent === "Sam Smith is writing"`)
	looks("somebody writes")
	agent.says("Hello, Sam here.")
	b.reads("Hello, Sam here.")
	s.bridge.refuse.Store(1)
	b.writes("refused")
	b.inside("what was not sent", `q(".failed .mark button")`)
	looks("what was not sent")
	b.tap(labelled("Discard"))
	b.tap(`q("#text")`)
	b.do(chromedp.KeyEvent(kb.Escape))
	agent.says("Are you there?")
	b.inside("one is unread", `q(".count").textContent === "1"`)
	looks("unread")
	b.tap(`q(".opener")`)
	b.reads("Are you there?")
	b.tap(labelled("End chat"))
	looks("whether to end")
	b.tap(`q("#really .primary")`)
	b.inside("how it was", `q("#survey") && !q("#over").hidden`)
	looks("how it was")
	b.tap(labelled("No, thanks"))
	b.inside("it is over", `!q("#survey")`)
	looks("over")
	b.clean()
}

// TestWidgetInjections has the customer say every injection, and a virtual agent and
// a person called so answer with it, in the widget on another site's page, which has
// no policy: what could run would.
func TestWidgetInjections(t *testing.T) {
	t.Parallel()
	inParts(t, injectedInWidget)
}

func injectedInWidget(t *testing.T, all []string) {
	t.Helper()
	s := newShop(t, `data-name="`+html.EscapeString(all[0])+`"`)
	b := newTab(t, phone)
	b.do(send(page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: trap}))
	b.open(s.URL + "/bare")
	b.tap(`q(".opener")`)
	b.reads("Hello, how can I help?")
	id := value[string](b, `JSON.parse(localStorage.getItem(Object.keys(localStorage).find((k) => k.startsWith("footbridge.chat.")))).id`)
	said := sayAll(s.bridge, id, all)
	b.inside("all was answered", fmt.Sprintf(`all("#talk .word.virtual_agent").length >= %d && all("#talk .word.live_agent").length === %d`, said, len(all)))
	b.inside("the question of somebody called so", `q("#survey")`)
	looked := func(when string) {
		t.Helper()
		b.harmless(within(`all(".panel *")`), when)
		if title := value[string](b, `document.title + document.querySelectorAll("body > *").length`); title != "Shop2" {
			t.Errorf("%s: the page around is %q, want %q", when, title, "Shop2")
		}
	}
	looked("in the widget")
	shown := value[map[string][]string](b, within(`Object.fromEntries(["mine", "live_agent"].map((who) => [who, all("#talk .word." + who + " .bubble").map((n) => n.textContent)]))`))
	for i, x := range all {
		if want := "only " + everything + x; i >= len(shown["mine"]) || shown["mine"][i] != want {
			t.Fatalf("word %d is not %q", i, want)
		}
		if i >= len(shown["live_agent"]) || shown["live_agent"][i] != x {
			t.Fatalf("word %d of the person is not %q", i, x)
		}
	}
	b.do(chromedp.Sleep(time.Second)) // what runs late runs now
	looked("in the widget, a moment later")
	b.clean()
}

// sayAll has everybody in a conversation say all, each as somebody called so with a
// picture from there, and gives how many words the virtual agent said at least.
func sayAll(s *server, id string, all []string) int {
	s.t.Helper()
	do := func(by event.Actor, body event.Body) {
		s.t.Helper()
		_, err := s.engine.Do(context.Background(), engine.Command{Conversation: id, Role: by.Role, Actor: by, Body: body})
		s.must(err)
	}
	customer := event.Actor{Role: event.RoleCustomer, Name: all[0]}
	for _, x := range all {
		do(customer, event.MessageCreated{Content: event.Plain("only " + everything + x)})
	}
	do(customer, event.MessageCreated{Content: event.Plain(everything + all[0])}) // by somebody called so, who asks for a person
	s.waiting()
	person := func(x string) event.Actor {
		return event.Actor{Role: event.RoleLiveAgent, ID: "sam", Name: x, Avatar: x}
	}
	do(person(all[0]), event.HandoffAccepted{})
	for _, x := range all {
		do(person(x), event.MessageCreated{Content: event.Plain(x)})
	}
	var options []event.Choice
	for _, x := range all {
		options = append(options, event.Choice{Label: x})
	}
	do(person(all[0]), event.SurveyOffered{Question: all[0], Options: options})
	return len(all) * len(hostileParts(""))
}
