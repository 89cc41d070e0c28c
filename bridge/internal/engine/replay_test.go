package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/engine"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// letters waits until the journal has so many dead letters, and gives them.
func (r *rig) letters(n int) []journal.DeadLetter {
	r.t.Helper()
	pass(10 * time.Second)
	all := r.disk.deadLetters()
	if len(all) != n {
		r.t.Fatalf("%d dead letters, want %d", len(all), n)
	}
	return all
}

func (r *rig) said(id, words string) (times int) {
	for _, e := range r.events(id) {
		if text(e) == words {
			times++
		}
	}
	return times
}

// A dead letter's input has its turn once more, however often and whenever it is
// asked for.
func TestReplayTwice(t *testing.T) {
	for _, c := range []struct {
		name    string
		between func(r *rig)
	}{
		{"at once", func(*rig) {}},
		{"restart", (*rig).restart},
		{"crash", (*rig).crash},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				mended := false
				base := front().Adapter
				r.plugins.defs["front"] = adapter.Definition{Manifest: adapter.Manifest{StateVersion: 1}, Adapter: handler(func(tx *adapter.Tx, in adapter.Input) error {
					if q, ok := in.(adapter.Request); ok && mended && strings.Contains(string(q.Body), "poison") {
						q.Body = []byte(`{"text":"mended"}`)
						in = q
					}
					return base.Handle(tx, in)
				})}
				r.open()
				id := r.active()
				r.arrive(inbound(), "s1", "poison")
				letter := r.letters(1)[0]
				if letter.Frame == "" || letter.Reason == "" || !strings.Contains(string(letter.Input), "request") {
					t.Errorf("letter %+v", letter)
				}
				r.plugins.with(func() { mended = true })
				r.plugins.set(func(p *plugins) { p.down = true })
				if err := r.engine.Replay(t.Context(), letter.ID); err != nil {
					t.Fatal(err)
				}
				c.between(r)
				r.plugins.set(func(p *plugins) { p.down = false })
				pass(10 * time.Second)
				if err := r.engine.Replay(t.Context(), letter.ID); !errors.Is(err, engine.ErrReplayed) {
					t.Errorf("again: %v", err)
				}
				pass(10 * time.Second)
				if n := r.said(id, "mended"); n != 1 {
					t.Errorf("said %d times", n)
				}
			})
		})
	}
}

// A replay whose mark is lost in a crash is not done twice.
func TestReplayMarkLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		mended := false
		r.plugins.defs["front"] = puppetOverRequests(func(tx *adapter.Tx, q adapter.Request) (bool, error) {
			if !strings.Contains(string(q.Body), "poison") {
				return false, nil
			}
			if !mended {
				return true, fmt.Errorf("cannot read this")
			}
			tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleCustomer}, Body: event.MessageCreated{Content: event.Plain("mended")}})
			return true, nil
		})
		r.open()
		id := r.active()
		r.arrive(inbound(), "s1", "poison")
		letter := r.letters(1)[0]
		r.plugins.with(func() { mended = true })
		if err := r.engine.Replay(t.Context(), letter.ID); err != nil {
			t.Fatal(err)
		}
		r.disk.letters[letter.ID].Replayed = time.Time{}
		r.crash()
		if err := r.engine.Replay(t.Context(), letter.ID); !errors.Is(err, engine.ErrReplayed) {
			t.Errorf("again: %v", err)
		}
		pass(time.Second)
		if n := r.said(id, "mended"); n != 1 || r.disk.letters[letter.ID].Replayed.IsZero() {
			t.Errorf("said %d times", n)
		}
	})
}

// puppetOverRequests is the front whose requests a test may take.
func puppetOverRequests(take func(tx *adapter.Tx, in adapter.Request) (bool, error)) adapter.Definition {
	base := front()
	return adapter.Definition{Manifest: base.Manifest, Adapter: handler(func(tx *adapter.Tx, in adapter.Input) error {
		if q, ok := in.(adapter.Request); ok {
			if taken, err := take(tx, q); taken || err != nil {
				return err
			}
		}
		return base.Adapter.Handle(tx, in)
	})}
}

// An event that died is delivered again; if it dies again it is another letter.
func TestReplayDelivery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		mended := false
		base := front()
		r.plugins.defs["front"] = adapter.Definition{Manifest: base.Manifest, Adapter: handler(func(tx *adapter.Tx, in adapter.Input) error {
			if d, ok := in.(adapter.Deliver); ok && d.Event.Kind() == event.KindMessageCreated && !mended {
				return fmt.Errorf("cannot say this")
			}
			return base.Adapter.Handle(tx, in)
		})}
		r.open()
		id := r.active()
		e := r.say(id, "hello")
		letter := r.letters(1)[0]
		if got := r.outcome(e); got.Outcome != journal.Dead {
			t.Errorf("outcome %+v", got)
		}
		if err := r.engine.Replay(t.Context(), letter.ID); err != nil {
			t.Fatal(err)
		}
		second := slices.DeleteFunc(r.letters(2), func(l journal.DeadLetter) bool { return l.ID == letter.ID })[0]
		r.plugins.with(func() { mended = true })
		if err := r.engine.Replay(t.Context(), second.ID); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		if got := r.far.bodies(out); len(got) != 1 || got[0] != "hello" {
			t.Errorf("arrived %q", got)
		}
		all := r.disk.outcomeOf(e.ID)
		if last := all[len(all)-1]; last.Outcome != journal.Delivered {
			t.Errorf("outcome %+v", last)
		}
	})
}

// Nothing is said to a leg that has left, not even for an operator.
func TestReplayForLegThatLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.plugins.defs["front"] = onWords(func(*adapter.Tx, adapter.Deliver) { panic("bad words") })
		r.open()
		id := r.active()
		r.say(id, "hello")
		letter := r.letters(1)[0]
		r.must(id, event.ConversationEnded{})
		var refusal *engine.Refusal
		if err := r.engine.Replay(t.Context(), letter.ID); !errors.As(err, &refusal) {
			t.Errorf("replayed: %v", err)
		}
		if err := r.engine.Replay(t.Context(), "nothing"); !errors.Is(err, journal.ErrNotFound) {
			t.Errorf("unknown letter: %v", err)
		}
	})
}

// A turn that died beside others is not blamed: only a death alone counts.
func TestOnlyDeathAloneCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.open()
		id := r.active()
		deaths := 0
		r.plugins.set(func(p *plugins) {
			p.dies = func(adapter.Turn) bool { deaths++; return deaths <= 3 }
		})
		r.arrive(inbound(), "s1", "hello")
		pass(10 * time.Second)
		if n := r.said(id, "hello"); n != 1 || len(r.disk.deadLetters()) != 0 {
			t.Errorf("said %d times, letters %v", n, r.disk.deadLetters())
		}
	})
}

// A turn that kills the plugin again and again is a dead letter; the leg goes on.
func TestKillerBecomesDeadLetter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.open()
		id := r.active()
		r.plugins.set(func(p *plugins) {
			p.dies = func(t adapter.Turn) bool {
				q, ok := t.Input.(adapter.Request)
				return ok && strings.Contains(string(q.Body), "killer")
			}
		})
		r.arrive(inbound(), "s1", "killer")
		r.arrive(inbound(), "s1", "after")
		r.letters(1)
		if r.said(id, "after") != 1 {
			t.Error("the leg does not go on")
		}
	})
}

// While the plugin is down nothing is lost, counted as failed, or hammered; a
// timer that is due meanwhile does not spin.
func TestPluginDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.plugins.defs["front"] = puppetOverRequests(func(tx *adapter.Tx, q adapter.Request) (bool, error) {
			tx.After("tick", time.Second)
			return false, nil
		})
		r.open()
		id := r.active()
		r.arrive(inbound(), "s1", "zero")
		synctest.Wait()
		r.plugins.set(func(p *plugins) { p.down, p.turns = true, nil })
		for _, words := range []string{"one", "two", "three"} {
			r.arrive(inbound(), "s1", words)
		}
		pass(10 * time.Minute)
		r.plugins.set(func(p *plugins) {
			if len(p.turns) > 200 {
				t.Errorf("%d turns in ten minutes", len(p.turns))
			}
			p.down = false
		})
		pass(10 * time.Second)
		var said []string
		for _, e := range r.events(id) {
			if e.Actor.Role == event.RoleCustomer {
				said = append(said, text(e))
			}
		}
		if strings.Join(said, " ") != "zero one two three" || len(r.disk.deadLetters()) > 0 {
			t.Errorf("said %q, letters %v", said, r.disk.deadLetters())
		}
		if n := len(inputs[adapter.Fired](r.plugins)); n == 0 {
			t.Error("the timer was lost")
		}
	})
}

// faulty is a journal that refuses some commits.
type faulty struct {
	engine.Journal
	refuse func(journal.Commit) error
}

func (f *faulty) Commit(ctx context.Context, k journal.Commit) error {
	if err := f.refuse(k); err != nil {
		return err
	}
	return f.Journal.Commit(ctx, k)
}

// A turn the journal refuses is tried again from what is stored; one it always
// refuses is a dead letter, and the leg goes on.
func TestRefusedCommit(t *testing.T) {
	for _, c := range []struct {
		name    string
		times   int
		err     error
		letters int
	}{
		{"fenced", 5, journal.ErrFenced, 0},
		{"once", 1, errors.New("refused"), 0},
		{"always", 1000, errors.New("refused"), 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				left := c.times
				r.store = &faulty{r.disk, func(k journal.Commit) error {
					for _, e := range k.Events {
						if text(e) == "bad" && left > 0 {
							left--
							return c.err
						}
					}
					return nil
				}}
				r.open()
				id := r.active()
				r.arrive(inbound(), "s1", "bad")
				r.arrive(inbound(), "s1", "after")
				r.letters(c.letters)
				if n := r.said(id, "after"); n != 1 {
					t.Errorf("after said %d times", n)
				}
				if n := r.said(id, "bad"); n != 1-c.letters {
					t.Errorf("bad said %d times", n)
				}
			})
		})
	}
}

// A journal that has failed is told once, and nothing spins.
func TestJournalFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.open()
		id := r.active()
		r.journal.die()
		for range 3 {
			if _, err := r.do(id, event.MessageCreated{Content: event.Plain("x")}); !errors.Is(err, journal.ErrClosed) {
				t.Errorf("recorded: %v", err)
			}
		}
		if _, err := r.try(inbound(), "s1", "hello"); !errors.Is(err, journal.ErrClosed) {
			t.Errorf("accepted: %v", err)
		}
		pass(time.Hour)
		if len(r.fatal) != 1 {
			t.Errorf("told %d times", len(r.fatal))
		}
	})
}
