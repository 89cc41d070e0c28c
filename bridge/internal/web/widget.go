package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/http"
	"path"
	"slices"
)

// scriptFor is how long a browser may take /chat.js for the newest.
const scriptFor = "public, max-age=300"

// serveWidget serves what pages of other origins load: /chat.js under an address
// that stays, and all else under one that is another with every change, so that
// browsers need not ask for it again and never mix two versions.
func serveWidget(mux *http.ServeMux, assets map[string]asset) error {
	all, small := sha256.New(), map[string]asset{}
	for _, name := range slices.Sorted(maps.Keys(assets)) {
		a, err := newAsset(name, lean(name, assets[name].body))
		if err != nil {
			return err
		}
		small[name] = a
		_, _ = all.Write([]byte(name + a.tag))
	}
	version := hex.EncodeToString(all.Sum(nil)[:8])
	begin, err := newAsset("chat.js", bytes.ReplaceAll(small["embed.js"].body, []byte("/assets/"), []byte("/assets/"+version+"/")))
	if err != nil {
		return err
	}
	mux.HandleFunc("GET /chat.js", func(w http.ResponseWriter, r *http.Request) {
		forAnybody(w.Header(), scriptFor)
		begin.ServeHTTP(w, r)
	})
	mux.HandleFunc("GET /assets/{version}/{name}", func(w http.ResponseWriter, r *http.Request) {
		a, ok := small[r.PathValue("name")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		if r.PathValue("version") != version { // of a /chat.js from before an upgrade
			forAnybody(w.Header(), "no-store")
			http.Redirect(w, r, "/assets/"+version+"/"+a.name, http.StatusFound)
			return
		}
		forAnybody(w.Header(), "public, max-age=31536000, immutable")
		a.ServeHTTP(w, r)
	})
	return nil
}

// lean is a script without the lines that are comments alone and without what its
// lines begin with; each line stays where it is, for what a browser reports of one.
func lean(name string, body []byte) []byte {
	if path.Ext(name) != ".js" {
		return body
	}
	lines := bytes.Split(body, []byte("\n"))
	for i, line := range lines {
		line = bytes.TrimLeft(line, " ")
		if bytes.HasPrefix(line, []byte("//")) {
			line = nil
		}
		lines[i] = line
	}
	return bytes.Join(lines, []byte("\n"))
}

// forAnybody lets pages of any origin load a file. It is the same for all and says
// nothing of anybody.
func forAnybody(h http.Header, caching string) {
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Set("Cache-Control", caching)
}
