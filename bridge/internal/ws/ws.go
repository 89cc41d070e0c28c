// Package ws carries messages over WebSocket, served and dialled, for peers that are not trusted.
//
// A guard beneath the library enforces RFC 6455 section 5.2 to 5.5 and the limits of Options on
// every inbound byte, in both roles. No extension is ever negotiated, so nothing is compressed.
// What goes out waits in a bounded outbox with one writer: a peer that does not read is closed
// with 1013, and whoever keeps the messages sends them again later.
//
// Socket.IO stands on such a connection. Whoever need not know which it is reads and writes
// Messages.
package ws

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"runtime/debug"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/lxzan/gws"
)

// What Write and WriteWait return. Any error but ErrUnknown means that no byte of the message
// went out.
var (
	ErrClosed   = errors.New("websocket is closed")
	ErrOverflow = errors.New("websocket outbox is full: the peer does not read")
	ErrUnknown  = errors.New("websocket write failed part way: the peer may have the message")
)

// Options are the limits of one connection. A zero field takes its default.
type Options struct {
	MaxMessage     int           // bytes of an inbound message over all its fragments; 256 KiB
	ReadTimeout    time.Duration // silence after which the peer is taken for lost; 60 s
	PingEvery      time.Duration // pause between our pings, give or take a quarter; 20 s
	WriteTimeout   time.Duration // for one frame to be written, and for all of closing; 5 s
	MessageTimeout time.Duration // waiting for the rest of a message once it began; 30 s
	OutboxMessages int           // messages not yet written; 1000
	OutboxBytes    int           // bytes of these; 1 MiB
	Protocols      []string      // subprotocols, most wanted first; none agreed is no error
	TLS            *tls.Config   // for Dial of wss; ServerName defaults to the URL's host
}

func (o Options) filled() Options {
	o.MaxMessage = cmp.Or(o.MaxMessage, 256<<10)
	o.ReadTimeout = cmp.Or(o.ReadTimeout, time.Minute)
	o.PingEvery = cmp.Or(o.PingEvery, 20*time.Second)
	o.WriteTimeout = cmp.Or(o.WriteTimeout, 5*time.Second)
	o.MessageTimeout = cmp.Or(o.MessageTimeout, 30*time.Second)
	o.OutboxMessages = cmp.Or(o.OutboxMessages, 1000)
	o.OutboxBytes = cmp.Or(o.OutboxBytes, 1<<20)
	return o
}

// Handler is told what arrives. Both methods run on the goroutine of Conn.Run, one at a time. A
// panic of either is recovered; one of OnMessage closes the connection with 1011.
type Handler interface {
	// OnMessage is given each whole message in order. Blocking in it stops reading, which is how
	// back-pressure reaches the peer. data is the handler's to keep; text is valid UTF-8. It is
	// not called any more once Close was.
	OnMessage(c *Conn, data []byte, binary bool)
	// OnClose is called exactly once, after the last OnMessage, when the connection is gone. code
	// is the peer's or ours; Conn.Err tells which. 1005: closed without a code; 1006: lost.
	OnClose(c *Conn, code int, reason string)
}

// Conn is one open WebSocket. Its methods may be called from any goroutine. Who got one must call
// Run, or Close it.
type Conn struct {
	wire     *wire
	sock     *gws.Conn
	opt      Options
	out      *outbox
	protocol string
	handler  Handler       // set by Run, used on its goroutine
	written  chan struct{} // closed when the writer has ended

	mu     sync.Mutex
	cause  *CloseError // why it ended; the first reason stands
	killer *time.Timer // closes the raw connection when closing takes too long
}

func newConn(raw net.Conn, client bool, o Options) *Conn {
	c := &Conn{wire: newWire(raw, client, o), opt: o, out: newOutbox(o), written: make(chan struct{})}
	c.wire.onPing = c.out.putPong
	c.wire.onEnd = func(e CloseError) { c.end(e, false) }
	return c
}

// open starts the writer once the handshake is done.
func (c *Conn) open(sock *gws.Conn, protocol string) *Conn {
	c.sock, c.protocol, c.wire.handshake = sock, protocol, false
	go c.writeLoop()
	return c
}

// Run reads until the connection has ended, then calls h.OnClose and returns. Call it once, also
// after Close. It returns within Options.WriteTimeout of the connection's end, but waits for an
// OnMessage under way.
func (c *Conn) Run(h Handler) {
	c.handler = h
	defer c.finish()
	defer c.rescue()
	c.sock.ReadLoop()
}

// rescue turns a panic of the goroutine it is deferred on into a close.
func (c *Conn) rescue() {
	if v := recover(); v != nil {
		err := fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		c.end(CloseError{Code: CodeInternal, Reason: "internal error", Err: err, frame: CodeInternal}, false)
	}
}

// finish waits for the writer, lets our last bytes arrive, and reports the end.
func (c *Conn) finish() {
	c.end(CloseError{Code: CodeInternal, Reason: "read loop left", frame: CodeInternal}, false)
	<-c.written
	c.wire.linger()
	c.wire.Conn.Close()
	c.mu.Lock()
	c.killer.Stop()
	c.mu.Unlock()
	defer c.rescue()
	e := c.ended()
	c.handler.OnClose(c, e.Code, e.Reason)
}

// end records why the connection ends, if nothing ended it before, and has the writer say so.
func (c *Conn) end(e CloseError, flush bool) bool {
	c.mu.Lock()
	if c.cause != nil {
		c.mu.Unlock()
		return false
	}
	c.cause = &e
	c.killer = time.AfterFunc(c.opt.WriteTimeout, func() { c.wire.Conn.Close() })
	c.mu.Unlock()
	c.out.shut(flush)
	return true
}

// lost ends the connection after a failed write. If that is news, nothing more can be said or heard.
func (c *Conn) lost(err error) {
	e := CloseError{Code: CodeLost, Reason: "connection lost", Err: err}
	if timedOut(err) {
		e.Code, e.Reason = CodeTryLater, "peer does not read"
	}
	if c.end(e, false) {
		c.wire.Conn.Close()
	}
}

func (c *Conn) ended() *CloseError {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cause
}

// Err is nil while the connection is open, and a *CloseError once it ends.
func (c *Conn) Err() error {
	if e := c.ended(); e != nil {
		return e
	}
	return nil
}

// Write queues one message; order is kept. data must not be changed afterwards. It never blocks:
// ErrOverflow when the outbox is full, which also closes the connection with 1013; ErrClosed after
// the end. Text must be valid UTF-8, else an error says so and the connection stays open.
func (c *Conn) Write(data []byte, binary bool) error {
	p, err := newParcel(data, binary)
	if err != nil {
		return err
	}
	return c.put(p)
}

// WriteWait is Write that returns when the message was handed to the kernel (nil), when it is
// certain that no byte of it was (ErrClosed, ErrOverflow, or ctx's error, which withdraws it from
// the outbox), or when that is not known (ErrUnknown).
func (c *Conn) WriteWait(ctx context.Context, data []byte, binary bool) error {
	p, err := newParcel(data, binary)
	if err != nil {
		return err
	}
	return c.putWait(ctx, p)
}

func newParcel(data []byte, binary bool) (*parcel, error) {
	if binary {
		return &parcel{op: gws.OpcodeBinary, data: data}, nil
	}
	if !utf8.Valid(data) {
		return nil, errors.New("text message is not valid UTF-8: send it as binary")
	}
	return &parcel{op: gws.OpcodeText, data: data}, nil
}

// put is Write of a parcel.
func (c *Conn) put(p *parcel) error {
	err := c.out.put(p)
	if err == ErrOverflow {
		c.end(CloseError{Code: CodeTryLater, Reason: "peer does not read", Err: err, frame: CodeTryLater}, false)
	}
	return err
}

// putWait is WriteWait of a parcel.
func (c *Conn) putWait(ctx context.Context, p *parcel) error {
	p.done = make(chan error, 1)
	if err := c.put(p); err != nil {
		return err
	}
	select {
	case err := <-p.done:
		return err
	case <-ctx.Done():
	}
	if c.out.withdraw(p) {
		return fmt.Errorf("message withdrawn: %w", ctx.Err())
	}
	select {
	case err := <-p.done:
		return err
	default:
		return ErrUnknown
	}
}

// Close writes what is queued and then a close frame, waits for the peer's, and closes the
// connection, all within Options.WriteTimeout. It returns at once; Run returns when it is done.
// The first close stands, a later one does nothing. A code that may not be sent becomes 1000; the
// reason is cut to 123 bytes.
func (c *Conn) Close(code int, reason string) {
	if !sendable(code) {
		code = CodeNormal
	}
	c.end(CloseError{Code: code, Reason: reason, frame: code}, true)
}

// Protocol is the agreed subprotocol, or empty.
func (c *Conn) Protocol() string { return c.protocol }

// RemoteAddr is the peer's address as the connection has it; behind a proxy, the proxy's.
func (c *Conn) RemoteAddr() net.Addr { return c.wire.RemoteAddr() }

func (c *Conn) jitter() time.Duration {
	return time.Duration((0.75 + rand.Float64()/2) * float64(c.opt.PingEvery))
}

// events is what the library calls, on the read loop.
type events struct {
	gws.BuiltinEventHandler
	c *Conn
}

func (e events) OnMessage(_ *gws.Conn, m *gws.Message) {
	defer e.c.rescue()
	if e.c.ended() == nil {
		e.c.handler.OnMessage(e.c, m.Bytes(), m.Opcode == gws.OpcodeBinary)
	}
}

// OnClose records what the library itself found; any other reason is on record by now.
func (e events) OnClose(_ *gws.Conn, err error) {
	code, reason := CodeProtocol, "protocol error"
	if errors.Is(err, gws.ErrTextEncoding) {
		code, reason = CodeNotUTF8, "text is not UTF-8"
	}
	e.c.end(CloseError{Code: code, Reason: reason, Err: err, frame: code}, false)
}
