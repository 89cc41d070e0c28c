package host

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// What a plugin prints may be people's words: it shows at level debug alone. That
// lines were dropped, and how many, shows in any case, also when no more come.
func TestLinesPastTheCapAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for level, wanted := range map[slog.Level]int{slog.LevelDebug: linesPerSecond, slog.LevelInfo: 0} {
			var log bytes.Buffer
			o := newOutput(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: level})))
			o.copy(strings.NewReader(strings.Repeat("okapi\n", 3*linesPerSecond)))
			if n := strings.Count(log.String(), "okapi"); n != wanted {
				t.Errorf("at %s %d lines came to the log", level, n)
			}
			if !strings.Contains(log.String(), "level=WARN") || !strings.Contains(log.String(), "lines_dropped=200") {
				t.Errorf("at %s the log does not tell of what was dropped: %s", level, tailOf(log.String()))
			}
			time.Sleep(time.Second)
			log.Reset()
			o.copy(strings.NewReader("okapi\n"))
			if strings.Contains(log.String(), "lines_dropped") || strings.Count(log.String(), "okapi") != min(wanted, 1) {
				t.Errorf("at %s a second later: %s", level, log.String())
			}
		}
	})
}

func tailOf(s string) string { return s[max(0, len(s)-300):] }
