package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/adaptertest"
	"github.com/footbridge/footbridge/bridge/internal/host"
)

const repository = "../../.."

// patience is how long a turn may take here: a process that hangs is found, and a
// machine with much else to do is none.
const patience = time.Minute

// adapterFolders are the adapters there are.
func adapterFolders(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(repository, "adapters"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	if len(names) == 0 {
		t.Fatal("no adapters")
	}
	return names
}

// overWire is an adapter behind its real plugin process.
type overWire struct {
	t       *testing.T
	plugins *host.Host
	name    string
}

// Turn runs a turn in the process. One that dies or hangs is an outcome like any
// other: the laws tell.
func (w overWire) Turn(turn adapter.Turn) adapter.Outcome {
	out, err := w.plugins.Turn(w.t.Context(), w.name, turn)
	if err != nil {
		return adapter.Outcome{Err: err.Error()}
	}
	return out
}

// configure gives the adapter's own words of what it refuses.
func (w overWire) configure(a adapter.Account) (adapter.Profile, error) {
	p, err := w.plugins.Configure(w.t.Context(), w.name, a)
	if err != nil {
		err = errors.New(strings.TrimPrefix(err.Error(), fmt.Sprintf("configure account %s: ", a.Name)))
	}
	return p, err
}

// TestMain removes the plugins when all is done.
func TestMain(m *testing.M) {
	host.Launch()
	code := m.Run()
	if builtIn != "" {
		_ = os.RemoveAll(builtIn)
	}
	os.Exit(code)
}

// builtIn is where the plugins are, once they were built.
var builtIn string

// everyPlugin is a folder of all plugins, built as they are shipped.
var everyPlugin = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "footbridge-plugins-")
	if err != nil {
		return "", err
	}
	builtIn = dir
	build := exec.Command("go", "build", "-buildvcs=false", "-o", dir+"/", "./plugins/...")
	build.Dir = repository
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the plugins: %w\n%s", err, out)
	}
	return dir, nil
})

// startPlugin starts the adapter's plugin.
func startPlugin(t *testing.T, name string) (overWire, adapter.Manifest) {
	t.Helper()
	dir, err := everyPlugin()
	if err != nil {
		t.Fatal(err)
	}
	plugins, err := host.New(host.Options{Dir: dir, Launcher: host.Self, TurnTimeout: patience, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(plugins.Close)
	m, err := plugins.Start(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return overWire{t, plugins, name}, m
}

// TestAdaptersOverTheWire holds the plugin of every adapter to the laws, through
// the process and the protocol: those it keeps by itself, and those that look at
// its scripts, its corpus, there, back and changed, and the states it has had.
func TestAdaptersOverTheWire(t *testing.T) {
	t.Parallel()
	names := adapterFolders(t)
	if testing.Short() { // the others' processes are no others to the bridge
		names = names[:3]
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, err := adaptertest.ReadOptions(filepath.Join(repository, "adapters", name, "testdata", "laws.json"))
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
			w, m := startPlugin(t, name)
			o.TurnLimit, o.Events, o.Changed = patience, 1000, 10 // its own tests have all of it
			if testing.Short() {                                  // what crosses the wire in every form
				o.Only = []string{"scripts", "restartable", "conserving"}
			}
			adaptertest.LawsOver(t, m, w.configure, w, o)
			for _, s := range w.plugins.States() {
				if s.Restarts > 0 {
					t.Errorf("the process ended %d times: %s", s.Restarts, s.LastError)
				}
			}
		})
	}
}

// TestAdaptersAreWhole: every adapter has a plugin, scripts and, where it speaks to
// a vendor, a corpus and samples for each endpoint; and no plugin is without its
// adapter.
func TestAdaptersAreWhole(t *testing.T) {
	t.Parallel()
	for _, name := range adapterFolders(t) {
		w, m := startPlugin(t, name)
		o, err := adaptertest.ReadOptions(filepath.Join(repository, "adapters", name, "testdata", "laws.json"))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		roles := map[string]bool{}
		for _, a := range o.Accounts {
			roles[string(a.Role)] = true
			p, err := w.configure(a)
			if err != nil {
				t.Errorf("%s: account %s: %v", name, a.Name, err)
			}
			for _, e := range p.Endpoints {
				if len(o.Samples[e.Name]) == 0 {
					t.Errorf("%s: testdata/laws.json has no sample for endpoint %s", name, e.Name)
				}
			}
			if cases, err := adaptertest.ReadCorpus(filepath.Join(o.Testdata, "corpus.json")); err != nil || len(cases) == 0 {
				t.Errorf("%s: no corpus: %v", name, err)
			}
		}
		for _, role := range m.Roles {
			if len(roles) > 0 && !roles[string(role)] {
				t.Errorf("%s: testdata/laws.json has no account in role %s", name, role)
			}
		}
	}
	plugins, err := filepath.Glob(filepath.Join(repository, "plugins", "footbridge-adapter-*"))
	if err != nil || len(plugins) == 0 {
		t.Fatalf("no plugins: %v", err)
	}
	for _, plugin := range plugins {
		name := strings.TrimPrefix(filepath.Base(plugin), "footbridge-adapter-")
		if _, err := os.Stat(filepath.Join(repository, "adapters", name)); err != nil {
			t.Errorf("%s has no adapter: %v", plugin, err)
		}
	}
}
