package stories

import (
	"testing"

	"github.com/footbridge/footbridge/adapters/libredesk/libredesksim"
	"github.com/footbridge/footbridge/bridge/adapter/simvendor"
)

// libreDesk is a Libredesk that asks who was resolved how it was.
func libreDesk(t *testing.T) vendorDesk {
	s, address := newLibre(t, libredesksim.Options{CSAT: true})
	return vendorDesk{Desk: s.Desk(), account: account("libredesk", libredesk, "live_agent", at(address)), address: address, longest: 10_000,
		tells: func(inbound string) {
			s.AddWebhook(inbound+"/webhook", libreHook, libredesksim.Events()...)
			s.Trouble(simvendor.Trouble{Twice: true})
		}}
}
