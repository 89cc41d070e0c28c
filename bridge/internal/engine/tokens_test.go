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
					Capture: []adapter.Capture{{Name: "pass", Pointer: "/deep/token"}, {Name: "none", Pointer: "/no/where"}}})
				tx.Reply(in.ID, adapter.Reply{Status: 200, Body: []byte(`{"token":"` + tx.Mint("door", time.Hour) + `"}`)})
			case adapter.Result:
				result = in
				tx.After("later", time.Second)
			case adapter.Fired:
				placeholder = tx.Credential("pass") + tx.Credential("none")
			}
			return nil
		})
		r.far.will(answer{attempt: engine.Attempt{Status: 200, Body: []byte(`{"deep":{"token":"s3cret"},"other":1}`)}})
		r.open()
		receipt := r.arrive(start(), "s1", "start")
		got, _ := r.await(receipt)
		r.engine.Written(receipt, true)
		pass(time.Minute)
		r.plugins.with(func() {
			if body := string(result.Body); strings.Contains(body, "s3cret") || !strings.Contains(body, adapter.CapturedMark) || !strings.Contains(body, `"other":1`) {
				t.Errorf("the adapter saw %s", body)
			}
			if placeholder != "{pass}" {
				t.Errorf("placeholder %q", placeholder)
			}
		})
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
