package slack

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/backend"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// What tags begin with, beside those of the hand-off and of reads.
const (
	actSay  = "say"
	actLine = "line"
	actRoot = "root"
	actWho  = "who"
)

// lookAgain is how soon a thread is read again, or words are sent, that could not be.
const lookAgain = 5 * time.Second

// state is what a leg remembers between turns. Chat is the timestamp of the thread's
// head.
type state struct {
	backend.Course
	Channel string `json:"channel,omitempty"`
	Key     string `json:"key,omitempty"`    // what leads a press here
	Card    string `json:"card,omitempty"`   // the head's words
	Status  string `json:"status,omitempty"` // and how it stands
	Shown   int    `json:"shown,omitempty"`  // how often the head was changed
	// Showing is which of these changes is on its way, 0 none.
	Showing int `json:"showing,omitempty"`
	// People are those who write here, as the customer is to know them, and Asking
	// whom Slack is being asked about.
	People  []event.Actor `json:"people,omitempty"`
	Asking  string        `json:"asking,omitempty"`
	Presses []press       `json:"presses,omitempty"` // of buttons, not dealt with
	Ending  *press        `json:"ending,omitempty"`  // what comes after the words before it
	Over    string        `json:"over,omitempty"`    // the thread where people were told that it is over
	Setup   setup         `json:"setup,omitzero"`
	Saying  saying        `json:"saying,omitzero"`
	Reading reading       `json:"reading,omitzero"`
	Proof   proof         `json:"proof,omitzero"`
}

// desk is one turn of a leg.
type desk struct {
	backend.Desk
	set settings
	s   *state
}

func handle(tx *adapter.Tx, s *state, in adapter.Input) error {
	var set settings
	if err := set.fill(tx.Account()); err != nil {
		return err
	}
	d := desk{backend.Desk{Tx: tx, Course: &s.Course, Steps: &s.Setup.Steps, Reading: &s.Reading.Reading, Proof: &s.Proof.Proof, Ways: set.Ways, Acts: new(backend.Acts),
		Title: "Slack", Login: botToken}, set, s}
	d.Reads = backend.Reads{Page: d.page, Tell: d.message, Done: d.end}
	*d.Acts = backend.Acts{Ask: d.asked, Say: d.says, Note: d.note, Resolve: d.leaves, Reopen: d.reopen, Left: d.left, Rest: d.rest,
		Step: d.step, Clear: func() { s.Setup = setup{} }, Hint: d.request, Answer: d.answer,
		Check: d.check, Proved: d.proved}
	if r, ok := in.(adapter.Result); ok && strings.HasPrefix(r.Tag, actRoot+"/") {
		d.shown(strings.TrimPrefix(r.Tag, actRoot+"/"), r) // also after the end
		return nil
	}
	return d.Turn(in)
}

// rest is what people are told beside words: that the customer did not get theirs.
func (d desk) rest(e event.Event) {
	if failed, ok := e.Body.(event.MessageFailed); ok && d.s.Phase == backend.Open {
		d.note(e.ID, "Not delivered to the customer: "+cmp.Or(failed.Reason, "their side did not take it"))
	}
}

// note is something people are told in the thread.
func (d desk) note(of, text string) { d.line(of, d.s.Chat, text) }

func (d desk) line(of, thread, text string) {
	c, body := d.post(within(escape(text), messageLimit), "")
	body["thread_ts"] = thread
	c.Body = codec.Compose(body)
	d.Tx.Call(actLine+"/"+of, c)
}

// reopen gives the conversation back to who handed it back.
func (d desk) reopen(string) {
	d.show("With " + name(d.s.Agent))
	d.look()
}

// leaving is how the head stands until left says better.
const leaving = "Over"

// leaves and left take the buttons away where people still had them.
func (d desk) leaves(string) { d.s.Status = leaving }

func (d desk) left() {
	d.s.Presses, d.s.Ending = nil, nil
	if d.s.Status == leaving {
		d.show(map[bool]string{false: "Over here", true: escape(d.Ways.EndedText)}[d.s.Phase == backend.Ended])
	}
}

// show changes the head of the thread to what it is now. One change is made at a time,
// of what it is then, so that none lands after a newer one. They wait in no lane: what
// waits is let go of when the conversation goes on.
func (d desk) show(status string) {
	d.s.Status = status
	if d.s.Chat == "" {
		return
	}
	if d.s.Shown++; d.s.Showing == 0 {
		d.update("")
	}
}

// update makes the newest change of the head.
func (d desk) update(again string) {
	d.s.Showing = d.s.Shown
	c := d.write("chat.update", backend.Fields{"channel": d.s.Channel, "ts": d.s.Chat, "text": d.headline(), "blocks": d.blocks()})
	c.Repeat = adapter.RepeatKeyed
	d.Tx.Call(fmt.Sprintf("%s/%d%s", actRoot, d.s.Shown, again), c)
}

// shown goes on when a change of the head has ended: with the newest, where there was
// one since, or with the same where it was let go of all the same, once.
func (d desk) shown(of string, r adapter.Result) {
	n, again, _ := strings.Cut(of, "/")
	was, _ := strconv.Atoi(n) // a tag of ours
	if was != d.s.Showing {
		return
	}
	d.s.Showing = 0
	switch {
	case was != d.s.Shown:
		d.update("")
	case r.Reason == adapter.ReasonCancelled && again == "":
		d.update("/again")
	}
}

// answer goes on when a call has ended.
func (d desk) answer(act, of string, r adapter.Result) {
	switch {
	case act == actWho:
		d.introduced(of, r)
	case act == readThread && of == d.s.Handoff:
		d.readResult(r)
	case act == actSay && d.s.Saying.Event != "" && strings.HasPrefix(of, d.s.Saying.ID()+"/"):
		d.saidResult(strings.TrimPrefix(of, d.s.Saying.ID()+"/"), r)
	}
}
