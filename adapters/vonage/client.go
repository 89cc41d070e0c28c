package vonage

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// The timers of a client's leg.
const (
	timerStep    = "step"    // a step has waited long enough
	timerIdle    = "idle"    // the socket may be idle
	timerSession = "session" // the session may be over
)

const (
	idleLimit = 10 * time.Minute
	pollWait  = 5 * time.Second // for a step without input, when there is nothing to say
	pollMore  = time.Second     // for more words, after the first
	// gatherLimit bounds the words gathered for one step, in bytes: with more it
	// is answered at once.
	gatherLimit = 4 << 10
)

// clientState is what a leg to an HTTP agent's client remembers between turns.
type clientState struct {
	Ended bool `json:"ended,omitempty"`
	// Expires and Active are Unix seconds: when the session is over, and when the
	// socket was last used.
	Expires  int64       `json:"expires,omitempty"`
	Active   int64       `json:"active,omitempty"`
	Conn     string      `json:"conn,omitempty"`
	Customer event.Actor `json:"customer,omitzero"`
	// Held is the step that waits for its answer, Poll that it said nothing.
	Held string `json:"held,omitempty"`
	Poll bool   `json:"poll,omitempty"`
	// Gathered are the messages of the answer so far.
	Gathered []json.RawMessage `json:"gathered,omitempty"`
}

func handleClient(tx *adapter.Tx, s *clientState, in adapter.Input) error {
	switch in := in.(type) {
	case adapter.Request:
		return s.request(tx, in)
	case adapter.Deliver:
		s.deliver(tx, in.Event)
	case adapter.Fired:
		return s.fired(tx, in.Timer)
	case adapter.Expired:
		if in.Request == s.Held {
			s.Held = ""
		}
	case adapter.Opened:
		s.opened(tx, in)
	case adapter.Frame:
		s.frame(tx, in)
	case adapter.Sent:
		s.sent(tx, in)
	case adapter.Closed:
		if in.Conn == s.Conn {
			s.Conn = ""
		}
	default:
		return adapter.ErrUnsupported
	}
	return nil
}

func (s *clientState) request(tx *adapter.Tx, r adapter.Request) error {
	v, err := codec.Lenient(r.Body)
	if err != nil && len(r.Body) > 0 {
		return err
	}
	switch r.Endpoint {
	case "init":
		s.init(tx, r.ID, v)
	case "step":
		s.step(tx, r.ID, v)
	default:
		return adapter.ErrUnsupported
	}
	return nil
}

// session is the answer to init.
type session struct {
	ID      string `json:"session_id"`
	Start   string `json:"session_start_time"`
	Expires string `json:"session_expiration_time"`
	Token   string `json:"session_token"`
}

func (s *clientState) init(tx *adapter.Tx, request string, v codec.Value) {
	if s.Ended {
		tx.Reply(request, noSession())
		return
	}
	now := tx.Now().UTC()
	s.Expires = now.Add(sessionLife).Unix()
	tx.After(timerSession, sessionLife)
	if id := v.Get("agent_id", "agentId").Text(); id != "" {
		tx.Emit(adapter.Emission{Actor: s.customer(), Vendor: extra(v, "agent_id", "agentId"),
			Body: event.ContextUpdated{Attributes: map[string]string{"agent_id": id}}})
	}
	tx.Reply(request, jsonReply(http.StatusOK, session{ID: tx.Key(), Start: now.Format("2006-01-02T15:04:05.000000"),
		Expires: now.Add(sessionLife).Format("2006-01-02T15:04:05.000Z"), Token: tx.Mint("session", sessionLife)}))
}

func (s *clientState) customer() event.Actor {
	actor := s.Customer
	actor.Role = event.RoleCustomer
	return actor
}

// step passes the customer's words on and waits for what is said to them. A step
// that comes while another waits takes the answer over.
func (s *clientState) step(tx *adapter.Tx, request string, v codec.Value) {
	if s.Held != "" {
		tx.Reply(s.Held, stepAnswer(nil, statusAwaiting, nil))
	}
	s.Held, s.Poll = request, true
	if s.Ended {
		s.answer(tx, nil)
		return
	}
	wait := pollWait
	if set, err := settingsOf(tx); err == nil && s.heard(tx, v) {
		s.Poll = false
		wait, _ = time.ParseDuration(set.StepWait)
	}
	tx.After(timerStep, wait)
	tx.Hold(request)
}

// heard emits what a step holds, and reports whether there were words.
func (s *clientState) heard(tx *adapter.Tx, v codec.Value) bool {
	if p := parametersOf(v.Get("parameters").Unwrap()); len(p.names) > 0 {
		if c := customerOf(p); c.ID != "" || c.Name != "" {
			s.Customer = c
		}
		tx.Emit(adapter.Emission{Actor: s.customer(), Body: event.ContextUpdated{Attributes: p.values}})
	}
	text := v.Get("input", "input ").Text()
	if text == "" {
		return false
	}
	kept := extra(v, "action", "input", "input ", "parameters", "token", "session_token", "sessionToken", "access_token")
	tx.Emit(adapter.Emission{Actor: s.customer(), Vendor: kept, Body: event.MessageCreated{Content: event.Plain(text)}})
	return true
}

func (s *clientState) deliver(tx *adapter.Tx, e event.Event) {
	if s.Ended {
		return
	}
	switch body := e.Body.(type) {
	case event.MessageCreated:
		s.say(tx, e, body.Content)
	case event.AnswerCompleted:
		s.completed(tx, e.Vendor)
	case event.ConversationEnded:
		s.end(tx, e.Vendor)
	}
}

// say gathers words for the step that waits, or sends them on the socket.
func (s *clientState) say(tx *adapter.Tx, e event.Event, c event.Content) {
	text := codec.Plain(c)
	switch {
	case e.Actor.Role == event.RoleCustomer, e.Actor.Role == event.RoleObserver:
	case text == "":
		tx.Fail("the message has no words and no address to send")
	case s.Held != "":
		s.gather(tx, messageItem(text, e.Vendor))
	case s.Conn != "":
		s.Active = tx.Now().Unix()
		tx.Send("say/"+e.ID, s.Conn, stepAnswer([]json.RawMessage{messageItem(text, e.Vendor)}, statusAwaiting, nil).Body)
	default:
		tx.Later()
	}
}

func (s *clientState) gather(tx *adapter.Tx, item json.RawMessage) {
	s.Gathered = append(s.Gathered, item)
	size := 0
	for _, m := range s.Gathered {
		size += len(m)
	}
	switch {
	case size > gatherLimit:
		s.answer(tx, nil)
	case s.Poll:
		tx.After(timerStep, pollMore)
	}
}

// completed answers the step that waits. One that only asked what is new, and
// was told nothing, goes on waiting.
func (s *clientState) completed(tx *adapter.Tx, kept map[string]json.RawMessage) {
	if s.Held != "" && (!s.Poll || len(s.Gathered) > 0) {
		s.answer(tx, kept)
	}
}

// answer answers the step that waits with what was gathered.
func (s *clientState) answer(tx *adapter.Tx, kept map[string]json.RawMessage) {
	if s.Held == "" {
		return
	}
	status := statusAwaiting
	if s.Ended {
		status = statusEnded
	}
	tx.Reply(s.Held, stepAnswer(s.Gathered, status, kept["vonage"]))
	tx.Stop(timerStep)
	s.Held, s.Gathered = "", nil
}

// stepAnswer is the answer to a step, with the members the vendor's own had.
func stepAnswer(messages []json.RawMessage, status string, kept json.RawMessage) adapter.Reply {
	if messages == nil {
		messages = []json.RawMessage{}
	}
	return jsonReply(http.StatusOK, joined(map[string]any{"messages": messages, "session_status": status}, kept))
}

// end tells the client that the session is over, and closes the socket.
func (s *clientState) end(tx *adapter.Tx, kept map[string]json.RawMessage) {
	s.Ended = true
	s.answer(tx, kept)
	tx.Stop(timerIdle)
	tx.Stop(timerSession)
	if s.Conn != "" {
		tx.Send("", s.Conn, stepAnswer(nil, statusEnded, kept["vonage"]).Body)
		tx.Close(s.Conn, closeNormal)
		s.Conn = ""
	}
}

// fired looks at the time first, since a timer is set anew at its earliest, not
// with every message.
func (s *clientState) fired(tx *adapter.Tx, timer string) error {
	now := tx.Now().Unix()
	switch timer {
	case timerStep:
		s.answer(tx, nil)
	case timerIdle:
		s.idle(tx, s.Active+int64(idleLimit/time.Second)-now)
	case timerSession:
		s.expire(tx, s.Expires-now)
	default:
		return adapter.ErrUnsupported
	}
	return nil
}

// idle closes the socket, when there are no seconds left.
func (s *clientState) idle(tx *adapter.Tx, left int64) {
	switch {
	case s.Conn == "":
	case left > 0:
		tx.After(timerIdle, time.Duration(left)*time.Second)
	default:
		tx.Close(s.Conn, closeAway)
		s.Conn = ""
	}
}

// expire ends the session, when there are no seconds left.
func (s *clientState) expire(tx *adapter.Tx, left int64) {
	switch {
	case s.Ended || s.Expires == 0:
	case left > 0:
		tx.After(timerSession, time.Duration(left)*time.Second)
	default:
		tx.Emit(adapter.Emission{Actor: s.customer(), Body: event.ConversationEnded{Reason: "expired", By: event.RoleCustomer}})
		s.end(tx, nil)
	}
}

func (s *clientState) opened(tx *adapter.Tx, in adapter.Opened) {
	if s.Ended {
		tx.Close(in.Conn, closeNormal)
		return
	}
	s.Conn, s.Active = in.Conn, tx.Now().Unix()
	tx.After(timerIdle, idleLimit)
}

// frame takes a step from the socket. What is none is nothing.
func (s *clientState) frame(tx *adapter.Tx, f adapter.Frame) {
	v, err := codec.Lenient(f.Data)
	if err != nil || s.Ended || !v.IsObject() {
		return
	}
	if f.Conn == s.Conn {
		s.Active = tx.Now().Unix()
	}
	if action := v.Get("action").Text(); action == "" || strings.EqualFold(action, "step") {
		s.heard(tx, v)
	}
}

// sent puts words off that did not leave, until the client is there again: the
// end of the socket, or a newer one, brings them back.
func (s *clientState) sent(tx *adapter.Tx, in adapter.Sent) {
	if in.Tag != "" && in.Outcome != adapter.SentWritten && !s.Ended {
		tx.Later()
	}
}
