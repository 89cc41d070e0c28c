package ws

import (
	"encoding/binary"
	"time"
)

const (
	maxFragments = 64   // frames of one message
	pieceSize    = 4096 // a multiple of 4, so that the mask key fits every piece

	controlRate    = 10  // pings and pongs a second
	controlBacklog = 600 // most that may have gathered while nobody read
)

// guard checks a stream of frames from the far side against RFC 6455 sections 5.2 to 5.5 before
// the library sees a byte of it, and takes the control frames out. It holds no clock and does no
// I/O. What it lets through are data frames of at most pieceSize bytes: a longer frame leaves it
// as fragments, so that whoever reads on never reserves more than has nearly arrived.
type guard struct {
	client bool // we are the client: frames come unmasked
	limit  int  // bytes of a whole message

	head   [14]byte
	have   int // bytes of head collected
	need   int // bytes of head to collect before the next check
	inBody bool
	op     byte
	fin    bool
	left   int // payload bytes of this frame still to come
	piece  int // of these, bytes the piece last announced still lacks
	first  bool

	open      bool // a message has begun and not ended
	fragments int
	size      int
	done      int // messages completed

	control []byte // payload of the control frame under way, unmasked
	ping    []byte // payload of the newest ping not yet taken
	pinged  bool
	allowance

	end *CloseError // once set, everything further is ignored
}

func newGuard(client bool, limit int) guard {
	return guard{client: client, limit: limit, need: 2, allowance: newAllowance(),
		control: make([]byte, 0, maxControl)}
}

// feed takes the next bytes of the stream and appends to out what the library may see of them.
// g.end tells afterwards whether the stream ended there, by a close frame or a violation; frames
// before it are in out.
func (g *guard) feed(now time.Time, out, in []byte) []byte {
	for len(in) > 0 && g.end == nil {
		switch {
		case !g.inBody:
			in, out = g.header(now, in, out)
		case isControl(g.op):
			in = g.controlBody(now, in)
		default:
			in, out = g.dataBody(in, out)
		}
	}
	return out
}

// partial reports whether a frame or a message has begun and not ended.
func (g *guard) partial() bool { return g.have > 0 || g.inBody || g.open }

// takePing returns the payload of the newest ping since the last call.
func (g *guard) takePing() (payload []byte, ok bool) {
	payload, ok = g.ping, g.pinged
	g.ping, g.pinged = nil, false
	return payload, ok
}

// rested tells the guard that nobody read for d, so that the control frames which gathered in
// that time are not taken for a flood.
func (g *guard) rested(d time.Duration) {
	if d >= time.Second {
		g.tokens = max(g.tokens, min(controlBacklog, controlRate*d.Seconds()))
	}
}

func (g *guard) fail(code int, reason string) {
	g.end = &CloseError{Code: code, Reason: reason, frame: code}
}

// header collects a frame's header: two bytes, then as many as these announce.
func (g *guard) header(now time.Time, in, out []byte) (rest, passed []byte) {
	n := copy(g.head[g.have:g.need], in)
	g.have += n
	in = in[n:]
	if g.have < g.need {
		return in, out
	}
	if g.have == 2 {
		if code, reason := g.checkStart(); code != 0 {
			g.fail(code, reason)
			return in, out
		}
		if g.need = g.headerSize(); g.need > 2 {
			return in, out
		}
	}
	length, code, reason := g.length()
	if code != 0 {
		g.fail(code, reason)
		return in, out
	}
	return in, g.begin(now, out, length)
}

// headerSize is the whole header's size by its second byte.
func (g *guard) headerSize() int {
	size := 2
	switch g.head[1] &^ maskBit {
	case 126:
		size += 2
	case 127:
		size += 8
	}
	if g.head[1]&maskBit != 0 {
		size += 4
	}
	return size
}

// checkStart judges the first two bytes of a header. Code 0 is good.
func (g *guard) checkStart() (code int, reason string) {
	op, length := g.head[0]&0x0f, g.head[1]&^maskBit
	fin, masked := g.head[0]&finBit != 0, g.head[1]&maskBit != 0
	switch {
	case g.head[0]&rsvBits != 0:
		return CodeProtocol, "reserved bit set"
	case op > opBinary && op < opClose || op > opPong:
		return CodeProtocol, "unknown opcode"
	case masked == g.client:
		return CodeProtocol, "wrong masking"
	case isControl(op) && !fin:
		return CodeProtocol, "fragmented control frame"
	case isControl(op) && length > maxControl:
		return CodeProtocol, "control frame too long"
	case op == opContinuation && !g.open:
		return CodeProtocol, "continuation without a message"
	case (op == opText || op == opBinary) && g.open:
		return CodeProtocol, "new message inside a message"
	case !isControl(op) && g.fragments == maxFragments:
		return CodePolicy, "too many fragments"
	}
	return 0, ""
}

// length reads the payload length of a complete header and judges it.
func (g *guard) length() (n, code int, reason string) {
	var long, least uint64
	switch short := g.head[1] &^ maskBit; short {
	case 126:
		long, least = uint64(binary.BigEndian.Uint16(g.head[2:])), 126
	case 127:
		long, least = binary.BigEndian.Uint64(g.head[2:]), 1<<16
	default:
		long = uint64(short)
	}
	switch {
	case long>>63 != 0:
		return 0, CodeProtocol, "payload length out of range"
	case long < least:
		return 0, CodeProtocol, "payload length not in its shortest form"
	case !isControl(g.head[0]&0x0f) && long > uint64(g.limit-g.size):
		return 0, CodeTooLarge, "message too large"
	}
	return int(long), 0, ""
}

// begin opens the frame whose header is complete; an empty frame also ends here.
func (g *guard) begin(now time.Time, out []byte, length int) []byte {
	g.op, g.fin = g.head[0]&0x0f, g.head[0]&finBit != 0
	g.inBody, g.left, g.piece, g.first = true, length, 0, true
	if isControl(g.op) {
		g.control = g.control[:0]
		if length == 0 {
			g.endControl(now)
		}
		return out
	}
	g.open = true
	g.fragments++
	g.size += length
	if length == 0 {
		out = g.announce(out)
		g.endData()
	}
	return out
}

// announce appends the header of the next piece of a data frame.
func (g *guard) announce(out []byte) []byte {
	g.piece = min(g.left, pieceSize)
	b := byte(opContinuation)
	if g.first {
		b = g.op
	}
	if g.fin && g.piece == g.left {
		b |= finBit
	}
	g.first = false
	if g.client {
		return appendHeader(out, b, g.piece, nil)
	}
	return appendHeader(out, b, g.piece, g.head[g.have-4:g.have])
}

func (g *guard) dataBody(in, out []byte) (rest, passed []byte) {
	if g.piece == 0 {
		out = g.announce(out)
	}
	n := min(len(in), g.piece)
	out = append(out, in[:n]...)
	g.piece -= n
	g.left -= n
	if g.left == 0 {
		g.endData()
	}
	return in[n:], out
}

func (g *guard) endData() {
	g.endFrame()
	if g.fin {
		g.open, g.fragments, g.size = false, 0, 0
		g.done++
	}
}

func (g *guard) endFrame() { g.inBody, g.have, g.need = false, 0, 2 }

func (g *guard) controlBody(now time.Time, in []byte) (rest []byte) {
	n := min(len(in), g.left)
	for _, b := range in[:n] {
		if !g.client {
			b ^= g.head[g.have-4+len(g.control)%4]
		}
		g.control = append(g.control, b)
	}
	if g.left -= n; g.left == 0 {
		g.endControl(now)
	}
	return in[n:]
}

// endControl acts on a whole control frame: a close ends the stream, a ping is kept to be
// answered, a pong only counts against the rate.
func (g *guard) endControl(now time.Time) {
	g.endFrame()
	if g.op == opClose {
		g.end = readClose(g.control)
		return
	}
	if !g.take(now) {
		g.fail(CodePolicy, "too many control frames")
		return
	}
	if g.op == opPing {
		g.ping, g.pinged = append([]byte(nil), g.control...), true
	}
}

// allowance is a bucket of controlRate a second, for what a peer may send besides messages.
type allowance struct {
	tokens float64
	filled time.Time
}

func newAllowance() allowance { return allowance{tokens: controlRate} }

// take takes one token; false: there is none.
func (a *allowance) take(now time.Time) bool {
	refilled := a.tokens + controlRate*now.Sub(a.filled).Seconds()
	a.tokens = max(a.tokens, min(controlRate, refilled))
	a.filled = now
	if a.tokens < 1 {
		return false
	}
	a.tokens--
	return true
}
