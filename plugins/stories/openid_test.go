package stories

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

const (
	// company is the provider's name: httptest's certificate has it.
	company       = "example.com"
	companyClient = "footbridge test"
	companySecret = "a secret/with+odd signs"
)

// provider is where the people of a company sign in. It is reached through a proxy
// alone, which alone knows its name.
type provider struct {
	t       *testing.T
	server  *httptest.Server
	key     ed25519.PrivateKey
	proxied chan string

	mu     sync.Mutex
	groups []string
	asked  url.Values // of the sign-in under way
}

func newProvider(t *testing.T) (p *provider, proxy string) {
	t.Helper()
	p = &provider{t: t, key: ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)), proxied: make(chan string, 100)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.tell(map[string]any{"issuer": "https://" + company, "authorization_endpoint": "https://" + company + "/authorize",
		"token_endpoint": "https://" + company + "/token", "jwks_uri": "https://" + company + "/keys"}))
	mux.HandleFunc("GET /keys", p.tell(map[string]any{"keys": []any{map[string]string{"kty": "OKP", "crv": "Ed25519", "kid": "one", "x": b64(p.key.Public().(ed25519.PublicKey))}}}))
	mux.HandleFunc("GET /authorize", p.authorize)
	mux.HandleFunc("POST /token", p.token)
	p.server = httptest.NewTLSServer(mux)
	t.Cleanup(p.server.Close)
	relay := httptest.NewServer(http.HandlerFunc(p.relay))
	t.Cleanup(relay.Close)
	return p, relay.URL
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func (p *provider) tell(v any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(v) }
}

// in says which groups the person is in.
func (p *provider) in(groups ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.groups = groups
}

// authorize is the page on which the person says that it is them.
func (p *provider) authorize(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = r.URL.Query()
	back := p.asked.Get("redirect_uri") + "?" + url.Values{"code": {"code-1"}, "state": {p.asked.Get("state")}}.Encode()
	w.Header().Set("Content-Type", "text/html")
	fmt.Fprintf(w, `<!doctype html><title>Your company</title><a id="go" href=%q>It is me</a>`, html.EscapeString(back))
}

func (p *provider) token(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	id, pass, _ := r.BasicAuth()
	if r.PostFormValue("code") != "code-1" || b64(sum[:]) != p.asked.Get("code_challenge") || id != url.QueryEscape(companyClient) || pass != url.QueryEscape(companySecret) {
		http.Error(w, `{"error":"invalid_grant"}`, http.StatusBadRequest)
		return
	}
	now := time.Now().Unix()
	claims, _ := json.Marshal(map[string]any{"iss": "https://" + company, "aud": companyClient, "sub": "u-1", "nonce": p.asked.Get("nonce"), "iat": now, "exp": now + 300,
		"groups": p.groups, "preferred_username": "sam", "name": "Sam Smith"})
	text := b64([]byte(`{"alg":"EdDSA","kid":"one","typ":"JWT"}`)) + "." + b64(claims)
	p.tell(map[string]string{"access_token": "x", "token_type": "Bearer", "id_token": text + "." + b64(ed25519.Sign(p.key, []byte(text)))})(w, r)
}

// relay is the proxy: it takes the provider's name, and no other, to the provider.
func (p *provider) relay(w http.ResponseWriter, r *http.Request) {
	p.proxied <- r.Method + " " + r.Host
	to, err := net.Dial("tcp", p.server.Listener.Addr().String())
	if err != nil || r.Method != http.MethodConnect || r.Host != company+":443" {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	from, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	_, _ = io.WriteString(from, "HTTP/1.1 200 OK\r\n\r\n")
	go func() { _, _ = io.Copy(to, from); _ = to.Close() }()
	go func() { _, _ = io.Copy(from, to); _ = from.Close() }()
}

const atCompany = `[egress]
proxy = %q
ca_file = %q
[auth.oidc]
issuer = "https://` + company + `"
client_id = "` + companyClient + `"
client_secret = "env:OIDC_SECRET"
[auth.oidc.roles]
live_agent = ["support"]
[server]
listen = "{public}"
public_url = "http://{public}"
`

// customer asks the API with their key and wants an answer.
func (p *program) customer(method, path, key string, body any) (answer []byte) {
	p.t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		p.t.Fatal(err)
	}
	r, _ := http.NewRequestWithContext(p.t.Context(), method, "http://"+p.public+"/api/v1"+path, bytes.NewReader(data))
	r.Header.Set("Content-Type", "application/json")
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	if answer, err = io.ReadAll(resp.Body); err != nil || resp.StatusCode > 299 {
		p.t.Fatalf("%s %s: %d %s %v", method, path, resp.StatusCode, answer, err)
	}
	return answer
}

// TestPeopleOfACompany: somebody signs in at the provider in a real browser, works as
// the live agent the provider names, and signs out; what is taken away at the provider
// counts at the next sign-in, what is taken away in the table at once.
func TestPeopleOfACompany(t *testing.T) {
	t.Parallel()
	idp, proxy := newProvider(t)
	authority := filepath.Join(t.TempDir(), "ca.pem")
	p := newProgram(t, fmt.Sprintf(atCompany, proxy, authority)+strings.Replace(small, "virtual_agent = \"helper\"\n", "", 1))
	p.write(authority, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: idp.server.Certificate().Raw})), 0o600)
	p.env = append(p.env, "OIDC_SECRET="+companySecret, "DESK_TOKEN="+deskToken)
	p.serve()
	p.until("/readyz")
	idp.in("everybody", "support")
	b := browse(t, "http://"+p.public+"/desk", chromedp.Flag("ignore-certificate-errors", true),
		chromedp.Flag("host-resolver-rules", "MAP "+company+":443 "+idp.server.Listener.Addr().String()))
	signIn := func() {
		t.Helper()
		b.click("#sign-provider")
		b.until("the provider's page", fmt.Sprintf(`location.origin === %q && document.querySelector("#go")`, "https://"+company))
		b.click("#go")
		b.until("back at the desk", fmt.Sprintf(`location.origin === %q && location.pathname === "/desk" && document.readyState === "complete"`, "http://"+p.public))
	}
	atWork := `!document.querySelector("#desk").hidden && document.querySelector("#me").textContent === "sam"`
	out := `document.querySelector("#desk").hidden && !document.querySelector("#sign").hidden`
	signIn()
	b.until("at work", atWork)
	var opened struct{ Conversation, Token string }
	if err := json.Unmarshal(p.customer("POST", "/conversations", "", map[string]any{"publishable_key": "pk_test", "customer": map[string]string{"name": "Ada"}}), &opened); err != nil {
		t.Fatal(err)
	}
	events := "/conversations/" + opened.Conversation + "/events"
	p.customer("POST", events, opened.Token, map[string]any{"kind": "message.created", "body": map[string]any{"content": map[string]string{"type": "text", "text": "hello from Ada"}}})
	b.until("Ada waits", `document.querySelector("#waiting .item")`)
	b.click("#waiting .acts .primary")
	b.until("the room", `!document.querySelector("#act-handback").hidden || !document.querySelector("#act-end").hidden`)
	b.do("write", chromedp.SendKeys(chromedp.CSS("#text"), "hello from Sam"+kb.Enter, chromedp.NodeVisible))
	eventually(t, "the customer reads it", func() bool {
		page := p.customer("GET", events, opened.Token, nil)
		return bytes.Contains(page, []byte("hello from Sam")) && bytes.Contains(page, []byte("Sam Smith"))
	})
	b.click("#me")
	b.click("#leave")
	b.until("signed out", out)

	idp.in("everybody")
	signIn()
	b.until("who has no role any more is refused", out+` && document.querySelector("#sign-problem").textContent.includes("may not work here")`)
	idp.in("support")
	signIn()
	b.until("at work again", atWork)
	p.change(`["support"]`, `["sales"]`)
	p.signal(syscall.SIGHUP)
	p.await("configuration reloaded")
	b.until("signed out by the table", out)

	close(idp.proxied)
	n := 0
	for asked := range idp.proxied {
		if n++; asked != "CONNECT "+company+":443" {
			t.Errorf("the proxy was asked for %s", asked)
		}
	}
	if n == 0 || strings.Contains(p.output(), companySecret) {
		t.Errorf("%d connections through the proxy", n)
	}
}
