package verify_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/engine"
	"github.com/footbridge/footbridge/bridge/internal/verify"
)

// prober looks who it is and whether the vendor calls us, and makes the webhook where
// it may.
type prober struct {
	Found  []adapter.Finding `json:"found"`
	Create bool              `json:"create"`
	ID     string            `json:"id"`
}

func definition(handle func(tx *adapter.Tx, p *prober, in adapter.Input) error) adapter.Definition {
	return adapter.Definition{Manifest: adapter.Manifest{Name: "sample", StateVersion: 1}, Adapter: adapter.Func(handle)}
}

func probe(tx *adapter.Tx, p *prober, in adapter.Input) error {
	switch in := in.(type) {
	case adapter.Check:
		p.ID, p.Create = in.ID, in.Create
		tx.Call("me", adapter.Call{Method: "GET", URL: "https://v.example/me?key=" + tx.Credential("key")})
		tx.Call("hooks", adapter.Call{Method: "GET", URL: "https://v.example/hooks"})
	case adapter.Result:
		probed(tx, p, in)
	default:
		return adapter.ErrUnsupported
	}
	return nil
}

func probed(tx *adapter.Tx, p *prober, r adapter.Result) {
	switch {
	case r.Tag == "me":
		p.Found = append(p.Found, adapter.Finding{What: "credential key", Fault: r.Fault("key"), Said: string(r.Body)})
		return
	case r.Tag == "hooks" && p.Create:
		tx.Call("make", adapter.Call{Method: "POST", URL: "https://v.example/hooks", Body: []byte(tx.Account().PublicURL)})
		return
	}
	p.Found = append(p.Found, adapter.Finding{What: "webhook", Said: r.Tag})
	tx.Report(p.ID, p.Found...)
}

// bench runs definitions in process, and answers calls by their address.
type bench struct {
	def     adapter.Definition
	answers map[string]engine.Attempt
	calls   []string
	keys    []string
}

func (b *bench) Turn(_ context.Context, _ string, t adapter.Turn) (adapter.Outcome, error) {
	b.keys = append(b.keys, t.Key+t.Conversation)
	return adapter.Run(b.def, t), nil
}

func (b *bench) Call(_ context.Context, account, turn string, _ map[string]string, c adapter.Call) engine.Attempt {
	b.calls = append(b.calls, strings.TrimSpace(account+" "+c.Method+" "+strings.ReplaceAll(c.URL, turn, "TURN")+" "+string(c.Body)))
	if a, ok := b.answers[c.Method+" "+strings.SplitN(c.URL, "?", 2)[0]]; ok {
		return a
	}
	return engine.Attempt{Status: 200, Body: []byte("Bridge")}
}

func (b *bench) run(create bool) ([]adapter.Finding, error) {
	return verify.Run(context.Background(), verify.Options{Turner: b, Caller: b,
		Placeholders: func(account, turn string) map[string]string {
			return map[string]string{"key": "{" + account + " " + turn + "}"}
		}},
		engine.Account{Name: "desk", Adapter: "sample", Role: event.RoleLiveAgent, Credentials: []string{"key"}, PublicURL: "https://b/in/desk"}, create)
}

func TestCheck(t *testing.T) {
	for name, c := range map[string]struct {
		create  bool
		answers map[string]engine.Attempt
		found   string
		calls   string
	}{
		"good": {false, nil, "credential key  Bridge; webhook  hooks", "desk GET https://v.example/me?key={desk TURN}; desk GET https://v.example/hooks"},
		"made": {true, nil, "credential key  Bridge; webhook  make",
			"desk GET https://v.example/me?key={desk TURN}; desk GET https://v.example/hooks; desk POST https://v.example/hooks https://b/in/desk"},
		"refused": {false, map[string]engine.Attempt{"GET https://v.example/me": {Status: 401}}, "credential key answered 401: check the account's key ; webhook  hooks",
			"desk GET https://v.example/me?key={desk TURN}; desk GET https://v.example/hooks"},
		"away": {false, map[string]engine.Attempt{"GET https://v.example/me": {Reason: adapter.ReasonRefused}}, "credential key no answer: refused ; webhook  hooks",
			"desk GET https://v.example/me?key={desk TURN}; desk GET https://v.example/hooks"},
	} {
		t.Run(name, func(t *testing.T) {
			b := &bench{def: definition(probe), answers: c.answers}
			found, err := b.run(c.create)
			if err != nil {
				t.Fatal(err)
			}
			var lines []string
			for _, f := range found {
				lines = append(lines, f.What+" "+f.Fault+" "+f.Said)
			}
			if got := strings.Join(lines, "; "); got != c.found {
				t.Errorf("found %q", got)
			}
			if got := strings.Join(b.calls, "; "); got != c.calls {
				t.Errorf("called %q", got)
			}
			if got := strings.Join(b.keys, ""); got != "" {
				t.Errorf("a check has key or conversation %q", got)
			}
		})
	}
}

func TestCheckWithoutReport(t *testing.T) {
	call := func(tx *adapter.Tx) { tx.Call(tx.NewID(), adapter.Call{Method: "GET", URL: "https://v.example/x"}) }
	for want, handle := range map[string]func(tx *adapter.Tx, p *prober, in adapter.Input) error{
		"no check of its own":     func(*adapter.Tx, *prober, adapter.Input) error { return adapter.ErrUnsupported },
		"ended without a report":  func(*adapter.Tx, *prober, adapter.Input) error { return nil },
		"cannot do (adapter.Dial": func(tx *adapter.Tx, _ *prober, _ adapter.Input) error { tx.Dial("c", adapter.Dial{}); return nil },
		"more than 50 calls":      func(tx *adapter.Tx, _ *prober, _ adapter.Input) error { call(tx); return nil },
		"out of order":            func(*adapter.Tx, *prober, adapter.Input) error { return fmt.Errorf("out of order") },
		"read the adapter's report": func(tx *adapter.Tx, _ *prober, in adapter.Input) error {
			tx.Reply(in.(adapter.Check).ID, adapter.Reply{Body: []byte("no")})
			return nil
		},
	} {
		_, err := (&bench{def: definition(handle)}).run(false)
		if err == nil || !strings.Contains(err.Error(), want) || errors.Is(err, verify.ErrNoCheck) != (want == "no check of its own") {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// slow is a vendor that never answers.
type slow struct{ *bench }

func (slow) Call(ctx context.Context, _, _ string, _ map[string]string, _ adapter.Call) engine.Attempt {
	<-ctx.Done()
	return engine.Attempt{Reason: adapter.ReasonTimeout}
}

func TestCheckEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bench{def: definition(probe)}
		began := time.Now()
		_, err := verify.Run(t.Context(), verify.Options{Turner: b, Caller: slow{b}, Placeholders: func(string, string) map[string]string { return nil }},
			engine.Account{Name: "desk"}, false)
		if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took != time.Minute {
			t.Errorf("%v after %s", err, took)
		}
	})
}
