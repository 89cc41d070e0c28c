package adaptertest

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

// people are those who work at the desk.
func people() []string { return []string{"Sam", "Kim", "Lee"} }

// move is one thing that happens.
func (s *shift) move() error {
	all := []struct {
		name string
		do   func() error
	}{{"people write", s.writes}, {"people write", s.writes}, {"something is passed on", s.passes}, {"a hint comes", s.hint}, {"a hint comes", s.hint}, {"hints are lost", s.lose},
		{"a call ends", s.callEnds}, {"a call ends", s.callEnds}, {"a call ends", s.callEnds},
		{"the bridge asks", s.asks}, {"a timer fires", s.fires}, {"it is quiet", s.quiet}, {"one shows late", s.late}}
	more := slices.Sorted(maps.Keys(s.desk.Else))
	i := s.random.IntN(len(all) + len(more))
	if i < len(all) {
		s.moves = append(s.moves, all[i].name)
		return all[i].do()
	}
	name := more[i-len(all)]
	s.moves = append(s.moves, name)
	s.others++
	s.send(0, s.desk.Else[name]())
	return nil
}

func (s *shift) writes() error {
	for range []int{1, 1, 1, 2, 25, 60}[s.random.IntN(6)] {
		s.wrote(s.desk.Writes)
	}
	if s.random.IntN(2) == 0 {
		return s.lose()
	}
	return nil
}

func (s *shift) wrote(how func(name, text string) []adapter.Input) {
	name, text := people()[s.random.IntN(3)], fmt.Sprintf("w%d", len(s.written))
	s.written = append(s.written, text+" by "+name)
	s.send(len(s.written), how(name, text))
}

// late has a message show before the newest two of three that were told.
func (s *shift) late() error {
	if s.desk.Late == nil {
		return nil
	}
	for range 3 {
		s.wrote(s.desk.Writes)
	}
	if err := s.quiet(); err != nil {
		return err
	}
	s.wrote(s.desk.Late)
	return s.quiet()
}

// passes delivers the customer's words, or an assistant's note, when no delivery is open.
func (s *shift) passes() error {
	if _, busy := s.open(); busy > 0 && !s.leg.later {
		return nil
	}
	if !s.leg.later {
		s.others++
		s.said = event.Event{ID: fmt.Sprint("c", s.others), Actor: event.Actor{Role: event.RoleCustomer}, Body: event.MessageCreated{Content: event.Plain("x")}}
		if s.random.IntN(2) == 0 {
			s.said.Actor.Role, s.said.Body = event.RoleObserver, event.NoteCreated{Text: "x"}
		}
	}
	s.leg.later = false
	return s.turn(adapter.Deliver{Event: s.said})
}

// hint lets any hint come; it may come again.
func (s *shift) hint() error {
	if len(s.hints) == 0 {
		return nil
	}
	i := s.random.IntN(len(s.hints))
	h := s.hints[i]
	if s.random.IntN(2) == 0 {
		s.hints = slices.Delete(s.hints, i, i+1)
	}
	s.hinted = max(s.hinted, h.of)
	return s.turn(h.input)
}

// lose loses the hints, all or all but the newest.
func (s *shift) lose() error {
	s.hints = s.hints[len(s.hints)-min(s.random.IntN(2), len(s.hints)):]
	return nil
}

// callEnds ends any call, a read maybe without an answer.
func (s *shift) callEnds() error {
	if len(s.leg.calls) == 0 {
		return nil
	}
	c := s.leg.calls[s.random.IntN(len(s.leg.calls))]
	r := s.answer(c)
	if n := s.random.IntN(4); s.reads(c) && n < 2 {
		r = unanswered([]string{adapter.ReasonUnknown, adapter.ReasonTooLarge}[n])(c)
	}
	s.leg.finish(c.Tag)
	return s.turn(r)
}

func (s *shift) asks() error { return s.turn(adapter.Reconcile{Since: s.leg.now.Add(-time.Hour)}) }

func (s *shift) fires() error {
	if len(s.leg.timers) == 0 {
		return nil
	}
	return s.turn(adapter.Fired{Timer: s.leg.timers[s.random.IntN(len(s.leg.timers))]})
}

// quiet lets all hints come, all calls end well and all timers fire: then all that a
// hint told of is told.
func (s *shift) quiet() error {
	var inputs []adapter.Input
	for _, h := range s.hints {
		s.hinted = max(s.hinted, h.of)
		inputs = append(inputs, h.input)
	}
	s.hints = nil
	if err := s.turns(inputs...); err != nil {
		return err
	}
	for _, timer := range slices.Clone(s.leg.timers) {
		if err := s.turns(adapter.Fired{Timer: timer}); err != nil {
			return err
		}
	}
	if s.told < s.hinted {
		return fmt.Errorf("it is quiet, hints of %d messages came and %d are told", s.hinted, s.told)
	}
	return nil
}
