package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/footbridge/footbridge/bridge/internal/app"
)

// errFaults says that something does not work, after it was told what.
var errFaults = errors.New("faults found")

func doctorCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{Use: "doctor", Short: "Look for what keeps the bridge from working, and say how to mend it", Args: noArgs,
		Long: `Look at everything the bridge needs, before it is started or while it runs:
configuration, files and their modes, disk, clock, addresses, certificate,
journal and key, adapters and their sandbox, credentials, vendors' hosts, doors
and sign-in. Vendors are connected to and told nothing; nothing is changed.
Exit code 0 without faults, 1 with, 2 where the configuration is not good.`,
		Example: "  footbridge doctor --config config.toml\n  footbridge doctor --json | jq '.findings[] | select(.state == \"fault\")'",
		RunE: func(c *cobra.Command, _ []string) error {
			d := app.Diagnose(c.Context(), options(c))
			if err := c.Context().Err(); err != nil {
				return err // what was cut short would look like faults
			}
			if asJSON {
				if err := json.NewEncoder(c.OutOrStdout()).Encode(d); err != nil {
					return err
				}
			} else {
				d.Print(c.OutOrStdout())
			}
			switch {
			case d.Unusable:
				return fmt.Errorf("%w: %d", errToMend, d.Faults())
			case d.Faults() > 0:
				return fmt.Errorf("%w: %d", errFaults, d.Faults())
			}
			return nil
		}}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}
