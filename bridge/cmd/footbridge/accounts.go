package main

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/footbridge/footbridge/bridge/internal/api"
	"github.com/footbridge/footbridge/bridge/internal/breaker"
)

func accountsCommand() *cobra.Command {
	c := &cobra.Command{Use: "accounts", Short: "How the accounts stand, and which take what is new",
		Long: `List the accounts of a running bridge, or let one take nothing new: no conversation
begins with a drained account and no hand-off goes to it, but what it has goes on. It
stays drained, through restarts, until it is resumed. verify asks the vendor itself,
and needs no bridge that runs.`,
		Example: "  footbridge accounts\n  footbridge accounts drain studio\n  footbridge accounts resume studio\n  footbridge accounts verify studio"}
	l := listing{path: "/accounts", roles: staff(), head: []string{"ACCOUNT", "ADAPTER", "ROLE", "STATE", "BREAKERS"},
		cells: cellsOf(func(a api.Account) []string {
			return []string{a.Name, a.Adapter, a.Role, accountState(a), openBreakers(a)}
		})}
	c.Args, c.RunE = noArgs, func(c *cobra.Command, _ []string) error { return l.print(c, nil) }
	linesFlag(c)
	remoteFlags(c)
	c.AddCommand(drainCommand("drain", "Let accounts take nothing new"), drainCommand("resume", "Let accounts take what is new again"), verifyCommand())
	return c
}

// accountState is what an operator should know of an account, in one cell.
func accountState(a api.Account) string {
	var words []string
	if a.Drained {
		words = append(words, "drained")
	}
	if !a.Ready {
		words = append(words, "not ready: "+a.Unready)
	}
	return cmp.Or(strings.Join(words, ", "), "ready")
}

// openBreakers are the hosts that are not called as usual now.
func openBreakers(a api.Account) string {
	var out []string
	for _, host := range slices.Sorted(maps.Keys(a.Breakers)) {
		if state := a.Breakers[host]; state != string(breaker.Closed) {
			out = append(out, host+" "+state)
		}
	}
	return strings.Join(out, ", ")
}

func drainCommand(name, short string) *cobra.Command {
	return &cobra.Command{Use: name + " NAME...", Short: short, Example: "  footbridge accounts " + name + " studio",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError{fmt.Errorf("name the accounts to %s", name)}
			}
			return nil
		},
		RunE: func(c *cobra.Command, accounts []string) error {
			r, err := dial(c, "operator")
			if err != nil {
				return err
			}
			for _, account := range accounts {
				var now api.Account
				if err := r.call(c.Context(), http.MethodPost, "/accounts/"+url.PathEscape(account)+"/"+name, nil, &now); err != nil {
					return fmt.Errorf("%s %s: %w", name, account, err)
				}
				fmt.Fprintf(c.OutOrStdout(), "%s  %s\n", now.Name, accountState(now))
			}
			return nil
		}}
}
