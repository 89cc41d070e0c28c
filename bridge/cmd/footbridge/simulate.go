package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// flagMistake is how the errors of package flag begin.
//
//nolint:gochecknoglobals // never written.
var flagMistake = regexp.MustCompile(`^(flag provided but not defined|invalid (boolean )?value|flag needs an argument|bad flag syntax)`)

// simulator declares a simulated vendor's flags, "listen" among them, and gives
// what makes the vendor of them: what it serves, until ctx ends. It tells out what
// its people see.
type simulator func(*flag.FlagSet) func(ctx context.Context, out io.Writer) (http.Handler, error)

// simulate serves a simulated vendor until ctx ends.
func simulate(ctx context.Context, name string, vendor simulator, args []string, out io.Writer) error {
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	f.SetOutput(out)
	begin := vendor(f)
	if err := f.Parse(args); err != nil {
		return err
	}
	handler, err := begin(ctx, out)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", f.Lookup("listen").Value.String())
	if err != nil {
		return fmt.Errorf("listen for the simulated %s: %w; mend: choose another -listen", name, err)
	}
	fmt.Fprintf(out, "simulated %s listens on %s\n", name, l.Addr())
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

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
		vendor := simulators()[name]
		c.AddCommand(&cobra.Command{Use: name, Short: "Run a simulated " + name, DisableFlagParsing: true,
			RunE: func(c *cobra.Command, args []string) error {
				err := simulate(c.Context(), name, vendor, args, c.OutOrStdout())
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
