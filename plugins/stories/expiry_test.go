package stories

import (
	"net/http"
	"slices"
	"testing"

	"github.com/footbridge/footbridge/adapters/convocore/convocoresim"
	"github.com/footbridge/footbridge/bridge/event"
)

// Limits that pass, in seconds and with the vendors; days are under a fake clock
// beside the main. What the customer is told of each:
const (
	toldTimedOut     = "Sorry, nobody could take your request in time."
	toldAgentSilent  = "Sorry, your colleague has not answered for a long time."
	toldCustomerGone = "We have not heard from you for a while, so this conversation ends here."
	toldSayAgain     = "Please say that again: your last message could not be passed on."
	toldServerLeft   = "The customer has left the conversation."
)

// expiring has AI Studio's route with these limits.
func expiring(t *testing.T, backend, timers string) *rig {
	t.Helper()
	return newRig(t, setting{backends: []string{backend}, timers: "timers = { " + timers + " }"})
}

// waits begins a hand-off that is in a queue, and says something.
func (r *rig) waits() (id, said string) {
	r.t.Helper()
	r.begin("s1")
	return r.conversation("s1"), r.tell("s1", "hello")
}

// backAtStudio wants these words to have come to AI Studio, then one disconnect.
func (r *rig) backAtStudio(words ...string) {
	r.t.Helper()
	r.eventually("a disconnect", func() bool { return r.disconnects("s1") > 0 })
	var endpoints []string
	for _, rec := range r.studio.Records() {
		if rec.Session == "s1" && rec.Committed && slices.Contains([]string{"outbound", "disconnect"}, rec.Endpoint) {
			endpoints = append(endpoints, rec.Endpoint)
		}
	}
	if want := append(slices.Repeat([]string{"outbound"}, len(words)), "disconnect"); !slices.Equal(endpoints, want) {
		r.t.Errorf("AI Studio's session had %q, want %q", endpoints, want)
	}
	if got := r.studio.Shown("s1"); !slices.Equal(got, words) {
		r.t.Errorf("the customer was told %q, want %q", got, words)
	}
}

// passed wants events of these authors and kinds, in this order, others between.
func (r *rig) passed(id string, want ...string) {
	r.t.Helper()
	rest := want
	var all []string
	for _, e := range r.events(id) {
		all = append(all, string(e.Actor.Role)+" "+string(e.Kind()))
		if len(rest) > 0 && all[len(all)-1] == rest[0] {
			rest = rest[1:]
		}
	}
	if len(rest) > 0 {
		r.t.Errorf("there is no %s in its place among %q", rest[0], all)
	}
}

// tooLate wants an event of the live agent Sam to be refused, and to change nothing.
func (r *rig) tooLate(id string, body event.Body) {
	r.t.Helper()
	before := r.state(id)
	status := r.api("POST", "/conversations/"+id+"/events", deskToken, "late "+string(body.Kind()),
		map[string]any{"kind": body.Kind(), "actor": map[string]string{"role": "live_agent", "id": "sam", "name": "Sam"}, "body": body}, nil)
	if status != http.StatusConflict {
		r.t.Errorf("a late %s was answered %d", body.Kind(), status)
	}
	if after := r.state(id); after != before {
		r.t.Errorf("a late %s made the conversation %s of %s", body.Kind(), after, before)
	}
}

// TestWaitingExpires: nobody at the desk accepts in time. The customer is told, AI
// Studio has its session back, and who accepts now is declined.
func TestWaitingExpires(t *testing.T) {
	t.Parallel()
	r := expiring(t, "desk", `waiting = "3s"`)
	id, _ := r.waits()
	r.inState(id, "automated")
	r.backAtStudio(toldTimedOut)
	r.passed(id, "virtual_agent handoff.requested", "system handoff.cancelled", "system message.created", "system handoff.failed")
	r.tooLate(id, event.HandoffAccepted{})
	r.tooLate(id, event.MessageCreated{Content: event.Plain("okapi, I am here")})
	r.backAtStudio(toldTimedOut)
}

// TestWaitingExpiresAtServer: nobody at a live-agent server answers in time. Its
// agent is told in words, and finds the session gone.
func TestWaitingExpiresAtServer(t *testing.T) {
	t.Parallel()
	r := expiring(t, "vdesk", `waiting = "5s"`)
	id, said := r.waits()
	r.inState(id, "automated")
	r.backAtStudio(toldTimedOut)
	r.goneAtServer(id, said, toldServerLeft)
	r.backAtStudio(toldTimedOut)
}

// goneAtServer wants the live-agent server to have these words, and no say any more.
func (r *rig) goneAtServer(id string, words ...string) {
	r.t.Helper()
	session := r.desk.Sessions()[0]
	r.eventually("the agent told", func() bool { return slices.Contains(r.desk.Shown(session), toldServerLeft) })
	if got := r.desk.Shown(session); !slices.Equal(got, words) {
		r.t.Errorf("the agent was shown %q, want %q", got, words)
	}
	if a, err := r.desk.Say(r.t.Context(), session, "okapi, I am here"); err != nil || a.Status != http.StatusNotFound {
		r.t.Errorf("a late word of the agent was answered %d, %v", a.Status, err)
	}
	if got := texts(r.events(id), event.RoleLiveAgent); slices.Contains(got, "okapi, I am here") {
		r.t.Errorf("the conversation has the late word: %q", got)
	}
}

// TestAgentSilenceExpires: who accepted says nothing. The customer, whose words
// nobody answered, is told and asked to say them again; AI Studio has its session
// back, and the agent has not.
func TestAgentSilenceExpires(t *testing.T) {
	t.Parallel()
	r := expiring(t, "desk", `agent_silence = "2s"`)
	id, _ := r.waits()
	r.say(id, "accept", event.HandoffAccepted{})
	r.inState(id, "automated")
	r.backAtStudio(toldAgentSilent, toldSayAgain)
	r.passed(id, "live_agent handoff.accepted", "system message.created", "system handback.requested", "virtual_agent handback.completed")
	r.tooLate(id, event.MessageCreated{Content: event.Plain("okapi, I am here")})
	r.backAtStudio(toldAgentSilent, toldSayAgain)
}

// TestAgentSilenceExpiresAtServer: an agent at a live-agent server speaks once.
func TestAgentSilenceExpiresAtServer(t *testing.T) {
	t.Parallel()
	r := expiring(t, "vdesk", `agent_silence = "3s"`)
	id, said := r.waits()
	spoken := r.reply(r.desk.Sessions()[0], "first")
	r.inState(id, "automated")
	r.backAtStudio(spoken, toldAgentSilent)
	r.goneAtServer(id, said, toldServerLeft)
}

// TestCustomerSilenceExpires: the customer says nothing more. They are told, and
// the conversation ends on both sides; the next hand-off of the session is another.
func TestCustomerSilenceExpires(t *testing.T) {
	t.Parallel()
	r := expiring(t, "desk", `customer_silence = "2s"`)
	id, _ := r.waits()
	r.say(id, "accept", event.HandoffAccepted{})
	r.inState(id, "ended")
	r.backAtStudio(toldCustomerGone)
	r.passed(id, "live_agent handoff.accepted", "system message.created", "system conversation.ended")
	r.tooLate(id, event.MessageCreated{Content: event.Plain("okapi, I am here")})
	r.anew(id)
}

// anew wants the next hand-off of the session to begin another conversation.
func (r *rig) anew(ended string) {
	r.t.Helper()
	r.begin("s1")
	all := r.conversations()
	if len(all) != 2 || r.state(ended) != "ended" {
		r.t.Errorf("after the end there are %d conversations, and the first is %s", len(all), r.state(ended))
	}
}

// TestTotalExpires: after a handback AI Studio has nothing more to say. The
// conversation ends, and neither side hears of it.
func TestTotalExpires(t *testing.T) {
	t.Parallel()
	r := expiring(t, "desk", `total = "2s"`)
	id, _ := r.waits()
	r.say(id, "accept", event.HandoffAccepted{})
	last := r.say(id, "words", event.MessageCreated{Content: event.Plain("okapi, all done")})
	r.say(id, "back", event.HandbackRequested{UpTo: last.ID})
	r.inState(id, "ended")
	r.backAtStudio("okapi, all done")
	r.passed(id, "virtual_agent handback.completed", "system conversation.ended")
	r.tooLate(id, event.HandoffAccepted{})
	r.anew(id)
}

// TestVendorsOwnWaitingExpires: Convocore's agent lets a hand-off wait two seconds,
// which is less than the route does. Then it has the customer back.
func TestVendorsOwnWaitingExpires(t *testing.T) {
	t.Parallel()
	s, address := convoPlatform(t, convocoresim.Options{})
	r := newRig(t, setting{extra: convoAgent(address, "greet = false\nrest = true\nwaiting = 2")})
	s.Events("http://" + r.public + "/in/convo/events")
	id, token := r.chatAt("pk_shop")
	r.write(id, token, "1", "okapi human please")
	r.eventually("the hand-off fails", func() bool { return count(r.events(id), event.KindHandoffFailed) == 1 })
	r.inState(id, "automated")
	r.tooLate(id, event.HandoffAccepted{})
	r.write(id, token, "2", "okapi again")
	r.answered(id, "You said: okapi again")
	r.passed(id, "virtual_agent handoff.requested", "system handoff.cancelled", "system message.created", "system handoff.failed",
		"customer message.created", "virtual_agent message.created")
	if got := texts(r.seenBy(id, token), event.RoleSystem); !slices.Equal(got, []string{toldTimedOut}) {
		t.Errorf("the customer was told %q", got)
	}
	if got := s.States(id); !slices.Equal(got, []string{"requested_chat", "ai-chatting"}) {
		t.Errorf("the vendor's inbox saw %q", got)
	}
}
