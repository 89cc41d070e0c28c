package config

import (
	"fmt"
	"regexp"
	"sort"
	"strconv"

	"github.com/pelletier/go-toml/v2/unstable"
)

// Bounds on the shape of a file, far above any real one; they keep every later step linear.
const (
	maxDepth = 32
	maxKey   = 256
)

var bareKey = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// join appends a key to a dotted path, quoted where TOML would quote it.
func join(path, key string) string {
	if !bareKey.MatchString(key) {
		key = strconv.Quote(key)
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

// index appends a list position to a path.
func index(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

// locate finds the line of every key and list element. Of a file with broken syntax it covers the part before the
// break, and leaves the complaint to the decoder. The problem is a file nested beyond all reason.
func locate(name string, data []byte) (map[string]int, *Problem) {
	w := &walker{lines: map[string]int{}, tables: map[string]int{}, starts: lineStarts(data)}
	w.parser.Reset(data)
	at, depth := "", 0
	for w.parser.NextExpression() && w.excess == 0 {
		node := w.parser.Expression()
		if node.Kind == unstable.KeyValue {
			w.keyValue(at, depth, node)
		} else {
			at, depth = w.header(node)
		}
	}
	if w.excess == 0 {
		return w.lines, nil
	}
	what := fmt.Sprintf("is nested more than %d levels deep or has a key longer than %d bytes", maxDepth, maxKey)
	return nil, &Problem{File: name, Line: w.excess, What: what, Mend: "write it flatter"}
}

// walker follows the expressions of a file and notes the line of each path.
type walker struct {
	parser unstable.Parser
	lines  map[string]int
	tables map[string]int // array of tables → how many so far
	starts []int          // offsets at which lines begin
	excess int            // the line on which a bound was passed
}

// header enters [table] or [[array of tables]] and returns the path its keys belong under.
func (w *walker) header(node *unstable.Node) (string, int) {
	at, depth := "", 0
	keys := node.Key()
	for keys.Next() && w.excess == 0 {
		key := keys.Node()
		at, depth = w.step(at, depth, key)
		line := w.lineAt(key)
		if node.Kind == unstable.ArrayTable && keys.IsLast() {
			w.tables[at]++
		}
		if n := w.tables[at]; n > 0 {
			at = index(at, n-1)
			depth++
			w.mark(at, line)
		}
	}
	return at, depth
}

func (w *walker) keyValue(at string, depth int, node *unstable.Node) {
	line := 0
	keys := node.Key()
	for keys.Next() && w.excess == 0 {
		line = w.lineAt(keys.Node())
		at, depth = w.step(at, depth, keys.Node())
	}
	w.value(at, depth, line, node.Value())
}

func (w *walker) value(at string, depth, line int, node *unstable.Node) {
	if depth > maxDepth {
		w.excess = line
	}
	if w.excess != 0 {
		return
	}
	children := node.Children()
	for i := 0; children.Next(); i++ {
		child := children.Node()
		switch node.Kind {
		case unstable.InlineTable:
			w.keyValue(at, depth, child)
		case unstable.Array:
			line = w.elementLine(child, line)
			w.mark(index(at, i), line)
			w.value(index(at, i), depth+1, line, child)
		}
	}
}

// step appends one key and notes its line; the first mention of a table counts.
func (w *walker) step(at string, depth int, key *unstable.Node) (string, int) {
	line := w.lineAt(key)
	if len(key.Data) > maxKey || depth >= maxDepth {
		w.excess = line
		return at, depth
	}
	at = join(at, string(key.Data))
	w.mark(at, line)
	return at, depth + 1
}

func (w *walker) mark(path string, line int) {
	if _, ok := w.lines[path]; !ok {
		w.lines[path] = line
	}
}

// elementLine finds the line of a list's element: its own, that of the first thing in it, or the one before.
func (w *walker) elementLine(node *unstable.Node, before int) int {
	for node.Valid() && node.Raw.Length == 0 {
		node = node.Child()
	}
	if !node.Valid() {
		return before
	}
	return w.lineAt(node)
}

func (w *walker) lineAt(node *unstable.Node) int {
	offset := int(node.Raw.Offset)
	return sort.Search(len(w.starts), func(i int) bool { return w.starts[i] > offset })
}

func lineStarts(data []byte) []int {
	starts := []int{0}
	for i, c := range data {
		if c == '\n' {
			starts = append(starts, i+1)
		}
	}
	return starts
}
