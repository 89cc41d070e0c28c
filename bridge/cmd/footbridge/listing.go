package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

// listing is a list of the running bridge as a command prints it: a table, or
// with --json the items as they came, a line each.
type listing struct {
	path  string
	head  []string
	cells func(json.RawMessage) ([]string, error)
	// roles are those that may read it.
	roles []string
}

// cellsOf reads an item and makes a row of it.
func cellsOf[T any](row func(T) []string) func(json.RawMessage) ([]string, error) {
	return func(item json.RawMessage) ([]string, error) {
		var v T
		if err := json.Unmarshal(item, &v); err != nil {
			return nil, err
		}
		return row(v), nil
	}
}

// command makes a command that prints the whole list, or its first items.
func (l listing) command(c *cobra.Command) *cobra.Command {
	c.Args = noArgs
	c.RunE = func(c *cobra.Command, _ []string) error { return l.print(c, nil) }
	limitFlag(c)
	linesFlag(c)
	return c
}

func linesFlag(c *cobra.Command) { c.Flags().Bool("json", false, "print JSON, a line an item") }

func limitFlag(c *cobra.Command) { c.Flags().Int("limit", 50, "the most to list; 0 is all") }

// print prints what the query leaves of the list.
func (l listing) print(c *cobra.Command, query url.Values) error {
	r, err := dial(c, l.roles...)
	if err != nil {
		return err
	}
	limit, _ := c.Flags().GetInt("limit")
	if asJSON, _ := c.Flags().GetBool("json"); asJSON {
		return r.list(c.Context(), l.path, query, limit, lines(c.OutOrStdout()))
	}
	t := newTable(c.OutOrStdout(), l.head...)
	err = r.list(c.Context(), l.path, query, limit, func(item json.RawMessage) error {
		cells, err := l.cells(item)
		if err == nil {
			t.row(cells...)
		}
		return err
	})
	if err != nil {
		return err
	}
	return t.Flush()
}

// table is columns under their names.
type table struct{ *tabwriter.Writer }

func newTable(to io.Writer, head ...string) table {
	t := table{tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)}
	t.row(head...)
	return t
}

// row adds a row; an empty cell is a dash.
func (t table) row(cells ...string) {
	for i, cell := range cells {
		cells[i] = orDash(oneLine(cell))
	}
	fmt.Fprintln(t, strings.Join(cells, "\t"))
}

// at is a time as tables have it.
func at(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// lines prints each item on a line of its own.
func lines(w io.Writer) func(json.RawMessage) error {
	return func(item json.RawMessage) error {
		_, err := fmt.Fprintln(w, string(item))
		return err
	}
}

// oneLine keeps text from looking like more than one line, or column.
func oneLine(s string) string { return strings.NewReplacer("\n", `\n`, "\t", `\t`).Replace(s) }

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
