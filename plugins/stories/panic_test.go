package stories

import (
	"net/http"
	"strings"
	"testing"
)

// panicking is a bridge that panics at the n-th commit, with all it was given in what
// the panic says, and the answer to a customer who opens a chat.
func panicking(t *testing.T, n string, env ...string) (p *program, status int, answer string) {
	t.Helper()
	p = newProgram(t, "[server]\nlisten = \"{public}\"\n"+small)
	p.env = append(p.env, append(env, "DESK_TOKEN="+deskToken, "FOOTBRIDGE_FAILPOINT="+pointAfterCommit+":"+n+":panic",
		"FOOTBRIDGE_FAILPOINT_WORDS="+canary+" said Ada\nand more "+canary)...)
	p.serve()
	p.await("is ready at")
	resp, err := http.Post("http://"+p.public+"/api/v1/conversations", "application/json", strings.NewReader(`{"publishable_key":"pk_test","customer":{"name":"Ada"}}`))
	if err != nil {
		return p, 0, "" // it went before it could answer
	}
	defer resp.Body.Close()
	return p, resp.StatusCode, readAll(t, resp.Body)
}

// wordless wants nothing of what the panic said in a text.
func wordless(t *testing.T, where, text string) {
	t.Helper()
	for _, word := range []string{canary, deskToken, "Ada", "FOOTBRIDGE_", "TMPDIR"} {
		if strings.Contains(text, word) {
			t.Errorf("%q is in the %s:\n%s", word, where, text)
		}
	}
}

// TestACrashTellsNoWords: the bridge panics in the midst of its work. It ends, and
// shows where that was and nothing else.
func TestACrashTellsNoWords(t *testing.T) {
	t.Parallel()
	for name, env := range map[string][]string{"as usual": nil, "every goroutine": {"GOTRACEBACK=all"}} {
		t.Run(name, func(t *testing.T) {
			p, _, _ := panicking(t, "2", env...)
			if code := p.wait(); code != 2 {
				t.Errorf("it ended with %d", code)
			}
			p.says("the bridge crashed", "\ngoroutine ", "internal/app.failpoint.func", "failpoint.go:", "internal/engine.")
			wordless(t, "output", p.output())
		})
	}
}

// TestAPanicInARequestTellsNoWords: so it is where one request panics, which the
// bridge survives.
func TestAPanicInARequestTellsNoWords(t *testing.T) {
	t.Parallel()
	p, status, answer := panicking(t, "1")
	if status != http.StatusInternalServerError || answer != "something went wrong here\n" {
		t.Errorf("answered %d %s", status, answer)
	}
	p.await("panic while a request was served", "type=string", "internal/app.failpoint.func")
	p.until("/healthz")
	wordless(t, "output", p.output())
}
