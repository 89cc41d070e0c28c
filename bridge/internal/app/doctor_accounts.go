package app

import (
	"context"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/internal/credential"
	"github.com/footbridge/footbridge/bridge/internal/ingress"
)

// leastToken is how long a token should be that cannot be guessed, in characters.
const leastToken = 20

// plugged starts the adapters, fits the accounts to them, and tries their hosts
// and looks at their doors.
func (d *doctor) plugged(ctx context.Context) {
	if err := d.startPlugins(ctx); err != nil {
		d.told(FindingFault, "plugins", err.Error())
		return
	}
	for _, name := range adapters(d.conf) {
		if err := d.down[name]; err != nil {
			d.fault("adapter "+name, err.Error(), adapterMend(name))
		}
	}
	for _, s := range d.plugins.States() {
		if d.down[s.Adapter] != nil {
			continue
		}
		shut := s.Sandbox
		if shut == "" {
			shut = "nothing"
		}
		d.good("adapter "+s.Adapter, "%s runs from %s (sha256 %s), shut off with %s", s.Version, s.Path, s.Checksum, shut)
		if d.conf.Plugins.Checksums[s.Adapter] == "" {
			d.warn("adapter "+s.Adapter, "is not pinned: another file in its place would run", fmt.Sprintf("%s = %q in [plugins.checksums]", s.Adapter, s.Checksum))
		}
	}
	p, err := d.newPlan(ctx, d.conf)
	if err != nil {
		d.configuration(err)
		return
	}
	d.fitted(ctx, p)
}

// fitted looks at accounts that know their adapter.
func (d *doctor) fitted(ctx context.Context, p *plan) {
	for _, w := range p.warnings {
		check, what, _ := strings.Cut(w, ": ")
		if strings.HasSuffix(check, " is unconfigured") {
			d.fault(strings.TrimSuffix(check, " is unconfigured"), what, "set it in the environment, or write it into the file it names")
			continue
		}
		d.told(FindingWarning, check, what)
	}
	hosts := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(p.ways)) {
		for _, host := range p.ways[name].Hosts {
			if !slices.Contains(hosts[host], name) {
				hosts[host] = append(hosts[host], name)
			}
		}
	}
	d.reach(ctx, hosts)
	for _, door := range p.doors {
		d.door(door)
	}
	for _, a := range p.feeds {
		for _, f := range a.Feeds {
			d.feed(a.Name, f.Name)
		}
	}
}

// feed tells whether a vendor is listened to.
func (d *doctor) feed(account, name string) {
	check := "account " + account
	up, known := false, false
	if d.live != nil {
		up, known = d.live.feeds[account+"/"+name]
	}
	switch {
	case up:
		d.good(check, "feed %s stands: its vendor is listened to", name)
	case known:
		d.fault(check, "feed "+name+" does not stand: what its vendor says is not heard", "see why in GET /api/v1/accounts, on /console or in the log")
	default:
		d.good(check, "feed %s is opened by the bridge that runs", name)
	}
}

// door looks at who may call an account's endpoints.
func (d *doctor) door(a ingress.Account) {
	served := slices.DeleteFunc(slices.Clone(a.Endpoints), func(e adapter.Endpoint) bool { return e.Path == "" })
	if len(served) == 0 || a.AllowUnauthenticated { // which the plan warns of
		return
	}
	var open []string
	for _, e := range served {
		if e.Auth == "" && a.Inbound == "" {
			open = append(open, e.Name)
		}
	}
	switch {
	case len(open) == 0:
		d.good("account "+a.Name, "whoever calls it must show who they are")
	case d.outside():
		d.warn("account "+a.Name, "endpoints "+strings.Join(open, ", ")+" answer this host only: the vendor's calls are refused",
			`set inbound = "header:NAME" or "query:NAME" and credentials.inbound, and give the vendor that secret`)
	default:
		d.good("account "+a.Name, "endpoints %s answer this host only", strings.Join(open, ", "))
	}
}

// outside tells whether the bridge is to be called from elsewhere.
func (d *doctor) outside() bool {
	s := d.conf.Server
	host, _, _ := net.SplitHostPort(s.Listen)
	ip := net.ParseIP(host)
	return s.PublicURL != "" || len(s.TrustedProxies) > 0 || host != "localhost" && (ip == nil || !ip.IsLoopback())
}

// secrets looks at the tokens of the API, without making any.
func (d *doctor) secrets(context.Context) {
	for _, t := range d.conf.API.Tokens {
		check := "token " + t.Name
		secret, err := credential.Resolve(string(t.Token), d.env)
		switch {
		case err != nil && strings.Contains(err.Error(), credential.ErrUnset.Error()):
			d.good(check, "%s is not set: one is made in the data folder", t.Token)
		case err != nil:
			d.fault(check, err.Error(), "write the secret there for this account alone (chmod 600)")
		case len(secret.Reveal()) < leastToken:
			d.warn(check, fmt.Sprintf("has under %d characters and can be guessed", leastToken), "use another: openssl rand -base64 24")
		default:
			d.good(check, "is set")
		}
	}
}

// signIns sees that the provider people sign in at can be asked.
func (d *doctor) signIns(ctx context.Context) {
	if !d.conf.Auth.OIDC.Enabled() {
		return
	}
	provider, err := d.newProvider(d.conf)
	if err != nil {
		d.configuration(err)
		return
	}
	if provider == nil {
		d.fault("sign-in", "the client's secret is not set, so that nobody can sign in at the provider", "set "+string(d.conf.Auth.OIDC.ClientSecret))
		return
	}
	ctx, cancel := context.WithTimeout(ctx, reachWithin)
	defer cancel()
	if _, _, err := provider.Begin(ctx); err != nil {
		d.fault("sign-in", err.Error(), "see that issuer in [auth.oidc] is what the provider calls itself, and that this machine reaches it")
		return
	}
	d.good("sign-in", "provider %s answers", d.conf.Auth.OIDC.Issuer)
}
