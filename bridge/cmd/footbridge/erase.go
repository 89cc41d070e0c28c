package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"github.com/footbridge/footbridge/bridge/internal/api"
)

// subject is whose data is exported or erased.
type subject struct{ api.DataSubject }

func (s subject) String() string {
	switch {
	case s.Conversation != "":
		return "conversation " + s.Conversation
	case s.Account != "":
		return fmt.Sprintf("all conversations of this customer at account %s", s.Account)
	}
	return "all conversations of this customer"
}

// subjectFlags reads a subject from the command line; read finishes it.
func subjectFlags(c *cobra.Command) (read func(*cobra.Command, []string) (subject, error)) {
	var s subject
	c.Flags().StringVar(&s.Customer, "customer", "", "all conversations of the customer with this id; - reads it from standard input")
	c.Flags().StringVar(&s.Account, "account", "", "of a customer of this account only")
	c.Flags().StringVar(&s.Reason, "reason", "", "why, for the audit trail; name nobody")
	c.Args = func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) > 1:
			return usageError{fmt.Errorf("unexpected argument %q", args[1])}
		case (len(args) == 0) == (s.Customer == ""):
			return usageError{errors.New("name a conversation, or --customer")}
		case strings.TrimSpace(s.Reason) == "":
			return usageError{errors.New("say why with --reason")}
		case len(args) == 1:
			return checkID(args[0])
		}
		return nil
	}
	return func(c *cobra.Command, args []string) (subject, error) {
		if len(args) == 1 {
			s.Conversation = args[0]
		}
		if s.Customer == "-" {
			var err error
			if s.Customer, err = typed(c); s.Customer == "" {
				return s, fmt.Errorf("read the customer's id: %w", errors.Join(err, errors.New("there is none on standard input")))
			}
		}
		return s, nil
	}
}

func exportCommand() *cobra.Command {
	var to destination
	c := &cobra.Command{Use: "export [ID]", Short: "Write all there is of a conversation or a customer",
		Long: `Write all there is of a conversation, or of all conversations of a customer, as
JSON lines: what was said, what became of it, what vendors sent, and with --files the
files that were sent. It is recorded who asked, and why.`,
		Example: "  footbridge conversations export 01JZX3Q5T4K9 --reason 'request 7' --output ada.jsonl --files ada-files\n  footbridge conversations export --customer c-1 --account web --reason 'request 7'"}
	read := subjectFlags(c)
	c.Flags().StringVarP(&to.file, "output", "o", "", "a new file, readable by this account alone; else standard output")
	c.Flags().StringVar(&to.files, "files", "", "put the files that were sent into this new folder")
	c.RunE = func(c *cobra.Command, args []string) error {
		s, err := read(c, args)
		if err != nil {
			return err
		}
		r, err := dial(c, watchers()...)
		if err != nil {
			return err
		}
		left, err := r.exportTo(c, s, to)
		if err == nil && left > 0 {
			fmt.Fprintf(c.ErrOrStderr(), "footbridge: %d files are not in the export; their links are, for an hour; mend: give --files DIR\n", left)
		}
		return err
	}
	return c
}

func eraseCommand() *cobra.Command {
	var yes bool
	var to destination
	c := &cobra.Command{Use: "erase [ID]", Short: "Destroy a conversation, or all of a customer's, for good",
		Long: `End a conversation, or all conversations of a customer, and destroy their content
for good: the keys it is sealed with, what vendors know it by, its dead letters. That
it was erased, by whom and why stays in the audit trail. Erasing again changes
nothing. Backups made before still hold the keys until the next backup into the same
folder: see footbridge backup. With --customer - nothing can be asked: give --yes.`,
		Example: "  footbridge conversations erase 01JZX3Q5T4K9 --reason 'request 7'\n  footbridge conversations erase --customer c-1 --export ada.jsonl --files ada-files --reason 'request 7' --yes"}
	read := subjectFlags(c)
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	c.Flags().StringVar(&to.file, "export", "", "write everything into this new file before")
	c.Flags().StringVar(&to.files, "files", "", "with --export: the files that were sent into this new folder")
	named := c.Args
	c.Args = func(c *cobra.Command, args []string) error {
		if c.Flag("customer").Value.String() == "-" && !yes {
			return usageError{errors.New("--customer - reads standard input, where the question would be answered; mend: give --yes")}
		}
		return named(c, args)
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		s, err := read(c, args)
		if err != nil {
			return err
		}
		r, err := dial(c, watchers()...)
		if err != nil {
			return err
		}
		if !yes && !agreed(c, "Nothing brings this back. Erase "+s.String()+"?") {
			return errors.New("nothing was erased; mend: answer y, or give --yes")
		}
		if err := r.exportBefore(c, s, to); err != nil {
			return fmt.Errorf("nothing was erased: %w", err)
		}
		return r.erase(c, s)
	}
	return c
}

// exportBefore exports what is to be erased, where that is asked for: whole.
func (r *remote) exportBefore(c *cobra.Command, s subject, to destination) error {
	if to.file == "" && to.files == "" {
		return nil
	}
	if to.file == "" {
		return errors.New("--files goes with --export; mend: give both")
	}
	left, err := r.exportTo(c, s, to)
	if err == nil && left > 0 && to.files == "" {
		err = fmt.Errorf("%d files are not in the export %s; mend: remove it and give --files DIR, or erase without --export", left, to.file)
	}
	return err
}

func (r *remote) erase(c *cobra.Command, s subject) error {
	resp, err := r.post(c, "/erasures", s)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var done api.Erasure
	if err := json.NewDecoder(resp.Body).Decode(&done); err != nil {
		return fmt.Errorf("read the answer: %w; mend: erase again", err)
	}
	for _, id := range done.Erased {
		fmt.Fprintf(c.OutOrStdout(), "%s  erased\n", id)
	}
	if len(done.Erased) == 0 {
		return errors.New("this customer has no conversation that can be read; mend: see the id with footbridge conversations --json")
	}
	return nil
}

// post sends a subject and gives an answer that is not refused. It may take as
// long as it takes: an interrupt ends it.
func (r *remote) post(c *cobra.Command, path string, s subject) (*http.Response, error) {
	body, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(c.Context(), http.MethodPost, r.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("call %s: %w", path, err)
	}
	req.Header.Set("Content-Type", "application/json")
	patient := *r.client
	patient.Timeout = 0
	return r.ask(&patient, req)
}
