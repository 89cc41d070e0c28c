package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/adaptertest"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/config"
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

// stage is where legs are played without a vendor, on the real plugins.
type stage struct {
	plugins *host.Host
	folders []string
}

// newStage makes one with the plugins the configuration leads to, or without a
// configuration those beside the program and on PATH.
func newStage(o Options) (*stage, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the program's own folder: %w", err)
	}
	h := host.Options{Beside: filepath.Dir(self), Logger: slog.New(slog.DiscardHandler), Launcher: o.Launcher}
	if o.Config != "" {
		c, _, err := config.Load(o.Config, o.Environ)
		if err != nil {
			return nil, err
		}
		h.Dir, h.Checksums, h.Sandbox = c.Plugins.Dir, c.Plugins.Checksums, c.Plugins.Sandbox
		h.StartTimeout, h.TurnTimeout = c.Plugins.StartTimeout, c.Plugins.TurnTimeout
	}
	plugins, err := host.New(h)
	if err != nil {
		return nil, err
	}
	return &stage{plugins: plugins, folders: append([]string{h.Dir, h.Beside}, filepath.SplitList(os.Getenv("PATH"))...)}, nil
}

// Installed lists the adapters whose plugins are where the program looks for
// them. The error is the configuration's.
func Installed(o Options) ([]string, error) {
	s, err := newStage(o)
	if err != nil {
		return nil, err
	}
	defer s.plugins.Close()
	return s.installed(), nil
}

func (s *stage) installed() []string {
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

// play starts the side's plugin and begins a rehearsal of its account. Unknown
// names are a *NameError.
func (s *stage) play(ctx context.Context, side Side) (*adaptertest.Rehearsal, error) {
	if known := s.installed(); !slices.Contains(known, side.Adapter) {
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
	return adaptertest.NewRehearsal(m, configured, patient{wireTurner{ctx, s.plugins, side.Adapter}}, account)
}

// fit finds settings the adapter takes: those given, or those given over the
// examples of its manifest.
func (s *stage) fit(ctx context.Context, m adapter.Manifest, side Side) (adapter.Account, adapter.Profile, error) {
	example := adaptertest.ExampleAccount(m, side.Role)
	given := example
	given.Settings = side.Settings
	profile, refused := s.plugins.Configure(ctx, side.Adapter, given)
	if refused == nil || absent(refused) {
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

// patient runs turns as wireTurner does, and waits for a plugin that died before.
type patient struct{ wireTurner }

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
