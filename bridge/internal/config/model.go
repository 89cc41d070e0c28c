package config

import (
	"net/netip"
	"time"
)

// Config is everything one process is told by its operator. Parse fills it; a zero Config is not usable, Defaults
// gives one that is. It is not changed after Parse, so any number of goroutines may read it.
//
// On the fields, tags say what the reader enforces: toml the key, default what holds when the key is absent,
// required that it may not be absent, oneof the words allowed, min and max the limits, rule the form of a string (of
// each element in a list), keys the form of a table's own keys.
type Config struct {
	// Server is the public listener: vendors' endpoints, the native API and the pages.
	Server Server `toml:"server"`
	// Admin is the listener for health, metrics and profiles; keep it private.
	Admin Admin `toml:"admin"`
	// Journal is where conversations are stored.
	Journal Journal `toml:"journal"`
	// Egress is how vendors are reached.
	Egress Egress `toml:"egress"`
	// Retention is how long what is stored is kept.
	Retention Retention `toml:"retention"`
	// Media says which files are taken and how they are passed on.
	Media Media `toml:"media"`
	// Log is the program's own log on standard error.
	Log Log `toml:"log"`
	// API holds the static tokens of the native API.
	API API `toml:"api"`
	// Auth says how people sign in besides with tokens.
	Auth Auth `toml:"auth"`
	// Plugins says where adapter processes are found and how they are held.
	Plugins Plugins `toml:"plugins"`
	// Breaker is the same for every circuit breaker.
	Breaker Breaker `toml:"breaker"`
	// Agents says when a live agent counts as gone.
	Agents Agents `toml:"agents"`
	// Desk is what live agents are given to work with at /desk.
	Desk Desk `toml:"desk"`
	// Accounts are the vendor logins by name, at most 1,000.
	Accounts map[string]Account `toml:"accounts" keys:"name"`
	// Routes say which accounts form a conversation, first match wins; at most 1,000.
	Routes []Route `toml:"routes"`
	// Queues are the waiting lines by name; the name is what a handoff asks for.
	Queues map[string]Queue `toml:"queues" keys:"label"`
	// Hours are opening hours by name, for queues to refer to.
	Hours map[string]Hours `toml:"hours" keys:"label"`
	// Texts are the bridge's own words by language and text key; read them with Text.
	Texts map[string]map[string]string `toml:"texts" keys:"language,text-key" rule:"text"`

	where locator
}

// Server is the public listener.
type Server struct {
	// Listen is host:port. Beyond loopback it needs TLS or TrustedProxies.
	Listen string `toml:"listen" default:"127.0.0.1:8080" rule:"listen"`
	// PublicURL is how the world reaches the listener (http or https, no query); empty: not known, links are relative.
	PublicURL string `toml:"public_url" rule:"url"`
	// TLS makes the listener speak HTTPS.
	TLS TLS `toml:"tls"`
	// TrustedProxies are the addresses and networks whose forwarding headers are believed; see Proxies.
	TrustedProxies []string `toml:"trusted_proxies" rule:"prefix"`
	// MaxConnections is how many connections there may be at once; 0 is no limit, here and below.
	MaxConnections int `toml:"max_connections" default:"10000" min:"0" max:"10000000"`
	// MaxPeerConnections is how many of them one address may have; this host and trusted proxies have no limit.
	MaxPeerConnections int `toml:"max_peer_connections" default:"256" min:"0" max:"10000000"`
	// PeerRate is how many requests a second one address may make, whoever it is; twice as many may come at once.
	PeerRate int `toml:"peer_rate" default:"200" min:"0" max:"1000000"`
	// AccountRate is how many requests a second the vendor of one account may make, likewise.
	AccountRate int `toml:"account_rate" default:"1000" min:"0" max:"1000000"`
}

// TLS names the files of a certificate; both or neither are set.
type TLS struct {
	// Cert is the path of the certificate chain, PEM.
	Cert string `toml:"cert" rule:"path"`
	// Key is the path of its private key, PEM.
	Key string `toml:"key" rule:"path"`
}

// Enabled tells whether the listener speaks HTTPS.
func (t TLS) Enabled() bool { return t.Cert != "" }

// Proxies gives TrustedProxies as prefixes, a single address as a prefix of itself.
func (s Server) Proxies() []netip.Prefix { return parsePrefixes(s.TrustedProxies) }

func parsePrefixes(texts []string) []netip.Prefix {
	var out []netip.Prefix
	for _, text := range texts {
		if prefix, err := parsePrefix(text); err == nil {
			out = append(out, prefix)
		}
	}
	return out
}

// Egress is the way out to vendors.
type Egress struct {
	// Proxy (http or https, no path) carries every connection to a vendor; empty: they are reached directly.
	Proxy string `toml:"proxy" rule:"origin"`
	// ProxyLogin refers to the user:password the proxy asks for.
	ProxyLogin Ref `toml:"proxy_login"`
	// CAFile is a PEM file of authorities trusted besides the system's.
	CAFile string `toml:"ca_file" rule:"path"`
	// PrivateNetworks are networks of our own in which hosts named in allowed_hosts or settings may be; see Networks.
	PrivateNetworks []string `toml:"private_networks" rule:"prefix"`
}

// Networks gives PrivateNetworks as prefixes, a single address as a prefix of itself.
func (e Egress) Networks() []netip.Prefix { return parsePrefixes(e.PrivateNetworks) }

// Admin is the private listener.
type Admin struct {
	// Listen is host:port; it serves without authentication, so beyond loopback it earns a warning.
	Listen string `toml:"listen" default:"127.0.0.1:8081" rule:"listen"`
}

// Journal is the store of conversations.
type Journal struct {
	// Dir is the folder of the journal and its keys, on a local disk; relative to the working folder.
	Dir string `toml:"dir" default:"./data" rule:"path"`
}

// Retention is how long things are kept; 0 is for ever.
type Retention struct {
	// Raw is of what vendors sent, once it was dealt with.
	Raw time.Duration `toml:"raw" default:"168h" min:"0s"`
	// Conversations is from the end of a conversation: its words and everything else of it.
	Conversations time.Duration `toml:"conversations" default:"720h" min:"0s"`
	// DeadLetters is of inputs whose turn failed for good.
	DeadLetters time.Duration `toml:"dead_letters" default:"336h" min:"0s"`
	// Audit is of the audit trail.
	Audit time.Duration `toml:"audit" default:"8760h" min:"0s"`
}

// Media are the files of conversations.
type Media struct {
	// MaxSize is the largest file, in bytes.
	MaxSize int `toml:"max_size" default:"10485760" min:"1" max:"104857600"`
	// MaxFiles is how many files one conversation may have.
	MaxFiles int `toml:"max_files" default:"100" min:"1" max:"10000"`
	// MaxTotal is how large all files of one conversation together may be, in bytes as they are stored.
	MaxTotal int `toml:"max_total" default:"104857600" min:"1" max:"107374182400"`
	// MaxUploads is how many files a visitor may upload in a minute; 0 is no limit.
	MaxUploads int `toml:"max_uploads" default:"30" min:"0" max:"10000"`
	// Types are the media types taken, or families such as image/*; empty: what people usually send.
	Types []string `toml:"types" rule:"media-type"`
	// Fetch says which files vendors point to are fetched and kept.
	Fetch string `toml:"fetch" default:"always" oneof:"always,listed,never"`
	// LinkTTL is how long a link given to a vendor is good.
	LinkTTL time.Duration `toml:"link_ttl" default:"24h" min:"1m" max:"8760h"`
	// Scan is a command that reads a file on standard input and ends with 0 where it is harmless; empty: none.
	Scan []string `toml:"scan"`
	// ScanTimeout bounds it.
	ScanTimeout time.Duration `toml:"scan_timeout" default:"30s" min:"1s" max:"10m"`
}

// Log is the program's log.
type Log struct {
	// Format is text or json.
	Format string `toml:"format" default:"text" oneof:"text,json"`
	// Level is the least severe level written.
	Level string `toml:"level" default:"info" oneof:"debug,info,warn,error"`
}

// API is the native API.
type API struct {
	// Tokens are its static tokens, at most 1,000, names and references unique.
	Tokens []Token `toml:"tokens"`
}

// Token is one static token of the native API.
type Token struct {
	// Name is shown in the log and the console in place of the token.
	Name string `toml:"name" required:"true" rule:"name"`
	// Roles are what its bearer may do.
	Roles []string `toml:"roles" required:"true" oneof:"live_agent,supervisor,operator"`
	// Token refers to the secret.
	Token Ref `toml:"token" required:"true"`
	// Agent, when set, is the agent its bearer acts as; any other is refused.
	Agent string `toml:"agent" rule:"label"`
	// Picture is the address of that agent's picture, for customers.
	Picture string `toml:"picture" rule:"url"`
}

// Auth is how people sign in besides with tokens.
type Auth struct {
	// OIDC is an OpenID Connect provider.
	OIDC OIDC `toml:"oidc"`
}

// OIDC is an OpenID Connect provider at which people sign in.
type OIDC struct {
	// Issuer is the provider's name for itself, exactly; without it there is none.
	Issuer string `toml:"issuer" rule:"url"`
	// ClientID is what the provider calls this bridge.
	ClientID string `toml:"client_id" rule:"label"`
	// ClientSecret refers to the client's secret; without one it is a public client, by PKCE alone.
	ClientSecret Ref `toml:"client_secret"`
	// Scopes are asked for besides openid; none means profile.
	Scopes []string `toml:"scopes" rule:"label"`
	// RolesClaim names the claim roles come from, a text or a list of texts.
	RolesClaim string `toml:"roles_claim" default:"groups" rule:"label"`
	// AgentClaim names the claim with a live agent's id, NameClaim the one with the name customers see.
	AgentClaim string `toml:"agent_claim" default:"preferred_username" rule:"label"`
	NameClaim  string `toml:"name_claim" default:"name" rule:"label"`
	// Roles are the values of RolesClaim that give each role; who has none is refused.
	Roles OIDCRoles `toml:"roles"`
}

// OIDCRoles are values of a claim by the role they give.
type OIDCRoles struct {
	// LiveAgent, Supervisor and Operator are as the roles of tokens.
	LiveAgent  []string `toml:"live_agent" rule:"label"`
	Supervisor []string `toml:"supervisor" rule:"label"`
	Operator   []string `toml:"operator" rule:"label"`
}

// Enabled tells whether people sign in at a provider.
func (o OIDC) Enabled() bool { return o.Issuer != "" }

// Plugins says where adapter processes come from.
type Plugins struct {
	// Dir is searched first for footbridge-adapter-NAME; empty: beside the executable, then PATH.
	Dir string `toml:"dir" rule:"path"`
	// Sandbox is auto (all the kernel gives), required (refuse to start with less) or off.
	Sandbox string `toml:"sandbox" default:"auto" oneof:"auto,required,off"`
	// Memory is how many bytes of its own one process may have; it needs the sandbox.
	Memory int `toml:"memory" default:"1073741824" min:"134217728" max:"1099511627776"`
	// Checksums maps an adapter to the SHA-256 its executable must have, in lower-case hex.
	Checksums map[string]string `toml:"checksums" keys:"name" rule:"sha256"`
	// StartTimeout is how long a process may take to say its manifest.
	StartTimeout time.Duration `toml:"start_timeout" default:"10s" min:"100ms" max:"10m"`
	// TurnTimeout is how long one turn may take before its process is ended; at most Breaker.Deadline.
	TurnTimeout time.Duration `toml:"turn_timeout" default:"5s" min:"10ms" max:"10m"`
}

// Breaker is the circuit breaker of every plugin process and every vendor host.
type Breaker struct {
	// Failures in a row open it.
	Failures int `toml:"failures" default:"5" min:"1" max:"1000000"`
	// Open is how long it first stays open; each further time twice as long.
	Open time.Duration `toml:"open" default:"10s" min:"1ms"`
	// MaxOpen ends that doubling; at least Open.
	MaxOpen time.Duration `toml:"max_open" default:"5m" min:"1ms"`
	// Deadline is the longest a guarded call may take; under a third of Interval.
	Deadline time.Duration `toml:"deadline" default:"10s" min:"1ms"`
	// Interval is after how long counted failures are forgotten.
	Interval time.Duration `toml:"interval" default:"60s" min:"1ms"`
}

// Agents are the people at native desks.
type Agents struct {
	// Lost is how long an agent with neither socket nor request is kept before being taken for gone.
	Lost time.Duration `toml:"lost" default:"60s" min:"1s"`
}

// Desk is what live agents are given to work with at /desk.
type Desk struct {
	// Replies are answers ready to be sent, at most 1,000; each name once a language.
	Replies []CannedReply `toml:"replies"`
	// Dispositions are what the end of a conversation may be called; none: agents write their own words.
	Dispositions []string `toml:"dispositions" rule:"label"`
}

// CannedReply is an answer agents send with few keys.
type CannedReply struct {
	// Name is what agents type after the slash.
	Name string `toml:"name" required:"true" rule:"label"`
	// Text is what is sent; {customer} and {agent} in it become their names.
	Text string `toml:"text" required:"true" rule:"text"`
	// Language is that of customers it is shown first for; empty: of all.
	Language string `toml:"language" rule:"language"`
}

// Problem states, about a value that only another package can judge, what is wrong with the key and how to mend it,
// with the file and line the key has. The key is written as in problems: accounts.NAME.settings.mode.
func (c *Config) Problem(key, what, mend string) Problem {
	return c.where.problem(key, what, mend)
}

// Given tells whether a key, written as in problems, was set at all, by the file or the environment: so an empty effect
// of what somebody wrote can be told from a default.
func (c *Config) Given(key string) bool { return c.where.given(key) }
