package web_test

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/api"
)

// TestChatSpeaks: our own page in each language, mirrored where that is read from
// the right, in the account's name and colour.
func TestChatSpeaks(t *testing.T) {
	t.Parallel()
	s := newServer(t, arabic)
	b := newTab(t, look{width: 900, height: 700, dark: true})
	for language, want := range map[string]string{"en": "Send", "de": "Senden", "es": "Enviar", "ar": "إرسال", "de-AT": "Senden", "xx": "Send"} {
		b.open(s.url() + "/chat?language=" + language)
		b.sees("Hello, how can I help?")
		b.until(language+" is spoken", `document.querySelector("#send").textContent === `+quoted(want)+` && document.title === "متجر"`)
		b.until("it goes its way", `(document.documentElement.dir === "rtl") === `+quoted(language)+`.startsWith("ar") && (document.querySelector("#send").getBoundingClientRect().x < document.querySelector("#text").getBoundingClientRect().x) === (document.documentElement.dir === "rtl")`)
		b.until("the colour for dark screens", `getComputedStyle(document.querySelector("#send")).backgroundColor === "rgb(255, 213, 79)" && getComputedStyle(document.querySelector("#send")).color === "rgb(17, 24, 23)"`)
		b.shot("chat-" + language)
	}
	b.clean()
}

// TestChatAsksHowItWas when the account wants that, once, and takes no for an
// answer.
func TestChatAsksHowItWas(t *testing.T) {
	t.Parallel()
	s := newServer(t, asks)
	b := newTab(t, phone)
	b.open(s.url() + "/chat")
	b.sees("Hello, how can I help?")
	b.say("a person")
	agent := s.waiting()
	agent.does(event.KindHandoffAccepted, `{}`)
	b.until("their picture", `document.querySelector(".with-face img")?.naturalWidth === 1`)
	agent.does(event.KindSurveyOffered, `{"question":"Did we help?","options":[{"label":"Yes"},{"label":"No"}]}`)
	b.sees("Did we help?")
	b.shot("chat-survey-offered")
	b.press(`#survey [value="Yes"] + span`)
	b.button("Send rating")
	agent.has(event.KindSurveyAnswered, func(e event.Event) bool { return e.Body == event.SurveyAnswered{Score: "Yes"} })
	b.sees("Thank you for your rating.")
	agent.does(event.KindConversationEnded, `{"reason":"resolved"}`)
	b.sees("This conversation has ended.")
	b.button("Start a new one")
	b.until("a new greeting, and no question", `document.querySelectorAll("#talk .bubble").length === 1 && !document.querySelector("#survey")`)
	b.button("End chat")
	b.do(chromedp.KeyEvent(kb.Tab + kb.Enter))
	b.sees("This conversation has ended.")
	if value[bool](b, `!!document.querySelector("#survey")`) {
		t.Error("somebody who said nothing is asked how it was")
	}
	b.button("Start a new one")
	b.until("a new greeting", `document.querySelectorAll("#talk .bubble").length === 1 && document.querySelector(".options button:enabled")`)
	b.say("hello")
	b.sees("You said: hello")
	b.button("End chat")
	b.do(chromedp.KeyEvent(kb.Tab + kb.Enter))
	b.sees("How was this conversation?")
	b.shot("chat-survey")
	b.button("No, thanks")
	b.until("not asked any more", `!document.querySelector("#survey")`)
	b.do(chromedp.Reload())
	b.sees("You said: hello")
	b.until("not asked again", `!document.querySelector("#over").hidden && !document.querySelector("#survey")`)
	b.clean()
}

// TestPiecesThatComeLate: the pieces of a message and the message come by two ways,
// so that a piece may be the later.
func TestPiecesThatComeLate(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := newTab(t, phone)
	b.open(s.url() + "/chat")
	b.sees("Hello, how can I help?")
	value[bool](b, `!!import("/assets/story.js").then(({ Story }) => {
		const story = new Story("c"), actor = { role: "virtual_agent" };
		const piece = (index, text) => story.take({ id: "p" + index, kind: "message.partial", actor, body: { stream: "s", index, mode: "append", text } });
		piece(0, "one");
		const open = [...story.streams.values()].map((x) => x.text).join();
		story.take({ id: "m", seq: 1, kind: "message.created", actor, body: { stream: "s", content: { type: "text", text: "one two" } } });
		const late = piece(1, " two");
		document.body.dataset.found = [open, late, story.streams.size].join();
	})`)
	b.until("what was open, and nothing is", `document.body.dataset.found === "one,false,0"`)
}

// TestChatThatIsNotThere says so, in place of the chat.
func TestChatThatIsNotThere(t *testing.T) {
	t.Parallel()
	s := newServer(t, func(site *api.Site) { site.PublishableKey = "pk_another" })
	b := newTab(t, phone)
	b.open(s.url() + "/chat")
	b.until("it is told", `document.querySelector("#problem")?.textContent.includes("no such thing")`)
	s.halt()
	b.open("about:blank")
	s.site.PublishableKey = chatKey
	s.start()
	b.open(s.url() + "/chat")
	b.sees("Hello, how can I help?")
}
