package bridge_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	mainLines  = 12
	direct     = 25
	pluginName = "footbridge-adapter-"
	vendorList = "bridge/testdata/vendors.txt"
	lineList   = "adapters/lines.txt"
	lineRoom   = 100 // a bound that is further away than this bounds nothing
)

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// folders lists the folders right below one.
func folders(t *testing.T, name string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		if e.IsDir() {
			out = append(out, e.Name())
		}
	}
	if len(out) == 0 {
		t.Fatalf("%s has no folders", name)
	}
	return out
}

// TestAdaptersStaySmall: no adapter has more code than it is allowed, or far less.
func TestAdaptersStaySmall(t *testing.T) {
	allowed := map[string]int{}
	for line := range strings.Lines(read(t, lineList)) {
		var name string
		var most int
		if n, err := fmt.Sscan(line, &name, &most); err == nil && n == 2 {
			allowed[name] = most
		}
	}
	for _, name := range folders(t, "adapters") {
		files, err := filepath.Glob(filepath.Join(root, "adapters", name, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		lines := 0
		for _, file := range files {
			if !strings.HasSuffix(file, "_test.go") {
				lines += codeLines(read(t, path.Join("adapters", name, filepath.Base(file))))
			}
		}
		if most := allowed[name]; lines > most || lines+lineRoom <= most {
			t.Errorf("adapters/%s has %d lines of code and is allowed %d: what grows wants to be the library's; else change %s", name, lines, most, lineList)
		}
	}
}

// codeLines are the lines of a file without comments of their own and blank ones.
func codeLines(text string) int {
	n := 0
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "//") {
			n++
		}
	}
	return n
}

// TestAdaptersAreWhole: an adapter is a folder, a plugin, scripts, laws and an
// example.
func TestAdaptersAreWhole(t *testing.T) {
	example := read(t, "config.example.toml")
	for _, name := range folders(t, "adapters") {
		folder := "adapters/" + name
		if _, err := os.Stat(filepath.Join(root, "plugins", pluginName+name, "main.go")); err != nil {
			t.Errorf("%s has no plugin: the bridge runs adapters as processes (%v)", folder, err)
		}
		if scripts, err := filepath.Glob(filepath.Join(root, folder, "testdata", "*.txt")); err != nil || len(scripts) == 0 {
			t.Errorf("%s has no scripts testdata/*.txt: they are its manual and its test (%v)", folder, err)
		}
		if !regexp.MustCompile(`(?m)^(# )?adapter = "` + name + `"$`).MatchString(example) {
			t.Errorf("config.example.toml has no account with adapter = %q: nobody finds what is not shown", name)
		}
		if tests := testsOf(t, folder); !strings.Contains(tests, "adaptertest.Scripts(") || !strings.Contains(tests, "adaptertest.Laws(") {
			t.Errorf("%s: its tests do not run adaptertest.Scripts and adaptertest.Laws: every adapter keeps the laws", folder)
		}
	}
}

func testsOf(t *testing.T, folder string) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(root, folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, name := range names {
		all.WriteString(read(t, relative(name)))
	}
	return all.String()
}

func TestPluginsAreShort(t *testing.T) {
	for _, name := range folders(t, "plugins") {
		adapter, ok := strings.CutPrefix(name, pluginName)
		if !ok {
			continue // the SDKs of other languages
		}
		if _, err := os.Stat(filepath.Join(root, "adapters", adapter)); err != nil {
			t.Errorf("plugins/%s runs no adapter (%v)", name, err)
		}
		files, err := filepath.Glob(filepath.Join(root, "plugins", name, "*.go"))
		if err != nil || len(files) != 1 || filepath.Base(files[0]) != "main.go" {
			t.Errorf("plugins/%s has %v; it is one main.go (%v)", name, files, err)
			continue
		}
		if lines := strings.Count(read(t, relative(files[0])), "\n"); lines > mainLines {
			t.Errorf("plugins/%s/main.go has %d lines, more than %d: what an adapter does is in adapters/%s", name, lines, mainLines, adapter)
		}
	}
}

// TestNoVendorInTheBridge reads every text below bridge/, tests and test data too,
// but the registry of simulate and the list of names itself.
func TestNoVendorInTheBridge(t *testing.T) {
	names := vendors(t)
	err := filepath.WalkDir(filepath.Join(root, "bridge"), func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || relative(name) == registry || relative(name) == vendorList {
			return err
		}
		data, err := os.ReadFile(name)
		if err != nil || bytes.IndexByte(data, 0) >= 0 {
			return err
		}
		for i, line := range bytes.Split(bytes.ToLower(data), []byte("\n")) {
			for _, vendor := range names {
				if bytes.Contains(line, vendor) {
					t.Errorf("%s:%d names %s: what the bridge does for one vendor it would not do for the next", relative(name), i+1, vendor)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// vendors lists all vendors' names in lower case: those in vendorList
// and the adapters', but for what is our own.
func vendors(t *testing.T) [][]byte {
	t.Helper()
	var names [][]byte
	for _, name := range append(folders(t, "adapters"), strings.Split(read(t, vendorList), "\n")...) {
		known := slices.ContainsFunc(names, func(other []byte) bool { return string(other) == name })
		if name != "" && !strings.HasPrefix(name, "#") && name != "scripted" && name != "native" && !known {
			names = append(names, []byte(name))
		}
	}
	return names
}

// TestDependencies: each library we call ourselves is one somebody chose, and
// wrote down why.
func TestDependencies(t *testing.T) {
	var required []string
	for _, line := range strings.Split(read(t, "go.mod"), "\n") {
		words := strings.Fields(strings.TrimPrefix(line, "require "))
		if len(words) == 2 && strings.Contains(words[0], ".") && strings.HasPrefix(words[1], "v") {
			required = append(required, words[0])
		}
	}
	if len(required) > direct || len(required) == 0 {
		t.Errorf("%d direct dependencies, more than %d: each is somebody else's bugs and releases", len(required), direct)
	}
	page := read(t, "docs/dependencies.md")
	var told []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)`").FindAllStringSubmatch(page, -1) {
		told = append(told, m[1])
	}
	for _, name := range required {
		if !slices.Contains(told, name) {
			t.Errorf("docs/dependencies.md does not say what %s is for", name)
		}
	}
	for _, name := range told {
		if !slices.Contains(required, name) {
			t.Errorf("docs/dependencies.md tells of %s, which go.mod does not require directly", name)
		}
	}
}

// The page on adapters names files that are there.
func TestAdapterPageIsTrue(t *testing.T) {
	page := read(t, "adapters/README.md")
	links := regexp.MustCompile(`\]\(([^)#:]+)\)`).FindAllStringSubmatch(page, -1)
	if len(links) == 0 {
		t.Error("adapters/README.md links to nothing")
	}
	for _, link := range links {
		if _, err := os.Stat(filepath.Join(root, path.Join("adapters", link[1]))); err != nil {
			t.Errorf("adapters/README.md links to %s: %v", link[1], err)
		}
	}
}
