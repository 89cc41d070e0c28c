// Command ledger prints what a journal has of one conversation, opened: for the
// stories, which may not look inside the bridge. Its arguments are the journal's
// folder and the conversation.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/credential"
	"github.com/footbridge/footbridge/bridge/internal/journal"
	"github.com/footbridge/footbridge/bridge/internal/journal/sqlite"
)

type ledger struct {
	State      []byte
	Legs       []journal.Leg
	Frames     []journal.Frame
	Deliveries []journal.Delivery
	Events     []event.Event
}

func main() {
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(dir, id string) error {
	ctx := context.Background()
	keys, err := credential.OpenKeyring(dir)
	if err != nil {
		return err
	}
	j, err := sqlite.Open(ctx, dir, keys, sqlite.Options{})
	if err != nil {
		return err
	}
	defer j.Close()
	loaded, err := j.Load(ctx, id)
	if err != nil {
		return err
	}
	all := ledger{State: loaded.State, Legs: loaded.Legs}
	if all.Frames, err = j.Frames(ctx, id, "", 0); err != nil {
		return err
	}
	if all.Deliveries, err = j.Deliveries(ctx, id); err != nil {
		return err
	}
	if all.Events, err = j.Events(ctx, id, 0, 0); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(all)
}
