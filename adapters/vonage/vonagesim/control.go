package vonagesim

import (
	"encoding/json"
	"io"
	"net/http"
	"time"
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
	mux.HandleFunc("GET /sim/records", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]any{"records": s.Records()})
	})
	mux.HandleFunc("GET /sim/sessions/{session}", func(w http.ResponseWriter, r *http.Request) {
		session := r.PathValue("session")
		answer(w, http.StatusOK, map[string]any{"session": session, "state": s.State(session), "shown": s.Shown(session), "heard": s.Heard(session)})
	})
	mux.HandleFunc("GET /sim/sessions", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]any{"sessions": s.Sessions()})
	})
	mux.HandleFunc("POST /sim/start", ordered(s.orderStart))
	mux.HandleFunc("POST /sim/say", ordered(s.orderSay))
	mux.HandleFunc("POST /sim/status", ordered(func(r *http.Request, o order) (any, error) {
		return s.Status(r.Context(), o.Session, o.Message, o.Status)
	}))
	mux.HandleFunc("POST /sim/end", ordered(func(_ *http.Request, o order) (any, error) {
		s.End(o.Session)
		return map[string]any{}, nil
	}))
	mux.HandleFunc("POST /sim/drop", ordered(func(_ *http.Request, o order) (any, error) {
		s.Drop(o.Session)
		return map[string]any{}, nil
	}))
	mux.HandleFunc("POST /sim/fault", s.orderFault)
	mux.HandleFunc("POST /sim/heal", func(w http.ResponseWriter, _ *http.Request) {
		s.Heal()
		answer(w, http.StatusOK, map[string]any{})
	})
}

func ordered(do func(*http.Request, order) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var o order
		if err := json.NewDecoder(io.LimitReader(r.Body, bodyLimit)).Decode(&o); err != nil {
			answer(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
			return
		}
		result, err := do(r, o)
		if err != nil {
			answer(w, http.StatusBadGateway, map[string]string{"error": err.Error()})
			return
		}
		answer(w, http.StatusOK, result)
	}
}

func (s *Studio) orderStart(r *http.Request, o order) (any, error) {
	if len(o.Raw) > 0 {
		return s.StartRaw(r.Context(), o.Session, o.Raw)
	}
	return s.Start(r.Context(), o.Session, Begin{o.Transcript, o.Parameters})
}

func (s *Studio) orderSay(r *http.Request, o order) (any, error) {
	if o.URL != "" {
		return s.SayMedia(r.Context(), o.Session, o.Type, o.URL, o.Text)
	}
	return s.Say(r.Context(), o.Session, o.Text)
}

func (s *Studio) orderFault(w http.ResponseWriter, r *http.Request) {
	var f Fault
	if err := json.NewDecoder(io.LimitReader(r.Body, bodyLimit)).Decode(&f); err != nil {
		answer(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
		return
	}
	f.Latency *= time.Millisecond
	s.Fail(f)
	answer(w, http.StatusOK, map[string]any{})
}
