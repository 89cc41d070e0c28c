package slack

import (
	"cmp"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/backend"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// The ids of the buttons.
const (
	actionClaim    = "footbridge_claim"
	actionTakeOver = "footbridge_take_over" // claim, where somebody has it
	actionBack     = "footbridge_hand_back"
	actionClose    = "footbridge_close"
)

const (
	// peopleMost is how many people of a leg are known by name; of more Slack is not
	// asked.
	peopleMost = 8
	// pressesMost is how many presses wait; of those that end it twice as many do.
	pressesMost = 10
	// threadMost is the longest timestamp of a thread.
	threadMost = 40
)

// press is a button pressed.
type press struct {
	Action string `json:"action"`
	User   string `json:"user"`
	Name   string `json:"name,omitempty"` // what Slack called them there
	At     int64  `json:"at"`             // in microseconds
	Thread string `json:"thread,omitempty"`
}

// in reports whether the button is of a thread; presses kept by earlier versions do not
// say.
func (p press) in(thread string) bool { return p.Thread == "" || p.Thread == thread }

// person is somebody as the customer is to know them.
func (d desk) person(id string) event.Actor {
	for _, one := range d.s.People {
		if one.ID == id {
			return one
		}
	}
	return event.Actor{Role: event.RoleLiveAgent, ID: id}
}

// knows reports whether somebody is known by name, and asks Slack if not.
func (d desk) knows(id string) bool {
	if d.person(id).Name != "" || len(d.s.People) >= peopleMost || !isUser(id) {
		return true
	}
	if d.s.Asking == "" {
		d.s.Asking = id
		d.Tx.Call(actWho+"/"+id, d.get("users.info", url.Values{"user": {id}}, d.Tx.Credential(botToken)))
	}
	return false
}

func isUser(id string) bool { return regexp.MustCompile(`^[UW][A-Z0-9]{1,20}$`).MatchString(id) }

// mentions are the people a text speaks of.
func mentions() *regexp.Regexp { return regexp.MustCompile(`<@([UW][A-Z0-9]{1,20})>`) }

// introducedAll reports whether the author of a message that is to be told, and all it
// speaks of, are known.
func (d desk) introducedAll(m backend.Message) bool {
	if d.s.Reading.Knows(m.Seen) && editedAt(m.Value) <= d.s.Reading.Edited {
		return true
	}
	all := []string{m.Value.Get("user").Text()}
	for _, found := range mentions().FindAllStringSubmatch(m.Value.Get("text").Text(), peopleMost) {
		all = append(all, found[1])
	}
	return !slices.ContainsFunc(all, func(id string) bool { return !d.knows(id) })
}

// introduced goes on when Slack has said who somebody is. Of whom it does not say, the
// name is what a button had, or none.
func (d desk) introduced(id string, r adapter.Result) {
	if d.s.Asking != id {
		return
	}
	d.s.Asking = ""
	if r.Reason == adapter.ReasonCancelled && d.s.Phase != backend.Open {
		return // nobody waits for the name; who does later asks again
	}
	_, v, _ := answerOf(r) // nobody's name keeps words waiting
	who := actorOf(id, v.Get("user"))
	for _, p := range d.s.Presses {
		if p.User == id {
			who.Name = cmp.Or(who.Name, p.Name)
		}
	}
	who.Name = cmp.Or(who.Name, "Agent")
	d.s.People = append(d.s.People, who)
	d.press()
	if d.s.Reading.Waits && d.s.Reading.Level != 0 && d.s.Phase == backend.Open {
		d.page(d.s.Reading.At)
	}
}

// pressed is a button of ours that was pressed.
func (d desk) pressed(v codec.Value) error {
	var action codec.Value
	if items := v.Get("actions").Items(); len(items) > 0 {
		action = items[0]
	}
	name, thread := strings.ToLower(action.Get("action_id").Text()), v.Get("container").Get("message_ts").Text()
	ours := slices.Contains([]string{actionClaim, actionTakeOver, actionBack, actionClose}, name)
	if !strings.EqualFold(v.Get("type").Text(), "block_actions") || !ours {
		return adapter.ErrUnsupported
	}
	who := v.Get("user")
	p := press{Action: name, User: who.Get("id").Text(), At: instant(action.Get("action_ts").Text()), Thread: thread}
	p.Name, _ = codec.Cut(cmp.Or(who.Get("name").Text(), who.Get("username").Text()), nameLimit)
	if p.At == 0 {
		p.At = d.Tx.Now().UnixMicro()
	}
	switch {
	case !isUser(p.User), instant(thread) == 0, len(thread) > threadMost:
	case d.s.Phase != backend.Open && d.s.Phase != backend.Setting, d.s.Chat != "" && thread != d.s.Chat:
		d.late(p)
	case d.until(thread) == math.MaxInt64: // the first press that ends it counts
		d.queue(p)
		d.press()
	}
	return nil
}

// queue puts a press behind those that wait. Of somebody's claims the last counts.
func (d desk) queue(p press) {
	d.s.Presses = slices.DeleteFunc(d.s.Presses, func(q press) bool { return isClaim(p) && q.User == p.User && q.Thread == p.Thread })
	if n := len(d.s.Presses); n < pressesMost || n < 2*pressesMost && !isClaim(p) {
		d.s.Presses = append(d.s.Presses, p)
	}
}

func isClaim(p press) bool { return p.Action == actionClaim || p.Action == actionTakeOver }

// press does what was pressed, in order, once the thread stands and whoever pressed is
// known.
func (d desk) press() {
	for d.s.Phase == backend.Open && d.s.Ending == nil && len(d.s.Presses) > 0 && d.knows(d.s.Presses[0].User) {
		p := d.s.Presses[0]
		d.s.Presses = d.s.Presses[1:]
		if isClaim(p) {
			d.take(d.person(p.User))
			continue
		}
		d.s.Ending, d.s.Presses = &p, nil
		d.look() // what was written before comes before
	}
}

// late is a press that comes when it is over. Who hands back what is gone has what they
// wanted: two people who press it at once are not told that nobody saw them.
func (d desk) late(p press) {
	if p.Action != actionBack {
		d.over(p.Thread)
	}
}

// stale lets go of presses that came before the thread stood and are of an earlier one.
func (d desk) stale() {
	for _, p := range d.s.Presses {
		if !p.in(d.s.Chat) {
			d.late(p)
		}
	}
	d.s.Presses = slices.DeleteFunc(d.s.Presses, func(p press) bool { return !p.in(d.s.Chat) })
}

// until is when the conversation ends in a thread, as far as it is known: what is
// written later is not the customer's to see, also while the press waits for its turn.
func (d desk) until(thread string) int64 {
	if d.s.Ending != nil {
		return d.s.Ending.At
	}
	for _, p := range d.s.Presses {
		if !isClaim(p) && p.in(thread) {
			return p.At
		}
	}
	return math.MaxInt64
}

// take gives the conversation to somebody.
func (d desk) take(who event.Actor) {
	if d.s.Agent.ID != who.ID {
		d.Assigned(who)
		d.show("With " + name(who))
	}
}

// end does what the last press said, after the words before it.
func (d desk) end() {
	p := d.s.Ending
	if p == nil || d.s.Phase != backend.Open {
		return
	}
	d.s.Ending = nil
	who := d.person(p.User)
	said, body, next := "Declined by ", event.Body(event.HandoffFailed{Reason: event.FailedDeclined}), backend.Gone
	switch {
	case p.Action == actionClose:
		said, body, next = "Closed by ", event.ConversationEnded{Reason: "completed", By: event.RoleLiveAgent}, backend.Ended
	case d.s.Taken:
		said, body, next = "Handed back by ", event.HandbackRequested{Reason: "handed_back"}, backend.Returning
	}
	d.s.Phase = next
	d.show(said + name(who))
	d.Tx.Emit(adapter.Emission{Actor: d.Voice(who), Body: body})
}
