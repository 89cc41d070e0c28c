package engine_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/engine"
)

func TestTokensAreCapturedAndMinted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		var result adapter.Result
		var placeholder string
		r.plugins.defs["front"] = puppet(func(tx *adapter.Tx, in adapter.Input) error {
			switch in := in.(type) {
			case adapter.Request:
				tx.Call("init", adapter.Call{Method: "POST", URL: "http://vendor/init",
					Capture: []adapter.Capture{{Name: "pass", Pointer: "/deep/list/0/to~1ken"}, {Name: "none", Pointer: "/no/where"}}})
				tx.Reply(in.ID, adapter.Reply{Status: 200, Body: []byte(`{"token":"` + tx.Mint("door", time.Hour) + `"}`)})
			case adapter.Result:
				if in.Tag == "init" {
					result = in
					tx.After("later", time.Second)
				}
			case adapter.Fired:
				placeholder = tx.Credential("pass") + tx.Credential("none")
				tx.Call("next", adapter.Call{Method: "POST", URL: "http://vendor/next"})
			}
			return nil
		})
		r.far.will(answer{attempt: engine.Attempt{Status: 200, Body: []byte(`{"deep":{"list":[{"to/ken":"s3cret"}]},"other":9007199254740993}`)}})
		died := false
		r.plugins.dies = func(t adapter.Turn) bool { // the answer's first turn fails: it is given again
			_, isResult := t.Input.(adapter.Result)
			fails := isResult && !died
			died = died || isResult
			return fails
		}
		r.open()
		receipt := r.arrive(start(), "s1", "start")
		got, _ := r.await(receipt)
		r.engine.Written(receipt, true)
		pass(time.Minute)
		r.plugins.with(func() {
			if body := string(result.Body); strings.Contains(body, "s3cret") || !strings.Contains(body, adapter.CapturedMark) || !strings.Contains(body, `"other":9007199254740993`) {
				t.Errorf("the adapter saw %s", body)
			}
			if placeholder != "{pass}" {
				t.Errorf("placeholder %q", placeholder)
			}
		})
		r.far.mu.Lock()
		if got := r.far.tokens["pass"]; got != "s3cret" {
			t.Errorf("the next call goes with token %q", got)
		}
		r.far.mu.Unlock()
		if want := `{"token":"studio|s1|door|1h0m0s"}`; string(got.Body) != want {
			t.Errorf("the reply is %s, want %s", got.Body, want)
		}
		for _, e := range r.events(receipt.Conversation) {
			if e.Kind() == event.KindErrorReported {
				t.Errorf("%v", e)
			}
		}
	})
}
