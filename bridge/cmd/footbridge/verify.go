package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/footbridge/footbridge/bridge/internal/app"
)

func verifyCommand() *cobra.Command {
	var asJSON, create bool
	c := &cobra.Command{Use: "verify NAME...", Short: "Prove an account at its vendor, before there is traffic",
		Long: `Ask the vendors of accounts whether the credentials are good, whether what the
settings name is there, and whether the vendor calls the bridge back. Nothing is said
to a customer. It works from the configuration alone, with or without a bridge that
runs. Exit code 0 without faults, 1 with.`,
		Example: "  footbridge accounts verify support --config config.toml\n  footbridge accounts verify support --create   # makes the webhook at the vendor\n  footbridge accounts verify support --json | jq '.findings[] | select(.state == \"fault\")'",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError{errors.New("name the accounts to verify")}
			}
			return nil
		},
		RunE: func(c *cobra.Command, accounts []string) error {
			d, err := app.Verify(c.Context(), options(c), accounts, create)
			if errors.Is(err, app.ErrNoAccount) {
				return usageError{err}
			}
			if err != nil {
				return err
			}
			if asJSON {
				err = json.NewEncoder(c.OutOrStdout()).Encode(d)
			} else {
				d.Print(c.OutOrStdout())
			}
			if err == nil && d.Faults() > 0 {
				err = fmt.Errorf("%w: %d", errFaults, d.Faults())
			}
			return err
		}}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().BoolVar(&create, "create", false, "make at the vendor what is missing and can be made, such as the webhook")
	return c
}
