package chatwoot

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/backend"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
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

// state is what a leg remembers between turns. Chat is the conversation's number, and
// Self the token's user.
type state struct {
	backend.Course
	Source string `json:"source,omitempty"` // the contact as the inbox knows it
	// Own are the newest messages we made: what tells of them is no hint.
	Own     []int64         `json:"own,omitempty"`
	Setup   setup           `json:"setup,omitzero"`
	Saying  saying          `json:"saying,omitzero"`
	Reading backend.Reading `json:"reading,omitzero"`
	Proof   backend.Proof   `json:"proof,omitzero"`
}

// saying is the customer's message on its way, and the words for a file that
// cannot be sent.
type saying struct {
	backend.Saying
	Instead string `json:"instead,omitempty"`
}

// desk is one turn of a leg.
type desk struct {
	backend.Desk
	set settings
	s   *state
}

func handle(tx *adapter.Tx, s *state, in adapter.Input) error {
	var set settings
	if err := set.fill(tx.Account()); err != nil {
		return err
	}
	d := desk{backend.Desk{Tx: tx, Course: &s.Course, Steps: &s.Setup.Steps, Reading: &s.Reading, Proof: &s.Proof, Ways: set.Ways, Acts: new(backend.Acts),
		Title: "Chatwoot", Login: credential, Reopens: true}, set, s}
	d.Reads = backend.Reads{Whole: d.whole, Page: d.page, Tell: d.message}
	*d.Acts = backend.Acts{Ask: d.asked, Say: d.says, Note: d.note, Resolve: d.resolve, Reopen: d.reopen, Rest: d.rest,
		Step: d.step, Clear: func() { s.Setup = setup{} }, Hint: d.hint, Answer: d.answer, Check: d.check, Proved: d.proved}
	return d.Turn(in)
}

// rest is what Chatwoot shows beside words: typing, and what became of a message.
func (d desk) rest(e event.Event) {
	if d.s.Phase != backend.Open {
		return
	}
	customer := e.Actor.Role == event.RoleCustomer
	switch body := e.Body.(type) {
	case event.TypingStarted, event.TypingStopped:
		if customer {
			word := map[event.Kind]string{event.KindTypingStarted: "on", event.KindTypingStopped: "off"}[e.Kind()]
			c := post(d.ours("/toggle_typing?typing_status="+word), backend.Fields{})
			c.Repeat, c.GiveUp = adapter.RepeatNever, backend.OpenLimit
			d.Tx.Call(actType+"/"+e.ID, c)
		}
	case event.MessageDelivered:
		d.status(e.ID, body.Message, "delivered", "")
	case event.MessageFailed:
		d.status(e.ID, body.Message, "failed", cmp.Or(body.Reason, "not delivered"))
	case event.MessageRead:
		if customer {
			c := post(d.ours("/update_last_seen"), backend.Fields{}) // all there is
			c.Repeat = adapter.RepeatKeyed
			d.Tx.Call(actSeen+"/"+e.ID, c)
		}
	}
}

// says sends the customer's message. A file goes as a file.
func (d desk) says(e event.Event, c event.Content) {
	p := &d.s.Saying
	if p.Event != e.ID {
		*p = saying{Saying: backend.Saying{Event: e.ID}}
	}
	text := codec.Plain(c)
	file, isFile := c.Part.(event.Media)
	switch {
	case !d.Ready(&p.Saying, text):
	case isFile && file.URL != "":
		p.Instead, _ = codec.Cut(text, partLimit) // it is kept
		call := post(d.ours("/messages"), nil)
		call.Form = form(file, adapter.FormField{Name: "content", Value: file.Caption}, adapter.FormField{Name: "echo_id", Value: e.ID})
		d.Tx.Call(actSay+"/"+e.ID, call)
	default:
		d.SendPart(&p.Saying, codec.Split(text, textLimit), d.write)
	}
}

// write sends words of the customer's.
func (d desk) write(id, text string) {
	d.Tx.Call(actSay+"/"+id, post(d.ours("/messages"), backend.Fields{"content": text, "echo_id": id}))
}

// form is a message with a file, in the fields Chatwoot reads.
func form(file event.Media, words ...adapter.FormField) []adapter.FormField {
	words = slices.DeleteFunc(words, func(f adapter.FormField) bool { return f.Value == "" })
	return append(words, adapter.FormField{Name: "attachments[]", File: file.URL, Filename: file.Name, MIME: file.MIME})
}

// status tells what became of a message of the people there.
func (d desk) status(eventID, ref, word, why string) {
	id, _, _ := strings.Cut(ref, "/")
	if codec.NumberID(id) == 0 {
		return
	}
	body := backend.Fields{"status": word}
	body.Put("external_error", why)
	d.Tx.Call(actStatus+"/"+eventID, d.asUser(http.MethodPatch, d.theirs("/messages/"+id), body))
}

// note leaves a private note in the conversation.
func (d desk) note(of, text string) {
	head, _ := codec.Cut(text, textLimit)
	c := d.asUser(http.MethodPost, d.theirs("/messages"), backend.Fields{"content": head, "message_type": typeOutgoing, "private": true})
	c.Repeat = adapter.RepeatMarked
	d.Tx.Call(actNote+"/"+of, c)
}

func (d desk) setStatus(word string) adapter.Call {
	return d.asUser(http.MethodPost, d.theirs("/toggle_status"), backend.Fields{"status": word})
}

// reopen gives it to the people there again, and reads what they wrote meanwhile.
func (d desk) reopen(of string) {
	d.Tx.Call(actLeave+"/"+of, d.setStatus("open"))
	d.Look(backend.LookMessages)
}

func (d desk) resolve(of string) { d.Tx.Call(actLeave+"/"+of, d.setStatus("resolved")) }

// answer goes on when a call has ended.
func (d desk) answer(act, of string, r adapter.Result) {
	switch {
	case act == actRead:
		if tag, ours := d.ReadTag(r); ours {
			d.read(tag, r)
		}
	case act == actSay && d.s.Saying.Sends(of):
		d.saidResult(r)
	case act == actNote:
		d.learn(r)
	}
}

// saidResult ends the customer's message, or a part of it. Words go in place of a file
// that is refused.
func (d desk) saidResult(r adapter.Result) {
	p := &d.s.Saying
	if p.More {
		d.learn(r)
	}
	if p.PartSent(r, "") {
		return // the delivery is offered again
	}
	instead, id := p.Instead, p.Event
	*p = saying{}
	switch {
	case r.OK():
		if one := d.learn(r); one.ID != "" {
			d.Tx.Known(id, one.ID)
		}
		if d.s.Phase == backend.Returning || d.s.Phase == backend.Gone {
			d.resolve(id) // the customer's words have opened it again
		}
	case r.Refused() && instead != "" && d.s.Phase == backend.Open:
		p.Event = id
		d.write(id, instead)
	default:
		d.Tx.Fail(r.Fault(""))
	}
}

// learn reads the answer to a message of ours: its number, so that what tells of
// it is no hint, and who the token's user is.
func (d desk) learn(r adapter.Result) backend.Seen {
	v, err := codec.Lenient(r.Body)
	if err != nil || !r.OK() {
		return backend.Seen{}
	}
	if sender := v.Get("sender"); kindOf(v) == typeOutgoing && isPerson(sender, false) {
		d.s.Self = sender.Get("id").Text()
	}
	one := seenOf(v)
	if one.ID != "" {
		d.s.Own = append(d.s.Own, one.At)
		d.s.Own = d.s.Own[max(len(d.s.Own)-ownMost, 0):]
	}
	return one
}

// ownMost is how many messages of ours are told from others before they are read.
const ownMost = 20

// heard reports whether a message is no news.
func (s *state) heard(m backend.Seen) bool { return slices.Contains(s.Own, m.At) || s.Reading.Knows(m) }
