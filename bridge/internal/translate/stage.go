package translate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/adaptertest"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/host"
)

// NameError says there is nothing of a name, and what there is.
type NameError struct {
	// What is the kind of thing, "role", and Of who has none of that name; empty
	// means nobody has.
	Of, What, Name string
	Known          []string
	// Why is what was found while looking for it, "" for nothing.
	Why string
}

// Error names what there is, in the order of Known.
func (e *NameError) Error() string {
	text := fmt.Sprintf("there is no %s %q", e.What, e.Name)
	if e.Of != "" {
		text = fmt.Sprintf("%s has no %s %q", e.Of, e.What, e.Name)
	}
	if e.Why != "" {
		text += " (" + e.Why + ")"
	}
	if len(e.Known) == 0 {
		return text
	}
	return text + "; mend: use one of " + strings.Join(e.Known, ", ")
}

// ErrSettings says an adapter does not take the settings it was given.
var ErrSettings = errors.New("settings refused")

// Side is one leg that is played without a vendor.
type Side struct {
	Adapter string
	Role    event.Role
	// Settings are the account's, as a JSON object; nil means none. Those an
	// adapter cannot do without are the examples of its manifest.
	Settings json.RawMessage
}

// Stage is where legs are played without a vendor, on the real plugins. It is used
// by one goroutine; Close ends the plugins.
type Stage struct {
	plugins *host.Host
	folders []string
}

// Open makes a stage; its plugins are looked for as o says, and on PATH.
func Open(o host.Options) (*Stage, error) {
	plugins, err := host.New(o)
	if err != nil {
		return nil, err
	}
	return &Stage{plugins: plugins, folders: append([]string{o.Dir, o.Beside}, filepath.SplitList(os.Getenv("PATH"))...)}, nil
}

// Close ends the plugins.
func (s *Stage) Close() { s.plugins.Close() }

// Installed lists the adapters whose plugins are where the stage looks for them.
func (s *Stage) Installed() []string {
	const prefix = "footbridge-adapter-"
	names := map[string]bool{}
	for _, dir := range s.folders {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue // PATH names folders that are not there
		}
		for _, e := range entries {
			if name, ok := strings.CutPrefix(e.Name(), prefix); ok && !e.IsDir() {
				names[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// Part is what an adapter does in one of its roles.
type Part struct {
	Role    event.Role
	Profile adapter.Profile
}

// Parts are an adapter's roles, each as an account without settings, or with the
// examples of its manifest where it cannot do without. Roles it refuses come back
// in the error, along with the others.
func (s *Stage) Parts(ctx context.Context, name string) ([]Part, error) {
	m, err := s.plugins.Start(ctx, name)
	if err != nil {
		return nil, err
	}
	var all []Part
	var refused []error
	for _, role := range m.Roles {
		_, profile, err := s.fit(ctx, m, Side{Adapter: name, Role: role})
		if err != nil {
			refused = append(refused, fmt.Errorf("adapter %s, role %s: %w", name, role, err))
			continue
		}
		all = append(all, Part{role, profile})
	}
	return all, errors.Join(refused...)
}

// play starts the side's plugin and begins a rehearsal of its account. Unknown
// names are a *NameError.
func (s *Stage) play(ctx context.Context, side Side) (*adaptertest.Rehearsal, error) {
	if known := s.Installed(); !slices.Contains(known, side.Adapter) {
		return nil, &NameError{What: "adapter", Name: side.Adapter, Known: known}
	}
	m, err := s.plugins.Start(ctx, side.Adapter)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(m.Roles, side.Role) {
		var known []string
		for _, r := range m.Roles {
			known = append(known, string(r))
		}
		return nil, &NameError{Of: "adapter " + side.Adapter, What: "role", Name: string(side.Role), Known: known}
	}
	account, profile, err := s.fit(ctx, m, side)
	if err != nil {
		return nil, err
	}
	configured := func(adapter.Account) (adapter.Profile, error) { return profile, nil }
	return adaptertest.NewRehearsal(m, configured, patient{ctx, s.plugins, side.Adapter}, account)
}

// fit finds settings the adapter takes: those given, or those given over the
// examples of its manifest.
func (s *Stage) fit(ctx context.Context, m adapter.Manifest, side Side) (adapter.Account, adapter.Profile, error) {
	example := adaptertest.ExampleAccount(m, side.Role)
	given := example
	given.Settings = side.Settings
	profile, refused := s.plugins.Configure(ctx, side.Adapter, given)
	if refused == nil || host.Absent(refused) {
		return given, profile, refused
	}
	settings, err := over(example.Settings, side.Settings)
	if err != nil {
		return given, profile, fmt.Errorf("%w: %w", ErrSettings, err)
	}
	example.Settings = settings
	if profile, err = s.plugins.Configure(ctx, side.Adapter, example); err != nil {
		return given, profile, fmt.Errorf("%w: %w", ErrSettings, refused)
	}
	return example, profile, nil
}

// over lays the keys of one JSON object over those of another.
func over(below, above json.RawMessage) (json.RawMessage, error) {
	keys := map[string]json.RawMessage{}
	for _, object := range []json.RawMessage{below, above} {
		if len(object) == 0 {
			continue
		}
		if err := json.Unmarshal(object, &keys); err != nil {
			return nil, fmt.Errorf("read settings: %w", err)
		}
	}
	return json.Marshal(keys)
}

// patience is how long a turn waits for a plugin that is started again.
const patience = 40 * time.Second

// patient runs turns in the plugin's process, and waits for one that died before.
type patient struct {
	ctx     context.Context
	plugins *host.Host
	name    string
}

// Turn runs a turn.
func (p patient) Turn(t adapter.Turn) adapter.Outcome {
	for end := time.Now().Add(patience); ; {
		out, err := p.plugins.Turn(p.ctx, p.name, t)
		switch {
		case err == nil:
			return out
		case !errors.Is(err, host.ErrDown) || time.Now().After(end):
			return adapter.Outcome{Err: err.Error()}
		}
		select {
		case <-p.ctx.Done():
			return adapter.Outcome{Err: p.ctx.Err().Error()}
		case <-time.After(20 * time.Millisecond):
		}
	}
}
