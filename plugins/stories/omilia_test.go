package stories

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/footbridge/footbridge/adapters/omilia/omiliasim"
	"github.com/footbridge/footbridge/bridge/event"
)

// TestAssistantTellsTheDeskAlone: all that an assistant says, in any envelope and
// with its token anywhere, reaches the live agent; AI Studio is shown the agent's
// words only. What the agent asks for goes out as a command, and its answer comes
// back as an insight.
func TestAssistantTellsTheDeskAlone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		options  omiliasim.Options
		settings string
	}{
		{omiliasim.Options{TokenIn: omiliasim.InQuery}, ""},
		{omiliasim.Options{TokenIn: omiliasim.InBearer, Envelope: omiliasim.Keyed, Dotted: true}, "token_in = \"bearer\"\nenvelope = \"key\""},
		{omiliasim.Options{TokenIn: omiliasim.InProtocol, Envelope: omiliasim.Bare}, "token_in = \"protocol\"\nprotocol = \"assist\"\nenvelope = \"none\""},
		{omiliasim.Options{Envelope: "message_type", Payload: "payload"}, "token_name = \"session_token\"\nenvelope = \"message_type\"\npayload = \"payload\""},
	} {
		t.Run(c.options.TokenIn+c.options.Envelope, func(t *testing.T) {
			t.Parallel()
			r, s := assisted(t, c.options, c.settings)
			id := r.taken(s, "s1")
			r.say(id, "one", event.MessageCreated{Content: event.Plain("okapi one")})
			r.tells(s, id, "s1")
			said := r.tell("s1", "three")
			r.say(id, "two", event.MessageCreated{Content: event.Plain("okapi two")})
			r.asksFor(s, id)
			r.say(id, "back", event.HandbackRequested{UpTo: last(r.events(id))})
			r.inState(id, "automated")
			if err := s.Send("s1", "summary_info", omiliasim.Summary{Data: "okapi after all"}); err != nil {
				t.Fatal(err)
			}
			r.learns(id, "summary", "okapi after all")
			if shown := r.studio.Shown("s1"); !slices.Equal(shown, []string{"okapi one", "okapi two"}) {
				t.Errorf("AI Studio showed %q", shown)
			}
			if !slices.Contains(texts(r.events(id), event.RoleCustomer), said) || r.disconnects("s1") != 1 {
				t.Errorf("the conversation itself: %q, given back %d times", texts(r.events(id), event.RoleCustomer), r.disconnects("s1"))
			}
			if len(s.Problems("s1")) != 0 || s.Opened("s1") != 1 || s.Refused() != 0 {
				t.Errorf("the assistant: problems %q, %d connections, refused %d", s.Problems("s1"), s.Opened("s1"), s.Refused())
			}
			r.keptFromStudio(id)
		})
	}
}

// asksFor has the live agent ask the assistant three things.
func (r *rig) asksFor(s *omiliasim.Server, id string) {
	r.t.Helper()
	s.Lose("s1", omiliasim.User, "okapi unheard")
	r.say(id, "ask dialog", event.InsightRequested{Type: "dialog"})
	r.asked(s, "s1", "GET_DIALOG", 1)
	r.learns(id, "dialog", "okapi unheard")
	if err := s.Flow("s1", omiliasim.Flow{ID: "f-7", Status: "RUNNING", Intent: "okapi first"}); err != nil {
		r.t.Fatal(err)
	}
	r.say(id, "ask flow", event.InsightRequested{Type: "flow", Parameters: map[string]json.RawMessage{"id": json.RawMessage(`"f-7"`)}})
	if c := r.asked(s, "s1", "GET_BUSINESSFLOW_INSTANCES", 1); string(c.Parameters["flow_instance_id"]) != `"f-7"` {
		r.t.Errorf("the flow was asked for as %s", c.Parameters)
	}
	r.eventually("the flow again", func() bool {
		n := 0
		for _, f := range insights(r.events(id))["flow"] {
			if strings.Contains(f, "okapi first") {
				n++
			}
		}
		return n == 2
	})
	r.say(id, "ask tea", event.InsightRequested{Type: "MAKE_TEA"})
	r.asked(s, "s1", "MAKE_TEA", 1)
	r.learns(id, "error", "MAKE_TEA")
}

// TestAssistantIsAskedForWhatWasMissed: a gap in the sequence and a broken
// connection are followed by GET_DIALOG; what is told again counts once.
func TestAssistantIsAskedForWhatWasMissed(t *testing.T) {
	t.Parallel()
	r, s := assisted(t, omiliasim.Options{}, "")
	id := r.taken(s, "s1")
	speaks(t, s, "s1", "okapi 1", "okapi 2")
	s.Lose("s1", omiliasim.Agent, "okapi 3")
	if err := s.Begin("s1", omiliasim.User, "okapi fo"); err != nil {
		t.Fatal(err)
	}
	r.asked(s, "s1", "GET_DIALOG", 1)
	r.learns(id, "dialog", "okapi 3")
	speaks(t, s, "s1", "okapi 4")
	r.learns(id, "utterance", "okapi 4")
	if n := len(s.Commands("s1")); n != 1 {
		t.Errorf("one gap was asked about %d times", n)
	}
	s.Refuse(http.StatusUnauthorized)
	s.Drop("s1")
	s.Lose("s1", omiliasim.User, "okapi 5")
	r.listened(s, "s1", 2)
	r.asked(s, "s1", "GET_DIALOG", 2)
	r.learns(id, "dialog", "okapi 5")
	if err := s.Repeat("s1"); err != nil {
		t.Fatal(err)
	}
	speaks(t, s, "s1", "okapi 6")
	r.learns(id, "utterance", "okapi 6")
	events := r.events(id)
	heardOnce(t, events, "okapi 1", "okapi 2", "okapi 3", "okapi 4", "okapi 5", "okapi 6")
	if got := faults(events, "not_connected"); len(got) != 1 || !strings.Contains(got[0], "401") {
		t.Errorf("of the refusal the desk was told %q", got)
	}
	if shown := r.studio.Shown("s1"); len(shown) != 0 {
		t.Errorf("AI Studio showed %q", shown)
	}
}

// TestAssistantWithoutACall: where the conversation does not say which call it is,
// the desk is told once, people talk undisturbed, and the assistant comes when the
// fact is there.
func TestAssistantWithoutACall(t *testing.T) {
	t.Parallel()
	r, s := assisted(t, omiliasim.Options{}, "")
	r.begin("s1")
	id := r.conversation("s1")
	r.say(id, "accept", event.HandoffAccepted{})
	r.eventually("the desk is told", func() bool { return len(faults(r.events(id), "observer_not_opened")) > 0 })
	said := []string{r.tell("s1", "one"), r.tell("s1", "two")}
	r.say(id, "one", event.MessageCreated{Content: event.Plain("okapi one")})
	asked := r.say(id, "ask", event.InsightRequested{Type: "dialog"})
	r.eventually("the agent hears that nobody can be asked", func() bool {
		return slices.ContainsFunc(r.events(id), func(e event.Event) bool {
			b, ok := e.Body.(event.MessageFailed)
			return ok && b.Message == asked.ID
		})
	})
	r.say(id, "two", event.MessageCreated{Content: event.Plain("okapi two")})
	events := r.events(id)
	if got := faults(events, "observer_not_opened"); len(got) != 1 || !strings.Contains(got[0], "call_id") {
		t.Errorf("the desk was told %q", got)
	}
	if got := faults(events, "not_connected"); len(got) != 0 || len(s.Calls()) != 0 {
		t.Errorf("the desk was also told %q; calls listened to: %q", got, s.Calls())
	}
	r.say(id, "which", event.ContextUpdated{Attributes: map[string]string{"call_id": "c/9 &x"}})
	r.listened(s, "c/9 &x", 1)
	if err := s.Send("c/9 &x", "summary_info", omiliasim.Summary{Data: "okapi now"}); err != nil {
		t.Fatal(err)
	}
	r.learns(id, "summary", "okapi now")
	r.say(id, "back", event.HandbackRequested{UpTo: last(r.events(id))})
	r.inState(id, "automated")
	events = r.events(id)
	tale{flows: []flow{{"the desk", said, texts(events, event.RoleCustomer)},
		{"AI Studio", []string{"okapi one", "okapi two"}, r.studio.Shown("s1")}}}.once(t)
	if got := faults(events, "observer_not_opened"); len(got) != 1 {
		t.Errorf("the desk was told %q", got)
	}
}

// TestAssistantsCallIsNotTheCustomersToChoose: a browser that opens a chat cannot
// say which call is listened to; a program of the business can.
func TestAssistantsCallIsNotTheCustomersToChoose(t *testing.T) {
	t.Parallel()
	r, s := assisted(t, omiliasim.Options{}, "")
	open := func(bearer, call string, more map[string]any) string {
		t.Helper()
		var opened struct{ Conversation, Token string }
		more["attributes"] = map[string]string{"call_id": call}
		if status := r.api("POST", "/conversations", bearer, "", more, &opened); status != http.StatusCreated {
			t.Fatalf("open a chat: status %d", status)
		}
		r.write(opened.Conversation, opened.Token, "1", "an agent please, okapi")
		r.inState(opened.Conversation, "queued")
		r.say(opened.Conversation, "accept "+call, event.HandoffAccepted{})
		return opened.Conversation
	}
	id := open("", "c-theirs", map[string]any{"publishable_key": "pk_shop"})
	r.eventually("the desk is told", func() bool { return len(faults(r.events(id), "observer_not_opened")) > 0 })
	if got := faults(r.events(id), "observer_not_opened"); len(got) != 1 || !strings.Contains(got[0], "trust_customer_attributes") {
		t.Errorf("the desk was told %q", got)
	}
	open(deskToken, "c-ours", map[string]any{"account": "shop"})
	r.listened(s, "c-ours", 1)
	if got := s.Calls(); !slices.Equal(got, []string{"c-ours"}) {
		t.Errorf("calls listened to: %q", got)
	}
}

// TestAssistantOutlivesACrash: the bridge is killed while an assistant listens to
// a web chat. It listens again; what it had told is there once, what was said
// meanwhile is asked for, and what the agent asked for is asked.
func TestAssistantOutlivesACrash(t *testing.T) {
	t.Parallel()
	r, s := assisted(t, omiliasim.Options{}, "")
	id, token := r.chatAt("pk_shop")
	r.write(id, token, "1", "an agent please, okapi")
	r.inState(id, "queued")
	r.say(id, "which", event.ContextUpdated{Attributes: map[string]string{"call_id": "c-1"}})
	r.say(id, "accept", event.HandoffAccepted{})
	r.listened(s, "c-1", 1)
	speaks(t, s, "c-1", "okapi 1", "okapi 2", "okapi 3")
	r.learns(id, "utterance", "okapi 3")
	r.say(id, "hello", event.MessageCreated{Content: event.Plain("okapi Sam here")})
	r.say(id, "ask", event.InsightRequested{Type: "okapi_WORD"})
	r.kill()
	s.Lose("c-1", omiliasim.User, "okapi 4")
	r.ready()
	r.listened(s, "c-1", 2)
	r.asked(s, "c-1", "GET_DIALOG", 1)
	r.learns(id, "dialog", "okapi 4")
	r.asked(s, "c-1", "okapi_WORD", 1)
	if err := s.Repeat("c-1"); err != nil {
		t.Fatal(err)
	}
	speaks(t, s, "c-1", "okapi 5")
	r.learns(id, "utterance", "okapi 5")
	r.write(id, token, "2", "okapi still there")
	r.say(id, "yes", event.MessageCreated{Content: event.Plain("okapi yes")})
	events := r.events(id)
	heardOnce(t, events, "okapi 1", "okapi 2", "okapi 3", "okapi 4", "okapi 5")
	if got := faults(events, "not_connected"); len(got) != 0 {
		t.Errorf("the desk was told %q of a connection that came back", got)
	}
	customer := r.seenBy(id, token)
	if got := texts(customer, event.RoleLiveAgent); !slices.Equal(got, []string{"okapi Sam here", "okapi yes"}) {
		t.Errorf("the customer reads %q of the agent", got)
	}
	for _, e := range customer {
		if e.Actor.Role == event.RoleObserver || e.Kind() == event.KindInsightRequested || e.Kind() == event.KindInsightObserved {
			t.Errorf("the customer sees %s of %s", e.Kind(), e.Actor.Role)
		}
	}
	r.say(id, "end", event.ConversationEnded{Reason: "okapi done", By: event.RoleLiveAgent})
	r.eventually("nobody listens after the end", func() bool { return !s.Listening("c-1") })
}

// TestVoiceprintsAreNotKept: without keep_biometrics nothing measured of a voice
// is in an event, a frame or a state of the journal, even unsealed; with it all of
// it is, so that the search is known to find it.
func TestVoiceprintsAreNotKept(t *testing.T) {
	t.Parallel()
	for _, keep := range []string{"false", "true"} {
		t.Run("keep_biometrics="+keep, func(t *testing.T) {
			t.Parallel()
			r, s := assisted(t, omiliasim.Options{}, "keep_biometrics = "+keep)
			id := r.taken(s, "s1")
			r.tells(s, id, "s1")
			events, err := json.Marshal(r.events(id))
			if err != nil {
				t.Fatal(err)
			}
			kept := r.unsealed(id)
			if !strings.Contains(kept, "okapi verdict") || !strings.Contains(kept, "verification_result") {
				t.Fatalf("the search finds not even what is kept: %d bytes", len(kept))
			}
			for _, secret := range biometric {
				inEvents, inJournal := strings.Contains(string(events), secret), strings.Contains(kept, secret)
				if inEvents != (keep == "true") || inJournal != (keep == "true") {
					t.Errorf("%s: in events %t, in the journal %t", secret, inEvents, inJournal)
				}
			}
			if keep == "false" {
				r.nowhere(biometric)
			}
		})
	}
}
