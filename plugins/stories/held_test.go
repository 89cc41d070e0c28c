package stories

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/footbridge/footbridge/adapters/vonage/vonagesim"
	"github.com/footbridge/footbridge/bridge/event"
)

// killHolding kills the bridge while it holds a start whose backend is slow. AI
// Studio gets no answer.
func killHolding(r *rig, slow vonagesim.Fault) (id string) {
	r.t.Helper()
	slow.Endpoint = "start"
	r.desk.Fail(slow)
	answered := make(chan error, 1)
	go func() {
		_, err := r.studio.Start(r.t.Context(), "s1", opening())
		answered <- err
	}()
	id = r.conversation("s1")
	r.inState(id, "requested")
	r.kill()
	if err := <-answered; err == nil {
		r.t.Fatal("the start was answered, so it was not held")
	}
	return id
}

// AI Studio asks again: the hand-off it began goes on as if nothing had happened.
func TestHeldStartAskedAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t, setting{backends: []string{"vdesk"}})
	id := killHolding(r, vonagesim.Fault{Latency: 5 * time.Second, Times: 1})
	r.begin("s1")
	if again := r.conversation("s1"); again != id || len(r.conversations()) != 1 {
		t.Fatalf("the start that was asked again is conversation %s, not %s", again, id)
	}
	if n := kinds(r.events(id), event.KindHandoffRequested); n != 1 {
		t.Fatalf("%d hand-offs, want 1", n)
	}
	if r.counter("footbridge_frames_duplicate_total") == 0 {
		t.Error("the start that was asked again was stored as another one")
	}
	said := r.tell("s1", "hello")
	session := r.desk.Sessions()
	if len(session) != 1 {
		t.Fatalf("the live-agent server has sessions %q", session)
	}
	r.eventually("the customer's words", func() bool { return slices.Contains(r.desk.Shown(session[0]), said) })
}

// AI Studio does not ask again, and neither backend has answered by then: the
// hand-off is withdrawn.
func TestHeldStartLost(t *testing.T) {
	t.Parallel()
	r := newRig(t, setting{backends: []string{"vdesk", "second"}, studio: `retry_within = "200ms"`,
		extra: `accounts.second = { adapter = "vonage", role = "live_agent", settings = { base_url = "{desk}" }, credentials = { key = "env:VDESK_KEY" } }`})
	id := killHolding(r, vonagesim.Fault{Latency: time.Hour, Times: -1})
	r.gone(id)
	if n := r.disconnects("s1") + len(r.studio.Shown("s1")); n != 0 {
		t.Errorf("%d calls to a session that was never ours", n)
	}
	r.desk.Heal()
	r.begin("s1")
	if again := r.conversation("s1"); again != id {
		t.Errorf("the next hand-off of the session is conversation %s, not %s", again, id)
	}
}

// AI Studio does not ask again, but the backend has taken the conversation: its
// agent is told that the customer is gone.
func TestHeldStartLostAfterItWasTaken(t *testing.T) {
	t.Parallel()
	r := newRig(t, setting{backends: []string{"vdesk"}, studio: `retry_within = "200ms"`})
	id := killHolding(r, vonagesim.Fault{Latency: 5 * time.Second, Times: 1})
	r.inState(id, "queued")
	r.gone(id)
	session := r.desk.Sessions()
	r.eventually("the agent told", func() bool {
		return len(session) == 1 && slices.Contains(r.desk.Shown(session[0]), "The customer has left the conversation.")
	})
}

// gone waits until a hand-off was withdrawn because its start was lost.
func (r *rig) gone(id string) {
	r.t.Helper()
	r.inState(id, "automated")
	for _, e := range r.events(id) {
		if c, ok := e.Body.(event.HandoffCancelled); ok && c.Reason == "gone" && e.Actor.Role == event.RoleVirtualAgent {
			return
		}
	}
	r.t.Fatalf("no handoff.cancelled{gone} among %q", kindsOf(r.events(id)))
}

func kindsOf(events []event.Event) []string {
	var all []string
	for _, e := range events {
		all = append(all, e.Time.Format("05.000 ")+string(e.Actor.Role)+" "+string(e.Kind()))
	}
	return all
}

func kinds(events []event.Event, kind event.Kind) int {
	n := 0
	for _, e := range events {
		if e.Kind() == kind {
			n++
		}
	}
	return n
}

// Whatever was answered with 2xx is there after a kill -9 that follows at once,
// in order and once; what was not is there at most once.
func TestAcknowledgedSurvives(t *testing.T) {
	t.Parallel()
	rounds := 50
	if testing.Short() {
		rounds = 5
	}
	r := newRig(t, setting{})
	r.begin("s1")
	id := r.conversation("s1")
	var said []string
	for range rounds {
		said = append(said, r.tell("s1", strings.Repeat("x", len(said)+1)))
		r.kill()
	}
	r.ready()
	r.eventually("the last word", func() bool { return slices.Contains(texts(r.events(id), event.RoleCustomer), said[rounds-1]) })
	all := texts(r.events(id), event.RoleCustomer)
	if got := only(all, said...); !slices.Equal(got, said) {
		t.Errorf("acknowledged %q, and there is %q", said, got)
	}
	slices.Sort(all)
	if twice := len(all) - len(slices.Compact(slices.Clone(all))); twice > 0 {
		t.Errorf("%d texts are there twice", twice)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.restarts < rounds {
		t.Errorf("%d kills, want %d", r.restarts, rounds)
	}
}
