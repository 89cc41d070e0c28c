// Package socket is a connection of package ws as the engine has it.
package socket

import (
	"context"
	"errors"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/internal/engine"
	"github.com/footbridge/footbridge/bridge/internal/ws"
)

// Fill gives the bytes that leave for a message, with what it stands for secrets
// put in. An error keeps the message back.
type Fill func(engine.Message) ([]byte, error)

// Keep gives what may be kept of a message that is heard.
type Keep func([]byte) []byte

// Socket is an engine.Link.
type Socket struct {
	conn  ws.Messages
	fill  Fill
	keep  Keep
	heard func(name string, data []byte, binary bool)
	code  int
}

// New makes a Socket of an open connection; fill may be nil, and so may keep of
// one that is only written to.
func New(conn ws.Messages, fill Fill, keep Keep) *Socket {
	return &Socket{conn: conn, fill: fill, keep: keep}
}

// Run reads until the connection has ended and says how.
func (s *Socket) Run(heard func(name string, data []byte, binary bool)) adapter.Closed {
	s.heard = heard
	s.conn.Run(receiver{s})
	return Ended(s.conn, s.code)
}

// Ended says how a connection ended that has.
func Ended(conn ws.Messages, code int) adapter.Closed {
	closed := adapter.Closed{Code: code, Reason: adapter.ClosedByPeer}
	var end *ws.CloseError
	if errors.As(conn.Err(), &end) && !end.Remote {
		closed.Reason = adapter.ClosedLost
	}
	return closed
}

// Write hands one message to the connection.
func (s *Socket) Write(ctx context.Context, m engine.Message) string {
	data := m.Data
	if s.fill != nil {
		var err error
		if data, err = s.fill(m); err != nil {
			return adapter.SentUnsent
		}
	}
	switch err := s.conn.WriteWait(ctx, data, m.Binary); {
	case err == nil:
		return adapter.SentWritten
	case errors.Is(err, ws.ErrUnknown):
		return adapter.SentUnknown
	}
	return adapter.SentUnsent
}

// Close ends the connection after what was written.
func (s *Socket) Close(code int) { s.conn.Close(code, "") }

type receiver struct{ s *Socket }

func (r receiver) OnMessage(_ ws.Messages, name string, data []byte, binary bool) {
	r.s.heard(name, r.s.keep(data), binary)
}

func (r receiver) OnClose(_ ws.Messages, code int, _ string) { r.s.code = code }
