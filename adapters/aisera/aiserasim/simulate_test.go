package aiserasim_test

import (
	"flag"
	"io"
	"testing"

	"github.com/footbridge/footbridge/adapters/aisera/aiserasim"
)

func TestSimulateRefusesAFlag(t *testing.T) {
	f := flag.NewFlagSet("", flag.ContinueOnError)
	begin := aiserasim.Simulate(f)
	if err := f.Parse([]string{"-transport", "pigeon"}); err != nil {
		t.Fatal(err)
	}
	if _, err := begin(t.Context(), io.Discard); err == nil || err.Error() != `-transport "pigeon" is neither socketio nor raw` {
		t.Error(err)
	}
}
