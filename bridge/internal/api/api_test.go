package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/api"
)

// A customer and a live agent talk to each other through the API alone.
func TestConversationThroughTheAPI(t *testing.T) {
	b := start(t)
	id, customer := b.open()
	b.say(id, customer, message("hello"))
	b.heard(id, customer, "you said hello")
	b.say(id, customer, message("human"))
	b.state(id, "queued")
	queues := decode[api.QueueList](b.ask("GET", "/queues", samToken, "").is(200, "")).Queues
	if len(queues) != 1 || queues[0].Waiting != 1 || queues[0].Conversations[0] != id {
		t.Errorf("queues are %+v, want the conversation in one", queues)
	}
	e := b.say(id, samToken, `{"kind":"handoff.accepted","actor":{"role":"live_agent","id":"sam","name":"Sam"},"body":{}}`)
	if e.Actor != (event.Actor{Role: event.RoleLiveAgent, ID: "sam", Name: "Sam"}) || e.ID == "" || e.Seq == 0 {
		t.Errorf("accepted by %+v as %s/%d", e.Actor, e.ID, e.Seq)
	}
	b.say(id, samToken, message("how can I help?"))
	b.heard(id, customer, "how can I help?")
	row := decode[api.Conversation](b.ask("GET", "/conversations/"+id, samToken, "").is(200, ""))
	if row.State != "active" || row.Owner != "live_agent" || row.Customer.Name != "Ada" || row.Agent.ID != "sam" || len(row.Legs) != 3 {
		t.Errorf("conversation is %+v", row)
	}
	b.say(id, samToken, `{"kind":"handback.requested","body":{}}`)
	b.state(id, "automated")
	b.say(id, customer, message("again"))
	b.heard(id, customer, "you said again")
	b.say(id, customer, `{"kind":"conversation.ended","body":{"reason":"done","by":"system"}}`)
	last := b.events(id, superToken, "?kind=conversation.ended").Events
	if len(last) != 1 || last[0].Body.(event.ConversationEnded).By != event.RoleCustomer {
		t.Errorf("the end is %+v, want one by the customer", last)
	}
	b.ask("POST", "/conversations/"+id+"/events", customer, message("late")).is(409, "ended")
}

// What the customer sees is what was for them, and nothing handed over about them.
func TestCustomersSeeTheirOwnSideOnly(t *testing.T) {
	b := start(t)
	id, customer := b.open()
	b.say(id, customer, message("hello"))
	b.heard(id, customer, "you said hello")
	b.say(id, customer, message("human"))
	b.state(id, "queued")
	b.say(id, deskToken, `{"kind":"note.created","actor":{"id":"kim"},"body":{"text":"canary-note"}}`)
	b.say(id, samToken, `{"kind":"handoff.accepted","body":{}}`)
	b.say(id, samToken, `{"kind":"context.updated","body":{"attributes":{"tier":"canary-context"}}}`)
	b.say(id, samToken, message("visible words"))
	b.heard(id, customer, "visible words")

	seen := b.events(id, customer, "?limit=1000").Events
	raw, _ := json.Marshal(seen)
	for _, hidden := range []string{"canary-note", "canary-context", "canary-extension", "canary-late", "error.reported", "4242", "wants a human", "via", "transcript"} {
		if strings.Contains(string(raw), hidden) {
			t.Errorf("the customer sees %q: %s", hidden, raw)
		}
	}
	var kinds []string
	for _, e := range seen {
		kinds = append(kinds, string(e.Kind()))
	}
	for _, kind := range []event.Kind{event.KindHandoffQueued, event.KindHandoffAccepted, event.KindMessageCreated} {
		if !slices.Contains(kinds, string(kind)) {
			t.Errorf("the customer does not see %s: %v", kind, kinds)
		}
	}
	all, _ := json.Marshal(b.events(id, superToken, "?limit=1000").Events)
	for _, shown := range []string{"canary-note", "canary-context", "canary-late", "error.reported", "4242"} {
		if !strings.Contains(string(all), shown) {
			t.Errorf("staff do not see %q", shown)
		}
	}
	mine := b.ask("GET", "/conversations/"+id, customer, "").is(200, "").Body
	for _, hidden := range []string{"4242", "wants a human", "canary", `"desk"`} {
		if strings.Contains(string(mine), hidden) {
			t.Errorf("the customer's conversation has %q: %s", hidden, mine)
		}
	}
	other, _ := b.open()
	for _, path := range []string{"", "/events"} {
		b.ask("GET", "/conversations/"+other+path, customer, "").is(403, "forbidden")
	}
	b.ask("POST", "/conversations/"+other+"/events", customer, message("hi")).is(403, "forbidden")
}

// Words the conversation does not let through reach no customer.
func TestWordsOfAnotherThanTheOwner(t *testing.T) {
	b := start(t)
	id, customer := b.handoff()
	b.say(id, samToken, `{"kind":"handoff.accepted","body":{}}`)
	b.ask("POST", "/conversations/"+id+"/events", deskToken,
		`{"kind":"message.created","actor":{"id":"kim"},"body":{"content":{"type":"text","text":"not mine"}}}`).is(409, "not_owner")
	b.ask("POST", "/conversations/"+id+"/events", deskToken, `{"kind":"handoff.accepted","actor":{"id":"kim"},"body":{}}`).is(409, "already_accepted")
	if strings.Contains(string(b.ask("GET", "/conversations/"+id+"/events", customer, "").Body), "not mine") {
		t.Error("refused words reached the customer")
	}
	fresh, token := b.open()
	b.ask("POST", "/conversations/"+fresh+"/events", samToken, `{"kind":"handoff.accepted","body":{}}`).is(409, "no_offer")
	b.ask("POST", "/conversations/"+fresh+"/events", token, `{"kind":"note.created","body":{"text":"x"}}`).is(403, "role")
	b.ask("POST", "/conversations/"+fresh+"/events", token, `{"kind":"handoff.requested","body":{}}`).is(403, "role")
}

func TestActors(t *testing.T) {
	b := start(t)
	id, _ := b.handoff()
	post := func(token, body string) reply { return b.ask("POST", "/conversations/"+id+"/events", token, body) }
	post(samToken, `{"kind":"handoff.accepted","actor":{"role":"live_agent","id":"kim"},"body":{}}`).is(403, "agent_mismatch")
	p := post(deskToken, `{"kind":"handoff.accepted","body":{}}`).is(422, "invalid").problem()
	if p.Field != "actor.id" {
		t.Errorf("field is %q, want actor.id", p.Field)
	}
	e := b.say(id, deskToken, `{"kind":"handoff.accepted","actor":{"role":"customer","id":"kim"},"body":{}}`)
	if e.Actor.Role != event.RoleLiveAgent {
		t.Errorf("a live agent's token spoke as %s", e.Actor.Role)
	}
	e = b.say(id, superToken, `{"kind":"transfer.requested","body":{"reason":"agent_lost"}}`)
	if e.Actor.Role != event.RoleSystem || e.Actor.Name != "boss" {
		t.Errorf("a supervisor moved it as %+v", e.Actor)
	}
	b.ask("POST", "/conversations/"+id+"/events", operatorToken, `{"kind":"transfer.requested","body":{}}`).is(403, "role")
	e = b.say(id, operatorToken, `{"kind":"conversation.ended","body":{}}`)
	if e.Body.(event.ConversationEnded).By != event.RoleSystem {
		t.Errorf("ended by %s", e.Body.(event.ConversationEnded).By)
	}
}

func TestIdempotency(t *testing.T) {
	b := start(t)
	id, customer := b.open()
	again := header{"Idempotency-Key": "k-1"}
	post := func(token, body string) reply {
		return b.ask("POST", "/conversations/"+id+"/events", token, body, again)
	}
	first := decode[event.Event](post(customer, message("once")).is(201, ""))
	for range 3 {
		if e := decode[event.Event](post(customer, message("once")).is(201, "")); e.ID != first.ID {
			t.Errorf("a repeat is another event: %s, want %s", e.ID, first.ID)
		}
	}
	post(customer, message("twice")).is(409, "idempotency_key_reused")
	said := 0
	for _, e := range b.events(id, customer, "").Events {
		if text, ok := e.Body.(event.MessageCreated); ok && e.Actor.Role == event.RoleCustomer && text.Content.Part != nil {
			said++
		}
	}
	if said != 1 {
		t.Errorf("said %d times, want once", said)
	}
	other, token := b.open()
	b.ask("POST", "/conversations/"+other+"/events", token, message("elsewhere"), again).is(201, "")
	b.ask("POST", "/conversations/"+id+"/events", customer, message("x"), header{"Idempotency-Key": strings.Repeat("k", 300)}).is(422, "invalid")
}

func TestBadBodies(t *testing.T) {
	b := start(t)
	id, token := b.open()
	for _, c := range api.BadBodies() {
		b.t.Run(c.What, func(t *testing.T) {
			r := b.ask("POST", "/conversations/"+id+"/events", token, c.Body)
			r.t = t
			r.is(c.Status, c.Code)
		})
	}
	b.ask("POST", "/conversations/"+id+"/events", token, message("x"), header{"Content-Type": "text/plain"}).is(415, "unsupported_media_type")
	b.ask("POST", "/conversations/"+id+"/events", token, message("x"), header{"Content-Encoding": "gzip"}).is(415, "unsupported_media_type")
	b.say(id, token, message("still works"))
}

func TestPages(t *testing.T) {
	b := start(t)
	var ids []string
	for range 5 {
		id, _ := b.open()
		ids = append(ids, id)
	}
	slices.Reverse(ids)
	var got []string
	after := ""
	for pages := 0; ; pages++ {
		l := decode[api.ConversationList](b.ask("GET", "/conversations?limit=2"+after, superToken, "").is(200, ""))
		for _, c := range l.Conversations {
			got = append(got, c.ID)
		}
		if l.Next == nil {
			break
		}
		if after = "&after=" + *l.Next; pages > 5 {
			t.Fatal("pages do not end")
		}
	}
	if !slices.Equal(got, ids) {
		t.Errorf("pages give %v, want %v", got, ids)
	}
	id, token := b.open()
	for i := range 7 {
		b.say(id, token, message(fmt.Sprint("word ", i)))
	}
	b.heard(id, token, "you said word 6")
	whole := b.events(id, token, "?limit=1000").Events
	var pieces []event.Event
	for query := "?limit=3"; ; {
		l := b.events(id, token, query)
		if len(l.Events) > 3 {
			t.Fatalf("a page of 3 has %d", len(l.Events))
		}
		pieces = append(pieces, l.Events...)
		if l.Next == nil {
			break
		}
		query = "?limit=3&after=" + *l.Next
	}
	if len(pieces) != len(whole) || len(pieces) < 14 {
		t.Errorf("pages have %d events, want %d", len(pieces), len(whole))
	}
	for _, bad := range []string{"limit=0", "limit=1001", "limit=x", "colour=red", "since=yesterday"} {
		b.ask("GET", "/conversations?"+bad, superToken, "").is(422, "invalid")
	}
	b.ask("GET", "/conversations/"+id+"/events?after=x", superToken, "").is(422, "invalid")
	b.ask("GET", "/conversations/nope/events", superToken, "").is(404, "not_found")
	b.ask("GET", "/conversations/nope", superToken, "").is(404, "not_found")
}

func TestFilters(t *testing.T) {
	b := start(t)
	waiting, _ := b.handoff()
	other, token := b.open()
	b.say(other, token, message("hello"))
	for _, c := range []struct {
		query string
		want  []string
	}{
		{"state=queued", []string{waiting}},
		{"state=ended", nil},
		{"account=desk", []string{waiting}},
		{"q=ada", []string{other, waiting}},
		{"q=WANTS+A", []string{waiting}},
		{"q=nobody", nil},
		{"owner=virtual_agent", []string{other}},
		{"queue=front&state=automated", []string{other}},
		{"since=2100-01-01T00:00:00Z", nil},
	} {
		l := decode[api.ConversationList](b.ask("GET", "/conversations?"+c.query, superToken, "").is(200, ""))
		var got []string
		for _, row := range l.Conversations {
			got = append(got, row.ID)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s gives %v, want %v", c.query, got, c.want)
		}
	}
	kinds := b.events(waiting, superToken, "?kind=handoff.requested,handoff.queued").Events
	if len(kinds) != 2 {
		t.Errorf("kind gives %d events, want 2", len(kinds))
	}
}

// TestWaitingRow: a row says since when it waits, and who is asked.
func TestWaitingRow(t *testing.T) {
	b := start(t)
	id, token := b.open()
	row := func() api.Conversation {
		return decode[api.Conversation](b.ask("GET", "/conversations/"+id, samToken, "").is(200, ""))
	}
	if got := row(); !got.WaitingSince.IsZero() || got.Offered != "" {
		t.Errorf("nobody waits, and the row says %v, %q", got.WaitingSince, got.Offered)
	}
	asked := time.Now()
	b.say(id, token, message("human"))
	b.until(func() bool { return row().State == "queued" }, "never queued")
	if got := row(); got.WaitingSince.Before(asked.Add(-time.Minute)) || got.WaitingSince.After(time.Now()) || got.Position != 1 {
		t.Errorf("waits since %v in place %d", got.WaitingSince, got.Position)
	}
	// Somebody who is not there is not left with it.
	b.ask("PUT", "/agents/kim/state", deskToken, `{"state":"available","capacity":3}`).is(200, "")
	b.ask("POST", "/conversations/"+id+"/events", deskToken, `{"kind":"handoff.offered","body":{"agent":{"role":"live_agent","id":"kim"}}}`).is(201, "")
	b.until(func() bool { return row().Offered == "kim" }, "nobody knows that kim is asked")
	if got := decode[api.Conversation](b.ask("GET", "/conversations/"+id, token, "").is(200, "")); got.Offered != "" || !got.WaitingSince.IsZero() {
		t.Errorf("the customer is told %+v", got)
	}
}

// TestDeskTools: what the operator gives agents to work with is theirs to read.
func TestDeskTools(t *testing.T) {
	b := start(t)
	if got := b.ask("GET", "/desk", samToken, "").is(200, ""); strings.TrimSpace(string(got.Body)) != `{"replies":[],"dispositions":[]}` {
		t.Errorf("without any: %s", got.Body)
	}
	s := setup()
	s.Tools = api.Tools{Replies: []api.CannedReply{{Name: "hello", Text: "Hello {customer}", Language: "en"}, {Name: "bye", Text: "Bye"}}, Dispositions: []string{"solved"}}
	b.api.Configure(s)
	want := `{"replies":[{"name":"hello","text":"Hello {customer}","language":"en"},{"name":"bye","text":"Bye"}],"dispositions":["solved"]}`
	if got := b.ask("GET", "/desk", samToken, "").is(200, ""); strings.TrimSpace(string(got.Body)) != want {
		t.Errorf("got %s, want %s", got.Body, want)
	}
}

func TestDeadLetters(t *testing.T) {
	b := start(t)
	id, token := b.open()
	b.say(id, token, message("poison"))
	var letters []api.DeadLetter
	b.until(func() bool {
		letters = decode[api.DeadLetterList](b.ask("GET", "/dead-letters", operatorToken, "").is(200, "")).DeadLetters
		return len(letters) == 1
	}, "no dead letter")
	if letters[0].Conversation != id || letters[0].Reason == "" || letters[0].Replayed != nil {
		t.Errorf("dead letter is %+v", letters[0])
	}
	b.ask("POST", "/dead-letters/"+letters[0].ID+"/replay", superToken, "").is(403, "forbidden")
	b.ask("POST", "/dead-letters/"+letters[0].ID+"/replay", operatorToken, "").is(200, "")
	b.ask("POST", "/dead-letters/"+letters[0].ID+"/replay", operatorToken, "").is(409, "already_replayed")
	b.ask("POST", "/dead-letters/none/replay", operatorToken, "").is(404, "not_found")
	b.ask("GET", "/conversations/"+id+"/frames", operatorToken, "").is(200, "")
	b.ask("GET", "/conversations/none/frames", operatorToken, "").is(404, "not_found")
}

func TestPeople(t *testing.T) {
	b := start(t)
	b.ask("GET", "/agents/kim/state", deskToken, "").is(404, "not_found")
	b.ask("GET", "/agents/sam/state", samToken, "").is(200, "")
	b.ask("PUT", "/agents/kim/state", samToken, `{"state":"available"}`).is(403, "agent_mismatch")
	b.ask("PUT", "/agents/sam/state", samToken, `{"state":"asleep"}`).is(422, "invalid")
	b.ask("PUT", "/agents/sam/state", samToken, `{"state":"available","capacity":-1}`).is(422, "invalid")
	b.ask("PUT", "/agents/sam/state", samToken, `{"state":"available","name":"Sam","queues":["front"],"capacity":2}`).is(200, "")
	l := decode[api.AgentList](b.ask("GET", "/agents", superToken, "").is(200, ""))
	if len(l.Agents) != 1 || l.Agents[0].State != "available" || l.Agents[0].Capacity != 2 || l.Agents[0].Name != "Sam" {
		t.Errorf("agents are %+v", l.Agents)
	}
	a := decode[api.Availability](b.ask("GET", "/availability", samToken, "").is(200, ""))
	if !a.Open || a.QueueDepth != 0 {
		t.Errorf("availability is %+v", a)
	}
	id, token := b.handoff()
	a = decode[api.Availability](b.ask("GET", "/availability?queue=front", token, "").is(200, ""))
	if a.QueueDepth != 1 {
		t.Errorf("depth is %d, want 1", a.QueueDepth)
	}
	if e := b.say(id, samToken, `{"kind":"handoff.accepted","body":{}}`); e.Actor.Name != "Sam" {
		t.Errorf("accepted as %+v, want the declared name", e.Actor)
	}
	me := decode[api.Me](b.ask("GET", "/me", samToken, "").is(200, ""))
	if me.Name != "sam" || me.Agent != "sam" || !slices.Equal(me.Roles, []string{"live_agent"}) {
		t.Errorf("me is %+v", me)
	}
	accounts := decode[api.AccountList](b.ask("GET", "/accounts", operatorToken, "").is(200, ""))
	if len(accounts.Accounts) != 2 || !accounts.Accounts[0].Ready {
		t.Errorf("accounts are %+v", accounts)
	}
	if matrix := b.ask("GET", "/matrix", operatorToken, "").is(200, ""); !strings.Contains(string(matrix.Body), `"levels":{"text":"full"}`) {
		t.Errorf("matrix %s", matrix.Body)
	}
	if adapters := b.ask("GET", "/adapters", operatorToken, "").is(200, ""); !strings.Contains(string(adapters.Body), `"adapters":[]`) {
		t.Errorf("no plugins answer %s, want an empty list", adapters.Body)
	}
}

func TestUnknownPlaces(t *testing.T) {
	b := start(t)
	b.ask("GET", "/nowhere", superToken, "").is(404, "not_found")
	r := b.ask("DELETE", "/conversations", superToken, "").is(405, "method_not_allowed")
	if got := r.Header.Get("Allow"); got != "GET, POST" {
		t.Errorf("Allow is %q", got)
	}
	if r.Header.Get("X-Content-Type-Options") != "nosniff" || r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers are %v", r.Header)
	}
	b.ask("GET", "/me", samToken, "").is(200, "")
	r = b.ask(http.MethodGet, "/me", "", "").is(401, "unauthorized")
	for _, what := range []string{" 404", " 405", "GET /me 200", "GET /me 401"} {
		if n := b.answers.of(what); n != 1 {
			t.Errorf("%q is counted %d times", what, n)
		}
	}
	if r.Header.Get("WWW-Authenticate") == "" {
		t.Error("401 without WWW-Authenticate")
	}
}

// TestRatingAfterTheEnd: whoever has left says how it was, once, and those who
// look on see it.
func TestRatingAfterTheEnd(t *testing.T) {
	b := start(t)
	id, customer := b.open()
	b.say(id, customer, `{"kind":"conversation.ended","body":{}}`)
	path, rating, again := "/conversations/"+id+"/events", `{"kind":"survey.answered","body":{"score":"4","comment":"quick"}}`, header{"Idempotency-Key": "r-1"}
	b.ask("POST", path, customer, `{"kind":"survey.answered","body":{}}`).is(422, "invalid")
	b.ask("POST", path, deskToken, rating).is(403, "role")
	first := decode[event.Event](b.ask("POST", path, customer, rating, again).is(201, ""))
	if repeated := decode[event.Event](b.ask("POST", path, customer, rating, again).is(201, "")); repeated.ID != first.ID {
		t.Errorf("said again it is %s, want %s", repeated.ID, first.ID)
	}
	b.ask("POST", path, customer, rating).is(409, "ended")
	for _, token := range []string{customer, superToken} {
		seen := b.events(id, token, "?kind=survey.answered").Events
		if len(seen) != 1 || seen[0].Body != (event.SurveyAnswered{Score: "4", Comment: "quick"}) {
			t.Errorf("seen is %v", seen)
		}
	}
}
