package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// staff are the roles that may read conversations.
func staff() []string { return []string{"supervisor", "operator", "live_agent"} }

func conversationsCommand() *cobra.Command {
	var asJSON bool
	var limit int
	filters := map[string]*string{}
	c := &cobra.Command{Use: "conversations [ID]", Short: "List conversations, or show one",
		Long: `List the conversations of a running bridge, newest first, or show what was said
in one. The token is FOOTBRIDGE_TOKEN's, or one of the configuration's.`,
		Example: `  footbridge conversations --state queued
  footbridge conversations 01JZX3Q5T4K9 --json
  footbridge conversations erase --customer c-1 --reason 'request 7'
  FOOTBRIDGE_TOKEN=… footbridge conversations --url https://bridge.example.com`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usageError{fmt.Errorf("unexpected argument %q", args[1])}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 {
				return showConversation(c, args[0], asJSON)
			}
			query := url.Values{}
			for name, value := range filters {
				if *value != "" {
					query.Set(name, *value)
				}
			}
			return listConversations(c, query, limit, asJSON)
		}}
	remoteFlags(c)
	c.AddCommand(exportCommand(), eraseCommand())
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON, a line an item")
	c.Flags().IntVar(&limit, "limit", 50, "the most to list; 0 is all")
	for _, name := range []string{"state", "queue", "account", "agent"} {
		filters[name] = c.Flags().String(name, "", "only those with this "+name)
	}
	return c
}

// row is a conversation as the list has it.
type row struct {
	ID, State, Owner, Route, Queue string
	Created, Updated               time.Time
	Customer                       event.Actor
}

func listConversations(c *cobra.Command, query url.Values, limit int, asJSON bool) error {
	r, err := dial(c, staff()...)
	if err != nil {
		return err
	}
	out := c.OutOrStdout()
	if asJSON {
		return r.list(c.Context(), "/conversations", query, limit, lines(out))
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tSTATE\tOWNER\tROUTE\tCUSTOMER\tUPDATED")
	err = r.list(c.Context(), "/conversations", query, limit, func(item json.RawMessage) error {
		var v row
		if err := json.Unmarshal(item, &v); err != nil {
			return err
		}
		_, err := fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", v.ID, v.State, orDash(v.Owner), orDash(v.Route),
			orDash(oneLine(v.Customer.Name)), v.Updated.UTC().Format(time.RFC3339))
		return err
	})
	if err != nil {
		return err
	}
	return w.Flush()
}

func showConversation(c *cobra.Command, id string, asJSON bool) error {
	if err := checkID(id); err != nil {
		return err
	}
	r, err := dial(c, staff()...)
	if err != nil {
		return err
	}
	var raw json.RawMessage
	if err := r.call(c.Context(), http.MethodGet, "/conversations/"+id, nil, &raw); err != nil {
		return err
	}
	out := c.OutOrStdout()
	visit := lines(out)
	if !asJSON {
		var v row
		if err := json.Unmarshal(raw, &v); err != nil {
			return err
		}
		fmt.Fprintf(out, "%s  %s  owner %s  route %s  since %s\n", v.ID, v.State, orDash(v.Owner), orDash(v.Route), v.Created.UTC().Format(time.RFC3339))
		visit = func(item json.RawMessage) error { return printEvent(out, item) }
	}
	return r.list(c.Context(), "/conversations/"+id+"/events", nil, 0, visit)
}

// printEvent is an event on one line: when, who, what, and the words.
func printEvent(w io.Writer, item json.RawMessage) error {
	var e event.Event
	if err := json.Unmarshal(item, &e); err != nil {
		return err
	}
	who := string(e.Actor.Role)
	if e.Actor.Name != "" {
		who += " (" + oneLine(e.Actor.Name) + ")"
	}
	words := ""
	if m, ok := e.Body.(event.MessageCreated); ok {
		words = "  " + oneLine(codec.Plain(m.Content))
	}
	_, err := fmt.Fprintf(w, "%s  %-14s %s%s\n", e.Time.UTC().Format("15:04:05.000"), who, e.Kind(), words)
	return err
}

// lines prints each item on a line of its own.
func lines(w io.Writer) func(json.RawMessage) error {
	return func(item json.RawMessage) error {
		_, err := fmt.Fprintln(w, string(item))
		return err
	}
}

// oneLine keeps text from looking like more than one line, or column.
func oneLine(s string) string { return strings.NewReplacer("\n", `\n`, "\t", `\t`).Replace(s) }

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
