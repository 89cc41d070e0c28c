package zendesk

import (
	"net/http"
	"net/url"
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

// How much is read: the messages, or before them who has control.
const (
	lookMessages = 1
	lookWhole    = 2
)

const (
	// knownMost is how many messages are known one by one, so that one that was stored
	// late is still found.
	knownMost = 40
	// marksMost is how many pages a read goes back: more than the 30,000 messages a
	// conversation may have.
	marksMost = 310
)

// reading is what is known of the messages there, and the read under way. One read
// runs at a time; what asks for one meanwhile is answered by another after it.
type reading struct {
	// Known are the newest messages read, in order; none up to Low is news.
	Low   seen   `json:"low,omitzero"`
	Known []seen `json:"known,omitempty"`
	// Level is what is read, 0 while nothing is, and Again what is to be read after.
	Level int `json:"level,omitempty"`
	Again int `json:"again,omitempty"`
	// Over is that the people no longer have control, and Why what was told of it.
	Over bool   `json:"over,omitempty"`
	Why  string `json:"why,omitempty"`
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
	switch {
	case d.s.Phase != phaseOpen:
	case r.Level != 0:
		r.Again = max(r.Again, level)
	default:
		r.Level, r.Again, r.Over, r.After, r.Marks = level, 0, false, false, nil
		if level == lookWhole {
			d.readAt(readConversation, "")
			return
		}
		d.page("before", "")
	}
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
	c.GiveUp = readLimit
	d.tx.Call(tag, c)
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
	case d.s.Phase != phaseOpen:
		d.stopped(r)
	case p.Gone && was:
		p.Level = 0 // it was deleted: nothing is there to be read
		d.over()
	case p.Gone:
		d.stopped(r)
		d.tx.After(timerLook, mergeLimit)
	case r.Tag == readMessages && r.Reason == adapter.ReasonTooLarge && !p.After && len(p.Known) > 0:
		p.After, p.Marks = true, nil // a page has a hundred messages; those after a known one may be fewer
		d.page("after", p.Known[len(p.Known)-1].ID)
	case !r.OK() || err != nil:
		d.stopped(r)
	case r.Tag == readConversation:
		p.Over = !d.set.held(v.Get("conversation").Get("activeSwitchboardIntegration"))
		d.page("before", "")
	default:
		d.messages(v)
	}
}

// stopped ends a read that failed.
func (d desk) stopped(r adapter.Result) {
	d.s.Reading.Level, d.s.Reading.Again, d.s.Reading.Marks = 0, 0, nil
	if d.s.Phase == phaseOpen && (r.Reason != "" || r.Status < 400 || r.Status >= 500) {
		d.tx.After(timerLook, lookAgain)
	}
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
		d.finished()
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

// finished ends a read: with the end of the people's work, or with the next.
func (d desk) finished() {
	r := &d.s.Reading
	again := r.Again
	r.Level, r.Again = 0, 0
	switch {
	case r.Over:
		d.over()
	case again != 0:
		d.look(again)
	}
}

// over says what the end of their work means, once.
func (d desk) over() {
	actor := d.s.Agent
	actor.Role = event.RoleLiveAgent
	why := d.s.Reading.Why
	if why == "" {
		why = "released"
	}
	switch {
	case !d.s.Taken:
		d.s.Phase = phaseGone
		d.tx.Emit(adapter.Emission{Actor: actor, Body: event.HandoffFailed{Reason: event.FailedDeclined}})
	case d.set.OnRelease == releaseEnd:
		d.s.Phase = phaseEnded
		d.tx.Emit(adapter.Emission{Actor: actor, Body: event.ConversationEnded{Reason: "completed", By: event.RoleLiveAgent}})
	default:
		d.s.Phase = phaseReturning
		d.tx.Emit(adapter.Emission{Actor: actor, Body: event.HandbackRequested{Reason: why}})
	}
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
	parts := partsOf(v.Get("content"))
	if len(parts) > 0 {
		d.taken(actorOf(v.Get("author")))
	}
	for i, part := range parts {
		ref := one.ID
		if i > 0 {
			ref += "/" + strconv.Itoa(i)
		}
		d.tx.Emit(adapter.Emission{Actor: d.s.Agent, Ref: ref, Body: event.MessageCreated{Content: event.Content{Part: part}}})
	}
}

// taken says who has the conversation, when that is another than before. An author does
// not always have both an id and a name.
func (d desk) taken(who event.Actor) {
	was, begun := d.s.Agent, d.s.Taken
	d.s.Agent, d.s.Taken = who, true
	switch {
	case !begun:
		d.tx.Emit(adapter.Emission{Actor: who, Body: event.HandoffAccepted{}})
	case was.ID != who.ID && was.Name != who.Name:
		d.tx.Emit(adapter.Emission{Actor: who, Body: event.TransferCompleted{}})
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
		return d.control(kind, payload)
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
	case d.s.Phase == phaseGone && news && !d.s.Told && d.personal(v):
		d.s.Told = true
		d.tell("absent", d.set.AbsentText)
	case news && is(v.Get("author").Get("type"), "business"):
		d.look(lookMessages)
	}
}

// typingLasts is how long a person is shown to write who does not say that they
// stopped.
const typingLasts = 30 * time.Second

// activity is that one of the people types, or has read what the customer wrote.
func (d desk) activity(v codec.Value) {
	by := v.Get("author")
	name := by.Get("displayName").Text()
	if d.s.Phase != phaseOpen || !is(by.Get("type"), "business") || name != "" && has(d.set.AutomaticNames, name) {
		return
	}
	who := actorOf(by)
	switch n := len(d.s.Own); {
	case is(v.Get("type"), "typing:start"):
		d.tx.Emit(adapter.Emission{Actor: who, Body: event.TypingStarted{Expires: d.tx.Now().Add(typingLasts)}})
	case is(v.Get("type"), "typing:stop"):
		d.tx.Emit(adapter.Emission{Actor: who, Body: event.TypingStopped{}})
	case is(v.Get("type"), "conversation:read") && n > 0:
		d.tx.Emit(adapter.Emission{Actor: who, Ref: "read/" + d.s.Own[n-1], Body: event.MessageRead{Message: d.s.Own[n-1]}})
	}
}

// receipt is what became of a message of the customer's there.
func (d desk) receipt(kind string, payload codec.Value) {
	id := idOf(payload.Get("message"))
	if d.s.Phase != phaseOpen || !d.s.own(id) {
		return
	}
	var body event.Body = event.MessageDelivered{Message: id}
	if kind == "failure" {
		body = event.MessageFailed{Message: id, Reason: payload.Get("error").Get("code").Text()}
	}
	d.tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleLiveAgent}, Ref: kind + "/" + id, Body: body})
}

// control is that control has passed, was to pass, or did not.
func (d desk) control(kind string, payload codec.Value) error {
	active := payload.Get("conversation").Get("activeSwitchboardIntegration")
	if (d.s.Phase == phaseGone || d.s.Phase == phaseEnded) && d.set.held(active) {
		return adapter.ErrUnsupported // taken again behind our back: counted
	}
	if d.s.Phase == phaseOpen && kind == "switchboard:releasecontrol" {
		d.s.Reading.Why = within(payload.Get("reason").Text(), idLimit)
	}
	d.look(lookWhole)
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
		d.s.Chat, d.s.Saying.Gone, d.s.Reading.Gone = stays, false, false
		d.tx.Bind(stays)
	}
	d.look(lookWhole)
}
