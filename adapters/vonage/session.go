package vonage

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// sessionToken is our name for the token of a session.
const sessionToken = "session_token"

const (
	sessionLife    = 24 * time.Hour
	sessionMargin  = 30 * time.Second // a session is not begun a step on at its very end
	summaryLimit   = 1000
	parameterLimit = 2000 // of all parameters that wait for a step
	triesMax       = 3    // of one message on sockets that break
	callLimit      = time.Minute
)

// The WebSocket close codes we use (RFC 6455 section 7.4.1).
const (
	closeNormal = 1000
	closeAway   = 1001
)

func (s *agentState) initTag() string { return "init/" + strconv.Itoa(s.Inits) }

// live reports whether there is a session that has not expired.
func (s *agentState) live(tx *adapter.Tx) bool {
	return s.Session != "" && tx.Now().Add(sessionMargin).Unix() < s.Expires
}

// reach reports whether a step can be sent now. Where not, it does the next
// thing for it and puts the delivery off, or gives it up.
func (s *agentState) reach(tx *adapter.Tx, set settings) bool {
	switch {
	case s.Fault != "":
		tx.Fail(s.Fault)
		s.Fault = ""
	case !s.live(tx):
		tx.Later()
		s.init(tx, set)
	case set.Step == stepSocket && !s.Open:
		s.dial(tx, set)
		tx.Later()
	default:
		return true
	}
	return false
}

// init begins a session. What was there of an older one is left.
func (s *agentState) init(tx *adapter.Tx, set settings) {
	if s.Initing {
		return
	}
	s.hangUp(tx)
	s.Session, s.Expires = "", 0
	s.Inits++
	s.Initing = true
	c := set.call(tx, set.BaseURL+"/http/init", tx.Conversation()+"/"+s.initTag(), map[string]string{"agent_id": set.AgentID})
	c.Binds, c.GiveUp = true, callLimit
	c.Capture = []adapter.Capture{{Name: sessionToken, Pointer: "/session_token"}}
	tx.Call(s.initTag(), c)
}

// initResult takes the session over. The delivery that asked for it is offered
// again by itself.
func (s *agentState) initResult(tx *adapter.Tx, r adapter.Result) {
	s.Initing = false
	v, err := codec.Lenient(r.Body)
	id := v.Get("session_id", "sessionId").Text()
	switch {
	case !r.OK():
		s.Fault = "init " + r.Fault(credential)
	case err != nil, !usable(id), v.Get(sessionToken).Text() == "":
		s.Fault = "init answered without a session_id and session_token"
	default:
		s.Session, s.Expires = id, tx.Now().Add(sessionLife).Unix()
		if at := instant(v.Get("session_expiration_time", "sessionExpirationTime").Text()); !at.IsZero() {
			s.Expires = at.Unix()
		}
		s.Anew = s.Anew || s.Returning
		tx.Bind(id)
	}
}

// renew forgets a session that is over, so that the next step begins another.
func (s *agentState) renew(tx *adapter.Tx, set settings) {
	s.Renewed, s.Session, s.Expires = true, "", 0
	s.init(tx, set)
}

func (s *agentState) dial(tx *adapter.Tx, set settings) {
	if s.Conn != "" {
		return // it is being dialled
	}
	s.Conns++
	s.Conn, s.Open, s.Fresh = "socket-"+strconv.Itoa(s.Conns), false, true
	d := adapter.Dial{URL: set.SocketHost, Header: http.Header{}, GiveUp: callLimit}
	token := tx.Credential(sessionToken)
	switch place, name := set.tokenPlace(); place {
	case "query":
		d.URL += map[bool]string{true: "&", false: "?"}[strings.Contains(d.URL, "?")] + name + "=" + token
	case "bearer":
		d.Header.Set("Authorization", "Bearer "+token)
	case "protocol":
		d.Protocols = []string{token}
	}
	tx.Dial(s.Conn, d)
}

// step sends input to the session.
func (s *agentState) step(tx *adapter.Tx, set settings, tag, input string) {
	s.Anew = false
	if set.Step == stepHTTP {
		s.stepByRequest(tx, set, tag, input)
		return
	}
	frame := map[string]string{"action": "step", "input": input}
	if place, name := set.tokenPlace(); place == "frame" && s.Fresh {
		frame[name] = tx.Credential(sessionToken)
	}
	s.Fresh, s.Unanswered = false, input != ""
	tx.Send(tag, s.Conn, codec.Compose(frame))
}

func (s *agentState) stepByRequest(tx *adapter.Tx, set settings, tag, input string) {
	address := set.BaseURL + "/http/" + url.PathEscape(s.Session) + "/step"
	c := set.call(tx, address, tag, stepBody{Input: input, Parameters: s.Parameters})
	c.GiveUp = callLimit
	c.Header.Del(keyHeader)
	c.Header.Set("Authorization", "Bearer "+tx.Credential(sessionToken))
	tx.Call(tag, c)
}

// learn keeps facts for the next step, where that is a request and can carry them.
func (s *agentState) learn(set settings, attributes map[string]string) {
	if set.Step != stepHTTP {
		return
	}
	size := 0
	for _, p := range s.Parameters {
		size += len(p.Name) + len(p.Value)
	}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		if size += len(name) + len(attributes[name]); size > parameterLimit {
			return
		}
		s.Parameters = slices.DeleteFunc(s.Parameters, func(p parameter) bool { return p.Name == name })
		s.Parameters = append(s.Parameters, parameter{name, attributes[name]})
	}
}

// closed notes that the socket is gone; it is opened again when there is
// something to say. One that was refused for its token needs a new session.
func (s *agentState) closed(in adapter.Closed) {
	if in.Conn != s.Conn || s.Conn == "" {
		return
	}
	stood := s.Open
	s.Conn, s.Open, s.Unanswered = "", false, false
	switch {
	case stood, in.Reason == adapter.ClosedLost:
	case over(in.Status) && !s.Renewed:
		s.Renewed, s.Session, s.Expires = true, "", 0
	default:
		s.Fault = "the socket cannot be opened"
		if in.Status != 0 {
			s.Fault = fmt.Sprintf("the socket answered %d", in.Status)
		}
	}
}

// sent tries a step again on a new socket where the old one did not take it.
func (s *agentState) sent(tx *adapter.Tx, set settings, in adapter.Sent) {
	if in.Tag != "step/"+s.Event || in.Outcome == adapter.SentWritten || s.Handoff.Phase == phaseEnded {
		return
	}
	if s.Tries++; s.Tries > triesMax {
		tx.Fail("the socket breaks whenever it is written to")
		return
	}
	s.hangUp(tx)
	s.dial(tx, set)
	tx.Later()
}

// hearBody reads what the session says. A frame nobody can read is told to the
// live agent, if there is one, and otherwise recorded.
func (s *agentState) hearBody(tx *adapter.Tx, set settings, data []byte) {
	v, err := codec.Lenient(data)
	a := answerOf(v)
	switch {
	case s.Handoff.Phase == phaseEnded:
	case err != nil:
		tx.Emit(adapter.Emission{Actor: agentActor(), Body: event.ErrorReported{Code: "unreadable_frame"}})
	case a.fault != "":
		tx.Emit(adapter.Emission{Actor: agentActor(), Body: event.ErrorReported{Code: "vendor_error", Detail: a.fault}})
	case !a.empty():
		s.spokenBeforeAnswer(tx, a)
		s.hear(tx, set, a)
		s.Unanswered = false
		s.ask(tx)
	}
}

// spokenBeforeAnswer takes the flow's words as the answer to a disconnect that
// is under way: it has the session back.
func (s *agentState) spokenBeforeAnswer(tx *adapter.Tx, a answer) {
	if s.Handoff.Ending == "" || s.Anew || len(a.parts) == 0 || s.Handoff.Phase != phaseOpen {
		return
	}
	s.Handoff.Ending, s.Handoff.Phase = "", phaseNone
	s.Returning = false
	tx.Emit(handedBack())
}
