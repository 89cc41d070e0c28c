package ws

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// pipeWriter lets Accept take over one end of a pipe.
type pipeWriter struct {
	*httptest.ResponseRecorder
	conn net.Conn
}

func (w pipeWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return w.conn, bufio.NewReadWriter(bufio.NewReader(w.conn), bufio.NewWriter(w.conn)), nil
}

// piped serves a connection over an in-memory pipe, where nothing is buffered and time is fake.
func piped(t *testing.T, o Options) (*Conn, *rawPeer) {
	t.Helper()
	near, far := net.Pipe()
	p := &rawPeer{Conn: far, r: bufio.NewReader(far), client: true}
	answered := make(chan error, 1)
	go func() {
		_, err := http.ReadResponse(p.r, nil)
		answered <- err
	}()
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(handshakeRequest(""))))
	if err != nil {
		t.Fatal(err)
	}
	c, err := Accept(pipeWriter{httptest.NewRecorder(), near}, r, o)
	if err := errors.Join(err, <-answered); err != nil {
		t.Fatal(err)
	}
	return c, p
}

// pump reads frames until the stream ends, answering pings if asked, and tells when each came.
func (p *rawPeer) pump(pong bool) (pings *[]time.Time, lastClose *int, done chan struct{}) {
	pings, lastClose, done = new([]time.Time), new(int), make(chan struct{})
	go func() {
		defer close(done)
		for {
			b0, payload, err := p.next()
			switch {
			case err != nil:
				return
			case b0 == 0x88:
				*lastClose = int(payload[0])<<8 | int(payload[1])
			case b0 == 0x89:
				*pings = append(*pings, time.Now())
				if pong {
					p.send(p.frame(0x8A, string(payload)))
				}
			}
		}
	}()
	return pings, lastClose, done
}

// ran runs c and returns how long it took to end.
func ran(c *Conn, h Handler) time.Duration {
	start := time.Now()
	c.Run(h)
	return time.Since(start)
}

func near(got, want time.Duration) bool { return got >= want && got < want+time.Second }

// TestSilence: a silent peer is lost after the read timeout; pings go out meanwhile, with jitter.
func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := piped(t, Options{})
		start := time.Now()
		pings, code, done := p.pump(false)
		h := newRecorder(nil)
		if took := ran(c, h); !near(took, time.Minute) {
			t.Errorf("lost after %v", took)
		}
		<-done
		if got, reason := h.wait(t); got != CodeLost || !strings.Contains(reason, "nothing heard") || *code != CodeGoingAway {
			t.Errorf("handler got %d %q, peer %d", got, reason, *code)
		}
		var gaps []time.Duration
		for i, at := range append([]time.Time{start}, (*pings)...)[1:] {
			gap := at.Sub(append([]time.Time{start}, (*pings)...)[i])
			if gaps = append(gaps, gap); gap < 15*time.Second || gap > 25*time.Second {
				t.Errorf("ping %d after %v", i, gap)
			}
		}
		if len(gaps) < 2 || gaps[0] == gaps[1] {
			t.Errorf("pings without jitter: %v", gaps)
		}
	})
}

// TestPongKeepsOpen: an idle peer that answers pings stays for hours.
func TestPongKeepsOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := piped(t, Options{})
		_, code, done := p.pump(true)
		time.AfterFunc(3*time.Hour, func() { c.Close(1000, "") })
		if took := ran(c, newRecorder(nil)); took < 3*time.Hour {
			t.Errorf("ended after %v with %d", took, *code)
		}
		p.Close()
		<-done
	})
}

// TestSlowMessage: a message that began must complete in time, silent or trickling.
func TestSlowMessage(t *testing.T) {
	trickle := map[string]func(p *rawPeer){
		"ten bytes and silence": func(p *rawPeer) { p.send(append(header(0x82, true, 0, testLimit), make([]byte, 10)...)) },
		"half a header":         func(p *rawPeer) { p.send([]byte{0x82}) },
		"open fragments":        func(p *rawPeer) { p.send(p.frame(0x01, "x")) },
		"a byte a second": func(p *rawPeer) {
			for _, b := range append(header(0x82, true, 0, testLimit), make([]byte, 100)...) {
				if !p.send([]byte{b}) {
					return
				}
				time.Sleep(time.Second)
			}
		},
		"pings in between": func(p *rawPeer) {
			p.send(p.frame(0x01, "x"))
			for p.send(p.frame(0x89, "")) {
				time.Sleep(time.Second)
			}
		},
	}
	for name, send := range trickle {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, p := piped(t, Options{})
				_, code, done := p.pump(false)
				sent := make(chan struct{})
				go func() { defer close(sent); send(p) }()
				h := newRecorder(nil)
				if took := ran(c, h); !near(took, 30*time.Second) {
					t.Errorf("closed after %v", took)
				}
				<-done
				<-sent
				if got, _ := h.wait(t); got != CodePolicy || *code != CodePolicy {
					t.Errorf("handler got %d, peer %d", got, *code)
				}
			})
		})
	}
}

// TestBlockingHandler: time the handler takes is not counted against the peer, for a message half
// read nor for pings that gathered.
func TestBlockingHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := piped(t, Options{})
		_, code, done := p.pump(false)
		h := newRecorder(func(_ *Conn, data []byte, _ bool) {
			if string(data) == "first" {
				time.Sleep(10 * time.Minute)
			}
		})
		go func() {
			p.send(append(p.frame(0x81, "first"), p.frame(0x01, "sec")...))
			p.send(join(p.frame(0x89, ""), p.frame(0x80, "ond")))
			for range 15 {
				p.send(p.frame(0x89, "gathered"))
			}
			p.send(p.frame(0x88, string(closing(1000, ""))))
		}()
		c.Run(h)
		p.Close()
		<-done
		if got := h.messages(); len(got) != 2 || got[1].data != "second" || h.code != 1000 {
			t.Errorf("%v, code %d, peer got %d", got, h.code, *code)
		}
	})
}

// TestCloseOfStuckPeer: a peer that neither reads nor answers delays a close by the write timeout.
func TestCloseOfStuckPeer(t *testing.T) {
	for _, queued := range []int{0, 100} {
		synctest.Test(t, func(t *testing.T) {
			c, p := piped(t, Options{})
			for range queued {
				c.Write([]byte("x"), false)
			}
			start := time.Now()
			c.Close(1001, "")
			if time.Since(start) != 0 {
				t.Error("Close blocked")
			}
			h := newRecorder(nil)
			if took := ran(c, h); took > 5*time.Second {
				t.Errorf("took %v", took)
			}
			if code, _ := h.wait(t); code != 1001 {
				t.Errorf("code %d", code)
			}
			p.Close()
		})
	}
}

// TestWriteWaitOutcomes: written, certainly not written, or not known.
func TestWriteWaitOutcomes(t *testing.T) {
	ctx := context.Background()
	cases := []struct {
		name string
		peer func(p *rawPeer)
		want error
		code int
	}{
		{"written", func(p *rawPeer) { p.next(); p.Close() }, nil, CodeLost},
		{"no byte taken", func(p *rawPeer) {}, ErrClosed, CodeTryLater},
		{"torn by silence", func(p *rawPeer) { p.Read(make([]byte, 3)) }, ErrUnknown, CodeTryLater},
		{"torn by the end", func(p *rawPeer) { p.Read(make([]byte, 3)); p.Close() }, ErrUnknown, CodeLost},
		{"gone before", func(p *rawPeer) { p.Close() }, ErrClosed, CodeLost},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn, p := piped(t, Options{PingEvery: time.Hour})
				h := newRecorder(nil)
				done := make(chan struct{})
				go func() { defer close(done); conn.Run(h) }()
				go c.peer(p)
				start := time.Now()
				if err := conn.WriteWait(ctx, []byte("hello"), false); err != c.want {
					t.Errorf("outcome %v, want %v", err, c.want)
				}
				if took := time.Since(start); took > 5*time.Second {
					t.Errorf("took %v", took)
				}
				<-done
				if code, _ := h.wait(t); code != c.code {
					t.Errorf("code %d, want %d", code, c.code)
				}
				p.Close()
			})
		})
	}
}

// TestWriteWaitContext: what still waits is withdrawn, what is being written is not known.
func TestWriteWaitContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, p := piped(t, Options{OutboxMessages: 2})
		outcomes := make(chan error, 2)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		for range 2 {
			go func() { outcomes <- conn.WriteWait(ctx, []byte("hello"), false) }()
			synctest.Wait()
		}
		if err := conn.WriteWait(ctx, nil, true); err != ErrOverflow {
			t.Errorf("third message: %v", err)
		}
		for _, want := range []error{ErrClosed, ErrUnknown} { // the queue is dropped at overflow
			if err := <-outcomes; err != want {
				t.Errorf("outcome %v, want %v", err, want)
			}
		}
		conn.Run(newRecorder(nil))
		p.Close()
	})
	synctest.Test(t, func(t *testing.T) {
		conn, p := piped(t, Options{OutboxMessages: 2})
		conn.Write([]byte("first"), false)
		synctest.Wait() // the writer holds it
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := conn.WriteWait(ctx, []byte("second"), false); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrUnknown) {
			t.Errorf("withdrawn: %v", err)
		}
		if err := conn.Write([]byte("third"), false); err != nil {
			t.Errorf("its room was not given back: %v", err)
		}
		for _, want := range []string{"first", "third"} {
			if _, got, err := p.next(); string(got) != want {
				t.Errorf("got %q %v, want %q", got, err, want)
			}
		}
		conn.Close(1000, "")
		go p.pump(false)
		conn.Run(newRecorder(nil))
		p.Close()
	})
}

// TestPingsBetweenMessages: a peer that only listens to a long stream is still pinged, and stays.
func TestPingsBetweenMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := piped(t, Options{})
		const total = 200
		for range total {
			if err := c.Write([]byte("x"), false); err != nil {
				t.Fatal(err)
			}
		}
		h := newRecorder(nil)
		done := make(chan struct{})
		go func() { defer close(done); c.Run(h) }()
		pings := 0
		for n := 0; n < total; {
			time.Sleep(time.Second)
			b0, payload, err := p.next()
			if err != nil {
				t.Fatalf("after %d messages: %v", n, err)
			}
			if b0 == 0x89 {
				pings++
				p.send(p.frame(0x8A, string(payload)))
				continue
			}
			n++
		}
		if pings < 7 {
			t.Errorf("%d pings in %d s", pings, total)
		}
		p.Close()
		<-done
	})
}
