package ws

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// withCoder runs ours against the other implementation, in one role.
func withCoder(t *testing.T, client bool, o Options, h *recorder, other func(ctx context.Context, ws *websocket.Conn)) *Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	if !client {
		ours := make(chan *Conn, 1)
		server := serve(t, o, func(c *Conn) { ours <- c; c.Run(h) })
		ws, _, err := websocket.Dial(ctx, server.URL, &websocket.DialOptions{CompressionMode: websocket.CompressionContextTakeover})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { ws.CloseNow() })
		c := <-ours
		other(ctx, ws)
		return c
	}
	done := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(done)
		ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: websocket.CompressionContextTakeover})
		if err != nil {
			t.Error(err)
			return
		}
		defer ws.CloseNow()
		other(ctx, ws)
	}))
	t.Cleanup(server.Close)
	c, err := Dial(ctx, &net.Dialer{}, strings.Replace(server.URL, "http", "ws", 1), nil, o)
	if err != nil {
		t.Fatal(err)
	}
	c.Run(h)
	<-done
	return c
}

func sizes() []int {
	return []int{0, 1, 125, 126, 4095, 4096, 4097, 65535, 65536, testLimit}
}

// TestEchoWithCoder: both kinds, all length forms, fragments and pings, in both roles.
func TestEchoWithCoder(t *testing.T) {
	eachRole(t, func(t *testing.T, client bool) {
		h := newRecorder(func(c *Conn, data []byte, binary bool) {
			if err := c.Write(data, binary); err != nil {
				t.Error(err)
			}
		})
		withCoder(t, client, Options{}, h, func(ctx context.Context, ws *websocket.Conn) {
			ws.SetReadLimit(1 << 20)
			for i, n := range sizes() {
				kind := websocket.MessageType(1 + i%2)
				payload := bytes.Repeat([]byte("ü"), n/2+1)[:n&^1]
				if err := write(ctx, ws, kind, payload, i%3); err != nil {
					t.Error(err)
				}
				got, back, err := ws.Read(ctx)
				if err != nil || got != kind || !bytes.Equal(back, payload) {
					t.Errorf("size %d: kind %v, %d bytes, %v", n, got, len(back), err)
				}
			}
			pinged := make(chan error, 1)
			reading, stop := context.WithCancel(ctx)
			defer stop()
			reading = ws.CloseRead(reading)
			go func() { pinged <- ws.Ping(ctx) }()
			if err := <-pinged; err != nil {
				t.Error("ping:", err)
			}
			if err := ws.Close(4321, "done"); err != nil {
				t.Error("close:", err)
			}
		})
		if code, reason := h.wait(t); code != 4321 || reason != "done" {
			t.Errorf("closed %d %q", code, reason)
		}
	})
}

// write sends a message in one frame or in cuts+1.
func write(ctx context.Context, ws *websocket.Conn, kind websocket.MessageType, payload []byte, cuts int) error {
	if cuts == 0 {
		return ws.Write(ctx, kind, payload)
	}
	w, err := ws.Writer(ctx, kind)
	if err != nil {
		return err
	}
	step := len(payload)/(cuts+1) + 1
	for len(payload) > 0 {
		n := min(step, len(payload))
		if _, err := w.Write(payload[:n]); err != nil {
			return err
		}
		payload = payload[n:]
	}
	return w.Close()
}

// TestCloseFlushes: what was queued before Close arrives before the close frame.
func TestCloseFlushes(t *testing.T) {
	eachRole(t, func(t *testing.T, client bool) {
		h := newRecorder(func(c *Conn, _ []byte, _ bool) {
			for i := range 200 {
				c.Write(fmt.Append(nil, i), false)
			}
			c.Close(1001, "going")
			c.Close(1000, "a second close does nothing")
			if err := c.Write(nil, false); err != ErrClosed {
				t.Errorf("write after close: %v", err)
			}
		})
		withCoder(t, client, Options{}, h, func(ctx context.Context, ws *websocket.Conn) {
			ws.Write(ctx, websocket.MessageText, []byte("go"))
			for i := range 200 {
				if _, data, err := ws.Read(ctx); err != nil || string(data) != fmt.Sprint(i) {
					t.Fatalf("message %d: %q %v", i, data, err)
				}
			}
			_, _, err := ws.Read(ctx)
			var closed websocket.CloseError
			if !errors.As(err, &closed) || closed.Code != 1001 || closed.Reason != "going" {
				t.Errorf("closed with %v", err)
			}
		})
		if code, reason := h.wait(t); code != 1001 || reason != "going" {
			t.Errorf("handler got %d %q", code, reason)
		}
	})
}

func TestCloseCodesAndReasons(t *testing.T) {
	cases := []struct {
		code       int
		reason     string
		want       int
		wantReason string
	}{
		{1000, "", 1000, ""},
		{1003, "text only", 1003, "text only"},
		{1005, "", 1000, ""},
		{7, "x", 1000, "x"},
		{4999, strings.Repeat("ü", 100), 4999, strings.Repeat("ü", 61)},
		{1011, "a\xffb", 1011, "a\uFFFDb"},
	}
	for _, c := range cases {
		eachRole(t, func(t *testing.T, client bool) {
			h := newRecorder(nil)
			conn, p := pair(t, client, Options{}, h, nil)
			conn.Close(c.code, c.reason)
			b0, payload, err := p.next()
			if want := closing(uint16(c.want), c.wantReason); err != nil || b0 != 0x88 || !bytes.Equal(payload, want) {
				t.Errorf("%d %q: %#x %q %v", c.code, c.reason, b0, payload, err)
			}
			p.send(p.frame(0x81, "late, not delivered"))
			p.send(p.frame(0x88, string(payload)))
			p.Close()
			if code, _ := h.wait(t); code != c.want || len(h.messages()) != 0 {
				t.Errorf("handler got %d, %d messages", code, len(h.messages()))
			}
		})
	}
}

// TestCloseWithoutRun: a connection nobody runs is still closed, and its writer ends.
func TestCloseWithoutRun(t *testing.T) {
	addr := make(chan string, 1)
	server := serve(t, Options{WriteTimeout: 100 * time.Millisecond}, func(c *Conn) {
		addr <- c.RemoteAddr().String()
		c.Close(1001, "")
		<-c.written
	})
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ws.CloseNow()
	if _, _, err := ws.Read(ctx); websocket.CloseStatus(err) != 1001 {
		t.Error(err)
	}
	if host, _, err := net.SplitHostPort(<-addr); err != nil || host != "127.0.0.1" {
		t.Errorf("remote address %q", host)
	}
}

// TestPanicCloses1011: a handler's panic ends its connection, not the process, and its text stays here.
func TestPanicCloses1011(t *testing.T) {
	eachRole(t, func(t *testing.T, client bool) {
		h := newRecorder(func(*Conn, []byte, bool) { panic("secret detail") })
		c, p := pair(t, client, Options{}, h, nil)
		p.send(join(p.frame(0x81, "one"), p.frame(0x81, "two"), p.frame(0x88, "")))
		if code, reason, _ := p.untilClose(t); code != CodeInternal || strings.Contains(reason, "secret") {
			t.Errorf("peer got %d %q", code, reason)
		}
		p.Close()
		if code, _ := h.wait(t); code != CodeInternal || len(h.messages()) != 1 {
			t.Errorf("handler got %d after %d messages", code, len(h.messages()))
		}
		e := c.Err().(*CloseError)
		if e.Err == nil || !strings.Contains(e.Err.Error(), "secret detail") {
			t.Errorf("the panic is not on record: %v", e.Err)
		}
	})
}

type panickingClose struct{ *recorder }

func (p panickingClose) OnClose(c *Conn, code int, reason string) {
	p.recorder.OnClose(c, code, reason)
	panic("in OnClose")
}

func TestPanicInOnClose(t *testing.T) {
	h := newRecorder(nil)
	_, p := dialled(t, Options{}, panickingClose{h}, nil)
	p.send(p.frame(0x88, ""))
	p.untilClose(t)
	p.Close()
	if code, _ := h.wait(t); code != CodeNone {
		t.Errorf("code %d", code)
	}
}

// TestWriters: messages of many goroutines arrive whole, once, each goroutine's in its order.
func TestWriters(t *testing.T) {
	const writers, each = 8, 100
	eachRole(t, func(t *testing.T, client bool) {
		h := newRecorder(nil)
		c, p := pair(t, client, Options{PingEvery: time.Millisecond}, h, nil)
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				for i := range each {
					if err := c.WriteWait(context.Background(), []byte{byte(w), byte(i)}, true); err != nil {
						t.Error(err)
					}
				}
			})
		}
		var next [writers]byte
		p.SetReadDeadline(time.Now().Add(patience))
		for n := 0; n < writers*each; {
			b0, m, err := p.next()
			if err != nil {
				t.Fatal(err)
			}
			if b0 == 0x89 {
				continue
			}
			if n++; m[1] != next[m[0]] {
				t.Fatalf("writer %d: message %d, want %d", m[0], m[1], next[m[0]])
			}
			next[m[0]]++
		}
		wg.Wait()
		p.send(p.frame(0x88, ""))
		p.untilClose(t)
		p.Close()
		h.wait(t)
	})
}

// TestWriteRefusesBrokenText: our own fault does not end the connection.
func TestWriteRefusesBrokenText(t *testing.T) {
	h := newRecorder(nil)
	c, p := dialled(t, Options{}, h, nil)
	if err := c.Write([]byte("\xff"), false); err == nil || c.Err() != nil {
		t.Errorf("write %v, connection %v", err, c.Err())
	}
	if err := c.Write([]byte("\xff"), true); err != nil {
		t.Error(err)
	}
	if b0, data, err := p.next(); b0 != 0x82 || string(data) != "\xff" || err != nil {
		t.Errorf("%#x %q %v", b0, data, err)
	}
	p.Close()
	h.wait(t)
}

// TestDataIsTheHandlers: a message kept is not overwritten by later ones.
func TestDataIsTheHandlers(t *testing.T) {
	var kept [][]byte
	h := newRecorder(func(_ *Conn, data []byte, _ bool) { kept = append(kept, data) })
	_, p := dialled(t, Options{}, h, nil)
	for i := range 100 {
		p.send(fragments(p, []string{strings.Repeat(string(rune('a'+i%26)), 50*i), "."}[:1+i%2]))
	}
	p.send(p.frame(0x88, ""))
	p.untilClose(t)
	p.Close()
	h.wait(t)
	for i, m := range h.messages() {
		if string(kept[i]) != m.data {
			t.Fatalf("message %d changed after it was delivered", i)
		}
	}
}
