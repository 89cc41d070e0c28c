package ws

import (
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

const (
	maxHandshake = 16 << 10 // bytes of an answer to our handshake
	lingerFor    = time.Second
	lingerBytes  = 1 << 20
)

// wire is the connection the library is given. What the library reads has passed the guard; what
// it writes goes out frame by frame under a deadline. Close frames are written by writeClose
// alone: those of the library are swallowed, and it cannot close the connection.
type wire struct {
	net.Conn
	guard     guard
	opt       Options
	handshake bool             // the HTTP exchange is not over: nothing is a frame yet
	onPing    func([]byte)     // on the read loop
	onEnd     func(CloseError) // on the read loop

	buf   [pieceSize]byte
	in    []byte // received, not yet checked
	out   []byte // checked, not yet read by the library
	tail  [4]byte
	seen  int           // bytes of the handshake answer handed on
	done  int           // guard.done when spent was last zeroed
	spent time.Duration // waited for the rest of the message under way
	left  time.Time     // when the last receive returned
	dead  bool          // a receive failed: there is nothing to linger for

	mu   sync.Mutex
	shut bool // a close frame or a torn frame was the last to go out
}

func newWire(conn net.Conn, client bool, o Options) *wire {
	return &wire{Conn: conn, guard: newGuard(client, o.MaxMessage), opt: o, handshake: true}
}

// Read gives the library checked frames, or during a client's handshake its answer byte by byte,
// so that the library's buffer cannot run ahead into unchecked frames.
func (w *wire) Read(p []byte) (int, error) {
	if w.handshake {
		return w.readAnswer(p)
	}
	for len(w.out) == 0 {
		if e := w.guard.end; e != nil {
			w.onEnd(*e)
			return 0, e
		}
		if err := w.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, w.out)
	w.out = w.out[n:]
	return n, nil
}

func (w *wire) readAnswer(p []byte) (int, error) {
	if len(w.in) == 0 {
		n, err := w.Conn.Read(w.buf[:])
		if n == 0 {
			return 0, err
		}
		w.in = w.buf[:n]
	}
	if w.seen++; w.seen > maxHandshake {
		return 0, fmt.Errorf("answer longer than %d bytes", maxHandshake)
	}
	p[0] = w.in[0]
	w.in = w.in[1:]
	copy(w.tail[:], w.tail[1:])
	w.tail[3] = p[0]
	return 1, nil
}

// answered fails if the library may have read past the answer to our handshake.
func (w *wire) answered() error {
	if string(w.tail[:]) != "\r\n\r\n" {
		return errors.New("answer does not end in an empty line")
	}
	return nil
}

// fill runs received bytes through the guard.
func (w *wire) fill() error {
	if len(w.in) == 0 {
		n, err := w.receive()
		if n == 0 && err != nil {
			w.dead = true
			w.onEnd(w.diagnose(err))
			return err
		}
		w.in = w.buf[:n]
	}
	w.out = w.guard.feed(time.Now(), w.out[:0], w.in)
	w.in = nil
	if payload, ok := w.guard.takePing(); ok {
		w.onPing(payload)
	}
	if !w.guard.partial() || w.guard.done != w.done {
		w.done, w.spent = w.guard.done, 0
	}
	return nil
}

// receive reads from the connection under a deadline: the idle one, or what the message under way
// has left. Only time spent waiting here counts, not time the handler took.
func (w *wire) receive() (int, error) {
	start := time.Now()
	if !w.left.IsZero() {
		w.guard.rested(start.Sub(w.left))
	}
	wait := w.opt.ReadTimeout
	if w.guard.partial() {
		wait = min(wait, w.opt.MessageTimeout-w.spent)
	}
	if err := w.Conn.SetReadDeadline(start.Add(wait)); err != nil {
		return 0, err
	}
	n, err := w.Conn.Read(w.buf[:])
	w.left = time.Now()
	if w.guard.partial() {
		w.spent += w.left.Sub(start)
	}
	return n, err
}

// diagnose says why a receive failed.
func (w *wire) diagnose(err error) CloseError {
	switch {
	case !timedOut(err):
		return CloseError{Code: CodeLost, Reason: "connection lost", Err: err}
	case w.guard.partial() && w.spent >= w.opt.MessageTimeout:
		return CloseError{Code: CodePolicy, Reason: "message took too long", Err: err, frame: CodePolicy}
	}
	return CloseError{Code: CodeLost, Reason: "nothing heard for " + w.opt.ReadTimeout.String(), Err: err, frame: CodeGoingAway}
}

// writeError tells whether bytes of the frame may have gone out before its write failed.
type writeError struct {
	started bool
	err     error
}

func (e *writeError) Error() string { return "write frame: " + e.err.Error() }
func (e *writeError) Unwrap() error { return e.err }

// Write sends one whole frame of the library, or its part of the handshake.
func (w *wire) Write(p []byte) (int, error) {
	if w.handshake {
		return w.Conn.Write(p)
	}
	if len(p) > 0 && p[0]&0x0f == opClose {
		return len(p), nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.send(p)
}

// send writes a frame; the caller holds mu.
func (w *wire) send(frame []byte) (int, error) {
	if w.shut {
		return 0, &writeError{err: net.ErrClosed}
	}
	if err := w.Conn.SetWriteDeadline(time.Now().Add(w.opt.WriteTimeout)); err != nil {
		return 0, &writeError{err: err}
	}
	n, err := w.Conn.Write(frame)
	if err != nil {
		w.shut = true
		_, buffered := w.Conn.(*tls.Conn)
		return n, &writeError{started: n > 0 || buffered, err: err}
	}
	return n, nil
}

// writeClose sends the close frame, after which nothing goes out.
func (w *wire) writeClose(code int, reason string) {
	var mask []byte
	if w.guard.client {
		mask = make([]byte, 4)
		rand.Read(mask)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.send(closeFrame(code, reason, mask))
	w.shut = true
}

// Close does nothing: whoever owns the wire closes the connection beneath it, after lingering.
func (w *wire) Close() error { return nil }

// linger ends our direction and reads the other to its end, for a moment and a bounded amount:
// closing with bytes unread would reset the connection and take our close frame with it.
func (w *wire) linger() {
	if half, ok := w.Conn.(interface{ CloseWrite() error }); ok && !w.dead {
		w.Conn.SetReadDeadline(time.Now().Add(lingerFor))
		if half.CloseWrite() == nil {
			io.CopyN(io.Discard, w.Conn, lingerBytes)
		}
	}
}
