package api_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/api"
	"github.com/footbridge/footbridge/bridge/internal/config"
	"github.com/footbridge/footbridge/bridge/internal/conversation"
	"github.com/footbridge/footbridge/bridge/internal/desk"
)

const (
	accept = `{"kind":"handoff.accepted","actor":{"id":"WHO"},"body":{}}`
	done   = `{"kind":"wrapup.completed","actor":{"id":"WHO"},"body":{"disposition":"called"}}`
)

func as(agent, body string) string { return strings.Replace(body, "WHO", agent, 1) }

// closed is a bridge whose route asks for a message, for nobody is at the desk.
func closed(t *testing.T) *bridge {
	t.Helper()
	b := start(t)
	s := engineSetup()
	s.Routes[0].LeaveMessage = true
	b.engine.Configure(s)
	b.desk.Configure(desk.Rules{Native: map[string]bool{"desk": true}, Queues: map[string]config.Queue{"front": {WhenNoAgent: "fail"}}})
	return b
}

// leave brings a conversation to where its customer has left a message.
func (b *bridge) leave() (id, customer string) {
	b.t.Helper()
	id, customer = b.open()
	b.say(id, customer, message("human"))
	b.heard(id, customer, "text leave_message")
	b.say(id, customer, message("call me"))
	return id, customer
}

// left lists the conversations where a message waits.
func (b *bridge) left(token, query string) (ids []string) {
	b.t.Helper()
	for _, c := range decode[api.ConversationList](b.ask("GET", "/conversations?left=true"+query, token, "").is(200, "")).Conversations {
		if c.Left == nil || c.Left.Since.Before(c.Created) {
			b.t.Errorf("listed is %+v, left %+v", c, c.Left)
		}
		ids = append(ids, c.ID)
	}
	return ids
}

func one(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("%s are %q, want %q", what, got, want)
	}
}

// A message that was left is listed and told live, and taken up by one of two who
// want it at once.
func TestLeftMessageIsAnsweredThroughTheAPI(t *testing.T) {
	b := closed(t)
	live := b.listen("/events", deskToken)
	other, _ := b.open()
	b.say(other, superToken, `{"kind":"conversation.ended","actor":{"role":"system"},"body":{}}`)
	id, customer := b.leave()
	if _, e := live.until(event.KindMessageLeft); e.Conversation != id || e.Actor.Role != event.RoleSystem {
		t.Errorf("told of %+v", e)
	}
	one(t, "left for an agent", b.left(samToken, ""), id)
	one(t, "left in the queue", b.left(superToken, "&queue=front&state=automated"), id)
	one(t, "left in another queue", b.left(superToken, "&queue=back"))
	b.ask("GET", "/conversations?left=no", samToken, "").is(422, "invalid")
	if raw := string(b.ask("GET", "/conversations/"+id, customer, "").is(200, "").Body); strings.Contains(raw, `"left"`) {
		t.Errorf("the customer sees %s", raw)
	}
	b.ask("POST", "/conversations/"+id+"/events", deskToken, strings.Replace(message("too early"), "{", `{"actor":{"id":"kim"},`, 1)).is(409, "no_offer")

	var both sync.WaitGroup
	answers := make([]reply, 2)
	for i, agent := range []string{"ann", "kim"} {
		both.Go(func() { answers[i] = b.ask("POST", "/conversations/"+id+"/events", deskToken, as(agent, accept)) })
	}
	both.Wait()
	winner, loser := answers[0], answers[1]
	if winner.Status != 201 {
		winner, loser = loser, winner
	}
	taken := decode[event.Event](winner.is(201, ""))
	loser.is(409, conversation.RefusedTaken)
	if _, e := live.until(event.KindHandoffAccepted); e.ID != taken.ID {
		t.Errorf("told of %+v, want %s", e, taken.ID)
	}
	one(t, "left once it is taken up", b.left(samToken, ""))
	row := decode[api.Conversation](b.ask("GET", "/conversations/"+id, samToken, "").is(200, ""))
	if row.Left != nil || row.State != "active" || row.Agent.ID != taken.Actor.ID || row.Reason != conversation.ReasonLeftMessage {
		t.Errorf("taken up it is %+v", row)
	}
	b.say(id, deskToken, strings.Replace(message("we call you"), "{", `{"actor":{"id":"`+taken.Actor.ID+`"},`, 1))
	b.heard(id, customer, "we call you")
	if seen := b.ask("GET", "/conversations/"+id+"/events?limit=1000", customer, "").Body; strings.Contains(string(seen), string(event.KindMessageLeft)) {
		t.Errorf("the customer sees %s", seen)
	}
}

// A message in a conversation that is over can only be done with, by a live agent,
// once.
func TestLeftMessageIsDoneThroughTheAPI(t *testing.T) {
	b := closed(t)
	live := b.listen("/events?kind=wrapup.completed", superToken)
	id, customer := b.leave()
	post := func(token, body string) reply {
		b.t.Helper()
		return b.ask("POST", "/conversations/"+id+"/events", token, body)
	}
	post(customer, `{"kind":"wrapup.completed","body":{}}`).is(403, "role")
	post(superToken, `{"kind":"wrapup.completed","body":{}}`).is(403, "role")
	post(deskToken, `{"kind":"wrapup.completed","body":{}}`).is(422, "invalid")
	b.say(id, customer, `{"kind":"conversation.ended","body":{}}`)
	one(t, "left after the end", b.left(samToken, "&state=ended"), id)
	post(deskToken, as("kim", accept)).is(409, "ended")
	if e := decode[event.Event](post(deskToken, as("kim", done)).is(201, "")); e.Body.(event.WrapupCompleted).Disposition != "called" || e.Actor.ID != "kim" {
		t.Errorf("done: %+v", e)
	}
	live.until(event.KindWrapupCompleted)
	one(t, "left once it is done", b.left(samToken, ""))
	post(deskToken, as("ann", done)).is(409, "no_offer")

	id, _ = b.open()
	post(samToken, as("sam", accept)).is(409, "no_offer")
	post(samToken, as("sam", done)).is(409, "no_offer")
}
