package libredesk

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/backend"
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

const (
	// pageSize is how many messages are asked for at once.
	pageSize = 30
	// knownMost is how many messages are known one by one: more than a page has, so
	// that one that was stored late is still found in the next read.
	knownMost = 40
	// pagesMost is how many pages one read looks at before it takes what there is.
	pagesMost = 500
)

// reading is what is known of the messages there, and the read under way.
type reading struct {
	backend.Look
	// Known are the newest messages read, in order; none up to Low is news.
	Low   int64  `json:"low,omitempty"`
	Known []seen `json:"known,omitempty"`
	// Assignee is whose name is looked up.
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
	if !d.Look(&r.Look, level) {
		return
	}
	r.Size, r.Pages = pageSize, 0
	if level == backend.LookWhole {
		d.readAt(readConversation, d.theirs(""))
		return
	}
	d.first()
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
	c.GiveUp = backend.ReadLimit
	d.Tx.Call(tag, c)
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
	case d.s.Phase != backend.Open:
		d.Stopped(&p.Look, r)
	case gone && p.Level == backend.LookWhole:
		p.Level = 0 // it was deleted: nothing is there to be read
		d.Resolved()
	case tag == readAgents:
		d.named(data.Items())
		d.first()
	case tag == readMessages && r.Reason == adapter.ReasonTooLarge && p.Size > 1:
		p.Size /= 2
		d.first()
	case !good:
		d.Stopped(&p.Look, r)
	case tag == readConversation:
		d.conversation(data)
	default:
		d.messages(data)
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
	d.s.Reading.Assignee = ""
	d.Assigned(who)
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
	if again := d.Finished(&r.Look); again != 0 {
		d.look(again)
	}
}

// compare orders messages by when they were made, as far as that is told.
func compare(a, b codec.Value) int {
	x, y := instant(a.Get("created_at")), instant(b.Get("created_at"))
	if x == 0 || y == 0 {
		return 0
	}
	return int(max(min(x-y, 1), -1))
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
		d.Notes(who, id, plainText(v))
		return
	}
	d.Says(who, id, d.set.parts(v))
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
		if d.s.Phase == backend.Gone || d.s.Phase == backend.Ended {
			return adapter.ErrUnsupported // opened again behind our back: counted
		}
		d.look(backend.LookWhole)
	}
	return nil
}

// told is a message there is. Where these people no longer have the conversation,
// whoever writes to the customer is told so, once.
func (d desk) told(v codec.Value, created bool) {
	news := !d.s.Reading.knows(uuidOf(v), instant(v.Get("created_at")))
	switch {
	case d.s.Phase != backend.Open && created && news && d.personal(v) && !is(v.Get("private"), "true"):
		d.TooLate()
	case news && is(v.Get("type"), "outgoing") && (d.s.Self == "" || v.Get("sender_id").Text() != d.s.Self):
		d.look(backend.LookMessages)
	}
}
