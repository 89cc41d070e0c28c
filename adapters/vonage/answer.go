package vonage

import (
	"cmp"
	"encoding/json"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// The two states of a session in an answer to a step.
const (
	statusAwaiting = "AWAITING_INPUT"
	statusEnded    = "ENDED"
)

// stepBody is a step by request.
type stepBody struct {
	Input      string      `json:"input"`
	Parameters []parameter `json:"parameters,omitempty"`
}

// answer is what a session says, in whatever shape it came.
type answer struct {
	parts      []part
	status     string
	parameters parameters
	// rest is what the answer holds beyond its messages and status.
	rest map[string]json.RawMessage
	// fault is the text of a frame that is an error.
	fault string
}

// part is one message, and what its frame holds beyond the content.
type part struct {
	content event.Part
	extra   map[string]json.RawMessage
}

func (a answer) empty() bool { return len(a.parts) == 0 && a.status == "" && a.fault == "" }

func (a answer) ended() bool { return strings.EqualFold(a.status, statusEnded) }

// answerOf reads the answer to a step, a list of messages, or one message; what
// is none of these gives an empty answer.
func answerOf(v codec.Value) answer {
	var a answer
	switch {
	case v.IsArray():
		for _, item := range v.Items() {
			a.read(item)
		}
	case v.IsObject():
		a.read(v)
	}
	return a
}

func (a *answer) read(v codec.Value) {
	list := v.Get("messages")
	one := v.Get("message")
	switch {
	case v.IsString():
		a.add(v)
	case !v.IsObject() || v.Get("action").Exists():
	case list.Exists() || one.IsObject():
		for _, item := range append(list.Items(), one.Items()...) {
			a.add(item)
		}
	case v.Get("connectionId").Exists() && v.Get("requestId").Exists() && !v.Get("text").Exists():
		a.fault = cmp.Or(one.Text(), "an error without words")
	default:
		a.add(v)
	}
	a.standing(v)
}

// standing reads how the session stands, and what the flow says beside its words.
func (a *answer) standing(v codec.Value) {
	a.status = cmp.Or(v.Get("session_status", "sessionStatus").Text(), a.status)
	if a.status == "" {
		return
	}
	if p := v.Get("parameters").Unwrap(); p.Exists() {
		a.parameters = parametersOf(p)
	}
	a.rest = extra(v, "messages", "message", "text", "session_status", "sessionStatus")
}

func (a *answer) add(v codec.Value) {
	if v.IsString() {
		if v.Text() != "" {
			a.parts = append(a.parts, part{content: event.Text{Text: v.Text(), Format: event.FormatPlain}})
		}
		return
	}
	found := contentOf(v)
	switch found.(type) {
	case nil:
	case event.Media:
		a.parts = append(a.parts, part{found, extra(v, frameKeys()...)})
	default:
		a.parts = append(a.parts, part{found, extra(v, textKey(v), "session_status", "sessionStatus")})
	}
}

// textKey is the name a message has its text under.
func textKey(v codec.Value) string {
	for _, key := range textKeys() {
		if v.Get(key).Exists() {
			return key
		}
	}
	return "text"
}

// instant reads one of the vendor's times, which differ in precision and in
// having a zone; without one it is UTC. The zero time stands for no time.
func instant(text string) time.Time {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999"} {
		if at, err := time.Parse(layout, strings.TrimSpace(text)); err == nil {
			return at.UTC()
		}
	}
	return time.Time{}
}

// messageItem is a message as an answer to a step has it: its text, and what the
// same vendor's frame had beside it.
func messageItem(text string, kept map[string]json.RawMessage) json.RawMessage {
	return joined(map[string]any{"text": text}, kept["vonage"])
}

// joined is an object with the members of another that it does not have itself.
func joined(own map[string]any, kept json.RawMessage) json.RawMessage {
	if v, err := codec.Lenient(kept); err == nil {
		for _, m := range v.Members() {
			if _, has := own[m.Name]; !has {
				own[m.Name] = m.Value.Raw()
			}
		}
	}
	return codec.Compose(own)
}

// hear says what the session said: its words, then what its standing means.
func (s *agentState) hear(tx *adapter.Tx, set settings, a answer) {
	request, asked := set.asks(a)
	for _, p := range a.parts {
		content, marked := set.unmark(p.content)
		asked = asked || marked
		if content != nil {
			tx.Emit(adapter.Emission{Actor: agentActor(), Vendor: p.extra, Body: event.MessageCreated{Content: event.Content{Part: content}}})
		}
	}
	if a.ended() {
		s.Session, s.Expires = "", 0
	}
	switch {
	case s.withPeople():
	case asked:
		s.Asked = true
		rest, _ := codec.Lenient(a.rest["vonage"])
		tx.Emit(adapter.Emission{Actor: agentActor(), Vendor: extra(rest, "parameters"), Body: request})
	case a.ended():
		s.Handoff.Phase = phaseEnded
		s.hangUp(tx)
		tx.Emit(adapter.Emission{Actor: agentActor(), Vendor: a.rest, Body: event.ConversationEnded{Reason: "completed", By: event.RoleVirtualAgent}})
	case a.status != "":
		tx.Emit(adapter.Emission{Actor: agentActor(), Vendor: a.rest, Body: event.AnswerCompleted{}})
	}
}

// asks reports whether an answer asks for a live agent by its parameters or its
// end, and with what.
func (s settings) asks(a answer) (event.HandoffRequested, bool) {
	p := a.parameters
	request := event.HandoffRequested{Reason: p.get("reason"), Summary: p.get("summary"), Context: p.values, Routing: p.routing()}
	name, want, exact := strings.Cut(s.HandoffParameter, "=")
	got := p.get(name)
	said := name != "" && got != "" && (!exact && got != "false" || exact && strings.EqualFold(got, want))
	return request, said || a.ended() && s.OnEnd == "handoff"
}

// unmark takes the marker out of the agent's words, and says whether it was
// there. Content that was nothing else is nil.
func (s settings) unmark(p event.Part) (event.Part, bool) {
	text, ok := p.(event.Text)
	if !ok || s.HandoffMarker == "" || !strings.Contains(text.Text, s.HandoffMarker) {
		return p, false
	}
	text.Text = strings.TrimSpace(strings.ReplaceAll(text.Text, s.HandoffMarker, ""))
	if text.Text == "" {
		return nil, true
	}
	return text, true
}
