package backend

import (
	"cmp"
	"fmt"
	"net/http"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// Steps are the calls of a hand-off on its way, one after the other.
type Steps struct {
	// Step is the tag of the call under way.
	Step string `json:"step,omitempty"`
	// Tries is how often the conversation was made, where nobody knows whether it was.
	Tries int `json:"tries,omitempty"`
	// Done is how many parts left, and Failed how many of them were not taken.
	Done   int `json:"done,omitempty"`
	Failed int `json:"failed,omitempty"`
}

// Setup is a hand-off on its way to a desk: its calls, the last of which take what goes
// with it, a part a call. T is such a part, as the adapter keeps it in its state. An
// adapter's own embeds it.
type Setup[T any] struct {
	Steps
	Queue string `json:"queue,omitempty"`
	// Next are the next parts, and More says that others follow.
	Next []T  `json:"next,omitempty"`
	More bool `json:"more,omitempty"`
}

// createTries is how often a conversation is made where nobody knows whether it was.
const createTries = 3

// Step makes the next call of a hand-off, which is given up in time for the next desk
// where it does not say itself when. Step names it for Acts.Step.
func (d Desk) Step(step string, c adapter.Call) {
	c.GiveUp = cmp.Or(c.GiveUp, OpenLimit)
	d.Steps.Step = fmt.Sprintf("%s/%s/%d", step, d.Course.Handoff, d.Steps.Done+d.Steps.Tries)
	d.Tx.Call(d.Steps.Step, c)
}

// stepped goes on when the call of a step has ended; false for a call of something else.
// What cut the hand-off short comes.
func (d Desk) stepped(step string, r adapter.Result) bool {
	if d.Steps.Step == "" || r.Tag != d.Steps.Step {
		return false
	}
	if d.Steps.Step = ""; r.Reason == adapter.ReasonCancelled {
		d.Course.Phase = Cut
		return true
	}
	d.Acts.Step(step, r)
	return true
}

// NotMade goes on after a call that makes the conversation, and that is not repeated by
// itself, where its answer has none: it is looked up where it may be there all the same.
func (d Desk) NotMade(r adapter.Result, find func()) {
	if r.MayHaveActed() {
		find()
		return
	}
	d.Failed(r)
}

// NotFound goes on where a look-up has no conversation: it is made, a few times. good
// says that the answer is one to be believed.
func (d Desk) NotFound(r adapter.Result, good bool, create func()) {
	if good && d.Steps.Tries < createTries {
		create()
		return
	}
	d.Failed(r)
}

// Load takes the next parts out of all there are, as many as have room, in bytes, and
// one at least. All has to be the same each time: the request is offered again for what
// had no room.
func (s *Setup[T]) Load(all []T, room int) {
	s.Next, s.More = nil, false
	for _, one := range all[min(s.Done, len(all)):] {
		if room -= len(codec.Compose(one)); room < 0 && len(s.Next) > 0 {
			s.More = true
			return
		}
		s.Next = append(s.Next, one)
	}
}

// Last reports whether the request has to be offered again after the next part: the
// call of the part goes with Tx.Later then.
func (s *Setup[T]) Last() bool { return len(s.Next) == 1 && s.More }

// Posted notes how the call of a part ended. One that was refused is left out: people
// can do without a part, and not without the conversation; where nobody answers the
// others are left out, too. False says that nothing is to be done before the request is
// offered again.
func (s *Setup[T]) Posted(r adapter.Result) (goOn bool) {
	if !r.OK() {
		s.Failed++
	}
	s.Done++
	s.Next = s.Next[min(1, len(s.Next)):]
	if r.Reason != "" && r.Reason != adapter.ReasonNotAllowed || r.Status >= http.StatusInternalServerError {
		s.Next, s.More = nil, false
	}
	return len(s.Next) > 0 || !s.More
}

// What a request for people asks of an adapter.
const (
	AskNothing = iota // they have it, or had it
	AskBegin          // a new hand-off: the state is to be made anew, with Begun
	AskGoOn           // the same one, offered for the rest of what goes with it
)

// Begun is the course of a hand-off that begins.
func Begun(e event.Event) Course { return Course{Phase: Setting, Handoff: e.ID} }

// Asked says what a request for people asks for.
func (d Desk) Asked(e event.Event) int {
	switch {
	case d.Course.Phase == Open, d.Course.Handoff == e.ID && d.Course.Phase != Setting:
		return AskNothing
	case d.Course.Handoff != e.ID:
		d.Tx.After(timerQueued, queuedSoon)
		return AskBegin
	case d.Steps.Step != "":
		d.Tx.Later() // something else came meanwhile; the call is still under way
		return AskNothing
	}
	return AskGoOn
}

// Opened says that the people there have the conversation in a queue, and has the
// adapter look soon whether one has it already.
func (d Desk) Opened() {
	if failed := d.Steps.Failed; failed > 0 {
		d.Report("transcript_incomplete", fmt.Sprintf("%s did not take %d parts of what was said before", d.Title, failed))
	}
	d.Course.Phase = Open
	d.Tx.Stop(timerQueued)
	d.queued()
	d.Tx.After(TimerLook, lookSoon)
	d.Acts.Clear()
}

// queued says once that the people there have the conversation in a queue.
func (d Desk) queued() {
	if !d.Course.Queued {
		d.Course.Queued = true
		d.Emit(event.HandoffQueued{})
	}
}

// fired does what it is time for.
func (d Desk) fired(in adapter.Fired) error {
	switch {
	case in.Timer == TimerLook:
		d.Look(LookWhole)
	case in.Timer != timerQueued:
		return d.other(in)
	case d.Course.Phase != Setting:
	case d.Course.Chat == "":
		d.Tx.After(timerQueued, queuedLater) // nobody there knows of it yet
	default:
		d.queued()
	}
	return nil
}

// Failed says that these people cannot be asked. What was made of the conversation is
// closed, so that nobody waits in it.
func (d Desk) Failed(r adapter.Result) {
	reason := event.FailedBackendDown
	if r.Refused() {
		reason = event.FailedRejected
		d.Report("refused", d.Title+" "+r.Fault(d.Login))
	}
	d.Tx.Stop(timerQueued)
	d.Emit(event.HandoffFailed{Reason: reason})
	d.resolve(d.Course.Handoff)
	d.Course.Phase = Gone
	d.Acts.Clear()
}
