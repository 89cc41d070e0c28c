package app

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/engine"
	"github.com/footbridge/footbridge/bridge/internal/journal"
	"github.com/footbridge/footbridge/bridge/internal/retention"
)

// Committed counts what a turn stored and tells the desk. It is part of
// engine.Observer.
func (a *App) Committed(c journal.Commit, took time.Duration) {
	m := a.metrics
	m.Commits.Inc()
	m.CommitSeconds.Observe(took.Seconds())
	for _, e := range c.Events {
		kind := string(e.Kind())
		if _, unknown := e.Body.(event.Unknown); unknown {
			kind = "unknown"
		}
		m.EventsCommitted.WithLabelValues(kind).Inc()
		a.media.Stored(e)
	}
	accounts := map[string]string{}
	for _, l := range c.Legs {
		accounts[l.ID] = l.Account
	}
	for _, d := range c.Deliveries {
		m.Deliveries.WithLabelValues(accounts[d.Leg], d.Outcome).Inc()
		if what, degraded := strings.CutPrefix(d.Reason, engine.ReasonDegraded); degraded && d.Outcome == journal.Delivered {
			m.Degraded.WithLabelValues(accounts[d.Leg], what).Inc()
		}
		if d.MaybeDuplicate {
			m.MaybeDuplicates.WithLabelValues(accounts[d.Leg]).Inc()
		}
	}
	for _, d := range c.DeadLetters {
		m.DeadLetters.WithLabelValues(d.Account).Inc()
	}
	a.people.Committed(c)
}

// Transient shows an event that is not stored to those it is for. It is part of
// engine.Observer.
func (a *App) Transient(e event.Event) {
	if a.api != nil {
		a.api.Transient(e)
	}
}

// Turned counts a turn, and what its adapter did not know of the frame; what a
// plugin calls by no word of ours is a field. It is part of engine.Observer.
func (a *App) Turned(t engine.TurnReport) {
	a.metrics.Turns.WithLabelValues(t.Adapter, t.Outcome).Inc()
	a.metrics.TurnSeconds.WithLabelValues(t.Adapter).Observe(t.Took.Seconds())
	if t.ReadsBack {
		a.metrics.Reconciles.WithLabelValues(t.Account).Inc()
	}
	for what, n := range t.Unknown {
		if !slices.Contains([]string{adapter.UnknownFrame, adapter.UnknownValue, adapter.UnknownType}, what) {
			what = adapter.UnknownField
		}
		a.metrics.UnknownFields.WithLabelValues(t.Account, what).Add(float64(max(n, 0)))
	}
}

// look sets the gauges of what is counted when somebody asks.
func (a *App) look(ctx context.Context) {
	m := a.metrics
	if counts, err := a.journal.Stats(ctx); err != nil {
		a.log.Warn("conversations not counted", "error", err)
	} else {
		m.LeftMessages.Set(float64(counts.Left))
		m.Conversations.Reset()
		for phase, n := range counts.Conversations {
			if phase != journal.StateEnded {
				m.Conversations.WithLabelValues(phase).Set(float64(n))
			}
		}
	}
	m.QueueWaiting.Reset()
	for _, q := range a.people.Queues() {
		m.QueueWaiting.WithLabelValues(q.Name).Set(float64(q.Waiting))
	}
	m.AccountDrained.Reset()
	for name := range a.setup().Accounts {
		drained := 0.0
		if a.engine.Drained(name) {
			drained = 1
		}
		m.AccountDrained.WithLabelValues(name).Set(drained)
	}
	a.lookFeeds()
	if n, err := a.engine.Unaccounted(ctx); err != nil {
		a.log.Warn("what is unaccounted for was not counted", "error", err)
	} else {
		m.Unaccounted.Set(float64(n))
	}
}

// answered counts a request to the native API.
func (a *App) answered(route string, status int) {
	a.metrics.APIRequests.WithLabelValues(route, strconv.Itoa(status)).Inc()
}

func (a *App) called(account, outcome string, took time.Duration) {
	a.metrics.Calls.WithLabelValues(account, outcome).Inc()
	a.metrics.CallSeconds.WithLabelValues(account).Observe(took.Seconds())
}

func (a *App) received(account, endpoint string, r engine.Receipt) {
	a.metrics.FramesReceived.WithLabelValues(account, endpoint).Inc()
	if r.Duplicate {
		a.metrics.FramesDuplicate.WithLabelValues(account).Inc()
	}
	if r.Conflict {
		a.metrics.FramesConflict.WithLabelValues(account).Inc()
	}
}

func (a *App) refused(account, reason string) {
	a.metrics.FramesRefused.WithLabelValues(account, reason).Inc()
}

// lately is how many events back the start looks for files that were claimed and that
// nobody noted any more: what a loss of power may take of the notes beside the journal.
const lately = 10_000

// claimed has the files fetched that the last events before a crash claimed. The
// store fetches none twice.
func (a *App) claimed(ctx context.Context) {
	const page = 500
	last, _, err := a.journal.Position(ctx)
	for after := max(0, last-lately); err == nil && after < last; {
		var found []journal.Positioned
		if found, err = a.journal.Feed(ctx, after, page); len(found) == 0 {
			break
		}
		for _, e := range found {
			a.media.Stored(e.Event)
			after = e.Position
		}
	}
	if err != nil && ctx.Err() == nil {
		a.log.Warn("files claimed just before the stop may not be here until somebody needs them", "error", err)
	}
}

// retention is how long things are kept, as configured now.
func (a *App) retention() retention.Rules {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := a.conf.Retention
	return retention.Rules{Raw: r.Raw, Conversations: r.Conversations, DeadLetters: r.DeadLetters, Audit: r.Audit}
}

func (a *App) tooOld(r journal.Removed) {
	for what, n := range map[string]int64{"frames": r.Frames, "turns": r.Turns, "conversations": r.Conversations, "dead_letters": r.DeadLetters, "audit": r.Audit} {
		a.metrics.TooOld.WithLabelValues(what).Add(float64(n))
	}
}
