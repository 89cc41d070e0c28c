package stories

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/footbridge/footbridge/bridge/event"
)

func readme(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(repository, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// found is the first group of a pattern in the README.
func found(t *testing.T, pattern string) string {
	t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(readme(t))
	if m == nil {
		t.Fatalf("README.md has nothing like %s", pattern)
	}
	return m[1]
}

// TestReadmeCommands: the commands the README names exist, and so do the files
// it leads to; make run prints the same line to type.
func TestReadmeCommands(t *testing.T) {
	t.Parallel()
	text := readme(t)
	commands := regexp.MustCompile(`(?m)^bin/footbridge ([a-z-]+(?: (?:list|replay|test))?)`).FindAllStringSubmatch(text, -1)
	if len(commands) < 3 {
		t.Errorf("only %d commands", len(commands))
	}
	for _, c := range commands {
		if got := finish(t, nil, nil, append(strings.Fields(c[1]), "--help")...); got.code != exitOK || !strings.Contains(got.out, "footbridge "+c[1]) {
			t.Errorf("%s: %+v", c[0], got)
		}
	}
	makefile, err := os.ReadFile(filepath.Join(repository, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("(?m)^make ([a-z]+)").FindAllStringSubmatch(text, -1) {
		if !strings.Contains(string(makefile), "\n"+m[1]+":") {
			t.Errorf("README.md names make %s, which is no target", m[1])
		}
	}
	for _, m := range regexp.MustCompile(`\]\(([^)#:]+)\)`).FindAllStringSubmatch(text, -1) {
		if _, err := os.Stat(filepath.Join(repository, m[1])); err != nil {
			t.Errorf("README.md leads nowhere: %v", err)
		}
	}
	demo, err := os.ReadFile(filepath.Join(repository, ".ci", "demo"))
	if err != nil || !strings.Contains(string(demo), found(t, `(?m)^(curl -s .*/sim/start.*)$`)) {
		t.Errorf("make run prints another line than README.md: %v", err)
	}
}

// TestReadmeRoundTrip does what the README's first screen says, with the example
// configuration, and gets what it says.
func TestReadmeRoundTrip(t *testing.T) {
	t.Parallel()
	p := newProgram(t, "")
	vendor := freeAddr(t)
	text := strings.ReplaceAll(p.places(example(t)), "127.0.0.1:8090", vendor)
	if err := os.WriteFile(p.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p.env = append(p.env, "VGAI_KEY=demo-key")
	studio := &program{t: t, ended: make(chan struct{})}
	studio.cmd = exec.Command(footbridge(t), "simulate", "vonage", "-listen", vendor, "-bridge", "http://"+p.public+"/in/studio", "-key", "demo-key")
	out := &locked{mu: &studio.mu, b: &studio.log}
	studio.cmd.Stdout, studio.cmd.Stderr = out, out
	studio.begin()
	studio.await("listens on")
	p.serve()
	p.until("/readyz")
	p.await("/chat", "/desk#token=")

	body := found(t, `(?m)^curl -s .*/sim/start -d '(.*)'$`)
	resp, err := http.Post("http://"+vendor+"/sim/start", "application/json", strings.NewReader(body))
	if err != nil || !strings.Contains(readAll(t, resp.Body), `"status":200`) || resp.Body.Close() != nil {
		t.Fatalf("the line to type: %v", err)
	}
	token := regexp.MustCompile(`/desk#token=(\S+)`).FindStringSubmatch(p.output())[1]
	var c struct{ ID string }
	if list := p.run("conversations", "--json", "--state", "queued"); json.Unmarshal([]byte(list.out), &c) != nil {
		t.Fatalf("conversations: %+v", list)
	}
	if shown := p.run("conversations", c.ID); !strings.Contains(shown.out, "handoff.requested") {
		t.Errorf("the conversation: %s", shown.out)
	}
	p.act(token, c.ID, event.HandoffAccepted{})
	line := found(t, "`(simulated vonage: session .*)`")
	said := regexp.MustCompile(`outbound "(.*)" \(`).FindStringSubmatch(line)[1]
	p.act(token, c.ID, event.MessageCreated{Content: event.Plain(said)})
	studio.await(line + "\n")
	p.act(token, c.ID, event.HandbackRequested{})
	studio.await(`simulated vonage: session demo-1: disconnect`)
	for words, times := range map[string]int{"": 2, said: 1, "You are number 1 in the queue.": 1} {
		if n := strings.Count(studio.output(), ": outbound \""+words); n != times {
			t.Errorf("%d times %q, want %d", n, words, times)
		}
	}
}

// act does what the desk does.
func (p *program) act(token, id string, body event.Body) {
	p.t.Helper()
	data, err := json.Marshal(map[string]any{"kind": body.Kind(), "actor": map[string]string{"role": "live_agent", "id": "sam", "name": "Sam"}, "body": body})
	if err != nil {
		p.t.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodPost, fmt.Sprintf("http://%s/api/v1/conversations/%s/events", p.public, id), strings.NewReader(string(data)))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusCreated {
		p.t.Fatalf("%s: %d %s", body.Kind(), resp.StatusCode, readAll(p.t, resp.Body))
	}
}
