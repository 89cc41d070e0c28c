package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/footbridge/footbridge/bridge/internal/app"
)

func tokenCommand() *cobra.Command {
	c := &cobra.Command{Use: "token [NAME]", Short: "Print the links people sign in by",
		Long: `Print for each token of [[api.tokens]], or for one, the pages it opens. A token that
is not set is made, kept in the journal's folder for this account alone, and part of
the link: whoever has the link is signed in. The bridge need not run.`,
		Example: "  footbridge token\n  footbridge token desk\n  footbridge token desk --json",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usageError{fmt.Errorf("unexpected argument %q", args[1])}
			}
			return nil
		}, RunE: printTokens}
	linesFlag(c)
	return c
}

func printTokens(c *cobra.Command, args []string) error {
	all, err := app.SignIns(options(c), args...)
	if err != nil {
		return err
	}
	if asJSON, _ := c.Flags().GetBool("json"); asJSON {
		for _, s := range all {
			if err := json.NewEncoder(c.OutOrStdout()).Encode(s); err != nil {
				return err
			}
		}
		return nil
	}
	t := newTable(c.OutOrStdout(), "NAME", "ROLES", "AGENT", "TOKEN", "LINK")
	for _, s := range all {
		for _, link := range slices.Concat(s.Links, make([]string, max(0, 1-len(s.Links)))) {
			t.row(s.Name, strings.Join(s.Roles, ","), s.Agent, s.Token, link)
		}
	}
	return t.Flush()
}
