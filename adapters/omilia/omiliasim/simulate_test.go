package omiliasim_test

import (
	"flag"
	"io"
	"testing"

	"github.com/footbridge/footbridge/adapters/omilia/omiliasim"
)

func TestSimulateRefusesAFlag(t *testing.T) {
	f := flag.NewFlagSet("", flag.ContinueOnError)
	begin := omiliasim.Simulate(f)
	if err := f.Parse([]string{"-token-in", "pigeon"}); err != nil {
		t.Fatal(err)
	}
	if _, err := begin(t.Context(), io.Discard); err == nil || err.Error() != `-token-in "pigeon" is none of query, bearer and protocol` {
		t.Error(err)
	}
}
