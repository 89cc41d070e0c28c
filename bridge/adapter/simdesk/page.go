package simdesk

import (
	"embed"
	"encoding/json"
	"net/http"
)

//go:embed page
var page embed.FS

// orderLimit is what is read of an order, a file in base64 within.
const orderLimit = 32 << 20

// policy lets the page load what it brings and talk to where it came from.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Over is rest with the desk's page at its root, and what the page needs below
// /simdesk/:
//
//	GET  /simdesk/desk           {"title","people","acts"}
//	GET  /simdesk/conversations  {"conversations":[…]}
//	POST /simdesk/acts/NAME      an Order; 204, or 409 and {"error"}
//
// Nobody signs in, so a simulator listens on loopback; other sites' pages are kept out.
func Over(rest http.Handler, d Desk) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", rest)
	own := http.NewCrossOriginProtection()
	add := func(pattern string, do http.HandlerFunc) {
		mux.Handle(pattern, own.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Security-Policy", policy)
			w.Header().Set("X-Content-Type-Options", "nosniff")
			w.Header().Set("Cache-Control", "no-store")
			do(w, r)
		})))
	}
	for pattern, name := range map[string]string{"GET /{$}": "page/page.html", "GET /simdesk/page.js": "page/page.js", "GET /simdesk/page.css": "page/page.css"} {
		add(pattern, func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, page, name) })
	}
	add("GET /simdesk/desk", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, map[string]any{"title": d.Title, "people": d.People, "acts": d.Acts})
	})
	add("GET /simdesk/conversations", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, map[string]any{"conversations": append([]Conversation{}, d.Conversations()...)})
	})
	add("POST /simdesk/acts/{name}", func(w http.ResponseWriter, r *http.Request) {
		var o Order
		err := json.NewDecoder(http.MaxBytesReader(w, r.Body, orderLimit)).Decode(&o)
		if err == nil {
			err = d.Do(r.PathValue("name"), o)
		}
		if err != nil {
			reply(w, http.StatusConflict, map[string]string{"error": err.Error()})
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	return mux
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
