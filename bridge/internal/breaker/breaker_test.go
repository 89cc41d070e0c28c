package breaker

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// giving is a call that answers at once.
func giving(o Outcome) func(context.Context) Outcome {
	return func(context.Context) Outcome { return o }
}

// bubble runs a test on a fake clock with a set of its own.
func bubble(t *testing.T, o Options, test func(t *testing.T, s *Set)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s, err := NewSet(o, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		test(t, s)
	})
}

func trip(t *testing.T, b *Breaker) {
	t.Helper()
	for range b.set.opts.Failures {
		if err := b.Do(t.Context(), giving(Failure)); err != nil {
			t.Fatal(err)
		}
	}
	if got := b.State(); got != Open {
		t.Fatalf("after %d failures the breaker is %s", b.set.opts.Failures, got)
	}
}

// openTime waits until the breaker is no longer open and tells how long that took.
func openTime(b *Breaker) time.Duration {
	start := time.Now()
	for b.State() == Open {
		time.Sleep(100 * time.Millisecond)
	}
	return time.Since(start)
}

func TestTripsAfterFailuresInARowOnly(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, s *Set) {
		b := s.Get("a")
		for i, o := range []Outcome{Failure, Failure, Failure, Failure, Success, Failure, Failure, Failure, Neutral, Failure, 0} {
			if b.State() != Closed {
				t.Fatalf("opened after %d calls", i)
			}
			if err := b.Do(t.Context(), giving(o)); err != nil {
				t.Fatal(err)
			}
		}
		if b.State() != Open {
			t.Fatal("five failures in a row, one of them an outcome nobody set, did not trip it")
		}
		called := false
		err := b.Do(t.Context(), func(context.Context) Outcome { called = true; return Success })
		if !errors.Is(err, ErrOpen) || called {
			t.Fatalf("open breaker: err %v, called %t", err, called)
		}
		if s.Get("b").State() != Closed || s.Get("a") != b {
			t.Fatal("breakers are not one for each name")
		}
		if got := s.States(); !maps.Equal(got, map[string]State{"a": Open, "b": Closed}) {
			t.Fatal(got)
		}
	})
}

func TestOldFailuresAreForgotten(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, s *Set) {
		b := s.Get("a")
		for range 20 {
			_ = b.Do(t.Context(), giving(Failure))
			time.Sleep(time.Minute)
		}
		if b.State() != Closed {
			t.Fatal("a failure a minute tripped a breaker that counts over about a minute")
		}
	})
}

// hang never returns by itself, not even when its context ends.
func hang(release <-chan struct{}) func(context.Context) Outcome {
	return func(context.Context) Outcome { <-release; return Success }
}

func TestSlowCallsTrip(t *testing.T) {
	for _, deadline := range []time.Duration{time.Second, 10 * time.Second, 19 * time.Second} {
		bubble(t, Options{Deadline: deadline}, func(t *testing.T, s *Set) {
			release := make(chan struct{})
			defer close(release)
			b := s.Get("a")
			for range 5 {
				start := time.Now()
				if err := b.Do(t.Context(), hang(release)); !errors.Is(err, context.DeadlineExceeded) {
					t.Fatalf("hung call: %v", err)
				}
				if took := time.Since(start); took > deadline*5/4 {
					t.Fatalf("hung call came back after %s, deadline %s", took, deadline)
				}
			}
			if b.State() != Open {
				t.Fatalf("deadline %s: five hung calls in a row did not trip it", deadline)
			}
		})
	}
}

func TestTimeOutIsNeverNeutral(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, s *Set) {
		b := s.Get("a")
		for range 5 {
			err := b.Do(t.Context(), func(ctx context.Context) Outcome { <-ctx.Done(); return Neutral })
			if err != nil {
				t.Fatal(err)
			}
		}
		if b.State() != Open {
			t.Fatal("calls that saw the deadline and called themselves neutral did not trip it")
		}
	})
	bubble(t, Options{}, func(t *testing.T, s *Set) {
		b := s.Get("a")
		for range 5 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			err := b.Do(ctx, func(ctx context.Context) Outcome { <-ctx.Done(); return Failure })
			cancel()
			if err != nil {
				t.Fatal(err)
			}
		}
		if b.State() != Open {
			t.Fatal("calls that ran out of their caller's time did not trip it")
		}
	})
}

func TestCallersCancelIsNeutral(t *testing.T) {
	release := make(chan struct{})
	calls := map[string]struct {
		call func(context.Context) Outcome
		err  error
	}{
		"returns neutral": {func(ctx context.Context) Outcome { <-ctx.Done(); return Neutral }, nil},
		"returns failure": {func(ctx context.Context) Outcome { <-ctx.Done(); return Failure }, nil},
		"hangs":           {nil, context.Canceled},
	}
	for name, c := range calls {
		bubble(t, Options{}, func(t *testing.T, s *Set) {
			release = make(chan struct{})
			defer close(release)
			if c.call == nil {
				c.call = hang(release)
			}
			b := s.Get("a")
			trip(t, b)
			openTime(b)
			for range 20 {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(time.Second, cancel)
				if err := b.Do(ctx, c.call); !errors.Is(err, c.err) {
					t.Fatalf("%s: %v", name, err)
				}
				if b.State() != HalfOpen {
					t.Fatalf("%s: a cancelled probe made it %s", name, b.State())
				}
			}
			_ = b.Do(t.Context(), giving(Success))
			if b.State() != Closed {
				t.Fatalf("%s: the good probe after cancelled ones made it %s", name, b.State())
			}
		})
	}
}

func TestCancelledBeforeTheCallIsNotCalled(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, s *Set) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		called := false
		err := s.Get("a").Do(ctx, func(context.Context) Outcome { called = true; return Success })
		if !errors.Is(err, context.Canceled) || called {
			t.Fatalf("err %v, called %t", err, called)
		}
	})
}

func TestBrokenCallsFreeTheProbeSlot(t *testing.T) {
	release := make(chan struct{})
	broken := map[string]func(context.Context) Outcome{
		"goexit":   func(context.Context) Outcome { runtime.Goexit(); return Success },
		"panic":    func(context.Context) Outcome { panic("canary-in-a-panic") },
		"runtime":  func(context.Context) Outcome { var b *Breaker; return Outcome(len(b.name)) },
		"hung":     func(ctx context.Context) Outcome { return hang(release)(ctx) },
		"nonsense": giving(99),
	}
	for name, call := range broken {
		bubble(t, Options{}, func(t *testing.T, s *Set) {
			release = make(chan struct{})
			defer close(release)
			b := s.Get("a")
			for range 5 {
				if err := b.Do(t.Context(), call); err != nil && strings.Contains(err.Error(), "canary") {
					t.Fatalf("the error shows what the call panicked with: %v", err)
				}
			}
			for range 3 {
				if b.State() != Open {
					t.Fatalf("%s: breaker is %s", name, b.State())
				}
				openTime(b)
				_ = b.Do(t.Context(), call)
			}
			openTime(b)
			if err := b.Do(t.Context(), giving(Success)); err != nil || b.State() != Closed {
				t.Fatalf("%s: healthy again, but %v and %s", name, err, b.State())
			}
		})
	}
}

func TestErrorsOfBrokenCalls(t *testing.T) {
	bubble(t, Options{Failures: 100}, func(t *testing.T, s *Set) {
		b := s.Get("a")
		if err := b.Do(t.Context(), func(context.Context) Outcome { runtime.Goexit(); return Success }); !errors.Is(err, ErrExited) {
			t.Fatal(err)
		}
		err := b.Do(t.Context(), func(context.Context) Outcome { panic(errors.New("boom")) })
		var p *PanicError
		if !errors.As(err, &p) || !strings.Contains(string(p.Stack), "TestErrorsOfBrokenCalls") {
			t.Fatalf("%v", err)
		}
		if want := "call a: panicked with a *errors.errorString"; err.Error() != want {
			t.Fatalf("got %q, want %q", err, want)
		}
	})
}

func TestOneProbeAtATime(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, s *Set) {
		b := s.Get("a")
		trip(t, b)
		openTime(b)
		var calls atomic.Int32
		var refused atomic.Int32
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				err := b.Do(t.Context(), func(context.Context) Outcome { calls.Add(1); time.Sleep(time.Second); return Success })
				if errors.Is(err, ErrOpen) {
					refused.Add(1)
				}
			})
		}
		wg.Wait()
		if calls.Load() != 1 || refused.Load() != 49 {
			t.Fatalf("%d probes, %d refused", calls.Load(), refused.Load())
		}
	})
}

func TestWatchdogReplacesALostProbe(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, s *Set) {
		b := s.Get("a")
		trip(t, b)
		openTime(b)
		lost, ok := b.enter()
		if !ok {
			t.Fatal("no probe let in")
		}
		time.Sleep(s.opts.overdue() - time.Second)
		if b.State() != HalfOpen || s.Replaced() != 0 {
			t.Fatal("replaced too early")
		}
		time.Sleep(2 * time.Second)
		if b.State() != Open || s.Replaced() != 1 {
			t.Fatalf("stuck half-open: %s, replaced %d", b.State(), s.Replaced())
		}
		b.leave(lost, Success)
		if b.State() != Open {
			t.Fatal("a probe given up long ago closed the breaker")
		}
		openTime(b)
		_ = b.Do(t.Context(), giving(Success))
		if b.State() != Closed {
			t.Fatal("did not recover")
		}
	})
}

func TestOpenTimeGrowsWithJitterAndResets(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, s *Set) {
		b := s.Get("a")
		within := func(what string, got, base time.Duration) {
			t.Helper()
			low, high := base*7/10, min(base*13/10, s.opts.MaxOpen)+200*time.Millisecond
			if got < low || got > high {
				t.Fatalf("%s: open for %s, want %s to %s", what, got, low, high)
			}
		}
		for range 5 {
			trip(t, b)
			for base := 10 * time.Second; base < 20*time.Minute; base *= 2 {
				within("growing", openTime(b), min(base, s.opts.MaxOpen*10/13))
				_ = b.Do(t.Context(), giving(Failure))
			}
			openTime(b)
			_ = b.Do(t.Context(), giving(Success))
		}
		trip(t, b)
		within("after a success", openTime(b), 10*time.Second)
	})
}

func TestJitterSpreads(t *testing.T) {
	o := Options{}.withDefaults()
	for trips, want := range map[uint][2]time.Duration{
		0: {7 * time.Second, 13 * time.Second}, 1: {14 * time.Second, 26 * time.Second}, 63: {161 * time.Second, 5 * time.Minute},
		1 << 40: {161 * time.Second, 5 * time.Minute},
	} {
		low, high := o.openFor(trips, 0), o.openFor(trips, 1)
		if (low-want[0]).Abs() > time.Second || (high-want[1]).Abs() > time.Second {
			t.Errorf("%d trips: %s to %s, want %s to %s", trips, low, high, want[0], want[1])
		}
	}
}

func TestChangesAreToldInOrderAndUnderNoLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s *Set
		var told []State
		s, err := NewSet(Options{}, func(name string, from, to State) {
			told = append(told, from, to)
			s.States()
			s.Get(name).State()
			_ = s.Get("another").Do(t.Context(), giving(Success))
		})
		if err != nil {
			t.Fatal(err)
		}
		b := s.Get("a")
		trip(t, b)
		time.Sleep(14 * time.Second) // nobody calls: the end of the open time is told all the same
		synctest.Wait()
		if want := []State{Closed, Open, Open, HalfOpen}; !reflect.DeepEqual(told, want) {
			t.Fatalf("told %v, want %v", told, want)
		}
		_ = b.Do(t.Context(), giving(Success))
		s.Close()
		s.Close()
		if want := []State{Closed, Open, Open, HalfOpen, HalfOpen, Closed}; !reflect.DeepEqual(told, want) {
			t.Fatalf("told %v, want %v", told, want)
		}
		trip(t, b)
		synctest.Wait()
		if len(told) != 6 {
			t.Fatal("told after Close")
		}
	})
}

func TestOptionsThatCannotWorkAreRefused(t *testing.T) {
	for want, o := range map[string]Options{
		"third of the interval": {Deadline: 20 * time.Second},
		"longest open time":     {Open: time.Minute, MaxOpen: time.Second},
		"negative":              {Open: -1},
		"at most 1000":          {Failures: 1001},
	} {
		if _, err := NewSet(o, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want an error with %q", o, err, want)
		}
	}
	s, err := NewSet(Options{Open: 20 * time.Millisecond, Interval: 300 * time.Millisecond, Deadline: 50 * time.Millisecond}, nil)
	if err != nil {
		t.Fatalf("short times for a test: %v", err)
	}
	s.Close()
}

func TestLateAnswerFromBeforeTheTripCountsForNothing(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, s *Set) {
		b := s.Get("a")
		late, ok := b.enter()
		if !ok {
			t.Fatal("closed breaker refused a call")
		}
		trip(t, b)
		openTime(b)
		_ = b.Do(t.Context(), giving(Failure))
		b.leave(late, Success)
		openTime(b)
		_ = b.Do(t.Context(), giving(Failure))
		if got := openTime(b); got < 28*time.Second {
			t.Fatalf("a late success took back the growth: third open time %s", got)
		}
	})
}
