package vonagesim_test

import (
	"flag"
	"io"
	"testing"

	"github.com/footbridge/footbridge/adapters/vonage/vonagesim"
)

func TestSimulateRefusesAFlag(t *testing.T) {
	f := flag.NewFlagSet("", flag.ContinueOnError)
	begin := vonagesim.Simulate(f)
	if err := f.Parse([]string{"-side", "pigeon"}); err != nil {
		t.Fatal(err)
	}
	if _, err := begin(t.Context(), io.Discard); err == nil || err.Error() != `-side "pigeon" is neither studio nor desk` {
		t.Error(err)
	}
}
