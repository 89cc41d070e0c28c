package ingress

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/internal/engine"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// book is an engine that only keeps what it is given.
type book struct {
	mu       sync.Mutex
	arrivals []engine.Arrival
	err      error
	reply    adapter.Reply
	silent   bool
	written  []bool
	frames   []string // heard on sockets, with the key in front
	ends     []adapter.Closed
	links    []engine.Link
}

func (b *book) Connect(_ context.Context, a engine.Arrival, l engine.Link) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return b.err
	}
	b.arrivals, b.links = append(b.arrivals, a), append(b.links, l)
	go func() {
		end := l.Run(func(_ string, data []byte, _ bool) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.frames = append(b.frames, a.Key+" "+string(data))
		})
		b.mu.Lock()
		defer b.mu.Unlock()
		b.ends = append(b.ends, end)
	}()
	return nil
}

func (b *book) heard() ([]string, []adapter.Closed) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.frames...), append([]adapter.Closed(nil), b.ends...)
}

func (b *book) Accept(_ context.Context, a engine.Arrival) (engine.Receipt, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return engine.Receipt{}, b.err
	}
	b.arrivals = append(b.arrivals, a)
	return engine.Receipt{Frame: "f"}, nil
}

func (b *book) Await(ctx context.Context, _ engine.Receipt) (adapter.Reply, bool) {
	if b.silent {
		<-ctx.Done()
		return adapter.Reply{}, false
	}
	return b.reply, b.reply.Status != 0
}

func (b *book) Written(_ engine.Receipt, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.written = append(b.written, ok)
}

func (b *book) stored() []engine.Arrival {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]engine.Arrival(nil), b.arrivals...)
}

func (b *book) notes() []bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]bool(nil), b.written...)
}

func endpoint() adapter.Endpoint {
	return adapter.Endpoint{Name: "inbound", Method: "POST", Path: "/inbound", Answer: adapter.AnswerAck,
		Key: "body:/session/id", Dedup: "body:/message/id", Unknown: adapter.UnknownIgnore, MaxBody: 4096}
}

// open serves the accounts on a real socket.
func open(t *testing.T, b *book, o Options, accounts ...Account) *httptest.Server {
	t.Helper()
	o.Engine, o.BodyWithin = b, 500*time.Millisecond
	i := New(o)
	i.Configure(accounts)
	s := httptest.NewUnstartedServer(i)
	s.Config.ReadTimeout, s.Config.MaxHeaderBytes = 500*time.Millisecond, 16<<10-4<<10
	s.Start()
	t.Cleanup(s.Close)
	return s
}

// openDoors is open without options; it gives the address.
func openDoors(t *testing.T, b *book, accounts ...Account) string {
	t.Helper()
	return open(t, b, Options{}, accounts...).URL
}

func text(t *testing.T, resp *http.Response) string {
	t.Helper()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// request is a JSON request to serve without a socket; headers are pairs.
func request(path, body string, header ...string) *http.Request {
	r := httptest.NewRequest("POST", path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

func serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func served(h http.Handler, path, body string, header ...string) *httptest.ResponseRecorder {
	return serve(h, request(path, body, header...))
}

func post(t *testing.T, url, body string, header ...string) *http.Response {
	t.Helper()
	req, err := http.NewRequest("POST", url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		if header[i+1] == "" {
			req.Header.Del(header[i])
			continue
		}
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

const good = `{"session":{"id":"s-1"},"message":{"id":"m-1","text":"hello"}}`

func TestGoodRequest(t *testing.T) {
	b := &book{}
	e := endpoint()
	e.Default = adapter.Reply{Status: 202, Body: []byte(`{"ok":true}`), Header: http.Header{"X-A": {"b"}, "Set-Cookie": {"c=d"}, "Content-Length": {"7"}}}
	s := open(t, b, Options{}, Account{Name: "studio", Endpoints: []adapter.Endpoint{e}})
	resp := post(t, s.URL+"/in/studio/inbound?lang=de", good, "Authorization", "Bearer secret", "Cookie", "a=b", "X-Own", "1")
	body, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != 202 || string(body) != `{"ok":true}` || resp.Header.Get("X-A") != "b" || resp.Header.Get("Set-Cookie") != "" {
		t.Errorf("answered %d %s %v", resp.StatusCode, body, resp.Header)
	}
	a := b.stored()[0]
	in := a.Request
	if a.Account != "studio" || a.Key != "s-1" || a.Dedup != "m-1" || string(in.Body) != good || in.Path != "/inbound" ||
		in.Query.Get("lang") != "de" || in.Header.Get("X-Own") != "1" || !in.ReplyBy.IsZero() {
		t.Errorf("arrival %+v", a)
	}
	if in.Header.Get("Authorization") != "" || in.Header.Get("Cookie") != "" {
		t.Errorf("credentials in %v", in.Header)
	}
}

// badRequest is a request that is refused, whatever it asks for.
type badRequest struct {
	name   string
	body   string
	header []string
	status int
}

// badRequests are rows of the catalogue of bad input; they are seeds too. The
// stories read them as well.
func badRequests(t testing.TB) (all []badRequest) {
	t.Helper()
	data, err := os.ReadFile("testdata/bad_requests.txt")
	if err != nil {
		t.Fatal(err)
	}
	many := regexp.MustCompile(`<<(.+?)\*(\d+)>>`)
	for line := range strings.Lines(string(data)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		status, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		var texts []string
		for rest != "" {
			quoted, err := strconv.QuotedPrefix(rest)
			if err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			text, _ := strconv.Unquote(quoted)
			texts, rest = append(texts, many.ReplaceAllStringFunc(text, func(s string) string {
				part := many.FindStringSubmatch(s)
				n, _ := strconv.Atoi(part[2])
				return strings.Repeat(part[1], n)
			})), strings.TrimSpace(rest[len(quoted):])
		}
		code, _ := strconv.Atoi(status)
		all = append(all, badRequest{texts[0], texts[1], texts[2:], code})
	}
	if len(all) < 40 {
		t.Fatalf("the corpus has %d requests", len(all))
	}
	return all
}

// Nothing of what cannot be taken is stored, and no answer repeats it.
func TestBadRequests(t *testing.T) {
	for _, c := range badRequests(t) {
		t.Run(c.name, func(t *testing.T) {
			b := &book{}
			refused := ""
			s := open(t, b, Options{Refused: func(_, why string) { refused = why }}, Account{Name: "studio", Endpoints: []adapter.Endpoint{endpoint()}})
			resp := post(t, s.URL+"/in/studio/inbound", c.body, c.header...)
			answer, _ := io.ReadAll(resp.Body)
			if resp.StatusCode != c.status || len(b.stored()) != 0 || refused == "" {
				t.Errorf("answered %d %s, %d stored, counted as %q", resp.StatusCode, answer, len(b.stored()), refused)
			}
			if strings.Contains(string(answer), "s-1") {
				t.Errorf("the answer repeats the content: %s", answer)
			}
		})
	}
}

// oddRequests are unusual and right. FuzzFields begins with them.
func oddRequests() map[string]struct{ body, key string } {
	return map[string]struct{ body, key string }{
		"H25 number beyond a float":  {`{"session":{"id":9007199254740993}}`, "9007199254740993"},
		"H25 forty digits":           {`{"session":{"id":1234567890123456789012345678901234567890}}`, "1234567890123456789012345678901234567890"},
		"H25 huge exponent":          {`{"session":{"id":1e999999999}}`, "1e999999999"},
		"H25 minus zero":             {`{"session":{"id":-0}}`, "-0"},
		"H28 dots, stars and blanks": {`{"session":{"id":"a.*> ../b"}}`, "a.*> ../b"},
		"H28 emoji":                  {`{"session":{"id":"🙂"}}`, "🙂"},
		"H27 unknown fields":         {`{"session":{"id":"s","new":[1,{"a":null}]},"kind":"never seen"}`, "s"},
		"H23 depth at the limit":     {`{"session":{"id":"s"},"x":` + strings.Repeat("[", 63) + strings.Repeat("]", 63) + "}", "s"},
		"H21 key differing by case":  {`{"session":{"id":"s","ID":"t"}}`, "s"},
	}
}

// What is unusual and right is taken, and ids stay as they were written.
func TestOddRequests(t *testing.T) {
	for name, c := range oddRequests() {
		t.Run(name, func(t *testing.T) {
			b := &book{}
			s := open(t, b, Options{}, Account{Name: "studio", Endpoints: []adapter.Endpoint{endpoint()}})
			if resp := post(t, s.URL+"/in/studio/inbound", c.body); resp.StatusCode != 200 {
				t.Fatalf("answered %d", resp.StatusCode)
			}
			if got := b.stored()[0]; got.Key != c.key || got.Dedup != "" {
				t.Errorf("key %q dedup %q", got.Key, got.Dedup)
			}
		})
	}
}

func TestLimitIsExact(t *testing.T) {
	b := &book{}
	s := open(t, b, Options{}, Account{Name: "studio", Endpoints: []adapter.Endpoint{endpoint()}})
	body := `{"session":{"id":"s-1"},"pad":"` + strings.Repeat("x", 4096-33) + `"}`
	if resp := post(t, s.URL+"/in/studio/inbound", body); len(body) != 4096 || resp.StatusCode != 200 {
		t.Errorf("%d bytes answered %d", len(body), resp.StatusCode)
	}
}

func TestMethodsAndPaths(t *testing.T) {
	b := &book{}
	s := open(t, b, Options{}, Account{Name: "studio", Endpoints: []adapter.Endpoint{endpoint(),
		{Name: "out", Method: "POST", Path: "/out/{session}", Key: "path:session", Unknown: adapter.UnknownIgnore}}})
	for _, method := range []string{"GET", "PUT", "HEAD", "TRACE", "DELETE", "MADEUP"} {
		req, _ := http.NewRequest(method, s.URL+"/in/studio/inbound", nil)
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != 405 || resp.Header.Get("Allow") != "POST" {
			t.Errorf("%s answered %d, Allow %q", method, resp.StatusCode, resp.Header.Get("Allow"))
		}
	}
	for _, path := range []string{"/in/studio/other", "/in/other/inbound", "/in/studio//inbound", "//in/studio/inbound", "/in/studio/./inbound",
		"/in/x/../studio/inbound", "/in/x/%2e%2e/studio/inbound", "/in/studio/inbound/", "/in/studio/inbound%00", "/in/studio/inbound%0a",
		"/in/studio/out/a%2fb", "/in/studio/out/a%2Fb", "/in/studio/" + strings.Repeat("a", 8192), "/in/", "/in"} {
		answer := exchange(t, s, "POST "+path+" HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
		if !strings.HasPrefix(answer, "HTTP/1.1 404") || strings.Contains(answer, "Location:") {
			t.Errorf("%.40s answered %.60q", path, answer)
		}
	}
	if n := len(b.stored()); n != 0 {
		t.Errorf("%d stored", n)
	}
	answer := exchange(t, s, "POST /in/studio/out/a%20b HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
	if got := b.stored(); len(got) != 1 || got[0].Key != "a b" || !strings.HasPrefix(answer, "HTTP/1.1 200") {
		t.Errorf("answered %.60q, stored %+v", answer, got)
	}
}

// A request that could not be stored is not acknowledged.
func TestNotStored(t *testing.T) {
	refuse, ignore := endpoint(), endpoint()
	refuse.Unknown, refuse.Refusal = adapter.UnknownRefuse, adapter.Reply{Status: 410}
	for _, c := range []struct {
		endpoint adapter.Endpoint
		err      error
		status   int
		later    bool
		reason   string
	}{
		{ignore, engine.ErrUnknownKey, 200, false, "unknown_key"},
		{refuse, engine.ErrUnknownKey, 410, false, "unknown_key"},
		{ignore, engine.ErrBusy, 503, true, "busy"},
		{ignore, engine.ErrClosed, 503, true, "busy"},
		{ignore, fmt.Errorf("no route: %w", engine.ErrDrained), 503, true, "drained"},
		{ignore, fmt.Errorf("disk: %w", journal.ErrClosed), 503, true, "journal"},
		{ignore, errors.New("anything"), 503, true, "journal"},
	} {
		reason := make(chan string, 1)
		s := open(t, &book{err: c.err}, Options{Refused: func(_, why string) { reason <- why }}, Account{Name: "studio", Endpoints: []adapter.Endpoint{c.endpoint}})
		resp := post(t, s.URL+"/in/studio/inbound", good)
		if resp.StatusCode != c.status || (resp.Header.Get("Retry-After") != "") != c.later {
			t.Errorf("%v: answered %d, Retry-After %q", c.err, resp.StatusCode, resp.Header.Get("Retry-After"))
		}
		if why := <-reason; why != c.reason {
			t.Errorf("%v: counted as %q, want %q", c.err, why, c.reason)
		}
	}
}

func TestNoKeyIgnored(t *testing.T) {
	b := &book{}
	e := endpoint()
	e.NoKey = adapter.NoKeyIgnore
	s := open(t, b, Options{}, Account{Name: "studio", Endpoints: []adapter.Endpoint{e}})
	if resp := post(t, s.URL+"/in/studio/inbound", `{"session":{}}`); resp.StatusCode != 200 || len(b.stored()) != 0 {
		t.Errorf("answered %d, %d stored", resp.StatusCode, len(b.stored()))
	}
}

// A reply is written whole, or the declared failure is; the engine learns which.
func TestReply(t *testing.T) {
	e := endpoint()
	e.Answer, e.Within, e.Failure = adapter.AnswerReply, 50*time.Millisecond, adapter.Reply{Status: 502, Body: []byte("{}")}
	for _, c := range []struct {
		name    string
		book    *book
		status  int
		body    string
		written bool
	}{
		{"answer", &book{reply: adapter.Reply{Status: 201, Body: []byte(`{"a":1}`)}}, 201, `{"a":1}`, true},
		{"no content", &book{reply: adapter.Reply{Status: 204, Body: []byte(`{"a":1}`)}}, 204, "", true},
		{"status out of range", &book{reply: adapter.Reply{Status: 99}}, 500, "", true},
		{"declared failure", &book{}, 502, "{}", false},
		{"no answer in time", &book{silent: true}, 502, "{}", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, c.book, Options{}, Account{Name: "studio", Endpoints: []adapter.Endpoint{e}})
			resp := post(t, s.URL+"/in/studio/inbound", good)
			body, err := io.ReadAll(resp.Body)
			if err != nil || resp.StatusCode != c.status || string(body) != c.body {
				t.Errorf("answered %d %q %v", resp.StatusCode, body, err)
			}
			if c.status != 204 && resp.ContentLength != int64(len(c.body)) {
				t.Errorf("length %d", resp.ContentLength)
			}
			s.Close()
			if got := c.book.notes(); len(got) != 1 || got[0] != c.written {
				t.Errorf("noted as written: %v", got)
			}
			if by := c.book.stored()[0].Request.ReplyBy; by.IsZero() || time.Until(by) > time.Second {
				t.Errorf("reply by %s", by)
			}
		})
	}
}

// The vendor's connection goes before its answer: the request is stored, and the
// answer is kept for the next try.
func TestVendorHangsUp(t *testing.T) {
	b := &book{silent: true}
	e := endpoint()
	e.Answer, e.Within = adapter.AnswerReply, 20*time.Second
	s := open(t, b, Options{}, Account{Name: "studio", Endpoints: []adapter.Endpoint{e}})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, "POST", s.URL+"/in/studio/inbound", strings.NewReader(good))
	req.Header.Set("Content-Type", "application/json")
	if resp, err := http.DefaultTransport.RoundTrip(req); err == nil {
		resp.Body.Close()
		t.Fatal("answered")
	}
	for range 200 {
		if got := b.notes(); len(got) == 1 && !got[0] && len(b.stored()) == 1 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("stored %d, noted %v", len(b.stored()), b.notes())
}

// An account's own hosts serve its endpoints at the root; nobody else's do.
func TestHosts(t *testing.T) {
	b := &book{}
	i := New(Options{Engine: b})
	i.Configure([]Account{{Name: "studio", Endpoints: []adapter.Endpoint{endpoint()}, Hosts: []string{"studio.example"}, AllowUnauthenticated: true},
		{Name: "twin", Endpoints: []adapter.Endpoint{endpoint()}, Hosts: []string{"studio.example"}, AllowUnauthenticated: true},
		{Name: "odd", Endpoints: []adapter.Endpoint{{Method: "POST", Path: "/{a}/{a}"}, {Method: "a b", Path: "/x"}}}})
	for host, want := range map[string]bool{"studio.example": true, "other.example": false} {
		r := httptest.NewRequest("POST", "http://"+host+"/inbound", strings.NewReader(good))
		r.Header.Set("Content-Type", "application/json")
		if i.Serves(r) != want {
			t.Errorf("%s served: %v", host, !want)
		}
		i.ServeHTTP(httptest.NewRecorder(), r)
	}
	if got := b.stored(); len(got) != 1 || got[0].Account != "studio" || got[0].Request.Path != "/inbound" {
		t.Errorf("stored %+v", got)
	}
	if !i.Serves(httptest.NewRequest("GET", "/in/anything", nil)) {
		t.Error("/in/ is not ours")
	}
}
