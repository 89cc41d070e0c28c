package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/footbridge/footbridge/bridge/internal/app"
)

func matrixCommand() *cobra.Command {
	var asJSON, guarantees bool
	c := &cobra.Command{Use: "matrix", Short: "Show what passes between every front end and every back end", Args: noArgs,
		Long: `Show how well each thing passes between every front end and every account of
live agents: full, partial, fallback (as words), dropped or rejected. A front end is
the account that has the customer and the virtual agent behind it, as the
configuration's routes name them; the worst side a thing meets on its way counts.
Without a configuration these are all adapters installed, with their default
settings, virtual agents that do not have the customer behind the web chat. With
--guarantees: what is never lost, what may repeat, and how long the bridge may be
down before a vendor gives up.`,
		Example: "  footbridge matrix\n  footbridge matrix --config config.toml --json\n  footbridge matrix --guarantees",
		RunE: func(c *cobra.Command, _ []string) error {
			m, err := app.ReadMatrix(c.Context(), toolOptions(c))
			if len(m.Parties) == 0 && err != nil {
				return err
			}
			print := printPairings
			if guarantees {
				print = printPromises
			}
			if e := print(c.OutOrStdout(), m, asJSON); e != nil {
				return e
			}
			return err
		}}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON, a line an entry")
	c.Flags().BoolVar(&guarantees, "guarantees", false, "show what is promised of each endpoint")
	return c
}

func printPairings(out io.Writer, m app.Matrix, asJSON bool) error {
	if asJSON {
		return eachLine(out, m.Pairings)
	}
	names := app.Capabilities()
	head := []string{"FRONT END", "VIRTUAL AGENT", "BACK END"}
	for _, name := range names {
		head = append(head, strings.ToUpper(strings.ReplaceAll(name, "_", " ")))
	}
	t := newTable(out, head...)
	for _, p := range m.Pairings {
		virtual := ""
		if p.VirtualAgent != nil {
			virtual = p.VirtualAgent.Account
		}
		cells := []string{named(p.Front), virtual, p.Back.Account}
		for _, name := range names {
			cells = append(cells, string(p.Levels[name]))
		}
		t.row(cells...)
	}
	return t.Flush()
}

func printPromises(out io.Writer, m app.Matrix, asJSON bool) error {
	if asJSON {
		return eachLine(out, m.Promises)
	}
	fmt.Fprint(out, `Never lost: what a vendor was answered 2xx for, and every event the API answered
201 for.
May repeat: a call whose outcome is unknown, unless the vendor honours its key; it
is marked. What a vendor sends twice is one event where its id tells, below.

`)
	t := newTable(out, "ACCOUNT", "ENDPOINT", "ANSWER", "A REPEAT IS KNOWN BY", "THE VENDOR ASKS AGAIN")
	for _, p := range m.Promises {
		t.row(named(p.Party), p.Endpoint, answerOf(p), repeatsOf(p), againOf(p))
	}
	return t.Flush()
}

// named is an account with its role.
func named(p app.Party) string { return p.Account + " (" + string(p.Role) + ")" }

func answerOf(p app.Promise) string {
	if p.Within == 0 {
		return p.Answer
	}
	return fmt.Sprintf("%s within %s", p.Answer, seconds(p.Within))
}

func repeatsOf(p app.Promise) string {
	known := "nothing: it is new"
	if p.Repeats != "" {
		known = p.Repeats
	}
	if p.While != "" {
		known += ", " + map[string]string{"forever": "always", "handoff": "during a hand-off"}[p.While]
	}
	if p.Once > 0 {
		known += "; captured: for " + seconds(p.Once)
	}
	return known
}

func againOf(p app.Promise) string {
	if p.RetryWithin == 0 {
		return "not known to"
	}
	return "within " + seconds(p.RetryWithin)
}

func seconds(n float64) string { return time.Duration(n * float64(time.Second)).String() }

func eachLine[T any](out io.Writer, items []T) error {
	enc := json.NewEncoder(out)
	for _, item := range items {
		if err := enc.Encode(item); err != nil {
			return err
		}
	}
	return nil
}
