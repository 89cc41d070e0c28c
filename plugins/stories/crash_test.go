package stories

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"

	"github.com/footbridge/footbridge/bridge/event"
)

// The points of the bridge at which a process is killed.
const (
	pointBeforeCommit = "before_commit"
	pointAfterCommit  = "after_commit"
	pointAfterReply   = "after_reply"
	pointBeforeCall   = "before_call"
	pointAfterCall    = "after_call"
	pointBeforeResult = "before_result_commit"
)

// plot is one story with the points it passes, each with the hits at which the
// process is killed, spread over all there are.
type plot struct {
	name   string
	tell   func(*rig) tale
	conf   setting
	plugin string
	points map[string][]int
}

func plots() []plot {
	// A crash at the n-th commit is a crash anywhere in a story: all it does ends
	// in one. A story has about twenty, the second thirty.
	commits, more := upTo(18), upTo(27)
	answers := []int{1, 1, 1, 1, 1} // AI Studio's start is all that is answered by a turn
	toDesk := map[string][]int{pointBeforeCommit: commits, pointAfterCommit: commits, pointAfterReply: answers,
		pointBeforeCall: {1, 2, 3, 1, 2}, pointAfterCall: {1, 2, 3, 1, 2}, pointBeforeResult: {1, 2, 3, 1, 2}}
	toServer := map[string][]int{pointBeforeCommit: more, pointAfterCommit: more, pointAfterReply: {1, 2, 3, 4, 2},
		pointBeforeCall: {1, 2, 4, 5, 7}, pointAfterCall: {1, 2, 4, 5, 7}, pointBeforeResult: {1, 2, 4, 5, 7}}
	web := map[string][]int{pointBeforeCommit: commits, pointAfterCommit: commits}
	return []plot{
		{"studio to desk, keyed", studioToDesk, setting{idempotency: true}, "vonage", toDesk},
		{"studio to desk", studioToDesk, setting{}, "vonage", toDesk},
		{"studio to server", studioToServer, setting{backends: []string{"vdesk"}}, "vonage", toServer},
		{"web to desk", webToDesk, setting{}, "scripted", web},
	}
}

func upTo(n int) []int {
	var all []int
	for i := range n {
		all = append(all, i+1)
	}
	return all
}

// leastHits is how often every point has to be hit in every story, for the
// bridge and for the plugin.
const leastHits = 5

// TestCrashes kills the bridge, or the plugin, at every point of every story.
// Whatever was acknowledged arrives, once and in order; where the vendor
// recognises repeats nothing is doubled, and where it does not at most one thing
// is for each kill, and marked.
func TestCrashes(t *testing.T) {
	least := leastHits
	if testing.Short() {
		least = 1
	}
	hits := &tally{}
	t.Run("kill", func(t *testing.T) {
		for _, p := range plots() {
			for _, point := range slices.Sorted(maps.Keys(p.points)) {
				for _, n := range p.points[point] {
					if testing.Short() && n > 1 {
						break
					}
					for _, target := range []string{"bridge", p.plugin} {
						t.Run(fmt.Sprintf("%s/%s/%d/%s", p.name, point, n, target), func(t *testing.T) {
							t.Parallel()
							p.crash(t, hits, point, n, target)
						})
					}
				}
			}
		}
	})
	hits.check(t, plots(), least)
}

// crash tells the story with one kill.
func (p plot) crash(t *testing.T, hits *tally, point string, n int, target string) {
	r := newRig(t, p.conf, strings.Join([]string{point, strconv.Itoa(n), target}, ":"))
	told := p.tell(r)
	killed := len(r.hits())
	counted := r.counter("footbridge_maybe_duplicates_total")
	hits.add(p.name, point, target, killed)
	repeats := p.doubled(r, told, killed, target)
	if counted < repeats {
		t.Errorf("%d repeats, but footbridge_maybe_duplicates_total is %d", repeats, counted)
	}
	hits.repeated(repeats)
}

// doubled checks what came of a story with so many kills, and gives how much of
// it came twice.
func (p plot) doubled(r *rig, told tale, killed int, target string) int {
	repeats := told.repeats(r.t)
	switch {
	case repeats == 0:
	case p.conf.idempotency || target != "bridge":
		r.t.Errorf("%d repeats: %+v", repeats, told)
	case repeats > killed:
		r.t.Errorf("%d repeats for %d kills: %+v", repeats, killed, told)
	default:
		r.marked(told, killed)
	}
	return repeats
}

// TestCrashesInARow kills the bridge again and again at the same point, so that
// what it does after a crash is interrupted too.
func TestCrashesInARow(t *testing.T) {
	const times = 3 // each may cost a start its time, and after four hand-offs that failed there is no fifth
	for _, p := range plots() {
		for _, point := range slices.Sorted(maps.Keys(p.points)) {
			t.Run(p.name+"/"+point, func(t *testing.T) {
				t.Parallel()
				fail := point + ":1:bridge"
				if point == pointBeforeCommit {
					fail = point + ":2:bridge" // at the first nothing would ever be stored
				}
				r := newRig(t, p.conf, slices.Repeat([]string{fail}, times)...)
				told := p.tell(r)
				killed := len(r.hits())
				if killed < 1 {
					t.Error("no kill") // there may be fewer than meant: what was done is not done again
				}
				p.doubled(r, told, killed, "bridge")
			})
		}
	}
}

// marked wants every word that came twice, and a start that did, to be known as
// a possible duplicate, and as few others as there can be.
func (r *rig) marked(told tale, killed int) {
	r.t.Helper()
	events := r.events(told.conversation)
	maybe := map[string]bool{}
	for _, d := range r.stored(told.conversation) {
		maybe[d.Event] = maybe[d.Event] || d.MaybeDuplicate
	}
	known := 0
	for _, e := range events {
		twice := e.Kind() == event.KindHandoffRequested && told.startedTwice
		if m, ok := e.Body.(event.MessageCreated); ok {
			text, _ := m.Content.Part.(event.Text)
			twice = told.shownTwice(text.Text)
		}
		if twice && !maybe[e.ID] {
			r.t.Errorf("event %d, %s, arrived twice and is not marked", e.Seq, e.Kind())
		}
		if maybe[e.ID] {
			known++
		}
	}
	if known > killed {
		r.t.Errorf("%d events are marked as possible duplicates after %d kills", known, killed)
	}
}

// shownTwice tells whether words came twice where they were to come once.
func (s tale) shownTwice(text string) bool {
	for _, f := range s.flows {
		if slices.Contains(f.want, text) && len(only(f.shown, text)) > len(only(f.want, text)) {
			return true
		}
	}
	return false
}

// counter sums a counter over its labels.
func (r *rig) counter(name string) int {
	sum := 0
	for _, line := range strings.Split(r.metrics(), "\n") {
		if !strings.HasPrefix(line, name) {
			continue
		}
		value, err := strconv.ParseFloat(line[strings.LastIndex(line, " ")+1:], 64)
		if err == nil {
			sum += int(value)
		}
	}
	return sum
}

// tally counts the hits of each point.
type tally struct {
	mu      sync.Mutex
	hits    map[[3]string]int
	repeats int
}

func (l *tally) add(story, point, target string, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.hits == nil {
		l.hits = map[[3]string]int{}
	}
	l.hits[[3]string{story, point, target}] += n
}

func (l *tally) repeated(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.repeats += n
}

// check prints the hits and wants enough of them everywhere.
func (l *tally) check(t *testing.T, plots []plot, least int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "STORY\tPOINT\tBRIDGE KILLED\tPLUGIN KILLED")
	for _, p := range plots {
		for _, point := range slices.Sorted(maps.Keys(p.points)) {
			bridge, plugin := l.hits[[3]string{p.name, point, "bridge"}], l.hits[[3]string{p.name, point, p.plugin}]
			fmt.Fprintf(w, "%s\t%s\t%d\t%d (%s)\n", p.name, point, bridge, plugin, p.plugin)
			if min(bridge, plugin) < least {
				t.Errorf("%s at %s: %d and %d kills, want at least %d each", p.name, point, bridge, plugin, least)
			}
		}
	}
	_ = w.Flush()
	t.Logf("kills, with %d repeats in all\n%s", l.repeats, table.String())
}
