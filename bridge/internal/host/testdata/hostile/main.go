// Command hostile is a plugin for tests: it serves the protocol honestly and,
// when a turn asks for it, tries to reach what a plugin may not.
package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/serve"
	"github.com/footbridge/footbridge/bridge/event"
)

// Why an attempt may fail although no sandbox is there.
const (
	needsRoot   = "root"   // it is root's to do
	needsKernel = "kernel" // not every kernel, or machine, has it
	denied      = "denied" // it is denied in every mode
	dangerous   = "danger" // it would work, and is tried in a sandbox only
)

// targets are what the test has put there to be reached. A turn's key is them in
// JSON.
type targets struct {
	TCP, UDP, Abstract, Path, Datagram string // sockets somebody listens at
	Bridge, Other                      int    // processes
	Canary                             string // a file of the bridge's account
	Folder                             string // where that is
	Plugin, RunDir                     string // this program as installed, the host's folder
}

// attempt is one escape. try gives nil when it worked.
type attempt struct {
	name, unless string
	try          func(targets) error
}

// attempts are all there are.
func attempts() []attempt {
	return slices.Concat(network(), files(), writes(), processes(), kernel(), resources(), hunts())
}

func main() {
	serve.Main(adapter.Definition{
		Manifest: adapter.Manifest{Name: "hostile", Title: "Hostile", Version: "6.6.6", StateVersion: 1, Roles: []event.Role{event.RoleVirtualAgent}},
		Configure: func(adapter.Account) (adapter.Profile, error) {
			return adapter.Profile{}, nil
		},
		Adapter: adapter.Func(handle),
	})
}

// handle takes its orders from the test as a turn of a timer, or in a whole bridge
// as words of a customer; then its targets are a setting.
func handle(tx *adapter.Tx, _ *struct{}, in adapter.Input) error {
	order, key, role := "", tx.Key(), event.RoleCustomer
	switch in := in.(type) {
	case adapter.Fired:
		order = in.Timer
	case adapter.Deliver:
		said, ok := in.Event.Body.(event.MessageCreated)
		if !ok {
			return nil
		}
		text, _ := said.Content.Part.(event.Text)
		var set struct{ Targets string }
		if err := tx.Settings(&set); err != nil {
			return err
		}
		order, key, role = text.Text, set.Targets, event.RoleVirtualAgent
	default:
		return adapter.ErrUnsupported
	}
	answer, err := carryOut(order, key)
	if err != nil {
		return err
	}
	tx.Emit(adapter.Emission{Body: event.MessageCreated{Content: event.Plain(answer)}, Actor: event.Actor{Role: role}})
	return nil
}

// carryOut lists the attempts, or makes one.
func carryOut(order, key string) (string, error) {
	if order == "list" {
		var lines []string
		for _, a := range attempts() {
			lines = append(lines, a.name+"\t"+a.unless)
		}
		return strings.Join(lines, "\n"), nil
	}
	var t targets
	if err := json.Unmarshal([]byte(key), &t); err != nil {
		return "", err
	}
	for _, a := range attempts() {
		if a.name == order {
			if err := a.try(t); err != nil {
				return "denied: " + err.Error(), nil
			}
			return "succeeded", nil
		}
	}
	return "", fmt.Errorf("no attempt %q", order)
}
