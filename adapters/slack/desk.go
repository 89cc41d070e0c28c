package slack

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// The phases of a leg.
const (
	phaseNone      = ""          // nobody was asked yet
	phaseSetting   = "setting"   // the thread is being made
	phaseOpen      = "open"      // people have it, waiting or in work
	phaseReturning = "returning" // they have handed it back, and nobody has it yet
	phaseCut       = "cut"       // making it was cut short; what cut it comes
	phaseGone      = "gone"      // it went on without them
	phaseEnded     = "ended"
)

// What tags begin with, beside those of the hand-off, of files and of reads.
const (
	actSay  = "say"
	actLine = "line"
	actRoot = "root"
	actWho  = "who"
)

// timerLook reads the thread, and offers again what waits for another turn.
const (
	timerLook = "look"
	lookAgain = 5 * time.Second
)

// state is what a leg remembers between turns.
type state struct {
	Phase   string `json:"phase,omitempty"`
	Handoff string `json:"handoff,omitempty"` // the event that asked for people
	Channel string `json:"channel,omitempty"`
	Thread  string `json:"thread,omitempty"` // the timestamp of its head
	Key     string `json:"key,omitempty"`    // what leads a press here
	Card    string `json:"card,omitempty"`   // the head's words
	Status  string `json:"status,omitempty"` // and how it stands
	Shown   int    `json:"shown,omitempty"`  // how often the head was changed
	// Agent is who has it, and Taken that the bridge knows of somebody having it.
	Agent event.Actor `json:"agent,omitzero"`
	Taken bool        `json:"taken,omitempty"`
	// People are those who write here, as the customer is to know them, and Asking
	// whom Slack is being asked about.
	People  []event.Actor `json:"people,omitempty"`
	Asking  string        `json:"asking,omitempty"`
	Presses []press       `json:"presses,omitempty"` // of buttons, not dealt with
	Ending  *press        `json:"ending,omitempty"`  // what comes after the words before it
	Told    string        `json:"told,omitempty"`    // the thread where people were told that it is over
	Setup   setup         `json:"setup,omitzero"`
	Saying  saying        `json:"saying,omitzero"`
	Reading reading       `json:"reading,omitzero"`
	Proof   *proof        `json:"proof,omitempty"`
}

// desk is one turn of a leg.
type desk struct {
	tx  *adapter.Tx
	set settings
	s   *state
}

func handle(tx *adapter.Tx, s *state, in adapter.Input) error {
	set, err := settingsOf(tx)
	if err != nil {
		return err
	}
	d := desk{tx, set, s}
	switch in := in.(type) {
	case adapter.Request:
		return d.request(in)
	case adapter.Deliver:
		d.deliver(in.Event)
	case adapter.Result:
		d.result(in)
	case adapter.Reconcile, adapter.Fired:
		d.look()
	case adapter.Check:
		d.check(in)
	default:
		return adapter.ErrUnsupported
	}
	return nil
}

// deliver passes an event on to the people there. What is not for them is settled
// by doing nothing.
func (d desk) deliver(e event.Event) {
	if d.s.Phase == phaseEnded {
		return
	}
	switch body := e.Body.(type) {
	case event.HandoffRequested:
		d.asked(e, body)
	case event.MessageCreated:
		d.said(e, body.Content)
	case event.MessageFailed:
		d.line(e.ID, ":warning: Not delivered to the customer: "+escape(cmp.Or(body.Reason, "their side did not take it")))
	case event.NoteCreated:
		d.line(e.ID, ":lock: *"+name(e.Actor)+":* "+escape(body.Text))
	case event.ContextUpdated:
		d.line(e.ID, escape(facts(body.Attributes)))
	case event.ErrorReported:
		d.line(e.ID, ":warning: "+escape(strings.TrimSpace(body.Code+" "+body.Detail)))
	default:
		d.departure(e)
	}
}

// departure is what takes the conversation from the people there, or leaves it.
func (d desk) departure(e event.Event) {
	switch e.Body.(type) {
	case event.HandoffCancelled:
		d.leave(e.ID, d.set.CancelledText, phaseGone)
	case event.HandoffFailed, event.HandbackCompleted, event.TransferCompleted:
		d.leave(e.ID, d.set.AbsentText, phaseGone)
	case event.ConversationEnded:
		d.leave(e.ID, d.set.EndedText, phaseEnded)
	case event.HandbackFailed:
		if d.s.Phase == phaseReturning {
			d.line(e.ID, "The virtual agent did not take the conversation back.")
			d.reopen()
		}
	}
}

// reopen gives the conversation back to who handed it back.
func (d desk) reopen() {
	d.s.Phase = phaseOpen
	d.show("With " + name(d.s.Agent))
	d.look()
}

// said passes words on: the customer's as theirs, those of others who speak to the
// customer beside these people as a line.
func (d desk) said(e event.Event, c event.Content) {
	customer := e.Actor.Role == event.RoleCustomer
	if customer && d.s.Phase == phaseReturning {
		d.reopen() // nobody took it back
	}
	switch text := codec.Plain(c); {
	case e.Actor.Role == event.RoleSystem:
	case customer && d.s.Phase != phaseOpen:
		d.tx.Fail("Slack's people do not have the conversation")
	case customer:
		d.says(e, c)
	case text != "":
		d.line(e.ID, "*"+name(e.Actor)+":* "+escape(text))
	}
}

// line is something people are told in the thread.
func (d desk) line(id, text string) {
	if d.s.Thread == "" || text == "" {
		return
	}
	head, _ := codec.Cut(text, messageLimit)
	c, _ := d.post(head, "")
	d.tx.Call(actLine+"/"+id, c)
}

// leave says in the thread why the conversation is over here, and takes the buttons
// away. Of one its people gave away they know.
func (d desk) leave(eventID, why, next string) {
	was := d.s.Phase
	if was != phaseNone || next == phaseEnded {
		d.s.Phase = next
	}
	if was == phaseOpen || was == phaseSetting || was == phaseCut {
		d.line(eventID, escape(why))
		d.show(escape(why))
	}
	d.s.Setup, d.s.Presses, d.s.Ending, d.s.Reading.Busy = setup{}, nil, nil, false
	d.tx.Stop(timerLook)
}

// show changes the head of the thread to what it is now. It waits in no lane: what
// waits is let go of when the conversation goes on.
func (d desk) show(status string) {
	d.s.Status = status
	if d.s.Thread == "" {
		return
	}
	d.s.Shown++
	d.update("")
}

// update makes the newest change of the head.
func (d desk) update(again string) {
	c := d.write("chat.update", fields{"channel": d.s.Channel, "ts": d.s.Thread, "text": d.headline(), "blocks": d.blocks()})
	c.Repeat = adapter.RepeatKeyed
	d.tx.Call(fmt.Sprintf("%s/%d%s", actRoot, d.s.Shown, again), c)
}

// shown looks whether a change of the head was let go of all the same: then it is
// made once more, unless another was since.
func (d desk) shown(of string, r adapter.Result) {
	if r.Reason == adapter.ReasonCancelled && of == strconv.Itoa(d.s.Shown) {
		d.update("/again")
	}
}

func (d desk) result(r adapter.Result) {
	if d.s.Phase == phaseEnded {
		return
	}
	act, of, _ := strings.Cut(r.Tag, "/")
	switch {
	case d.s.Proof != nil:
		d.proved(r)
	case act == actWho:
		d.introduced(of, r)
	case act == actRoot:
		d.shown(of, r)
	case act == readThread && of == d.s.Handoff:
		d.readResult(r)
	case act == actSay && d.s.Saying.Event != "" && strings.HasPrefix(of, d.s.Saying.Event+"/"):
		d.saidResult(strings.TrimPrefix(of, d.s.Saying.Event+"/"), r)
	case d.s.Setup.Step != "" && r.Tag == d.s.Setup.Step:
		d.step(act, r)
	}
}

func (d desk) report(code, detail string) {
	d.emit(event.ErrorReported{Code: code, Detail: detail})
}

func (d desk) emit(body event.Body) {
	d.tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleLiveAgent}, Body: body})
}
