package aiserasim_test

import (
	"testing"

	"github.com/footbridge/footbridge/adapters/aisera/aiserasim"
	"github.com/footbridge/footbridge/bridge/adapter/simvendor/simtest"
)

func TestSimulateRefusesAFlag(t *testing.T) {
	if why := simtest.Refused(t, aiserasim.Simulate, "-transport", "pigeon"); why != `-transport "pigeon" is neither socketio nor raw` {
		t.Error(why)
	}
}
