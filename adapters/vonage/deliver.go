package vonage

import (
	"net/http"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// deliver passes an event on to AI Studio. What its protocol has no frame for is
// settled without effect.
func (s *routingState) deliver(tx *adapter.Tx, set settings, e event.Event) {
	if s.Phase == phaseEnded {
		return
	}
	switch body := e.Body.(type) {
	case event.HandoffQueued, event.HandoffOffered:
		s.connect(tx)
	case event.HandoffAccepted:
		s.Taken = true
		s.connect(tx)
	case event.HandoffFailed, event.HandoffCancelled:
		s.leave(tx, set, e.ID, phaseNone)
	case event.ConversationEnded:
		s.leave(tx, set, e.ID, phaseEnded)
	case event.HandbackRequested:
		s.handback(tx, set, e.ID)
	case event.MessageCreated:
		s.say(tx, set, e, body.Content)
	}
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
func (s *routingState) leave(tx *adapter.Tx, set settings, eventID, next string) {
	before := s.Phase
	s.Phase = next
	s.answer(tx, nestError(http.StatusServiceUnavailable, "No live agent can be reached"))
	if before == phaseOpen {
		s.disconnect(tx, set, "leave/"+eventID, eventID)
	}
}

func (s *routingState) handback(tx *adapter.Tx, set settings, eventID string) {
	if s.Phase != phaseOpen {
		s.Phase = phaseNone
		s.answer(tx, okReply())
		tx.Emit(handedBack())
		return
	}
	s.Ending = eventID
	s.disconnect(tx, set, "handback/"+eventID, eventID)
}

func (s *routingState) disconnect(tx *adapter.Tx, set settings, tag, eventID string) {
	tx.Call(tag, set.call(tx, set.studioURL("disconnect", s.session(tx)), eventID, struct{}{}))
}

// say sends a live agent's words, or the bridge's own. A live agent's words that
// come while the start is held answer it: there is somebody. The bridge's do
// not: until the start is answered the flow speaks to the customer.
func (s *routingState) say(tx *adapter.Tx, set settings, e event.Event, c event.Content) {
	switch e.Actor.Role {
	case event.RoleLiveAgent:
		s.Taken = true
		s.connect(tx)
	case event.RoleSystem:
	default:
		return
	}
	if s.Phase != phaseOpen {
		tx.Fail("the virtual agent has the conversation")
		return
	}
	s.post(tx, set).begin(tx, &s.Sending, e, c)
}

func (s *routingState) post(tx *adapter.Tx, set settings) post {
	return post{settings: set, url: set.studioURL("outbound", s.session(tx))}
}

func (s *routingState) result(tx *adapter.Tx, set settings, r adapter.Result) {
	switch {
	case s.Ending != "" && r.Tag == "handback/"+s.Ending:
		s.handbackResult(tx, r)
	case s.Sending.Event != "" && r.Tag == s.Sending.tag():
		s.sayResult(tx, s.post(tx, set), r)
	}
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

func (s *routingState) sayResult(tx *adapter.Tx, p post, r adapter.Result) {
	if !r.OK() {
		s.sayFailed(tx, p, r)
		return
	}
	if ref := messageID(r.Body); ref != "" {
		tx.Known(s.Sending.Event, ref)
	}
	if s.Phase != phaseOpen && s.Sending.Rest != "" {
		p.give(tx, &s.Sending, "the conversation went on before all of it was sent")
		return
	}
	p.settle(tx, &s.Sending)
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
