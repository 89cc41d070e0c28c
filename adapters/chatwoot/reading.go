package chatwoot

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/backend"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
)

// The tags of reads.
const (
	actRead          = "read"
	readConversation = actRead + "/conversation"
	readMessages     = actRead + "/messages"
)

// whole asks who has the conversation and whether it is over.
func (d desk) whole() { d.readAt(readConversation, "") }

// page asks for the messages before a number, or for the newest.
func (d desk) page(before string) {
	path := "/messages"
	if before != "" {
		path += "?before=" + before
	}
	d.readAt(readMessages, path)
}

func (d desk) readAt(tag, path string) {
	c := d.asUser(http.MethodGet, d.theirs(path), nil)
	d.Read(tag, c)
}

// read goes on when a read's call has ended. A conversation that was deleted is over.
func (d desk) read(tag string, r adapter.Result) {
	v, err := codec.Lenient(r.Body)
	whole := tag == readConversation
	switch {
	case !d.Came(r, whole && r.Reason == "" && r.Status == http.StatusNotFound, r.OK() && err == nil):
	case whole:
		d.s.Reading.Resolved = strings.EqualFold(v.Get("status").Text(), "resolved")
		d.assigned(v.Get("meta").Get("assignee"))
		d.ReadFrom("")
	default:
		d.Page(pageOf(v))
	}
}

// pageOf is a page. The one before it ends with its oldest message.
func pageOf(v codec.Value) backend.Page {
	p := backend.Page{Messages: backend.Messages(v.Get("payload").Items(), seenOf)}
	if len(p.Messages) > 0 {
		p.Older = strconv.FormatInt(p.Messages[0].At+1, 10)
	}
	return p
}

// seenOf is what is remembered of a message. The numbers of messages grow.
func seenOf(message codec.Value) backend.Seen {
	id := codec.NumberID(message.Get("id").Text())
	if id == 0 {
		return backend.Seen{}
	}
	return backend.Seen{ID: strconv.FormatInt(id, 10), At: id}
}

// assigned says who has the conversation. The token's user is nobody.
func (d desk) assigned(v codec.Value) {
	if who := actorOf(v); isPerson(v, true) && who.ID != d.s.Self && who.ID != d.s.Agent.ID {
		d.Assigned(who)
	}
}

// message emits what a message says, where a person wrote it.
func (d desk) message(m backend.Message) {
	sender := m.Value.Get("sender")
	if kindOf(m.Value) != typeOutgoing || !isPerson(sender, false) || sender.Get("id").Text() == d.s.Self || yes(m.Value.Get("content_attributes").Unwrap().Get("deleted")) {
		return
	}
	who := actorOf(sender)
	if yes(m.Value.Get("private")) {
		d.Notes(who, m.ID, m.Value.Get("content").Text())
		return
	}
	d.Says(who, m.ID, d.set.parts(m.Value))
}

// hint is what the webhook tells. It is believed for what passes; all else is read.
func (d desk) hint(in adapter.Request) error {
	v, err := codec.Lenient(in.Body)
	if err != nil || in.Endpoint != endpoint {
		return adapter.ErrUnsupported
	}
	switch kind := strings.ToLower(v.Get("event").Text()); kind {
	case "conversation_typing_on", "conversation_typing_off":
		who := v.Get("user")
		if d.s.Phase == backend.Open && isPerson(who, false) && who.Get("id").Text() != d.s.Self && !yes(v.Get("is_private")) {
			d.Types(actorOf(who), kind == "conversation_typing_on")
		}
	case "message_created", "message_updated":
		d.told(v)
	case "conversation_status_changed", "conversation_updated":
		if d.s.Phase == backend.Gone || d.s.Phase == backend.Ended {
			return adapter.ErrUnsupported // opened again behind our back: counted
		}
		d.Look(backend.LookWhole)
	}
	return nil
}

// told is a message there is. Where these people no longer have the conversation,
// whoever writes to the customer is told so, once.
func (d desk) told(v codec.Value) {
	sender, news := v.Get("sender"), !d.s.heard(seenOf(v))
	spoken := kindOf(v) == typeOutgoing && isPerson(sender, false) && sender.Get("id").Text() != d.s.Self && !yes(v.Get("private"))
	switch {
	case d.s.Phase != backend.Open && spoken && news:
		d.TooLate()
	case kindOf(v) == typeOutgoing && news:
		d.Look(backend.LookMessages)
	}
}
