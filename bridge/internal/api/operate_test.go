package api_test

import (
	"slices"
	"testing"

	"github.com/footbridge/footbridge/bridge/internal/api"
)

// An account is drained and resumed by an operator, once each in the audit trail,
// and what is refused meanwhile says so.
func TestDrainAndResume(t *testing.T) {
	b := start(t)
	say := func(name, what string) api.Account {
		return decode[api.Account](b.ask("POST", "/accounts/"+name+"/"+what, operatorToken, "").is(200, ""))
	}
	drained := func() (names []string) {
		for _, a := range decode[api.AccountList](b.ask("GET", "/accounts", samToken, "").is(200, "")).Accounts {
			if a.Drained {
				names = append(names, a.Name)
			}
		}
		return names
	}
	const opening = `{"publishable_key":"` + key + `"}`
	id, token := b.open()
	for range 2 {
		if a := say("web", "drain"); a.Name != "web" || !a.Drained || !a.Ready {
			t.Errorf("the account is %+v", a)
		}
	}
	b.ask("POST", "/conversations", "", opening).is(503, "drained")
	b.say(id, token, message("hello"))
	b.heard(id, token, "you said hello")
	if got := drained(); len(got) != 1 || got[0] != "web" {
		t.Errorf("drained are %q", got)
	}
	if a := say("web", "resume"); a.Drained {
		t.Errorf("the account is %+v", a)
	}
	b.ask("POST", "/conversations", "", opening).is(201, "")
	b.ask("POST", "/accounts/nobody/drain", operatorToken, "").is(404, "not_found")
	say("desk", "drain")
	if a := decode[api.Availability](b.ask("GET", "/availability", token, "").is(200, "")); a.Open || a.Reason != "backend_down" {
		t.Errorf("with its desk drained the availability is %+v", a)
	}
	b.recorded("token ops account.drained web", "token ops account.resumed web", "token ops account.drained desk")
}

// Dead letters are listed from the newest, page by page.
func TestDeadLettersFromTheNewest(t *testing.T) {
	b := start(t)
	list := func(query string) api.DeadLetterList {
		return decode[api.DeadLetterList](b.ask("GET", "/dead-letters?"+query, operatorToken, "").is(200, ""))
	}
	const many = 6
	for n := range many { // their ids come from what they are of, and say nothing of time
		id, token := b.open()
		b.say(id, token, message("poison"))
		b.until(func() bool { return len(list("").DeadLetters) == n+1 }, "no dead letter")
	}
	var paged []api.DeadLetter
	for query := "limit=2"; ; {
		page := list(query)
		if paged = append(paged, page.DeadLetters...); page.Next == nil || len(paged) > many {
			break
		}
		query = "limit=2&after=" + *page.Next
	}
	if all := list("").DeadLetters; !slices.Equal(paged, all) || len(all) != many {
		t.Errorf("in pages %+v, at once %+v", paged, all)
	}
	if !slices.IsSortedFunc(paged, func(a, b api.DeadLetter) int { return b.At.Compare(a.At) }) {
		t.Errorf("not the newest first: %+v", paged)
	}
	for _, after := range []string{"x", "7", "7.", "x.y"} {
		b.ask("GET", "/dead-letters?after="+after, operatorToken, "").is(422, "invalid")
	}
}
