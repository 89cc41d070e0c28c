package libredesk

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// The steps of a hand-off, in order: the contact's token, the conversation, its look-up
// where nobody knows whether it was made, what goes with it, whom it is for.
const (
	stepExchange = "exchange"
	stepInit     = "init"
	stepFind     = "find"
	stepNote     = "brief"
	stepAssign   = "assign"
)

const (
	exchangePath = "/chat/auth/exchange"
	// tokenLasts is how long what we say of the customer is good.
	tokenLasts = 15 * time.Minute
	// chunkLimit is how much of what goes with a hand-off is kept between turns, in
	// bytes; the rest is taken from the request when it is offered again.
	chunkLimit = 8 << 10
	// initTries is how often a conversation is made when nobody knows whether it was.
	initTries = 3
)

// setup is a hand-off on its way.
type setup struct {
	// Step is the tag of the call under way.
	Step  string `json:"step,omitempty"`
	Queue string `json:"queue,omitempty"`
	// First is the contact's first message.
	First string `json:"first,omitempty"`
	Tries int    `json:"tries,omitempty"`
	// Since is when the conversation was made at the earliest, by Libredesk's clock,
	// in microseconds since 1970.
	Since int64 `json:"since,omitempty"`
	// Next are the next notes, Done how many left, More that others follow.
	Next   []string `json:"next,omitempty"`
	Done   int      `json:"done,omitempty"`
	More   bool     `json:"more,omitempty"`
	Failed int      `json:"failed,omitempty"`
}

// contact is who the customer is, as Libredesk knows them.
type contact struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
}

// asked begins a hand-off, or takes it up again where it is offered for the rest of
// what goes with it.
func (d desk) asked(e event.Event, body event.HandoffRequested) {
	p := &d.s.Setup
	switch {
	case d.s.Phase == phaseOpen, d.s.Handoff == e.ID && d.s.Phase != phaseSetting:
		return
	case d.s.Handoff != e.ID:
		d.hangUp()
		*d.s = state{Phase: phaseSetting, Handoff: e.ID, Line: line{Conn: d.s.Line.Conn}, Contact: d.contactOf(e, body)}
		*p = setup{Queue: body.Routing.Queue, First: within(cmp.Or(lastWords(body.Transcript), d.set.AskText), bytesLimit/4)}
		d.load(body)
		d.exchange(stepExchange)
	case p.Step != "":
		d.tx.Later() // something else came meanwhile; the call is still under way
	default:
		d.load(body)
		d.next()
	}
}

func (d desk) contactOf(e event.Event, body event.HandoffRequested) contact {
	who := customerOf(e, body)
	id := within(cmp.Or(who.ID, d.tx.Conversation()), idLimit)
	c := contact{ID: id, Name: within(cmp.Or(strings.TrimSpace(who.Name), strings.TrimSpace(fact(body.Context, "name", "profile_name", "full_name")), d.set.CustomerName), nameLimit)}
	c.Email = fact(body.Context, "email", "user_email", "email_address")
	if strings.Count(c.Email, "@") != 1 || strings.ContainsAny(c.Email, " <>,;") || len(c.Email) > 254 {
		local := strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
				return r
			}
			return '-'
		}, id)
		c.Email = within(local, 60) + "@" + d.set.EmailDomain
	}
	return c
}

// load takes the next notes from the request.
func (d desk) load(body event.HandoffRequested) {
	p := &d.s.Setup
	all := briefing(body)
	room := chunkLimit
	p.Next, p.More = nil, false
	for _, one := range all[min(p.Done, len(all)):] {
		if room -= len(codec.Compose(one)); room < 0 && len(p.Next) > 0 {
			p.More = true
			return
		}
		p.Next = append(p.Next, one)
	}
}

func (d desk) call(step string, c adapter.Call) {
	p := &d.s.Setup
	p.Step = fmt.Sprintf("%s/%s/%d", step, d.s.Handoff, p.Done+p.Tries)
	c.GiveUp = openLimit
	d.tx.Call(p.Step, c)
}

// exchange asks for the contact's token. A contact who is known keeps theirs.
func (d desk) exchange(step string) {
	who := d.s.Contact
	c := d.widget(http.MethodPost, exchangePath, fields{"jwt": d.tx.Token(inboxSecret, map[string]any{
		"external_user_id": who.ID, "first_name": who.Name, "email": who.Email, "exp": d.tx.Now().Add(tokenLasts).Unix()})})
	c.Capture = []adapter.Capture{{Name: session, Pointer: "/data/session_token"}}
	c.Repeat, c.GiveUp = adapter.RepeatKeyed, openLimit
	if step == stepExchange {
		d.call(step, c)
		return
	}
	d.tx.Call(step, c)
}

func (d desk) begin() {
	p := &d.s.Setup
	p.Tries++
	c := d.widget(http.MethodPost, "/chat/conversations/init", fields{"message": p.First, "form_data": fields{}})
	c.Repeat, c.Binds = adapter.RepeatNever, true
	d.call(stepInit, c)
}

func (d desk) find() {
	c := d.widget(http.MethodGet, "/chat/conversations", nil)
	c.Repeat, c.Binds = adapter.RepeatKeyed, true
	d.call(stepFind, c)
}

// next goes on with what is to be done once the conversation is there.
func (d desk) next() {
	p := &d.s.Setup
	if len(p.Next) == 0 {
		d.assign()
		return
	}
	if d.call(stepNote, d.noteCall(p.Next[0])); len(p.Next) == 1 && p.More {
		d.tx.Later()
	}
}

// step goes on when a step's call has ended.
func (d desk) step(step string, r adapter.Result) {
	d.s.Setup.Step = ""
	if r.Reason == adapter.ReasonCancelled {
		d.s.Phase = phaseCut
		return
	}
	data, good := dataOf(r)
	switch step {
	case stepExchange:
		d.exchanged(r, good)
	case stepInit:
		d.begun(r, data.Get("conversation"), good)
	case stepFind:
		d.found(r, data, good)
	case stepNote:
		d.noted(r)
	case stepAssign:
		if !r.OK() {
			d.report("not_assigned", "Libredesk "+r.Fault(credentialKey)+"; look at the settings teams and agents")
		}
		d.opened()
	}
}

func (d desk) exchanged(r adapter.Result, good bool) {
	if !good {
		d.fail(r)
		return
	}
	at, err := time.Parse(time.RFC1123, r.Header.Get("Date"))
	if err != nil {
		at = d.tx.Now().Truncate(time.Second)
	}
	d.s.Setup.Since = at.UnixMicro()
	d.begin()
}

func (d desk) begun(r adapter.Result, v codec.Value, good bool) {
	unknown := r.Reason == adapter.ReasonUnknown || r.Reason == adapter.ReasonTooLarge || r.Reason == "" && r.Status >= 500 || r.OK()
	switch {
	case good && uuidOf(v) != "":
		d.bound(v)
	case unknown:
		d.find()
	default:
		d.fail(r)
	}
}

// found takes the newest of the contact's conversations, if it was made since we
// wanted one.
func (d desk) found(r adapter.Result, list codec.Value, good bool) {
	p := &d.s.Setup
	var newest codec.Value
	for _, one := range list.Items() {
		if at := instant(one.Get("created_at")); at >= max(p.Since, instant(newest.Get("created_at"))) && uuidOf(one) != "" {
			newest = one
		}
	}
	switch {
	case !good:
		d.fail(r)
	case newest.Exists():
		d.bound(newest)
	case p.Tries < initTries:
		d.begin()
	default:
		d.fail(r)
	}
}

func (d desk) bound(v codec.Value) {
	d.s.Chat, d.s.Setup.First = uuidOf(v), ""
	d.tx.Bind(d.s.Chat)
	d.next()
}

// noted goes on after a note, also where it was refused: people can do without, and
// not without the conversation.
func (d desk) noted(r adapter.Result) {
	p := &d.s.Setup
	d.learn(r)
	if !r.OK() {
		p.Failed++
	}
	p.Done++
	p.Next = p.Next[min(1, len(p.Next)):]
	if r.Reason != "" && r.Reason != adapter.ReasonNotAllowed || r.Status >= 500 {
		p.Next, p.More = nil, false // nobody answers; the rest would only take time
	}
	if len(p.Next) == 0 && p.More {
		return // the request is offered again
	}
	d.next()
}

func (d desk) assign() {
	kind, id := d.set.assignment(d.s.Setup.Queue)
	if kind == "" {
		d.opened()
		return
	}
	d.call(stepAssign, d.agent(http.MethodPut, d.theirs("/assignee/"+kind), fields{"assignee_id": id}))
}

// opened says that the people there have it in a queue, and looks soon whether one
// has it already.
func (d desk) opened() {
	if failed := d.s.Setup.Failed; failed > 0 {
		d.report("transcript_incomplete", fmt.Sprintf("Libredesk did not take %d notes of what was said before", failed))
	}
	d.s.Phase, d.s.Setup = phaseOpen, setup{}
	d.emit(event.HandoffQueued{})
	d.tx.After(timerLook, lookSoon)
	d.dial()
}

// fail says that these people cannot be asked. What was made of the conversation is
// closed, so that nobody waits in it.
func (d desk) fail(r adapter.Result) {
	reason := event.FailedBackendDown
	if r.Reason == "" && r.Status >= 400 && r.Status < 500 && r.Status != http.StatusTooManyRequests {
		reason = event.FailedRejected
		d.report("refused", "Libredesk "+r.Fault(inboxSecret))
	}
	d.emit(event.HandoffFailed{Reason: reason})
	d.resolve(d.s.Handoff)
	d.s.Phase, d.s.Setup = phaseGone, setup{}
}

func (d desk) report(code, detail string) {
	d.emit(event.ErrorReported{Code: code, Detail: detail})
}

func (d desk) emit(body event.Body) {
	d.tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleLiveAgent}, Body: body})
}
