package slacksim

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Trouble is what becomes of events and presses on their way; Slack promises no order.
type Trouble struct {
	// Lose sends none, and none again; Twice each twice.
	Lose  bool `json:"lose"`
	Twice bool `json:"twice"`
	// Shuffle sends what gathers within the time in any order.
	Shuffle time.Duration `json:"shuffle"`
	// Delay is how late each is sent.
	Delay time.Duration `json:"delay"`
}

// answerWithin is how long Slack waits. docs.slack.dev/apis/events-api.
const answerWithin = 3 * time.Second

// notice is an event or a press on its way.
type notice struct {
	body []byte
	form bool // it is a press
}

// teller sends what the app is told.
type teller struct {
	mu              sync.Mutex
	events, actions string
	secret          string
	trouble         Trouble
	retries         []time.Duration
	waiting         chan notice
	stop            context.CancelFunc
	ctx             context.Context
	done            sync.WaitGroup
	sent            int
	client          http.Client
	sockets         *sockets // nil where everything is posted
}

func (h *teller) begin(o Options) {
	h.ctx, h.stop = context.WithCancel(context.Background())
	h.events, h.actions, h.secret, h.retries = o.EventsURL, o.ActionsURL, o.Secret, o.Retries
	h.waiting, h.client.Timeout = make(chan notice, 100_000), answerWithin
	if o.AppToken != "" {
		h.sockets = &sockets{acks: map[string]chan struct{}{}}
	}
	h.done.Go(h.run)
}

func (h *teller) close() {
	h.stop()
	if h.sockets != nil {
		h.sockets.drop()
	}
	h.done.Wait()
	h.client.CloseIdleConnections()
}

// Trouble sets what becomes of what is to come.
func (s *Server) Trouble(t Trouble) {
	s.teller.mu.Lock()
	defer s.teller.mu.Unlock()
	s.teller.trouble = t
}

// Tells says where events and presses go from now on.
func (s *Server) Tells(events, actions string) {
	s.teller.mu.Lock()
	defer s.teller.mu.Unlock()
	s.teller.events, s.teller.actions = events, actions
}

// Told is how many requests were sent.
func (s *Server) Told() int {
	s.teller.mu.Lock()
	defer s.teller.mu.Unlock()
	return s.teller.sent
}

func (h *teller) now() (Trouble, string, string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.trouble, h.events, h.actions
}

// tell puts an event on its way. docs.slack.dev/apis/events-api: callback field.
func (s *Server) tell(event map[string]any) {
	s.teller.put(notice{body: encode(map[string]any{"token": "deprecated", "team_id": teamID, "api_app_id": appID, "type": "event_callback", "event": event,
		"event_id": s.id("Ev"), "event_time": time.Now().Unix(), "authorizations": []map[string]any{{"team_id": teamID, "user_id": selfID, "is_bot": true}},
		"is_ext_shared_channel": false, "event_context": "4-sim"})})
}

// press puts a press on its way.
func (h *teller) press(payload map[string]any) { h.put(notice{body: encode(payload), form: true}) }

func (h *teller) put(n notice) {
	if t, _, _ := h.now(); t.Lose {
		return
	}
	select {
	case h.waiting <- n:
	default:
	}
}

// run sends what waits, one after the other; what is sent again goes beside it.
func (h *teller) run() {
	for {
		var batch []notice
		select {
		case <-h.ctx.Done():
			return
		case n := <-h.waiting:
			batch = append(batch, n)
		}
		t, _, _ := h.now()
		if t.Shuffle > 0 {
			batch = h.gather(batch, t.Shuffle)
		}
		if !h.pause(t.Delay) {
			return
		}
		for _, n := range batch {
			h.deliver(n)
			if t.Twice && !n.form {
				h.deliver(n)
			}
		}
	}
}

// gather waits for more and puts all in another order.
func (h *teller) gather(batch []notice, d time.Duration) []notice {
	h.pause(d)
	for {
		select {
		case n := <-h.waiting:
			batch = append(batch, n)
			continue
		default:
		}
		mathrand.Shuffle(len(batch), func(i, j int) { batch[i], batch[j] = batch[j], batch[i] })
		return batch
	}
}

func (h *teller) pause(d time.Duration) bool {
	select {
	case <-h.ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// deliver sends a notice; an event that is not taken is sent again, a press only where
// it goes over a socket.
func (h *teller) deliver(n notice) {
	why := h.send(n, 0, "")
	if why == "" || n.form && h.sockets == nil {
		return
	}
	h.done.Go(func() {
		for i, wait := range h.retries {
			if !h.pause(wait) {
				return
			}
			if why = h.send(n, i+1, why); why == "" {
				return
			}
		}
	})
}

// send posts a notice, signed over its time and body, and says why it was not taken.
// docs.slack.dev/authentication/verifying-requests-from-slack.
func (h *teller) send(n notice, again int, reason string) string {
	if h.sockets != nil {
		h.mu.Lock()
		h.sent++
		h.mu.Unlock()
		return h.sockets.send(h.ctx, n, again, reason)
	}
	_, address, actions := h.now()
	kind, body := "application/json", n.body
	if n.form {
		address, kind, body = actions, "application/x-www-form-urlencoded", []byte(url.Values{"payload": {string(n.body)}}.Encode())
	}
	req, err := http.NewRequestWithContext(h.ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil || address == "" {
		return ""
	}
	req.Header.Set("Content-Type", kind)
	if again > 0 {
		req.Header.Set("X-Slack-Retry-Num", strconv.Itoa(again))
		req.Header.Set("X-Slack-Retry-Reason", reason)
	}
	h.sign(req, body)
	h.mu.Lock()
	h.sent++
	h.mu.Unlock()
	resp, err := h.client.Do(req)
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) || strings.Contains(err.Error(), "Timeout") {
			return "http_timeout"
		}
		return "connection_failed"
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 && resp.Header.Get("X-Slack-No-Retry") != "1" {
		return "http_error"
	}
	return ""
}

func (h *teller) sign(req *http.Request, body []byte) {
	at := strconv.FormatInt(time.Now().Unix(), 10)
	sum := hmac.New(sha256.New, []byte(h.secret))
	sum.Write([]byte("v0:" + at + ":"))
	sum.Write(body)
	req.Header.Set("X-Slack-Request-Timestamp", at)
	req.Header.Set("X-Slack-Signature", "v0="+hex.EncodeToString(sum.Sum(nil)))
}

// Verify asks the events address whose it is, as Slack does when it is entered.
// docs.slack.dev/reference/events/url_verification.
func (s *Server) Verify(ctx context.Context) error {
	_, address, _ := s.teller.now()
	const challenge = "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"
	body := encode(map[string]any{"token": "deprecated", "challenge": challenge, "type": "url_verification"})
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("verify %s: %w", address, err)
	}
	req.Header.Set("Content-Type", "application/json")
	s.teller.sign(req, body)
	resp, err := s.teller.client.Do(req)
	if err != nil {
		return fmt.Errorf("verify %s: %w", address, err)
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(io.LimitReader(resp.Body, 1000))
	if err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(string(said), challenge) {
		return fmt.Errorf("verify %s: answered %d %q, not the challenge", address, resp.StatusCode, said)
	}
	return nil
}
