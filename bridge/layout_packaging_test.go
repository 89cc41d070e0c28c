package bridge_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func document(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// rows are the first cells, in backquotes, of the table under a heading.
func rows(t *testing.T, text, heading string) []string {
	t.Helper()
	_, section, ok := strings.Cut(text, "\n## "+heading+"\n")
	if !ok {
		t.Fatalf("there is no heading %s", heading)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	var all []string
	for _, found := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(section, -1) {
		all = append(all, found[1])
	}
	return all
}

// unit reads the settings of a unit file by section; a setting that stands twice
// is one nobody can be sure of.
func unit(t *testing.T, text string) map[string]map[string]string {
	t.Helper()
	all, section := map[string]map[string]string{}, ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "["); ok {
			section = strings.TrimSuffix(name, "]")
			all[section] = map[string]string{}
		}
		name, value, ok := strings.Cut(line, "=")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		if _, twice := all[section][name]; twice {
			t.Errorf("[%s] %s stands twice", section, name)
		}
		all[section][name] = value
	}
	return all
}

// running are the settings of the service that say what runs, and how it is
// started and stopped; all others restrict it, and docs/hardening.md says why.
var running = []string{"Type", "User", "Group", "ExecStartPre", "ExecStart", "ExecReload", "EnvironmentFile", "Restart", "RestartSec",
	"TimeoutStopSec", "KillMode", "WorkingDirectory"}

func TestPackagingUnit(t *testing.T) {
	service := unit(t, document(t, "docs/packaging/footbridge.service"))["Service"]
	promised := rows(t, document(t, "docs/hardening.md"), "Under systemd")
	if len(promised) < 25 {
		t.Fatalf("docs/hardening.md promises %d lines only: %q", len(promised), promised)
	}
	for _, line := range promised {
		name, value, _ := strings.Cut(line, "=")
		if got, ok := service[name]; !ok || got != value {
			t.Errorf("docs/hardening.md promises %s, the unit has %q (there: %v)", line, got, ok)
		}
		delete(service, name)
	}
	for _, name := range slices.Sorted(maps.Keys(service)) {
		if !slices.Contains(running, name) {
			t.Errorf("the unit has %s=%s, which docs/hardening.md does not explain", name, service[name])
		}
	}
	// What would take the adapters' sandbox away, or give the bridge what it must not have.
	for name, want := range map[string]string{"User": "footbridge", "Group": "footbridge", "WorkingDirectory": "/var/lib/footbridge",
		"ExecStart": "/usr/local/bin/footbridge serve --config /etc/footbridge/config.toml", "ExecReload": "/bin/kill -HUP $MAINPID"} {
		if service[name] != want {
			t.Errorf("the unit has %s=%s, want %s", name, service[name], want)
		}
	}
}

func TestPackagingContainer(t *testing.T) {
	text := document(t, "docs/packaging/Containerfile")
	promised := rows(t, document(t, "docs/hardening.md"), "In a container")
	if len(promised) < 6 {
		t.Fatalf("docs/hardening.md promises %q only", promised)
	}
	for _, line := range promised {
		if !strings.Contains(text, line) {
			t.Errorf("docs/hardening.md promises %s, which the container file has not", line)
		}
	}
	stages := regexp.MustCompile(`(?m)^FROM `).Split(text, -1)
	last := stages[len(stages)-1]
	if len(stages) != 3 || !strings.HasPrefix(last, "scratch\n") {
		t.Fatalf("the last of %d stages does not begin with nothing", len(stages)-1)
	}
	for line := range strings.Lines(last) {
		switch word, rest, _ := strings.Cut(strings.TrimSpace(line), " "); {
		case word == "RUN" || word == "ADD":
			t.Errorf("%s: nothing can run where nothing is", line)
		case word == "COPY" && !strings.HasPrefix(rest, "--from=build "):
			t.Errorf("%s: the image holds what was built and nothing of the folder it was built in", line)
		case word == "USER" && strings.HasPrefix(rest, "0"), word == "USER" && strings.HasPrefix(rest, "root"):
			t.Errorf("%s: it runs as root", line)
		}
	}
	if strings.LastIndex(last, "USER ") < strings.LastIndex(last, "COPY ") {
		t.Error("files are put in after root was given up")
	}
}
