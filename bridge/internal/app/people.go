package app

import (
	"context"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/config"
	"github.com/footbridge/footbridge/bridge/internal/desk"
	"github.com/footbridge/footbridge/bridge/internal/engine"
)

func (a *App) newDesk() *desk.Desk { return desk.New(deskRules(a.conf), a.log) }

func deskRules(c *config.Config) desk.Rules {
	native := map[string]bool{}
	for name, account := range c.Accounts {
		if account.Adapter == engine.Native && event.Role(account.Role) == event.RoleLiveAgent {
			native[name] = true
		}
	}
	return desk.Rules{Queues: c.Queues, Hours: c.Hours, Lost: c.Agents.Lost, Native: native}
}

// seedDesk tells the desk who waits and who was active before this start.
func (a *App) seedDesk(ctx context.Context) error {
	return a.people.Seed(ctx, a.journal)
}
