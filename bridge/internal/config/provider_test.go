package config

import (
	"strings"
	"testing"
)

// What nobody could sign in with stops the start.
func TestProvider(t *testing.T) {
	const good = `[server]
public_url = "https://chat.example.com"
[auth.oidc]
issuer = "https://login.example.com"
client_id = "bridge"
[auth.oidc.roles]
operator = ["ops"]
`
	for _, c := range []struct{ from, to, key, mend string }{
		{"", "", "", ""},
		{"https://login.example.com", "http://127.0.0.1:9000", "", ""},
		{"https://login.example.com", "http://login.example.com", "auth.oidc.issuer", "use https"},
		{"https://login.example.com", "https://login.example.com?x=1", "auth.oidc.issuer", "without user, query"},
		{`public_url = "https://chat.example.com"`, "", "auth.oidc.issuer", "set server.public_url"},
		{`client_id = "bridge"`, "", "auth.oidc.client_id", "what the provider calls this bridge"},
		{`client_id = "bridge"`, "client_id = \"bridge\"\nclient_secret = \"hunter2\"", "auth.oidc.client_secret", "env:NAME"},
		{`operator = ["ops"]`, "", "auth.oidc.roles", `live_agent = ["support"]`},
		{`operator = ["ops"]`, `operator = [""]`, "auth.oidc.roles.operator[0]", ""},
		{`operator = ["ops"]`, `admin = ["ops"]`, "auth.oidc.roles.admin", ""},
	} {
		cfg, _, err := Parse("c.toml", []byte(strings.Replace(good, c.from, c.to, 1)), nil)
		if c.key == "" {
			if err != nil || !cfg.Auth.OIDC.Enabled() {
				t.Errorf("%s: %v", c.to, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), ": "+c.key+": ") || !strings.Contains(err.Error(), c.mend) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", c.to, err)
		}
	}
}
