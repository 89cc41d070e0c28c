package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/adaptertest"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/app"
	"github.com/footbridge/footbridge/bridge/internal/host"
)

func adapterCommand() *cobra.Command {
	c := &cobra.Command{Use: "adapter", Short: "Tools for authors of adapters", Example: "  footbridge adapter test scripted", RunE: group}
	c.AddCommand(adapterTestCommand())
	return c
}

// law is one line of the report.
type law struct {
	Law    string `json:"law"`
	Role   string `json:"role"`
	Kept   bool   `json:"kept"`
	Reason string `json:"reason,omitempty"`
}

func adapterTestCommand() *cobra.Command {
	var asJSON, ownPeople bool
	var role, settings, dir, testdata string
	var credentials []string
	var samples map[string]string
	c := &cobra.Command{Use: "test NAME", Short: "Hold a plugin to the laws of adapters, over the wire",
		Long: `Start footbridge-adapter-NAME as the bridge would and hold it to the laws every
adapter keeps, in whatever language it is written. Without --role every role of
its manifest is tried with its example settings, or with the accounts and samples
of laws.json in the folder --testdata names. That folder's scripts, corpus.json and
states/ are tried, too.`,
		Example: `  footbridge adapter test scripted
  footbridge adapter test mine --testdata ./testdata
  footbridge adapter test mine --role live_agent --settings '{"base_url":"https://x.example"}' --sample 'inbound={"id":"{key}"}'`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError{errors.New("name one adapter")}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			o, err := lawOptions(testdata)
			if err != nil {
				return err
			}
			if ownPeople {
				o.OwnPeople = []string{"*"}
			}
			for endpoint, body := range samples {
				o.Samples[endpoint] = []string{body}
			}
			if role != "" {
				o.Accounts = []adapter.Account{{Name: "test", Role: event.Role(role), Settings: json.RawMessage(settings), Credentials: credentials}}
			}
			verdicts, err := app.Examine(c.Context(), host.Self, args[0], dir, o, slog.New(slog.DiscardHandler))
			if err != nil {
				return err
			}
			return printVerdicts(c, verdicts, asJSON)
		}}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON, a line a law")
	c.Flags().StringVar(&role, "role", "", "try this role only")
	c.Flags().StringVar(&settings, "settings", "{}", "the account's settings, as JSON")
	c.Flags().BoolVar(&ownPeople, "own-people", false, "the far side has people of its own, who may come unasked")
	c.Flags().StringVar(&testdata, "testdata", "", "folder of the adapter's scripts, laws.json, corpus.json and states")
	c.Flags().StringVar(&dir, "dir", "", "folder of the plugin; else beside the program, then PATH")
	c.Flags().StringSliceVar(&credentials, "credential", nil, "name of a credential the account has")
	c.Flags().StringToStringVar(&samples, "sample", nil, "a good body for an endpoint, ENDPOINT=BODY, with {key} for the key")
	return c
}

// lawOptions are those of the folder of an adapter's test data, where one is named.
func lawOptions(testdata string) (adaptertest.Options, error) {
	if testdata == "" {
		return adaptertest.Options{Samples: map[string][]string{}}, nil
	}
	if _, err := os.Stat(testdata); err != nil {
		return adaptertest.Options{}, fmt.Errorf("read the test data: %w", err)
	}
	o, err := adaptertest.ReadOptions(filepath.Join(testdata, "laws.json"))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return o, err
}

func printVerdicts(c *cobra.Command, verdicts []adaptertest.Verdict, asJSON bool) error {
	broken := 0
	out := json.NewEncoder(c.OutOrStdout())
	for _, v := range verdicts {
		line := law{Law: v.Law, Role: string(v.Account.Role), Kept: v.Err == nil}
		word := "kept"
		if v.Err != nil {
			broken++
			line.Reason, word = v.Err.Error(), "BROKEN"
		}
		if asJSON {
			if err := out.Encode(line); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(c.OutOrStdout(), "%-7s %-14s %-14s %s\n", word, line.Law, line.Role, line.Reason)
	}
	if broken > 0 {
		return fmt.Errorf("%d of %d laws broken", broken, len(verdicts))
	}
	return nil
}
