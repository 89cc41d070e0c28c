package app

import (
	"context"
	"errors"
	"strings"

	"github.com/footbridge/footbridge/bridge/internal/config"
	"github.com/footbridge/footbridge/bridge/internal/credential"
	"github.com/footbridge/footbridge/bridge/internal/openid"
)

// openProvider makes the provider people sign in at, where one is configured.
func (a *App) openProvider(context.Context) (err error) {
	a.provider, err = a.newProvider(a.conf)
	return err
}

// newProvider is nil without a provider, and while the client's secret is not set:
// the rest runs.
func (a *App) newProvider(c *config.Config) (*openid.Provider, error) {
	o := c.Auth.OIDC
	if !o.Enabled() {
		return nil, nil
	}
	var secret credential.Secret
	if o.ClientSecret != "" {
		var err error
		secret, err = credential.Resolve(string(o.ClientSecret), a.env)
		if errors.Is(err, credential.ErrUnset) {
			a.log.Warn("nobody can sign in at the provider", "error", err)
			return nil, nil
		}
		if err != nil {
			return nil, &config.Error{Problems: []config.Problem{c.Problem("auth.oidc.client_secret", err.Error(), "")}}
		}
		a.redactor.Add(secret)
	}
	way, err := network(c, a.env)
	if err != nil {
		return nil, err
	}
	a.redactor.Add(way.ProxyLogin)
	scopes := o.Scopes
	if len(scopes) == 0 {
		scopes = []string{"profile"}
	}
	return openid.New(openid.Options{Issuer: o.Issuer, ClientID: o.ClientID, Secret: secret, Scopes: scopes,
		Transport:  way.Transport(hostsIn(map[string]any{"issuer": o.Issuer})...),
		Callback:   strings.TrimRight(c.Server.PublicURL, "/") + "/api/v1/session/finish",
		RolesClaim: o.RolesClaim, AgentClaim: o.AgentClaim, NameClaim: o.NameClaim,
		Roles: map[string][]string{"live_agent": o.Roles.LiveAgent, "supervisor": o.Roles.Supervisor, "operator": o.Roles.Operator}}), nil
}
