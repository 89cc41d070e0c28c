package aiserasim

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
)

// Simulate declares the flags of the simulated platform, with the address it
// listens on, and gives what makes it of them. POST /sim/{join,say,typing,exit,queue,drop} with {"user","agent",
// "text","position"} lets its people act; GET /sim/users lists who talks to it.
func Simulate(f *flag.FlagSet) func(context.Context, io.Writer) (http.Handler, error) {
	f.String("listen", "127.0.0.1:8091", "address to serve")
	token := f.String("token", "demo-token", "the token every request must carry")
	transport := f.String("transport", SocketIO, "socketio or raw")
	event := f.String("event", "message", "the Socket.IO event")
	return func(context.Context, io.Writer) (http.Handler, error) {
		if *transport != SocketIO && *transport != Raw {
			return nil, fmt.Errorf("-transport %q is neither socketio nor raw", *transport)
		}
		return NewServer(Options{Token: *token, Transport: *transport, Event: *event}).Handler(), nil
	}
}

// order is the body of every control request; each reads what it needs.
type order struct {
	User, Agent, Text string
	Position          int
}

// Handler is the socket at any path but /sim/, and there the control.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", s)
	for name, do := range map[string]func(order) error{
		"join":   func(o order) error { return s.Join(o.User, o.Agent) },
		"say":    func(o order) error { return s.Say(o.User, o.Agent, o.Text) },
		"typing": func(o order) error { return s.Typing(o.User) },
		"exit":   func(o order) error { return s.Exit(o.User, o.Agent) },
		"queue":  func(o order) error { return s.Queue(o.User, o.Position) },
		"drop":   func(o order) error { s.Drop(o.User); return nil },
	} {
		mux.HandleFunc("POST /sim/"+name, func(w http.ResponseWriter, r *http.Request) {
			var o order
			if err := json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(&o); err != nil {
				answer(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
				return
			}
			if err := do(o); err != nil {
				answer(w, http.StatusConflict, map[string]string{"error": err.Error()})
				return
			}
			answer(w, http.StatusOK, map[string]any{"requests": s.Requests(o.User)})
		})
	}
	mux.HandleFunc("GET /sim/users", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]any{"users": s.Users()})
	})
	return mux
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
