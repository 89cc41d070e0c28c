package stories

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"

	"github.com/footbridge/footbridge/adapters/omilia/omiliasim"
	"github.com/footbridge/footbridge/adapters/vonage/vonagesim"
	"github.com/footbridge/footbridge/bridge/event"
)

// listens is what a route says of its observer.
const listens = "[[routes.observers]]\naccount = \"assist\"\nopen_on = \"accepted\"\n"

// assisted is a bridge whose live agents are told about the call by a simulated
// assistant: those of AI Studio's route, and those of a web chat's.
func assisted(t *testing.T, o omiliasim.Options, more string) (*rig, *omiliasim.Server) {
	t.Helper()
	o.Token = assistToken
	s := omiliasim.NewServer(o)
	extra := account("assist", assistant, "observer", at(serve(t, s.Handler())), more) + shop("helper", "desk") + listens
	r := newRig(t, setting{extra: extra, route: listens})
	return r, s
}

// taken is a conversation of AI Studio's with the desk, whose call has a listener.
func (r *rig) taken(s *omiliasim.Server, session string) string {
	r.t.Helper()
	r.begin(session, vonagesim.Parameter{Name: "call_id", Value: session})
	id := r.conversation(session)
	r.say(id, "accept", event.HandoffAccepted{})
	r.listened(s, session, 1)
	return id
}

// listened waits for a call's socket to have been opened so often.
func (r *rig) listened(s *omiliasim.Server, call string, times int) {
	r.t.Helper()
	r.eventually(fmt.Sprintf("listener no. %d of %s", times, call), func() bool { return s.Opened(call) >= times && s.Listening(call) })
}

// asked waits for a command to have come so often.
func (r *rig) asked(s *omiliasim.Server, call, command string, times int) omiliasim.Command {
	r.t.Helper()
	var last omiliasim.Command
	r.eventually(fmt.Sprintf("%s no. %d", command, times), func() bool {
		n := 0
		for _, c := range s.Commands(call) {
			if c.Command == command {
				last = c
				n++
			}
		}
		return n >= times
	})
	return last
}

// insights are what observers found out, by type, as JSON.
func insights(events []event.Event) map[string][]string {
	found := map[string][]string{}
	for _, e := range events {
		o, ok := e.Body.(event.InsightObserved)
		if !ok {
			continue
		}
		data, err := json.Marshal(o)
		if err != nil {
			data = []byte(err.Error())
		}
		found[o.Insight.InsightType()] = append(found[o.Insight.InsightType()], string(data))
	}
	return found
}

// learns waits for the live agent to be told of something with the words in it.
func (r *rig) learns(id, insight, words string) {
	r.t.Helper()
	r.eventually(fmt.Sprintf("%s with %q", insight, words), func() bool {
		return slices.ContainsFunc(insights(r.events(id))[insight], func(s string) bool { return strings.Contains(s, words) })
	})
}

// faults are the reports of a code.
func faults(events []event.Event, code string) []string {
	var found []string
	for _, e := range events {
		if b, ok := e.Body.(event.ErrorReported); ok && b.Code == code {
			found = append(found, b.Detail)
		}
	}
	return found
}

// follow collects the transient insights a live agent's socket shows.
func (r *rig) follow(id string) func() []string {
	r.t.Helper()
	conn, _, err := websocket.Dial(r.t.Context(), "ws://"+r.public+"/api/v1/socket?agent=sam",
		&websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer " + deskToken}}})
	if err != nil {
		r.t.Fatal(err)
	}
	conn.SetReadLimit(1 << 20)
	r.t.Cleanup(func() { _ = conn.CloseNow() })
	var mu sync.Mutex
	var shown []event.Event
	go func() {
		for {
			_, data, err := conn.Read(r.t.Context())
			if err != nil {
				return
			}
			var told struct{ Event *event.Event }
			if json.Unmarshal(data, &told) == nil && told.Event != nil && told.Event.Conversation == id && told.Event.Seq == 0 {
				mu.Lock()
				shown = append(shown, *told.Event)
				mu.Unlock()
			}
		}
	}()
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return insights(shown)["sound_level"]
	}
}

// The voiceprint of the stories: values found nowhere else.
const (
	fraudster = "fraudster-quagga-1"
	blocklist = "blocklist-quagga-2"
)

var biometric = []string{fraudster, blocklist, "0.91827", "7.36455", "3.14286", "0.87531", "0.64209", "quagga-gender", "42719365", "84620913", "91370642", "56831972"}

// telling is something of every channel. Where the desk is told of it, the words
// are in what it is told.
var telling = []struct {
	channel, insight, words string
	payload                 any
}{
	{"call_info", "call", "ACTIVE", omiliasim.CallInfo{Status: "ACTIVE"}},
	{"sound_info", "sound_level", "2", omiliasim.SoundInfo{Level: 2}},
	{"ai_info", "analysis", "okapi prompt", omiliasim.AIInfo{UserSentiment: "NEGATIVE", UserEmotions: "okapi worry",
		AgentTasks: []map[string]any{{"okapi greet": "open"}}, AgentSuggestedPrompt: "okapi prompt"}},
	{"dialog_info", "dialog", "okapi said", omiliasim.DialogInfo{LatestSeqID: 1,
		Utterances: []omiliasim.Utterance{{SeqID: 1, ParticipantType: omiliasim.User, Utterance: "okapi said", IsFinal: true}}}},
	{"dialog_info_diff", "utterance", "okapi more", omiliasim.Utterance{SeqID: 2, ParticipantType: omiliasim.Agent, Utterance: "okapi more", IsFinal: true}},
	{"verification_result", "verification", "okapi verdict", omiliasim.Verification{Label: "MISMATCH", Status: "DONE", RiskLevel: "HIGH_RISK", Score: 0.91827,
		FraudsterID: fraudster, BlocklistID: blocklist, CustomAgentMessage: "okapi verdict", ScoreLLR: 7.36455, ScoreNLLR: 3.14286, SpeechFrames: 84620913, ListSize: 91370642, MatchCount: 56831972}},
	{"voice_info", "voice", "OK_DATA", omiliasim.VoiceInfo{Liveness: omiliasim.Liveness{Label: "GENUINE", GlobalPost: 0.87531},
		Sat: omiliasim.SatResult{Label: "OK_DATA", Valid: true, Gender: "quagga-gender", AgeEstimate: 42719365}}},
	{"tts_detection", "tts", "SPOOFED", omiliasim.TTSDetection{Label: "SPOOFED", GlobalPost: 0.64209}},
	{"error_info", "error", "okapi fault", omiliasim.ErrorInfo{Message: "okapi fault", MessageDetails: "okapi detail"}},
	{"summary_info", "summary", "okapi summary", omiliasim.Summary{Data: "okapi summary"}},
	{"ani_validation_results", "caller_number", "447700900009", omiliasim.CallerNumber{CalledNumber: "447700900009", TrustIndicator: 85}},
	{"business_flow", "flow", "okapi.intent", omiliasim.Flow{ID: "f-1", Status: "RUNNING", Intent: "okapi.intent", EntityInstances: []map[string]any{{"okapi card": "4242"}}}},
	{"business_flow_diff", "flow_change", "okapi value", omiliasim.FlowDiff{ID: "f-1", Status: "COMPLETED", EntityID: "card", EntityValue: "okapi value"}},
	{"attached_data", "attached_data", "okapi gold", omiliasim.AttachedData{Data: []map[string]any{{"plan": "okapi gold"}}}},
}

// tells sends something on every channel and waits for the desk to have it.
func (r *rig) tells(s *omiliasim.Server, id, call string) {
	r.t.Helper()
	levels := r.follow(id)
	for _, c := range telling {
		if err := s.Send(call, c.channel, c.payload); err != nil {
			r.t.Fatalf("%s: %v", c.channel, err)
		}
	}
	for _, c := range telling {
		if c.insight != "sound_level" {
			r.learns(id, c.insight, c.words)
		}
	}
	r.eventually("the sound level", func() bool {
		_ = s.Send(call, "sound_info", omiliasim.SoundInfo{Level: 2}) // may be lost by right
		return len(levels()) > 0
	})
	if stored := insights(r.events(id))["sound_level"]; len(stored) > 0 {
		r.t.Errorf("a sound level is stored: %q", stored)
	}
}

// keptFromStudio looks at every byte AI Studio was sent, and at the journal for
// whom each insight was delivered to.
func (r *rig) keptFromStudio(id string) {
	r.t.Helper()
	for _, rec := range r.studio.Records() {
		for _, c := range telling {
			if strings.Contains(rec.Body, c.words) && strings.Contains(c.words, "okapi") {
				r.t.Errorf("AI Studio's %s was sent %s", rec.Endpoint, rec.Body)
			}
		}
	}
	secret := map[string]bool{}
	front := ""
	for _, e := range r.events(id) {
		switch e.Kind() {
		case event.KindInsightObserved, event.KindInsightRequested:
			secret[e.ID] = true
		}
	}
	all := r.ledger(id)
	for _, l := range all.Legs {
		if l.Account == "studio" {
			front = l.ID
		}
	}
	if front == "" || len(secret) == 0 || len(all.Deliveries) == 0 {
		r.t.Fatalf("nothing to look at: leg %q, %d insights, %d deliveries", front, len(secret), len(all.Deliveries))
	}
	for _, d := range all.Deliveries {
		if d.Leg == front && secret[d.Event] {
			r.t.Errorf("an insight was given to AI Studio: %+v", d)
		}
	}
}

// encoded is what may be bytes in a JSON document.
var encoded = regexp.MustCompile(`"[A-Za-z0-9+/]{16,}={0,2}"`)

// unsealed is all a journal has of a conversation, opened, with what is encoded
// in it decoded.
func (r *rig) unsealed(id string) string {
	r.t.Helper()
	stored := r.ledger(id)
	var all bytes.Buffer
	all.Write(stored.State)
	for _, l := range stored.Legs {
		all.Write(l.Data)
	}
	for _, f := range stored.Frames {
		all.Write(f.Data)
	}
	all.Write(stored.Events)
	for _, e := range encoded.FindAll(all.Bytes(), -1) {
		if data, err := base64.StdEncoding.DecodeString(string(bytes.Trim(e, `"`))); err == nil {
			all.Write(data)
		}
	}
	return all.String()
}

// nowhere looks for words in the journal's files as they lie, and in the log.
func (r *rig) nowhere(words []string) {
	r.t.Helper()
	where := map[string]string{"the log": r.output()}
	files, err := filepath.Glob(filepath.Join(r.dir, "data", "*"))
	if err != nil || len(files) == 0 {
		r.t.Fatalf("no journal: %v", err)
	}
	for _, file := range files {
		if data, err := os.ReadFile(file); err == nil {
			where[filepath.Base(file)] = string(data)
		}
	}
	for name, text := range where {
		for _, w := range words {
			if strings.Contains(text, w) {
				r.t.Errorf("%s is in %s", w, name)
			}
		}
	}
}

// heardOnce counts each text among the final utterances.
func heardOnce(t *testing.T, events []event.Event, want ...string) {
	t.Helper()
	counts := map[string]int{}
	for _, e := range events {
		o, _ := e.Body.(event.InsightObserved)
		if u, ok := o.Insight.(event.Utterance); ok && u.Final != nil && *u.Final {
			counts[u.Text]++
		}
	}
	for _, text := range want {
		if counts[text] != 1 {
			t.Errorf("%q counts %d times: %v", text, counts[text], counts)
		}
	}
}

// speaks lets the call's participants say something, each to the end.
func speaks(t *testing.T, s *omiliasim.Server, call string, words ...string) {
	t.Helper()
	for _, text := range words {
		if err := s.Speak(call, omiliasim.User, text); err != nil {
			t.Fatal(err)
		}
	}
}
