package api

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// tape is a feed that only has positions; some of them are damaged.
type tape struct {
	mu      sync.Mutex
	last    int64
	damaged map[int64]bool
	changed chan struct{}
}

func newTape() *tape { return &tape{damaged: map[int64]bool{}, changed: make(chan struct{})} }

func (f *tape) add(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last += int64(n)
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *tape) Changed() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.changed
}

func (f *tape) Position(context.Context) (last, oldest int64, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last, 1, nil
}

func (f *tape) Feed(_ context.Context, after int64, limit int) ([]journal.Positioned, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []journal.Positioned
	for p := after + 1; p <= f.last && len(all) < limit; p++ {
		if f.damaged[p] {
			return nil, fmt.Errorf("position %d: %w", p, journal.ErrDamaged)
		}
		all = append(all, journal.Positioned{Position: p, Event: event.Event{Conversation: "c", Seq: p}})
	}
	return all, nil
}

func hubOver(t *testing.T, f Feed) *hub {
	h := newHub(f, slog.New(slog.DiscardHandler))
	t.Cleanup(h.close)
	return h
}

func TestHubGivesEverythingOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newTape()
		f.add(7)
		h := hubOver(t, f)
		s, err := h.join(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			f.add(13)
			synctest.Wait()
		}
		for want := int64(8); want <= 7+20*13; want++ {
			if it := <-s.items; it.Position != want {
				t.Fatalf("position %d, want %d", it.Position, want)
			}
		}
		if len(s.items) != 0 {
			t.Errorf("%d more than there are", len(s.items))
		}
	})
}

func TestHubLetsSlowReadersGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newTape()
		h := hubOver(t, f)
		slow, _ := h.join(t.Context(), "")
		other, _ := h.join(t.Context(), "elsewhere")
		f.add(hubBuffer + 1)
		synctest.Wait()
		n := 0
		for range slow.items {
			n++
		}
		if n != hubBuffer {
			t.Errorf("the slow reader got %d before it was let go, want %d", n, hubBuffer)
		}
		select {
		case it := <-other.items:
			t.Errorf("a subscriber of another conversation got %+v", it)
		default:
		}
		h.leave(slow)
		again, err := h.join(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		f.add(1)
		synctest.Wait()
		if it := <-again.items; it.Position != hubBuffer+2 {
			t.Errorf("position %d after coming back, want %d", it.Position, hubBuffer+2)
		}
	})
}

func TestHubDropsPassingEventsFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newTape()
		h := hubOver(t, f)
		s, _ := h.join(t.Context(), "")
		for range 10 * hubBuffer {
			h.transient(event.Event{Body: event.TypingStopped{}})
		}
		f.add(hubBuffer / 4)
		synctest.Wait()
		stored := 0
		for len(s.items) > 0 {
			if it, ok := <-s.items; !ok {
				t.Fatal("a flood of passing events closed the stream")
			} else if it.Position > 0 {
				stored++
			}
		}
		if stored != hubBuffer/4 {
			t.Errorf("%d stored events came through, want %d", stored, hubBuffer/4)
		}
	})
}

func TestDamageIsPassedOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newTape()
		f.damaged[3], f.damaged[4] = true, true
		h := hubOver(t, f)
		s, _ := h.join(t.Context(), "")
		f.add(6)
		synctest.Wait()
		for _, want := range []int64{1, 2, 5, 6} {
			if it := <-s.items; it.Position != want {
				t.Errorf("position %d, want %d", it.Position, want)
			}
		}
	})
}

// A stream that joins while events are stored misses none and repeats none.
func TestFollowHasNoGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newTape()
		f.add(3000)
		a := &API{hub: hubOver(t, f)}
		a.Logger = slog.New(slog.DiscardHandler)
		a.Journal = fedBy{tape: f}
		s := &stream{api: a, who: principal{name: "x"}, after: 10}
		s.filter.Store(&Filter{})
		ctx, cancel := context.WithCancel(t.Context())
		out := &recorder{onEvent: func() { time.Sleep(time.Millisecond) }}
		done := make(chan error)
		go func() { done <- s.follow(ctx, out) }()
		for range 50 {
			f.add(2)
			time.Sleep(30 * time.Millisecond)
		}
		time.Sleep(10 * time.Second)
		cancel()
		<-done
		for i, p := range out.positions {
			if p != int64(11+i) {
				t.Fatalf("position %d at place %d, want %d", p, i, 11+i)
			}
		}
		if len(out.positions) != 3000+100-10 {
			t.Errorf("%d events, want %d", len(out.positions), 3000+100-10)
		}
	})
}

// fedBy is a journal that has nothing but a feed.
type fedBy struct {
	lists
	Outcomes
	Raw
	unwritten
	*tape
}

type lists interface{ Conversations }

// unwritten is an audit trail that takes nothing, or says it took it.
type unwritten struct {
	Auditor
	err error
}

func (unwritten) EmptyLog(context.Context) error { return nil }

func (u unwritten) Record(context.Context, journal.Audit) error { return u.err }

type recorder struct {
	positions []int64
	onEvent   func()
}

func (r *recorder) event(position int64, _ event.Event) error {
	r.positions = append(r.positions, position)
	r.onEvent()
	return nil
}

func (r *recorder) beat(int64) error { return nil }

func TestTicketsExpireAndAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ts tickets
		old, _ := ts.issue(principal{name: "a"}, "", time.Now())
		time.Sleep(ticketFor + time.Millisecond)
		if _, ok := ts.redeem(old.Ticket); ok {
			t.Error("an old ticket is still good")
		}
		for range maxTickets {
			if _, ok := ts.issue(principal{name: "a"}, "", time.Now()); !ok {
				t.Fatal("no room for tickets")
			}
		}
		if _, ok := ts.issue(principal{name: "a"}, "", time.Now()); ok {
			t.Error("there is no bound")
		}
		time.Sleep(ticketFor + time.Millisecond)
		if _, ok := ts.issue(principal{name: "a"}, "", time.Now()); !ok {
			t.Error("old tickets keep their room")
		}
	})
}
