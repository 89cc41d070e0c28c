package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/footbridge/footbridge/bridge/internal/app"
)

// oneFolder wants the one argument a backup command has.
func oneFolder(_ *cobra.Command, args []string) error {
	switch len(args) {
	case 0:
		return usageError{errors.New("name the backup's folder")}
	case 1:
		return nil
	}
	return usageError{fmt.Errorf("unexpected argument %q", args[1])}
}

func backupCommand() *cobra.Command {
	var b app.BackingUp
	c := &cobra.Command{Use: "backup DIR", Short: "Copy the journal and its files while the bridge runs", Args: oneFolder,
		Long: `Copy the journal of the configuration into a folder, while the bridge may be running:
one copy of this moment, journal-TIME.db, beside it journal.keys, the keys its content
is sealed with, and media, the files of conversations, sealed too. Copies hold no keys and are never changed; journal.keys is
replaced by every backup. So whoever was erased since cannot be read in any copy of
the folder, however old. Keep only the newest journal.keys.

The keys are wrapped by the master key, which is not in the backup: keep master.key of
the journal's folder elsewhere. Without it nothing of the backup can be read.`,
		Example: "  footbridge backup /backup/footbridge\n  footbridge backup /backup/footbridge --keys-only   # after an erasure",
		RunE: func(c *cobra.Command, args []string) error {
			b.Into = args[0]
			name, err := app.BackUp(c.Context(), options(c), b)
			if err != nil {
				return err
			}
			if name == "" {
				name = "journal.keys replaced"
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), name)
			return err
		}}
	c.Flags().BoolVar(&b.KeysOnly, "keys-only", false, "make no new copy, replace the keys: what was erased is gone from the old copies")
	c.Flags().BoolVar(&b.MasterKey, "include-master-key", false, "put the master key in too: whoever has the folder can then read everything")
	return c
}

func restoreCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{Use: "restore DIR|FILE", Short: "Make the journal and its files from a backup", Args: oneFolder,
		Long: `Make the journal of the configuration from a backup: from its newest copy, or from the
copy that is named. What was erased since that copy was made is erased in it too, and
everything is verified. The bridge must not be running, and the journal's folder must
have no journal; its master.key must be the one of then.`,
		Example: "  footbridge restore /backup/footbridge --config config.toml\n  footbridge restore /backup/footbridge/journal-20261120T100000.000Z.db",
		RunE: func(c *cobra.Command, args []string) error {
			r, err := app.Restore(c.Context(), options(c), args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(c.OutOrStdout()).Encode(r)
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "restored %s: %d conversations, %d erased since, all verified\n", r.From, r.Conversations, r.Erased)
			return err
		}}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}
