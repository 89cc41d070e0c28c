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

// pageSize is how many messages are asked for at once.
const pageSize = 30

// reading is what is known of the messages there, and the read under way.
type reading struct {
	backend.Reading
	// Assignee is whose name is looked up.
	Assignee string `json:"assignee,omitempty"`
	// Total is how many messages there were when the last page was made.
	Total int64 `json:"total,omitempty"`
}

// whole asks who has the conversation and whether it is over.
func (d desk) whole() { d.readAt(readConversation, d.theirs("")) }

// page asks for a page, by its place.
func (d desk) page(at string) {
	number, size := placeOf(at)
	d.readAt(readMessages, d.theirs(fmt.Sprintf("/messages?page=%d&page_size=%d", number, size)))
}

// place names a page: its number, 1 with the newest messages, and how many it has.
func place(number, size int) string { return fmt.Sprintf("%d/%d", number, size) }

func placeOf(at string) (number, size int) {
	if _, err := fmt.Sscanf(at, "%d/%d", &number, &size); err != nil {
		return 1, pageSize
	}
	return number, size
}

func (d desk) readAt(tag, path string) {
	c := d.agent(http.MethodGet, path, nil)
	d.Read(tag, c)
}

// read goes on when a read's call has ended. A conversation that was deleted is over; a
// page that is too large is asked for by halves, and nobody's name keeps words waiting.
func (d desk) read(tag string, r adapter.Result) {
	p := &d.s.Reading
	data, good := dataOf(r)
	names := tag == readAgents
	_, size := placeOf(p.At)
	tooLarge := tag == readMessages && r.Reason == adapter.ReasonTooLarge && size > 1
	gone := !names && p.Level == backend.LookWhole && r.Reason == "" && r.Status == http.StatusNotFound
	switch {
	case !d.Came(r, gone, good || names || tooLarge):
	case names:
		d.named(data.Items())
		d.ReadFrom("")
	case tooLarge:
		d.ReadFrom(place(1, size/2))
	case tag == readConversation:
		d.conversation(data)
	default:
		d.Page(d.pageOf(data))
	}
}

// conversation reads who has the conversation and whether it is over.
func (d desk) conversation(v codec.Value) {
	p := &d.s.Reading
	p.Resolved = is(v.Get("status_category"), "resolved") || is(v.Get("status"), "Resolved") || is(v.Get("status"), "Closed")
	who := v.Get("assigned_user_id").Text()
	if codec.NumberID(who) == 0 || who == d.s.Self || who == d.s.Agent.ID {
		d.ReadFrom("")
		return
	}
	p.Assignee = codec.Within(who, idLimit)
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

// pageOf is a page. Pages are counted from the newest message, so they move while people
// write: one joins the page told before it where there are as many as there were.
func (d desk) pageOf(data codec.Value) backend.Page {
	r := &d.s.Reading
	list, total := slices.Clone(data.Get("results").Items()), codec.NumberID(data.Get("total").Text())
	slices.Reverse(list)
	p := backend.Page{Messages: backend.Messages(list, seenOf), Joins: r.Follows && total == r.Total}
	r.Total = total
	number, size := placeOf(r.At)
	given := int64(size)
	if told := codec.NumberID(data.Get("per_page").Text()); told > 0 {
		given = min(given, told) // it gives no more at once
	}
	if beginning := int64(len(list)) < given || int64(number)*given >= total && total > 0; !beginning {
		p.Older = place(number+1, size)
	}
	return p
}

// seenOf is what is remembered of a message.
func seenOf(v codec.Value) backend.Seen {
	return backend.Seen{ID: uuidOf(v), At: instant(v.Get("created_at"))}
}

// message emits what a message says, where a person wrote it.
func (d desk) message(m backend.Message) {
	if !d.personal(m.Value) {
		return
	}
	who := d.set.actorOf(m.Value.Get("sender_id").Text(), m.Value.Get("author"))
	if is(m.Value.Get("private"), "true") {
		d.Notes(who, m.ID, plainText(m.Value))
		return
	}
	d.Says(who, m.ID, d.set.parts(m.Value))
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
		d.Look(backend.LookWhole)
	}
	return nil
}

// told is a message there is. Where these people no longer have the conversation,
// whoever writes to the customer is told so, once.
func (d desk) told(v codec.Value, created bool) {
	news := !d.s.Reading.Knows(seenOf(v))
	switch {
	case d.s.Phase != backend.Open && created && news && d.personal(v) && !is(v.Get("private"), "true"):
		d.TooLate()
	case news && is(v.Get("type"), "outgoing") && (d.s.Self == "" || v.Get("sender_id").Text() != d.s.Self):
		d.Look(backend.LookMessages)
	}
}
