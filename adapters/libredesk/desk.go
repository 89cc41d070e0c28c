package libredesk

import (
	"cmp"
	"net/http"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// The phases of a leg.
const (
	phaseNone      = ""          // nobody was asked yet
	phaseSetting   = "setting"   // the conversation is being made there
	phaseOpen      = "open"      // its people have it, in a queue or in work
	phaseReturning = "returning" // they have resolved it, and nobody has it yet
	phaseCut       = "cut"       // making it was cut short; what cut it comes
	phaseGone      = "gone"      // it went on without them
	phaseEnded     = "ended"
)

// What tags begin with, beside those of the hand-off and of reads.
const (
	actSay   = "say"
	actNote  = "note"
	actSeen  = "seen"
	actLeave = "leave"
	actRenew = "renew"
)

// timerLook reads the conversation when its people may have begun, or when a read
// failed.
const (
	timerLook = "look"
	lookSoon  = time.Second
	lookAgain = 30 * time.Second
)

// state is what a leg remembers between turns.
type state struct {
	Phase   string  `json:"phase,omitempty"`
	Handoff string  `json:"handoff,omitempty"` // the event that asked for people
	Contact contact `json:"contact,omitzero"`
	Chat    string  `json:"chat,omitempty"` // the conversation's uuid
	Self    string  `json:"self,omitempty"` // the number of the key's agent
	// Agent is whom the conversation is assigned to, and Taken that the bridge knows
	// of somebody having it.
	Agent event.Actor `json:"agent,omitzero"`
	Taken bool        `json:"taken,omitempty"`
	// Told says that whoever wrote too late has been told so.
	Told    bool     `json:"told,omitempty"`
	Setup   setup    `json:"setup,omitzero"`
	Saying  saying   `json:"saying,omitzero"`
	Reading reading  `json:"reading,omitzero"`
	Line    line     `json:"line,omitzero"`
	Check   checking `json:"check,omitzero"`
}

// saying is the customer's message on its way.
type saying struct {
	Event string `json:"event,omitempty"`
	// Then are words that follow a file, and Instead those for one that is refused.
	Then    string `json:"then,omitempty"`
	Instead string `json:"instead,omitempty"`
	// Renewed is the event for which a new token was asked.
	Renewed string `json:"renewed,omitempty"`
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
		return d.hint(in)
	case adapter.Deliver:
		d.deliver(in.Event)
	case adapter.Result:
		d.result(in)
	case adapter.Reconcile:
		d.look(lookWhole)
		d.again()
	case adapter.Check:
		d.check(in)
	default:
		return d.connection(in)
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
	case event.TypingStarted:
		d.types(e, true)
	case event.TypingStopped:
		d.types(e, false)
	case event.MessageRead:
		d.seen(e)
	case event.NoteCreated:
		d.note(e.ID, author(e.Actor)+": "+body.Text)
	case event.ContextUpdated:
		d.note(e.ID, facts(body.Attributes))
	case event.ErrorReported:
		d.note(e.ID, strings.TrimSpace(body.Code+" "+body.Detail))
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
			d.s.Phase = phaseOpen
			d.tx.Call(actLeave+"/"+e.ID, d.setStatus("Open"))
			d.note(e.ID, "The virtual agent did not take the conversation back.")
			d.again()
		}
	}
}

// said passes words on: the customer's as theirs, those of others who speak to the
// customer beside these people as a note.
func (d desk) said(e event.Event, c event.Content) {
	switch {
	case e.Actor.Role == event.RoleSystem:
	case d.s.Phase != phaseOpen:
		if e.Actor.Role == event.RoleCustomer {
			d.tx.Fail("Libredesk's people do not have the conversation")
		}
	case e.Actor.Role == event.RoleCustomer:
		d.says(e, c)
	default:
		if text := codec.Plain(c); text != "" {
			d.note(e.ID, author(e.Actor)+": "+text)
		}
	}
}

// says sends the customer's message. A file goes as a file, its caption after it.
func (d desk) says(e event.Event, c event.Content) {
	text := codec.Plain(c)
	file, isFile := c.Part.(event.Media)
	d.s.Saying = saying{Event: e.ID, Renewed: d.s.Saying.Renewed}
	switch {
	case text == "":
		d.tx.Fail("the message has no words and no file to send")
	case isFile && file.URL != "":
		d.s.Saying.Then, d.s.Saying.Instead = within(file.Caption, bytesLimit/4), within(text, bytesLimit/4)
		call := d.widget(http.MethodPost, "/media/upload", nil)
		call.Form = []adapter.FormField{{Name: "conversation_uuid", Value: d.s.Chat},
			{Name: "files", File: file.URL, Filename: file.Name, MIME: file.MIME}}
		d.tx.Call(actSay+"/"+e.ID, call)
	case len(text) > bytesLimit:
		d.tx.Fail("the text is longer than the 10,000 bytes Libredesk takes")
	default:
		d.write(text)
	}
}

// write sends words of the customer's.
func (d desk) write(text string) {
	d.tx.Call(actSay+"/"+d.s.Saying.Event, d.widget(http.MethodPost, d.ours("/message"), fields{"message": text}))
}

// saidResult ends the customer's message, or goes on with it: with the caption of a
// file, with words in place of a file that is refused, or with a new token.
func (d desk) saidResult(r adapter.Result) {
	p := &d.s.Saying
	then, instead := p.Then, p.Instead
	p.Then, p.Instead = "", ""
	refused := r.Reason == adapter.ReasonNotAllowed || r.Reason == "" && (r.Status == http.StatusBadRequest || r.Status == http.StatusRequestEntityTooLarge)
	switch {
	case r.OK():
		data, _ := dataOf(r)
		if ref := uuidOf(data); ref != "" {
			d.tx.Known(p.Event, ref)
		}
		switch {
		case d.s.Phase == phaseReturning:
			d.resolve(p.Event) // it came as they resolved it, and opened it again
		case then != "" && d.s.Phase == phaseOpen:
			d.write(then)
		}
	case d.s.Phase == phaseOpen && r.Status == http.StatusUnauthorized && p.Renewed != p.Event:
		p.Renewed = p.Event
		d.exchange(actRenew + "/" + p.Event)
		d.tx.Later()
	case d.s.Phase == phaseOpen && refused && instead != "":
		d.write(instead)
	default:
		d.tx.Fail(r.Fault(inboxSecret))
	}
}

// seen tells that the customer has read all there is.
func (d desk) seen(e event.Event) {
	if d.s.Phase != phaseOpen || e.Actor.Role != event.RoleCustomer {
		return
	}
	c := d.widget(http.MethodPost, d.ours("/update-last-seen"), nil)
	c.Repeat = adapter.RepeatKeyed
	d.tx.Call(actSeen+"/"+e.ID, c)
}

// note leaves a private note in the conversation.
func (d desk) note(of, text string) {
	if d.s.Chat == "" || d.s.Phase == phaseNone || text == "" {
		return
	}
	head, _ := codec.Cut(text, 4*partLimit)
	d.tx.Call(actNote+"/"+of, d.noteCall(head))
}

func (d desk) noteCall(text string) adapter.Call {
	c := d.agent(http.MethodPost, d.theirs("/messages"), fields{"message": noteHTML(text), "private": true, "sender_type": "agent", "attachments": []int{}})
	c.Repeat = adapter.RepeatMarked
	return c
}

// learn reads from the answer to a note who the key's agent is.
func (d desk) learn(r adapter.Result) {
	if data, good := dataOf(r); good {
		d.s.Self = cmp.Or(within(data.Get("sender_id").Text(), idLimit), d.s.Self)
	}
}

func (d desk) setStatus(word string) adapter.Call {
	return d.agent(http.MethodPut, d.theirs("/status"), fields{"status": word})
}

// leave resolves the conversation there and says why. One its people resolved needs
// neither.
func (d desk) leave(eventID, why, next string) {
	was := d.s.Phase
	if was == phaseOpen || was == phaseSetting || was == phaseCut {
		d.note(eventID, why)
		d.resolve(eventID)
	}
	if was != phaseNone || next == phaseEnded {
		d.s.Phase = next
	}
	d.s.Setup, d.s.Saying, d.s.Reading.Level = setup{}, saying{}, 0
	d.tx.Stop(timerLook)
	d.hangUp()
}

func (d desk) resolve(eventID string) {
	if d.s.Chat != "" {
		d.tx.Call(actLeave+"/"+eventID, d.setStatus("Resolved"))
	}
}

func (d desk) result(r adapter.Result) {
	if d.s.Phase == phaseEnded {
		return
	}
	act, of, _ := strings.Cut(r.Tag, "/")
	switch {
	case act == actCheck:
		d.checked(of, r)
	case act == actRead:
		d.read(of, r)
	case act == actSay && of == d.s.Saying.Event && of != "":
		d.saidResult(r)
	case act == actNote:
		d.learn(r)
	case d.s.Setup.Step != "" && r.Tag == d.s.Setup.Step:
		d.step(act, r)
	}
}
