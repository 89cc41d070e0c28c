package chatwoot

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// The tags of reads.
const (
	actRead          = "read"
	readConversation = actRead + "/conversation"
	readMessages     = actRead + "/messages"
)

// How much is read: the messages, or before them what became of the conversation.
const (
	lookMessages = 1
	lookWhole    = 2
)

const (
	// knownMost is how many messages are known one by one: more than a page has, so
	// that one that was stored late is still found in the next read.
	knownMost = 40
	// marksMost is how many pages a read goes back.
	marksMost = 500
)

// reading is what is known of the messages there, and the read under way. One read
// runs at a time; what asks for one meanwhile is answered by another after it.
type reading struct {
	// Known are the newest messages read, in order; none up to Low is news. A page
	// with one of them leaves no gap, so what was not read is not among them.
	Low   int64   `json:"low,omitempty"`
	Known []int64 `json:"known,omitempty"`
	// Level is what is read, 0 while nothing is, and Again what is to be read after.
	Level int `json:"level,omitempty"`
	Again int `json:"again,omitempty"`
	// Resolved is what the conversation's own read said.
	Resolved bool `json:"resolved,omitempty"`
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
	r := &d.s.Reading
	switch {
	case d.s.Phase != phaseOpen:
	case r.Level != 0:
		r.Again = max(r.Again, level)
	default:
		r.Level, r.Again, r.Resolved = level, 0, false
		if level == lookWhole {
			d.readAt(readConversation, "")
			return
		}
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
	c.GiveUp = readLimit
	d.tx.Call(tag, c)
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
	case d.s.Phase != phaseOpen, !gone && (!r.OK() || err != nil):
		d.stopped(r)
	case actRead+"/"+what == readConversation:
		d.conversation(v, gone)
	case gone:
		d.stopped(r)
	default:
		d.messages(v.Get("payload").Items())
	}
}

// stopped ends a read that failed.
func (d desk) stopped(r adapter.Result) {
	level := d.s.Reading.Level
	d.s.Reading.Level, d.s.Reading.Marks, d.s.Reading.Again = 0, nil, 0
	if d.s.Phase == phaseOpen && level != 0 && (r.Reason != "" || r.Status < 400 || r.Status >= 500) {
		d.tx.After(timerLook, lookAgain)
	}
}

// conversation reads who has the conversation and whether it is over. One that was
// deleted is.
func (d desk) conversation(v codec.Value, gone bool) {
	if gone {
		d.s.Reading.Level = 0 // nothing is there to be read
		d.resolved()
		return
	}
	d.s.Reading.Resolved = strings.EqualFold(v.Get("status").Text(), "resolved")
	d.assigned(v.Get("meta").Get("assignee"))
	d.page(0)
}

// assigned says who has the conversation, when that is another than before. The
// token's user is nobody.
func (d desk) assigned(v codec.Value) {
	who := actorOf(v)
	if !isPerson(v, true) || who.ID == d.s.Self || who.ID == d.s.Agent.ID {
		return
	}
	passed := d.s.Taken && d.s.Agent.ID != ""
	d.s.Agent = who
	switch {
	case passed:
		d.tx.Emit(adapter.Emission{Actor: who, Body: event.TransferCompleted{}})
	case !d.s.Taken && d.set.AcceptedOn == onAssigned:
		d.s.Taken = true
		d.tx.Emit(adapter.Emission{Actor: who, Body: event.HandoffAccepted{}})
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
	d.finished()
}

// finished ends a read: with what became of the conversation, or with the next.
func (d desk) finished() {
	r := &d.s.Reading
	again := r.Again
	r.Level, r.Again = 0, 0
	switch {
	case r.Resolved:
		d.resolved()
	case again != 0:
		d.look(again)
	}
}

// resolved says what the end of their work means, once.
func (d desk) resolved() {
	actor := d.s.Agent
	actor.Role = event.RoleLiveAgent
	switch {
	case !d.s.Taken:
		d.s.Phase = phaseGone
		d.tx.Emit(adapter.Emission{Actor: actor, Body: event.HandoffFailed{Reason: event.FailedDeclined}})
	case d.set.OnResolve == resolveEnd:
		d.s.Phase = phaseEnded
		d.tx.Emit(adapter.Emission{Actor: actor, Body: event.ConversationEnded{Reason: "completed", By: event.RoleLiveAgent}})
	default:
		d.s.Phase = phaseReturning
		d.tx.Emit(adapter.Emission{Actor: actor, Body: event.HandbackRequested{Reason: "resolved"}})
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
		d.tx.Emit(adapter.Emission{Actor: who, Ref: ref, Body: event.NoteCreated{Text: v.Get("content").Text()}})
		return
	}
	for i, part := range d.set.parts(v) {
		at := ref
		if i > 0 {
			at += "/" + strconv.Itoa(i)
		}
		d.s.Taken = true
		d.tx.Emit(adapter.Emission{Actor: who, Ref: at, Body: event.MessageCreated{Content: event.Content{Part: part}}})
	}
}

// hint is what the webhook tells. It is believed for what passes; all else is read.
func (d desk) hint(in adapter.Request) error {
	v, err := codec.Lenient(in.Body)
	if err != nil || in.Endpoint != endpoint {
		return adapter.ErrUnsupported
	}
	switch strings.ToLower(v.Get("event").Text()) {
	case "conversation_typing_on":
		d.typing(v, event.TypingStarted{Expires: d.tx.Now().Add(typingLasts)})
	case "conversation_typing_off":
		d.typing(v, event.TypingStopped{})
	case "message_created", "message_updated":
		d.told(v)
	case "conversation_status_changed", "conversation_updated":
		if d.s.Phase == phaseGone || d.s.Phase == phaseEnded {
			return adapter.ErrUnsupported // opened again behind our back: counted
		}
		d.look(lookWhole)
	}
	return nil
}

// typingLasts is how long a person is shown to write who does not say that they
// stopped.
const typingLasts = 30 * time.Second

func (d desk) typing(v codec.Value, body event.Body) {
	who := v.Get("user")
	if d.s.Phase == phaseOpen && isPerson(who, false) && who.Get("id").Text() != d.s.Self && !yes(v.Get("is_private")) {
		d.tx.Emit(adapter.Emission{Actor: actorOf(who), Body: body})
	}
}

// told is a message there is. Where these people no longer have the conversation,
// whoever writes to the customer is told so, once.
func (d desk) told(v codec.Value) {
	sender, news := v.Get("sender"), !d.s.heard(codec.NumberID(v.Get("id").Text()))
	spoken := kindOf(v) == typeOutgoing && isPerson(sender, false) && sender.Get("id").Text() != d.s.Self && !yes(v.Get("private"))
	switch {
	case d.s.Phase == phaseGone && spoken && !d.s.Told && news:
		d.s.Told = true
		d.note(actNote+"/absent", d.set.AbsentText)
	case kindOf(v) == typeOutgoing && news:
		d.look(lookMessages)
	}
}
