package host

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/internal/credential"
	"github.com/footbridge/footbridge/bridge/internal/observe"
)

// replies are rows of the catalogue of bad input, as far as they are tested here;
// bridge/catalogue_rows_test.go has all of them.
func replies() map[string]func(*testing.T) {
	return map[string]func(*testing.T){
		"G1 a broken handshake: others run":                                 othersRun,
		"G5 5 MiB, answers without end, 20,000 effects: refused":            tooMuch,
		"G6 no outcome, no effect: a defined outcome":                       nothing,
		"G7 an id it was not given, or one again: a fault, nothing goes on": foreignIDs,
		"G8 broken UTF-8, broken JSON: refused":                             brokenText,
		"G12 secrets in lines: redacted":                                    secretsInLines,
		"G14 features nobody knows: negotiated":                             features,
		"G15 SIGTERM ignored: gone in 3 s":                                  deaf,
		"G17 every status there is, with 1 MiB of text: mapped and cut":     statuses,
		"G18 a health that is not so: the turns decide":                     sick,
	}
}

func TestCatalogueOfReplies(t *testing.T) {
	for name, test := range replies() {
		t.Run(name, test)
	}
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
	if took := time.Since(began); took < endGrace || took > 20*time.Second || syscall.Kill(pid, 0) == nil {
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
