package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"
)

// sound is a file without a problem that tests add to.
const sound = `
[accounts.web]
adapter = "native"
role = "customer"
[accounts.brain]
adapter = "acme"
role = "virtual_agent"
[accounts.people]
adapter = "native"
role = "live_agent"
[[routes]]
name = "web"
customer = "web"
virtual_agent = "brain"
live_agent = ["people"]
`

func mustParse(t testing.TB, text string, environ ...string) *Config {
	t.Helper()
	cfg, _, err := Parse("config.toml", []byte(text), environ)
	if err != nil {
		t.Fatalf("parse: %v", err)
	}
	return cfg
}

func problemsOf(t testing.TB, err error) []Problem {
	t.Helper()
	var bad *Error
	if !errors.As(err, &bad) {
		t.Fatalf("error is %v, want an *Error", err)
	}
	return bad.Problems
}

// rich uses every kind of value there is.
var rich = `
[server]
listen = "0.0.0.0:443"
trusted_proxies = ["10.0.0.7", "10.1.2.3/16"]
[breaker]
failures = 9
open = "1m30s"
[[api.tokens]]
name = "desk"
roles = ["live_agent", "operator"]
token = "file:/run/secrets/desk"
agent = "sam"
[hours.office.week]
mon = ["09:00-12:00", "13:00-17:30"]
[queues."Billing Team"]
hours = "office"
max_waiting = 7
assign = "push"
[texts.de]
no_agents = "Bitte warten."
[accounts.brain.settings]
deep = { list = [1, "two", 3.5, true] }
[accounts.brain.credentials]
key = "env:KEY"
inbound = "env:IN"
` + strings.Replace(sound, `role = "virtual_agent"`, `role = "virtual_agent"
allow_unauthenticated = false
inbound = "query:key"`, 1) + `
queue = "Billing Team"
match = { language = "pt-BR", attributes."plan.x" = "gold" }
timers = { waiting = "90s" }
`

func TestParseFillsEveryKind(t *testing.T) {
	cfg := mustParse(t, rich)
	token := Token{Name: "desk", Roles: []string{"live_agent", "operator"}, Token: "file:/run/secrets/desk", Agent: "sam"}
	brain, ok := cfg.Accounts["brain"]
	route := cfg.Routes[0]
	checks := []struct {
		name      string
		got, want any
	}{
		{"listen", cfg.Server.Listen, "0.0.0.0:443"},
		{"admin default", cfg.Admin.Listen, "127.0.0.1:8081"},
		{"failures", cfg.Breaker.Failures, 9},
		{"open", cfg.Breaker.Open, 90 * time.Second},
		{"deadline default", cfg.Breaker.Deadline, 10 * time.Second},
		{"token", cfg.API.Tokens, []Token{token}},
		{"token scheme", token.Token.Scheme() + "|" + token.Token.Target(), "file|/run/secrets/desk"},
		{"account", ok, true},
		{"settings", brain.Settings, map[string]any{"deep": map[string]any{"list": []any{int64(1), "two", 3.5, true}}}},
		{"credentials", brain.Credentials, map[string]Ref{"key": "env:KEY", "inbound": "env:IN"}},
		{"on_unknown default", brain.OnUnknown, "repeat"},
		{"language default", brain.Language, "en"},
		{"match", route.Match, Match{Language: "pt-BR", Attributes: map[string]string{"plan.x": "gold"}}},
		{"timers", route.Timers, Timers{Waiting: 90 * time.Second, AgentSilence: 25000 * time.Second, Total: 24 * time.Hour}},
		{"fallback default", route.Fallback, "return"},
		{"queue", cfg.Queues["Billing Team"], Queue{Hours: "office", MaxWaiting: 7, Assign: "push", WhenNoAgent: "queue"}},
		{"zone default", cfg.Hours["office"].Timezone, "UTC"},
		{"text", cfg.Text("de-AT", "no_agents"), "Bitte warten."},
		{"text of our own", cfg.Text("de-CH", "say_again"), "Bitte schreiben Sie das noch einmal: Ihre letzte Nachricht konnte nicht weitergegeben werden."},
		{"text in English", cfg.Text("fr", "say_again"), "Please say that again: your last message could not be passed on."},
		{"text unknown", cfg.Text("de", "nonsense"), ""},
		{"proxies", cfg.Server.Proxies()[0].String() + " " + cfg.Server.Proxies()[1].String(), "10.0.0.7/32 10.1.0.0/16"},
	}
	for _, c := range checks {
		if !reflect.DeepEqual(c.got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, c.got, c.want)
		}
	}
}

func TestSparseFileKeepsDefaults(t *testing.T) {
	cfg := mustParse(t, sound)
	want := Defaults()
	want.Accounts, want.Routes, want.where = cfg.Accounts, cfg.Routes, cfg.where
	if !reflect.DeepEqual(cfg, want) {
		t.Errorf("got %+v\nwant %+v", cfg, want)
	}
}

func TestDefaultsAreFreshEachTime(t *testing.T) {
	Defaults().Texts["en"]["no_agents"] = "changed"
	if got := Defaults().Text("en", "no_agents"); got == "changed" || got == "" {
		t.Errorf("a second Defaults gives %q", got)
	}
	for _, key := range TextKeys() {
		if Defaults().Text("xx", key) == "" {
			t.Errorf("text %s has no words", key)
		}
	}
}

func TestEntry(t *testing.T) {
	for want, route := range map[string]Route{
		"web":   {Customer: "web", VirtualAgent: "brain"},
		"brain": {VirtualAgent: "brain"},
		"":      {},
	} {
		if got := route.Entry(); got != want {
			t.Errorf("Entry() = %q, want %q", got, want)
		}
	}
}

func TestRefRefusesToSplitNonsense(t *testing.T) {
	if got := Ref("nonsense").Scheme(); got != "" {
		t.Errorf("Scheme() = %q", got)
	}
}

func TestProblemForOtherPackages(t *testing.T) {
	cfg := mustParse(t, sound)
	got := cfg.Problem("accounts.brain.settings.mode", "unknown mode", "use one").String()
	if want := "config.toml:5: accounts.brain.settings.mode: unknown mode – mend: use one"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestLoadReadsAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(path, []byte(sound), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, warnings, err := Load(path, []string{"FOOTBRIDGE_LOG__LEVEL=debug"})
	if err != nil || len(warnings) != 0 || cfg.Log.Level != "debug" {
		t.Fatalf("got %+v, %v, %v", cfg, warnings, err)
	}
}

// noText are files of which no line can be read: row C1 of the catalogue of bad input.
// FuzzParse begins with them.
var noText = []struct{ name, content, want string }{
	{"empty", "", ":1: is empty – mend: copy config.example.toml"},
	{"comments alone", "# nothing\n \n", ":1: is empty"},
	{"mark", "\xef\xbb\xbf" + sound, ":1: begins with a byte order mark – mend: save it as UTF-8 without BOM"},
	{"utf-16", "\xff\xfea\x00", ":1: is UTF-16"},
	{"latin-1", sound + "# caf\xe9\n", ":16: is not UTF-8"},
}

func TestLoadRefusesWhatIsNoFile(t *testing.T) {
	dir := t.TempDir()
	pipe, huge := filepath.Join(dir, "pipe"), filepath.Join(dir, "huge")
	if err := errors.Join(syscall.Mkfifo(pipe, 0o600), os.WriteFile(huge, nil, 0o600), os.Truncate(huge, 100<<20)); err != nil {
		t.Fatal(err)
	}
	cases := []struct{ name, path, want string }{
		{"missing", filepath.Join(dir, "none.toml"), "cannot be read: no such file or directory – mend: copy config.example.toml"},
		{"folder", dir, "is a folder, not a file – mend: give the path"},
		{"pipe", pipe, "is a pipe, not a file"},
		{"device", "/dev/null", "is a device, not a file"},
		{"100 MiB", huge, ":1: is larger than 1 MiB"},
	}
	for i, c := range append(noText, struct{ name, content, want string }{"1 MiB and a byte", strings.Repeat("#\n", 1<<19) + "#", ":1: is larger than 1 MiB"}) {
		path := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(path, []byte(c.content), 0o600); err != nil {
			t.Fatal(err)
		}
		cases = append(cases, struct{ name, path, want string }{c.name, path, c.want})
	}
	for _, c := range cases {
		cfg, _, err := Load(c.path, nil)
		if err == nil || cfg != nil || !strings.HasPrefix(err.Error(), c.path) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

// TestNothingIsFilledIn: a file and the environment are taken as they are written, so
// that no variable can bring in what was not meant.
func TestNothingIsFilledIn(t *testing.T) {
	const odd = "a ${HOME} $(id) {{ .x }}\"\n[server]\nlisten = \":1\""
	environ := []string{"HOME=/root", "FOOTBRIDGE_TEXTS__EN__NO_AGENTS=" + odd}
	cfg := mustParse(t, sound+"[journal]\ndir = '${HOME}/data'\n", environ...)
	if cfg.Journal.Dir != "${HOME}/data" || cfg.Text("en", "no_agents") != odd || cfg.Server.Listen != Defaults().Server.Listen {
		t.Errorf("got %q, %q, %q", cfg.Journal.Dir, cfg.Text("en", "no_agents"), cfg.Server.Listen)
	}
}

func TestWarningIsOneLine(t *testing.T) {
	_, warnings, _ := Parse("config.toml", []byte(sound+"[hours.o]"), nil)
	want := "config.toml:16: hours.o: is never open – mend: add ranges: week = { mon = [\"09:00-17:30\"] }"
	if len(warnings) != 1 || warnings[0].String() != want {
		t.Errorf("got %v, want %s", warnings, want)
	}
}

func TestErrorIsBounded(t *testing.T) {
	_, _, err := Parse("config.toml", []byte(sound+strings.Repeat("[[routes]]\n", 200)), nil)
	problems := problemsOf(t, err)
	lines := strings.Split(err.Error(), "\n")
	if len(problems) < 200 || len(lines) != maxShown+1 || !strings.HasPrefix(lines[maxShown], "and ") {
		t.Errorf("%d problems on %d lines, the last %q", len(problems), len(lines), lines[len(lines)-1])
	}
}

// worked is the processor's time this process has taken, whatever else the machine
// does.
func worked(t *testing.T) time.Duration {
	t.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func TestLargeFilesStayQuick(t *testing.T) {
	before := worked(t)
	for name, text := range map[string]string{
		"routes":  sound + strings.Repeat("[[routes]]\ncustomer='web'\n", 10000),
		"unknown": strings.Repeat("a", 200) + "=1\n" + unknownKeys(5000),
		"dotted":  strings.Repeat("a.", 100000) + "a = 1",
		"lists":   "a = " + strings.Repeat("[", 1<<19),
		"inline":  "a = " + strings.Repeat("{a=", 9000) + "1" + strings.Repeat("}", 9000),
		"quoted":  `"` + strings.Repeat("a.", 100000) + `" = 1`,
	} {
		if _, _, err := Parse("config.toml", []byte(text), nil); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if took := worked(t) - before; took > 20*time.Second {
		t.Errorf("took %v", took)
	}
}

func unknownKeys(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "server.k%s%d = 1\n", strings.Repeat("x", i%7), i)
	}
	return b.String()
}
