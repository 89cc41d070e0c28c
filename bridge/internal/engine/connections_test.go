package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/engine"
)

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func TestWordsGoFromSocketToSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, x := wiredRig(t)
		client := r.call()
		client.hear("one")
		client.hear("two")
		pass(time.Second)
		far := x.last()
		same(t, "the virtual agent", far.received(), []string{"one", "two"})
		far.hear("answer")
		pass(time.Second)
		same(t, "the customer", client.received(), []string{"answer"})
		if left := unsettled(r.disk); len(left) > 0 || x.dials != 1 {
			t.Errorf("%d dials, left %q", x.dials, left)
		}
	})
}

func TestLostConnectionsAreToldOnceAndWordsWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, x := wiredRig(t)
		client := r.call()
		client.hear("one")
		pass(time.Second)
		r.crash()
		pass(time.Second)
		same(t, "connections ended", r.closedReasons(), []string{adapter.ClosedLost, adapter.ClosedLost})
		r.restart()
		pass(time.Second)
		if n := len(r.closedReasons()); n != 2 {
			t.Errorf("after another restart there are %d ends", n)
		}
		client = r.call()
		client.hear("two")
		pass(time.Second)
		same(t, "the virtual agent on its new line", x.last().received(), []string{"two"})
		client.Close(1001)
		pass(time.Second)
		x.last().hear("for later")
		pass(time.Hour)
		client = r.call()
		pass(time.Second)
		same(t, "the customer, back again", client.received(), []string{"for later"})
	})
}

func TestNewerSocketReplacesTheOlder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, x := wiredRig(t)
		first := r.call()
		first.hear("one")
		pass(time.Second)
		second := r.call()
		pass(time.Second)
		if first.code != engine.CloseReplaced {
			t.Errorf("the older socket was closed with %d", first.code)
		}
		same(t, "ends", r.closedReasons(), []string{adapter.ClosedReplaced})
		x.last().hear("hello")
		pass(time.Second)
		same(t, "the older", first.received(), nil)
		same(t, "the newer", second.received(), []string{"hello"})
	})
}

func TestUnknownSendIsRepeatedAndMarked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, x := wiredRig(t)
		client := r.call()
		client.hear("one")
		pass(time.Second)
		for outcome, want := range map[string]string{adapter.SentUnknown: "again: hello", adapter.SentUnsent: "hello"} {
			client.mu.Lock()
			client.outcome = outcome
			client.mu.Unlock()
			x.last().hear("hello")
			pass(time.Second)
			if client.code != 1013 {
				t.Errorf("%s: the connection goes on, and what follows could overtake: %d", outcome, client.code)
			}
			client = r.call()
			pass(time.Second)
			same(t, outcome, client.received(), []string{want})
		}
	})
}

func TestDialIsTriedUntilItIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, x := wiredRig(t)
		for range 100 {
			x.fails = append(x.fails, engine.Attempt{Status: 503})
		}
		client := r.call()
		client.hear("one")
		pass(time.Minute)
		ends := inputs[adapter.Closed](r.plugins)
		if len(ends) != 1 || ends[0].Reason != adapter.ClosedDialFailed || ends[0].Status != 503 || x.dials < 3 || x.dials > 60 {
			t.Errorf("after %d dials: %+v", x.dials, ends)
		}
		if left := unsettled(r.disk); len(left) > 0 {
			t.Errorf("left %q", left)
		}
		x.mu.Lock()
		x.fails = []engine.Attempt{{Reason: adapter.ReasonRefused}, {Status: 401}}
		x.mu.Unlock()
		before := x.dials
		client.hear("two")
		pass(time.Minute)
		if n := x.dials - before; n != 2 {
			t.Errorf("a dial that is refused for good was tried %d times", n)
		}
	})
}

// TestEverySendEndsOnceAcrossCrashes crashes at every commit there is.
func TestEverySendEndsOnceAcrossCrashes(t *testing.T) {
	for at := 1; at < 30; at++ {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprint(at, after), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { crashAt(t, at, after) })
			})
		}
	}
}

func crashAt(t *testing.T, at int, after bool) {
	r, x := wiredRig(t)
	client := r.call()
	r.journal.dieIn(at, after)
	go func() {
		client.hear("one")
		client.hear("two")
	}()
	pass(time.Second)
	if far := x.last(); far != nil {
		go far.hear("answer")
	}
	pass(time.Minute)
	r.crash()
	pass(time.Second)
	stored := 0
	for _, c := range r.disk.conversations() {
		for _, e := range r.events(c) {
			if e.Actor.Role == event.RoleCustomer && e.Kind() == event.KindMessageCreated {
				stored++
			}
		}
	}
	client = r.call()
	client.hear("three")
	pass(time.Minute)
	var reached []string
	for _, c := range x.cables {
		reached = append(reached, c.received()...)
	}
	words := map[string]int{}
	for _, w := range reached {
		words[strings.TrimPrefix(w, "again: ")]++
	}
	for i, word := range []string{"one", "two"}[:stored] {
		if words[word] == 0 {
			t.Errorf("stored word %d %q never reached the virtual agent: %q", i, word, reached)
		}
	}
	if words["three"] != 1 || len(reached) > stored+2 {
		t.Errorf("%d words stored before, and the virtual agent got %q", stored, reached)
	}
	if left := unsettled(r.disk); len(left) > 0 {
		t.Errorf("left %q", left)
	}
}
