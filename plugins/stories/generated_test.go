package stories

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

// update writes what is made instead of comparing it.
var update = flag.Bool("update", false, "rewrite what is made from the manifests and the folders")

// TestDocumentsAreMadeFromTheManifests compares what lies between the markers of
// README.md and docs/ with what the real plugins say of themselves.
func TestDocumentsAreMadeFromTheManifests(t *testing.T) {
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	generated(t, "README.md", "vendors", vendorTable(t, bin))
	generated(t, "docs/guarantees.md", "endpoints", "```text\n"+whatPrints(t, bin, "matrix", "--guarantees")+"```\n")
	generated(t, "docs/matrix.md", "matrix", "```text\n"+whatPrints(t, bin, "matrix")+"```\n")
}

// TestEverySimulatorIsRegistered compares the registry of simulate with the
// folders adapters/*/*sim.
func TestEverySimulatorIsRegistered(t *testing.T) {
	folders, err := filepath.Glob(filepath.Join(repository, "adapters", "*", "*sim"))
	if err != nil || len(folders) == 0 {
		t.Fatalf("no simulators: %v", err)
	}
	var imports, rows strings.Builder
	for _, folder := range folders {
		name := filepath.Base(filepath.Dir(folder))
		fmt.Fprintf(&imports, "\t\"github.com/footbridge/footbridge/adapters/%s/%ssim\"\n", name, name)
		fmt.Fprintf(&rows, "\t\t%q: %ssim.Simulate,\n", name, name)
	}
	text := "// Code generated from the folders adapters/*/*sim; DO NOT EDIT.\n\npackage main\n\nimport (\n" + imports.String() + ")\n\n" +
		"// simulators are the simulated vendors by name.\nfunc simulators() map[string]simulator {\n\treturn map[string]simulator{\n" + rows.String() + "\t}\n}\n"
	format := exec.Command("gofmt")
	format.Stdin = strings.NewReader(text)
	want, err := format.Output()
	if err != nil {
		t.Fatal(err)
	}
	const file = repository + "/bridge/cmd/footbridge/simulate_registry.go"
	have, err := os.ReadFile(file)
	switch {
	case err != nil:
		t.Fatal(err)
	case string(have) == string(want):
	case *update:
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%s is not what the folders say; mend: go test -run Registered ./plugins/stories -update", file)
	}
}

// generated compares the part of a document between its markers, or writes it.
func generated(t *testing.T, file, name, want string) {
	t.Helper()
	path := filepath.Join(repository, file)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	part := regexp.MustCompile(`(?s)(<!-- ` + name + `: made from the manifests -->\n)(.*?)(<!-- end -->)`)
	found := part.FindSubmatch(data)
	switch {
	case found == nil:
		t.Errorf("%s has no part %q between markers", file, name)
	case string(found[2]) == want:
	case *update:
		text := part.ReplaceAllLiteral(data, []byte(string(found[1])+want+string(found[3])))
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("the part %q of %s is not what the manifests say; mend: go test -run Manifests ./plugins/stories -update", name, file)
	}
}

// whatPrints is what a command prints where there is no configuration.
func whatPrints(t *testing.T, bin string, args ...string) string {
	t.Helper()
	cmd := exec.Command(filepath.Join(bin, "footbridge"), args...)
	cmd.Dir = t.TempDir()
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("footbridge %s: %v", strings.Join(args, " "), err)
	}
	var lines []string
	for line := range strings.SplitSeq(string(out), "\n") {
		lines = append(lines, strings.TrimRight(line, " "))
	}
	return strings.Join(lines, "\n")
}

// vendorTable is the README's table, from the manifests of the real plugins.
func vendorTable(t *testing.T, bin string) string {
	t.Helper()
	plugins, err := filepath.Glob(filepath.Join(bin, "footbridge-adapter-*"))
	if err != nil || len(plugins) == 0 {
		t.Fatalf("no plugins: %v", err)
	}
	words := map[event.Role]string{event.RoleCustomer: "customer", event.RoleVirtualAgent: "virtual agent", event.RoleLiveAgent: "live agent", event.RoleObserver: "observer"}
	var table strings.Builder
	table.WriteString("| adapter | role | what is at its far side |\n|---|---|---|\n")
	for _, plugin := range plugins {
		out, err := exec.Command(plugin, "--manifest").Output()
		if err != nil {
			t.Fatalf("%s --manifest: %v", filepath.Base(plugin), err)
		}
		var m adapter.Manifest
		if err := json.Unmarshal(out, &m); err != nil {
			t.Fatal(err)
		}
		for _, role := range m.Roles {
			if m.FarSides[role] == "" || !slices.Contains(m.Roles, role) {
				t.Errorf("%s says nothing of its role %s", m.Name, role)
			}
			fmt.Fprintf(&table, "| [`%s`](adapters/%s) %s | %s | %s |\n", m.Name, m.Name, m.Title, words[role], m.FarSides[role])
		}
	}
	table.WriteString("| `native`, built in | customer | the web chat at `/chat` and on other sites ([how](docs/widget.md)), or any program through the API |\n" +
		"| `native`, built in | live agent | the desk at `/desk`, or any program through the API |\n")
	return table.String()
}
