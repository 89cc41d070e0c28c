package api_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/api"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// steps is a trace, a turn a line.
func steps(t api.Trace) []string {
	var lines []string
	for _, turn := range t.Turns {
		line := []string{turn.Kind + " " + turn.Leg}
		for _, e := range turn.Events {
			var ends []string
			for _, d := range e.Deliveries {
				ends = append(ends, d.Leg+" "+d.Outcome)
			}
			line = append(line, fmt.Sprintf("%s [%s]", e.Event.Kind(), strings.Join(ends, ", ")))
		}
		for _, s := range turn.Sent {
			line = append(line, strings.Join([]string{s.Kind, s.Method, s.URL, string(s.Body)}, " "))
		}
		if turn.Ended != nil {
			line = append(line, "ended "+turn.Ended.Tag+" "+turn.Ended.Reason)
		}
		if turn.DeadLetter != nil {
			line = append(line, "dead: "+turn.DeadLetter.Reason)
		}
		if turn.Before != turn.After {
			line = append(line, turn.Before.State+">"+turn.After.State)
		}
		lines = append(lines, strings.Join(line, " | "))
	}
	return lines
}

// TestTrace: what came, what it became and what was sent, in pages that fit
// together, with no secret's place to be read.
func TestTrace(t *testing.T) {
	b := start(t)
	id, token := b.open()
	trace := func(query string) api.Trace {
		return decode[api.Trace](b.ask("GET", "/conversations/"+id+"/trace"+query, superToken, "").is(200, ""))
	}
	said := func(words string, turns int) {
		b.say(id, token, message(words))
		b.until(func() bool { return len(trace("").Turns) == turns }, "not so many turns after "+words)
	}
	b.until(func() bool { return len(trace("").Turns) == 2 }, "no beginning")
	said("hello", 4)
	said("poison", 6)
	said("call", 9)
	want := []string{
		"open  | conversation.started [2 delivered] | >automated",
		"deliver 2",
		"command 1 | message.created [2 delivered]",
		"deliver 2 | error.reported [] | extension [] | message.created [1 delivered]",
		"command 1 | message.created [2 dead]",
		"deliver 2 | message.failed [1 delivered] | dead: cannot read this",
		"command 1 | message.created [2 delivered]",
		"deliver 2 | call POST http://vendor.example/x?key=[secret] {\"key\":\"[secret]\"}",
		"result 2 | ended c1 refused",
	}
	whole := trace("")
	if got := steps(whole); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("the trace is\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if legs := fmt.Sprint(whole.Legs); legs != "[{1 web customer false} {2 help virtual_agent false}]" || len(whole.Untold) != 0 {
		t.Errorf("legs %s, untold %v", legs, whole.Untold)
	}
	redacting := b.api.Options
	redacting.Redact = strings.NewReplacer("vendor.example", "[gone]", `{"key"`, `{"[gone]"`, "read this", "[gone]").Replace
	other := api.New(redacting)
	defer other.Close()
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", api.Base+"/conversations/"+id+"/trace", nil)
	r.Header.Set("Authorization", "Bearer "+superToken)
	other.ServeHTTP(w, r)
	for _, shown := range []string{`"url":"http://[gone]/x?key=[secret]"`, `"body":{"[gone]":"[secret]"}`, `"reason":"cannot [gone]"`} {
		if !strings.Contains(w.Body.String(), shown) {
			t.Errorf("redacted, the trace lacks %s: %s", shown, w.Body)
		}
	}
	var paged []string
	for query := "?limit=2"; ; {
		page := trace(query)
		paged = append(paged, steps(page)...)
		if page.Next == nil {
			break
		}
		query = "?limit=2&after=" + *page.Next
	}
	if strings.Join(paged, "\n") != strings.Join(want, "\n") {
		t.Errorf("in pages it is\n%s", strings.Join(paged, "\n"))
	}
	if _, err := b.journal.Drop(t.Context(), journal.Bounds{Raw: time.Now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	said("again", 2)
	if old := trace(""); len(old.Untold) != 8 || old.Untold[7].Event.Kind() != event.KindMessageCreated || len(old.Turns[0].Events) != 1 {
		t.Errorf("when turns are too old %d events are untold and the turns are %q", len(old.Untold), steps(old))
	}
	b.ask("GET", "/conversations/none/trace", operatorToken, "").is(404, "not_found")
	b.ask("GET", "/conversations/"+id+"/trace?after=x", operatorToken, "").is(422, "invalid")
	b.ask("POST", "/erasures", operatorToken, `{"conversation":"`+id+`","reason":"test"}`).is(200, "")
	b.ask("GET", "/conversations/"+id+"/trace", operatorToken, "").is(410, "erased")
}
