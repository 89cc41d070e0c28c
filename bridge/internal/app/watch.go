package app

import (
	"time"

	"github.com/footbridge/footbridge/bridge/event"
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
	}
	accounts := map[string]string{}
	for _, l := range c.Legs {
		accounts[l.ID] = l.Account
	}
	for _, d := range c.Deliveries {
		m.Deliveries.WithLabelValues(accounts[d.Leg], d.Outcome).Inc()
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

// Turned counts a turn. It is part of engine.Observer.
func (a *App) Turned(adapter, outcome string, took time.Duration) {
	a.metrics.Turns.WithLabelValues(adapter, outcome).Inc()
	a.metrics.TurnSeconds.WithLabelValues(adapter).Observe(took.Seconds())
}

func (a *App) called(account, outcome string, took time.Duration) {
	a.metrics.Calls.WithLabelValues(account, outcome).Inc()
	a.metrics.CallSeconds.WithLabelValues(account).Observe(took.Seconds())
}

func (a *App) received(account, endpoint string, duplicate bool) {
	a.metrics.FramesReceived.WithLabelValues(account, endpoint).Inc()
	if duplicate {
		a.metrics.FramesDuplicate.WithLabelValues(account).Inc()
	}
}

func (a *App) refused(account, reason string) {
	a.metrics.FramesRefused.WithLabelValues(account, reason).Inc()
}

// retention is how long things are kept, as configured now.
func (a *App) retention() retention.Rules {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := a.conf.Retention
	return retention.Rules{Raw: r.Raw, Conversations: r.Conversations, DeadLetters: r.DeadLetters, Audit: r.Audit}
}

func (a *App) tooOld(r journal.Removed) {
	for what, n := range map[string]int64{"frames": r.Frames, "conversations": r.Conversations, "dead_letters": r.DeadLetters, "audit": r.Audit} {
		a.metrics.TooOld.WithLabelValues(what).Add(float64(n))
	}
}
