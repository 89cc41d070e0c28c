package app

import (
	"fmt"
	"strings"

	"github.com/footbridge/footbridge/bridge/internal/config"
	"github.com/footbridge/footbridge/bridge/internal/credential"
	"github.com/footbridge/footbridge/bridge/internal/engine"
	"github.com/footbridge/footbridge/bridge/internal/signature"
)

// sound holds what an adapter declares to what every profile must be: a plugin may
// be anybody's.
func (pl planner) sound(a engine.Account) *config.Problem {
	err := a.Profile.Check()
	if err == nil {
		return nil
	}
	problem := pl.conf.Problem("accounts."+a.Name+".adapter", fmt.Sprintf("adapter %s declares what cannot be served: %s", a.Adapter, err), "mend the adapter, or use another version of it")
	return &problem
}

// signing sees that what the account's vendor signs can be checked: that its keys
// are keys, and that the address it signs is known.
func (p *plan) signing(c *config.Config, a engine.Account, secrets map[string]credential.Secret) *config.Problem {
	for _, e := range a.Profile.Endpoints {
		name, signed := strings.CutPrefix(e.Auth, "signature:")
		if !signed {
			continue
		}
		for _, id := range []string{name, name + "_previous"} {
			if secret, set := secrets[id]; set {
				if _, err := signature.New(e.Signature, []credential.Secret{secret}); err != nil {
					problem := c.Problem("accounts."+a.Name+".credentials."+id, err.Error(), "")
					return &problem
				}
			}
		}
		if strings.Contains(e.Signature.Over, "{url}") && c.Server.PublicURL == "" {
			p.warnings = append(p.warnings, fmt.Sprintf("account %s: endpoint %s takes nothing: its vendor signs the address it calls, which nobody knows here; mend: set server.public_url", a.Name, e.Name))
		}
	}
	return nil
}
