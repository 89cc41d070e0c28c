package libredesk

import (
	"cmp"
	"net/http"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/backend"
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
	// bytes.
	chunkLimit = 8 << 10
)

// setup is a hand-off on its way; what goes with it are texts of notes.
type setup struct {
	backend.Setup[string]
	// First is the contact's first message.
	First string `json:"first,omitempty"`
	// Since is when the conversation was made at the earliest, by Libredesk's clock,
	// in microseconds since 1970.
	Since int64 `json:"since,omitempty"`
}

// contact is who the customer is, as Libredesk knows them.
type contact struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
}

// asked begins a hand-off, or goes on with what goes with it.
func (d desk) asked(e event.Event, body event.HandoffRequested) {
	p := &d.s.Setup
	switch d.Asked(e) {
	case backend.AskBegin:
		d.hangUp()
		*d.s = state{Course: backend.Begun(e), Line: line{Conn: d.s.Line.Conn}, Contact: d.contactOf(e, body)}
		p.Queue, p.First = body.Routing.Queue, codec.Within(cmp.Or(lastWords(body.Transcript), d.set.AskText), bytesLimit/4)
		p.Load(briefing(body), chunkLimit)
		d.exchange(stepExchange)
	case backend.AskGoOn:
		p.Load(briefing(body), chunkLimit)
		d.next()
	}
}

func (d desk) contactOf(e event.Event, body event.HandoffRequested) contact {
	who := backend.Customer(e, body)
	id := codec.Within(cmp.Or(who.ID, d.Tx.Conversation()), idLimit)
	local := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '-'
	}, id)
	return contact{ID: id, Name: codec.Within(cmp.Or(backend.Name(who, body.Context), d.set.CustomerName), nameLimit),
		Email: cmp.Or(backend.Email(body.Context), codec.Within(local, 60)+"@"+d.set.EmailDomain)}
}

// exchange asks for the contact's token. A contact who is known keeps theirs.
func (d desk) exchange(step string) {
	who := d.s.Contact
	c := d.widget(http.MethodPost, exchangePath, backend.Fields{"jwt": d.Tx.Token(inboxSecret, map[string]any{
		"external_user_id": who.ID, "first_name": who.Name, "email": who.Email, "exp": d.Tx.Now().Add(tokenLasts).Unix()})})
	c.Capture = []adapter.Capture{{Name: session, Pointer: "/data/session_token"}}
	c.Repeat, c.GiveUp = adapter.RepeatKeyed, backend.OpenLimit
	if step == stepExchange {
		d.Step(step, c)
		return
	}
	d.Tx.Call(step, c)
}

func (d desk) begin() {
	p := &d.s.Setup
	p.Tries++
	c := d.widget(http.MethodPost, "/chat/conversations/init", backend.Fields{"message": p.First, "form_data": backend.Fields{}})
	c.Repeat, c.Binds = adapter.RepeatNever, true
	d.Step(stepInit, c)
}

func (d desk) find() {
	c := d.widget(http.MethodGet, "/chat/conversations", nil)
	c.Repeat, c.Binds = adapter.RepeatKeyed, true
	d.Step(stepFind, c)
}

// next goes on with what is to be done once the conversation is there.
func (d desk) next() {
	p := &d.s.Setup
	if len(p.Next) == 0 {
		d.assign()
		return
	}
	if d.Step(stepNote, d.noteCall(p.Next[0])); p.Last() {
		d.Tx.Later()
	}
}

// step goes on when a step's call has ended.
func (d desk) step(step string, r adapter.Result) {
	data, good := dataOf(r)
	switch step {
	case stepExchange:
		d.exchanged(r, good)
	case stepInit:
		if v := data.Get("conversation"); good && uuidOf(v) != "" {
			d.bound(v)
			return
		}
		d.NotMade(r, d.find)
	case stepFind:
		d.found(r, data, good)
	case stepNote:
		d.noted(r)
	case stepAssign:
		if !r.OK() {
			d.Report("not_assigned", "Libredesk "+r.Fault(credentialKey)+"; look at the settings teams and agents")
		}
		d.opened()
	}
}

func (d desk) exchanged(r adapter.Result, good bool) {
	if !good {
		d.Failed(r)
		return
	}
	at, err := time.Parse(time.RFC1123, r.Header.Get("Date"))
	if err != nil {
		at = d.Tx.Now().Truncate(time.Second)
	}
	d.s.Setup.Since = at.UnixMicro()
	d.begin()
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
	if good && newest.Exists() {
		d.bound(newest)
		return
	}
	d.NotFound(r, good, d.begin)
}

func (d desk) bound(v codec.Value) {
	d.s.Chat, d.s.Setup.First = uuidOf(v), ""
	d.Tx.Bind(d.s.Chat)
	d.next()
}

func (d desk) noted(r adapter.Result) {
	d.learn(r)
	if d.s.Setup.Posted(r) {
		d.next()
	}
}

func (d desk) assign() {
	id, agent := d.set.For(d.s.Setup.Queue)
	if id == 0 {
		d.opened()
		return
	}
	kind := map[bool]string{true: "user", false: "team"}[agent]
	d.Step(stepAssign, d.agent(http.MethodPut, d.theirs("/assignee/"+kind), backend.Fields{"assignee_id": id}))
}

func (d desk) opened() {
	d.Opened()
	d.dial()
}
