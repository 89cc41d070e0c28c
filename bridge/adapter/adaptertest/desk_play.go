package adaptertest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

// shift is a leg at a desk, and what is known there and here.
type shift struct {
	desk        Desk
	page        int
	leg         *leg
	most, calls int                       // the most bytes of state, and calls one thing leads to beside reads
	random      *rand.Rand                // of the move that is made
	hints       []hint                    // on their way
	answers     map[string]adapter.Result // on their way, by the call's tag
	// written is what people wrote, hinted how much of it a hint that came tells of, told
	// how much the adapter told.
	written              []string
	hinted, told         int
	said                 event.Event // last, from here
	others               int         // such events, and what else happened
	queued, taken, ended int
	ending               bool
	sent                 strings.Builder
	moves                []string
}

// hint tells of what had been written when it was sent.
type hint struct {
	input adapter.Input
	of    int
}

func (s *shift) send(of int, inputs []adapter.Input) {
	for _, in := range inputs {
		s.hints = append(s.hints, hint{in, of})
	}
}

// play begins a hand-off, makes a move for each number, and ends.
func (s *shift) play(moves []uint64) error {
	err := s.begin(event.HandoffRequested{Summary: "s"})
	for _, m := range moves {
		if s.random = rand.New(rand.NewPCG(m, 0)); err == nil {
			err = s.move()
		}
	}
	if err == nil {
		err = s.end()
	}
	if err != nil {
		return fmt.Errorf("%w, after: %s", err, strings.Join(s.moves, "; "))
	}
	return nil
}

func (s *shift) begin(body event.HandoffRequested) error {
	err := s.deliver(event.Event{ID: "h", Actor: event.Actor{Role: event.RoleVirtualAgent}, Body: body})
	if err == nil && s.queued != 1 {
		err = fmt.Errorf("people were given the conversation %d times", s.queued)
	}
	return err
}

// deliver passes an event on until it is settled, offered again as often as is asked for.
func (s *shift) deliver(e event.Event) error {
	for range s.calls {
		s.leg.later = false
		if err := s.turns(adapter.Deliver{Event: e}); err != nil || !s.leg.later {
			return err
		}
	}
	return fmt.Errorf("%s is put off for ever", e.Kind())
}

// turns gives the leg inputs, and ends all that comes of them. To read what is new a page
// is asked for a few times, and not as often as there are pages.
func (s *shift) turns(inputs ...adapter.Input) error {
	for _, in := range inputs {
		if err := s.turn(in); err != nil {
			return err
		}
	}
	for range s.calls + 4*(len(s.written)+s.others)/s.page {
		in, open := s.leg.under(s.answer)
		if !open {
			return nil
		}
		if err := s.turn(in); err != nil {
			return err
		}
	}
	return errors.New("it never ends reading")
}

// answer is what the desk answers a call, or has answered it.
func (s *shift) answer(c adapter.Calling) adapter.Result {
	r, done := s.answers[c.Tag]
	if delete(s.answers, c.Tag); done {
		return r
	}
	r = adapter.Result{Tag: c.Tag, Status: http.StatusOK, Header: http.Header{}}
	if c.Tag != "" { // else it is asked whether connections stand
		answer, hints := s.desk.Answer(c)
		r.Body, _ = encode(answer) // what has no JSON is no answer
		s.send(0, hints)
	}
	return r
}

func (s *shift) reads(c adapter.Calling) bool {
	return s.desk.Reads != "" && strings.HasPrefix(c.Tag, s.desk.Reads)
}

// open counts the open calls that read, and the others.
func (s *shift) open() (reads, others int) {
	for _, c := range s.leg.calls {
		if s.reads(c) {
			reads++
		}
	}
	return reads, len(s.leg.calls) - reads
}

// turn gives the leg an input and looks at what comes of it.
func (s *shift) turn(in adapter.Input) error {
	out := s.leg.turn(in)
	reads, _ := s.open()
	switch {
	case out.Err != "":
		return fmt.Errorf("%s: %s", describe(in), out.Err)
	case len(s.leg.state) > s.most:
		return fmt.Errorf("%.80s: the state has %d bytes, more than %d", describe(in), len(s.leg.state), s.most)
	case reads > 1:
		return fmt.Errorf("%s: two reads are open", describe(in))
	}
	for _, effect := range out.Effects {
		switch x := effect.(type) {
		case adapter.Calling:
			s.sent.Write(x.Call.Content())
			if s.random.IntN(2) == 0 {
				s.answers[x.Tag] = s.answer(x) // at once; it is on its way
			}
		case adapter.Emission:
			if err := s.hears(x); err != nil {
				return err
			}
		}
	}
	return s.leg.fault()
}

// hears holds what the adapter says happened to what did.
func (s *shift) hears(e adapter.Emission) error {
	good := true
	switch body := e.Body.(type) {
	case event.MessageCreated:
		return s.hearsWords(e.Actor, body)
	case event.NoteCreated:
		good = slices.Contains(people(), e.Actor.Name)
	case event.HandoffQueued:
		s.queued++
	case event.HandoffAccepted:
		s.taken++
		good = s.taken == 1 && s.ended == 0
	case event.HandbackRequested, event.HandoffFailed, event.ConversationEnded:
		s.ended++
		good = s.ended == 1 && s.ending && s.told == len(s.written)
	}
	if !good {
		return fmt.Errorf("told %s by %q when %d of %d messages are told, with %d accepts and %d ends", e.Body.Kind(), e.Actor.Name, s.told, len(s.written), s.taken, s.ended)
	}
	return nil
}

func (s *shift) hearsWords(who event.Actor, body event.MessageCreated) error {
	text, _ := body.Content.Part.(event.Text)
	heard, next := text.Text+" by "+who.Name, "nothing"
	if s.told < len(s.written) && s.ended == 0 {
		next = s.written[s.told]
	}
	if heard != next {
		return fmt.Errorf("told %q where %q comes next, of %d messages, after %d ends", heard, next, len(s.written), s.ended)
	}
	s.told++
	return nil
}

// end has somebody write and the people give it back. Then all is told, and no more.
func (s *shift) end() error {
	s.moves = append(s.moves, "people write, and give it back")
	s.wrote(s.desk.Writes)
	s.ending = true
	if err := s.turns(s.desk.Ends()...); err != nil {
		return err
	}
	for _, then := range []func() error{s.quiet, s.asks, s.quiet} {
		if err := then(); err != nil {
			return err
		}
	}
	if s.told != len(s.written) || s.ended != 1 || s.desk.Accepts && s.taken != 1 {
		return fmt.Errorf("in the end %d of %d messages are told, with %d accepts and %d ends", s.told, len(s.written), s.taken, s.ended)
	}
	return nil
}
