// Command footbridge carries conversations from any virtual agent to any live
// agent, and back.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/footbridge/footbridge/bridge/internal/config"
)

// The exit codes.
const (
	exitOK     = 0
	exitFailed = 1 // it ran and failed
	exitUsage  = 2 // it was asked or configured wrongly
)

func main() { os.Exit(run(os.Args[1:])) }

// run carries out one command line and gives its exit code.
func run(args []string) int {
	ctx, stop := signals()
	defer stop()
	root := command()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var usage usageError
	var conf *config.Error
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &conf):
		fmt.Fprintln(os.Stderr, err)
		return exitUsage
	case errors.As(err, &usage):
		fmt.Fprintf(os.Stderr, "footbridge: %v\nTry 'footbridge --help'.\n", err)
		return exitUsage
	}
	fmt.Fprintf(os.Stderr, "footbridge: %v\n", err)
	return exitFailed
}

// usageError is a mistake in the command line.
type usageError struct{ error }

// signals ends the context at the first interrupt and the process at the second.
func signals() (context.Context, func()) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, func() {
		stop()
		again := make(chan os.Signal, 1)
		signal.Notify(again, os.Interrupt, syscall.SIGTERM)
		go func() { <-again; os.Exit(130) }()
	})
	return ctx, stop
}

// command is the whole command line.
func command() *cobra.Command {
	root := &cobra.Command{Use: "footbridge", SilenceUsage: true, SilenceErrors: true,
		Short: "Carry conversations from any virtual agent to any live agent, and back",
		Example: `  footbridge serve --config config.toml
  footbridge check --config config.toml
  footbridge simulate vonage --listen 127.0.0.1:8090 --bridge http://127.0.0.1:8080/in/studio`,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("unknown command %q", args[0])}
			}
			_ = c.Help()
			return usageError{errors.New("name a command")}
		}}
	root.PersistentFlags().StringP("config", "c", envOr("FOOTBRIDGE_CONFIG", "config.toml"), "configuration file")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(serveCommand(), checkCommand(), adaptersCommand(), adapterCommand(), simulateCommand(), versionCommand())
	return root
}

func envOr(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}

// version is set by the build; a build without it tells what Go knows.
//
//nolint:gochecknoglobals // the linker writes it.
var version = ""

func versionText() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}

func versionCommand() *cobra.Command {
	return &cobra.Command{Use: "version", Short: "Print the version", Args: noArgs, RunE: func(c *cobra.Command, _ []string) error {
		_, err := fmt.Fprintln(c.OutOrStdout(), "footbridge", versionText())
		return err
	}}
}

func noArgs(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("unexpected argument %q", args[0])}
	}
	return nil
}
