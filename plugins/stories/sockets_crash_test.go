package stories

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/footbridge/footbridge/adapters/aisera/aiserasim"
	"github.com/footbridge/footbridge/bridge/event"
)

// socketPlot is a plot that sets up its own rig.
type socketPlot struct {
	plot
	story func(*testing.T, ...string) (*rig, tale)
}

func socketPlots() []socketPlot {
	points := func(commits, calls []int) map[string][]int {
		return map[string][]int{pointBeforeCommit: commits, pointAfterCommit: commits, pointBeforeCall: calls, pointAfterCall: calls}
	}
	one := points([]int{2, 5, 8, 11, 14}, []int{1, 2, 3, 1, 2})
	three := points([]int{4, 18, 32, 46, 60}, []int{1, 3, 5, 7, 9})
	return []socketPlot{
		{plot{name: "virtual agent", plugin: "aisera", points: one}, socketVirtualAgent},
		{plot{name: "people", plugin: "aisera", points: one}, socketPeople},
		{plot{name: "vendors to server", plugin: "convocore", points: three}, vendorsToServer},
	}
}

// TestCrashesOnSockets kills the bridge, or the plugin, in stories whose vendor is
// on a socket that knows no repeats: what was acknowledged to the customer reaches
// the vendor in order, and at most one word twice for each kill, which is marked.
func TestCrashesOnSockets(t *testing.T) {
	hits, least := &tally{}, leastHits
	var plots []plot
	t.Run("kill", func(t *testing.T) {
		for _, p := range socketPlots() {
			plots = append(plots, p.plot)
			for point, at := range p.points {
				if testing.Short() {
					at, least = at[:1], 1
				}
				for i, n := range at {
					for _, target := range []string{"bridge", p.plugin} {
						t.Run(fmt.Sprintf("%s/%s/%d/%s", p.name, point, i, target), func(t *testing.T) {
							t.Parallel()
							p.crash(t, hits, point, n, target)
						})
					}
				}
			}
		}
	})
	hits.check(t, plots, least)
}

// crash tells the story with one kill.
func (p socketPlot) crash(t *testing.T, hits *tally, point string, n int, target string) {
	r, told := p.story(t, strings.Join([]string{point, strconv.Itoa(n), target}, ":"))
	killed := len(r.hits())
	hits.add(p.name, point, target, killed)
	repeats := told.repeats(t)
	if repeats > killed {
		t.Errorf("%d repeats for %d kills: %+v", repeats, killed, told)
	}
	if repeats > 0 {
		r.marked(told, killed+repeats)
	}
	hits.repeated(repeats)
}

// asking repeats words, each time others, until something follows, as a person
// does whose vendor loses an answer that was on its way.
func (r *rig) asking(id, token, text string, follows func(said string) bool) (said []string) {
	r.t.Helper()
	for n := range 30 {
		words := fmt.Sprintf("%s/%d", text, n)
		said = append(said, words)
		r.write(id, token, strings.TrimPrefix(words, "okapi "), words)
		for range 200 {
			if follows(words) {
				return said
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	r.t.Fatalf("nothing ever follows %q", text)
	return nil
}

func (r *rig) waiting(id string) bool {
	s := r.state(id)
	return s == "queued" || s == "requested" || s == "offered" || s == "active"
}

// heardAll are the words that reached the platform, in order.
func heardAll(s *aiserasim.Server) []string {
	var all []string
	for _, user := range s.Users() {
		all = append(all, s.Texts(user)...)
	}
	return all
}

func socketVirtualAgent(t *testing.T, fails ...string) (*rig, tale) {
	s, address := platform(t, aiserasim.Options{Token: chatToken})
	r := newRig(t, setting{extra: aisera("virtual_agent", aiserasim.SocketIO, address, "") + shop("chat", "desk")}, fails...)
	id, token := r.chatAt("pk_shop")
	answered := func(words string) bool {
		return slices.Contains(texts(r.events(id), event.RoleVirtualAgent), "You said: "+words)
	}
	said := r.asking(id, token, "okapi one", answered)
	said = append(said, r.asking(id, token, "okapi agent", func(string) bool { return r.waiting(id) })...)
	r.say(id, "accept", event.HandoffAccepted{})
	r.write(id, token, "for Sam", "okapi for Sam")
	r.say(id, "words", event.MessageCreated{Content: event.Plain("okapi from Sam")})
	r.say(id, "back", event.HandbackRequested{UpTo: last(r.events(id))})
	r.inState(id, "automated")
	said = append(said, r.asking(id, token, "okapi two", answered)...)
	events := r.seenBy(id, token)
	return r, tale{conversation: id, flows: []flow{
		{"the virtual agent", said, heardAll(s)},
		{"the customer, of the live agent", []string{"okapi from Sam"}, texts(events, event.RoleLiveAgent)},
	}}
}

func socketPeople(t *testing.T, fails ...string) (*rig, tale) {
	s, address := platform(t, aiserasim.Options{Token: chatToken})
	r := newRig(t, setting{extra: aisera("live_agent", aiserasim.SocketIO, address, "") + shop("helper", "chat")}, fails...)
	id, token := r.chatAt("pk_shop")
	said := r.asking(id, token, "okapi agent", func(string) bool { return r.waiting(id) })
	said = nil // they are in the transcript
	user := ""
	person := func(what string, act func() error, done func() bool) {
		t.Helper()
		r.eventually(what, func() bool {
			if done() {
				return true
			}
			if users := s.Users(); len(users) > 0 {
				user = users[0]
				_ = act()
			}
			time.Sleep(300 * time.Millisecond)
			return done()
		})
	}
	person("Sam joins", func() error { return s.Join(user, "Sam") }, func() bool { return r.state(id) == "active" })
	for i := range 3 {
		words := fmt.Sprintf("okapi for Sam %d", i)
		r.write(id, token, fmt.Sprint("for Sam ", i), words)
		said = append(said, words)
	}
	r.eventually("Sam has all", func() bool { return slices.Contains(heardAll(s), said[2]) })
	spoke := 0
	person("the customer reads Sam", func() error { spoke++; return s.Say(user, "Sam", fmt.Sprintf("okapi, Sam %d", spoke)) },
		func() bool { return len(texts(r.seenBy(id, token), event.RoleLiveAgent)) > 0 })
	person("Sam leaves", func() error { return s.Exit(user, "Sam") }, func() bool { return r.state(id) == "automated" })
	return r, tale{conversation: id, flows: []flow{{"Sam", said, heardAll(s)}}}
}
