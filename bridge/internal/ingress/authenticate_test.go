package ingress

import (
	"fmt"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/internal/credential"
)

// Who calls is checked before anything else is looked at.
func TestAuthentication(t *testing.T) {
	vendor, own := credential.NewSecret("the vendor's"), credential.NewSecret("our own")
	e := endpoint()
	e.Auth = "header:X-Key=key"
	e.Unauthorized = adapter.Reply{Status: 403, Body: []byte(`{"no":1}`)}
	for _, c := range []struct {
		name    string
		account Account
		query   string
		header  []string
		status  int
	}{
		{"right", Account{Endpoints: []adapter.Endpoint{e}, Secrets: map[string]credential.Secret{"key": vendor}}, "", []string{"X-Key", "the vendor's"}, 200},
		{"wrong", Account{Endpoints: []adapter.Endpoint{e}, Secrets: map[string]credential.Secret{"key": vendor}}, "", []string{"X-Key", "the vendor'S"}, 403},
		{"none", Account{Endpoints: []adapter.Endpoint{e}, Secrets: map[string]credential.Secret{"key": vendor}}, "", nil, 403},
		{"not configured", Account{Endpoints: []adapter.Endpoint{e}}, "", []string{"X-Key", "the vendor's"}, 403},
		{"open to all does not open it", Account{Endpoints: []adapter.Endpoint{e}, AllowUnauthenticated: true}, "", nil, 403},
		{"inbound by query", Account{Endpoints: []adapter.Endpoint{endpoint()}, Inbound: "query:token", Secrets: map[string]credential.Secret{"inbound": own}}, "?token=our+own", nil, 200},
		{"inbound by query, twice", Account{Endpoints: []adapter.Endpoint{endpoint()}, Inbound: "query:token", Secrets: map[string]credential.Secret{"inbound": own}}, "?token=our+own&token=x", nil, 401},
		{"inbound by query, wrong", Account{Endpoints: []adapter.Endpoint{endpoint()}, Inbound: "query:token", Secrets: map[string]credential.Secret{"inbound": own}}, "?token=", nil, 401},
		{"both, one missing", Account{Endpoints: []adapter.Endpoint{e}, Inbound: "query:token", Secrets: map[string]credential.Secret{"key": vendor, "inbound": own}}, "", []string{"X-Key", "the vendor's"}, 403},
		{"both", Account{Endpoints: []adapter.Endpoint{e}, Inbound: "query:token", Secrets: map[string]credential.Secret{"key": vendor, "inbound": own}}, "?token=our+own", []string{"X-Key", "the vendor's"}, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := &book{}
			c.account.Name = "studio"
			s := open(t, b, Options{}, c.account)
			body := good
			if c.status != 200 {
				body = "not even JSON"
			}
			resp := post(t, s.URL+"/in/studio/inbound"+c.query, body, c.header...)
			if resp.StatusCode != c.status || (len(b.stored()) == 1) != (c.status == 200) {
				t.Fatalf("answered %d, %d stored", resp.StatusCode, len(b.stored()))
			}
			for _, a := range b.stored() {
				if seen := fmt.Sprint(a.Request); strings.Contains(seen, "vendor's") || strings.Contains(seen, "our own") {
					t.Errorf("a credential is stored: %s", seen)
				}
			}
		})
	}
	t.Run("header twice", func(t *testing.T) {
		b := &book{}
		s := open(t, b, Options{}, Account{Name: "studio", Endpoints: []adapter.Endpoint{e}, Secrets: map[string]credential.Secret{"key": vendor}})
		answer := exchange(t, s, "POST /in/studio/inbound HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nX-Key: the vendor's\r\nX-Key: other\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
		if !strings.HasPrefix(answer, "HTTP/1.1 403") || len(b.stored()) != 0 {
			t.Errorf("answered %.60q", answer)
		}
	})
}

// An endpoint nobody authenticates answers this machine alone; what a proxy says
// counts only where it is trusted.
func TestWhoIsLocal(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("127.0.0.2/32")}
	for _, c := range []struct {
		remote  string
		header  []string
		allowed bool
	}{
		{"10.0.0.1:1", []string{"Forwarded", "for=127.0.0.1"}, true},
		{"10.0.0.1:1", []string{"Forwarded", `for=192.0.2.1, for="127.0.0.1:4711";proto=https`}, true},
		{"10.0.0.1:1", []string{"Forwarded", `for=127.0.0.1, For="[::1]:4711";by=10.0.0.1`}, true},
		{"10.0.0.1:1", []string{"Forwarded", "for=127.0.0.1, for=192.0.2.1"}, false},
		{"10.0.0.1:1", []string{"Forwarded", "for=127.0.0.1, for=unknown"}, false},
		{"10.0.0.1:1", []string{"Forwarded", "for=127.0.0.1, for=_hidden"}, false},
		{"10.0.0.1:1", []string{"Forwarded", "proto=https"}, false},
		{"10.0.0.1:1", []string{"Forwarded", "for=127.0.0.1", "X-Forwarded-For", "127.0.0.1"}, true},
		{"10.0.0.1:1", []string{"Forwarded", "for=127.0.0.1", "X-Forwarded-For", "192.0.2.1"}, false},
		{"10.0.0.1:1", []string{"Forwarded", "for=192.0.2.1", "X-Forwarded-For", "127.0.0.1"}, false},
		{"10.0.0.1:1", []string{"X-Forwarded-For", "::ffff:127.0.0.1"}, true},
		{"127.0.0.1:1", nil, true},
		{"[::1]:1", nil, true},
		{"[::ffff:127.0.0.1]:1", nil, true},
		{"192.0.2.1:1", nil, false},
		{"192.0.2.1:1", []string{"X-Forwarded-For", "127.0.0.1"}, false},
		{"192.0.2.1:1", []string{"Forwarded", "for=127.0.0.1"}, false},
		{"127.0.0.1:1", []string{"X-Forwarded-For", "192.0.2.1"}, false},
		{"127.0.0.1:1", []string{"X-Forwarded-For", "127.0.0.1"}, false},
		{"127.0.0.1:1", []string{"X-Real-Ip", "127.0.0.1"}, false},
		{"127.0.0.1:1", []string{"Via", "1.1 proxy"}, false},
		{"10.0.0.1:1", []string{"X-Forwarded-For", "127.0.0.1"}, true},
		{"10.0.0.1:1", []string{"X-Forwarded-For", "127.0.0.1, 192.0.2.1"}, false},
		{"10.0.0.1:1", []string{"X-Forwarded-For", "127.0.0.1, 10.0.0.3"}, true},
		{"10.0.0.1:1", []string{"X-Forwarded-For", "192.0.2.1, 10.0.0.3"}, false},
		{"10.0.0.1:1", []string{"X-Forwarded-For", "nonsense"}, false},
		{"10.0.0.1:1", nil, false},
		{"127.0.0.2:1", nil, false},
		{"127.0.0.2:1", []string{"X-Forwarded-For", ""}, false},
		{"127.0.0.2:1", []string{"X-Forwarded-For", "127.0.0.1"}, true},
		{"nonsense", nil, false},
	} {
		b := &book{}
		i := New(Options{Engine: b, TrustedProxies: trusted})
		i.Configure([]Account{{Name: "studio", Endpoints: []adapter.Endpoint{endpoint()}}})
		r := httptest.NewRequest("POST", "/in/studio/inbound", strings.NewReader(good))
		r.Header.Set("Content-Type", "application/json")
		r.RemoteAddr = c.remote
		for at := 0; at < len(c.header); at += 2 {
			r.Header.Set(c.header[at], c.header[at+1])
		}
		w := httptest.NewRecorder()
		i.ServeHTTP(w, r)
		if want := map[bool]int{true: 200, false: 401}[c.allowed]; w.Code != want {
			t.Errorf("%s %v answered %d, want %d", c.remote, c.header, w.Code, want)
		}
	}
}
