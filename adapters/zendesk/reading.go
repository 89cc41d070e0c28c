package zendesk

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/backend"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// The tags of reads.
const (
	actRead          = "read"
	readConversation = actRead + "/conversation"
	readMessages     = actRead + "/messages"
)

// reading is what is known of the messages there, and the read under way.
type reading struct {
	backend.Reading
	// Gone says that the conversation was not there when it was read last.
	Gone bool `json:"gone,omitempty"`
	// Reopen says that control is on its way to the people there again, or that it has
	// come and no read has begun since: what a read says of control may be from before.
	Reopen int `json:"reopen,omitempty"`
}

// How far control is on its way to the people again.
const (
	reopening = 1
	reopened  = 2
)

// seenOf is what is remembered of a message. The ids of those that Zendesk got in one
// millisecond grow.
func seenOf(v codec.Value) backend.Seen {
	return backend.Seen{ID: idOf(v), At: instant(v.Get("received"))}
}

// whole asks who has control.
func (d desk) whole() {
	if d.s.Reading.Reopen == reopened {
		d.s.Reading.Reopen = 0
	}
	d.readAt(readConversation, "")
}

// forward begins the word for a page after a message; without it a page is before one.
const forward = ">"

// page asks for the messages before or after one, or for the newest.
func (d desk) page(at string) {
	path := "/messages"
	if id, after := strings.CutPrefix(at, forward); after {
		path += "?page%5Bafter%5D=" + url.QueryEscape(id)
	} else if at != "" {
		path += "?page%5Bbefore%5D=" + url.QueryEscape(at)
	}
	d.readAt(readMessages, path)
}

func (d desk) readAt(tag, path string) {
	c := d.there(http.MethodGet, path, nil)
	d.Read(tag, c)
}

// read goes on when a read's call has ended. A conversation that is not there may have
// been merged into another, of which Zendesk tells a little later; one that is not there
// the next time either is over.
func (d desk) read(tag string, r adapter.Result) {
	p := &d.s.Reading
	if p.Level == 0 {
		return
	}
	v, err := codec.Lenient(r.Body)
	was := p.Gone
	p.Gone = r.Reason == "" && r.Status == http.StatusNotFound
	tooLarge := tag == readMessages && r.Reason == adapter.ReasonTooLarge && !strings.HasPrefix(p.At, forward) && len(p.Known) > 0
	switch {
	case !d.Came(r, p.Gone && was, r.OK() && err == nil || tooLarge):
		if p.Gone && d.s.Phase == backend.Open {
			d.Tx.After(backend.TimerLook, mergeLimit)
		}
	case tooLarge:
		d.ReadFrom(forward + p.Known[len(p.Known)-1].ID) // a page has a hundred messages; those after a known one may be fewer
	case tag == readConversation:
		d.controlled(v.Get("conversation"))
		d.ReadFrom("")
	default:
		d.Page(d.pageOf(v))
	}
}

// controlled reads who has control. Whoever offers it to the bridge gives the
// conversation back once it is taken.
func (d desk) controlled(v codec.Value) {
	p := &d.s.Reading
	held := d.set.held(v.Get("activeSwitchboardIntegration"))
	p.Resolved = !held && p.Reopen == 0
	if held && is(v.Get("pendingSwitchboardIntegration").Get("name"), d.set.Integration) {
		c := d.there(http.MethodPost, "/acceptControl", backend.Fields{})
		c.GiveUp = backend.OpenLimit
		d.Tx.Call(actAccept+"/"+d.s.Handoff, c)
	}
}

// accepted looks what came of taking control. Where it was refused the offer was
// withdrawn, or is seen again by a later read.
func (d desk) accepted(r adapter.Result) {
	if r.OK() && d.s.Phase == backend.Open {
		d.Tx.After(backend.TimerLook, time.Second)
	}
}

// pageOf is a page. One that goes back ends with the oldest message of the one before.
func (d desk) pageOf(v codec.Value) backend.Page {
	p := backend.Page{Messages: backend.Messages(v.Get("messages").Items(), seenOf)}
	n := len(p.Messages)
	switch {
	case n == 0 || !is(v.Get("meta").Get("hasMore"), "true"):
	case strings.HasPrefix(d.s.Reading.At, forward):
		p.Newer = forward + p.Messages[n-1].ID
	default:
		p.Older = p.Messages[min(1, n-1)].ID
	}
	return p
}

// message emits what a message says, where a person wrote it. Nothing tells that
// somebody has taken the conversation but their first message, or that it was passed on
// but another's.
func (d desk) message(m backend.Message) {
	if !d.personal(m.Value) {
		return
	}
	if parts := partsOf(m.Value.Get("content")); len(parts) > 0 {
		d.taken(actorOf(m.Value.Get("author")))
		d.Says(d.s.Agent, m.ID, parts)
	}
}

// taken says who has the conversation, when that is another than before. An author does
// not always have both an id and a name.
func (d desk) taken(who event.Actor) {
	was, begun := d.s.Agent, d.s.Taken
	d.s.Agent, d.s.Taken = who, true
	switch {
	case !begun:
		d.Tx.Emit(adapter.Emission{Actor: who, Body: event.HandoffAccepted{}})
	case was.ID != who.ID && was.Name != who.Name:
		d.Tx.Emit(adapter.Emission{Actor: who, Body: event.TransferCompleted{}})
	}
}

// personal reports whether one of the people wrote a message: not the customer, not the
// bridge, not another program, and not what writes by itself.
func (d desk) personal(v codec.Value) bool {
	source := v.Get("source").Get("type")
	return d.set.person(v.Get("author")) && v.Get("metadata").Get(mark).Text() == "" && (!source.Exists() || has(d.set.AgentSources, source.Text()))
}

// hint is what the webhook tells. It is believed for what passes; all else is read.
func (d desk) hint(in adapter.Request) error {
	v, err := codec.Lenient(in.Body)
	if err != nil || in.Endpoint != endpoint {
		return adapter.ErrUnsupported
	}
	payload, kind := v.Get("payload"), strings.ToLower(v.Get("type").Text())
	delivery, isDelivery := strings.CutPrefix(kind, "conversation:message:delivery:")
	switch {
	case kind == "conversation:message":
		d.told(payload.Get("message"))
	case kind == "conversation:typing", kind == "conversation:read":
		d.activity(payload.Get("activity"))
	case isDelivery:
		d.receipt(delivery, payload)
	case strings.HasPrefix(kind, "switchboard:"):
		return d.control(payload)
	case kind == "user:merge":
		d.merged(payload)
	}
	return nil
}

// told is a message there is. Where these people no longer have the conversation,
// whoever writes to the customer is told so, once.
func (d desk) told(v codec.Value) {
	news := !d.s.Reading.Knows(seenOf(v)) && v.Get("metadata").Get(mark).Text() == ""
	switch {
	case d.s.Phase != backend.Open && news && d.personal(v):
		d.TooLate()
	case news && is(v.Get("author").Get("type"), "business"):
		d.Look(backend.LookMessages)
	}
}

// activity is that one of the people types, or has read what the customer wrote.
func (d desk) activity(v codec.Value) {
	by := v.Get("author")
	name := by.Get("displayName").Text()
	if d.s.Phase != backend.Open || !is(by.Get("type"), "business") || name != "" && has(d.set.AutomaticNames, name) {
		return
	}
	who := actorOf(by)
	switch n := len(d.s.Own); {
	case is(v.Get("type"), "typing:start"), is(v.Get("type"), "typing:stop"):
		d.Types(who, is(v.Get("type"), "typing:start"))
	case is(v.Get("type"), "conversation:read") && n > 0:
		d.Tx.Emit(adapter.Emission{Actor: who, Ref: "read/" + d.s.Own[n-1], Body: event.MessageRead{Message: d.s.Own[n-1]}})
	}
}

// receipt is what became of a message of the customer's there: it is delivered with its
// last part, and failed with any.
func (d desk) receipt(kind string, payload codec.Value) {
	id, failed := idOf(payload.Get("message")), kind == "failure"
	if d.s.Phase != backend.Open || !slices.Contains(d.s.Own, id) && (!failed || !slices.Contains(d.s.Parts, id)) {
		return
	}
	var body event.Body = event.MessageDelivered{Message: id}
	if failed {
		body = event.MessageFailed{Message: id, Reason: payload.Get("error").Get("code").Text()}
	}
	d.Tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleLiveAgent}, Ref: kind + "/" + id, Body: body})
}

// control is that control has passed, was to pass, or did not.
func (d desk) control(payload codec.Value) error {
	active := payload.Get("conversation").Get("activeSwitchboardIntegration")
	if (d.s.Phase == backend.Gone || d.s.Phase == backend.Ended) && d.set.held(active) {
		return adapter.ErrUnsupported // taken again behind our back: counted
	}
	d.Look(backend.LookWhole)
	return nil
}

// merged follows the customer, and their conversation, into another.
func (d desk) merged(payload codec.Value) {
	conversations := payload.Get("mergedConversations")
	stays, goes := idOf(conversations.Get("surviving")), idOf(conversations.Get("discarded"))
	if d.s.Chat == "" || stays == "" || d.s.Chat != stays && d.s.Chat != goes {
		return
	}
	d.is(idOf(payload.Get("mergedUsers").Get("surviving")))
	if d.s.Chat != stays {
		d.s.Chat, d.s.Saying.Lost, d.s.Reading.Gone = stays, false, false
		d.Tx.Bind(stays)
	}
	d.Look(backend.LookWhole)
}
