// Package vonage translates Vonage AI Studio's Live Agent Routing and its HTTP
// agents, each from both its sides.
//
// In the role virtual_agent, mode routing, AI Studio holds the customer: it calls
// our start when its flow wants a person, our inbound with the customer's words
// and our status with receipts; we call its outbound and disconnect. In the role
// live_agent we are AI Studio to a server that was built for it: we call its
// start, inbound and status, and serve outbound and disconnect.
//
// In the role virtual_agent, mode agent, we are the client of an HTTP agent: we
// init a session and step it by socket or by request; start, inbound and status
// are served too, since AI Studio calls them for the sessions we began. In the
// role customer we are the HTTP agent to a client that was built for one: we
// serve init, step and the socket.
package vonage

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// textLimit is AI Studio's limit of one text.
const textLimit = 4096

// keyHeader is where AI Studio has its API key, and credential our name for it.
const (
	keyHeader  = "X-Vgai-Key"
	credential = "key"
)

// Definition is the whole adapter: serve runs it, adaptertest tests it.
func Definition() adapter.Definition {
	return adapter.Definition{
		Manifest:  manifest(),
		Configure: configure,
		Adapter: adapter.ByRole(map[event.Role]adapter.Adapter{
			event.RoleVirtualAgent: byMode{modeRouting: adapter.Func(handleRouting), modeAgent: adapter.Func(handleAgent)},
			event.RoleLiveAgent:    adapter.Func(handleDesk),
			event.RoleCustomer:     adapter.Func(handleClient),
		}),
		Unknown: words().Unknown,
	}
}

// byMode is the adapters of one role, by the setting mode.
type byMode map[string]adapter.Adapter

// Handle gives the turn to the mode's adapter.
func (m byMode) Handle(tx *adapter.Tx, in adapter.Input) error {
	set, err := settingsOf(tx)
	if err != nil {
		return err
	}
	a, ok := m[set.Mode]
	if !ok {
		return fmt.Errorf("mode %q is not served", set.Mode)
	}
	return a.Handle(tx, in)
}

func manifest() adapter.Manifest {
	return adapter.Manifest{
		Name: "vonage", Title: "Vonage AI Studio", Version: "1.1.0", StateVersion: 1,
		Roles: []event.Role{event.RoleCustomer, event.RoleVirtualAgent, event.RoleLiveAgent},
		FarSides: map[event.Role]string{
			event.RoleCustomer:     "a client of the HTTP agent API (init, step, WebSocket), which talks to us as to AI Studio",
			event.RoleVirtualAgent: "mode `routing`: the Live Agent Routing node, which holds the customer; mode `agent`: an HTTP agent, by WebSocket or by HTTP step",
			event.RoleLiveAgent:    "a live-agent server built for AI Studio; we play AI Studio towards it",
		},
		Settings: append(append(commonSettings(), deskSettings()...), append(agentSettings(), clientSettings()...)...),
		Credentials: []adapter.Credential{{Name: credential, Required: true,
			Doc: "The AI Studio API key (X-Vgai-Key). In the roles live_agent and customer: the key the far side must send us."}},
		Samples: []adapter.Sample{
			{Tag: "init", Status: 200, Body: json.RawMessage(`{"session_id":"11111111-2222-4333-8444-555555555555",` +
				`"session_start_time":"2026-01-05T10:00:00.000000","session_expiration_time":"2026-01-06T10:00:00.000Z","session_token":"sample"}`)},
			{Tag: "step", Status: 200, Body: json.RawMessage(`{"messages":[],"session_status":"AWAITING_INPUT"}`)},
		},
	}
}

func configure(a adapter.Account) (adapter.Profile, error) {
	var s settings
	if err := manifest().ReadSettings(a, &s); err != nil {
		return adapter.Profile{}, err
	}
	s.fill(a.Role)
	if err := s.check(); err != nil {
		return adapter.Profile{}, err
	}
	switch {
	case a.Role == event.RoleVirtualAgent && s.Mode == modeAgent:
		return agentProfile(s)
	case a.Role == event.RoleVirtualAgent:
		return routingProfile(s)
	case a.Role == event.RoleLiveAgent:
		return deskProfile(s)
	default:
		return clientProfile(s)
	}
}

// hostsOf lists the hosts of http addresses, each once, by their settings.
func hostsOf(addresses ...[2]string) ([]string, error) {
	var hosts []string
	for _, a := range addresses {
		u, err := codec.Address(a[0], a[1], "https", "http")
		if err != nil {
			return nil, err
		}
		if !slices.Contains(hosts, u.Host) {
			hosts = append(hosts, u.Host)
		}
	}
	return hosts, nil
}

// levels says what AI Studio's protocol carries, the same from both sides.
func levels(channel string) adapter.Levels {
	media := adapter.Partial // WhatsApp's own list of formats
	if channel == "http" {
		media = adapter.Fallback
	}
	return adapter.Levels{
		Content: map[string]adapter.Level{"text": adapter.Full, "media": media},
		MaxText: textLimit,
		Typing:  adapter.Dropped, Receipts: adapter.Partial, Partials: adapter.Fallback,
		Transcript: adapter.Full, QueuePosition: adapter.Fallback, CustomerEnd: adapter.Fallback,
		Push: adapter.PushCall,
	}
}
