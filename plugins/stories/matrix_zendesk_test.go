package stories

import (
	"testing"
	"time"

	"github.com/footbridge/footbridge/adapters/zendesk/zendesksim"
	"github.com/footbridge/footbridge/bridge/adapter/simvendor"
)

// zenDesk is a Zendesk whose tickets have the facts of a cell.
func zenDesk(t *testing.T) vendorDesk {
	s, address := newZen(t, zendesksim.Options{Secret: zenHook, Integration: "footbridge", Backoff: 100 * time.Millisecond})
	fields := `fields = ["cell=dataCapture.ticketField.cell", "call_id=dataCapture.ticketField.call"]`
	return vendorDesk{Desk: s.Desk(), account: account("zendesk", zendesk, "live_agent", at(address), fields), address: address, longest: 4096, oneWay: true,
		tells: func(inbound string) {
			s.Tells(inbound + "/webhook")
			s.Trouble(simvendor.Trouble{Twice: true})
		}}
}
