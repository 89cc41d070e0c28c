package web_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/footbridge/footbridge/bridge/internal/web"
)

// mostOfAWidget is how many bytes the chat on another site may be, compressed.
const mostOfAWidget = 40 << 10

// names are the files a module or script asks for, at once or later.
var names = regexp.MustCompile(`(?:from|import\(|URL\()\s*"([^"]+\.js)"`)

// fetched is everything /chat.js leads to, as a browser that reads gzip gets it,
// by address.
func fetched(t *testing.T, h http.Handler) map[string]*http.Response {
	t.Helper()
	found := map[string]*http.Response{}
	for ahead := []string{"/chat.js"}; len(ahead) > 0; ahead = ahead[1:] {
		at := ahead[0]
		if found[at] != nil {
			continue
		}
		r := get(t, h, at, "Accept-Encoding", "br, gzip", "Origin", "https://shop.example")
		if r.StatusCode != http.StatusOK || r.Header.Get("Content-Encoding") != "gzip" {
			t.Fatalf("%s: %d %v", at, r.StatusCode, r.Header)
		}
		found[at] = r
		text := unpacked(t, h, at)
		for _, m := range names.FindAllStringSubmatch(text, -1) {
			to := m[1]
			if !path.IsAbs(to) {
				to = path.Join(path.Dir(at), to)
			}
			ahead = append(ahead, to)
		}
		if strings.HasSuffix(at, "/widget.js") {
			for _, sheet := range []string{"base.css", "chat.css", "widget.css"} {
				ahead = append(ahead, path.Join(path.Dir(at), sheet))
			}
		}
	}
	return found
}

// unpacked is a file without compression, having been told that it is the same.
func unpacked(t *testing.T, h http.Handler, at string) string {
	t.Helper()
	packed, err := gzip.NewReader(get(t, h, at, "Accept-Encoding", "gzip").Body)
	if err != nil {
		t.Fatalf("%s: %v", at, err)
	}
	data, err := io.ReadAll(packed)
	if err != nil {
		t.Fatalf("%s: %v", at, err)
	}
	if plain := body(t, get(t, h, at)); plain != string(data) {
		t.Errorf("%s is another compressed", at)
	}
	return string(data)
}

// TestWidgetIsSmall sums up all that a page of another site loads for the chat, be
// it at once or when it is opened, styles too.
func TestWidgetIsSmall(t *testing.T) {
	files := fetched(t, pages(t, web.Options{}))
	sum := 0
	for _, r := range files {
		sum += len(body(t, r))
	}
	t.Logf("%d files, %d bytes", len(files), sum)
	if len(files) < 15 {
		t.Errorf("only %d files found", len(files))
	}
	if text := body(t, get(t, pages(t, web.Options{}), "/chat.js")); strings.Contains(text, "  ") || strings.Contains(text, "// The one script") || strings.Count(text, "\n") < 8 {
		t.Errorf("comments and indentation come along, or lines do not:\n%s", text)
	}
	if sum > mostOfAWidget {
		t.Errorf("the widget is %d bytes, at most %d are allowed", sum, mostOfAWidget)
	}
}

// TestWidgetIsForAnybody: pages of any origin may load each file, /chat.js for five
// minutes, the rest for good.
func TestWidgetIsForAnybody(t *testing.T) {
	h := pages(t, web.Options{})
	for at, r := range fetched(t, h) {
		want := map[string]string{"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin", "X-Content-Type-Options": "nosniff",
			"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
		if at == "/chat.js" {
			want["Cache-Control"] = "public, max-age=300"
		}
		for name, value := range want {
			if got := r.Header.Get(name); got != value {
				t.Errorf("%s: %s is %q, want %q", at, name, got, value)
			}
		}
		tag := r.Header.Get("ETag")
		if again := get(t, h, at, "Accept-Encoding", "gzip", "If-None-Match", tag); tag == "" || again.StatusCode != http.StatusNotModified {
			t.Errorf("%s again: %d for %q, want 304", at, again.StatusCode, tag)
		}
		if plain := get(t, h, at); plain.Header.Get("ETag") == tag || plain.Header.Get("Content-Encoding") != "" {
			t.Errorf("%s plain has the tag %q as well", at, tag)
		}
	}
}

// TestWidgetOfAnEarlierVersion is sent on to the files there are; what was never
// there is not.
func TestWidgetOfAnEarlierVersion(t *testing.T) {
	h := pages(t, web.Options{})
	var now string
	for at := range fetched(t, h) {
		if strings.HasSuffix(at, "/widget.js") {
			now = at
		}
	}
	r := get(t, h, "/assets/0123456789abcdef/widget.js")
	if r.StatusCode != http.StatusFound || r.Header.Get("Location") != now || r.Header.Get("Cache-Control") != "no-store" || r.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("%d to %q: %v", r.StatusCode, r.Header.Get("Location"), r.Header)
	}
	for _, at := range []string{path.Dir(now) + "/nothing.js", path.Dir(now) + "/chat.html", "/assets/0123456789abcdef/nothing.js", path.Dir(now) + "/", path.Dir(now) + "/..%2fweb.go"} {
		if r := get(t, h, at); r.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d, want 404", at, r.StatusCode)
		}
	}
}

// TestGzipIsForWhoeverAsks: a browser is never given what it cannot read.
func TestGzipIsForWhoeverAsks(t *testing.T) {
	h := pages(t, web.Options{})
	for coding, want := range map[string]bool{"": false, "gzip": true, "br, gzip;q=0.5": true, "gzip;q=0": false, "gzip; q=0.0": false, "xgzip": false, "deflate,gzip": true} {
		if got := get(t, h, "/assets/base.css", "Accept-Encoding", coding).Header.Get("Content-Encoding") == "gzip"; got != want {
			t.Errorf("%q: gzip %v, want %v", coding, got, want)
		}
	}
	r := get(t, h, "/assets/base.css", "Accept-Encoding", "gzip", "Range", "bytes=0-3")
	if r.StatusCode != http.StatusPartialContent || body(t, r) != "/* W" || !slices.Contains(r.Header.Values("Vary"), "Accept-Encoding") {
		t.Errorf("a range is %d %v", r.StatusCode, r.Header)
	}
}
