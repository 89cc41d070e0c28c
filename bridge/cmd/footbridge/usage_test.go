package main

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// wrongLines are mistakes on the command line, under the rows of the catalogue of bad
// input, and what must be said of them. FuzzArguments begins with them.
var wrongLines = []struct{ name, line, wanted string }{
	{"L1 nothing", "", "name a command"},
	{"L1 chek", "chek", "did you mean check?"},
	{"L1 srve --config x", "srve --config x", "did you mean serve?"},
	{"L1 frobnicate", "frobnicate", `unknown command "frobnicate"`},
	{"L1 check --confg x", "check --confg x", "did you mean --config?"},
	{"L1 check --strct", "check --strct", "did you mean --strict?"},
	{"L1 check --config", "check --config", "needs an argument"},
	{"L1 check extra", "check extra", `unexpected argument "extra"`},
	{"L1 serve -- extra", "serve -- extra", `unexpected argument "extra"`},
	{"L1 check --config a --config b", "check --config a --config b", "it is given twice"},
	{"L1 check --json --json", "check --json --json", "it is given twice"},
	{"L1 doctor -c a --config b", "doctor -c a --config b", "it is given twice"},
	{"L1 check --json=perhaps", "check --json=perhaps", "invalid"},
	{"L1 adapter tst", "adapter tst", "did you mean test?"},
	{"L1 adapter test", "adapter test", "name one adapter"},
	{"L1 dead-letters", "dead-letters", "name a command: list, replay"},
	{"L1 dead-letters lst", "dead-letters lst", "did you mean list?"},
	{"L1 dead-letters replay", "dead-letters replay", "name the dead letters"},
	{"L1 dead-letters replay a --all", "dead-letters replay a --all", "name the dead letters"},
	{"L6 dead-letters replay ../../accounts", "dead-letters replay ../../accounts", "is no id"},
	{"L6 dead-letters replay *", "dead-letters replay *", "is no id"},
	{"L6 conversations ..", "conversations ..", "is no id"},
	{"L1 conversations a b", "conversations a b", `unexpected argument "b"`},
	{"L1 erase whom standard input names", "conversations erase --customer - --reason r", "give --yes"},
	{"L1 conversations --url ftp://x", "conversations --url ftp://x", "is no address"},
	{"L2 version --token=hunter2", "version --token=hunter2", "secrets are not given on the command line"},
	{"L2 conversations --password hunter2", "conversations --password hunter2", "FOOTBRIDGE_TOKEN"},
	{"L1 completion fsh", "completion fsh", "did you mean fish?"},
	{"L6 escape codes", "conversations a\x1b[2Jb", "is no id"},
	{"L6 a flag of no text", "check -\x83", "unknown shorthand flag"},
	{"L6 a flag with escape codes", "check --\x1b[2J", "unknown flag"},
	{"L6 a line end", "conversations a\u0085b", "is no id"},
}

func arguments(line string) []string {
	return strings.FieldsFunc(line, func(r rune) bool { return r == ' ' })
}

// TestUsage: a mistake on the command line is told with what was meant, and the exit
// code 2.
func TestUsage(t *testing.T) {
	for _, c := range wrongLines {
		var out, errs bytes.Buffer
		code := run(arguments(c.line), &out, &errs)
		if said := errs.String(); code != exitUsage || !strings.Contains(said, c.wanted) || said != visible(said) || strings.Contains(said, "hunter2") {
			t.Errorf("%s: code %d, want %q: %s%q", c.name, code, c.wanted, out.String(), said)
		}
	}
}

// disarmed takes away what a command and those below it do.
func disarmed(c *cobra.Command) {
	for _, below := range c.Commands() {
		disarmed(below)
	}
	if c.RunE != nil && reflect.ValueOf(c.RunE).Pointer() != reflect.ValueOf(group).Pointer() {
		c.RunE = func(*cobra.Command, []string) error { return nil }
	}
}

// FuzzArguments: whatever stands on the command line is taken, or is a mistake of
// whoever wrote it, and told as one.
func FuzzArguments(f *testing.F) {
	for _, c := range wrongLines {
		f.Add(c.line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		root := command()
		disarmed(root)
		root.SetArgs(arguments(line))
		root.SetOut(io.Discard)
		root.SetErr(io.Discard)
		err := root.ExecuteContext(t.Context())
		var usage usageError
		if err != nil && !errors.As(err, &usage) {
			t.Fatalf("%q ends in %v", line, err)
		}
	})
}
