package aiserasim

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"

	"github.com/footbridge/footbridge/bridge/adapter/simvendor"
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
		mux.HandleFunc("POST /sim/"+name, simvendor.Asked(http.StatusConflict, func(_ context.Context, o order) (any, error) {
			err := do(o)
			return map[string]any{"requests": s.Requests(o.User)}, err
		}))
	}
	mux.HandleFunc("GET /sim/users", simvendor.Shown(func() any { return map[string]any{"users": s.Users()} }))
	return mux
}
