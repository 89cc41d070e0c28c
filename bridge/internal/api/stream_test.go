package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/api"
)

func TestStreamGoesOnWhereItEnded(t *testing.T) {
	b := start(t)
	id, customer := b.open()
	s := b.listen("/events", superToken)
	var got []string
	last := ""
	read := func(until string) {
		for {
			at, e := s.next()
			if e.Body == nil {
				continue
			}
			if last = at; e.Kind() != event.KindMessageCreated {
				continue
			}
			text := e.Body.(event.MessageCreated).Content.Part.(event.Text).Text
			if got = append(got, text); text == until {
				return
			}
		}
	}
	var want []string
	for round := range 3 {
		for i := range 4 {
			word := fmt.Sprintf("%d-%d", round, i)
			b.say(id, customer, message(word))
			b.heard(id, customer, "you said "+word)
			want = append(want, word, "you said "+word)
			if i == 1 {
				read("you said " + word)
				s.cancel()
			}
			if i == 2 {
				s = b.listen("/events", superToken, header{"Last-Event-ID": last})
			}
		}
		read(want[len(want)-1])
	}
	if !slices.Equal(got, want) {
		t.Errorf("streams gave\n %v\nwant\n %v", got, want)
	}
	again := b.listen("/events?after=0&conversation="+id, superToken)
	if _, e := again.until(event.KindConversationStarted); e.Conversation != id {
		t.Errorf("from the beginning the stream gives %+v", e)
	}
	b.ask("GET", "/events?after=100000", superToken, "").is(410, "position_gone")
	for _, no := range []string{"x", "-1", "1.5", "9223372036854775808"} {
		b.ask("GET", "/events?after="+no, superToken, "").is(422, "invalid")
	}
}

func TestStreamsAreFiltered(t *testing.T) {
	b := start(t)
	id, customer := b.open()
	other, token := b.open()
	s := b.listen("/events?conversation="+id+"&kind=message.created", superToken)
	s.next() // open
	b.say(other, token, message("elsewhere"))
	b.heard(other, token, "you said elsewhere")
	b.say(id, customer, message("here"))
	for _, want := range []event.Role{event.RoleCustomer, event.RoleVirtualAgent} {
		for {
			_, e := s.next()
			if e.Body == nil {
				continue
			}
			if e.Conversation != id || e.Kind() != event.KindMessageCreated || e.Actor.Role != want {
				t.Fatalf("the filter lets %s of %s by %s through", e.Kind(), e.Conversation, e.Actor.Role)
			}
			break
		}
	}
}

func TestCustomersStreamIsTheirOwn(t *testing.T) {
	b := start(t)
	id, customer := b.open()
	other, token := b.open()
	s := b.listen("/events", customer)
	s.next()
	b.say(other, token, message("elsewhere"))
	b.say(id, customer, message("hello"))
	b.say(id, customer, message("human"))
	var seen []event.Event
	for {
		at, e := s.next()
		if e.Body == nil {
			continue
		}
		if at != fmt.Sprint(e.Seq) {
			t.Errorf("position %s of an event at %d", at, e.Seq)
		}
		if seen = append(seen, e); e.Kind() == event.KindHandoffQueued {
			break
		}
	}
	raw, _ := json.Marshal(seen)
	for _, hidden := range []string{"elsewhere", "canary", "error.reported", "4242", `"via"`} {
		if strings.Contains(string(raw), hidden) {
			t.Errorf("the customer's stream has %q: %s", hidden, raw)
		}
	}
	if len(seen) < 4 {
		t.Errorf("the customer's stream has %d events: %s", len(seen), raw)
	}
	before := seen[1].Seq
	again := b.listen("/events", customer, header{"Last-Event-ID": fmt.Sprint(before)})
	for _, want := range seen[2:] {
		_, e := again.next()
		for e.Body == nil {
			_, e = again.next()
		}
		if e.ID != want.ID {
			t.Errorf("after %d comes %d, want %d", before, e.Seq, want.Seq)
		}
	}
	b.ask("GET", "/events?after=5000", customer, "").is(410, "position_gone")
}

func TestTypingPassesByAndIsNotStored(t *testing.T) {
	b := start(t)
	id, customer := b.handoff()
	theirs := b.listen("/events?kind=typing.started,message.created", customer)
	staff := b.listen("/events?kind=typing.started", superToken)
	theirs.next()
	staff.next()
	typing := `{"kind":"typing.started","body":{}}`
	b.say(id, customer, typing)
	if at, e := staff.until(event.KindTypingStarted); at != "" || e.Seq != 0 || e.Body.(event.TypingStarted).Expires.Before(time.Now()) {
		t.Errorf("typing came with position %q, seq %d, %+v", at, e.Seq, e.Body)
	}
	b.say(id, samToken, typing) // Sam has not accepted yet
	b.say(id, samToken, `{"kind":"handoff.accepted","body":{}}`)
	b.say(id, samToken, message("marker"))
	_, e := theirs.next()
	for e.Body == nil {
		_, e = theirs.next()
	}
	if e.Kind() != event.KindMessageCreated {
		t.Errorf("the customer was told %s of somebody who has not accepted", e.Kind())
	}
	b.say(id, deskToken, `{"kind":"typing.started","actor":{"id":"kim"},"body":{}}`) // Kim has not either
	b.say(id, samToken, typing)
	if at, e := theirs.until(event.KindTypingStarted); at != "" || e.Actor.ID != "sam" {
		t.Errorf("typing came with position %q by %+v", at, e.Actor)
	}
	for _, e := range b.events(id, superToken, "?limit=1000").Events {
		if e.Kind() == event.KindTypingStarted {
			t.Error("typing was stored")
		}
	}
}

func TestTickets(t *testing.T) {
	b := start(t)
	_, customer := b.open()
	for _, token := range []string{samToken, customer} {
		ticket := decode[api.Ticket](b.ask("POST", "/tickets", token, "{}").is(201, ""))
		if left := time.Until(ticket.Expires); left <= 0 || left > 31*time.Second {
			t.Errorf("ticket is good for %s", left)
		}
		b.ask("GET", "/me?ticket="+ticket.Ticket, "", "").is(401, "unauthorized")
		b.listen("/events?ticket="+ticket.Ticket, "").next()
		b.ask("GET", "/events?ticket="+ticket.Ticket, "", "").is(401, "unauthorized")
	}
}

// line is the test's end of a socket.
type line struct {
	t    *testing.T
	conn *websocket.Conn
	ctx  context.Context
}

func (b *bridge) dial(query, token string, more ...header) *line {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	h := http.Header{}
	if token != "" {
		h.Set("Authorization", "Bearer "+token)
	}
	for _, m := range more {
		for name, value := range m {
			h.Set(name, value)
		}
	}
	conn, answer, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(b.server.URL, "http")+api.Base+"/socket"+query, &websocket.DialOptions{HTTPHeader: h})
	if err != nil {
		b.t.Fatalf("socket: %v %v", err, answer)
	}
	conn.SetReadLimit(1 << 20)
	b.t.Cleanup(func() { _ = conn.CloseNow(); cancel() })
	return &line{b.t, conn, ctx}
}

func (l *line) send(text string) {
	l.t.Helper()
	if err := l.conn.Write(l.ctx, websocket.MessageText, []byte(text)); err != nil {
		l.t.Fatal(err)
	}
}

func (l *line) next() api.Told {
	l.t.Helper()
	_, data, err := l.conn.Read(l.ctx)
	if err != nil {
		l.t.Fatal(err)
	}
	var told api.Told
	if err := json.Unmarshal(data, &told); err != nil {
		l.t.Fatal(err)
	}
	return told
}

func (l *line) answer(request string) api.Told {
	l.t.Helper()
	for {
		if told := l.next(); told.Request == request {
			return told
		}
	}
}

func (l *line) until(kind event.Kind) api.Told {
	l.t.Helper()
	for {
		if told := l.next(); told.Event != nil && told.Event.Kind() == kind {
			return told
		}
	}
}

// closes reads to the end of the socket.
func (l *line) closes() websocket.StatusCode {
	l.t.Helper()
	for {
		if _, _, err := l.conn.Read(l.ctx); err != nil {
			return websocket.CloseStatus(err)
		}
	}
}

func TestSocketBothWays(t *testing.T) {
	b := start(t)
	id, customer := b.open()
	theirs := b.dial("", customer)
	theirs.next()
	theirs.send(`{"request":"1","kind":"message.created","body":{"content":{"type":"text","text":"human"}}}`)
	if told := theirs.answer("1"); told.ID == "" || told.Error != nil {
		t.Fatalf("answer is %+v", told)
	}
	b.state(id, "queued")
	sam := b.dial("?after=0", samToken)
	if told := sam.until(event.KindHandoffQueued); told.Position == 0 || told.Event.Conversation != id {
		t.Errorf("told %+v", told)
	}
	accept := `{"request":"2","conversation":"` + id + `","kind":"handoff.accepted","body":{},"idempotency_key":"a"}`
	sam.send(accept)
	first := sam.answer("2")
	sam.send(accept)
	if again := sam.answer("2"); again.ID != first.ID || first.ID == "" {
		t.Errorf("a repeat is another event: %q and %q", first.ID, again.ID)
	}
	theirs.until(event.KindHandoffAccepted)
	sam.send(`{"request":"3","kind":"message.created","body":{}}`)
	if told := sam.answer("3"); told.Error == nil || told.Error.Code != "invalid" || told.Error.Field != "conversation" || told.Error.RequestID == "" {
		t.Errorf("answer is %+v", told)
	}
	sam.send(`{"request":"4","conversation":"none","kind":"message.created","body":{"content":{"type":"text","text":"x"}}}`)
	if told := sam.answer("4"); told.Error == nil || told.Error.Code != "not_found" {
		t.Errorf("answer is %+v", told)
	}
	theirs.send(`{"request":"5","conversation":"other","kind":"message.created","body":{"content":{"type":"text","text":"x"}}}`)
	if told := theirs.answer("5"); told.Error == nil || told.Error.Code != "forbidden" {
		t.Errorf("answer is %+v", told)
	}
	sam.send(`{"a":1,"a":2}`)
	if told := sam.answer(""); told.Error == nil {
		for told.Error == nil {
			told = sam.answer("")
		}
	}
	subscribedOnly(b, sam, id, customer)
	if err := sam.conn.Write(sam.ctx, websocket.MessageBinary, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if code := sam.closes(); code != websocket.StatusUnsupportedData {
		t.Errorf("binary closes with %d, want 1003", code)
	}
}

// subscribedOnly asks for notes and wants nothing else.
func subscribedOnly(b *bridge, sam *line, id, customer string) {
	t := b.t
	sam.send(`{"request":"6","subscribe":{"kinds":["note.created"]}}`)
	if told := sam.answer("6"); told.Subscribed == nil || len(told.Subscribed.Kinds) != 1 {
		t.Errorf("answer is %+v", told)
	}
	b.say(id, customer, message("not subscribed"))
	b.say(id, samToken, `{"kind":"note.created","body":{"text":"n"}}`)
	for {
		told := sam.next()
		if told.Event == nil {
			continue
		}
		if told.Event.Kind() == event.KindMessageCreated {
			t.Error("an event outside the subscription came")
		}
		if told.Event.Kind() == event.KindNoteCreated {
			break
		}
	}
}

func TestSocketShowsPresence(t *testing.T) {
	b := start(t)
	l := b.dial("", samToken)
	l.next()
	if a, _ := b.desk.Get("sam"); a.Sockets != 1 || a.State != "available" {
		t.Errorf("with a socket sam is %+v", a)
	}
	_ = l.conn.Close(websocket.StatusNormalClosure, "")
	b.until(func() bool { a, _ := b.desk.Get("sam"); return a.Sockets == 0 }, "the socket still counts")
	l = b.dial("?agent=kim", deskToken)
	l.next()
	if a, _ := b.desk.Get("kim"); a.Sockets != 1 {
		t.Errorf("with a socket kim is %+v", a)
	}
	b.ask("GET", "/socket?agent=kim", samToken, "").is(403, "agent_mismatch")
}

func TestSocketByTicketAndCookie(t *testing.T) {
	b := start(t)
	ticket := decode[api.Ticket](b.ask("POST", "/tickets", samToken, "").is(201, "")).Ticket
	b.dial("?ticket="+ticket, "").next()
	r := b.ask("POST", "/session", "", `{"token":"`+samToken+`"}`).is(200, "")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	h := http.Header{"Cookie": {strings.Split(r.Header.Get("Set-Cookie"), ";")[0]}, "Origin": {b.server.URL}}
	conn, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(b.server.URL, "http")+api.Base+"/socket", &websocket.DialOptions{HTTPHeader: h})
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.CloseNow()
	b.ask("GET", "/socket", samToken, "") // no handshake: answered by the socket library
}

func TestCloseEndsStreams(t *testing.T) {
	b := start(t)
	l := b.dial("", samToken)
	l.next()
	s := b.listen("/events", superToken)
	s.next()
	b.api.Close()
	if code := l.closes(); code != websocket.StatusGoingAway {
		t.Errorf("the socket closes with %d, want 1001", code)
	}
	for s.lines.Scan() {
		if strings.HasPrefix(s.lines.Text(), "data:") {
			t.Error("an event came after the end")
		}
	}
	if err := s.lines.Err(); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("the stream broke: %v", err)
	}
	b.ask("GET", "/events", superToken, "").is(503, "closing")
}
