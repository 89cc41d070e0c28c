package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/footbridge/footbridge/bridge/internal/journal"
)

func auditCommand() *cobra.Command {
	c := &cobra.Command{Use: "audit", Short: "Who did what to the bridge and to what it keeps",
		Long: `List the audit trail of a running bridge, or verify it: sign-ins, tokens shown,
exports, erasures, reloads and replays of dead letters. Each record is linked to the
one before, and the last one is sealed under the master key.`,
		Example: "  footbridge audit list\n  footbridge audit verify",
		RunE:    group}
	remoteFlags(c)
	c.AddCommand(listAuditCommand(), verifyAuditCommand())
	return c
}

func listAuditCommand() *cobra.Command {
	var asJSON bool
	var limit int
	c := &cobra.Command{Use: "list", Short: "List the audit trail, newest first", Args: noArgs,
		Example: "  footbridge audit list --limit 0 --json",
		RunE: func(c *cobra.Command, _ []string) error {
			r, err := dial(c, "operator")
			if err != nil {
				return err
			}
			if asJSON {
				return r.list(c.Context(), "/audit", nil, limit, lines(c.OutOrStdout()))
			}
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "POSITION\tAT\tWHO\tACTION\tSUBJECT\tREASON")
			err = r.list(c.Context(), "/audit", nil, limit, func(item json.RawMessage) error {
				var a journal.Audit
				if err := json.Unmarshal(item, &a); err != nil {
					return err
				}
				why := strings.TrimSpace(a.Reason + " " + a.Detail)
				_, err := fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\n", a.Position, a.At.UTC().Format(time.RFC3339), oneLine(a.Who),
					a.Action, orDash(oneLine(a.Subject)), orDash(oneLine(why)))
				return err
			})
			if err != nil {
				return err
			}
			return w.Flush()
		}}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON, a line an item")
	c.Flags().IntVar(&limit, "limit", 50, "the most to list; 0 is all")
	return c
}

func verifyAuditCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{Use: "verify", Short: "See that no record was changed, removed or swapped", Args: noArgs,
		Long: `See that every record of the audit trail is there, in its place and as it was
written. Note the last record's link elsewhere: a trail put back to an earlier state
as a whole shows by nothing else.`,
		Example: "  footbridge audit verify --json",
		RunE: func(c *cobra.Command, _ []string) error {
			r, err := dial(c, "operator")
			if err != nil {
				return err
			}
			var ends journal.AuditEnds
			if err := r.call(c.Context(), http.MethodGet, "/audit/verification", nil, &ends); err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(c.OutOrStdout()).Encode(ends)
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "whole: %d records, from %d to %d, last link %s\n", ends.Last-ends.First+1, ends.First, ends.Last, ends.Chain)
			return err
		}}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}
