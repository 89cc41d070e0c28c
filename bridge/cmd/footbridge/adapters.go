package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/footbridge/footbridge/bridge/internal/app"
)

func adaptersCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{Use: "adapters", Short: "List the adapters the configuration names", Args: noArgs,
		Example: "  footbridge adapters\n  footbridge adapters --json",
		RunE: func(c *cobra.Command, _ []string) error {
			report, err := app.Check(c.Context(), options(c))
			if err != nil {
				return err
			}
			if len(report.Adapters) == 0 && len(report.Problems) > 0 {
				fmt.Fprintln(c.ErrOrStderr(), strings.Join(report.Problems, "\n"))
				return fmt.Errorf("%w: %d", errToMend, len(report.Problems))
			}
			if asJSON {
				return json.NewEncoder(c.OutOrStdout()).Encode(report.Adapters)
			}
			t := newTable(c.OutOrStdout(), "ADAPTER", "VERSION", "ROLES", "STATE", "SANDBOX")
			for _, a := range report.Adapters {
				t.row(a.Name, a.Version, strings.Join(a.Roles, ","), a.State, a.Sandbox)
			}
			return t.Flush()
		}}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}
