package openid_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/footbridge/footbridge/bridge/internal/credential"
	"github.com/footbridge/footbridge/bridge/internal/openid"
)

const (
	client = "footbridge test"
	secret = "a secret/with+odd signs"
	back   = "https://bridge.example/back"
)

// idp is a provider of the test's own, over real HTTP. What it says may be
// changed between its steps.
type idp struct {
	t      *testing.T
	server *httptest.Server
	issuer string // what it calls itself

	mu       sync.Mutex
	signer   *signer
	shown    []map[string]any // the key set
	about    map[string]any   // changes of the discovery document
	token    func(nonce string) string
	asked    map[string]int
	codes    map[string]url.Values // by code, what it was given out for
	callback url.Values
}

type signer struct {
	id, alg string
	rsa     *rsa.PrivateKey
	ec      *ecdsa.PrivateKey
	ed      ed25519.PrivateKey
}

// keys are made once: the large ones take long.
var makeKeys = sync.OnceValue(func() map[string]*signer {
	all := map[string]*signer{}
	for name, bits := range map[string]int{"one": 2048, "two": 2048, "stranger": 2048, "small": 1024} {
		k, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			panic(err)
		}
		all[name] = &signer{id: name, alg: "RS256", rsa: k}
	}
	ec, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	all["ec"], all["ed"] = &signer{id: "ec", alg: "ES256", ec: ec}, &signer{id: "ed", alg: "EdDSA", ed: ed}
	return all
})

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func (s *signer) jwk() map[string]any {
	switch {
	case s.rsa != nil:
		return map[string]any{"kty": "RSA", "kid": s.id, "use": "sig", "n": b64(s.rsa.N.Bytes()), "e": b64(big.NewInt(int64(s.rsa.E)).Bytes())}
	case s.ec != nil:
		point, _ := s.ec.PublicKey.Bytes()
		return map[string]any{"kty": "EC", "crv": "P-256", "kid": s.id, "x": b64(point[1:33]), "y": b64(point[33:])}
	}
	return map[string]any{"kty": "OKP", "crv": "Ed25519", "kid": s.id, "x": b64(s.ed.Public().(ed25519.PublicKey))}
}

func (s *signer) sign(alg string, text []byte) []byte {
	sum := sha256.Sum256(text)
	var out []byte
	var err error
	if s.rsa != nil && (alg == "ES256" || alg == "EdDSA") { // a lie: a signature as long as theirs
		return s.sign("RS256", text)[:64]
	}
	switch alg {
	case "RS256":
		out, err = rsa.SignPKCS1v15(rand.Reader, s.rsa, crypto.SHA256, sum[:])
	case "PS256":
		out, err = rsa.SignPSS(rand.Reader, s.rsa, crypto.SHA256, sum[:], &rsa.PSSOptions{SaltLength: 32})
	case "ES256":
		a, b, e := ecdsa.Sign(rand.Reader, s.ec, sum[:])
		out, err = append(a.FillBytes(make([]byte, 32)), b.FillBytes(make([]byte, 32))...), e
	case "EdDSA":
		out = ed25519.Sign(s.ed, text)
	case "HS256": // with the public key, which everybody has
		mac := hmac.New(sha256.New, s.rsa.N.Bytes())
		mac.Write(text)
		out = mac.Sum(nil)
	}
	if err != nil {
		panic(err)
	}
	return out
}

// jwt writes a token whose head and claims may be anything.
func (s *signer) jwt(head map[string]any, claims any) string {
	h := map[string]any{"alg": s.alg, "kid": s.id, "typ": "JWT"}
	maps.Copy(h, head)
	for name, value := range h {
		if value == nil {
			delete(h, name)
		}
	}
	first, _ := json.Marshal(h)
	second, ok := claims.(string)
	if !ok {
		data, _ := json.Marshal(claims)
		second = string(data)
	}
	text := b64(first) + "." + b64([]byte(second))
	alg, _ := h["alg"].(string)
	return text + "." + b64(s.sign(alg, []byte(text)))
}

func newIDP(t *testing.T) *idp {
	p := &idp{t: t, signer: makeKeys()["one"], about: map[string]any{}, asked: map[string]int{}, codes: map[string]url.Values{}}
	p.shown = []map[string]any{p.signer.jwk()}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.serveAbout)
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.asked["keys"]++
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": p.shown})
	})
	mux.HandleFunc("POST /token", p.serveToken)
	p.server = httptest.NewServer(mux)
	t.Cleanup(p.server.Close)
	p.issuer = p.server.URL
	return p
}

func (p *idp) serveAbout(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked["about"]++
	doc := map[string]any{"issuer": p.issuer, "authorization_endpoint": p.issuer + "/authorize?tenant=1",
		"token_endpoint": p.issuer + "/token", "jwks_uri": p.issuer + "/keys"}
	maps.Copy(doc, p.about)
	_ = json.NewEncoder(w).Encode(doc)
}

// authorize is what a person does at the provider: it gives what the browser comes
// back with.
func (p *idp) authorize(address string) url.Values {
	p.t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		p.t.Fatal(err)
	}
	q := u.Query()
	for name, want := range map[string]string{"response_type": "code", "client_id": client, "redirect_uri": back,
		"scope": "openid profile", "code_challenge_method": "S256", "tenant": "1"} {
		if q.Get(name) != want {
			p.t.Errorf("%s is %q, want %q", name, q.Get(name), want)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	code := fmt.Sprint("code-", len(p.codes))
	p.codes[code] = q
	return url.Values{"code": {code}, "state": {q.Get("state")}}
}

func (p *idp) serveToken(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked["token"]++
	q, known := p.codes[r.PostFormValue("code")]
	delete(p.codes, r.PostFormValue("code"))
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	id, pass, _ := r.BasicAuth()
	if !known || b64(sum[:]) != q.Get("code_challenge") || r.PostFormValue("redirect_uri") != q.Get("redirect_uri") ||
		id != url.QueryEscape(client) || pass != url.QueryEscape(secret) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error":"invalid_grant"}`))
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"access_token": "x", "token_type": "Bearer", "id_token": p.token(q.Get("nonce"))})
}

// good are claims to be believed.
func (p *idp) good(nonce string) map[string]any {
	now := time.Now().Unix()
	return map[string]any{"iss": p.issuer, "aud": client, "sub": "u-1", "nonce": nonce, "iat": now, "exp": now + 300,
		"groups": []string{"everybody", "support"}, "preferred_username": "sam", "name": "Sam Smith"}
}

// with makes the provider sign the good claims with changes; nil takes one out.
func (p *idp) with(head, changes map[string]any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.token = func(nonce string) string {
		c := p.good(nonce)
		maps.Copy(c, changes)
		for name, value := range c {
			if value == nil {
				delete(c, name)
			}
		}
		return p.signer.jwt(head, c)
	}
}

func (p *idp) provider() *openid.Provider {
	return openid.New(openid.Options{Issuer: p.server.URL, ClientID: client, Secret: credential.NewSecret(secret), Callback: back,
		Scopes: []string{"profile"}, RolesClaim: "groups", AgentClaim: "preferred_username", NameClaim: "name",
		Roles: map[string][]string{"live_agent": {"support", "sales"}, "supervisor": {"leads"}, "operator": {"ops"}}})
}

// signIn goes the whole way; change may alter what the browser comes back with.
func (p *idp) signIn(o *openid.Provider, change func(*openid.Flow, url.Values)) (openid.Person, error) {
	p.t.Helper()
	address, flow, err := o.Begin(p.t.Context())
	if err != nil {
		return openid.Person{}, err
	}
	came := p.authorize(strings.Clone(address))
	if change != nil {
		change(&flow, came)
	}
	return o.Finish(p.t.Context(), flow, came)
}
