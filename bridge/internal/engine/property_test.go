package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/credential"
	"github.com/footbridge/footbridge/bridge/internal/engine"
	"github.com/footbridge/footbridge/bridge/internal/journal"
	"github.com/footbridge/footbridge/bridge/internal/journal/sqlite"
)

// step is one thing that happens in a drawn story.
type step struct {
	what  string
	n     int
	after bool
	wait  time.Duration
}

var (
	steps = []string{"start", "start", "inbound", "inbound", "inbound", "twice", "poison", "bye", "accept", "accept", "say", "say", "say",
		"handback", "end", "wait", "wait", "answer", "answer", "restart", "die", "die", "down"}
	waits   = []time.Duration{time.Millisecond, 250 * time.Millisecond, 3 * time.Second, 40 * time.Second, 3 * time.Minute}
	answers = []answer{{attempt: engine.Attempt{Status: 200}, took: 2 * time.Second}, status(404), status(500),
		{attempt: engine.Attempt{Status: 429}, lost: true},
		reason(adapter.ReasonUnknown), {attempt: engine.Attempt{Reason: adapter.ReasonUnknown}, lost: true}, reason(adapter.ReasonRefused),
		reason(adapter.ReasonBreakerOpen), {attempt: engine.Attempt{Reason: adapter.ReasonTimeout}, lost: true, took: 5 * time.Second}}
)

func drawStep(t *rapid.T) step {
	return step{rapid.SampledFrom(steps).Draw(t, "what"), rapid.IntRange(0, 20).Draw(t, "n"),
		rapid.Bool().Draw(t, "after"), rapid.SampledFrom(waits).Draw(t, "wait")}
}

// story plays a vendor, a desk and a machine that fails.
type story struct {
	*rig
	count   int
	id      string // the conversation begun last
	inbound []string
	poison  []string
	said    []string

	mu       sync.Mutex
	problems []string
}

func (s *story) problem(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.problems = append(s.problems, fmt.Sprintf(format, args...))
}

// next is a text nobody has used.
func (s *story) next(prefix string) string {
	s.count++
	return fmt.Sprintf("%s%d.", prefix, s.count)
}

// insist does something until the machine that does it lives to say so.
func (s *story) insist(do func() error) error {
	for {
		err := do()
		if !errors.Is(err, journal.ErrClosed) && !errors.Is(err, engine.ErrClosed) {
			return err
		}
		s.crash()
	}
}

func (s *story) send(ep adapter.Endpoint, text string) (receipt engine.Receipt, ok bool) {
	err := s.insist(func() (err error) {
		receipt, err = s.try(ep, "s1", text)
		return err
	})
	if err != nil && !errors.Is(err, engine.ErrUnknownKey) && !errors.Is(err, engine.ErrBusy) {
		s.problem("send %s: %v", text, err)
	}
	return receipt, err == nil
}

func (s *story) command(body event.Body) bool {
	key := s.next("k")
	err := s.insist(func() error {
		_, err := s.engine.Do(context.Background(), engine.Command{Conversation: s.id, Role: event.RoleLiveAgent, Token: "desk", Key: key,
			Actor: event.Actor{Role: event.RoleLiveAgent, ID: "sam"}, Body: body})
		return err
	})
	var refusal *engine.Refusal
	if err != nil && !errors.As(err, &refusal) && !errors.Is(err, engine.ErrBusy) {
		s.problem("%s: %v", body.Kind(), err)
	}
	return err == nil
}

func (s *story) play(st step) {
	if s.journal.isDead() {
		s.crash()
	}
	switch st.what {
	case "start":
		s.start()
	case "inbound", "twice":
		text := s.next("c")
		if _, ok := s.send(inbound(), text); ok {
			s.inbound = append(s.inbound, text)
			if st.what == "twice" {
				s.send(inbound(), text)
			}
		}
	case "poison":
		if receipt, ok := s.send(inbound(), "poison"); ok && !slices.Contains(s.poison, receipt.Frame) {
			s.poison = append(s.poison, receipt.Frame)
		}
	case "bye":
		s.send(inbound(), "bye")
	case "wait":
		time.Sleep(st.wait)
		if s.journal.isDead() {
			s.crash()
			time.Sleep(st.wait)
		}
	case "answer":
		s.far.will(answers[st.n%len(answers)])
	case "restart":
		s.restart()
	case "die":
		s.journal.dieIn(st.n%5+1, st.after)
	case "down":
		s.plugins.set(func(p *plugins) { p.down = true })
		time.AfterFunc(st.wait, func() { s.plugins.set(func(p *plugins) { p.down = false }) })
	default:
		s.desk(st.what)
	}
}

func (s *story) start() {
	receipt, ok := s.send(start(), s.next("start"))
	if !ok {
		return
	}
	s.id = receipt.Conversation
	e, written := s.engine, s.count%3 > 0
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 6*time.Second)
		defer cancel()
		_, ok := e.Await(ctx, receipt)
		e.Written(receipt, ok && written)
	}()
}

func (s *story) desk(what string) {
	if s.id == "" {
		return
	}
	switch what {
	case "accept":
		s.command(event.HandoffAccepted{})
	case "handback":
		s.command(event.HandbackRequested{})
	case "end":
		s.command(event.ConversationEnded{})
	case "say":
		text := s.next("a")
		if s.command(event.MessageCreated{Content: event.Plain(text)}) {
			s.said = append(s.said, text)
		}
	}
}

// check is what must hold when all is quiet.
func (s *story) check() {
	times, dead := map[string]int{}, map[string]int{}
	for _, e := range s.disk.all() {
		times[text(e)]++
	}
	for _, l := range s.disk.deadLetters() {
		dead[l.Frame]++
	}
	for _, words := range append(slices.Clone(s.inbound), s.said...) {
		if times[words] != 1 {
			s.problem("%s was recorded %d times", words, times[words])
		}
	}
	for _, frame := range s.poison {
		if dead[frame] != 1 {
			s.problem("poison is %d dead letters", dead[frame])
		}
	}
	if len(s.disk.deadLetters()) != len(s.poison) {
		s.problem("%d dead letters, %d poison", len(s.disk.deadLetters()), len(s.poison))
	}
	for key, d := range s.disk.outcomes {
		if len(d) != 1 {
			s.problem("event %s has outcomes %v", key, d)
		}
	}
	if left := unsettled(s.disk); len(left) > 0 {
		s.problem("left under way: %v", left)
	}
	for id := range s.disk.convos {
		s.checkArrivals(id)
	}
}

// checkArrivals: the agent's words reach the vendor in order, and more than once
// only where it is marked; each has an outcome.
func (s *story) checkArrivals(id string) {
	place, maybe, ended := map[string]int{}, map[string]bool{}, 0
	for _, e := range s.events(id) {
		if e.Kind() == event.KindConversationEnded && !s.refused(e) {
			ended++
		}
		if !strings.HasPrefix(text(e), "a") {
			continue
		}
		place[text(e)] = int(e.Seq)
		outcomes := slices.DeleteFunc(s.disk.outcomeOf(e.ID), func(d journal.Delivery) bool { return d.Leg != id+".1" })
		if len(outcomes) != 1 {
			s.problem("%s has outcomes %v", text(e), outcomes)
			continue
		}
		maybe[text(e)] = outcomes[0].MaybeDuplicate
		if arrived := slices.Contains(s.far.bodies(out), text(e)); outcomes[0].Outcome == journal.Delivered && !arrived {
			s.problem("%s is delivered and never arrived", text(e))
		}
	}
	if ended > 1 {
		s.problem("%s ended %d times", id, ended)
	}
	last, seen := 0, map[string]bool{}
	for _, words := range s.far.bodies(out) {
		at, ours := place[words]
		if !ours {
			continue
		}
		if at < last {
			s.problem("%s arrived after what came later", words)
		}
		if seen[words] && !maybe[words] {
			s.problem("%s arrived again and is not marked", words)
		}
		last, seen[words] = at, true
	}
}

func (s *story) refused(e event.Event) bool {
	return slices.ContainsFunc(s.disk.outcomeOf(e.ID), func(d journal.Delivery) bool { return d.Outcome == journal.RefusedEvent })
}

func TestStories(t *testing.T) {
	bye := words(map[string]func(*adapter.Tx){"bye": func(tx *adapter.Tx) {
		tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleCustomer}, Body: event.ConversationEnded{Reason: "gone"}})
	}})
	rapid.Check(t, func(rt *rapid.T) {
		plan := rapid.SliceOfN(rapid.Custom(drawStep), 1, 40).Draw(rt, "steps")
		var problems []string
		synctest.Test(t, func(t *testing.T) {
			s := &story{rig: newRig(t)}
			s.plugins.defs["front"] = bye
			s.open()
			for _, st := range append([]step{{what: "start"}}, plan...) {
				s.play(st)
			}
			time.Sleep(5 * time.Minute)
			s.far.heal()
			for s.journal.isDead() {
				s.crash()
			}
			s.journal.dieIn(0, false)
			time.Sleep(15 * time.Minute)
			s.check()
			problems = s.problems
		})
		if len(problems) > 0 {
			rt.Fatalf("%d problems:\n%s", len(problems), strings.Join(problems, "\n"))
		}
	})
}

// The process dies at each commit of a story in turn; the story is told to its
// end all the same.
func TestDiesAtEveryCommit(t *testing.T) {
	const most = 60
	plan := []step{{what: "start"}, {what: "wait", wait: 250 * time.Millisecond}, {what: "inbound"}, {what: "accept"}, {what: "twice"}, {what: "say"}, {what: "answer", n: 4},
		{what: "say"}, {what: "say"}, {what: "wait", wait: 3 * time.Second}, {what: "poison"}, {what: "inbound"}, {what: "handback"}, {what: "wait", wait: time.Minute},
		{what: "start"}, {what: "inbound"}, {what: "accept"}, {what: "say"}, {what: "end"}, {what: "wait", wait: 3 * time.Second}, {what: "inbound"}}
	died := 0
	for at := 1; at <= most; at++ {
		for _, after := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				s := &story{rig: newRig(t)}
				s.open()
				first := s.journal
				s.journal.dieIn(at, after)
				for _, st := range plan {
					s.play(st)
					synctest.Wait()
				}
				time.Sleep(15 * time.Minute)
				if s.journal.isDead() {
					s.crash()
					time.Sleep(15 * time.Minute)
				}
				s.check()
				if first.isDead() {
					died++
				}
				if len(s.inbound) != 5 || len(s.said) != 4 {
					s.problem("said %v and %v\n%s", s.inbound, s.said, strings.Join(s.kinds(s.id), "\n"))
				}
				for _, p := range s.problems {
					t.Errorf("died at %d, stored %v: %s", at, after, p)
				}
			})
		}
	}
	if died < 50 || died == 2*most {
		t.Errorf("died %d times of %d: the story is not as long as the test thinks", died, 2*most)
	}
}

// The same with the real journal, in its own time.
func TestDiesAtEveryCommitOnDisk(t *testing.T) {
	for at := 1; at <= 14; at++ {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d,%v", at, after), func(t *testing.T) {
				t.Parallel()
				store := onDisk(t)
				s := &story{rig: newRig(t)}
				s.store = store
				s.open()
				s.journal.dieIn(at, after)
				for _, what := range []string{"start", "inbound", "accept", "say", "twice", "say", "inbound"} {
					s.play(step{what: what})
				}
				s.eventually(func() bool { return len(underWay(s.store, s.id)) == 0 })
				times := map[string]int{}
				for _, e := range s.events(s.id) {
					times[text(e)]++
				}
				for _, words := range append(slices.Clone(s.inbound), s.said...) {
					if times[words] != 1 {
						t.Errorf("%s was recorded %d times", words, times[words])
					}
				}
				if got := slices.Compact(s.far.bodies(out)); !slices.Equal(got, s.said) || len(s.said) != 2 || len(s.inbound) != 3 {
					t.Errorf("arrived %q of %q", got, s.said)
				}
			})
		}
	}
}

func onDisk(t *testing.T) engine.Journal {
	dir := t.TempDir()
	keys, err := credential.OpenKeyring(dir)
	if err != nil {
		t.Fatal(err)
	}
	j, err := sqlite.Open(context.Background(), dir, keys, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j
}

// eventually waits for something to hold; a process that has died meanwhile is
// started again.
func (s *story) eventually(holds func() bool) {
	s.t.Helper()
	for range 1000 {
		if s.journal.isDead() {
			s.crash()
		}
		if holds() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.t.Fatalf("left: %v", underWay(s.store, s.id))
}
