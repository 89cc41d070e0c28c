package simvendor

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"time"
)

// Control adds to mux what every control of an API has:
//
//	POST /sim/fault  a Fault, its latency in milliseconds
//	POST /sim/heal
//
// Nobody signs in, so a simulator listens on loopback.
func (a *API) Control(mux *http.ServeMux) {
	mux.HandleFunc("POST /sim/fault", Ordered(func(f Fault) {
		f.Latency *= time.Millisecond
		a.Fail(f)
	}))
	mux.HandleFunc("POST /sim/heal", Ordered(func(struct{}) { a.Heal() }))
}

// Shown answers what there is.
func Shown(what func() any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, what()) }
}

// Ordered carries out an order, JSON of any form, and answers {}. An order without a
// body is the zero one, and one that cannot be read 400 and {"error"}.
func Ordered[O any](do func(O)) http.HandlerFunc {
	return Asked(http.StatusBadRequest, func(_ context.Context, o O) (any, error) {
		do(o)
		return map[string]any{}, nil
	})
}

// Asked is Ordered for orders that have an answer, or cannot be carried out: then it is
// the status refused, and {"error"}.
func Asked[O any](refused int, do func(context.Context, O) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var o O
		if err := json.NewDecoder(io.LimitReader(r.Body, bodyLimit)).Decode(&o); err != nil && err != io.EOF {
			reply(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
			return
		}
		out, err := do(r.Context(), o)
		if err != nil {
			reply(w, refused, map[string]string{"error": err.Error()})
			return
		}
		reply(w, http.StatusOK, out)
	}
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	if body != nil {
		_ = json.NewEncoder(w).Encode(body)
	}
}

// Narrate calls tell ten times a second until ctx ends.
func Narrate(ctx context.Context, tell func()) {
	for pause(ctx, 100*time.Millisecond) {
		tell()
	}
}

// pause waits, and says that ctx has not ended meanwhile.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
