package signature_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/internal/credential"
	"github.com/footbridge/footbridge/bridge/internal/signature"
)

var now = time.Unix(1750000000, 0)

func mac(key, text string) []byte {
	m := hmac.New(sha256.New, []byte(key))
	m.Write([]byte(text))
	return m.Sum(nil)
}

func timed(unit string) adapter.Signature {
	return adapter.Signature{Algorithm: adapter.SignedHMACSHA256, Header: "S", Prefix: "v0=", Encoding: "hex", Over: "v0:{time}:{body}", TimeHeader: "T", TimeUnit: unit}
}

// badTimes are never the time of a request, however well they are signed: row H5 of the
// catalogue of bad input. FuzzVerify begins with them.
var badTimes = []string{"", " ", "1749999699", "1750000301", "-1750000000", "+1750000000", "9223372036854775808", "9223372036854775807", "1750000000.0", "1.75e9", "0x684f",
	"1750000000 ", " 1750000000", "1750000000\n", "１７５０", "NaN", "now", "2025-06-15T15:06:40Z", "0", "1750000000000", strings.Repeat("0", 20) + "1750000000"}

func TestTimes(t *testing.T) {
	ask := func(rule adapter.Signature, at string) error {
		r := signature.Request{Header: http.Header{"T": {at}, "S": {"v0=" + hex.EncodeToString(mac("key", "v0:"+at+":{}"))}}, Body: []byte("{}")}
		_, err := verifier(t, rule, "key").Verify(r, now)
		return err
	}
	for _, at := range []string{"1750000000", "1749999700", "1750000300"} {
		if err := ask(timed(""), at); err != nil {
			t.Errorf("%s: %v", at, err)
		}
	}
	for _, at := range badTimes {
		if ask(timed(""), at) == nil {
			t.Errorf("%q is a time", at)
		}
	}
	for at, right := range map[string]bool{"1750000000000": true, "1749999700000": true, "1749999699999": false, "1750000300001": false, "1750000000": false} {
		if err := ask(timed("ms"), at); (err == nil) != right {
			t.Errorf("%s ms: %v", at, err)
		}
	}
	short := timed("")
	short.Window = 10 * time.Second
	if ask(short, "1749999990") != nil || ask(short, "1749999989") == nil {
		t.Error("the window of the rule does not hold")
	}
}

// The signature and the time are there once, and written in the one way there is.
// formCase is a way to write a signature.
type formCase struct {
	encoding string
	values   []string
	right    bool
}

// formCases are rows H1, H3 and H9 of the catalogue of bad input. FuzzVerify begins with
// them.
func formCases() []formCase {
	hexed, based := hex.EncodeToString(mac("key", "{}")), base64.StdEncoding.EncodeToString(mac("key", "{}"))
	url := strings.NewReplacer("+", "-", "/", "_").Replace(based)
	return []formCase{
		{"hex", []string{"sha256=" + hexed}, true},
		{"base64", []string{"sha256=" + based}, true},
		{"hex", nil, false},
		{"hex", []string{""}, false},
		{"hex", []string{"sha256="}, false},
		{"hex", []string{hexed}, false},
		{"hex", []string{"SHA256=" + hexed}, false},
		{"hex", []string{"sha256=" + strings.ToUpper(hexed)}, false},
		{"hex", []string{"sha256=" + hexed, "sha256=" + hexed}, false},
		{"hex", []string{"sha256=" + hexed, "sha256=00"}, false},
		{"hex", []string{"sha256=" + hexed + ",sha256=00"}, false},
		{"hex", []string{"sha256=" + hexed[:62]}, false},
		{"hex", []string{"sha256= " + hexed}, false},
		{"hex", []string{"sha256=" + based}, false},
		{"base64", []string{"sha256=" + strings.TrimRight(based, "=")}, false},
		{"base64", []string{"sha256=" + url}, false},
		{"base64", []string{"sha256=" + based[:10] + " " + based[10:]}, false},
		{"base64", []string{"sha256=" + based[:10] + "\n" + based[10:]}, false},
		{"base64", []string{"sha256=" + hexed}, false},
	}
}

func TestForms(t *testing.T) {
	in := func(encoding string) adapter.Signature {
		return adapter.Signature{Algorithm: adapter.SignedHMACSHA256, Header: "S", Prefix: "sha256=", Encoding: encoding, Over: "{body}"}
	}
	if based := base64.StdEncoding.EncodeToString(mac("key", "{}")); !strings.ContainsAny(based, "+/") {
		t.Fatal("choose a text whose base64 has + or /")
	}
	for _, c := range formCases() {
		_, err := verifier(t, in(c.encoding), "key").Verify(signature.Request{Header: http.Header{"S": c.values}, Body: []byte("{}")}, now)
		if (err == nil) != c.right {
			t.Errorf("%s %q: %v", c.encoding, c.values, err)
		}
	}
	twice := signature.Request{Header: http.Header{"T": {"1750000000", "1750000000"}, "S": {"v0=" + hex.EncodeToString(mac("key", "v0:1750000000:{}"))}}, Body: []byte("{}")}
	if _, err := verifier(t, timed(""), "key").Verify(twice, now); err == nil {
		t.Error("a time given twice is right")
	}
}

// While a key is exchanged both are good; then the old one is not.
func TestKeysInTurn(t *testing.T) {
	rule := timed("")
	with := func(key string) signature.Request {
		return signature.Request{Header: http.Header{"T": {"1750000000"}, "S": {"v0=" + hex.EncodeToString(mac(key, "v0:1750000000:{}"))}}, Body: []byte("{}")}
	}
	for _, c := range []struct {
		keys     []string
		old, new bool
	}{{[]string{"old"}, true, false}, {[]string{"new", "old"}, true, true}, {[]string{"new"}, false, true}} {
		v := verifier(t, rule, c.keys...)
		_, errOld := v.Verify(with("old"), now)
		_, errNew := v.Verify(with("new"), now)
		_, errNone := v.Verify(with(""), now)
		if (errOld == nil) != c.old || (errNew == nil) != c.new || errNone == nil {
			t.Errorf("%v: old %v, new %v, none %v", c.keys, errOld, errNew, errNone)
		}
	}
}

func TestKeysThatAreNone(t *testing.T) {
	based := adapter.Signature{Algorithm: adapter.SignedHMACSHA256, KeyEncoding: "base64", KeyPrefix: "whsec_"}
	elliptic := "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEVs/o5+uQbTjL3chynL4wXgUg2R9\nq9UU8I5mEovUf86QZ7kOBIjJwqnzD1omageEHWwHdBO6B+dFabmdT9POxg==\n-----END PUBLIC KEY-----\n"
	for _, c := range []struct {
		rule   adapter.Signature
		key    string
		wanted string
	}{
		{adapter.Signature{Algorithm: adapter.SignedHMACSHA256}, "", "set the credential"},
		{adapter.Signature{Algorithm: "none"}, "x", "is unknown"},
		{based, "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "copy it whole"},
		{based, "whsec_", "copy it whole"},
		{based, "whsec_not base64", "copy it whole"},
		{adapter.Signature{Algorithm: adapter.SignedRSASHA256}, "secret", "is no PEM"},
		{adapter.Signature{Algorithm: adapter.SignedRSASHA256}, "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "cannot be read"},
		{adapter.Signature{Algorithm: adapter.SignedRSASHA256}, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "give the vendor's public key"},
		{adapter.Signature{Algorithm: adapter.SignedJWTRS256}, elliptic, "is not RSA"},
	} {
		_, err := signature.New(c.rule, []credential.Secret{credential.NewSecret(c.key)})
		if err == nil || !strings.Contains(err.Error(), c.wanted) || len(c.key) > 10 && strings.Contains(err.Error(), c.key) {
			t.Errorf("%s %.20q: %v", c.rule.Algorithm, c.key, err)
		}
	}
	if _, err := signature.New(timed(""), nil); err == nil {
		t.Error("a verifier without keys was made")
	}
}

// Fields that occur twice would leave open which was meant.
func TestFormFieldTwice(t *testing.T) {
	rule := adapter.Signature{Algorithm: adapter.SignedHMACSHA256, Header: "S", Encoding: "hex", Over: "{url}{form}"}
	for body, right := range map[string]bool{"a=1": true, "a=1&a=1": false, "a=1&a=2": false, "a=%zz": false, "a;b=1": false} {
		for _, text := range []string{"u" + "a1", "u" + "a1a1", "u" + "a1a2", "u", "ua"} {
			r := signature.Request{URL: "u", Header: http.Header{"S": {hex.EncodeToString(mac("key", text))}}, Body: []byte(body)}
			if _, err := verifier(t, rule, "key").Verify(r, now); (err == nil) != (right && text == "ua1") {
				t.Errorf("%s signed as %s: %v", body, text, err)
			}
		}
	}
	unknown := signature.Request{Header: http.Header{"S": {hex.EncodeToString(mac("key", "a1"))}}, Body: []byte("a=1")}
	if _, err := verifier(t, rule, "key").Verify(unknown, now); err == nil {
		t.Error("right, though nobody knows what the vendor called")
	}
}

func jwt(head, claims string, key string) string {
	text := base64.RawURLEncoding.EncodeToString([]byte(head)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))
	return text + "." + base64.RawURLEncoding.EncodeToString(mac(key, text))
}

const (
	goodHead  = `{"alg":"HS256","typ":"JWT"}`
	emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

// TestTokens: the algorithm and the key are ours to choose; every claim that is
// asked for holds.
// signedToken is the rule the tokens below are held to.
func signedToken() adapter.Signature {
	return adapter.Signature{Algorithm: adapter.SignedJWTHS256, Header: "Authorization", Prefix: "Bearer ", Issuer: "iss", Audience: "us", BodyClaim: "hash"}
}

type tokenCase struct {
	name, header string
	right        bool
}

// tokenCases are row H10 of the catalogue of bad input. FuzzToken begins with them.
func tokenCases() []tokenCase {
	claims := func(more string) string {
		return `{"iss":"iss","aud":"us","iat":1749999999,"exp":1750000100,"hash":"` + emptyHash + `"` + more + `}`
	}
	without := func(name string) string { return strings.Replace(claims(""), `"`+name+`"`, `"x`+name+`"`, 1) }
	other := func(from, to string) string { return strings.Replace(claims(""), from, to, 1) }
	good := jwt(goodHead, claims(""), "key")
	cases := []tokenCase{
		{"good", "Bearer " + good, true},
		{"audience in a list", "Bearer " + jwt(goodHead, other(`"us"`, `["them","us"]`), "key"), true},
		{"begins within the tolerance", "Bearer " + jwt(goodHead, claims(`,"nbf":1750000300`), "key"), true},
		{"a key id of the vendor's", "Bearer " + jwt(`{"alg":"HS256","kid":"../../dev/null"}`, claims(""), "key"), true},
		{"nothing", "", false},
		{"another scheme", "Basic " + good, false},
		{"lower case", "bearer " + good, false},
		{"two dots short", "Bearer abc", false},
		{"no signature", "Bearer " + good[:strings.LastIndexByte(good, '.')+1], false},
		{"four parts", "Bearer " + good + "." + "AAAA", false},
		{"padded", "Bearer " + good + "=", false},
		{"other key", "Bearer " + jwt(goodHead, claims(""), "other"), false},
		{"empty key", "Bearer " + jwt(goodHead, claims(""), ""), false},
		{"too long", "Bearer " + jwt(goodHead, claims(`,"x":"`+strings.Repeat("x", 20<<10)+`"`), "key"), false},
	}
	for _, head := range []string{`{"alg":"none"}`, `{"alg":"None"}`, `{"alg":"NONE"}`, `{"alg":""}`, `{}`, `{"typ":"JWT"}`, `{"alg":"HS512"}`, `{"alg":"RS256"}`, `{"alg":"hs256"}`,
		`{"alg":["HS256","RS256"]}`, `{"alg":null}`, `{"alg":1}`, `{"alg":"HS256","alg":"none"}`, `{"Alg":"HS256"}`, `[]`, `null`, `"x"`, ``, `{"alg":"HS256"} {}`,
		`{"alg":"HS256","jku":"https://evil.example/keys"}`, `{"alg":"HS256","jwk":{"kty":"oct","k":"a2V5"}}`, `{"alg":"HS256","x5u":"https://evil.example"}`,
		`{"alg":"HS256","x5c":["AAAA"]}`, `{"alg":"HS256","crit":["exp"]}`, `{"alg":"HS256","b64":false}`, `{"alg":"HS256","zip":"DEF"}`} {
		cases = append(cases, tokenCase{"header " + head, "Bearer " + jwt(head, claims(""), "key"), false})
	}
	for name, c := range badClaims(claims, without, other) {
		cases = append(cases, tokenCase{name, "Bearer " + jwt(goodHead, c, "key"), false})
	}
	return cases
}

func TestTokens(t *testing.T) {
	cases := tokenCases()
	for _, c := range cases {
		r := signature.Request{Header: http.Header{"Authorization": {c.header}}}
		if _, err := verifier(t, signedToken(), "key").Verify(r, now); (err == nil) != c.right {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if len(cases) < 60 {
		t.Errorf("%d tokens", len(cases))
	}
}

// FuzzToken: of all that can stand in the header only the vendor's own tokens are right.
func FuzzToken(f *testing.F) {
	right := map[string]bool{}
	for _, c := range tokenCases() {
		f.Add(c.header)
		if c.right {
			right[c.header] = true
		}
	}
	v := verifier(f, signedToken(), "key")
	f.Fuzz(func(t *testing.T, header string) {
		if _, err := v.Verify(signature.Request{Header: http.Header{"Authorization": {header}}}, now); (err == nil) != right[header] {
			t.Fatalf("%q: %v", header, err)
		}
	})
}

func badClaims(claims, without func(string) string, other func(string, string) string) map[string]string {
	all := map[string]string{
		"ends now": other("1750000100", "1750000000"), "ended": other("1750000100", "1749999999"), "end as text": other("1750000100", `"1750000100"`),
		"end without end": other("1750000100", "1e300"), "end before all": other("1750000100", "-1"), "end null": other("1750000100", "null"),
		"begins later": claims(`,"nbf":1750000301`), "beginning as text": claims(`,"nbf":"soon"`), "made later": other("1749999999", "1750000301"),
		"made long ago": other("1749999999", "1749999699"), "made when": other("1749999999", `"x"`), "for another": other(`"us"`, `"them"`),
		"for a part of us": other(`"us"`, `"u"`), "for others": other(`"us"`, `["them"]`), "for nobody": other(`"us"`, `[]`), "for a number": other(`"us"`, `1`),
		"from another": other(`"iss":"iss"`, `"iss":"issx"`), "from null": other(`"iss":"iss"`, `"iss":null`), "other body": other(emptyHash, strings.Repeat("0", 64)),
		"body in upper case": other(emptyHash, strings.ToUpper(emptyHash)), "no body hash": other(emptyHash, ""), "body hash a list": other(`"`+emptyHash+`"`, `["`+emptyHash+`"]`),
		"claim twice": claims(`,"exp":1750000100`), "no object": `[]`, "null": `null`, "broken": claims("")[:40], "two": claims("") + "{}", "not UTF-8": claims(",\"x\":\"\xff\""),
	}
	for _, name := range []string{"iss", "aud", "iat", "exp", "hash"} {
		all["without "+name] = without(name)
	}
	return all
}

// The public key of a vendor is no secret: a token signed with it as one is refused.
func TestTokenSignedWithThePublicKey(t *testing.T) {
	for _, s := range schemes(t) {
		if s.Rule.Algorithm != adapter.SignedJWTRS256 {
			continue
		}
		block, _ := pem.Decode([]byte(s.Key))
		if _, err := x509.ParsePKIXPublicKey(block.Bytes); err != nil {
			t.Fatal(err)
		}
		for i, key := range []string{s.Key, strings.TrimSpace(s.Key), string(block.Bytes)} {
			claims := fmt.Sprintf(`{"iss":"https://issuer.example","aud":"our-app","exp":%d}`, now.Unix()+60)
			r := signature.Request{Header: http.Header{"Authorization": {"Bearer " + jwt(goodHead, claims, key)}}}
			if _, err := s.verifier.Verify(r, now); err == nil {
				t.Errorf("the public key as a secret, form %d, is taken", i)
			}
		}
		return
	}
	t.Fatal("no scheme of the vectors is a token with a public key")
}

// Several signatures: one of them is right, and there are few.
func TestSeveralSignatures(t *testing.T) {
	rule := adapter.Signature{Algorithm: adapter.SignedHMACSHA256, Header: "S", Prefix: "v1,", Separator: " ", Encoding: "hex", Over: "{body}"}
	right := "v1," + hex.EncodeToString(mac("key", "{}"))
	wrong := "v1," + hex.EncodeToString(mac("old", "{}"))
	for given, ok := range map[string]bool{right: true, wrong + " " + right: true, "v1a,zz " + right: true, wrong: false, "v2" + right[2:]: false,
		strings.Repeat(wrong+" ", 15) + right: true, strings.Repeat(wrong+" ", 16) + right: false, right + "," + wrong: false} {
		if _, err := verifier(t, rule, "key").Verify(signature.Request{Header: http.Header{"S": {given}}, Body: []byte("{}")}, now); (err == nil) != ok {
			t.Errorf("%.200s: %v", given, err)
		}
	}
}
