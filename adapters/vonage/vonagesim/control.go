package vonagesim

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter/simvendor"
)

// order is the body of every control request; each reads what it needs.
type order struct {
	Session    string          `json:"session"`
	Transcript []Line          `json:"transcript"`
	Parameters []Parameter     `json:"parameters"`
	Raw        json.RawMessage `json:"raw"`
	Text       string          `json:"text"`
	Type       string          `json:"type"`
	URL        string          `json:"url"`
	Message    string          `json:"message"`
	Status     string          `json:"status"`
}

// control adds the control of the simulation:
//
//	GET  /sim/records              {"records":[…]}
//	GET  /sim/sessions             {"sessions":[…]} of the HTTP agent
//	GET  /sim/sessions/{session}   {"session","state","shown":[…],"heard":[…]}
//	POST /sim/start   {"session","transcript","parameters"} or {"session","raw"}
//	POST /sim/say     {"session","text"} or {"session","type","url","text"}
//	POST /sim/status  {"session","message","status"}
//	POST /sim/end     {"session"}: it is over, as when its time is up
//	POST /sim/drop    {"session"}: its socket breaks
//	POST /sim/fault   a Fault, its latency in milliseconds
//	POST /sim/heal
//
// What is sent to the bridge answers {"status","body"}, or 502 and {"error"}.
func (s *Studio) control(mux *http.ServeMux) {
	mux.HandleFunc("GET /sim/records", simvendor.Shown(func() any { return map[string]any{"records": s.Records()} }))
	mux.HandleFunc("GET /sim/sessions/{session}", func(w http.ResponseWriter, r *http.Request) {
		session := r.PathValue("session")
		answer(w, http.StatusOK, map[string]any{"session": session, "state": s.State(session), "shown": s.Shown(session), "heard": s.Heard(session)})
	})
	mux.HandleFunc("GET /sim/sessions", simvendor.Shown(func() any { return map[string]any{"sessions": s.Sessions()} }))
	for name, do := range map[string]func(context.Context, order) (any, error){
		"start":  s.orderStart,
		"say":    s.orderSay,
		"status": func(ctx context.Context, o order) (any, error) { return s.Status(ctx, o.Session, o.Message, o.Status) },
	} {
		mux.HandleFunc("POST /sim/"+name, simvendor.Asked(http.StatusBadGateway, do))
	}
	mux.HandleFunc("POST /sim/end", simvendor.Ordered(func(o order) { s.End(o.Session) }))
	mux.HandleFunc("POST /sim/drop", simvendor.Ordered(func(o order) { s.Drop(o.Session) }))
	mux.HandleFunc("POST /sim/heal", simvendor.Ordered(func(order) { s.Heal() }))
	mux.HandleFunc("POST /sim/fault", simvendor.Ordered(func(f Fault) {
		f.Latency *= time.Millisecond
		s.Fail(f)
	}))
}

func (s *Studio) orderStart(ctx context.Context, o order) (any, error) {
	if len(o.Raw) > 0 {
		return s.StartRaw(ctx, o.Session, o.Raw)
	}
	return s.Start(ctx, o.Session, Begin{o.Transcript, o.Parameters})
}

func (s *Studio) orderSay(ctx context.Context, o order) (any, error) {
	if o.URL != "" {
		return s.SayMedia(ctx, o.Session, o.Type, o.URL, o.Text)
	}
	return s.Say(ctx, o.Session, o.Text)
}
