package vonage

import (
	"net/http"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// deliver passes an event on to AI Studio. What its protocol has no frame for is
// settled without effect.
func (s *routingState) deliver(tx *adapter.Tx, e event.Event) error {
	if s.Phase == phaseEnded {
		return nil
	}
	switch body := e.Body.(type) {
	case event.HandoffQueued, event.HandoffOffered:
		s.connect(tx)
	case event.HandoffAccepted:
		s.Taken = true
		s.connect(tx)
	case event.HandoffFailed, event.HandoffCancelled:
		return s.leave(tx, e.ID, phaseNone)
	case event.ConversationEnded:
		return s.leave(tx, e.ID, phaseEnded)
	case event.HandbackRequested:
		return s.handback(tx, e.ID)
	case event.MessageCreated:
		return s.say(tx, e, body.Content)
	}
	return nil
}

// connect tells AI Studio that people have the conversation.
func (s *routingState) connect(tx *adapter.Tx) {
	if s.Phase == phaseWaiting {
		s.Phase = phaseOpen
		s.answer(tx, okReply())
	}
}

// leave ends the handoff: a start still held is refused, an open one is
// disconnected.
func (s *routingState) leave(tx *adapter.Tx, eventID, next string) error {
	before := s.Phase
	s.Phase = next
	s.answer(tx, nestError(http.StatusServiceUnavailable, "No live agent can be reached"))
	if before != phaseOpen {
		return nil
	}
	return s.disconnect(tx, "leave/"+eventID, eventID)
}

func (s *routingState) handback(tx *adapter.Tx, eventID string) error {
	if s.Phase != phaseOpen {
		s.Phase = phaseNone
		s.answer(tx, okReply())
		tx.Emit(handedBack())
		return nil
	}
	s.Ending = eventID
	return s.disconnect(tx, "handback/"+eventID, eventID)
}

func (s *routingState) disconnect(tx *adapter.Tx, tag, eventID string) error {
	set, err := settingsOf(tx)
	if err != nil {
		return err
	}
	c, err := set.call(tx, set.studioURL("disconnect", s.session(tx)), eventID, struct{}{})
	if err != nil {
		return err
	}
	tx.Call(tag, c)
	return nil
}

// say sends a live agent's words, or the bridge's own. A live agent's words that
// come while the start is held answer it: there is somebody. The bridge's do
// not: until the start is answered the flow speaks to the customer.
func (s *routingState) say(tx *adapter.Tx, e event.Event, c event.Content) error {
	switch e.Actor.Role {
	case event.RoleLiveAgent:
		s.Taken = true
		s.connect(tx)
	case event.RoleSystem:
	default:
		return nil
	}
	if s.Phase != phaseOpen {
		tx.Fail("the virtual agent has the conversation")
		return nil
	}
	p, err := s.post(tx)
	if err != nil {
		return err
	}
	return p.begin(tx, &s.Sending, e, c)
}

func (s *routingState) post(tx *adapter.Tx) (post, error) {
	set, err := settingsOf(tx)
	return post{settings: set, url: set.studioURL("outbound", s.session(tx))}, err
}

func (s *routingState) result(tx *adapter.Tx, r adapter.Result) error {
	switch {
	case s.Ending != "" && r.Tag == "handback/"+s.Ending:
		s.handbackResult(tx, r)
	case s.Sending.Event != "" && r.Tag == s.Sending.tag():
		return s.sayResult(tx, r)
	}
	return nil
}

// handbackResult takes 404 as done: the session is the virtual agent's already.
func (s *routingState) handbackResult(tx *adapter.Tx, r adapter.Result) {
	s.Ending = ""
	if s.Phase != phaseOpen {
		return
	}
	if r.OK() || r.Status == http.StatusNotFound {
		s.Phase = phaseNone
		tx.Emit(handedBack())
		return
	}
	tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleVirtualAgent},
		Body: event.HandbackFailed{Reason: r.Fault(credential)}})
}

func handedBack() adapter.Emission {
	return adapter.Emission{Actor: event.Actor{Role: event.RoleVirtualAgent}, Body: event.HandbackCompleted{}}
}

func (s *routingState) sayResult(tx *adapter.Tx, r adapter.Result) error {
	p, err := s.post(tx)
	if err != nil {
		return err
	}
	if !r.OK() {
		s.sayFailed(tx, p, r)
		return nil
	}
	if ref := messageID(r.Body); ref != "" {
		tx.Known(s.Sending.Event, ref)
	}
	if s.Phase != phaseOpen && s.Sending.Rest != "" {
		p.give(tx, &s.Sending, "the conversation went on before all of it was sent")
		return nil
	}
	_, err = p.settle(tx, &s.Sending)
	return err
}

// sayFailed takes 404 for the end: AI Studio no longer has the session.
func (s *routingState) sayFailed(tx *adapter.Tx, p post, r adapter.Result) {
	if r.Status != http.StatusNotFound {
		p.give(tx, &s.Sending, r.Fault(credential))
		return
	}
	if s.Phase == phaseOpen {
		s.Phase = phaseEnded
		tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleCustomer, ID: s.Customer.ID, Name: s.Customer.Name},
			Body: event.ConversationEnded{Reason: "gone", By: event.RoleCustomer}})
	}
	p.give(tx, &s.Sending, "gone")
}

// messageID is the vendor's id of a message in an answer, or "".
func messageID(body []byte) string {
	v, err := codec.Lenient(body)
	if err != nil {
		return ""
	}
	return v.Get("message_uuid", "messageUuid", "message_id", "messageId").Text()
}
