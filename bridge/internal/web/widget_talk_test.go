package web_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/api"
)

// ask is a request with the desk's token; the answer goes into out.
func (s *server) ask(method, path, kind string, in []byte, out any) {
	s.t.Helper()
	s.askAs(deskToken, method, path, kind, in, out)
}

func (s *server) askAs(token, method, path, kind string, in []byte, out any) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url()+api.Base+path, bytes.NewReader(in))
	s.must(err)
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", kind)
	answer, err := http.DefaultClient.Do(r)
	s.must(err)
	defer answer.Body.Close() //nolint:errcheck // it was only read.
	data, err := io.ReadAll(answer.Body)
	s.must(err)
	if answer.StatusCode >= 300 {
		s.t.Fatalf("%s %s: %d %s", method, path, answer.StatusCode, data)
	}
	if out != nil {
		s.must(json.Unmarshal(data, out))
	}
}

// sam is a live agent with a program of their own, in one conversation.
type sam struct {
	*server
	conversation string
}

// does says an event as Sam, who has a picture.
func (a sam) does(kind event.Kind, body string) event.Event {
	a.t.Helper()
	var e event.Event
	a.ask("POST", "/conversations/"+a.conversation+"/events", "application/json", []byte(`{"kind":"`+string(kind)+`","actor":{"id":"sam","name":"Sam Smith","avatar":"`+
		a.url()+`/portrait.png"},"body":`+body+`}`), &e)
	return e
}

func (a sam) says(text string) event.Event {
	a.t.Helper()
	return a.does(event.KindMessageCreated, `{"content":{"type":"text","text":`+quoted(text)+`}}`)
}

// has waits for an event of the conversation.
func (a sam) has(kind event.Kind, is func(event.Event) bool) event.Event {
	a.t.Helper()
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
		var list api.EventList
		a.ask("GET", "/conversations/"+a.conversation+"/events?limit=1000&kind="+string(kind), "", nil, &list)
		if i := slices.IndexFunc(list.Events, is); i >= 0 {
			return list.Events[i]
		}
	}
	a.t.Fatalf("no %s in time", kind)
	return event.Event{}
}

// waiting is the newest conversation that waits for somebody.
func (s *server) waiting() sam {
	s.t.Helper()
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
		var list api.ConversationList
		s.ask("GET", "/conversations?state=queued", "", nil, &list)
		if len(list.Conversations) > 0 {
			return sam{s, list.Conversations[0].ID}
		}
	}
	s.t.Fatal("nobody waits")
	return sam{}
}

// somebodyElse waits for a person before the customer does.
func (s *server) somebodyElse() {
	s.t.Helper()
	var made api.Opened
	s.ask("POST", "/conversations", "application/json", []byte(`{"account":"web"}`), &made)
	s.askAs(made.Token, "POST", "/conversations/"+made.Conversation+"/events", "application/json", []byte(`{"kind":"message.created","body":{"content":{"type":"text","text":"a person"}}}`), nil)
	s.waiting()
}

func asks(site *api.Site) { site.Chat.Survey = true }

// TestWidgetWithTheVirtualAgent: quick replies, a form, text as it is written and
// a picture, on another site's page.
func TestWidgetWithTheVirtualAgent(t *testing.T) {
	t.Parallel()
	s := newShop(t, `data-name="Ada"`)
	b := newTab(t, look{width: 1100, height: 760, dark: true})
	b.open(s.URL + "/plain")
	b.tap(`q(".opener")`)
	b.reads("Hello, how can I help?")
	b.inside("dark, as the screen is", `getComputedStyle(q("#scroll")).backgroundColor === "rgb(18, 23, 22)"`)
	b.tap(labelled("Opening hours"))
	b.reads("You said: Opening hours")
	b.inside("old quick replies rest", `all(".options button").every((n) => n.disabled)`)
	b.writes("form")
	b.tap(`q("[name=street]")`)
	b.do(chromedp.KeyEvent("Mill Lane 1"))
	b.shot("widget-form-dark")
	b.tap(`q(".form .primary")`)
	b.reads("Mill Lane 1")
	b.writes("slowly")
	b.inside("what is written so far, not read out yet", `q(".live .bubble")?.innerText === "Let me see, " && q(".live").getAttribute("aria-hidden") === "true"`)
	b.shot("widget-writing-dark")
	b.writes("go on")
	b.inside("the whole, as one", `!q(".live") && all("#talk .bubble").filter((n) => n.innerText.startsWith("Let me see")).map((n) => n.innerText).join() === "Let me see, it is on its way."`)
	value[bool](b, within(`(() => { const bytes = Uint8Array.from(atob("`+dot+`"), (c) => c.charCodeAt(0)); const files = new DataTransfer();
		files.items.add(new File([bytes], "dot.png", { type: "image/png" }));
		q("#talk").dispatchEvent(new DragEvent("drop", { dataTransfer: files, bubbles: true, cancelable: true, composed: true })); return true })()`))
	b.inside("the picture, from the bridge", `all("#talk .mine img").some((i) => i.complete && i.naturalWidth === 1 && i.src.startsWith("`+s.bridge.url()+`/media/"))`)
	if heard := value[int](b, `heard.length`); heard > 0 {
		t.Errorf("the page heard %d events of the chat", heard)
	}
	b.clean()
}

// TestWidgetWithAPerson: the place in line, who it is, typing, receipts, a picture,
// a reload and a restart of the bridge in the middle, unread words, and the question
// at the end.
func TestWidgetWithAPerson(t *testing.T) {
	t.Parallel()
	s := newShop(t, "", asks)
	s.bridge.somebodyElse()
	b := newTab(t, look{width: 1100, height: 760})
	b.open(s.URL + "/plain")
	b.tap(`q(".opener")`)
	b.reads("Hello, how can I help?")
	b.writes("a person please")
	b.inside("the place in line", `q("#standing").textContent === "You are number 2 in line"`)
	b.shot("widget-waiting")
	agent := s.bridge.waiting()
	agent.does(event.KindHandoffAccepted, `{}`)
	b.inside("who it is, with picture", `q("#with").textContent === "Sam Smith" && q(".with-face img")?.naturalWidth === 1 && q("#standing").textContent === "Connected with you"`)
	agent.does(event.KindTypingStarted, `{}`)
	b.inside("typing", `q("#typing").textContent === "Sam Smith is writing"`)
	hello := agent.says("Hello, Sam here.")
	b.reads("Hello, Sam here.")
	b.inside("no more typing", `q("#typing").textContent === ""`)
	agent.has(event.KindMessageRead, func(e event.Event) bool { return e.Body == event.MessageRead{Message: hello.ID} })
	b.tap(`q("#text")`)
	b.do(chromedp.KeyEvent("my order"))
	b.writes(" is late")
	late := agent.has(event.KindMessageCreated, func(e event.Event) bool { return strings.Contains(string(mustJSON(e)), "my order is late") })
	b.inside("it is sent, not yet read", `all(".mine .way").at(-1).textContent === "Sent"`)
	agent.does(event.KindMessageRead, `{"message":"`+late.ID+`"}`)
	b.inside("read", `all(".mine .way").at(-1).textContent === "Read"`)
	picture, _ := base64.StdEncoding.DecodeString(dot)
	var file event.Media
	agent.ask("POST", "/media?name=plan.png&conversation="+agent.conversation, "image/png", picture, &file)
	agent.does(event.KindMessageCreated, `{"content":`+string(mustJSON(event.Content{Part: file}))+`}`)
	b.inside("their picture", `all("#talk .live_agent .file img").some((i) => i.naturalWidth === 1)`)
	b.shot("widget-person")
	reloaded(b)
	restarted(s, b, agent)
	unread(b, agent)
	rated(b, agent)
	b.clean()
}

func mustJSON(v any) []byte {
	data, _ := json.Marshal(v)
	return data
}

// reloaded has the page loaded anew: the chat is as it was and takes no focus.
func reloaded(b *tab) {
	b.t.Helper()
	before := b.bubbles()
	b.do(chromedp.Reload())
	b.inside("the same words", `all("#talk .bubble").length === `+strconv.Itoa(len(before)))
	b.inside("the person", `q("#with").textContent === "Sam Smith" && q("#talk .live_agent .file img") && q("#text").value === "" && document.activeElement === document.body`)
	if after := b.bubbles(); !slices.Equal(before, after) {
		b.t.Errorf("after a reload the words are %q, before they were %q", after, before)
	}
}

// restarted has both speak around a restart of the bridge.
func restarted(s *shop, b *tab, agent sam) {
	b.t.Helper()
	s.bridge.halt()
	b.inside("the chat knows", `!q("#connection").hidden`)
	b.writes("said while you were away")
	s.bridge.start()
	b.inside("nothing is on its way", `q("#connection").hidden && !q(".pending")`)
	agent.says("I am here again")
	b.reads("I am here again")
	for _, text := range []string{"said while you were away", "I am here again"} {
		if n := strings.Count(strings.Join(b.bubbles(), "\n"), text); n != 1 {
			b.t.Errorf("%q is shown %d times: %q", text, n, b.bubbles())
		}
	}
}

// unread has the person speak while the chat is closed.
func unread(b *tab, agent sam) {
	b.t.Helper()
	b.tap(`q("#text")`)
	b.do(chromedp.KeyEvent(kb.Escape))
	missed := agent.says("Are you there?")
	b.inside("one is unread", `q(".panel").hidden && q(".count").textContent === "1" && q(".opener").getAttribute("aria-label") === "Open the chat, 1 unread"`)
	agent.has(event.KindMessageDelivered, func(e event.Event) bool { return e.Body == event.MessageDelivered{Message: missed.ID} })
	b.shot("widget-unread")
	b.do(chromedp.KeyEvent(kb.Enter)) // the button has the focus
	b.reads("Are you there?")
	b.inside("none is, and the customer may write", `q(".count").hidden && r.activeElement === q("#text") && q(".opener").getAttribute("aria-expanded") === "true"`)
	agent.has(event.KindMessageRead, func(e event.Event) bool { return e.Body == event.MessageRead{Message: missed.ID} })
}

// rated has the person end it, and the customer say how it was.
func rated(b *tab, agent sam) {
	b.t.Helper()
	agent.does(event.KindConversationEnded, `{"reason":"resolved"}`)
	b.reads("How was this conversation?")
	b.shot("widget-survey")
	b.do(chromedp.Reload())
	b.tap(`all(".scale label")[3]`)
	b.tap(`q(".survey textarea")`)
	b.do(chromedp.KeyEvent("quick and kind"))
	b.shot("widget-survey-filled")
	b.tap(labelled("Send rating"))
	b.reads("Thank you for your rating.")
	agent.has(event.KindSurveyAnswered, func(e event.Event) bool {
		return e.Body == event.SurveyAnswered{Score: "4", Comment: "quick and kind"}
	})
	b.do(chromedp.Reload())
	b.reads("Thank you for your rating.")
	b.inside("not asked again", `!q(".survey")`)
	b.tap(labelled("Start a new one"))
	b.inside("a new conversation", `all("#talk .bubble").length === 1 && !q("#compose").hidden && q("#over").hidden`)
}
