package ws

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestDialSocketIO: the request, the ways a server says no, and the connect packet's payload.
func TestDialSocketIO(t *testing.T) {
	cases := []struct {
		name   string
		frames []string
		code   int // the server sees
		words  string
	}{
		{"refused", []string{hello, `44/n,{"message":"Not authorized","data":{"x":1}}`}, 1000, `refused by the server: "Not authorized"`},
		{"refused by a string", []string{hello, `44/n,"no"`}, 1000, `"no"`},
		{"no sid", []string{hello, `40/n,`}, 1002, "3 or later"},
		{"another namespace", []string{hello, `40{"sid":"x"}`}, 1002, "not connected"},
		{"event first", []string{hello, `42/n,["e"]`}, 1002, "before the connect"},
		{"no open packet", []string{`40{"sid":"x"}`}, 1002, "open packet"},
		{"binary first", []string{"binary:0{}"}, 1002, "open packet"},
		{"open packet no JSON", []string{"0{"}, 1002, "cannot be read"},
		{"no interval", []string{`0{"sid":"x"}`}, 1002, "out of range"},
		{"endless interval", []string{`0{"pingInterval":1e300,"pingTimeout":1}`}, 1002, "out of range"},
		{"negative patience", []string{`0{"pingInterval":9,"pingTimeout":-1}`}, 1002, "out of range"},
		{"closed", []string{hello, "1"}, 1000, "closed by the peer"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s, err := other(t, true, SocketIOOptions{Namespace: "/n", Auth: []byte(" {\"t\":1}\n")}, func(f *far, r *http.Request) {
				if r.URL.String() != "/socket.io/?token=a%20b&EIO=4&transport=websocket" || r.Header.Get("X-Key") != "k" {
					t.Errorf("asked for %s, %v", r.URL, r.Header)
				}
				f.send(c.frames[0])
				if c.frames[0] == hello {
					f.expect(`40/n,{"t":1}`)
				}
				f.send(c.frames[1:]...)
				f.expect(fmt.Sprint("closed ", c.code))
			})
			var failed *HandshakeError
			if s != nil || !errors.As(err, &failed) || !strings.Contains(err.Error(), c.words) {
				t.Errorf("got %v", err)
			}
			if refused := strings.HasPrefix(c.name, "refused"); errors.Is(err, ErrRefused) != refused {
				t.Errorf("ErrRefused: %v", err)
			}
		})
	}
}

func TestSocketIOTarget(t *testing.T) {
	cases := map[string]string{
		"ws://h":                   "ws://h/socket.io/?EIO=4&transport=websocket",
		"wss://h:1/":               "wss://h:1/socket.io/?EIO=4&transport=websocket",
		"ws://h/a%2Fb?z=1&a=%20":   "ws://h/a%2Fb?z=1&a=%20&EIO=4&transport=websocket",
		"ws://h/x?EIO=4":           "ws://h/x?EIO=4&transport=websocket",
		"ws://h/x?EIO=3":           "",
		"ws://h/x?transport=poll":  "",
		"http://h/":                "",
		"ws://h/x?EIO=4&EIO=4&a=b": "",
	}
	for target, want := range cases {
		u, err := socketIOTarget(target)
		if want == "" && err == nil || want != "" && (err != nil || u.String() != want) {
			t.Errorf("%s: %v %v", target, u, err)
		}
	}
}

func TestSocketIOOptions(t *testing.T) {
	bad := []SocketIOOptions{{Event: "disconnect"}, {Event: strings.Repeat("n", 257)}, {Event: "\xff"}, {Namespace: "chat"},
		{Namespace: "/a,b"}, {Auth: []byte("[]")}, {Auth: []byte("{")}}
	for _, o := range bad {
		if _, err := DialSocketIO(t.Context(), &net.Dialer{}, "ws://127.0.0.1:1", nil, o); err == nil || strings.Contains(err.Error(), "dial") {
			t.Errorf("%+v: %v", o, err)
		}
		w := httptest.NewRecorder()
		r := httptest.NewRequest("GET", "/?EIO=4&transport=websocket", nil)
		if _, err := AcceptSocketIO(w, r, o); err == nil || w.Code != 500 {
			t.Errorf("%+v: %v, status %d", o, err, w.Code)
		}
	}
}

func TestAcceptSocketIORequest(t *testing.T) {
	for query, words := range map[string]string{
		"transport=websocket": "version", "EIO=3&transport=websocket": "version", "EIO=4": "transport",
		"EIO=4&transport=polling": "transport", "EIO=4&transport=websocket&sid=x": "upgrades", "EIO=4&transport=websocket": "Upgrade",
	} {
		w := httptest.NewRecorder()
		_, err := AcceptSocketIO(w, httptest.NewRequest("GET", "/socket.io/?"+query, nil), SocketIOOptions{})
		var failed *HandshakeError
		if !errors.As(err, &failed) || failed.Status != 400 || w.Code != 400 || !strings.Contains(w.Body.String(), words) {
			t.Errorf("%s: %v, %d %s", query, err, w.Code, w.Body)
		}
	}
}

// TestAcceptSocketIO: other namespaces are refused in band and end nothing, the connect packet's
// payload is kept, and what cannot be a handshake ends it.
func TestAcceptSocketIO(t *testing.T) {
	refused := make(chan struct{})
	s, err := other(t, false, SocketIOOptions{}, func(f *far, _ *http.Request) {
		f.expect(`0{"sid":"...`)
		f.send("40/other", `40{"token":"x"}`)
		f.expect(`44/other,{"message":"Invalid namespace"}`, `40{"sid":"...`)
		f.send("40/third,{}")
		f.expect(`44/third,{"message":"Invalid namespace"}`)
		close(refused)
		f.expect(`42["message",1]`, "41", "closed 1008")
	})
	if err != nil {
		t.Fatal(err)
	}
	if auth := s.Auth(); string(auth) != `{"token":"x"}` {
		t.Errorf("auth %s", auth)
	}
	select {
	case <-refused:
	case <-time.After(patience):
	}
	if err := s.Write([]byte("1"), false); err != nil {
		t.Error(err)
	}
	s.Close(CodePolicy, "who are you")
	h := newHeard(nil)
	s.Run(h)
	h.wait(t, CodePolicy)
	for _, frame := range []string{"41", `42["e"]`, `40[]`, `44{}`, `0{}`, "x", "binary:x"} {
		s, err := other(t, false, SocketIOOptions{}, func(f *far, _ *http.Request) {
			f.expect("0{...")
			f.send(frame)
			f.expect("closed 1002")
		})
		if s != nil || err == nil {
			t.Errorf("%q: %v", frame, err)
		}
	}
}
