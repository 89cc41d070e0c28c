package credential

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// Scheme is a way to carry a credential in an HTTP request. ParseScheme makes it.
type Scheme struct {
	rule *schemeRule
	name string
}

// schemeRule is one row of the table of schemes.
type schemeRule struct {
	word  string
	named bool // written word:NAME
	apply func(h http.Header, q url.Values, name, value string)
	found func(r *http.Request, name string) []string // nil: not for requests that come in
}

//nolint:gochecknoglobals // a table that is never written.
var schemeRules = [...]schemeRule{
	{"header", true, applyHeader, func(r *http.Request, name string) []string { return r.Header.Values(name) }},
	{"query", true, applyQuery, foundQuery},
	{"bearer", false, applyBearer, foundBearer},
	{"basic", false, applyBasic, nil},
}

// fieldName is an HTTP token: what may name a header.
var fieldName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")

// ParseScheme reads header:NAME, query:NAME, bearer or basic (for a credential written NAME:PASSWORD).
func ParseScheme(s string) (Scheme, error) {
	word, name, named := strings.Cut(s, ":")
	for i := range schemeRules {
		rule := &schemeRules[i]
		if rule.word == word && rule.named == named && (!named || fieldName.MatchString(name)) {
			return Scheme{rule, name}, nil
		}
	}
	return Scheme{}, errors.New("unknown way to carry a credential: write header:NAME, query:NAME, bearer or basic")
}

// String returns what ParseScheme reads; the zero Scheme is empty.
func (s Scheme) String() string {
	switch {
	case s.rule == nil:
		return ""
	case s.rule.named:
		return s.rule.word + ":" + s.name
	}
	return s.rule.word
}

// Apply puts the secret into an outgoing request's header or query, in place of what is there under that name. It
// refuses an empty secret, and in a header one that HTTP cannot carry, and then changes nothing.
func Apply(h http.Header, q url.Values, scheme Scheme, s Secret) error {
	value := s.Reveal()
	switch {
	case scheme.rule == nil:
		return errors.New("apply credential: no scheme")
	case value == "":
		return fmt.Errorf("apply credential as %s: it %w", scheme, ErrUnset)
	case strings.ContainsFunc(value, isControl) && scheme.rule.word != "query":
		return fmt.Errorf("apply credential as %s: it holds a line break or control character: write it again without", scheme)
	}
	scheme.rule.apply(h, q, scheme.name, value)
	return nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

func applyHeader(h http.Header, _ url.Values, name, value string) { h.Set(name, value) }

func applyQuery(_ http.Header, q url.Values, name, value string) { q.Set(name, value) }

func applyBearer(h http.Header, _ url.Values, _, value string) {
	h.Set("Authorization", "Bearer "+value)
}

func applyBasic(h http.Header, _ url.Values, _, value string) {
	h.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(value)))
}

// Verify tells whether an incoming request carries the secret as the scheme says (header:NAME, query:NAME or bearer), in
// constant time. One given twice, an empty secret and an unknown scheme are all refused.
func Verify(r *http.Request, scheme string, s Secret) bool {
	parsed, err := ParseScheme(scheme)
	if err != nil || parsed.rule.found == nil {
		return false
	}
	given := parsed.rule.found(r, parsed.name)
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
