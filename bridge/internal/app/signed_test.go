package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/internal/config"
)

// declares is an adapter that declares one endpoint.
type declares adapter.Endpoint

func (d declares) Configure(context.Context, string, adapter.Account) (adapter.Profile, error) {
	return adapter.Profile{Endpoints: []adapter.Endpoint{adapter.Endpoint(d)}}, nil
}

// planned is the plan of a configuration whose one vendor account has the endpoint.
func planned(t *testing.T, toml string, e adapter.Endpoint, env map[string]string) (*plan, error) {
	t.Helper()
	conf, _, err := config.Parse("footbridge.toml", []byte(toml), nil)
	if err != nil {
		t.Fatal(err)
	}
	lookup := func(name string) (string, bool) { value, ok := env[name]; return value, ok }
	return planner{conf: conf, plugins: declares(e), env: lookup, down: map[string]error{}}.plan(t.Context())
}

const signedToml = `
[accounts.vendor]
adapter = "mine"
role = "customer"
credentials = { secret = "env:NEW", secret_previous = "env:OLD" }
[accounts.desk]
adapter = "native"
role = "live_agent"
[[api.tokens]]
name = "desk"
roles = ["live_agent"]
token = "env:DESK"
[[routes]]
name = "r"
customer = "vendor"
live_agent = ["desk"]
`

// What can never be checked stops the start, with the key to mend.
func TestSignedAccounts(t *testing.T) {
	good := adapter.Endpoint{Name: "hook", Method: "POST", Path: "/hook", Key: "body:/id", Dedup: "signature", Auth: "signature:secret", Signature: adapter.Signature{
		Algorithm: adapter.SignedHMACSHA256, Header: "S", Encoding: "hex", Over: "{body}", KeyEncoding: "base64", KeyPrefix: "k_"}}
	nonsense, address := good, good
	nonsense.Key = "new"
	address.Signature.Over = "{url}{body}"
	keys := map[string]string{"NEW": "k_bmV3", "OLD": "k_b2xk"}
	for _, c := range []struct {
		name   string
		e      adapter.Endpoint
		env    map[string]string
		public string
		key    string // of the problem, "" for none
		warns  string
	}{
		{"good", good, keys, "", "", ""},
		{"address known", address, keys, "https://bridge.example/", "", ""},
		{"address not known", address, keys, "", "", "set server.public_url"},
		{"nonsense", nonsense, keys, "", "accounts.vendor.adapter", ""},
		{"new key is none", good, map[string]string{"NEW": "bmV3", "OLD": "k_b2xk"}, "", "accounts.vendor.credentials.secret", ""},
		{"old key is none", good, map[string]string{"NEW": "k_bmV3", "OLD": "old"}, "", "accounts.vendor.credentials.secret_previous", ""},
		{"key not set", good, nil, "", "", "is unconfigured"},
	} {
		toml := signedToml
		if c.public != "" {
			toml = "[server]\npublic_url = \"" + c.public + "\"\n" + toml
		}
		p, err := planned(t, toml, c.e, c.env)
		var found *config.Error
		if c.key != "" {
			if !errors.As(err, &found) || len(found.Problems) != 1 || found.Problems[0].Key != c.key {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := strings.Join(p.warnings, "; "); (got == "") != (c.warns == "") || !strings.Contains(got, c.warns) {
			t.Errorf("%s: warnings %s", c.name, got)
		}
		want := "/in/vendor"
		if c.public != "" {
			want = "https://bridge.example/in/vendor"
		}
		for _, d := range p.doors {
			if d.Name == "vendor" && d.PublicURL != want {
				t.Errorf("%s: public address %s", c.name, d.PublicURL)
			}
		}
	}
}

// A pause between reads is no use where nothing is read back, and is said so once it
// is written down, but not for a default.
func TestReconcileWithoutEffect(t *testing.T) {
	e := adapter.Endpoint{Name: "hook", Method: "POST", Path: "/hook", Key: "body:/id", Auth: "header:K=secret"}
	for toml, warns := range map[string]string{
		signedToml: "",
		strings.Replace(signedToml, "role = \"customer\"\n", "role = \"customer\"\nreconcile = \"5m\"\n", 1): "footbridge.toml:5: accounts.vendor.reconcile: has no effect",
	} {
		p, err := planned(t, toml, e, map[string]string{"NEW": "new", "OLD": "old"})
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(p.warnings, "; "); (got == "") != (warns == "") || !strings.Contains(got, warns) {
			t.Errorf("warned %q, want %q", got, warns)
		}
	}
}

// needs is an adapter that works with a credential only.
type needs string

func (n needs) Configure(_ context.Context, _ string, a adapter.Account) (adapter.Profile, error) {
	if !slices.Contains(a.Credentials, string(n)) {
		return adapter.Profile{}, fmt.Errorf("needs the credential %s: set it", string(n))
	}
	return adapter.Profile{}, nil
}

// A credential the configuration names and nothing has set leaves its account
// unconfigured, also where the adapter cannot do without; one it does not name stops the
// start.
func TestCredentialNotSet(t *testing.T) {
	for name, c := range map[needs]string{"secret": "account vendor is unconfigured: credential secret is not set (env:NEW)", "other": ""} {
		conf, _, err := config.Parse("footbridge.toml", []byte(signedToml), nil)
		if err != nil {
			t.Fatal(err)
		}
		unset := func(string) (string, bool) { return "", false }
		p, err := planner{conf: conf, plugins: name, env: unset, down: map[string]error{}}.plan(t.Context())
		if (err == nil) != (c != "") {
			t.Fatalf("%s: %v", name, err)
		}
		if c != "" && (!strings.Contains(strings.Join(p.warnings, "; "), c) || p.setup.Accounts["vendor"].Unready == "") {
			t.Errorf("%s: warned %q, unready %q", name, p.warnings, p.setup.Accounts["vendor"].Unready)
		}
	}
}
