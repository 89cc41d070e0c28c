package omiliasim

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"slices"

	"github.com/footbridge/footbridge/bridge/adapter/simvendor"
)

// Simulate declares the flags of the simulated backend, with the address it listens
// on, and gives what makes it of them. The control is below /sim/, see Handler.
func Simulate(f *flag.FlagSet) func(context.Context, io.Writer) (http.Handler, error) {
	var o Options
	f.String("listen", "127.0.0.1:8093", "address to serve")
	f.StringVar(&o.Token, "token", "demo-token", "the token every socket must show")
	f.StringVar(&o.TokenIn, "token-in", "", "query, bearer or protocol; empty takes it anywhere")
	f.StringVar(&o.Envelope, "envelope", "channel", "field that names the channel, or key, or none")
	f.StringVar(&o.Payload, "payload", "data", "field of the payload beside it")
	f.BoolVar(&o.Dotted, "dotted", false, "write liveness_score.label instead of an object")
	f.BoolVar(&o.Silent, "silent", false, "answer no command")
	return func(context.Context, io.Writer) (http.Handler, error) {
		if !slices.Contains([]string{"", InQuery, InBearer, InProtocol}, o.TokenIn) {
			return nil, fmt.Errorf("-token-in %q is none of query, bearer and protocol", o.TokenIn)
		}
		return NewServer(o).Handler(), nil
	}
}

// order is the body of every control request; each reads what it needs.
type order struct {
	Call        string          `json:"call"`
	Channel     string          `json:"channel"`
	Data        json.RawMessage `json:"data"`
	Participant string          `json:"participant"`
	Text        string          `json:"text"`
	Flow        Flow            `json:"flow"`
	Statuses    []int           `json:"statuses"`
}

// Handler is the socket at any path but /sim/, and there the control, which is not
// authenticated: listen on loopback only.
//
//	GET  /sim/calls                {"calls":[…],"refused":0}
//	POST /sim/send    {"call","channel","data"}: any payload
//	POST /sim/speak   {"call","participant","text"}; begin and lose alike
//	POST /sim/repeat  {"call"}: all that was said once more
//	POST /sim/flow    {"call","flow"}
//	POST /sim/drop    {"call"}; end with {"call","text"}: its summary
//	POST /sim/refuse  {"statuses":[503,…]}: of the next sockets
//
// Each POST answers with the call: {"listening","opened","commands","problems"}.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", s)
	for name, do := range map[string]func(order) error{
		"send":   func(o order) error { return s.Send(o.Call, o.Channel, o.Data) },
		"speak":  func(o order) error { return s.Speak(o.Call, o.Participant, o.Text) },
		"begin":  func(o order) error { return s.Begin(o.Call, o.Participant, o.Text) },
		"lose":   func(o order) error { s.Lose(o.Call, o.Participant, o.Text); return nil },
		"repeat": func(o order) error { return s.Repeat(o.Call) },
		"flow":   func(o order) error { return s.Flow(o.Call, o.Flow) },
		"drop":   func(o order) error { s.Drop(o.Call); return nil },
		"end":    func(o order) error { return s.End(o.Call, o.Text) },
		"refuse": func(o order) error { s.Refuse(o.Statuses...); return nil },
	} {
		mux.HandleFunc("POST /sim/"+name, simvendor.Asked(http.StatusConflict, func(_ context.Context, o order) (any, error) {
			err := do(o)
			return map[string]any{"listening": s.Listening(o.Call), "opened": s.Opened(o.Call), "commands": s.Commands(o.Call), "problems": s.Problems(o.Call)}, err
		}))
	}
	mux.HandleFunc("GET /sim/calls", simvendor.Shown(func() any { return map[string]any{"calls": s.Calls(), "refused": s.Refused()} }))
	return mux
}
