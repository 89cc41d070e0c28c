package stories

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/footbridge/footbridge/adapters/convocore/convocoresim"
	"github.com/footbridge/footbridge/bridge/event"
)

// wholeTurns is a client built for Convocore, which says everything until its turn
// ends as it should, under the same id, and what it heard in those turns.
type wholeTurns struct {
	r      *rig
	client *convocoresim.Client
	said   []string
	heard  []string
}

func (w *wholeTurns) say(text string) string {
	w.r.t.Helper()
	w.said = append(w.said, text)
	w.heard = append(w.heard, w.r.turn(w.client, strconv.Itoa(len(w.said)), text).Summed()...)
	return text
}

// until says words, each time others, until their turn brought what they ask for,
// as a person does whose vendor loses an answer that was on its way.
func (w *wholeTurns) until(text string, brought func(said string) bool) (said []string) {
	w.r.t.Helper()
	for n := range 30 {
		said = append(said, w.say(fmt.Sprintf("%s/%d", text, n)))
		if brought(said[n]) {
			return said
		}
	}
	w.r.t.Fatalf("%q never brings anything", text)
	return nil
}

func (w *wholeTurns) answered(said string) bool { return slices.Contains(w.heard, "You said: "+said) }

// waiting reports whether people were asked for, which a turn that was cut may not
// have come to.
func (w *wholeTurns) waiting(string) bool {
	id := w.r.conversation("ada")
	for range 200 {
		if w.r.waiting(id) {
			return true
		}
		time.Sleep(20 * time.Millisecond)
	}
	return false
}

// vendorsToServer is a story with no part of our own: a client built for Convocore,
// Convocore's agent, and a live-agent server built for AI Studio.
func vendorsToServer(t *testing.T, fails ...string) (*rig, tale) {
	t.Helper()
	s, address := convoPlatform(t, convocoresim.Options{})
	config := convoAgent(address, "greet = false\nrest = true") + convoWeb("", "convo")
	r := newRig(t, setting{extra: strings.ReplaceAll(config, `live_agent = ["desk"]`, `live_agent = ["vdesk"]`)}, fails...)
	w := &wholeTurns{r: r, client: r.convoClient("ada")}
	toAgent := append(w.until("okapi one", w.answered), w.until("okapi human please", w.waiting)...)
	id := r.conversation("ada")
	r.eventually("a start at the live-agent server", func() bool { return len(r.desk.Sessions()) > 0 })
	session := r.desk.Sessions()[0]
	toPeople := []string{w.say("okapi for Sam"), w.say("okapi and more")}
	replies := []string{r.reply(session, "first"), r.reply(session, "second")}
	toPeople = append(toPeople, w.say("okapi thanks"))
	r.eventually("the server has all", func() bool { return slices.Contains(r.desk.Shown(session), toPeople[2]) })
	r.eventually("control given back", func() bool {
		a, err := r.desk.Disconnect(t.Context(), session)
		return err == nil && (a.Status/100 == 2 || a.Status == http.StatusNotFound)
	})
	r.inState(id, "automated")
	toAgent = append(toAgent, w.until("okapi two", w.answered)...)
	starts := 0
	for _, rec := range r.desk.Records() {
		if rec.Endpoint == "start" && rec.Committed {
			starts++
		}
	}
	return r, tale{conversation: id, extra: starts - 1, startedTwice: starts > 1, flows: []flow{
		{"Convocore's agent", toAgent, s.Heard(id)},
		{"the live-agent server", toPeople, r.desk.Shown(session)},
		{"the client", replies, w.heard},
		{"the journal", w.said, texts(r.events(id), event.RoleCustomer)},
	}}
}

// TestVendorsToServer: three vendors meet, and each hears what it is to hear, once.
func TestVendorsToServer(t *testing.T) {
	t.Parallel()
	_, told := vendorsToServer(t)
	told.once(t)
}
