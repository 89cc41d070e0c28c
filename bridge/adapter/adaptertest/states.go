package adaptertest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

// keptState is a leg's state as a version of an adapter left it.
type keptState struct {
	// Script is where it comes from.
	Script       string          `json:"script"`
	Account      adapter.Account `json:"account"`
	Key          string          `json:"key"`
	Conversation string          `json:"conversation"`
	State        json.RawMessage `json:"state"`
}

func stateFile(dir string, version int) string {
	return filepath.Join(dir, "states", fmt.Sprintf("v%d.json", version))
}

// upgradable goes on from every state that was committed: of this version of the
// state and of each before it. Of one of this version nothing may be lost.
func upgradable(b *bench) error {
	if b.options.Testdata == "" || !b.first {
		return nil
	}
	for version := 1; version <= b.manifest.StateVersion; version++ {
		file, found := stateFile(b.options.Testdata, version), false
		states, err := readStates(file)
		if err != nil {
			return fmt.Errorf("the states of version %d (the tests write those of a new one under -update): %w", version, err)
		}
		for _, s := range states {
			if s.Account.Role != b.account.Role {
				continue
			}
			found = true
			if err := b.goOn(s, version); err != nil {
				return fmt.Errorf("%s: the state of %s: %w", file, s.Script, err)
			}
		}
		if !found && version == b.manifest.StateVersion {
			return fmt.Errorf("%s has no state of a leg of %s", file, b.account.Role)
		}
	}
	return nil
}

func readStates(file string) ([]keptState, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var states []keptState
	if err := json.Unmarshal(data, &states); err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	return states, nil
}

// goOn loads a state and lets the conversation go on to its end.
func (b *bench) goOn(s keptState, version int) error {
	l := b.leg()
	profile, err := b.configure(s.Account)
	if err != nil {
		return err
	}
	l.account, l.profile, l.key, l.conversation, l.state, l.version = s.Account, profile, s.Key, s.Conversation, s.State, version
	if out := l.turn(adapter.Deliver{Event: b.event(specimen{"future.happened", event.RoleSystem, `{}`})}); out.Err != "" {
		return fmt.Errorf("does not load: %s", out.Err)
	}
	if lost := lostIn(s.State, l.state); version == b.manifest.StateVersion && lost != "" {
		return fmt.Errorf("loses %s: a state of another form is a new StateVersion, and needs an Upgrader", lost)
	}
	for _, e := range []event.Event{b.words("still there?"), b.events(event.KindConversationEnded, "")[0]} {
		if out := l.turn(adapter.Deliver{Event: e}); out.Err != "" {
			return fmt.Errorf("does not go on: delivery of %s: %s", e.Kind(), out.Err)
		}
		if err := l.settle(answered(http.StatusOK)); err != nil {
			return fmt.Errorf("does not go on: %w", err)
		}
	}
	return nil
}

// lostIn is the first place of a state that is not in another, or "".
func lostIn(was, is []byte) string {
	now := membersWithin(is)
	for _, m := range membersWithin(was) {
		if !slices.ContainsFunc(now, func(other member) bool { return other.place == m.place }) {
			return m.place
		}
	}
	return ""
}

// writeStates writes the largest state each script comes to as the committed ones
// of the version. Those that are there stay: they are what is out in the world.
func writeStates(d adapter.Definition, dir string) error {
	file := stateFile(dir, d.Manifest.StateVersion)
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	var states []keptState
	err := eachScript(dir, func(script, text string) error {
		k := &keeper{Turner: InProcess(d)}
		_, err := ReplayOver(d.Configure, k, text)
		if k.best.Script = filepath.Base(script); len(k.best.State) > 0 {
			states = append(states, k.best)
		}
		return err
	})
	if err != nil {
		return err
	}
	out := "["
	for i, s := range states {
		row, err := encode(s)
		if err != nil {
			return fmt.Errorf("write states: %w", err)
		}
		out += map[bool]string{true: ",\n ", false: "\n "}[i > 0] + string(row)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(out+"\n]\n"), 0o644)
}

// keeper is a Turner that keeps the largest state.
type keeper struct {
	Turner
	best keptState
}

func (k *keeper) Turn(t adapter.Turn) adapter.Outcome {
	out := k.Turner.Turn(t)
	if out.Err == "" && len(out.State) > len(k.best.State) {
		k.best = keptState{Account: t.Account, Key: t.Key, Conversation: t.Conversation, State: slices.Clone(out.State)}
	}
	return out
}
