package bridge_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// fileOnPage is a file the page shows: its name, then its text.
var fileOnPage = regexp.MustCompile("(?s)`((?:adapters|plugins)/[^`\n]+\\.(?:go|txt))`[^`\n]*:\n\n```\\w*\n(.*?)```")

// TestAdapterPageWorks builds and tests the adapter that adapters/README.md shows,
// in a module of its own, as somebody outside this repository would.
func TestAdapterPageWorks(t *testing.T) {
	if testing.Short() {
		t.Skip("it compiles")
	}
	const outside = "example.com/outside/"
	dir := t.TempDir()
	files := fileOnPage.FindAllStringSubmatch(read(t, "adapters/README.md"), -1)
	if len(files) != 4 {
		t.Fatalf("the page shows %d files, not four: pager.go, its test, a script and a main", len(files))
	}
	for _, f := range files {
		write(t, filepath.Join(dir, f[1]), strings.ReplaceAll(f[2], module+"adapters/", outside+"adapters/"))
	}
	here, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	_, required, _ := strings.Cut(read(t, "go.mod"), "\n")
	name := strings.TrimSuffix(module, "/")
	write(t, filepath.Join(dir, "go.mod"), "module "+strings.TrimSuffix(outside, "/")+"\n"+required+
		"\nrequire "+name+" v0.0.0\n\nreplace "+name+" => "+here+"\n")
	write(t, filepath.Join(dir, "go.sum"), read(t, "go.sum"))
	for _, args := range [][]string{{"vet", "./..."}, {"test", "./..."}} {
		command := exec.Command("go", args...)
		command.Dir = dir
		command.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("go %v: %v\n%s", args, err, out)
		}
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
