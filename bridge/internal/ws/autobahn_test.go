package ws

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// numbered is a case of the suite in the numbering of the Autobahn test suite:
// what the far side sends, in pieces of chop bytes, and what comes of it.
type numbered struct {
	number string
	stream func(masked bool) []byte
	chop   int
	want   []inbound
	pongs  []string
	code   int // 0: sound; the far side then closes with 1000
}

// sends makes the stream of some frames.
func sends(frames ...func(bool) []byte) func(bool) []byte { return several(frames...) }

// parts are the frames of one message.
func parts(op byte, texts ...string) func(bool) []byte {
	var frames []func(bool) []byte
	for i, text := range texts {
		b0 := byte(0)
		if i == 0 {
			b0 = op
		}
		if i == len(texts)-1 {
			b0 |= finBit
		}
		frames = append(frames, whole(b0, text))
	}
	return several(frames...)
}

// byBytes cuts a text into pieces of n bytes.
func byBytes(text string, n int) []string {
	var out []string
	for piece := range slices.Chunk([]byte(text), n) {
		out = append(out, string(piece))
	}
	if out == nil {
		out = []string{""}
	}
	return out
}

// framing is section 1: messages of every size that has a form of its own.
func framing() (all []numbered) {
	for kind, op := range []byte{opText, opBinary} {
		for i, size := range []int{0, 1, 125, 126, 127, 128, 4095, 4096, 4097, 65535, 65536, 65537, testLimit} {
			text := strings.Repeat("*", size)
			for _, chop := range []int{0, 997, 4096} {
				all = append(all, numbered{number: fmt.Sprintf("1.%d.%d chop %d", kind+1, i+1, chop), stream: parts(op, text), chop: chop, want: []inbound{{text, op == opBinary}}})
			}
		}
	}
	return all
}

// pings is section 2.
func pings() (all []numbered) {
	long := strings.Repeat("\xfe", 125)
	ten, answers := times(10, whole(0x89, "payload")), slices.Repeat([]string{"payload"}, 10)
	for _, chop := range []int{0, 1, 2, 7} {
		for i, c := range []numbered{
			{stream: whole(0x89, ""), pongs: []string{""}},
			{stream: whole(0x89, "Hello, world!"), pongs: []string{"Hello, world!"}},
			{stream: whole(0x89, "\x00\xff\xfe\xfd\xfc\xfb\x00\xff"), pongs: []string{"\x00\xff\xfe\xfd\xfc\xfb\x00\xff"}},
			{stream: whole(0x89, long), pongs: []string{long}},
			{stream: start(0x89, 126), code: CodeProtocol},
			{stream: form(0x89, 126, 5), code: CodeProtocol},
			{stream: whole(0x8A, "")},
			{stream: whole(0x8A, "unsolicited")},
			{stream: sends(whole(0x8A, "unsolicited"), whole(0x89, "ping")), pongs: []string{"ping"}},
			{stream: ten, pongs: answers},
		} {
			c.number, c.chop = fmt.Sprintf("2.%d chop %d", i+1, chop), chop
			all = append(all, c)
		}
	}
	return all
}

// reserved is sections 3 and 4: bits and opcodes nobody has given a meaning. With
// compression refused, sections 12 and 13 are the first bit on every data frame.
func reserved() (all []numbered) {
	before, after := whole(0x81, "before"), sends(whole(0x81, "after"), whole(0x89, ""))
	seen := []inbound{{"before", false}}
	for rsv := byte(1); rsv < 8; rsv++ {
		for _, op := range []byte{opText, opBinary, opContinuation, opClose, opPing, opPong} {
			for _, size := range []int{0, 5, 125} {
				c := numbered{number: fmt.Sprintf("3.%d opcode %d size %d", rsv, op, size), stream: sends(before, whole(finBit|rsv<<4|op, strings.Repeat("x", size)), after), want: seen, code: CodeProtocol}
				if rsv == 4 && op <= opBinary {
					c.number = fmt.Sprintf("12 and 13, compressed frame, opcode %d size %d", op, size)
				}
				all = append(all, c)
			}
		}
	}
	for op := byte(3); op < 16; op++ {
		for n := range 5 {
			if op > 7 && op < 11 {
				continue
			}
			size := []int{0, 1, 5, 125, 1000}[n]
			all = append(all, numbered{number: fmt.Sprintf("4.%d.%d size %d", 1+op/8, op, size), chop: n, want: seen, code: CodeProtocol,
				stream: sends(before, whole(finBit|op, strings.Repeat("x", size)), after)})
		}
	}
	return all
}

// fragmentation is section 5.
func fragmentation() (all []numbered) {
	ping, two := whole(0x89, "p"), []inbound{{"fragment1fragment2", false}}
	five := []inbound{{"f1f2f3f4f5", false}}
	for _, chop := range []int{0, 1, 3, 11} {
		for i, c := range []numbered{
			{stream: whole(0x09, "x"), code: CodeProtocol},
			{stream: whole(0x0A, "x"), code: CodeProtocol},
			{stream: parts(opText, "fragment1", "fragment2"), want: two},
			{stream: parts(opText, "", "fragment1", "", "fragment2", ""), want: two},
			{stream: sends(whole(0x01, "fragment1"), ping, whole(0x80, "fragment2")), want: two, pongs: []string{"p"}},
			{stream: sends(whole(0x01, "fragment1"), whole(0x8A, "p"), whole(0x80, "fragment2")), want: two},
			{stream: whole(0x80, "non-continuation"), code: CodeProtocol},
			{stream: whole(0x00, "non-continuation"), code: CodeProtocol},
			{stream: sends(whole(0x80, "x"), whole(0x81, "y")), code: CodeProtocol},
			{stream: sends(whole(0x00, "x"), whole(0x81, "y")), code: CodeProtocol},
			{stream: sends(parts(opText, "fragment1", "fragment2"), whole(0x00, "3"), whole(0x81, "4")), want: two, code: CodeProtocol},
			{stream: sends(whole(0x00, "1"), parts(opText, "2", "3")), code: CodeProtocol},
			{stream: sends(whole(0x80, "1"), parts(opText, "2", "3")), code: CodeProtocol},
			{stream: sends(whole(0x01, "1"), whole(0x81, "2")), code: CodeProtocol},
			{stream: sends(whole(0x01, "1"), whole(0x82, "2")), code: CodeProtocol},
			{stream: sends(whole(0x01, "f1"), whole(0x00, "f2"), ping, whole(0x00, "f3"), whole(0x00, "f4"), ping, whole(0x80, "f5")), want: five, pongs: []string{"p", "p"}},
			{stream: sends(whole(0x01, "1"), closed(1000, "")), code: 1000},
		} {
			c.number, c.chop = fmt.Sprintf("5.%d chop %d", i+1, chop), chop
			all = append(all, c)
		}
	}
	return all
}

// texts are section 6, by Markus Kuhn's stress test for decoders.
func texts() (all []numbered) {
	kosme := "\u03ba\u1f79\u03c3\u03bc\u03b5"
	sound := []string{"", "Hello-\u00b5@\u00df\u00f6\u00e4\u00fc\u00e0\u00e1-UTF-8!!", kosme, "\x00", "\u0080", "\u0800", "\U00010000", "\x7f", "\u07ff", "\uffff", "\U0010ffff",
		"\ud7ff", "\ue000", "\ufffd", "\ufffe", "\U0001fffe", "\U0010fffe", "\ufdd0", "a\u0301\u0302"}
	broken := []string{kosme + "\xed\xa0\x80edited", "\xf8\x88\x80\x80\x80", "\xfc\x84\x80\x80\x80\x80", "\xf7\xbf\xbf\xbf", "\xfb\xbf\xbf\xbf\xbf", "\xfd\xbf\xbf\xbf\xbf\xbf", "\xf4\x90\x80\x80",
		"\x80", "\xbf", "\x80\xbf", "\x80\xbf\x80\xbf\x80\xbf", "\xc0 \xc1 ", "\xe0 \xe1 ", "\xf0 \xf1 ", "\xf8 ", "\xfc ", "\xc0", "\xe0\x80", "\xf0\x80\x80", "\xdf", "\xef\xbf", "\xf7\xbf\xbf",
		"\xfe", "\xff", "\xfe\xfe\xff\xff", "\xc0\xaf", "\xe0\x80\xaf", "\xf0\x80\x80\xaf", "\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xc0\x80", "\xed\xa0\x80", "\xed\xad\xbf", "\xed\xae\x80",
		"\xed\xaf\xbf", "\xed\xb0\x80", "\xed\xbf\xbf", "\xed\xa0\x80\xed\xb0\x80", "\xed\xaf\xbf\xed\xbf\xbf", kosme + "\xf4\x90\x80\x80edited"}
	for i := 1; i < len(kosme); i++ {
		if !utf8.ValidString(kosme[:i]) {
			broken = append(broken, kosme[:i]) // 6.6: cut in a character
		} else {
			sound = append(sound, kosme[:i])
		}
	}
	for k, list := range [][]string{sound, broken} {
		for i, text := range list {
			for n, pieces := range [][]string{{text}, byBytes(text, 1), append([]string{""}, byBytes(text, 2)...)} {
				c := numbered{number: fmt.Sprintf("6.%d.%d pieces %d", k+1, i+1, n), stream: parts(opText, pieces...), chop: n}
				if k == 0 {
					c.want = []inbound{{text, false}}
				} else {
					c.code = CodeNotUTF8
				}
				all = append(all, c)
				if n == 1 {
					all = append(all, numbered{number: c.number + " binary", stream: parts(opBinary, pieces...), want: []inbound{{text, true}}})
				}
			}
		}
	}
	return all
}

// closes is section 7.
func closes() (all []numbered) {
	add := func(section string, code int, stream func(bool) []byte, want ...inbound) {
		for _, chop := range []int{0, 1} {
			all = append(all, numbered{number: fmt.Sprintf("7.%s chop %d", section, chop), stream: stream, chop: chop, code: code, want: want})
		}
	}
	hello := inbound{"hello", false}
	add("1.1", 1000, sends(whole(0x81, "hello"), closed(1000, "")), hello)
	add("1.2", 1000, sends(closed(1000, ""), closed(1000, "")))
	add("1.3", 1000, sends(closed(1000, ""), whole(0x89, "")))
	add("1.4", 1000, sends(closed(1000, ""), whole(0x81, "late")))
	add("1.5", 1000, sends(whole(0x01, "hel"), closed(1000, ""), whole(0x80, "lo")))
	add("3.1", CodeNone, whole(0x88, ""))
	add("3.2", CodeProtocol, whole(0x88, "a"))
	add("3.3", 1000, closed(1000, ""))
	add("3.4", 1000, closed(1000, "Hello World!"))
	add("3.5", 1000, closed(1000, strings.Repeat("*", 123)))
	add("3.6", CodeProtocol, sends(start(0x88, 126)))
	add("5.1", CodeNotUTF8, closed(1000, "\u03ba\u1f79\u03c3\u03bc\u03b5\xed\xa0\x80edited"))
	for i, code := range []uint16{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999} {
		add(fmt.Sprintf("7.%d", i+1), int(code), closed(code, ""))
	}
	for i, code := range []uint16{0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999} {
		add(fmt.Sprintf("9.%d", i+1), CodeProtocol, closed(code, ""))
	}
	for i, code := range []uint16{5000, 65535} {
		add(fmt.Sprintf("13.%d", i+1), CodeProtocol, closed(code, ""))
	}
	return all
}

// limits is sections 9 and 10: large messages in frames of many sizes, up to our
// limits and over them.
func limits() (all []numbered) {
	for k, op := range []byte{opText, opBinary} {
		for i, size := range []int{16 << 10, 64 << 10, testLimit} {
			text := strings.Repeat("BAsd7&jh23", size/10+1)[:size]
			for n, piece := range []int{64 << 10, 16 << 10, 4 << 10} {
				pieces := byBytes(text, piece)
				c := numbered{number: fmt.Sprintf("9.%d.%d frames of %d", k+1, i+1, piece), stream: parts(op, pieces...), chop: []int{0, 1300, 8192}[n], want: []inbound{{text, op == opBinary}}}
				all = append(all, c)
			}
		}
		all = append(all,
			numbered{number: fmt.Sprintf("9.%d.4 over the limit", k+1), stream: start(finBit|op, testLimit+1), code: CodeTooLarge},
			numbered{number: fmt.Sprintf("9.%d.5 over the limit in frames", k+1), stream: sends(whole(op, strings.Repeat("*", testLimit)), whole(0x80, "*")), code: CodeTooLarge},
			numbered{number: fmt.Sprintf("9.%d.6 frames of one byte", k+1), stream: sends(whole(op, "*"), times(64, whole(0x00, "*"))), code: CodePolicy},
			numbered{number: fmt.Sprintf("10.1.%d", k+1), stream: parts(op, byBytes(strings.Repeat("*", 65536), 1300)...), want: []inbound{{strings.Repeat("*", 65536), op == opBinary}}})
	}
	return all
}

// suite is every case. Of the catalogue of bad input it has rows W6, W7, W8, W9, W11, W12 and
// W14, and W24, which is all of them towards a client. FuzzGuard begins with them.
func suite() []numbered {
	return slices.Concat(framing(), pings(), reserved(), fragmentation(), texts(), closes(), limits())
}

// TestAutobahn plays every case in both roles over a real connection: what was
// whole before a fault arrives, pings are answered in order, and the close code is
// the one the standard asks for.
func TestAutobahn(t *testing.T) {
	played := map[string]bool{}
	for _, c := range suite() {
		for role, client := range map[string]bool{"server": false, "client": true} {
			name := c.number + " " + role
			if played[name] {
				t.Errorf("two cases are %s", name)
			}
			played[name] = true
			t.Run(name, func(t *testing.T) { c.play(t, client) })
		}
	}
	if len(played) < 700 {
		t.Errorf("%d cases", len(played))
	}
}

func (c numbered) play(t *testing.T, client bool) {
	h := newRecorder(nil)
	_, p := pair(t, client, Options{}, h, nil)
	stream, want := c.stream(!client), c.code
	last := p.frame(0x88, string(closing(1000, "")))
	if want == 0 {
		want = 1000
	}
	if c.code != 0 {
		last = nil
	}
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		chop := c.chop
		if chop == 0 {
			chop = len(stream)
		}
		for piece := range slices.Chunk(stream, chop) {
			p.send(piece)
		}
		if len(c.pongs) == 0 || c.code != 0 {
			p.send(last)
			p.half()
		}
	}()
	pongs, code := p.answers(c.pongs, func() { <-sent; p.send(last); p.half() })
	p.Close()
	<-sent
	if got, why := h.wait(t); code != want || got != want {
		t.Errorf("the peer got %d, the handler %d %q, want %d", code, got, why, want)
	}
	if got := h.messages(); !slices.Equal(got, c.want) {
		t.Errorf("%d messages, want %d: %.300s", len(got), len(c.want), fmt.Sprintf("%+v", got))
	}
	// Of pings that come together only the newest need be answered.
	if !inOrder(pongs, c.pongs) || len(c.pongs) > 0 && pongs == nil {
		t.Errorf("pongs %q, want %q", pongs, c.pongs)
	}
}

// answers reads to the end: the pongs, and the code of the close frame. Once the
// last ping that is to be answered has been, it calls done.
func (p *rawPeer) answers(wanted []string, done func()) (pongs []string, code int) {
	p.SetReadDeadline(time.Now().Add(patience))
	for {
		b0, payload, err := p.next()
		switch {
		case err != nil:
			return pongs, CodeLost
		case b0 == 0x88 && len(payload) >= 2:
			return pongs, int(payload[0])<<8 | int(payload[1])
		case b0 == 0x88:
			return pongs, CodeNone
		case b0 != 0x8A:
			continue
		}
		pongs = append(pongs, string(payload))
		if len(wanted) > 0 && string(payload) == wanted[len(wanted)-1] && done != nil {
			done()
			done = nil
		}
	}
}

// inOrder reports whether got are some of want, in their order.
func inOrder(got, want []string) bool {
	for _, g := range got {
		at := slices.Index(want, g)
		if at < 0 {
			return false
		}
		want = want[at+1:]
	}
	return true
}
