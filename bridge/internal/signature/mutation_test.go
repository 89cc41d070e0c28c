package signature_test

import (
	"bytes"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/footbridge/footbridge/bridge/internal/signature"
)

// A million requests that differ from a signed one in something that is signed:
// none is right. Which schemes are tried how often follows what they cost.
func TestMutations(t *testing.T) {
	total := 1_000_000
	if testing.Short() {
		total = 20_000
	}
	random := rand.New(rand.NewPCG(1, 2))
	all := schemes(t)
	weights := []*scheme{}
	for _, s := range all {
		n := 40
		if strings.Contains(s.Rule.Algorithm, "rs") {
			n = 1
		}
		weights = append(weights, slices.Repeat([]*scheme{s}, n)...)
	}
	tried := map[string]int{}
	for n := 0; n < total; {
		s := weights[random.IntN(len(weights))]
		i := random.IntN(len(s.Requests))
		r := s.request(i)
		what := s.mutate(random, &r)
		if s.same(r, s.request(i)) {
			continue
		}
		n++
		tried[s.Name+", "+what]++
		if mark, err := s.verifier.Verify(r, s.now); err == nil || mark != "" {
			t.Fatalf("%s: %d with another %s is right: %+v", s.Name, i, what, r)
		}
	}
	for _, s := range all {
		if tried[s.Name+", signature"] < total/5000 {
			t.Errorf("%s: %v", s.Name, tried)
		}
	}
}

// mutate changes one thing that is signed, and names it.
func (s *scheme) mutate(random *rand.Rand, r *signature.Request) string {
	kinds := []string{"signature"}
	for word, kind := range map[string]string{"{body}": "body", "{form}": "body", "{time}": "time", "{id}": "id", "{url}": "url", "{method}": "method"} {
		if strings.Contains(s.Rule.Over, word) {
			kinds = append(kinds, kind)
		}
	}
	if s.Rule.BodyClaim != "" {
		kinds = append(kinds, "body")
	}
	slices.Sort(kinds) // the order of a map is another one each time
	kind := kinds[random.IntN(len(kinds))]
	header := map[string]string{"signature": s.Rule.Header, "time": s.Rule.TimeHeader, "id": s.Rule.IDHeader}[kind]
	switch kind {
	case "body":
		r.Body = changed(random, r.Body)
	case "url":
		r.URL = string(changed(random, []byte(r.URL)))
	case "method":
		r.Method = string(changed(random, []byte(r.Method)))
	default:
		r.Header = r.Header.Clone()
		r.Header.Set(header, string(changed(random, []byte(r.Header.Get(header)))))
	}
	return kind
}

// changed is the text with a bit turned, a byte put in, taken out or set, cut, or
// its case turned.
func changed(random *rand.Rand, text []byte) []byte {
	out := bytes.Clone(text)
	if len(out) == 0 {
		return []byte{byte(random.IntN(256))}
	}
	at := random.IntN(len(out))
	switch random.IntN(7) {
	case 0, 1:
		out[at] ^= 1 << random.IntN(8)
	case 2:
		out = slices.Insert(out, at, "\n =A0+/-_\x00"[random.IntN(10)])
	case 3:
		out = slices.Delete(out, at, at+1)
	case 4:
		out[at] = byte(random.IntN(256))
	case 5:
		out = out[:at]
	case 6:
		out = append(out, "\n =A0"[random.IntN(5)])
	}
	return out
}

// same reports whether two requests are signed alike: a form written another way,
// or another signature beside the right one.
func (s *scheme) same(a, b signature.Request) bool {
	if s.Rule.Separator != "" {
		right := strings.Fields(b.Header.Get(s.Rule.Header))[1]
		if slices.Contains(strings.Split(a.Header.Get(s.Rule.Header), s.Rule.Separator), right) {
			a.Header = a.Header.Clone()
			a.Header.Set(s.Rule.Header, b.Header.Get(s.Rule.Header))
		}
	}
	for name := range b.Header {
		if a.Header.Get(name) != b.Header.Get(name) {
			return false
		}
	}
	return a.URL+a.Method == b.URL+b.Method && (bytes.Equal(a.Body, b.Body) || strings.Contains(s.Rule.Over, "{form}") && runTogether(a.Body) == runTogether(b.Body))
}

// runTogether is what is signed of a form, found another way than the verifier's.
func runTogether(body []byte) string {
	var fields []string
	for pair := range strings.SplitSeq(string(body), "&") {
		name, value, _ := strings.Cut(pair, "=")
		n, err1 := url.QueryUnescape(name)
		v, err2 := url.QueryUnescape(value)
		if err1 != nil || err2 != nil || strings.Contains(pair, ";") {
			return "\x00not a form"
		}
		fields = append(fields, n+"\x00"+v)
	}
	slices.Sort(fields)
	return strings.ReplaceAll(strings.Join(fields, ""), "\x00", "")
}

// FuzzVerify: nothing an attacker without the key writes is right, and nothing is a
// panic. The seeds are the vectors, and what a request can be that is none.
func FuzzVerify(f *testing.F) {
	all := schemes(f)
	for n, s := range schemes(f) {
		for i := range s.Requests {
			f.Add(n, s.Requests[i].Body, s.Requests[i].Header[s.Rule.Header]+"x", "1750000000", "id")
		}
	}
	for _, c := range badTimes {
		f.Add(3, []byte("{}"), "sha256=", c, "id")
	}
	for _, c := range formCases() {
		f.Add(0, []byte("{}"), strings.Join(c.values, ","), "1750000000", "id")
	}
	f.Fuzz(func(t *testing.T, n int, body []byte, given, at, id string) {
		s := all[uint(n)%uint(len(all))]
		r := signature.Request{Method: s.method, URL: s.url, Header: http.Header{}, Body: body}
		for name, value := range map[string]string{s.Rule.Header: given, s.Rule.TimeHeader: at, s.Rule.IDHeader: id} {
			if name != "" {
				r.Header[http.CanonicalHeaderKey(name)] = []string{value}
			}
		}
		for i := range s.Requests {
			if s.same(r, s.request(i)) || strings.Contains(given, s.Requests[i].Header[s.Rule.Header]) {
				return // it is one of the signed ones
			}
		}
		if _, err := s.verifier.Verify(r, s.now); err == nil {
			t.Fatalf("%s: right: %+v", s.Name, r)
		}
	})
}
