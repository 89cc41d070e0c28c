package libredesksim

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/coder/websocket"
)

// silence is how long a client may say nothing (wsReadDeadline of cmd/widget_ws.go).
const silence = 20 * time.Second

// wire is one socket of a contact.
type wire struct {
	conn    *websocket.Conn
	contact *Author
	pings   int
}

// socket is GET /widget/ws (cmd/widget_ws.go).
func (s *Server) socket(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	l := &wire{conn: conn}
	defer func() {
		s.mu.Lock()
		delete(s.lines, l)
		s.mu.Unlock()
		_ = conn.CloseNow()
	}()
	for {
		ctx, cancel := context.WithTimeout(context.Background(), silence)
		_, data, err := conn.Read(ctx)
		cancel()
		if err != nil {
			return
		}
		s.heard(l, data)
	}
}

func (s *Server) heard(l *wire, data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var in struct {
		Type, Token string
		Data        struct {
			InboxID          string `json:"inbox_id"`
			ConversationUUID string `json:"conversation_uuid"`
			IsTyping         bool   `json:"is_typing"`
		}
	}
	if err := json.Unmarshal(data, &in); err != nil {
		s.problem("a frame that is no JSON")
		return
	}
	switch in.Type {
	case "join":
		if l.contact = s.contact(in.Token); l.contact == nil || in.Data.InboxID != s.InboxUUID {
			l.contact = nil
			write(l, "error", map[string]string{"message": "Failed to join conversation"})
			return
		}
		s.lines[l] = true
		write(l, "joined", map[string]string{"message": "namaste!"})
	case "ping":
		l.pings++
		write(l, "pong", nil)
	case "typing":
		if c := s.find(in.Data.ConversationUUID); c != nil && l.contact != nil && c.Contact.ID == l.contact.ID {
			c.Typing = in.Data.IsTyping
			return
		}
		s.problem("typing in a conversation that is not the contact's")
	default:
		s.problem("a frame of type %q", in.Type)
	}
}

// push sends a frame to the contact's sockets; one that does not take it loses it.
func (s *Server) push(c *Conversation, kind string, data any) {
	for l := range s.lines {
		if l.contact != nil && l.contact.ID == c.Contact.ID {
			write(l, kind, data)
		}
	}
}

func write(l *wire, kind string, data any) {
	frame, err := json.Marshal(map[string]any{"type": kind, "data": data})
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = l.conn.Write(ctx, websocket.MessageText, frame)
}

// Lines is how many sockets are joined.
func (s *Server) Lines() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.lines)
}

// Drop breaks all sockets.
func (s *Server) Drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for l := range s.lines {
		delete(s.lines, l)
		go l.conn.CloseNow() //nolint:errcheck // it is to break.
	}
}
