package credential

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func TestApply(t *testing.T) {
	for scheme, want := range map[string]struct{ header, value, query string }{
		"header:X-Api-Key": {"X-Api-Key", "ada:lovelace", ""},
		"query:api_key":    {"", "", "a=1&api_key=ada%3Alovelace"},
		"bearer":           {"Authorization", "Bearer ada:lovelace", ""},
		"basic":            {"Authorization", "Basic YWRhOmxvdmVsYWNl", ""},
	} {
		parsed, err := ParseScheme(scheme)
		if err != nil || parsed.String() != scheme {
			t.Fatalf("%s: %s %v", scheme, parsed, err)
		}
		h, q := http.Header{"Authorization": {"old"}, "X-Api-Key": {"old", "old"}}, url.Values{"a": {"1"}}
		if err := Apply(h, q, parsed, NewSecret("ada:lovelace")); err != nil {
			t.Fatal(err)
		}
		if want.header != "" && (len(h[want.header]) != 1 || h.Get(want.header) != want.value) {
			t.Errorf("%s: %v", scheme, h)
		}
		if want.query != "" && q.Encode() != want.query {
			t.Errorf("%s: %v", scheme, q)
		}
	}
}

func TestApplyRefuses(t *testing.T) {
	bearer, _ := ParseScheme("bearer")
	h, q := http.Header{}, url.Values{}
	for name, err := range map[string]error{
		"no scheme":  Apply(h, q, Scheme{}, NewSecret("x")),
		"no secret":  Apply(h, q, bearer, Secret{}),
		"line break": Apply(h, q, bearer, NewSecret("canary\r\nX-Evil: 1")),
	} {
		if err == nil || strings.Contains(err.Error(), "canary") || len(h)+len(q) != 0 {
			t.Errorf("%s: %v, header %v, query %v", name, err, h, q)
		}
	}
	for _, bad := range []string{"", "header", "header:", "query:", "bearer:x", "basic:", "Bearer", "header:a b", "header:a:b", "digest"} {
		if s, err := ParseScheme(bad); err == nil || s.String() != "" {
			t.Errorf("%q was read as %s", bad, s)
		}
	}
}

func TestVerify(t *testing.T) {
	type H = http.Header
	for _, c := range []struct {
		scheme, target string
		header         H
		want           bool
	}{
		{"header:X-Key", "/", H{"X-Key": {"good-key"}}, true},
		{"header:x-key", "/", H{"X-Key": {"good-key"}}, true},
		{"header:X-Key", "/", H{"X-Key": {"bad-key"}}, false},
		{"header:X-Key", "/", H{"X-Key": {"good-key", "good-key"}}, false},
		{"header:X-Key", "/", H{"X-Key": {"good-key, good-key"}}, false},
		{"header:X-Key", "/", H{"X-Key": {""}}, false},
		{"header:X-Key", "/?X-Key=good-key", nil, false},
		{"query:key", "/?key=good-key", nil, true},
		{"query:key", "/?a=1&key=good%2Dkey", nil, true},
		{"query:key", "/?key=good-key&key=good-key", nil, false},
		{"query:key", "/?key=good-key&key=", nil, false},
		{"query:key", "/?key=good-key&bad=%zz", nil, false},
		{"query:key", "/?key=good-key;x=1", nil, false},
		{"query:key", "/?KEY=good-key", nil, false},
		{"query:key", "/", nil, false},
		{"bearer", "/", H{"Authorization": {"Bearer good-key"}}, true},
		{"bearer", "/", H{"Authorization": {"bearer good-key"}}, true},
		{"bearer", "/", H{"Authorization": {"Bearer good-key", "Bearer good-key"}}, false},
		{"bearer", "/", H{"Authorization": {"Bearer  good-key"}}, false},
		{"bearer", "/", H{"Authorization": {"Basic good-key"}}, false},
		{"bearer", "/", H{"Authorization": {"good-key"}}, false},
		{"basic", "/", H{"Authorization": {"Basic good-key"}}, false},
		{"nonsense", "/", H{"Nonsense": {"good-key"}}, false},
		{"", "/", nil, false},
	} {
		r := httptest.NewRequest(http.MethodPost, c.target, nil)
		r.Header = c.header
		if got := Verify(r, c.scheme, NewSecret("good-key")); got != c.want {
			t.Errorf("%s %s %v: %t", c.scheme, c.target, c.header, got)
		}
		if Verify(r, c.scheme, Secret{}) {
			t.Errorf("%s %s %v: let in without a credential", c.scheme, c.target, c.header)
		}
	}
}
