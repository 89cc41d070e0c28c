package stories

import (
	"testing"

	"github.com/footbridge/footbridge/adapters/libredesk/libredesksim"
	"github.com/footbridge/footbridge/bridge/adapter/simvendor"
)

// libreDesk is a Libredesk that asks who was resolved how it was.
func libreDesk(t *testing.T) vendorDesk {
	s := libredesksim.NewServer(libredesksim.Options{APIKey: libreKey, APISecret: libreSecret,
		InboxUUID: "8f1c3a52-5b1f-4c4e-9d3c-5f6f5b1f2a01", InboxSecret: libreInbox, CSAT: true})
	t.Cleanup(s.Close)
	address := serve(t, s.Handler())
	t.Cleanup(func() {
		if p := s.Problems(); len(p) > 0 {
			t.Errorf("Libredesk wonders: %q", p)
		}
	})
	return vendorDesk{Desk: s.Desk(), account: account("libredesk", libredesk, "live_agent", at(address)), address: address, longest: 10_000,
		tells: func(inbound string) {
			s.AddWebhook(inbound+"/webhook", libreHook, libredesksim.Events()...)
			s.Trouble(simvendor.Trouble{Twice: true})
		}}
}
