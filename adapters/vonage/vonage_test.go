package vonage_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/footbridge/footbridge/adapters/vonage"
	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/adaptertest"
	"github.com/footbridge/footbridge/bridge/event"
)

func TestScripts(t *testing.T) {
	adaptertest.Scripts(t, vonage.Definition(), "testdata")
}

func TestLaws(t *testing.T) {
	o, err := adaptertest.ReadOptions("testdata/laws.json")
	if err != nil {
		t.Fatal(err)
	}
	adaptertest.Laws(t, vonage.Definition(), o)
}

func account(name, role, settings string) adapter.Account {
	return adapter.Account{Name: name, Role: event.Role(role), Settings: []byte(settings), Credentials: []string{"key"}}
}

// TestPartsLeaveOneByOne also proves that a key names one part only.
func TestPartsLeaveOneByOne(t *testing.T) {
	text := strings.Repeat("👩‍👩‍👧‍👦", 1000)
	turn := adapter.Turn{ID: "t", Key: "s", StateVersion: 1, State: []byte(`{"phase":"open"}`),
		Account: account("a", "virtual_agent", `{"idempotency_header":"K"}`),
		Input: adapter.Deliver{Event: event.Event{ID: "e", Actor: event.Actor{Role: event.RoleLiveAgent},
			Body: event.MessageCreated{Content: event.Plain(text)}}}}
	keys, sent := map[string]bool{}, ""
	for n := 0; ; n++ {
		out := adapter.Run(vonage.Definition(), turn)
		if len(out.Effects) == 0 {
			break
		}
		c, ok := out.Effects[0].(adapter.Calling)
		if !ok || len(out.Effects) != 1 || n > 10 {
			t.Fatalf("part %d: effects %v", n, out.Effects)
		}
		var body struct{ Text string }
		if err := json.Unmarshal(c.Call.Body, &body); err != nil || len(utf16.Encode([]rune(body.Text))) > 4096 {
			t.Fatalf("part %d is too long, or %v", n, err)
		}
		sent += body.Text
		keys[c.Call.Header.Get("K")] = true
		turn.State, turn.Input = out.State, adapter.Result{Tag: c.Tag, Status: 200}
	}
	if sent != text || len(keys) != 3 {
		t.Errorf("%d bytes of %d left under keys %v", len(sent), len(text), keys)
	}
}

func TestATextBeyondTheStateIsRefused(t *testing.T) {
	for name, text := range map[string]string{"plain": strings.Repeat("a", 60_000), "escaped": strings.Repeat("<", 20_000)} {
		out := adapter.Run(vonage.Definition(), adapter.Turn{Key: "s", StateVersion: 1, State: []byte(`{"phase":"open"}`),
			Account: account("a", "virtual_agent", `{}`),
			Input: adapter.Deliver{Event: event.Event{ID: "e", Actor: event.Actor{Role: event.RoleSystem},
				Body: event.MessageCreated{Content: event.Plain(text)}}}})
		if len(out.Effects) != 1 || len(out.State) > 64<<10 {
			t.Fatalf("%s: %d effects", name, len(out.Effects))
		}
		if _, failed := out.Effects[0].(adapter.Failure); !failed {
			t.Errorf("%s: %T instead of a failure", name, out.Effects[0])
		}
	}
}

func FuzzStart(f *testing.F) {
	for _, seed := range []string{`{"sessionId":"s","history":{"transcription":[{"Agent":"a"},{"user":["b"]}],"parameters":[{"name":"n","value":["v",1]}]}}`,
		`{"history":"{\"transcription\":\"x: y\"}"}`, `{"history":{"transcription":{"a":{"b":"c"}},"parameters":{"n":null}}}`, `[`, ``} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		out := adapter.Run(vonage.Definition(), adapter.Turn{Key: "s", StateVersion: 1, Account: account("a", "virtual_agent", `{}`),
			Input: adapter.Request{ID: "r", Endpoint: "start", Body: body}})
		if strings.HasPrefix(out.Err, "panic") || len(out.State) > 16<<10 {
			t.Errorf("%s, state of %d bytes", out.Err, len(out.State))
		}
		for _, e := range out.Effects {
			if m, ok := e.(adapter.Emission); ok {
				if _, err := json.Marshal(event.Event{Body: m.Body, Actor: m.Actor, Vendor: m.Vendor}); err != nil {
					t.Errorf("an emission cannot be written: %v", err)
				}
			}
		}
	})
}
