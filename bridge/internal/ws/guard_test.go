package ws

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// header writes a frame header as asked, sound or not. form is the length code: 0 chooses the
// shortest, 126 and 127 force a long one.
func header(b0 byte, masked bool, form byte, length uint64) []byte {
	if form == 0 {
		switch {
		case length < 126:
			form = byte(length)
		case length < 1<<16:
			form = 126
		default:
			form = 127
		}
	}
	h := []byte{b0, form}
	switch form {
	case 126:
		h = binary.BigEndian.AppendUint16(h, uint16(length))
	case 127:
		h = binary.BigEndian.AppendUint64(h, length)
	}
	if masked {
		h[1] |= 0x80
		h = append(h, testMask...)
	}
	return h
}

var testMask = []byte{0x11, 0x22, 0x33, 0x44}

func frame(b0 byte, masked bool, payload []byte) []byte {
	f := header(b0, masked, 0, uint64(len(payload)))
	for i, b := range payload {
		if masked {
			b ^= testMask[i%4]
		}
		f = append(f, b)
	}
	return f
}

func closing(code uint16, reason string) []byte {
	return append(binary.BigEndian.AppendUint16(nil, code), reason...)
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

const testLimit = 256 << 10

type streamCase struct {
	name   string
	stream func(masked bool) []byte
	code   int  // 0: the stream is sound and stays open
	remote bool // the peer's own close
}

func start(b0 byte, length uint64) func(bool) []byte {
	return func(m bool) []byte { return header(b0, m, 0, length) }
}

func whole(b0 byte, payload string) func(bool) []byte {
	return func(m bool) []byte { return frame(b0, m, []byte(payload)) }
}

func form(b0, form byte, length uint64) func(bool) []byte {
	return func(m bool) []byte { return header(b0, m, form, length) }
}

func several(parts ...func(bool) []byte) func(bool) []byte {
	return func(m bool) []byte {
		var all []byte
		for _, p := range parts {
			all = append(all, p(m)...)
		}
		return all
	}
}

func times(n int, part func(bool) []byte) func(bool) []byte {
	return func(m bool) []byte { return bytes.Repeat(part(m), n) }
}

func closed(code uint16, reason string) func(bool) []byte {
	return whole(0x88, string(closing(code, reason)))
}

// streamCases are what the far side may send, in either role.
func streamCases() []streamCase {
	cases := []streamCase{
		{name: "text", stream: whole(0x81, "hello")},
		{name: "empty text", stream: whole(0x81, "")},
		{name: "W2 at the limit", stream: whole(0x82, strings.Repeat("x", testLimit))},
		{name: "W8 fragments with a ping between", stream: several(whole(0x01, "a"), whole(0x89, "p"), whole(0x80, "b"))},
		{name: "W10 64 fragments", stream: several(whole(0x01, "a"), times(62, whole(0x00, "b")), whole(0x80, "c"))},
		{name: "W13 ten pings", stream: times(10, whole(0x89, ""))},
		{name: "W13 unsolicited pong", stream: whole(0x8A, "x")},

		{name: "W1 length out of range, text", stream: form(0x81, 127, 1<<63), code: 1002},
		{name: "W1 length all ones, binary", stream: form(0x82, 127, math.MaxUint64), code: 1002},
		{name: "W1 length out of range, continuation", stream: several(whole(0x01, "a"), form(0x80, 127, 1<<63|5)), code: 1002},
		{name: "W1 length out of range, ping", stream: form(0x89, 127, 1<<63), code: 1002},
		{name: "W2 length 2^31", stream: start(0x82, 1<<31), code: 1009},
		{name: "W2 length 2^32", stream: start(0x82, 1<<32), code: 1009},
		{name: "W2 length 2^53", stream: start(0x82, 1<<53), code: 1009},
		{name: "W2 largest length", stream: start(0x82, math.MaxInt64), code: 1009},
		{name: "W2 one over the limit", stream: start(0x82, testLimit+1), code: 1009},
		{name: "W2 fragments over the limit", stream: several(
			whole(0x02, strings.Repeat("x", testLimit-1)), start(0x80, 2)), code: 1009},
		{name: "W4 16 bit form for 125", stream: form(0x81, 126, 125), code: 1002},
		{name: "W4 64 bit form for 65535", stream: form(0x81, 127, 65535), code: 1002},
		{name: "W4 64 bit form for 0", stream: form(0x81, 127, 0), code: 1002},
		{name: "W5 wrong masking", stream: func(m bool) []byte { return frame(0x81, !m, []byte("x")) }, code: 1002},
		{name: "W5 wrong masking of a ping", stream: func(m bool) []byte { return frame(0x89, !m, nil) }, code: 1002},
		{name: "W8 control of 126", stream: start(0x89, 126), code: 1002},
		{name: "W8 fragmented ping", stream: whole(0x09, "x"), code: 1002},
		{name: "W8 fragmented close", stream: whole(0x08, ""), code: 1002},
		{name: "W9 continuation without start", stream: whole(0x80, "x"), code: 1002},
		{name: "W9 continuation after the end", stream: several(whole(0x81, "x"), whole(0x80, "x")), code: 1002},
		{name: "W9 start inside a message", stream: several(whole(0x01, "x"), whole(0x81, "x")), code: 1002},
		{name: "W10 65 fragments", stream: several(whole(0x01, ""), times(64, whole(0x00, ""))), code: 1008},
		{name: "W10 a million empty fragments", stream: several(whole(0x02, ""), times(1_000_000, whole(0x00, ""))), code: 1008},
		{name: "W10 1-byte fragments", stream: several(whole(0x02, "x"), times(1000, whole(0x00, "x"))), code: 1008},
		{name: "W13 ping flood", stream: times(100_000, whole(0x89, "x")), code: 1008},
		{name: "W13 pong flood", stream: times(1000, whole(0x8A, "x")), code: 1008},

		{name: "W12 close without code", stream: whole(0x88, ""), code: 1005, remote: true},
		{name: "W12 close of one byte", stream: whole(0x88, "x"), code: 1002},
		{name: "W12 close with bad reason", stream: closed(1000, "\xff\xfe"), code: 1007},
		{name: "W12 data after close", stream: several(closed(1000, "bye"), whole(0x81, "late"), form(0x81, 127, 1<<63)), code: 1000, remote: true},
	}
	for _, code := range []uint16{0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535} {
		cases = append(cases, streamCase{name: "W12 invalid close code", stream: closed(code, ""), code: 1002})
	}
	for _, code := range []uint16{1000, 1001, 1003, 1007, 1008, 1011, 1012, 1013, 1014, 3000, 4001, 4999} {
		cases = append(cases, streamCase{name: "W12 valid close code", stream: closed(code, "why"), code: int(code), remote: true})
	}
	for op := byte(0); op < 16; op++ {
		for _, rsv := range []byte{0x40, 0x20, 0x10, 0x70} {
			cases = append(cases, streamCase{name: "W6 reserved bit", stream: whole(0x80|rsv|op, ""), code: 1002})
		}
		if op > 2 && op < 8 || op > 10 {
			cases = append(cases, streamCase{name: "W7 reserved opcode", stream: whole(0x80|op, ""), code: 1002})
		}
	}
	return cases
}

// verdict feeds a stream in chunks of n bytes (0: whole) at one moment.
func verdict(client bool, stream []byte, n int) (passed []byte, end CloseError, pings int) {
	g := newGuard(client, testLimit)
	if n == 0 {
		n = max(1, len(stream))
	}
	for len(stream) > 0 {
		n := min(n, len(stream))
		passed = g.feed(time.Unix(1, 0), passed, stream[:n])
		stream = stream[n:]
		if _, ok := g.takePing(); ok {
			pings++
		}
	}
	if g.end != nil {
		end = *g.end
	}
	return passed, end, pings
}

func TestGuardVerdicts(t *testing.T) {
	for _, c := range streamCases() {
		for _, client := range []bool{false, true} {
			_, end, _ := verdict(client, c.stream(!client), 0)
			if end.Code != c.code || end.Remote != c.remote {
				t.Errorf("%s, client %v: code %d (%s) remote %v, want %d remote %v", c.name, client, end.Code, end.Reason, end.Remote, c.code, c.remote)
			}
		}
	}
}

// TestGuardKeepsGoodFramesBeforeBad: what came whole before a violation is handed on.
func TestGuardKeepsGoodFramesBeforeBad(t *testing.T) {
	good := frame(0x81, true, []byte("hello"))
	passed, end, _ := verdict(false, join(good, frame(0xC1, true, nil), good), 0)
	if end.Code != 1002 || !bytes.Equal(passed, good) {
		t.Fatalf("passed %x, code %d", passed, end.Code)
	}
}

func TestGuardRefillsAndRests(t *testing.T) {
	g := newGuard(true, testLimit)
	now := time.Unix(1, 0)
	ping := frame(0x89, false, []byte("x"))
	for i := range 200 { // ten a second is allowed for ever
		if g.feed(now.Add(time.Duration(i)*100*time.Millisecond), nil, ping); g.end != nil {
			t.Fatalf("ping %d at 10/s: %v", i, g.end)
		}
	}
	now = now.Add(time.Hour)
	g.rested(30 * time.Second)
	if g.feed(now, nil, bytes.Repeat(ping, 300)); g.end != nil {
		t.Fatalf("pings gathered in 30 s of rest: %v", g.end)
	}
	if g.feed(now, nil, ping); g.end == nil {
		t.Fatal("one more than the rest allows passed")
	}
}

type pickedFrame struct {
	b0      byte
	payload []byte
}

// unframe reads what the guard let through, as the library would.
func unframe(t interface{ Fatalf(string, ...any) }, stream []byte, masked bool) (frames []pickedFrame) {
	for len(stream) > 0 {
		b0, length := stream[0], int(stream[1]&0x7f)
		if stream[1]&0x80 != 0 != masked {
			t.Fatalf("masking of a passed frame is wrong")
		}
		stream = stream[2:]
		if length == 126 {
			length = int(binary.BigEndian.Uint16(stream))
			stream = stream[2:]
		}
		if length > pieceSize || b0&0x70 != 0 || b0&0x0f > 2 {
			t.Fatalf("passed frame %#x of %d bytes", b0, length)
		}
		var mask []byte
		if masked {
			mask, stream = stream[:4], stream[4:]
		}
		n := min(length, len(stream)) // the last frame may still be on its way
		payload := bytes.Clone(stream[:n])
		for i := range payload {
			if masked {
				payload[i] ^= mask[i%4]
			}
		}
		frames, stream = append(frames, pickedFrame{b0, payload}), stream[n:]
	}
	return frames
}

// TestGuardConserves: any sound messages, however fragmented and cut, leave as the same messages.
func TestGuardConserves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		client := rapid.Bool().Draw(t, "client")
		var stream, want []byte
		for range rapid.IntRange(1, 4).Draw(t, "messages") {
			op := rapid.SampledFrom([]byte{1, 2}).Draw(t, "op")
			want = append(want, op)
			n := rapid.IntRange(1, 5).Draw(t, "fragments")
			for i := range n {
				payload := bytes.Repeat(rapid.SliceOfN(rapid.Byte(), 1, 7).Draw(t, "payload"), rapid.IntRange(0, 3000).Draw(t, "repeat"))
				b0 := op
				if i > 0 {
					b0 = 0
				}
				if i == n-1 {
					b0 |= 0x80
				}
				stream = append(stream, frame(b0, !client, payload)...)
				want = append(want, payload...)
			}
			want = append(want, '|')
		}
		passed, end, _ := verdict(client, stream, rapid.IntRange(1, 9000).Draw(t, "cut"))
		if end.Code != 0 {
			t.Fatalf("sound stream ended: %v", &end)
		}
		var got []byte
		for _, f := range unframe(t, passed, !client) {
			if f.b0&0x0f != 0 {
				got = append(got, f.b0&0x0f)
			}
			got = append(got, f.payload...)
			if f.b0&0x80 != 0 {
				got = append(got, '|')
			}
		}
		if !bytes.Equal(got, want) {
			t.Fatalf("messages changed: %d bytes in, %d out", len(want), len(got))
		}
	})
}

// FuzzGuard: any bytes, whole and byte by byte, give the same verdict and the same output, which
// is always sound and never longer than what came plus its piece headers.
func FuzzGuard(f *testing.F) {
	for _, c := range streamCases() {
		for _, client := range []bool{false, true} {
			if s := c.stream(!client); len(s) < 1000 {
				f.Add(client, s)
			}
		}
	}
	for _, c := range suite() {
		for _, client := range []bool{false, true} {
			if s := c.stream(!client); len(s) < 1000 {
				f.Add(client, s)
			}
		}
	}
	f.Fuzz(func(t *testing.T, client bool, stream []byte) {
		passed, end, _ := verdict(client, stream, 0)
		slow, slowEnd, _ := verdict(client, stream, 1)
		if end != slowEnd {
			t.Fatalf("whole: %+v, byte by byte: %+v", end, slowEnd)
		}
		if !bytes.Equal(passed, slow) {
			t.Fatalf("whole passes %x, byte by byte %x", passed, slow)
		}
		if most := len(stream) + 8*(len(stream)/pieceSize+1); len(passed) > most {
			t.Fatalf("%d bytes became %d", len(stream), len(passed))
		}
		unframe(t, passed, !client)
	})
}
