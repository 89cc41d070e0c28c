package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/footbridge/footbridge/bridge/internal/api"
)

func deadLettersCommand() *cobra.Command {
	c := &cobra.Command{Use: "dead-letters", Short: "Inputs whose turn failed for good",
		Long: `List the inputs whose turn failed for good, or give them to their conversation
again once what was wrong is mended. Replaying one twice changes nothing.`,
		Example: "  footbridge dead-letters list\n  footbridge dead-letters replay 01JZX3Q5T4K9",
		RunE:    group}
	remoteFlags(c)
	c.AddCommand(listDeadLettersCommand(), replayCommand())
	return c
}

func listDeadLettersCommand() *cobra.Command {
	l := listing{path: "/dead-letters", roles: watchers(), head: []string{"ID", "AT", "ACCOUNT", "ADAPTER", "REPLAYED", "REASON"},
		cells: cellsOf(func(l api.DeadLetter) []string {
			replayed := ""
			if l.Replayed != nil {
				replayed = at(*l.Replayed)
			}
			return []string{l.ID, at(l.At), l.Account, strings.TrimSpace(l.Adapter + " " + l.Version), replayed, l.Reason}
		})}
	return l.command(&cobra.Command{Use: "list", Short: "List dead letters, newest first",
		Example: "  footbridge dead-letters list --json"})
}

func replayCommand() *cobra.Command {
	var all, yes bool
	c := &cobra.Command{Use: "replay ID...", Short: "Give dead letters to their conversation again",
		Example: "  footbridge dead-letters replay 01JZX3Q5T4K9\n  footbridge dead-letters replay --all --yes",
		Args: func(_ *cobra.Command, args []string) error {
			if (len(args) == 0) != all {
				return usageError{errors.New("name the dead letters, or --all")}
			}
			for _, id := range args {
				if err := checkID(id); err != nil {
					return err
				}
			}
			return nil
		},
		RunE: func(c *cobra.Command, ids []string) error {
			r, err := dial(c, "operator")
			if err != nil {
				return err
			}
			if all {
				if ids, err = unreplayed(c, r); err != nil {
					return err
				}
				if len(ids) > 0 && !yes && !agreed(c, fmt.Sprintf("Dead letters to replay: %d. Go on?", len(ids))) {
					return errors.New("nothing was replayed; mend: answer y, or give --yes")
				}
			}
			return replay(c, r, ids)
		}}
	c.Flags().BoolVar(&all, "all", false, "all that were not replayed yet")
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return c
}

// replay replays each and goes on after one that cannot be.
func replay(c *cobra.Command, r *remote, ids []string) error {
	failed := 0
	for _, id := range ids {
		var done api.Replayed
		err := r.call(c.Context(), http.MethodPost, "/dead-letters/"+id+"/replay", nil, &done)
		word := "replayed"
		switch {
		case isRefused(err, "already_replayed"):
			word = "was replayed before"
		case c.Context().Err() != nil:
			return errors.New("interrupted; mend: run it again, what was replayed stays so")
		case err != nil:
			failed++
			word = "not replayed: " + err.Error()
		}
		fmt.Fprintf(c.OutOrStdout(), "%s  %s\n", id, word)
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d dead letters not replayed", failed, len(ids))
	}
	return nil
}

// unreplayed lists what is still to be replayed, the oldest first: so a
// conversation gets its inputs in their order.
func unreplayed(c *cobra.Command, r *remote) ([]string, error) {
	var ids []string
	err := r.list(c.Context(), "/dead-letters", nil, 0, func(item json.RawMessage) error {
		var l api.DeadLetter
		err := json.Unmarshal(item, &l)
		if err == nil && l.Replayed == nil {
			ids = append(ids, l.ID)
		}
		return err
	})
	slices.Reverse(ids)
	return ids, err
}

// agreed asks the person at the terminal.
func agreed(c *cobra.Command, question string) bool {
	fmt.Fprint(c.ErrOrStderr(), question, " [y/N] ")
	answer, _ := typed(c)
	return strings.EqualFold(answer, "y")
}

// typed reads a line of standard input, without the space around it, unless an
// interrupt comes first.
func typed(c *cobra.Command) (string, error) {
	var text string
	var err error
	read := make(chan struct{})
	go func() {
		defer close(read)
		text, err = bufio.NewReader(c.InOrStdin()).ReadString('\n')
	}()
	select {
	case <-read:
		return strings.TrimSpace(text), err
	case <-c.Context().Done():
		return "", c.Context().Err()
	}
}
