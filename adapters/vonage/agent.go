package vonage

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// agentState is what a leg to an HTTP agent remembers between turns.
type agentState struct {
	// Handoff is the phase with people, as AI Studio has it; Asked says that
	// people were asked for by words, a parameter or the flow's end.
	Handoff routingState `json:"handoff,omitzero"`
	Asked   bool         `json:"asked,omitempty"`
	// Session is the vendor's, good until Expires (Unix seconds); its token is
	// kept for the leg under sessionToken.
	Session string `json:"session,omitempty"`
	Expires int64  `json:"expires,omitempty"`
	Inits   int    `json:"inits,omitempty"`
	Initing bool   `json:"initing,omitempty"`
	// Conn is the socket dialled or open, Open that it stands, and Fresh that
	// nothing was sent on it yet.
	Conn  string `json:"conn,omitempty"`
	Open  bool   `json:"open,omitempty"`
	Fresh bool   `json:"fresh,omitempty"`
	Conns int    `json:"conns,omitempty"`
	// Event is what is being delivered: Fault says why its try came to nothing,
	// Renewed that the session was begun again for it, Tries how often it was sent.
	Event   string `json:"event,omitempty"`
	Fault   string `json:"fault,omitempty"`
	Renewed bool   `json:"renewed,omitempty"`
	Tries   int    `json:"tries,omitempty"`
	// Returning says Event gives the conversation back; Anew that the session
	// has ended meanwhile, so that Summary begins the new one.
	Returning bool   `json:"returning,omitempty"`
	Anew      bool   `json:"anew,omitempty"`
	Summary   string `json:"summary,omitempty"`
	// Unanswered says that words were stepped over the socket and nothing was heard since,
	// Pending is a start that waits for what the flow says before it.
	Unanswered bool          `json:"unanswered,omitempty"`
	Pending    *pendingStart `json:"pending,omitempty"`
	// Parameters go with the next step that is a request.
	Parameters []parameter `json:"parameters,omitempty"`
}

func handleAgent(tx *adapter.Tx, s *agentState, in adapter.Input) error {
	set, err := settingsOf(tx)
	if err != nil {
		return err
	}
	switch in := in.(type) {
	case adapter.Request:
		return s.request(tx, in)
	case adapter.Deliver:
		s.deliver(tx, set, in.Event)
	case adapter.Result:
		s.result(tx, set, in)
	case adapter.Expired:
		s.ask(tx)
		s.Handoff.expired(tx, set, in)
	case adapter.Fired:
		s.ask(tx)
	case adapter.Opened:
		s.Open = s.Open || in.Conn == s.Conn && s.Conn != ""
	case adapter.Frame:
		if s.Open && in.Conn == s.Conn {
			s.hearBody(tx, set, in.Data)
		}
	case adapter.Sent:
		s.sent(tx, set, in)
	case adapter.Closed:
		s.closed(in)
	default:
		return adapter.ErrUnsupported
	}
	return nil
}

// request takes a start as the request for a live agent. Inbound is what we
// stepped ourselves, and status of nothing we sent.
func (s *agentState) request(tx *adapter.Tx, r adapter.Request) error {
	if r.Endpoint != "start" {
		return nil
	}
	v, err := codec.Lenient(r.Body)
	if err != nil {
		return err
	}
	session := cmp.Or(v.Get("sessionId").Text(), s.Session, tx.Key())
	if !usable(session) {
		tx.Reply(r.ID, badSession())
		return nil
	}
	if s.Handoff.Phase == phaseNone {
		s.Handoff.Session = session
	}
	if !s.putOff(tx, r.ID, v) {
		s.Handoff.start(tx, r.ID, v)
	}
	return nil
}

// withPeople reports whether people have the conversation or were asked to.
func (s *agentState) withPeople() bool { return s.Asked || s.Handoff.Phase != phaseNone }

// deliver passes an event on. While people have the conversation nothing of it
// goes to the session but the news of the hand-off.
func (s *agentState) deliver(tx *adapter.Tx, set settings, e event.Event) {
	if s.Handoff.Phase == phaseEnded {
		return
	}
	switch body := e.Body.(type) {
	case event.ConversationStarted:
		s.learn(set, body.Attributes)
		s.greet(tx, set, e)
	case event.ContextUpdated:
		s.learn(set, body.Attributes)
	case event.MessageCreated:
		s.say(tx, set, e, body.Content)
	case event.HandoffQueued, event.HandoffOffered, event.HandoffAccepted:
		s.Handoff.deliver(tx, set, e)
	case event.HandoffFailed, event.HandoffCancelled:
		s.release(tx, set, e)
	case event.HandbackRequested:
		s.handback(tx, set, e, body)
	case event.ConversationEnded:
		s.Pending = nil
		s.hangUp(tx)
		s.Handoff.leave(tx, set, e.ID, phaseEnded)
	}
}

// begin notes what is being delivered now.
func (s *agentState) begin(id string) {
	if s.Event != id {
		s.Event, s.Fault, s.Renewed, s.Tries = id, "", false, 0
	}
}

func (s *agentState) greet(tx *adapter.Tx, set settings, e event.Event) {
	if s.withPeople() {
		return
	}
	s.begin(e.ID)
	if s.reach(tx, set) && set.Greeting != "none" {
		s.step(tx, set, "step/"+e.ID, "")
	}
}

// say steps the session with the customer's words. What was said as people were
// asked is in their transcript.
func (s *agentState) say(tx *adapter.Tx, set settings, e event.Event, c event.Content) {
	if e.Actor.Role != event.RoleCustomer || s.withPeople() {
		return
	}
	text := codec.Plain(c)
	if text == "" {
		tx.Fail("the message has no words and no address to send")
		return
	}
	s.begin(e.ID)
	if s.reach(tx, set) {
		s.step(tx, set, "step/"+e.ID, text)
	}
}

// release ends a hand-off nobody took. The flow goes on by itself, so the socket
// it speaks on is opened first.
func (s *agentState) release(tx *adapter.Tx, set settings, e event.Event) {
	s.begin(e.ID)
	if s.Handoff.Phase == phaseOpen && s.live(tx) && !s.Open && set.Step == stepSocket && s.Fault == "" {
		s.dial(tx, set)
		tx.Later()
		return
	}
	s.Asked = false
	s.Handoff.leave(tx, set, e.ID, phaseNone)
}

// handback gives the conversation back to the flow: first the way to it is
// opened, with a new session where the old one is over, then AI Studio is told.
func (s *agentState) handback(tx *adapter.Tx, set settings, e event.Event, body event.HandbackRequested) {
	if s.Event != e.ID {
		s.begin(e.ID)
		s.Summary, _ = codec.Cut(body.Summary, summaryLimit)
	}
	s.Returning = true
	if fault := s.Fault; fault != "" {
		s.Returning, s.Fault = false, ""
		tx.Emit(adapter.Emission{Actor: agentActor(), Body: event.HandbackFailed{Reason: fault}})
		return
	}
	if !s.reach(tx, set) {
		return
	}
	s.Asked = false
	if s.Handoff.handback(tx, set, e.ID); s.Handoff.Ending == "" {
		s.resume(tx, set)
	}
}

// resume goes on after a handback: a new session begins with the summary.
func (s *agentState) resume(tx *adapter.Tx, set settings) {
	summary, anew := s.Summary, s.Anew
	s.Returning, s.Anew, s.Summary = false, false, ""
	if anew && summary != "" && (set.Step == stepHTTP || s.Open) {
		s.step(tx, set, "resume/"+s.Event, summary)
	}
}

// hangUp closes the socket.
func (s *agentState) hangUp(tx *adapter.Tx) {
	if s.Conn != "" {
		tx.Close(s.Conn, closeNormal)
	}
	s.Conn, s.Open, s.Unanswered = "", false, false
}

func agentActor() event.Actor { return event.Actor{Role: event.RoleVirtualAgent} }

func (s *agentState) result(tx *adapter.Tx, set settings, r adapter.Result) {
	switch {
	case s.Initing && r.Tag == s.initTag():
		s.initResult(tx, r)
	case r.Tag == "step/"+s.Event:
		s.stepResult(tx, set, r)
	case strings.HasPrefix(r.Tag, "resume/") && r.OK():
		s.hearBody(tx, set, r.Body)
	case s.Handoff.Ending != "":
		s.Handoff.result(tx, set, r)
		s.handedBack(tx, set)
	}
}

// handedBack goes on after AI Studio's answer to the disconnect.
func (s *agentState) handedBack(tx *adapter.Tx, set settings) {
	switch {
	case s.Handoff.Ending != "":
	case s.Handoff.Phase == phaseNone:
		s.resume(tx, set)
	default:
		s.Returning = false
	}
}

// stepResult is a step's answer. A session that is over is begun again, once.
func (s *agentState) stepResult(tx *adapter.Tx, set settings, r adapter.Result) {
	switch {
	case s.Handoff.Phase == phaseEnded:
	case r.OK():
		s.Parameters = nil
		s.hearBody(tx, set, r.Body)
	case over(r.Status) && !s.Renewed:
		s.renew(tx, set)
		tx.Later()
	default:
		tx.Fail(r.Fault(credential))
	}
}

// over reports whether a status says that the session is not there any more.
func over(status int) bool {
	return slices.Contains([]int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusGone}, status)
}
