package adaptertest

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/footbridge/footbridge/bridge/adapter"
)

//nolint:gochecknoglobals // a flag must be known before the tests parse theirs.
var update = flag.Bool("update", false, "write what the adapters did into the scripts")

// Scripts runs every script dir/*.txt against the definition, each as a subtest
// of its name. A folder without scripts is a failure. Under -update the scripts
// are rewritten with what the adapter did; a script that cannot be read is a
// failure still.
func Scripts(t *testing.T, d adapter.Definition, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts %s/*.txt (%v)", dir, err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		t.Run(name, func(t *testing.T) { runFile(t, d, file) })
	}
}

func runFile(t *testing.T, d adapter.Definition, file string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Replay(d, string(data))
	if err != nil {
		t.Fatalf("%s:%v", file, err)
	}
	if got == string(data) {
		return
	}
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	line, want, have := difference(string(data), got)
	t.Errorf("%s:%d: the adapter did something else (run with -update and read the change)\n script  %s\n adapter %s", file, line, want, have)
}

func difference(a, b string) (line int, want, have string) {
	as, bs := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range max(len(as), len(bs)) {
		want, have = at(as, i), at(bs, i)
		if want != have {
			return i + 1, want, have
		}
	}
	return 0, "", ""
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "(end of file)"
}

// Replay runs one script and returns it with the effects the adapter recorded in
// place of those it had; a script that is right comes back as it was. The error
// begins with the line of a step that cannot be read.
func Replay(d adapter.Definition, script string) (string, error) {
	if err := d.Check(); err != nil {
		return "", err
	}
	return ReplayOver(d.Configure, InProcess(d), script)
}

// ReplayOver is Replay for an adapter behind a Turner; configure fits it to an
// account.
func ReplayOver(configure func(adapter.Account) (adapter.Profile, error), turner Turner, script string) (string, error) {
	p := &player{configure: configure, turner: turner, lines: strings.Split(strings.TrimRight(script, "\n"), "\n")}
	for p.next < len(p.lines) {
		line := p.lines[p.next]
		if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#") {
			p.keep(line)
			p.next++
			continue
		}
		if err := p.step(); err != nil {
			return "", err
		}
	}
	return strings.Join(p.out, "\n") + "\n", nil
}

// player is one run of a script: what is read, what is written, and the leg.
type player struct {
	configure  func(adapter.Account) (adapter.Profile, error)
	turner     Turner
	lines, out []string
	next       int
	leg        leg
	requests   int
	events     int
}

func (p *player) keep(lines ...string) { p.out = append(p.out, lines...) }

// step runs the step at p.next and moves past it and the effects it had.
func (p *player) step() error {
	first := p.next
	input, ok := p.until("----")
	if !ok {
		return fmt.Errorf("%d: %q has no line of ---- below it", first+1, p.lines[first])
	}
	p.keep(p.lines[first:p.next]...)
	p.until("")
	words := strings.Fields(input[0])
	run, known := steps[words[0]]
	if !known {
		return fmt.Errorf("%d: %q is no step", first+1, words[0])
	}
	effects, err := run(p, words[1:], input[1:])
	if err != nil {
		return fmt.Errorf("%d: %w", first+1, err)
	}
	p.keep(strings.Split(effects, "\n")...)
	if p.next < len(p.lines) {
		p.keep("")
	}
	return nil
}

// until reads up to the line named, which it moves past, or to the end.
func (p *player) until(stop string) ([]string, bool) {
	for first := p.next; p.next < len(p.lines); {
		line := strings.TrimRight(p.lines[p.next], " \r")
		p.next++
		if line == stop {
			return p.lines[first : p.next-1], true
		}
	}
	return nil, false
}
