package stories

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/footbridge/footbridge/adapters/aisera/aiserasim"
	"github.com/footbridge/footbridge/adapters/convocore/convocoresim"
	"github.com/footbridge/footbridge/adapters/omilia/omiliasim"
	"github.com/footbridge/footbridge/adapters/vonage/vonagesim"
	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

// levels are how well each thing passes, by the names of the matrix's columns.
type levels map[string]adapter.Level

// unoffered marks a level of the table for which no side has anything to show.
const unoffered = "*"

// expectations reads the table written by hand: levels by "front back".
func expectations(t *testing.T) map[string]levels {
	t.Helper()
	data, err := os.ReadFile("testdata/matrix.txt")
	if err != nil {
		t.Fatal(err)
	}
	var columns []string
	rows := map[string]levels{}
	for line := range strings.SplitSeq(string(data), "\n") {
		words := strings.Fields(line)
		switch {
		case len(words) == 0 || words[0] == "#" || strings.HasPrefix(line, "#"):
		case columns == nil:
			columns = words[2:]
		case len(words) != len(columns)+2:
			t.Fatalf("a row of %d words under %d columns: %s", len(words), len(columns)+2, line)
		default:
			row := levels{}
			for i, column := range columns {
				row[column] = adapter.Level(words[i+2])
			}
			rows[words[0]+" "+words[1]] = row
		}
	}
	return rows
}

// matrix is one bridge with every front end and every back end.
type matrix struct {
	*rig
	flow, flowstep *vonagesim.Studio
	chat           *aiserasim.Server
	people         *aiserasim.Server
	nobody         *aiserasim.Server
	convo          *convocoresim.Server
	assist         *omiliasim.Server
	dead           *vonagesim.Desk
	vendors        map[string]vendorDesk
	// desked is what the desk's socket tells that is not stored.
	desked func() []event.Event
}

// flowAt is a simulated HTTP agent whose bridge is not there yet.
func flowAt(t *testing.T) (address string, begin func(bridge string) *vonagesim.Studio) {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	return "http://" + server.Listener.Addr().String(), func(bridge string) *vonagesim.Studio {
		studio := vonagesim.NewStudio(vonagesim.Options{Key: flowKey, BridgeURL: bridge, Flow: okapiFlow()})
		server.Config.Handler = studio.Handler()
		server.Start()
		t.Cleanup(func() {
			_ = studio.Close()
			server.Close()
		})
		return studio
	}
}

// newMatrix starts the bridge, its vendors, and a route for every cell.
func newMatrix(t *testing.T) *matrix {
	t.Helper()
	m := &matrix{people: aiserasim.NewServer(aiserasim.Options{Token: chatToken}), nobody: aiserasim.NewServer(aiserasim.Options{Token: chatToken}),
		chat:   aiserasim.NewServer(aiserasim.Options{Token: chatToken}),
		convo:  convocoresim.NewServer(convocoresim.Options{Secret: convoSecret, Greeting: "okapi greeting"}),
		assist: omiliasim.NewServer(omiliasim.Options{Token: assistToken}), dead: vonagesim.NewDesk(vonagesim.DeskOptions{Key: deskKey}),
		vendors: newDesks(t)}
	m.dead.Fail(vonagesim.Fault{Endpoint: "start", Times: -1, Status: http.StatusConflict})
	flow, beginFlow := flowAt(t)
	step, beginStep := flowAt(t)
	accounts := account("flow", flowAgent, "virtual_agent", at(flow)) +
		account("flowstep", flowAgent, "virtual_agent", at(step), `step = "http"`, `handoff_marker = "#live-agent#"`) +
		account("chat", aiseraChat, "virtual_agent", at(serve(t, m.chat.Handler())), byConversation) +
		account("convo", convocore, "virtual_agent", `agent_id = "agent"`, at(serve(t, m.convo.Handler()))) +
		account("people", aiseraChat, "live_agent", at(serve(t, m.people.Handler())), byConversation) +
		account("nobody", aiseraChat, "live_agent", at(serve(t, m.nobody.Handler())), byConversation) +
		account("dead", liveServer, "live_agent", at(serve(t, m.dead.Handler()))) +
		account("assist", assistant, "observer", at(serve(t, m.assist.Handler())))
	m.rig = newRig(t, setting{extra: accounts + accountsOf(m.vendors) + closedQueue + matrixQueues() + matrixRoutes(), breaker: "[breaker]\nfailures = 1000\n",
		place: "You are number {position} in the queue."})
	m.flow, m.flowstep = beginFlow("http://"+m.public+"/in/flow"), beginStep("http://"+m.public+"/in/flowstep")
	m.convo.Events("http://" + m.public + "/in/convo/events")
	for name, v := range m.vendors {
		v.tells("http://" + m.public + "/in/" + name)
	}
	m.desked = follow(t, m.rig, "?agent=sam", deskToken)
	return m
}

const (
	// byConversation names each customer at the vendor by their conversation.
	byConversation = `user_id = "conversation"`
	// closedQueue is a queue nobody ever serves.
	closedQueue = `
[queues.never]
hours = "never"
[hours.never]
timezone = "UTC"
`
)

// The four conversations of a cell.
const (
	caseWhole  = "whole"
	caseLeaves = "leaves"
	caseNobody = "nobody"
	caseLate   = "late"
)

func fronts() []string { return []string{"studio", "flow", "flowstep", "chat", "convo", "helper"} }

func backs() []string {
	return append([]string{"desk", "vdesk", "people"}, slices.Sorted(maps.Keys(desks()))...)
}

// cellsOf are the names of the cells of a back end.
func cellsOf(back string) []string {
	var all []string
	for _, front := range fronts() {
		all = append(all, cellName(front, back, false), cellName(front, back, true))
	}
	return all
}

// matrixQueues is a queue for each cell of a vendor's desk: it may send each elsewhere.
func matrixQueues() string {
	var b strings.Builder
	for _, back := range slices.Sorted(maps.Keys(desks())) {
		for _, cell := range cellsOf(back) {
			fmt.Fprintf(&b, "[queues.%s]\n", cell)
		}
	}
	return b.String()
}

// matrixRoutes has a route for every case of every cell. It is found by the facts
// a conversation begins with.
func matrixRoutes() string {
	var b strings.Builder
	closed := map[string]string{"desk": "desk", "vdesk": "dead", "people": "nobody"}
	for _, front := range fronts() {
		sides := "customer = \"web\"\nvirtual_agent = \"" + front + "\"\n"
		if front == "studio" {
			sides = "virtual_agent = \"studio\"\n"
		}
		for _, back := range backs() {
			for _, observed := range []bool{false, true} {
				for _, of := range []string{caseWhole, caseNobody, caseLate} {
					cell := cellName(front, back, observed)
					name, to, more := cell+"-"+of, back, ""
					if desks()[back] != nil {
						more = fmt.Sprintf("queue = %q\n", cell)
					}
					switch of {
					case caseNobody:
						to = cmp.Or(closed[back], back)
						if back == "desk" {
							more = "queue = \"never\"\n"
						}
					case caseLate:
						more += "timers = { waiting = \"10s\" }\n"
					}
					fmt.Fprintf(&b, "[[routes]]\nname = %q\n%slive_agent = [%q]\n%s[routes.match]\nattributes = { cell = %q }\n", name, sides, to, more, name)
					if observed {
						b.WriteString(listens)
					}
				}
			}
		}
	}
	return b.String()
}

func cellName(front, back string, observed bool) string {
	name := front + "-" + back
	if observed {
		name += "-observed"
	}
	return name
}

// prints is what "footbridge matrix" prints for the rig's configuration.
func (m *matrix) prints() map[string]levels {
	m.t.Helper()
	var found struct {
		Pairings []struct {
			Front, Back  struct{ Account string }
			VirtualAgent struct{ Account string } `json:"virtual_agent"`
			Levels       levels
		}
	}
	m.api("GET", "/matrix", deskToken, "", nil, &found)
	rows := map[string]levels{}
	for _, p := range found.Pairings {
		front := p.Front.Account
		if p.VirtualAgent.Account != "" {
			front = p.VirtualAgent.Account
		}
		rows[front+" "+p.Back.Account] = p.Levels
	}
	return rows
}

// TestFullMatrix plays every front end with every back end, with and without an
// observer, and compares what happened, cell by cell and thing by thing, with the
// table written by hand and with what the bridge says of the same configuration.
func TestFullMatrix(t *testing.T) {
	if testing.Short() {
		t.Skip("four conversations in each of eighty-four cells")
	}
	t.Parallel()
	want := expectations(t)
	m := newMatrix(t)
	printed := m.prints()
	var work sync.WaitGroup
	room := make(chan struct{}, 12)
	for _, front := range fronts() {
		for _, back := range backs() {
			row, paced := want[front+" "+back], m.vendors[back].paced
			if len(row) != 13 {
				t.Fatalf("the table has %d levels for %s with %s", len(row), front, back)
			}
			for name, level := range row {
				if got := printed[front+" "+back][name]; string(got) != strings.TrimSuffix(string(level), unoffered) {
					t.Errorf("%s with %s: %s is printed as %s, want %s", front, back, name, got, level)
				}
			}
			for _, observed := range []bool{false, true} {
				work.Go(func() {
					if !paced {
						room <- struct{}{}
						defer func() { <-room }()
					}
					t.Run(cellName(front, back, observed), func(t *testing.T) { m.cell(t, front, back, observed, row) })
				})
			}
		}
	}
	work.Wait()
}

// cell plays the four conversations of a cell.
func (m *matrix) cell(t *testing.T, front, back string, observed bool, want levels) {
	got := levels{}
	m.whole(t, front, back, observed, want, got)
	m.leaves(t, front, back, observed, want, got)
	m.noAgent(t, front, back, observed, got)
	m.late(t, front, back, observed, got)
	for name, level := range want {
		level, nothing := strings.CutSuffix(string(level), unoffered)
		if nothing {
			if got[name] != "" {
				t.Errorf("%s was offered, though the table says that nobody can", name)
			}
			continue
		}
		if string(got[name]) != level {
			t.Errorf("%s was %q, want %s", name, got[name], level)
		}
	}
}

// worst is the worst of some levels; what was not seen at all is left out.
func worst(all ...adapter.Level) adapter.Level {
	order := []adapter.Level{"", adapter.Full, adapter.Partial, adapter.Fallback, adapter.Dropped, adapter.Rejected}
	return slices.MaxFunc(all, func(a, b adapter.Level) int { return slices.Index(order, a) - slices.Index(order, b) })
}

// The things that are sent.
func picture(name string) event.Media {
	return event.Media{Kind: "image", URL: "https://files.example/" + name + ".png", MIME: "image/png", Name: name + ".png", Size: 2048, Caption: "okapi picture " + name}
}

func drinks() event.Choices {
	return event.Choices{Text: "okapi, which one?", Options: []event.Choice{{ID: "R:1", Label: "Water"}, {ID: "R:2", Label: "Juice"}}}
}

func questions() event.Form {
	return event.Form{ID: "f-1", Title: "okapi form", Fields: []event.Field{{Name: "town", Label: "Your town", Input: "text", Required: true}}}
}

// longer is a text of more characters than that; 10,000 are more than two of AI Studio's.
// Its words are long too, since Convocore's agent says an answer word by word.
func longer(name string, characters int) string {
	return "okapi " + name + strings.Repeat(" "+strings.Repeat("abcdefghi", 11), characters/100) + " end."
}

// sent is how a long text came: in one piece, or in parts that keep their order.
func arrived(text string, heard []string) adapter.Level {
	if slices.Contains(heard, text) {
		return adapter.Full
	}
	if strings.Contains(strings.Join(strings.Fields(strings.Join(heard, " ")), ""), strings.Join(strings.Fields(text), "")) {
		return adapter.Partial
	}
	return adapter.Dropped
}

// pictured is how a picture came, by the JSON or words its address came in.
func pictured(m event.Media, whole, framed, words []string) adapter.Level {
	has := func(list []string) bool {
		return slices.ContainsFunc(list, func(s string) bool { return strings.Contains(s, "/"+m.Name) })
	}
	switch {
	case has(whole):
		return adapter.Full
	case has(framed):
		return adapter.Partial
	case has(words):
		return adapter.Fallback
	}
	return adapter.Dropped
}
