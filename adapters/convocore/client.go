package convocore

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// refsMost bounds the client's messages remembered by their ids, and partsSize
// what a turn keeps of what was said in it, in bytes.
const (
	refsMost  = 8
	partsSize = 5 << 10
)

// closeEnd ends a turn, and turnTimer ends one nobody answers.
const (
	closeEnd  = 1000
	turnTimer = "turn"
)

// Whether a client knows that people were asked for.
const (
	handoffDue  = "due"
	handoffTold = "told"
)

// clientState is what a leg to a client remembers between turns.
type clientState struct {
	Ended bool   `json:"ended,omitempty"`
	Who   person `json:"who,omitzero"`
	// Conn is the connection that waits for an answer; without one words wait.
	// Next is one that has not asked yet.
	Conn string   `json:"conn,omitempty"`
	Next string   `json:"next,omitempty"`
	Turn exchange `json:"turn,omitzero"`
	// Refs are the client's last messages, the newest last; Owed is how many of
	// them have no whole answer.
	Refs    []string `json:"refs,omitempty"`
	Owed    int      `json:"owed,omitempty"`
	Handoff string   `json:"handoff,omitempty"`
}

func handleClient(tx *adapter.Tx, s *clientState, in adapter.Input) error {
	if s.Ended {
		if late, ok := in.(adapter.Opened); ok {
			tx.Close(late.Conn, closeEnd)
		}
		return nil
	}
	switch in := in.(type) {
	case adapter.Opened:
		s.Conn, s.Next, s.Turn = "", in.Conn, exchange{}
	case adapter.Frame:
		return s.frame(tx, in)
	case adapter.Closed:
		if in.Conn == s.Conn {
			s.Conn, s.Turn = "", exchange{}
			tx.Stop(turnTimer)
		}
	case adapter.Sent:
		if in.Outcome != adapter.SentWritten {
			tx.Later()
		}
	case adapter.Fired:
		if in.Timer == turnTimer && s.Conn != "" {
			s.close(tx)
		}
	case adapter.Deliver:
		return s.deliver(tx, in.Event)
	default:
		return adapter.ErrUnsupported
	}
	return nil
}

// frame is the client's object. A connection has one, and while it is answered
// may have a prompt that cancels.
func (s *clientState) frame(tx *adapter.Tx, in adapter.Frame) error {
	set, err := settingsOf(tx)
	if err != nil {
		return err
	}
	v, err := readFrame(in.Data)
	if err != nil {
		tx.Emit(adapter.Emission{Actor: s.Who.Actor, Body: event.ErrorReported{Code: "unreadable_frame", Detail: err.Error()}})
		return nil
	}
	who, facts := describe(v.Get("lightConvoData").Unwrap())
	s.Who.meet(who)
	s.Who.Actor.Role = event.RoleCustomer
	if news := s.Who.learn(facts); len(news) > 0 {
		tx.Emit(adapter.Emission{Actor: s.Who.Actor, Body: event.ContextUpdated{Attributes: news}})
	}
	bodies := askedIn(v)
	command, _ := bodies[0].(event.CommandIssued)
	if command.Name == "cancel" {
		s.emit(tx, v, bodies, "")
		return nil
	}
	ref := v.Get("actionMetadata").Unwrap().Get("mid").Text()
	again := ref != "" && slices.Contains(s.Refs, ref)
	ref = cmp.Or(ref, "turn-"+tx.NewID())
	if in.Conn == s.Next && in.Conn != "" {
		s.Conn, s.Next = s.Next, ""
	}
	if in.Conn == s.Conn && in.Conn != "" {
		s.begin(tx, set, v, ref, again)
		s.Turn.History = command.Name == "history"
	}
	s.emit(tx, v, bodies, ref)
	return nil
}

// emit says what the client asked. A repeat has the same ref and is the same
// event.
func (s *clientState) emit(tx *adapter.Tx, v codec.Value, bodies []event.Body, ref string) {
	for i, body := range bodies {
		e := adapter.Emission{Actor: s.Who.Actor, Body: body, Ref: ref}
		if i == 0 {
			e.Vendor = keep(restOfPrompt(v, body, s.Who))
		} else if ref != "" {
			e.Ref = ref + "/" + strconv.Itoa(i)
		}
		tx.Emit(e)
	}
}

// begin opens the client's turn. A repeat of what has its answer gets what is
// left over and is closed.
func (s *clientState) begin(tx *adapter.Tx, set settings, v codec.Value, ref string, again bool) {
	s.Turn.Plain = !*set.UIEngine || v.Get("disableUiEngine").Text() == "true"
	s.Turn.Ref = ref
	switch {
	case !again:
		s.Owed++
		s.Refs = append(s.Refs, ref)
		s.Refs = s.Refs[max(0, len(s.Refs)-refsMost):]
		tx.After(turnTimer, set.Limit)
	case s.Owed == 0:
		tx.After(turnTimer, leftOver)
	default:
		tx.After(turnTimer, set.Limit)
	}
	if s.Handoff == handoffDue {
		s.announce(tx, nil)
	}
}

// deliver passes an event on to the client.
func (s *clientState) deliver(tx *adapter.Tx, e event.Event) error {
	set, err := settingsOf(tx)
	if err != nil {
		return err
	}
	switch body := e.Body.(type) {
	case event.MessageCreated:
		if e.Actor.Role != event.RoleCustomer {
			s.say(tx, e, body)
			s.linger(tx, set)
		}
	case event.SurveyOffered:
		s.say(tx, e, event.MessageCreated{Content: surveyOf(body)})
	case event.MessagePartial:
		s.partial(tx, e, body)
		s.linger(tx, set)
	case event.AnswerCompleted:
		s.answered(tx, body.To)
	case event.TranscriptShared:
		s.history(tx, e, body)
	case event.HandoffRequested:
		s.announce(tx, &e)
	case event.HandoffQueued, event.HandoffOffered, event.HandoffAccepted:
		s.handingOff(tx, *set.AnnounceHandoff)
	case event.HandoffFailed, event.HandoffCancelled, event.HandbackCompleted:
		s.Handoff = ""
	case event.Extension:
		s.extension(tx, body)
	case event.ConversationEnded:
		if s.Conn != "" {
			s.close(tx)
		}
		if s.Next != "" { // nothing will be asked on it any more
			tx.Close(s.Next, closeEnd)
		}
		*s = clientState{Ended: true}
	}
	return nil
}

// linger gives a turn that still owes an answer its whole time again.
func (s *clientState) linger(tx *adapter.Tx, set settings) {
	if s.Conn != "" && s.Owed > 0 {
		tx.After(turnTimer, set.Limit)
	}
}

// surveyOf is a survey as a question.
func surveyOf(s event.SurveyOffered) event.Content {
	if len(s.Options) == 0 {
		return event.Plain(s.Question)
	}
	return event.Content{Part: event.Choices{Text: s.Question, Options: s.Options}}
}

// handingOff tells the client once that people were asked for; one that is away
// hears of it at its next turn.
func (s *clientState) handingOff(tx *adapter.Tx, announce bool) {
	switch {
	case !announce || s.Handoff != "":
	case s.Conn == "":
		s.Handoff = handoffDue
	default:
		s.announce(tx, nil)
	}
}

func (s *clientState) announce(tx *adapter.Tx, request *event.Event) {
	if s.Conn == "" {
		return
	}
	s.Handoff = handoffTold
	frame := actionFrame("")
	if request != nil {
		body, _ := request.Body.(event.HandoffRequested)
		frame = merged(actionFrame(body.Reason), kept(*request))
	}
	tx.Send("", s.Conn, codec.Compose(frame))
}

// actionFrame asks for people.
func actionFrame(note string) object {
	action := object{"type": requestHandoff}
	if note != "" {
		action["payload"] = note
	}
	return object{"type": frameAction, "action": action}
}

// history gives the client what was said before; that is all an object without a
// prompt asks for.
func (s *clientState) history(tx *adapter.Tx, e event.Event, body event.TranscriptShared) {
	if s.Conn == "" {
		return
	}
	tx.Send("", s.Conn, codec.Compose(merged(object{"type": frameHistory, "turns": turnsOf(body.Entries)}, kept(e))))
	if s.Turn.History && !s.Turn.Begun {
		s.Turn.Told = true
		s.close(tx)
	}
}

// answered ends the client's turn when it is the one that was answered, or when
// nobody can tell and no answer is owed any more. What was no turn, such as an
// order to cancel, owes none.
func (s *clientState) answered(tx *adapter.Tx, to string) {
	current := to != "" && to == s.Turn.Ref
	earlier := to != "" && !current && slices.Contains(s.Refs, to)
	if to != "" && !current && !earlier {
		return
	}
	s.Owed = max(0, s.Owed-1)
	if current {
		s.Owed = 0
	}
	if s.Conn == "" || earlier || s.Owed > 0 {
		return
	}
	s.close(tx)
}

// close ends the client's turn: the last frame sums it up.
func (s *clientState) close(tx *adapter.Tx) {
	if !s.Turn.Told {
		tx.Send("", s.Conn, codec.Compose(s.Turn.summary(nil)))
	}
	tx.Close(s.Conn, closeEnd)
	tx.Stop(turnTimer)
	s.Conn, s.Turn = "", exchange{}
}
