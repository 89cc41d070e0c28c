package aisera

import (
	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

// The phases of a leg whose far side is Aisera's virtual agent.
const (
	virtualAnswers = ""          // the virtual agent has the conversation
	virtualAsks    = "asks"      // it wants a person
	declining      = "declining" // it is told that nobody comes
	ourPeople      = "ours"      // our people have it
	returning      = "returning" // Aisera is told that they have finished
	theirPeople    = "theirs"    // Aisera's own people have it
	over           = "over"
)

// What a frame does, the first word of its tag.
const (
	actSay      = "say"
	actAsk      = "ask"
	actPickUp   = "pickup"
	actComplete = "complete"
	actLeave    = "leave"
)

type virtualState struct {
	client
	Phase string `json:"phase,omitempty"`
	// Agent is the person of Aisera's own who joined last.
	Agent  event.Actor `json:"agent,omitzero"`
	Stream stream      `json:"stream,omitzero"`
	// LoggedOut says Aisera's session is finished already.
	LoggedOut bool `json:"logged_out,omitempty"`
}

func handleVirtual(tx *adapter.Tx, s *virtualState, in adapter.Input) error {
	set, err := settingsOf(tx)
	if err != nil {
		return err
	}
	v := virtual{tx, set, s}
	switch in := in.(type) {
	case adapter.Deliver:
		return v.deliver(in.Event)
	case adapter.Frame:
		return v.frame(in)
	case adapter.Opened:
		return s.opened(tx, set, in.Conn)
	case adapter.Closed:
		v.closed(in)
		return nil
	case adapter.Sent:
		v.sent(in)
		return nil
	case adapter.Fired:
		if in.Timer == redial && s.Line.State == lineGone && s.Phase != over {
			return s.Line.dial(tx, set)
		}
		return nil
	}
	return adapter.ErrUnsupported
}

// virtual is one turn of a leg whose far side is the virtual agent.
type virtual struct {
	tx  *adapter.Tx
	set settings
	s   *virtualState
}

func (v virtual) emit(actor event.Actor, body event.Body) {
	v.tx.Emit(adapter.Emission{Actor: actor, Body: body})
}

func (v virtual) deliver(e event.Event) error {
	if v.s.Phase == over {
		return nil
	}
	switch body := e.Body.(type) {
	case event.ConversationStarted:
		v.s.know(body.Customer)
		v.learn(body.Attributes, e)
		return nil
	case event.ConversationEnded:
		return v.end(e, body)
	case event.HandoffAccepted, event.HandoffFailed, event.HandoffCancelled, event.HandbackRequested,
		event.TransferRequested, event.TransferCompleted:
		return v.people(e)
	}
	if e.Actor.Role != event.RoleCustomer {
		return nil
	}
	return v.customer(e)
}

func (v virtual) learn(attributes map[string]string, e event.Event) {
	if !v.s.learn(attributes, e) {
		v.tx.Fail("the facts take more room than Aisera's session variables are given")
	}
}

// customer passes on what the customer does.
func (v virtual) customer(e event.Event) error {
	switch body := e.Body.(type) {
	case event.ContextUpdated:
		v.learn(body.Attributes, e)
	case event.MessageCreated:
		data := v.s.says(e, body.Content.Part)
		if data == nil {
			v.tx.Fail("the message has no words to send")
			return nil
		}
		v.s.LoggedOut = false
		return v.post(actSay, e, data, nil)
	case event.CommandIssued:
		if data := orders()[body.Name]; data != nil {
			v.s.LoggedOut = body.Name == "logout"
			return v.post(actSay, e, data, nil)
		}
	case event.SurveyAnswered:
		data := fields{}
		data.put("score", body.Score)
		data.put("text", body.Comment)
		return v.typed(actSay, e, typeSurvey, data)
	case event.Extension:
		if body.Vendor != vendor {
			return nil
		}
		data := fields{}
		data.add(objectOf(body.Data))
		return v.typed(actSay, e, body.Name, data)
	}
	return nil
}

// people tells Aisera what people do.
func (v virtual) people(e event.Event) error {
	s := v.s
	data := fields{}
	switch body := e.Body.(type) {
	case event.HandoffAccepted:
		return v.pickUp(e)
	case event.HandoffFailed, event.HandoffCancelled:
		return v.decline(e)
	case event.HandbackRequested:
		s.Phase = returning
		if body.Summary != "" {
			s.learn(map[string]string{v.set.SummaryVar: body.Summary}, event.Event{})
		}
		data.putAgent(e.Actor)
		return v.typed(actComplete, e, typeCompleted, data)
	case event.TransferRequested:
		data.put("toAgentId", body.Agent)
		data.put("queue", body.Routing.Queue)
		data.putAgent(e.Actor)
		return v.typed(actSay, e, typeTransfer, data)
	case event.TransferCompleted:
		if s.Phase == ourPeople {
			return v.pickUp(e)
		}
	}
	return nil
}

// decline lets the flow go on when nobody takes the conversation.
func (v virtual) decline(e event.Event) error {
	if v.set.People == peopleOurs && v.s.Phase == virtualAsks {
		v.s.Phase = declining
	}
	if v.s.Phase != declining {
		return nil
	}
	return v.typed(actLeave, e, typeCompleted, fields{})
}

func (v virtual) pickUp(e event.Event) error {
	if v.set.People != peopleOurs {
		return nil
	}
	v.s.Phase = ourPeople
	data := fields{}
	data.putAgent(e.Actor)
	return v.typed(actPickUp, e, typePickUp, data)
}

// typed sends a request that has a type.
func (v virtual) typed(act string, e event.Event, kind string, data fields) error {
	if v.set.TypeIn == "top" {
		return v.post(act, e, data, fields{"type": kind})
	}
	data["type"] = kind
	return v.post(act, e, data, nil)
}

func (v virtual) post(act string, e event.Event, data, top fields) error {
	tag := act + "/" + e.ID
	if ok, err := v.s.Line.ready(v.tx, v.set, tag); !ok {
		return err
	}
	return v.s.Line.send(v.tx, tag, v.s.client.frame(v.tx, v.set, e, data, top))
}

// end finishes Aisera's session, where there is a line for it.
func (v virtual) end(e event.Event, body event.ConversationEnded) error {
	s := v.s
	s.Phase = over
	defer s.Line.hangUp(v.tx)
	if s.Line.State != lineOpen || s.LoggedOut {
		return nil
	}
	data, top := fields{"text": logoutText}, fields{}
	if body.Reason == "expired" {
		data = fields{"type": typeTimeout}
		if v.set.TypeIn == "top" {
			data, top = fields{}, fields{"type": typeTimeout}
		}
	}
	return send(v.tx, "", s.Line.conn(), s.client.frame(v.tx, v.set, e, data, top))
}

// sent ends a send. Aisera confirms nothing, so what is written counts as done.
func (v virtual) sent(in adapter.Sent) {
	if v.s.Phase == over || !v.s.Line.sent(v.tx, in) {
		return
	}
	v.s.Vars = nil
	switch act(in.Tag) {
	case actComplete:
		v.returned()
	case actLeave:
		v.declined()
	}
}

func (v virtual) declined() {
	if v.s.Phase == declining {
		v.s.Phase = virtualAnswers
	}
}

// returned says that the virtual agent has the conversation again.
func (v virtual) returned() {
	if v.s.Phase == returning {
		v.s.Phase = virtualAnswers
		v.emit(virtualAgent(), event.HandbackCompleted{})
	}
}

func (v virtual) closed(in adapter.Closed) {
	how := v.s.Line.closed(in)
	switch {
	case !how.ours || v.s.Phase == over:
	case in.Reason == adapter.ClosedLost && how.tag != "":
		v.tx.Later() // the bridge was restarted while it dialled
	case act(how.tag) == actComplete:
		v.s.Phase = map[string]string{peopleOurs: ourPeople, peopleVendor: theirPeople}[v.set.People]
		v.emit(virtualAgent(), event.HandbackFailed{Reason: unreachable(in)})
	case how.tag != "":
		v.declined()
		v.tx.Fail(unreachable(in))
	case v.s.Line.Expect || v.s.Phase == theirPeople:
		v.s.Line.listen(v.tx)
	}
}
