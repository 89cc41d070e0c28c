package zendesk

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
	phaseOpen      = "open"      // its people have control, in a queue or in work
	phaseReturning = "returning" // they have given it up, and nobody has it yet
	phaseCut       = "cut"       // making it was cut short; what cut it comes
	phaseGone      = "gone"      // it went on without them
	phaseEnded     = "ended"
)

// What tags begin with, beside those of the hand-off and of reads.
const (
	actSay   = "say"
	actTell  = "tell"
	actWho   = "who"
	actSeen  = "seen"
	actLeave = "leave"
)

// timerLook reads the conversation when its people may have begun, or when a read
// failed.
const (
	timerLook = "look"
	lookSoon  = time.Second
	lookAgain = 30 * time.Second
)

// timerMerge ends the wait for what may have become of a conversation that is not there
// any more: one that was merged into another is told of after it is gone.
const (
	timerMerge = "merge"
	mergeLimit = 5 * time.Second
)

// state is what a leg remembers between turns.
type state struct {
	Phase   string `json:"phase,omitempty"`
	Handoff string `json:"handoff,omitempty"` // the event that asked for people
	User    string `json:"user,omitempty"`    // the customer as Zendesk knows them
	Chat    string `json:"chat,omitempty"`    // the conversation
	// Agent is who wrote last, and Taken that somebody did.
	Agent event.Actor `json:"agent,omitzero"`
	Taken bool        `json:"taken,omitempty"`
	// Own are the customer's newest messages there.
	Own []string `json:"own,omitempty"`
	// Told says that whoever wrote too late has been told so.
	Told    bool    `json:"told,omitempty"`
	Setup   setup   `json:"setup,omitzero"`
	Saying  saying  `json:"saying,omitzero"`
	Reading reading `json:"reading,omitzero"`
	Proof   *proof  `json:"proof,omitempty"`
}

// saying is the customer's message on its way, which may be several there.
type saying struct {
	Event string  `json:"event,omitempty"`
	Next  []entry `json:"next,omitempty"`
	// Looked is the event for which it was looked up who the customer is, and Gone that
	// the conversation was not there.
	Looked string `json:"looked,omitempty"`
	Gone   bool   `json:"gone,omitempty"`
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
		if d.s.Saying.Gone = d.s.Saying.Gone && in.Timer != timerMerge; in.Timer == timerLook {
			d.look(lookWhole)
		}
	case adapter.Check:
		d.check(in)
	default:
		return adapter.ErrUnsupported
	}
	return nil
}

// deliver passes an event on to the people there. What is not for them is settled
// by doing nothing: what they alone may see has no place in a conversation that
// Zendesk may mail to the customer.
func (d desk) deliver(e event.Event) {
	if d.s.Phase == phaseEnded {
		return
	}
	switch body := e.Body.(type) {
	case event.HandoffRequested:
		d.asked(e, body)
	case event.MessageCreated:
		d.said(e, body.Content)
	case event.MessageRead:
		d.seen(e)
	case event.HandoffCancelled:
		d.leave(e.ID, d.set.CancelledText, phaseGone)
	case event.HandoffFailed, event.HandbackCompleted, event.TransferCompleted:
		d.leave(e.ID, d.set.AbsentText, phaseGone)
	case event.ConversationEnded:
		d.leave(e.ID, d.set.EndedText, phaseEnded)
	case event.HandbackFailed:
		if d.s.Phase == phaseReturning {
			d.s.Phase = phaseOpen
			d.tx.Call(actLeave+"/"+e.ID, d.pass(d.set.Agents, nil))
			d.tell("back/"+e.ID, "The virtual agent did not take the conversation back.")
		}
	}
}

// said passes words on: the customer's as theirs, those of others who speak to the
// customer beside these people as theirs of the business.
func (d desk) said(e event.Event, c event.Content) {
	switch customer := e.Actor.Role == event.RoleCustomer; {
	case e.Actor.Role == event.RoleSystem:
	case d.s.Phase != phaseOpen && customer:
		d.tx.Fail("Zendesk's people do not have the conversation")
	case d.s.Phase != phaseOpen:
	case customer && d.s.Saying.Gone:
		d.tx.Later()
	case customer:
		d.s.Saying = saying{Event: e.ID, Looked: d.s.Saying.Looked, Next: entriesOf("", c)}
		if len(d.s.Saying.Next) == 0 {
			d.tx.Fail("the message has no words and no file to send")
			return
		}
		d.send(actSay+"/"+e.ID, &d.s.Saying.Next[0], 0)
	default:
		d.tellAs(author(e.Actor), e.ID, codec.Plain(c))
	}
}

// saidResult ends the customer's message, or goes on with it. Where it is refused it is
// looked up once who the customer is there: another, since two users were merged.
func (d desk) saidResult(tag string, r adapter.Result) {
	p := &d.s.Saying
	open := d.s.Phase == phaseOpen
	if open && refused(r) && p.Next[0].File == nil && p.Looked != p.Event {
		p.Looked = p.Event
		d.tx.Call(actWho+"/"+p.Event, d.there(http.MethodGet, "/participants", nil))
		d.tx.Later()
		return
	}
	again, fault := d.sent(&p.Next[0], r)
	switch {
	case again && open:
		d.send(tag, &p.Next[0], 0)
		return
	case fault != "" || again:
		d.tx.Fail(cmp.Or(fault, "Zendesk's people do not have the conversation"))
	default:
		d.learnt(r)
		if p.Next = p.Next[1:]; len(p.Next) > 0 && open {
			d.send(tag, &p.Next[0], 0)
			return
		}
		if d.s.Phase == phaseReturning || d.s.Phase == phaseGone {
			d.release(p.Event) // the customer's words have given it to whoever answers first there
		}
	}
	p.Event, p.Next = "", nil
}

// learnt ties the customer's message to Zendesk's.
func (d desk) learnt(r adapter.Result) {
	if id := idOf(first(r)); id != "" {
		d.tx.Known(d.s.Saying.Event, id)
		d.s.Own = append(d.s.Own, id)
		d.s.Own = d.s.Own[max(len(d.s.Own)-ownMost, 0):]
	}
}

// ownMost is how many of the customer's messages are remembered.
const ownMost = 20

// seen tells that the customer has read all there is.
func (d desk) seen(e event.Event) {
	if d.s.Phase == phaseOpen && e.Actor.Role == event.RoleCustomer {
		d.tx.Call(actSeen+"/"+e.ID, d.there(http.MethodPost, "/activity",
			fields{"author": fields{"type": "user", "userId": d.s.User}, "type": "conversation:read"}))
	}
}

// tell says something to the people there, in the bridge's own name.
func (d desk) tell(of, text string) { d.tellAs(bridgeName, of, text) }

func (d desk) tellAs(name, of, text string) {
	if text != "" && d.s.Chat != "" {
		head, _ := codec.Cut(text, textLimit)
		d.send(actTell+"/"+of, &entry{Name: name, Content: textOf(head)}, 0)
	}
}

// bridgeName is who speaks where nobody else does.
const bridgeName = "Footbridge"

// pass gives control of the conversation to a switchboard integration.
func (d desk) pass(to string, ticket fields) adapter.Call {
	body := fields{"switchboardIntegration": to}
	if len(ticket) > 0 {
		body["metadata"] = ticket
	}
	return d.there(http.MethodPost, "/passControl", body)
}

// release takes control from whoever has it.
func (d desk) release(of string) {
	if d.s.Chat != "" {
		d.tx.Call(actLeave+"/"+of, d.there(http.MethodPost, "/releaseControl", fields{"reason": "ticketClosed", "metadata": fields{mark: of}}))
	}
}

// leave takes the conversation from the people there and says why. Where they gave it
// up themselves it needs neither.
func (d desk) leave(eventID, why, next string) {
	was := d.s.Phase
	if was == phaseOpen || was == phaseSetting || was == phaseCut {
		d.tell(eventID, why)
		d.release(eventID)
	}
	if was != phaseNone || next == phaseEnded {
		d.s.Phase = next
	}
	d.s.Setup, d.s.Reading.Level, d.s.Reading.Marks = setup{}, 0, nil
	d.tx.Stop(timerLook)
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
		d.read(r)
	case act == actSay && of == d.s.Saying.Event && len(d.s.Saying.Next) > 0:
		d.saidResult(r.Tag, r)
	case act == actWho && r.Reason == "" && r.Status == http.StatusNotFound:
		d.s.Saying.Gone = true
		d.tx.After(timerMerge, mergeLimit)
	case act == actWho:
		d.become(r)
	case d.s.Setup.Step != "" && r.Tag == d.s.Setup.Step:
		d.step(act, r)
	}
}

// own reports whether a message is the customer's, as the bridge sent it.
func (s *state) own(id string) bool { return slices.Contains(s.Own, id) }
