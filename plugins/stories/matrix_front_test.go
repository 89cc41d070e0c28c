package stories

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"

	"github.com/footbridge/footbridge/adapters/aisera/aiserasim"
	"github.com/footbridge/footbridge/adapters/vonage/vonagesim"
	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// talk is one conversation of a cell.
type talk struct {
	*matrix
	*rig // the cell's part of it
	t    *testing.T
	// name is unlike any other conversation's; id the bridge's, token the
	// customer's, session AI Studio's, and key the back end's.
	name, id, token, session, key string
	keys                          int
	used                          map[string]bool // what vendors knew earlier rounds by
	desk                          func() []event.Event
	signals                       func() []event.Event
	said                          []string // by the customer, for people
	// stored says that files go with their bytes, typed that the customer was seen to
	// type, and person which of the people at a vendor's desk acts.
	stored, typed bool
	person        int
	// much is how many characters a long text has at least.
	much int
}

// front is what happens before the bridge, or in front of the web chat.
type front interface {
	// begin talks to the virtual agent and reports what passes between it and the
	// customer; ask asks for people, and says whether they were taken for asked.
	begin(k *talk, got levels)
	ask(k *talk) bool
	says(k *talk, text string)
	files(k *talk, m event.Media)
	// types shows that the customer writes.
	types(k *talk)
	// picks the second of what was offered: by its button, or by its number where
	// it was shown as words.
	picks(k *talk, c event.Choice)
	answers(k *talk, form event.FormResponse)
	// hears are the words shown to the customer, in order.
	hears(k *talk) []string
	sawFile(k *talk, m event.Media) adapter.Level
	sawOffer(k *talk, part event.Part) adapter.Level
	sawTyping(k *talk) adapter.Level
	sawPlace(k *talk) adapter.Level
	// goesOn shows that the virtual agent has the conversation again, and was told
	// nothing of what was said to people.
	goesOn(k *talk, round int)
	// toldNobody shows that the customer was told that nobody comes, after the
	// hand-off had been taken or at once.
	toldNobody(k *talk, taken bool)
	leaves(k *talk)
	// ended shows that the customer was told of the end.
	ended(k *talk)
}

func (m *matrix) front(name string) front {
	if name == "studio" {
		return studioFront{}
	}
	return webFront{m.virtualAgents()[name]}
}

// open begins a web chat with the facts that find its route.
func (k *talk) open(cell string) {
	k.t.Helper()
	var opened struct{ Conversation, Token string }
	body := map[string]any{"publishable_key": "pk_test", "customer": map[string]string{"name": "Ada"}, "attributes": map[string]string{"cell": cell}}
	if status := k.api("POST", "/conversations", "", "", body, &opened); status != http.StatusCreated {
		k.t.Fatalf("open a chat: status %d", status)
	}
	k.id, k.token = opened.Conversation, opened.Token
	k.rig.mu.Lock()
	defer k.rig.mu.Unlock()
	k.rig.tokens = append(k.rig.tokens, opened.Token)
}

// post is something the customer of a web chat does.
func (k *talk) post(body event.Body) {
	k.t.Helper()
	k.keys++
	status := k.api("POST", "/conversations/"+k.id+"/events", k.token, fmt.Sprint(k.name, "-", k.keys), map[string]any{"kind": body.Kind(), "body": body}, nil)
	if status/100 != 2 {
		k.t.Fatalf("%s: status %d", body.Kind(), status)
	}
}

// shown are the contents a customer's browser has been given, of anybody else.
func (k *talk) shown() []event.Part {
	var parts []event.Part
	for _, e := range k.seenBy(k.id, k.token) {
		if b, ok := e.Body.(event.MessageCreated); ok && e.Actor.Role != event.RoleCustomer {
			parts = append(parts, b.Content.Part)
		}
	}
	return parts
}

// follow collects what a socket of the API tells that is not stored.
func follow(t *testing.T, r *rig, query, token string) func() []event.Event {
	t.Helper()
	conn, _, err := websocket.Dial(t.Context(), "ws://"+r.public+"/api/v1/socket"+query,
		&websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer " + token}}})
	if err != nil {
		t.Fatal(err)
	}
	conn.SetReadLimit(1 << 20)
	ctx, stop := context.WithCancel(context.Background())
	t.Cleanup(func() { stop(); _ = conn.CloseNow() })
	var mu sync.Mutex
	var told []event.Event
	go func() {
		for {
			_, data, err := conn.Read(ctx)
			if err != nil {
				return
			}
			var one struct{ Event *event.Event }
			if json.Unmarshal(data, &one) == nil && one.Event != nil && one.Event.Seq == 0 {
				mu.Lock()
				told = append(told, *one.Event)
				mu.Unlock()
			}
		}
	}()
	return func() []event.Event {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(told)
	}
}

func typed(events []event.Event, conversation string, role event.Role) adapter.Level {
	if slices.ContainsFunc(events, func(e event.Event) bool {
		return e.Conversation == conversation && e.Kind() == event.KindTypingStarted && e.Actor.Role == role
	}) {
		return adapter.Full
	}
	return adapter.Dropped
}

// virtualAgent is how one of them is talked to.
type virtualAgent struct {
	greeting, person, back string
	echo                   func(text string) string
	// heard are the words it got in a conversation; nil where nobody can look.
	heard   func(k *talk) []string
	sawFile func(k *talk, m event.Media) adapter.Level
	// choices makes it offer some, and picked is what it says to the second.
	choices, picked string
	// form makes it ask, and answered looks for the answer.
	form     func(k *talk)
	answered func(k *talk) bool
}

func echoed(text string) string { return "You said: " + text }

// flowHeard is what the session of a conversation was stepped with.
func flowHeard(s *vonagesim.Studio) func(k *talk) []string {
	return func(k *talk) []string {
		for _, session := range s.Sessions() {
			if heard := s.Heard(session); slices.Contains(heard, "okapi one "+k.name) {
				return heard
			}
		}
		return nil
	}
}

func inWords(heard func(k *talk) []string) func(k *talk, m event.Media) adapter.Level {
	return func(k *talk, m event.Media) adapter.Level { return pictured(m, nil, nil, heard(k)) }
}

func (m *matrix) virtualAgents() map[string]virtualAgent {
	flow, step := flowHeard(m.flow), flowHeard(m.flowstep)
	chat := func(k *talk) []string { return m.chat.Texts(k.id) }
	convo := func(k *talk) []string { return m.convo.Heard(k.id) }
	return map[string]virtualAgent{
		"flow":     {greeting: "okapi hello", person: "okapi person please", back: "okapi welcome back", echo: echoed, heard: flow, sawFile: inWords(flow)},
		"flowstep": {greeting: "okapi hello", person: "okapi marker please", echo: echoed, heard: step, sawFile: inWords(step)},
		"chat": {person: "okapi agent please", echo: echoed, heard: chat, sawFile: inWords(chat), choices: "choices", picked: "You chose R:2",
			form: func(k *talk) {
				if err := m.chat.Send(k.id, aiserasim.Answer{Text: "okapi", Form: map[string]any{"formId": "f-1", "title": "okapi form",
					"fields": []any{map[string]any{"name": "name", "label": "Your name", "type": "text", "required": true}}}}); err != nil {
					k.t.Error(err)
				}
			},
			answered: func(k *talk) bool {
				return slices.ContainsFunc(m.chat.Requests(k.id), func(q aiserasim.Request) bool { return strings.Contains(string(q.Data.FollowUp), "okapi Ada") })
			}},
		"convo": {greeting: "okapi greeting", person: "okapi human please", echo: echoed, heard: convo, choices: "okapi choices", picked: "You said: I choose tea",
			sawFile: func(k *talk, file event.Media) adapter.Level {
				var framed []string
				for _, o := range m.convo.Objects(k.id) {
					framed = append(framed, string(o.VisualPayload))
				}
				return pictured(file, nil, framed, convo(k))
			},
			form: func(k *talk) { k.post(event.MessageCreated{Content: event.Plain("okapi form please")}) },
			answered: func(k *talk) bool {
				for _, o := range m.convo.Objects(k.id) {
					if strings.Contains(string(o.FormSubmission), "okapi Ada") {
						return true
					}
				}
				return false
			}},
		"helper": {greeting: "okapi greeting", person: "1", back: "okapi welcome back",
			echo: func(string) string { return "okapi fallback" }},
	}
}

// webFront is a virtual agent behind the web chat.
type webFront struct{ va virtualAgent }

func (f webFront) begin(k *talk, got levels) {
	k.open(k.name[:strings.LastIndex(k.name, "/")])
	k.signals = follow(k.t, k.rig, "", k.token)
	if f.va.greeting != "" {
		k.eventually("the greeting", func() bool {
			return slices.ContainsFunc(f.hears(k), func(s string) bool { return strings.HasPrefix(s, f.va.greeting) })
		})
	}
	f.tries(k, "okapi one "+k.name)
	if got == nil {
		return
	}
	got["text"] = adapter.Full
	if f.va.heard == nil {
		f.scripted(k, got)
		return
	}
	if f.va.choices != "" {
		f.says(k, f.va.choices)
		k.eventually("choices", func() bool {
			return f.sawOffer(k, event.Choices{Options: []event.Choice{{Label: "Tea"}}}) != adapter.Dropped
		})
		got["choices"] = f.sawOffer(k, event.Choices{Options: []event.Choice{{Label: "Tea"}}})
		f.picks(k, f.offered(k))
		k.eventually("the choice is taken", func() bool { return slices.Contains(f.hears(k), f.va.picked) })
	}
	if f.va.form != nil {
		asked := event.Form{Fields: []event.Field{{Label: "ame"}}} // "Name" or "Your name"
		f.va.form(k)
		k.eventually("the form", func() bool { return f.sawOffer(k, asked) != adapter.Dropped })
		got["form"] = f.sawOffer(k, asked)
		f.answers(k, event.FormResponse{Values: []event.FieldValue{{Name: "name", Label: "Your name", Value: "okapi Ada"}}})
		k.eventually("the form's answer", func() bool { return f.va.answered(k) })
	}
	file := picture(k.fileName("va"))
	f.files(k, file)
	k.eventually("the picture", func() bool { return f.va.sawFile(k, file) != adapter.Dropped })
	got["media"] = f.va.sawFile(k, file)
	text := longer(k.name+" va", k.much)
	f.says(k, text)
	k.eventually("the long text", func() bool { return arrived(text, f.va.heard(k)) != adapter.Dropped })
	got["long_text"] = arrived(text, f.va.heard(k))
}

// scripted looks at a virtual agent nobody can look into by what it answers: it
// knows apples from the address of the picture, and pears from the end of a long
// text.
func (f webFront) scripted(k *talk, got levels) {
	got["choices"] = f.sawOffer(k, event.Choices{Options: []event.Choice{{Label: "Talk to a person"}}})
	said := func(do func()) string {
		before := len(f.hears(k))
		do()
		k.eventually("an answer", func() bool { return len(f.hears(k)) > before })
		return f.hears(k)[before]
	}
	file := picture(k.fileName("va") + "-apples")
	file.Caption = "okapi picture"
	if said(func() { f.files(k, file) }) == "okapi about apples" {
		got["media"] = adapter.Fallback
	}
	if said(func() { f.says(k, longer(k.name, k.much)+" pears") }) == "okapi about pears" {
		got["long_text"] = adapter.Full
	}
}

func (k *talk) fileName(what string) string {
	return strings.NewReplacer("/", "-").Replace(k.name) + "-" + what
}

// tries says something to the virtual agent and waits for its answer.
func (f webFront) tries(k *talk, text string) {
	k.t.Helper()
	before := len(f.hears(k))
	f.says(k, text)
	k.eventually("the answer to "+text, func() bool {
		return slices.ContainsFunc(f.hears(k)[before:], func(s string) bool { return strings.HasPrefix(s, f.va.echo(text)) })
	})
	if f.va.heard != nil && !slices.Contains(f.va.heard(k), text) {
		k.t.Errorf("the virtual agent did not hear %q", text)
	}
}

func (f webFront) ask(k *talk) bool { f.says(k, f.va.person); return true }

func (f webFront) says(k *talk, text string) {
	k.post(event.MessageCreated{Content: event.Plain(text)})
}
func (f webFront) files(k *talk, m event.Media) {
	if k.stored {
		caption := m.Caption
		m = k.upload(k.id, k.token, m.Name, bytesOf(m))
		m.Caption = caption
	}
	k.post(event.MessageCreated{Content: event.Content{Part: m}})
}
func (f webFront) types(k *talk)                 { k.post(event.TypingStarted{}) }
func (f webFront) picks(k *talk, c event.Choice) { f.says(k, cmp.Or(c.Value, c.Label)) }

// offered is the second of the choices shown last.
func (f webFront) offered(k *talk) event.Choice {
	shown := k.shown()
	for i := len(shown) - 1; i >= 0; i-- {
		if c, ok := shown[i].(event.Choices); ok && len(c.Options) > 1 {
			return c.Options[1]
		}
	}
	return event.Choice{}
}

func (f webFront) answers(k *talk, form event.FormResponse) {
	k.post(event.MessageCreated{Content: event.Content{Part: form}})
}

func (f webFront) hears(k *talk) []string {
	var words []string
	for _, p := range k.shown() {
		text := codec.Plain(event.Content{Part: p})
		if t, ok := p.(event.Text); ok && t.Format == event.FormatHTML { // which the page renders
			text = html.UnescapeString(strings.NewReplacer("<p>", "", "</p>", "").Replace(text))
		}
		words = append(words, text)
	}
	return words
}

func (f webFront) sawFile(k *talk, m event.Media) adapter.Level {
	var framed []string
	for _, p := range k.shown() {
		if got, ok := p.(event.Media); ok {
			switch {
			case got == m:
				return adapter.Full
			case !k.stored:
				framed = append(framed, got.URL)
			case k.intact(k.token, got, m):
				return adapter.Full
			case strings.Contains(got.Name+got.URL, m.Name):
				return adapter.Dropped // the bridge has not fetched it yet
			}
		}
	}
	return pictured(m, nil, framed, f.hears(k))
}

// sawOffer looks for choices with the label of the last one, or for a form with
// that of the first field.
func (f webFront) sawOffer(k *talk, part event.Part) adapter.Level {
	for _, p := range k.shown() {
		switch got := p.(type) {
		case event.Choices:
			if want, ok := part.(event.Choices); ok && slices.ContainsFunc(got.Options, func(c event.Choice) bool { return c.Label == want.Options[len(want.Options)-1].Label }) {
				return adapter.Full
			}
		case event.Form:
			if want, ok := part.(event.Form); ok && slices.ContainsFunc(got.Fields, func(field event.Field) bool { return strings.HasSuffix(field.Label, want.Fields[0].Label) }) {
				return adapter.Full
			}
		}
	}
	return adapter.Dropped
}

func (f webFront) sawTyping(k *talk) adapter.Level {
	return typed(k.signals(), k.id, event.RoleLiveAgent)
}

func (f webFront) sawPlace(k *talk) adapter.Level {
	for _, e := range k.seenBy(k.id, k.token) {
		if q, ok := e.Body.(event.HandoffQueued); ok && q.Position > 0 {
			return adapter.Full
		}
	}
	return adapter.Dropped
}

func (f webFront) goesOn(k *talk, round int) {
	k.t.Helper()
	k.inState(k.id, "automated")
	if f.va.back != "" {
		k.eventually("the welcome back", func() bool {
			n := 0
			for _, s := range f.hears(k) {
				if strings.HasPrefix(s, f.va.back) {
					n++
				}
			}
			return n >= round
		})
	}
	f.tries(k, fmt.Sprintf("okapi again %s %d", k.name, round))
	if f.va.heard == nil {
		return
	}
	for _, text := range f.va.heard(k) {
		if slices.Contains(k.said, text) {
			k.t.Errorf("the virtual agent was told what was said to people: %q", text)
		}
	}
}

func (f webFront) toldNobody(k *talk, _ bool) {
	k.t.Helper()
	k.eventually("the customer is told", func() bool {
		return slices.ContainsFunc(f.hears(k), func(s string) bool { return strings.HasPrefix(s, "Sorry, ") })
	})
	k.inState(k.id, "automated")
	f.tries(k, "okapi after all "+k.name)
}

func (f webFront) leaves(k *talk) { k.post(event.ConversationEnded{Reason: "closed"}) }

func (f webFront) ended(k *talk) {
	k.inState(k.id, "ended")
	k.eventually("the end", func() bool { return count(k.seenBy(k.id, k.token), event.KindConversationEnded) == 1 })
}
