package main

import (
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/conversation"
	"github.com/footbridge/footbridge/bridge/internal/engine"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

func timers() conversation.Timers {
	return conversation.Timers{Waiting: 5 * time.Minute, AgentSilence: 25000 * time.Second, Total: 24 * time.Hour}
}

// A queue at the built-in desk that nobody takes from: the customer is told, the
// platform gets its conversation back, and the desk sees why.
func TestWaitingExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, "desk", timers())
		start := b.begin("s1", 0)
		id := b.only().ID
		b.do(id, event.HandoffQueued{Position: 1})
		if got := b.within(start, time.Second); got != http.StatusOK {
			t.Fatalf("start was answered %d", got)
		}
		time.Sleep(5*time.Minute - 10*time.Second)
		if got := b.only().Index.State; got != "queued" || len(b.made()) != 0 {
			t.Fatalf("too early: %s, %q", got, b.made())
		}
		time.Sleep(15 * time.Second)
		want := []string{"studio /outbound/s1 text of timed_out", "studio /disconnect/s1"}
		if got := b.made(); !slices.Equal(got, want) {
			t.Fatalf("the platform got %q, want %q", got, want)
		}
		if got := b.only().Index.State; got != "automated" {
			t.Fatalf("conversation is %s", got)
		}
		if got := b.seen(id); !slices.Contains(got, "system handoff.cancelled") || !slices.Contains(got, "system handoff.failed") {
			t.Fatalf("the desk sees %q", got)
		}
		if got := b.outcomes(id, event.KindHandoffCancelled); got["2"] != journal.Delivered {
			t.Fatalf("the withdrawal reached %v", got)
		}
	})
}

// The same at a server: it has no call for a withdrawal, so its agent is told in
// words.
func TestWaitingExpiresAtServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, "people", timers())
		if got := b.within(b.begin("s1", 0), time.Second); got != http.StatusOK {
			t.Fatalf("start was answered %d", got)
		}
		b.tell("s1", "is anybody there")
		time.Sleep(5*time.Minute + time.Second)
		want := []string{"people /start", "people /inbound is anybody there", "studio /outbound/s1 text of timed_out",
			"people /inbound " + leftText, "studio /disconnect/s1"}
		got := b.made()
		slices.Sort(want)
		sorted := slices.Clone(got)
		slices.Sort(sorted)
		if !slices.Equal(sorted, want) {
			t.Fatalf("calls %q, want %q", got, want)
		}
		if back := slices.Index(got, "studio /disconnect/s1"); back < slices.Index(got, "studio /outbound/s1 text of timed_out") {
			t.Fatalf("control went back before the customer was told: %q", got)
		}
	})
}

// Web chat: the customer is told, and the virtual agent goes on with what they
// said meanwhile.
func TestWaitingExpiresInChat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, "desk", timers())
		id, err := b.engine.Open(t.Context(), engine.Opening{Account: "web"})
		if err != nil {
			t.Fatal(err)
		}
		ada := event.Actor{Role: event.RoleCustomer, ID: "ada"}
		b.speak(id, ada, event.MessageCreated{Content: event.Plain("a person, please")})
		b.do(id, event.HandoffQueued{Position: 1})
		b.speak(id, ada, event.MessageCreated{Content: event.Plain("is anybody there?")})
		time.Sleep(5*time.Minute + time.Second)
		got := b.seen(id)
		at := slices.Index(got, "customer message.created is anybody there?")
		want := []string{"system handoff.cancelled", "system message.created text of timed_out", "system handoff.failed",
			"virtual_agent message.created Say person.", "virtual_agent message.created I am still here."}
		if at < 0 || !slices.Equal(got[at+1:], want) {
			t.Fatalf("the chat is %q, want it to go on with %q", got, want)
		}
		for _, kind := range []event.Kind{event.KindHandoffCancelled, event.KindHandoffFailed} {
			if got := b.outcomes(id, kind); len(got) == 0 {
				t.Errorf("%s reached nobody", kind)
			}
		}
	})
}

// An agent who accepted and is silent: the customer is told and goes back to the
// platform, the desk sees the handback.
func TestAgentSilenceExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, "desk", timers())
		id := b.opened("s1")
		b.do(id, event.MessageCreated{Content: event.Plain("hello")})
		time.Sleep(6 * time.Hour)
		b.do(id, event.MessageCreated{Content: event.Plain("still here")})
		time.Sleep(6 * time.Hour)
		if got := b.only().Index.State; got != "active" {
			t.Fatalf("too early: %s", got)
		}
		time.Sleep(time.Hour)
		want := []string{"studio /outbound/s1 hello", "studio /outbound/s1 still here",
			"studio /outbound/s1 text of agent_silent", "studio /disconnect/s1"}
		if got := b.made(); !slices.Equal(got, want) {
			t.Fatalf("the platform got %q, want %q", got, want)
		}
		if got := b.outcomes(id, event.KindHandbackRequested); got["2"] != journal.Delivered || got["1"] != journal.Delivered {
			t.Fatalf("the handback reached %v", got)
		}
		if got := b.only().Index.State; got != "automated" {
			t.Fatalf("conversation is %s", got)
		}
		time.Sleep(24 * time.Hour)
		if got := b.only().Index.State; got != "ended" {
			t.Fatalf("a day after the handback the conversation is %s", got)
		}
	})
}

func TestAgentSilenceExpiresAtServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, "people", timers())
		if got := b.within(b.begin("s1", 0), time.Second); got != http.StatusOK {
			t.Fatalf("start was answered %d", got)
		}
		key := b.served()
		if got := b.within(b.post("/in/people/outbound/"+key, `{"text":"hello"}`), time.Second); got != http.StatusOK {
			t.Fatalf("outbound was answered %d", got)
		}
		b.tell("s1", "still there?")
		time.Sleep(25001 * time.Second)
		want := []string{"people /start", "studio /outbound/s1 hello", "people /inbound still there?",
			"studio /outbound/s1 text of agent_silent", "studio /outbound/s1 text of say_again",
			"studio /disconnect/s1", "people /inbound " + leftText}
		got := b.made()
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Fatalf("calls %q, want %q", got, want)
		}
		if got := b.within(b.post("/in/people/outbound/"+key, `{"text":"late"}`), time.Second); got != http.StatusNotFound {
			t.Fatalf("a word after the end was answered %d", got)
		}
	})
}

// The platform's own limit counts where it is the shorter one.
func TestPlatformsOwnWaiting(t *testing.T) {
	for _, c := range []struct {
		own   int // seconds
		waits time.Duration
	}{{0, 5 * time.Minute}, {120, 2 * time.Minute}, {7200, 5 * time.Minute}} {
		synctest.Test(t, func(t *testing.T) {
			b := newBubble(t, "desk", timers())
			start := b.begin("s1", c.own)
			id := b.only().ID
			b.do(id, event.HandoffQueued{Position: 1})
			if got := b.within(start, time.Second); got != http.StatusOK {
				t.Fatalf("start was answered %d", got)
			}
			time.Sleep(c.waits - 10*time.Second)
			if got := b.only().Index.State; got != "queued" {
				t.Fatalf("own limit %d s: %s before %s", c.own, got, c.waits)
			}
			time.Sleep(15 * time.Second)
			if got := b.only().Index.State; got != "automated" {
				t.Fatalf("own limit %d s: %s after %s", c.own, got, c.waits)
			}
		})
	}
}

// A customer who is silent: the conversation ends on both sides, after the
// customer was told. A receipt is no word.
func TestCustomerSilenceExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits := timers()
		limits.CustomerSilence = 4 * time.Hour
		b := newBubble(t, "desk", limits)
		id := b.opened("s1")
		time.Sleep(3 * time.Hour)
		b.tell("s1", "one moment")
		time.Sleep(3 * time.Hour)
		b.do(id, event.MessageCreated{Content: event.Plain("still here")})
		b.sends("status", `{"id":"s1","read":"m-1"}`)
		if got := b.only().Index.State; got != "active" {
			t.Fatalf("too early: %s", got)
		}
		time.Sleep(time.Hour + time.Minute)
		want := []string{"studio /outbound/s1 still here", "studio /outbound/s1 text of customer_gone", "studio /disconnect/s1"}
		if got := b.made(); !slices.Equal(got, want) {
			t.Fatalf("the platform got %q, want %q", got, want)
		}
		if got := b.only().Index.State; got != "ended" {
			t.Fatalf("conversation is %s", got)
		}
		if got := b.outcomes(id, event.KindConversationEnded); got["2"] != journal.Delivered || got["1"] != journal.Delivered {
			t.Fatalf("the end reached %v", got)
		}
	})
}

// A conversation that went back to the platform ends a day after the customer's
// last word, and neither side hears of it.
func TestTotalExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, "desk", timers())
		id := b.opened("s1")
		b.do(id, event.HandbackRequested{})
		for range 3 {
			time.Sleep(23 * time.Hour)
			b.tell("s1", "another word")
		}
		before := b.made()
		time.Sleep(24*time.Hour - time.Minute)
		if got := b.only().Index.State; got != "automated" {
			t.Fatalf("too early: %s", got)
		}
		time.Sleep(2 * time.Minute)
		if got := b.only().Index.State; got != "ended" {
			t.Fatalf("a day after the last word the conversation is %s", got)
		}
		if got := b.outcomes(id, event.KindConversationEnded); got["1"] != "" {
			t.Fatalf("the end reached %v", got)
		}
		if got := b.made(); !slices.Equal(got, before) || !slices.Equal(got, []string{"studio /disconnect/s1"}) {
			t.Fatalf("the platform got %q", got)
		}
	})
}

// A platform that cannot be reached when a limit passes: what it has to be told
// is tried again, and comes once and in order.
func TestExpiryWhilePlatformIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, "desk", timers())
		b.opened("s1")
		b.unreachable(25000*time.Second + 5*time.Minute)
		time.Sleep(25000*time.Second + time.Minute)
		if got := b.only().Index.State; got != "returning" || len(b.made()) > 0 || b.tries() < 2 {
			t.Fatalf("conversation is %s, %d tries", got, b.tries())
		}
		time.Sleep(9 * time.Minute)
		want := []string{"studio /outbound/s1 text of agent_silent", "studio /disconnect/s1"}
		if got := b.made(); !slices.Equal(got, want) {
			t.Fatalf("the platform got %q, want %q", got, want)
		}
		if got := b.only().Index.State; got != "automated" {
			t.Fatalf("conversation is %s", got)
		}
	})
}

// A start that nobody can take is answered with an error within the platform's
// limit, so that it goes on by itself; nothing is sent to a conversation that was
// never ours.
func TestStartWithNobodyToTakeIt(t *testing.T) {
	for _, reason := range []string{event.FailedOutOfHours, event.FailedBackendDown, event.FailedQueueFull} {
		t.Run(reason, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBubble(t, "people", timers())
				b.refusal = reason
				if got := b.within(b.begin("s1", 0), 5*time.Second); got != http.StatusServiceUnavailable {
					t.Fatalf("start was answered %d", got)
				}
				time.Sleep(time.Minute)
				if got := b.made(); len(got) != 0 {
					t.Fatalf("calls %q for a conversation the platform has taken back", got)
				}
				if got := b.only().Index.State; got != "automated" {
					t.Fatalf("conversation is %s", got)
				}
				b.refusal = ""
				if got := b.within(b.begin("s1", 0), 5*time.Second); got != http.StatusOK {
					t.Fatalf("the next start was answered %d", got)
				}
			})
		})
	}
}

// A backend that does not answer in time: the start is refused at its limit, and
// the hand-off is withdrawn.
func TestStartWithSlowBackend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, "people", timers())
		b.slow["/start"] = time.Hour
		start := b.begin("s1", 0)
		if got := b.within(start, 12*time.Second); got != http.StatusServiceUnavailable {
			t.Fatalf("start was answered %d", got)
		}
		if got := b.only(); got.Index.State != "automated" || !slices.Contains(b.seen(got.ID), "virtual_agent handoff.cancelled") {
			t.Fatalf("conversation is %s: %q", got.Index.State, b.seen(got.ID))
		}
	})
}

// Nothing is acknowledged before it is stored: as long as the journal has not
// taken a frame or a turn, not a byte of its answer is written.
func TestStoredBeforeAcknowledged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, "people", timers())
		gate := make(chan string)
		b.gate.Store(&gate)
		defer b.open(gate)
		start := b.begin("s1", 0)
		b.release(gate, start, "reply")
		word := b.post("/in/studio/inbound", `{"id":"s1","text":"hello"}`)
		b.release(gate, word, "frame")
		b.drain(gate)
		reply := b.post("/in/people/outbound/"+b.served(), `{"text":"hi"}`)
		b.release(gate, reply, "reply")
	})
}
