package app

import (
	"context"
	"fmt"

	"github.com/footbridge/footbridge/bridge/internal/config"
)

// reloads reads the configuration again whenever it is asked to, until ctx ends.
func (a *App) reloads(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-a.o.Reload:
			if err := a.reload(ctx); err != nil {
				a.log.Error("configuration not reloaded; the old one stays", "error", err)
			}
		}
	}
}

// reload takes up a changed configuration whole, or not at all.
func (a *App) reload(ctx context.Context) error {
	next, warnings, err := config.Load(a.o.Config, a.o.Environ)
	if err != nil {
		return err
	}
	changed := config.Diff(a.conf, next)
	for _, key := range changed {
		if config.NeedsRestart(key) {
			return fmt.Errorf("%s can only change with a restart; mend: restart, or put the old value back", key)
		}
	}
	a.startAdapters(ctx, next)
	p, err := newPlan(ctx, next, a.plugins, a.env, a.down)
	if err != nil {
		return err
	}
	tokens, err := a.resolveTokens(next)
	if err != nil {
		return err
	}
	for _, t := range tokens {
		a.redactor.Add(t.secret)
	}
	a.mu.Lock()
	a.conf, a.tokens = next, tokens
	a.mu.Unlock()
	a.apply(p)
	a.api.Configure(a.apiSetup())
	a.people.Configure(deskRules(next))
	for _, w := range warnings {
		a.log.Warn(w.String())
	}
	a.log.Info("configuration reloaded", "changed", changed)
	return nil
}
