// Package retention takes away what is older than it may be kept, a little at a
// time, so that conversations do not notice.
package retention

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/footbridge/footbridge/bridge/internal/journal"
)

const (
	// settling is how long a start is left alone.
	settling = time.Minute
	// every is how often it is looked whether something has become too old, and
	// with that the longest anything outlives its time.
	every = 10 * time.Minute
	// breath is what everybody else has between two steps.
	breath = 50 * time.Millisecond
)

// Rules are how long things are kept; 0 is for ever.
type Rules struct {
	// Raw is of frames that were dealt with, from when they came.
	Raw time.Duration
	// Conversations is from the last change of a conversation that has ended.
	Conversations time.Duration
	DeadLetters   time.Duration
	Audit         time.Duration
}

// Store is what things are dropped from.
type Store interface {
	// Drop removes some of what is too old.
	Drop(ctx context.Context, b journal.Bounds) (journal.Removed, error)
	// EmptyLog takes what was dropped out of the store's log.
	EmptyLog(ctx context.Context) error
}

// Options are what Run works with. All are required.
type Options struct {
	Store Store
	// Rules gives the rules as they are now.
	Rules func() Rules
	// Removed is told what each step took away, for metrics. It must not block.
	Removed func(journal.Removed)
	Logger  *slog.Logger
}

// Run drops what is too old until ctx ends. What fails is tried again the next
// time.
func Run(ctx context.Context, o Options) {
	next := time.NewTimer(settling)
	defer next.Stop()
	logged := false // the log may still hold what was dropped
	for {
		select {
		case <-ctx.Done():
			return
		case <-next.C:
		}
		dropped, err := o.drop(ctx)
		if logged = logged || dropped; logged && err == nil {
			err = o.Store.EmptyLog(ctx)
			logged = err != nil
		}
		if err != nil && !errors.Is(err, journal.ErrClosed) && ctx.Err() == nil {
			o.Logger.Error("what is too old was not dropped", "error", err, "mend", "it is tried again in some minutes")
		}
		next.Reset(every)
	}
}

// drop goes on in steps until nothing is too old, and reports whether anything was.
func (o Options) drop(ctx context.Context) (dropped bool, err error) {
	for {
		removed, err := o.Store.Drop(ctx, o.Rules().bounds(time.Now()))
		o.Removed(removed)
		dropped = dropped || removed.Any()
		if err != nil || !removed.Any() {
			return dropped, err
		}
		select {
		case <-ctx.Done():
			return dropped, ctx.Err()
		case <-time.After(breath):
		}
	}
}

func (r Rules) bounds(now time.Time) journal.Bounds {
	before := func(kept time.Duration) time.Time {
		if kept == 0 {
			return time.Time{}
		}
		return now.Add(-kept)
	}
	return journal.Bounds{Raw: before(r.Raw), Conversations: before(r.Conversations), DeadLetters: before(r.DeadLetters), Audit: before(r.Audit)}
}
