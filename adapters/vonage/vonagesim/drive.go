package vonagesim

import (
	"context"
)

// Line is one item of a transcription.
type Line struct {
	Author string `json:"author"`
	Text   string `json:"text"`
}

// Parameter is one value the flow collected; a multi-value parameter's is a list.
type Parameter struct {
	Name  string `json:"name"`
	Value any    `json:"value"`
}

// Begin is what the flow hands over with a session.
type Begin struct {
	Transcript []Line      `json:"transcript,omitempty"`
	Parameters []Parameter `json:"parameters,omitempty"`
}

// WhatsApp are the parameters a WhatsApp agent sends, as captured in the
// comments of nexmo-se/ai-studio-whatsapp-agent:server/server.js.
func WhatsApp(session, phone, name string) []Parameter {
	return []Parameter{
		{"SENDER_PHONE_NUMBER", phone}, {"CONVERSATION_START_DATE", "2022-11-08"},
		{"CONVERSATION_START_TIME", "15:13:48"}, {"AGENT_PHONE_NUMBER", "447700900002"},
		{"INITIAL_MESSAGE", ""}, {"SESSION_ID", session}, {"PROFILE_NAME", name},
		{"INITIAL_MESSAGE_PAYLOAD", `{"text":"","type":"text"}`},
	}
}

// Start runs the Live Agent Routing node: it calls the bridge's start and waits
// for the answer. Any 2xx connects the session to live agents; anything else, or
// none, is the node's Failed output. Page "Live Agent Routing", Start connection
// EP; the items of one key, Agent or User, are the captured payload's.
func (s *Studio) Start(ctx context.Context, session string, b Begin) (Answer, error) {
	items := make([]map[string]string, 0, len(b.Transcript))
	for _, l := range b.Transcript {
		items = append(items, map[string]string{l.Author: l.Text})
	}
	if b.Parameters == nil {
		b.Parameters = []Parameter{}
	}
	return s.startWith(ctx, session, map[string]any{"sessionId": session,
		"history": map[string]any{"transcription": items, "parameters": b.Parameters}})
}

// StartRaw is Start with a body of the test's own.
func (s *Studio) StartRaw(ctx context.Context, session string, body []byte) (Answer, error) {
	return s.startWith(ctx, session, body)
}

func (s *Studio) startWith(ctx context.Context, session string, body any) (Answer, error) {
	if s.State(session) != StateLiveAgent {
		s.set(session, StateConnecting)
	}
	a, err := s.bridge.post(ctx, "/start", body)
	next := StateFailed
	if err == nil && a.Status >= 200 && a.Status < 300 {
		next = StateLiveAgent
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	// A disconnect that came before the answer stands.
	if s.states[session] == StateConnecting || (s.states[session] == StateLiveAgent && next == StateFailed) {
		s.move(session, next)
	}
	return a, err
}

// Say sends the customer's words to the bridge's inbound. Page "Live Agent
// Routing", Inbound Transfer EP.
func (s *Studio) Say(ctx context.Context, session, text string) (Answer, error) {
	return s.bridge.post(ctx, "/inbound", map[string]string{"sessionId": session, "text": text, "type": "text"})
}

// SayMedia sends a customer's file: type and an object of that name, as in
// AhmedA1559/whatsapp-to-slack:server.js and nexmo-se's later versions.
func (s *Studio) SayMedia(ctx context.Context, session, kind, url, caption string) (Answer, error) {
	file := map[string]string{"url": url}
	if caption != "" {
		file["caption"] = caption
	}
	return s.bridge.post(ctx, "/inbound", map[string]any{"sessionId": session, "type": kind, kind: file})
}

// SayRaw sends a body of the test's own to the bridge's inbound.
func (s *Studio) SayRaw(ctx context.Context, body []byte) (Answer, error) {
	return s.bridge.post(ctx, "/inbound", body)
}

// Status tells the bridge what became of a message: submitted, delivered, read,
// rejected or undeliverable. No public server shows the payload of the Status
// Delivery EP; this is the Messages API's status webhook with the session.
func (s *Studio) Status(ctx context.Context, session, message, status string) (Answer, error) {
	return s.bridge.post(ctx, "/status", map[string]string{"sessionId": session, "message_uuid": message,
		"to": "447700900001", "from": "447700900002", "channel": "whatsapp",
		"timestamp": "2026-01-05T10:00:00Z", "status": status})
}

// End makes a session unknown, as when the customer has left or its time is up:
// every call for it answers 404 from then on, and its socket is closed.
func (s *Studio) End(session string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.move(session, StateEnded)
	s.hangUp(session)
}

// Close closes every socket, the record file, if there is one, and idle
// connections.
func (s *Studio) Close() error {
	s.stop()
	s.work.Wait()
	s.bridge.client.CloseIdleConnections()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.file.close()
}

func (s *Studio) set(session, state string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.move(session, state)
}
