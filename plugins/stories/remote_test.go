package stories

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/footbridge/footbridge/bridge/event"
)

// command runs a command against the rig, with its configuration.
func (r *rig) command(stdin string, args ...string) outcome {
	r.t.Helper()
	return finish(r.t, []string{"DESK_TOKEN=" + deskToken}, strings.NewReader(stdin), append(args, "--config", r.config)...)
}

// TestConversationsCommand lists and shows, and lets nothing steer the terminal.
func TestConversationsCommand(t *testing.T) {
	t.Parallel()
	r := newRig(t, setting{})
	id, token := r.chat()
	r.write(id, token, "k1", "okapi apples \u202eesrever\u202c \u009b31m \U000e0041")
	r.answered(id, "okapi about apples")
	list := r.command("", "conversations", "--state", "automated")
	if part := missing(list.out, []string{"ID ", "STATE", id, "automated", "web", "Ada"}); part != "" || list.code != exitOK {
		t.Errorf("list: no %q in %+v", part, list)
	}
	if none := r.command("", "conversations", "--state", "active", "--json"); none.out != "" || none.code != exitOK {
		t.Errorf("none: %+v", none)
	}
	for _, args := range [][]string{{"conversations", id}, {"conversations", id, "--json"}} {
		shown := r.command("", args...)
		if part := missing(shown.out, []string{`okapi apples \u202eesrever\u202c \u009b31m \udb40\udc41`, "message.created", "okapi about apples"}); part != "" || shown.code != exitOK {
			t.Errorf("%v: no %q in %+v", args, part, shown)
		}
		if strings.ContainsAny(shown.all(), "\u202e\u009b\x1b") {
			t.Errorf("%v: raw control characters in %q", args, shown.out)
		}
	}
	if got := r.command("", "conversations", "01AAAAAAAAAAAAAAAAAAAAAAAA"); got.code != exitFailed || !strings.Contains(got.err, "not_found") || !strings.Contains(got.err, "mend") {
		t.Errorf("an unknown one: %+v", got)
	}
	r.finds(id)
}

// finds tries the ways to the bridge and to a token.
func (r *rig) finds(id string) {
	r.t.Helper()
	url := "http://" + r.public
	for name, c := range map[string]struct {
		env    []string
		args   []string
		wanted string
		code   int
	}{
		"address and token, no file": {[]string{"FOOTBRIDGE_TOKEN=" + deskToken}, []string{"--url", url, "--config", "/nowhere"}, id, exitOK},
		"token, and the file":        {[]string{"FOOTBRIDGE_TOKEN=" + deskToken}, []string{"--config", r.config}, id, exitOK},
		"a wrong token":              {[]string{"FOOTBRIDGE_TOKEN=wrong"}, []string{"--url", url}, "unauthorized", exitFailed},
		"a customer's token":         {[]string{"FOOTBRIDGE_TOKEN=" + r.tokens[0]}, []string{"--url", url}, "forbidden", exitFailed},
		"no token anywhere":          {nil, []string{"--config", r.config}, "set FOOTBRIDGE_TOKEN", exitFailed},
		"no file":                    {nil, []string{"--config", "/nowhere"}, "mend", exitUsage},
		"nobody there":               {[]string{"FOOTBRIDGE_TOKEN=x"}, []string{"--url", "http://127.0.0.1:1"}, "mend: start it", exitFailed},
	} {
		got := finish(r.t, c.env, nil, append([]string{"conversations"}, c.args...)...)
		if got.code != c.code || !strings.Contains(got.all(), c.wanted) {
			r.t.Errorf("%s: %+v, want %q and %d", name, got, c.wanted, c.code)
		}
		if strings.Contains(got.all(), deskToken) {
			r.t.Errorf("%s: the token is printed", name)
		}
	}
}

// TestNoBridgeThere: an answer that is none of a bridge is told as such, and a
// redirect does not get the token.
func TestNoBridgeThere(t *testing.T) {
	t.Parallel()
	got := ""
	thief := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header.Get("Authorization") }))
	t.Cleanup(thief.Close)
	other := httptest.NewServer(http.RedirectHandler(thief.URL, http.StatusTemporaryRedirect))
	t.Cleanup(other.Close)
	o := finish(t, []string{"FOOTBRIDGE_TOKEN=" + deskToken}, nil, "conversations", "--url", other.URL)
	if o.code != exitFailed || !strings.Contains(o.err, "check --url") || got != "" {
		t.Errorf("%+v, the other side got %q", o, got)
	}
}

// TestDeadLettersCommand: an input that ends its plugin three times is listed,
// and takes effect when it is replayed after the mend, once.
func TestDeadLettersCommand(t *testing.T) {
	t.Parallel()
	mended := filepath.Join(t.TempDir(), "mended")
	r := newRig(t, setting{extra: brittle(t, mended)})
	r.tellBrittle("b1", "okapi before")
	r.tellBrittle("b1", "okapi poison")
	id := r.conversation("b1")
	letter := ""
	r.eventually("a dead letter", func() bool {
		for _, line := range strings.Split(r.command("", "dead-letters", "list").out, "\n")[1:] {
			if strings.Contains(line, "brittle") && strings.Contains(line, "died") {
				letter = strings.Fields(line)[0]
			}
		}
		return letter != ""
	})
	if got := r.command("", "dead-letters", "list", "--json"); strings.Count(got.out, "\n") != 1 || strings.Contains(got.out, "poison") {
		t.Errorf("--json: %+v", got)
	}
	if err := os.WriteFile(mended, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r.eventually("the plugin runs", func() bool { return r.plugin("brittle").State == "running" })
	for _, c := range []struct {
		stdin, line, wanted string
		code                int
	}{
		{"", "replay 01AAAAAAAAAAAAAAAAAAAAAAAA", "not_found", exitFailed},
		{"", "replay --all", "nothing was replayed; mend: answer y, or give --yes", exitFailed},
		{"n\n", "replay --all", "Dead letters to replay: 1. Go on? [y/N]", exitFailed},
		{"y\n", "replay --all", letter + "  replayed", exitOK},
		{"", "replay " + letter, letter + "  was replayed before", exitOK},
		{"", "replay nothing " + letter, "1 of 2 dead letters not replayed", exitFailed},
		{"", "replay --all --yes", "", exitOK},
	} {
		got := r.command(c.stdin, strings.Fields("dead-letters "+c.line)...)
		if got.code != c.code || !strings.Contains(got.all(), c.wanted) {
			t.Errorf("%s: %+v, want %q and %d", c.line, got, c.wanted, c.code)
		}
	}
	want := []string{"okapi before", "okapi poison"}
	r.eventually("what was replayed", func() bool { return len(texts(r.events(id), event.RoleCustomer)) == len(want) })
	if got := texts(r.events(id), event.RoleCustomer); missing(fmt.Sprint(got), want) != "" {
		t.Errorf("the conversation has %q", got)
	}
}

// TestAccountsCommand: a drained account takes nothing new, through a crash, until
// it is resumed; what it has goes on, and operators see it everywhere.
func TestAccountsCommand(t *testing.T) {
	t.Parallel()
	r := newRig(t, setting{})
	id, token := r.chat()
	state := func() string {
		for _, line := range strings.Split(r.command("", "accounts").out, "\n") {
			if f := strings.Fields(line); len(f) == 5 && f[0] == "web" {
				return f[1] + " " + f[2] + " " + f[3]
			}
		}
		return "none"
	}
	say := func(wanted string, code int, line string) {
		t.Helper()
		if got := r.command("", strings.Fields("accounts "+line)...); got.code != code || !strings.Contains(got.all(), wanted) {
			t.Errorf("%s: %+v, want %q and %d", line, got, wanted, code)
		}
	}
	say("web  drained\n", exitOK, "drain web")
	r.kill()
	r.eventually("drained after the crash", func() bool { return state() == "native customer drained" })
	if status, answer, err := r.once("POST", "/conversations", "", "", []byte(`{"publishable_key":"pk_test"}`)); err != nil || status != http.StatusServiceUnavailable || !strings.Contains(string(answer), `"code":"drained"`) {
		t.Errorf("a new conversation: %d %s %v", status, answer, err)
	}
	if got := r.gauge(`footbridge_account_drained{account="web"}`); got != "1" {
		t.Errorf("the gauge of the account is %s", got)
	}
	r.write(id, token, "k1", "okapi apples")
	r.answered(id, "okapi about apples")
	say("not_found", exitFailed, "drain nobody")
	say("name the accounts to resume", exitUsage, "resume")
	say("web  ready\n", exitOK, "resume web")
	if got := state(); got != "native customer ready" {
		t.Errorf("resumed, the account is %q", got)
	}
	r.chatAt("pk_test")
	say(`"name":"web"`, exitOK, "--json")
	if got := r.command("", "audit", "list").out; !strings.Contains(got, "account.drained") || !strings.Contains(got, "account.resumed") {
		t.Errorf("the audit trail has %s", got)
	}
}
