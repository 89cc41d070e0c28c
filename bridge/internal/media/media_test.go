package media

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/credential"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	here  = "01J00000000000000000000000"
	there = "01J00000000000000000000001"
)

var png = append([]byte("\x89PNG\r\n\x1a\n"), bytes.Repeat([]byte("picture"), 100)...)

// safe is a vault whose keys can be destroyed.
type safe struct {
	mu     sync.Mutex
	keys   map[string]credential.DataKey
	erased map[string]bool
}

func newSafe(t testing.TB, conversations ...string) *safe {
	ring, err := credential.OpenKeyring(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	v := &safe{keys: map[string]credential.DataKey{}, erased: map[string]bool{}}
	for _, c := range conversations {
		if v.keys[c], _, err = ring.NewKey(); err != nil {
			t.Fatal(err)
		}
	}
	return v
}

func (v *safe) key(conversation string) (credential.DataKey, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	key, ok := v.keys[conversation]
	switch {
	case v.erased[conversation]:
		return key, journal.ErrErased
	case !ok:
		return key, journal.ErrNotFound
	}
	return key, nil
}

func (v *safe) erase(conversation string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.erased[conversation] = true
}

func (v *safe) SealBlob(_ context.Context, conversation, row string, plain []byte) ([]byte, error) {
	key, err := v.key(conversation)
	if err != nil {
		return nil, err
	}
	return key.Seal(plain, []byte(row)), nil
}

func (v *safe) OpenBlob(_ context.Context, conversation, row string, sealed []byte) ([]byte, error) {
	key, err := v.key(conversation)
	if err != nil {
		return nil, err
	}
	plain, err := key.Open(sealed, []byte(row))
	if err != nil {
		return nil, journal.ErrDamaged
	}
	return plain, nil
}

// web is where vendors have their files.
type web struct {
	mu     sync.Mutex
	asked  []string
	status error
	kind   string
	body   []byte
	gate   chan struct{} // nil, or closed when files may come
}

func (w *web) Fetch(ctx context.Context, account, address string, _ bool) (io.ReadCloser, http.Header, error) {
	w.mu.Lock()
	w.asked = append(w.asked, account+" "+address)
	err, kind, body, gate := w.status, w.kind, w.body, w.gate
	w.mu.Unlock()
	if gate != nil {
		select {
		case <-gate:
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		}
	}
	return io.NopCloser(bytes.NewReader(body)), http.Header{"Content-Type": {kind}}, err
}

func newStore(t *testing.T, v *safe, w *web, change ...func(*Rules)) *Store {
	t.Helper()
	rules := Rules{MaxSize: 1 << 20, MaxFiles: 5, MaxTotal: 16 << 20, Types: DefaultTypes(), Fetch: FetchAlways, LinkTTL: time.Hour, ScanWithin: 5 * time.Second}
	for _, f := range change {
		f(&rules)
	}
	s := New(Options{Dir: filepath.Join(t.TempDir(), "media"), Vault: v, Source: w, Key: []byte("key"), Base: "https://bridge.example", Rules: rules})
	t.Cleanup(s.Close)
	return s
}

func upload(t *testing.T, s *Store, name, kind string, data []byte) event.Media {
	t.Helper()
	m, err := s.Put(t.Context(), here, event.Media{Name: name, MIME: kind}, bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func get(s *Store, address string, header ...string) *http.Response {
	r := httptest.NewRequest(http.MethodGet, strings.TrimPrefix(address, s.Base), nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Result()
}

func bodyOf(t *testing.T, r *http.Response) string {
	data, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func (s *Store) linked(t *testing.T, handle string) string {
	t.Helper()
	l, err := s.LinkTo(t.Context(), handle)
	if err != nil {
		t.Fatal(err)
	}
	return l.URL
}

// TestServed: a file comes as it was given, as a download that can do nothing,
// whole and in parts.
func TestServed(t *testing.T) {
	s := newStore(t, newSafe(t, here), nil)
	m := upload(t, s, `..\..\x/Ünïcode "a".png`, "image/png", png)
	if m.Kind != "image" || m.MIME != "image/png" || m.Name != "Ünïcode a.png" || m.Size != int64(len(png)) || !Of(here, m.Blob) || Of(there, m.Blob) || m.URL != "" {
		t.Errorf("got %+v", m)
	}
	r := get(s, s.linked(t, m.Blob))
	if bodyOf(t, r) != string(png) || r.StatusCode != 200 || r.Header.Get("Content-Type") != "image/png" || r.Header.Get("X-Content-Type-Options") != "nosniff" ||
		!strings.Contains(r.Header.Get("Content-Security-Policy"), "sandbox") || !strings.HasPrefix(r.Header.Get("Content-Disposition"), "attachment; filename*=utf-8''%C3%9Cn") {
		t.Errorf("got %d %v", r.StatusCode, r.Header)
	}
	if r := get(s, s.linked(t, m.Blob), "Range", "bytes=8-14"); r.StatusCode != 206 || bodyOf(t, r) != "picture" {
		t.Errorf("range: %d", r.StatusCode)
	}
	if r := get(s, s.linked(t, m.Blob), "Range", "bytes=99999999-"); r.StatusCode != 416 {
		t.Errorf("range beyond the end: %d", r.StatusCode)
	}
}

// TestLinks: a link that is forged, changed or too old opens nothing.
func TestLinks(t *testing.T) {
	s := newStore(t, newSafe(t, here), nil)
	one, other := upload(t, s, "a.png", "image/png", png), upload(t, s, "b.png", "image/png", png)
	good := s.linked(t, one.Blob)
	u, err := url.Parse(good)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	later := "?expires=" + q.Get("expires") + "0&signature=" + q.Get("signature")
	past := s.sign(one.Blob, "a.png", time.Now().Add(-time.Second))
	for what, address := range map[string]string{"none": u.Path, "later": u.Path + later, "another file": strings.Replace(good, one.Blob, other.Blob, 1), "past": past,
		"no time": u.Path + "?signature=" + s.signature(one.Blob, ""), "words": u.Path + "?expires=x&signature=" + s.signature(one.Blob, "x"),
		"signature": good[:len(good)-2] + "xx", "path": strings.Replace(good, one.Blob, "../../"+one.Blob, 1)} {
		if r := get(s, address); r.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %d", what, r.StatusCode)
		}
	}
	if r := get(s, strings.Replace(good, "a.png", "any", 1)); r.StatusCode != 200 {
		t.Errorf("the name is for people only: %d", r.StatusCode)
	}
	if r := get(s, s.sign("..", "x", time.Now().Add(time.Hour))); r.StatusCode != http.StatusNotFound {
		t.Errorf("a folder as handle: %d", r.StatusCode)
	}
	r := httptest.NewRecorder()
	if s.ServeHTTP(r, httptest.NewRequest(http.MethodPost, good, nil)); r.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", r.Code)
	}
}

// TestGiven: a file is opened by the very links far sides are given, and by no other.
func TestGiven(t *testing.T) {
	s := newStore(t, newSafe(t, here), nil)
	m := upload(t, s, "a.png", "image/png", png)
	good := "https://bridge.example" + s.linked(t, m.Blob)
	got, content, err := s.Given(t.Context(), good)
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	data, err := io.ReadAll(content)
	if err != nil || string(data) != string(png) || got.Name != "a.png" || got.MIME != "image/png" || got.Size != int64(len(png)) {
		t.Errorf("%+v, %d bytes, %v", got, len(data), err)
	}
	past := s.sign(m.Blob, "a.png", time.Now().Add(-time.Second))
	for _, link := range []string{"", ":", "https://files.example/plan.pdf", strings.Replace(good, "/media/", "/other/", 1), good[:len(good)-2] + "xx", past,
		"/media/" + m.Blob, s.sign(here+".aaaaaaaaaaaaaaaaaaaaaaaaaa", "x", time.Now().Add(time.Hour))} {
		if _, _, err := s.Given(t.Context(), link); !errors.Is(err, ErrNotFound) {
			t.Errorf("%q: %v", link, err)
		}
	}
}

// TestRefused: what breaks a rule is not kept, not even in part.
func TestRefused(t *testing.T) {
	s := newStore(t, newSafe(t, here), nil, func(r *Rules) { r.MaxSize = 2000 })
	svg := []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`)
	for _, c := range []struct {
		kind string
		data []byte
		want string
	}{
		{"image/png", nil, "empty"},
		{"image/png", append(png, make([]byte, 2000)...), "larger than 2000"},
		{"image/png", []byte("<!DOCTYPE html><script>1</script>"), "declared image/png and is text/html"},
		{"text/html", []byte("<!DOCTYPE html><script>1</script>"), "text/html are not taken"},
		{"image/svg+xml", svg, "declared image/svg+xml"},
		{"", append([]byte(`<?xml version="1.0"?>`), svg...), "text/xml are not taken"},
		{"text/plain", png, "declared text/plain and is image/png"},
		{"image/jpeg", png, "declared image/jpeg and is image/png"},
		{"application/x-msdownload", []byte("MZ\x90\x00\x03\x00\x00\x00"), "declared application/x-msdownload"},
		{"", []byte("MZ\x90\x00\x03\x00\x00\x00"), "octet-stream are not taken"},
	} {
		_, err := s.Put(t.Context(), here, event.Media{Name: "x", MIME: c.kind}, bytes.NewReader(c.data))
		var no *Refusal
		if !errors.As(err, &no) || !strings.Contains(no.Reason, c.want) {
			t.Errorf("%s %.20q: %v; want %q", c.kind, c.data, err, c.want)
		}
	}
	cut := io.MultiReader(bytes.NewReader(png), iotest.ErrReader(io.ErrUnexpectedEOF))
	if _, err := s.Put(t.Context(), here, event.Media{MIME: "image/png"}, cut); !errors.Is(err, ErrCut) {
		t.Errorf("cut off: %v", err)
	}
	if _, err := s.Put(t.Context(), there, event.Media{MIME: "image/png"}, bytes.NewReader(png)); !errors.Is(err, journal.ErrNotFound) {
		t.Errorf("no such conversation: %v", err)
	}
	left, err := filepath.Glob(filepath.Join(s.Dir, "*", "*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
	s.Room = func(string) error { return ErrFull }
	if _, err := s.Put(t.Context(), here, event.Media{}, bytes.NewReader(png)); !errors.Is(err, ErrFull) {
		t.Errorf("a full disk: %v", err)
	}
	s.Room = room
	for range 5 {
		upload(t, s, "a.png", "", png)
	}
	var no *Refusal
	if _, err := s.Put(t.Context(), here, event.Media{}, bytes.NewReader(png)); !errors.As(err, &no) {
		t.Errorf("a sixth file: %v", err)
	}
}

// TestErased: without its conversation's key a file is gone, on disk it was never
// readable, and what is left is swept.
func TestErased(t *testing.T) {
	v := newSafe(t, here, there)
	s := newStore(t, v, nil)
	m := upload(t, s, "a.png", "image/png", png)
	link := s.linked(t, m.Blob)
	stored, err := os.ReadFile(s.path(m.Blob))
	if err != nil || bytes.Contains(stored, []byte("picture")) || bytes.Contains(stored, []byte("a.png")) {
		t.Errorf("on disk it can be read: %v", err)
	}
	stored[10] ^= 1
	if err := os.WriteFile(s.path(m.Blob), stored, 0o600); err != nil {
		t.Fatal(err)
	}
	if r := get(s, link); strings.Contains(bodyOf(t, r), "picture") {
		t.Error("damage is served")
	}
	v.erase(here)
	if r := get(s, link); r.StatusCode != http.StatusGone {
		t.Errorf("erased: %d", r.StatusCode)
	}
	if _, err := s.LinkTo(t.Context(), m.Blob); !errors.Is(err, journal.ErrErased) {
		t.Errorf("link to an erased file: %v", err)
	}
	s.Sweep(t.Context())
	if _, err := os.Stat(filepath.Dir(s.path(m.Blob))); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after the sweep: %v", err)
	}
	if r := get(s, link); r.StatusCode != http.StatusGone {
		t.Errorf("erased and swept: %d", r.StatusCode)
	}
	kept, err := s.Put(t.Context(), there, event.Media{}, bytes.NewReader(png))
	if s.Sweep(t.Context()); err != nil || get(s, s.linked(t, kept.Blob)).StatusCode != 200 {
		t.Errorf("another conversation's file went: %v", err)
	}
}

// TestScan: the scanner's word decides, and none is a no.
func TestScan(t *testing.T) {
	const harmful, unseen = "the scanner found it harmful", "it could not be scanned"
	for script, want := range map[string]string{`cat >/dev/null`: "", `grep -q picture && exit 1; exit 0`: harmful, `exit 2`: unseen, `sleep 60`: unseen,
		`kill -9 $$`: unseen, `exec /nowhere/scanner`: unseen, "": unseen} {
		command := []string{"sh", "-c", script}
		if script == "" {
			command = []string{"/nowhere/scanner"} // it was there when the bridge was started
		}
		s := newStore(t, newSafe(t, here), nil, func(r *Rules) { r.Scan, r.ScanWithin = command, 500*time.Millisecond })
		_, err := s.Put(t.Context(), here, event.Media{}, bytes.NewReader(png))
		var no *Refusal
		if want == "" && err != nil || want != "" && (!errors.As(err, &no) || no.Reason != want) {
			t.Errorf("%s: %v, want %q", script, err, want)
		}
		left, err := filepath.Glob(filepath.Join(s.Dir, "*", "*"))
		if err != nil || (len(left) == 1) != (want == "") {
			t.Errorf("%s: left are %v %v", script, left, err)
		}
	}
}

// TestAnySize: whatever its size and wherever it is read, a file is what it was.
func TestAnySize(t *testing.T) {
	s := newStore(t, newSafe(t, here), nil, func(r *Rules) { r.MaxFiles, r.MaxTotal = 1<<20, 1<<40 })
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.OneOf(rapid.IntRange(1, 200), rapid.IntRange(piece-2, piece+2), rapid.IntRange(2*piece-1, 3*piece)).Draw(t, "size")
		data := bytes.Repeat([]byte("0123456789abcdefghijklmnopqrstu"), size/31+1)[:size]
		m, err := s.Put(context.Background(), here, event.Media{}, iotest.OneByteReader(bytes.NewReader(data)))
		if err != nil {
			t.Fatal(err)
		}
		_, r, err := s.open(context.Background(), m.Blob)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		from := rapid.IntRange(0, size-1).Draw(t, "from")
		if _, err := r.Seek(int64(from), io.SeekStart); err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, data[from:]) {
			t.Fatalf("%d bytes from %d: %v", len(got), from, err)
		}
	})
}
