package zendesk

import (
	"net/http"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/backend"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// What tags begin with, beside those of the hand-off and of reads.
const (
	actSay    = "say"
	actTell   = "tell"
	actWho    = "who"
	actSeen   = "seen"
	actLeave  = "leave"
	actAccept = "accept"
	actSeek   = "seek"
	actReopen = "reopen"
)

// timerMerge ends the wait for what may have become of a conversation that is not there
// any more: one that was merged into another is told of after it is gone.
const (
	timerMerge = "merge"
	mergeLimit = 5 * time.Second
)

// state is what a leg remembers between turns.
type state struct {
	backend.Course
	User string `json:"user,omitempty"` // the customer as Zendesk knows them
	// Own are the customer's newest messages there, and Parts those before the last of a
	// long one.
	Own     []string `json:"own,omitempty"`
	Parts   []string `json:"parts,omitempty"`
	Pages   int      `json:"pages,omitempty"` // that a message was looked for on
	Setup   setup    `json:"setup,omitzero"`
	Saying  saying   `json:"saying,omitzero"`
	Reading reading  `json:"reading,omitzero"`
	Proof   proof    `json:"proof,omitzero"`
}

// saying is the customer's message on its way.
type saying struct {
	backend.Saying
	// One is a part that is not words alone.
	One *entry `json:"one,omitempty"`
	// Tries is how often the part under way was not there when it was looked for, and
	// Since when it first left, in milliseconds.
	Tries int   `json:"tries,omitempty"`
	Since int64 `json:"since,omitempty"`
	// Looked says that it was looked up who the customer is there, and Lost that the
	// conversation was not there then.
	Looked bool `json:"looked,omitempty"`
	Lost   bool `json:"lost,omitempty"`
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
	d := desk{backend.Desk{Tx: tx, Course: &s.Course, Steps: &s.Setup.Steps, Reading: &s.Reading.Reading, Proof: &s.Proof.Proof, Ways: set.Ways, Acts: new(backend.Acts),
		Title: "Zendesk", Login: keySecret}, set, s}
	d.Reads = backend.Reads{Whole: d.whole, Page: d.page, Tell: d.message}
	*d.Acts = backend.Acts{Ask: d.asked, Say: d.says, Note: d.tell, Resolve: d.release, Reopen: d.reopen, Rest: d.seen,
		Step: d.step, Clear: func() { s.Setup = setup{} }, Hint: d.hint, Answer: d.answer, Other: d.other,
		Check: d.check, Proved: d.proved}
	if in, ok := in.(adapter.Deliver); ok && private(in.Event) {
		return nil
	}
	return d.Turn(in)
}

// other is that a conversation which is not there was waited for long enough.
func (d desk) other(in adapter.Input) error {
	if in, ok := in.(adapter.Fired); !ok || in.Timer != timerMerge {
		return adapter.ErrUnsupported
	}
	d.s.Saying.Lost = false
	return nil
}

// private reports whether an event is for people's eyes alone, as are the words of who
// may not speak to the customer now: it has no place in a conversation that Zendesk may
// mail to the customer.
func private(e event.Event) bool {
	switch e.Body.(type) {
	case event.MessageCreated:
		return e.Actor.Role != event.RoleCustomer
	case event.NoteCreated, event.ContextUpdated, event.ErrorReported:
		return true
	}
	return false
}

// says sends the customer's message. A file goes as a file, a place as one, and what has
// no room beside it after it.
func (d desk) says(e event.Event, c event.Content) {
	p := &d.s.Saying
	if p.Event != e.ID {
		*p = saying{Saying: backend.Saying{Event: e.ID}}
	}
	all := entriesOf("", c)
	switch {
	case p.Lost:
		d.Tx.Later()
	case d.Ready(&p.Saying, codec.Plain(c)):
		one := all[min(p.Part, len(all)-1)]
		if p.One = nil; one.File != nil || one.Plain != "" {
			p.One = &one
		}
		if p.Tries == 0 {
			p.Since = d.Tx.Now().UnixMilli()
		}
		d.send(actSay+"/"+p.ID(), &one, 0)
		if p.More = p.Part < len(all)-1; p.More {
			d.Tx.Later()
		}
	}
}

// saidResult ends the customer's message, or goes on with it. Where it is refused it is
// looked up once who the customer is there: another, since two users were merged.
func (d desk) saidResult(r adapter.Result, seek bool) {
	p := &d.s.Saying
	open, made := d.s.Phase == backend.Open, first(r)
	if page, read := pageOf(&r, seek); read {
		before := ""
		if made, before = d.marked(page, actSay+"/"+p.ID(), p.Since, seek); !made.Exists() && d.unseen(before) {
			return
		}
		if r.Reason = ""; !made.Exists() {
			r.Reason = adapter.ReasonUnknown
		}
	}
	if open && refused(r) && !p.Looked && (p.One == nil || p.One.File == nil) {
		p.Looked, p.More = true, false
		d.Tx.Call(actWho+"/"+p.Event, d.there(http.MethodGet, "/participants", nil))
		d.Tx.Later()
		return
	}
	fault := r.Fault(keySecret)
	if p.One != nil {
		again := false
		if again, fault = d.sent(p.One, r); again && open {
			d.send(actSay+"/"+p.ID(), p.One, 0)
			return
		}
	}
	d.said(r, made, fault)
}

// unseen goes on where a page does not have what it was looked for on: with the page
// before, or by sending it again; false where nothing is left to try.
func (d desk) unseen(before string) bool {
	p := &d.s.Saying
	switch {
	case before != "":
		d.Tx.Call(actSeek+"/"+p.ID(), d.seek(before))
	case p.Tries < sayTries && d.s.Phase == backend.Open:
		p.Tries++
		p.More = false
		d.Tx.After(backend.TimerLook, sayAgain)
		d.Tx.Later()
	default:
		return false
	}
	return true
}

// sayTries is how often the customer's words leave again that were not there, and
// sayAgain how soon.
const (
	sayTries = 5
	sayAgain = 5 * time.Second
)

// said ends a part of the customer's message, and with the last the message.
func (d desk) said(r adapter.Result, made codec.Value, fault string) {
	p := &d.s.Saying
	switch {
	case p.PartSent(r, keySecret):
		d.learnt(made, &d.s.Parts)
		p.Fault, p.One, p.Tries = fault, nil, 0
		return // the delivery is offered again for the next
	case fault != "":
		d.Tx.Fail(fault)
	default:
		d.learnt(made, &d.s.Own)
		if d.s.Phase == backend.Returning || d.s.Phase == backend.Gone {
			d.release(p.Event) // the customer's words have given it to whoever answers first there
		}
	}
	*p = saying{}
}

// learnt ties the customer's message to one of Zendesk's, and notes it among others.
func (d desk) learnt(made codec.Value, among *[]string) {
	if id := idOf(made); id != "" {
		d.Tx.Known(d.s.Saying.Event, id)
		*among = append(*among, id)
		*among = (*among)[max(len(*among)-ownMost, 0):]
	}
}

// ownMost is how many of the customer's messages are remembered.
const ownMost = 20

// seen tells that the customer has read all there is.
func (d desk) seen(e event.Event) {
	if e.Kind() == event.KindMessageRead && d.s.Phase == backend.Open && e.Actor.Role == event.RoleCustomer {
		d.Tx.Call(actSeen+"/"+e.ID, d.there(http.MethodPost, "/activity",
			backend.Fields{"author": backend.Fields{"type": "user", "userId": d.s.User}, "type": "conversation:read"}))
	}
}

// tell says something to the people there, in the bridge's own name.
func (d desk) tell(of, text string) {
	head, _ := codec.Cut(text, textLimit)
	d.send(actTell+"/"+of, &entry{Name: bridgeName, Content: textOf(head)}, 0)
}

// bridgeName is who speaks where nobody else does.
const bridgeName = "Footbridge"

// pass gives control of the conversation to a switchboard integration.
func (d desk) pass(to string, ticket backend.Fields) adapter.Call {
	body := backend.Fields{"switchboardIntegration": to}
	if len(ticket) > 0 {
		body["metadata"] = ticket
	}
	return d.there(http.MethodPost, "/passControl", body)
}

// release takes control from whoever has it.
func (d desk) release(of string) {
	d.Tx.Call(actLeave+"/"+of, d.there(http.MethodPost, "/releaseControl", backend.Fields{"reason": "ticketClosed", "metadata": backend.Fields{mark: of}}))
}

// reopen gives control to the people there again, and reads what they wrote meanwhile.
func (d desk) reopen(of string) {
	d.s.Reading.Reopen = reopening
	d.Tx.Call(actReopen+"/"+of, d.pass(d.set.Agents, nil))
	d.Look(backend.LookMessages)
}

// reopened looks who has control now: what was read of it meanwhile may be from before.
func (d desk) reopened() {
	if d.s.Reading.Reopen == reopening {
		d.s.Reading.Reopen = reopened
		d.Look(backend.LookWhole)
	}
}

// answer goes on when a call has ended.
func (d desk) answer(act, of string, r adapter.Result) {
	switch {
	case act == actRead:
		if tag, ours := d.ReadTag(r); ours {
			d.read(tag, r)
		}
	case (act == actSay || act == actSeek) && d.s.Saying.Sends(of):
		d.saidResult(r, act == actSeek)
	case act == actWho && r.Reason == "" && r.Status == http.StatusNotFound:
		d.s.Saying.Lost = true
		d.Tx.After(timerMerge, mergeLimit)
	case act == actWho:
		d.become(r)
	case act == actAccept:
		d.accepted(r)
	case act == actReopen:
		d.reopened()
	}
}
