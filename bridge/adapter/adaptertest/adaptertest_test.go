package adaptertest_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/adaptertest"
)

func TestTheToyKeepsTheLaws(t *testing.T) {
	adaptertest.Laws(t, toy{}.definition(), adaptertest.Options{Testdata: "testdata"})
}

// TestBrokenToysAreFound proves that each law can fail, and that it names the
// flaw it was meant for.
func TestBrokenToysAreFound(t *testing.T) {
	for _, c := range []struct{ flaw, law string }{
		{"counts in memory", "deterministic"},
		{"panics on bad JSON", "total"},
		{"sleeps on bad JSON", "total"},
		{"tries for ever", "conserving"},
		{"waits for ever", "conserving"},
		{"uses one tag", "conserving"},
		{"reads back nothing", "conserving"},
		{"reads back unasked", "conserving"},
		{"reads back, and again for ever", "conserving"},
		{"backwards", "orderly"},
		{"loses the rest", "orderly"},
		{"remembers every request", "bounded"},
		{"speaks after the end", "quiet"},
		{"ends twice", "single-ended"},
		{"takes up what ended", "single-ended"},
		{"never answers", "answering"},
		{"answers twice", "answering"},
		{"answers only good news", "answering"},
		{"ignores the second start", "answering"},
		{"keeps the secret", "discreet"},
		{"tells the secret", "discreet"},
		{"refuses unknown fields", "tolerant"},
		{"refuses unknown kinds", "tolerant"},
		{"tells notes", "private"},
	} {
		t.Run(c.flaw, func(t *testing.T) {
			d := toy{flaw: c.flaw, turns: new(int)}.definition()
			o := adaptertest.Options{Only: []string{c.law}}
			if c.flaw == "sleeps on bad JSON" {
				o.TurnLimit = 100 * time.Millisecond
			}
			verdicts := adaptertest.Examine(d.Manifest, d.Configure, adaptertest.InProcess(d), o)
			if len(verdicts) != 1 || verdicts[0].Err == nil {
				t.Fatalf("the law %s found nothing wrong", c.law)
			}
			t.Logf("%s: %.300v", c.law, verdicts[0].Err)
		})
	}
}

// TestPeopleOfTheirOwn: where the far side has people of its own they may come
// unasked, and a hand-off ends once all the same.
func TestPeopleOfTheirOwn(t *testing.T) {
	for _, name := range []string{"toy-virtual_agent", "*"} {
		for flaw, kept := range map[string]bool{"takes up what ended": true, "ends twice": false} {
			d := toy{flaw: flaw}.definition()
			o := adaptertest.Options{Only: []string{"single-ended"}, OwnPeople: []string{name}}
			v := adaptertest.Examine(d.Manifest, d.Configure, adaptertest.InProcess(d), o)
			if len(v) != 1 || (v[0].Err == nil) != kept {
				t.Errorf("%s of %s: %+v", flaw, name, v)
			}
		}
	}
}

// A profile that lets strangers in breaks every law, and says why.
func TestNonsenseInAProfileBreaksEveryLaw(t *testing.T) {
	d := toy{}.definition()
	configure := func(a adapter.Account) (adapter.Profile, error) {
		p, err := d.Configure(a)
		p.Endpoints[0].Auth = "signature:key"
		return p, err
	}
	for _, v := range adaptertest.Examine(d.Manifest, configure, adaptertest.InProcess(d), adaptertest.Options{}) {
		if v.Err == nil || !strings.Contains(v.Err.Error(), "endpoint start: signature algorithm") {
			t.Errorf("%s: %v", v.Law, v.Err)
		}
	}
}

func TestAnAccountThatCannotBeConfiguredBreaksEveryLaw(t *testing.T) {
	d := toy{}.definition()
	o := adaptertest.Options{Accounts: []adapter.Account{{Name: "bad", Role: "virtual_agent", Settings: json.RawMessage(`{}`)}}}
	for _, v := range adaptertest.Examine(d.Manifest, d.Configure, adaptertest.InProcess(d), o) {
		if v.Err == nil {
			t.Errorf("%s was kept by an account that cannot be configured", v.Law)
		}
	}
}

func TestScripts(t *testing.T) {
	adaptertest.Scripts(t, toy{}.definition(), "testdata")
}

func TestReplayFindsWhatChanged(t *testing.T) {
	good, err := script()
	if err != nil {
		t.Fatal(err)
	}
	changed, err := adaptertest.Replay(toy{flaw: "answers twice"}.definition(), good)
	if err != nil && !strings.Contains(err.Error(), "is open") {
		t.Fatal(err)
	}
	if changed == good {
		t.Error("an adapter that does something else replays a script as it was")
	}
	wrong := strings.Replace(good, "emit handoff.requested", "emit handoff.accepted", 1)
	if got, err := adaptertest.Replay(toy{}.definition(), wrong); err != nil || got != good {
		t.Errorf("a script with wrong effects is not put right: %v\n%s", err, got)
	}
}

func TestReplayRefusesWhatItCannotRead(t *testing.T) {
	head := "account a virtual_agent\nsettings {\"base_url\":\"https://toy.example\"}\n----\nok\n\n"
	for _, c := range []struct{ script, want string }{
		{"dance\n----\n", `1: "dance" is no step`},
		{head + "request start\n{}", `6: "request start" has no line of ----`},
		{head + "request nowhere\n----\n", `6: the account serves no endpoint "nowhere"`},
		{head + "result x 200\n----\n", `6: no call "x" is open`},
		{head + "deliver message.created by\n----\n", `6: write: deliver`},
		{head + "deliver message.created customer live_agent\n----\n", `6: write: deliver`},
		{head + "deliver message.created by live_agent colour=red\n----\n", `"colour=red" is no option`},
		{head + "deliver message.created by live_agent\n{\"content\":5}\n----\n", `decode body`},
		{head + "expired r1\n----\n", `6: write: expired`},
		{head + "wait long\n----\n", `invalid duration`},
		{"account a\n----\n", `1: write: account`},
		{"account a virtual_agent\ncolour red\n----\n", `no "colour"`},
	} {
		if _, err := adaptertest.Replay(toy{}.definition(), c.script); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: error %v, want %q", c.script, err, c.want)
		}
	}
}

// TestWithoutConfigure: an author who forgot it reads so, and no stack.
func TestWithoutConfigure(t *testing.T) {
	d := toy{turns: new(int)}.definition()
	d.Configure = nil
	for _, v := range adaptertest.Examine(d.Manifest, d.Configure, adaptertest.InProcess(d), adaptertest.Options{Only: []string{"total"}}) {
		if v.Err == nil || !strings.Contains(v.Err.Error(), "has no Configure") {
			t.Errorf("%s: %v", v.Law, v.Err)
		}
	}
	script, err := os.ReadFile("testdata/toy.txt")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := adaptertest.Replay(d, string(script)); err == nil || !strings.Contains(err.Error(), "has no Configure") {
		t.Errorf("replay: %v", err)
	}
}

// TestReadbackInScripts: a script shows what a call is read back by, and what that was
// answered.
func TestReadbackInScripts(t *testing.T) {
	const steps = `account studio virtual_agent
settings {"base_url":"https://toy.example"}
credentials key
----
ok

request start
{"id":"s-1"}
----
hold r1
emit handoff.requested by virtual_agent
  {}

deliver message.created by live_agent event=ev-1
{"content":{"type":"text","text":"hello"}}
----
call ev-1/0 POST https://toy.example/say repeat=readback
  Authorization: {credential:key}
  {"text":"hello"}
  readback GET https://toy.example/said

result ev-1/0 unknown 200
{"said":[]}
----
call ev-1/1 POST https://toy.example/say repeat=readback
  Authorization: {credential:key}
  {"text":"again"}
  readback GET https://toy.example/said

result ev-1/1 unknown
----
fail refused
`
	got, err := adaptertest.Replay(toy{flaw: "reads back, and again for ever"}.definition(), steps)
	if err != nil || got != steps {
		t.Errorf("%v\n%s", err, got)
	}
	if err := judged(toy{flaw: "reads back"}.definition(), "conserving", ""); err != nil {
		t.Errorf("one that settles what it read back: %v", err)
	}
}
