package main

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// usageError is a mistake in the command line.
type usageError struct{ error }

// group runs a command that only has others below it.
func group(c *cobra.Command, args []string) error {
	var names []string
	for _, below := range c.Commands() {
		if below.IsAvailableCommand() {
			names = append(names, below.Name())
		}
	}
	if len(args) == 0 {
		_ = c.Help()
		return usageError{errors.New("name a command: " + strings.Join(names, ", "))}
	}
	return usageError{fmt.Errorf("unknown command %q for %q%s", args[0], c.CommandPath(), meant("", args[0], names))}
}

func noArgs(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("unexpected argument %q", args[0])}
	}
	return nil
}

//nolint:gochecknoglobals // never written.
var (
	unknownFlag = regexp.MustCompile(`^unknown flag: --(.*)$`)
	secretFlag  = regexp.MustCompile(`token|secret|password|key|credential`)
)

// flagError says what is wrong with a flag, and which one was probably meant. A
// secret has no flag: every account of the machine can read a command line.
func flagError(c *cobra.Command, err error) error {
	found := unknownFlag.FindStringSubmatch(err.Error())
	if found == nil {
		return usageError{err}
	}
	if secretFlag.MatchString(found[1]) {
		return usageError{fmt.Errorf("%w: secrets are not given on the command line, where others can read them; mend: set FOOTBRIDGE_TOKEN, or name env:NAME or file:PATH in the configuration", err)}
	}
	var names []string
	c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	return usageError{fmt.Errorf("%w%s", err, meant("--", found[1], names))}
}

// single is a flag's value that is given once.
type single struct {
	pflag.Value
	given bool
}

// Set refuses a second value: of two customers to erase, or two files, one would be
// passed over without a word.
func (s *single) Set(text string) error {
	if s.given {
		return errors.New("it is given twice")
	}
	s.given = true
	return s.Value.Set(text)
}

// once lets every flag of the command, and of those below it, be given once.
func once(c *cobra.Command) {
	for _, set := range []*pflag.FlagSet{c.Flags(), c.PersistentFlags()} {
		set.VisitAll(func(f *pflag.Flag) { f.Value = &single{Value: f.Value} })
	}
	for _, below := range c.Commands() {
		once(below)
	}
}

// meant suggests the known name that is nearest, "" where none is near.
func meant(prefix, name string, known []string) string {
	best, least := "", max(2, len(name)/3)+1
	for _, k := range slices.Sorted(slices.Values(known)) {
		d := distance(name, k)
		if len(name) > 1 && strings.HasPrefix(k, name) {
			d = 1
		}
		if d < least {
			best, least = k, d
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + prefix + best + "?"
}

// distance is how many letters must be changed, put in or taken out.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := before
			if a[i] != b[j] {
				change++
			}
			before = row[j+1]
			row[j+1] = min(change, row[j]+1, before+1)
		}
	}
	return row[len(b)]
}
