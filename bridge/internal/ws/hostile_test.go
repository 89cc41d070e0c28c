package ws

import (
	"bytes"
	"fmt"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"
)

func eachRole(t *testing.T, test func(t *testing.T, client bool)) {
	for _, client := range []bool{false, true} {
		t.Run(map[bool]string{false: "server", true: "client"}[client], func(t *testing.T) { test(t, client) })
	}
}

// TestStreamsOverSockets sends every stream of the table to a live connection. A good text goes
// before it and must arrive; a sound stream is closed by the peer.
func TestStreamsOverSockets(t *testing.T) {
	for i, c := range streamCases() {
		t.Run(fmt.Sprintf("%d %s", i, c.name), func(t *testing.T) {
			eachRole(t, func(t *testing.T, client bool) {
				h := newRecorder(nil)
				_, p := pair(t, client, Options{}, h, nil)
				stream := join(p.frame(0x81, "before"), c.stream(!client))
				want, remote := c.code, c.remote
				if want == 0 {
					stream = append(stream, p.frame(0x88, string(closing(1000, "bye")))...)
					want, remote = 1000, true
				}
				sent := make(chan struct{})
				go func() { defer close(sent); p.send(stream); p.half() }()
				code, reason, _ := p.untilClose(t)
				p.Close()
				<-sent
				if code != want {
					t.Errorf("peer got close %d %q, want %d", code, reason, want)
				}
				if got, why := h.wait(t); got != want {
					t.Errorf("handler got %d %q, want %d", got, why, want)
				}
				if got := h.messages(); len(got) == 0 || got[0].data != "before" {
					t.Errorf("the good message before was lost: %d messages", len(got))
				}
				if remote && reason != "" {
					t.Errorf("the peer's reason was echoed: %q", reason)
				}
			})
		})
	}
}

func TestErrTellsWhoClosed(t *testing.T) {
	eachRole(t, func(t *testing.T, client bool) {
		for _, remote := range []bool{true, false} {
			h := newRecorder(nil)
			c, p := pair(t, client, Options{}, h, nil)
			if c.Err() != nil {
				t.Fatalf("open, yet %v", c.Err())
			}
			if remote {
				p.send(p.frame(0x88, string(closing(1002, "you erred"))))
			} else {
				p.send(p.frame(0xC1, "x"))
			}
			p.untilClose(t)
			p.Close()
			h.wait(t)
			e, ok := c.Err().(*CloseError)
			if !ok || e.Code != 1002 || e.Remote != remote || (e.Reason == "you erred") != remote {
				t.Errorf("remote %v: %v", remote, c.Err())
			}
		}
	})
}

func TestTextMustBeUTF8(t *testing.T) {
	cases := map[string][]string{
		"invalid":               {"\xff"},
		"over fragments":        {"ab", "\xc3", "\x28"},
		"cut in a rune":         {"grü\xc3"},
		"surrogate":             {"\xed\xa0\x80"},
		"overlong, over pieces": {strings.Repeat("x", pieceSize-1) + "\xc0\xaf"},
	}
	for name, parts := range cases {
		t.Run(name, func(t *testing.T) {
			eachRole(t, func(t *testing.T, client bool) {
				h := newRecorder(nil)
				_, p := pair(t, client, Options{}, h, nil)
				p.send(fragments(p, parts))
				code, _, _ := p.untilClose(t)
				p.Close()
				if got, _ := h.wait(t); got != CodeNotUTF8 || code != CodeNotUTF8 {
					t.Errorf("peer got %d, handler %d", code, got)
				}
				if n := len(h.messages()); n != 0 {
					t.Errorf("%d messages delivered", n)
				}
			})
		})
	}
}

func fragments(p *rawPeer, parts []string) (stream []byte) {
	for i, part := range parts {
		var b0 byte
		if i == 0 {
			b0 = 0x01
		}
		if i == len(parts)-1 {
			b0 |= 0x80
		}
		stream = append(stream, p.frame(b0, part)...)
	}
	return stream
}

// TestRuneAcrossPieces: the cut the guard makes may fall inside a rune.
func TestRuneAcrossPieces(t *testing.T) {
	eachRole(t, func(t *testing.T, client bool) {
		text := strings.Repeat("x", pieceSize-1) + "ü" + strings.Repeat("y", 3*pieceSize)
		h := newRecorder(nil)
		_, p := pair(t, client, Options{}, h, nil)
		p.send(fragments(p, []string{text, "", "é\xe2", "\x82\xac"}))
		p.send(p.frame(0x88, ""))
		p.untilClose(t)
		p.Close()
		h.wait(t)
		if got := h.messages(); len(got) != 1 || got[0].data != text+"é€" || got[0].binary {
			t.Errorf("%d messages", len(got))
		}
	})
}

// TestPipelinedWithHandshake: frames in the same packet as the handshake arrive once, and are
// guarded like any other.
func TestPipelinedWithHandshake(t *testing.T) {
	eachRole(t, func(t *testing.T, client bool) {
		early := join(frame(0x81, !client, []byte("first")), frame(0x82, !client, bytes.Repeat([]byte("x"), 9000)), frame(0x88, !client, nil))
		h := newRecorder(nil)
		_, p := pair(t, client, Options{}, h, early)
		p.untilClose(t)
		p.Close()
		h.wait(t)
		got := h.messages()
		if len(got) != 2 || got[0] != (inbound{"first", false}) || len(got[1].data) != 9000 {
			t.Errorf("%d messages", len(got))
		}
	})
	eachRole(t, func(t *testing.T, client bool) {
		h := newRecorder(nil)
		_, p := pair(t, client, Options{}, h, header(0x82, !client, 127, 1<<63|1<<40))
		if code, _, _ := p.untilClose(t); code != CodeProtocol {
			t.Errorf("close %d", code)
		}
		p.Close()
		h.wait(t)
	})
}

// TestPongs: pings are answered with their payload, also between fragments.
func TestPongs(t *testing.T) {
	eachRole(t, func(t *testing.T, client bool) {
		h := newRecorder(nil)
		_, p := pair(t, client, Options{}, h, nil)
		p.SetReadDeadline(time.Now().Add(patience))
		for _, payload := range []string{"", "abc", strings.Repeat("z", 125)} {
			p.send(p.frame(0x89, payload))
			if b0, got, err := p.next(); err != nil || b0 != 0x8A || string(got) != payload {
				t.Fatalf("pong %#x %q %v", b0, got, err)
			}
		}
		p.send(p.frame(0x88, ""))
		p.untilClose(t)
		p.Close()
		h.wait(t)
	})
}

// TestClaimedLengthReservesNothing: many peers that claim the limit and send ten bytes hold little.
func TestClaimedLengthReservesNothing(t *testing.T) {
	const peers = 64
	before := heap()
	var all []*rawPeer
	var handlers []*recorder
	for range peers {
		h := newRecorder(nil)
		_, p := dialled(t, Options{}, h, nil)
		p.send(append(header(0x82, false, 0, testLimit), make([]byte, 10)...))
		all, handlers = append(all, p), append(handlers, h)
	}
	time.Sleep(100 * time.Millisecond)
	if held := heap() - before; held > peers*testLimit/4 {
		t.Errorf("%d peers hold %d KiB each", peers, held/peers>>10)
	}
	for i, p := range all {
		p.Close()
		if code, _ := handlers[i].wait(t); code != CodeLost {
			t.Errorf("code %d", code)
		}
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestResetMidFrame: a broken connection is reported as lost, nothing partial is delivered.
func TestResetMidFrame(t *testing.T) {
	eachRole(t, func(t *testing.T, client bool) {
		h := newRecorder(nil)
		c, p := pair(t, client, Options{}, h, nil)
		p.send(append(header(0x82, !client, 0, 1000), make([]byte, 10)...))
		p.Conn.(*net.TCPConn).SetLinger(0)
		p.Close()
		if code, _ := h.wait(t); code != CodeLost || len(h.messages()) != 0 {
			t.Errorf("code %d, %d messages", code, len(h.messages()))
		}
		if err := c.Write([]byte("x"), false); err != ErrClosed {
			t.Errorf("write after the end: %v", err)
		}
	})
}

// TestStalledReader: a peer that reads nothing costs the outbox and no more, then is closed 1013.
func TestStalledReader(t *testing.T) {
	eachRole(t, func(t *testing.T, client bool) {
		h := newRecorder(nil)
		c, p := pair(t, client, Options{WriteTimeout: time.Second}, h, nil)
		shrink(c, p)
		before, data := heap(), make([]byte, 16<<10)
		var err error
		writes := 0
		for ; err == nil; writes++ {
			if writes > 10_000 {
				t.Fatal("the outbox has no bound")
			}
			err = c.Write(bytes.Clone(data), true)
		}
		if err != ErrOverflow {
			t.Errorf("write %d: %v", writes, err)
		}
		if held := heap() - before; held > 4<<20 {
			t.Errorf("%d KiB held", held>>10)
		}
		if err := c.Write(data, true); err != ErrClosed {
			t.Errorf("after overflow: %v", err)
		}
		if code, _ := h.wait(t); code != CodeTryLater {
			t.Errorf("code %d", code)
		}
		p.Close()
	})
}

// TestStalledReaderThatWakes sees the close frame behind what was already on its way.
func TestStalledReaderThatWakes(t *testing.T) {
	eachRole(t, func(t *testing.T, client bool) {
		h := newRecorder(nil)
		c, p := pair(t, client, Options{OutboxMessages: 20}, h, nil)
		shrink(c, p)
		for c.Write(make([]byte, 16<<10), true) == nil {
		}
		if code, _, _ := p.untilCloseAnswering(t); code != CodeTryLater {
			t.Errorf("peer got %d", code)
		}
		if code, _ := h.wait(t); code != CodeTryLater {
			t.Errorf("handler got %d", code)
		}
	})
}

// untilCloseAnswering ends the peer's direction first, so that the other side need not wait.
func (p *rawPeer) untilCloseAnswering(t *testing.T) (int, string, int) {
	p.half()
	return p.untilClose(t)
}

// shrink keeps the kernel from buffering megabytes between the two.
func shrink(c *Conn, p *rawPeer) {
	c.wire.Conn.(*net.TCPConn).SetWriteBuffer(16 << 10)
	p.Conn.(*net.TCPConn).SetReadBuffer(16 << 10)
}
