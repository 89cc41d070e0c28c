package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/config"
	"github.com/footbridge/footbridge/bridge/internal/conversation"
	"github.com/footbridge/footbridge/bridge/internal/credential"
	"github.com/footbridge/footbridge/bridge/internal/egress"
	"github.com/footbridge/footbridge/bridge/internal/engine"
	"github.com/footbridge/footbridge/bridge/internal/ingress"
)

// configurer fits adapters to accounts; the plugin host is one.
type configurer interface {
	Configure(ctx context.Context, adapter string, a adapter.Account) (adapter.Profile, error)
}

// plan is a configuration made ready: what each part of the program is told.
type plan struct {
	setup    *engine.Setup
	doors    []ingress.Account
	ways     map[string]egress.Account
	secrets  []credential.Secret
	warnings []string
}

// newPlan fits every account to its adapter. What an operator must mend comes
// back as a *config.Error; an account without its credential is a warning.
func newPlan(ctx context.Context, c *config.Config, plugins configurer, env func(string) (string, bool), down map[string]error) (*plan, error) {
	p := &plan{ways: map[string]egress.Account{}, setup: &engine.Setup{Accounts: map[string]engine.Account{}, Text: c.Text}}
	var problems []config.Problem
	for _, name := range slices.Sorted(maps.Keys(c.Accounts)) {
		if problem := p.account(ctx, c, name, plugins, env, down); problem != nil {
			problems = append(problems, *problem)
		}
	}
	for _, r := range c.Routes {
		p.setup.Routes = append(p.setup.Routes, route(r))
	}
	if len(problems) > 0 {
		return nil, &config.Error{Problems: problems}
	}
	return p, nil
}

func (p *plan) account(ctx context.Context, c *config.Config, name string, plugins configurer, env func(string) (string, bool), down map[string]error) *config.Problem {
	a := c.Accounts[name]
	key := "accounts." + name
	settings, err := json.Marshal(a.Settings)
	if err != nil {
		problem := c.Problem(key+".settings", "cannot be passed on: "+err.Error(), "use strings, numbers, booleans and lists")
		return &problem
	}
	secrets, unready, problem := p.resolve(c, name, env)
	if problem != nil {
		return problem
	}
	account := engine.Account{Name: name, Adapter: a.Adapter, Role: event.Role(a.Role), Settings: settings,
		Credentials: slices.Sorted(maps.Keys(secrets)), PublicURL: c.Server.PublicURL + "/in/" + name, Unready: unready,
		Language: a.Language, FailUnknown: a.OnUnknown == "fail"}
	if err := down[a.Adapter]; err != nil {
		account.Unready = "adapter " + a.Adapter + " did not start: " + err.Error()
	} else if !account.Native() {
		account.Profile, err = plugins.Configure(ctx, a.Adapter, adapter.Account{Name: name, Role: account.Role,
			Settings: settings, Credentials: account.Credentials, PublicURL: account.PublicURL})
		if err != nil {
			problem := c.Problem(key+".settings", err.Error(), "see the adapter's page for its settings")
			return &problem
		}
	}
	p.setup.Accounts[name] = account
	p.ways[name] = egress.Account{Hosts: append(slices.Clone(account.Profile.Hosts), a.AllowedHosts...), Secrets: secrets, Unready: account.Unready}
	p.doors = append(p.doors, ingress.Account{Name: name, Endpoints: account.Profile.Endpoints, Secrets: secrets,
		Inbound: a.Inbound, AllowUnauthenticated: a.AllowUnauthenticated, Hosts: a.Hosts})
	p.warnOpenDoors(a, name, account)
	return nil
}

// resolve reads an account's secrets. One that is not set makes the account
// unready; one that cannot be read is a problem.
func (p *plan) resolve(c *config.Config, name string, env func(string) (string, bool)) (map[string]credential.Secret, string, *config.Problem) {
	secrets := map[string]credential.Secret{}
	var missing []string
	for _, id := range slices.Sorted(maps.Keys(c.Accounts[name].Credentials)) {
		ref := string(c.Accounts[name].Credentials[id])
		secret, err := credential.Resolve(ref, env)
		switch {
		case errors.Is(err, credential.ErrUnset):
			missing = append(missing, fmt.Sprintf("credential %s is not set (%s)", id, ref))
		case err != nil:
			problem := c.Problem("accounts."+name+".credentials."+id, err.Error(), "")
			return nil, "", &problem
		default:
			secrets[id] = secret
			p.secrets = append(p.secrets, secret)
		}
	}
	if len(missing) > 0 {
		p.warnings = append(p.warnings, fmt.Sprintf("account %s is unconfigured: %s; its calls are refused until it is set", name, strings.Join(missing, ", ")))
	}
	return secrets, strings.Join(missing, ", "), nil
}

func (p *plan) warnOpenDoors(a config.Account, name string, account engine.Account) {
	if !a.AllowUnauthenticated {
		return
	}
	for _, e := range account.Profile.Endpoints {
		if e.Auth == "" && a.Inbound == "" {
			p.warnings = append(p.warnings, fmt.Sprintf("account %s: endpoint %s answers anybody on the network (allow_unauthenticated); mend: set inbound and its credential", name, e.Name))
		}
	}
}

func route(r config.Route) engine.Route {
	return engine.Route{Name: r.Name, Customer: r.Customer, VirtualAgent: r.VirtualAgent, LiveAgents: r.LiveAgent, Queue: r.Queue,
		Match:        engine.Match{Queue: r.Match.Queue, Language: r.Match.Language, Attributes: r.Match.Attributes},
		LeaveMessage: r.Fallback == "leave_message",
		Timers: conversation.Timers{Waiting: r.Timers.Waiting, AgentSilence: r.Timers.AgentSilence,
			CustomerSilence: r.Timers.CustomerSilence, Total: r.Timers.Total}}
}
