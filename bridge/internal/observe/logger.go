package observe

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxValue = 8 << 10   // bytes of one value in the log
	maxInput = 256 << 10 // bytes of one value that are looked at
	maxTail  = 128 << 10 // bytes at the end of those that may be the half of a secret, in its longest form
	maxDepth = 8         // of groups in groups
	cutMark  = " [cut]"
)

// Redactor takes secrets out of a text. It is used from many goroutines, and must itself return something harmless when
// it fails.
type Redactor interface{ Redact(string) string }

// NewLogger makes the program's one logger; r must not be nil. Format json writes a JSON object a line, any other format key=value text.
// Everything that is printed (the line's text, keys, strings, errors, Stringers, any other value) passes the redactor,
// then has control characters and invisible ones (also those that turn the reading direction) escaped, and is cut at
// 8 KiB. A line that cannot be cleaned is not written, and dropped, which may be nil,
// is called. Pass it on to the standard library's own loggers with slog.NewLogLogger.
func NewLogger(w io.Writer, format string, level slog.Level, r Redactor, dropped func()) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if format == "json" {
		return slog.New(cleaner{slog.NewJSONHandler(w, options), r, dropped})
	}
	return slog.New(cleaner{slog.NewTextHandler(w, options), r, dropped})
}

// cleaner is a handler that hands on nothing as it came.
type cleaner struct {
	next     slog.Handler
	redactor Redactor
	dropped  func()
}

// Enabled reports whether the level is logged.
func (c cleaner) Enabled(ctx context.Context, level slog.Level) bool {
	return c.next.Enabled(ctx, level)
}

// Handle writes a cleaned copy of the record, or nothing.
func (c cleaner) Handle(ctx context.Context, record slog.Record) error {
	defer c.failClosed()
	clean := slog.NewRecord(record.Time, record.Level, c.text(record.Message), record.PC)
	record.Attrs(func(a slog.Attr) bool {
		clean.AddAttrs(c.attr(a, 0))
		return true
	})
	return c.next.Handle(ctx, clean)
}

// failClosed drops a line whose cleaning went wrong, and counts it.
func (c cleaner) failClosed() {
	if recover() != nil && c.dropped != nil {
		c.dropped()
	}
}

// WithAttrs cleans the attributes once, for all lines that will carry them. Those
// that cannot be cleaned are left out.
func (c cleaner) WithAttrs(attrs []slog.Attr) (with slog.Handler) {
	with = c
	defer c.failClosed()
	return cleaner{c.next.WithAttrs(c.attrs(attrs, 0)), c.redactor, c.dropped}
}

// WithGroup cleans the name of the group.
func (c cleaner) WithGroup(name string) slog.Handler {
	return cleaner{c.next.WithGroup(c.text(name)), c.redactor, c.dropped}
}

func (c cleaner) attrs(attrs []slog.Attr, depth int) []slog.Attr {
	clean := slices.Clone(attrs)
	for i := range clean {
		clean[i] = c.attr(clean[i], depth)
	}
	return clean
}

func (c cleaner) attr(a slog.Attr, depth int) slog.Attr {
	if a.Equal(slog.Attr{}) {
		return a // handlers leave it out
	}
	return slog.Attr{Key: c.text(a.Key), Value: c.value(a.Value.Resolve(), depth)}
}

func (c cleaner) value(v slog.Value, depth int) slog.Value {
	switch v.Kind() {
	case slog.KindGroup:
		if depth == maxDepth {
			return slog.StringValue("[too deep]")
		}
		return slog.GroupValue(c.attrs(v.Group(), depth+1)...)
	case slog.KindString:
		return slog.StringValue(c.text(v.String()))
	case slog.KindAny:
		return slog.StringValue(c.text(render(v.Any())))
	}
	// A number or a time stays what it is, unless it is a secret.
	if plain := v.String(); c.redactor.Redact(plain) != plain {
		return slog.StringValue(c.text(plain))
	}
	return v
}

// render prints a value as a person would want to read it. A method of it that panics is caught by fmt.
func render(v any) string {
	switch v := v.(type) {
	case []byte:
		return string(v)
	case error, fmt.Stringer:
		return fmt.Sprintf("%v", v)
	}
	return fmt.Sprintf("%+v", v)
}

func (c cleaner) text(s string) string { return cleanText(s, c.redactor) }

// cleanText makes a text from anywhere fit to be shown.
func cleanText(s string, r Redactor) string {
	tooLong := len(s) > maxInput
	if tooLong {
		s = r.Redact(s[:maxInput])
		s = s[:max(0, len(s)-maxTail)]
	} else {
		s = r.Redact(s)
	}
	s = escape(s)
	if len(s) > maxValue || tooLong {
		s = cut(s, maxValue) + cutMark
	}
	return s
}

// cut shortens s to at most n bytes, between characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// escape writes every character that does not show as itself, and every byte that is no character, as its code.
func escape(s string) string {
	if !strings.ContainsFunc(s, hidden) {
		return s
	}
	var out strings.Builder
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"):
			fmt.Fprintf(&out, `\x%02x`, s[i])
		case !hidden(r):
			out.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&out, `\U%08x`, r)
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
	}
	return out.String()
}

// hidden holds for control characters, format characters (bidi marks, zero-width ones), line and paragraph separators,
// and for what stands for a broken byte.
func hidden(r rune) bool {
	return r == utf8.RuneError || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}
