package libredesk

import (
	"cmp"
	"net/http"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/backend"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// What tags begin with, beside those of the hand-off and of reads.
const (
	actSay   = "say"
	actNote  = "note"
	actSeen  = "seen"
	actLeave = "leave"
	actRenew = "renew"
)

// state is what a leg remembers between turns. Chat is the conversation's uuid, and
// Self the number of the key's agent.
type state struct {
	backend.Course
	Contact contact       `json:"contact,omitzero"`
	Setup   setup         `json:"setup,omitzero"`
	Saying  saying        `json:"saying,omitzero"`
	Reading reading       `json:"reading,omitzero"`
	Line    line          `json:"line,omitzero"`
	Proof   backend.Proof `json:"check,omitzero"`
}

// saying is the customer's message on its way.
type saying struct {
	backend.Saying
	// Then are words that follow a file, and Instead those for one that is refused.
	Then    string `json:"then,omitempty"`
	Instead string `json:"instead,omitempty"`
	// Renewed is the event for which a new token was asked.
	Renewed string `json:"renewed,omitempty"`
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
	d := desk{backend.Desk{Tx: tx, Course: &s.Course, Steps: &s.Setup.Steps, Reading: &s.Reading.Reading, Proof: &s.Proof, Ways: set.Ways, Acts: new(backend.Acts),
		Title: "Libredesk", Login: inboxSecret}, set, s}
	d.Reads = backend.Reads{Whole: d.whole, Page: d.page, Tell: d.message}
	*d.Acts = backend.Acts{Ask: d.asked, Say: d.says, Note: d.note, Resolve: d.resolve, Reopen: d.reopen, Back: d.hangUp, Left: d.left, Rest: d.rest,
		Step: d.step, Clear: func() { s.Setup = setup{} }, Hint: d.hint, Answer: d.answer, Other: d.connection,
		Check: d.check, Proved: d.proved}
	err := d.Turn(in)
	if _, ok := in.(adapter.Reconcile); ok {
		d.again()
	}
	return err
}

// rest is what Libredesk shows beside words: that the customer writes, and has read all
// there is.
func (d desk) rest(e event.Event) {
	if d.s.Phase != backend.Open || e.Actor.Role != event.RoleCustomer {
		return
	}
	switch e.Body.(type) {
	case event.TypingStarted:
		d.types(true)
	case event.TypingStopped:
		d.types(false)
	case event.MessageRead:
		c := d.widget(http.MethodPost, d.ours("/update-last-seen"), nil)
		c.Repeat = adapter.RepeatKeyed
		d.Tx.Call(actSeen+"/"+e.ID, c)
	}
}

// says sends the customer's message. A file goes as a file, its caption after it.
func (d desk) says(e event.Event, c event.Content) {
	text := codec.Plain(c)
	file, isFile := c.Part.(event.Media)
	p := &d.s.Saying
	if p.Event != e.ID {
		*p = saying{Saying: backend.Saying{Event: e.ID}, Renewed: p.Renewed}
	}
	switch {
	case !d.Ready(&p.Saying, text):
	case isFile && file.URL != "":
		p.Then, p.Instead = codec.Within(file.Caption, bytesLimit/4), codec.Within(text, bytesLimit/4)
		call := d.widget(http.MethodPost, "/media/upload", nil)
		call.Form = []adapter.FormField{{Name: "conversation_uuid", Value: d.s.Chat},
			{Name: "files", File: file.URL, Filename: file.Name, MIME: file.MIME}}
		d.Tx.Call(actSay+"/"+e.ID, call)
	default:
		d.SendPart(&p.Saying, codec.Split(text, bytesLimit/3), d.write) // no UTF-16 code unit takes more bytes
	}
}

// write sends words of the customer's.
func (d desk) write(id, text string) {
	d.Tx.Call(actSay+"/"+id, d.widget(http.MethodPost, d.ours("/message"), backend.Fields{"message": text}))
}

// saidResult ends the customer's message, or goes on with it: with the caption of a
// file, with words in place of a file that is refused, with a new token, or with the
// next part when the delivery is offered again.
func (d desk) saidResult(r adapter.Result) {
	p := &d.s.Saying
	expired := d.s.Phase == backend.Open && r.Status == http.StatusUnauthorized && p.Renewed != p.Event
	if !expired && p.PartSent(r, inboxSecret) {
		return
	}
	then, instead := p.Then, p.Instead
	p.Then, p.Instead = "", ""
	switch {
	case r.OK():
		data, _ := dataOf(r)
		if ref := uuidOf(data); ref != "" {
			d.Tx.Known(p.Event, ref)
		}
		switch {
		case d.s.Phase == backend.Returning:
			d.resolve(p.Event) // it came as they resolved it, and opened it again
		case then != "" && d.s.Phase == backend.Open:
			d.write(p.ID(), then)
		}
	case expired:
		p.Renewed = p.Event
		d.exchange(actRenew + "/" + p.Event)
		if !p.More {
			d.Tx.Later()
		}
	case d.s.Phase == backend.Open && r.Refused() && instead != "":
		d.write(p.ID(), instead)
	default:
		d.Tx.Fail(r.Fault(inboxSecret))
	}
}

// note leaves a private note in the conversation.
func (d desk) note(of, text string) {
	head, _ := codec.Cut(text, 4*partLimit)
	d.Tx.Call(actNote+"/"+of, d.noteCall(head))
}

func (d desk) noteCall(text string) adapter.Call {
	c := d.agent(http.MethodPost, d.theirs("/messages"), backend.Fields{"message": noteHTML(text), "private": true, "sender_type": "agent", "attachments": []int{}})
	c.Repeat = adapter.RepeatMarked
	return c
}

// learn reads from the answer to a note who the key's agent is.
func (d desk) learn(r adapter.Result) {
	if data, good := dataOf(r); good {
		d.s.Self = cmp.Or(codec.Within(data.Get("sender_id").Text(), idLimit), d.s.Self)
	}
}

func (d desk) setStatus(word string) adapter.Call {
	return d.agent(http.MethodPut, d.theirs("/status"), backend.Fields{"status": word})
}

// reopen gives it to the people there again, and reads what they wrote meanwhile.
func (d desk) reopen(of string) {
	d.Tx.Call(actLeave+"/"+of, d.setStatus("Open"))
	d.Look(backend.LookMessages)
	d.again()
}

// left keeps nothing of the talk.
func (d desk) left() {
	d.s.Saying = saying{}
	d.hangUp()
}

func (d desk) resolve(of string) { d.Tx.Call(actLeave+"/"+of, d.setStatus("Resolved")) }

// answer goes on when a call has ended.
func (d desk) answer(act, of string, r adapter.Result) {
	switch {
	case act == actRead:
		if tag, ours := d.ReadTag(r); ours {
			d.read(tag, r)
		}
	case act == actSay && d.s.Saying.Sends(of):
		d.saidResult(r)
	case act == actRenew:
		d.s.Saying.More = false // the same part again
	case act == actNote:
		d.learn(r)
	}
}
