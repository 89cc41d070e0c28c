package convocore_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/footbridge/footbridge/adapters/convocore"
	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/adaptertest"
	"github.com/footbridge/footbridge/bridge/event"
)

func TestScripts(t *testing.T) { adaptertest.Scripts(t, convocore.Definition(), "testdata") }

func TestLaws(t *testing.T) {
	o, err := adaptertest.ReadOptions("testdata/laws.json")
	if err != nil {
		t.Fatal(err)
	}
	adaptertest.Laws(t, convocore.Definition(), o)
}

func TestCorpus(t *testing.T) {
	adaptertest.Corpus(t, convocore.Definition(), "testdata/corpus.json")
}

func account(role event.Role) adapter.Account {
	a := adapter.Account{Name: "a", Role: role, Credentials: []string{"secret"}}
	if role == event.RoleVirtualAgent {
		a.Settings = []byte(`{"agent_id":"a-1"}`)
	}
	return a
}

// desk runs the turns of one leg, and has what they emitted.
type desk struct {
	t       *testing.T
	turn    adapter.Turn
	emitted []adapter.Emission
	sent    []adapter.Sending
}

func newDesk(t *testing.T, role event.Role) *desk {
	return &desk{t: t, turn: adapter.Turn{ID: "t", Key: "c", Conversation: "c", StateVersion: 1, Account: account(role),
		Placeholders: map[string]string{"secret": "{secret}"}}}
}

func (d *desk) take(in adapter.Input) []adapter.Effect {
	d.t.Helper()
	d.turn.Input = in
	d.turn.ID += "."
	out := adapter.Run(convocore.Definition(), d.turn)
	if out.Err != "" {
		d.t.Fatalf("%T: %s", in, out.Err)
	}
	d.turn.State = out.State
	for _, e := range out.Effects {
		switch e := e.(type) {
		case adapter.Emission:
			d.emitted = append(d.emitted, e)
		case adapter.Sending:
			d.sent = append(d.sent, e)
		}
	}
	return out.Effects
}

// asked brings a leg to where the answer to a message comes.
func (d *desk) asked(text string) {
	d.t.Helper()
	words := adapter.Deliver{Event: event.Event{ID: "m-1", Actor: event.Actor{Role: event.RoleCustomer},
		Body: event.MessageCreated{Content: event.Plain(text)}}}
	d.take(words)
	d.take(adapter.Opened{Conn: "turn-1"})
	d.take(words)
	d.take(adapter.Sent{Tag: "prompt/turn-1", Outcome: adapter.SentWritten})
}

func (d *desk) frame(frame any) {
	d.t.Helper()
	data, err := json.Marshal(frame)
	if err != nil {
		d.t.Fatal(err)
	}
	d.take(adapter.Frame{Conn: "turn-1", Data: data})
}

// said joins the texts of whole messages.
func (d *desk) said() string {
	var all strings.Builder
	for _, e := range d.emitted {
		if m, ok := e.Body.(event.MessageCreated); ok {
			text, _ := m.Content.Part.(event.Text)
			all.WriteString(text.Text)
		}
	}
	return all.String()
}

// An answer longer than what is kept of one loses nothing and leaves the state
// small, whether or not the vendor sums it up.
func TestALongAnswerIsWhole(t *testing.T) {
	for name, sum := range map[string]func(string) any{
		"without a summary": nil,
		"with one":          func(text string) any { return summary(text) },
		"with another":      func(text string) any { return summary("something else " + text) },
	} {
		t.Run(name, func(t *testing.T) {
			d, want := newDesk(t, event.RoleVirtualAgent), ""
			d.asked("tell me")
			for i := range 200 {
				piece := fmt.Sprintf("%04d <é👩‍👩‍👧‍👦> %s ", i, strings.Repeat("\"x", 100))
				want += piece
				d.frame(map[string]any{"type": "chunk", "chunk": piece, "chunkIndex": i, "ui_engine": false})
				if len(d.turn.State) > 16<<10 {
					t.Fatalf("after %d chunks the state has %d bytes", i, len(d.turn.State))
				}
			}
			if sum != nil {
				d.frame(sum(want))
			}
			d.take(adapter.Closed{Conn: "turn-1", Code: 1000, Reason: adapter.ClosedByPeer})
			if got := d.said(); got != want {
				t.Errorf("said %d bytes, want %d", len(got), len(want))
			}
		})
	}
}

func summary(text string) any {
	return map[string]any{"type": "metadata", "metadata": map[string]any{"turns": []any{turnOf(textItem(text))}}}
}

// A snapshot too large to keep is told as incomplete, never as whole.
func TestASnapshotTooLarge(t *testing.T) {
	d := newDesk(t, event.RoleVirtualAgent)
	d.asked("tell me")
	data, err := json.Marshal(turnOf(textItem(strings.Repeat("<", 20_000))))
	if err != nil {
		t.Fatal(err)
	}
	d.frame(map[string]any{"type": "chunk", "chunk": string(data), "chunkIndex": 0, "ui_engine": true})
	if len(d.turn.State) > 48<<10 {
		t.Errorf("the state has %d bytes", len(d.turn.State))
	}
	d.take(adapter.Closed{Conn: "turn-1", Code: 1000, Reason: adapter.ClosedByPeer})
	for _, e := range d.emitted {
		if m, ok := e.Body.(event.MessageCreated); ok && !m.Incomplete {
			t.Error("the message counts as whole")
		}
	}
}

// A prompt too long to keep is not sent again after a loss: the customer is told.
func TestALostPromptTooLongToKeep(t *testing.T) {
	d := newDesk(t, event.RoleVirtualAgent)
	d.asked(strings.Repeat("x", 10_000))
	for _, e := range d.take(adapter.Closed{Conn: "turn-1", Reason: adapter.ClosedLost}) {
		if _, again := e.(adapter.Dialing); again {
			t.Error("it is dialled again with nothing to say")
		}
	}
	last := d.emitted[len(d.emitted)-2]
	if failed, ok := last.Body.(event.MessageFailed); !ok || failed.Message != "m-1" {
		t.Errorf("%T instead of the failure of m-1", last.Body)
	}
}

// What a client gets in one turn is bounded in the state and whole on the wire.
func TestALongTurnOfAClient(t *testing.T) {
	d, want := newDesk(t, event.RoleCustomer), ""
	d.take(adapter.Opened{Conn: "turn-1", Endpoint: "interact"})
	d.frame(map[string]any{"convoId": "c", "prompt": "hello"})
	for i := range 100 {
		text := fmt.Sprintf("%04d %s", i, strings.Repeat("<", 200))
		if want != "" {
			want += "\n\n"
		}
		want += text
		d.take(adapter.Deliver{Event: event.Event{ID: fmt.Sprint(i), Actor: event.Actor{Role: event.RoleLiveAgent},
			Body: event.MessageCreated{Content: event.Plain(text)}}})
		if len(d.turn.State) > 16<<10 {
			t.Fatalf("after %d messages the state has %d bytes", i, len(d.turn.State))
		}
	}
	got := ""
	for i, s := range d.sent {
		var f struct {
			Chunk      string
			ChunkIndex int
		}
		if err := json.Unmarshal(s.Data, &f); err != nil || f.ChunkIndex != i {
			t.Fatalf("chunk %d has index %d: %v", i, f.ChunkIndex, err)
		}
		got += f.Chunk
	}
	if got != want {
		t.Errorf("%d bytes left, want %d", len(got), len(want))
	}
}

func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{`{"type":"chunk","chunk":"a","chunkIndex":0,"ui_engine":false}`, `{"type":"chunk","chunk":"{\"messages\":[]}","ui_engine":true}`,
		`{"type":"action","action":{"type":"request_handoff","payload":{"timeout":"9"}}}`, `{"type":"sync_chat_history","turns":[{"from":"human","ts":1e99,"messages":[{"content":"a"}]}]}`,
		`{"type":"metadata","metadata":{"turns":"[{\"from\":\"bot\",\"messages\":[{\"item\":{\"type\":\"choice\",\"payload\":{\"buttons\":[{}]}}}]}]"}}`, `[`, `text`, ``} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d := newDesk(t, event.RoleVirtualAgent)
		d.asked("hello")
		d.take(adapter.Frame{Conn: "turn-1", Data: data})
		d.take(adapter.Closed{Conn: "turn-1", Code: 1000, Reason: adapter.ClosedByPeer})
		d.writable()
		if last := d.emitted[len(d.emitted)-1]; last.Body != (event.Body(event.AnswerCompleted{To: "m-1"})) {
			t.Errorf("the turn ends with %T", last.Body)
		}
	})
}

func FuzzPrompt(f *testing.F) {
	for _, seed := range []string{`{"convoId":"c","prompt":"hi","lightConvoData":{"userName":"Ada","capturedVariables":{"a":[1]}}}`, `{"prompt":"@rewind:"}`,
		`{"visualPayload":{"images":[{"url":"x"},null,"y"]}}`, `{"formSubmissionMetadata":{"payload":[{"value":{}}]}}`, `{}`, `null`, `"x"`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d := newDesk(t, event.RoleCustomer)
		d.take(adapter.Opened{Conn: "turn-1", Endpoint: "interact"})
		d.take(adapter.Frame{Conn: "turn-1", Data: data})
		d.writable()
	})
}

// writable holds that what was emitted can be stored, and the state too.
func (d *desk) writable() {
	d.t.Helper()
	for _, e := range d.emitted {
		if _, err := json.Marshal(event.Event{Body: e.Body, Actor: e.Actor, Vendor: e.Vendor}); err != nil {
			d.t.Errorf("an emission cannot be written: %v", err)
		}
	}
	if len(d.turn.State) > 48<<10 {
		d.t.Errorf("the state has %d bytes", len(d.turn.State))
	}
}
