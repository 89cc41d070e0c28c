package api

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/footbridge/footbridge/bridge/internal/engine"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// TestWhatIsLoggedOfARefusal: faults of our own are errors, what an operator wants is
// not, and what callers did wrong is not logged.
func TestWhatIsLoggedOfARefusal(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{journal.ErrDamaged, "level=ERROR"}, {fmt.Errorf("whatever"), "level=ERROR"}, {engine.ErrDrained, "level=INFO"}, {engine.ErrClosed, "level=INFO"},
		{engine.ErrBusy, "level=WARN"}, {journal.ErrNotFound, ""}, {fault(codeGuessing), ""},
	} {
		var log bytes.Buffer
		a := &API{Options: Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}}
		a.refuse(httptest.NewRecorder(), httptest.NewRequest("GET", "/x", nil), c.err)
		if got := log.String(); (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%v is logged as %q, want %s", c.err, got, c.want)
		}
	}
}
