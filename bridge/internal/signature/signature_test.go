package signature_test

import (
	"encoding/json"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/internal/credential"
	"github.com/footbridge/footbridge/bridge/internal/signature"
)

// scheme is one way to sign, with requests signed that way by another
// implementation (testdata/vectors.py).
type scheme struct {
	Name     string            `json:"name"`
	Rule     adapter.Signature `json:"rule"`
	Key      string            `json:"key"`
	Requests []struct {
		Header map[string]string `json:"header"`
		Body   []byte            `json:"body"`
	} `json:"requests"`

	now      time.Time
	method   string
	url      string
	verifier *signature.Verifier
}

// schemes are what vendors sign, with a key: changed, row H4 of the catalogue of bad
// input. FuzzVerify begins with them.
func schemes(t testing.TB) []*scheme {
	t.Helper()
	data, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Now         int64
		Method, URL string
		Schemes     []*scheme
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	for _, s := range file.Schemes {
		s.now, s.method, s.url = time.Unix(file.Now, 0), file.Method, file.URL
		s.verifier = verifier(t, s.Rule, s.Key)
	}
	return file.Schemes
}

func verifier(t testing.TB, rule adapter.Signature, keys ...string) *signature.Verifier {
	t.Helper()
	var secrets []credential.Secret
	for _, k := range keys {
		secrets = append(secrets, credential.NewSecret(k))
	}
	v, err := signature.New(rule, secrets)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// request is the vector of that number.
func (s *scheme) request(i int) signature.Request {
	r := signature.Request{Method: s.method, URL: s.url, Header: http.Header{}, Body: s.Requests[i].Body}
	for name, value := range s.Requests[i].Header {
		r.Header.Set(name, value)
	}
	return r
}

// Every request another implementation signed is right, and its mark is its own.
func TestVectors(t *testing.T) {
	total := 0
	for _, s := range schemes(t) {
		marks := map[string]int{}
		for i := range s.Requests {
			mark, err := s.verifier.Verify(s.request(i), s.now)
			if err != nil {
				t.Errorf("%s %d: %v", s.Name, i, err)
			}
			if other, taken := marks[mark]; taken && mark != "" {
				t.Errorf("%s: %d and %d have one mark", s.Name, other, i)
			}
			if (mark == "") != (s.Rule.Token() && s.Rule.BodyClaim == "") {
				t.Errorf("%s: mark %q", s.Name, mark)
			}
			marks[mark] = i
			total++
		}
	}
	if total < 200 {
		t.Errorf("%d vectors", total)
	}
}

// published are examples from standards and documents, with the place.
func TestPublishedVectors(t *testing.T) {
	hub := adapter.Signature{Algorithm: adapter.SignedHMACSHA256, Header: "S", Prefix: "sha256=", Encoding: "hex", Over: "{body}"}
	standard := adapter.Signature{Algorithm: adapter.SignedHMACSHA256, Header: "S", Prefix: "v1,", Separator: " ", Encoding: "base64",
		Over: "{id}.{time}.{body}", TimeHeader: "T", IDHeader: "I", KeyEncoding: "base64", KeyPrefix: "whsec_"}
	raw := func(algorithm string) adapter.Signature {
		return adapter.Signature{Algorithm: algorithm, Header: "S", Encoding: "hex", Over: "{body}"}
	}
	url := adapter.Signature{Algorithm: adapter.SignedHMACSHA1, Header: "S", Encoding: "base64", Over: "{url}{form}"}
	for _, c := range []struct {
		source, key string
		rule        adapter.Signature
		at          int64
		url, body   string
		header      []string
	}{
		{"RFC 2202 3, test 2", "Jefe", raw(adapter.SignedHMACSHA1), 0, "", "what do ya want for nothing?", []string{"S", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"}},
		{"RFC 4231 4.3, test 2", "Jefe", raw(adapter.SignedHMACSHA256), 0, "", "what do ya want for nothing?",
			[]string{"S", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"}},
		{"a code host's page on validating deliveries", "It's a Secret to Everybody", hub, 0, "", "Hello, World!",
			[]string{"S", "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"}},
		{"the reference library of standardwebhooks.com", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", standard, 1614265330, "", `{"test": 2432232314}`,
			[]string{"I", "msg_p5jXN8AQM9LWM0D4loKWxJek", "T", "1614265330", "S", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}},
		{"a telephony company's page on request security", "12345", url, 0, "https://mycompany.com/myapp.php?foo=1&bar=2",
			"CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212", []string{"S", "RSOYDt4T1cUTdK1PDd93/VVr8B8="}},
	} {
		r := signature.Request{Method: "POST", URL: c.url, Header: http.Header{}, Body: []byte(c.body)}
		for i := 0; i < len(c.header); i += 2 {
			r.Header.Set(c.header[i], c.header[i+1])
		}
		v := verifier(t, c.rule, c.key)
		if _, err := v.Verify(r, time.Unix(c.at, 0)); err != nil {
			t.Errorf("%s: %v", c.source, err)
		}
		r.Body = append(r.Body, 'x')
		if _, err := v.Verify(r, time.Unix(c.at, 0)); err == nil {
			t.Errorf("%s with another body is right", c.source)
		}
	}
}
