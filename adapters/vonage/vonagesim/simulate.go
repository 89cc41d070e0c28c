package vonagesim

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter/simvendor"
)

// Simulate declares the flags of the simulated AI Studio with its HTTP agent, or
// with -side desk of a live-agent server built for it, and gives what makes it of
// them. Until its ctx ends it tells what its people read.
func Simulate(f *flag.FlagSet) func(context.Context, io.Writer) (http.Handler, error) {
	f.String("listen", "127.0.0.1:8090", "address to serve")
	bridge := f.String("bridge", "http://127.0.0.1:8080/in/studio", "the bridge's endpoints of the account")
	key := f.String("key", "demo-key", "the API key (X-Vgai-Key)")
	side := f.String("side", "studio", "studio or desk")
	once := f.String("idempotency-header", "", "honour this header as an idempotency key (studio)")
	memory := f.String("memory", "", "file that survives a kill (studio; sessions of its HTTP agent do not)")
	life := f.Duration("life", 24*time.Hour, "how long a session of the HTTP agent lasts (studio)")
	idle := f.Duration("idle", 10*time.Minute, "how long its socket may be silent (studio)")
	return func(ctx context.Context, out io.Writer) (http.Handler, error) {
		switch *side {
		case "desk":
			d := NewDesk(DeskOptions{Key: *key, BridgeURL: *bridge})
			go simvendor.Narrate(ctx, narrator(out, d.Records))
			return d.Handler(), nil
		case "studio":
			s := NewStudio(Options{Key: *key, BridgeURL: *bridge, IdempotencyHeader: *once, Life: *life, Idle: *idle})
			context.AfterFunc(ctx, func() { _ = s.Close() })
			if *memory != "" {
				if err := s.Persist(*memory); err != nil {
					return nil, err
				}
			}
			go simvendor.Narrate(ctx, narrator(out, s.Records))
			return s.Handler(), nil
		}
		return nil, fmt.Errorf("-side %q is neither studio nor desk", *side)
	}
}

// narrator prints what has arrived since it was last called.
func narrator(out io.Writer, records func() []Record) func() {
	told := 0
	return func() {
		all := records()
		for _, r := range all[told:] {
			fmt.Fprintf(out, "simulated vonage: session %s: %s %q (answered %d)\n", r.Session, r.Endpoint, r.Shown, r.Status)
		}
		told = len(all)
	}
}
