package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/api"
)

func traceCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{Use: "trace ID", Short: "How a conversation went: frames, events, what was sent",
		Long: `Show how a conversation went, turn by turn: what a vendor sent, the events it
became and where they went, what was sent and how that ended, and what changed. It is
kept as long as raw frames are ([retention] raw). The console draws the same.`,
		Example: "  footbridge trace 01JZX3Q5T4K9\n  footbridge trace 01JZX3Q5T4K9 --json",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError{fmt.Errorf("name one conversation; footbridge conversations lists them")}
			}
			return checkID(args[0])
		},
		RunE: func(c *cobra.Command, args []string) error {
			r, err := dial(c, "supervisor", "operator")
			if err != nil {
				return err
			}
			path := "/conversations/" + args[0] + "/trace"
			if asJSON {
				return r.list(c.Context(), path, nil, 0, lines(c.OutOrStdout()))
			}
			return printTrace(c, r, path)
		}}
	remoteFlags(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON, a turn a line")
	return c
}

// printTrace prints the turns with the names of their legs' accounts.
func printTrace(c *cobra.Command, r *remote, path string) error {
	var head api.Trace
	if err := r.call(c.Context(), "GET", path, map[string][]string{"limit": {"1"}}, &head); err != nil {
		return err
	}
	t := tracer{out: c.OutOrStdout(), names: map[string]string{}}
	for _, l := range head.Legs {
		t.names[l.ID] = l.Account
	}
	for _, e := range head.Untold {
		t.line(e.Event.Time, "", t.event(e))
	}
	return r.list(c.Context(), path, nil, 0, func(item json.RawMessage) error {
		var turn api.TraceTurn
		if err := json.Unmarshal(item, &turn); err != nil {
			return err
		}
		t.turn(turn)
		return nil
	})
}

// tracer prints turns for people.
type tracer struct {
	out   io.Writer
	names map[string]string
}

func (t tracer) name(leg string) string { return cmp.Or(t.names[leg], leg, "bridge") }

func (t tracer) line(at time.Time, who, what string) {
	fmt.Fprintf(t.out, "%s  %-22s %s\n", at.UTC().Format("15:04:05.000"), who, strings.TrimSpace(oneLine(what)))
}

func (t tracer) turn(turn api.TraceTurn) {
	at, in, out := turn.At, t.name(turn.Leg)+" → bridge", "bridge → "+t.name(turn.Leg)
	if f := turn.Frame; f != nil && turn.Kind == "frame" {
		words := cmp.Or(string(f.Body), f.Text)
		t.line(f.Received, in, strings.Join([]string{f.Method, cmp.Or(f.Endpoint, "(no longer kept)"), f.Connection, f.Event, words}, " "))
	}
	if e := turn.Ended; e != nil {
		again := ""
		if e.Attempt > 1 {
			again = fmt.Sprintf(", try %d", e.Attempt)
		}
		if e.MaybeDuplicate {
			again += ", maybe twice"
		}
		status := ""
		if e.Status != 0 {
			status = fmt.Sprint(e.Status)
		}
		way := in
		if turn.Kind != "frame" && turn.Kind != "result" {
			way = out
		}
		t.line(at, way, fmt.Sprintf("%s %s%s %s", turn.Kind, strings.TrimSpace(status+" "+e.Reason), again, cmp.Or(string(e.Body), e.Text)))
	}
	for _, e := range turn.Events {
		t.line(at, "", t.event(e))
	}
	if turn.Before != turn.After {
		t.line(at, "", fmt.Sprintf("state %s → %s, owner %s → %s", orDash(turn.Before.State), orDash(turn.After.State),
			orDash(string(turn.Before.Owner)), orDash(string(turn.After.Owner))))
	}
	for _, s := range turn.Sent {
		t.line(at, out, strings.Join([]string{s.Kind, s.Method, s.URL, cmp.Or(string(s.Body), s.Text)}, " "))
	}
	if d := turn.DeadLetter; d != nil {
		t.line(at, in, "dead letter "+d.ID+": "+d.Reason)
	}
}

// event is an event with where it went.
func (t tracer) event(e api.TraceEvent) string {
	words := ""
	if m, ok := e.Event.Body.(event.MessageCreated); ok {
		words = fmt.Sprintf(" %q", codec.Plain(m.Content))
	}
	var ends []string
	for _, d := range e.Deliveries {
		ends = append(ends, strings.TrimSpace(t.name(d.Leg)+" "+d.Outcome+" "+d.Reason))
	}
	to := ""
	if len(ends) > 0 {
		to = " → " + strings.Join(ends, ", ")
	}
	return fmt.Sprintf("%s %s%s%s", e.Event.Actor.Role, e.Event.Kind(), words, to)
}
