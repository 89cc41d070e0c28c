package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"syscall"
	"unicode"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"
)

// maxFile is far beyond any real configuration.
const maxFile = 1 << 20

// read fetches the file's bytes. It does not wait on a pipe nobody writes to.
func read(path string) ([]byte, *Problem) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, unreadable(path, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, unreadable(path, err)
	}
	if !info.Mode().IsRegular() {
		what := fmt.Sprintf("is %s, not a file", fileKind(info.Mode()))
		return nil, &Problem{File: path, What: what, Mend: "give the path of a configuration file with --config"}
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, unreadable(path, err)
	}
	return data, nil
}

func unreadable(path string, err error) *Problem {
	mend := "make the file readable for this process"
	if errors.Is(err, fs.ErrNotExist) {
		mend = "copy config.example.toml there, or give another path with --config"
	}
	var cause *fs.PathError
	if errors.As(err, &cause) {
		err = cause.Err
	}
	return &Problem{File: path, What: "cannot be read: " + err.Error(), Mend: mend}
}

func fileKind(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "a folder"
	case mode&fs.ModeNamedPipe != 0:
		return "a pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	default:
		return "a device"
	}
}

// inspect refuses bytes that no parser should see.
func inspect(name string, data []byte) *Problem {
	problem := func(line int, what, mend string) *Problem {
		return &Problem{File: name, Line: line, What: what, Mend: mend}
	}
	switch {
	case len(data) > maxFile:
		return problem(1, "is larger than 1 MiB", "keep only settings in it")
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		return problem(1, "begins with a byte order mark", "save it as UTF-8 without BOM")
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		return problem(1, "is UTF-16", "save it as UTF-8 without BOM")
	case !utf8.Valid(data):
		return problem(invalidLine(data), "is not UTF-8", "save it as UTF-8")
	case blank(data):
		return problem(1, "is empty", "copy config.example.toml and change it")
	}
	return nil
}

func invalidLine(data []byte) int {
	rest := data
	for {
		r, size := utf8.DecodeRune(rest)
		if r == utf8.RuneError && size <= 1 {
			return 1 + bytes.Count(data[:len(data)-len(rest)], []byte("\n"))
		}
		rest = rest[size:]
	}
}

// blank tells whether there is nothing but white space and comments.
func blank(data []byte) bool {
	for line := range bytes.Lines(data) {
		line = bytes.TrimSpace(line)
		if len(line) > 0 && line[0] != '#' {
			return false
		}
	}
	return true
}

var assignment = regexp.MustCompile(`^\s*([A-Za-z0-9_.-]+)\s*=`)

// syntaxMends are tried in order against the parser's words.
//
//nolint:gochecknoglobals // a table that is never written.
var syntaxMends = []struct{ says, mend string }{
	{"already", "write each table and each key once"},
	{"should be", "write each table and each key once"},
	{"strings must be quoted", `put the text in quotes: "…"`},
	{"at start of value", `put text in quotes: "…"; numbers, true and false stand bare`},
	{"expected newline", `put one setting on a line, text in quotes: key = "…"`},
	{"expected '='", `write a setting as key = value`},
	{"unterminated", "close the quotes on the same line"},
	{"new line", "close the quotes on the same line"},
	{"incomplete", "close the list or table"},
	{"']'", "close the bracket"},
	{"escape", `write a backslash as \\, or use single quotes`},
	{"digit", "write numbers bare, durations and everything else in quotes"},
	{"number", "write a number that fits 64 bits"},
}

// syntaxProblem tells where the file stops being TOML, naming the key of that line but never its value.
func syntaxProblem(name string, data []byte, err error) Problem {
	p := Problem{File: name, Line: 1, What: "syntax: " + clean(strings.TrimPrefix(err.Error(), "toml: "))}
	var at *toml.DecodeError
	if errors.As(err, &at) {
		p.Line, p.Column = at.Position()
		p.Key = keyOnLine(data, p.Line)
	}
	p.Mend = "see https://toml.io for the format"
	for _, m := range syntaxMends {
		if strings.Contains(p.What, m.says) {
			p.Mend = m.mend
			break
		}
	}
	return p
}

func keyOnLine(data []byte, line int) string {
	lines := bytes.Split(data, []byte("\n"))
	if line > len(lines) {
		return ""
	}
	if m := assignment.FindSubmatch(lines[line-1]); m != nil {
		return string(m[1])
	}
	return ""
}

// clean makes text from the file safe for a terminal.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}
