package slacksim

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// sockets are the connections of Socket Mode: each envelope goes to the newest, and is
// sent again where it is not acknowledged. docs.slack.dev/apis/events-api/using-socket-mode;
// slackapi/node-slack-sdk packages/socket-mode; slack-go/slack socketmode/request.go.
type sockets struct {
	mu    sync.Mutex
	open  []*websocket.Conn
	acks  map[string]chan struct{} // by envelope_id
	deaf  bool                     // acknowledgements are lost
	hello int
}

// connect is apps.connections.open, for the app-level token.
func (s *Server) connect(*call) answer {
	if s.sockets == nil {
		return refused("invalid_auth")
	}
	return good(map[string]any{"url": "ws" + strings.TrimPrefix(s.base, "http") + "/link/?ticket=" + rand.Text() + "&app_id=" + appID})
}

// link is a connection.
func (s *Server) link(w http.ResponseWriter, r *http.Request) {
	k := s.sockets
	if k == nil || r.URL.Query().Get("ticket") == "" {
		http.NotFound(w, r)
		return
	}
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	conn.SetReadLimit(1 << 20)
	k.mu.Lock()
	k.open = append(k.open, conn)
	k.hello++
	n := len(k.open)
	k.mu.Unlock()
	_ = conn.Write(s.Context(), websocket.MessageText, encode(map[string]any{"type": "hello", "num_connections": n, "connection_info": map[string]any{"app_id": appID},
		"debug_info": map[string]any{"host": "applink-1", "build_number": 1, "approximate_connection_time": 3600}}))
	for {
		_, data, err := conn.Read(s.Context())
		if err != nil {
			break
		}
		k.acknowledged(data)
	}
	k.forget(conn)
	_ = conn.CloseNow()
}

func (k *sockets) acknowledged(data []byte) {
	var ack struct {
		EnvelopeID string `json:"envelope_id"`
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := json.Unmarshal(data, &ack); err != nil || k.deaf {
		return
	}
	if done := k.acks[ack.EnvelopeID]; done != nil {
		close(done)
		delete(k.acks, ack.EnvelopeID)
	}
}

func (k *sockets) forget(conn *websocket.Conn) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.open = slices.DeleteFunc(k.open, func(c *websocket.Conn) bool { return c == conn })
}

// send gives an envelope to the newest connection, and says why it was not taken.
func (k *sockets) send(ctx context.Context, n notice, again int, reason string) string {
	id, done := rand.Text(), make(chan struct{})
	k.mu.Lock()
	if len(k.open) == 0 {
		k.mu.Unlock()
		return "no_connection"
	}
	conn := k.open[len(k.open)-1]
	k.acks[id] = done
	k.mu.Unlock()
	envelope := map[string]any{"envelope_id": id, "payload": json.RawMessage(n.body), "type": "events_api", "accepts_response_payload": n.form}
	if n.form {
		envelope["type"] = "interactive"
	} else {
		envelope["retry_attempt"], envelope["retry_reason"] = again, reason
	}
	if err := conn.Write(ctx, websocket.MessageText, encode(envelope)); err != nil {
		return "connection_failed"
	}
	select {
	case <-done:
		return ""
	case <-ctx.Done():
		return ""
	case <-time.After(answerWithin):
		return "timeout"
	}
}

// drop ends all connections without a word.
func (k *sockets) drop() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, conn := range k.open {
		_ = conn.CloseNow()
	}
}

// Refresh announces that the connections there are end, and ends them after a while.
// Another is to be opened meanwhile.
func (s *Server) Refresh(after time.Duration) {
	k := s.sockets
	k.mu.Lock()
	old := slices.Clone(k.open)
	k.mu.Unlock()
	for _, conn := range old {
		_ = conn.Write(s.Context(), websocket.MessageText, encode(map[string]any{"type": "disconnect", "reason": "refresh_requested", "debug_info": map[string]any{"host": "applink-1"}}))
	}
	s.Again([]time.Duration{after}, func() bool {
		for _, conn := range old {
			_ = conn.CloseNow()
		}
		return true
	})
}

// Deaf loses acknowledgements, so that envelopes are sent again.
func (s *Server) Deaf(deaf bool) {
	s.sockets.mu.Lock()
	defer s.sockets.mu.Unlock()
	s.sockets.deaf = deaf
}

// Connections are how many stand, and how many ever stood.
func (s *Server) Connections() (now, ever int) {
	s.sockets.mu.Lock()
	defer s.sockets.mu.Unlock()
	return len(s.sockets.open), s.sockets.hello
}
