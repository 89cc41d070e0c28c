package vonagesim

import (
	"context"
	"encoding/json"
	"strings"
	"time"
)

// Flow is what the HTTP agent's author built.
type Flow struct {
	// Greeting is said to the first step, when that is empty; Back when live
	// agents have given the session back, Failed when there were none.
	Greeting, Back, Failed string
	// Turns are looked through in order; an input none fits is answered with
	// "You said: " and itself.
	Turns []Turn
}

// Turn is what the flow does with an input that holds Word, in any case.
type Turn struct {
	Word       string
	Texts      []string
	Parameters []Parameter
	// People leads to the Live Agent Routing node, End to the flow's end.
	People, End bool
}

// DefaultFlow asks for people at "person" and ends at "bye".
func DefaultFlow() Flow {
	return Flow{Greeting: "Hello, how can I help?", Back: "Welcome back.", Failed: "Nobody is free right now.", Turns: []Turn{
		{Word: "person", Texts: []string{"One moment, please."}, People: true},
		{Word: "bye", Texts: []string{"Goodbye."}, End: true},
	}}
}

func (f Flow) turn(input string) Turn {
	for _, t := range f.Turns {
		if strings.Contains(strings.ToLower(input), strings.ToLower(t.Word)) {
			return t
		}
	}
	return Turn{Texts: []string{"You said: " + input}}
}

// advance takes an input. It is called with the lock held, as are all here that
// say nothing else.
func (s *Studio) advance(k *session, input string) stepAnswer {
	k.heard = append(k.heard, input)
	greeted := k.greeted
	k.greeted = true
	switch {
	case s.live(k.id):
		// With live agents an input goes to the Inbound Transfer EP.
		s.call(k, func(ctx context.Context) { _, _ = s.Say(ctx, k.id, input) })
		return s.said(k, statusAwaiting)
	case input == "" && !greeted:
		return s.said(k, statusAwaiting, s.options.Flow.Greeting)
	}
	k.said = append(k.said, Line{"User", input})
	t := s.options.Flow.turn(input)
	texts, status := t.Texts, statusAwaiting
	switch {
	case t.People && k.line != nil:
		s.route(k)
	case t.People:
		// "the live agent routing node will only work for HTTP agents if WebSocket
		// Connection is established": page "Live Agent Routing".
		s.move(k.id, StateFailed)
		texts = append(texts[:len(texts):len(texts)], s.options.Flow.Failed)
	case t.End:
		status = statusEnded
		s.move(k.id, StateEnded)
	}
	a := s.said(k, status, texts...)
	a.Parameters = t.Parameters
	return a
}

// said notes the agent's words in the transcription.
func (s *Studio) said(k *session, status string, texts ...string) stepAnswer {
	a := stepAnswer{Messages: []spoken{}, Status: status}
	for _, text := range texts {
		k.said = append(k.said, Line{"Agent", text})
		a.Messages = append(a.Messages, spoken{text})
	}
	return a
}

// route runs the Live Agent Routing node for a session of the HTTP agent.
func (s *Studio) route(k *session) {
	s.move(k.id, StateConnecting)
	s.call(k, func(ctx context.Context) {
		s.mu.Lock()
		b := Begin{Transcript: append([]Line{}, k.said...), Parameters: httpParameters(k)}
		s.mu.Unlock()
		_, _ = s.Start(ctx, k.id, b)
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.states[k.id] == StateFailed {
			s.resume(k.id, s.options.Flow.Failed)
		}
	})
}

// httpParameters are the system parameters of an HTTP agent, as in real exports
// (aistudio_agent.zip, BlogAgent.zip in nexmo-se/vonage-ai-asr-connector), and
// the ones its steps brought.
func httpParameters(k *session) []Parameter {
	now := time.Now().UTC()
	return append([]Parameter{
		{"CALLER_PHONE_NUMBER", ""}, {"CALL_START_DATE", now.Format(time.DateOnly)}, {"CALL_START_TIME", now.Format(time.TimeOnly)},
		{"CALL_DIRECTION", "inbound"}, {"CALL_TRANSCRIPTION", []string{}}, {"TRIGGERED_BY_SESSION_ID", ""}, {"VAPI_CALL_ID", ""},
		{"SESSION_ID", k.id}, {"AGENT_ID", "simulated"}, {"CONVERSATION_ID", ""}, {"AGENT_PHONE_NUMBER", ""}, {"INITIAL_MESSAGE", ""},
	}, k.given...)
}

// call makes a session's calls to the bridge one after the other.
func (s *Studio) call(k *session, do func(context.Context)) {
	k.calls = append(k.calls, do)
	if len(k.calls) == 1 {
		s.work.Go(func() { s.drain(k) })
	}
}

// drain makes the calls; it takes the lock itself.
func (s *Studio) drain(k *session) {
	for {
		s.mu.Lock()
		if len(k.calls) == 0 {
			s.mu.Unlock()
			return
		}
		do := k.calls[0]
		s.mu.Unlock()
		do(s.ctx)
		s.mu.Lock()
		k.calls = k.calls[1:]
		s.mu.Unlock()
	}
}

// tell shows a live agent's message to the client of a session of the HTTP agent,
// in the form it came in; without a socket nobody sees it. The frame is not on
// the page.
func (s *Studio) tell(id, body string) {
	if k := s.sessions[id]; k != nil {
		k.line.send(json.RawMessage(body))
	}
}

// resume lets the flow of an HTTP agent go on by itself.
func (s *Studio) resume(id, text string) {
	if k := s.sessions[id]; k != nil {
		k.line.send(s.said(k, statusAwaiting, text))
	}
}

// hangUp closes the socket of a session that is over.
func (s *Studio) hangUp(id string) {
	if k := s.sessions[id]; k != nil {
		k.line.end(closeNormal)
	}
}
