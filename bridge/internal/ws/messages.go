package ws

import "context"

// Writer sends messages. A Socket.IO connection sends each as an event of its one name.
type Writer interface {
	// Write is Conn.Write.
	Write(data []byte, binary bool) error
	// WriteWait is Conn.WriteWait.
	WriteWait(ctx context.Context, data []byte, binary bool) error
}

// Messages is an open connection to somebody who need not know of which kind it is: a plain one
// (Conn.Messages) or Socket.IO. Its methods may be called from any goroutine. Who got one must Run
// it, or Close it.
type Messages interface {
	Writer
	// Run hands over what arrives until the connection has ended. Call it once, also after Close.
	Run(r Receiver)
	// Close is Conn.Close: it returns at once, and what is queued still goes out.
	Close(code int, reason string)
	// Err is nil while the connection is open, and a *CloseError once it ends.
	Err() error
}

// Receiver is told what arrives on Messages, one call at a time and as Handler is: blocking stops
// the reading, a panic is recovered, and one of OnMessage closes the connection with 1011.
type Receiver interface {
	// OnMessage is given each message in order. event is its name, empty on a plain connection.
	// data is the receiver's to keep; unless binary it is text on a plain connection and JSON on
	// a Socket.IO one. An acknowledgement the peer asked for goes out after it returned.
	OnMessage(m Messages, event string, data []byte, binary bool)
	// OnClose is called exactly once, after the last OnMessage, when the connection is gone. code
	// is the peer's or ours; Messages.Err tells which. 1005: closed without a code; 1006: lost.
	OnClose(m Messages, code int, reason string)
}

// Messages is the connection as its kind does not matter. Use it instead of Run, not beside it.
func (c *Conn) Messages() Messages { return plain{c} }

type plain struct{ *Conn }

// Run is Conn.Run for a Receiver.
func (p plain) Run(r Receiver) { p.Conn.Run(plainHandler{p, r}) }

type plainHandler struct {
	plain plain
	to    Receiver
}

func (h plainHandler) OnMessage(_ *Conn, data []byte, binary bool) {
	h.to.OnMessage(h.plain, "", data, binary)
}

func (h plainHandler) OnClose(_ *Conn, code int, reason string) {
	h.to.OnClose(h.plain, code, reason)
}
