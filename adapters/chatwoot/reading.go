package chatwoot

import (
	"net/http"
	"slices"
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

const (
	// knownMost is how many messages are known one by one: more than a page has, so
	// that one that was stored late is still found in the next read.
	knownMost = 40
	// marksMost is how many pages a read goes back.
	marksMost = 500
)

// reading is what is known of the messages there, and the read under way.
type reading struct {
	backend.Look
	// Known are the newest messages read, in order; none up to Low is news. A page
	// with one of them leaves no gap, so what was not read is not among them.
	Low   int64   `json:"low,omitempty"`
	Known []int64 `json:"known,omitempty"`
	// Before is the page under way, and Marks those to be read after it, as the
	// number of the message each ends before; 0 is the newest page.
	Before int64   `json:"before,omitempty"`
	Marks  []int64 `json:"marks,omitempty"`
}

// knows reports whether a message is no news.
func (r *reading) knows(id int64) bool {
	_, found := slices.BinarySearch(r.Known, id)
	return found || id <= r.Low
}

// know notes a message.
func (r *reading) know(id int64) {
	at, found := slices.BinarySearch(r.Known, id)
	if found || id <= r.Low {
		return
	}
	r.Known = slices.Insert(r.Known, at, id)
	if len(r.Known) > knownMost {
		r.Low, r.Known = r.Known[0], r.Known[1:]
	}
}

// look reads what is new, now or after the read under way.
func (d desk) look(level int) {
	switch {
	case !d.Look(&d.s.Reading.Look, level):
	case level == backend.LookWhole:
		d.readAt(readConversation, "")
	default:
		d.page(0)
	}
}

func (d desk) page(before int64) {
	d.s.Reading.Before = before
	path := "/messages"
	if before != 0 {
		path += "?before=" + strconv.FormatInt(before, 10)
	}
	d.readAt(readMessages, path)
}

func (d desk) readAt(tag, path string) {
	c := d.asUser(http.MethodGet, d.theirs(path), nil)
	c.GiveUp = backend.ReadLimit
	d.Tx.Call(tag, c)
}

// read goes on when a read's call has ended. What a read that failed would have
// brought, a later one brings.
func (d desk) read(what string, r adapter.Result) {
	if d.s.Reading.Level == 0 {
		return
	}
	v, err := codec.Lenient(r.Body)
	gone := r.Reason == "" && r.Status == http.StatusNotFound
	switch {
	case d.s.Phase != backend.Open, !gone && (!r.OK() || err != nil):
		d.stopped(r)
	case actRead+"/"+what == readConversation:
		d.conversation(v, gone)
	case gone:
		d.stopped(r)
	default:
		d.messages(v.Get("payload").Items())
	}
}

func (d desk) stopped(r adapter.Result) {
	d.s.Reading.Marks = nil
	d.Stopped(&d.s.Reading.Look, r)
}

// conversation reads who has the conversation and whether it is over. One that was
// deleted is.
func (d desk) conversation(v codec.Value, gone bool) {
	if gone {
		d.s.Reading.Level = 0 // nothing is there to be read
		d.Resolved()
		return
	}
	d.s.Reading.Resolved = strings.EqualFold(v.Get("status").Text(), "resolved")
	d.assigned(v.Get("meta").Get("assignee"))
	d.page(0)
}

// assigned says who has the conversation. The token's user is nobody.
func (d desk) assigned(v codec.Value) {
	if who := actorOf(v); isPerson(v, true) && who.ID != d.s.Self && who.ID != d.s.Agent.ID {
		d.Assigned(who)
	}
}

// messages goes back until a page holds a message that is known, and from there
// forward: what is new is emitted whole and in order. Pages overlap by a message, so
// that a page which has moved meanwhile is seen to leave a gap.
func (d desk) messages(page []codec.Value) {
	r := &d.s.Reading
	oldest, met := int64(0), false
	for _, one := range page {
		id := codec.NumberID(one.Get("id").Text())
		if met = met || id != 0 && r.knows(id); id != 0 && (oldest == 0 || id < oldest) {
			oldest = id
		}
	}
	beginning := oldest == 0 || r.Before != 0 && oldest >= r.Before-1
	if !met && !beginning && len(r.Marks) < marksMost {
		r.Marks = append(r.Marks, r.Before)
		d.page(oldest + 1)
		return
	}
	for _, one := range page {
		d.message(one)
	}
	if n := len(r.Marks); n > 0 {
		next := r.Marks[n-1]
		r.Marks = r.Marks[:n-1]
		d.page(next)
		return
	}
	if again := d.Finished(&r.Look); again != 0 {
		d.look(again)
	}
}

// message emits what a message says, once, where a person wrote it.
func (d desk) message(v codec.Value) {
	id := codec.NumberID(v.Get("id").Text())
	if id == 0 || d.s.Reading.knows(id) {
		return
	}
	d.s.Reading.know(id)
	sender := v.Get("sender")
	if kindOf(v) != typeOutgoing || !isPerson(sender, false) || sender.Get("id").Text() == d.s.Self || yes(v.Get("content_attributes").Unwrap().Get("deleted")) {
		return
	}
	who, ref := actorOf(sender), strconv.FormatInt(id, 10)
	if yes(v.Get("private")) {
		d.Notes(who, ref, v.Get("content").Text())
		return
	}
	d.Says(who, ref, d.set.parts(v))
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
		d.look(backend.LookWhole)
	}
	return nil
}

// told is a message there is. Where these people no longer have the conversation,
// whoever writes to the customer is told so, once.
func (d desk) told(v codec.Value) {
	sender, news := v.Get("sender"), !d.s.heard(codec.NumberID(v.Get("id").Text()))
	spoken := kindOf(v) == typeOutgoing && isPerson(sender, false) && sender.Get("id").Text() != d.s.Self && !yes(v.Get("private"))
	switch {
	case d.s.Phase != backend.Open && spoken && news:
		d.TooLate()
	case kindOf(v) == typeOutgoing && news:
		d.look(backend.LookMessages)
	}
}
