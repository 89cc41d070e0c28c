package slack

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/backend"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// The steps of a hand-off, in order: the head of the thread, looked up where nobody
// knows whether it is there, and what goes with it, looked up as well.
const (
	stepOpen = "open"
	stepFind = "find"
	stepPost = "post"
	stepSeek = "seek" // whether a part is there, where Slack did not say
)

const (
	// chunkLimit is how much of what goes with a hand-off is kept between turns, in
	// bytes; the rest is taken from the request when it is offered again.
	chunkLimit = 8 << 10
	// openTries is how often a thread is begun when nobody knows whether it was.
	openTries = 3
	// findBack is how long before the first try is looked for it, in microseconds:
	// clocks differ.
	findBack = 120 * 1_000_000
)

// setup is a hand-off on its way; a part is a reply. Began is when the first call left,
// and Cursor the page of the channel on which the head is looked for.
type setup struct {
	backend.Setup[string]
	Began  int64  `json:"began,omitempty"`
	Cursor string `json:"cursor,omitempty"`
}

// asked begins a hand-off, or goes on with what goes with it.
func (d desk) asked(e event.Event, body event.HandoffRequested) {
	p := &d.s.Setup
	card, rest := briefing(e, body)
	switch d.Asked(e) {
	case backend.AskBegin:
		if d.s.Showing != 0 && d.s.Showing != d.s.Shown {
			d.update("") // of the thread before, which nobody comes back to
		}
		course := backend.Begun(e)
		course.Self = d.s.Self
		*d.s = state{Course: course, Key: d.Tx.Key(), Channel: d.set.channel(body.Routing.Queue), Card: card,
			Status: "Waiting for a person", People: d.s.People, Asking: d.s.Asking, Shown: d.s.Shown}
		if d.s.Channel == "" {
			d.s.Phase = backend.Gone
			d.Report("no_channel", "no channel is for the queue "+body.Routing.Queue+": add a row to the setting channels")
			d.Emit(event.HandoffFailed{Reason: event.FailedRejected})
			return
		}
		p.Began = d.Tx.Now().UnixMicro()
		p.Load(rest, chunkLimit)
		d.open()
	case backend.AskGoOn:
		p.Load(rest, chunkLimit)
		d.next()
	}
}

func (d desk) call(step string, c adapter.Call) {
	if c.GiveUp = openLimit; d.s.Chat != "" {
		c.GiveUp = backLimit
	}
	d.Step(step, c)
}

// open posts the head of the thread.
func (d desk) open() {
	d.s.Setup.Tries++
	d.s.Setup.Cursor = ""
	c, body := d.post(d.headline(), d.s.Handoff)
	body["blocks"] = d.blocks()
	c.Body = codec.Compose(body)
	c.Repeat, c.Binds = adapter.RepeatNever, true
	d.call(stepOpen, c)
}

// find looks for a head of which nobody knows whether it was posted.
func (d desk) find() {
	query := url.Values{"channel": {d.s.Channel}, "oldest": {stamp(d.s.Setup.Began - findBack)}, "limit": {"100"}, "include_all_metadata": {"true"}}
	if d.s.Setup.Cursor != "" {
		query.Set("cursor", d.s.Setup.Cursor)
	}
	c := d.read("conversations.history", query)
	c.Binds = true
	d.call(stepFind, c)
}

// next goes on with what is to be done once the thread is there.
func (d desk) next() {
	p := &d.s.Setup
	if len(p.Next) == 0 {
		d.opened()
		return
	}
	c, _ := d.post(p.Next[0], d.partID())
	d.readBack(&c, p.Began)
	if d.call(stepPost, c); p.Last() {
		d.Tx.Later()
	}
}

// partID is our id of the next part.
func (d desk) partID() string { return fmt.Sprintf("%s/%d", d.s.Handoff, d.s.Setup.Done) }

// step goes on when a step's call has ended.
func (d desk) step(step string, r adapter.Result) {
	r, reads := sought(r)
	told, v, fault := answerOf(r)
	switch step {
	case stepOpen:
		d.openResult(told, v, fault)
	case stepFind:
		d.findResult(told, v, fault)
	case stepPost, stepSeek:
		d.posted(told, v, fault, reads || step == stepSeek)
	}
}

// posted goes on after a part, or after a page of the thread it was looked for on. One
// nobody knows of is looked for before it leaves again.
func (d desk) posted(r adapter.Result, v codec.Value, fault string, reads bool) {
	p := &d.s.Setup
	there, next := "", ""
	if reads && fault == "" {
		if there, next = isThere(v, p.Cursor, d.partID(), ""); there == "" {
			r.Status = http.StatusServiceUnavailable // Slack took it, and does not have it
		}
	}
	p.Cursor = next
	switch {
	case next != "", !reads && r.MayHaveActed() && r.Reason != adapter.ReasonUnknown && fault != "":
		d.call(stepSeek, d.seek(p.Began, p.Cursor))
		return
	case reads && fault == "" && there == "" && p.Tries < openTries:
		p.Tries++
		d.next()
		return
	}
	if p.Tries = 0; p.Posted(r) {
		d.next()
	}
}

func (d desk) openResult(r adapter.Result, v codec.Value, fault string) {
	ts := v.Get("ts").Text()
	switch {
	case fault == "" && instant(ts) != 0:
		d.bound(ts, v.Get("message"))
	case r.MayHaveActed():
		d.find()
	default:
		d.fail(r, fault)
	}
}

func (d desk) findResult(r adapter.Result, v codec.Value, fault string) {
	items, next := v.Get("messages").Items(), nextPage(v, d.s.Setup.Cursor)
	i := slices.IndexFunc(items, func(m codec.Value) bool { return idOf(m) == d.s.Handoff })
	switch {
	case fault == "" && i >= 0 && instant(items[i].Get("ts").Text()) != 0:
		d.bound(items[i].Get("ts").Text(), items[i])
	case fault == "" && next != "":
		d.s.Setup.Cursor = next
		d.find()
	case fault == "" && d.s.Setup.Tries < openTries:
		d.open()
	default:
		d.fail(r, cmp.Or(fault, "the thread could not be begun"))
	}
}

// bound goes on once the thread is there. Its head says as whom we write.
func (d desk) bound(ts string, head codec.Value) {
	d.s.Chat, d.s.Setup.Tries = ts, 0
	if id := head.Get("user").Text(); isUser(id) {
		d.s.Self = id
	}
	d.s.Reading.Low = seenAt(ts)
	d.Tx.Bind(ts)
	d.next()
}

// opened says that people have it.
func (d desk) opened() {
	d.Opened()
	d.stale()
	d.press()
}

// fail says that these people cannot be asked.
func (d desk) fail(r adapter.Result, fault string) {
	reason := event.FailedBackendDown
	if !passing(r) && !r.OK() {
		reason = event.FailedRejected
		d.Report("refused", "Slack: "+fault+"; footbridge accounts verify says what is missing")
	}
	d.Emit(event.HandoffFailed{Reason: reason})
	d.s.Phase, d.s.Setup = backend.Gone, setup{}
	d.show("The bridge could not hand this over")
}
