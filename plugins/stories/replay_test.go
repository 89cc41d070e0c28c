package stories

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// letters plays a bridge with many dead letters. It does not answer the replay of the
// one at hold until the asker has gone.
type letters struct {
	mu       sync.Mutex
	replayed []bool
	hold     int
	held     chan struct{}
	asked    int
}

func (l *letters) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if r.Method == http.MethodGet {
		l.list(w, r)
		return
	}
	n, _ := strconv.Atoi(strings.TrimPrefix(strings.Split(r.URL.Path, "/")[4], "L"))
	l.mu.Lock()
	before := l.replayed[n]
	l.replayed[n] = true
	l.asked++
	hold := l.hold == n && !before
	l.mu.Unlock()
	if hold {
		close(l.held)
		<-r.Context().Done()
		return
	}
	if before {
		w.WriteHeader(http.StatusConflict)
		fmt.Fprint(w, `{"title":"was replayed","code":"already_replayed"}`)
		return
	}
	fmt.Fprint(w, `{"replayed":true}`)
}

func (l *letters) list(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	size, _ := strconv.Atoi(r.URL.Query().Get("limit"))
	from, _ := strconv.Atoi(r.URL.Query().Get("after"))
	items := []map[string]any{}
	for n := from; n < min(from+size, len(l.replayed)); n++ {
		item := map[string]any{"id": fmt.Sprint("L", n), "at": "2026-11-20T10:00:00Z"}
		if l.replayed[n] {
			item["replayed"] = "2026-11-20T11:00:00Z"
		}
		items = append(items, item)
	}
	answer := map[string]any{"dead_letters": items, "next": nil}
	if from+size < len(l.replayed) {
		answer["next"] = fmt.Sprint(from + size)
	}
	_ = json.NewEncoder(w).Encode(answer)
}

// TestReplayIsResumed: an interrupted replay of many says so; run again it takes up the
// rest, and no letter is replayed twice. The list begins with the newest, a replay
// with the oldest.
func TestReplayIsResumed(t *testing.T) {
	t.Parallel()
	const many, held = 3000, 1234
	l := &letters{replayed: make([]bool, many), hold: held, held: make(chan struct{})}
	server := httptest.NewServer(l)
	t.Cleanup(server.Close)
	args := []string{"dead-letters", "replay", "--all", "--yes", "--url", server.URL}
	env := []string{"FOOTBRIDGE_TOKEN=x"}
	var out strings.Builder
	cmd := exec.Command(footbridge(t), args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = env, &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-l.held
	_ = cmd.Process.Signal(syscall.SIGINT)
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != exitFailed || strings.Count(out.String(), "  replayed\n") != many-held-1 || !strings.HasPrefix(out.String(), "L2999 ") ||
		!strings.HasSuffix(out.String(), "interrupted; mend: run it again, what was replayed stays so\n") {
		t.Errorf("exit code %d: %s", code, tail(out.String(), 300))
	}
	got := finish(t, env, nil, args...)
	if got.code != exitOK || strings.Count(got.out, "  replayed\n") != held || l.asked != many {
		t.Errorf("again: exit code %d, %d replayed, asked %d times: %s", got.code, strings.Count(got.out, "  replayed\n"), l.asked, tail(got.all(), 300))
	}
	if none := finish(t, env, nil, args...); none.code != exitOK || none.all() != "" {
		t.Errorf("with none left: %+v", none)
	}
}
