package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/engine"
)

// injections are strings that would run, or break out of where they are written,
// in a page that takes text for more than text. Each calls hit() or alert().
func injections(t *testing.T) []string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "injections.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	if err := json.Unmarshal(data, &all); err != nil || len(all) < 300 {
		t.Fatalf("%d injections, %v; want at least 300", len(all), err)
	}
	return all
}

// everything begins what has the helper and the assistant say the rest in all
// the ways they can.
const everything = "everything:"

// hostileParts are contents with x in each of their texts.
func hostileParts(x string) []event.Part {
	choice := event.Choice{ID: x, Label: x, Value: x, URL: x}
	card := event.Card{Title: x, Text: x, Image: x, Actions: []event.Choice{choice, {Label: x}}}
	return []event.Part{
		event.Text{Text: x, Format: event.FormatMarkdown}, event.Text{Text: x, Format: event.FormatHTML}, event.Text{Text: x, Format: x},
		event.Media{Kind: "image", URL: x, MIME: x, Name: x, Caption: x}, event.Media{Kind: x, Name: x, Caption: x},
		event.Choices{Text: x, Options: []event.Choice{choice, {Label: x}}}, card, event.Carousel{Cards: []event.Card{card}},
		event.Form{ID: x, Title: x, Text: x, Fields: []event.Field{{Name: x, Label: x, Input: x}, {Name: x, Options: []event.Choice{choice}}, {Name: x, Input: "textarea"}}},
		event.FormResponse{Form: x, Values: []event.FieldValue{{Name: x, Label: x, Value: x}}},
		event.Location{Name: x, Address: x}, event.Link{URL: x, Title: x},
		event.UnknownContent{Name: x, JSON: json.RawMessage(`{"type":` + quoted(x) + `,"text":` + quoted(x) + `}`)},
	}
}

// helperSaysAll has the helper, called x, say x in every way, and ask for a person.
func helperSaysAll(tx *adapter.Tx, x string) {
	who := event.Actor{Role: event.RoleVirtualAgent, ID: x, Name: x, Avatar: x}
	for _, part := range hostileParts(x) {
		tx.Emit(adapter.Emission{Actor: who, Body: event.MessageCreated{Content: event.Content{Part: part}}})
	}
	tx.Emit(adapter.Emission{Actor: who, Body: event.ErrorReported{Code: x, Detail: x}})
	tx.Emit(adapter.Emission{Actor: who, Body: event.ContextUpdated{Attributes: map[string]string{x: x}}})
	tx.Emit(adapter.Emission{Actor: who, Body: event.HandoffRequested{Reason: x, Summary: x, Context: map[string]string{"its " + x: x},
		Routing:    event.Routing{Language: x},
		Transcript: []event.TranscriptEntry{{Actor: event.Actor{Role: event.RoleCustomer, Name: x}, Time: time.Now(), Content: event.Plain(x)}}}})
}

// assistantSaysAll has the assistant find x in every way.
func assistantSaysAll(tx *adapter.Tx, x string) {
	flow := json.RawMessage(`{` + quoted(x) + `:` + quoted(x) + `}`)
	for _, i := range []event.Insight{
		event.Analysis{CustomerSentiment: x, AgentSentiment: x, CustomerEmotions: []string{x}, NextTask: x, SuggestedReply: x, Tasks: []json.RawMessage{flow}},
		event.Analysis{CustomerSentiment: "NEGATIVE"}, event.Analysis{CustomerSentiment: "1", Tasks: []json.RawMessage{flow}, SuggestedReply: x},
		event.Verification{Label: x, Status: x, Risk: x, AgentText: x}, event.CallerNumber{Number: x}, event.Summary{Text: x}, event.SyntheticSpeech{Label: x},
		event.Flow{ID: x, Status: x, Intent: x, Entities: []json.RawMessage{flow}}, event.FlowChange{ID: x, Entity: x, Value: x, Status: x},
		event.Call{Status: x, Detail: x}, event.Fault{Text: x, Detail: x}, event.AttachedData{Entries: []json.RawMessage{flow}},
		event.Utterance{Speaker: event.Role(x), Text: x}, event.UnknownInsight{Name: "new " + x, JSON: json.RawMessage(`{"type":` + quoted("new "+x) + `,` + string(flow)[1:])},
	} {
		tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleObserver, Name: x}, Body: event.InsightObserved{Insight: i}})
	}
	tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleObserver, Name: x}, Body: event.NoteCreated{Text: x}})
}

// trap notes whatever runs, and what the policy had to stop.
const trap = `window.hits = []; window.hit = window.alert = window.confirm = window.prompt = (...a) => { hits.push("ran " + a); };
	addEventListener("securitypolicyviolation", (e) => { hits.push("stopped " + e.violatedDirective + " " + e.blockedURI + " " + e.sample); });`

// untouched fails the test if a string has become part of the elements in root.
func (b *tab) untouched(root, what string) {
	b.t.Helper()
	b.harmless(`[...document.querySelectorAll(`+quoted(root+" *")+`)]`, what)
}

// harmless is untouched for the elements an expression gives.
func (b *tab) harmless(elements, what string) {
	b.t.Helper()
	bad := value[[]string](b, `[...hits, ...`+elements+`.flatMap((n) => [
		...[...n.attributes].filter((a) => a.name.startsWith("on") || ["style", "srcdoc", "formaction"].includes(a.name) && !n.matches("textarea")).map((a) => n.tagName + " has " + a.name),
		...["href", "src", "action", "xlink:href"].filter((a) => n.hasAttribute(a) && !/^(https?:|mailto:|tel:|[/])/i.test(n.getAttribute(a))).map((a) => n.tagName + " leads to " + n.getAttribute(a)),
		...(n.matches("script:not(head > script[src^='/assets/']), iframe, object, embed, base, style, meta[http-equiv], link:not(head > link)") ? [n.outerHTML] : [])])]`)
	if len(bad) > 0 {
		b.t.Errorf("%s: %q", what, bad)
	}
}

// TestInjections writes every injection into every text, name and file name there
// is, and looks at it with the desk: each is shown as it was written, and none has
// run.
func TestInjections(t *testing.T) {
	t.Parallel()
	inParts(t, injected)
}

// inParts tries all injections, some at a time: what few words are drawn on is
// drawn much faster.
func inParts(t *testing.T, try func(t *testing.T, some []string)) {
	t.Helper()
	n := 0
	for some := range slices.Chunk(injections(t), 84) {
		n++
		t.Run(strconv.Itoa(n), func(t *testing.T) {
			t.Parallel()
			try(t, some)
		})
	}
}

// injected has an agent look at all that customers wrote who were called so.
func injected(t *testing.T, all []string) {
	t.Helper()
	s := newServer(t)
	sam := typist{tab: newTab(t, desktop), done: map[string]bool{}}
	sam.do(send(page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: trap}))
	const together = 4 // strings of one conversation that was taken
	for i, x := range all {
		var taken []string
		if i%together == 0 {
			taken = all[i:min(i+together, len(all))]
		}
		attack(s, x, taken)
	}
	mine := (len(all) + together - 1) / together
	sam.open(s.url() + "/desk#token=" + deskToken)
	sam.until("who are you", `!document.querySelector("#sign").hidden`)
	sam.fill("#sign-agent", "sam")
	sam.fill("#sign-name", `<img src=x onerror=hit()>`)
	sam.button("Sign in")
	sam.until("everybody", fmt.Sprintf(`document.querySelector("#waiting-head").textContent === "Waiting · %d" && document.querySelectorAll("#mine .item").length === %d`, len(all)-mine, mine))
	sam.untouched("html", "the lists")
	seen := map[string]bool{}
	for range all {
		sam.keys("j") // goes through the lists, those who wait first
		sam.until("the talk is whole", `document.querySelector("#talk").textContent.includes("the end.")`)
		name := value[string](sam.tab, `document.querySelector("#room-name").textContent`)
		if !value[bool](sam.tab, `[...document.querySelectorAll("#talk .virtual_agent .bubble")].some((n) => n.textContent === `+quoted(name)+`)`) {
			t.Errorf("%q is not shown as it was written", name)
		}
		seen[name] = true
		sam.untouched(".room", name)
		sam.untouched("#facts", name)
	}
	for _, x := range all {
		if !seen[x] {
			t.Errorf("no room is called %q", x)
		}
	}
	sam.clean()
}

// attack opens a conversation for a customer called x, with x everywhere. With
// strings to be taken an agent has it, and an assistant says those in all its ways.
func attack(s *server, x string, taken []string) {
	s.t.Helper()
	ctx := context.Background()
	who := event.Actor{Role: event.RoleCustomer, ID: "c-" + x, Name: x, Avatar: x}
	id, err := s.engine.Open(ctx, engine.Opening{Account: "web", Customer: who, Language: x, Attributes: map[string]string{"their " + x: x}})
	s.must(err)
	do := func(role event.Role, by event.Actor, body event.Body) {
		s.t.Helper()
		_, err := s.engine.Do(ctx, engine.Command{Conversation: id, Role: role, Actor: by, Body: body})
		s.must(err)
	}
	do(event.RoleCustomer, who, event.MessageCreated{Content: event.Plain(everything + x)})
	sam := event.Actor{Role: event.RoleLiveAgent, ID: "sam", Name: x}
	for tries := 0; len(taken) > 0; tries++ {
		if _, err = s.engine.Do(ctx, engine.Command{Conversation: id, Role: sam.Role, Actor: sam, Body: event.HandoffAccepted{}}); err == nil {
			break
		}
		if time.Sleep(20 * time.Millisecond); tries > 500 {
			s.must(err)
		}
	}
	for _, x := range taken {
		do(event.RoleCustomer, who, event.MessageCreated{Content: event.Plain(everything + x)})
		do(event.RoleCustomer, who, event.MessageCreated{Content: event.Content{Part: s.upload(id, x)}})
		do(sam.Role, sam, event.NoteCreated{Text: x})
	}
	do(event.RoleCustomer, who, event.MessageCreated{Content: event.Plain("the end.")})
}

// upload gives a conversation a file of that name.
func (s *server) upload(id, name string) event.Media {
	s.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, s.url()+"/api/v1/media?conversation="+id+"&name="+url.QueryEscape(name), strings.NewReader("words"))
	s.must(err)
	r.Header.Set("Content-Type", "text/plain")
	r.Header.Set("Authorization", "Bearer "+deskToken)
	answer, err := http.DefaultClient.Do(r)
	s.must(err)
	defer func() { _ = answer.Body.Close() }()
	var content event.Media
	s.must(json.NewDecoder(answer.Body).Decode(&content))
	if content.Blob == "" {
		s.t.Fatalf("the file %q was not taken: %d", name, answer.StatusCode)
	}
	return content
}

// TestInjectionsInTheChat has the customer say every injection, and be answered
// with it.
func TestInjectionsInTheChat(t *testing.T) {
	t.Parallel()
	inParts(t, injectedInChat)
}

func injectedInChat(t *testing.T, all []string) {
	t.Helper()
	s := newServer(t)
	b := newTab(t, phone)
	b.do(send(page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: trap}))
	b.open(s.url() + "/chat?name=" + url.QueryEscape(all[0]))
	b.sees("Hello, how can I help?")
	id := value[string](b, `JSON.parse(localStorage.getItem(Object.keys(localStorage).find((k) => k.startsWith("footbridge.chat.")))).id`)
	who := event.Actor{Role: event.RoleCustomer, Name: all[0]}
	for _, x := range all {
		_, err := s.engine.Do(context.Background(), engine.Command{Conversation: id, Role: event.RoleCustomer, Actor: who, Body: event.MessageCreated{Content: event.Plain("only " + everything + x)}})
		s.must(err)
	}
	b.until("all was answered", fmt.Sprintf(`document.querySelectorAll("#talk .word.virtual_agent").length >= %d`, len(all)*len(hostileParts(""))))
	b.untouched("html", "the chat")
	shown := value[[]string](b, `[...document.querySelectorAll("#talk .word.mine .bubble")].map((n) => n.textContent)`)
	for i, x := range all {
		if want := "only " + everything + x; i >= len(shown) || shown[i] != want {
			t.Fatalf("word %d is not %q", i, want)
		}
	}
	b.do(chromedp.Sleep(time.Second)) // what runs late runs now
	b.untouched("html", "the chat, a moment later")
	b.clean()
}
