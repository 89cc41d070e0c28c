package slack

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// The steps of a hand-off, in order: the head of the thread, looked up where nobody
// knows whether it is there, and what goes with it.
const (
	stepOpen = "open"
	stepFind = "find"
	stepPost = "post"
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

// setup is a hand-off on its way.
type setup struct {
	// Step is the tag of the call under way, Began when the first left.
	Step  string `json:"step,omitempty"`
	Tries int    `json:"tries,omitempty"`
	Began int64  `json:"began,omitempty"`
	// Next are the next replies, Done how many left, More that others follow.
	Next   []string `json:"next,omitempty"`
	Done   int      `json:"done,omitempty"`
	More   bool     `json:"more,omitempty"`
	Failed int      `json:"failed,omitempty"`
}

// asked begins a hand-off, or takes it up again where it is offered for the rest of
// what goes with it.
func (d desk) asked(e event.Event, body event.HandoffRequested) {
	p := &d.s.Setup
	switch {
	case d.s.Phase == phaseOpen, d.s.Handoff == e.ID && d.s.Phase != phaseSetting:
		return
	case d.s.Handoff != e.ID:
		card, rest := briefing(e, body)
		*d.s = state{Phase: phaseSetting, Handoff: e.ID, Key: d.tx.Key(), Channel: d.set.channel(body.Routing.Queue), Card: card,
			People: d.s.People, Asking: d.s.Asking, Shown: d.s.Shown}
		if d.s.Channel == "" {
			d.s.Phase = phaseGone
			d.report("no_channel", "no channel is for the queue "+body.Routing.Queue+": add a row to the setting channels")
			d.emit(event.HandoffFailed{Reason: event.FailedRejected})
			return
		}
		p.Began = d.tx.Now().UnixMicro()
		d.load(rest)
		d.open()
	case p.Step != "":
		d.tx.Later() // something else came meanwhile; the call is still under way
	default:
		_, rest := briefing(e, body)
		d.load(rest)
		d.next()
	}
}

// load takes the next replies of all there are.
func (d desk) load(all []string) {
	p := &d.s.Setup
	room := chunkLimit
	p.Next, p.More = nil, false
	for _, one := range all[min(p.Done, len(all)):] {
		if room -= len(codec.Compose(one)); room < 0 && len(p.Next) > 0 {
			p.More = true
			return
		}
		p.Next = append(p.Next, one)
	}
}

func (d desk) call(step string, c adapter.Call) {
	p := &d.s.Setup
	p.Step = fmt.Sprintf("%s/%s/%d", step, d.s.Handoff, p.Done+p.Tries)
	c.GiveUp = openLimit
	d.tx.Call(p.Step, c)
}

// open posts the head of the thread.
func (d desk) open() {
	d.s.Setup.Tries++
	c, body := d.post(d.headline(), d.s.Handoff)
	d.s.Status = "Waiting for a person"
	body["blocks"] = d.blocks()
	c.Body = codec.Compose(body)
	c.Repeat, c.Binds = adapter.RepeatNever, true
	d.call(stepOpen, c)
}

// find looks for a head of which nobody knows whether it was posted.
func (d desk) find() {
	c := d.read("conversations.history", url.Values{"channel": {d.s.Channel}, "oldest": {stamp(d.s.Setup.Began - findBack)}, "limit": {"100"}, "include_all_metadata": {"true"}})
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
	c, _ := d.post(p.Next[0], fmt.Sprintf("%s/%d", d.s.Handoff, p.Done))
	if d.call(stepPost, c); len(p.Next) == 1 && p.More {
		d.tx.Later()
	}
}

// step goes on when a step's call has ended.
func (d desk) step(step string, r adapter.Result) {
	d.s.Setup.Step = ""
	if r.Reason == adapter.ReasonCancelled {
		d.s.Phase = phaseCut
		return
	}
	v, fault := answerOf(r)
	switch step {
	case stepOpen:
		d.openResult(r, v, fault)
	case stepFind:
		d.findResult(r, v, fault)
	case stepPost:
		d.postResult(r, fault)
	}
}

func (d desk) openResult(r adapter.Result, v codec.Value, fault string) {
	ts := v.Get("ts").Text()
	switch {
	case fault == "" && instant(ts) != 0:
		d.bound(ts)
	case unsure(r, fault):
		d.find()
	default:
		d.fail(r, fault)
	}
}

func (d desk) findResult(r adapter.Result, v codec.Value, fault string) {
	items := v.Get("messages").Items()
	i := slices.IndexFunc(items, func(m codec.Value) bool { return idOf(m) == d.s.Handoff })
	switch {
	case fault == "" && i >= 0 && instant(items[i].Get("ts").Text()) != 0:
		d.bound(items[i].Get("ts").Text())
	case fault == "" && d.s.Setup.Tries < openTries:
		d.open()
	default:
		d.fail(r, cmp.Or(fault, "the thread could not be begun"))
	}
}

func (d desk) bound(ts string) {
	d.s.Thread, d.s.Setup.Tries = ts, 0
	d.s.Reading.Low = instant(ts)
	d.tx.Bind(ts)
	d.next()
}

// postResult goes on after a reply, also where it was refused: people can do without,
// and not without the conversation.
func (d desk) postResult(r adapter.Result, fault string) {
	p := &d.s.Setup
	if fault != "" {
		p.Failed++
	}
	p.Done++
	p.Next = p.Next[min(1, len(p.Next)):]
	if fault != "" && passing(r, fault) {
		p.Next, p.More = nil, false // nobody answers; the rest would only take time
	}
	if len(p.Next) == 0 && p.More {
		return // the request is offered again
	}
	d.next()
}

// opened says that people have it, and looks whether one wrote meanwhile.
func (d desk) opened() {
	if failed := d.s.Setup.Failed; failed > 0 {
		d.report("transcript_incomplete", fmt.Sprintf("Slack did not take %d replies of what was said before", failed))
	}
	d.s.Phase, d.s.Setup = phaseOpen, setup{}
	d.emit(event.HandoffQueued{})
	d.press()
	d.look()
}

// fail says that these people cannot be asked.
func (d desk) fail(r adapter.Result, fault string) {
	reason := event.FailedBackendDown
	if !passing(r, fault) {
		reason = event.FailedRejected
		d.report("refused", "Slack: "+fault+"; footbridge accounts verify says what is missing")
	}
	d.emit(event.HandoffFailed{Reason: reason})
	d.s.Phase, d.s.Setup = phaseGone, setup{}
	d.show("The bridge could not hand this over.")
}
