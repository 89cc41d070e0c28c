package media

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// Root is the path all files are served under.
const Root = "/media/"

// PageTTL is how long a link is good that somebody gets for themselves, who can
// get another.
const PageTTL = time.Hour

// Link is a file as somebody may read it.
type Link struct {
	// URL begins with Root, or is the vendor's own where the file could not be
	// fetched.
	URL string `json:"url"`
	// Expires is zero where the bridge does not know it.
	Expires time.Time `json:"expires,omitzero"`
	Kind    string    `json:"kind"`
	MIME    string    `json:"mime,omitempty"`
	Name    string    `json:"name,omitempty"`
	Size    int64     `json:"size,omitempty"`
}

// sign gives the address of a file, which is good until a time.
func (s *Store) sign(handle, name string, until time.Time) string {
	expires := strconv.FormatInt(until.Unix(), 10)
	return Root + handle + "/" + url.PathEscape(name) + "?expires=" + expires + "&signature=" + s.signature(handle, expires)
}

func (s *Store) signature(handle, expires string) string {
	mac := hmac.New(sha256.New, s.Key)
	mac.Write([]byte("link\n" + handle + "\n" + expires))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// LinkTo gives a link to a file, which is good for PageTTL. It waits for a fetch
// under way. A *Refusal says the file is not to be had.
func (s *Store) LinkTo(ctx context.Context, handle string) (Link, error) {
	s.await(ctx, handle)
	f, err := s.Describe(ctx, handle)
	switch {
	case err != nil:
		return Link{}, err
	case f.Refused != "":
		return Link{}, &Refusal{f.Refused}
	}
	l := Link{URL: f.URL, Kind: f.Kind, MIME: f.MIME, Name: f.Name, Size: f.Size}
	if !f.Kept {
		l.Expires = time.Now().Add(PageTTL).UTC().Truncate(time.Second)
		l.URL = s.sign(handle, f.Name, l.Expires)
	}
	return l, nil
}

// Given opens a file by a link a far side was given, for a call that sends it on; the
// caller closes it. ErrNotFound says the link is none of ours, has expired, or that
// there is no content behind it.
func (s *Store) Given(ctx context.Context, link string) (event.Media, io.ReadCloser, error) {
	u, err := url.Parse(link)
	if err != nil {
		return event.Media{}, nil, ErrNotFound
	}
	handle, _, _ := strings.Cut(strings.TrimPrefix(u.Path, Root), "/")
	if !strings.HasPrefix(u.Path, Root) || !s.signed(handle, u.Query()) {
		return event.Media{}, nil, ErrNotFound
	}
	f, content, err := s.open(ctx, handle)
	switch {
	case err != nil:
		return event.Media{}, nil, err
	case f.Kept, f.Refused != "":
		return event.Media{}, nil, errors.Join(ErrNotFound, content.Close())
	}
	return f.Media, content, nil
}

// headers are set on every file: it is a download and can do nothing in a page.
//
//nolint:gochecknoglobals // a table that is never written.
var headers = map[string]string{
	"X-Content-Type-Options":       "nosniff",
	"Content-Security-Policy":      "default-src 'none'; sandbox; frame-ancestors 'none'",
	"Cross-Origin-Resource-Policy": "cross-origin",
	"Referrer-Policy":              "no-referrer",
	"Cache-Control":                "private, no-store",
}

// ServeHTTP serves GET and HEAD of Root: 403 without a good signature, 404 and
// 410 for what is not there and what was erased.
func (s *Store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for name, value := range headers {
		w.Header().Set(name, value)
	}
	handle, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, Root), "/")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "a file is only read", http.StatusMethodNotAllowed)
		return
	}
	if !s.signed(handle, r.URL.Query()) {
		http.Error(w, "the link has expired or is none of ours", http.StatusForbidden)
		return
	}
	f, content, err := s.open(r.Context(), handle)
	if err != nil || f.Kept || f.Refused != "" {
		s.absent(w, handle, err)
		return
	}
	defer content.Close() //nolint:errcheck // it was only read.
	w.Header().Set("Content-Type", f.MIME)
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.Name}))
	http.ServeContent(w, r, "", time.Time{}, content)
}

func (s *Store) signed(handle string, q url.Values) bool {
	expires := q.Get("expires")
	until, err := strconv.ParseInt(expires, 10, 64)
	return hmac.Equal([]byte(s.signature(handle, expires)), []byte(q.Get("signature"))) && err == nil && time.Now().Unix() < until
}

func (s *Store) absent(w http.ResponseWriter, handle string, err error) {
	switch {
	case errors.Is(err, journal.ErrErased):
		http.Error(w, "the file was erased", http.StatusGone)
	case err == nil, errors.Is(err, ErrNotFound), errors.Is(err, journal.ErrNotFound):
		http.Error(w, "there is no such file", http.StatusNotFound)
	default:
		s.Logger.Error("file cannot be read", "file", handle, "error", err)
		http.Error(w, "the file cannot be read", http.StatusInternalServerError)
	}
}
