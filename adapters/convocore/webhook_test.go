package convocore_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/footbridge/footbridge/adapters/convocore/convocoresim"
	"github.com/footbridge/footbridge/bridge/adapter/adaptertest"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// tellers are how the simulated vendor tells by its webhook what an event means:
// no role of the adapter posts there, so it is the way out of the corpus.
var tellers = map[event.Kind]func(s *convocoresim.Server, convo string, e event.Event) (int, error){
	event.KindHandoffRequested: func(s *convocoresim.Server, convo string, _ event.Event) (int, error) { return s.Request(convo) },
	event.KindHandoffAccepted: func(s *convocoresim.Server, convo string, e event.Event) (int, error) {
		return s.Take(convo, e.Actor.ID)
	},
	event.KindHandbackRequested: func(s *convocoresim.Server, convo string, _ event.Event) (int, error) { return s.GiveBack(convo) },
	event.KindConversationEnded: func(s *convocoresim.Server, convo string, _ event.Event) (int, error) { return s.End(convo) },
	event.KindMessageCreated: func(s *convocoresim.Server, convo string, e event.Event) (int, error) {
		return s.Say(convo, codec.Plain(e.Body.(event.MessageCreated).Content))
	},
	event.KindExtension: func(s *convocoresim.Server, convo string, e event.Event) (int, error) {
		body := e.Body.(event.Extension)
		payload := map[string]any{}
		if err := json.Unmarshal(body.Data, &payload); err != nil {
			return 0, err
		}
		return s.Tell(body.Name, payload)
	},
}

// TestWebhookGoesOutByTheSimulator: what a post of the webhook means, told by the
// simulated vendor, is the post again.
func TestWebhookGoesOutByTheSimulator(t *testing.T) {
	cases, err := adaptertest.ReadCorpus("testdata/corpus.json")
	if err != nil {
		t.Fatal(err)
	}
	told := 0
	for _, c := range cases {
		if c.Endpoint != "events" || len(c.Events) != 1 {
			continue
		}
		told++
		t.Run(c.Name, func(t *testing.T) {
			var posted []byte
			bridge := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { posted, _ = io.ReadAll(r.Body) }))
			defer bridge.Close()
			s := convocoresim.NewServer(convocoresim.Options{Secret: "secret"})
			s.Events(bridge.URL)
			var e event.Event
			if err := json.Unmarshal(c.Events[0], &e); err != nil {
				t.Fatal(err)
			}
			tell := tellers[e.Kind()]
			if tell == nil {
				t.Fatalf("no way out for %s", e.Kind())
			}
			if status, err := tell(s, "leg-1", e); status != http.StatusOK || err != nil {
				t.Fatalf("status %d, %v", status, err)
			}
			if got, want := meaning(t, posted), meaning(t, c.Frame); !reflect.DeepEqual(got, want) {
				t.Errorf("it is another post:\n frame %v\n back  %v", want, got)
			}
		})
	}
	if told < 9 {
		t.Errorf("%d posts of the corpus mean something", told)
	}
}

// meaning is a post without what the sender makes new each time, and without what
// the vendor adds of the conversation as a whole.
func meaning(t *testing.T, data []byte) map[string]any {
	t.Helper()
	var frame struct {
		Type    string
		Payload map[string]any
	}
	if err := json.Unmarshal(data, &frame); err != nil {
		t.Fatalf("%v in %s", err, data)
	}
	for name := range frame.Payload {
		if strings.Contains(" createdAt workspaceSecret turns agentId messageType ", " "+name+" ") {
			delete(frame.Payload, name)
		}
	}
	return map[string]any{"type": frame.Type, "payload": frame.Payload}
}
