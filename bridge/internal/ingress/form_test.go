package ingress

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
)

// exchange writes raw bytes and reads all that comes back.
func exchange(t *testing.T, s *httptest.Server, raw string) string {
	t.Helper()
	c, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.WriteString(c, raw); err != nil {
		t.Fatal(err)
	}
	answer, _ := io.ReadAll(bufio.NewReader(c))
	return string(answer)
}

// Requests that lie about their form are refused, and their connection closed.
func TestBadForm(t *testing.T) {
	head := "POST /in/studio/inbound HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
	size := fmt.Sprintf("Content-Length: %d\r\n", len(good))
	for name, c := range map[string]struct{ raw, status string }{
		"H16 body is shorter than it says":  {head + "Content-Length: 500\r\n\r\n" + good, "408"},
		"H17 chunks without end":            {head + "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"a\":\r\n", "408"},
		"H17 chunk of no size":              {head + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", "400"},
		"H16 body too large by chunks":      {head + "Transfer-Encoding: chunked\r\n\r\n2000\r\n" + strings.Repeat("x", 0x2000) + "\r\n0\r\n\r\n", "413"},
		"H18 two lengths":                   {head + size + "Content-Length: 1\r\n\r\n" + good, "400"},
		"H18 space before the colon":        {head + "Content-Length : 5\r\n\r\n" + good, "400"},
		"H18 folded header":                 {head + "X-A: b\r\n c\r\n" + "Content-Length: x\r\n\r\n", "400"},
		"H19 headers of 17 KiB":             {head + "X-A: " + strings.Repeat("a", 17<<10) + "\r\n" + size + "\r\n" + good, "431"},
		"H14 content type twice":            {head + "Content-Type: text/plain\r\n" + size + "Connection: close\r\n\r\n" + good, "415"},
		"H15 content encoding second":       {head + "Content-Encoding: identity\r\nContent-Encoding: gzip\r\n" + size + "Connection: close\r\n\r\n" + good, "415"},
		"H18 no host":                       {"POST /in/studio/inbound HTTP/1.1\r\n" + size + "\r\n" + good, "400"},
		"H12 connect":                       {"CONNECT /in/studio/inbound HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "405"},
		"H12 a star":                        {"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "200"},
		"H12 a star that posts":             {"POST * HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", "400"},
		"H18 length and chunks (smuggling)": {head + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x HTTP/1.1\r\n\r\n", "400"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &book{}
			s := open(t, b, Options{}, Account{Name: "studio", Endpoints: []adapter.Endpoint{endpoint()}})
			answer := exchange(t, s, c.raw)
			if !strings.HasPrefix(answer, "HTTP/1.1 "+c.status) || strings.Count(answer, "HTTP/1.1") != 1 || len(b.stored()) != 0 {
				t.Errorf("answered %.80q, %d stored", answer, len(b.stored()))
			}
		})
	}
}
