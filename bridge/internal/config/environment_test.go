package config

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

const overridable = sound + `
[accounts.my-desk]
adapter = "native"
role = "live_agent"
[accounts.brain.settings]
level = 3
ratio = 0.5
loud = false
list = [1]
Deep = { inner = "x" }
[queues."Billing Team"]
[queues.a-b]
[queues."a b"]
`

func TestOverrides(t *testing.T) {
	cfg := mustParse(t, overridable,
		"FOOTBRIDGE_SERVER__LISTEN=127.0.0.1:9090",
		"FOOTBRIDGE_SERVER__TLS__CERT=c", "FOOTBRIDGE_SERVER__TLS__KEY=k",
		"FOOTBRIDGE_BREAKER__FAILURES=7",
		"FOOTBRIDGE_AGENTS__LOST=2m",
		"FOOTBRIDGE_PLUGINS__CHECKSUMS__ACME="+strings.Repeat("a", 64),
		"FOOTBRIDGE_ACCOUNTS__BRAIN__ALLOW_UNAUTHENTICATED=true",
		"FOOTBRIDGE_ACCOUNTS__BRAIN__CREDENTIALS__KEY=env:OTHER",
		"FOOTBRIDGE_ACCOUNTS__BRAIN__SETTINGS__LEVEL=4",
		"FOOTBRIDGE_ACCOUNTS__BRAIN__SETTINGS__RATIO=0.25",
		"FOOTBRIDGE_ACCOUNTS__BRAIN__SETTINGS__LOUD=true",
		"FOOTBRIDGE_ACCOUNTS__BRAIN__SETTINGS__DEEP__INNER=y=z",
		"FOOTBRIDGE_ACCOUNTS__BRAIN__SETTINGS__FRESH=10",
		"FOOTBRIDGE_ACCOUNTS__MY_DESK__LANGUAGE=de",
		"FOOTBRIDGE_QUEUES__BILLING_TEAM__MAX_WAITING=5",
		"FOOTBRIDGE_TEXTS__EN__NO_AGENTS=Wait.",
		// None of these is a setting.
		"FOOTBRIDGE_CONFIG=/etc/x", "FOOTBRIDGE_LOG=debug", "OTHER__THING=1", "footbridge_server__listen=x", "nonsense", "=",
	)
	brain := cfg.Accounts["brain"]
	settings := map[string]any{"level": int64(4), "ratio": 0.25, "loud": true, "list": []any{int64(1)},
		"Deep": map[string]any{"inner": "y=z"}, "fresh": "10"}
	for _, c := range []struct {
		name      string
		got, want any
	}{
		{"text", cfg.Server.Listen, "127.0.0.1:9090"},
		{"deep", cfg.Server.TLS, TLS{Cert: "c", Key: "k"}},
		{"number", cfg.Breaker.Failures, 7},
		{"duration", cfg.Agents.Lost, 2 * time.Minute},
		{"new entry", cfg.Plugins.Checksums["acme"], strings.Repeat("a", 64)},
		{"truth", brain.AllowUnauthenticated, true},
		{"reference", brain.Credentials["key"], Ref("env:OTHER")},
		{"the rest of the account", brain.Adapter, "acme"},
		{"settings", brain.Settings, settings},
		{"dash in a name", cfg.Accounts["my-desk"].Language, "de"},
		{"space in a name", cfg.Queues["Billing Team"].MaxWaiting, 5},
		{"words", cfg.Text("en", "no_agents"), "Wait."},
		{"other words", cfg.Text("en", "say_again"), "Please say that again: your last message could not be passed on."},
	} {
		if !reflect.DeepEqual(c.got, c.want) {
			t.Errorf("%s: got %#v, want %#v", c.name, c.got, c.want)
		}
	}
}

// badOverrides are variables that mean nothing, or not what their key takes: row C6 of
// the catalogue of bad input. FuzzParse begins with them.
var badOverrides = []struct{ variable, value, key, what, mend string }{
	{"SERVER__LISTN", "x", "server", `unknown key "listn"`, "did you mean listen?"},
	{"SERVERS__LISTEN", "x", "", `unknown key "servers"`, "did you mean server?"},
	{"SERVER__LISTEN__MORE", "x", "server.listen", "has no keys of its own", "end the name at FOOTBRIDGE_SERVER__LISTEN"},
	{"SERVER__", "x", "server", "is not a name of a setting", "FOOTBRIDGE_SECTION__KEY"},
	{"__SERVER", "x", "", "is not a name of a setting", "FOOTBRIDGE_SECTION__KEY"},
	{"SERVER__TLS", "x", "server.tls", "is a table", "FOOTBRIDGE_SERVER__TLS__KEY"},
	{"SERVER__TRUSTED_PROXIES", "10.0.0.1", "server.trusted_proxies", "is a list", "set in the file only"},
	{"ROUTES__0__NAME", "x", "routes", "is a list", "set in the file only"},
	{"API__TOKENS", "x", "api.tokens", "is a list", "set in the file only"},
	{"ACCOUNTS__NOBODY__ROLE", "customer", "accounts", "there is no accounts.nobody in the file", "add the section"},
	{"ACCOUNTS__BRAIN__SETTINGS__LIST", "1", "accounts.brain.settings.list", "is a list or table", "in the file"},
	{"ACCOUNTS__BRAIN__SETTINGS__NONE__KEY", "1", "accounts.brain.settings.none", "there is no table", "to the file first"},
	{"ACCOUNTS__BRAIN__SETTINGS__LEVEL", "four", "accounts.brain.settings.level", "must be a whole number", "digits only"},
	{"QUEUES__A_B__ASSIGN", "push", "queues", "may mean a b or a-b", "in the file"},
	{"SERVER__LISTEN", "", "server.listen", "is empty", "unset the variable"},
	{"BREAKER__FAILURES", "1e3", "breaker.failures", "must be a whole number", "digits only"},
	{"BREAKER__FAILURES", "99999999999999999999", "breaker.failures", "must be a whole number", "digits only"},
	{"BREAKER__FAILURES", "0", "breaker.failures", "is out of range: 0", "from 1"},
	{"ACCOUNTS__BRAIN__ALLOW_UNAUTHENTICATED", "yes", "accounts.brain.allow_unauthenticated", "must be true or false", "true or false"},
	{"AGENTS__LOST", "60", "agents.lost", `"60" has no unit`, `such as "60s"`},
	{"LOG__LEVEL", "loud", "log.level", `unknown value "loud"`, "use one of"},
	{"JOURNAL__DIR", "\xff", "journal.dir", "is not UTF-8", "give text"},
	{"ACCOUNTS__BRAIN__CREDENTIALS__KEY", "hunter2", "accounts.brain.credentials.key", "value not shown", "env:NAME"},
	{"SERVER__LISTEN", ":8080", "server.listen", "beyond this host", "server.tls"},
	{"TEXTS__EN__GREETING", "x", "texts.en.greeting", "is unknown", "use one of"},
}

func TestBadOverrides(t *testing.T) {
	for _, c := range badOverrides {
		variable := "FOOTBRIDGE_" + c.variable
		_, _, err := Parse("config.toml", []byte(overridable), []string{variable + "=" + c.value})
		if err == nil {
			t.Errorf("%s=%q is taken", variable, c.value)
			continue
		}
		problems := problemsOf(t, err)
		p := problems[0]
		if len(problems) != 1 || p.File != "environment "+variable || p.Line != 0 || p.Key != c.key ||
			!strings.Contains(p.What, c.what) || !strings.Contains(p.Mend, c.mend) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s=%q: got %v\nwant %s: %s – mend: %s", variable, c.value, err, c.key, c.what, c.mend)
		}
	}
}

func TestTwoVariablesForOneKey(t *testing.T) {
	environ := []string{"FOOTBRIDGE_LOG__LEVEL=warn", "FOOTBRIDGE_LOG__level=debug"}
	_, _, err := Parse("config.toml", []byte(sound), environ)
	if err == nil || !strings.Contains(err.Error(), "sets what FOOTBRIDGE_LOG__LEVEL sets – mend: unset one") {
		t.Errorf("got %v", err)
	}
}

func TestOverrideDoesNotHideABrokenFile(t *testing.T) {
	_, _, err := Parse("config.toml", []byte("server = 5\n"+sound), []string{"FOOTBRIDGE_SERVER__LISTEN=127.0.0.1:1"})
	if problems := problemsOf(t, err); len(problems) != 2 || problems[0].Key != "server" || problems[0].Line != 1 {
		t.Errorf("got %v", err)
	}
}
