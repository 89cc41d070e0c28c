package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// simulator runs a simulated vendor until its context ends.
type simulator func(ctx context.Context, args []string, out io.Writer) error

func simulateCommand() *cobra.Command {
	names := slices.Sorted(maps.Keys(simulators()))
	c := &cobra.Command{Use: "simulate NAME [flags]", Short: "Run a simulated vendor",
		Long:    "Run a simulated vendor on a socket of this machine, to try the bridge without an account. Names: " + strings.Join(names, ", ") + ".",
		Example: "  footbridge simulate vonage -h\n  footbridge simulate vonage -listen 127.0.0.1:8090",
		RunE: func(*cobra.Command, []string) error {
			return usageError{fmt.Errorf("name a simulator: %s", strings.Join(names, ", "))}
		}}
	for _, name := range names {
		run := simulators()[name]
		c.AddCommand(&cobra.Command{Use: name, Short: "Run a simulated " + name, DisableFlagParsing: true,
			RunE: func(c *cobra.Command, args []string) error {
				err := run(c.Context(), args, c.OutOrStdout())
				if errors.Is(err, flag.ErrHelp) {
					return nil
				}
				return err
			}})
	}
	return c
}
