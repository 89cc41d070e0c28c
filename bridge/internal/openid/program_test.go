package openid_test

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// served is the real program, where people sign in at the provider of the test.
// It reaches the provider through a proxy alone, which alone knows its name, and
// trusts it by [egress] ca_file alone.
type served struct {
	t             *testing.T
	idp           *idp
	dir, base     string
	proxied       chan string
	cmd           *exec.Cmd
	mu            sync.Mutex
	log           bytes.Buffer
	customer, key string
}

func (s *served) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(p)
}

func (s *served) said() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

// far is the provider's name: httptest's certificate has it.
const far = "example.com"

func serve(t *testing.T) *served {
	p := newIDP(t)
	p.overTLS("https://" + far)
	s := &served{t: t, idp: p, dir: t.TempDir(), proxied: make(chan string, 100)}
	proxy := httptest.NewServer(http.HandlerFunc(s.relay))
	t.Cleanup(proxy.Close)
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.server.Certificate().Raw})
	s.write("ca.pem", string(certificate))
	public, admin := free(t), free(t)
	s.base = "http://" + public
	p.back = s.base + "/api/v1/session/finish"
	s.write("config.toml", strings.NewReplacer("{public}", public, "{admin}", admin, "{dir}", s.dir, "{proxy}", proxy.URL, "{issuer}", p.issuer, "{client}", client).Replace(serving))
	build := exec.Command("go", "build", "-buildvcs=false", "-o", filepath.Join(s.dir, "footbridge"), "./bridge/cmd/footbridge")
	build.Dir = "../../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	s.cmd = exec.Command(filepath.Join(s.dir, "footbridge"), "serve", "--config", filepath.Join(s.dir, "config.toml"))
	s.cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + s.dir, "OIDC_SECRET=" + secret}
	s.cmd.Stdout, s.cmd.Stderr = s, s
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = s.cmd.Process.Signal(syscall.SIGTERM)
		if err := s.cmd.Wait(); err != nil {
			t.Errorf("the program ended with %v\n%s", err, s.said())
		}
	})
	s.eventually("the program is ready", func() bool {
		resp, err := http.Get("http://" + admin + "/readyz")
		return err == nil && resp.Body.Close() == nil && resp.StatusCode == http.StatusOK
	})
	return s
}

const serving = `[server]
listen = "{public}"
public_url = "http://{public}"
[admin]
listen = "{admin}"
[journal]
dir = "{dir}/data"
[egress]
proxy = "{proxy}"
ca_file = "{dir}/ca.pem"
[auth.oidc]
issuer = "{issuer}"
client_id = "{client}"
client_secret = "env:OIDC_SECRET"
[auth.oidc.roles]
live_agent = ["support"]
[accounts.web]
adapter = "native"
role = "customer"
publishable_key = "pk_test"
[accounts.desk]
adapter = "native"
role = "live_agent"
[[routes]]
name = "web"
customer = "web"
live_agent = ["desk"]
`

// relay is the proxy: it takes the provider's name, and no other, to the provider.
func (s *served) relay(w http.ResponseWriter, r *http.Request) {
	s.proxied <- r.Method + " " + r.Host
	to, err := net.Dial("tcp", s.idp.server.Listener.Addr().String())
	if err != nil || r.Method != http.MethodConnect || r.Host != far+":443" {
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

func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (s *served) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// reload changes the configuration and has the program read it.
func (s *served) reload(old, new string) {
	s.t.Helper()
	name := filepath.Join(s.dir, "config.toml")
	data, err := os.ReadFile(name)
	if err != nil || !bytes.Contains(data, []byte(old)) {
		s.t.Fatalf("no %q to change (%v)", old, err)
	}
	s.write("config.toml", strings.Replace(string(data), old, new, 1))
	_ = s.cmd.Process.Signal(syscall.SIGHUP)
	s.eventually("the configuration is reloaded", func() bool { return strings.Contains(s.said(), "configuration reloaded") })
}

func (s *served) eventually(what string, ok func() bool) {
	s.t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("never: %s\n%s", what, s.said())
		}
	}
}

// api asks as the customer does.
func (s *served) api(method, path string, body, into any) {
	s.t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	r, _ := http.NewRequestWithContext(ctx, method, s.base+"/api/v1"+path, bytes.NewReader(data))
	r.Header.Set("Content-Type", "application/json")
	if s.key != "" {
		r.Header.Set("Authorization", "Bearer "+s.key)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	if got, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode > 299 || json.Unmarshal(got, into) != nil {
		s.t.Fatalf("%s %s: %d %s %v", method, path, resp.StatusCode, got, err)
	}
}

// comes begins a conversation of a customer, who says something.
func (s *served) comes(text string) {
	s.t.Helper()
	var opened struct{ Conversation, Token string }
	s.key = ""
	s.api("POST", "/conversations", map[string]any{"publishable_key": "pk_test", "customer": map[string]string{"name": "Ada"}}, &opened)
	s.customer, s.key = opened.Conversation, opened.Token
	s.api("POST", "/conversations/"+s.customer+"/events", map[string]any{"kind": "message.created", "body": map[string]any{"content": map[string]string{"type": "text", "text": text}}}, &struct{}{})
}

// reads waits for words of the person that the provider named.
func (s *served) reads(text string) {
	s.t.Helper()
	s.eventually("the customer reads "+text, func() bool {
		var page json.RawMessage
		s.api("GET", "/conversations/"+s.customer+"/events", nil, &page)
		return bytes.Contains(page, []byte(text)) && bytes.Contains(page, []byte("Sam Smith"))
	})
}

// TestRealProgram: somebody signs in at the provider in a real browser, works as
// the live agent the provider names, and signs out; what is taken away at the
// provider counts at the next sign-in, what is taken away in the table at once.
func TestRealProgram(t *testing.T) {
	if testing.Short() {
		t.Skip("the program and the browser are processes of their own")
	}
	s := serve(t)
	s.idp.with(nil, nil)
	b := newBrowser(t, s.idp.server.Listener.Addr().String())
	signIn := func() {
		t.Helper()
		b.click("#sign-provider")
		b.until("the provider's page", fmt.Sprintf(`location.origin === %q && document.querySelector("#go")`, "https://"+far))
		b.click("#go")
		b.until("back at the desk", fmt.Sprintf(`location.origin === %q && location.pathname === "/desk" && document.readyState === "complete"`, s.base))
	}
	atWork := `!document.querySelector("#desk").hidden && document.querySelector("#me").textContent === "sam"`
	out := `document.querySelector("#desk").hidden && !document.querySelector("#sign").hidden`
	b.open(s.base + "/desk")
	signIn()
	b.until("at work", atWork)
	s.comes("hello from Ada")
	b.until("Ada waits", `document.querySelector("#waiting .item")`)
	b.click("#waiting .acts .primary")
	b.until("the room", `!document.querySelector("#act-handback").hidden || !document.querySelector("#act-end").hidden`)
	b.enter("#text", "hello from Sam")
	s.reads("hello from Sam")
	b.click("#me")
	b.click("#leave")
	b.until("signed out", out)

	s.idp.with(nil, map[string]any{"groups": []string{"everybody"}})
	signIn()
	b.until("who has no role any more is refused", out+` && document.querySelector("#sign-problem").textContent.includes("may not work here")`)
	s.idp.with(nil, nil)
	signIn()
	b.until("at work again", atWork)
	s.reload(`["support"]`, `["sales"]`)
	b.until("signed out by the table", out)

	close(s.proxied)
	n := 0
	for asked := range s.proxied {
		if n++; asked != "CONNECT "+far+":443" {
			t.Errorf("the proxy was asked for %s", asked)
		}
	}
	if n == 0 || strings.Contains(s.said(), secret) {
		t.Errorf("%d connections through the proxy; log:\n%s", n, s.said())
	}
}
