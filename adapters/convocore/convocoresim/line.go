package convocoresim

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// line is one connection of a client.
type line struct {
	conn      *websocket.Conn
	cancelled chan struct{} // closed when the client cancels
	gone      chan struct{} // closed when the connection has ended
}

// listen reads what a client sends while it is answered: prompt @cancel:REASON
// (spec). It ends with the connection.
func (l *line) listen() {
	defer close(l.gone)
	for {
		_, data, err := l.conn.Read(context.Background())
		if err != nil {
			return
		}
		var o Object
		if json.Unmarshal(data, &o) == nil && strings.HasPrefix(o.Prompt, "@cancel:") && !l.isCancelled() {
			close(l.cancelled)
		}
	}
}

func (l *line) isCancelled() bool {
	select {
	case <-l.cancelled:
		return true
	default:
		return false
	}
}

// wait holds a turn until it is released, or its client has gone; false when it
// was cancelled.
func (l *line) wait(release chan struct{}) bool {
	timer := time.NewTimer(heldMost)
	defer timer.Stop()
	select {
	case <-release:
	case <-timer.C:
	case <-l.gone:
	case <-l.cancelled:
		return false
	}
	return true
}

func (l *line) send(frames ...frame) {
	for _, f := range frames {
		data, err := json.Marshal(f)
		if err != nil {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), writeWithin)
		_ = l.conn.Write(ctx, websocket.MessageText, data)
		cancel()
	}
}

// end closes the connection as the service does after each turn.
func (l *line) end() { _ = l.conn.Close(websocket.StatusNormalClosure, "") }

// drop breaks the connection, as networks do.
func (l *line) drop() { _ = l.conn.CloseNow() }
