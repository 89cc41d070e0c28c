package stories

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/footbridge/footbridge/adapters/vonage/vonagesim"
)

// refusesStart wants a start to be answered with an error well within AI Studio's
// limit, so that its flow goes on by its Failed output.
func (r *rig) refusesStart(session string) {
	r.t.Helper()
	began := time.Now()
	a, err := r.studio.Start(r.t.Context(), session, opening())
	if err != nil || a.Status != http.StatusServiceUnavailable {
		r.t.Fatalf("start was answered %d, %v", a.Status, err)
	}
	if took := time.Since(began); took > 9*time.Second {
		r.t.Errorf("start was refused after %s", took)
	}
	if got := r.studio.State(session); got != vonagesim.StateFailed {
		r.t.Errorf("AI Studio has the session as %s", got)
	}
	if shown, back := r.studio.Shown(session), r.disconnects(session); len(shown)+back > 0 {
		r.t.Errorf("a session that was never ours got %q and %d disconnects", shown, back)
	}
}

func TestStartOutOfHours(t *testing.T) {
	t.Parallel()
	r := newRig(t, setting{route: `queue = "sales"`, extra: `queues.sales.hours = "never"
hours.never.timezone = "UTC"
`})
	r.refusesStart("s1")
	r.refusesStart("s1")
}

// A live-agent server that fails opens its breaker; from then on a start is
// refused without asking it, until it has recovered.
func TestStartWithOpenBreaker(t *testing.T) {
	t.Parallel()
	r := newRig(t, setting{backends: []string{"vdesk"}, breaker: "[breaker]\nfailures = 2\nopen = \"5s\""})
	r.desk.Fail(vonagesim.Fault{Endpoint: "start", Times: -1, Status: http.StatusInternalServerError})
	r.refusesStart("s1")
	asked := len(r.desk.Records())
	r.refusesStart("s2")
	if more := len(r.desk.Records()) - asked; more > 0 {
		t.Errorf("the server was asked %d times while its breaker was open", more)
	}
	r.desk.Heal()
	n := 2
	r.eventually("the server asked again", func() bool { n++; return r.startOnce(fmt.Sprint("s", n)) })
}
