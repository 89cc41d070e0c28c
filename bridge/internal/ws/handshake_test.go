package ws

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestHandshakeRefused: what is not a sound handshake gets its status, and no connection.
func TestHandshakeRefused(t *testing.T) {
	good := handshakeRequest("")
	swap := func(old, new string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("%q is not in the request", old)
		}
		return strings.Replace(good, old, new, 1)
	}
	cases := []struct {
		name, request string
		status        int
	}{
		{"sound", good, 101},
		{"lower case", swap("Upgrade: websocket", "upgrade: WebSocket"), 101},
		{"POST", swap("GET", "POST"), 400},
		{"HTTP/1.0", swap("HTTP/1.1", "HTTP/1.0"), 400},
		{"body", swap("Host", "Content-Length: 3\r\nHost") + "abc", 400},
		{"chunked body", swap("Host", "Transfer-Encoding: chunked\r\nHost") + "0\r\n\r\n", 400},
		{"no key", swap("Sec-WebSocket-Key: "+sampleKey+"\r\n", ""), 400},
		{"short key", swap(sampleKey, "abcde"), 400},
		{"15 bytes", swap(sampleKey, "MDEyMzQ1Njc4OTAxMjM0"), 400},
		{"17 bytes", swap(sampleKey, "MDEyMzQ1Njc4OTAxMjM0NTY="), 400},
		{"key of loose bits", swap(sampleKey, "dGhlIHNhbXBsZSBub25jZR=="), 400},
		{"key not base64", swap(sampleKey, "!!!!!!!!!!!!!!!!!!!!!!=="), 400},
		{"two keys", swap("Host", "Sec-WebSocket-Key: "+sampleKey+"\r\nHost"), 400},
		{"version 12", swap("Version: 13", "Version: 12"), 426},
		{"version 8 and 13", swap("Version: 13", "Version: 8, 13"), 426},
		{"no version", swap("Sec-WebSocket-Version: 13\r\n", ""), 426},
		{"two versions", swap("Host", "Sec-WebSocket-Version: 13\r\nHost"), 426},
		{"no Upgrade", swap("Upgrade: websocket\r\n", ""), 400},
		{"two Upgrades", swap("Host", "Upgrade: websocket\r\nHost"), 400},
		{"other Upgrade", swap("Upgrade: websocket", "Upgrade: h2c"), 400},
		{"no Connection", swap("Connection: keep-alive, Upgrade\r\n", ""), 400},
		{"Connection without Upgrade", swap("keep-alive, Upgrade", "keep-alive, Upgrades"), 400},
		{"Upgrade in a second Connection", swap("Connection: keep-alive, Upgrade", "Connection: keep-alive\r\nConnection: upgrade"), 101},
		{"huge protocol list", handshakeRequest("Sec-WebSocket-Protocol: " + strings.Repeat("a,", 100) + "b\r\n"), 400},
		{"long protocol", handshakeRequest("Sec-WebSocket-Protocol: " + strings.Repeat("a", 5000) + "\r\n"), 400},
	}
	server := serve(t, Options{}, func(c *Conn) { c.Run(newRecorder(nil)) })
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			raw, err := net.Dial("tcp", server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer raw.Close()
			io.WriteString(raw, c.request)
			raw.SetReadDeadline(time.Now().Add(patience))
			answer, err := http.ReadResponse(bufio.NewReader(raw), nil)
			if err != nil || answer.StatusCode != c.status {
				t.Fatalf("answer %v %v, want %d", answer, err, c.status)
			}
			if c.status == 426 && answer.Header.Get("Sec-WebSocket-Version") != "13" {
				t.Error("426 does not name the version")
			}
		})
	}
}

func TestAcceptWithoutHijack(t *testing.T) {
	r, _ := http.ReadRequest(bufio.NewReader(strings.NewReader(handshakeRequest(""))))
	w := httptest.NewRecorder()
	_, err := Accept(w, r, Options{})
	var bad *HandshakeError
	if !errors.As(err, &bad) || bad.Status != 500 || w.Code != 500 {
		t.Errorf("%v, answered %d", err, w.Code)
	}
}

func TestProtocolAgreed(t *testing.T) {
	cases := []struct {
		server, client []string
		want           string
	}{
		{[]string{"b", "a"}, []string{"a", "b"}, "b"},
		{[]string{"a"}, []string{"x"}, ""},
		{nil, []string{"x"}, ""},
		{[]string{"a"}, nil, ""},
	}
	for _, c := range cases {
		at := make(chan string, 1)
		server := serve(t, Options{Protocols: c.server}, func(s *Conn) { at <- s.Protocol(); s.Run(newRecorder(nil)) })
		d, err := Dial(context.Background(), &net.Dialer{}, "ws://"+server.Listener.Addr().String(), nil, Options{Protocols: c.client})
		if err != nil {
			t.Fatal(err)
		}
		if got := <-at; got != c.want || d.Protocol() != c.want {
			t.Errorf("%v with %v: server %q, client %q", c.server, c.client, got, d.Protocol())
		}
		d.Close(1000, "")
		d.Run(newRecorder(nil))
	}
}

// TestDialSendsHeader: the caller's headers go out, those of the handshake cannot be replaced.
func TestDialSendsHeader(t *testing.T) {
	seen := make(chan *http.Request, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen <- r
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer server.Close()
	h := http.Header{"Authorization": {"Bearer x"}, "host": {"other.example"}, "sec-websocket-extensions": {"permessage-deflate"},
		"Sec-Websocket-Protocol": {"y"}, "Connection": {"close"}}
	_, err := Dial(context.Background(), &net.Dialer{}, strings.Replace(server.URL, "http", "ws", 1)+"/p?q=secret", h, Options{Protocols: []string{"a", "b"}})
	var bad *HandshakeError
	if !errors.As(err, &bad) || bad.Status != 503 || bad.Header.Get("Retry-After") != "7" || strings.Contains(err.Error(), "secret") {
		t.Fatalf("error %v", err)
	}
	r := <-seen
	if r.Host != "other.example" || r.URL.String() != "/p?q=secret" || r.Header.Get("Authorization") != "Bearer x" ||
		r.Header.Get("Sec-WebSocket-Extensions") != "" || r.Header.Get("Sec-WebSocket-Protocol") != "a, b" || r.Header.Get("Connection") != "Upgrade" {
		t.Errorf("request to %s: %v", r.Host, r.Header)
	}
	if bad := checkHandshake(r); bad != nil {
		t.Errorf("our own handshake: %v", bad)
	}
}

// TestDialAnswers: answers that are not a sound acceptance are refused, whatever lies behind them.
func TestDialAnswers(t *testing.T) {
	const accepted = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: KEY\r\n"
	cases := []struct {
		name, answer string
		status       int
		want         string // part of the error
	}{
		{"refused", "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", 401, "401"},
		{"redirect", "HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", 302, "302"},
		{"wrong accept", strings.Replace(accepted, "KEY", "AAAA", 1) + "\r\n", 101, "Accept"},
		{"extension", accepted + "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n", 101, "extension"},
		{"foreign protocol", accepted + "Sec-WebSocket-Protocol: x\r\n\r\n", 101, "subprotocol"},
		{"bare line feeds", strings.ReplaceAll(accepted, "\r\n", "\n") + "\n", 101, "empty line"},
		{"blank line of blanks", accepted + " \r\nX", 0, ""},
		{"endless header", "HTTP/1.1 101 Switching Protocols\r\nX: " + strings.Repeat("x", 1<<20), 0, "longer than"},
		{"not HTTP", "\x82\x7f\x00\x00", 0, ""},
		{"nothing", "", 0, "EOF"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			addr := listen(t, func(raw net.Conn) {
				defer raw.Close()
				r, err := http.ReadRequest(bufio.NewReader(raw))
				if err == nil {
					io.WriteString(raw, strings.Replace(c.answer, "KEY", acceptKey(r.Header.Get("Sec-WebSocket-Key")), 1))
				}
			})
			_, err := Dial(context.Background(), &net.Dialer{}, "ws://"+addr, nil, Options{})
			var bad *HandshakeError
			if !errors.As(err, &bad) || bad.Status != c.status || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want status %d and %q", err, c.status, c.want)
			}
		})
	}
}

func TestDialTargets(t *testing.T) {
	for target, want := range map[string]string{
		"http://h/":             "scheme",
		"ws://":                 "host",
		"ws://u:hunter2@h/":     "credentials",
		"ws://h/#f":             "fragment",
		"ws://h/%zz?k=hunter2":  "parsed",
		"ws://127.0.0.1:1/?k=h": "dial 127.0.0.1:1",
	} {
		_, err := Dial(context.Background(), &net.Dialer{}, target, nil, Options{})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", target, err)
		}
	}
}

// TestDialIsBounded: a server that accepts and says nothing, or drips, holds nobody past ctx.
func TestDialIsBounded(t *testing.T) {
	for _, scheme := range []string{"ws", "wss"} {
		addr := listen(t, func(raw net.Conn) { io.Copy(io.Discard, raw) })
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		start := time.Now()
		_, err := Dial(ctx, &net.Dialer{}, scheme+"://"+addr, nil, Options{})
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > patience/2 {
			t.Errorf("%s: %v after %v", scheme, err, time.Since(start))
		}
	}
}

func TestDialTLS(t *testing.T) {
	at := make(chan *Conn, 1)
	h := newRecorder(func(c *Conn, data []byte, binary bool) { c.Write(data, binary) })
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := Accept(w, r, Options{}); err == nil {
			at <- c
			c.Run(h)
		}
	}))
	server.EnableHTTP2 = true
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	url := strings.Replace(server.URL, "https", "wss", 1)
	if _, err := Dial(context.Background(), &net.Dialer{}, url, nil, Options{}); err == nil {
		t.Fatal("an unknown authority was trusted")
	}
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	c, err := Dial(context.Background(), &net.Dialer{}, url, nil, Options{TLS: &tls.Config{RootCAs: pool}})
	if err != nil {
		t.Fatal(err)
	}
	mine := newRecorder(func(c *Conn, _ []byte, _ bool) { c.Close(4000, "enough") })
	if err := c.WriteWait(context.Background(), []byte("over TLS"), false); err != nil {
		t.Fatal(err)
	}
	c.Run(mine)
	if got := mine.messages(); len(got) != 1 || got[0].data != "over TLS" {
		t.Errorf("got %v", got)
	}
	if code, reason := h.wait(t); code != 4000 || reason != "enough" {
		t.Errorf("server got %d %q", code, reason)
	}
	<-at
}
