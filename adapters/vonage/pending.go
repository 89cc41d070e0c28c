package vonage

import (
	"encoding/json"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// A flow's words before its Live Agent Routing node come on the socket and the
// node's start as a request: either may be first. What a virtual agent says after
// it asked for people does not reach the customer, so a start that comes while a
// step is unanswered waits for the answer.
const (
	timerStart   = "start"
	startPause   = time.Second
	pendingLimit = 4 << 10
)

// pendingStart is the request for a live agent that waits.
type pendingStart struct {
	Request event.HandoffRequested     `json:"request"`
	Vendor  map[string]json.RawMessage `json:"vendor,omitempty"`
}

// putOff lets a start wait, if there is something to wait for. Its transcript is
// left: the bridge has its own. One that is too long to be kept does not wait.
func (s *agentState) putOff(tx *adapter.Tx, request string, v codec.Value) bool {
	if !s.Unanswered || s.Handoff.Phase != phaseNone {
		return false
	}
	e := requestOf(v)
	body, _ := e.Body.(event.HandoffRequested)
	body.Transcript = nil
	p := pendingStart{body, e.Vendor}
	if data, err := codec.Encode(p); err != nil || len(data) > pendingLimit {
		return false
	}
	s.Pending = &p
	s.Handoff.Phase, s.Handoff.Taken = phaseWaiting, false
	s.Handoff.hold(tx, request)
	tx.After(timerStart, startPause)
	return true
}

// ask asks for a live agent, if a start waits.
func (s *agentState) ask(tx *adapter.Tx) {
	if s.Pending == nil {
		return
	}
	p := s.Pending
	s.Pending = nil
	tx.Stop(timerStart)
	tx.Emit(adapter.Emission{Actor: agentActor(), Body: p.Request, Vendor: p.Vendor})
}
