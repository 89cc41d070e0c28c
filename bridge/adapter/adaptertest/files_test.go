package adaptertest_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/adaptertest"
	"github.com/footbridge/footbridge/bridge/event"
)

// judged is what one law says of an adapter, given a folder.
func judged(d adapter.Definition, law, testdata string) error {
	var all []error
	verdicts := adaptertest.Examine(d.Manifest, d.Configure, adaptertest.InProcess(d), adaptertest.Options{Only: []string{law}, Testdata: testdata})
	for _, v := range verdicts {
		all = append(all, v.Err)
	}
	if len(verdicts) == 0 {
		return errors.New("no verdict")
	}
	return errors.Join(all...)
}

// folder writes files of a test's own.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestTheToyKeepsTheLawsOfItsFiles(t *testing.T) {
	for _, law := range []string{"honest", "scripts", "upgradable", "round-trip"} {
		if err := judged(toy{}.definition(), law, "testdata"); err != nil {
			t.Errorf("%s: %v", law, err)
		}
	}
}

func TestHonest(t *testing.T) {
	for flaw, want := range map[string]string{
		"gives up words":    "content text is declared full: delivery of message.created: it is given up: no",
		"knows no end":      "customer_end is declared partial: delivery of conversation.ended: it is unsupported",
		"boasts of typing":  "typing is declared full for virtual_agent, and no script in testdata shows it",
		"boasts of cards":   "content card is declared partial for virtual_agent, and no script",
		"fails on receipts": "receipts is declared fallback: delivery of message.delivered: no receipts",
	} {
		if err := judged(toy{flaw: flaw}.definition(), "honest", "testdata"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: want %s, got %v", flaw, want, err)
		}
	}
	if err := judged(toy{flaw: "boasts of typing"}.definition(), "honest", ""); err != nil {
		t.Errorf("without a folder: %v", err)
	}
	if err := judged(toy{}.definition(), "honest", t.TempDir()); err == nil || !strings.Contains(err.Error(), "no scripts") {
		t.Errorf("a folder without scripts: %v", err)
	}
}

func TestScriptsAreALaw(t *testing.T) {
	if err := judged(toy{flaw: "answers twice"}.definition(), "scripts", "testdata"); err == nil || !strings.Contains(err.Error(), "toy.txt:") {
		t.Errorf("an adapter that does something else: %v", err)
	}
}

func TestRoundTripIsALaw(t *testing.T) {
	one, err := json.Marshal([]adaptertest.Case{said()})
	if err != nil {
		t.Fatal(err)
	}
	dir := folder(t, map[string]string{"corpus.json": string(one)})
	if err := judged(post{}.definition(), "round-trip", dir); err != nil {
		t.Error(err)
	}
	if err := judged(post{"counts nothing"}.definition(), "round-trip", dir); err == nil || !strings.Contains(err.Error(), "said: ") {
		t.Errorf("an adapter whose frames do not hold: %v", err)
	}
	dir = folder(t, map[string]string{"corpus.json": `[{"nome":"said"}]`})
	if err := judged(post{}.definition(), "round-trip", dir); err == nil {
		t.Error("a corpus nobody can read is held")
	}
}

// ledger is an adapter of a version: the first counted in n, the second in count.
type ledger struct {
	version int
	flaw    string
}

type ledgerState struct {
	Count int    `json:"count,omitempty"`
	Name  string `json:"name,omitempty"`
}

func (l ledger) Upgrade(_ int, state []byte) ([]byte, error) {
	if l.flaw == "cannot upgrade" {
		return nil, errors.New("what is this")
	}
	return []byte(strings.Replace(string(state), `"n"`, `"count"`, 1)), nil
}

func (l ledger) Handle(tx *adapter.Tx, in adapter.Input) error {
	return adapter.Func(func(tx *adapter.Tx, s *ledgerState, in adapter.Input) error {
		d, ok := in.(adapter.Deliver)
		_, ended := d.Event.Body.(event.ConversationEnded)
		switch {
		case !ok:
			return adapter.ErrUnsupported
		case l.flaw == "cannot go on" && s.Count > 0 && d.Event.Kind() == event.KindMessageCreated,
			l.flaw == "cannot end" && s.Count > 0 && ended:
			return errors.New("lost count")
		}
		return nil
	}).Handle(tx, in)
}

func (l ledger) definition() adapter.Definition {
	return adapter.Definition{Adapter: l, Manifest: adapter.Manifest{Name: "ledger", StateVersion: l.version, Roles: []event.Role{event.RoleLiveAgent}},
		Configure: func(adapter.Account) (adapter.Profile, error) { return adapter.Profile{}, nil }}
}

func TestUpgradable(t *testing.T) {
	state := func(text string) string {
		return `[{"script":"a.txt","account":{"name":"x","role":"live_agent"},"key":"k","conversation":"c","state":` + text + `}]`
	}
	both := map[string]string{"states/v1.json": state(`{"n":5}`), "states/v2.json": state(`{"count":5,"name":"Ada"}`)}
	if err := judged(ledger{version: 2}.definition(), "upgradable", folder(t, both)); err != nil {
		t.Errorf("a good adapter: %v", err)
	}
	for name, c := range map[string]struct {
		adapter ledger
		files   map[string]string
		want    string
	}{
		"an old state it cannot read":    {ledger{2, "cannot upgrade"}, both, "does not load: upgrade state from version 1: what is this"},
		"a state it cannot go on from":   {ledger{2, "cannot go on"}, both, "does not go on: delivery of message.created"},
		"a state it cannot end":          {ledger{2, "cannot end"}, both, "does not go on: delivery of conversation.ended"},
		"a version nobody committed":     {ledger{version: 3}, both, "the states of version 3"},
		"a form that changed by stealth": {ledger{version: 1}, map[string]string{"states/v1.json": state(`{"n":5}`)}, "loses /n"},
		"no state of the role": {ledger{version: 1}, map[string]string{"states/v1.json": `[{"account":{"role":"customer"},"state":{}}]`},
			"has no state of a leg of live_agent"},
		"a file nobody can read": {ledger{version: 1}, map[string]string{"states/v1.json": `{`}, "read "},
	} {
		if err := judged(c.adapter.definition(), "upgradable", folder(t, c.files)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: want %s, got %v", name, c.want, err)
		}
	}
}
