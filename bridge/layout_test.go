// Package bridge_test holds the rules of the whole repository: who may import
// whom, which library has which door, what pure code may touch, how large things
// may grow. Each failure gives the reason of its rule.
package bridge_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const (
	root   = ".."
	module = "github.com/footbridge/footbridge/"
	// registry is generated, and alone in bridge/ names who is not.
	registry = "bridge/cmd/footbridge/simulate_registry.go"
)

// source is one Go file. Paths are relative to the repository, with slashes; the
// programs tests build, in testdata, count as tests.
type source struct {
	path, folder string
	test         bool
	generated    bool
	lines        int
	file         *ast.File
	set          *token.FileSet
}

func (s source) at(n ast.Node) string {
	return fmt.Sprintf("%s:%d", s.path, s.set.Position(n.Pos()).Line)
}

// imports lists what the file imports; the module's own without its name.
func (s source) imports() []string {
	var out []string
	for _, i := range s.file.Imports {
		name, err := strconv.Unquote(i.Path.Value)
		if err == nil {
			out = append(out, strings.TrimPrefix(name, module))
		}
	}
	return out
}

// code leaves the files people write and run: no tests, nothing generated.
func code(all []source) []source {
	return slices.DeleteFunc(slices.Clone(all), func(s source) bool { return s.test || s.generated })
}

var (
	generatedMark = regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.$`)
	readSources   = sync.OnceValues(readTree)
)

func sources(t *testing.T) []source {
	t.Helper()
	all, err := readSources()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 50 {
		t.Fatalf("only %d Go files were found below %s", len(all), root)
	}
	return all
}

func readTree() ([]source, error) {
	var all []source
	for _, top := range []string{"bridge", "adapters", "plugins"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(name string, d fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(name, ".go") || d.IsDir() {
				return skipped(d, err)
			}
			s, err := readSource(name)
			all = append(all, s)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

func skipped(d fs.DirEntry, err error) error {
	if err == nil && d.IsDir() && d.Name() == "node_modules" {
		return fs.SkipDir
	}
	return err
}

func readSource(name string) (source, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return source{}, err
	}
	s := source{path: relative(name), test: strings.HasSuffix(name, "_test.go") || strings.Contains(filepath.ToSlash(name), "/testdata/"),
		generated: generatedMark.Match(data), lines: bytes.Count(data, []byte("\n")), set: token.NewFileSet()}
	s.folder = path.Dir(s.path)
	s.file, err = parser.ParseFile(s.set, s.path, data, parser.ParseComments)
	return s, err
}

func relative(name string) string {
	return strings.TrimPrefix(filepath.ToSlash(name), root+"/")
}

// under reports whether the folder is dir or below it.
func under(folder, dir string) bool { return folder == dir || strings.HasPrefix(folder, dir+"/") }

func underAny(folder string, dirs []string) bool {
	return slices.ContainsFunc(dirs, func(dir string) bool { return under(folder, dir) })
}

// isSimulator: adapters/x/xsim is a simulated vendor, on real sockets.
func isSimulator(folder string) bool {
	parts := strings.Split(folder, "/")
	return len(parts) >= 3 && parts[0] == "adapters" && parts[2] == parts[1]+"sim"
}

func isAdapter(folder string) bool { return under(folder, "adapters") && !isSimulator(folder) }

// arrows say what of the module a folder may import, in code.
var arrows = []struct {
	folder  string
	allowed []string
	reason  string
}{
	{"bridge/event", nil, "the model is a leaf: everything speaks it, so it knows nobody"},
	{"bridge/adapter", []string{"bridge/event"}, "an author's API brings the model and nothing else"},
	{"bridge/adapter/codec", []string{"bridge/event"}, "helpers for authors are as pure as what authors write"},
	{"bridge/adapter/backend", []string{"bridge/adapter", "bridge/adapter/codec", "bridge/event"}, "what adapters share is as pure as they are"},
	{"bridge/adapter/adapterpb", []string{"bridge/adapter", "bridge/event"}, "the wire carries the API's words, it does not know who speaks"},
	{"bridge/adapter/serve", []string{"bridge/adapter", "bridge/adapter/adapterpb", "bridge/event"}, "a plugin is an adapter and the wire; the bridge's inside is not linked into it"},
	{"bridge/adapter/adaptertest", []string{"bridge/adapter", "bridge/event"}, "adapters are tested without the bridge"},
	{"bridge/adapter/simdesk", nil, "it shows what a simulator says, and knows no bridge"},
	{"bridge/adapter/simvendor", nil, "it plays what vendors have in common, and knows no bridge"},
	{"bridge/adapter/simvendor/simtest", nil, "it calls a simulator from outside"},
	{"bridge/internal/conversation", []string{"bridge/event"}, "who may speak is decided from events alone"},
	{"bridge/internal/degrade", []string{"bridge/adapter", "bridge/event"}, "what a far side does not carry is decided from its levels alone"},
	{"bridge/internal/journal", []string{"bridge/event"}, "records know the model and no engine"},
	{"bridge/internal/journal/sqlite", []string{"bridge/event", "bridge/internal/journal"}, "a store can be exchanged: it knows the records and nobody who writes them"},
	{"bridge/internal/retention", []string{"bridge/internal/journal"}, "what is too old is a matter of records and clocks"},
	{"bridge/internal/engine", []string{"bridge/adapter", "bridge/event", "bridge/internal/conversation", "bridge/internal/degrade", "bridge/internal/journal", "bridge/internal/pointer"},
		"the engine declares the interfaces it needs; who fulfils them is wired in app"},
	{"bridge/internal/host", []string{"bridge/adapter", "bridge/adapter/adapterpb", "bridge/event", "bridge/internal/breaker"}, "the host runs processes and knows no conversation"},
	{"bridge/internal/translate", []string{"bridge/adapter", "bridge/adapter/adaptertest", "bridge/event", "bridge/internal/degrade", "bridge/internal/host", "bridge/internal/pointer"},
		"frames are translated without a bridge: no engine, no journal"},
	{"bridge/internal/verify", []string{"bridge/adapter", "bridge/internal/engine"}, "an account is proved without a bridge: no journal, nothing kept"},
	{"bridge/internal/signature", []string{"bridge/adapter", "bridge/internal/credential"}, "a signature is checked from bytes, a rule and keys alone"},
	{"bridge/internal/media", []string{"bridge/event", "bridge/internal/journal"}, "files know whose they are, not who sends or reads them"},
	{"bridge/internal/pointer", nil, "a pointer into a document knows no document"},
	{"bridge/internal/feed", []string{"bridge/adapter", "bridge/internal/credential", "bridge/internal/engine", "bridge/internal/pointer"},
		"it holds connections and knows neither who dials them nor who stores what they bring"},
	{"bridge/internal/socket", []string{"bridge/adapter", "bridge/internal/engine", "bridge/internal/ws"}, "it is what lies between a socket and the engine"},
	{"bridge/internal/ws", nil, "a WebSocket knows nothing of who uses it"},
	{"bridge/internal/breaker", nil, "a breaker knows nothing of what it guards"},
	{"bridge/internal/config", nil, "configuration is read before anything is there to use it"},
	{"bridge/internal/credential", nil, "who keeps secrets calls nobody"},
	{"bridge/internal/openid", []string{"bridge/internal/credential"}, "who signs somebody in does not know what for"},
	{"bridge/internal/observe", nil, "what everybody may write to reads from nobody"},
}

func TestArrows(t *testing.T) {
	for _, a := range arrows {
		if _, err := os.Stat(filepath.Join(root, a.folder)); err != nil {
			t.Errorf("the rule for %s has no folder: %v", a.folder, err)
		}
	}
	for _, s := range code(sources(t)) {
		for _, a := range arrows {
			if s.folder != a.folder {
				continue
			}
			for _, name := range s.imports() {
				if ours(name) && !slices.Contains(a.allowed, name) {
					t.Errorf("%s imports %s; %s may import %v: %s", s.path, name, a.folder, a.allowed, a.reason)
				}
			}
		}
	}
}

func ours(name string) bool { return underAny(name, []string{"bridge", "adapters", "plugins"}) }

// TestDirection: event ← adapter ← adapters/* ← plugins/*, and the bridge never
// knows which adapters there are.
func TestDirection(t *testing.T) {
	for _, s := range sources(t) {
		for _, name := range s.imports() {
			if reason := wrongWay(s, name); reason != "" {
				t.Errorf("%s imports %s: %s", s.path, name, reason)
			}
		}
	}
}

func wrongWay(s source, name string) string {
	pure := []string{"bridge/event", "bridge/adapter", "bridge/adapter/codec", "bridge/adapter/backend"}
	switch {
	case !ours(name):
		return ""
	case under(s.folder, "bridge") && !under(name, "bridge") && !(s.path == registry && isSimulator(name)):
		return "the bridge works with any adapter and links none; only the registry of simulate names simulators"
	case name == "bridge/internal/app" && s.folder != "bridge/cmd/footbridge" && s.folder != name:
		return "app is wiring: it uses everything, so nothing but the command may use it"
	case under(name, "bridge/cmd"), under(name, "plugins"):
		return "a command is the end of the line"
	case isSimulator(s.folder) && (name == "bridge/adapter/simdesk" || name == "bridge/adapter/simvendor" || s.test && name == "bridge/adapter/simvendor/simtest"):
		return "" // what simulated vendors have in common; no adapter may use it
	case isSimulator(s.folder) && !under(name, s.folder):
		return "a simulated vendor shares no code with what it tests"
	case isAdapter(s.folder) && s.test && (name == "bridge/adapter/adaptertest" || under(name, s.folder)):
		return "" // tests may play against the simulated vendor
	case isAdapter(s.folder) && !slices.Contains(pure, name) && !(under(name, s.folder) && !isSimulator(name)):
		return "an adapter uses event, adapter, codec and backend, so that it stays a function of state and input"
	case under(s.folder, "plugins") && !s.test && name != "bridge/adapter/serve" && name != adapterOf(s.folder):
		return "a plugin is its one adapter and serve"
	}
	return ""
}

// adapterOf is the folder of the adapter a plugin's folder runs.
func adapterOf(folder string) string {
	return "adapters/" + strings.TrimPrefix(path.Base(folder), "footbridge-adapter-")
}

// doors say where a library comes in, with all its traps.
var doors = []struct {
	module  string
	folders []string
	tests   bool // any test may use it
	reason  string
}{
	{"github.com/lxzan/gws", []string{"bridge/internal/ws"}, false, "the frame guard is under every socket only if nobody goes round it"},
	{"github.com/hashicorp/go-plugin", []string{"bridge/internal/host", "bridge/adapter/serve"}, false, "plugins are started and served in one way"},
	{"github.com/hashicorp/go-hclog", []string{"bridge/internal/host", "bridge/adapter/serve"}, false, "it is go-plugin's logger; ours is slog"},
	{"github.com/sony/gobreaker", []string{"bridge/internal/breaker"}, false, "breakers count the same things everywhere"},
	{"github.com/knadh/koanf", []string{"bridge/internal/config"}, false, "configuration is read once, in one place"},
	{"github.com/pelletier/go-toml", []string{"bridge/internal/config"}, true, "configuration is read once, in one place"},
	{"database/sql", []string{"bridge/internal/journal"}, false, "the journal is the only store"},
	{"modernc.org/sqlite", []string{"bridge/internal/journal/sqlite"}, false, "the engine of the store can be exchanged"},
	{"github.com/prometheus/client_golang", []string{"bridge/internal/observe"}, true, "metrics have one registry and one naming"},
	{"github.com/spf13/cobra", []string{"bridge/cmd/footbridge"}, false, "flags end at the command"},
	{"google.golang.org/grpc", []string{"bridge/internal/host", "bridge/adapter/serve", "bridge/adapter/adapterpb"}, false, "gRPC is the plugins' wire and nothing else"},
	{"google.golang.org/protobuf", []string{"bridge/internal/host", "bridge/adapter/serve", "bridge/adapter/adapterpb"}, false, "protobuf is the plugins' envelope; events are JSON"},
	{"github.com/oklog/ulid", []string{"bridge/internal/engine"}, true, "ids are made where events are"},
	{"github.com/rivo/uniseg", []string{"bridge/adapter/codec"}, true, "text is cut at graphemes by one pair of hands"},
	{"golang.org/x/sys", []string{"bridge/internal/host", "bridge/internal/journal/sqlite", "bridge/internal/observe"}, true, "the kernel is asked where processes and files are"},
	{"golang.org/x/time", []string{"bridge/internal/host", "bridge/internal/egress", "bridge/internal/ingress", "bridge/internal/api"}, false, "rates are limited at the edges"},
	{"github.com/coder/websocket", nil, true, "on purpose another implementation than ours: for simulators and tests"},
	{"github.com/chromedp", nil, true, "a browser is for tests"},
	{"pgregory.net/rapid", nil, true, "properties are for tests"},
	{"go.uber.org/goleak", nil, true, "looking for leaks is for tests"},
}

func TestDoors(t *testing.T) {
	for _, s := range sources(t) {
		for _, name := range s.imports() {
			for _, d := range doors {
				free := s.test && d.tests || isSimulator(s.folder) && d.module == "github.com/coder/websocket"
				if under(name, d.module) && !free && !underAny(s.folder, d.folders) {
					t.Errorf("%s imports %s, which comes in at %v only: %s", s.path, name, d.folders, d.reason)
				}
			}
		}
	}
}

// pureLibrary is what pure code may import of the standard library and beyond.
var pureLibrary = []string{
	"bytes", "cmp", "crypto/hmac", "crypto/sha256", "encoding/base64", "encoding/binary", "encoding/hex", "encoding/json", "errors", "fmt",
	"html", "iter", "maps", "math", "mime", "net/http", "net/url", "path", "regexp", "slices", "sort", "strconv", "strings", "time",
	"unicode", "unicode/utf16", "unicode/utf8",
}

// pureBeyond is what one pure folder may import besides.
var pureBeyond = map[string][]string{
	"bridge/adapter/codec": {"github.com/rivo/uniseg", "github.com/go-json-experiment/json/jsontext"},
}

// impureNames are what no pure code may use of packages it may import; of
// net/http it may use the names of headers, methods and statuses only.
var (
	impureTime = regexp.MustCompile(`^(Now|Since|Until|Sleep|After|AfterFunc|Tick|NewTicker|NewTimer|Local|LoadLocation)$`)
	pureHTTP   = regexp.MustCompile(`^(Header|Method[A-Z]\w*|Status[A-Z]\w*|CanonicalHeaderKey)$`)
)

func isPure(folder string) bool {
	return slices.Contains([]string{"bridge/event", "bridge/adapter", "bridge/adapter/codec", "bridge/adapter/backend", "bridge/internal/conversation"}, folder) || isAdapter(folder)
}

const whyPure = "a turn is a function of state and input: it can be repeated, tested as text, and denied the machine"

func TestPurity(t *testing.T) {
	found := 0
	for _, s := range code(sources(t)) {
		if !isPure(s.folder) {
			continue
		}
		found++
		for _, name := range s.imports() {
			if !ours(name) && !slices.Contains(pureLibrary, name) && !slices.Contains(pureBeyond[s.folder], name) {
				t.Errorf("%s imports %s: %s", s.path, name, whyPure)
			}
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if what := impure(n); what != "" {
				t.Errorf("%s uses %s: %s", s.at(n), what, whyPure)
			}
			return true
		})
	}
	if found == 0 {
		t.Error("no pure code was found")
	}
}

// impure says what is wrong with a piece of pure code, or "".
func impure(n ast.Node) string {
	switch n := n.(type) {
	case *ast.GoStmt:
		return "a goroutine"
	case *ast.SelectStmt, *ast.SendStmt, *ast.ChanType:
		return "a channel"
	case *ast.SelectorExpr:
		x, ok := n.X.(*ast.Ident)
		if ok && x.Obj == nil && (x.Name == "time" && impureTime.MatchString(n.Sel.Name) || x.Name == "http" && !pureHTTP.MatchString(n.Sel.Name)) {
			return x.Name + "." + n.Sel.Name
		}
	}
	return ""
}
