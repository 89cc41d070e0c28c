package vonage

import (
	"fmt"
	"net/http"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
)

func agentProfile(s settings) (adapter.Profile, error) {
	if s.AgentID == "" {
		return adapter.Profile{}, fmt.Errorf("setting agent_id is missing: set it to the id of the HTTP agent")
	}
	hosts, err := agentHosts(s)
	if err != nil {
		return adapter.Profile{}, err
	}
	retry, err := time.ParseDuration(s.RetryWithin)
	if err != nil {
		return adapter.Profile{}, fmt.Errorf("setting retry_within: %w", err)
	}
	push := map[string]string{stepSocket: adapter.PushSocket, stepHTTP: adapter.PushCall}[s.Step]
	return adapter.Profile{
		Hosts: hosts, Endpoints: routingEndpoints(adapter.UnknownWait, adapter.UnknownWait), RetryWithin: retry,
		Levels: adapter.Levels{
			Content: map[string]adapter.Level{"text": adapter.Full, "media": adapter.Fallback},
			Typing:  adapter.Dropped, Receipts: adapter.Dropped, Partials: adapter.Fallback, Transcript: adapter.Partial,
			QueuePosition: adapter.Dropped, CustomerEnd: adapter.Dropped, Push: push},
		Assumptions: agentAssumptions(s),
	}, nil
}

// agentHosts are the hosts of an HTTP agent: of its requests and of its socket.
func agentHosts(s settings) ([]string, error) {
	hosts, err := hostsOf([2]string{"base_url", s.BaseURL})
	switch {
	case err != nil || s.Step != stepSocket:
		return hosts, err
	case s.SocketHost == "":
		return nil, fmt.Errorf("setting socket_host is missing: region %s has no socket host that is known", s.Region)
	}
	u, err := codec.Address("socket_host", s.SocketHost, "wss", "ws")
	if err != nil || u.Host == hosts[0] {
		return hosts, err
	}
	return append(hosts, u.Host), nil
}

func agentAssumptions(s settings) []string {
	list := []string{
		"init: without a readable session_expiration_time a session lasts 24 h",
		"init: 401, 403, 404 or 410 to a step or to the socket says the session is over, and a new one is begun",
		"step: an empty input fetches the agent's first words (setting greeting)",
		"step: session_status ENDED ends the conversation (setting on_end), any other word does not",
		"start: for a session we began it is a request for a live agent; its own transcript is not needed",
		"inbound and status: for a session we began they hold nothing new",
		"handoff: a start is full; a marker, a parameter or the flow's end is a fallback the flow's author must build",
	}
	if s.Step == stepHTTP {
		return append(list, "step http: the vendor routes to live agents over the socket only, so start never comes")
	}
	return append(list,
		"socket: the token goes where setting socket_token says",
		"socket: its frames are the answers to steps, lists of messages, or messages, also in the form of outbound",
		"socket: a frame with connectionId and requestId and no text is an error",
		"socket: a step in a message of its own needs no answer before the next")
}

func clientProfile(s settings) (adapter.Profile, error) {
	wait, err := time.ParseDuration(s.StepWait)
	if err != nil {
		return adapter.Profile{}, fmt.Errorf("setting step_wait: %w", err)
	}
	const minted = "minted:session"
	unauthorized := nestError(http.StatusUnauthorized, "Unauthorized")
	initial := adapter.Endpoint{Name: "init", Method: http.MethodPost, Path: "/http/init", Answer: adapter.AnswerReply,
		Key: "new", Unknown: adapter.UnknownOpen, Auth: "header:" + keyHeader + "=" + credential,
		Failure: nestError(http.StatusServiceUnavailable, "No session can be begun"), Unauthorized: unauthorized}
	step := adapter.Endpoint{Name: "step", Method: http.MethodPost, Path: "/http/{session}/step", Answer: adapter.AnswerReply,
		Key: "path:session", Unknown: adapter.UnknownRefuse, Refusal: noSession(), Within: wait + 5*time.Second,
		Auth: minted, Tokens: []string{"bearer"}, Failure: nestError(http.StatusServiceUnavailable, "No answer"), Unauthorized: unauthorized}
	socket := adapter.Endpoint{Name: "ws", Method: http.MethodGet, Path: "/ws", Transport: adapter.TransportWebSocket,
		Key: "token", Unknown: adapter.UnknownRefuse, Refusal: noSession(), Auth: minted, Tokens: socketTokens(), Unauthorized: unauthorized}
	return adapter.Profile{
		Endpoints: []adapter.Endpoint{initial, step, socket},
		Levels: adapter.Levels{
			Content: map[string]adapter.Level{"text": adapter.Full, "media": adapter.Fallback},
			Typing:  adapter.Dropped, Receipts: adapter.Dropped, Partials: adapter.Fallback, Transcript: adapter.Dropped,
			QueuePosition: adapter.Fallback, CustomerEnd: adapter.Dropped, Push: adapter.PushSocket},
		Assumptions: []string{
			"init: the body's agent_id is told and not checked",
			"step: what is said while no step waits and no socket is open comes with the next step",
			"step: one without input, as clients send to fetch the first words, waits 5 s at most",
			"step: an answer that takes longer than setting step_wait comes in parts",
			"socket: the token is where one of many clients may put it: bearer, query, sub-protocol or first frame",
			"socket: each message goes out in the form of a step's answer",
			"socket: without a message in either direction for 10 minutes it is closed with 1001",
		},
	}, nil
}

// socketTokens are the places clients may have the socket's token in.
func socketTokens() []string {
	return []string{"bearer", "query:token", "query:session_token", "query:sessionToken", "query:access_token", "protocol",
		"frame:/token", "frame:/session_token", "frame:/sessionToken", "frame:/access_token"}
}
