package stories

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/footbridge/footbridge/adapters/convocore/convocoresim"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// convoAgent is an account of Convocore's agent at a simulated platform, and a
// web chat routed to it.
func convoAgent(address, settings string) string {
	return account("convo", convocore, "virtual_agent", `agent_id = "agent"`, at(address), settings) + shop("convo", "desk")
}

// convoWeb is an account that serves Convocore's socket, routed to an agent.
func convoWeb(settings, agent string) string {
	return account("convoweb", convocore, "customer", settings) + route("convoweb", agent, "desk")
}

// convoPlatform runs a simulated Convocore and gives its address.
func convoPlatform(t *testing.T, o convocoresim.Options) (*convocoresim.Server, string) {
	t.Helper()
	o.Secret, o.Greeting = convoSecret, "okapi greeting"
	s := convocoresim.NewServer(o)
	return s, serve(t, s.Handler())
}

// convoClient is a client of the bridge's own socket, known by its convoId.
func (r *rig) convoClient(convo string) *convocoresim.Client {
	return convocoresim.NewClient("ws://"+r.public+"/in/convoweb/interact", convoSecret, convo)
}

// turn says words under an id until the connection ends as it should, as a client
// does that lost one.
func (r *rig) turn(c *convocoresim.Client, mid, text string) convocoresim.Reply {
	r.t.Helper()
	var reply convocoresim.Reply
	r.eventually("a whole turn of "+text, func() bool {
		ctx, cancel := context.WithTimeout(r.t.Context(), patience)
		defer cancel()
		var err error
		reply, err = c.Say(ctx, mid, text)
		return err == nil && reply.Whole()
	})
	return reply
}

// cameLast counts what came on the newest connection of a conversation and has had
// its turn.
func (r *rig) cameLast(id string) int {
	r.t.Helper()
	var page struct {
		Frames []struct{ Endpoint, Outcome string }
	}
	r.api("GET", "/conversations/"+id+"/frames?limit=1000", deskToken, "", nil, &page)
	n := 0
	for _, f := range page.Frames {
		if f.Endpoint == page.Frames[len(page.Frames)-1].Endpoint && f.Outcome == "done" {
			n++
		}
	}
	return n
}

func count(events []event.Event, kind event.Kind) int {
	n := 0
	for _, e := range events {
		if e.Kind() == kind {
			n++
		}
	}
	return n
}

// TestConvocoresAgentHandsOff: the vendor's agent greets and answers a customer of
// ours, asks for people, is told what they do, does not hear what was theirs, and
// has the conversation back. What its webhook says of all that is no news.
func TestConvocoresAgentHandsOff(t *testing.T) {
	t.Parallel()
	for _, all := range []bool{false, true} {
		t.Run(fmt.Sprintf("all_turns=%t", all), func(t *testing.T) {
			t.Parallel()
			s, address := convoPlatform(t, convocoresim.Options{AllTurns: all})
			r := newRig(t, setting{extra: convoAgent(address, "rest = true")})
			s.Events("http://" + r.public + "/in/convo/events")
			id, token := r.chatAt("pk_shop")
			r.answered(id, "okapi greeting")
			r.write(id, token, "1", "okapi hello")
			r.answered(id, "You said: okapi hello")
			r.write(id, token, "2", "okapi snapshot")
			r.answered(id, "You said: okapi snapshot")
			r.write(id, token, "3", "okapi human please")
			r.inState(id, "queued")
			r.say(id, "accept", event.HandoffAccepted{})
			r.write(id, token, "4", "okapi for Sam")
			seen := r.say(id, "words", event.MessageCreated{Content: event.Plain("okapi from Sam")})
			r.reads(id, "okapi from Sam")
			r.say(id, "back", event.HandbackRequested{UpTo: seen.ID, Summary: "okapi is settled"})
			r.inState(id, "automated")
			r.write(id, token, "5", "okapi again")
			r.answered(id, "You said: okapi again")
			if got := s.Heard(id); !slices.Equal(got, []string{"okapi hello", "okapi snapshot", "okapi human please", "okapi again"}) {
				t.Errorf("the agent heard %q", got)
			}
			if got := s.States(id); !slices.Equal(got, []string{"requested_chat", "human-chatting", "ai-chatting"}) {
				t.Errorf("the vendor's inbox saw %q", got)
			}
			events := r.events(id)
			tale{conversation: id, flows: []flow{{"the customer", []string{"okapi greeting", "You said: okapi hello", "You said: okapi snapshot",
				"I will ask my colleagues.", "You said: okapi again"}, texts(events, event.RoleVirtualAgent)}}}.once(t)
			if n := count(events, event.KindHandoffRequested); n != 1 || s.Refused() != 0 {
				t.Errorf("%d hand-offs were asked for, and %d calls refused", n, s.Refused())
			}
		})
	}
}

// TestConvocoresPeopleTakeOver: the events webhook, which shows its secret in the
// body, says that the vendor's own people have the conversation; a forged one says
// nothing.
func TestConvocoresPeopleTakeOver(t *testing.T) {
	t.Parallel()
	s, address := convoPlatform(t, convocoresim.Options{})
	r := newRig(t, setting{extra: convoAgent(address, "greet = false")})
	s.Events("http://" + r.public + "/in/convo/events")
	id, token := r.chatAt("pk_shop")
	r.write(id, token, "1", "okapi hello")
	r.answered(id, "You said: okapi hello")
	state := func(state string) map[string]any {
		return map[string]any{"convoId": id, "lightConvoData": map[string]any{"state": state, "chatAssignedTo": "Eve"}}
	}
	for _, secret := range []string{"wrong", ""} {
		if status, err := s.TellWith(secret, "conversation_updated", state("human-chatting")); err != nil || status != http.StatusUnauthorized {
			t.Errorf("an event with secret %q was answered %d, %v", secret, status, err)
		}
	}
	accepted := func(status int, err error) {
		t.Helper()
		if err != nil || status/100 != 2 {
			t.Fatalf("an event was answered %d, %v", status, err)
		}
	}
	accepted(s.Take(id, "Tom"))
	r.inState(id, "active")
	r.write(id, token, "2", "okapi for Tom")
	r.eventually("Tom has it", func() bool { return slices.Contains(s.Heard(id), "okapi for Tom") })
	accepted(s.Say(id, "okapi, Tom here"))
	r.reads(id, "okapi, Tom here")
	accepted(s.GiveBack(id))
	r.inState(id, "automated")
	r.write(id, token, "3", "okapi again")
	r.answered(id, "You said: okapi again")
	accepted(s.Tell("webhook_test", map[string]any{"convoId": id}))
	accepted(s.Tell("conversation_updated", map[string]any{"convoId": "another"}))
	accepted(s.End(id))
	r.inState(id, "ended")
	events := r.events(id)
	for _, e := range events {
		if e.Actor.Role == event.RoleLiveAgent && e.Actor.Name != "Tom" {
			t.Errorf("%s is by %q", e.Kind(), e.Actor.Name)
		}
	}
	tale{flows: []flow{{"the platform", []string{"okapi hello", "okapi for Tom", "okapi again"}, s.Heard(id)},
		{"the customer", []string{"okapi, Tom here"}, texts(events, event.RoleLiveAgent)},
		{"the customer", []string{"You said: okapi hello", "You said: okapi again"}, texts(events, event.RoleVirtualAgent)}}}.once(t)
}

// TestConvocoresAgentOverAKill: the bridge dies while the vendor's agent thinks,
// and while it speaks. What was asked is answered once; an answer that was cut is
// closed as incomplete.
func TestConvocoresAgentOverAKill(t *testing.T) {
	t.Parallel()
	s, address := convoPlatform(t, convocoresim.Options{})
	r := newRig(t, setting{extra: convoAgent(address, "greet = false")})
	id, token := r.chatAt("pk_shop")
	asked := func(text string) func() bool {
		return func() bool {
			return slices.ContainsFunc(s.Objects(id), func(o convocoresim.Object) bool { return o.Prompt == text })
		}
	}
	r.write(id, token, "1", "okapi pause")
	r.eventually("the agent thinks", asked("okapi pause"))
	r.write(id, token, "2", "okapi meanwhile")
	r.kill()
	r.ready()
	r.answered(id, "You said: okapi pause")
	r.answered(id, "You said: okapi meanwhile")
	r.write(id, token, "3", "okapi stall")
	// On the turn's connection came its beginning, two frames nobody sees and a chunk.
	r.eventually("the agent speaks", func() bool { return r.cameLast(id) == 4 })
	r.kill()
	r.ready()
	r.eventually("the cut answer is closed", func() bool { return len(texts(r.events(id), event.RoleVirtualAgent)) == 3 })
	for _, e := range r.events(id) {
		if m, ok := e.Body.(event.MessageCreated); ok && e.Actor.Role == event.RoleVirtualAgent && m.Incomplete != (codec.Plain(m.Content) == "You ") {
			t.Errorf("%q is incomplete: %t", codec.Plain(m.Content), m.Incomplete)
		}
	}
	r.write(id, token, "4", "okapi after")
	r.answered(id, "You said: okapi after")
	mids := map[string][]string{}
	for _, o := range s.Objects(id) {
		mids[o.Prompt] = append(mids[o.Prompt], o.ActionMetadata.MID)
	}
	if all := mids["okapi pause"]; len(all) != 2 || all[0] != all[1] || all[0] == "" {
		t.Errorf("what had no answer was asked under the ids %q", all)
	}
	tale{flows: []flow{{"the agent", []string{"okapi pause", "okapi meanwhile", "okapi stall", "okapi after"}, s.Heard(id)},
		{"the customer", []string{"You said: okapi pause", "You said: okapi meanwhile", "You ", "You said: okapi after"}, texts(r.events(id), event.RoleVirtualAgent)}}}.once(t)
}

// TestConvocoreClientGoesThroughHandoffAndBack: a client built for the vendor
// talks to the scripted virtual agent, to a person and back, a connection a turn.
// What the person says while it is away comes with its next turn; a turn the
// bridge died in is said again under its id.
func TestConvocoreClientGoesThroughHandoffAndBack(t *testing.T) {
	t.Parallel()
	r := newRig(t, setting{extra: convoWeb("", "helper")})
	c := r.convoClient("ada")
	said := []string{"okapi apples", "okapi agent", "okapi for Sam", "okapi and more", "okapi pears", "okapi plums"}
	first := r.turn(c, "1", said[0])
	if !strings.Contains(first.Text(), "okapi about apples") || !slices.Contains(first.Summed(), "okapi about apples") {
		t.Errorf("the first turn was answered %q, summed up %q", first.Text(), first.Summed())
	}
	if asked := r.turn(c, "2", said[1]); !asked.Handoff() {
		t.Error("the client was not told that people were asked for")
	}
	id := r.conversation("ada")
	r.inState(id, "queued")
	r.say(id, "accept", event.HandoffAccepted{})
	r.say(id, "one", event.MessageCreated{Content: event.Plain("okapi one from Sam")})
	r.say(id, "two", event.MessageCreated{Content: event.Plain("okapi two from Sam")})
	var heard []string
	listen := func(mid, text string) { heard = append(heard, r.turn(c, mid, text).Summed()...) }
	listen("3", said[2])
	r.say(id, "three", event.MessageCreated{Content: event.Plain("okapi three from Sam")})
	r.kill()
	r.ready()
	listen("4", said[3])
	r.say(id, "back", event.HandbackRequested{UpTo: last(r.events(id))})
	r.inState(id, "automated")
	listen("5", said[4])
	x, err := c.Begin(t.Context(), convocoresim.Object{Prompt: said[5], ActionMetadata: &convocoresim.ActionMetadata{MID: "6"}})
	if err != nil {
		t.Fatal(err)
	}
	r.eventually("the words are stored", func() bool { return slices.Contains(texts(r.events(id), event.RoleCustomer), said[5]) })
	r.kill()
	cut := x.Wait(t.Context())
	heard = append(heard, strings.Split(cut.Text(), "\n\n")...)
	r.ready()
	listen("6", said[5])
	stranger := convocoresim.NewClient("ws://"+r.public+"/in/convoweb/interact", "wrong", "ada")
	if reply, err := stranger.Say(t.Context(), "7", "okapi let me in"); err != nil || reply.Code != 4401 || len(reply.Frames) > 0 {
		t.Errorf("a wrong secret: %v, %v", reply, err)
	}
	tale{flows: []flow{{"the desk", said, texts(r.events(id), event.RoleCustomer)}}}.once(t)
	story := tale{flows: []flow{{"the client", []string{"okapi one from Sam", "okapi two from Sam", "okapi three from Sam", "okapi about pears", "okapi about plums"}, heard}}}
	if n := story.repeats(t); n > 1 { // the one that was on its way when the bridge died
		t.Errorf("%d repeats: %q", n, heard)
	}
}

// TestConvocoreClientThatOnlyReadsHasTheHistory: an object without a prompt asks
// for what was said. Whoever has the conversation the turn ends at once, and what
// a person said meanwhile comes with it.
func TestConvocoreClientThatOnlyReadsHasTheHistory(t *testing.T) {
	t.Parallel()
	r := newRig(t, setting{extra: convoWeb("", "helper")})
	c := r.convoClient("ada")
	read := func(customers []string, answer string) {
		t.Helper()
		began := time.Now()
		reply, err := c.History(t.Context())
		answers := reply.History("bot")
		if err != nil || reply.Code != 1000 || !slices.Equal(reply.History("human"), customers) || slices.Index(answers, answer) != len(answers)-1 {
			t.Errorf("history: code %d, %v: %v", reply.Code, err, reply.Frames)
		}
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("the history took %v", took)
		}
	}
	r.turn(c, "1", "okapi apples")
	read([]string{"okapi apples"}, "okapi about apples")
	r.turn(c, "2", "okapi agent")
	id := r.conversation("ada")
	r.inState(id, "queued")
	r.say(id, "accept", event.HandoffAccepted{})
	r.say(id, "one", event.MessageCreated{Content: event.Plain("okapi one from Sam")})
	read([]string{"okapi apples", "okapi agent"}, "okapi one from Sam")
}

// TestConvocoreClientChoosesByNumber: a client without the UI engine sees what the
// vendor's agent offers as a numbered list, and its number is the answer it stands
// for. Both ends speak the vendor's protocol; the bridge stands between.
func TestConvocoreClientChoosesByNumber(t *testing.T) {
	t.Parallel()
	s, address := convoPlatform(t, convocoresim.Options{})
	r := newRig(t, setting{extra: convoAgent(address, "greet = false") + convoWeb("ui_engine = false", "convo")})
	c := r.convoClient("ada")
	offered := r.turn(c, "1", "okapi choices").Text()
	if !strings.Contains(offered, "2") || !strings.Contains(offered, "Tea") {
		t.Errorf("the client was shown %q", offered)
	}
	if got := r.turn(c, "2", "2").Text(); got != "You said: I choose tea" {
		t.Errorf("the choice was answered %q", got)
	}
	if got := s.Heard(r.conversation("ada")); !slices.Equal(got, []string{"okapi choices", "I choose tea"}) {
		t.Errorf("the agent heard %q", got)
	}
}

// TestConvocoreTellsItsOwnClient: what the vendor's agent tells beside its words, a
// client that speaks the vendor's protocol is told in its last frame.
func TestConvocoreTellsItsOwnClient(t *testing.T) {
	t.Parallel()
	_, address := convoPlatform(t, convocoresim.Options{})
	r := newRig(t, setting{extra: convoAgent(address, "greet = false") + convoWeb("", "convo")})
	reply := r.turn(r.convoClient("ada"), "1", "okapi facts")
	if last := reply.Frames[len(reply.Frames)-1]; last.Metadata.LLMUsed != "simulated" || len(last.Metadata.Turns) != 1 {
		t.Errorf("the client's last frame is %+v", last)
	}
	if got := reply.Text(); got != "You said: okapi facts" {
		t.Errorf("the client was told %q", got)
	}
}
