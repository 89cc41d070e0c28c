package breaker

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// TestAlwaysRecovers: whatever a far side did, once it is healthy the first call after the open time succeeds, and no
// breaker is half-open with a probe for longer than two deadlines.
func TestAlwaysRecovers(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		o, plan := drawOptions(r), rapid.SliceOfN(rapid.Custom(drawFault), 0, 60).Draw(r, "faults")
		var err error
		synctest.Test(t, func(*testing.T) { err = recovers(o, plan) })
		if err != nil {
			r.Fatal(err)
		}
	})
}

// fault is one thing that happens to a far side, and the time that passes after it.
type fault struct {
	name  string
	pause time.Duration
}

func drawFault(r *rapid.T) fault {
	f := fault{name: rapid.SampledFrom([]string{"success", "failure", "neutral", "nothing", "panic", "exit", "hang", "slow", "cancel", "lost"}).Draw(r, "fault")}
	if rapid.Bool().Draw(r, "pauses") {
		f.pause = time.Duration(rapid.IntRange(1, 60_000).Draw(r, "pause ms")) * time.Millisecond
	}
	return f
}

func drawOptions(r *rapid.T) Options {
	deadline := time.Duration(rapid.IntRange(1, 20_000).Draw(r, "deadline ms")) * time.Millisecond
	return Options{
		Failures: rapid.Uint32Range(1, 8).Draw(r, "failures"),
		Deadline: deadline,
		Interval: 3*deadline + time.Duration(rapid.IntRange(1, 60_000).Draw(r, "interval ms"))*time.Millisecond,
		Open:     time.Duration(rapid.IntRange(1, 30_000).Draw(r, "open ms")) * time.Millisecond,
	}
}

// faults are what a far side can do to a call.
var faults = map[string]func(release <-chan struct{}) func(context.Context) Outcome{
	"success": func(<-chan struct{}) func(context.Context) Outcome { return giving(Success) },
	"failure": func(<-chan struct{}) func(context.Context) Outcome { return giving(Failure) },
	"neutral": func(<-chan struct{}) func(context.Context) Outcome { return giving(Neutral) },
	"nothing": func(<-chan struct{}) func(context.Context) Outcome { return giving(0) },
	"panic": func(<-chan struct{}) func(context.Context) Outcome {
		return func(context.Context) Outcome { panic("x") }
	},
	"exit": func(<-chan struct{}) func(context.Context) Outcome {
		return func(context.Context) Outcome { runtime.Goexit(); return Success }
	},
	"hang": hang,
	"slow": func(<-chan struct{}) func(context.Context) Outcome {
		return func(ctx context.Context) Outcome { <-ctx.Done(); return Neutral }
	},
}

func recovers(o Options, plan []fault) error {
	s, err := NewSet(o, nil)
	if err != nil {
		return err
	}
	defer s.Close()
	release := make(chan struct{})
	defer synctest.Wait()
	defer close(release)
	b := s.Get("a")
	for _, f := range plan {
		suffer(b, f.name, release)
		time.Sleep(f.pause)
		if age := probeAge(b); age > s.opts.overdue() {
			return fmt.Errorf("half-open for %s with a probe", age)
		}
	}
	return healthy(b)
}

func probeAge(b *Breaker) time.Duration {
	b.State()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.probe.IsZero() {
		return 0
	}
	return time.Since(b.probe)
}

// suffer lets one fault happen.
func suffer(b *Breaker, name string, release <-chan struct{}) {
	switch name {
	case "cancel":
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(b.set.opts.Deadline/2, cancel)
		_ = b.Do(ctx, hang(release))
	case "lost":
		b.enter()
	default:
		_ = b.Do(context.Background(), faults[name](release))
	}
}

// healthy calls until a call is let through. A probe that was lost is given up after two deadlines; then comes one open
// time, then the probe.
func healthy(b *Breaker) error {
	start := time.Now()
	step := max(b.set.opts.Open/4, time.Microsecond)
	limit := b.set.opts.overdue() + b.set.opts.openFor(64, 1) + 2*step
	for errors.Is(b.Do(context.Background(), giving(Success)), ErrOpen) {
		if time.Since(start) > limit {
			return fmt.Errorf("stuck: %s for %s", b.State(), time.Since(start))
		}
		time.Sleep(step)
	}
	if b.State() != Closed {
		return fmt.Errorf("after a success the breaker is %s", b.State())
	}
	return nil
}
