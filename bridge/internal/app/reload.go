package app

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/footbridge/footbridge/bridge/internal/config"
	"github.com/footbridge/footbridge/bridge/internal/journal"
	"github.com/footbridge/footbridge/bridge/internal/openid"
)

// reloads reads the configuration again whenever it is asked to, and looks again
// at the accounts whose adapter was down when it runs, until ctx ends.
func (a *App) reloads(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-a.o.Reload:
			if err := a.reload(ctx); err != nil {
				a.record(ctx, journal.Audit{Action: journal.AuditNotLoaded})
				a.log.Error("configuration not reloaded; the old one stays", "error", err)
			}
		case <-a.revive:
			if err := a.reviveAccounts(ctx); err != nil {
				a.log.Error("accounts not made ready", "error", err)
			}
		}
	}
}

// reviveAccounts fits the accounts anew to an adapter that runs again.
func (a *App) reviveAccounts(ctx context.Context) error {
	if len(a.down) == 0 {
		return nil
	}
	a.startAdapters(ctx, a.conf)
	p, err := a.newPlan(ctx, a.conf)
	if err != nil {
		return err
	}
	a.apply(p)
	return nil
}

// change is a configuration that is wholly good, with all that is made of it.
type change struct {
	conf        *config.Config
	keys        []string
	plan        *plan
	tokens      []token
	provider    *openid.Provider
	pages       http.Handler
	certificate *certificate
	warnings    []config.Warning
}

// reload takes up a changed configuration whole, or not at all.
func (a *App) reload(ctx context.Context) error {
	c, err := a.change(ctx)
	if err != nil {
		return err
	}
	for _, t := range c.tokens {
		a.redactor.Add(t.secret)
	}
	for _, t := range a.tokens {
		a.redactor.Remove(t.secret)
	}
	was := a.conf
	a.mu.Lock()
	a.conf, a.tokens, a.provider = c.conf, c.tokens, c.provider
	a.mu.Unlock()
	a.apply(c.plan)
	a.api.Configure(a.apiSetup())
	a.people.Configure(deskRules(c.conf))
	a.doors.pages.Store(&c.pages)
	a.doors.certificate.Store(c.certificate)
	a.doors.bounds.Limit(connections(c.conf))
	if rates(c.conf) != rates(was) {
		a.ingress.Limit(rates(c.conf)) // it forgets what was used up
	}
	for _, w := range c.warnings {
		a.log.Warn(w.String())
	}
	a.record(ctx, journal.Audit{Action: journal.AuditReloaded, Detail: strings.Join(c.keys, " ")})
	a.log.Info("configuration reloaded", "changed", c.keys)
	return nil
}

// change reads the configuration again and makes everything of it that can fail.
func (a *App) change(ctx context.Context) (*change, error) {
	next, warnings, err := config.Load(a.o.Config, a.o.Environ)
	if err != nil {
		return nil, err
	}
	c := &change{conf: next, warnings: warnings, keys: config.Diff(a.conf, next)}
	for _, key := range c.keys {
		if config.NeedsRestart(key) {
			return nil, &config.Error{Problems: []config.Problem{next.Problem(key, "can only change with a restart", "restart, or put the old value back")}}
		}
	}
	if c.certificate, err = certificateOf(next); err != nil {
		return nil, err
	}
	if c.pages, err = newPages(next); err != nil {
		return nil, fmt.Errorf("make the pages: %w", err)
	}
	if c.tokens, err = a.resolveTokens(next); err != nil {
		return nil, err
	}
	if c.provider, err = a.newProvider(next); err != nil {
		return nil, err
	}
	a.startAdapters(ctx, next)
	c.plan, err = a.newPlan(ctx, next)
	return c, err
}

// record notes in the audit trail what the program did by itself.
func (a *App) record(ctx context.Context, r journal.Audit) bool {
	r.Who = journal.AuditByItself
	err := a.journal.Record(ctx, r)
	if err != nil {
		a.log.Error("not in the audit trail", "action", r.Action, "error", err)
	}
	return err == nil
}
