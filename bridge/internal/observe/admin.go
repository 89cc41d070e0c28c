package observe

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/pprof"
)

// AdminHandler serves the admin listener, which is never the public one: /healthz (200 while the program lives), /readyz
// (200, or 503 when a part of the core is not well, with all parts as JSON), /metrics (look is as for Metrics.Handler) and
// /debug/pprof.
func AdminHandler(m *Metrics, h *Health, look func(context.Context)) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", serveAlive)
	mux.HandleFunc("GET /readyz", h.serveReady)
	mux.Handle("GET /metrics", m.Handler(look))
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("POST /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return unstored(mux)
}

// unstored keeps answers out of caches, and browsers from guessing what they are.
func unstored(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}

func serveAlive(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, healthy+"\n")
}

func (h *Health) serveReady(w http.ResponseWriter, _ *http.Request) {
	ready, components := h.Ready()
	w.Header().Set("Content-Type", "application/json")
	if !ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(struct {
		Ready      bool              `json:"ready"`
		Components map[string]string `json:"components"`
	}{ready, components})
}
