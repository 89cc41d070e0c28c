package egress

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/breaker"
	"github.com/footbridge/footbridge/bridge/internal/engine"
)

// taken is one request as a vendor had it.
type taken struct {
	kind   string
	length int64
	fields map[string][]string
	files  map[string]string // field to "name type content"
	body   string
}

// shelf keeps files by link, and knows which are open.
type shelf struct {
	files map[string][]byte
	open  atomic.Int32
}

type onLoan struct {
	io.Reader
	from *shelf
}

func (l onLoan) Close() error {
	l.from.open.Add(-1)
	return nil
}

func (s *shelf) given(_ context.Context, link string) (event.Media, io.ReadCloser, error) {
	content, ok := s.files[link]
	if !ok {
		return event.Media{}, nil, ErrNotKept
	}
	s.open.Add(1)
	return event.Media{Name: "plan.pdf", MIME: "application/pdf", Size: int64(len(content))}, onLoan{bytes.NewReader(content), s}, nil
}

// receive is a vendor that reads what it is sent.
func receive(t *testing.T, got *taken) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got.kind, got.length = r.Header.Get("Content-Type"), r.ContentLength
		if !strings.HasPrefix(got.kind, "multipart/") {
			data, _ := io.ReadAll(r.Body)
			got.body = string(data)
			return
		}
		if err := r.ParseMultipartForm(1 << 20); err != nil {
			t.Errorf("form: %v", err)
			return
		}
		got.fields, got.files = r.MultipartForm.Value, map[string]string{}
		for name, all := range r.MultipartForm.File {
			for _, h := range all {
				f, err := h.Open()
				if err != nil {
					t.Error(err)
					return
				}
				data, _ := io.ReadAll(f)
				got.files[name] += h.Filename + " " + h.Header.Get("Content-Type") + " " + string(data)
			}
		}
	}))
	t.Cleanup(s.Close)
	return s
}

const (
	linked = "https://bridge.example/media/one"
	large  = "https://bridge.example/media/large"
)

// openShelf is a way out beside files, to a vendor that reads what it is sent.
func openShelf(t *testing.T) (*way, *shelf, *taken, string) {
	t.Helper()
	got := &taken{}
	s := receive(t, got)
	w := openWay(t, breaker.Options{}, host(t, s))
	files := &shelf{files: map[string][]byte{linked: []byte("%PDF-1.7"), large: bytes.Repeat([]byte("0123456789abcdef"), 40_000), "empty": {}}}
	w.o.Given = files.given
	return w, files, got, s.URL
}

func (w *way) send(c adapter.Call) engine.Attempt {
	return w.Call(context.Background(), "a", "t", nil, c)
}

func TestFormHasWordsAndFiles(t *testing.T) {
	w, files, got, url := openShelf(t)
	a := w.send(adapter.Call{Method: "POST", URL: url, Header: http.Header{"Content-Type": {"application/json"}}, Form: []adapter.FormField{
		{Name: "content", Value: "héllo \"you\""}, {Name: "key", Value: w.placeholders.Token("t", "key")},
		{Name: "attachments[]", File: linked}, {Name: "second", File: large, Filename: "a \"b\"\r\nx.txt", MIME: "text/plain"}}})
	if a.Status != 200 {
		t.Fatalf("%+v\n%s", a, w.log.String())
	}
	if got.fields["content"][0] != "héllo \"you\"" || got.fields["key"][0] != secret {
		t.Errorf("fields %q", got.fields)
	}
	if got.files["attachments[]"] != "plan.pdf application/pdf %PDF-1.7" {
		t.Errorf("first file %q", got.files["attachments[]"])
	}
	if second := got.files["second"]; !strings.HasSuffix(second, string(files.files[large])) || !strings.Contains(second, " text/plain ") || strings.ContainsAny(second, "\r\n") {
		t.Errorf("second file %.80q, %d bytes", second, len(second))
	}
	if !strings.HasPrefix(got.kind, "multipart/form-data; boundary=") || got.length <= int64(len(files.files[large])) {
		t.Errorf("type %q, length %d", got.kind, got.length)
	}
	if n := files.open.Load(); n != 0 {
		t.Errorf("%d files are left open", n)
	}
}

func TestUploadIsTheFile(t *testing.T) {
	w, files, got, url := openShelf(t)
	for _, c := range []struct {
		given, want string
	}{{"", "application/pdf"}, {"application/octet-stream", "application/octet-stream"}} {
		call := adapter.Call{Method: "PUT", URL: url, Header: http.Header{}, Upload: linked}
		if c.given != "" {
			call.Header.Set("Content-Type", c.given)
		}
		if a := w.send(call); a.Status != 200 || got.body != "%PDF-1.7" || got.length != 8 || got.kind != c.want {
			t.Errorf("%q: %+v, %+v", c.given, a, got)
		}
	}
	if a := w.send(adapter.Call{Method: "PUT", URL: url, Upload: "empty"}); a.Status != 200 || got.length != 0 {
		t.Errorf("an empty file: %+v, %+v", a, got)
	}
	if n := files.open.Load(); n != 0 {
		t.Errorf("%d files are left open", n)
	}
}

// TestFormRefusals: what cannot be sent is no attempt at the vendor, and leaves no
// file open.
func TestFormRefusals(t *testing.T) {
	w, files, got, url := openShelf(t)
	field := []adapter.FormField{{Name: "a", File: linked}}
	for name, c := range map[string]adapter.Call{
		"a link of another":        {Upload: "https://elsewhere.example/media/one"},
		"the second is none":       {Form: append(field, adapter.FormField{Name: "b", File: "file:///etc/passwd"})},
		"a secret of another turn": {Form: append(field, adapter.FormField{Name: "b", Value: w.placeholders.Token("other", "key")})},
		"two bodies":               {Form: field, Body: []byte("x")},
		"form and upload":          {Form: field, Upload: linked},
	} {
		c.Method, c.URL = "POST", url
		told := strings.Count(w.log.String(), "call refused")
		a := w.send(c)
		told = strings.Count(w.log.String(), "call refused") - told
		if elsewhere := name == "a link of another" || name == "the second is none"; elsewhere != (told == 0) {
			t.Errorf("%s: the log tells %d refusals", name, told)
		}
		if a.Reason != adapter.ReasonNotAllowed {
			t.Errorf("%s: %+v", name, a)
		}
		if n := files.open.Load(); n != 0 {
			t.Errorf("%s: %d files are left open", name, n)
		}
	}
	if got.kind+got.body != "" {
		t.Errorf("the vendor had %+v", got)
	}
}
