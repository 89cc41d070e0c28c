package aisera

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// The phases of a leg whose far side are Aisera's people, beyond over.
const (
	notAsked  = ""
	asking    = "asking"    // a person is asked for, nobody has heard of one yet
	waitingIn = "waiting"   // Aisera has the customer in a queue
	withThem  = "open"      // a person has the conversation
	givenBack = "givenback" // the person has left it
)

// transcriptLimit is how much of a transcript goes along, in UTF-16 code units:
// all the bridge ever gives.
const transcriptLimit = 256 << 10

type peopleState struct {
	client
	Phase string      `json:"phase,omitempty"`
	Agent event.Actor `json:"agent,omitzero"`
	// Asked is the request for a person that has not left yet.
	Asked string `json:"asked,omitempty"`
}

func handlePeople(tx *adapter.Tx, s *peopleState, in adapter.Input) error {
	set, err := settingsOf(tx)
	if err != nil {
		return err
	}
	p := people{tx, set, s}
	switch in := in.(type) {
	case adapter.Deliver:
		return p.deliver(in.Event)
	case adapter.Frame:
		return p.frame(in)
	case adapter.Opened:
		return s.opened(tx, set, in.Conn)
	case adapter.Closed:
		p.closed(in)
		return nil
	case adapter.Sent:
		p.sent(in)
		return nil
	case adapter.Fired:
		if in.Timer == redial && s.Line.State == lineGone && p.open() {
			return s.Line.dial(tx, set)
		}
		return nil
	}
	return adapter.ErrUnsupported
}

// people is one turn of a leg whose far side are Aisera's people.
type people struct {
	tx  *adapter.Tx
	set settings
	s   *peopleState
}

// open reports whether the customer is, or will be, with a person.
func (p people) open() bool {
	return p.s.Phase == asking || p.s.Phase == waitingIn || p.s.Phase == withThem
}

func (p people) emit(actor event.Actor, body event.Body) {
	p.tx.Emit(adapter.Emission{Actor: actor, Body: body})
}

func liveAgent() event.Actor { return event.Actor{Role: event.RoleLiveAgent} }

func (p people) deliver(e event.Event) error {
	if p.s.Phase == over {
		return nil
	}
	switch body := e.Body.(type) {
	case event.HandoffRequested:
		return p.ask(e, body)
	case event.HandoffCancelled, event.HandoffFailed, event.HandbackCompleted:
		return p.leave(e, notAsked)
	case event.ConversationEnded:
		return p.leave(e, over)
	case event.HandbackFailed:
		if p.s.Phase == givenBack {
			p.s.Phase = withThem
		}
	case event.ContextUpdated:
		if p.open() && !p.s.learn(body.Attributes, e) {
			p.tx.Fail("the facts take more room than Aisera's session variables are given")
		}
	case event.MessageCreated:
		return p.say(e, body)
	}
	return nil
}

// ask asks for a person, with what is known of the conversation.
func (p people) ask(e event.Event, body event.HandoffRequested) error {
	if p.open() && p.s.Asked != e.ID {
		return nil
	}
	if p.s.Asked != e.ID {
		*p.s = peopleState{client: client{Line: p.s.Line}, Phase: asking, Asked: e.ID}
		for _, entry := range body.Transcript {
			p.s.know(entry.Actor)
		}
		if !p.s.learn(body.Context, event.Event{}) {
			p.tx.Emit(adapter.Emission{Actor: liveAgent(), Body: event.ErrorReported{Code: "context_too_large",
				Detail: "the facts take more room than Aisera's session variables are given"}})
		}
	}
	tag := actAsk + "/" + e.ID
	if ok, err := p.s.Line.ready(p.tx, p.set, tag); !ok {
		return err
	}
	f := p.s.client.frame(p.tx, p.set, e, fields{"text": p.set.AskText}, nil)
	if data, ok := f["data"].(fields); ok {
		data["sessionVars"] = p.briefing(body)
	}
	return p.s.Line.send(p.tx, tag, f)
}

// briefing are the variables a person is given: the facts, summary and transcript.
func (p people) briefing(body event.HandoffRequested) map[string]json.RawMessage {
	vars := map[string]json.RawMessage{}
	for name, value := range p.s.Vars {
		vars[name] = value
	}
	for name, text := range map[string]string{p.set.SummaryVar: body.Summary, p.set.TranscriptVar: transcript(body.Transcript)} {
		if data, err := codec.Encode(text); err == nil && text != "" {
			vars[name] = data
		}
	}
	return vars
}

// transcript are the last words of a conversation, a line each.
func transcript(entries []event.TranscriptEntry) string {
	var lines []string
	room := transcriptLimit
	for i := len(entries) - 1; i >= 0 && room > 0; i-- {
		text := codec.Plain(entries[i].Content)
		if text == "" {
			continue
		}
		line := author(entries[i].Actor) + ": " + text
		if size := codec.Length(line) + 1; size <= room {
			room -= size
		} else {
			line, _ = codec.Cut(line, room)
			room = 0
		}
		lines = append(lines, line)
	}
	slices.Reverse(lines)
	return strings.Join(lines, "\n")
}

func author(a event.Actor) string {
	names := map[event.Role]string{event.RoleCustomer: "Customer", event.RoleVirtualAgent: "Virtual agent", event.RoleLiveAgent: "Live agent"}
	return cmp.Or(a.Name, names[a.Role], string(a.Role))
}

func (p people) say(e event.Event, body event.MessageCreated) error {
	if e.Actor.Role != event.RoleCustomer {
		return nil
	}
	data := p.s.says(e, body.Content.Part)
	switch {
	case !p.open():
		p.tx.Fail("Aisera's people do not have the conversation")
		return nil
	case data == nil:
		p.tx.Fail("the message has no words to send")
		return nil
	}
	tag := actSay + "/" + e.ID
	if ok, err := p.s.Line.ready(p.tx, p.set, tag); !ok {
		return err
	}
	return p.s.Line.send(p.tx, tag, p.s.client.frame(p.tx, p.set, e, data, nil))
}

// leave finishes Aisera's session, where there is a line for it.
func (p people) leave(e event.Event, next string) error {
	was := p.s.Phase
	p.s.Phase, p.s.Asked = next, ""
	defer p.s.Line.hangUp(p.tx)
	if was == notAsked || p.s.Line.State != lineOpen {
		return nil
	}
	return send(p.tx, "", p.s.Line.conn(), p.s.client.frame(p.tx, p.set, e, fields{"text": p.set.LeaveText}, nil))
}

func (p people) sent(in adapter.Sent) {
	if p.s.Phase == over || !p.s.Line.sent(p.tx, in) {
		return
	}
	p.s.Vars = nil
	if act(in.Tag) == actAsk {
		p.s.Asked = ""
	}
}

func (p people) closed(in adapter.Closed) {
	how := p.s.Line.closed(in)
	switch {
	case in.Reason == adapter.ClosedLost && how.tag != "":
		p.tx.Later() // the bridge was restarted while it dialled
	case !how.ours || !p.open():
		if how.tag != "" {
			p.tx.Fail(unreachable(in))
		}
	case act(how.tag) == actAsk:
		p.fail(liveAgent(), event.FailedBackendDown, nil)
	case how.tag != "":
		p.tx.Fail(unreachable(in))
	case !p.s.Line.listen(p.tx):
		p.lost()
	}
}

// lost gives up people whose line does not come back.
func (p people) lost() {
	if p.s.Phase == withThem {
		p.s.Phase = givenBack
		p.emit(liveAgent(), event.HandbackRequested{Reason: "the connection to Aisera was lost"})
		return
	}
	p.fail(liveAgent(), event.FailedBackendDown, nil)
}

// fail says that nobody comes.
func (p people) fail(actor event.Actor, reason string, rest json.RawMessage) {
	p.s.Phase, p.s.Asked = notAsked, ""
	p.tx.Emit(adapter.Emission{Actor: actor, Body: event.HandoffFailed{Reason: reason}, Vendor: keep(rest)})
	p.s.Line.hangUp(p.tx)
}
