package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/config"
	"github.com/footbridge/footbridge/bridge/internal/conversation"
	"github.com/footbridge/footbridge/bridge/internal/credential"
	"github.com/footbridge/footbridge/bridge/internal/egress"
	"github.com/footbridge/footbridge/bridge/internal/engine"
	"github.com/footbridge/footbridge/bridge/internal/feed"
	"github.com/footbridge/footbridge/bridge/internal/host"
	"github.com/footbridge/footbridge/bridge/internal/ingress"
)

// configurer fits adapters to accounts; the plugin host is one.
type configurer interface {
	Configure(ctx context.Context, adapter string, a adapter.Account) (adapter.Profile, error)
}

// planner is what a plan is made of.
type planner struct {
	conf    *config.Config
	plugins configurer
	env     func(string) (string, bool)
	// down says why adapters do not run; an adapter that turns out not to is
	// added.
	down map[string]error
	// before are the accounts that hold now, nil at the start.
	before map[string]engine.Account
}

// plan is a configuration made ready: what each part of the program is told.
type plan struct {
	setup    *engine.Setup
	doors    []ingress.Account
	ways     map[string]egress.Account
	feeds    []feed.Account
	secrets  []credential.Secret
	warnings []string
}

// plan fits every account to its adapter. What an operator must mend comes back
// as a *config.Error; an account without its credential is a warning.
func (pl planner) plan(ctx context.Context) (*plan, error) {
	p := &plan{ways: map[string]egress.Account{}, setup: &engine.Setup{Accounts: map[string]engine.Account{}, Text: pl.conf.Text}}
	var problems []config.Problem
	for _, name := range slices.Sorted(maps.Keys(pl.conf.Accounts)) {
		if problem := pl.account(ctx, p, name); problem != nil {
			problems = append(problems, *problem)
		}
	}
	for _, r := range pl.conf.Routes {
		p.setup.Routes = append(p.setup.Routes, route(r))
	}
	if len(problems) > 0 {
		return nil, &config.Error{Problems: problems}
	}
	p.warnEmptyDesk(pl.conf)
	return p, nil
}

func (pl planner) account(ctx context.Context, p *plan, name string) *config.Problem {
	c := pl.conf
	a := c.Accounts[name]
	key := "accounts." + name
	settings, err := json.Marshal(a.Settings)
	if err != nil {
		problem := c.Problem(key+".settings", "cannot be passed on: "+err.Error(), "use strings, numbers, booleans and lists")
		return &problem
	}
	secrets, unready, problem := p.resolve(c, name, pl.env)
	if problem != nil {
		return problem
	}
	account := engine.Account{Name: name, Adapter: a.Adapter, Role: event.Role(a.Role), Settings: settings,
		Credentials: slices.Sorted(maps.Keys(a.Credentials)), PublicURL: strings.TrimRight(c.Server.PublicURL, "/") + "/in/" + name, Unready: unready,
		Language: a.Language, FailUnknown: a.OnUnknown == "fail", Anybody: a.AllowUnauthenticated}
	if problem := pl.fit(ctx, &account); problem != nil {
		return problem
	}
	if account.Profile.Reconcile {
		account.Reconcile = a.Reconcile
	} else if account.Unready == "" && c.Given(key+".reconcile") {
		p.warnings = append(p.warnings, c.Problem(key+".reconcile", "has no effect: nothing is read back from a vendor that tells again what it could not tell",
			"take it out").String())
	}
	if problem := p.signing(c, account, secrets); problem != nil {
		return problem
	}
	p.listening(&account, secrets)
	p.setup.Accounts[name] = account
	hosts := append(slices.Clone(account.Profile.Hosts), a.AllowedHosts...)
	if account.Unready == "" {
		p.feeds = append(p.feeds, feed.Account{Name: name, Feeds: account.Profile.Feeds, Hosts: hosts, Secrets: secrets})
	}
	p.ways[name] = egress.Account{Hosts: hosts, Named: append(hostsIn(a.Settings), a.AllowedHosts...), Secrets: secrets, Unready: account.Unready, Mask: account.Profile.Mask, FileLogins: account.Profile.FileLogins}
	p.doors = append(p.doors, ingress.Account{Name: name, Endpoints: account.Profile.Endpoints, Secrets: secrets, PublicURL: account.PublicURL,
		Inbound: a.Inbound, AllowUnauthenticated: a.AllowUnauthenticated, Hosts: a.Hosts, Mask: account.Profile.Mask})
	p.warnOpenDoors(a, name, account)
	return nil
}

// fit asks the adapter for the account's profile. One that does not run now
// leaves the account as it was, so that its doors stay open, or else unready.
func (pl planner) fit(ctx context.Context, a *engine.Account) *config.Problem {
	if a.Native() {
		return nil
	}
	err := pl.down[a.Adapter]
	if err == nil {
		a.Profile, err = pl.plugins.Configure(ctx, a.Adapter, adapter.Account{Name: a.Name, Role: a.Role,
			Settings: a.Settings, Credentials: a.Credentials, PublicURL: a.PublicURL})
		if err == nil {
			return pl.sound(*a)
		}
		if !host.Absent(err) {
			key := "accounts." + a.Name + ".settings"
			if named := settingName.FindStringSubmatch(err.Error()); named != nil {
				key += "." + named[1]
			}
			problem := pl.conf.Problem(key, err.Error(), "see the adapter's page for its settings")
			return &problem
		}
		pl.down[a.Adapter] = err
	}
	was, known := pl.before[a.Name]
	if known && (was.Unready == "" || len(was.Profile.Endpoints) > 0) && was.Adapter == a.Adapter && was.Role == a.Role && bytes.Equal(was.Settings, a.Settings) {
		a.Profile = was.Profile
		return nil
	}
	reason := "adapter " + a.Adapter + " does not run: " + err.Error()
	if a.Unready != "" {
		reason = a.Unready + "; " + reason
	}
	a.Unready = reason
	return nil
}

// settingName finds the setting that an adapter's error names.
//
//nolint:gochecknoglobals // never written.
var settingName = regexp.MustCompile(`\bsetting ([a-z][a-z0-9_]*)\b`)

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

// warnEmptyDesk tells that nobody can sign in where people are to answer.
func (p *plan) warnEmptyDesk(c *config.Config) {
	for _, t := range c.API.Tokens {
		if slices.Contains(t.Roles, string(event.RoleLiveAgent)) {
			return
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Accounts)) {
		if a := c.Accounts[name]; a.Adapter == engine.Native && a.Role == string(event.RoleLiveAgent) {
			p.warnings = append(p.warnings, fmt.Sprintf("account %s: nobody can sign in to answer; mend: add [[api.tokens]] with the role live_agent", name))
		}
	}
}

func (p *plan) warnOpenDoors(a config.Account, name string, account engine.Account) {
	if !a.AllowUnauthenticated {
		return
	}
	for _, e := range account.Profile.Endpoints {
		if e.Path != "" && e.Auth == "" && a.Inbound == "" {
			p.warnings = append(p.warnings, fmt.Sprintf("account %s: endpoint %s answers anybody on the network (allow_unauthenticated); mend: set inbound and its credential", name, e.Name))
		}
	}
}

// opensOn are the events with which observers begin to listen.
//
//nolint:gochecknoglobals // a table that is never written.
var opensOn = map[string]event.Kind{"started": event.KindConversationStarted, "requested": event.KindHandoffRequested,
	"accepted": event.KindHandoffAccepted}

func route(r config.Route) engine.Route {
	var observers []engine.Listening
	for _, o := range r.Observers {
		observers = append(observers, engine.Listening{Account: o.Account, OpenOn: opensOn[o.OpenOn]})
	}
	return engine.Route{Name: r.Name, Observers: observers, Customer: r.Customer, VirtualAgent: r.VirtualAgent, LiveAgents: r.LiveAgent, Queue: r.Queue,
		Match:        engine.Match{Queue: r.Match.Queue, Language: r.Match.Language, Attributes: r.Match.Attributes},
		LeaveMessage: r.Fallback == "leave_message", TrustCustomer: r.TrustCustomerAttributes,
		Timers: conversation.Timers{Waiting: r.Timers.Waiting, AgentSilence: r.Timers.AgentSilence,
			CustomerSilence: r.Timers.CustomerSilence, Total: r.Timers.Total}}
}
