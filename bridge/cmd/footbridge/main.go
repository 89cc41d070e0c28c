// Command footbridge carries conversations from any virtual agent to any live
// agent, and back.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/footbridge/footbridge/bridge/internal/config"
	"github.com/footbridge/footbridge/bridge/internal/host"
	"github.com/footbridge/footbridge/bridge/internal/observe"
)

// The exit codes.
const (
	exitOK          = 0
	exitFailed      = 1   // it ran and failed
	exitUsage       = 2   // it was asked or configured wrongly
	exitInterrupted = 130 // interrupted twice
)

func main() {
	host.Launch()       // does not return where this process is to become a plugin
	observe.ShowCrash() // nor where it is to show how another ended
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run carries out one command line and gives its exit code.
func run(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signals()
	defer stop()
	out := &printable{to: stdout}
	root := command()
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil && out.err != nil {
		err = fmt.Errorf("write the output: %w", out.err)
	}
	return judge(ctx, err, root.ErrOrStderr())
}

// judge tells what went wrong, nothing of it so that it could steer a terminal, and
// gives the exit code.
func judge(ctx context.Context, err error, stderr io.Writer) int {
	var usage usageError
	var conf *config.Error
	switch {
	case err == nil:
		return exitOK
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		fmt.Fprintln(stderr, "footbridge: interrupted")
		return exitFailed
	case errors.As(err, &conf):
		fmt.Fprintln(stderr, visible(err.Error()))
		return exitUsage
	case errors.Is(err, errToMend):
		fmt.Fprintln(stderr, "footbridge:", visible(err.Error()))
		return exitUsage
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "footbridge: %s\nTry 'footbridge --help'.\n", visible(err.Error()))
		return exitUsage
	}
	fmt.Fprintln(stderr, "footbridge:", visible(err.Error()))
	return exitFailed
}

// signals ends the context at the first interrupt and the process at the second.
func signals() (context.Context, func()) {
	ctx, cancel := context.WithCancel(context.Background())
	came := make(chan os.Signal, 2)
	signal.Notify(came, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-came
		cancel()
		<-came
		os.Exit(exitInterrupted)
	}()
	return ctx, func() { signal.Stop(came); cancel() }
}

// command is the whole command line.
func command() *cobra.Command {
	root := &cobra.Command{Use: "footbridge", SilenceUsage: true, SilenceErrors: true,
		Short: "Carry conversations from any virtual agent to any live agent, and back",
		Example: `  footbridge serve --config config.toml
  footbridge check --config config.toml
  footbridge conversations --state queued`,
		Args: cobra.ArbitraryArgs, RunE: group}
	root.PersistentFlags().StringP("config", "c", envOr("FOOTBRIDGE_CONFIG", "config.toml"), "configuration file")
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(serveCommand(), checkCommand(), adaptersCommand(), adapterCommand(), accountsCommand(), conversationsCommand(), deadLettersCommand(), traceCommand(),
		auditCommand(), backupCommand(), restoreCommand(), doctorCommand(), tokenCommand(),
		matrixCommand(), simulateCommand(), translateCommand(), versionCommand())
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() == "completion" {
			exampleCompletions(c)
		}
	}
	once(root)
	return root
}

func exampleCompletions(c *cobra.Command) {
	c.Args, c.RunE = cobra.ArbitraryArgs, group
	c.Example = "  source <(footbridge completion bash)"
	for _, shell := range c.Commands() {
		shell.Example = "  footbridge completion " + shell.Name()
	}
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
	return &cobra.Command{Use: "version", Short: "Print the version", Args: noArgs,
		Example: "  footbridge version", RunE: func(c *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(c.OutOrStdout(), "footbridge", versionText())
			return err
		}}
}
