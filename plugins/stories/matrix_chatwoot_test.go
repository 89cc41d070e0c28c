package stories

import (
	"testing"

	"github.com/footbridge/footbridge/adapters/chatwoot/chatwootsim"
	"github.com/footbridge/footbridge/bridge/adapter/simvendor"
)

// wootDesk is a Chatwoot whose people are asked as they are found.
func wootDesk(t *testing.T) vendorDesk {
	woot, address := newWoot(t, chatwootsim.Options{})
	return vendorDesk{Desk: woot.Desk(), account: account("chatwoot", chatwoot, "live_agent", at(address)), address: address, longest: 150_000,
		tells: func(inbound string) {
			woot.Tells(inbound + "/webhook")
			woot.Trouble(simvendor.Trouble{Twice: true})
		}}
}
