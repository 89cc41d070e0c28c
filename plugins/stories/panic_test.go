package stories

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// panicking is a bridge that panics at the n-th commit, with all it was given in what
// the panic says, and the answer to a customer who opens a chat. What is done to it
// before comes first.
func panicking(t *testing.T, n string, before func(*program), env ...string) (p *program, status int, answer string) {
	t.Helper()
	p = newProgram(t, "[server]\nlisten = \"{public}\"\n"+small)
	p.env = append(p.env, append(env, "DESK_TOKEN="+deskToken, "FOOTBRIDGE_FAILPOINT="+pointAfterCommit+":"+n+":panic",
		"FOOTBRIDGE_FAILPOINT_WORDS="+canary+" said Ada\nand more "+canary)...)
	p.serve()
	p.await("is ready at")
	before(p)
	resp, err := http.Post("http://"+p.public+"/api/v1/conversations", "application/json", strings.NewReader(`{"publishable_key":"pk_test","customer":{"name":"Ada"}}`))
	if err != nil {
		return p, 0, "" // it went before it could answer
	}
	defer resp.Body.Close()
	return p, resp.StatusCode, readAll(t, resp.Body)
}

// left is a program to which nothing is done.
func left(*program) {}

// watcher is the process that shows how the bridge ends.
func (p *program) watcher() int {
	p.t.Helper()
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", p.cmd.Process.Pid))
	for _, list := range lists {
		children, _ := os.ReadFile(list)
		for _, child := range strings.Fields(string(children)) {
			if line, _ := os.ReadFile("/proc/" + child + "/cmdline"); strings.HasPrefix(string(line), "footbridge-shows-a-crash") {
				pid, _ := strconv.Atoi(child)
				return pid
			}
		}
	}
	p.t.Fatal("nobody watches for a crash")
	return 0
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
	for name, c := range map[string]struct {
		env    []string
		before func(*program)
	}{
		"as usual":        {nil, left},
		"every goroutine": {[]string{"GOTRACEBACK=all"}, left},
		"told to end, with all it began": {nil, func(p *program) {
			for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
				if err := syscall.Kill(p.watcher(), s); err != nil {
					t.Error(err)
				}
			}
			time.Sleep(100 * time.Millisecond) // time to end, for one that does
		}},
	} {
		t.Run(name, func(t *testing.T) {
			p, _, _ := panicking(t, "2", c.before, c.env...)
			if code := p.wait(); code != 2 {
				t.Errorf("it ended with %d", code)
			}
			p.says("the bridge crashed", "\ngoroutine ", "internal/app.kills.func", "failpoint.go:", "internal/engine.")
			wordless(t, "output", p.output())
		})
	}
}

// TestAPanicInARequestTellsNoWords: so it is where one request panics, which the
// bridge survives.
func TestAPanicInARequestTellsNoWords(t *testing.T) {
	t.Parallel()
	p, status, answer := panicking(t, "1", left)
	if status != http.StatusInternalServerError || answer != "something went wrong here\n" {
		t.Errorf("answered %d %s", status, answer)
	}
	p.await("panic while a request was served", "type=string", "internal/app.kills.func")
	p.until("/healthz")
	wordless(t, "output", p.output())
}
