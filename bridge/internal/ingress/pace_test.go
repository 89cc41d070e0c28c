package ingress

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/internal/credential"
	"github.com/footbridge/footbridge/bridge/internal/engine"
)

// unread is a body nobody may touch.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the body of a request that is too many was read")
	return 0, io.EOF
}

// A peer has its rate, twice at once; others have theirs, and this machine has none.
func TestRateOfPeers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &book{}
		refused := map[string]int{}
		i := New(Options{Engine: b, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, Refused: func(account, why string) { refused[account+" "+why]++ }})
		i.Configure([]Account{{Name: "studio", Endpoints: []adapter.Endpoint{endpoint()}, AllowUnauthenticated: true}})
		i.Limit(Rates{Peer: 10})
		h := i.Paced(i)
		ask := func(remote, forwarded string, body io.Reader) *httptest.ResponseRecorder {
			r := httptest.NewRequest("POST", "/in/studio/inbound", body)
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("X-Forwarded-For", forwarded)
			r.RemoteAddr = remote
			return serve(h, r)
		}
		for n := range 20 {
			if got := ask("192.0.2.1:1", "", strings.NewReader(good)); got.Code != 200 {
				t.Fatalf("request %d answered %d", n, got.Code)
			}
		}
		over := ask("192.0.2.1:2", "", unread{t})
		if over.Code != 429 || over.Header().Get("Retry-After") != "1" || over.Header().Get("Connection") != "close" || len(b.stored()) != 20 || refused[" rate"] != 1 {
			t.Errorf("answered %d %v, %d stored, refused %v", over.Code, over.Header(), len(b.stored()), refused)
		}
		for remote, forwarded := range map[string]string{"192.0.2.2:1": "", "10.0.0.1:1": "198.51.100.7", "10.0.0.2:1": "198.51.100.8, 10.0.0.3"} {
			if got := ask(remote, forwarded, strings.NewReader(good)); got.Code != 200 {
				t.Errorf("%s for %s answered %d", remote, forwarded, got.Code)
			}
		}
		if got := ask("10.0.0.9:1", "192.0.2.1", unread{t}); got.Code != 429 {
			t.Errorf("the same through a proxy answered %d", got.Code)
		}
		for range 50 {
			if got := ask("127.0.0.1:1", "", strings.NewReader(good)); got.Code != 200 {
				t.Fatalf("this machine: %d", got.Code)
			}
		}
		time.Sleep(time.Second)
		for n := range 11 {
			if got := ask("192.0.2.1:1", "", strings.NewReader(good)); (got.Code == 200) != (n < 10) {
				t.Errorf("a second later request %d answered %d", n, got.Code)
			}
		}
	})
}

// Networks of IPv6 are one peer, and so are callers nobody tells apart.
func TestWhosePace(t *testing.T) {
	i := New(Options{Engine: &book{}, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
	for _, c := range []struct{ remote, forwarded, bucket string }{
		{"192.0.2.1:1", "", "192.0.2.1"},
		{"192.0.2.1:2", "198.51.100.1", "192.0.2.1"},
		{"[::ffff:192.0.2.1]:1", "", "192.0.2.1"},
		{"[2001:db8:1:2:3:4:5:6]:1", "", "2001:db8:1:2::/64"},
		{"10.0.0.1:1", "2001:db8:1:2::9", "2001:db8:1:2::/64"},
		{"10.0.0.1:1", "nonsense", "10.0.0.1"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.remote
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		if got := i.bucket(r); got != c.bucket {
			t.Errorf("%s for %s counts against %s, want %s", c.remote, c.forwarded, got, c.bucket)
		}
	}
}

// An account has its rate, which strangers cannot use up; another has its own.
func TestRateOfAccounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := endpoint()
		e.Auth = "header:X-Key=key"
		account := func(name string) Account {
			return Account{Name: name, Endpoints: []adapter.Endpoint{e}, Secrets: map[string]credential.Secret{"key": credential.NewSecret("right")}}
		}
		b := &book{}
		i := New(Options{Engine: b})
		i.Configure([]Account{account("one"), account("two")})
		i.Limit(Rates{Account: 5})
		for range 1000 {
			if got := served(i, "/in/one/inbound", good, "X-Key", "wrong"); got.Code != 401 {
				t.Fatalf("a stranger was answered %d", got.Code)
			}
		}
		for n := range 12 {
			got := served(i, "/in/one/inbound", good, "X-Key", "right")
			if (got.Code == 200) != (n < 10) || n >= 10 && (got.Code != 429 || got.Header().Get("Retry-After") != "1") {
				t.Errorf("request %d answered %d %v", n, got.Code, got.Header())
			}
		}
		if got := served(i, "/in/two/inbound", good, "X-Key", "right"); got.Code != 200 || len(b.stored()) != 11 {
			t.Errorf("the other account answered %d, %d stored", got.Code, len(b.stored()))
		}
		time.Sleep(200 * time.Millisecond)
		if got := served(i, "/in/one/inbound", good, "X-Key", "right"); got.Code != 200 {
			t.Errorf("a fifth of a second later: %d", got.Code)
		}
	})
}

// Many names cost bounded memory, and who was refused stays refused.
func TestBucketsAreBounded(t *testing.T) {
	b, now := newBuckets(1), time.Unix(1, 0)
	for range 3 {
		b.take("busy", now)
	}
	for n := range 3 * mostBuckets {
		b.take(strconv.Itoa(n), now)
	}
	if len(b.of) > mostBuckets+1 || b.take("busy", now) == 0 {
		t.Errorf("%d buckets; busy waits %s", len(b.of), b.take("busy", now))
	}
	now = now.Add(time.Minute)
	b.take("later", now)
	if len(b.of) > 2 {
		t.Errorf("%d are left a minute later", len(b.of))
	}
	if newBuckets(0).take("x", now) != 0 {
		t.Error("no limit is one")
	}
}

func TestHeaderFields(t *testing.T) {
	b := &book{}
	i := New(Options{Engine: b})
	i.Configure([]Account{{Name: "studio", Endpoints: []adapter.Endpoint{endpoint()}, AllowUnauthenticated: true}})
	for n, status := range map[int]int{99: 200, 100: 431, 500: 431} {
		r := request("/in/studio/inbound", good)
		for k := range n {
			r.Header.Add(fmt.Sprintf("X-%d", k%7), "a")
		}
		if got := serve(i.Paced(i), r); got.Code != status {
			t.Errorf("%d more fields answered %d", n, got.Code)
		}
	}
	if len(b.stored()) != 1 {
		t.Errorf("%d stored", len(b.stored()))
	}
}

// A body may take longer than others as long as it keeps coming; one that drips is
// cut off. What comes after it has time again.
func TestSlowBodies(t *testing.T) {
	b := &book{reply: adapter.Reply{Status: 200}}
	e := endpoint()
	e.Answer, e.MaxBody = adapter.AnswerReply, 1<<20
	i := New(Options{Engine: slow{b}, BodyWithin: 300 * time.Millisecond})
	i.Configure([]Account{{Name: "studio", Endpoints: []adapter.Endpoint{e}, AllowUnauthenticated: true}})
	s := httptest.NewServer(i)
	t.Cleanup(s.Close)
	send := func(pieces, size int, pause time.Duration) int {
		body, in := io.Pipe()
		go func() {
			_, _ = io.WriteString(in, `{"session":{"id":"s-1"},"pad":"`)
			for range pieces {
				time.Sleep(pause)
				if _, err := io.WriteString(in, strings.Repeat("x", size)); err != nil {
					return
				}
			}
			_, _ = io.WriteString(in, `"}`)
			_ = in.Close()
		}()
		resp, err := http.Post(s.URL+"/in/studio/inbound", "application/json", body)
		if err != nil {
			return 0 // cut off while it was still sending
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	if got := send(10, 8<<10, 100*time.Millisecond); got != 200 {
		t.Errorf("a second at 80 KiB/s answered %d", got)
	}
	began := time.Now()
	if got := send(100, 1, 100*time.Millisecond); got == 200 || len(b.stored()) != 1 {
		t.Errorf("10 bytes a second answered %d, %d stored", got, len(b.stored()))
	}
	if took := time.Since(began); took > 8*time.Second {
		t.Errorf("it took %s", took)
	}
}

// slow is an engine that answers after the time for bodies is over.
type slow struct{ *book }

func (s slow) Await(ctx context.Context, r engine.Receipt) (adapter.Reply, bool) {
	select {
	case <-ctx.Done():
		return adapter.Reply{}, false
	case <-time.After(time.Second):
		return s.book.Await(ctx, r)
	}
}

// bay is a listener whose connections come from where the test says.
type bay struct{ comes chan net.Conn }

func (b bay) Accept() (net.Conn, error) {
	c, ok := <-b.comes
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (b bay) Close() error   { return nil }
func (b bay) Addr() net.Addr { return &net.TCPAddr{} }

// from is a connection from an address.
type from struct {
	net.Conn
	address string
	closed  *int
}

func (f from) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.ParseIP(f.address), Port: 1} }
func (f from) Close() error         { *f.closed++; return nil }

// Connections are bounded in all and by peer; who leaves makes room.
func TestConnections(t *testing.T) {
	refused := 0
	l := Listen(bay{make(chan net.Conn, 100)}, Connections{Total: 6, Peer: 2}, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, func(_, why string) {
		if why == "connections" {
			refused++
		}
	})
	comes, closed := l.Listener.(bay).comes, 0
	come := func(address string) { comes <- from{nil, address, &closed} }
	accept := func() net.Conn {
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for _, address := range []string{"192.0.2.1", "192.0.2.1", "192.0.2.1", "127.0.0.1", "127.0.0.1", "127.0.0.1"} {
		come(address)
	}
	first := accept()
	for range 4 {
		accept()
	}
	if refused != 1 || closed != 1 {
		t.Fatalf("%d refused, %d closed: the third of one peer is too many", refused, closed)
	}
	_ = first.Close()
	_ = first.Close() // twice is once
	for _, address := range []string{"10.0.0.1", "192.0.2.1"} {
		come(address)
		accept()
	}
	come("10.0.0.1") // the seventh
	close(comes)
	if c, err := l.Accept(); err == nil || refused != 2 {
		t.Errorf("%v was taken, %d refused", c, refused)
	}
	l.Limit(Connections{})
	if peer, ok := l.take(from{nil, "192.0.2.1", &closed}); !ok || !peer.IsValid() {
		t.Error("no limit is one")
	}
}
