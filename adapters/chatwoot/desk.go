package chatwoot

import (
	"cmp"
	"net/http"
	"slices"
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
	actSay    = "say"
	actNote   = "note"
	actStatus = "status"
	actSeen   = "seen"
	actType   = "typing"
	actLeave  = "leave"
)

// state is what a leg remembers between turns.
type state struct {
	Phase   string `json:"phase,omitempty"`
	Handoff string `json:"handoff,omitempty"` // the event that asked for people
	Source  string `json:"source,omitempty"`  // the contact as the inbox knows it
	Chat    string `json:"chat,omitempty"`    // the conversation's number
	Self    string `json:"self,omitempty"`    // the token's user
	// Agent is whom the conversation is assigned to, and Taken that the bridge knows
	// of somebody having it.
	Agent event.Actor `json:"agent,omitzero"`
	Taken bool        `json:"taken,omitempty"`
	// Own are the newest messages we made: what tells of them is no hint.
	Own []int64 `json:"own,omitempty"`
	// Told says that whoever wrote too late has been told so.
	Told    bool    `json:"told,omitempty"`
	Setup   setup   `json:"setup,omitzero"`
	Saying  saying  `json:"saying,omitzero"`
	Reading reading `json:"reading,omitzero"`
	Proof   *proof  `json:"proof,omitempty"`
}

// saying is the customer's message on its way, and the words for a file that
// cannot be sent.
type saying struct {
	Event   string `json:"event,omitempty"`
	Instead string `json:"instead,omitempty"`
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
	case adapter.Fired:
		d.look(lookWhole)
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
	case event.TypingStarted, event.TypingStopped:
		d.types(e)
	case event.MessageDelivered:
		d.status(e.ID, body.Message, "delivered", "")
	case event.MessageFailed:
		d.status(e.ID, body.Message, "failed", cmp.Or(body.Reason, "not delivered"))
	case event.MessageRead:
		d.seen(e)
	case event.NoteCreated:
		d.note(actNote+"/"+e.ID, author(e.Actor)+": "+body.Text)
	case event.ContextUpdated:
		d.note(actNote+"/"+e.ID, facts(body.Attributes))
	case event.ErrorReported:
		d.note(actNote+"/"+e.ID, strings.TrimSpace(body.Code+" "+body.Detail))
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
			d.tx.Call(actLeave+"/"+e.ID, d.setStatus("open"))
			d.note(actNote+"/"+e.ID, "The virtual agent did not take the conversation back.")
		}
	}
}

// said passes words on: the customer's as theirs, those of others who speak to the
// customer beside these people as a note.
func (d desk) said(e event.Event, c event.Content) {
	switch {
	case e.Actor.Role == event.RoleSystem:
	case e.Actor.Role == event.RoleCustomer && d.s.Phase == phaseReturning:
		d.s.Phase = phaseOpen // nobody took it back: the words open it again there, too
		d.says(e, c)
	case d.s.Phase != phaseOpen:
		if e.Actor.Role == event.RoleCustomer {
			d.tx.Fail("Chatwoot's people do not have the conversation")
		}
	case e.Actor.Role == event.RoleCustomer:
		d.says(e, c)
	default:
		if text := codec.Plain(c); text != "" {
			d.note(actNote+"/"+e.ID, author(e.Actor)+": "+text)
		}
	}
}

// says sends the customer's message. A file goes as a file.
func (d desk) says(e event.Event, c event.Content) {
	text := codec.Plain(c)
	file, isFile := c.Part.(event.Media)
	isFile = isFile && file.URL != ""
	switch {
	case text == "":
		d.tx.Fail("the message has no words and no file to send")
		return
	case codec.Length(text) > textLimit:
		d.tx.Fail("the text is longer than Chatwoot takes")
		return
	}
	call := post(d.ours("/messages"), fields{"content": text, "echo_id": e.ID})
	d.s.Saying = saying{Event: e.ID}
	if isFile {
		d.s.Saying.Instead = text
		call.Form = form(file, adapter.FormField{Name: "content", Value: file.Caption}, adapter.FormField{Name: "echo_id", Value: e.ID})
		call.Body, call.Header = nil, nil
	}
	d.tx.Call(actSay+"/"+e.ID, call)
}

// form is a message with a file, in the fields Chatwoot reads.
func form(file event.Media, words ...adapter.FormField) []adapter.FormField {
	var list []adapter.FormField
	for _, f := range words {
		if f.Value != "" {
			list = append(list, f)
		}
	}
	return append(list, adapter.FormField{Name: "attachments[]", File: file.URL, Filename: file.Name, MIME: file.MIME})
}

// types shows that the customer writes.
func (d desk) types(e event.Event) {
	if d.s.Phase != phaseOpen || e.Actor.Role != event.RoleCustomer {
		return
	}
	word := map[event.Kind]string{event.KindTypingStarted: "on", event.KindTypingStopped: "off"}[e.Kind()]
	c := post(d.ours("/toggle_typing?typing_status="+word), fields{})
	c.Repeat, c.GiveUp = adapter.RepeatNever, openLimit
	d.tx.Call(actType+"/"+e.ID, c)
}

// status tells what became of a message of the people there.
func (d desk) status(eventID, ref, word, why string) {
	id, _, _ := strings.Cut(ref, "/")
	if d.s.Phase != phaseOpen || codec.NumberID(id) == 0 {
		return
	}
	body := fields{"status": word}
	body.put("external_error", why)
	d.tx.Call(actStatus+"/"+eventID, d.asUser(http.MethodPatch, d.theirs("/messages/"+id), body))
}

// seen tells that the customer has read all there is.
func (d desk) seen(e event.Event) {
	if d.s.Phase != phaseOpen || e.Actor.Role != event.RoleCustomer {
		return
	}
	c := post(d.ours("/update_last_seen"), fields{})
	c.Repeat = adapter.RepeatKeyed
	d.tx.Call(actSeen+"/"+e.ID, c)
}

// note leaves a private note in the conversation.
func (d desk) note(tag, text string) {
	if d.s.Chat == "" || d.s.Phase == phaseNone || text == "" {
		return
	}
	head, _ := codec.Cut(text, textLimit)
	c := d.asUser(http.MethodPost, d.theirs("/messages"), fields{"content": head, "message_type": typeOutgoing, "private": true})
	c.Repeat = adapter.RepeatMarked
	d.tx.Call(tag, c)
}

func (d desk) setStatus(word string) adapter.Call {
	return d.asUser(http.MethodPost, d.theirs("/toggle_status"), fields{"status": word})
}

// leave resolves the conversation there and says why. One its people resolved needs
// neither.
func (d desk) leave(eventID, why, next string) {
	was := d.s.Phase
	if was == phaseOpen || was == phaseSetting || was == phaseCut {
		d.note(actNote+"/"+eventID, why)
		d.resolve(eventID)
	}
	if was != phaseNone || next == phaseEnded {
		d.s.Phase = next
	}
	d.s.Setup = setup{}
	d.tx.Stop(timerLook)
}

func (d desk) resolve(eventID string) {
	if d.s.Chat != "" {
		d.tx.Call(actLeave+"/"+eventID, d.setStatus("resolved"))
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

// saidResult ends the customer's message. Words go in place of a file that is
// refused.
func (d desk) saidResult(r adapter.Result) {
	instead, id := d.s.Saying.Instead, d.s.Saying.Event
	refused := r.Reason == adapter.ReasonNotAllowed || r.Reason == "" && (r.Status == http.StatusBadRequest || r.Status == http.StatusRequestEntityTooLarge || r.Status == http.StatusUnprocessableEntity)
	d.s.Saying = saying{}
	switch {
	case r.OK():
		if ref := d.learn(r); ref != "" {
			d.tx.Known(id, ref)
		}
		if d.s.Phase == phaseReturning || d.s.Phase == phaseGone {
			d.resolve(id) // the customer's words have opened it again
		}
	case refused && instead != "" && d.s.Phase == phaseOpen:
		d.s.Saying.Event = id
		d.tx.Call(actSay+"/"+id, post(d.ours("/messages"), fields{"content": instead, "echo_id": id}))
	default:
		d.tx.Fail(r.Fault(""))
	}
}

// learn reads the answer to a message of ours: its number, so that what tells of
// it is no hint, and who the token's user is.
func (d desk) learn(r adapter.Result) string {
	v, err := codec.Lenient(r.Body)
	if err != nil || !r.OK() {
		return ""
	}
	id := v.Get("id").Text()
	if sender := v.Get("sender"); kindOf(v) == typeOutgoing && isPerson(sender, false) {
		d.s.Self = sender.Get("id").Text()
	}
	if codec.NumberID(id) == 0 {
		return ""
	}
	d.s.Own = append(d.s.Own, codec.NumberID(id))
	d.s.Own = d.s.Own[max(len(d.s.Own)-ownMost, 0):]
	return id
}

// ownMost is how many messages of ours are told from others before they are read.
const ownMost = 20

// heard reports whether a message is no news.
func (s *state) heard(id int64) bool { return slices.Contains(s.Own, id) || s.Reading.knows(id) }

// timerLook reads the conversation when its people may have begun.
const (
	timerLook = "look"
	lookSoon  = time.Second
	lookAgain = 30 * time.Second
)
