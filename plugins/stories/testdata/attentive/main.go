// Command attentive is a plugin whose vendor has the customer and is listened to: it
// posts nothing to the bridge.
package main

import (
	"encoding/json"
	"net/url"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/serve"
	"github.com/footbridge/footbridge/bridge/event"
)

type state struct{}

func main() {
	serve.Main(adapter.Definition{
		Manifest: adapter.Manifest{Name: "attentive", Version: "1", StateVersion: 1, Roles: []event.Role{event.RoleVirtualAgent},
			Settings: []adapter.Setting{{Name: "base_url", Type: "string"}}, Credentials: []adapter.Credential{{Name: "app"}}},
		Configure: configure,
		Adapter:   adapter.Func(handle),
	})
}

func configure(a adapter.Account) (adapter.Profile, error) {
	var set struct {
		BaseURL string `json:"base_url"`
	}
	if err := json.Unmarshal(a.Settings, &set); err != nil {
		return adapter.Profile{}, err
	}
	u, err := url.Parse(set.BaseURL)
	if err != nil {
		return adapter.Profile{}, err
	}
	return adapter.Profile{HoldsCustomer: true, Hosts: []string{u.Host},
		Endpoints: []adapter.Endpoint{{Name: "events", Method: "POST", Answer: adapter.AnswerAck, Key: "body:/chat", Dedup: "body:/id", Unknown: adapter.UnknownOpen}},
		Feeds: []adapter.Feed{{Name: "socket", URL: set.BaseURL + "/open", Address: "/url", Credential: "app", Prefix: "Bearer ", Kind: "/type",
			Endpoints: map[string]string{"event": "events"}, Body: "/payload", Ack: "envelope", Ends: []string{"bye"}}}}, nil
}

func handle(tx *adapter.Tx, _ *state, in adapter.Input) error {
	r, ok := in.(adapter.Request)
	if !ok {
		return nil
	}
	var body struct{ Text string }
	if err := json.Unmarshal(r.Body, &body); err != nil {
		return err
	}
	tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleCustomer, Name: "Ada"}, Body: event.MessageCreated{Content: event.Plain(body.Text)}})
	return nil
}
