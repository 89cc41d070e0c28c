package scripted

import (
	"strconv"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// What is remembered of the customer's questions for the summary: how many, and
// how long each may be. Together with a keyword they stay under 4 KiB of state.
const (
	askedMany  = 4
	askedLimit = 100
)

// offeredGeneral stands in state for the choices of the whole script; it is no
// keyword, as it holds no word.
const offeredGeneral = "."

// state is what one conversation keeps between turns.
type state struct {
	// Offered says whose choices the customer saw last: the first keyword of an
	// answer, or offeredGeneral.
	Offered string   `json:"offered,omitempty"`
	Asked   []string `json:"asked,omitempty"`
	Ended   bool     `json:"ended,omitempty"`
}

// talk is one turn of a conversation.
type talk struct {
	tx    *adapter.Tx
	state *state
	settings
}

func handle(tx *adapter.Tx, s *state, in adapter.Input) error {
	d, ok := in.(adapter.Deliver)
	if !ok {
		return adapter.ErrUnsupported
	}
	if s.Ended {
		return nil
	}
	set, err := settingsOf(tx)
	if err != nil {
		return err
	}
	t := &talk{tx: tx, state: s, settings: set}
	t.hear(d.Event)
	return nil
}

// hear answers an event. What a virtual agent has nothing to say to is settled
// without effect.
func (t *talk) hear(e event.Event) {
	switch body := e.Body.(type) {
	case event.ConversationStarted:
		t.say(t.Greeting, t.Choices, offeredGeneral)
	case event.ConversationEnded:
		*t.state = state{Ended: true}
	case event.MessageCreated:
		if e.Actor.Role == event.RoleCustomer {
			t.answer(said(body.Content))
		}
	case event.CommandIssued:
		t.obey(body.Name)
	case event.HandoffFailed:
		t.say(t.failed(body.Reason), nil, "")
	case event.HandbackRequested:
		t.emit(event.HandbackCompleted{})
		t.state.Asked = nil
		t.say(t.WelcomeBack, t.Choices, offeredGeneral)
	}
}

// said is the customer's words; of a file they are its caption.
func said(c event.Content) string {
	if m, ok := c.Part.(event.Media); ok {
		return m.Caption
	}
	return codec.Plain(c)
}

// obey does what a customer's command asks, where a script can.
func (t *talk) obey(command string) {
	if command == "start_over" || command == "reset" {
		*t.state = state{}
		t.say(t.Greeting, t.Choices, offeredGeneral)
	}
}

func (t *talk) answer(text string) {
	if n := picked(text); n > 0 && n <= len(t.offered()) {
		text = t.offered()[n-1]
	}
	t.remember(text)
	found, person := t.find(text)
	switch {
	case person:
		t.handOff()
	case found != nil:
		t.say(found.Text, found.Choices, found.Keywords[0])
	default:
		t.say(t.Fallback, t.Choices, offeredGeneral)
	}
}

// offered is the choices the customer saw last, as the script has them now.
func (t *talk) offered() []string {
	switch t.state.Offered {
	case "":
		return nil
	case offeredGeneral:
		return t.Choices
	}
	for _, a := range t.Answers {
		if a.Keywords[0] == t.state.Offered {
			return a.Choices
		}
	}
	return nil
}

func (t *talk) remember(text string) {
	text, _ = codec.Cut(strings.TrimSpace(text), askedLimit)
	if text == "" {
		return
	}
	t.state.Asked = append(t.state.Asked, text)
	t.state.Asked = t.state.Asked[max(0, len(t.state.Asked)-askedMany):]
}

// handOff asks for a live agent, after the customer has been told.
func (t *talk) handOff() {
	h := t.Handoff
	t.say(h.Text, nil, "")
	asked := make([]string, 0, askedMany)
	for _, a := range t.state.Asked {
		asked = append(asked, "“"+a+"”")
	}
	t.emit(event.HandoffRequested{
		Reason:  h.Reason,
		Summary: strings.ReplaceAll(h.Summary, askedMark, strings.Join(asked, ", ")),
		Context: h.Attributes,
		Routing: event.Routing{Queue: h.Queue, Skills: h.Skills},
	})
}

// say speaks to the customer; whose names the script's part the choices are of.
func (t *talk) say(text string, choices []string, whose string) {
	if len(choices) == 0 {
		if text != "" {
			t.emit(event.MessageCreated{Content: event.Plain(text)})
		}
		return
	}
	options := make([]event.Choice, 0, len(choices))
	for i, label := range choices {
		options = append(options, event.Choice{ID: strconv.Itoa(i + 1), Label: label})
	}
	t.state.Offered = whose
	t.emit(event.MessageCreated{Content: event.Content{Part: event.Choices{Text: text, Options: options}}})
}

func (t *talk) emit(body event.Body) {
	t.tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleVirtualAgent, Name: t.Name}, Body: body})
}
