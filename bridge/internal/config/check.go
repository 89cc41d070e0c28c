package config

import (
	"maps"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

// check finds what each key by itself allows but all together do not. It runs even when single keys are wrong, so
// that one reading tells everything; values that are missing are then left alone.
func check(cfg *Config, found *findings) {
	c := &checker{Config: cfg, findings: found, broken: trouble(found.problems)}
	c.listeners()
	c.publicAddress()
	c.wayOut()
	c.tokens()
	c.provider()
	c.breaker()
	c.desk()
	for _, name := range slices.Sorted(maps.Keys(cfg.Accounts)) {
		c.account(name, cfg.Accounts[name])
	}
	c.shared()
	c.routes()
	c.unused()
	c.open()
	for _, name := range slices.Sorted(maps.Keys(cfg.Queues)) {
		c.hoursOf(name, cfg.Queues[name])
	}
	for _, name := range slices.Sorted(maps.Keys(cfg.Hours)) {
		c.hours(name, cfg.Hours[name])
	}
}

type checker struct {
	*Config
	*findings
	broken map[string]bool // keys with a problem of their own, and the tables around them
}

// trouble lists the keys that already have a problem, with all that lie around them: what depends on one of them is
// not judged, as its value is unknown.
func trouble(problems []Problem) map[string]bool {
	broken := map[string]bool{}
	for _, p := range problems {
		for key := p.Key; key != "" && !broken[key]; key = around(key) {
			broken[key] = true
		}
	}
	return broken
}

func (c *checker) listeners() {
	server, admin := c.Server, c.Admin
	if same(server.Listen, admin.Listen) {
		c.problem("admin.listen", "is the address of server.listen", "give each its own port")
	}
	if (server.TLS.Cert == "") != (server.TLS.Key == "") && !c.broken["server.tls"] {
		c.problem("server.tls", "has only one of cert and key", "set both, or neither")
	}
	if !loopback(server.Listen) && !server.TLS.Enabled() && len(server.TrustedProxies) == 0 &&
		!c.broken["server.tls"] && !c.broken["server.trusted_proxies"] {
		c.problem("server.listen", "serves beyond this host without encryption",
			"set server.tls, or server.trusted_proxies to the proxy that has it, or listen on 127.0.0.1")
	}
	if !loopback(admin.Listen) {
		c.warn("admin.listen", "serves metrics and profiles beyond this host without authentication",
			"listen on 127.0.0.1, or let a firewall guard the port")
	}
}

// same tells whether two listeners would want one port.
func same(a, b string) bool {
	hostA, portA, errA := net.SplitHostPort(a)
	hostB, portB, errB := net.SplitHostPort(b)
	if errA != nil || errB != nil || portA != portB || portA == "0" {
		return false
	}
	return hostA == hostB || everywhere(hostA) || everywhere(hostB) || loopback(a) && loopback(b) && (hostA == "localhost" || hostB == "localhost")
}

func everywhere(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "" || err == nil && addr.IsUnspecified()
}

// loopback tells whether an address to listen on is reached from this host only.
func loopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil || host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

func (c *checker) publicAddress() {
	if u, err := url.Parse(c.Server.PublicURL); err == nil && u.Scheme == "http" && !loopback(net.JoinHostPort(u.Hostname(), "80")) {
		c.warn("server.public_url", "is not encrypted", "use https")
	}
	for i, proxy := range c.Server.Proxies() {
		if proxy.Bits() == 0 {
			c.warn(index("server.trusted_proxies", i), "believes everybody's forwarding headers", "name the proxy's address")
		}
	}
}

func (c *checker) wayOut() {
	e := c.Egress
	if e.ProxyLogin != "" && e.Proxy == "" && !c.broken["egress.proxy"] {
		c.problem("egress.proxy_login", "is for a proxy, and none is set", "set egress.proxy, or take it out")
	}
	for i, network := range e.Networks() {
		if network.Bits() == 0 {
			c.warn(index("egress.private_networks", i), "lets names that accounts list lead anywhere, this host too", "name the network they are in")
		}
	}
}

func (c *checker) tokens() {
	named, secret := map[string]int{}, map[Ref]int{}
	for i, token := range c.API.Tokens {
		at := index("api.tokens", i)
		if first, ok := named[token.Name]; ok && token.Name != "" {
			c.problem(join(at, "name"), "is the name of "+index("api.tokens", first)+" too", "give each token its own name")
		}
		if first, ok := secret[token.Token]; ok && token.Token != "" {
			c.problem(join(at, "token"), "is the secret of "+index("api.tokens", first)+" too", "give each token its own secret")
		}
		person := slices.Contains(token.Roles, "live_agent") || slices.Contains(token.Roles, "supervisor")
		if token.Agent != "" && len(token.Roles) > 0 && !person {
			c.problem(join(at, "agent"), "is set for a token that may not act as an agent", `add "live_agent" to its roles, or take agent out`)
		}
		if token.Picture != "" && token.Agent == "" && !c.broken[join(at, "agent")] {
			c.problem(join(at, "picture"), "is of no agent in particular", "add agent, or take it out")
		}
		named[token.Name], secret[token.Token] = i, i
	}
}

// maxReplies is how many answers the desk's page can still be quick with.
const maxReplies = 1000

func (c *checker) desk() {
	if len(c.Desk.Replies) > maxReplies {
		c.problem("desk.replies", "has more than 1,000 entries", "take some out")
	}
	first := map[[2]string]int{}
	for i, r := range c.Desk.Replies {
		which := [2]string{strings.ToLower(r.Name), r.Language}
		if before, ok := first[which]; ok && r.Name != "" {
			c.problem(join(index("desk.replies", i), "name"), "is the name of "+index("desk.replies", before)+" too, in the same language",
				"give each its own name, or another language")
			continue
		}
		first[which] = i
	}
}

// provider finds what a sign-in at a provider would fail on, for everybody.
func (c *checker) provider() {
	o := c.Auth.OIDC
	if !o.Enabled() || c.broken["auth.oidc"] {
		return
	}
	u, err := url.Parse(o.Issuer)
	if err == nil && u.Scheme == "http" && !loopback(net.JoinHostPort(u.Hostname(), "80")) {
		c.problem("auth.oidc.issuer", "is not encrypted", "use https: whoever is between could sign in as anybody")
	}
	if o.ClientID == "" {
		c.problem("auth.oidc.client_id", "is missing", "write what the provider calls this bridge")
	}
	if c.Server.PublicURL == "" {
		c.problem("auth.oidc.issuer", "needs server.public_url: the provider sends browsers back there", "set server.public_url, and its /api/v1/session/finish at the provider")
	}
	if len(o.Roles.LiveAgent)+len(o.Roles.Supervisor)+len(o.Roles.Operator) == 0 {
		c.problem("auth.oidc.roles", "gives nobody a role", `name values of the claim, such as live_agent = ["support"]`)
	}
}

func (c *checker) breaker() {
	b := c.Breaker
	if c.broken["breaker"] {
		return
	}
	if b.Deadline*3 >= b.Interval {
		c.problem("breaker.deadline", "must be under a third of breaker.interval ("+b.Interval.String()+
			"): slower failures would be forgotten before they count", "shorten the deadline or lengthen the interval")
	}
	if !c.broken["plugins"] && c.Plugins.TurnTimeout > b.Deadline {
		c.problem("plugins.turn_timeout", "is longer than breaker.deadline ("+b.Deadline.String()+
			"): a turn that hangs would be given up and its process left as it is", "shorten it or lengthen breaker.deadline")
	}
	if b.Open > b.MaxOpen {
		c.problem("breaker.open", "is longer than breaker.max_open ("+b.MaxOpen.String()+")", "make max_open at least as long")
	}
}

func (c *checker) account(name string, a Account) {
	at := join("accounts", name)
	_, credential := a.Credentials["inbound"]
	switch {
	case a.Inbound != "" && !credential:
		c.problem(join(at, "inbound"), "has no credential to compare with", `add inbound = "env:NAME" to `+at+".credentials")
	case a.Inbound == "" && credential && !c.broken[join(at, "inbound")]:
		c.problem(at+".credentials.inbound", "is not used: nothing says where callers show it",
			`add inbound = "header:NAME" or "query:NAME" to `+at)
	case a.Inbound != "" && a.AllowUnauthenticated:
		c.problem(at+".allow_unauthenticated", "contradicts inbound", "keep one of the two")
	}
	foreign := a.Role != "" && a.Adapter != "" && (a.Role != customer || a.Adapter != "native")
	if a.PublishableKey != "" && foreign {
		c.problem(at+".publishable_key", "is for native accounts with the role customer", "take it out")
	}
	if a.Chat.set() && foreign {
		c.problem(at+".chat", "is for native accounts with the role customer", "take it out")
	}
	if len(a.AllowedOrigins) > 0 && a.Role != "" && a.Role != customer {
		c.problem(at+".allowed_origins", "is for accounts with the role customer", "take it out")
	}
}

// shared finds what two accounts may not have in common.
func (c *checker) shared() {
	hosts, publishable := map[string]string{}, map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(c.Accounts)) {
		account, at := c.Accounts[name], join("accounts", name)
		for i, host := range account.Hosts {
			if other, ok := hosts[host]; ok && host != "" {
				c.problem(index(at+".hosts", i), quote(host)+" is a host of accounts."+other+" too", "keep it at one of them")
			}
			hosts[host] = name
		}
		key := account.PublishableKey
		if other, ok := publishable[key]; ok && key != "" {
			c.problem(at+".publishable_key", "is that of accounts."+other+" too", "give each account its own")
		}
		publishable[key] = name
	}
}

func (c *checker) hoursOf(name string, q Queue) {
	if _, ok := c.Hours[q.Hours]; !ok && q.Hours != "" {
		c.problem(join("queues", name)+".hours", "unknown hours "+quote(q.Hours), c.mendName(q.Hours, "hours", slices.Sorted(maps.Keys(c.Hours))))
	}
}

func (c *checker) hours(name string, h Hours) {
	at, ranges := join("hours", name), 0
	for day := time.Sunday; day <= time.Saturday; day++ {
		key := at + ".week." + strings.ToLower(day.String()[:3])
		ranges += len(h.Week.Day(day))
		c.overlaps(key, h.Week.Day(day))
	}
	if ranges == 0 && !c.broken[at] {
		c.warn(at, "is never open", `add ranges: week = { mon = ["09:00-17:30"] }`)
	}
}

func (c *checker) overlaps(key string, ranges []string) {
	for i, text := range ranges {
		a, ok := parseSpan(text)
		for _, earlier := range ranges[:i] {
			if b, fine := parseSpan(earlier); ok && fine && a.from < b.to && b.from < a.to {
				c.problem(index(key, i), quote(text)+" overlaps "+quote(earlier), "make one range of them")
				return
			}
		}
	}
}

// mendName helps with a name that nothing has.
func (c *checker) mendName(name, section string, known []string) string {
	if near := nearest(name, known); near != "" {
		return "did you mean " + near + "?"
	}
	if len(known) == 0 {
		return "add a section [" + join(section, name) + "]"
	}
	if len(known) > 10 {
		known = append(slices.Clone(known[:10]), "…")
	}
	return "add a section [" + join(section, name) + "], or use one of " + strings.Join(known, ", ")
}
