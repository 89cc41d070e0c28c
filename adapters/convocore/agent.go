package convocore

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// The timers of an agent's leg, beside turnTimer.
const (
	greetTimer = "greet"
	greetAfter = time.Second
)

// promptSize bounds the object kept until its answer begins, in bytes.
const promptSize = 4 << 10

// noWords is why a message fails that has nothing for the vendor.
const noWords = "the message has no words to send"

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

// on reports whether a connection is the turn's.
func (t turn) on(conn string) bool { return conn != "" && conn == t.Conn }

// greets reports whether the turn asks for the greeting: nobody's words are lost
// with it.
func (t turn) greets() bool { return strings.Contains(t.Prompt, `"prompt":"`+promptStart+`"`) }

// agent is a leg in one turn of the bridge.
type agent struct {
	*agentState
	tx  *adapter.Tx
	set settings
}

func handleAgent(tx *adapter.Tx, s *agentState, in adapter.Input) error {
	if s.Ended {
		return nil
	}
	set, err := settingsOf(tx)
	if err != nil {
		return err
	}
	a := agent{s, tx, set}
	switch in := in.(type) {
	case adapter.Deliver:
		a.deliver(in.Event)
	case adapter.Opened:
		a.opened(in)
	case adapter.Sent:
		a.sent(in)
	case adapter.Frame:
		a.frame(in)
	case adapter.Closed:
		a.closed(in)
	case adapter.Fired:
		a.fired(in.Timer)
	case adapter.Request:
		return a.told(in)
	case adapter.Result:
		a.result(in)
	default:
		return adapter.ErrUnsupported
	}
	return nil
}

// deliver passes an event on to the vendor.
func (a agent) deliver(e event.Event) {
	if e.Actor.Role == event.RoleCustomer {
		a.Who.meet(e.Actor)
	}
	switch body := e.Body.(type) {
	case event.ConversationStarted:
		a.started(e, body)
	case event.ContextUpdated:
		a.Who.learn(body.Attributes)
	case event.MessageCreated:
		a.message(e, body.Content)
	case event.CommandIssued:
		a.command(e, body)
	case event.HandoffQueued, event.HandoffOffered, event.HandoffAccepted, event.HandoffFailed, event.HandoffCancelled, event.HandbackRequested:
		a.handing(e)
	case event.ConversationEnded:
		a.end(e)
	}
}

func (a agent) started(e event.Event, body event.ConversationStarted) {
	a.Who.meet(body.Customer)
	a.Who.learn(body.Attributes)
	if *a.set.Greet && a.Turns == 0 {
		a.Greeting = e.ID
		a.tx.After(greetTimer, greetAfter)
	}
}

// message is the customer's words: to the agent, or to the vendor's own people
// while they have the conversation.
func (a agent) message(e event.Event, c event.Content) {
	prompt, ok := promptOf(e.Body)
	switch {
	case e.Actor.Role != event.RoleCustomer:
	case a.Desk.Theirs && len(itemsOf(c)) > 0:
		a.add("append/"+e.ID, fromHuman, c)
	case a.Desk.Theirs || !ok:
		a.tx.Fail(noWords)
	default:
		a.Asked = false
		a.ask(e, prompt)
	}
}

func (a agent) command(e event.Event, body event.CommandIssued) {
	prompt, known := promptOf(body)
	switch {
	case known && body.Name != "cancel":
		a.ask(e, prompt)
	case known && a.Turn.Sent:
		prompt["prompt"] = promptCancel + "cancelled"
		a.tx.Send("", a.Turn.Conn, a.object("", merged(prompt, passedOn(e))))
	}
}

// ask sends a prompt on a connection of its own. While one is dialled, or another
// turn is under way, the delivery waits.
func (a agent) ask(e event.Event, prompt object) {
	if a.Greeting != "" {
		a.Greeting = ""
		a.tx.Stop(greetTimer)
	}
	switch t := a.Turn; {
	case a.Failed == e.ID:
		a.Failed = ""
		a.unreachable()
		a.tx.Fail("the virtual agent cannot be reached")
	case t.To == e.ID && t.Open && !t.Sent:
		a.send(a.object(e.ID, merged(prompt, passedOn(e))))
	default:
		if t.Conn == "" {
			a.dial(turn{To: e.ID})
		}
		a.tx.Later()
	}
}

// object is what a client sends: the prompt, and who asks which agent.
func (a agent) object(mid string, prompt object) []byte {
	light := a.Who.light(a.set.Variables)
	light["origin"] = a.origin()
	ours := object{"agentId": a.set.AgentID, "convoId": a.tx.Key(), "bucket": a.set.Bucket, "lightConvoData": light}
	if mid != "" {
		ours["actionMetadata"] = object{"mid": mid}
	}
	if owner := a.set.OwnerID; owner != "" {
		ours["agentData"] = object{"ownerID": owner, "userID": owner}
	}
	if !*a.set.UIEngine {
		ours["disableUiEngine"] = true
	}
	return codec.Compose(merged(ours, prompt))
}

func (a agent) origin() string { return cmp.Or(a.Who.Facts["origin"], a.set.Origin) }

// dial begins a turn. A name is used once, so that what comes late for another
// is not taken for this one's.
func (a agent) dial(t turn) {
	a.Turns++
	t.Conn = "turn-" + strconv.Itoa(a.Turns)
	a.Turn = t
	d := adapter.Dial{URL: a.set.SocketURL + a.set.Path}
	if token := a.tx.Credential(secret); token != "" {
		d.Header = http.Header{"Authorization": {"Bearer " + token}}
	}
	a.tx.Dial(t.Conn, d)
}

func (a agent) opened(in adapter.Opened) {
	if t := &a.Turn; t.on(in.Conn) && !t.Sent {
		t.Open = true
		if t.Own {
			a.send([]byte(t.Prompt))
		}
	}
}

// send sends the prompt, and keeps it until its answer begins.
func (a agent) send(data []byte) {
	t := &a.Turn
	t.Sent, t.Prompt = true, ""
	if weight(string(data)) <= promptSize {
		t.Prompt = string(data)
	}
	a.tx.Send(t.tag(), t.Conn, data)
	a.tx.After(turnTimer, a.set.Limit)
}

// sent has the delivery offered again when its prompt may not have left.
func (a agent) sent(in adapter.Sent) {
	t, left := &a.Turn, in.Outcome == adapter.SentWritten
	switch {
	case in.Tag != t.tag():
		if !left && strings.HasPrefix(in.Tag, "prompt/") {
			a.tx.Later()
		}
	case t.Heard, left && !t.Gone: // what is answered has left, whatever became known of it
		t.Written = true
	case left:
		a.lost()
	case t.Own:
		a.hangUp()
		a.lost()
	default:
		a.hangUp()
		a.over()
		a.tx.Later()
	}
}

func (a agent) hangUp() {
	if a.Turn.Conn != "" && !a.Turn.Gone {
		a.tx.Close(a.Turn.Conn, closeEnd)
	}
}

// over forgets the turn.
func (a agent) over() {
	a.tx.Stop(turnTimer)
	a.Turn = turn{}
}

// closed is the end of a turn, or of the connection before it.
func (a agent) closed(in adapter.Closed) {
	t := &a.Turn
	switch {
	case !t.on(in.Conn):
	case !t.Sent && !t.Own:
		if in.Reason == adapter.ClosedDialFailed {
			a.Failed = t.To
		}
		a.Turn = turn{}
	case t.Heard || in.Code == closeEnd && t.Written:
		a.finish(in.Code == closeEnd || t.Answer.Whole, "connection_lost")
	case t.Sent && !t.Written:
		t.Gone = true
	default:
		a.lost()
	}
}

// lost sends a prompt that had no answer once more, under the id it had.
func (a agent) lost() {
	t := a.Turn
	a.over()
	if t.Prompt != "" && !t.Again {
		a.dial(turn{To: t.To, Prompt: t.Prompt, Own: true, Again: true})
		return
	}
	a.unreachable()
	if !t.greets() {
		a.emit(event.MessageFailed{Message: t.To, Reason: "the connection was lost before the virtual agent answered"})
	}
	a.emit(event.AnswerCompleted{To: t.To})
}

func (a agent) unreachable() {
	a.emit(event.ErrorReported{Code: "unreachable", Detail: "the interact socket did not answer"})
}

// emit says what the agent did.
func (a agent) emit(body event.Body) { a.relay(body, "", nil) }

// relay says what the agent did, under the vendor's id and with what its frame
// held beside.
func (a agent) relay(body event.Body, ref string, rest object) {
	a.tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleVirtualAgent}, Body: body, Ref: ref, Vendor: keep(rest)})
}

func (a agent) fired(timer string) {
	switch {
	case timer == turnTimer && a.Turn.Sent:
		a.hangUp()
		a.finish(a.Turn.Answer.Whole, "turn_timed_out")
	case timer == greetTimer && a.Greeting != "" && a.Turn.Conn == "":
		a.dial(turn{To: a.Greeting, Prompt: string(a.object(a.Greeting, object{"prompt": promptStart})), Own: true})
		a.Greeting = ""
	}
}

func (a agent) end(e event.Event) {
	a.hangUp()
	a.over()
	a.tx.Stop(greetTimer)
	if a.set.Rest && a.Turns > 0 {
		a.mark(e.ID, stateEnded, "")
	}
	*a.agentState = agentState{Ended: true}
}
