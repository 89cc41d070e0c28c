package stories

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
)

// badBodies sends the corpus of the doors: each gets the answer it gets there.
func badBodies(s *siege) func() {
	before := s.counted()
	many := regexp.MustCompile(`<<(.+?)\*(\d+)>>`)
	field := regexp.MustCompile("^(\"(?:[^\"\\\\]|\\\\.)*\"|`[^`]*`) ?")
	lines := s.corpus("bridge/internal/ingress/testdata/bad_requests.txt", regexp.MustCompile(`^(\d{3}) (.+)$`))
	for _, line := range lines {
		var texts []string
		for rest := line[2]; rest != ""; {
			quoted := field.FindStringSubmatch(rest)
			if quoted == nil {
				s.t.Fatalf("no text at %s", rest)
			}
			text, _ := strconv.Unquote(quoted[1])
			texts, rest = append(texts, many.ReplaceAllStringFunc(text, func(short string) string {
				part := many.FindStringSubmatch(short)
				n, _ := strconv.Atoi(part[2])
				return strings.Repeat(part[1], n)
			})), rest[len(quoted[0]):]
		}
		if got := s.sendBad(texts[1], texts[2:]...); got != line[1] {
			s.t.Errorf("%s was answered %s, want %s", texts[0], got, line[1])
		}
	}
	if now := s.counted(); now != before || len(lines) < 40 {
		s.t.Errorf("%d bad bodies began %d conversations", len(lines), now-before)
	}
	return nil
}

// sendBad gives the status a body is answered. One that is too large may be cut off
// before it is all sent: then the answer is read as it came.
func (s *siege) sendBad(body string, header ...string) string {
	s.t.Helper()
	head := "Content-Type: application/json\r\n"
	for i := 0; i < len(header); i += 2 {
		if line := header[i] + ": " + header[i+1] + "\r\n"; header[i] == "Content-Type" {
			head = line
		} else {
			head += line
		}
	}
	return s.raw(fmt.Sprintf("POST /in/besieged/inbound HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%sContent-Length: %d\r\n\r\n%s", head, len(body), body))
}

// dial connects as a stranger.
func (s *siege) dial() net.Conn {
	s.t.Helper()
	d := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(strangerIP)}}
	c, err := d.DialContext(s.t.Context(), "tcp", s.public)
	if err != nil {
		s.t.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	return c
}

// raw sends bytes and gives the status that comes back, "" for none.
func (s *siege) raw(request string) string {
	s.t.Helper()
	c := s.dial()
	defer c.Close()
	go func() { _, _ = io.WriteString(c, request) }()
	line, _ := bufio.NewReader(c).ReadString('\n')
	if part := strings.Fields(line); len(part) > 1 {
		return part[1]
	}
	return ""
}

// oddRequests are requests whose first lines and headers lie.
func oddRequests(s *siege) func() {
	const good = `{"session":{"id":"odd"},"text":"odd"}`
	post := func(path, header string) string {
		return "POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n" + header + "\r\n" + good
	}
	size := fmt.Sprintf("Content-Length: %d\r\n", len(good))
	before := s.counted()
	for request, want := range map[string]string{
		"GARBAGE\r\n\r\n": "400", "\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n": "400", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n": "400",
		post("/in/besieged/inbound", size+"Content-Length: 1\r\n"):                                                 "400",
		post("/in/besieged/inbound", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"):              "501",
		post("/in/besieged/inbound", "Transfer-Encoding: xchunked\r\n"):                                            "501",
		post("/in/besieged/inbound", "Content-Length: -1\r\n"):                                                     "400",
		post("/in/besieged/inbound", "Bad Header: x\r\n"+size):                                                     "400",
		post("/in/besieged/inbound", "X: "+strings.Repeat("x", 1<<20)+"\r\n"+size):                                 "431",
		post("/in/besieged/inbound", strings.Repeat("X: y\r\n", 100_000)+size):                                     "431",
		post("/in/besieged/../besieged/inbound", size):                                                             "404",
		post("/in/besieged/%2e%2e/besieged/inbound", size):                                                         "404",
		post("/in/besieged/inbound%00", size):                                                                      "404",
		post("/in/"+strings.Repeat("a", 8192), size):                                                               "404",
		post("/in/nobody/inbound", size):                                                                           "404",
		"TRACE /in/besieged/inbound HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n":                              "405",
		"POST /in/besieged/inbound HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}":                                        "400", // no host
		"POST http://x/ HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: 2\r\n\r\n{}":                             "400",
		"GET /debug/pprof/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n":                                       "404",
		"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n":                                            "404",
		"CONNECT 127.0.0.1:" + s.port + " HTTP/1.1\r\nHost: 127.0.0.1:" + s.port + "\r\nConnection: close\r\n\r\n": "405",
	} {
		if got := s.raw(request); got != want {
			s.t.Errorf("%.80q was answered %q, want %s", request, got, want)
		}
	}
	if now := s.counted(); now != before || s.heard.Load() != 0 {
		s.t.Errorf("%d conversations were begun, %d connections made", now-before, s.heard.Load())
	}
	return nil
}

// frame is one frame of a client.
func frame(first byte, masked bool, payload string) []byte {
	mask := map[bool]byte{true: 0x80}[masked]
	out := []byte{first, mask | byte(min(len(payload), 126))}
	if len(payload) > 125 {
		out = binary.BigEndian.AppendUint16(out, uint16(len(payload)))
	}
	if masked {
		out = append(out, 0, 0, 0, 0)
	}
	return append(out, payload...)
}

// badFrames breaks RFC 6455 after a good word: the socket is closed with the code
// that says how, and nothing but the good word was heard.
func badFrames(s *siege) func() {
	for n, c := range []struct {
		stream []byte
		code   uint16
	}{
		{frame(0x81, false, "x"), 1002}, {frame(0xC1, true, "x"), 1002}, {frame(0xA2, true, "x"), 1002}, {frame(0x83, true, "x"), 1002}, {frame(0x8B, true, ""), 1002},
		{frame(0x80, true, "x"), 1002}, {frame(0x09, true, "x"), 1002}, {frame(0x89, true, strings.Repeat("x", 126)), 1002}, {frame(0x88, true, "x"), 1002},
		{frame(0x88, true, "\x03\xed"), 1002}, {append(frame(0x01, true, "a"), frame(0x81, true, "b")...), 1002},
		{[]byte{0x82, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0}, 1002}, {[]byte{0x82, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0}, 1009},
		{frame(0x81, true, "\xff\xfe"), 1007}, {frame(0x81, true, strings.Repeat("x", 5000)), 1009},
		{[]byte(strings.Repeat(string(frame(0x89, true, "x")), 100_000)), 1008},
		{append(frame(0x02, true, ""), strings.Repeat(string(frame(0x00, true, "")), 100_000)...), 1008},
	} {
		key := fmt.Sprint("frames-", n)
		if got := s.closes(append(frame(0x81, true, fmt.Sprintf(`{"session":{"id":%q}}`, key)), c.stream...)); got != c.code {
			s.t.Errorf("stream %d was closed with %d, want %d", n, got, c.code)
		}
		for _, e := range s.events(s.conversation(key)) {
			if _, said := e.Body.(event.MessageCreated); said {
				s.t.Errorf("stream %d was heard: %+v", n, e)
			}
		}
	}
	return nil
}

// closes opens a socket, sends, and gives the code it is closed with.
func (s *siege) closes(stream []byte) uint16 {
	s.t.Helper()
	c := s.dial()
	defer c.Close()
	_, _ = io.WriteString(c, "GET /in/besieged/ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
	in := bufio.NewReader(c)
	resp, err := http.ReadResponse(in, nil)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		s.t.Fatalf("no socket: %+v %v", resp, err)
	}
	go func() { _, _ = c.Write(stream) }()
	for {
		var head [2]byte
		if _, err := io.ReadFull(in, head[:]); err != nil {
			return 0
		}
		size := int(head[1] & 0x7F)
		if size == 126 {
			var long [2]byte
			_, _ = io.ReadFull(in, long[:])
			size = int(binary.BigEndian.Uint16(long[:]))
		}
		payload := make([]byte, size)
		if _, err := io.ReadFull(in, payload); err != nil {
			return 0
		}
		if head[0] == 0x88 && size >= 2 {
			return binary.BigEndian.Uint16(payload)
		}
	}
}

// slowConnections holds hundreds of connections that send next to nothing, in all
// states of a request, while the hand-off passes. The bridge closes every one.
func slowConnections(s *siege) func() {
	var held []net.Conn
	for n := range 300 {
		c := s.dial()
		held = append(held, c)
		_, err := io.WriteString(c, []string{"P", "POST /in/besieged/inbound HTTP/1.1\r\nHost: x\r\nX-", "POST /in/besieged/inbound HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 4000\r\n\r\n{",
			"GET /in/besieged/ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n", ""}[n%5])
		if err != nil {
			s.t.Errorf("connection %d: %v", n, err)
		}
	}
	return func() {
		for n, c := range held {
			_ = c.SetReadDeadline(time.Now().Add(patience))
			if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
				s.t.Fatalf("connection %d stays open", n)
			}
			_ = c.Close()
		}
	}
}
