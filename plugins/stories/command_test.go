package stories

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// every calls visit for each command and those below it, as --help lists them,
// with its words.
func every(t *testing.T, words []string, visit func(words []string)) {
	t.Helper()
	visit(words)
	_, below, _ := strings.Cut(finish(t, nil, nil, append(words, "--help")...).out, "Available Commands:\n")
	below, _, _ = strings.Cut(below, "\n\n")
	for line := range strings.SplitSeq(below, "\n") {
		name, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		simulator := len(words) > 0 && words[0] == "simulate" // it has flags of its own
		if name != "" && name != "help" && !simulator {
			every(t, append(words[:len(words):len(words)], name), visit)
		}
	}
}

// TestHelp: every command says what it is and shows examples, without colours;
// none has a flag for a secret.
func TestHelp(t *testing.T) {
	t.Parallel()
	secret := regexp.MustCompile(`--[a-z-]*(token|secret|password|passwd|api-?key)`)
	count := 0
	every(t, nil, func(words []string) {
		count++
		for _, env := range [][]string{nil, {"NO_COLOR=1", "TERM=dumb", "COLUMNS=20"}} {
			got := finish(t, env, nil, append(words, "--help")...)
			if got.code != exitOK || !strings.Contains(got.out, "Examples:\n") || !strings.Contains(got.out, "Usage:\n") {
				t.Errorf("footbridge %s --help: code %d\n%s", strings.Join(words, " "), got.code, got.all())
			}
			if strings.ContainsRune(got.all(), 0x1b) {
				t.Errorf("footbridge %s --help has escape codes", strings.Join(words, " "))
			}
			if found := secret.FindString(got.all()); found != "" {
				t.Errorf("footbridge %s has a flag for a secret: %s", strings.Join(words, " "), found)
			}
		}
	})
	if count < 12 {
		t.Errorf("only %d commands were looked at", count)
	}
}

// TestUsageOfSimulate: a vendor, or a flag of its, that there is not.
func TestUsageOfSimulate(t *testing.T) {
	t.Parallel()
	for line, wanted := range map[string]string{"simulate vonag": "did you mean vonage?", "simulate vonage -nonsense": "not defined"} {
		if got := finish(t, nil, nil, strings.Fields(line)...); got.code != exitUsage || !strings.Contains(got.err, wanted) {
			t.Errorf("footbridge %s: code %d, want %q:\n%s", line, got.code, wanted, got.all())
		}
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	if got := finish(t, nil, nil, "version"); got.code != exitOK || !regexp.MustCompile(`^footbridge \S+\n$`).MatchString(got.out) {
		t.Errorf("%d %q %q", got.code, got.out, got.err)
	}
}

// TestCompletions: the shells take the scripts, and the program completes.
func TestCompletions(t *testing.T) {
	t.Parallel()
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		got := finish(t, nil, nil, "completion", shell)
		if got.code != exitOK || len(got.out) < 1000 {
			t.Errorf("%s: %d, %d bytes", shell, got.code, len(got.out))
		}
	}
	script := finish(t, nil, nil, "completion", "bash").out
	sh := exec.Command("bash", "-n")
	sh.Stdin = strings.NewReader(script)
	if out, err := sh.CombinedOutput(); err != nil {
		t.Errorf("bash does not take its script: %v\n%s", err, out)
	}
	if got := finish(t, nil, nil, "__complete", "dead-letters", "re"); !strings.Contains(got.out, "replay") {
		t.Errorf("dead-letters re… completes to %q", got.out)
	}
}

// TestOutputNotTaken: what cannot be written is a failure, but of no bridge.
func TestOutputNotTaken(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("this system has no /dev/full")
	}
	t.Cleanup(func() { _ = full.Close() })
	p := newProgram(t, "[server]\nlisten = \"{public}\"\n"+small)
	for _, args := range [][]string{{"version"}, {"check", "--config", p.config}, {"adapters", "--config", p.config}, {"check", "--json", "--config", p.config}} {
		cmd := exec.Command(footbridge(t), args...)
		cmd.Env, cmd.Stdout = p.env, full
		if _ = cmd.Run(); cmd.ProcessState.ExitCode() != exitFailed {
			t.Errorf("%v into a full disk: exit code %d", args, cmd.ProcessState.ExitCode())
		}
	}
	for _, shell := range []string{"version >&-", "check --config " + p.config + " >&- 2>&-"} {
		cmd := exec.Command("sh", "-c", footbridge(t)+" "+shell)
		cmd.Env = p.env
		if out, err := cmd.CombinedOutput(); err != nil && cmd.ProcessState.ExitCode() != exitFailed {
			t.Errorf("%s: %v %s", shell, err, out)
		}
	}
	p.cmd = exec.Command(footbridge(t), "serve", "--config", p.config)
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = p.env, full, &locked{mu: &p.mu, b: &p.log}
	p.begin()
	p.until("/readyz")
	p.signal(os.Interrupt)
	if code := p.wait(); code != exitOK {
		t.Errorf("a bridge whose first lines nobody could read ended with %d", code)
	}
}

// until waits for an answer of 200 at the admin listener.
func (p *program) until(path string) {
	p.t.Helper()
	for range 2000 {
		resp, err := http.Get("http://" + p.admin + path)
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	p.t.Fatalf("never ready\n%s", p.output())
}

// TestInterrupts: one interrupt ends the bridge in peace, though streams are
// open; a second one at once.
func TestInterrupts(t *testing.T) {
	t.Parallel()
	p := newProgram(t, "[server]\nlisten = \"{public}\"\n"+small)
	p.env = append(p.env, "DESK_TOKEN="+deskToken)
	p.serve()
	p.until("/readyz")
	stream, err := http.NewRequest(http.MethodGet, "http://"+p.public+"/api/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	stream.Header.Set("Authorization", "Bearer "+deskToken)
	open, err := http.DefaultClient.Do(stream)
	if err != nil || open.StatusCode != http.StatusOK {
		t.Fatalf("open a stream: %v", err)
	}
	defer open.Body.Close()
	socket := dialRaw(t, p.public, "GET /api/v1/socket HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+deskToken+
		"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	if line := make([]byte, 12); func() bool { _, err := socket.Read(line); return err != nil || string(line) != "HTTP/1.1 101" }() {
		t.Fatalf("open a socket: %q", line)
	}
	began := time.Now()
	p.signal(os.Interrupt)
	if code := p.wait(); code != exitOK || time.Since(began) > 10*time.Second {
		t.Errorf("exit code %d after %s", code, time.Since(began))
	}

	busy := newProgram(t, "[server]\nlisten = \"{public}\"\n"+small)
	busy.env = append(busy.env, "DESK_TOKEN="+deskToken)
	busy.serve()
	busy.until("/readyz")
	// A request that never comes to its end keeps the bridge from ending at once.
	dialRaw(t, busy.public, "POST /api/v1/conversations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
	time.Sleep(200 * time.Millisecond)
	busy.signal(os.Interrupt)
	busy.await("shutting down")
	began = time.Now()
	busy.signal(syscall.SIGTERM)
	if code := busy.wait(); code != exitInterrupted || time.Since(began) > 2*time.Second {
		t.Errorf("after the second signal: exit code %d after %s", code, time.Since(began))
	}
}

// dialRaw sends bytes and leaves the connection open.
func dialRaw(t *testing.T, addr, bytes string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := fmt.Fprint(conn, bytes); err != nil {
		t.Fatal(err)
	}
	return conn
}

// TestStrangeSurroundings: whatever the umask, the zone and the language, files
// are for their owner alone and times are the world's.
func TestStrangeSurroundings(t *testing.T) {
	t.Parallel()
	p := newProgram(t, "[server]\nlisten = \"{public}\"\n"+small)
	p.env = append(p.env, "TZ=Pacific/Kiritimati", "LC_ALL=tr_TR.UTF-8", "LANG=tr_TR.UTF-8")
	p.serve("sh", "-c", `umask 000; exec "$@"`, "sh")
	p.until("/readyz")
	p.await("desk#token=")
	token, err := os.ReadFile(filepath.Join(p.dir, "data", "token-desk"))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Post("http://"+p.public+"/api/v1/conversations", "application/json", strings.NewReader(`{"publishable_key":"pk_test","customer":{"name":"İIıi"}}`))
	if err != nil || resp.Body.Close() != nil || resp.StatusCode != http.StatusCreated {
		t.Fatalf("open a chat: %v %v", resp, err)
	}
	got := p.run("conversations", "--json") // with the token that was made
	var shown struct{ Created, ID string }
	if err := json.Unmarshal([]byte(got.out), &shown); err != nil || !strings.HasSuffix(shown.Created, "Z") || got.code != exitOK {
		t.Errorf("conversations: %v %+v", err, got)
	}
	if at, err := time.Parse(time.RFC3339Nano, shown.Created); err != nil || time.Since(at).Abs() > time.Minute {
		t.Errorf("created at %s", shown.Created)
	}
	for _, line := range strings.Split(p.output(), "\n") {
		if strings.Contains(line, "level=") && strings.Contains(line, strings.TrimSpace(string(token))) {
			t.Errorf("the token is in the log: %s", line)
		}
	}
	files := 0
	for _, root := range []string{filepath.Join(p.dir, "data"), strings.TrimPrefix(p.env[1], "TMPDIR=")} {
		err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
			if err != nil || path == root && root != filepath.Join(p.dir, "data") {
				return err
			}
			info, err := d.Info()
			if err == nil && info.Mode().Perm()&0o077 != 0 && info.Mode()&os.ModeSocket == 0 {
				t.Errorf("%s has mode %s", path, info.Mode())
			}
			files++
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
	if files < 5 {
		t.Errorf("only %d files were looked at", files)
	}
}

// TestEraseCommand: nothing is erased unasked or by a wrong name; erasing again is no
// mistake.
func TestEraseCommand(t *testing.T) {
	t.Parallel()
	p := newProgram(t, "[server]\nlisten = \"{public}\"\n"+small)
	p.env = append(p.env, "DESK_TOKEN="+deskToken)
	p.serve()
	p.until("/readyz")
	resp, err := http.Post("http://"+p.public+"/api/v1/conversations", "application/json", strings.NewReader(`{"publishable_key":"pk_test","customer":{"id":"c-7"}}`))
	var opened struct{ Conversation string }
	if err != nil || json.NewDecoder(resp.Body).Decode(&opened) != nil || opened.Conversation == "" {
		t.Fatalf("open a chat: %v %v", resp, err)
	}
	defer resp.Body.Close()
	id := opened.Conversation
	for _, c := range []struct {
		stdin, line, wanted string
		code                int
	}{
		{"", id, "say why with --reason", exitUsage},
		{"", "--reason r", "name a conversation, or --customer", exitUsage},
		{"", "../x --reason r", "is no id", exitUsage},
		{"", "01AAAAAAAAAAAAAAAAAAAAAAAA --reason r --yes", "not_found", exitFailed},
		{"", "--customer c-8 --reason r --yes", "has no conversation that can be read", exitFailed},
		{"", id + " --reason r", "nothing was erased; mend: answer y, or give --yes", exitFailed},
		{"n\n", id + " --reason r", "Erase conversation " + id + "? [y/N]", exitFailed},
		{"y\n", id + " --reason r", id + "  erased", exitOK},
		{"", id + " --reason r --yes", id + "  erased", exitOK},
	} {
		got := finish(t, p.env, strings.NewReader(c.stdin), append(strings.Fields("conversations erase "+c.line), "--config", p.config)...)
		if got.code != c.code || !strings.Contains(got.all(), c.wanted) {
			t.Errorf("erase %s: %+v, want %q and %d", c.line, got, c.wanted, c.code)
		}
	}
	if trail := p.run("audit", "list", "--json"); strings.Count(trail.out, `"conversation.erased"`) != 1 {
		t.Errorf("the audit trail has not one erasure: %+v", trail)
	}
}
