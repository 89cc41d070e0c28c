package libredesk

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// The tags of reads.
const (
	actRead          = "read"
	readConversation = actRead + "/conversation"
	readAgents       = actRead + "/agents"
	readMessages     = actRead + "/messages"
)

// How much is read: the messages, or before them what became of the conversation.
const (
	lookMessages = 1
	lookWhole    = 2
)

const (
	// pageSize is how many messages are asked for at once.
	pageSize = 30
	// knownMost is how many messages are known one by one: more than a page has, so
	// that one that was stored late is still found in the next read.
	knownMost = 40
	// pagesMost is how many pages one read looks at before it takes what there is.
	pagesMost = 500
)

// reading is what is known of the messages there, and the read under way. One read
// runs at a time; what asks for one meanwhile is answered by another after it.
type reading struct {
	// Known are the newest messages read, in order; none up to Low is news.
	Low   int64  `json:"low,omitempty"`
	Known []seen `json:"known,omitempty"`
	// Level is what is read, 0 while nothing is, and Again what is to be read after.
	Level int `json:"level,omitempty"`
	Again int `json:"again,omitempty"`
	// Resolved is what the conversation's own read said, and Assignee whose name is
	// looked up.
	Resolved bool   `json:"resolved,omitempty"`
	Assignee string `json:"assignee,omitempty"`
	// Page is the page under way, 1 with the newest messages, and Size how many it
	// has; Pages counts them. Down says that the page before it was emitted, when
	// Total messages were there.
	Page  int   `json:"page,omitempty"`
	Size  int   `json:"size,omitempty"`
	Pages int   `json:"pages,omitempty"`
	Down  bool  `json:"down,omitempty"`
	Total int64 `json:"total,omitempty"`
}

// seen is a message that was read: its uuid, and when it was made.
type seen struct {
	ID string `json:"id"`
	At int64  `json:"at,omitempty"`
}

// knows reports whether a message is no news.
func (r *reading) knows(id string, at int64) bool {
	return at != 0 && at <= r.Low || slices.ContainsFunc(r.Known, func(k seen) bool { return k.ID == id })
}

// know notes a message.
func (r *reading) know(id string, at int64) {
	i := len(r.Known)
	for i > 0 && r.Known[i-1].At > at && at != 0 {
		i--
	}
	r.Known = slices.Insert(r.Known, i, seen{id, at})
	if len(r.Known) > knownMost {
		r.Low, r.Known = max(r.Low, r.Known[0].At), r.Known[1:]
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
		r.Level, r.Again, r.Resolved, r.Size, r.Pages = level, 0, false, pageSize, 0
		if level == lookWhole {
			d.readAt(readConversation, d.theirs(""))
			return
		}
		d.first()
	}
}

func (d desk) first() {
	d.s.Reading.Down = false
	d.page(1)
}

func (d desk) page(number int) {
	r := &d.s.Reading
	r.Page = number
	r.Pages++
	d.readAt(readMessages, d.theirs(fmt.Sprintf("/messages?page=%d&page_size=%d", number, r.Size)))
}

func (d desk) readAt(tag, path string) {
	c := d.agent(http.MethodGet, path, nil)
	c.GiveUp = readLimit
	d.tx.Call(tag, c)
}

// read goes on when a read's call has ended. What a read that failed would have
// brought, a later one brings.
func (d desk) read(what string, r adapter.Result) {
	p := &d.s.Reading
	if p.Level == 0 {
		return
	}
	data, good := dataOf(r)
	tag := actRead + "/" + what
	gone := tag != readAgents && r.Reason == "" && r.Status == http.StatusNotFound
	switch {
	case d.s.Phase != phaseOpen:
		d.stopped(r)
	case gone && p.Level == lookWhole:
		p.Level = 0 // it was deleted: nothing is there to be read
		d.resolved()
	case tag == readAgents:
		d.named(data.Items())
		d.first()
	case tag == readMessages && r.Reason == adapter.ReasonTooLarge && p.Size > 1:
		p.Size /= 2
		d.first()
	case !good:
		d.stopped(r)
	case tag == readConversation:
		d.conversation(data)
	default:
		d.messages(data)
	}
}

// stopped ends a read that failed.
func (d desk) stopped(r adapter.Result) {
	d.s.Reading.Level, d.s.Reading.Again = 0, 0
	if d.s.Phase == phaseOpen && (r.Reason != "" || r.Status < 400 || r.Status >= 500) {
		d.tx.After(timerLook, lookAgain)
	}
}

// conversation reads who has the conversation and whether it is over.
func (d desk) conversation(v codec.Value) {
	p := &d.s.Reading
	p.Resolved = is(v.Get("status_category"), "resolved") || is(v.Get("status"), "Resolved") || is(v.Get("status"), "Closed")
	who := v.Get("assigned_user_id").Text()
	if codec.NumberID(who) == 0 || who == d.s.Self || who == d.s.Agent.ID {
		d.first()
		return
	}
	p.Assignee = within(who, idLimit)
	d.readAt(readAgents, "/agents/compact")
}

// named says who has the conversation. One whom the list does not name has no name.
func (d desk) named(agents []codec.Value) {
	who := event.Actor{Role: event.RoleLiveAgent, ID: d.s.Reading.Assignee}
	for _, one := range agents {
		if one.Get("id").Text() == who.ID {
			who = d.set.actorOf(who.ID, one)
		}
	}
	passed := d.s.Taken && d.s.Agent.ID != ""
	d.s.Agent, d.s.Reading.Assignee = who, ""
	switch {
	case passed:
		d.tx.Emit(adapter.Emission{Actor: who, Body: event.TransferCompleted{}})
	case !d.s.Taken && d.set.AcceptedOn == onAssigned:
		d.s.Taken = true
		d.tx.Emit(adapter.Emission{Actor: who, Body: event.HandoffAccepted{}})
	}
}

// messages goes back until a page holds a message that is known, and from there
// forward: what is new is emitted whole and in order. Pages are counted from the
// newest message, so they move while people write: a page joins the one emitted
// before it where they share a message, or where there are as many as there were.
func (d desk) messages(data codec.Value) {
	r := &d.s.Reading
	list, total := slices.Clone(data.Get("results").Items()), codec.NumberID(data.Get("total").Text())
	slices.Reverse(list)
	slices.SortStableFunc(list, compare)
	size := int64(r.Size)
	if told := codec.NumberID(data.Get("per_page").Text()); told > 0 {
		size = min(size, told) // it gives no more at once
	}
	met := slices.ContainsFunc(list, func(v codec.Value) bool { return r.knows(uuidOf(v), instant(v.Get("created_at"))) })
	beginning := int64(len(list)) < size || int64(r.Page)*size >= total && total > 0
	joins := r.Down && total == r.Total
	if !met && !beginning && !joins && r.Pages < pagesMost {
		r.Down = false
		d.page(r.Page + 1)
		return
	}
	for _, one := range list {
		d.message(one)
	}
	if r.Page > 1 {
		r.Down, r.Total = true, total
		d.page(r.Page - 1)
		return
	}
	d.finished()
}

// compare orders messages by when they were made, as far as that is told.
func compare(a, b codec.Value) int {
	x, y := instant(a.Get("created_at")), instant(b.Get("created_at"))
	if x == 0 || y == 0 {
		return 0
	}
	return int(max(min(x-y, 1), -1))
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
	d.hangUp()
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
	id, at := uuidOf(v), instant(v.Get("created_at"))
	if id == "" || d.s.Reading.knows(id, at) {
		return
	}
	d.s.Reading.know(id, at)
	if !d.personal(v) {
		return
	}
	who := d.set.actorOf(v.Get("sender_id").Text(), v.Get("author"))
	if is(v.Get("private"), "true") {
		d.tx.Emit(adapter.Emission{Actor: who, Ref: id, Body: event.NoteCreated{Text: plainText(v)}})
		return
	}
	for i, part := range d.set.parts(v) {
		at := id
		if i > 0 {
			at += "/" + strconv.Itoa(i)
		}
		d.s.Taken = true
		d.tx.Emit(adapter.Emission{Actor: who, Ref: at, Body: event.MessageCreated{Content: event.Content{Part: part}}})
	}
}

// plainText is a message in plain words, where Libredesk has them.
func plainText(v codec.Value) string {
	if text := v.Get("text_content"); text.Text() != "" {
		return text.Text()
	}
	return v.Get("content").Text()
}

// personal reports whether a person who works there wrote a message: not the customer,
// not Libredesk itself, and not the key's agent, who is us.
func (d desk) personal(v codec.Value) bool {
	meta, by := v.Get("meta").Unwrap(), v.Get("author")
	byItself := false
	for _, mark := range []string{"is_csat", "is_automated", "continuity_email"} {
		byItself = byItself || is(meta.Get(mark), "true")
	}
	kind, system := by.Get("type"), is(by.Get("first_name"), "System") && by.Get("last_name").Text() == ""
	return is(v.Get("type"), "outgoing") && is(v.Get("sender_type"), "agent") && !byItself && !system &&
		(kind.Text() == "" || is(kind, "agent")) && (d.s.Self == "" || v.Get("sender_id").Text() != d.s.Self)
}

// hint is what the webhook tells: all it says is read.
func (d desk) hint(in adapter.Request) error {
	v, err := codec.Lenient(in.Body)
	if err != nil || in.Endpoint != endpoint {
		return adapter.ErrUnsupported
	}
	payload := v.Get("payload")
	switch kind := strings.ToLower(v.Get("event").Text()); kind {
	case "message.created", "message.updated":
		d.told(payload, kind == "message.created")
	case "conversation.status_changed", "conversation.assigned", "conversation.unassigned":
		if d.s.Phase == phaseGone || d.s.Phase == phaseEnded {
			return adapter.ErrUnsupported // opened again behind our back: counted
		}
		d.look(lookWhole)
	}
	return nil
}

// told is a message there is. Where these people no longer have the conversation,
// whoever writes to the customer is told so, once.
func (d desk) told(v codec.Value, created bool) {
	news := !d.s.Reading.knows(uuidOf(v), instant(v.Get("created_at")))
	switch {
	case d.s.Phase == phaseGone && created && news && !d.s.Told && d.personal(v) && !is(v.Get("private"), "true"):
		d.s.Told = true
		d.note("absent", d.set.AbsentText)
	case news && is(v.Get("type"), "outgoing") && (d.s.Self == "" || v.Get("sender_id").Text() != d.s.Self):
		d.look(lookMessages)
	}
}
