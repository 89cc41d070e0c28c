package adaptertest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

// Options fit the laws to an adapter. The zero Options will do.
type Options struct {
	// Accounts are what the adapter is tried as. Empty: one account for each role
	// of the manifest, its settings made of their examples and defaults.
	Accounts []adapter.Account
	// OwnPeople names the accounts whose far side has people of its own, so that on
	// their legs a hand-off may begin that nobody asked for; "*" is all.
	OwnPeople []string
	// Samples are good bodies of requests, or frames, by endpoint, with {key} where
	// the leg's key stands. An endpoint without one gets a body that holds its key.
	// Frames of the vendor on connections the adapter dials are under "dialled".
	Samples map[string][]string
	// Only names the laws to hold the adapter to; empty means all of them.
	Only []string
	// Seed chooses the random inputs; the same seed gives the same inputs.
	Seed uint64
	// Events is how many events the law bounded delivers; 0 means 5,000.
	Events int
	// Changed says that of the cases of the corpus each so-manieth is also changed in
	// one place at a time; 0 is each. It is for a plugin whose adapter is tried whole in
	// its own process.
	Changed int
	// Testdata is the folder of the adapter's scripts (*.txt), its corpus
	// (corpus.json, where it has a vendor) and the states it has had
	// (states/vN.json). Empty: what is in files is not looked at.
	Testdata string
	// TurnLimit is the longest a turn may take; 0 means one second. A turn that
	// takes longer is tried once more before it counts.
	TurnLimit time.Duration
}

// ReadOptions reads the accounts and samples of Options from a JSON file, so that
// an adapter in this process and its plugin are held to the same. Testdata is the
// file's folder, which may be all there is: without the file the error is
// fs.ErrNotExist and the Options are good.
//
//	{"accounts":[{"name":"a","role":"live_agent","settings":{},"credentials":["key"]}],
//	 "own_people":["a"],
//	 "samples":{"inbound":[{"id":"{key}","text":"hello"}]}}
//
// A sample that is a string is a body as it stands.
func ReadOptions(file string) (Options, error) {
	o := Options{Testdata: filepath.Dir(file), Samples: map[string][]string{}}
	data, err := os.ReadFile(file)
	if err != nil {
		return o, fmt.Errorf("read the options of the laws: %w", err)
	}
	var in struct {
		Accounts  []adapter.Account            `json:"accounts"`
		OwnPeople []string                     `json:"own_people"`
		Samples   map[string][]json.RawMessage `json:"samples"`
	}
	if err := json.Unmarshal(data, &in); err != nil {
		return Options{}, fmt.Errorf("read the options of the laws in %s: %w", file, err)
	}
	o.Accounts, o.OwnPeople = in.Accounts, in.OwnPeople
	for endpoint, bodies := range in.Samples {
		for _, body := range bodies {
			text := string(body)
			_ = json.Unmarshal(body, &text) // a body that is not a string stays as it is
			o.Samples[endpoint] = append(o.Samples[endpoint], text)
		}
	}
	return o, nil
}

// Verdict is how an adapter, as one account, did under one law.
type Verdict struct {
	Law     string
	Account adapter.Account
	// Err says which input broke the law, and how; nil when it was kept.
	Err error
}

// law is one rule; check runs it with one account.
type law struct {
	name  string
	check func(b *bench) error
}

func laws() []law {
	return []law{
		{"deterministic", deterministic},
		{"total", total},
		{"conserving", conserving},
		{"orderly", orderly},
		{"bounded", bounded},
		{"quiet", quiet},
		{"single-ended", singleEnded},
		{"answering", answering},
		{"discreet", discreet},
		{"tolerant", tolerant},
		{"private", private},
		{"restartable", restartable},
		{"honest", honest},
		{"scripts", scripts},
		{"upgradable", upgradable},
		{"round-trip", roundTrip},
	}
}

// Laws holds the definition to every law, each a subtest of its name:
//
//	deterministic  the same turn twice comes to the same
//	total          any bytes give effects or an error, in time, and no panic
//	conserving     each delivery is settled, however its calls end
//	orderly        words leave in the order they came
//	bounded        thousands of events leave the state small
//	quiet          nothing after conversation.ended but wrap-up
//	single-ended   a hand-off ends once
//	answering      each request that waits for a reply gets one
//	discreet       a secret's placeholder is in calls and nowhere else
//	tolerant       unknown fields, kinds, tags and timers do no harm
//	private        notes and insights never become words to a customer
//	restartable    after every connection is lost words leave as before
//	honest         what the profile declares is delivered, and a script shows it
//	scripts        every script comes out as it is written
//	upgradable     every state that was committed loads, and goes on
//	round-trip     every case of the corpus holds, there, back and changed
//
// The last four look at Options.Testdata. Under -update the states of a
// StateVersion that has none are written.
func Laws(t *testing.T, d adapter.Definition, o Options) {
	t.Helper()
	if *update && o.Testdata != "" {
		if err := writeStates(d, o.Testdata); err != nil {
			t.Fatal(err)
		}
	}
	LawsOver(t, d.Manifest, d.Configure, InProcess(d), o)
}

// LawsOver is Laws for an adapter behind a Turner, such as a plugin's process.
func LawsOver(t *testing.T, m adapter.Manifest, configure func(adapter.Account) (adapter.Profile, error), turner Turner, o Options) {
	t.Helper()
	for _, v := range Examine(m, configure, turner, o) {
		t.Run(v.Law+"/"+string(v.Account.Role), func(t *testing.T) {
			if v.Err != nil {
				t.Errorf("account %s %s: %v", v.Account.Name, v.Account.Settings, v.Err)
			}
		})
	}
}

// Examine is LawsOver without a test around it: it returns a verdict for every
// law and account, law by law.
func Examine(m adapter.Manifest, configure func(adapter.Account) (adapter.Profile, error), turner Turner, o Options) []Verdict {
	o.fill(m)
	var verdicts []Verdict
	for _, l := range laws() {
		if len(o.Only) > 0 && !slices.Contains(o.Only, l.name) {
			continue
		}
		for i, a := range o.Accounts {
			b := newBench(turner, a, o)
			b.first = !slices.ContainsFunc(o.Accounts[:i], func(before adapter.Account) bool { return before.Role == a.Role })
			profile, err := fit(configure, a)
			if err == nil {
				b.profile, b.manifest, b.configure = profile, m, configure
				err = l.check(b)
			}
			verdicts = append(verdicts, Verdict{l.name, a, err})
		}
	}
	return verdicts
}

// fit is Configure's answer, held to what every profile must be.
func fit(configure func(adapter.Account) (adapter.Profile, error), a adapter.Account) (adapter.Profile, error) {
	if configure == nil {
		return adapter.Profile{}, adapter.Definition{}.Check()
	}
	profile, err := configure(a)
	if err == nil {
		err = profile.Check()
	}
	return profile, err
}

func (o *Options) fill(m adapter.Manifest) {
	if o.Seed == 0 {
		o.Seed = 1
	}
	if o.Events == 0 {
		o.Events = 5000
	}
	if o.TurnLimit == 0 {
		o.TurnLimit = time.Second
	}
	if len(o.Accounts) == 0 {
		o.Accounts = accountsOf(m)
	}
}

// accountsOf makes an account a role from what the manifest says of settings.
func accountsOf(m adapter.Manifest) []adapter.Account {
	accounts := make([]adapter.Account, 0, len(m.Roles))
	for _, role := range m.Roles {
		a := adapter.Account{Name: m.Name + "-" + string(role), Role: role, PublicURL: "https://bridge.example/in/" + m.Name}
		var pairs []string
		for _, s := range m.Settings {
			if value := first(s.Example, s.Default); value != "" && serves(s.Roles, role) {
				pairs = append(pairs, fmt.Sprintf("%q:%s", s.Name, settingValue(s.Type, value)))
			}
		}
		a.Settings = []byte("{" + strings.Join(pairs, ",") + "}")
		for _, c := range m.Credentials {
			if serves(c.Roles, role) {
				a.Credentials = append(a.Credentials, c.Name)
			}
		}
		accounts = append(accounts, a)
	}
	return accounts
}

func settingValue(kind, value string) string {
	switch kind {
	case "number", "boolean":
		return value
	case "list":
		return fmt.Sprintf("[%q]", value)
	}
	return fmt.Sprintf("%q", value)
}

func serves(roles []event.Role, role event.Role) bool {
	return len(roles) == 0 || slices.Contains(roles, role)
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
