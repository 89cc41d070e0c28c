package stories

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// example is the configuration everybody begins with.
func example(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(repository + "/config.example.toml")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// places puts the program's own addresses and folder into the example.
func (p *program) places(example string) string {
	return strings.NewReplacer(`"127.0.0.1:8080"`, strconv.Quote(p.public), `"127.0.0.1:8081"`, strconv.Quote(p.admin),
		`"./data"`, strconv.Quote(filepath.Join(p.dir, "data"))).Replace(example)
}

func TestCheckExample(t *testing.T) {
	t.Parallel()
	p := newProgram(t, example(t))
	got := p.run("check")
	if got.code != exitOK || !strings.Contains(got.out, "good (4 accounts, 2 adapters)") || !strings.Contains(got.out, "warning: account studio is unconfigured: credential key is not set (env:VGAI_KEY)") {
		t.Errorf("without the key: %+v", got)
	}
	if got := p.run("check", "--strict"); got.code != exitFailed {
		t.Errorf("--strict with a warning: %+v", got)
	}
	var report struct {
		Accounts, Warnings, Problems []string
		Adapters                     []struct{ Name, State string }
	}
	if got := p.run("check", "--json"); json.Unmarshal([]byte(got.out), &report) != nil || got.code != exitOK ||
		len(report.Accounts) != 4 || len(report.Adapters) != 2 || len(report.Warnings) != 1 || len(report.Problems) != 0 {
		t.Errorf("--json: %+v", got)
	}
	if got := p.run("adapters"); got.code != exitOK || strings.Count(got.out, "running") != 2 {
		t.Errorf("adapters: %+v", got)
	}
	p.env = append(p.env, "VGAI_KEY="+studioKey)
	if got := p.run("check", "--strict"); got.code != exitOK || strings.Contains(got.all(), "warning") || strings.Contains(got.all(), studioKey) {
		t.Errorf("with the key: %+v", got)
	}
	if entries, err := os.ReadDir(p.dir); err != nil || len(entries) != 1 {
		t.Errorf("check left something behind: %v", entries)
	}
}

// broken are changes of the example, each with the key and the mend it must be
// told with. The line is that of the change.
func broken() []struct{ from, to, key, mend string } {
	return []struct{ from, to, key, mend string }{
		{`listen = "127.0.0.1:8080"`, `listen = "8080"`, "server.listen", "write host:port"},
		{`listen = "127.0.0.1:8080"`, `listen = "0.0.0.0:8080"`, "server.listen", "set server.tls"},
		{`listen = "127.0.0.1:8081"`, `listen = "127.0.0.1:8080"`, "admin.listen", "its own port"},
		{"[journal]", "[jornal]", "jornal", "journal"},
		{`format = "text"`, `format = "txt"`, "log.format", "did you mean text?"},
		{`level = "info"`, `level = info`, "level", "quotes"},
		{`roles = ["live_agent"]`, `roles = ["agent"]`, "api.tokens[0].roles[0]", "live_agent"},
		{`token = "env:DESK_TOKEN"`, `token = "hunter2"`, "api.tokens[0].token", "env:NAME"},
		{`sandbox = "auto"`, `sandbox = "on"`, "plugins.sandbox", "auto"},
		{`start_timeout = "10s"`, `start_timeout = "10"`, "plugins.start_timeout", "write a number with h, m, s or ms"},
		{`turn_timeout = "5s"`, `turn_timeout = 5`, "plugins.turn_timeout", "turn_timeout = "},
		{`failures = 5`, `failures = "5"`, "breaker.failures", "failures = "},
		{`deadline = "10s"`, `deadline = "30s"`, "breaker.deadline", "shorten the deadline"},
		{`lost = "60s"`, `lost = "-1s"`, "agents.lost", "write a number"},
		{`adapter = "vonage"`, `adapter = "Vonage"`, "accounts.studio.adapter", "use 1 to 64 of a-z"},
		{`role = "virtual_agent"`, `role = "virtual-agent"`, "accounts.studio.role", "did you mean virtual_agent?"},
		{`mode = "routing"`, `mode = "rooting"`, "accounts.studio.settings.mode", "use one of routing"},
		{`key = "env:VGAI_KEY"`, `key = "hunter2"`, "accounts.studio.credentials.key", "env:NAME"},
		{`key = "env:VGAI_KEY"`, `key = "file:/nowhere/hunter"`, "accounts.studio.credentials.key", "make it, or correct the path"},
		{`virtual_agent = "helper"`, `virtual_agent = "desk"`, "routes[0].virtual_agent", "use an account with that role"},
		{`live_agent = ["desk"]`, `live_agent = ["dsk"]`, "routes[0].live_agent[0]", "did you mean desk?"},
		{`queue = "support"`, `queue = "suport"`, "routes[0].queue", "did you mean support?"},
		{`fallback = "return"`, `fallback = "retrun"`, "routes[0].fallback", "did you mean return?"},
		{`waiting = "5m"`, `waiting = "5 minutes"`, "routes[0].timers.waiting", "write a number"},
		{`hours = "office"`, `hours = "ofice"`, "queues.support.hours", "did you mean office?"},
		{`timezone = "UTC"`, `timezone = "Mars/Base"`, "hours.office.timezone", "IANA"},
		{`mon = ["00:00-24:00"]`, `mon = ["22:00-06:00"]`, "hours.office.week.mon[0]", "over midnight is two"},
		{`say_again = "Please`, `say_agian = "Please`, "texts.en.say_agian", "say_again"},
		{`adapter = "scripted"`, `adapter = "scriptd"`, "accounts.helper.adapter", "footbridge-adapter-scriptd"},
	}
}

// TestCheckBroken: each broken file is told with file, line, key and mend, and
// the exit code 2; so is it by serve.
func TestCheckBroken(t *testing.T) {
	t.Parallel()
	good := example(t)
	for _, c := range broken() {
		at := strings.Index(good, "\n"+c.from) + 1
		if at == 0 {
			t.Errorf("the example has no %s", c.from)
			continue
		}
		broken := good[:at] + c.to + good[at+len(c.from):]
		p := newProgram(t, broken)
		line := 1 + strings.Count(good[:at], "\n")
		want := []string{fmt.Sprintf("%s:%d:", p.config, line), c.key + ": ", c.mend}
		got := p.run("check")
		if part := missing(got.all(), want); part != "" || got.code != exitUsage {
			t.Errorf("%s: code %d, no %q in\n%s", c.to, got.code, part, got.all())
		}
		if strings.Contains(got.all(), "hunter2") {
			t.Errorf("%s: the secret is repeated", c.to)
		}
		if c.key == "breaker.deadline" || c.key == "accounts.studio.settings.mode" {
			if err := os.WriteFile(p.config, []byte(p.places(broken)), 0o600); err != nil {
				t.Fatal(err)
			}
			got := p.run("serve")
			if part := missing(got.all(), want); part != "" || got.code != exitUsage {
				t.Errorf("serve with %s: code %d, no %q in\n%s", c.to, got.code, part, got.all())
			}
		}
	}
}

// TestCheckNoFile: what is no configuration at all is told as such.
func TestCheckNoFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, content := range map[string]string{"empty.toml": "", "utf16.toml": "\xff\xfe[\x00", "bom.toml": "\xef\xbb\xbf[server]\n", "binary.toml": "a = \"\xff\"\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, wanted := range map[string]string{"missing.toml": "copy config.example.toml there", ".": "is a folder", "empty.toml": "is empty",
		"utf16.toml": "UTF-8 without BOM", "bom.toml": "without BOM", "binary.toml": "is not UTF-8"} {
		path := filepath.Join(dir, name)
		for _, command := range []string{"check", "serve", "adapters"} {
			got := finish(t, nil, nil, command, "--config", path)
			if part := missing(got.all(), []string{path, wanted, "mend: "}); part != "" || got.code != exitUsage {
				t.Errorf("%s %s: code %d, no %q in %s", command, name, got.code, part, got.all())
			}
		}
	}
	var report struct{ Problems []string }
	got := finish(t, nil, nil, "check", "--json", "--config", filepath.Join(dir, "empty.toml"))
	if err := json.Unmarshal([]byte(got.out), &report); err != nil || len(report.Problems) != 1 || got.code != exitUsage {
		t.Errorf("--json of a broken file: %v %+v", err, got)
	}
}
