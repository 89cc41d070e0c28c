package slacksim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter/simvendor"
)

// answerWithin is how long Slack waits. docs.slack.dev/apis/events-api.
const answerWithin = 3 * time.Second

// notice is an event or a press on its way.
type notice struct {
	body []byte
	form bool // it is a press
}

// Tells says where events and presses go from now on.
func (s *Server) Tells(events, actions string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.options.EventsURL, s.options.ActionsURL = events, actions
}

func (s *Server) addresses() (events, actions string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.options.EventsURL, s.options.ActionsURL
}

// tell puts an event on its way; Slack promises no order. docs.slack.dev/apis/events-api: callback field.
func (s *Server) tell(event map[string]any) {
	s.Put(notice{body: encode(map[string]any{"token": "deprecated", "team_id": teamID, "api_app_id": appID, "type": "event_callback", "event": event,
		"event_id": s.id("Ev"), "event_time": time.Now().Unix(), "authorizations": []map[string]any{{"team_id": teamID, "user_id": selfID, "is_bot": true}},
		"is_ext_shared_channel": false, "event_context": "4-sim"})})
}

// deliver sends notices. An event that is not taken is sent again, a press only where it
// goes over a socket.
func (s *Server) deliver(batch []notice, t simvendor.Trouble) {
	for _, n := range batch {
		s.once(n)
		if t.Twice && !n.form {
			s.once(n)
		}
	}
}

func (s *Server) once(n notice) {
	again, why := 0, s.send(n, 0, "")
	if why == "" || n.form && s.sockets == nil {
		return
	}
	s.Again(s.options.Retries, func() bool {
		again++
		why = s.send(n, again, why)
		return why == ""
	})
}

// send posts a notice, signed over its time and body, and says why it was not taken.
// docs.slack.dev/authentication/verifying-requests-from-slack.
func (s *Server) send(n notice, again int, reason string) string {
	if s.sockets != nil {
		s.Count()
		return s.sockets.send(s.Context(), n, again, reason)
	}
	address, actions := s.addresses()
	kind, body := "application/json", n.body
	if n.form {
		address, kind, body = actions, "application/x-www-form-urlencoded", []byte(url.Values{"payload": {string(n.body)}}.Encode())
	}
	if address == "" {
		return ""
	}
	header := s.signed(kind, body)
	if again > 0 {
		header.Set("X-Slack-Retry-Num", strconv.Itoa(again))
		header.Set("X-Slack-Retry-Reason", reason)
	}
	resp, err := s.Post.Tell(address, body, header)
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) || strings.Contains(err.Error(), "Timeout") {
			return "http_timeout"
		}
		return "connection_failed"
	}
	if resp.StatusCode/100 != 2 && resp.Header.Get("X-Slack-No-Retry") != "1" {
		return "http_error"
	}
	return ""
}

func (s *Server) signed(kind string, body []byte) http.Header {
	at := strconv.FormatInt(time.Now().Unix(), 10)
	return http.Header{"Content-Type": {kind}, "X-Slack-Request-Timestamp": {at},
		"X-Slack-Signature": {"v0=" + simvendor.Sign(s.options.Secret, "v0:", at, ":", string(body))}}
}

// Verify asks the events address whose it is, as Slack does when it is entered.
// docs.slack.dev/reference/events/url_verification.
func (s *Server) Verify(ctx context.Context) error {
	address, _ := s.addresses()
	const challenge = "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"
	body := encode(map[string]any{"token": "deprecated", "challenge": challenge, "type": "url_verification"})
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("verify %s: %w", address, err)
	}
	req.Header = s.signed("application/json", body)
	resp, err := (&http.Client{Timeout: answerWithin}).Do(req)
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
