package ingress

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/internal/credential"
	"github.com/footbridge/footbridge/bridge/internal/engine"
)

// hall serves one socket endpoint of account "web" over a real listener.
func hall(t *testing.T, b *book, e adapter.Endpoint, change func(*Account)) (address string, minter *credential.Minter) {
	t.Helper()
	minter = credential.NewMinter([]byte("key"))
	i := New(Options{Engine: b, Sockets: b, Minter: minter})
	e.Name, e.Method, e.Transport, e.Unknown = "ws", "GET", adapter.TransportWebSocket, adapter.UnknownOpen
	a := Account{Name: "web", Endpoints: []adapter.Endpoint{e}, Secrets: map[string]credential.Secret{"token": credential.NewSecret("right")}}
	if change != nil {
		change(&a)
	}
	i.Configure([]Account{a})
	s := httptest.NewServer(i)
	t.Cleanup(s.Close)
	return "ws" + strings.TrimPrefix(s.URL, "http") + "/in/web", minter
}

func visitor(t *testing.T, address string, o *websocket.DialOptions) *websocket.Conn {
	t.Helper()
	c, _, err := websocket.Dial(t.Context(), address, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.CloseNow() })
	return c
}

func say(t *testing.T, c *websocket.Conn, text string) {
	t.Helper()
	if err := c.Write(t.Context(), websocket.MessageText, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

// until waits for a condition as long as a slow machine needs.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 1000 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("never: %s", what)
}

// closeCode reads to the end of a socket and gives its close code.
func closeCode(t *testing.T, c *websocket.Conn) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		if _, _, err := c.Read(ctx); err != nil {
			return int(websocket.CloseStatus(err))
		}
	}
}

func TestSocketsFirstMessageSaysWhose(t *testing.T) {
	b := &book{}
	address, _ := hall(t, b, adapter.Endpoint{Path: "/ws", Key: "frame:/userId,frame:/userid", Auth: "frame:/token=token"}, func(a *Account) { a.Mask = []string{"/token"} })
	c := visitor(t, address+"/ws?a=b", nil)
	say(t, c, `{"token":"right","userid":"ada","text":"one"}`)
	say(t, c, `{"token":"right","userid":"ada","text":"two"}`)
	until(t, "two frames", func() bool { f, _ := b.heard(); return len(f) == 2 })
	frames, _ := b.heard()
	want := []string{`ada {"text":"one","token":"[masked]","userid":"ada"}`, `ada {"text":"two","token":"[masked]","userid":"ada"}`}
	if !slices.Equal(frames, want) {
		t.Errorf("heard %q, want %q", frames, want)
	}
	if got := b.stored()[0].Opened; got.Path != "/ws" || got.Query.Get("a") != "b" || got.Endpoint != "ws" {
		t.Errorf("opened %+v", got)
	}
	if outcome := b.links[0].Write(t.Context(), engine.Message{Data: []byte(`"hello"`)}); outcome != adapter.SentWritten {
		t.Errorf("write: %s", outcome)
	}
	if _, data, err := c.Read(t.Context()); err != nil || string(data) != `"hello"` {
		t.Errorf("read %s %v", data, err)
	}
	_ = c.Close(1000, "bye")
	until(t, "the end", func() bool { _, ends := b.heard(); return len(ends) == 1 })
	if _, ends := b.heard(); ends[0].Code != 1000 || ends[0].Reason != adapter.ClosedByPeer {
		t.Errorf("ended %+v", ends[0])
	}
}

func TestSocketsTurnedAway(t *testing.T) {
	ours := adapter.Endpoint{Path: "/ws", Key: "frame:/userId", Auth: "frame:/token=token"}
	for name, c := range map[string]struct {
		endpoint adapter.Endpoint
		first    string
		err      error
		want     int
	}{
		"wrong token":    {ours, `{"token":"wrong","userId":"ada"}`, nil, closeUnauthorized},
		"no token":       {ours, `{"userId":"ada"}`, nil, closeUnauthorized},
		"no key":         {ours, `{"token":"right"}`, nil, 1008},
		"not an object":  {ours, `[1]`, nil, 1008},
		"not JSON":       {ours, `hello`, nil, 1008},
		"nobody has it":  {ours, `{"token":"right","userId":"ada"}`, engine.ErrUnknownKey, closeUnknownKey},
		"no room":        {ours, `{"token":"right","userId":"ada"}`, engine.ErrBusy, 1013},
		"drained":        {ours, `{"token":"right","userId":"ada"}`, engine.ErrDrained, 1013},
		"key without it": {adapter.Endpoint{Path: "/ws", Key: "connection"}, "", engine.ErrBusy, 1013},
	} {
		b := &book{err: c.err}
		address, _ := hall(t, b, c.endpoint, nil)
		v := visitor(t, address+"/ws", nil)
		if c.first != "" {
			say(t, v, c.first)
		}
		if code := closeCode(t, v); code != c.want {
			t.Errorf("%s: closed with %d, want %d", name, code, c.want)
		}
		if n := len(b.stored()); n != 0 {
			t.Errorf("%s: %d stored", name, n)
		}
	}
}

func TestSocketsOfMintedTokens(t *testing.T) {
	e := adapter.Endpoint{Path: "/ws", Key: "token", Auth: "minted:door", Tokens: []string{"bearer", "query:token", "protocol", "frame:/token"}}
	b := &book{}
	e2 := e
	e2.Tokens = e.Tokens[:3]
	address, minter := hall(t, b, e2, nil)
	good := minter.Mint("web", "door", "leg-7", time.Now(), time.Hour)
	over := minter.Mint("web", "door", "leg-7", time.Now().Add(-2*time.Hour), time.Hour)
	bearer := func(token string) *websocket.DialOptions {
		return &websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer " + token}}}
	}
	for name, o := range map[string]struct {
		address string
		options *websocket.DialOptions
	}{"bearer": {address + "/ws", bearer(good)}, "query": {address + "/ws?token=" + good, nil},
		"protocol": {address + "/ws", &websocket.DialOptions{Subprotocols: []string{good}}}} {
		before := len(b.stored())
		visitor(t, o.address, o.options)
		until(t, name, func() bool { return len(b.stored()) == before+1 })
		got := b.stored()[before]
		if got.Key != "leg-7" || strings.Contains(got.Opened.Query.Encode(), good) || strings.Contains(strings.Join(got.Opened.Header["Authorization"], ""), good) ||
			got.Opened.Header.Get("Sec-WebSocket-Protocol") != "" {
			t.Errorf("%s: %+v %+v", name, got, got.Opened)
		}
	}
	for name, token := range map[string]string{"over": over, "made up": "a.b.c", "none": ""} {
		_, answer, err := websocket.Dial(t.Context(), address+"/ws", bearer(token))
		if err == nil || answer == nil || answer.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: %v", name, err)
		}
	}
	own := e2
	own.Path, own.Key = "/{leg}/ws", "path:leg"
	ownLeg, minter := hall(t, b, own, nil)
	token := minter.Mint("web", "door", "leg-9", time.Now(), time.Hour)
	if _, answer, err := websocket.Dial(t.Context(), ownLeg+"/leg-10/ws", bearer(token)); err == nil || answer == nil || answer.StatusCode != http.StatusUnauthorized {
		t.Errorf("another leg's token: %v", err)
	}
	visitor(t, ownLeg+"/leg-9/ws", bearer(token))
	inFrame, minter := hall(t, b, e, nil)
	v := visitor(t, inFrame+"/ws", nil)
	until(t, "the leg's own", func() bool { return len(b.stored()) == 4 })
	before := len(b.stored())
	say(t, v, `{"token":"`+minter.Mint("web", "door", "leg-8", time.Now(), time.Hour)+`"}`)
	until(t, "in a frame", func() bool { return len(b.stored()) == before+1 })
	if key := b.stored()[before].Key; key != "leg-8" {
		t.Errorf("key %q", key)
	}
	visitor(t, inFrame+"/ws?token="+minter.Mint("web", "door", "leg-6", time.Now(), time.Hour), nil)
	until(t, "a token in the request, though it may be in a frame", func() bool { return len(b.stored()) == before+2 })
	if _, answer, err := websocket.Dial(t.Context(), inFrame+"/ws?token=a.b.c", nil); err == nil || answer == nil || answer.StatusCode != http.StatusUnauthorized {
		t.Errorf("a made up token, though it may be in a frame: %v", err)
	}
}

// A token is good for its own leg alone, and a new leg has a key of its own.
func TestRequestsOfMintedTokens(t *testing.T) {
	b := &book{reply: adapter.Reply{Status: 200}}
	minter := credential.NewMinter([]byte("key"))
	i := New(Options{Engine: b, Sockets: b, Minter: minter})
	i.Configure([]Account{{Name: "web", AllowUnauthenticated: true, Endpoints: []adapter.Endpoint{
		{Name: "init", Method: "POST", Path: "/init", Key: "new", Answer: adapter.AnswerAck, Unknown: adapter.UnknownOpen},
		{Name: "step", Method: "POST", Path: "/{leg}/step", Key: "path:leg", Auth: "minted:door", Tokens: []string{"bearer"}, Answer: adapter.AnswerAck, Unknown: adapter.UnknownRefuse}}}})
	post := func(path, token string) int {
		r := httptest.NewRequest("POST", "/in/web"+path, strings.NewReader(`{}`))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		i.ServeHTTP(w, r)
		return w.Code
	}
	if code := post("/init", ""); code != 200 || post("/init", "") != 200 {
		t.Fatalf("init: %d", code)
	}
	if all := b.stored(); all[0].Key == "" || all[0].Key == all[1].Key {
		t.Errorf("keys %q %q", all[0].Key, all[1].Key)
	}
	token := minter.Mint("web", "door", "leg-1", time.Now(), time.Hour)
	for path, want := range map[string]int{"/leg-1/step": 200, "/leg-2/step": 401} {
		if code := post(path, token); code != want {
			t.Errorf("%s: %d, want %d", path, code, want)
		}
	}
}
