package web_test

import (
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/footbridge/footbridge/bridge/internal/web"
)

func pages(t *testing.T, o web.Options) http.Handler {
	t.Helper()
	h, err := web.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func get(t *testing.T, h http.Handler, address string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, address, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	data, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestHeadersAreStrict: every page and file, what is not there and what may not be
// done, whoever may frame the chat.
func TestHeadersAreStrict(t *testing.T) {
	addresses := []string{"/", "/desk", "/chat", "/console", "/nothing", "/assets/", "/chat/", "/..%2fchat"}
	files, err := fs.Glob(os.DirFS("static"), "*")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, name := range files {
		addresses = append(addresses, "/assets/"+name)
	}
	for _, o := range []web.Options{{}, {Secure: true}, {Framers: []string{"https://shop.example", "http://127.0.0.1:9"}}, {Pictures: []string{"https://img.example"}}} {
		h := pages(t, o)
		for _, address := range addresses {
			for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodOptions} {
				w := httptest.NewRecorder()
				h.ServeHTTP(w, httptest.NewRequest(method, address, nil))
				strictHeaders(t, o, method+" "+address, w.Result().Header, address == "/chat")
			}
		}
	}
}

func strictHeaders(t *testing.T, o web.Options, what string, got http.Header, chat bool) {
	t.Helper()
	want := map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY",
		"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin", "Strict-Transport-Security": "",
		"Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), display-capture=()"}
	ancestors := "frame-ancestors 'none'"
	pictures := "img-src 'self' data:"
	if chat && len(o.Pictures) > 0 {
		pictures += " " + strings.Join(o.Pictures, " ")
	}
	if chat && len(o.Framers) > 0 {
		want["X-Frame-Options"] = ""
		ancestors = "frame-ancestors 'self' " + strings.Join(o.Framers, " ")
	}
	if o.Secure {
		want["Strict-Transport-Security"] = "max-age=31536000"
	}
	for name, value := range want {
		if got.Get(name) != value || len(got.Values(name)) > 1 {
			t.Errorf("%s: %s is %q, want %q", what, name, got.Values(name), value)
		}
	}
	parts := strings.Split(got.Get("Content-Security-Policy"), "; ")
	for _, part := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", ancestors, pictures,
		"base-uri 'none'", "form-action 'none'", "require-trusted-types-for 'script'"} {
		if !slices.Contains(parts, part) {
			t.Errorf("%s: policy %q lacks %q", what, parts, part)
		}
		parts = slices.DeleteFunc(parts, func(p string) bool { return p == part })
	}
	for _, part := range []string{"unsafe", "http:", "https:", "*"} {
		if rest := strings.Join(parts, "; "); strings.Contains(rest, part) {
			t.Errorf("%s: policy %q allows %q", what, rest, part)
		}
	}
}

func TestPagesAreNotStored(t *testing.T) {
	h := pages(t, web.Options{DefaultKey: `pk_"<x>`, DefaultAccount: "web"})
	for _, address := range []string{"/desk", "/chat", "/console"} {
		r := get(t, h, address)
		if r.StatusCode != http.StatusOK || r.Header.Get("Cache-Control") != "no-store" || r.Header.Get("Content-Type") != "text/html; charset=utf-8" {
			t.Errorf("%s: %d %v", address, r.StatusCode, r.Header)
		}
		if text := body(t, r); !strings.Contains(text, "<title>") || strings.Contains(text, "{{") {
			t.Errorf("%s is not rendered: %s", address, text)
		}
	}
	text := body(t, get(t, h, "/chat"))
	for _, want := range []string{`name="footbridge-key" content="pk_&#34;&lt;x&gt;"`, `name="footbridge-account" content="web"`} {
		if !strings.Contains(text, want) {
			t.Errorf("chat lacks %s", want)
		}
	}
}

// TestEveryFileIsServed compares what lies in the folder with what is served.
func TestEveryFileIsServed(t *testing.T) {
	h := pages(t, web.Options{})
	want := map[string]string{".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
	files, err := fs.ReadDir(os.DirFS("static"), ".")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		if path.Ext(f.Name()) == ".html" {
			continue
		}
		data, err := os.ReadFile(path.Join("static", f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		r := get(t, h, "/assets/"+f.Name())
		if r.StatusCode != http.StatusOK || r.Header.Get("Content-Type") != want[path.Ext(f.Name())] || body(t, r) != string(data) {
			t.Errorf("%s: %d %s", f.Name(), r.StatusCode, r.Header.Get("Content-Type"))
		}
		if again := get(t, h, "/assets/"+f.Name(), "If-None-Match", r.Header.Get("ETag")); again.StatusCode != http.StatusNotModified {
			t.Errorf("%s again: %d, want 304", f.Name(), again.StatusCode)
		}
	}
}

func TestNothingElseIsServed(t *testing.T) {
	h := pages(t, web.Options{})
	for _, address := range []string{"/assets/", "/assets/desk.html", "/assets/console.html", "/console/x", "/assets/..%2fweb.go", "/static/desk.js", "/desk/x"} {
		if r := get(t, h, address); r.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d, want 404", address, r.StatusCode)
		}
	}
	r := httptest.NewRequest(http.MethodPost, "/desk", nil)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST /desk: %d, want 405", w.Code)
	}
}

// TestFilesKeepThePolicy looks for what the policy would stop in the browser, and
// for what it cannot: text that goes in as HTML.
func TestFilesKeepThePolicy(t *testing.T) {
	forbidden := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser|createContextualFragment` +
		`|<style|\sstyle="|\son[a-z]+="|<script>|javascript:|(?:src|href)="https?:`)
	imports := regexp.MustCompile(`from "([^"]+)"`)
	files, err := fs.Glob(os.DirFS("static"), "*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		data, err := os.ReadFile(path.Join("static", name))
		if err != nil {
			t.Fatal(err)
		}
		if found := forbidden.FindString(string(data)); found != "" {
			t.Errorf("%s holds %q: build elements and set textContent instead", name, found)
		}
		for i, line := range strings.Split(string(data), "\n") {
			if strings.HasSuffix(name, ".js") && strings.Count(line, "`")%2 != 0 {
				t.Errorf("%s:%d: a text over several lines would lose those that look like comments", name, i+1)
			}
		}
		for _, m := range imports.FindAllStringSubmatch(string(data), -1) {
			if _, err := os.Stat(path.Join("static", m[1])); err != nil && strings.HasSuffix(name, ".js") {
				t.Errorf("%s imports %s: %v", name, m[1], err)
			}
		}
	}
}

// The address alone leads somewhere: to the chat where there is one.
func TestFrontDoor(t *testing.T) {
	for account, want := range map[string]string{"": "/desk", "web": "/chat"} {
		h, err := web.New(web.Options{DefaultAccount: account})
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		if w.Code != http.StatusFound || w.Header().Get("Location") != want {
			t.Errorf("account %q: %d to %q, want %q", account, w.Code, w.Header().Get("Location"), want)
		}
	}
}
