package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/breaker"
	"github.com/footbridge/footbridge/bridge/internal/credential"
	"github.com/footbridge/footbridge/bridge/internal/desk"
	"github.com/footbridge/footbridge/bridge/internal/egress"
	"github.com/footbridge/footbridge/bridge/internal/engine"
	"github.com/footbridge/footbridge/bridge/internal/host"
)

// turner runs turns on the plugin host, behind a breaker per plugin.
type turner struct {
	plugins  *host.Host
	breakers *breaker.Set

	mu     sync.Mutex
	blamed map[string]int // the run of each plugin whose end was counted
}

// pluginBreaker is the name of the breaker of one adapter's process.
func pluginBreaker(name string) string { return "plugin " + name }

// Turn runs a turn. A plugin that is down, or whose breaker is open, is
// engine.ErrUnavailable: the turn did not begin.
func (t *turner) Turn(ctx context.Context, name string, turn adapter.Turn) (adapter.Outcome, error) {
	var out adapter.Outcome
	var failed error
	err := t.breakers.Get(pluginBreaker(name)).Do(ctx, func(ctx context.Context) breaker.Outcome {
		out, failed = t.plugins.Turn(ctx, name, turn)
		switch {
		case failed == nil:
			return breaker.Success
		case errors.Is(failed, host.ErrDown), errors.Is(failed, host.ErrQuarantined), ctx.Err() != nil && errors.Is(ctx.Err(), context.Canceled):
			return breaker.Neutral
		}
		return t.blame(name)
	})
	switch {
	case errors.Is(err, breaker.ErrOpen):
		return adapter.Outcome{}, fmt.Errorf("%w: %w", engine.ErrUnavailable, err)
	case errors.Is(failed, host.ErrDown), errors.Is(failed, host.ErrQuarantined):
		return adapter.Outcome{}, fmt.Errorf("%w: %w", engine.ErrUnavailable, failed)
	case err != nil:
		return adapter.Outcome{}, err
	}
	return out, failed
}

// blame counts the end of a process once, however many turns it took with it.
func (t *turner) blame(name string) breaker.Outcome {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.plugins.States() {
		if s.Adapter != name {
			continue
		}
		if last, counted := t.blamed[name]; counted && last == s.Restarts {
			return breaker.Neutral
		}
		t.blamed[name] = s.Restarts
	}
	return breaker.Failure
}

// frontDesk tells the engine which live-agent accounts take a hand-off now.
type frontDesk struct {
	people       *desk.Desk
	plugins      *host.Host
	breakers     *breaker.Set
	placeholders *credential.Placeholders
	minter       *credential.Minter
	setup        func() *engine.Setup
}

// Refusal asks the built-in desk for its own accounts, and for the others looks
// whether their plugin runs and their vendor answers.
func (d *frontDesk) Refusal(account, queue string) string {
	a := d.setup().Accounts[account]
	if a.Native() {
		return d.people.Refusal(queue)
	}
	for _, s := range d.plugins.States() {
		if s.Adapter == a.Adapter && s.Status == "quarantined" {
			return event.FailedBackendDown
		}
	}
	for name, state := range d.breakers.States() {
		if state == breaker.Open && (name == pluginBreaker(a.Adapter) || strings.HasPrefix(name, egress.BreakerName(account, ""))) {
			return event.FailedBackendDown
		}
	}
	return ""
}

// Mint makes a token for one leg's key.
func (d *frontDesk) Mint(account, key, name string, at time.Time, ttl time.Duration) string {
	return d.minter.Mint(account, name, key, at, ttl)
}

// Placeholders gives a turn its stand-ins for the account's credentials and the
// leg's tokens.
func (d *frontDesk) Placeholders(account, turn string, tokens []string) map[string]string {
	names := slices.Concat(d.setup().Accounts[account].Credentials, tokens)
	if len(names) == 0 {
		return nil
	}
	out := make(map[string]string, len(names))
	for _, n := range names {
		out[n] = d.placeholders.Token(turn, n)
	}
	return out
}
