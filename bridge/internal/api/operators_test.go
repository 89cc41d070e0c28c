package api_test

import (
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/footbridge/footbridge/bridge/internal/api"
)

// TestOddQueries: words are looked for as they are written and filters compared whole;
// what is no page is refused with its mend, and nobody sees more than they asked for.
func TestOddQueries(t *testing.T) {
	b := start(t)
	b.open()
	for _, c := range api.OddQueries() {
		r := b.ask("GET", "/conversations?"+url.Values{c.Name: {c.Value}}.Encode(), superToken, "")
		switch {
		case r.Status != c.Status:
			t.Errorf("%s answers %d, want %d", c.What, r.Status, c.Status)
		case r.Status == 422 && (r.problem().Code != "invalid" || r.problem().Mend == ""):
			t.Errorf("%s is refused with %+v", c.What, r.problem())
		case r.Status == 200 && len(decode[api.ConversationList](r).Conversations) != 0:
			t.Errorf("%s finds %s", c.What, r.Body)
		}
	}
	if l := decode[api.ConversationList](b.ask("GET", "/conversations?limit=1000", superToken, "").is(200, "")); len(l.Conversations) != 1 {
		t.Errorf("all there are: %d", len(l.Conversations))
	}
}

// TestTwoOperators: of those who do one thing at once one wins, and the others are told.
func TestTwoOperators(t *testing.T) {
	b := start(t)
	poisoned, token := b.open()
	b.say(poisoned, token, message("poison"))
	letter := ""
	b.until(func() bool {
		l := decode[api.DeadLetterList](b.ask("GET", "/dead-letters", operatorToken, "")).DeadLetters
		if len(l) > 0 {
			letter = l[0].ID
		}
		return letter != ""
	}, "no dead letter")
	waiting, _ := b.handoff()
	for what, c := range map[string]struct {
		token, path, body, lost string
		won                     int
	}{
		"replay": {operatorToken, "/dead-letters/" + letter + "/replay", "", "already_replayed", 200},
		"accept": {deskToken, "/conversations/" + waiting + "/events", `{"kind":"handoff.accepted","actor":{"id":"AGENT"},"body":{}}`, "already_accepted", 201},
	} {
		const many = 8
		answers := make([]reply, many)
		var all sync.WaitGroup
		for n := range many {
			all.Go(func() {
				answers[n] = b.ask("POST", c.path, c.token, strings.ReplaceAll(c.body, "AGENT", fmt.Sprint("agent-", n)))
			})
		}
		all.Wait()
		won := 0
		for _, r := range answers {
			if r.Status == c.won {
				won++
			} else if r.Status != 409 || r.problem().Code != c.lost {
				t.Errorf("%s: answered %d %s", what, r.Status, r.Body)
			}
		}
		if won != 1 {
			t.Errorf("%s: %d won", what, won)
		}
	}
}
