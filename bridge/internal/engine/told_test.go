package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/engine"
)

// told is what the commits of a conversation were, one a line.
func (r *rig) told(id string) []string {
	r.t.Helper()
	var lines []string
	for i, t := range r.disk.turns(id) {
		told, ok := engine.ReadTold(t.Data)
		if !ok {
			r.t.Fatalf("turn %d cannot be read: %s", i, t.Data)
		}
		c := told.Cause
		line := []string{c.Kind}
		for name, part := range map[string]bool{"frame": c.Frame != "", "event": c.Event != "", "of": c.Of != ""} {
			if part {
				line = append(line, name)
			}
		}
		slices.Sort(line[1:])
		if c.Attempt > 0 || c.Reason != "" || c.Status > 0 {
			line = append(line, fmt.Sprintf("%d %d%s", c.Attempt, c.Status, c.Reason))
		}
		if told.Events > 0 {
			line = append(line, fmt.Sprintf("events %d-%d", told.First, told.First+told.Events-1))
		}
		for _, s := range told.Sent {
			line = append(line, strings.TrimSpace(s.Kind+" "+s.URL+" "+string(s.Data)))
		}
		if told.Dead != nil {
			line = append(line, "dead: "+told.Dead.Reason)
		}
		if told.Before != told.After {
			line = append(line, fmt.Sprintf("%s/%s>%s/%s", told.Before.State, told.Before.Owner, told.After.State, told.After.Owner))
		}
		lines = append(lines, strings.Join(line, "|"))
	}
	return lines
}

// Every commit tells what it was: what came, what left, each try and its end, and
// what it changed.
func TestWhatCommitsWere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.open()
		id := r.active()
		r.arrive(inbound(), "s1", "hello")
		r.far.will(status(502), reason(adapter.ReasonRefused))
		pass(time.Second)
		r.say(id, "hi")
		pass(time.Minute)
		r.arrive(inbound(), "s1", "poison")
		r.letters(1)
		r.must(id, event.MessageRead{Message: r.events(id)[0].ID}) // nothing leaves
		pass(time.Minute)
		want := []string{
			"open|events 1-1|/>automated/virtual_agent",
			"frame|frame|events 2-2|automated/virtual_agent>requested/",
			"deliver|event",
			"command|events 3-3|requested/>active/live_agent",
			"deliver|event|answer",
			"written|frame|0 0written",
			"frame|frame|events 4-4",
			"command|events 5-5",
			"deliver|event|call http://vendor/out hi",
			"try|of|2 502",
			"try|of|3 0refused",
			"result|of|3 200",
			"frame|frame|dead: cannot read this",
			"command|events 6-6",
			"deliver|event",
		}
		got := r.told(id)
		if !slices.Equal(got, want) {
			t.Errorf("told\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}
