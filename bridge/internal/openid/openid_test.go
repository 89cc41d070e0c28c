package openid_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/footbridge/footbridge/bridge/internal/openid"
)

func TestSignIn(t *testing.T) {
	p := newIDP(t)
	for _, c := range []struct {
		changes map[string]any
		want    string
	}{
		{nil, "u-1 sam Sam Smith [live_agent]"},
		{map[string]any{"groups": "ops", "preferred_username": nil}, "u-1  Sam Smith [operator]"},
		{map[string]any{"groups": []string{"ops", "leads", "sales"}, "name": 7}, "u-1 sam  [live_agent supervisor operator]"},
		{map[string]any{"aud": []string{client}}, "u-1 sam Sam Smith [live_agent]"},
		{map[string]any{"aud": []string{client, "other"}, "azp": client}, "u-1 sam Sam Smith [live_agent]"},
		{map[string]any{"name": "Sam\u202eSmith"}, "u-1 sam  [live_agent]"},
		{map[string]any{"exp": time.Now().Unix() - 30, "iat": time.Now().Unix() + 30, "nbf": time.Now().Unix() + 30}, "u-1 sam Sam Smith [live_agent]"},
	} {
		p.with(nil, c.changes)
		who, err := p.signIn(p.provider(), nil)
		if got := fmt.Sprint(who.Subject, " ", who.Agent, " ", who.Name, " ", who.Roles); err != nil || got != c.want {
			t.Errorf("%v: %q, %v, want %q", c.changes, got, err, c.want)
		}
	}
	for _, name := range []string{"ec", "ed", "one"} {
		p.signer = makeKeys()[name]
		p.shown = []map[string]any{makeKeys()["two"].jwk(), p.signer.jwk()}
		heads := []map[string]any{nil, {"kid": nil}}
		if name == "one" {
			heads = append(heads, map[string]any{"alg": "PS256"})
		}
		for _, head := range heads {
			p.with(head, nil)
			if who, err := p.signIn(p.provider(), nil); err != nil || who.Agent != "sam" {
				t.Errorf("%s with head %v: %v", name, head, err)
			}
		}
	}
}

// vector is a token that must not be believed.
type vector struct {
	name          string
	head, changes map[string]any
	make          func(p *idp, nonce string) string
}

func vectors() []vector {
	now := time.Now().Unix()
	claims := func(name string, all ...any) (out []vector) {
		for _, v := range all {
			out = append(out, vector{name: fmt.Sprintf("%s %.40v", name, v), changes: map[string]any{name: v}})
		}
		return out
	}
	heads := func(name string, all ...any) (out []vector) {
		for _, v := range all {
			out = append(out, vector{name: fmt.Sprintf("head %s %v", name, v), head: map[string]any{name: v}})
		}
		return out
	}
	raw := func(name string, change func(h, c, s string) string) vector {
		return vector{name: name, make: func(p *idp, nonce string) string {
			part := strings.Split(p.signer.jwt(nil, p.good(nonce)), ".")
			return change(part[0], part[1], part[2])
		}}
	}
	other := func(name string, change func(p *idp, nonce string) string) vector {
		return vector{name: name, make: change}
	}
	return slices.Concat(
		claims("iss", nil, "", "https://evil.example", 7), claims("aud", nil, "", "other", []string{}, []string{"other"}, []string{client, "other"}, 7, map[string]any{client: 1}),
		claims("azp", "other", ""), claims("nonce", nil, "", "other", 7), claims("sub", nil, "", 7, "a\nb", strings.Repeat("x", 256)),
		claims("exp", nil, now-61, 0, -1, "soon", now-1<<40), claims("iat", nil, now+120, now-700, 0, "now"), claims("nbf", now+120, "later"),
		claims("groups", nil, "", "everybody", []string{}, []any{"support", 7}, map[string]any{"support": true}),
		claims("preferred_username", nil, "", "a\nb", strings.Repeat("x", 129), []string{"sam", "kim"}),
		heads("alg", nil, "none", "None", "nOnE", "", "HS256", "RS384", "rs256", "ES256", "EdDSA", 7), heads("kid", "two", "../../dev/null", "' or 1=1", ""+strings.Repeat("k", 9000)),
		heads("crit", []string{"exp"}, []string{}, nil)[:2],
		[]vector{
			other("another's key", func(p *idp, n string) string {
				return makeKeys()["stranger"].jwt(map[string]any{"kid": "one"}, p.good(n))
			}),
			other("another's key in the head", func(p *idp, n string) string {
				s := makeKeys()["stranger"]
				return s.jwt(map[string]any{"jwk": s.jwk(), "jku": "https://evil.example/keys", "x5u": "https://evil.example/"}, p.good(n))
			}),
			other("a claim twice", func(p *idp, n string) string {
				good, _ := json.Marshal(p.good(n))
				return p.signer.jwt(nil, `{"sub":"admin",`+string(good[1:]))
			}),
			other("no claims", func(p *idp, _ string) string { return p.signer.jwt(nil, "") }),
			other("a list", func(p *idp, _ string) string { return p.signer.jwt(nil, "[]") }),
			other("claims and more", func(p *idp, n string) string {
				good, _ := json.Marshal(p.good(n))
				return p.signer.jwt(nil, string(good)+"{}")
			}),
			other("broken UTF-8", func(p *idp, n string) string {
				good, _ := json.Marshal(p.good(n))
				return p.signer.jwt(nil, `{"x":"`+"\xff"+`",`+string(good[1:]))
			}),
			raw("no signature", func(h, c, _ string) string { return h + "." + c + "." }), raw("two parts", func(h, c, _ string) string { return h + "." + c }),
			raw("four parts", func(h, c, s string) string { return h + "." + c + "." + s + "." + s }), raw("padded", func(h, c, s string) string { return h + "." + c + "." + s + "==" }),
			raw("a line break", func(h, c, s string) string { return h + "." + c[:9] + "\n" + c[9:] + "." + s }), raw("space", func(h, c, s string) string { return h + "." + c + "." + s + " " }),
			raw("signature changed", func(h, c, s string) string { return h + "." + c + ".A" + s[1:] }), raw("claims changed", func(h, c, s string) string { return h + "." + c[:10] + "A" + c[11:] + "." + s }),
			raw("unused bits set", func(h, c, s string) string {
				const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
				return h + "." + c + "." + s[:len(s)-1] + string(letters[strings.IndexByte(letters, s[len(s)-1])+1])
			}),
			raw("nothing", func(string, string, string) string { return "" }), raw("dots", func(string, string, string) string { return ".." }),
			raw("huge", func(h, c, s string) string { return h + "." + strings.Repeat("A", 40<<10) + "." + s }),
		})
}

func TestTokensNotToBelieve(t *testing.T) {
	p := newIDP(t)
	all := vectors()
	if len(all) < 60 {
		t.Errorf("only %d tokens", len(all))
	}
	o := p.provider()
	for _, v := range all {
		if v.make != nil {
			p.token = func(nonce string) string { return v.make(p, nonce) }
		} else {
			p.with(v.head, v.changes)
		}
		if who, err := p.signIn(o, nil); !errors.Is(err, openid.ErrRefused) || len(who.Roles) > 0 {
			t.Errorf("%s: %+v, %v", v.name, who, err)
		}
	}
	p.with(nil, nil)
	if _, err := p.signIn(o, nil); err != nil {
		t.Errorf("the good token after them: %v", err)
	}
	if p.asked["keys"] > 2 {
		t.Errorf("made-up names had the keys read %d times", p.asked["keys"])
	}
}

// What the browser comes back with is believed only as the answer to its own
// sign-in, of the provider that was asked.
func TestAnswersNotToBelieve(t *testing.T) {
	p := newIDP(t)
	p.with(nil, nil)
	o := p.provider()
	_, other, err := o.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*openid.Flow, url.Values){
		"no state":         func(_ *openid.Flow, v url.Values) { v.Del("state") },
		"another's state":  func(_ *openid.Flow, v url.Values) { v.Set("state", other.State) },
		"another's flow":   func(f *openid.Flow, _ url.Values) { *f = other },
		"no flow":          func(f *openid.Flow, v url.Values) { *f = openid.Flow{}; v.Set("state", "") },
		"two states":       func(_ *openid.Flow, v url.Values) { v.Add("state", "x") },
		"two codes":        func(_ *openid.Flow, v url.Values) { v.Add("code", "x") },
		"too late":         func(f *openid.Flow, _ url.Values) { f.Until = time.Now().Add(-time.Second) },
		"another issuer":   func(_ *openid.Flow, v url.Values) { v.Set("iss", "https://evil.example") },
		"denied":           func(_ *openid.Flow, v url.Values) { v.Set("error", "access_denied") },
		"no code":          func(_ *openid.Flow, v url.Values) { v.Del("code") },
		"another's code":   func(_ *openid.Flow, v url.Values) { v.Set("code", "code-x") },
		"a huge code":      func(_ *openid.Flow, v url.Values) { v.Set("code", strings.Repeat("x", 5000)) },
		"another verifier": func(f *openid.Flow, _ url.Values) { f.Verifier = other.Verifier },
		"another nonce":    func(f *openid.Flow, _ url.Values) { f.Nonce = other.Nonce },
	} {
		if _, err := p.signIn(o, change); !errors.Is(err, openid.ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	p.about["authorization_response_iss_parameter_supported"] = true
	if _, err := p.signIn(p.provider(), nil); !errors.Is(err, openid.ErrRefused) {
		t.Errorf("an answer without the issuer it promises: %v", err)
	}
	if _, err := p.signIn(p.provider(), func(_ *openid.Flow, v url.Values) { v.Set("iss", p.server.URL) }); err != nil {
		t.Errorf("an answer with it: %v", err)
	}
	// A code is good once, also for who has the flow.
	address, flow, _ := o.Begin(t.Context())
	came := p.authorize(address)
	if _, err := o.Finish(t.Context(), flow, came); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Finish(t.Context(), flow, came); !errors.Is(err, openid.ErrRefused) {
		t.Errorf("the same answer again: %v", err)
	}
}

// Keys that change are taken up; keys that are weak, for another use or of another
// algorithm are not.
func TestKeys(t *testing.T) {
	p := newIDP(t)
	p.with(nil, nil)
	o := p.provider()
	if _, err := p.signIn(o, nil); err != nil {
		t.Fatal(err)
	}
	p.signer = makeKeys()["two"]
	p.shown = []map[string]any{p.signer.jwk()}
	if _, err := p.signIn(o, nil); !errors.Is(err, openid.ErrRefused) {
		t.Errorf("at once after the keys were read: %v", err)
	}
	openid.Age(o, 11*time.Second)
	if _, err := p.signIn(o, nil); err != nil {
		t.Errorf("after the keys changed: %v", err)
	}
	p.signer = makeKeys()["one"]
	openid.Age(o, 11*time.Second)
	if _, err := p.signIn(o, nil); !errors.Is(err, openid.ErrRefused) {
		t.Errorf("with the key that was withdrawn: %v", err)
	}
	p.signer = makeKeys()["small"]
	p.shown = []map[string]any{p.signer.jwk()}
	if _, err := p.signIn(p.provider(), nil); !errors.Is(err, openid.ErrRefused) {
		t.Errorf("with a key of 1024 bits: %v", err)
	}
	p.signer = makeKeys()["one"]
	for name, change := range map[string]map[string]any{"for encryption": {"use": "enc"}, "for another algorithm": {"alg": "RS512"}, "weak": {"n": b64(make([]byte, 255))},
		"even": {"e": "Ag"}, "no exponent": {"e": ""}, "of another kind": {"kty": "oct", "k": "AAAA"}, "of another name": {"kid": "x"}, "not written as keys are": {"n": "!!"}} {
		shown := maps.Clone(p.signer.jwk())
		maps.Copy(shown, change)
		p.shown = []map[string]any{shown}
		if _, err := p.signIn(p.provider(), nil); !errors.Is(err, openid.ErrRefused) {
			t.Errorf("a key that is %s: %v", name, err)
		}
	}
}

// A provider in trouble is no refusal, and one that is not who it should be is
// told with the mend.
func TestProviderInTrouble(t *testing.T) {
	p := newIDP(t)
	p.with(nil, nil)
	for name, c := range map[string]struct {
		about map[string]any
		says  string
	}{
		"another issuer": {map[string]any{"issuer": p.server.URL + "/"}, "mend: write issuer"}, "no token endpoint": {map[string]any{"token_endpoint": nil}, "not https"},
		"plain http": {map[string]any{"token_endpoint": "http://idp.example/token"}, "not https"}, "a person in it": {map[string]any{"jwks_uri": "https://a:b@idp.example/"}, "not https"},
		"a script": {map[string]any{"authorization_endpoint": "javascript:alert(1)"}, "not https"},
	} {
		p.about = c.about
		if _, err := p.signIn(p.provider(), nil); err == nil || errors.Is(err, openid.ErrRefused) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	p.about = map[string]any{"x": strings.Repeat("x", 1<<20)}
	if _, err := p.signIn(p.provider(), nil); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("a huge document: %v", err)
	}
	p.about = map[string]any{"jwks_uri": p.server.URL + "/nowhere"}
	if _, err := p.signIn(p.provider(), nil); err == nil || errors.Is(err, openid.ErrRefused) || !strings.Contains(err.Error(), "answers 404") {
		t.Errorf("no keys: %v", err)
	}
	p.about, p.token = nil, func(string) string { panic(http.ErrAbortHandler) }
	o := p.provider()
	if _, err := p.signIn(o, nil); err == nil || errors.Is(err, openid.ErrRefused) || strings.Contains(err.Error(), secret) {
		t.Errorf("a provider that hangs up: %v", err)
	}
	p.server.Close()
	if _, err := p.signIn(p.provider(), nil); err == nil || errors.Is(err, openid.ErrRefused) {
		t.Errorf("a provider that is gone: %v", err)
	}
}

// What decides who may do what changes the fingerprint; the secret does not.
func TestFingerprint(t *testing.T) {
	base := openid.Options{Issuer: "i", ClientID: "c", RolesClaim: "r", Roles: map[string][]string{"operator": {"a"}, "supervisor": {"b"}}}
	first := openid.New(base).Fingerprint()
	for range 20 {
		if openid.New(base).Fingerprint() != first {
			t.Fatal("it changes by itself")
		}
	}
	changed := base
	changed.Roles = map[string][]string{"operator": {"a", "b"}}
	if openid.New(changed).Fingerprint() == first {
		t.Error("it does not change with the roles")
	}
}
