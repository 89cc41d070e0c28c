package credential

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// schemes are the ways a request that comes in may carry a credential; those that
// are named are written word:NAME.
//
//nolint:gochecknoglobals // a table that is never written.
var schemes = map[string]struct {
	named bool
	found func(r *http.Request, name string) []string
}{
	"header": {true, func(r *http.Request, name string) []string { return r.Header.Values(name) }},
	"query":  {true, foundQuery},
	"bearer": {false, foundBearer},
}

// fieldName is an HTTP token: what may name a header.
var fieldName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")

// Verify tells whether an incoming request carries the secret as the scheme says (header:NAME, query:NAME or bearer), in
// constant time. One given twice, an empty secret and an unknown scheme are all refused.
func Verify(r *http.Request, scheme string, s Secret) bool {
	word, name, named := strings.Cut(scheme, ":")
	how, known := schemes[word]
	if !known || how.named != named || named && !fieldName.MatchString(name) {
		return false
	}
	given := how.found(r, name)
	return len(given) == 1 && s.Matches(given[0])
}

func foundQuery(r *http.Request, name string) []string {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil
	}
	return q[name]
}

func foundBearer(r *http.Request, _ string) []string {
	given := r.Header.Values("Authorization")
	if len(given) != 1 {
		return nil
	}
	word, token, ok := strings.Cut(given[0], " ")
	if !ok || !strings.EqualFold(word, "Bearer") {
		return nil
	}
	return []string{token}
}
