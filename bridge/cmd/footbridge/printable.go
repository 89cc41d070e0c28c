package main

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// printable is the standard output. What could steer a terminal or turn the
// reading direction is written as its number, in a form that JSON strings have
// too; that which cannot be written is remembered.
type printable struct {
	to   io.Writer
	rest []byte // of a character cut in two
	err  error
}

// Write writes whole characters.
func (p *printable) Write(data []byte) (int, error) {
	if p.err != nil {
		return 0, p.err
	}
	all := append(p.rest, data...)
	whole := len(all)
	for back := 1; back < utf8.UTFMax && back <= len(all); back++ {
		if b := all[len(all)-back]; utf8.RuneStart(b) {
			if !utf8.FullRune(all[len(all)-back:]) {
				whole = len(all) - back
			}
			break
		}
	}
	p.rest = append([]byte(nil), all[whole:]...)
	if _, p.err = io.WriteString(p.to, visible(string(all[:whole]))); p.err != nil {
		return 0, p.err
	}
	return len(data), nil
}

func visible(s string) string {
	plain := func(r rune) bool { return r == '\n' || r == '\t' || r != utf8.RuneError && unicode.IsPrint(r) }
	if !strings.ContainsFunc(s, func(r rune) bool { return !plain(r) }) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case plain(r):
			b.WriteRune(r)
		case r > 0xffff:
			high, low := (r-0x10000)>>10+0xd800, (r-0x10000)&0x3ff+0xdc00
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}
