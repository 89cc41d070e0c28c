package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/footbridge/footbridge/bridge/internal/journal"
)

func auditCommand() *cobra.Command {
	c := &cobra.Command{Use: "audit", Short: "Who did what to the bridge and to what it keeps",
		Long: `List the audit trail of a running bridge, or verify it: sign-ins, tokens shown,
exports, erasures, reloads, replays of dead letters and accounts drained. Each record is linked to the
one before, and the last one is sealed under the master key.`,
		Example: "  footbridge audit list\n  footbridge audit verify",
		RunE:    group}
	remoteFlags(c)
	c.AddCommand(listAuditCommand(), verifyAuditCommand())
	return c
}

func listAuditCommand() *cobra.Command {
	l := listing{path: "/audit", roles: []string{"operator"}, head: []string{"POSITION", "AT", "WHO", "ACTION", "SUBJECT", "REASON"},
		cells: cellsOf(func(a journal.Audit) []string {
			return []string{strconv.FormatInt(a.Position, 10), at(a.At), a.Who, a.Action, a.Subject, strings.TrimSpace(a.Reason + " " + a.Detail)}
		})}
	return l.command(&cobra.Command{Use: "list", Short: "List the audit trail, newest first",
		Example: "  footbridge audit list --limit 0 --json"})
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
