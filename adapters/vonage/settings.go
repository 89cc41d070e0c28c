package vonage

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

// The modes of the role virtual_agent.
const (
	modeRouting = "routing" // AI Studio holds the customer
	modeAgent   = "agent"   // we hold the customer and are an HTTP agent's client
)

// How mode agent steps its session.
const (
	stepSocket = "socket"
	stepHTTP   = "http"
)

const (
	defaultEnded = "The customer has left the conversation."
	defaultRetry = "60s"
	defaultPlace = "query:token"
	defaultWait  = "20s"
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
	AgentID           string `json:"agent_id"`
	Step              string `json:"step"`
	SocketHost        string `json:"socket_host"`
	SocketToken       string `json:"socket_token"`
	Greeting          string `json:"greeting"`
	OnEnd             string `json:"on_end"`
	HandoffMarker     string `json:"handoff_marker"`
	HandoffParameter  string `json:"handoff_parameter"`
	StepWait          string `json:"step_wait"`
}

func commonSettings() []adapter.Setting {
	studio := []event.Role{event.RoleVirtualAgent}
	phones := []event.Role{event.RoleVirtualAgent, event.RoleLiveAgent}
	return []adapter.Setting{
		{Name: "mode", Type: "string", Default: modeRouting, Values: []string{modeRouting, modeAgent}, Roles: studio,
			Doc: "How AI Studio is reached. routing: a Live Agent Routing node calls our start, inbound and status. agent: we are the client of an HTTP agent; its Live Agent Routing node calls the same three."},
		{Name: "region", Type: "string", Default: "eu", Values: []string{"eu", "us", "ap"}, Roles: studio,
			Doc: "The region of the AI Studio account; it chooses the hosts we call."},
		{Name: "base_url", Type: "string", Example: "https://desk.example", Roles: phones,
			Doc: "Replaces the vendor's host everywhere. In the role live_agent: the server whose /start, /inbound and /status are called."},
		{Name: "channel", Type: "string", Default: "whatsapp", Values: []string{"whatsapp", "http"}, Roles: phones,
			Doc: "The channel of the agent. Only whatsapp carries media; on http a file becomes a link."},
		{Name: "idempotency_header", Type: "string", Example: "Idempotency-Key", Roles: phones,
			Doc: "A header the far side is known to recognise repeats by. When set, every call carries the event's id in it and is repeated freely."},
		{Name: "retry_within", Type: "string", Default: defaultRetry, Roles: studio,
			Doc: "How long after its start was lost in a restart of the bridge AI Studio may ask again. Then the hand-off is withdrawn."},
	}
}

func deskSettings() []adapter.Setting {
	desk := []event.Role{event.RoleLiveAgent}
	return []adapter.Setting{
		{Name: "start_url", Type: "string", Roles: desk, Doc: "The server's Start connection EP, kept with its query. Default: base_url + /start."},
		{Name: "inbound_url", Type: "string", Roles: desk, Doc: "The server's Inbound transfer EP, kept with its query. Default: base_url + /inbound."},
		{Name: "status_url", Type: "string", Roles: desk, Doc: "The server's Status delivery EP, kept with its query. Default: base_url + /status."},
		{Name: "agent_phone", Type: "string", Example: "447700900001", Roles: desk, Doc: "The business's own number, given to the server as AGENT_PHONE_NUMBER."},
		{Name: "ended_text", Type: "string", Default: defaultEnded, Roles: desk,
			Doc: "What the server's agent is told when the customer is gone; the protocol has no frame for it."},
	}
}

func agentSettings() []adapter.Setting {
	studio := []event.Role{event.RoleVirtualAgent}
	return []adapter.Setting{
		{Name: "agent_id", Type: "string", Example: "6501fa2b6ae1a7b1c2d3e4f5", Roles: studio, Doc: "Mode agent: the id of the HTTP agent. Required there."},
		{Name: "step", Type: "string", Default: stepSocket, Values: []string{stepSocket, stepHTTP}, Roles: studio,
			Doc: "Mode agent: how the session is stepped. By http alone the vendor routes to no live agents: then handoff_marker, handoff_parameter or on_end ask for them."},
		{Name: "socket_host", Type: "string", Example: "http-sockets-eu-central-1.ai.vonage.com", Roles: studio,
			Doc: "Mode agent: the host, or the whole ws:// or wss:// address, of the socket. Default: the region's; region ap has none that is known. With base_url: its host and /ws."},
		{Name: "socket_token", Type: "string", Default: defaultPlace, Example: defaultPlace, Roles: studio,
			Doc: "Mode agent: where the socket's token goes: query:NAME, bearer, protocol, or frame:NAME (a field of the first frame)."},
		{Name: "greeting", Type: "string", Default: "step", Values: []string{"step", "none"}, Roles: studio,
			Doc: "Mode agent: step fetches the agent's first words with an empty input; none waits for the customer's."},
		{Name: "on_end", Type: "string", Default: "end", Values: []string{"end", "handoff"}, Roles: studio,
			Doc: "Mode agent: what the flow's end is: the end of the conversation, or a request for a live agent."},
		{Name: "handoff_marker", Type: "string", Example: "#live-agent#", Roles: studio,
			Doc: "Mode agent: words of the agent that ask for a live agent. They are taken out of the text."},
		{Name: "handoff_parameter", Type: "string", Example: "live_agent=yes", Roles: studio,
			Doc: "Mode agent: a parameter in a step's answer that asks for a live agent, NAME or NAME=VALUE."},
	}
}

func clientSettings() []adapter.Setting {
	return []adapter.Setting{
		{Name: "step_wait", Type: "string", Default: defaultWait, Roles: []event.Role{event.RoleCustomer},
			Doc: "How long a step may wait for its answer, at most 2m. Then it is answered with what there is, and the rest comes with the next."},
	}
}

func (s *settings) fill(role event.Role) {
	s.Mode = cmp.Or(s.Mode, modeRouting)
	s.Region = cmp.Or(s.Region, "eu")
	s.Channel = cmp.Or(s.Channel, "whatsapp")
	s.EndedText = cmp.Or(s.EndedText, defaultEnded)
	s.RetryWithin = cmp.Or(s.RetryWithin, defaultRetry)
	s.Step = cmp.Or(s.Step, stepSocket)
	s.SocketToken = cmp.Or(s.SocketToken, defaultPlace)
	s.Greeting = cmp.Or(s.Greeting, "step")
	s.OnEnd = cmp.Or(s.OnEnd, "end")
	s.StepWait = cmp.Or(s.StepWait, defaultWait)
	s.BaseURL = strings.TrimRight(s.BaseURL, "/")
	s.fillAddresses(role)
}

func (s *settings) fillAddresses(role event.Role) {
	switch {
	case role == event.RoleVirtualAgent:
		s.SocketHost = socketAddress(s.SocketHost, s.BaseURL, s.Region)
		s.BaseURL = cmp.Or(s.BaseURL, "https://studio-api-"+s.Region+".ai.vonage.com")
	case s.BaseURL != "":
		s.StartURL = cmp.Or(s.StartURL, s.BaseURL+"/start")
		s.InboundURL = cmp.Or(s.InboundURL, s.BaseURL+"/inbound")
		s.StatusURL = cmp.Or(s.StatusURL, s.BaseURL+"/status")
	}
}

// socketAddress is the socket's whole address, or "" where none is known.
func socketAddress(host, base, region string) string {
	switch {
	case strings.Contains(host, "://"):
		return host
	case host != "":
		return "wss://" + host
	case base != "":
		return strings.Replace(base, "http", "ws", 1) + "/ws"
	case region == "eu":
		return "wss://http-sockets-eu-central-1.ai.vonage.com"
	case region == "us":
		return "wss://http-sockets-us-east-1.ai.vonage.com"
	}
	return ""
}

func settingsOf(tx *adapter.Tx) (settings, error) {
	var s settings
	err := tx.Settings(&s)
	s.fill(tx.Role())
	return s, err
}

// check holds what has a form of its own against it.
func (s *settings) check() error {
	if d, err := time.ParseDuration(s.RetryWithin); err != nil || d < 0 {
		return fmt.Errorf("setting retry_within is %q: use a time such as 60s", s.RetryWithin)
	}
	if d, err := time.ParseDuration(s.StepWait); err != nil || d <= 0 || d > 2*time.Minute {
		return fmt.Errorf("setting step_wait is %q: use a time such as 20s, at most 2m", s.StepWait)
	}
	if strings.ContainsAny(s.IdempotencyHeader, " :\r\n") {
		return fmt.Errorf("setting idempotency_header is %q: use the name of a header", s.IdempotencyHeader)
	}
	if _, name := s.tokenPlace(); name == "" {
		return fmt.Errorf("setting socket_token is %q: use query:NAME, bearer, protocol or frame:NAME", s.SocketToken)
	}
	return nil
}

// tokenPlace is where a socket's token goes, and the name it has there; the name
// is "" for a place that is none.
func (s *settings) tokenPlace() (place, name string) {
	place, name, _ = strings.Cut(s.SocketToken, ":")
	switch {
	case s.SocketToken == "bearer", s.SocketToken == "protocol":
		return place, place
	case place != "query" && place != "frame", strings.ContainsAny(name, " &=?#/\r\n\""):
		return place, ""
	}
	return place, name
}
