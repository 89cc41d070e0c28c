package egress

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/internal/breaker"
	"github.com/footbridge/footbridge/bridge/internal/credential"
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

// TestFetchShowsACredential: a host that gives files to who logs in is shown what the
// adapter says, and nobody else is.
func TestFetchShowsACredential(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Header.Get("Authorization")+"|"+r.Header.Get("X-Key"))
	}))
	defer s.Close()
	own := host(t, s)
	w := openWay(t, breaker.Options{}, own)
	bearer := adapter.FileLogin{Host: own, Prefix: "Bearer ", Credential: "token"}
	for name, c := range map[string]struct {
		named  []string
		logins []adapter.FileLogin
		want   string
	}{
		"bearer":             {[]string{own}, []adapter.FileLogin{bearer}, "Bearer t0ken|"},
		"another header":     {[]string{own}, []adapter.FileLogin{{Host: own, Header: "X-Key", Credential: "token"}}, "|t0ken"},
		"another host":       {[]string{own}, []adapter.FileLogin{{Host: "files.example", Prefix: "Bearer ", Credential: "token"}}, "|"},
		"no such credential": {[]string{own}, []adapter.FileLogin{{Host: own, Prefix: "Bearer ", Credential: "other"}}, "|"},
		"none":               {[]string{own}, nil, "|"},
	} {
		w.Configure(map[string]Account{"a": {Hosts: []string{own}, Named: c.named, FileLogins: c.logins,
			Secrets: map[string]credential.Secret{"token": credential.NewSecret("t0ken")}}})
		body, _, err := w.Fetch(t.Context(), "a", s.URL, true)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		data, _ := io.ReadAll(body)
		_ = body.Close()
		if string(data) != c.want {
			t.Errorf("%s: the host saw %q, want %q", name, data, c.want)
		}
	}
}

// TestFetchShowsNothingInTheClear: over http a credential goes only to a host the
// operator wrote down, and never to one that is not the account's.
func TestFetchShowsNothingInTheClear(t *testing.T) {
	login := []adapter.FileLogin{{Host: "files.example", Credential: "token"}}
	secrets := map[string]credential.Secret{"token": credential.NewSecret("t0ken")}
	for name, c := range map[string]struct {
		hosts, named []string
		address      string
		shown        bool
	}{
		"over https":         {[]string{"files.example"}, nil, "https://files.example/a", true},
		"in the clear":       {[]string{"files.example"}, nil, "http://files.example/a", false},
		"in the clear, said": {[]string{"files.example"}, []string{"files.example"}, "http://files.example/a", true},
		"not the account's":  {[]string{"api.example"}, nil, "https://files.example/a", false},
	} {
		req := httptest.NewRequest("GET", c.address, nil)
		Account{Hosts: c.hosts, Named: c.named, FileLogins: login, Secrets: secrets}.logIn(req, req.URL)
		if shown := req.Header.Get("Authorization") != ""; shown != c.shown {
			t.Errorf("%s: shown %v, want %v", name, shown, c.shown)
		}
	}
}
