package credential

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

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
		{"header", "/", H{"": {"good-key"}}, false},
		{"header:", "/", H{"": {"good-key"}}, false},
		{"header:a b", "/", H{"a b": {"good-key"}}, false},
		{"header:a:b", "/", H{"a:b": {"good-key"}}, false},
		{"query:", "/?=good-key", nil, false},
		{"query", "/?=good-key", nil, false},
		{"bearer:x", "/", H{"Authorization": {"Bearer good-key"}}, false},
		{"Bearer", "/", H{"Authorization": {"Bearer good-key"}}, false},
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
