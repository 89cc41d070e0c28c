package api_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/footbridge/footbridge/bridge/internal/api"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// trail is the audit trail, oldest first, as WHO ACTION SUBJECT.
func (b *bridge) trail() []string {
	b.t.Helper()
	var all []string
	for _, a := range decode[api.AuditList](b.ask("GET", "/audit?limit=1000", operatorToken, "").is(200, "")).Audit {
		all = append(all, strings.TrimSpace(a.Who+" "+a.Action+" "+a.Subject))
	}
	slices.Reverse(all)
	return all
}

func (b *bridge) recorded(want ...string) {
	b.t.Helper()
	if got := b.trail(); !slices.Equal(got, want) {
		b.t.Errorf("the audit trail is %q, want %q", got, want)
	}
	ends := decode[journal.AuditEnds](b.ask("GET", "/audit/verification", operatorToken, "").is(200, ""))
	if ends.First != 1 || ends.Last != int64(len(want)) {
		b.t.Errorf("verified are %+v", ends)
	}
}

func TestTheAuditTrailHasSignInsAndReplays(t *testing.T) {
	b := start(t)
	b.ask("POST", "/session", "", `{"token":"wrong"}`).is(401, "unauthorized")
	r := b.ask("POST", "/session", "", `{"token":"`+samToken+`"}`).is(200, "")
	cookie := (&http.Response{Header: r.Header}).Cookies()[0]
	b.ask("DELETE", "/session", "", "", header{"Cookie": cookie.Name + "=" + cookie.Value}).is(204, "")
	b.ask("DELETE", "/session", "", "").is(204, "") // nobody was signed in
	letter := b.dead()
	b.ask("POST", "/dead-letters/"+letter+"/replay", operatorToken, "").is(200, "")
	b.ask("POST", "/dead-letters/"+letter+"/replay", operatorToken, "").is(409, "already_replayed")
	b.recorded("token sam session.opened", "token sam session.closed", "token ops dead_letter.replayed "+letter)

	page := decode[api.AuditList](b.ask("GET", "/audit?limit=2", operatorToken, "").is(200, ""))
	rest := decode[api.AuditList](b.ask("GET", "/audit?limit=2&after="+*page.Next, operatorToken, "").is(200, ""))
	if len(page.Audit) != 2 || len(rest.Audit) != 1 || rest.Next != nil || rest.Audit[0].Position != 1 {
		t.Errorf("pages are %+v and %+v", page, rest)
	}
	b.ask("GET", "/audit?after=x", operatorToken, "").is(422, "invalid")
}

// dead makes a dead letter and gives its id.
func (b *bridge) dead() (letter string) {
	b.t.Helper()
	id, token := b.open()
	b.say(id, token, message("poison"))
	b.until(func() bool {
		for _, l := range decode[api.DeadLetterList](b.ask("GET", "/dead-letters", operatorToken, "").is(200, "")).DeadLetters {
			letter = l.ID
		}
		return letter != ""
	}, "no dead letter")
	return letter
}

// Who asks for what came after something that was dropped is told that it is gone,
// and not given a stream with holes.
func TestAStreamDoesNotGoOnBeforeWhatWasDropped(t *testing.T) {
	b := start(t)
	id, token := b.openFor("c-1")
	b.say(id, token, message("hello"))
	b.say(id, token, `{"kind":"conversation.ended","body":{}}`)
	b.state(id, "ended")
	young, token := b.openFor("c-2")
	b.say(young, token, message("hello"))
	last, _, err := b.journal.Position(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r, err := b.journal.Drop(t.Context(), journal.Bounds{Conversations: time.Now().Add(time.Hour)}); err != nil || r.Conversations != 1 {
		t.Fatalf("dropped %+v, %v", r, err)
	}
	b.ask("GET", "/conversations/"+id, operatorToken, "").is(404, "not_found")
	b.ask("GET", "/events?after=1", operatorToken, "").is(410, "position_gone")
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("%s%s/events?after=%d", b.server.URL, api.Base, last), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+operatorToken)
	resp, err := b.server.Client().Do(r)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("from the last position on: %+v, %v", resp, err)
	}
	_ = resp.Body.Close()
}
