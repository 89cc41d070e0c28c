package host

import (
	"bufio"
	"errors"
	"io"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	lineBytes      = 8 << 10
	linesPerSecond = 100
	// outputGrace is how long the output of an ended process is still read.
	outputGrace = 200 * time.Millisecond
	// startLineBytes is the longest start line that is read.
	startLineBytes = 4 << 10
)

// output passes what one process prints on to the log, at most linesPerSecond,
// each line cut and escaped. It may hold people's words, a panic's above all, so it
// shows at level debug only.
type output struct {
	log     *slog.Logger
	limit   *rate.Limiter
	mu      sync.Mutex
	dropped int
}

func newOutput(log *slog.Logger) *output {
	return &output{log: log, limit: rate.NewLimiter(linesPerSecond, linesPerSecond)}
}

// copy logs every line of r until its end.
func (o *output) copy(r io.Reader) {
	lines := bufio.NewReaderSize(r, lineBytes)
	for {
		line, more, err := lines.ReadLine()
		if err != nil {
			o.mu.Lock()
			o.tell()
			o.mu.Unlock()
			return
		}
		o.line(line, more)
		for more && err == nil {
			_, more, err = lines.ReadLine()
		}
	}
}

func (o *output) line(line []byte, cut bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.limit.Allow() {
		o.dropped++
		return
	}
	o.tell()
	o.log.Debug("plugin output", "line", escape(string(line)), "cut", cut)
}

// tell tells how many lines were dropped. The caller holds the lock.
func (o *output) tell() {
	if o.dropped > 0 {
		o.log.Warn("the plugin printed too much", "lines_dropped", o.dropped)
		o.dropped = 0
	}
}

// escape shows control characters and broken text instead of obeying them.
func escape(s string) string {
	q := strconv.Quote(s)
	return q[1 : len(q)-1]
}

// clip escapes and cuts what a plugin said, for an error text.
func clip(s string) string {
	const most = 200
	if len(s) > most {
		s = s[:most]
	}
	if q := strconv.Quote(s); len(q) <= most {
		return q
	}
	return strconv.Quote(s)[:most-4] + `..."`
}

// startLine is the standard output of a process as go-plugin reads it: one line,
// then nothing until the end. What is printed after goes to the log.
type startLine struct {
	io.Reader
	pipe *io.PipeWriter

	mu   sync.Mutex
	text string
	read bool
}

func newStartLine() *startLine {
	r, w := io.Pipe()
	return &startLine{Reader: r, pipe: w}
}

// Close lets the reader go.
func (s *startLine) Close() error { return nil }

// follow reads the process's standard output to its end.
func (s *startLine) follow(stdout io.Reader, rest *output) {
	lines := bufio.NewReaderSize(stdout, startLineBytes)
	line, err := lines.ReadSlice('\n')
	s.mu.Lock()
	s.text, s.read = string(line), err == nil || errors.Is(err, bufio.ErrBufferFull) || len(line) > 0
	s.mu.Unlock()
	if len(line) > 0 {
		_, _ = io.WriteString(s.pipe, s.text+"\n")
	}
	rest.copy(lines)
	_ = s.pipe.Close()
}

// said gives the first line, and whether there was one.
func (s *startLine) said() (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text, s.read
}
