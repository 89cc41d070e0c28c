package convocoresim

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// told bounds one post of the webhook: the vendor waits 60 s for a 200 (events).
const told = time.Minute

// setState is POST /agents/{agentId}/interact/{userId}/state, which sets the
// state and who the customer is (openapi).
func (s *Server) setState(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Metadata struct {
			State          string `json:"state"`
			ChatAssignedTo string `json:"chatAssignedTo"`
		} `json:"metadata"`
	}
	if !s.admitted(w, r) || !read(w, r, &body) {
		return
	}
	answer(w, http.StatusOK, map[string]any{"success": true})
	_ = http.NewResponseController(w).Flush()
	if body.Metadata.State != "" {
		_, _ = s.become(r.PathValue("convo"), body.Metadata.State, body.Metadata.ChatAssignedTo)
	}
}

// appendMessages is POST /agents/{agentId}/interact/{userId}, which adds messages
// without an answer (openapi). Without them it answers 200 with a fault inside
// (log).
func (s *Server) appendMessages(w http.ResponseWriter, r *http.Request) {
	var body struct {
		AppendMessages []Message `json:"appendMessages"`
	}
	if !s.admitted(w, r) || !read(w, r, &body) {
		return
	}
	if len(body.AppendMessages) == 0 {
		answer(w, http.StatusOK, map[string]any{"error": "TypeError: Cannot read properties of undefined (reading 'map')"})
		return
	}
	s.mu.Lock()
	k := s.of(r.PathValue("convo"))
	for _, m := range body.AppendMessages {
		k.turns = append(k.turns, Turn{From: m.From, TS: m.TS, Messages: []Message{m}})
	}
	s.mu.Unlock()
	answer(w, http.StatusOK, map[string]any{"success": true})
}

// read decodes a body of at most 1 MiB, or answers 400 in the vendor's form.
func read(w http.ResponseWriter, r *http.Request, into any) bool {
	if err := json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(into); err != nil {
		answer(w, http.StatusBadRequest, map[string]string{"code": "BAD_REQUEST", "message": err.Error()})
		return false
	}
	return true
}

// become changes a conversation's state and posts it: the vendor has no event for
// a wanted handoff, only conversation_updated (events). It gives the status the
// webhook was answered with, 0 where none is set.
func (s *Server) become(convo, state, by string) (int, error) {
	s.mu.Lock()
	k := s.of(convo)
	k.states = append(k.states, state)
	light := frame{"state": state}
	if by != "" {
		light["chatAssignedTo"] = by
	}
	payload := frame{"convoId": convo, "lightConvoData": light, "turns": append([]Turn{}, k.turns...)}
	s.mu.Unlock()
	return s.Tell("conversation_updated", payload)
}

// Request lets the vendor's inbox ask for people (widget: requested_chat).
func (s *Server) Request(convo string) (int, error) { return s.become(convo, "requested_chat", "") }

// Take lets one of the vendor's people take the conversation (widget:
// human-chatting with chatAssignedTo).
func (s *Server) Take(convo, agent string) (int, error) {
	return s.become(convo, "human-chatting", agent)
}

// GiveBack lets them return it to the agent (widget: ai-chatting).
func (s *Server) GiveBack(convo string) (int, error) { return s.become(convo, "ai-chatting", "") }

// End lets them end it (widget: ended_chat).
func (s *Server) End(convo string) (int, error) { return s.become(convo, "ended_chat", "") }

// Say lets them write: the words are stored and posted as message_received
// (events; that its from is then "agent" is an assumption).
func (s *Server) Say(convo, said string) (int, error) {
	s.mu.Lock()
	k := s.of(convo)
	k.turns = append(k.turns, Turn{From: "bot", TS: time.Now().Unix(), Messages: []Message{text("bot", said)}})
	s.mu.Unlock()
	return s.Tell("message_received", s.message(convo, "agent", said))
}

func (s *Server) message(convo, from, said string) (payload frame) {
	s.look(convo, func(k *conversation) {
		payload = frame{"agentId": k.agent, "convoId": convo, "messageContent": said, "channel": "web-chat", "messageType": "text", "from": from}
	})
	return payload
}

// tellTurn posts what was said in a turn (events, message_received).
func (s *Server) tellTurn(o Object, r reply) {
	if o.Prompt != "start" {
		_, _ = s.Tell("message_received", s.message(o.ConvoID, "human", o.Prompt))
	}
	for _, said := range words([]Turn{{From: "bot", Messages: r.messages}}, "bot") {
		_, _ = s.Tell("message_received", s.message(o.ConvoID, "bot", said))
	}
}

// Tell posts an event of the webhook, once: the vendor neither repeats nor signs
// it, and puts the time and the workspace secret into the payload (events). It
// gives the status it was answered with.
func (s *Server) Tell(kind string, payload map[string]any) (int, error) {
	return s.TellWith(s.o.Secret, kind, payload)
}

// TellWith is Tell by somebody who knows, or does not know, the secret.
func (s *Server) TellWith(secret, kind string, payload map[string]any) (int, error) {
	s.mu.Lock()
	address := s.events
	s.mu.Unlock()
	if address == "" {
		return 0, nil
	}
	payload["createdAt"], payload["workspaceSecret"] = time.Now().UnixMilli(), secret
	data, err := json.Marshal(frame{"type": kind, "payload": payload})
	if err != nil {
		return 0, fmt.Errorf("encode event %s: %w", kind, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), told)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(data))
	if err != nil {
		return 0, fmt.Errorf("post event %s: %w", kind, err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, fmt.Errorf("post event %s: %w", kind, err)
	}
	defer resp.Body.Close()
	return resp.StatusCode, nil
}
