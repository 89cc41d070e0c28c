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

const (
	// knownMost is how many messages are known one by one, so that one that was stored
	// late is still found.
	knownMost = 40
	// marksMost is how many pages a read goes back: more than the 30,000 messages a
	// conversation may have.
	marksMost = 310
)

// reading is what is known of the messages there, and the read under way.
type reading struct {
	backend.Look
	// Known are the newest messages read, in order; none up to Low is news.
	Low   seen   `json:"low,omitzero"`
	Known []seen `json:"known,omitempty"`
	// Before is the page under way, as the message it ends before, "" the newest; Marks
	// are those to be read after it.
	Before string   `json:"before,omitempty"`
	Marks  []string `json:"marks,omitempty"`
	// Gone says that the conversation was not there when it was read last.
	Gone bool `json:"gone,omitempty"`
	// After says that pages are read forward, each after the newest message known.
	After bool `json:"after,omitempty"`
}

// seen is a message that was read: its id, and when Zendesk got it.
type seen struct {
	ID string `json:"id"`
	At int64  `json:"at,omitempty"`
}

// after orders messages by when Zendesk got them, and those of one millisecond by their
// ids, which grow.
func (a seen) after(b seen) bool { return a.At > b.At || a.At == b.At && a.ID > b.ID }

// knows reports whether a message is no news.
func (r *reading) knows(one seen) bool {
	return one.At != 0 && !one.after(r.Low) || slices.ContainsFunc(r.Known, func(k seen) bool { return k.ID == one.ID })
}

// know notes a message.
func (r *reading) know(one seen) {
	i := len(r.Known)
	for i > 0 && r.Known[i-1].after(one) && one.At != 0 {
		i--
	}
	r.Known = slices.Insert(r.Known, i, one)
	if len(r.Known) > knownMost {
		if r.Known[0].after(r.Low) {
			r.Low = r.Known[0]
		}
		r.Known = r.Known[1:]
	}
}

// seenOf is what is remembered of a message.
func seenOf(v codec.Value) seen { return seen{idOf(v), instant(v.Get("received"))} }

// look reads what is new, now or after the read under way.
func (d desk) look(level int) {
	r := &d.s.Reading
	if !d.Look(&r.Look, level) {
		return
	}
	r.After, r.Marks = false, nil
	if level == backend.LookWhole {
		d.readAt(readConversation, "")
		return
	}
	d.page("before", "")
}

func (d desk) page(way, id string) {
	path := "/messages"
	if id != "" {
		path += "?page%5B" + way + "%5D=" + url.QueryEscape(id)
	}
	d.s.Reading.Before = id
	d.readAt(readMessages, path)
}

func (d desk) readAt(tag, path string) {
	c := d.there(http.MethodGet, path, nil)
	c.GiveUp = backend.ReadLimit
	d.Tx.Call(tag, c)
}

// read goes on when a read's call has ended. What a read that failed would have
// brought, a later one brings.
func (d desk) read(r adapter.Result) {
	p := &d.s.Reading
	if p.Level == 0 {
		return
	}
	v, err := codec.Lenient(r.Body)
	was := p.Gone
	p.Gone = r.Reason == "" && r.Status == http.StatusNotFound
	switch {
	case d.s.Phase != backend.Open:
		d.stopped(r)
	case p.Gone && was:
		p.Level = 0 // it was deleted: nothing is there to be read
		d.Resolved()
	case p.Gone:
		d.stopped(r)
		d.Tx.After(backend.TimerLook, mergeLimit)
	case r.Tag == readMessages && r.Reason == adapter.ReasonTooLarge && !p.After && len(p.Known) > 0:
		p.After, p.Marks = true, nil // a page has a hundred messages; those after a known one may be fewer
		d.page("after", p.Known[len(p.Known)-1].ID)
	case !r.OK() || err != nil:
		d.stopped(r)
	case r.Tag == readConversation:
		d.controlled(v.Get("conversation"))
		d.page("before", "")
	default:
		d.messages(v)
	}
}

// controlled reads who has control. Whoever offers it to the bridge gives the
// conversation back once it is taken.
func (d desk) controlled(v codec.Value) {
	p := &d.s.Reading
	p.Resolved = !d.set.held(v.Get("activeSwitchboardIntegration"))
	if !p.Resolved && is(v.Get("pendingSwitchboardIntegration").Get("name"), d.set.Integration) {
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

func (d desk) stopped(r adapter.Result) {
	d.s.Reading.Marks = nil
	d.Stopped(&d.s.Reading.Look, r)
}

// messages goes back until a page holds a message that is known, and from there
// forward: what is new is emitted whole and in order. Pages overlap by a message, so
// that the newest, which has moved meanwhile, is seen to leave a gap.
func (d desk) messages(v codec.Value) {
	r := &d.s.Reading
	list := slices.Clone(v.Get("messages").Items())
	slices.SortStableFunc(list, compare)
	met := slices.ContainsFunc(list, func(v codec.Value) bool { return r.knows(seenOf(v)) })
	mark := ""
	if n := len(list); n > 0 && is(v.Get("meta").Get("hasMore"), "true") {
		mark = idOf(list[map[bool]int{true: n - 1, false: min(1, n-1)}[r.After]])
	}
	more := mark != "" && mark != r.Before // a page that begins where it began leads nowhere
	if !r.After && !met && more && len(r.Marks) < marksMost {
		r.Marks = append(r.Marks, r.Before)
		d.page("before", mark)
		return
	}
	for _, one := range list {
		d.message(one)
	}
	switch n := len(r.Marks); {
	case r.After && more:
		d.page("after", mark)
	case n > 0:
		next := r.Marks[n-1]
		r.Marks = r.Marks[:n-1]
		d.page("before", next)
	default:
		if again := d.Finished(&r.Look); again != 0 {
			d.look(again)
		}
	}
}

// compare orders messages by when Zendesk got them, as far as that is told.
func compare(a, b codec.Value) int {
	x, y := instant(a.Get("received")), instant(b.Get("received"))
	if x == 0 || y == 0 {
		return 0
	}
	return int(max(min(x-y, 1), -1))
}

// message emits what a message says, once, where a person wrote it. Nothing tells that
// somebody has taken the conversation but their first message, or that it was passed on
// but another's.
func (d desk) message(v codec.Value) {
	one := seenOf(v)
	if one.ID == "" || d.s.Reading.knows(one) {
		return
	}
	d.s.Reading.know(one)
	if !d.personal(v) {
		return
	}
	if parts := partsOf(v.Get("content")); len(parts) > 0 {
		d.taken(actorOf(v.Get("author")))
		d.Says(d.s.Agent, one.ID, parts)
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
	news := !d.s.Reading.knows(seenOf(v)) && v.Get("metadata").Get(mark).Text() == ""
	switch {
	case d.s.Phase != backend.Open && news && d.personal(v):
		d.TooLate()
	case news && is(v.Get("author").Get("type"), "business"):
		d.look(backend.LookMessages)
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

// receipt is what became of a message of the customer's there.
func (d desk) receipt(kind string, payload codec.Value) {
	id := idOf(payload.Get("message"))
	if d.s.Phase != backend.Open || !d.s.own(id) {
		return
	}
	var body event.Body = event.MessageDelivered{Message: id}
	if kind == "failure" {
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
	d.look(backend.LookWhole)
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
	d.look(backend.LookWhole)
}
