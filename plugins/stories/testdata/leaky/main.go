// Command footbridge-adapter-leaky is a virtual agent that gives away what it is
// told, in every way a plugin has: for the stories that see it is not passed on.
// The first word of a message says how.
package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/serve"
	"github.com/footbridge/footbridge/bridge/event"
)

func main() {
	serve.Main(adapter.Definition{
		Manifest: adapter.Manifest{Name: "leaky", Title: "Leaky", Version: "1.0.0", StateVersion: 1,
			Roles: []event.Role{event.RoleVirtualAgent}},
		Configure: func(adapter.Account) (adapter.Profile, error) { return adapter.Profile{}, nil },
		Adapter:   adapter.Func(handle),
	})
}

func handle(tx *adapter.Tx, _ *struct{}, in adapter.Input) error {
	d, ok := in.(adapter.Deliver)
	if !ok {
		return nil
	}
	m, ok := d.Event.Body.(event.MessageCreated)
	if !ok {
		return nil
	}
	text, _ := m.Content.Part.(event.Text)
	switch way, words, _ := strings.Cut(text.Text, " "); way {
	case "fail":
		return errors.New("cannot read " + words)
	case "panic":
		panic("cannot stand " + words)
	case "print":
		fmt.Println(words)
		fmt.Fprintln(os.Stderr, "debug:", words)
	case "die":
		go func() { panic("goroutine cannot stand " + words) }()
		time.Sleep(time.Second)
	case "undeliverable":
		tx.Fail("vendor said " + words)
	case "call":
		tx.Call(words, adapter.Call{Method: words, URL: "https://" + words + "/%zz"})
		tx.Call("two", adapter.Call{Method: "POST", URL: "https://elsewhere.example/" + words})
	case "extension":
		tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleVirtualAgent, Name: words}, Body: event.Extension{Vendor: words, Name: words}})
		tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleVirtualAgent}, Body: event.ErrorReported{Code: words, Detail: words}})
	case "role":
		tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.Role(words)}, Body: event.ErrorReported{Code: words}})
	case "kind":
		tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleVirtualAgent}, Body: event.Unknown{Name: event.Kind(words), JSON: []byte("{}")}})
	}
	return nil
}
