package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestSimulatorsServeAndEnd(t *testing.T) {
	for name, vendor := range simulators() {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			read, write := io.Pipe()
			ended := make(chan error, 1)
			go func() { ended <- simulate(ctx, name, vendor, []string{"-listen", "127.0.0.1:0"}, write) }()
			buffer := make([]byte, 200)
			n, err := read.Read(buffer)
			said, found := strings.CutPrefix(strings.TrimSpace(string(buffer[:n])), "simulated "+name+" listens on ")
			if err != nil || !found {
				t.Fatalf("it says %q, %v", buffer[:n], err)
			}
			resp, err := http.Get("http://" + said + "/nothing")
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			cancel()
			select {
			case err := <-ended:
				if err != nil {
					t.Error(err)
				}
			case <-time.After(patience):
				t.Error("it goes on after its end")
			}
		})
	}
}

func TestSimulatorsRefuse(t *testing.T) {
	over, cancel := context.WithCancel(t.Context())
	cancel() // what is not refused ends at once
	for name, vendor := range simulators() {
		var out bytes.Buffer
		if err := simulate(over, name, vendor, []string{"-h"}, &out); !errors.Is(err, flag.ErrHelp) ||
			!strings.HasPrefix(out.String(), "Usage of "+name+":") || !strings.Contains(out.String(), "address to serve (default \"127.0.0.1:809") {
			t.Errorf("%s -h: %v: %s", name, err, &out)
		}
		if err := simulate(over, name, vendor, []string{"-listen", "nowhere"}, &out); err == nil ||
			!strings.HasPrefix(err.Error(), "listen for the simulated "+name) || !strings.HasSuffix(err.Error(), "mend: choose another -listen") {
			t.Errorf("%s at a bad address: %v", name, err)
		}
	}
}
