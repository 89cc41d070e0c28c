package ws

import (
	"bufio"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 10 * time.Second

type inbound struct {
	data   string
	binary bool
}

// recorder is a Handler that keeps what it is told.
type recorder struct {
	mu     sync.Mutex
	got    []inbound
	after  int // messages after OnClose
	closes int
	code   int
	reason string
	ended  chan struct{}
	each   func(c *Conn, data []byte, binary bool)
}

func newRecorder(each func(c *Conn, data []byte, binary bool)) *recorder {
	return &recorder{ended: make(chan struct{}), each: each}
}

func (r *recorder) OnMessage(c *Conn, data []byte, binary bool) {
	r.mu.Lock()
	r.got = append(r.got, inbound{string(data), binary})
	if r.closes > 0 {
		r.after++
	}
	r.mu.Unlock()
	if r.each != nil {
		r.each(c, data, binary)
	}
}

func (r *recorder) OnClose(_ *Conn, code int, reason string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.code, r.reason = code, reason
	if r.closes++; r.closes == 1 {
		close(r.ended)
	}
}

func (r *recorder) wait(t *testing.T) (code int, reason string) {
	t.Helper()
	select {
	case <-r.ended:
	case <-time.After(patience):
		t.Fatal("the connection did not end")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closes != 1 || r.after != 0 {
		t.Errorf("%d calls of OnClose, %d messages after it", r.closes, r.after)
	}
	return r.code, r.reason
}

func (r *recorder) messages() []inbound {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]inbound(nil), r.got...)
}

// rawPeer is the far side as plain bytes.
type rawPeer struct {
	net.Conn
	r      *bufio.Reader
	client bool // the peer is the client: it masks
}

const sampleKey = "dGhlIHNhbXBsZSBub25jZQ=="

func handshakeRequest(extra string) string {
	return "GET /ws HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n" +
		"Sec-WebSocket-Key: " + sampleKey + "\r\nSec-WebSocket-Version: 13\r\n" + extra + "\r\n"
}

func acceptKey(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// pair opens a connection of ours, served or dialled, to a raw peer, which sends early together
// with its part of the handshake.
func pair(t *testing.T, client bool, o Options, h Handler, early []byte) (*Conn, *rawPeer) {
	t.Helper()
	if client {
		return dialled(t, o, h, early)
	}
	return served(t, o, h, early)
}

func served(t *testing.T, o Options, h Handler, early []byte) (*Conn, *rawPeer) {
	t.Helper()
	conns := make(chan *Conn, 1)
	server := serve(t, o, func(c *Conn) { conns <- c; c.Run(h) })
	raw, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { raw.Close() })
	if _, err := raw.Write(append([]byte(handshakeRequest("Sec-WebSocket-Extensions: permessage-deflate\r\n")), early...)); err != nil {
		t.Fatal(err)
	}
	p := &rawPeer{Conn: raw, r: bufio.NewReader(raw), client: true}
	answer, err := http.ReadResponse(p.r, nil)
	if err != nil || answer.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("handshake: %v %v", answer, err)
	}
	if answer.Header.Get("Sec-WebSocket-Accept") != acceptKey(sampleKey) || answer.Header.Get("Sec-WebSocket-Extensions") != "" {
		t.Fatalf("answer: %v", answer.Header)
	}
	return <-conns, p
}

// serve runs Accept on a server that ends with the test, its connections first.
func serve(t *testing.T, o Options, run func(*Conn)) *httptest.Server {
	var running sync.WaitGroup
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		running.Add(1)
		defer running.Done()
		if c, err := Accept(w, r, o); err == nil {
			run(c)
		}
	}))
	t.Cleanup(func() { server.Close(); running.Wait() })
	return server
}

func dialled(t *testing.T, o Options, h Handler, early []byte) (*Conn, *rawPeer) {
	t.Helper()
	peers := make(chan *rawPeer, 1)
	addr := listen(t, func(raw net.Conn) {
		p := &rawPeer{Conn: raw, r: bufio.NewReader(raw)}
		request, err := http.ReadRequest(p.r)
		if err != nil {
			t.Error(err)
			return
		}
		answer := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
			"Sec-WebSocket-Accept: " + acceptKey(request.Header.Get("Sec-WebSocket-Key")) + "\r\n\r\n"
		raw.Write(append([]byte(answer), early...))
		peers <- p
	})
	c, err := Dial(context.Background(), &net.Dialer{}, "ws://"+addr+"/ws", nil, o)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); c.Run(h) }()
	t.Cleanup(func() { <-done })
	p := <-peers
	t.Cleanup(func() { p.Close() })
	return c, p
}

// listen serves one raw connection.
func listen(t *testing.T, serve func(net.Conn)) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		raw, err := l.Accept()
		if err != nil {
			return
		}
		t.Cleanup(func() { raw.Close() })
		serve(raw)
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return l.Addr().String()
}

// send writes bytes; that the other side closes meanwhile is no fault, only told.
func (p *rawPeer) send(b []byte) (open bool) {
	_, err := p.Write(b)
	return err == nil
}

func (p *rawPeer) frame(b0 byte, payload string) []byte { return frame(b0, p.client, []byte(payload)) }

// next reads one frame and checks its masking.
func (p *rawPeer) next() (b0 byte, payload []byte, err error) {
	var h [2]byte
	if _, err := io.ReadFull(p.r, h[:]); err != nil {
		return 0, nil, err
	}
	if h[1]&0x80 != 0 == p.client {
		return 0, nil, io.ErrNoProgress
	}
	length := uint64(h[1] & 0x7f)
	if size := map[uint64]int{126: 2, 127: 8}[length]; size > 0 {
		var long [8]byte
		if _, err := io.ReadFull(p.r, long[8-size:]); err != nil {
			return 0, nil, err
		}
		length = binary.BigEndian.Uint64(long[:])
	}
	var mask [4]byte
	if !p.client {
		if _, err := io.ReadFull(p.r, mask[:]); err != nil {
			return 0, nil, err
		}
	}
	payload = make([]byte, length)
	_, err = io.ReadFull(p.r, payload)
	for i := range payload {
		payload[i] ^= mask[i%4]
	}
	return h[0], payload, err
}

// untilClose reads to the close frame and on to the end of the stream. An empty close is 1005, and
// a stream that ends without one is 1006.
func (p *rawPeer) untilClose(t *testing.T) (code int, reason string, frames int) {
	t.Helper()
	p.SetReadDeadline(time.Now().Add(patience))
	for ; ; frames++ {
		b0, payload, err := p.next()
		if err != nil {
			return CodeLost, err.Error(), frames
		}
		if b0 != 0x88 {
			continue
		}
		if rest, _ := io.Copy(io.Discard, p.r); rest != 0 {
			t.Errorf("%d bytes after the close frame", rest)
		}
		if len(payload) == 0 {
			return CodeNone, "", frames
		}
		return int(binary.BigEndian.Uint16(payload)), string(payload[2:]), frames
	}
}

// half ends the peer's direction.
func (p *rawPeer) half() { p.Conn.(*net.TCPConn).CloseWrite() }
