package vonagesim

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// Simulate runs the simulated AI Studio with its HTTP agent, or with -side desk a
// live-agent server built for it, until ctx ends, and tells out what its people
// read. args are the flags; -h lists them.
func Simulate(ctx context.Context, args []string, out io.Writer) error {
	f := flag.NewFlagSet("vonage", flag.ContinueOnError)
	f.SetOutput(out)
	listen := f.String("listen", "127.0.0.1:8090", "address to serve")
	bridge := f.String("bridge", "http://127.0.0.1:8080/in/studio", "the bridge's endpoints of the account")
	key := f.String("key", "demo-key", "the API key (X-Vgai-Key)")
	side := f.String("side", "studio", "studio or desk")
	once := f.String("idempotency-header", "", "honour this header as an idempotency key (studio)")
	memory := f.String("memory", "", "file that survives a kill (studio; sessions of its HTTP agent do not)")
	life := f.Duration("life", 24*time.Hour, "how long a session of the HTTP agent lasts (studio)")
	idle := f.Duration("idle", 10*time.Minute, "how long its socket may be silent (studio)")
	if err := f.Parse(args); err != nil {
		return err
	}
	switch *side {
	case "desk":
		d := NewDesk(DeskOptions{Key: *key, BridgeURL: *bridge})
		return serve(ctx, *listen, d.Handler(), out, d.Records)
	case "studio":
		s := NewStudio(Options{Key: *key, BridgeURL: *bridge, IdempotencyHeader: *once, Life: *life, Idle: *idle})
		defer s.Close()
		if *memory != "" {
			if err := s.Persist(*memory); err != nil {
				return err
			}
		}
		return serve(ctx, *listen, s.Handler(), out, s.Records)
	}
	return fmt.Errorf("-side %q is neither studio nor desk", *side)
}

// serve answers on an address until ctx ends.
func serve(ctx context.Context, address string, h http.Handler, out io.Writer, records func() []Record) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("listen for the simulated vonage: %w; mend: choose another -listen", err)
	}
	fmt.Fprintf(out, "simulated vonage listens on %s\n", l.Addr())
	server := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	go narrate(ctx, out, records)
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// narrate prints what arrives, as it arrives.
func narrate(ctx context.Context, out io.Writer, records func() []Record) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	told := 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		all := records()
		for _, r := range all[told:] {
			fmt.Fprintf(out, "simulated vonage: session %s: %s %q (answered %d)\n", r.Session, r.Endpoint, r.Shown, r.Status)
		}
		told = len(all)
	}
}
