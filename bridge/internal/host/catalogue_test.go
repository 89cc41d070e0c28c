package host

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/internal/credential"
	"github.com/footbridge/footbridge/bridge/internal/observe"
)

// catalogue is what plugins may reply, row by row, and what it must get. A row is
// tested here, or by the tests it names: a folder below bridge/, and a name.
func catalogue() []struct {
	row, input, must string
	test             func(*testing.T)
	told             []string
} {
	return []struct {
		row, input, must string
		test             func(*testing.T)
		told             []string
	}{
		{"G1", "a broken handshake", "the start fails in time and says why, others run", othersRun,
			[]string{"internal/host.TestBadStarts"}},
		{"G2", "a changed, writable or set-user-ID executable", "refused before it runs", nil,
			[]string{"internal/host.TestRefusedBeforeTheyRun", "internal/host.TestOnlyThePinnedProgramRuns"}},
		{"G3", "an end at the start, at each call, again and again", "growing waits, quarantine, another try", nil,
			[]string{"internal/host.TestCrashLoopIsQuarantined", "internal/host.TestExitInTurn"}},
		{"G4", "a stop, a hang", "a deadline, a restart, the turn again", nil,
			[]string{"internal/host.TestStoppedPluginTimesOut", "internal/host.TestStoppedIdlePluginIsNoticed", "internal/engine.TestKillerBecomesDeadLetter"}},
		{"G5", "5 MiB, answers without end, 20,000 effects of a turn", "refused, the plugin's fault, dead letter", tooMuch,
			[]string{"internal/engine.TestPoisonBecomesDeadLetter"}},
		{"G6", "no outcome, no effect", "a defined outcome", nothing,
			[]string{"adapter/adapterpb.TestNotDecoded"}},
		{"G7", "an id it was not given, or one again", "a fault, nothing goes on", foreignIDs, nil},
		{"G8", "broken UTF-8, broken JSON", "refused", brokenText, []string{"adapter/adapterpb.TestNotDecoded"}},
		{"G9", "another answer to the same input", "found", nil, []string{"adapter/adaptertest.TestBrokenToysAreFound"}},
		{"G10", "a call to other hosts, with other headers, with CRLF", "refused", nil,
			[]string{"internal/egress.TestAllowList", "internal/egress.TestHeadersAndMethods"}},
		{"G11", "a secret that is not the account's", "refused", nil, []string{"internal/credential.TestReplaceRefuses"}},
		{"G12", "a flood of lines, 10 MiB in one, escapes, secrets", "capped, cut, escaped, redacted", secretsInLines,
			[]string{"internal/host.TestPrintsComeToTheLogCapped"}},
		{"G13", "a retry for ever, or in ten years", "bounded", nil,
			[]string{"internal/engine.TestGiveUp", "internal/egress.TestRetryAfter"}},
		{"G14", "another version, features nobody knows, lies", "refused, negotiated, found", features,
			[]string{"internal/host.TestBadStarts", "adapter/adaptertest.TestHonest"}},
		{"G15", "children, SIGTERM ignored", "gone in 3 s with all of them", deaf,
			[]string{"internal/host.TestNothingOutlivesAPlugin", "internal/host.TestKilledHostLeavesNoPlugin"}},
		{"G16", "network, files, other processes", "denied", nil, []string{"internal/host.TestHostilePluginIsDenied"}},
		{"G17", "every status there is, with 1 MiB of text", "mapped and cut", statuses, nil},
		{"G18", "a health that is not so", "the turns decide", sick, []string{"internal/host.TestStoppedIdlePluginIsNoticed"}},
	}
}

func TestCatalogueOfReplies(t *testing.T) {
	for i, c := range catalogue() {
		if c.row != fmt.Sprintf("G%d", i+1) || c.test == nil && len(c.told) == 0 {
			t.Errorf("row %d is %s, and has tests: %v", i+1, c.row, len(c.told) > 0)
		}
		for _, told := range c.told {
			if !exists(t, told) {
				t.Errorf("%s: there is no test %s", c.row, told)
			}
		}
		if c.test != nil {
			t.Run(c.row+" "+c.input+": "+c.must, c.test)
		}
	}
}

// exists looks for a test, folder.Name.
func exists(t *testing.T, told string) bool {
	t.Helper()
	folder, name, _ := strings.Cut(told, ".")
	files, err := filepath.Glob(filepath.Join("../..", folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if regexp.MustCompile(`(?m)^func ` + name + `\(`).Match(text) {
			return true
		}
	}
	return false
}

// rogue starts the plugin that breaks the protocol.
func rogue(t *testing.T) *Host {
	t.Helper()
	return started(t, Options{TurnTimeout: 20 * time.Second, Quarantine: Quarantine{Failures: 1000}, BackoffMax: 20 * time.Millisecond}, "rogue")
}

// well waits until the plugin serves good turns, again or still.
func well(t *testing.T, h *Host, name string) {
	t.Helper()
	eventually(t, name+" serves", func() bool {
		out, err := h.Turn(t.Context(), name, order("well"))
		return err == nil && said(out) == "well"
	})
}

func othersRun(t *testing.T) {
	h := newHost(t, Options{Dir: plugins(t, map[string]string{"rogue": "", "broken": "#!/bin/sh\necho broken\nsleep 60\n"}), StartTimeout: 2 * time.Second})
	if _, err := h.Start(t.Context(), "rogue"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Start(t.Context(), "broken"); err == nil {
		t.Error("a broken start is none")
	}
	well(t, h, "rogue")
}

// refusedOutcome are orders answered with an outcome that says what is wrong, at
// no cost to the process.
func refusedOutcome(t *testing.T, orders map[string]string) {
	t.Helper()
	h := rogue(t)
	for name, want := range orders {
		out, err := h.Turn(t.Context(), "rogue", order(name))
		if err != nil || !strings.Contains(out.Err, want) || len(out.Effects) > 0 {
			t.Errorf("%s: %v %.200s, %d effects", name, err, out.Err, len(out.Effects))
		}
	}
	well(t, h, "rogue")
	if h.States()[0].Restarts > 0 {
		t.Errorf("it was ended: %s", h.States()[0].LastError)
	}
}

// costsTheProcess are orders after which the process is ended for a reason, and
// another serves.
func costsTheProcess(t *testing.T, orders map[string]string) {
	t.Helper()
	h := rogue(t)
	for name, want := range orders {
		pid := h.Pid("rogue")
		if _, err := h.Turn(t.Context(), "rogue", order(name)); err != nil && !errors.Is(err, ErrDied) {
			t.Errorf("%s: %v", name, err)
		}
		eventually(t, name+": another process", func() bool { now := h.Pid("rogue"); return now != 0 && now != pid })
		if last := h.States()[0].LastError; !strings.Contains(last, want) || len(last) > 400 {
			t.Errorf("%s: ended for %.500s", name, last)
		}
		well(t, h, "rogue")
	}
}

func tooMuch(t *testing.T) {
	refusedOutcome(t, map[string]string{"many": "the bridge takes 1000"})
	costsTheProcess(t, map[string]string{"huge": "larger than max", "twice": "or again"})
}

func nothing(t *testing.T) {
	refusedOutcome(t, map[string]string{"nothing": "there is none", "no effect": "effect 1"})
}

func foreignIDs(t *testing.T) {
	costsTheProcess(t, map[string]string{"another's id": "which it was not given", "no id": "turn 0"})
}

func brokenText(t *testing.T) {
	refusedOutcome(t, map[string]string{"not UTF-8": "effect 1", "not JSON": "effect 1"})
}

func features(t *testing.T) { well(t, rogue(t), "rogue") }

// secretsInLines: the log passes the redactor, after what a plugin prints is
// escaped.
func secretsInLines(t *testing.T) {
	const secret = `can"ary-47\11-é`
	var log lockedBuffer
	redactor := credential.NewRedactor()
	redactor.Add(credential.NewSecret(secret))
	logger := observe.NewLogger(&log, "text", slog.LevelDebug, redactor, nil)
	h := started(t, Options{Logger: logger, TurnTimeout: 10 * time.Second}, "rogue")
	turn := order("log")
	turn.Key = strings.Join([]string{"plain " + secret, "\x1b[2Jbase64 " + base64.StdEncoding.EncodeToString([]byte(secret)),
		"hex " + hex.EncodeToString([]byte(secret)), "the end"}, "|")
	ask(t, h, "rogue", turn)
	eventually(t, "the lines are in the log", func() bool { return strings.Contains(log.String(), "log: the end") })
	text := log.String()
	for _, leak := range []string{"47", "ary", "\x1b", base64.StdEncoding.EncodeToString([]byte(secret))[:12], hex.EncodeToString([]byte(secret))[:12]} {
		if strings.Contains(afterStart(text), leak) {
			t.Errorf("the log has %q:\n%s", leak, afterStart(text))
		}
	}
	if strings.Count(text, "log: ") != 4 {
		t.Errorf("log:\n%s", text)
	}
}

// afterStart leaves the lines a plugin printed.
func afterStart(log string) string {
	var lines []string
	for line := range strings.Lines(log) {
		if _, line, ok := strings.Cut(line, "log: "); ok {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

func deaf(t *testing.T) {
	h := rogue(t) // which does not look at its standard input either
	ask(t, h, "rogue", order("deaf"))
	pid, began := h.Pid("rogue"), time.Now()
	h.Close()
	if took := time.Since(began); took < endGrace || took > 3*time.Second || syscall.Kill(pid, 0) == nil {
		t.Errorf("gone after %s, or not", took)
	}
}

func statuses(t *testing.T) {
	orders := make(map[string]string)
	for code := 1; code <= 16; code++ {
		orders[fmt.Sprintf("status %d", code)] = "its stream broke"
	}
	costsTheProcess(t, orders)
	h := rogue(t)
	for code := range 17 {
		_, err := h.Configure(t.Context(), "rogue", adapter.Account{Name: fmt.Sprint(code)})
		if code > 0 && err == nil || err != nil && len(err.Error()) > 400 {
			t.Errorf("status %d: %.500v", code, err)
		}
		well(t, h, "rogue")
	}
}

func sick(t *testing.T) {
	h := started(t, Options{healthEvery: 20 * time.Millisecond, healthWithin: time.Second}, "rogue")
	pid := h.Pid("rogue")
	time.Sleep(300 * time.Millisecond)
	if well(t, h, "rogue"); h.Pid("rogue") != pid {
		t.Error("a plugin that works was ended for what its health says")
	}
}
