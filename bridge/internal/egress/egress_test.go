package egress

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/internal/breaker"
	"github.com/footbridge/footbridge/bridge/internal/credential"
	"github.com/footbridge/footbridge/bridge/internal/engine"
)

// way is an Egress with one account that may call the given hosts.
type way struct {
	*Egress
	log          bytes.Buffer
	placeholders *credential.Placeholders
	outcomes     []string
}

const secret = `s3cr3t "quoted" & spaced`

func openWay(t *testing.T, o breaker.Options, hosts ...string) *way {
	t.Helper()
	breakers, err := breaker.NewSet(o, nil)
	if err != nil {
		t.Fatal(err)
	}
	w := &way{placeholders: credential.NewPlaceholders([]byte("key"))}
	w.Egress = New(Options{Breakers: breakers, Placeholders: w.placeholders, Logger: slog.New(slog.NewTextHandler(&w.log, nil)),
		Called: func(_, outcome string, _ time.Duration) { w.outcomes = append(w.outcomes, outcome) }})
	w.Configure(map[string]Account{
		"a":   {Hosts: hosts, Named: hosts, Secrets: map[string]credential.Secret{"key": credential.NewSecret(secret)}},
		"off": {Hosts: hosts, Unready: "no key"},
	})
	t.Cleanup(func() { w.Close(); breakers.Close() })
	return w
}

func (w *way) post(url string) engine.Attempt {
	return w.Call(context.Background(), "a", "t", nil, adapter.Call{Method: "POST", URL: url, Body: []byte("{}")})
}

func host(t *testing.T, s *httptest.Server) string {
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}

func TestAnswer(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Set-Cookie", "a=b")
		w.Header().Set("X-Own", r.Method+" "+r.URL.RawQuery+" "+r.Header.Get("X-In")+" "+r.UserAgent())
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(429)
		_, _ = w.Write(body)
	}))
	defer s.Close()
	w := openWay(t, breaker.Options{}, host(t, s))
	got := w.Call(t.Context(), "a", "t", nil, adapter.Call{Method: "PUT", URL: s.URL + "/x?q=1", Header: http.Header{"x-in": {"v"}}, Body: []byte("body")})
	if got.Status != 429 || got.Reason != "" || string(got.Body) != "body" || got.RetryAfter != 7*time.Second {
		t.Errorf("got %+v", got)
	}
	h := http.Header(got.Header)
	if h.Get("X-Own") != "PUT q=1 v footbridge" || h.Get("Set-Cookie") != "" {
		t.Errorf("headers %v", h)
	}
	if fmt.Sprint(w.outcomes) != "[4xx]" {
		t.Errorf("outcomes %v", w.outcomes)
	}
}

// Calls go to the hosts on the list and nowhere else, and to no place a redirect
// names.
func TestAllowList(t *testing.T) {
	var hits atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	defer other.Close()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
	}))
	defer s.Close()
	w := openWay(t, breaker.Options{}, host(t, s), "Vendor.example")
	if got := w.post(s.URL); got.Status != 307 || hits.Load() != 0 {
		t.Errorf("redirect: %+v, followed %d times", got, hits.Load())
	}
	for _, address := range []string{other.URL, "http://127.0.0.1:1/", "ftp://" + host(t, s), "file:///etc/passwd", "//" + host(t, s), "/x", "", "http://",
		"http://user@" + host(t, other), "http://" + host(t, s) + "@" + host(t, other), "http://" + host(t, s) + ".evil.example/", "http://vendor.example:8080/",
		"http://vendor.example.:80/", "http://vendor.example%00/", "http:vendor.example", "http://evil.example#vendor.example", "http://evil.example\\vendor.example"} {
		if got := w.post(address); got.Reason != adapter.ReasonNotAllowed || hits.Load() != 0 {
			t.Errorf("%q: %+v", address, got)
		}
	}
	for address, want := range map[string]bool{"https://vendor.example/x": true, "https://VENDOR.example:443": true, "https://vendor.example:444": false} {
		u, _ := url.Parse(address)
		if allowed([]string{"Vendor.example"}, u) != want {
			t.Errorf("%s allowed: %v", address, !want)
		}
	}
	for _, account := range []string{"off", "nobody"} {
		if got := w.Call(t.Context(), account, "t", nil, adapter.Call{Method: "POST", URL: s.URL}); got.Reason != adapter.ReasonNotAllowed {
			t.Errorf("account %s: %+v", account, got)
		}
	}
}

// Secrets are put in their places, escaped for where they stand, and only for
// the turn they were given to.
func TestPlaceholders(t *testing.T) {
	var got *http.Request
	var body []byte
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
	}))
	defer s.Close()
	w := openWay(t, breaker.Options{}, host(t, s))
	p := w.placeholders.Token("t", "key")
	call := func(c adapter.Call) engine.Attempt { return w.Call(t.Context(), "a", "t", nil, c) }
	if a := call(adapter.Call{Method: "POST", URL: s.URL + "/x?k=" + p + "&l=" + p, Header: http.Header{"X-Key": {"Bearer " + p}}, Body: []byte(`{"k":"` + p + `"}`)}); a.Status != 200 {
		t.Fatalf("got %+v", a)
	}
	if got.URL.Query().Get("k") != secret || got.URL.Query().Get("l") != secret || got.Header.Get("X-Key") != "Bearer "+secret ||
		string(body) != `{"k":"s3cr3t \"quoted\" \u0026 spaced"}` {
		t.Errorf("sent %s %v %s", got.URL, got.Header, body)
	}
	form := http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"}}
	if call(adapter.Call{Method: "POST", URL: s.URL, Header: form, Body: []byte("k=" + p)}); string(body) != "k="+url.QueryEscape(secret) {
		t.Errorf("form %s", body)
	}
	got = nil
	foreign := w.placeholders.Token("another turn", "key")
	for name, c := range map[string]adapter.Call{
		"another turn's":     {Method: "POST", URL: s.URL, Body: []byte(foreign)},
		"another turn's URL": {Method: "POST", URL: s.URL + "/" + foreign},
		"as the host":        {Method: "POST", URL: "http://" + p + ".evil.example/"},
		"beside the host":    {Method: "POST", URL: "http://" + p + "@evil.example/"},
		"as the scheme":      {Method: "POST", URL: p + "://" + host(t, s)},
	} {
		if a := call(c); a.Reason != adapter.ReasonNotAllowed || got != nil {
			t.Errorf("%s: %+v", name, a)
		}
	}
	if strings.Contains(w.log.String(), "s3cr3t") {
		t.Errorf("the log has the secret: %s", w.log.String())
	}
}

// A login of two secrets leaves in base64 (RFC 7617); what is in base64 already, or is
// another scheme or header, as it is written.
func TestBasicLogin(t *testing.T) {
	var got http.Header
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header }))
	defer s.Close()
	w := openWay(t, breaker.Options{}, host(t, s))
	p := w.placeholders.Token("t", "key")
	for _, c := range []struct{ header, value, want string }{
		{"authorization", "Basic me:" + p, "Basic " + base64.StdEncoding.EncodeToString([]byte("me:"+secret))},
		{"Authorization", "Basic " + p + ":" + p, "Basic " + base64.StdEncoding.EncodeToString([]byte(secret+":"+secret))},
		{"Authorization", "Basic bWU6eA==", "Basic bWU6eA=="},
		{"Authorization", "token a:b", "token a:b"},
		{"X-Login", "Basic a:b", "Basic a:b"},
	} {
		a := w.Call(t.Context(), "a", "t", nil, adapter.Call{Method: "GET", URL: s.URL, Header: http.Header{c.header: {c.value}}})
		if a.Status != 200 || got.Get(c.header) != c.want {
			t.Errorf("%s: sent %q, %+v", c.value, got.Get(c.header), a)
		}
	}
}

func TestHeadersAndMethods(t *testing.T) {
	var hits atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	defer s.Close()
	w := openWay(t, breaker.Options{}, host(t, s))
	for _, h := range []http.Header{{"Host": {"evil"}}, {"transfer-encoding": {"chunked"}}, {"Connection": {"close"}}, {"CONTENT-LENGTH": {"1"}}, {"Te": {"x"}},
		{"X-A": {"b\r\nX-C: d"}}, {"X-A": {"b\x00"}}, {"X A": {"b"}}, {"X:A": {"b"}}, {"": {"b"}}, {"X-A\n": {"b"}}} {
		if got := w.Call(t.Context(), "a", "t", nil, adapter.Call{Method: "POST", URL: s.URL, Header: h}); got.Reason != adapter.ReasonNotAllowed {
			t.Errorf("%q: %+v", h, got)
		}
	}
	for _, method := range []string{"", "CONNECT", "TRACE", "OPTIONS", "post", "A B", "POST\r\n"} {
		if got := w.Call(t.Context(), "a", "t", nil, adapter.Call{Method: method, URL: s.URL}); got.Reason != adapter.ReasonNotAllowed {
			t.Errorf("method %q: %+v", method, got)
		}
	}
	if hits.Load() != 0 {
		t.Errorf("%d went out", hits.Load())
	}
}

func TestAnswerLimits(t *testing.T) {
	size := atomic.Int64{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(bytes.Repeat([]byte("x"), int(size.Load())))
	}))
	defer s.Close()
	w := openWay(t, breaker.Options{}, host(t, s))
	size.Store(maxAnswer)
	if got := w.post(s.URL); got.Status != 200 || got.Reason != "" || len(got.Body) != maxAnswer {
		t.Errorf("at the limit: %d %s %d bytes", got.Status, got.Reason, len(got.Body))
	}
	size.Store(maxAnswer + 1)
	if got := w.post(s.URL); got.Reason != adapter.ReasonTooLarge || got.Status != 200 || got.Body != nil {
		t.Errorf("over it: %d %s", got.Status, got.Reason)
	}
}

// rawServer answers each connection as told and counts what reached it.
func rawServer(t *testing.T, serve func(n int, c net.Conn)) (address string, accepted *atomic.Int32) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	accepted = &atomic.Int32{}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			n := int(accepted.Add(1))
			go func() { defer c.Close(); serve(n, c) }()
		}
	}()
	return l.Addr().String(), accepted
}

// readRequest reads one whole request.
func readRequest(c net.Conn, r *bufio.Reader) bool {
	_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
	req, err := http.ReadRequest(r)
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, req.Body)
	return err == nil
}

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

// Whatever breaks after the connection is there leaves the outcome unknown;
// before, nothing was sent.
func TestSentOrNot(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	after := func(answer string) func(int, net.Conn) {
		return func(_ int, c net.Conn) {
			if readRequest(c, bufio.NewReader(c)) {
				_, _ = io.WriteString(c, answer)
			}
		}
	}
	for _, c := range []struct {
		name   string
		serve  func(int, net.Conn)
		scheme string
		reason string
		status int
	}{
		{"answered", after(ok), "http", "", 200},
		{"closed without an answer", after(""), "http", adapter.ReasonUnknown, 0},
		{"closed within the head", after("HTTP/1.1 200 O"), "http", adapter.ReasonUnknown, 0},
		{"closed within the body", after("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{"), "http", adapter.ReasonUnknown, 0},
		{"chunks without end", after("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"), "http", adapter.ReasonUnknown, 0},
		{"not HTTP", after("hello\r\n\r\n"), "http", adapter.ReasonUnknown, 0},
		{"head without end", after("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 100<<10)), "http", adapter.ReasonUnknown, 0},
		{"reset within the request", func(_ int, c net.Conn) {
			_, _ = c.Read(make([]byte, 1))
			_ = c.(*net.TCPConn).SetLinger(0)
		}, "http", adapter.ReasonUnknown, 0},
		{"silent", func(_ int, c net.Conn) { _, _ = io.Copy(io.Discard, c) }, "http", adapter.ReasonUnknown, 0},
		{"no TLS there", after(ok), "https", adapter.ReasonRefused, 0},
		{"TLS never answered", func(_ int, c net.Conn) { _, _ = io.Copy(io.Discard, c) }, "https", adapter.ReasonTimeout, 0},
		{"nobody listens", nil, "http", adapter.ReasonRefused, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			address := closed.Addr().String()
			accepted := &atomic.Int32{}
			if c.serve != nil {
				address, accepted = rawServer(t, c.serve)
			}
			w := openWay(t, breaker.Options{Deadline: time.Second}, address)
			got := w.post(c.scheme + "://" + address)
			if got.Reason != c.reason || got.Status != c.status {
				t.Errorf("got %d %q, want %d %q", got.Status, got.Reason, c.status, c.reason)
			}
			if n := accepted.Load(); n > 1 {
				t.Errorf("%d connections for one try", n)
			}
		})
	}
}

// A connection that was good before and breaks with the second call on it: the
// call is not sent again behind the engine's back.
func TestNoSilentRetry(t *testing.T) {
	for _, c := range []adapter.Call{
		{Method: "POST", Body: []byte("{}")},
		{Method: "PUT", Body: []byte("{}")},
		{Method: "POST", Body: []byte("{}"), Header: http.Header{"Idempotency-Key": {"k"}}},
		{Method: "DELETE"},
	} {
		var requests atomic.Int32
		address, _ := rawServer(t, func(_ int, conn net.Conn) {
			r := bufio.NewReader(conn)
			for readRequest(conn, r) {
				if requests.Add(1) == 2 {
					return
				}
				_, _ = io.WriteString(conn, ok)
			}
		})
		w := openWay(t, breaker.Options{}, address)
		c.URL = "http://" + address
		if first := w.Call(t.Context(), "a", "t", nil, c); first.Status != 200 {
			t.Fatalf("first: %+v", first)
		}
		if second := w.Call(t.Context(), "a", "t", nil, c); second.Reason != adapter.ReasonUnknown || requests.Load() != 2 {
			t.Errorf("%s %v: %+v after %d requests", c.Method, c.Header, second, requests.Load())
		}
	}
}

// A host that is down is left alone after some tries: those calls are known not
// to have been sent.
func TestBreaker(t *testing.T) {
	var hits atomic.Int32
	status := atomic.Int32{}
	status.Store(503)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		hits.Add(1)
		w.WriteHeader(int(status.Load()))
	}))
	defer s.Close()
	w := openWay(t, breaker.Options{Failures: 3, Open: 50 * time.Millisecond}, host(t, s))
	for range 3 {
		if got := w.post(s.URL); got.Status != 503 {
			t.Fatalf("got %+v", got)
		}
	}
	if got := w.post(s.URL); got.Reason != adapter.ReasonBreakerOpen || hits.Load() != 3 {
		t.Errorf("got %+v after %d", got, hits.Load())
	}
	status.Store(404)
	time.Sleep(200 * time.Millisecond)
	for range 20 {
		if got := w.post(s.URL); got.Status != 404 {
			t.Fatalf("refusals of the vendor opened it: %+v", got)
		}
	}
}

// The time a call may take at all may be over before it begins.
func TestDeadline(t *testing.T) {
	var hits atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		hits.Add(1)
		<-r.Context().Done()
	}))
	defer s.Close()
	w := openWay(t, breaker.Options{}, host(t, s))
	over, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	c := adapter.Call{Method: "POST", URL: s.URL}
	if got := w.Call(over, "a", "t", nil, c); got.Reason != adapter.ReasonTimeout || hits.Load() != 0 {
		t.Errorf("late: %+v", got)
	}
	short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if got := w.Call(short, "a", "t", nil, c); got.Reason != adapter.ReasonUnknown || hits.Load() != 1 {
		t.Errorf("cut: %+v", got)
	}
}

func TestRetryAfter(t *testing.T) {
	in := time.Now().Add(90 * time.Second).UTC().Format(http.TimeFormat)
	for value, want := range map[string][2]time.Duration{"": {0, 0}, "0": {0, 0}, "30": {30 * time.Second, 30 * time.Second}, "-1": {0, 0}, "x": {0, 0},
		"99999999999999999999": {0, 0}, "9999999": {24 * time.Hour, 24 * time.Hour}, in: {80 * time.Second, 90 * time.Second}, "Mon, 02 Jan 2006 15:04:05 GMT": {0, 0}} {
		if got := retryAfter(http.Header{"Retry-After": {value}}); got < want[0] || got > want[1] {
			t.Errorf("%q is %s", value, got)
		}
	}
}
