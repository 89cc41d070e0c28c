package ws

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

type dialFunc func() net.Conn

func (f dialFunc) DialContext(context.Context, string, string) (net.Conn, error) { return f(), nil }

// queued is a connection with one writer, whose senders never wait.
type queued struct {
	net.Conn
	out chan []byte
}

func (q queued) Write(b []byte) (int, error) {
	q.out <- b
	return len(b), nil
}

func (q queued) write() {
	failed := false
	for b := range q.out {
		if !failed {
			_, err := q.Conn.Write(b)
			failed = err != nil
		}
	}
}

// pipedSocketIO opens ours over an in-memory pipe, in fake time; script is the far side.
func pipedSocketIO(t *testing.T, client bool, o SocketIOOptions, script func(p *rawPeer)) (*SocketIO, error) {
	t.Helper()
	near, end := net.Pipe()
	q := queued{end, make(chan []byte, 1000)}
	p := &rawPeer{Conn: q, r: bufio.NewReader(end), client: !client}
	go q.write()
	go func() {
		defer close(q.out)
		defer end.Close()
		if !client {
			if _, err := http.ReadResponse(p.r, nil); err != nil {
				t.Error(err)
			}
		} else if r, err := http.ReadRequest(p.r); err != nil {
			t.Error(err)
		} else {
			fmt.Fprintf(q, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
				acceptKey(r.Header.Get("Sec-WebSocket-Key")))
		}
		script(p)
	}()
	if client {
		return DialSocketIO(t.Context(), dialFunc(func() net.Conn { return near }), "ws://test", nil, o)
	}
	text := strings.Replace(handshakeRequest(""), "/ws", "/socket.io/?EIO=4&transport=websocket", 1)
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
	if err != nil {
		t.Fatal(err)
	}
	return AcceptSocketIO(pipeWriter{httptest.NewRecorder(), near}, r, o)
}

// drain answers WebSocket pings and gives each text to on until the stream ends; it returns the
// close code.
func (p *rawPeer) drain(on func(text string)) (code int) {
	for {
		b0, payload, err := p.next()
		switch {
		case err != nil:
			return code
		case b0 == 0x88:
			code = int(payload[0])<<8 | int(payload[1])
			p.send(p.frame(0x88, string(payload[:2])))
		case b0 == 0x89:
			p.send(p.frame(0x8A, string(payload)))
		default:
			on(string(payload))
		}
	}
}

// greet is the far side's part of the handshake, one text at a time.
func (p *rawPeer) greet(client bool, text string) {
	switch {
	case client && text == "40":
		p.send(p.frame(0x81, `40{"sid":"x"}`))
	case !client && strings.HasPrefix(text, "0{"):
		p.send(p.frame(0x81, "40"))
	}
}

// each calls f at that pace until stop is closed.
func each(pace time.Duration, stop chan struct{}, f func()) {
	for {
		select {
		case <-time.After(pace):
			f()
		case <-stop:
			return
		}
	}
}

const quickHello = `0{"sid":"s","pingInterval":10000,"pingTimeout":5000}`

// TestHeartbeatMissing: a peer whose WebSocket lives but whose heartbeat is missing is lost after
// the interval and the patience; events do not count.
func TestHeartbeatMissing(t *testing.T) {
	for _, beats := range []int{0, 3} {
		eachRole(t, func(t *testing.T, client bool) {
			synctest.Test(t, func(t *testing.T) {
				code := make(chan int, 1)
				s, err := pipedSocketIO(t, client, SocketIOOptions{Options: Options{PingEvery: 10 * time.Second, ReadTimeout: 15 * time.Second}}, func(p *rawPeer) {
					if client {
						p.send(p.frame(0x81, quickHello))
					}
					sent, answered, stop, sending := 0, 0, make(chan struct{}), sync.WaitGroup{}
					code <- p.drain(func(text string) {
						p.greet(client, text)
						if text == "2" && answered < beats {
							answered++
							p.send(p.frame(0x81, "3"))
						}
						if strings.HasPrefix(text, "40") {
							sending.Go(func() {
								each(time.Second, stop, func() {
									text := `42["e"]`
									if sent++; client && sent%10 == 0 && sent/10 <= beats {
										text = "2"
									}
									p.send(p.frame(0x81, text))
								})
							})
						}
					})
					close(stop)
					sending.Wait()
				})
				if err != nil {
					t.Fatal(err)
				}
				start, h := time.Now(), newHeard(nil)
				s.Run(h)
				if got, want := time.Since(start), time.Duration(10*beats+15)*time.Second; !near(got, want) {
					t.Errorf("ended after %v, want %v", got, want)
				}
				h.wait(t, CodeLost)
				if got := <-code; got != CodeGoingAway {
					t.Errorf("peer was told %d", got)
				}
			})
		})
	}
}

// TestHeartbeatWaits: while the receiver is busy nothing is read, and the peer is not blamed.
func TestHeartbeatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pongs := 0
		s, err := pipedSocketIO(t, true, SocketIOOptions{}, func(p *rawPeer) {
			p.send(p.frame(0x81, quickHello))
			p.drain(func(text string) {
				p.greet(true, text)
				switch text {
				case "40":
					for _, text := range []string{`42["slow"]`, "2", `42["next"]`, "1"} { // the rest is read once the receiver is done
						p.send(p.frame(0x81, text))
					}
				case "3":
					pongs++
				}
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		h := newHeard(func(_ Messages, event string, _ []byte, _ bool) {
			if event == "slow" {
				time.Sleep(5 * time.Minute)
			}
		})
		s.Run(h)
		if got := h.wait(t, CodeNormal); len(got) != 2 || pongs > 1 {
			t.Errorf("heard %q, %d pongs", got, pongs)
		}
	})
}

// TestSocketIOHandshakeTimes: a peer that does not finish the handshake is given up after 15 s.
func TestSocketIOHandshakeTimes(t *testing.T) {
	for _, silent := range []bool{false, true} { // it answers a close, or reads no more
		eachRole(t, func(t *testing.T, client bool) {
			synctest.Test(t, func(t *testing.T) {
				code := make(chan int, 1)
				start := time.Now()
				s, err := pipedSocketIO(t, client, SocketIOOptions{}, func(p *rawPeer) {
					if silent {
						time.Sleep(time.Minute)
					}
					code <- p.drain(func(string) {})
				})
				var failed *HandshakeError
				if s != nil || !errors.As(err, &failed) || !errors.Is(err, context.DeadlineExceeded) && !silent {
					t.Errorf("got %v", err)
				}
				if got := time.Since(start); got > 20*time.Second || got < 5*time.Second {
					t.Errorf("took %v", got)
				}
				if got := <-code; !silent && got != CodePolicy {
					t.Errorf("peer was told %d", got)
				}
			})
		})
	}
}

// TestAttachmentsMissing: attachments that do not come are not waited for without end.
func TestAttachmentsMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := pipedSocketIO(t, false, SocketIOOptions{}, func(p *rawPeer) {
			p.drain(func(text string) {
				p.greet(false, text)
				if strings.HasPrefix(text, "40") {
					p.send(p.frame(0x81, `451-["e",{"_placeholder":true,"num":0}]`))
				}
				if text == "2" {
					p.send(p.frame(0x81, "3"))
				}
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		h, start := newHeard(nil), time.Now()
		s.Run(h)
		if h.wait(t, CodePolicy); time.Since(start) > 50*time.Second {
			t.Errorf("took %v", time.Since(start))
		}
	})
}
