package egress

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/internal/breaker"
	"github.com/footbridge/footbridge/bridge/internal/credential"
)

// relay is a proxy that takes every name to one place.
type relay struct {
	*httptest.Server
	mu     sync.Mutex
	asked  []string
	status int
}

func newRelay(t *testing.T, to string, start func(http.Handler) *httptest.Server) *relay {
	r := &relay{status: http.StatusOK}
	r.Server = start(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.mu.Lock()
		defer r.mu.Unlock()
		login, _ := base64.StdEncoding.DecodeString(req.Header.Get("Proxy-Authorization")[len("Basic "):])
		r.asked = append(r.asked, req.Method+" "+req.Host+" "+string(login))
		far, err := net.Dial("tcp", to)
		if err != nil || r.status != http.StatusOK {
			w.WriteHeader(r.status)
			return
		}
		near, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		_, _ = io.WriteString(near, "HTTP/1.1 200 OK\r\n\r\n")
		go func() { _, _ = io.Copy(far, near); _ = far.Close() }()
		go func() { _, _ = io.Copy(near, far); _ = near.Close() }()
	}))
	t.Cleanup(r.Close)
	return r
}

// TestProxy: names go through the proxy unresolved, addresses only where the
// operator wrote them down, and then directly.
func TestProxy(t *testing.T) {
	vendor := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Host) }))
	defer vendor.Close()
	near := newSwitchboard(t)
	for _, start := range []func(http.Handler) *httptest.Server{httptest.NewServer, httptest.NewTLSServer} {
		proxy := newRelay(t, host(t, vendor), start)
		at, _ := url.Parse(proxy.URL)
		roots := x509.NewCertPool()
		roots.AddCert(vendor.Certificate())
		w := openWay(t, breaker.Options{})
		w.o.Network = Network{Proxy: at, ProxyLogin: credential.NewSecret("me:pass"), Roots: roots}
		named := []string{host(t, near.Server), "desk.internal"}
		w.Configure(map[string]Account{"a": {Hosts: append([]string{"example.com", "169.254.169.254", "intranet", "meta.internal", "10.0.0.1:443"}, named...), Named: named}})
		got := func(address string) any {
			a := w.Call(t.Context(), "a", "t", nil, adapter.Call{Method: "GET", URL: address})
			return string(a.Body) + a.Reason
		}
		outcomes := []any{got("https://example.com/"), got("https://169.254.169.254/"), got("https://10.0.0.1:443/"), got("https://intranet/"), got("https://meta.internal/")}
		if want := []any{"example.com", adapter.ReasonNotAllowed, adapter.ReasonNotAllowed, adapter.ReasonNotAllowed, adapter.ReasonNotAllowed}; !slices.Equal(outcomes, want) {
			t.Errorf("got %q", outcomes)
		}
		link, tried := w.Dial(t.Context(), "a", "t", nil, adapter.Dial{URL: near.address()})
		if link == nil {
			t.Errorf("an address written down is not dialled: %+v", tried)
		} else {
			link.Close(1000)
		}
		if link, tried = w.Dial(t.Context(), "a", "t", nil, adapter.Dial{URL: "wss://example.com/x"}); link != nil || tried.Status != http.StatusOK {
			t.Errorf("a socket through the proxy: %+v", tried)
		}
		_ = got("https://desk.internal/") // of another name than the certificate's
		if want := []string{"CONNECT example.com:443 me:pass", "CONNECT example.com:443 me:pass", "CONNECT desk.internal:443 me:pass"}; !slices.Equal(proxy.asked, want) {
			t.Errorf("the proxy was asked for %q", proxy.asked)
		}
		w.Configure(map[string]Account{"a": {Hosts: []string{"example.com"}}})
		if proxy.status = http.StatusProxyAuthRequired; got("https://example.com/") != adapter.ReasonRefused {
			t.Error("a refusal of the proxy is something else")
		}
	}
}

// TestTLS: authorities that are not known and protocols of yesterday are refused,
// and nothing of the call was sent.
func TestTLS(t *testing.T) {
	var calls int
	server := func(max uint16) *httptest.Server {
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls++ }))
		s.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: max} //nolint:gosec // what is refused.
		s.StartTLS()
		t.Cleanup(s.Close)
		return s
	}
	old, good := server(tls.VersionTLS11), server(tls.VersionTLS13)
	w := openWay(t, breaker.Options{}, host(t, old), host(t, good))
	if got := w.post(good.URL); got.Reason != adapter.ReasonRefused {
		t.Errorf("unknown authority: %+v", got)
	}
	roots := x509.NewCertPool()
	roots.AddCert(good.Certificate())
	w.o.Network.Roots = roots
	w.Configure(map[string]Account{"a": {Hosts: []string{host(t, old), host(t, good)}, Named: []string{host(t, old), host(t, good)}}})
	if got := w.post(good.URL); got.Status != http.StatusOK || calls != 1 {
		t.Errorf("known authority: %+v, %d calls", got, calls)
	}
	if got := w.post(old.URL); got.Reason != adapter.ReasonRefused || calls != 1 {
		t.Errorf("TLS 1.1: %+v, %d calls", got, calls)
	}
}

// TestTransport: what is nobody's account goes the same way out: the provider is
// reached where the operator wrote its address down, and leads nowhere else.
func TestTransport(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Host) }))
	defer s.Close()
	at := host(t, s)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	own := Network{Roots: roots, Resolver: newNameServer(t, map[string][]string{"login.example.com": {"127.0.0.1"}})}
	_, port, _ := net.SplitHostPort(at)
	login := "login.example.com:" + port
	inside := own
	inside.Private = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	for _, c := range []struct {
		n           Network
		named, host string
		want        string
	}{
		{own, at, at, ""},
		{own, login, at, "address is not of the internet"},
		{own, at, login, "address is not of the internet"},
		{own, login, login, "address is not of the internet"},
		{own, at, "169.254.169.254", "address is not of the internet"},
		{inside, login, login, ""},
		{inside, at, login, "address is not of the internet"},
		{Network{}, at, at, "unknown authority"},
	} {
		resp, err := (&http.Client{Transport: c.n.Transport(c.named)}).Get("https://" + c.host)
		if err == nil {
			_ = resp.Body.Close()
		}
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s, with %s named: %v, want %q", c.host, c.named, err, c.want)
		}
	}
}
