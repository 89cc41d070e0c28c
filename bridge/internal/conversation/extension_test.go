package conversation_test

import (
	"slices"
	"testing"

	"github.com/footbridge/footbridge/bridge/event"
)

// TestExtensionsReachTheirOwnVendor: what one end of a vendor's protocol says, the
// other is given if it has a frame for it and the virtual agent has the
// conversation; nobody else is.
func TestExtensionsReachTheirOwnVendor(t *testing.T) {
	for _, c := range []struct {
		shows  string
		people bool
		leg    string
		actor  event.Role
		want   []string
	}{
		{"acme/flow", false, "va", event.RoleVirtualAgent, []string{"cust"}},
		{"acme/flow", false, "cust", event.RoleCustomer, []string{"va"}},
		{"acme/other", false, "va", event.RoleVirtualAgent, nil},
		{"other/flow", false, "va", event.RoleVirtualAgent, nil},
		{"", false, "cust", event.RoleCustomer, nil},
		{"acme/flow", false, "va", event.RoleSystem, nil},
		{"acme/flow", true, "va", event.RoleVirtualAgent, nil},
		{"acme/flow", true, "cust", event.RoleCustomer, nil},
	} {
		k := begin(t, bridgeBetween)
		for i := range k.s.Legs {
			if c.shows != "" {
				k.s.Legs[i].Shows = []string{"acme/beside", c.shows}
			}
		}
		if c.people {
			c.want = []string{k.handoff()}
		}
		step := k.do(c.leg, by(c.actor), event.Extension{Vendor: "acme", Name: "flow"})
		if to := step.Drafts[0].To; !slices.Equal(to, c.want) {
			t.Errorf("%+v: it goes to %q", c, to)
		}
	}
}
