package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/app"
	"github.com/footbridge/footbridge/bridge/internal/translate"
)

// translation is the command's flags.
type translation struct {
	adapter, role, settings       string
	endpoint                      string
	toAdapter, toRole, toSettings string
}

func translateCommand() *cobra.Command {
	var t translation
	c := &cobra.Command{Use: "translate --adapter NAME --role ROLE --endpoint NAME [--to NAME --to-role ROLE] [FILE]",
		Short: "Translate a vendor's frames to events, or to another vendor's frames",
		Long: `Run frames of a vendor through its real plugin, without the vendor, and print the
events they mean; with --to the frames they become at another vendor: a message on
a socket as it is, a call as {"method","path","body"}.

FILE, or standard input, has the frames of one conversation, one JSON a line. A
line {"path":"/x?y=z","frame":{…}} says where below the account a frame arrives.
--role is what the far side is to us and --endpoint where the frames arrive: one
the account serves, or ws or interact for the connection it dials. Settings that
an adapter cannot do without are the examples of its manifest. The same input
gives the same output; lines that cannot be translated are named on standard
error, and the exit code is then 1.`,
		Example: `  footbridge translate --adapter pager --role live_agent --endpoint events frames.jsonl
  echo '{"id":"1","text":"hello"}' | footbridge translate --adapter pager --role virtual_agent --endpoint ws
  footbridge translate --adapter pager --role virtual_agent --endpoint ws --to mydesk --to-role live_agent \
    --to-settings '{"base_url":"https://desk.example"}' frames.jsonl`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usageError{fmt.Errorf("unexpected argument %q", args[1])}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return t.run(c, args) }}
	t.flags(c)
	return c
}

func (t *translation) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&t.adapter, "adapter", "", "adapter the frames are for")
	f.StringVar(&t.role, "role", "", "role of its account: customer, virtual_agent, live_agent or observer")
	f.StringVar(&t.endpoint, "endpoint", "", "where the frames arrive")
	f.StringVar(&t.settings, "settings", "", "the account's settings, as JSON")
	f.StringVar(&t.toAdapter, "to", "", "adapter to pass the events on to")
	f.StringVar(&t.toRole, "to-role", "", "role of its account")
	f.StringVar(&t.toSettings, "to-settings", "", "its settings, as JSON")
	for _, name := range []string{"adapter", "to"} {
		_ = c.RegisterFlagCompletionFunc(name, completeAdapters)
	}
	for _, name := range []string{"role", "to-role"} {
		_ = c.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(legRoles(), cobra.ShellCompDirectiveNoFileComp))
	}
}

func legRoles() []string {
	return []string{string(event.RoleCustomer), string(event.RoleVirtualAgent), string(event.RoleLiveAgent), string(event.RoleObserver)}
}

func completeAdapters(c *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	names, err := app.Installed(toolOptions(c))
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// toolOptions are options without a configuration where none was asked for and
// the usual one is not there.
func toolOptions(c *cobra.Command) app.Options {
	o := options(c)
	asked := c.Flags().Changed("config") || os.Getenv("FOOTBRIDGE_CONFIG") != ""
	if _, err := os.Stat(o.Config); errors.Is(err, fs.ErrNotExist) && !asked {
		o.Config = ""
	}
	return o
}

func (t *translation) run(c *cobra.Command, args []string) error {
	if err := t.check(); err != nil {
		return usageError{err}
	}
	in, name := c.InOrStdin(), "standard input"
	if len(args) == 1 && args[0] != "-" {
		file, err := os.Open(args[0])
		if err != nil {
			return err
		}
		defer file.Close()
		in, name = file, args[0]
	}
	tally, err := t.translate(c, interruptible(c.Context(), in))
	if err != nil {
		return mistaken(err)
	}
	fmt.Fprintf(c.ErrOrStderr(), "frames read: %d, events: %d, unsupported inputs: %d, failed deliveries: %d\n",
		tally.Frames, tally.Events, tally.Unsupported, tally.Failed)
	if tally.Bad > 0 {
		return fmt.Errorf("%s: not all of it could be translated (%d errors)", name, tally.Bad)
	}
	return nil
}

// interruptible reads until the context ends, whose error comes then.
func interruptible(ctx context.Context, from io.Reader) io.Reader {
	reader, writer := io.Pipe()
	context.AfterFunc(ctx, func() { _ = writer.CloseWithError(ctx.Err()) })
	go func() {
		_, err := io.Copy(writer, from)
		_ = writer.CloseWithError(err)
	}()
	return reader
}

// check finds mistakes in the flags.
func (t *translation) check() error {
	for _, f := range []struct{ name, value string }{{"adapter", t.adapter}, {"role", t.role}, {"endpoint", t.endpoint}} {
		if f.value == "" {
			return fmt.Errorf("--%s is missing; mend: translate --adapter NAME --role ROLE --endpoint NAME", f.name)
		}
	}
	if (t.toAdapter == "") != (t.toRole == "") || t.toAdapter == "" && t.toSettings != "" {
		return errors.New("--to and --to-role go together, and --to-settings with them")
	}
	for _, f := range []struct{ name, value string }{{"settings", t.settings}, {"to-settings", t.toSettings}} {
		var object map[string]json.RawMessage
		if f.value != "" && (json.Unmarshal([]byte(f.value), &object) != nil || object == nil) {
			return fmt.Errorf(`--%s is %q: write a JSON object such as {"base_url":"https://host"}`, f.name, f.value)
		}
	}
	return nil
}

func (t *translation) translate(c *cobra.Command, in io.Reader) (translate.Tally, error) {
	job := translate.Job{Endpoint: t.endpoint, In: in,
		From: translate.Side{Adapter: t.adapter, Role: event.Role(t.role), Settings: json.RawMessage(t.settings)}}
	if t.toAdapter != "" {
		job.To = &translate.Side{Adapter: t.toAdapter, Role: event.Role(t.toRole), Settings: json.RawMessage(t.toSettings)}
	}
	return app.Translate(c.Context(), toolOptions(c), job)
}

// mistaken makes a mistake in a name or in settings one of the command line, and
// names what was probably meant first.
func mistaken(err error) error {
	var name *translate.NameError
	if errors.As(err, &name) {
		slices.SortStableFunc(name.Known, func(a, b string) int { return cmp.Compare(distance(name.Name, a), distance(name.Name, b)) })
		return usageError{err}
	}
	if errors.Is(err, translate.ErrSettings) {
		return usageError{err}
	}
	return err
}
