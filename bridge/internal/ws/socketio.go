package ws

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/lxzan/gws"
)

// ErrRefused means that the server answered our Socket.IO connect packet with a refusal; the
// server's words are in the error around it. Trying again with the same credentials will not help.
var ErrRefused = errors.New("refused by the server")

// SocketIOOptions are those of one Socket.IO connection. A zero field takes its default.
type SocketIOOptions struct {
	// Options are the connection's beneath. MaxMessage bounds a packet with all its attachments.
	// A server pings every PingEvery and allows ReadTimeout between answers.
	Options
	// Event is the name messages go out under; "message". At most 256 bytes and none of the names
	// Socket.IO keeps for itself, such as "connect".
	Event string
	// Namespace is the only one spoken; "/". A server refuses others in band.
	Namespace string
	// Auth is a JSON object a client sends with its connect packet; none. It may hold secrets.
	Auth []byte
}

func (o SocketIOOptions) filled() (SocketIOOptions, error) {
	o.Options = o.Options.filled()
	o.Event = cmp.Or(o.Event, "message")
	o.Namespace = cmp.Or(o.Namespace, "/")
	kept := []string{"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"}
	o.Auth = bytes.TrimSpace(o.Auth)
	auth := jsontext.Value(o.Auth)
	switch {
	case len(o.Event) > maxEventName || !utf8.ValidString(o.Event):
		return o, fmt.Errorf("the event name must be UTF-8 of at most %d bytes", maxEventName)
	case slices.Contains(kept, o.Event):
		return o, fmt.Errorf("the event name %q belongs to Socket.IO: choose another", o.Event)
	case o.Namespace[0] != '/' || len(o.Namespace) > maxNamespace || strings.Contains(o.Namespace, ",") || !utf8.ValidString(o.Namespace):
		return o, fmt.Errorf("the namespace must begin with /, hold no comma and be UTF-8 of at most %d bytes", maxNamespace)
	case len(auth) > 0 && (!sound(auth) || auth.Kind() != '{'):
		return o, errors.New("the auth payload must be a JSON object")
	}
	return o, nil
}

// SocketIO is one open connection of Socket.IO protocol 5 over Engine.IO 4, on a WebSocket from
// the start: no polling and no upgrade. It is Messages: what is written goes out as an event of
// the one configured name, what arrives is an event of any name.
//
// Out: data that is JSON is the event's argument as it is, other text becomes a JSON string, and
// binary becomes an attachment that is the only argument.
//
// In: no argument is null, one is itself, several are a JSON array. A string argument that holds
// the text of a JSON object or array is handed over as that object or array. A lone attachment is
// handed over as binary; attachments inside JSON become strings in base64. An event that asks for
// an acknowledgement gets an empty one once Receiver.OnMessage has returned with the connection
// open.
//
// What breaks the protocol is closed with 1002; more than 10 attachments, 32 arguments, 256 bytes
// of name or namespace, or 10 packets a second that are no events with 1008; a packet that is with
// its attachments over Options.MaxMessage with 1009. A disconnect packet counts as the peer's close
// with 1000. A missing heartbeat is 1006 here and 1001 for the peer.
type SocketIO struct {
	conn   *Conn
	opt    SocketIOOptions
	client bool
	name   []byte // opt.Event, quoted

	// Used on the reading goroutine.
	in     decoder
	extras allowance
	pulse  *pulse
	opened bool // the open packet was sent or received
	joined bool // the namespace is connected

	auth     []byte         // the client's; set before ready is closed
	ready    chan struct{}  // closed when the namespace is connected
	receiver chan Receiver  // buffered: Run's
	to       Receiver       // taken from receiver
	released chan struct{}  // closed by the first Close
	once     sync.Once      // of released
	done     chan struct{}  // closed when the connection is gone
	running  sync.WaitGroup // the goroutine of the pings
}

func newSocketIO(c *Conn, o SocketIOOptions, client bool) *SocketIO {
	return &SocketIO{
		conn: c, opt: o, client: client, name: quoted(o.Event),
		in:       decoder{limit: o.MaxMessage},
		extras:   newAllowance(),
		ready:    make(chan struct{}),
		receiver: make(chan Receiver, 1),
		released: make(chan struct{}),
		done:     make(chan struct{}),
	}
}

// open sends the server's open packet and starts its pings.
func (s *SocketIO) open() {
	every, patience := s.opt.PingEvery, s.opt.ReadTimeout-s.opt.PingEvery
	if patience <= 0 {
		patience = s.opt.ReadTimeout
	}
	s.say(fmt.Appendf([]byte{engineOpen}, `{"sid":%q,"upgrades":[],"pingInterval":%d,"pingTimeout":%d,"maxPayload":%d}`,
		rand.Text(), every.Milliseconds(), patience.Milliseconds(), s.opt.MaxMessage))
	s.opened = true
	s.pulse = newPulse(every+patience, s.silent)
	s.running.Go(func() { s.ping(every) })
}

// ping is the server's heartbeat.
func (s *SocketIO) ping(every time.Duration) {
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			s.say([]byte{enginePing})
		case <-s.done:
			return
		}
	}
}

// silent ends the connection whose heartbeat is missing.
func (s *SocketIO) silent(after time.Duration) {
	s.conn.end(CloseError{Code: CodeLost, Reason: "no heartbeat for " + after.String(), frame: CodeGoingAway}, false)
}

// start reads until the namespace is connected.
func (s *SocketIO) start(ctx context.Context) error {
	go func() {
		defer close(s.done)
		s.conn.Run(packets{s})
	}()
	select {
	case <-s.ready:
		return nil
	case <-s.done:
	case <-ctx.Done():
		s.conn.end(CloseError{Code: CodePolicy, Reason: "Socket.IO handshake took too long", Err: ctx.Err(), frame: CodePolicy}, false)
		<-s.conn.written
		s.conn.wire.Conn.Close()
		<-s.done
	}
	select {
	case <-s.ready: // and closed since: Run tells
		return nil
	default:
	}
	s.running.Wait()
	e := s.conn.ended()
	if errors.Is(e, ErrRefused) {
		return e.Err
	}
	return e
}

// Run hands over what arrives until the connection has ended, then calls r.OnClose and returns.
// Call it once, also after Close. Until it is called nothing beyond the first event is read.
// OnMessage runs on another goroutine, never beside OnClose.
func (s *SocketIO) Run(r Receiver) {
	s.receiver <- r
	<-s.done
	s.running.Wait()
	defer s.conn.rescue()
	e := s.conn.ended()
	r.OnClose(s, e.Code, e.Reason)
}

// Write sends data as one event and is otherwise Conn.Write: it never blocks, and its errors are
// the same.
func (s *SocketIO) Write(data []byte, binary bool) error {
	p, err := s.parcel(data, binary)
	if err != nil {
		return err
	}
	return s.conn.put(p)
}

// WriteWait sends data as one event and is otherwise Conn.WriteWait. ErrUnknown also stands where
// the event's text went out and its attachment did not.
func (s *SocketIO) WriteWait(ctx context.Context, data []byte, binary bool) error {
	p, err := s.parcel(data, binary)
	if err != nil {
		return err
	}
	return s.conn.putWait(ctx, p)
}

func (s *SocketIO) parcel(data []byte, binary bool) (*parcel, error) {
	if binary {
		head := appendHead(nil, packetBinaryEvent, 1, s.opt.Namespace, "")
		return &parcel{op: gws.OpcodeText, data: appendArguments(head, s.name, []byte(hole)), attached: [][]byte{data}}, nil
	}
	p, err := newParcel(data, false)
	if err == nil {
		head := appendHead(nil, packetEvent, 0, s.opt.Namespace, "")
		p.data = appendArguments(head, s.name, argument(data))
	}
	return p, err
}

// Close is Conn.Close. The peer is first sent a disconnect packet, which tells a client not to come
// back, unless the code asks for that: CodeGoingAway, CodeTryLater and CodeInternal. Clients do by
// themselves.
func (s *SocketIO) Close(code int, reason string) {
	s.once.Do(func() {
		if code != CodeGoingAway && code != CodeTryLater && code != CodeInternal {
			s.conn.out.put(&parcel{op: gws.OpcodeText, data: appendHead(nil, packetDisconnect, 0, s.opt.Namespace, "")})
		}
		close(s.released)
	})
	s.conn.Close(code, reason)
}

// Err is nil while the connection is open, and a *CloseError once it ends.
func (s *SocketIO) Err() error { return s.conn.Err() }

// Auth is the JSON object the client sent with its connect packet, nil if none or if we are the
// client. It may hold secrets.
func (s *SocketIO) Auth() []byte { return slices.Clone(s.auth) }

// RemoteAddr is Conn.RemoteAddr.
func (s *SocketIO) RemoteAddr() net.Addr { return s.conn.RemoteAddr() }

// say queues a packet of our own. A full outbox has closed the connection.
func (s *SocketIO) say(text []byte) {
	_ = s.conn.put(&parcel{op: gws.OpcodeText, data: text})
}
