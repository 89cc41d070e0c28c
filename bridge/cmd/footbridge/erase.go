package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
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
	var file string
	c := &cobra.Command{Use: "export [ID]", Short: "Write all there is of a conversation or a customer",
		Long: `Write all there is of a conversation, or of all conversations of a customer, as
JSON lines: what was said, what became of it, what vendors sent. It is recorded who
asked, and why.`,
		Example: "  footbridge conversations export 01JZX3Q5T4K9 --reason 'request 7' --output ada.jsonl\n  footbridge conversations export --customer c-1 --account web --reason 'request 7'"}
	read := subjectFlags(c)
	c.Flags().StringVarP(&file, "output", "o", "", "a new file, readable by this account alone; else standard output")
	c.RunE = func(c *cobra.Command, args []string) error {
		s, err := read(c, args)
		if err != nil {
			return err
		}
		r, err := dial(c, watchers()...)
		if err != nil {
			return err
		}
		return r.exportTo(c, s, file)
	}
	return c
}

// exportTo writes an export into a new file, or "" to the output. One that was
// cut short leaves no file.
func (r *remote) exportTo(c *cobra.Command, s subject, file string) error {
	if file == "" {
		return r.export(c, s, c.OutOrStdout())
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("make the file: %w", err)
	}
	err = r.export(c, s, f)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(file))
	}
	return nil
}

func (r *remote) export(c *cobra.Command, s subject, to io.Writer) error {
	resp, err := r.post(c, "/exports", s)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	last := &lastLine{to: to}
	if _, err := io.Copy(last, resp.Body); err != nil {
		return fmt.Errorf("read the export: %w", err)
	}
	var end struct{ Type string }
	if json.Unmarshal(last.line, &end) != nil || end.Type != "end" {
		return errors.New("the export was cut short; mend: look into the bridge's log and export again")
	}
	return nil
}

// lastLine passes on what is written and remembers its last line.
type lastLine struct {
	to   io.Writer
	line []byte
}

// Write passes whole pieces on.
func (l *lastLine) Write(p []byte) (int, error) {
	l.line = append(l.line, p...)
	if i := bytes.LastIndexByte(bytes.TrimSuffix(l.line, []byte("\n")), '\n'); i >= 0 {
		l.line = append([]byte(nil), l.line[i+1:]...)
	}
	return l.to.Write(p)
}

func eraseCommand() *cobra.Command {
	var yes bool
	var file string
	c := &cobra.Command{Use: "erase [ID]", Short: "Destroy a conversation, or all of a customer's, for good",
		Long: `End a conversation, or all conversations of a customer, and destroy their content
for good: the keys it is sealed with, what vendors know it by, its dead letters. That
it was erased, by whom and why stays in the audit trail. Erasing again changes
nothing. Backups made before still hold the keys until the next backup into the same
folder: see footbridge backup.`,
		Example: "  footbridge conversations erase 01JZX3Q5T4K9 --reason 'request 7'\n  footbridge conversations erase --customer c-1 --export ada.jsonl --reason 'request 7' --yes"}
	read := subjectFlags(c)
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	c.Flags().StringVar(&file, "export", "", "write everything into this new file before")
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
		if file != "" {
			if err := r.exportTo(c, s, file); err != nil {
				return fmt.Errorf("nothing was erased: %w", err)
			}
		}
		return r.erase(c, s)
	}
	return c
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
