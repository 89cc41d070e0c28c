package vonagesim_test

import (
	"testing"

	"github.com/footbridge/footbridge/adapters/vonage/vonagesim"
	"github.com/footbridge/footbridge/bridge/adapter/simvendor/simtest"
)

func TestSimulateRefusesAFlag(t *testing.T) {
	if why := simtest.Refused(t, vonagesim.Simulate, "-side", "pigeon"); why != `-side "pigeon" is neither studio nor desk` {
		t.Error(why)
	}
}
