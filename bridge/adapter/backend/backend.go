// Package backend is what is the same for every desk of a vendor's that takes a
// hand-off by calls and tells of its people by webhooks: how a hand-off goes there and
// comes to its end, what goes with it, and how what its people do is read back.
//
// An adapter embeds [Course] and [Reading] in its state and [Desk] in what it makes each
// turn, fills [Acts] and [Reads] with how its vendor does each thing, and gives its inputs
// to [Desk.Turn], and what a read brings to [Desk.Came] and [Desk.Page].
// Nothing here calls the vendor or knows its frames. All is as pure as the adapter: a
// Desk is of one turn, and not for use by several goroutines.
package backend

import (
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// Phase is how far a leg is with a hand-off.
type Phase string

// The phases of a leg.
const (
	None      Phase = ""          // nobody was asked yet
	Setting   Phase = "setting"   // the conversation is being made there
	Open      Phase = "open"      // its people have it, in a queue or in work
	Returning Phase = "returning" // they have given it back, and nobody has it yet
	Cut       Phase = "cut"       // making it was cut short; what cut it comes
	Gone      Phase = "gone"      // it went on without them
	Ended     Phase = "ended"
)

// The limits of what is tried: a hand-off must still be in time for the next desk, and
// what a read does not bring the next one does.
const (
	OpenLimit = 10 * time.Second
	ReadLimit = 30 * time.Second
)

// TypingLasts is how long a person is shown to write who does not say that they
// stopped.
const TypingLasts = 30 * time.Second

// TimerLook is the timer on which an adapter reads back what happened at the desk: soon
// after a hand-off, as its people may have begun, and a while after a read that failed.
const (
	TimerLook = "look"
	lookSoon  = time.Second
	lookAgain = 30 * time.Second
)

// timerQueued is the timer on which a hand-off that takes long is said to be queued: a
// platform that hands over waits ten seconds for an answer, and what was said before may
// take longer to be written down, message by message.
const (
	timerQueued = "queued"
	queuedSoon  = 4 * time.Second
	queuedLater = time.Second
)

// Course is what a leg remembers of its hand-off. An adapter's state embeds it.
type Course struct {
	Phase   Phase  `json:"phase,omitempty"`
	Handoff string `json:"handoff,omitempty"` // the event that asked for people
	// Chat is what the desk knows the conversation by, and Self whom it takes us for.
	Chat string `json:"chat,omitempty"`
	Self string `json:"self,omitempty"`
	// Agent is whom the conversation is assigned to, and Taken that the bridge knows
	// of somebody having it.
	Agent event.Actor `json:"agent,omitzero"`
	Taken bool        `json:"taken,omitempty"`
	// Queued says that the bridge knows of the conversation's being there.
	Queued bool `json:"queued,omitempty"`
	// Told says that whoever wrote too late has been told so, Late that somebody wrote
	// who is to be, once it is sure that nobody there has the conversation.
	Told bool `json:"told,omitempty"`
	Late bool `json:"late,omitempty"`
}

// Acts are how a desk does what every desk does. Each is called at most once for an
// event, in its turn, and asks for calls of the vendor.
type Acts struct {
	// Ask begins a hand-off or goes on with one; see Desk.Asked.
	Ask func(event.Event, event.HandoffRequested)
	// Say sends the customer's words. It fails the delivery where they cannot be sent.
	Say func(event.Event, event.Content)
	// Note shows its people a text that the customer does not see. Of is an id of the
	// event it is of, for the tag.
	Note func(of, text string)
	// Resolve takes the conversation from its people, and Reopen gives it to them
	// again, because the virtual agent did not take it back.
	Resolve, Reopen func(of string)
	// Back is called when its people give the conversation back, Left when the leg has
	// left them, and Rest for every event that Desk has no words for. Each may be nil.
	Back, Left func()
	Rest       func(event.Event)
	// Step goes on when a call of Desk.Step has ended, and Clear keeps nothing of a
	// hand-off that is no longer being made.
	Step  func(step string, r adapter.Result)
	Clear func()
	// Hint is what the vendor tells. Answer is how a call ended that is of no step and no
	// proof, as the halves of its tag. Other is an input or timer that Desk does not know;
	// it may be nil.
	Hint   func(adapter.Request) error
	Answer func(act, of string, r adapter.Result)
	Other  func(adapter.Input) error
	// Check begins to look whether the account works, and Proved goes on when a call of
	// Desk.Prove has ended.
	Check  func()
	Proved func(step string, r adapter.Result)
}

// Desk is one turn of a leg at a vendor's desk.
type Desk struct {
	Tx      *adapter.Tx
	Course  *Course
	Steps   *Steps
	Reading *Reading
	Proof   *Proof
	// Reads are set before Acts, which ask for them. Acts are filled through the pointer:
	// what they do is bound to copies of the desk made before.
	Reads Reads
	Acts  *Acts
	Ways  Ways
	// Title is what people call the vendor.
	Title string
	// Login is the credential a refused call is first put down to.
	Login string
	// Reopens says that the customer's words open a conversation there again that
	// its people have given back, so that they go there until somebody has taken it.
	Reopens bool
}

// Turn deals with an input.
func (d Desk) Turn(in adapter.Input) error {
	switch in := in.(type) {
	case adapter.Request:
		return d.Acts.Hint(in)
	case adapter.Deliver:
		d.deliver(in.Event)
	case adapter.Result:
		d.answered(in)
	case adapter.Reconcile:
		d.Look(LookWhole)
	case adapter.Fired:
		return d.fired(in)
	case adapter.Check:
		d.check(in)
	default:
		return d.other(in)
	}
	return nil
}

func (d Desk) other(in adapter.Input) error {
	if d.Acts.Other == nil {
		return adapter.ErrUnsupported
	}
	return d.Acts.Other(in)
}

// answered goes on when a call has ended. After the end nothing is to be done.
func (d Desk) answered(r adapter.Result) {
	act, of, _ := strings.Cut(r.Tag, "/")
	switch {
	case d.Course.Phase == Ended, d.proved(r), d.stepped(act, r):
	default:
		d.Acts.Answer(act, of, r)
	}
}

// deliver passes an event on to the people there. What is not for them is settled by
// doing nothing.
func (d Desk) deliver(e event.Event) {
	if d.Course.Phase == Ended {
		return
	}
	switch body := e.Body.(type) {
	case event.HandoffRequested:
		body.Routing.Queue = within(body.Routing.Queue, nameMost)
		d.Acts.Ask(e, body)
	case event.MessageCreated:
		d.said(e, body.Content)
	case event.NoteCreated:
		d.note(e.ID, Author(e.Actor)+": "+body.Text)
	case event.ContextUpdated:
		d.note(e.ID, Facts(body.Attributes))
	case event.ErrorReported:
		d.note(e.ID, strings.TrimSpace(body.Code+" "+body.Detail))
	case event.HandoffCancelled:
		d.leave(e.ID, d.Ways.CancelledText, Gone)
	case event.HandoffFailed, event.HandbackCompleted, event.TransferCompleted:
		d.leave(e.ID, d.Ways.AbsentText, Gone)
	case event.ConversationEnded:
		d.leave(e.ID, d.Ways.EndedText, Ended)
	case event.HandbackFailed:
		d.kept(e.ID)
	default:
		if d.Acts.Rest != nil {
			d.Acts.Rest(e)
		}
	}
}

// said passes words on: the customer's as theirs, those of others who speak to the
// customer beside these people as a note.
func (d Desk) said(e event.Event, c event.Content) {
	customer := e.Actor.Role == event.RoleCustomer
	if customer && d.Course.Phase == Returning && d.Reopens {
		d.Course.Phase = Open
	}
	switch {
	case e.Actor.Role == event.RoleSystem:
	case customer && d.Course.Phase == Open:
		d.Acts.Say(e, c)
	case customer:
		d.Tx.Fail(d.Title + "'s people do not have the conversation")
	case d.Course.Phase == Open:
		if text := codec.Plain(c); text != "" {
			d.note(e.ID, Author(e.Actor)+": "+text)
		}
	}
}

// note shows people there a text, where there is one and a conversation was made there.
func (d Desk) note(of, text string) {
	if text != "" && d.Course.Phase != None && d.Course.Chat != "" {
		d.Acts.Note(of, text)
	}
}

// resolve takes from them the conversation that is there.
func (d Desk) resolve(of string) {
	if d.Course.Chat != "" {
		d.Acts.Resolve(of)
	}
}

// kept gives the conversation back to its people, whom nobody took it from.
func (d Desk) kept(of string) {
	if d.Course.Phase != Returning {
		return
	}
	d.Course.Phase, d.Course.Late = Open, false
	d.Acts.Reopen(of)
	d.note(of, "The virtual agent did not take the conversation back.")
}

// leave takes the conversation from the people there and says why. Where they gave it
// back themselves there is nothing to say but to who has written since.
func (d Desk) leave(of, why string, next Phase) {
	was := d.Course.Phase
	if was == Open || was == Setting || was == Cut {
		d.note(of, why)
		d.resolve(of)
	}
	if was == Returning && d.Course.Late {
		d.Course.Told = true
		d.note(of, why)
	}
	if was != None || next == Ended {
		d.Course.Phase = next
	}
	if was == Setting || was == Cut {
		d.Tx.Stop(timerQueued)
	}
	d.Tx.Stop(TimerLook)
	d.Reading.over()
	if d.Acts.Clear(); d.Acts.Left != nil {
		d.Acts.Left()
	}
}

// TooLate tells whoever writes to the customer there, once, that the conversation went
// on without this desk. While it is on its way back to the virtual agent that waits: where
// it comes back to these people, what they wrote is read then.
func (d Desk) TooLate() {
	d.Course.Late = d.Course.Late || d.Course.Phase == Returning
	if d.Course.Phase == Gone && !d.Course.Told {
		d.Course.Told = true
		d.note("absent", d.Ways.AbsentText)
	}
}

// Emit says what became of the conversation there, in nobody's name.
func (d Desk) Emit(body event.Body) {
	d.Tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleLiveAgent}, Body: body})
}

// Report says what the operator should know; code is a word of the adapter's own.
func (d Desk) Report(code, detail string) {
	d.Emit(event.ErrorReported{Code: code, Detail: detail})
}
