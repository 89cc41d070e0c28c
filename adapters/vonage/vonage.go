// Package vonage translates Vonage AI Studio's Live Agent Routing, from both its
// sides.
//
// In the role virtual_agent, mode routing, AI Studio holds the customer: it calls
// our start when its flow wants a person, our inbound with the customer's words
// and our status with receipts; we call its outbound and disconnect. In the role
// live_agent we are AI Studio to a server that was built for it: we call its
// start, inbound and status, and serve outbound and disconnect.
package vonage

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
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
			event.RoleVirtualAgent: adapter.Func(handleRouting),
			event.RoleLiveAgent:    adapter.Func(handleDesk),
		}),
	}
}

func manifest() adapter.Manifest {
	studio, desk := []event.Role{event.RoleVirtualAgent}, []event.Role{event.RoleLiveAgent}
	return adapter.Manifest{
		Name: "vonage", Title: "Vonage AI Studio", Version: "1.0.0", StateVersion: 1,
		Roles: []event.Role{event.RoleVirtualAgent, event.RoleLiveAgent},
		Settings: []adapter.Setting{
			{Name: "mode", Type: "string", Default: "routing", Values: []string{"routing"}, Roles: studio,
				Doc: "How AI Studio is reached. routing: a Live Agent Routing node calls our start, inbound and status."},
			{Name: "region", Type: "string", Default: "eu", Values: []string{"eu", "us", "ap"}, Roles: studio,
				Doc: "The region of the AI Studio account; it chooses the host our calls go to."},
			{Name: "base_url", Type: "string", Example: "https://desk.example",
				Doc: "Replaces the vendor's host everywhere. In the role live_agent: the server whose /start, /inbound and /status are called."},
			{Name: "channel", Type: "string", Default: "whatsapp", Values: []string{"whatsapp", "http"},
				Doc: "The channel of the agent. Only whatsapp carries media; on http a file becomes a link."},
			{Name: "idempotency_header", Type: "string", Example: "Idempotency-Key",
				Doc: "A header the far side is known to recognise repeats by. When set, every call carries the event's id in it and is repeated freely."},
			{Name: "retry_within", Type: "string", Default: defaultRetry, Roles: studio,
				Doc: "How long after its start was lost in a restart of the bridge AI Studio may ask again. Then the hand-off is withdrawn."},
			{Name: "start_url", Type: "string", Roles: desk, Doc: "The server's Start connection EP, kept with its query. Default: base_url + /start."},
			{Name: "inbound_url", Type: "string", Roles: desk, Doc: "The server's Inbound transfer EP, kept with its query. Default: base_url + /inbound."},
			{Name: "status_url", Type: "string", Roles: desk, Doc: "The server's Status delivery EP, kept with its query. Default: base_url + /status."},
			{Name: "agent_phone", Type: "string", Example: "447700900001", Roles: desk, Doc: "The business's own number, given to the server as AGENT_PHONE_NUMBER."},
			{Name: "ended_text", Type: "string", Default: defaultEnded, Roles: desk,
				Doc: "What the server's agent is told when the customer is gone; the protocol has no frame for it."},
		},
		Credentials: []adapter.Credential{{Name: credential, Required: true,
			Doc: "The AI Studio API key (X-Vgai-Key). In the role live_agent: the key the server must send us."}},
	}
}

const (
	defaultEnded = "The customer has left the conversation."
	defaultRetry = "60s"
)

// settings are an account's, with the defaults filled in.
type settings struct {
	Mode              string `json:"mode"`
	Region            string `json:"region"`
	BaseURL           string `json:"base_url"`
	Channel           string `json:"channel"`
	IdempotencyHeader string `json:"idempotency_header"`
	RetryWithin       string `json:"retry_within"`
	StartURL          string `json:"start_url"`
	InboundURL        string `json:"inbound_url"`
	StatusURL         string `json:"status_url"`
	AgentPhone        string `json:"agent_phone"`
	EndedText         string `json:"ended_text"`
}

func (s *settings) fill(role event.Role) {
	s.Mode = orElse(s.Mode, "routing")
	s.Region = orElse(s.Region, "eu")
	s.Channel = orElse(s.Channel, "whatsapp")
	s.EndedText = orElse(s.EndedText, defaultEnded)
	s.RetryWithin = orElse(s.RetryWithin, defaultRetry)
	s.BaseURL = strings.TrimRight(s.BaseURL, "/")
	if role == event.RoleVirtualAgent {
		s.BaseURL = orElse(s.BaseURL, "https://studio-api-"+s.Region+".ai.vonage.com")
		return
	}
	if s.BaseURL != "" {
		s.StartURL = orElse(s.StartURL, s.BaseURL+"/start")
		s.InboundURL = orElse(s.InboundURL, s.BaseURL+"/inbound")
		s.StatusURL = orElse(s.StatusURL, s.BaseURL+"/status")
	}
}

func settingsOf(tx *adapter.Tx) (settings, error) {
	var s settings
	err := tx.Settings(&s)
	s.fill(tx.Role())
	return s, err
}

func configure(a adapter.Account) (adapter.Profile, error) {
	var s settings
	if len(a.Settings) > 0 {
		if err := json.Unmarshal(a.Settings, &s); err != nil {
			return adapter.Profile{}, fmt.Errorf("read settings: %w", err)
		}
	}
	s.fill(a.Role)
	if err := s.check(); err != nil {
		return adapter.Profile{}, err
	}
	switch a.Role {
	case event.RoleVirtualAgent:
		return routingProfile(s)
	case event.RoleLiveAgent:
		return deskProfile(s)
	}
	return adapter.Profile{}, fmt.Errorf("role %s is not served: use virtual_agent or live_agent", a.Role)
}

func (s *settings) check() error {
	for _, c := range []struct {
		name, value string
		allowed     []string
	}{
		{"mode", s.Mode, []string{"routing"}},
		{"region", s.Region, []string{"eu", "us", "ap"}},
		{"channel", s.Channel, []string{"whatsapp", "http"}},
	} {
		if !slices.Contains(c.allowed, c.value) {
			return fmt.Errorf("setting %s is %q: use one of %s", c.name, c.value, strings.Join(c.allowed, ", "))
		}
	}
	if d, err := time.ParseDuration(s.RetryWithin); err != nil || d < 0 {
		return fmt.Errorf("setting retry_within is %q: use a time such as 60s", s.RetryWithin)
	}
	if strings.ContainsAny(s.IdempotencyHeader, " :\r\n") {
		return fmt.Errorf("setting idempotency_header is %q: use the name of a header", s.IdempotencyHeader)
	}
	return nil
}

// hostsOf lists the hosts of addresses, each once; an address that is no
// absolute http address is an error naming its setting.
func hostsOf(addresses ...[2]string) ([]string, error) {
	var hosts []string
	for _, a := range addresses {
		u, err := url.Parse(a[1])
		if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") || u.User != nil {
			return nil, fmt.Errorf("setting %s is %q: use an address such as https://host/path", a[0], a[1])
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

func orElse(value, other string) string {
	if value == "" {
		return other
	}
	return value
}
