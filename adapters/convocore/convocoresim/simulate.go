package convocoresim

import (
	"context"
	"encoding/json"
	"flag"
	"io"
	"net/http"

	"github.com/footbridge/footbridge/bridge/adapter/simvendor"
)

// Simulate declares the flags of the simulated platform, with the address it
// listens on, and gives what makes it of them. POST /sim/{request,take,say,giveback,end,release} with {"convo",
// "agent","text"} lets its people act, GET /sim/conversations lists who talks to
// it; POST /sim/client with {"convo","mid","text"} is a turn of a client at the
// bridge.
func Simulate(f *flag.FlagSet) func(context.Context, io.Writer) (http.Handler, error) {
	f.String("listen", "127.0.0.1:8092", "address to serve")
	secret := f.String("secret", "", "the workspace secret; none lets everyone in")
	events := f.String("events", "", "where the webhook posts, such as http://127.0.0.1:8080/in/convo/events")
	bridge := f.String("bridge", "ws://127.0.0.1:8080/in/convoweb/interact", "the bridge's socket, for /sim/client")
	return func(context.Context, io.Writer) (http.Handler, error) {
		s := NewServer(Options{Secret: *secret})
		s.Events(*events)
		mux := http.NewServeMux()
		mux.Handle("/", s.Handler())
		mux.HandleFunc("POST /sim/client", simvendor.Asked(http.StatusBadGateway, func(ctx context.Context, o order) (any, error) {
			reply, err := NewClient(*bridge, *secret, o.Convo).Say(ctx, o.MID, o.Text)
			if err != nil {
				return nil, err
			}
			return map[string]any{"text": reply.Text(), "handoff": reply.Handoff(), "code": reply.Code}, nil
		}))
		return mux, nil
	}
}

// order is the body of every control request; each reads what it needs.
type order struct {
	Convo, Agent, MID, Text string
}

// Handler is the socket, the REST edge, and the control at /sim/.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /interact", s)
	mux.HandleFunc("POST /agents/{agent}/interact/{convo}/state", s.setState)
	mux.HandleFunc("POST /agents/{agent}/interact/{convo}", s.appendMessages)
	for name, do := range map[string]func(order) (int, error){
		"request":  func(o order) (int, error) { return s.Request(o.Convo) },
		"take":     func(o order) (int, error) { return s.Take(o.Convo, o.Agent) },
		"say":      func(o order) (int, error) { return s.Say(o.Convo, o.Text) },
		"giveback": func(o order) (int, error) { return s.GiveBack(o.Convo) },
		"end":      func(o order) (int, error) { return s.End(o.Convo) },
		"release":  func(o order) (int, error) { s.Release(o.Convo); return 0, nil },
	} {
		mux.HandleFunc("POST /sim/"+name, simvendor.Asked(http.StatusBadGateway, func(_ context.Context, o order) (any, error) {
			status, err := do(o)
			return map[string]any{"webhook": status, "states": s.States(o.Convo), "heard": s.Heard(o.Convo)}, err
		}))
	}
	mux.HandleFunc("GET /sim/conversations", simvendor.Shown(func() any { return map[string]any{"conversations": s.Conversations()} }))
	return mux
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
