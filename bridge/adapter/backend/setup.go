package backend

import (
	"fmt"
	"net/http"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// Setup is a hand-off on its way to a desk: calls one after the other, and then what
// goes with it, a part a call. T is such a part, as the adapter keeps it in its state.
// An adapter's own embeds it.
type Setup[T any] struct {
	// Step is the tag of the call under way.
	Step  string `json:"step,omitempty"`
	Queue string `json:"queue,omitempty"`
	// Tries is how often the conversation was made, where nobody knows whether it was.
	Tries int `json:"tries,omitempty"`
	// Next are the next parts, Done how many left, More that others follow, Failed how
	// many were not taken.
	Next   []T  `json:"next,omitempty"`
	Done   int  `json:"done,omitempty"`
	More   bool `json:"more,omitempty"`
	Failed int  `json:"failed,omitempty"`
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
	AskBegin          // a new hand-off: the state is to be made anew, and Desk.Began called
	AskGoOn           // the same one, offered for the rest of what goes with it
)

// Asked says what a request for people asks for. step is the tag of the call under way.
func (d Desk) Asked(e event.Event, step string) int {
	switch {
	case d.Course.Phase == Open, d.Course.Handoff == e.ID && d.Course.Phase != Setting:
		return AskNothing
	case d.Course.Handoff != e.ID:
		d.Tx.After(timerQueued, queuedSoon)
		return AskBegin
	case step != "":
		d.Tx.Later() // something else came meanwhile; the call is still under way
		return AskNothing
	}
	return AskGoOn
}

// Opened says that the people there have the conversation in a queue, and has the
// adapter look soon whether one has it already. failed is Setup.Failed.
func (d Desk) Opened(failed int) {
	if failed > 0 {
		d.Report("transcript_incomplete", fmt.Sprintf("%s did not take %d parts of what was said before", d.Title, failed))
	}
	d.Course.Phase = Open
	d.Tx.Stop(timerQueued)
	d.queued()
	d.Tx.After(TimerLook, lookSoon)
}

// queued says once that the people there have the conversation in a queue.
func (d Desk) queued() {
	if !d.Course.Queued {
		d.Course.Queued = true
		d.Emit(event.HandoffQueued{})
	}
}

// Fired deals with a timer of this package's; false for one that is the adapter's.
// TimerLook is.
func (d Desk) Fired(timer string) bool {
	switch {
	case timer != timerQueued:
		return false
	case d.Course.Phase != Setting:
	case d.Course.Chat == "":
		d.Tx.After(timerQueued, queuedLater) // nobody there knows of it yet
	default:
		d.queued()
	}
	return true
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
	d.Acts.Resolve(d.Course.Handoff)
	d.Course.Phase = Gone
}
