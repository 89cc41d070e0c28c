package stories

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// verify has accounts proved and gives what was found.
func (p *program) verify(args ...string) ([]finding, outcome) {
	p.t.Helper()
	got := p.run(append([]string{"accounts", "verify", "--json"}, args...)...)
	var d struct{ Findings []finding }
	if err := json.Unmarshal([]byte(got.out), &d); err != nil && got.code == exitOK {
		p.t.Fatalf("verify says %+v: %v", got, err)
	}
	return d.Findings, got
}

// TestVerifyAccounts: accounts are proved without a bridge, and what cannot be proved
// is said.
func TestVerifyAccounts(t *testing.T) {
	t.Parallel()
	p := newProgram(t, "[server]\nlisten = \"{public}\"\n"+small+fmt.Sprintf(studioAccount, "127.0.0.1:1", "127.0.0.1:1"))
	p.env = slices.DeleteFunc(p.env, func(v string) bool { return strings.HasPrefix(v, "VGAI_KEY=") })
	for _, c := range []struct {
		name  string
		args  []string
		state string
		says  string
		code  int
	}{
		{"the bridge's own", []string{"desk"}, "good", "is the bridge's own", exitOK},
		{"no credential", []string{"studio"}, "fault", "credential key is not set (env:VGAI_KEY)", exitFailed},
		{"an adapter that cannot", []string{"helper"}, "warning", "its adapter cannot prove it", exitOK},
	} {
		found, got := p.verify(c.args...)
		if got.code != c.code || len(found) != 1 || found[0].State != c.state || !strings.Contains(found[0].What, c.says) || found[0].Check != "account "+c.args[0] {
			t.Errorf("%s: %+v, %+v", c.name, found, got)
		}
	}
	if _, got := p.verify("nobody"); got.code != exitUsage || !strings.Contains(got.err, "no such account as nobody: the configuration has desk, helper, studio, web") {
		t.Errorf("an account that is not there: %+v", got)
	}
	if got := p.run("accounts", "verify"); got.code != exitUsage || !strings.Contains(got.err, "name the accounts to verify") {
		t.Errorf("no account: %+v", got)
	}
}
