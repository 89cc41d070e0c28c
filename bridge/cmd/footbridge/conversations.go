package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/api"
)

// staff are the roles that may read conversations.
func staff() []string { return append(watchers(), "live_agent") }

// watchers are the roles that may see how the bridge works.
func watchers() []string { return []string{"supervisor", "operator"} }

func conversationsCommand() *cobra.Command {
	filters := map[string]*string{}
	c := &cobra.Command{Use: "conversations [ID]", Short: "List conversations, or show one",
		Long: `List the conversations of a running bridge, newest first, or show what was said
in one. The token is FOOTBRIDGE_TOKEN's, or one of the configuration's.`,
		Example: `  footbridge conversations --state queued
  footbridge conversations --left
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
				return showConversation(c, args[0])
			}
			query := url.Values{}
			for name, value := range filters {
				if *value != "" {
					query.Set(name, *value)
				}
			}
			if left, _ := c.Flags().GetBool("left"); left {
				query.Set("left", "true")
			}
			return listed().print(c, query)
		}}
	remoteFlags(c)
	c.AddCommand(exportCommand(), eraseCommand())
	linesFlag(c)
	limitFlag(c)
	for _, name := range []string{"state", "queue", "account", "agent"} {
		filters[name] = c.Flags().String(name, "", "only those with this "+name)
	}
	c.Flags().Bool("left", false, "only those where a message the customer left waits")
	return c
}

// listed are the conversations as a list.
func listed() listing {
	return listing{path: "/conversations", roles: staff(), head: []string{"ID", "STATE", "OWNER", "ROUTE", "CUSTOMER", "UPDATED"},
		cells: cellsOf(func(v api.Conversation) []string {
			return []string{v.ID, v.State, v.Owner, v.Route, v.Customer.Name, at(v.Updated)}
		})}
}

func showConversation(c *cobra.Command, id string) error {
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
	if asJSON, _ := c.Flags().GetBool("json"); !asJSON {
		var v api.Conversation
		if err := json.Unmarshal(raw, &v); err != nil {
			return err
		}
		fmt.Fprintf(out, "%s  %s  owner %s  route %s  since %s\n", v.ID, v.State, orDash(v.Owner), orDash(v.Route), at(v.Created))
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
