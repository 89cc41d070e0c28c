package engine_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/engine"
)

// calling lets an observer listen at an address with a fact of the conversation
// in it, and keeps what is dialled there.
func calling(r *rig, x *exchange) *[]string {
	var dialled []string
	x.dialling = func(d adapter.Dial) {
		if strings.Contains(d.URL, "assist") {
			dialled = append(dialled, strings.TrimPrefix(d.URL, "wss://assist.example/"))
		}
	}
	listening(r, event.KindHandoffAccepted, "wss://assist.example/{context.call}", "none")
	return &dialled
}

// refusedCalls are why observers did not begin, as people were told.
func (r *rig) refusedCalls() []string {
	var all []string
	for _, e := range r.disk.all() {
		if b, ok := e.Body.(event.ErrorReported); ok && b.Code == "observer_not_opened" {
			all = append(all, b.Detail)
		}
	}
	return all
}

// told is what an adapter emits that is told by its far side what to say: "facts
// ROLE CALL" which call it is, "a person" to ask for one.
func told(said string) []adapter.Emission {
	words := strings.Fields(said)
	switch {
	case said == "a person":
		return by(event.RoleVirtualAgent, event.HandoffRequested{})
	case len(words) == 3 && words[0] == "facts":
		return by(event.Role(strings.Trim(words[1], "-")), event.ContextUpdated{Attributes: map[string]string{"call": words[2]}})
	}
	return nil
}

// TestOnlyVouchedFactsFillAnAddress: which call an observer listens to is said by
// the business's own side; a customer's word for it counts where the route says so.
func TestOnlyVouchedFactsFillAnAddress(t *testing.T) {
	for name, c := range map[string]struct {
		said    []string // account: role, call
		trust   bool
		anybody bool // may speak as the virtual agent
		want    string
	}{
		"the customer":                              {said: []string{"studio: facts customer 1"}},
		"the customer, trusted":                     {said: []string{"studio: facts customer 1"}, trust: true, want: "1"},
		"the customer's far side for nobody":        {said: []string{"studio: facts - 1"}},
		"the customer through the virtual agent":    {said: []string{"brain: facts customer 1"}},
		"the virtual agent":                         {said: []string{"brain: facts virtual_agent 1"}, want: "1"},
		"the virtual agent, then the customer":      {said: []string{"brain: facts virtual_agent 1", "studio: facts customer 2"}, want: "1"},
		"the customer, then the virtual agent":      {said: []string{"studio: facts customer 1", "brain: facts virtual_agent 2"}, want: "2"},
		"the virtual agent, then trusted customers": {said: []string{"brain: facts virtual_agent 1", "studio: facts customer 2"}, trust: true, want: "2"},
		"whoever comes as the virtual agent":        {said: []string{"brain: facts virtual_agent 1"}, anybody: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, x := wiredRig(t)
				dialled := calling(r, x)
				r.hears("widget", told)
				r.hears("brain", told)
				r.setup.Routes[0].TrustCustomer = c.trust
				virtual := r.setup.Accounts["brain"]
				virtual.Anybody = c.anybody
				r.setup.Accounts["brain"] = virtual
				client := r.call()
				client.hear("hello")
				pass(time.Second)
				lines := map[string]*cable{"studio": client, "brain": x.last()}
				for _, one := range c.said {
					account, words, _ := strings.Cut(one, ": ")
					lines[account].hear(words)
					pass(time.Second)
				}
				lines["brain"].hear("a person")
				pass(time.Second)
				r.must(r.disk.conversations()[0], event.HandoffAccepted{})
				pass(time.Minute)
				same(t, "dialled", *dialled, strings.Fields(c.want))
				told := r.refusedCalls()
				if len(told) != 0 != (c.want == "") || c.want == "" && !strings.Contains(told[0], "trust_customer_attributes") {
					t.Errorf("people were told %q", told)
				}
			})
		})
	}
}

// TestOpeningsFactsAreItsOpeners: a business's program that opens a conversation
// vouches for its facts, a browser does not.
func TestOpeningsFactsAreItsOpeners(t *testing.T) {
	for _, vouched := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			r, x := wiredRig(t)
			dialled := calling(r, x)
			r.setup.Accounts["shop"] = engine.Account{Name: "shop", Adapter: engine.Native, Role: event.RoleCustomer}
			r.setup.Routes[0].Customer, r.setup.Routes[0].VirtualAgent = "shop", ""
			id, err := r.engine.Open(context.Background(), engine.Opening{Account: "shop", Attributes: map[string]string{"call": "1"}, Vouched: vouched})
			if err != nil {
				t.Fatal(err)
			}
			pass(time.Second)
			r.must(id, event.HandoffAccepted{})
			pass(time.Minute)
			same(t, "dialled", *dialled, map[bool][]string{true: {"1"}}[vouched])
		})
	}
}
