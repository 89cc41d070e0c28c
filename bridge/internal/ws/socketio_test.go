package ws

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// heard is a Receiver that keeps what it is told.
type heard struct {
	mu     sync.Mutex
	got    []string
	closes int
	code   int
	reason string
	ended  chan struct{}
	each   func(m Messages, event string, data []byte, binary bool)
}

func newHeard(each func(m Messages, event string, data []byte, binary bool)) *heard {
	return &heard{ended: make(chan struct{}), each: each}
}

func (h *heard) OnMessage(m Messages, event string, data []byte, binary bool) {
	h.mu.Lock()
	h.got = append(h.got, fmt.Sprintf("%s %s %v", event, data, binary))
	h.mu.Unlock()
	if h.each != nil {
		h.each(m, event, data, binary)
	}
}

func (h *heard) OnClose(_ Messages, code int, reason string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.code, h.reason = code, reason
	if h.closes++; h.closes == 1 {
		close(h.ended)
	}
}

// wait returns what was heard once the connection has ended with the code.
func (h *heard) wait(t *testing.T, code int) []string {
	t.Helper()
	select {
	case <-h.ended:
	case <-time.After(patience):
		t.Fatal("the connection did not end")
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.code != code || h.closes != 1 {
		t.Errorf("closed %d %q, want %d; %d times", h.code, h.reason, code, h.closes)
	}
	return h.got
}

// far is the other side of a Socket.IO connection, speaking by hand.
type far struct {
	t   *testing.T
	ctx context.Context
	ws  *websocket.Conn
}

func (f *far) send(frames ...string) {
	for _, frame := range frames {
		kind := websocket.MessageText
		if strings.HasPrefix(frame, "binary:") {
			kind, frame = websocket.MessageBinary, frame[7:]
		}
		if f.ws.Write(f.ctx, kind, []byte(frame)) != nil {
			return // closed by what was sent before
		}
	}
}

// next is the next frame that is no heartbeat; at the end, the close code.
func (f *far) next() string {
	for {
		kind, data, err := f.ws.Read(f.ctx)
		switch {
		case err != nil:
			return fmt.Sprint("closed ", int(websocket.CloseStatus(err)))
		case kind == websocket.MessageBinary:
			return "binary:" + string(data)
		case string(data) != "2" && string(data) != "3":
			return string(data)
		}
	}
}

func (f *far) expect(want ...string) {
	f.t.Helper()
	for _, w := range want {
		got := f.next()
		if prefix, ok := strings.CutSuffix(w, "..."); ok && strings.HasPrefix(got, prefix) {
			continue
		}
		if got != w {
			f.t.Errorf("got %q, want %q", got, w)
			runtime.Goexit()
		}
	}
}

const hello = `0{"sid":"s","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`

// other runs the far side before any handshake of Socket.IO and returns ours, or its error. What
// ours opens is closed with the test.
func other(t *testing.T, client bool, o SocketIOOptions, script func(f *far, r *http.Request)) (*SocketIO, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	var running sync.WaitGroup
	t.Cleanup(func() { cancel(); running.Wait() })
	type result struct {
		s   *SocketIO
		err error
	}
	results := make(chan result, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		running.Add(1)
		defer running.Done()
		if !client {
			s, err := AcceptSocketIO(w, r, o)
			results <- result{s, err}
			return
		}
		ws, err := websocket.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer ws.CloseNow()
		script(&far{t, ctx, ws}, r)
	}))
	t.Cleanup(server.Close)
	if client {
		s, err := DialSocketIO(ctx, &net.Dialer{}, strings.Replace(server.URL, "http", "ws", 1)+"?token=a%20b", http.Header{"X-Key": {"k"}}, o)
		results <- result{s, err}
	} else {
		ws, _, err := websocket.Dial(ctx, server.URL+"/socket.io/?EIO=4&transport=websocket", nil)
		if err != nil {
			t.Fatal(err)
		}
		running.Go(func() { defer ws.CloseNow(); script(&far{t, ctx, ws}, nil) })
	}
	r := <-results
	if r.s != nil {
		t.Cleanup(func() { r.s.Close(CodeGoingAway, "test over"); <-r.s.done })
	}
	return r.s, r.err
}

// handshaken is other with the handshake done, run to its end.
func handshaken(t *testing.T, client bool, o SocketIOOptions, h *heard, script func(f *far)) *SocketIO {
	t.Helper()
	ns := ""
	if o.Namespace != "" {
		ns = o.Namespace + ","
	}
	s, err := other(t, client, o, func(f *far, _ *http.Request) {
		if client {
			f.send(hello)
			f.expect("40" + ns + string(o.Auth))
			f.send("2", `40`+ns+`{"sid":"x"}`)
		} else {
			f.expect(`0{"sid":"...`)
			f.send("40" + ns)
			f.expect("40" + ns + `{"sid":"...`)
		}
		script(f)
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Run(h)
	return s
}

// TestSocketIOSpeaks: events both ways, with namespaces, acknowledgements and attachments.
func TestSocketIOSpeaks(t *testing.T) {
	for _, ns := range []string{"", "/chat"} {
		eachRole(t, func(t *testing.T, client bool) {
			n := ns
			if ns != "" {
				n = ns + ","
			}
			h := newHeard(func(m Messages, _ string, data []byte, binary bool) {
				if err := m.Write(data, binary); err != nil {
					t.Error(err)
				}
			})
			s := handshaken(t, client, SocketIOOptions{Event: `o"n`, Namespace: ns}, h, func(f *far) {
				f.send(`42` + n + `["e",{"a":"ü"}]`)
				f.expect(`42` + n + `["o\"n",{"a":"ü"}]`)
				f.send(`42` + n + `17["e","{\"a\":1}"]`)
				f.expect(`42`+n+`["o\"n",{"a":1}]`, `43`+n+`17[]`)
				f.send(`451-`+n+`["bin",{"_placeholder":true,"num":0}]`, "6", "binary:\x00\xff")
				f.expect(`451-`+n+`["o\"n",{"_placeholder":true,"num":0}]`, "binary:\x00\xff")
				f.send(`43`+n+`5["unasked"]`, `461-`+n+`6[{"_placeholder":true,"num":0}]`, "binary:x")
				f.send(`42` + n + `["e","plain",1]`)
				f.expect(`42` + n + `["o\"n",["plain",1]]`)
				f.send(`41` + n)
				f.expect("closed 1000")
			})
			want := []string{`e {"a":"ü"} false`, `e {"a":1} false`, "bin \x00\xff true", `e ["plain",1] false`}
			if got := h.wait(t, CodeNormal); !slices.Equal(got, want) {
				t.Errorf("heard %q", got)
			}
			if e := s.Err().(*CloseError); !e.Remote {
				t.Errorf("a disconnect packet is the peer's close: %v", e)
			}
		})
	}
}

// TestSocketIOWrites: what is not JSON becomes a string.
func TestSocketIOWrites(t *testing.T) {
	eachRole(t, func(t *testing.T, client bool) {
		wrote := make(chan error, 9)
		h := newHeard(func(m Messages, _ string, _ []byte, _ bool) {
			for _, data := range []string{`{"a":1}`, `he said "no"`, ``, `42`, `"s"`, `{"a":`} {
				wrote <- m.Write([]byte(data), false)
			}
			if err := m.Write([]byte("\xff"), false); err == nil || m.Err() != nil {
				t.Errorf("not UTF-8: %v, %v", err, m.Err())
			}
			go func() { // waiting in OnMessage is allowed, waiting elsewhere is usual
				wrote <- m.WriteWait(context.Background(), []byte("b"), true)
				m.Close(CodeNormal, "done")
			}()
		})
		handshaken(t, client, SocketIOOptions{}, h, func(f *far) {
			f.send(`42["go"]`)
			f.expect(`42["message",{"a":1}]`, `42["message","he said \"no\""]`, `42["message",""]`, `42["message",42]`,
				`42["message","s"]`, `42["message","{\"a\":"]`, `451-["message",{"_placeholder":true,"num":0}]`, "binary:b", "41", "closed 1000")
		})
		h.wait(t, CodeNormal)
		close(wrote)
		for err := range wrote {
			if err != nil {
				t.Error(err)
			}
		}
	})
}

// TestSocketIOSaysWhetherToComeBack: whom we turn away for good is told so before
// the close, or a client would be back in a second; whom we ask to try again is not.
func TestSocketIOSaysWhetherToComeBack(t *testing.T) {
	for code, final := range map[int]bool{CodeNormal: true, CodePolicy: true, CodeGoingAway: false, CodeTryLater: false, CodeInternal: false, 4000: true, 4401: true} {
		eachRole(t, func(t *testing.T, client bool) {
			h := newHeard(func(m Messages, _ string, _ []byte, _ bool) { m.Close(code, "done") })
			handshaken(t, client, SocketIOOptions{}, h, func(f *far) {
				f.send(`42["go"]`)
				if final {
					f.expect("41")
				}
				f.expect(fmt.Sprint("closed ", code))
			})
			h.wait(t, code)
		})
	}
}

// TestSocketIORefuses: each bad packet ends the connection with its code, and what came before it
// was heard.
func TestSocketIORefuses(t *testing.T) {
	type bad struct {
		frames []string
		code   int
	}
	cases := []bad{{[]string{""}, 1002}, {[]string{"0{}"}, 1002}, {[]string{"5"}, 1002}, {[]string{"9"}, 1002}, {[]string{"bAQID"}, 1002},
		{[]string{"binary:x"}, 1002}, {[]string{`42/other,["e"]`}, 1002}, {[]string{`41/other`}, 1002}, {[]string{"40"}, 1002},
		{[]string{`44{"message":"no"}`}, 1002}, {[]string{strings.Repeat("x", 300<<10)}, 1009},
		{[]string{`451-["e",{"_placeholder":true,"num":0}]`, "binary:" + strings.Repeat("x", 256<<10)}, 1009},
		{slices.Repeat([]string{"6"}, 50), 1008}, {slices.Repeat([]string{`431[]`}, 50), 1008},
		{[]string{"1"}, 1000}}
	for _, c := range badPackets()[:12] {
		frames := []string{"4" + c.text}
		for _, p := range c.parts {
			frames = append(frames, "binary:"+p)
		}
		cases = append(cases, bad{frames, c.code})
	}
	eachRole(t, func(t *testing.T, client bool) {
		wrong := bad{[]string{"3"}, 1002}
		if !client {
			wrong.frames[0] = "2"
		}
		for _, c := range append(cases, wrong) {
			t.Run(fmt.Sprintf("%.30q", c.frames[0]), func(t *testing.T) {
				h := newHeard(nil)
				handshaken(t, client, SocketIOOptions{}, h, func(f *far) {
					f.send(`42["e","before"]`)
					f.send(c.frames...)
					f.expect(fmt.Sprint("closed ", c.code))
				})
				if got := h.wait(t, c.code); !slices.Equal(got, []string{`e "before" false`}) {
					t.Errorf("heard %q", got)
				}
			})
		}
	})
}

// TestSocketIOHandsOver: nothing is lost between the handshake and Run, a panic of the receiver
// ends the connection with 1011 and sends no acknowledgement.
func TestSocketIOHandsOver(t *testing.T) {
	eachRole(t, func(t *testing.T, client bool) {
		h := newHeard(func(_ Messages, event string, _ []byte, _ bool) {
			if event == "boom" {
				panic("boom")
			}
		})
		handshaken(t, client, SocketIOOptions{}, h, func(f *far) {
			f.send(`42["a"]`, `42["b"]`, `421["boom"]`, `422["c"]`)
			f.expect("closed 1011")
		})
		if got := h.wait(t, CodeInternal); !slices.Equal(got, []string{"a null false", "b null false", "boom null false"}) {
			t.Errorf("heard %q", got)
		}
	})
}

// TestSocketIOClosedUnrun: Close alone frees everything, with an event waiting and without.
func TestSocketIOClosedUnrun(t *testing.T) {
	eachRole(t, func(t *testing.T, client bool) {
		for _, events := range []int{0, 3} {
			s, err := other(t, client, SocketIOOptions{}, func(f *far, _ *http.Request) {
				if client {
					f.send(hello)
					f.expect("40")
					f.send(`40{"sid":"x"}`)
				} else {
					f.send("40")
					f.expect("0...", "40...")
				}
				f.send(slices.Repeat([]string{`42["e"]`}, events)...)
				f.expect("closed 1001")
			})
			if err != nil {
				t.Fatal(err)
			}
			s.Close(CodeGoingAway, "not wanted")
			<-s.done
			if err := s.Write([]byte("1"), false); err != ErrClosed {
				t.Errorf("write after the end: %v", err)
			}
			h := newHeard(nil)
			s.Run(h)
			if got := h.wait(t, CodeGoingAway); len(got) != 0 {
				t.Errorf("heard %q after Close", got)
			}
		}
	})
}

// TestAttachedCounts: attachments take their room in the outbox and give it back, and once the
// text before them is out nobody can say that nothing is.
func TestAttachedCounts(t *testing.T) {
	o := newOutbox(Options{OutboxMessages: 10, OutboxBytes: 100})
	p := func() *parcel {
		return &parcel{data: make([]byte, 10), attached: [][]byte{make([]byte, 30), make([]byte, 20)}}
	}
	first := p()
	if err := errors.Join(o.put(first), o.put(&parcel{data: make([]byte, 40)})); err != nil || o.bytes != 100 {
		t.Errorf("%d bytes, %v", o.bytes, err)
	}
	if !o.withdraw(first) || o.bytes != 40 {
		t.Errorf("withdrawn, yet %d bytes", o.bytes)
	}
	if err := errors.Join(o.put(p()), o.put(p())); !errors.Is(err, ErrOverflow) || o.bytes != 100 {
		t.Errorf("%d bytes, %v", o.bytes, err)
	}
	for p, _ := o.next(); p != nil; p, _ = o.next() {
		o.written(p)
	}
	if o.bytes != 0 || o.count != 0 {
		t.Errorf("all written, yet %d bytes of %d", o.bytes, o.count)
	}
	clean := &writeError{err: net.ErrClosed}
	if outcome(clean, false) != ErrClosed || outcome(clean, true) != ErrUnknown || outcome(nil, true) != nil {
		t.Error("outcome of a torn parcel")
	}
}

// TestPlainMessages: a plain connection is Messages too.
func TestPlainMessages(t *testing.T) {
	served, dialled := newHeard(func(m Messages, _ string, data []byte, binary bool) {
		if err := m.WriteWait(context.Background(), bytes.ToUpper(data), binary); err != nil {
			t.Error(err)
		}
		m.Close(4000, "enough")
	}), newHeard(nil)
	server := serve(t, Options{}, func(c *Conn) { c.Messages().Run(served) })
	c, err := Dial(t.Context(), &net.Dialer{}, strings.Replace(server.URL, "http", "ws", 1), nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	m := c.Messages()
	if err := errors.Join(m.Write([]byte("abc"), true), m.Err()); err != nil {
		t.Error(err)
	}
	m.Run(dialled)
	if got := dialled.wait(t, 4000); !slices.Equal(got, []string{" ABC true"}) || m.Err() == nil {
		t.Errorf("heard %q, %v", got, m.Err())
	}
	if got := served.wait(t, 4000); !slices.Equal(got, []string{" abc true"}) {
		t.Errorf("heard %q", got)
	}
}
