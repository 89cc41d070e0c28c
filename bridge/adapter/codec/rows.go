package codec

import (
	"fmt"
	"strconv"
	"strings"
)

// Rows is a setting that says something for each of several names, such as the team of
// a queue: rows of NAME=VALUE, where the name "*" is every one that has no row.
type Rows []string

// Value gives what stands for a name, or for "*"; false where neither has a row.
func (r Rows) Value(name string) (string, bool) {
	for _, wanted := range []string{name, "*"} {
		for _, row := range r {
			if found, value, ok := strings.Cut(row, "="); ok && found == wanted && wanted != "" {
				return value, true
			}
		}
	}
	return "", false
}

// CheckNumbers refuses rows whose value is no number above 0. setting is the setting's
// name, for the error people read.
func (r Rows) CheckNumbers(setting string) error {
	for _, row := range r {
		if name, value, ok := strings.Cut(row, "="); !ok || name == "" || NumberID(value) == 0 {
			return fmt.Errorf("setting %s has %q: use QUEUE=NUMBER, such as billing=4", setting, row)
		}
	}
	return nil
}

// NumberID is a whole number above 0 as vendors write their ids, or 0 for anything else.
func NumberID(text string) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}
