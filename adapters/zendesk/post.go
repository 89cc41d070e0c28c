package zendesk

import (
	"cmp"
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

// entry is one message on its way to the conversation.
type entry struct {
	// Name is who of the business speaks; "" is the customer.
	Name string `json:"name,omitempty"`
	// Content is what is said, until it is sent.
	Content backend.Fields `json:"content,omitempty"`
	// Plain are the words in place of what Zendesk refuses.
	Plain string `json:"plain,omitempty"`
	// File is to be uploaded before; its place is the content's mediaUrl then.
	File *event.Media `json:"file,omitempty"`
}

// send makes the next call a message needs. One that goes on with its result has it
// looked for where nobody knows whether it is there.
func (d desk) send(tag string, e *entry, giveUp time.Duration) {
	if e.File != nil {
		c := d.api(http.MethodPost, "/attachments?access=public&for=message&conversationId="+url.QueryEscape(d.s.Chat), nil)
		c.Form = []adapter.FormField{{Name: "source", File: e.File.URL, Filename: e.File.Name, MIME: e.File.MIME}}
		c.GiveUp = giveUp
		d.Tx.Call(tag, c)
		return
	}
	who := backend.Fields{"type": "user", "userId": d.s.User}
	if e.Name != "" {
		who = backend.Fields{"type": "business", "displayName": e.Name}
	}
	c := d.there(http.MethodPost, "/messages", backend.Fields{"author": who, "content": e.Content, "metadata": backend.Fields{mark: tag}})
	c.Repeat, c.GiveUp = adapter.RepeatMarked, giveUp
	if !strings.HasPrefix(tag, actTell+"/") {
		look := d.seek("")
		look.GiveUp = cmp.Or(giveUp, seekLimit)
		c.Repeat, c.Readback = adapter.RepeatReadback, &look
	}
	e.Content = nil
	d.Tx.Call(tag, c)
}

// seek is a page of the newest messages, or of those before one.
func (d desk) seek(before string) adapter.Call {
	path := "/messages"
	if before != "" {
		path += "?page%5Bbefore%5D=" + url.QueryEscape(before)
	}
	return d.there(http.MethodGet, path, nil)
}

// pageOf is what was read to see whether a message is there: in place of its answer, or
// by a seek; false for what is the answer to something else. A seek that was refused says
// nothing of the message, of which nobody knows then.
func pageOf(r *adapter.Result, seek bool) (page codec.Value, read bool) {
	v, err := codec.Lenient(r.Body)
	read = err == nil && r.Status == http.StatusOK && (r.Reason == adapter.ReasonUnknown || seek && r.Reason == "")
	if seek && !read {
		*r = adapter.Result{Tag: r.Tag, Reason: adapter.ReasonUnknown}
	}
	return v, read
}

// marked looks on a page for the message that was sent under a tag; before is where the
// next page ends, "" where the message cannot be on one: it is no older than since, in
// milliseconds. Pages that never end are not followed for ever.
func (d desk) marked(page codec.Value, tag string, since int64, seek bool) (one codec.Value, before string) {
	if !seek {
		d.s.Pages = 0
	}
	d.s.Pages++
	list := page.Get("messages").Items()
	for _, one := range list {
		if one.Get("metadata").Get(mark).Text() == tag {
			return one, ""
		}
	}
	all := backend.Messages(list, seenOf)
	if d.s.Pages < pagesMost && len(all) > 0 && is(page.Get("meta").Get("hasMore"), "true") && all[0].At >= since-seekBack {
		return codec.Value{}, all[0].ID
	}
	return codec.Value{}, ""
}

const (
	// seekLimit is how long it is tried to look for the customer's message.
	seekLimit = 10 * time.Minute
	// pagesMost is on how many pages a message is looked for.
	pagesMost = 100
	// seekBack is how much older than its sending a message may be said to be, in
	// milliseconds: clocks differ.
	seekBack = 120_000
)

// refused reports whether the same call would be answered the same again.
func refused(r adapter.Result) bool {
	return r.Reason == adapter.ReasonNotAllowed || r.Reason == "" && slices.Contains([]int{http.StatusBadRequest, http.StatusForbidden,
		http.StatusNotFound, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity}, r.Status)
}

// sent looks at how the last call of a message ended: again asks for its next one;
// without that it is over, and fault says what went wrong.
func (d desk) sent(e *entry, r adapter.Result) (again bool, fault string) {
	v, err := codec.Lenient(r.Body)
	address := v.Get("attachment").Get("mediaUrl").Text()
	switch {
	case e.File != nil && r.OK() && address != "":
		e.Content["mediaUrl"], e.File = address, nil
		return true, ""
	case refused(r) || e.File != nil && r.OK():
		return e.plainly(), "Zendesk did not take it: " + r.Fault(keySecret)
	case r.OK() && err == nil:
		return false, ""
	}
	return false, r.Fault(keySecret)
}

// plainly puts words in the place of what was refused, where there are any.
func (e *entry) plainly() bool {
	if e.Plain == "" {
		return false
	}
	e.Content, e.File, e.Plain = textOf(e.Plain), nil, ""
	return true
}

// become takes the conversation's participant for the customer.
func (d desk) become(r adapter.Result) {
	v, err := codec.Lenient(r.Body)
	if list := v.Get("participants").Items(); err == nil && r.OK() && len(list) > 0 {
		d.is(list[0].Get("userId").Text())
	}
}

// is says who the customer is there from now on.
func (d desk) is(user string) {
	if user != "" && len(user) <= idLimit {
		d.s.User = user
	}
}

// first is the message an answer says was made.
func first(r adapter.Result) codec.Value {
	v, err := codec.Lenient(r.Body)
	if list := v.Get("messages").Items(); err == nil && r.OK() && len(list) > 0 {
		return list[0]
	}
	return codec.Value{}
}

// begins notes a message of what was said before. Nobody else writes meanwhile, so none
// before the first is news; of what is written later only a read may say so.
func (d desk) begins(v codec.Value) {
	if one := seenOf(v); one.ID != "" && !d.s.Reading.Knows(one) {
		if len(d.s.Reading.Known) == 0 && one.At != 0 {
			d.s.Reading.Low = one
		}
		d.s.Reading.Know(one)
	}
}
