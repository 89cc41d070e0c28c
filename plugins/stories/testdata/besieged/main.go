// Command besieged is an adapter for the story of the siege: its vendor signs what
// it sends, or does not, and its words have it do what no adapter should.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/serve"
	"github.com/footbridge/footbridge/bridge/event"
)

func main() {
	serve.Main(adapter.Definition{
		Manifest:  adapter.Manifest{Name: "besieged", Version: "1", StateVersion: 1, Roles: []event.Role{event.RoleVirtualAgent}},
		Configure: configure,
		Adapter:   adapter.Func(handle),
	})
}

// configure says that the vendor is wherever the test says.
func configure(a adapter.Account) (adapter.Profile, error) {
	var set struct{ Hosts []string }
	err := json.Unmarshal(a.Settings, &set)
	return adapter.Profile{HoldsCustomer: true, Endpoints: endpoints(), Hosts: set.Hosts}, err
}

func endpoints() []adapter.Endpoint {
	signed := adapter.Endpoint{Name: "signed", Method: "POST", Path: "/signed", Answer: adapter.AnswerAck, Key: "body:/session/id", Unknown: adapter.UnknownOpen,
		Dedup: "signature", DedupWhile: adapter.DedupForever, Auth: "signature:secret", Signature: adapter.Signature{
			Algorithm: adapter.SignedHMACSHA256, Header: "X-Signature", Encoding: "hex", Over: "{time}.{body}", TimeHeader: "X-Time"}}
	plain := adapter.Endpoint{Name: "inbound", Method: "POST", Path: "/inbound", Answer: adapter.AnswerAck, Key: "body:/session/id",
		Unknown: adapter.UnknownOpen, MaxBody: 4096}
	socket := adapter.Endpoint{Name: "ws", Method: "GET", Path: "/ws", Transport: adapter.TransportWebSocket, Key: "frame:/session/id", Unknown: adapter.UnknownOpen, MaxBody: 4096}
	return []adapter.Endpoint{signed, plain, socket}
}

func handle(tx *adapter.Tx, _ *struct{}, in adapter.Input) error {
	r, ok := in.(adapter.Request)
	if !ok {
		return nil
	}
	var body struct{ Text string }
	if err := json.Unmarshal(r.Body, &body); err != nil {
		return err
	}
	customer := event.Actor{Role: event.RoleCustomer, Name: "Ada"}
	switch what, about, _ := strings.Cut(body.Text, " "); what {
	case "end":
		tx.Emit(adapter.Emission{Actor: customer, Body: event.ConversationEnded{}})
		return nil
	case "eat":
		eat()
	case "hang":
		select {}
	case "flood":
		for n := range 30_000 {
			fmt.Fprintln(os.Stderr, "flood", n, strings.Repeat("x", 100))
		}
	case "files":
		for address := range strings.FieldsSeq(about) {
			tx.Emit(adapter.Emission{Actor: customer, Body: event.MessageCreated{Content: event.Content{Part: event.Media{Kind: "image", URL: address}}}})
		}
	case "calls":
		for n, address := range strings.Fields(about) {
			tx.Call(fmt.Sprint("call-", n), adapter.Call{Method: "POST", URL: address, Body: []byte("{}"), Repeat: adapter.RepeatNever})
		}
	}
	tx.Emit(adapter.Emission{Actor: customer, Body: event.MessageCreated{Content: event.Plain(body.Text)}})
	return nil
}

// eat takes more memory than it is given: 600 MiB, if it gets them.
func eat() {
	var held [][]byte
	for range 75 {
		piece := make([]byte, 8<<20)
		for at := 0; at < len(piece); at += 4096 {
			piece[at] = 1
		}
		held = append(held, piece)
	}
	runtime.KeepAlive(held)
}
