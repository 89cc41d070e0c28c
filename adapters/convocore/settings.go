package convocore

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// The defaults of settings.
const (
	defaultPath    = "/interact"
	defaultRegion  = "eu"
	defaultOrigin  = "web-chat"
	defaultWaiting = 60
	defaultLimit   = "90s"
)

func settingList() []adapter.Setting {
	client, agent := []event.Role{event.RoleCustomer}, []event.Role{event.RoleVirtualAgent}
	return []adapter.Setting{
		{Name: "agent_id", Type: "string", Example: "your-agent-id", Required: true, Roles: agent, Doc: "The agent that answers (agentId)."},
		{Name: "region", Type: "string", Default: defaultRegion, Values: []string{"eu", "na"}, Roles: agent,
			Doc: "The region of the workspace; it chooses the hosts and the bucket."},
		{Name: "base_url", Type: "string", Example: "https://eu-gcp-api.vg-stuff.com", Roles: agent,
			Doc: "Replaces the vendor's hosts everywhere; https stands for wss and http for ws."},
		{Name: "path", Type: "string", Default: defaultPath, Doc: "The path of the interact socket, ours or the vendor's."},
		{Name: "rest_url", Type: "string", Roles: agent, Doc: "Where the conversation's state is written. Default: base_url, else the vendor's edge of the region."},
		{Name: "bucket", Type: "string", Roles: agent, Doc: "Replaces the region's bucket: voiceglow-eu for eu, (default) for na."},
		{Name: "owner_id", Type: "string", Roles: agent, Doc: "Your own UID, sent as agentData.ownerID and userID. Left out when unset."},
		{Name: "origin", Type: "string", Default: defaultOrigin, Roles: agent, Doc: "lightConvoData.origin where the customer's channel names none."},
		{Name: "greet", Type: "boolean", Default: "true", Roles: agent, Doc: "Ask for the greeting (prompt start) when a conversation begins and the customer says nothing for a second."},
		{Name: "ui_engine", Type: "boolean", Default: "true", Doc: "Whether frames may hold buttons, cards and forms. false asks the agent for text alone (disableUiEngine); in the role customer everything goes as text."},
		{Name: "variables", Type: "boolean", Default: "false", Roles: agent, Doc: "Send the facts of the conversation's context as lightConvoData.capturedVariables."},
		{Name: "waiting", Type: "number", Default: "60", Roles: agent, Doc: "Seconds a handoff may wait for people where the vendor's payload has no timeout; 0 leaves it to the route."},
		{Name: "handoff_actions", Type: "list", Roles: agent, Doc: "More names of actions and tools that ask for people, beside request_handoff and its like."},
		{Name: "history", Type: "boolean", Default: "true", Roles: agent, Doc: "Pass sync_chat_history on as a transcript."},
		{Name: "rest", Type: "boolean", Default: "false", Roles: agent, Doc: "Keep the conversation's state at the vendor in step: requested_chat, human-chatting, ai-chatting, ended_chat."},
		{Name: "turn_limit", Type: "string", Default: defaultLimit, Doc: "How long a turn may be silent before its connection is closed."},
		{Name: "announce_handoff", Type: "boolean", Default: "true", Roles: client, Doc: "Tell the client by action request_handoff that people were asked for."},
	}
}

// settings are an account's, with the defaults filled in.
type settings struct {
	AgentID         string   `json:"agent_id"`
	Region          string   `json:"region"`
	BaseURL         string   `json:"base_url"`
	Path            string   `json:"path"`
	RestURL         string   `json:"rest_url"`
	Bucket          string   `json:"bucket"`
	OwnerID         string   `json:"owner_id"`
	Origin          string   `json:"origin"`
	Greet           *bool    `json:"greet"`
	UIEngine        *bool    `json:"ui_engine"`
	Variables       bool     `json:"variables"`
	Waiting         *int     `json:"waiting"`
	HandoffActions  []string `json:"handoff_actions"`
	History         *bool    `json:"history"`
	Rest            bool     `json:"rest"`
	TurnLimit       string   `json:"turn_limit"`
	AnnounceHandoff *bool    `json:"announce_handoff"`

	SocketURL string        `json:"-"`
	Limit     time.Duration `json:"-"`
}

func (s *settings) fill() {
	for _, d := range []struct {
		value *string
		other string
	}{{&s.Region, defaultRegion}, {&s.Path, defaultPath}, {&s.Origin, defaultOrigin}, {&s.TurnLimit, defaultLimit}} {
		*d.value = cmp.Or(*d.value, d.other)
	}
	s.BaseURL = strings.TrimRight(s.BaseURL, "/")
	s.SocketURL = "wss://" + s.Region + "-gcp-api.vg-stuff.com"
	if s.BaseURL != "" {
		s.SocketURL = "ws" + strings.TrimPrefix(s.BaseURL, "http")
		s.RestURL = cmp.Or(s.RestURL, s.BaseURL)
	}
	s.RestURL = strings.TrimRight(cmp.Or(s.RestURL, "https://"+s.Region+"-cloudflare.vg-stuff.com"), "/")
	s.Bucket = cmp.Or(s.Bucket, map[string]string{"eu": "voiceglow-eu", "na": "(default)"}[s.Region])
	for _, b := range []**bool{&s.Greet, &s.UIEngine, &s.History, &s.AnnounceHandoff} {
		if *b == nil {
			yes := true
			*b = &yes
		}
	}
	if s.Waiting == nil {
		waiting := defaultWaiting
		s.Waiting = &waiting
	}
	s.Limit, _ = time.ParseDuration(s.TurnLimit) // check has the error
}

func (s *settings) check() error {
	if s.BaseURL != "" {
		if _, err := codec.Address("base_url", s.BaseURL, "https", "http"); err != nil {
			return err
		}
	}
	switch {
	case !strings.HasPrefix(s.Path, "/") || strings.ContainsAny(s.Path, "{}?# "):
		return fmt.Errorf("setting path is %q: use a path such as /interact", s.Path)
	case *s.Waiting < 0:
		return fmt.Errorf("setting waiting is %d: use a number of seconds, 0 or more", *s.Waiting)
	case s.Limit <= 0:
		return fmt.Errorf("setting turn_limit is %q: use a time such as 90s", s.TurnLimit)
	}
	return nil
}

// hosts are those of the socket and of the state, once where they are one.
func (s *settings) hosts() ([]string, error) {
	socket, err := codec.Address("base_url", s.SocketURL, "wss", "ws")
	if err != nil {
		return nil, err
	}
	rest, err := codec.Address("rest_url", s.RestURL, "https", "http")
	if err != nil || rest.Host == socket.Host {
		return []string{socket.Host}, err
	}
	return []string{socket.Host, rest.Host}, nil
}

func settingsOf(tx *adapter.Tx) (settings, error) {
	var s settings
	err := tx.Settings(&s)
	s.fill()
	return s, err
}
