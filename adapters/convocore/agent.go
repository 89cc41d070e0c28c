package convocore

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

// The timers of an agent's leg, beside turnTimer.
const (
	greetTimer = "greet"
	greetAfter = time.Second
)

// promptSize bounds the object kept until its answer begins, in bytes.
const promptSize = 4 << 10

// agentState is what a leg to the vendor's agent remembers between turns.
type agentState struct {
	Ended bool   `json:"ended,omitempty"`
	Who   person `json:"who,omitzero"`
	// Turns counts the connections dialled, and names them.
	Turns int  `json:"turns,omitempty"`
	Turn  turn `json:"turn,omitzero"`
	// Failed is the event whose connection could not be had.
	Failed string `json:"failed,omitempty"`
	// Greeting is the event that waits to be greeted.
	Greeting string `json:"greeting,omitempty"`
	// Asked says people were asked for and nothing has come of it yet.
	Asked bool   `json:"asked,omitempty"`
	Desk  people `json:"desk,omitzero"`
}

// turn is one connection: a prompt and its answer.
type turn struct {
	Conn string `json:"conn,omitempty"`
	// To is the event that is answered.
	To string `json:"to,omitempty"`
	// Open says the connection stands, Sent that the prompt is on its way,
	// Written that it has left, Heard that something came back, and Gone that the
	// connection ended while the prompt was on its way.
	Open    bool `json:"open,omitempty"`
	Sent    bool `json:"sent,omitempty"`
	Written bool `json:"written,omitempty"`
	Heard   bool `json:"heard,omitempty"`
	Gone    bool `json:"gone,omitempty"`
	// Prompt is the object until its answer begins. Own says that no delivery
	// waits for it; Again that it is sent a second time.
	Prompt string `json:"prompt,omitempty"`
	Own    bool   `json:"own,omitempty"`
	Again  bool   `json:"again,omitempty"`
	Answer answer `json:"answer,omitzero"`
}

func (t turn) tag() string { return "prompt/" + t.Conn }

func handleAgent(tx *adapter.Tx, s *agentState, in adapter.Input) error {
	if s.Ended {
		return nil
	}
	set, err := settingsOf(tx)
	if err != nil {
		return err
	}
	switch in := in.(type) {
	case adapter.Deliver:
		return s.deliver(tx, set, in.Event)
	case adapter.Opened:
		s.opened(tx, set, in)
	case adapter.Sent:
		s.sent(tx, set, in)
	case adapter.Frame:
		s.frame(tx, set, in)
	case adapter.Closed:
		s.closed(tx, set, in)
	case adapter.Fired:
		s.fired(tx, set, in.Timer)
	case adapter.Request:
		return s.told(tx, set, in)
	case adapter.Result:
		s.result(tx, in)
	default:
		return adapter.ErrUnsupported
	}
	return nil
}

// deliver passes an event on to the vendor.
func (s *agentState) deliver(tx *adapter.Tx, set settings, e event.Event) error {
	if e.Actor.Role == event.RoleCustomer {
		s.Who.meet(e.Actor)
	}
	switch body := e.Body.(type) {
	case event.ConversationStarted:
		s.started(tx, set, e, body)
	case event.ContextUpdated:
		s.Who.learn(body.Attributes)
	case event.MessageCreated:
		return s.message(tx, set, e)
	case event.CommandIssued:
		s.command(tx, set, e, body)
	case event.HandoffQueued, event.HandoffOffered, event.HandoffAccepted, event.HandoffFailed, event.HandoffCancelled, event.HandbackRequested:
		s.handing(tx, set, e)
	case event.ConversationEnded:
		s.end(tx, set, e)
	}
	return nil
}

func (s *agentState) started(tx *adapter.Tx, set settings, e event.Event, body event.ConversationStarted) {
	s.Who.meet(body.Customer)
	s.Who.learn(body.Attributes)
	if *set.Greet && s.Turns == 0 {
		s.Greeting = e.ID
		tx.After(greetTimer, greetAfter)
	}
}

// message is the customer's words: to the agent, or to the vendor's own people
// while they have the conversation.
func (s *agentState) message(tx *adapter.Tx, set settings, e event.Event) error {
	if e.Actor.Role != event.RoleCustomer {
		return nil
	}
	if s.Desk.Theirs {
		s.toPeople(tx, set, e)
		return nil
	}
	prompt, ok := promptOf(e.Body)
	if !ok {
		tx.Fail("the message has no words to send")
		return nil
	}
	s.Asked = false
	s.ask(tx, set, e, prompt)
	return nil
}

func (s *agentState) command(tx *adapter.Tx, set settings, e event.Event, body event.CommandIssued) {
	prompt, known := promptOf(body)
	switch {
	case !known:
	case body.Name != "cancel":
		s.ask(tx, set, e, prompt)
	case s.Turn.Open && s.Turn.Sent:
		prompt["prompt"] = promptCancel + "cancelled"
		tx.Send("", s.Turn.Conn, written(s.object(tx, set, "", merged(prompt, passedOn(e)))))
	}
}

// passedOn is what a client's object held, as far as it may go on.
func passedOn(e event.Event) object {
	out := object{}
	for _, name := range passed {
		if value, ok := kept(e)[name]; ok {
			out[name] = value
		}
	}
	return out
}

// ask sends a prompt on a connection of its own. While one is dialled, or another
// turn is under way, the delivery waits.
func (s *agentState) ask(tx *adapter.Tx, set settings, e event.Event, prompt object) {
	if s.Greeting != "" {
		s.Greeting = ""
		tx.Stop(greetTimer)
	}
	t := &s.Turn
	switch {
	case s.Failed == e.ID:
		s.Failed = ""
		s.unreachable(tx)
		tx.Fail("the virtual agent cannot be reached")
	case t.Conn == "":
		s.dial(tx, set, turn{To: e.ID})
		tx.Later()
	case t.To == e.ID && t.Open && !t.Sent:
		s.send(tx, set, written(s.object(tx, set, e.ID, merged(prompt, passedOn(e)))))
	default:
		tx.Later()
	}
}

// object is what a client sends: the prompt, and who asks which agent.
func (s *agentState) object(tx *adapter.Tx, set settings, mid string, prompt object) object {
	ours := object{"agentId": set.AgentID, "convoId": tx.Key(), "bucket": set.Bucket}
	light := s.Who.light(set.Variables)
	light["origin"] = cmp.Or(s.Who.Facts["origin"], set.Origin)
	ours["lightConvoData"] = light
	if mid != "" {
		ours["actionMetadata"] = object{"mid": mid}
	}
	if set.OwnerID != "" {
		ours["agentData"] = object{"ownerID": set.OwnerID, "userID": set.OwnerID}
	}
	if !*set.UIEngine {
		ours["disableUiEngine"] = true
	}
	return merged(ours, prompt)
}

// dial begins a turn. A name is used once, so that what comes late for another
// is not taken for this one's.
func (s *agentState) dial(tx *adapter.Tx, set settings, t turn) {
	s.Turns++
	t.Conn = "turn-" + strconv.Itoa(s.Turns)
	s.Turn = t
	d := adapter.Dial{URL: set.SocketURL + set.Path}
	if token := tx.Credential(secret); token != "" {
		d.Header = http.Header{"Authorization": {"Bearer " + token}}
	}
	tx.Dial(t.Conn, d)
}

func (s *agentState) opened(tx *adapter.Tx, set settings, in adapter.Opened) {
	if t := &s.Turn; in.Conn == t.Conn && t.Conn != "" && !t.Sent {
		t.Open = true
		if t.Own {
			s.send(tx, set, []byte(t.Prompt))
		}
	}
}

// send sends the prompt, and keeps it until its answer begins.
func (s *agentState) send(tx *adapter.Tx, set settings, data []byte) {
	t := &s.Turn
	t.Sent, t.Prompt = true, ""
	if weight(string(data)) <= promptSize {
		t.Prompt = string(data)
	}
	tx.Send(t.tag(), t.Conn, data)
	tx.After(turnTimer, set.Limit)
}

// sent has the delivery offered again when its prompt may not have left.
func (s *agentState) sent(tx *adapter.Tx, set settings, in adapter.Sent) {
	t := &s.Turn
	switch {
	case !strings.HasPrefix(in.Tag, "prompt/"):
	case in.Tag != t.tag() && in.Outcome != adapter.SentWritten:
		tx.Later()
	case in.Tag != t.tag():
	case t.Heard: // what is answered has left, whatever became known of it
		t.Written = true
	case in.Outcome == adapter.SentWritten && t.Gone:
		s.lost(tx, set)
	case in.Outcome == adapter.SentWritten:
		t.Written = true
	case t.Own:
		s.hangUp(tx)
		s.lost(tx, set)
	default:
		s.hangUp(tx)
		s.Turn = turn{}
		tx.Stop(turnTimer)
		tx.Later()
	}
}

func (s *agentState) hangUp(tx *adapter.Tx) {
	if !s.Turn.Gone {
		tx.Close(s.Turn.Conn, closeEnd)
	}
}

// closed is the end of a turn, or of the connection before it.
func (s *agentState) closed(tx *adapter.Tx, set settings, in adapter.Closed) {
	t := &s.Turn
	switch {
	case in.Conn != t.Conn || t.Conn == "":
	case !t.Sent && t.Own:
		s.lost(tx, set)
	case !t.Sent:
		if in.Reason == adapter.ClosedDialFailed {
			s.Failed = t.To
		}
		s.Turn = turn{}
	case t.Heard || in.Code == closeEnd && t.Written:
		s.finish(tx, in.Code == closeEnd || t.Answer.Whole, "connection_lost")
	case !t.Written:
		t.Gone = true
	default:
		s.lost(tx, set)
	}
}

// lost sends a prompt that had no answer once more, under the id it had.
func (s *agentState) lost(tx *adapter.Tx, set settings) {
	t := s.Turn
	tx.Stop(turnTimer)
	if t.Prompt != "" && !t.Again {
		s.dial(tx, set, turn{To: t.To, Prompt: t.Prompt, Own: true, Again: true})
		return
	}
	s.Turn = turn{}
	s.unreachable(tx)
	if t.To != "" && !t.greets() {
		s.emit(tx, event.MessageFailed{Message: t.To, Reason: "the connection was lost before the virtual agent answered"})
	}
	s.emit(tx, event.AnswerCompleted{To: t.To})
}

// greets reports whether the turn asks for the greeting: nobody's words are lost
// with it.
func (t turn) greets() bool { return strings.Contains(t.Prompt, `"prompt":"`+promptStart+`"`) }

func (s *agentState) unreachable(tx *adapter.Tx) {
	s.emit(tx, event.ErrorReported{Code: "unreachable", Detail: "the interact socket did not answer"})
}

// emit says what the agent did, or what became of it.
func (s *agentState) emit(tx *adapter.Tx, body event.Body) {
	tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleVirtualAgent}, Body: body})
}

func (s *agentState) fired(tx *adapter.Tx, set settings, timer string) {
	switch {
	case timer == turnTimer && s.Turn.Sent:
		s.hangUp(tx)
		s.finish(tx, s.Turn.Answer.Whole, "turn_timed_out")
	case timer == greetTimer && s.Greeting != "" && s.Turn.Conn == "":
		prompt := written(s.object(tx, set, s.Greeting, object{"prompt": promptStart}))
		s.dial(tx, set, turn{To: s.Greeting, Prompt: string(prompt), Own: true})
		s.Greeting = ""
	}
}

func (s *agentState) end(tx *adapter.Tx, set settings, e event.Event) {
	if s.Turn.Conn != "" {
		s.hangUp(tx)
	}
	tx.Stop(turnTimer)
	tx.Stop(greetTimer)
	if set.Rest && s.Turns > 0 {
		s.mark(tx, set, e.ID, stateEnded, "")
	}
	*s = agentState{Ended: true}
}
