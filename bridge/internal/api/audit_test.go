package api_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

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
