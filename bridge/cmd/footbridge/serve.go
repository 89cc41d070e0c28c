package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/footbridge/footbridge/bridge/internal/app"
	"github.com/footbridge/footbridge/bridge/internal/host"
	"github.com/footbridge/footbridge/bridge/internal/observe"
)

func options(c *cobra.Command) app.Options {
	path, _ := c.Flags().GetString("config")
	return app.Options{Config: path, Environ: os.Environ(), Out: c.OutOrStdout(), Log: c.ErrOrStderr(), Version: versionText(),
		Launcher: host.Self}
}

func serveCommand() *cobra.Command {
	return &cobra.Command{Use: "serve", Short: "Run the bridge", Args: noArgs,
		Long:    "Run the bridge until it is interrupted. SIGHUP reads the configuration again; a broken one is refused and the old one stays.",
		Example: "  footbridge serve --config config.toml\n  DESK_TOKEN=… footbridge serve",
		RunE: func(c *cobra.Command, _ []string) error {
			stderr, err := observe.GuardCrash()
			if stderr != nil {
				c.Root().SetErr(stderr)
			}
			if err != nil {
				fmt.Fprintf(c.ErrOrStderr(), "footbridge: a crash would show nothing: %v\n", err)
			}
			o := options(c)
			o.Out = os.Stdout // a bridge that nobody reads the first lines of is a good one still
			reload := make(chan os.Signal, 1)
			signal.Notify(reload, syscall.SIGHUP)
			defer signal.Stop(reload)
			o.Reload = reload
			unread := make(chan os.Signal, 1) // without it the end of whoever reads the log would be the bridge's
			signal.Notify(unread, syscall.SIGPIPE)
			defer signal.Stop(unread)
			return app.Run(c.Context(), o)
		}}
}

// errToMend says the configuration is not good, after it was told why.
var errToMend = errors.New("problems to mend")

func checkCommand() *cobra.Command {
	var strict, asJSON bool
	c := &cobra.Command{Use: "check", Short: "Check the configuration without serving", Args: noArgs,
		Long:    "Check the configuration file, start every adapter it names and fit each account to it. Problems name file, line, key and mend.",
		Example: "  footbridge check --config config.toml\n  footbridge check --strict --json",
		RunE: func(c *cobra.Command, _ []string) error {
			report, err := app.Check(c.Context(), options(c))
			if err != nil {
				return err
			}
			if asJSON {
				err = json.NewEncoder(c.OutOrStdout()).Encode(report)
			} else {
				report.Print(c.OutOrStdout())
			}
			switch {
			case len(report.Problems) > 0:
				return fmt.Errorf("%w: %d", errToMend, len(report.Problems))
			case strict && len(report.Warnings) > 0:
				return fmt.Errorf("%d warnings, and --strict was asked for", len(report.Warnings))
			}
			return err
		}}
	c.Flags().BoolVar(&strict, "strict", false, "fail on warnings too")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}
