package api_test

import (
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
