package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"
)

// asset is one file as it is served, plain and compressed, with its digest.
type asset struct {
	name, tag    string
	body, packed []byte
}

func newAsset(name string, body []byte) (asset, error) {
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err == nil {
		_, err = w.Write(body)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return asset{}, fmt.Errorf("compress %s: %w", name, err)
	}
	sum := sha256.Sum256(body)
	return asset{name: name, tag: hex.EncodeToString(sum[:8]), body: body, packed: packed.Bytes()}, nil
}

// ServeHTTP answers with the file, or with 304 when the browser has it: asked for
// every time unless somebody has said otherwise, so that an upgrade is seen at once.
func (a asset) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", types[path.Ext(a.name)])
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-cache")
	}
	h.Add("Vary", "Accept-Encoding")
	body, tag := a.body, a.tag
	if takesGzip(r) {
		body, tag = a.packed, a.tag+"-gzip"
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, a.name, time.Time{}, bytes.NewReader(body))
}

// takesGzip tells whether the browser reads gzip. One that asks for a range is
// given the file as it is.
func takesGzip(r *http.Request) bool {
	if r.Header.Get("Range") != "" {
		return false
	}
	for coding := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, quality, _ := strings.Cut(strings.ReplaceAll(coding, " ", ""), ";")
		if name == "gzip" {
			return strings.Trim(quality, "q=0.") != "" || quality == ""
		}
	}
	return false
}

// embedded reads every file that is no page.
func embedded() (map[string]asset, error) {
	found := map[string]asset{}
	err := fs.WalkDir(files, "static", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(file) == ".html" {
			return err
		}
		body, err := fs.ReadFile(files, file)
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(file, "static/")
		if _, _, err := mime.ParseMediaType(types[path.Ext(name)]); err != nil {
			return fmt.Errorf("no media type for %s: %w", name, err)
		}
		found[name], err = newAsset(name, body)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read embedded files: %w", err)
	}
	return found, nil
}
