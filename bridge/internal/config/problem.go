package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one mistake in a configuration, for a person to mend.
type Problem struct {
	// File is the file as named to Load, or "environment NAME" for an override.
	File string
	// Line counts from 1; 0 where there is no line (an unreadable file, an override).
	Line int
	// Column counts bytes from 1; 0 except for broken syntax.
	Column int
	// Key is the dotted key, lists by index: routes[0].customer. Empty: the file as a whole.
	Key string
	// What is wrong.
	What string
	// Mend is how to put it right; may be empty.
	Mend string
}

// String gives the problem on one line: FILE:LINE: KEY: WHAT – mend: MEND.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d", p.Line)
	}
	if p.Column > 0 {
		fmt.Fprintf(&b, ":%d", p.Column)
	}
	if p.Key != "" {
		b.WriteString(": " + p.Key)
	}
	b.WriteString(": " + p.What)
	if p.Mend != "" {
		b.WriteString(" – mend: " + p.Mend)
	}
	return b.String()
}

// Warning is something that works but is probably not meant; show it and go on.
type Warning Problem

// String gives the warning on one line, as Problem does.
func (w Warning) String() string { return Problem(w).String() }

// Error is returned by Load and Parse: all that is wrong, in the order of the file, overrides last.
type Error struct {
	// Problems has at least one entry.
	Problems []Problem
}

// maxShown bounds the printed error; Problems has all of them.
const maxShown = 100

// Error gives one problem a line, the first hundred of them.
func (e *Error) Error() string {
	var b strings.Builder
	for i, p := range e.Problems {
		if i == maxShown {
			fmt.Fprintf(&b, "\nand %d more", len(e.Problems)-maxShown)
			break
		}
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(p.String())
	}
	return b.String()
}

// findings gathers what one reading finds.
type findings struct {
	where    locator
	problems []Problem
	warnings []Warning
}

func (f *findings) problem(key, what, mend string) {
	f.problems = append(f.problems, f.where.problem(key, what, mend))
}

func (f *findings) warn(key, what, mend string) {
	f.warnings = append(f.warnings, Warning(f.where.problem(key, what, mend)))
}

// err is nil, or an *Error with the problems in order.
func (f *findings) err() error {
	if len(f.problems) == 0 {
		return nil
	}
	slices.SortStableFunc(f.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(order(a), order(b)), cmp.Compare(a.Key, b.Key))
	})
	return &Error{Problems: f.problems}
}

func order(p Problem) int {
	if p.Line == 0 {
		return 1 << 30
	}
	return p.Line
}

// locator knows where each key stands.
type locator struct {
	file      string
	lines     map[string]int    // key → line
	overrides map[string]string // key → environment variable
}

func (l locator) problem(key, what, mend string) Problem {
	p := Problem{File: l.file, Key: key, What: what, Mend: mend}
	if variable, ok := l.overrides[key]; ok {
		p.File = "environment " + variable
		return p
	}
	p.Line = l.line(key)
	return p
}

// given tells whether the key itself was set.
func (l locator) given(key string) bool {
	_, overridden := l.overrides[key]
	_, stands := l.lines[key]
	return overridden || stands
}

// line is that of the key, or of the nearest table around it that stands in the file, or the first.
func (l locator) line(key string) int {
	for key != "" {
		if line, ok := l.lines[key]; ok {
			return line
		}
		key = around(key)
	}
	return 1
}

// around is the key of the table or list a key lies in, empty at the top.
func around(key string) string { return key[:max(0, strings.LastIndexAny(key, ".["))] }
