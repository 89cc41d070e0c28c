package egress

import (
	"bufio"
	"context"
	"encoding/binary"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/internal/breaker"
)

// forgery is one line of the corpus.
type forgery struct {
	address string
	answers []string // what the name server says, in the order of the questions
}

// forgeries are row H37 of the catalogue of bad input. FuzzTarget begins with them.
func forgeries(t testing.TB, port string) []forgery {
	t.Helper()
	f, err := os.Open("testdata/forgery.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	self, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	var all []forgery
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := lines.Text()
		if line == "" || line[0] == '#' {
			continue
		}
		address, answers, _ := strings.Cut(strings.NewReplacer("{port}", port, "{hostname}", self).Replace(line), " -> ")
		all = append(all, forgery{address, strings.Split(answers, "|")})
	}
	if len(all) < 300 {
		t.Fatalf("the corpus has %d addresses", len(all))
	}
	return all
}

// ear listens at every address of this machine and counts who comes.
func ear(t *testing.T) (port string, heard *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	heard = &atomic.Int64{}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			heard.Add(1)
			_ = c.Close()
		}
	}()
	_, port, _ = net.SplitHostPort(l.Addr().String())
	return port, heard
}

// nameServer answers for the names of the corpus; what else it is asked for does
// not exist.
type nameServer struct {
	mu    sync.Mutex
	names map[string][]string
	asked map[string]int
}

func newNameServer(t *testing.T, names map[string][]string) *net.Resolver {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	s := &nameServer{names: names, asked: map[string]int{}}
	go func() {
		for buf := make([]byte, 1500); ; {
			n, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			_, _ = c.WriteTo(s.answer(buf[:n]), from)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", c.LocalAddr().String())
	}}
}

// answer answers one question of RFC 1035, for addresses only.
func (s *nameServer) answer(q []byte) []byte {
	var labels []string
	at := 12
	for q[at] != 0 {
		labels = append(labels, string(q[at+1:at+1+int(q[at])]))
		at += 1 + int(q[at])
	}
	kind, end := binary.BigEndian.Uint16(q[at+1:]), at+5
	out := append(slices.Clone(q[:2]), 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0)
	out = append(out, q[12:end]...)
	s.mu.Lock()
	defer s.mu.Unlock()
	name := strings.ToLower(strings.Join(labels, "."))
	key := name + string(rune(kind))
	all, known := s.names[name]
	if !known {
		out[3] |= 3
		return out
	}
	for text := range strings.SplitSeq(all[min(s.asked[key], len(all)-1)], ",") {
		a := netip.MustParseAddr(text)
		if want := map[bool]uint16{true: 1, false: 28}[a.Is4()]; want == kind {
			out[7]++
			out = append(out, 0xc0, 12, 0, byte(kind), 0, 1, 0, 0, 0, 0, 0, byte(a.BitLen()/8))
			out = append(out, a.AsSlice()...)
		}
	}
	s.asked[key]++
	return out
}

func namesOf(all []forgery) map[string][]string {
	names := map[string][]string{}
	for _, f := range all {
		if u, err := url.Parse(f.address); err == nil && f.answers[0] != "" {
			names[strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")] = f.answers
		}
	}
	return names
}

// TestForgery: with its host on the account's list, as a hostile plugin would put
// it there, none of the corpus is reached, by no kind of connection, and not
// through a redirect either.
func TestForgery(t *testing.T) {
	port, heard := ear(t)
	all := forgeries(t, port)
	hosts := []string{"127.0.0.1:" + port, "[::1]:" + port, "localhost:" + port, "vendor.example"}
	for _, f := range all {
		if u, err := url.Parse(f.address); err == nil {
			hosts = append(hosts, u.Host, u.Hostname())
		}
	}
	w := openWay(t, breaker.Options{}, hosts...)
	w.o.Network.Resolver = newNameServer(t, namesOf(all))
	w.Configure(map[string]Account{"a": {Hosts: hosts}})
	for _, f := range all {
		for range max(2, len(f.answers)) {
			got := w.Call(t.Context(), "a", "t", nil, adapter.Call{Method: "GET", URL: f.address})
			link, dialled := w.Dial(t.Context(), "a", "t", nil, adapter.Dial{URL: strings.Replace(f.address, "http", "ws", 1)})
			if _, _, err := w.Fetch(t.Context(), "a", f.address, false); err == nil {
				t.Errorf("a file of %s was fetched", f.address)
			}
			for _, reason := range []string{got.Reason, dialled.Reason} {
				if reason != adapter.ReasonNotAllowed && reason != adapter.ReasonRefused {
					t.Errorf("%s ended as %q", f.address, reason)
				}
			}
			if link != nil || heard.Load() != 0 {
				t.Fatalf("%s was reached", f.address)
			}
		}
	}
}

// TestForgeryIsHeard: the listener of the test above hears whoever is not held
// back, at every kind of address this machine has.
func TestForgeryIsHeard(t *testing.T) {
	port, heard := ear(t)
	reached := map[string]bool{}
	all := forgeries(t, port)
	plain := net.Dialer{Timeout: 200 * time.Millisecond, Resolver: newNameServer(t, namesOf(all))}
	for _, f := range all {
		u, err := url.Parse(f.address)
		if err != nil || u.Port() != port {
			continue
		}
		if a, err := netip.ParseAddr(u.Hostname()); err == nil && !a.Unmap().IsLoopback() && !a.Unmap().IsUnspecified() {
			continue // of others: nobody is to be bothered
		} else if err != nil && (f.answers[0] == "" || !strings.HasPrefix(f.answers[0], "127.")) && u.Hostname() != "localhost" {
			continue
		}
		if c, err := plain.DialContext(t.Context(), "tcp", u.Host); err == nil {
			_ = c.Close()
			reached[u.Hostname()] = true
		}
	}
	for _, name := range []string{"127.0.0.1", "::ffff:127.0.0.1", "localhost", "loop.example", "rebind.example"} {
		if !reached[name] {
			t.Errorf("%s cannot be reached at all: the test of it shows nothing", name)
		}
	}
	if len(reached) < 20 || heard.Load() == 0 {
		t.Errorf("only %d addresses can be reached", len(reached))
	}
}

// TestForgeryByRedirect: a host that may be called sends the caller elsewhere.
func TestForgeryByRedirect(t *testing.T) {
	port, heard := ear(t)
	var to string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", to)
		w.WriteHeader(map[string]int{"GET": http.StatusFound, "POST": http.StatusPermanentRedirect}[r.Method])
	}))
	defer s.Close()
	w := openWay(t, breaker.Options{}, host(t, s))
	for _, f := range forgeries(t, port) {
		to = f.address
		for _, method := range []string{"GET", "POST"} {
			if got := w.Call(t.Context(), "a", "t", nil, adapter.Call{Method: method, URL: s.URL}); got.Status/100 != 3 {
				t.Errorf("%s: redirect to %s ended as %+v", method, to, got)
			}
		}
		if link, got := w.Dial(t.Context(), "a", "t", nil, adapter.Dial{URL: "ws" + s.URL[4:]}); link != nil || got.Status != http.StatusFound {
			t.Errorf("socket: redirect to %s ended as %+v", to, got)
		}
		if heard.Load() != 0 {
			t.Fatalf("%s was reached", to)
		}
	}
}

// TestRebinding: a name in a network of ours is reached there; as it turns to
// another place, or names that place too, it is not.
func TestRebinding(t *testing.T) {
	var reached [2]atomic.Int64
	serve := func(at string, n *atomic.Int64) net.Listener {
		l, err := net.Listen("tcp", at)
		if err != nil && runtime.GOOS != "linux" {
			t.Skipf("this machine has no %s: %v", at, err)
		} else if err != nil {
			t.Fatal(err)
		}
		s := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { n.Add(1) })}
		s.SetKeepAlivesEnabled(false)
		go func() { _ = s.Serve(l) }()
		t.Cleanup(func() { _ = s.Close() })
		return l
	}
	_, port, _ := net.SplitHostPort(serve("127.0.0.2:0", &reached[0]).Addr().String())
	serve("127.0.0.3:"+port, &reached[1])
	w := openWay(t, breaker.Options{})
	w.o.Network = Network{Private: prefixes("127.0.0.2/32"),
		Resolver: newNameServer(t, map[string][]string{"rebind.example": {"127.0.0.2", "127.0.0.3", "127.0.0.3,127.0.0.2", "127.0.0.2"}})}
	name := "rebind.example:" + port
	w.Configure(map[string]Account{"a": {Hosts: []string{name}, Named: []string{name}}, "b": {Hosts: []string{name}}})
	var got []any
	for _, account := range []string{"a", "a", "a", "b"} {
		a := w.Call(t.Context(), account, "t", nil, adapter.Call{Method: "GET", URL: "http://" + name})
		got = append(got, a.Status, a.Reason)
	}
	want := []any{200, "", 0, adapter.ReasonNotAllowed, 200, "", 0, adapter.ReasonNotAllowed}
	if !slices.Equal(got, want) || reached[0].Load() != 2 || reached[1].Load() != 0 {
		t.Errorf("got %v; the allowed place was reached %d times, the other %d times", got, reached[0].Load(), reached[1].Load())
	}
}

func TestPublicAddresses(t *testing.T) {
	for text, want := range map[string]bool{"8.8.8.8": true, "1.1.1.1": true, "172.15.255.255": true, "172.32.0.0": true, "100.128.0.0": true, "198.20.0.0": true,
		"223.255.255.255": true, "::ffff:8.8.8.8": true, "64:ff9b::808:808": true, "2606:4700::1111": true, "2a00:1450::1": true,
		"64:ff9b::7f00:1": false, "2002:808:808::": false, "2606:4700::1111%eth0": false, "::ffff:127.0.0.1": false, "fd00::1": false} {
		if got := public(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s public: %v", text, got)
		}
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		ip, _ := netip.AddrFromSlice(a.(*net.IPNet).IP)
		if !ours(ip.Unmap()) {
			t.Errorf("%s is not ours", ip)
		}
	}
	if ours(netip.MustParseAddr("8.8.8.8")) {
		t.Error("everything is ours")
	}
}
