package egress

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/internal/breaker"
	"github.com/footbridge/footbridge/bridge/internal/engine"
)

// switchboard is a vendor that takes sockets; it echoes until told to stop, and answers a number
// with as many bytes.
type switchboard struct {
	*httptest.Server
	requests chan *http.Request
	status   int // answered in place of a connection
}

func newSwitchboard(t *testing.T) *switchboard {
	s := &switchboard{requests: make(chan *http.Request, 16)}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.requests <- r
		if s.status != 0 {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(s.status)
			return
		}
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"plain"}})
		if err != nil {
			return
		}
		for {
			kind, data, err := c.Read(context.Background())
			if err != nil {
				return
			}
			if string(data) == "bye" {
				_ = c.Close(4001, "enough")
				return
			}
			if n, err := strconv.Atoi(string(data)); err == nil {
				data = []byte(strings.Repeat("x", n))
			}
			if c.Write(context.Background(), kind, data) != nil {
				return
			}
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *switchboard) address() string { return "ws" + strings.TrimPrefix(s.URL, "http") }

func TestDialCarriesSecretsAndWords(t *testing.T) {
	s := newSwitchboard(t)
	w := openWay(t, breaker.Options{}, host(t, s.Server))
	pass := w.placeholders.Token("t", "pass")
	link, got := w.Dial(t.Context(), "a", "t", map[string]string{"pass": "captured"}, adapter.Dial{URL: s.address() + "/x?token=" + pass,
		Header: http.Header{"X-Key": {w.placeholders.Token("t", "key")}}, Protocols: []string{"plain"}})
	if link == nil {
		t.Fatalf("no link: %+v; log %s", got, w.log.String())
	}
	r := <-s.requests
	if r.URL.Query().Get("token") != "captured" || r.Header.Get("X-Key") != secret || r.Header.Get("Sec-WebSocket-Protocol") != "plain" {
		t.Errorf("the vendor got %s %v", r.URL, r.Header)
	}
	heard := make(chan string, 4)
	ended := make(chan adapter.Closed, 1)
	go func() {
		ended <- link.Run(func(_ string, data []byte, _ bool) { heard <- string(data) })
	}()
	m := engine.Message{Turn: "t", Tokens: map[string]string{"pass": "captured"}, Data: []byte(`{"token":"` + pass + `","key":"` + w.placeholders.Token("t", "key") + `"}`)}
	if outcome := link.Write(t.Context(), m); outcome != adapter.SentWritten {
		t.Fatalf("write: %s", outcome)
	}
	if want := `{"token":"captured","key":"s3cr3t \"quoted\" \u0026 spaced"}`; <-heard != want {
		t.Errorf("the secret is not in its place")
	}
	m.Data = []byte(`{"token":"` + pass)
	if outcome := link.Write(t.Context(), m); outcome != adapter.SentWritten {
		t.Fatalf("write: %s", outcome)
	}
	if got := <-heard; got != `{"token":"[secret]` { // it comes back cut off
		t.Errorf("kept is %s", got)
	}
	if outcome := link.Write(t.Context(), engine.Message{Turn: "t", Data: []byte(w.placeholders.Token("other turn", "key"))}); outcome != adapter.SentUnsent {
		t.Errorf("another turn's placeholder: %s", outcome)
	}
	if outcome := link.Write(t.Context(), engine.Message{Turn: "t", Data: []byte("bye")}); outcome != adapter.SentWritten {
		t.Errorf("bye: %s", outcome)
	}
	if end := <-ended; end.Code != 4001 || end.Reason != adapter.ClosedByPeer {
		t.Errorf("ended %+v", end)
	}
	if outcome := link.Write(t.Context(), engine.Message{Data: []byte("late")}); outcome != adapter.SentUnsent {
		t.Errorf("after the end: %s", outcome)
	}
	if log := w.log.String(); strings.Contains(log, "s3cr3t") || strings.Contains(log, "captured") {
		t.Errorf("a secret is in the log: %s", log)
	}
}

// TestHowMuchIsHeard: a message of 256 KiB is heard on a leg's connection, and one of
// 4 MiB on a feed's; a longer one ends it, and nothing of it is heard.
func TestHowMuchIsHeard(t *testing.T) {
	s := newSwitchboard(t)
	w := openWay(t, breaker.Options{}, host(t, s.Server))
	for name, c := range map[string]struct {
		dial func() (engine.Link, engine.Attempt)
		most int
	}{
		"a leg's": {func() (engine.Link, engine.Attempt) {
			return w.Dial(t.Context(), "a", "t", nil, adapter.Dial{URL: s.address()})
		}, 256 << 10},
		"a feed's": {func() (engine.Link, engine.Attempt) {
			return w.Line(t.Context(), "a", "t", adapter.Dial{URL: s.address()})
		}, 4 << 20},
	} {
		t.Run(name, func(t *testing.T) {
			link, got := c.dial()
			if link == nil {
				t.Fatalf("no link: %+v", got)
			}
			for _, n := range []int{c.most, c.most + 1} {
				if outcome := link.Write(t.Context(), engine.Message{Turn: "t", Data: []byte(strconv.Itoa(n))}); outcome != adapter.SentWritten {
					t.Fatalf("write: %s", outcome)
				}
			}
			defer time.AfterFunc(20*time.Second, func() { link.Close(1000) }).Stop()
			var heard []int
			end := link.Run(func(_ string, data []byte, _ bool) { heard = append(heard, len(data)) })
			if len(heard) != 1 || heard[0] != c.most || end.Code != 1009 {
				t.Errorf("heard %v, ended %+v", heard, end)
			}
		})
	}
}

func TestDialsThatAreRefused(t *testing.T) {
	s := newSwitchboard(t)
	w := openWay(t, breaker.Options{}, host(t, s.Server))
	for name, c := range map[string]struct {
		account string
		dial    adapter.Dial
		want    string
	}{
		"another host":   {"a", adapter.Dial{URL: "ws://elsewhere.example/"}, adapter.ReasonNotAllowed},
		"http":           {"a", adapter.Dial{URL: s.URL}, adapter.ReasonNotAllowed},
		"not ready":      {"off", adapter.Dial{URL: s.address()}, adapter.ReasonNotAllowed},
		"foreign secret": {"a", adapter.Dial{URL: s.address() + "?x=" + w.placeholders.Token("other", "key")}, adapter.ReasonNotAllowed},
		"its protocol":   {"a", adapter.Dial{URL: s.address(), Protocols: []string{w.placeholders.Token("other", "key")}}, adapter.ReasonNotAllowed},
	} {
		if link, got := w.Dial(t.Context(), c.account, "t", nil, c.dial); link != nil || got.Reason != c.want {
			t.Errorf("%s: %v %+v", name, link, got)
		}
	}
	if len(s.requests) != 0 {
		t.Error("one of them reached the vendor")
	}
}

func TestDialsFeedTheBreaker(t *testing.T) {
	s := newSwitchboard(t)
	w := openWay(t, breaker.Options{Failures: 2, Open: time.Minute}, host(t, s.Server))
	s.status = http.StatusNotFound
	for range 4 {
		if _, got := w.Dial(t.Context(), "a", "t", nil, adapter.Dial{URL: s.address()}); got.Status != http.StatusNotFound || got.RetryAfter != 7*time.Second {
			t.Fatalf("refused: %+v", got)
		}
	}
	s.status = http.StatusBadGateway
	for range 2 {
		if _, got := w.Dial(t.Context(), "a", "t", nil, adapter.Dial{URL: s.address()}); got.Status != http.StatusBadGateway {
			t.Fatalf("failing: %+v", got)
		}
	}
	if _, got := w.Dial(t.Context(), "a", "t", nil, adapter.Dial{URL: s.address()}); got.Reason != adapter.ReasonBreakerOpen {
		t.Errorf("after two failures: %+v", got)
	}
	if got := w.post(s.URL); got.Reason != adapter.ReasonBreakerOpen {
		t.Errorf("calls have another breaker than dials: %+v", got)
	}
}
