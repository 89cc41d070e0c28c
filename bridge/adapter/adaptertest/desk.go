package adaptertest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

// Desk is a vendor's desk as a test plays it: it has one conversation, and what the
// adapter asks for in calls it does and answers. It is of one play, so each gets a new
// one; the laws call it from one goroutine.
type Desk struct {
	// Reads is what the tags of calls begin with that read what happened there. One of
	// them is open at a time, and they may fail.
	Reads string
	// Answer does what a call asks for, and gives what the vendor answers it with, as
	// JSON with status 200. Hints are what the vendor then tells of it.
	Answer func(c adapter.Calling) (answer any, hints []adapter.Input)
	// Writes stores what somebody there of that name writes to the customer, and gives
	// the hints that tell of it: requests, or frames on a connection the adapter dials.
	// nil: the vendor has no list to read, and the law faithful is left out.
	Writes func(name, text string) (hints []adapter.Input)
	// Late stores such a message with its place before the newest two, for some vendors
	// show one late. These two and the one before are people's, and told. nil: none is late.
	Late func(name, text string) (hints []adapter.Input)
	// Else is all else that may happen there at any time, by what it is: notes, words of
	// programs, people who come and go. Of none of it the customer is told.
	Else map[string]func() (hints []adapter.Input)
	// Ends has the people there give the conversation back, and gives the hints of it,
	// which come; without any the adapter has to find out when it is told to Reconcile.
	Ends func() (hints []adapter.Input)
	// Room is the most bytes the state may have while what is long is on its way; 0 means
	// 56 KiB, of the 64 the bridge takes.
	Room int
	// Accepts says that whoever writes first, or says so, is known to have it.
	Accepts bool
}

// DeskLaws holds an adapter of a desk that takes calls to what every such desk owes its
// people and customers, each law a subtest of its name:
//
//	faithful  what people write is told once, in order and in their name, however hints
//	          come (late, twice, in any order, never) and reads fail; what a hint that came
//	          tells of is told once it is quiet; one read at a time; a hand-off is accepted
//	          once at most and ends once, after the last words before its end
//	roomy     whatever was said before, and is said then, people are shown it, the hand-off
//	          ends with people who have it, and the state stays small
//
// begin makes a desk on which nothing has happened, whose lists are read by so many
// messages a page, 5 to 40; what a name is to the vendor is the desk's affair. The plays
// are random, the same each time; the shortest that fails is shown, move by move.
func DeskLaws(t *testing.T, d adapter.Definition, a adapter.Account, begin func(page int) Desk) {
	t.Helper()
	for _, v := range ExamineDesk(d, a, begin) {
		t.Run(v.Law, func(t *testing.T) {
			if v.Err != nil {
				t.Error(v.Err)
			}
		})
	}
}

// ExamineDesk is DeskLaws without a test around it: it returns a verdict a law.
func ExamineDesk(d adapter.Definition, a adapter.Account, begin func(page int) Desk) []Verdict {
	if _, err := fit(d.Configure, a); err != nil {
		return []Verdict{{"faithful", a, err}, {"roomy", a, err}}
	}
	open := func(page int) *shift {
		l := newLeg(InProcess(d), a, "leg-1")
		return &shift{desk: begin(page), page: page, leg: &l, most: stateLimit, calls: 40, random: rand.New(rand.NewPCG(0, 0)), answers: map[string]adapter.Result{}}
	}
	verdicts := []Verdict{{"roomy", a, roomy(open)}}
	if open(deskPage).desk.Writes != nil {
		verdicts = append(verdicts, Verdict{"faithful", a, faithful(open)})
	}
	return verdicts
}

const (
	// deskPage is how many messages a page has where that makes no difference.
	deskPage = 30
	// deskPlays and deskMoves are how often the law faithful plays, and how long.
	deskPlays, deskMoves = 200, 70
)

// faithful plays at random. A play that fails is played again without each of its moves:
// those it fails without are left out.
func faithful(open func(page int) *shift) error {
	random := rand.New(rand.NewPCG(1, 0))
	for n := range deskPlays {
		page, moves := 5+random.IntN(36), make([]uint64, n*deskMoves/deskPlays)
		for i := range moves {
			moves[i] = random.Uint64()
		}
		err := open(page).play(moves)
		for i := len(moves) - 1; err != nil && i >= 0; i-- {
			fewer := slices.Delete(slices.Clone(moves), i, i+1)
			if again := open(page).play(fewer); again != nil {
				moves, err = fewer, again
			}
		}
		if err != nil {
			return fmt.Errorf("with %d messages a page: %w", page, err)
		}
	}
	return nil
}

// Harmless gives an adapter one turn of anything, as a fuzz test has it: no panic, a
// small state, and nothing emitted that cannot be written. An error is an answer. What
// the turn does not have is made up: a key, the version of the definition's states.
func Harmless(t testing.TB, d adapter.Definition, turn adapter.Turn) {
	t.Helper()
	turn.Key, turn.StateVersion = first(turn.Key, "leg-1"), d.Manifest.StateVersion
	out := adapter.Run(d, turn)
	if strings.HasPrefix(out.Err, panicked) || len(out.State) > stateLimit {
		t.Errorf("%s: %s, a state of %d bytes", describe(turn.Input), out.Err, len(out.State))
	}
	for _, effect := range out.Effects {
		if e, ok := effect.(adapter.Emission); ok {
			if _, err := json.Marshal(event.Event{Body: e.Body, Actor: e.Actor, Vendor: e.Vendor}); err != nil {
				t.Errorf("%s: an emission cannot be written: %v", describe(turn.Input), err)
			}
		}
	}
}
