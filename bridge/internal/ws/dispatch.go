package ws

import (
	"crypto/rand"
	"fmt"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const maxHeartbeat = 24 * time.Hour // most that a server's interval and patience may be together

// packets is what reads a SocketIO's connection.
type packets struct{ s *SocketIO }

func (h packets) OnMessage(_ *Conn, data []byte, binary bool) {
	if bad := h.s.take(data, binary); bad != nil {
		h.s.conn.end(*bad, false)
	}
}

func (h packets) OnClose(*Conn, int, string) {
	if h.s.pulse != nil {
		h.s.pulse.stop()
	}
}

// take acts on one WebSocket message. What it returns ends the connection.
func (s *SocketIO) take(data []byte, binary bool) *CloseError {
	switch {
	case !binary && len(data) == 0:
		return broken("empty packet")
	case !s.opened && (binary || data[0] != engineOpen):
		return broken("open packet expected")
	case s.in.pending != nil && time.Since(s.in.since) > s.opt.MessageTimeout:
		return excess("message took too long")
	case binary:
		return s.packet(s.in.attachment(data))
	case data[0] == engineMessage:
		return s.packet(s.in.text(data[1:]))
	case !s.extras.take(time.Now()):
		return excess("too many packets that are no events")
	}
	return s.engine(data[0], data[1:])
}

// engine acts on a packet of Engine.IO's own.
func (s *SocketIO) engine(kind byte, payload []byte) *CloseError {
	switch {
	case kind == engineOpen && !s.opened:
		return s.hello(payload)
	case kind == engineClose:
		return disconnected()
	case kind == enginePing && s.client:
		s.pulse.beat()
		s.say([]byte{enginePong})
	case kind == enginePong && !s.client:
		s.pulse.beat()
	case kind == enginePing || kind == enginePong:
		return broken("heartbeat in the wrong direction")
	case kind != engineNoop:
		return broken("unexpected Engine.IO packet")
	}
	return nil
}

func disconnected() *CloseError {
	return &CloseError{Code: CodeNormal, Reason: "disconnected", Remote: true, frame: CodeNormal}
}

// hello takes the server's open packet and asks for the namespace.
func (s *SocketIO) hello(payload []byte) *CloseError {
	var hello struct {
		Interval float64 `json:"pingInterval"` // ms
		Patience float64 `json:"pingTimeout"`  // ms
	}
	err := jsonv2.Unmarshal(payload, &hello, jsonv2.JoinOptions(lenient()...))
	most := float64(maxHeartbeat.Milliseconds())
	switch {
	case err != nil:
		return broken("open packet cannot be read")
	case !(hello.Interval >= 1 && hello.Patience >= 0 && hello.Interval+hello.Patience <= most):
		return broken("pingInterval or pingTimeout out of range")
	}
	s.opened = true
	s.pulse = newPulse(time.Duration((hello.Interval+hello.Patience)*float64(time.Millisecond)), s.silent)
	s.say(append(appendHead(nil, packetConnect, 0, s.opt.Namespace, ""), s.opt.Auth...))
	return nil
}

// packet acts on a whole Socket.IO packet; nil: there is none yet.
func (s *SocketIO) packet(p *packet, bad *CloseError) *CloseError {
	switch {
	case bad != nil || p == nil:
		return bad
	case !p.event() && !s.extras.take(time.Now()):
		return excess("too many packets that are no events")
	case p.kind == packetConnect && !s.client && p.namespace != s.opt.Namespace:
		s.say(append(appendHead(nil, packetRefusal, 0, p.namespace, ""), `{"message":"Invalid namespace"}`...))
		return nil
	case p.namespace != s.opt.Namespace:
		return broken("packet for a namespace that is not connected")
	case s.joined:
		return s.established(p)
	case p.kind == packetConnect && s.client:
		return s.accepted(p)
	case p.kind == packetConnect:
		return s.admit(p)
	case p.kind == packetRefusal && s.client:
		return refusal(p)
	}
	return broken("packet before the connect packet")
}

// established acts on a packet of the connected namespace.
func (s *SocketIO) established(p *packet) *CloseError {
	switch p.kind {
	case packetEvent, packetBinaryEvent:
		return s.event(p)
	case packetDisconnect:
		return disconnected()
	case packetAck, packetBinaryAck: // of nothing: we never ask
		return nil
	}
	return broken("handshake packet after the handshake")
}

// accepted takes the server's answer to our connect packet.
func (s *SocketIO) accepted(p *packet) *CloseError {
	var answer struct {
		ID string `json:"sid"`
	}
	if jsonv2.Unmarshal(p.payload, &answer, jsonv2.JoinOptions(lenient()...)) != nil || answer.ID == "" {
		return broken("connect packet without a sid: the server must be Socket.IO 3 or later")
	}
	s.join()
	return nil
}

// admit answers the client's connect packet.
func (s *SocketIO) admit(p *packet) *CloseError {
	s.auth = p.payload
	s.say(append(appendHead(nil, packetConnect, 0, s.opt.Namespace, ""), `{"sid":"`+rand.Text()+`"}`...))
	s.join()
	return nil
}

func (s *SocketIO) join() {
	s.joined = true
	close(s.ready)
}

// refusal is the server's no to our connect packet, in its own words.
func refusal(p *packet) *CloseError {
	var no struct {
		Words string `json:"message"`
	}
	if p.payload.Kind() == '"' {
		words, _ := jsontext.AppendUnquote(nil, p.payload)
		no.Words = string(words)
	} else {
		_ = jsonv2.Unmarshal(p.payload, &no, jsonv2.JoinOptions(lenient()...)) // a refusal without words is one
	}
	words := cut(no.Words, maxControl-2)
	return &CloseError{Code: CodePolicy, Reason: words, Remote: true, Err: fmt.Errorf("%w: %q", ErrRefused, words), frame: CodeNormal}
}

// event hands an event over and acknowledges it.
func (s *SocketIO) event(p *packet) *CloseError {
	a, bad := s.in.arrival(p)
	if bad != nil {
		return bad
	}
	s.pulse.hold()
	defer s.pulse.resume()
	if !s.awaitReceiver() {
		return nil
	}
	s.to.OnMessage(s, a.name, a.data, a.binary)
	if p.id != "" {
		s.say(append(appendHead(nil, packetAck, 0, s.opt.Namespace, p.id), "[]"...))
	}
	return nil
}

// awaitReceiver waits for Run; false: the connection was closed first.
func (s *SocketIO) awaitReceiver() bool {
	if s.to == nil {
		select {
		case s.to = <-s.receiver:
		case <-s.released:
			return false
		}
	}
	return s.conn.ended() == nil
}
