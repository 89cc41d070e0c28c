package vonagesim

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// The close codes; the page "Websockets connections …" says when a socket is
// closed and not with what.
const (
	closeNormal = websocket.StatusNormalClosure
	closeAway   = websocket.StatusGoingAway
)

const (
	lineRoom    = 256 // frames that wait for a client
	writeWithin = 10 * time.Second
)

// line is one socket. A nil line is one nobody has.
type line struct {
	conn *websocket.Conn
	out  chan any // a frame, or the close code that ends it
}

// send puts a frame behind those before it; a client that reads none is dropped.
func (l *line) send(frame any) {
	if l == nil {
		return
	}
	select {
	case l.out <- frame:
	default:
		_ = l.conn.CloseNow()
	}
}

func (l *line) end(code websocket.StatusCode) { l.send(code) }

// write writes what is sent until the socket has ended.
func (l *line) write(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			_ = l.conn.CloseNow()
			return
		case frame := <-l.out:
			if code, ends := frame.(websocket.StatusCode); ends {
				_ = l.conn.Close(code, "")
				return
			}
			if l.put(ctx, frame) != nil {
				_ = l.conn.CloseNow()
				return
			}
		}
	}
}

func (l *line) put(ctx context.Context, frame any) error {
	data, err := json.Marshal(frame)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, writeWithin)
	defer cancel()
	return l.conn.Write(ctx, websocket.MessageText, data)
}

// socket takes one client of the HTTP agent. Where its token goes is not on the
// page: here it is the query's token, or a bearer. One that is wrong is refused
// as the gateway refuses whose host names, action field and idle time these are.
func (s *Studio) socket(w http.ResponseWriter, r *http.Request) {
	k := s.whose(r)
	fault := s.faults.take("ws")
	fault.wait(r.Context())
	switch {
	case fault.Drop != "":
		drop(w)
		return
	case fault.Status != 0:
		answer(w, fault.Status, nestError(fault.Status, "Simulated fault"))
		return
	case k == nil:
		answer(w, http.StatusForbidden, gatewayError("Forbidden"))
		return
	}
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	conn.SetReadLimit(bodyLimit)
	s.carry(k, &line{conn: conn, out: make(chan any, lineRoom)})
}

// gatewayError is an error frame of that gateway.
func gatewayError(message string) map[string]string {
	return map[string]string{"message": message, "connectionId": newID(), "requestId": newID()}
}

// whose is the session a client's token is good for, or nil.
func (s *Studio) whose(r *http.Request) *session {
	shown := r.URL.Query().Get("token")
	if shown == "" {
		shown, _ = strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, k := range s.sessions {
		if k.token == shown {
			return s.going(id)
		}
	}
	return nil
}

// carry reads a client until its socket has ended: it closes, its session is
// over, it was silent too long, or the Studio closes.
func (s *Studio) carry(k *session, l *line) {
	ctx, stop := context.WithCancel(s.ctx)
	defer stop()
	s.attach(k, l)
	defer s.detach(k, l)
	s.work.Go(func() { l.write(ctx) })
	idle := time.AfterFunc(s.options.Idle, func() { l.end(closeAway) })
	defer idle.Stop()
	life := time.AfterFunc(time.Until(k.expires), func() { s.End(k.id) })
	defer life.Stop()
	for {
		_, data, err := l.conn.Read(ctx)
		if err != nil {
			return
		}
		idle.Reset(s.options.Idle)
		s.hear(k, l, data)
	}
}

func (s *Studio) attach(k *session, l *line) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k.line = l
}

func (s *Studio) detach(k *session, l *line) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k.line == l {
		k.line = nil
	}
}

// hear takes one message: {"action":"step","input":…} of the page "Websockets
// connections …"; another is answered as the gateway answers a route it has not.
func (s *Studio) hear(k *session, l *line, data []byte) {
	var frame struct {
		Action string `json:"action"`
	}
	input, given, ok := inputOf(data)
	if json.Unmarshal(data, &frame) != nil || !ok || frame.Action != "step" {
		l.send(gatewayError("Forbidden"))
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.going(k.id) == nil {
		l.end(closeNormal)
		return
	}
	k.given = append(k.given, given...)
	a := s.advance(k, input)
	s.keep(Record{Time: time.Now().UTC(), Endpoint: "ws", Session: k.id, Status: http.StatusOK, Committed: true, Shown: input})
	l.send(a)
	if a.Status == statusEnded {
		l.end(closeNormal)
	}
}

// Connected reports whether a session has a socket.
func (s *Studio) Connected(session string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.sessions[session]
	return k != nil && k.line != nil
}

// Drop breaks the socket of a session, as networks do.
func (s *Studio) Drop(session string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.sessions[session]; k != nil && k.line != nil {
		_ = k.line.conn.CloseNow()
		k.line = nil
	}
}
