package egress

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/footbridge/footbridge/bridge/internal/breaker"
)

// TestFetch: what an account may fetch files from. Names are resolved by nobody:
// an address that may be fetched fails there, and says so.
func TestFetch(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/zip":
			w.Header().Set("Content-Encoding", "gzip")
		case "/away":
			http.Redirect(w, r, "/", http.StatusFound)
		}
		_, _ = io.WriteString(w, r.Header.Get("Authorization")+r.Header.Get("Accept-Encoding")+r.URL.RawQuery)
	}))
	defer s.Close()
	w := openWay(t, breaker.Options{}, host(t, s))
	w.o.Network.Resolver = newNameServer(t, nil)
	w.Configure(map[string]Account{"a": {Hosts: []string{host(t, s)}, Named: []string{host(t, s)}}, "off": {Unready: "no key"}})
	body, _, err := w.Fetch(t.Context(), "a", s.URL+"/x?a=1", true)
	if err != nil {
		t.Fatal(err)
	}
	if data, err := io.ReadAll(body); err != nil || string(data) != "identitya=1" || body.Close() != nil {
		t.Errorf("got %q %v", data, err)
	}
	proxy := &url.URL{Scheme: "http", Host: "127.0.0.1:1"}
	for _, c := range []struct {
		account, address string
		listed           bool
		proxy            *url.URL
		want             string
	}{
		{"a", s.URL + "/zip", false, nil, "answered 200"},
		{"a", s.URL + "/away", false, nil, "answered 302"},
		{"off", s.URL, false, nil, "no calls now"},
		{"nobody", s.URL, false, nil, "no calls now"},
		{"a", "https://files.example/x", false, nil, "no such host"},
		{"a", "https://files.example:443/x", false, nil, "no such host"},
		{"a", "https://files.example/x", true, nil, "not on the account's list"},
		{"a", "https://files.example/x", false, proxy, "not on the account's list"},
		{"a", "https://files.example:8443/x", false, nil, "not on the account's list"},
		{"a", "http://files.example/x", false, nil, "not on the account's list"},
		{"a", "https://u:p@files.example/x", false, nil, "not a plain"},
		{"a", "https://2130706433/x", false, nil, "not a plain"},
		{"a", "file:///etc/passwd", false, nil, "not a plain"},
	} {
		w.o.Network.Proxy = c.proxy
		if _, _, err := w.Fetch(t.Context(), c.account, c.address, c.listed); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.address, err, c.want)
		}
	}
}
