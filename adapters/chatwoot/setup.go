package chatwoot

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// The steps of a hand-off, in order: the contact, its conversations where one may be
// there already, the conversation, what goes with it, its status, whom it is for.
const (
	stepContact = "contact"
	stepFind    = "find"
	stepCreate  = "create"
	stepPost    = "post"
	stepOpen    = "open"
	stepAssign  = "assign"
)

const (
	// chunkLimit is how much of what goes with a hand-off is kept between turns, in
	// bytes; the rest is taken from the request when it is offered again.
	chunkLimit = 12 << 10
	// partLimit is the longest part of a note or turn, in UTF-16 code units.
	partLimit = 6000
	// factLimit is the longest value of a custom attribute Chatwoot takes.
	factLimit = 1500
	// createTries is how often a conversation is created when nobody knows whether
	// it was.
	createTries = 3
)

// setup is a hand-off on its way.
type setup struct {
	// Step is the tag of the call under way.
	Step  string            `json:"step,omitempty"`
	Queue string            `json:"queue,omitempty"`
	Facts map[string]string `json:"facts,omitempty"`
	Tries int               `json:"tries,omitempty"`
	// Contact is the body that makes it; Bare that it holds what cannot be refused.
	Contact fields `json:"contact,omitempty"`
	Bare    bool   `json:"bare,omitempty"`
	Person  int64  `json:"person,omitempty"` // the contact's number
	// Next are the next messages, Done how many left, More that others follow.
	Next   []entry `json:"next,omitempty"`
	Done   int     `json:"done,omitempty"`
	More   bool    `json:"more,omitempty"`
	Failed int     `json:"failed,omitempty"`
}

// entry is one message that goes with a hand-off.
type entry struct {
	Type    string       `json:"type"`
	Private bool         `json:"private,omitempty"`
	Text    string       `json:"text,omitempty"`
	File    *event.Media `json:"file,omitempty"`
}

// asked begins a hand-off, or takes it up again where it is offered for the rest of
// what goes with it.
func (d desk) asked(e event.Event, body event.HandoffRequested) {
	p := &d.s.Setup
	switch {
	case d.s.Phase == phaseOpen, d.s.Handoff == e.ID && d.s.Phase != phaseSetting:
		return
	case d.s.Handoff != e.ID:
		*d.s = state{Phase: phaseSetting, Handoff: e.ID}
		*p = setup{Queue: body.Routing.Queue, Facts: attributes(body.Context)}
		d.load(body)
		p.Contact = contactOf(e, body, d.tx.Conversation(), d.source())
		d.contact()
	case p.Step != "":
		d.tx.Later() // something else came meanwhile; the call is still under way
	default:
		d.load(body)
		d.next()
	}
}

// source is what the inbox knows the contact by: so that its conversations are ours
// alone, and a create nobody knows the end of can be looked up.
func (d desk) source() string {
	if d.set.Again == againReopen {
		return d.tx.Conversation()
	}
	return d.s.Handoff
}

// load takes the next messages from the request.
func (d desk) load(body event.HandoffRequested) {
	p := &d.s.Setup
	all := d.set.briefing(body)
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

// contactOf is the body that makes the contact, or finds the one there is.
func contactOf(e event.Event, body event.HandoffRequested, conversation, source string) fields {
	who := customerOf(e, body)
	f := fields{"source_id": source, "identifier": cmp.Or(who.ID, conversation)}
	f.put("name", cmp.Or(who.Name, fact(body.Context, "name", "profile_name", "full_name")))
	if email := fact(body.Context, "email", "user_email", "email_address"); strings.Count(email, "@") == 1 && !strings.ContainsAny(email, " <>,;") {
		f["email"] = email
	}
	f.put("phone_number", phone(cmp.Or(fact(body.Context, "phone", "phone_number", "sender_phone_number"), who.ID)))
	if strings.HasPrefix(who.Avatar, "http") {
		f["avatar_url"] = who.Avatar
	}
	return f
}

// customerOf is who the customer is: who asked, or spoke before.
func customerOf(e event.Event, body event.HandoffRequested) event.Actor {
	who := event.Actor{}
	for _, one := range append([]event.Actor{e.Actor}, actors(body.Transcript)...) {
		if one.Role == event.RoleCustomer {
			who.ID, who.Name, who.Avatar = cmp.Or(who.ID, one.ID), cmp.Or(who.Name, one.Name), cmp.Or(who.Avatar, one.Avatar)
		}
	}
	return who
}

func actors(list []event.TranscriptEntry) []event.Actor {
	var all []event.Actor
	for _, one := range list {
		all = append(all, one.Actor)
	}
	return all
}

// fact is the first of the facts that is there, by names in any case.
func fact(context map[string]string, names ...string) string {
	for _, name := range names {
		for _, key := range slices.Sorted(maps.Keys(context)) {
			if strings.EqualFold(key, name) && context[key] != "" {
				return context[key]
			}
		}
	}
	return ""
}

// phone is a number as Chatwoot wants it, +447700900001, or "".
func phone(text string) string {
	digits := strings.NewReplacer(" ", "", "-", "", "(", "", ")", "").Replace(strings.TrimPrefix(text, "+"))
	if len(digits) < 7 || len(digits) > 15 || digits[0] == '0' || strings.Trim(digits, "0123456789") != "" {
		return ""
	}
	return "+" + digits
}

// attributes are the facts that have room beside the conversation.
func attributes(context map[string]string) map[string]string {
	out, room := map[string]string{}, chunkLimit
	for _, name := range slices.Sorted(maps.Keys(context)) {
		value, _ := codec.Cut(context[name], factLimit)
		if room -= len(name) + len(value); room >= 0 {
			out[name] = value
		}
	}
	return out
}

func (d desk) call(step string, c adapter.Call) {
	p := &d.s.Setup
	p.Step = step + "/" + d.s.Handoff
	if step == stepPost || step == stepCreate || step == stepFind {
		p.Step += fmt.Sprintf("/%d", p.Done+p.Tries)
	}
	c.GiveUp = openLimit
	d.tx.Call(p.Step, c)
}

func (d desk) contact() {
	d.s.Source = ""
	c := post(d.public(""), d.s.Setup.Contact)
	c.Repeat, c.Binds = adapter.RepeatKeyed, true // the source_id is the key
	d.call(stepContact, c)
}

func (d desk) find() {
	d.call(stepFind, adapter.Call{Method: http.MethodGet, URL: d.public("/conversations"), Repeat: adapter.RepeatKeyed, Binds: true})
}

func (d desk) create() {
	p := &d.s.Setup
	p.Tries++
	body := fields{"source_id": d.s.Source, "inbox_id": codec.NumberID(d.set.InboxID), "status": "pending"}
	if len(p.Facts) > 0 {
		body["custom_attributes"] = p.Facts
	}
	if p.Person != 0 {
		body["contact_id"] = p.Person
	}
	c := d.asUser(http.MethodPost, strings.TrimSuffix(d.theirs(""), "/"), body)
	c.Repeat, c.Binds = adapter.RepeatNever, true
	d.call(stepCreate, c)
}

// next goes on with what is to be done once the conversation is there.
func (d desk) next() {
	p := &d.s.Setup
	if len(p.Next) == 0 {
		d.call(stepOpen, d.setStatus("open"))
		return
	}
	one := p.Next[0]
	c := d.asUser(http.MethodPost, d.theirs("/messages"), fields{"content": one.Text, "message_type": one.Type, "private": one.Private})
	if one.File != nil {
		c.Form, c.Body = form(*one.File, adapter.FormField{Name: "content", Value: one.Text}, adapter.FormField{Name: "message_type", Value: one.Type}), nil
		c.Header.Del("Content-Type")
	}
	c.Repeat = adapter.RepeatMarked
	if d.call(stepPost, c); len(p.Next) == 1 && p.More {
		d.tx.Later()
	}
}

// step goes on when a step's call has ended.
func (d desk) step(step string, r adapter.Result) {
	p := &d.s.Setup
	p.Step = ""
	v, err := codec.Lenient(r.Body)
	good := r.OK() && (err == nil || step == stepOpen || step == stepAssign)
	if r.Reason == adapter.ReasonCancelled {
		d.s.Phase = phaseCut
		return
	}
	switch step {
	case stepContact:
		d.contactResult(r, v, good)
	case stepFind:
		d.findResult(r, v, good)
	case stepCreate:
		d.createResult(r, v, good)
	case stepPost:
		d.postResult(r, v)
	case stepOpen:
		if !good {
			d.fail(r)
			return
		}
		d.assign()
	case stepAssign:
		if !good {
			d.report("not_assigned", "Chatwoot "+r.Fault(credential)+"; look at the settings teams and agents")
		}
		d.opened()
	}
}

func (d desk) contactResult(r adapter.Result, v codec.Value, good bool) {
	p := &d.s.Setup
	d.s.Source, p.Person = v.Get("source_id").Text(), codec.NumberID(v.Get("id").Text())
	refused := r.Reason == "" && (r.Status == http.StatusBadRequest || r.Status == http.StatusUnprocessableEntity)
	switch {
	case good && d.s.Source != "" && d.set.Again == againReopen:
		d.find()
	case good && d.s.Source != "":
		d.create()
	case refused && !p.Bare:
		p.Bare = true
		for _, name := range []string{"email", "phone_number", "avatar_url"} {
			delete(p.Contact, name)
		}
		d.contact()
	default:
		d.fail(r)
	}
}

func (d desk) findResult(r adapter.Result, v codec.Value, good bool) {
	var newest codec.Value
	for _, one := range v.Items() {
		if codec.NumberID(one.Get("id").Text()) > codec.NumberID(newest.Get("id").Text()) {
			newest = one
		}
	}
	switch {
	case !good:
		d.fail(r)
	case newest.Exists():
		d.bound(newest)
	case d.s.Setup.Tries < createTries:
		d.create()
	default:
		d.fail(r)
	}
}

func (d desk) createResult(r adapter.Result, v codec.Value, good bool) {
	unknown := r.Reason == adapter.ReasonUnknown || r.Reason == "" && r.Status >= 500 || r.OK()
	switch {
	case good && codec.NumberID(v.Get("id").Text()) != 0:
		d.bound(v)
	case unknown:
		d.find()
	default:
		d.fail(r)
	}
}

// bound goes on with the conversation that is there. What it holds already is not
// news.
func (d desk) bound(v codec.Value) {
	d.s.Chat, d.s.Setup.Contact, d.s.Setup.Facts = v.Get("id").Text(), nil, nil
	d.tx.Bind(d.s.Chat)
	for _, one := range v.Get("messages").Items() {
		d.s.Reading.Low = max(d.s.Reading.Low, codec.NumberID(one.Get("id").Text()))
	}
	d.next()
}

// postResult goes on after a message, also where it was refused: people can do
// without a turn, and not without the conversation.
func (d desk) postResult(r adapter.Result, v codec.Value) {
	p := &d.s.Setup
	if !r.OK() {
		p.Failed++
	}
	if ref := d.learn(r); d.s.Reading.Low == 0 {
		d.s.Reading.Low = codec.NumberID(ref)
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
	field, id := d.set.assignment(d.s.Setup.Queue)
	if field == "" {
		d.opened()
		return
	}
	d.call(stepAssign, d.asUser(http.MethodPost, d.theirs("/assignments"), fields{field: id}))
}

// opened says that the people there have it in a queue, and looks soon whether one
// has it already.
func (d desk) opened() {
	if failed := d.s.Setup.Failed; failed > 0 {
		d.report("transcript_incomplete", fmt.Sprintf("Chatwoot did not take %d messages of what was said before", failed))
	}
	d.s.Phase, d.s.Setup = phaseOpen, setup{}
	d.emit(event.HandoffQueued{})
	d.tx.After(timerLook, lookSoon)
}

// fail says that these people cannot be asked. What was made of the conversation
// is closed, so that nobody waits in it.
func (d desk) fail(r adapter.Result) {
	reason := event.FailedBackendDown
	if r.Reason == "" && r.Status >= 400 && r.Status < 500 && r.Status != http.StatusTooManyRequests {
		reason = event.FailedRejected
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
