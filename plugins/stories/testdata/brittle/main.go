// Command brittle is a plugin that tests break: words with "poison" in them end
// its process, unless the file its account names is there.
package main

import (
	"encoding/json"
	"os"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/serve"
	"github.com/footbridge/footbridge/bridge/event"
)

type state struct{}

func main() {
	serve.Main(adapter.Definition{
		Manifest: adapter.Manifest{Name: "brittle", Version: "1", StateVersion: 1, Roles: []event.Role{event.RoleVirtualAgent}},
		Configure: func(adapter.Account) (adapter.Profile, error) {
			return adapter.Profile{HoldsCustomer: true, Endpoints: []adapter.Endpoint{{Name: "say", Method: "POST", Path: "/say",
				Answer: adapter.AnswerAck, Key: "body:/id", Unknown: adapter.UnknownOpen}}}, nil
		},
		Adapter: adapter.Func(handle),
	})
}

func handle(tx *adapter.Tx, _ *state, in adapter.Input) error {
	r, ok := in.(adapter.Request)
	if !ok {
		return nil
	}
	var set struct{ Mended string }
	var body struct{ Text string }
	if err := tx.Settings(&set); err != nil {
		return err
	}
	if err := json.Unmarshal(r.Body, &body); err != nil {
		return err
	}
	if _, err := os.Stat(set.Mended); err != nil && strings.Contains(body.Text, "poison") {
		os.Exit(3)
	}
	tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleCustomer, Name: "Ada"}, Body: event.MessageCreated{Content: event.Plain(body.Text)}})
	return nil
}
