package chatwoot

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/backend"
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
	// bytes.
	chunkLimit = 12 << 10
	// partLimit is the longest part of a note or turn, in UTF-16 code units.
	partLimit = 6000
	// factLimit is the longest value of a custom attribute Chatwoot takes.
	factLimit = 1500
)

// setup is a hand-off on its way.
type setup struct {
	backend.Setup[entry]
	Facts map[string]string `json:"facts,omitempty"`
	// Contact is the body that makes it; Bare that it holds what cannot be refused.
	Contact backend.Fields `json:"contact,omitempty"`
	Bare    bool           `json:"bare,omitempty"`
	Person  int64          `json:"person,omitempty"` // the contact's number
}

// entry is one message that goes with a hand-off.
type entry struct {
	Type    string       `json:"type"`
	Private bool         `json:"private,omitempty"`
	Text    string       `json:"text,omitempty"`
	File    *event.Media `json:"file,omitempty"`
}

// asked begins a hand-off, or goes on with what goes with it.
func (d desk) asked(e event.Event, body event.HandoffRequested) {
	p := &d.s.Setup
	switch d.Asked(e) {
	case backend.AskBegin:
		*d.s = state{Course: backend.Begun(e)}
		p.Queue, p.Facts = body.Routing.Queue, attributes(body.Context)
		p.Load(d.set.briefing(body), chunkLimit)
		p.Contact = contactOf(e, body, d.Tx.Conversation(), d.source())
		d.contact()
	case backend.AskGoOn:
		p.Load(d.set.briefing(body), chunkLimit)
		d.next()
	}
}

// source is what the inbox knows the contact by: so that its conversations are ours
// alone, and a create nobody knows the end of can be looked up.
func (d desk) source() string {
	if d.set.Again == againReopen {
		return d.Tx.Conversation()
	}
	return d.s.Handoff
}

// contactOf is the body that makes the contact, or finds the one there is.
func contactOf(e event.Event, body event.HandoffRequested, conversation, source string) backend.Fields {
	who := backend.Customer(e, body)
	f := backend.Fields{"source_id": source, "identifier": cmp.Or(who.ID, conversation)}
	f.Put("name", backend.Name(who, body.Context))
	f.Put("email", backend.Email(body.Context))
	f.Put("phone_number", phone(cmp.Or(backend.Fact(body.Context, "phone", "phone_number", "sender_phone_number"), who.ID)))
	if strings.HasPrefix(who.Avatar, "http") {
		f["avatar_url"] = who.Avatar
	}
	return f
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

func (d desk) contact() {
	d.s.Source = ""
	c := post(d.public(""), d.s.Setup.Contact)
	c.Repeat, c.Binds = adapter.RepeatKeyed, true // the source_id is the key
	d.Step(stepContact, c)
}

func (d desk) find() {
	d.Step(stepFind, adapter.Call{Method: http.MethodGet, URL: d.public("/conversations"), Repeat: adapter.RepeatKeyed, Binds: true})
}

func (d desk) create() {
	p := &d.s.Setup
	p.Tries++
	body := backend.Fields{"source_id": d.s.Source, "inbox_id": codec.NumberID(d.set.InboxID), "status": "pending"}
	if len(p.Facts) > 0 {
		body["custom_attributes"] = p.Facts
	}
	if p.Person != 0 {
		body["contact_id"] = p.Person
	}
	c := d.asUser(http.MethodPost, strings.TrimSuffix(d.theirs(""), "/"), body)
	c.Repeat, c.Binds = adapter.RepeatNever, true
	d.Step(stepCreate, c)
}

// next goes on with what is to be done once the conversation is there.
func (d desk) next() {
	p := &d.s.Setup
	if len(p.Next) == 0 {
		d.Step(stepOpen, d.setStatus("open"))
		return
	}
	if d.send(p.Next[0]); p.Last() {
		d.Tx.Later()
	}
}

// send makes one message of what goes with it.
func (d desk) send(one entry) {
	c := d.asUser(http.MethodPost, d.theirs("/messages"), backend.Fields{"content": one.Text, "message_type": one.Type, "private": one.Private})
	if one.File != nil {
		c.Form, c.Body = form(*one.File, adapter.FormField{Name: "content", Value: one.Text}, adapter.FormField{Name: "message_type", Value: one.Type}), nil
		c.Header.Del("Content-Type")
	}
	c.Repeat = adapter.RepeatMarked
	d.Step(stepPost, c)
}

// step goes on when a step's call has ended.
func (d desk) step(step string, r adapter.Result) {
	v, err := codec.Lenient(r.Body)
	good := r.OK() && err == nil
	switch step {
	case stepContact:
		d.contactResult(r, v, good)
	case stepFind:
		d.findResult(r, v, good)
	case stepCreate:
		if good && codec.NumberID(v.Get("id").Text()) != 0 {
			d.bound(v)
			return
		}
		d.NotMade(r, d.find)
	case stepPost:
		d.posted(r)
	case stepOpen:
		if !r.OK() {
			d.Failed(r)
			return
		}
		d.assign()
	case stepAssign:
		if !r.OK() {
			d.Report("not_assigned", "Chatwoot "+r.Fault(credential)+"; look at the settings teams and agents")
		}
		d.Opened()
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
		d.Failed(r)
	}
}

func (d desk) findResult(r adapter.Result, v codec.Value, good bool) {
	var newest codec.Value
	for _, one := range v.Items() {
		if codec.NumberID(one.Get("id").Text()) > codec.NumberID(newest.Get("id").Text()) {
			newest = one
		}
	}
	if good && newest.Exists() {
		d.bound(newest)
		return
	}
	d.NotFound(r, good, d.create)
}

// bound goes on with the conversation that is there. What it holds already is not
// news.
func (d desk) bound(v codec.Value) {
	d.s.Chat, d.s.Setup.Contact, d.s.Setup.Facts = v.Get("id").Text(), nil, nil
	d.Tx.Bind(d.s.Chat)
	for _, one := range v.Get("messages").Items() {
		if seen := seenOf(one); seen.At > d.s.Reading.Low.At {
			d.s.Reading.Low = seen
		}
	}
	d.next()
}

// posted goes on after a message. A file that is refused goes as its address in words.
func (d desk) posted(r adapter.Result) {
	p := &d.s.Setup
	if one := p.Next[:min(1, len(p.Next))]; len(one) > 0 && one[0].File != nil && r.Refused() {
		file := *one[0].File
		file.Caption = one[0].Text
		one[0] = entry{Type: one[0].Type, Private: one[0].Private, Text: codec.Plain(event.Content{Part: file})}
		p.Tries++
		d.send(one[0])
		return
	}
	if first := d.learn(r); d.s.Reading.Low.ID == "" {
		d.s.Reading.Low = first
	}
	if p.Posted(r) {
		d.next()
	}
}

func (d desk) assign() {
	id, agent := d.set.For(d.s.Setup.Queue)
	if id == 0 {
		d.Opened()
		return
	}
	field := map[bool]string{true: "assignee_id", false: "team_id"}[agent]
	d.Step(stepAssign, d.asUser(http.MethodPost, d.theirs("/assignments"), backend.Fields{field: id}))
}
