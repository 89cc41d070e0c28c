package omiliasim_test

import (
	"testing"

	"github.com/footbridge/footbridge/adapters/omilia/omiliasim"
	"github.com/footbridge/footbridge/bridge/adapter/simvendor/simtest"
)

func TestSimulateRefusesAFlag(t *testing.T) {
	if why := simtest.Refused(t, omiliasim.Simulate, "-token-in", "pigeon"); why != `-token-in "pigeon" is none of query, bearer and protocol` {
		t.Error(why)
	}
}
