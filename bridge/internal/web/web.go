// Package web serves the pages people use: the live agents' desk, the operators' console and the
// customers' chat.
//
// The pages are plain files embedded in the program. They are clients of the
// native API like any other program and have no door of their own; nothing is
// loaded from another place, and the headers forbid it.
package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"path"
	"strings"
)

//go:embed static
var files embed.FS

// Options are what the pages are given by the program.
type Options struct {
	// DefaultKey is the publishable key /chat uses when its address names none.
	DefaultKey string
	// DefaultAccount is the native customer account /chat uses where that account
	// has no publishable key; the API allows that to pages of its own origin.
	// With both empty the address must name one: ?key= or ?account=.
	DefaultAccount string
	// Framers are the origins whose pages may hold /chat in a frame. Nothing else
	// may be framed by anybody.
	Framers []string
	// Pictures are the origins live agents' pictures on /chat may come from.
	Pictures []string
	// SignIn says that people may sign in at a provider.
	SignIn bool
	// Secure says that browsers reach the pages over TLS, and are to come back over
	// nothing else.
	Secure bool
}

// policy lets a page load its own files and talk to its own origin, and nothing
// else. Own sockets are covered by 'self'.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"

// headers are set on everything the package answers.
//
//nolint:gochecknoglobals // a table that is never written.
var headers = map[string]string{
	"Content-Security-Policy":      policy,
	"X-Content-Type-Options":       "nosniff",
	"X-Frame-Options":              "DENY",
	"Referrer-Policy":              "no-referrer",
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Permissions-Policy":           "camera=(), microphone=(), geolocation=(), payment=(), usb=(), display-capture=()",
}

// hsts lasts a year.
const hsts = "max-age=31536000"

// pages are the addresses of the pages and the files behind them.
//
//nolint:gochecknoglobals // a table that is never written.
var pages = map[string]string{"/desk": "desk.html", "/chat": "chat.html", "/console": "console.html"}

// types are the media types of the embedded files; the machine's own table is
// not asked, since it differs from machine to machine.
//
//nolint:gochecknoglobals // a table that is never written.
var types = map[string]string{
	".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml",
}

// New makes the handler of /desk, /chat, /console and the files they load, under /assets/.
// It fails only when an embedded page cannot be rendered. The handler is safe
// for concurrent use.
func New(o Options) (http.Handler, error) {
	mux := http.NewServeMux()
	for address, name := range pages {
		body, err := render(name, o)
		if err != nil {
			return nil, err
		}
		mux.Handle("GET "+address, page(body))
	}
	front := "/desk"
	if o.DefaultKey+o.DefaultAccount != "" {
		front = "/chat"
	}
	mux.Handle("GET /{$}", http.RedirectHandler(front, http.StatusFound))
	assets, err := embedded()
	if err != nil {
		return nil, err
	}
	for name, a := range assets {
		mux.Handle("GET /assets/"+name, a)
	}
	if err := serveWidget(mux, assets); err != nil {
		return nil, err
	}
	return strict(o, mux), nil
}

// strict sets the headers before anything is answered.
func strict(o Options, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		for name, value := range headers {
			h.Set(name, value)
		}
		if o.Secure {
			h.Set("Strict-Transport-Security", hsts)
		}
		if r.URL.Path == "/chat" {
			o.open(h)
		}
		next.ServeHTTP(w, r)
	})
}

// open lets /chat be framed, and show pictures, where the options say so.
func (o Options) open(h http.Header) {
	csp := policy
	if len(o.Framers) > 0 {
		h.Del("X-Frame-Options") // it knows no list
		csp = strings.Replace(csp, "frame-ancestors 'none'", "frame-ancestors 'self' "+strings.Join(o.Framers, " "), 1)
	}
	if len(o.Pictures) > 0 {
		csp = strings.Replace(csp, "img-src 'self' data:", "img-src 'self' data: "+strings.Join(o.Pictures, " "), 1)
	}
	h.Set("Content-Security-Policy", csp)
}

// render fills a page with the options.
func render(name string, o Options) ([]byte, error) {
	t, err := template.ParseFS(files, path.Join("static", name))
	if err != nil {
		return nil, fmt.Errorf("parse page %s: %w", name, err)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, o); err != nil {
		return nil, fmt.Errorf("render page %s: %w", name, err)
	}
	return out.Bytes(), nil
}

// page is one rendered page. It is never stored, since it may carry a key.
type page []byte

// ServeHTTP answers with the page.
func (p page) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(p)
}
