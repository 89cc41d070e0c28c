package app

import (
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/api"
	"github.com/footbridge/footbridge/bridge/internal/breaker"
	"github.com/footbridge/footbridge/bridge/internal/config"
	"github.com/footbridge/footbridge/bridge/internal/egress"
	"github.com/footbridge/footbridge/bridge/internal/engine"
	"github.com/footbridge/footbridge/bridge/internal/web"
)

// makeAPI makes the native API; it is there before the engine takes up work.
func (a *App) makeAPI() error {
	ended, err := api.OpenEnded(filepath.Join(a.conf.Journal.Dir, "signed-out.json"))
	if err != nil {
		return err
	}
	a.api = api.New(api.Options{Journal: a.journal, Engine: a.engine, Desk: a.people, Files: a.media, Status: a, Keys: a.keys,
		Setup: a.apiSetup(), Logger: a.log, Peer: a.ingress.Peer, Ended: ended, MaxUploads: a.conf.Media.MaxUploads, Answered: a.answered, Redact: a.redactor.Redact})
	return nil
}

func (a *App) apiSetup() api.Setup {
	s := api.Setup{PublicURL: a.conf.Server.PublicURL, Sites: map[string]api.Site{}}
	for _, t := range a.tokens {
		s.Tokens = append(s.Tokens, api.Token{Name: t.Name, Roles: t.Roles, Secret: t.secret, Agent: t.Agent, Picture: t.Picture})
	}
	if a.provider != nil {
		s.Provider = a.provider
	}
	for name, account := range sites(a.conf) {
		s.Sites[name] = api.Site{PublishableKey: account.PublishableKey, AllowedOrigins: account.AllowedOrigins, Chat: chatOf(account)}
	}
	s.Tools = tools(a.conf.Desk)
	return s
}

// tools are what the configuration gives live agents to work with.
func tools(d config.Desk) api.Tools {
	t := api.Tools{Dispositions: d.Dispositions}
	for _, r := range d.Replies {
		t.Replies = append(t.Replies, api.CannedReply(r))
	}
	return t
}

// chatOf is how an account's chat looks and speaks.
func chatOf(a config.Account) api.Chat {
	c := a.Chat
	return api.Chat{Title: c.Title, Color: c.Color, ColorDark: c.ColorDark, Theme: c.Theme, Survey: c.Survey, Language: a.Language, Pictures: c.Pictures, Texts: c.Texts}
}

// sites are the native customer accounts.
func sites(c *config.Config) map[string]config.Account {
	out := map[string]config.Account{}
	for name, account := range c.Accounts {
		if account.Adapter == engine.Native && event.Role(account.Role) == event.RoleCustomer {
			out[name] = account
		}
	}
	return out
}

// newPages makes the pages; the chat begins at the first native customer
// account unless its address says otherwise.
func newPages(c *config.Config) (http.Handler, error) {
	o := web.Options{SignIn: c.Auth.OIDC.Enabled(), Secure: c.Server.TLS.Enabled() || strings.HasPrefix(c.Server.PublicURL, "https:")}
	all := sites(c)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if o.DefaultAccount == "" {
			o.DefaultKey, o.DefaultAccount = all[name].PublishableKey, name
		}
		o.Framers = append(o.Framers, all[name].AllowedOrigins...)
		o.Pictures = append(o.Pictures, all[name].Chat.Pictures...)
	}
	return web.New(o)
}

// Matrix tells what passes between the accounts. It is part of api.Status.
func (a *App) Matrix() []api.Pairing {
	setup := a.setup()
	parties, _ := partiesOf(setup.Accounts, nil)
	party := func(p Party) api.Party { return api.Party{Account: p.Account, Adapter: p.Adapter, Role: p.Role} }
	var out []api.Pairing
	for _, p := range matrixOf(parties, routed(parties, setup.Routes)).Pairings {
		pairing := api.Pairing{Front: party(p.Front), Back: party(p.Back), Levels: make(map[string]string, len(p.Levels))}
		if p.VirtualAgent != nil {
			virtual := party(*p.VirtualAgent)
			pairing.VirtualAgent = &virtual
		}
		for name, level := range p.Levels {
			pairing.Levels[name] = string(level)
		}
		out = append(out, pairing)
	}
	return out
}

// Accounts tells how the accounts stand. It is part of api.Status.
func (a *App) Accounts() []api.Account {
	setup := a.setup()
	a.mu.Lock()
	conf := a.conf
	a.mu.Unlock()
	views, absent, versions := a.breakers.Views(), a.absent(), map[string]string{}
	for _, s := range a.plugins.States() {
		versions[s.Adapter] = s.Version
	}
	feeds := a.feeds.States()
	var out []api.Account
	for _, name := range slices.Sorted(maps.Keys(setup.Accounts)) {
		account := setup.Accounts[name]
		row := api.Account{Name: name, Adapter: account.Adapter, Role: string(account.Role), Ready: account.Unready == "",
			Unready: account.Unready, Open: conf.Accounts[name].AllowUnauthenticated, Capabilities: account.Profile.Levels,
			Assumptions: account.Profile.Assumptions, Drained: a.engine.Drained(name), Breakers: map[string]string{}, Version: versions[account.Adapter]}
		if why := absent[account.Adapter]; why != "" && row.Ready {
			row.Ready, row.Unready = false, why
		}
		row.Guards, row.Feeds = guardsOf(name, views), feedsOf(name, feeds)
		for _, g := range row.Guards {
			row.Breakers[g.Host] = g.State
		}
		out = append(out, row)
	}
	return out
}

// guardsOf are the breakers of an account, by host.
func guardsOf(account string, views map[string]breaker.View) []api.Guard {
	var out []api.Guard
	for _, name := range slices.Sorted(maps.Keys(views)) {
		if host, ok := strings.CutPrefix(name, egress.BreakerName(account, "")); ok {
			v := views[name]
			out = append(out, api.Guard{Host: host, State: string(v.State), Since: v.Since, Next: v.Next, Reason: v.Why})
		}
	}
	return out
}

// absent says of each adapter whose plugin does not run why, for people.
func (a *App) absent() map[string]string {
	out := map[string]string{}
	for _, s := range a.plugins.States() {
		if s.Status != "running" && s.Status != "starting" {
			out[s.Adapter] = strings.TrimSuffix("adapter "+s.Adapter+" is "+s.Status+": "+s.LastError, ": ")
		}
	}
	return out
}

// Adapters tells how the plugins stand. It is part of api.Status.
func (a *App) Adapters() []api.Adapter {
	states := a.breakers.States()
	var out []api.Adapter
	for _, s := range a.plugins.States() {
		guard := states[pluginBreaker(s.Adapter)]
		if guard == "" {
			guard = breaker.Closed
		}
		out = append(out, api.Adapter{Name: s.Adapter, Version: s.Version, State: s.Status, Breaker: string(guard), Reason: s.LastError,
			Pid: a.plugins.Pid(s.Adapter), Restarts: s.Restarts, Since: s.Since, Sandbox: s.Sandbox})
	}
	return out
}
