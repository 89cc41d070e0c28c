package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// flagMistake is how the errors of package flag begin.
//
//nolint:gochecknoglobals // never written.
var flagMistake = regexp.MustCompile(`^(flag provided but not defined|invalid (boolean )?value|flag needs an argument|bad flag syntax)`)

// simulator runs a simulated vendor until its context ends.
type simulator func(ctx context.Context, args []string, out io.Writer) error

func simulateCommand() *cobra.Command {
	names := slices.Sorted(maps.Keys(simulators()))
	var example strings.Builder
	for _, name := range names {
		fmt.Fprintf(&example, "  footbridge simulate %s -listen 127.0.0.1:8090\n", name)
	}
	c := &cobra.Command{Use: "simulate NAME [flags]", Short: "Run a simulated vendor",
		Long:    "Run a simulated vendor on a socket of this machine, to try the bridge without an account. Names: " + strings.Join(names, ", ") + ".",
		Example: strings.TrimRight(example.String(), "\n"),
		RunE:    group}
	for _, name := range names {
		run := simulators()[name]
		c.AddCommand(&cobra.Command{Use: name, Short: "Run a simulated " + name, DisableFlagParsing: true,
			RunE: func(c *cobra.Command, args []string) error {
				err := run(c.Context(), args, c.OutOrStdout())
				switch {
				case errors.Is(err, flag.ErrHelp):
					return nil
				case err != nil && flagMistake.MatchString(err.Error()):
					return usageError{err}
				}
				return err
			}})
	}
	return c
}
