package aiserasim

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"

	"github.com/coder/websocket"
)

// line is one socket in either transport. Engine.IO protocol 4 and Socket.IO
// protocol 5 are as their public specifications have them; WebSocket only.
type line struct {
	conn  *websocket.Conn
	event string // empty: plain

	mu sync.Mutex // of writes
}

func accept(w http.ResponseWriter, r *http.Request, o Options) (*line, error) {
	if o.Transport == SocketIO && (r.URL.Query().Get("EIO") != "4" || r.URL.Query().Get("transport") != "websocket") {
		http.Error(w, `{"code":0,"message":"Transport unknown"}`, http.StatusBadRequest)
		return nil, fmt.Errorf("not an Engine.IO request")
	}
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return nil, err
	}
	conn.SetReadLimit(maxPayload)
	l := &line{conn: conn}
	if o.Transport != SocketIO {
		return l, nil
	}
	l.event = o.Event
	l.write([]byte(`0{"sid":"simulated","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":` + strconv.Itoa(maxPayload) + `}`))
	return l, nil
}

// maxPayload is the longest message a Socket.IO server takes unless it is told
// otherwise, in bytes.
const maxPayload = 1000000

// dial opens a socket as a chat client.
func dial(ctx context.Context, address string, o Options) (*line, error) {
	if o.Transport == SocketIO {
		address += "?EIO=4&transport=websocket"
	}
	conn, _, err := websocket.Dial(ctx, address, nil)
	if err != nil {
		return nil, err
	}
	l := &line{conn: conn}
	if o.Transport == SocketIO {
		l.event = o.Event
		l.write([]byte("40"))
	}
	return l, nil
}

// read gives the next message, and answers what belongs to the transport.
func (l *line) read(ctx context.Context) ([]byte, error) {
	for {
		_, data, err := l.conn.Read(ctx)
		if err != nil {
			return nil, err
		}
		if l.event == "" {
			return data, nil
		}
		switch {
		case bytes.HasPrefix(data, []byte("2")):
			l.write([]byte("3"))
		case string(data) == "40":
			l.write([]byte(`40{"sid":"simulated"}`))
		case bytes.HasPrefix(data, []byte("42")):
			var args []json.RawMessage
			if json.Unmarshal(data[2:], &args) == nil && len(args) > 1 {
				return args[1], nil
			}
		}
	}
}

func (l *line) send(v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode a frame: %w", err)
	}
	if l.event != "" {
		name, err := json.Marshal(l.event)
		if err != nil {
			return fmt.Errorf("encode an event's name: %w", err)
		}
		data = fmt.Appendf(nil, "42[%s,%s]", name, data)
	}
	return l.write(data)
}

func (l *line) write(data []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), writeWithin)
	defer cancel()
	return l.conn.Write(ctx, websocket.MessageText, data)
}

func (l *line) close(code websocket.StatusCode) { _ = l.conn.Close(code, "") }
