package stories

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestToken: the command gives the links people sign in by, before the bridge runs and
// after; a token that is not set is made once, for the account alone that asked.
func TestToken(t *testing.T) {
	t.Parallel()
	p := newProgram(t, "[server]\nlisten = \"{public}\"\n"+small+"[[api.tokens]]\nname = \"ops\"\nroles = [\"operator\"]\ntoken = \"env:OPS_TOKEN\"\n")
	p.env = append(p.env, "OPS_TOKEN=ops-token-canary-3141")
	file := filepath.Join(p.dir, "data", "token-desk")
	var made struct {
		Name, Token  string
		Roles, Links []string
	}
	got := p.run("token", "desk", "--json")
	if err := json.Unmarshal([]byte(got.out), &made); err != nil || got.code != exitOK || made.Name != "desk" || made.Token != file || len(made.Roles) != 3 || len(made.Links) != 2 {
		t.Fatalf("%v: %+v", err, got)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the token's file: %v %v", info, err)
	}
	p.serve()
	p.until("/readyz")
	p.await(made.Links[0]) // the start prints the same link
	page, secret, _ := strings.Cut(made.Links[1], "#token=")
	if page != "http://"+p.public+"/console" || len(secret) < 32 {
		t.Errorf("the link is %s", made.Links[1])
	}
	request, _ := http.NewRequest("GET", "http://"+p.public+"/api/v1/me", nil)
	request.Header.Set("Authorization", "Bearer "+secret)
	resp, err := http.DefaultClient.Do(request)
	if err != nil || resp.Body.Close() != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("the token is answered %v %v", resp, err)
	}
	all := p.run("token")
	words := strings.Join(strings.Fields(all.out), " ")
	if all.code != exitOK || strings.Count(all.out, secret) != 2 || strings.Contains(all.all(), "canary") || !strings.HasSuffix(words, "ops operator - env:OPS_TOKEN http://"+p.public+"/console") {
		t.Errorf("all of them: %+v", all)
	}
	none := p.run("token", "nobody")
	if none.code != exitFailed || !strings.Contains(none.err, "mend: add it under [[api.tokens]], or use one of: desk, ops") {
		t.Errorf("a name there is not: %+v", none)
	}
	if os.Geteuid() == 0 {
		p.signal(os.Interrupt)
		p.wait()
		if err := os.Remove(file); err != nil || os.Chown(filepath.Dir(file), 12345, 12345) != nil {
			t.Fatal(err)
		}
		if got := p.run("token"); got.code == exitOK || !strings.Contains(got.err, "belongs to account number 12345; mend: run this as that account") {
			t.Errorf("in another account's folder: %+v", got)
		}
	}
}
