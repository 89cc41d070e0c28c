// Package convocoresim simulates both ends of Convocore's interact WebSocket on
// real sockets: Server is the platform with its agent, its people's inbox, its
// REST edge and its events webhook, Client a chat client of one turn a connection.
//
// Sources, all public, named in short at what is taken from them:
//   - spec: the vendor's asyncapi/interact.yaml (github.com/Moe03/rannah-docs)
//   - events: its features/events.mdx, same repository
//   - openapi: github.com/Moe03/ta-docs
//   - widget: the builds in github.com/Moe03/Voiceglow and vg-hosting-template-v2
//   - log: observed on the running service
package convocoresim

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Options are what a Server is made of.
type Options struct {
	// Secret is the workspace secret. Sockets and REST calls must show it as a
	// bearer token (the vendor's client sends it); empty lets everyone in, as the
	// widget is.
	Secret string
	// Greeting answers prompt "start" (spec).
	Greeting string
	// AllTurns has metadata.turns hold the whole conversation, not the last turn
	// alone: which of them the service sends is not documented.
	AllTurns bool
}

// Object is what a client sends on a connection (spec).
type Object struct {
	AgentID         string          `json:"agentId,omitempty"`
	ConvoID         string          `json:"convoId,omitempty"`
	Bucket          string          `json:"bucket,omitempty"`
	Prompt          string          `json:"prompt,omitempty"`
	DisableUIEngine bool            `json:"disableUiEngine,omitempty"`
	ActionMetadata  *ActionMetadata `json:"actionMetadata,omitempty"`
	LightConvoData  map[string]any  `json:"lightConvoData,omitempty"`
	// VisualPayload holds pictures, FormSubmission the answers to a form (spec).
	VisualPayload  json.RawMessage `json:"visualPayload,omitempty"`
	FormSubmission json.RawMessage `json:"formSubmissionMetadata,omitempty"`
}

// ActionMetadata holds the client's id of its message, for de-duplication (spec).
type ActionMetadata struct {
	MID string `json:"mid,omitempty"`
}

func (o Object) mid() string {
	if o.ActionMetadata == nil {
		return ""
	}
	return o.ActionMetadata.MID
}

// Turn is what one author said in a row (spec, TurnProps).
type Turn struct {
	From     string    `json:"from"`
	TS       int64     `json:"ts,omitempty"`
	Messages []Message `json:"messages"`
}

// Message is one thing of a turn.
type Message struct {
	From string `json:"from"`
	Type string `json:"type,omitempty"`
	TS   int64  `json:"ts,omitempty"`
	Item Item   `json:"item"`
}

// Item is its content: "text" with message, "choice" with buttons, and so on.
type Item struct {
	Type    string         `json:"type"`
	Payload map[string]any `json:"payload"`
}

// text is words as a message of a turn.
func text(from, words string) Message {
	return Message{From: from, Type: "text", TS: time.Now().Unix(), Item: Item{"text", map[string]any{"message": words}}}
}

// words are the texts of turns by one author, in order.
func words(turns []Turn, from string) []string {
	var out []string
	for _, t := range turns {
		for _, m := range t.Messages {
			if said, ok := m.Item.Payload["message"].(string); ok && t.From == from {
				out = append(out, said)
			}
		}
	}
	return out
}

// conversation is what the platform knows under a convoId.
type conversation struct {
	agent   string
	objects []Object
	turns   []Turn
	// answers are the frames a message was answered with, by its mid.
	answers map[string][]frame
	states  []string

	// busy is held by the turn under way, and release is closed to let it go on.
	busy    chan struct{}
	release chan struct{}
}

// Server is the simulated platform. Its methods may be called at any time.
type Server struct {
	o Options

	mu            sync.Mutex
	events        string
	conversations map[string]*conversation
	refused       int
}

// NewServer makes a platform nobody talks to yet.
func NewServer(o Options) *Server {
	if o.Greeting == "" {
		o.Greeting = "Hello, how can I help?"
	}
	return &Server{o: o, conversations: map[string]*conversation{}}
}

// Events sets where the webhook posts; the empty address, the first, posts nothing.
func (s *Server) Events(address string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = address
}

// of is the conversation under a convoId, made when it is new. It is called with
// the lock held.
func (s *Server) of(convo string) *conversation {
	k := s.conversations[convo]
	if k == nil {
		k = &conversation{answers: map[string][]frame{}, busy: make(chan struct{}, 1), release: make(chan struct{})}
		s.conversations[convo] = k
	}
	return k
}

// look calls see with a conversation under the lock.
func (s *Server) look(convo string, see func(*conversation)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.conversations[convo]; k != nil {
		see(k)
	}
}

// admitted checks the bearer token.
func (s *Server) admitted(w http.ResponseWriter, r *http.Request) bool {
	if s.o.Secret == "" || r.Header.Get("Authorization") == "Bearer "+s.o.Secret {
		return true
	}
	s.mu.Lock()
	s.refused++
	s.mu.Unlock()
	answer(w, http.StatusUnauthorized, map[string]string{"code": "UNAUTHORIZED", "message": "Invalid secret"})
	return false
}

// Refused is how many connections and calls had a wrong token.
func (s *Server) Refused() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refused
}

// Conversations lists the convoIds, in order of their names.
func (s *Server) Conversations() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for id := range s.conversations {
		all = append(all, id)
	}
	slices.Sort(all)
	return all
}

// Objects are all that came for a conversation, repeats included.
func (s *Server) Objects(convo string) (all []Object) {
	s.look(convo, func(k *conversation) { all = slices.Clone(k.objects) })
	return all
}

// Heard are the customer's words in the conversation's history: each once,
// however often its object came.
func (s *Server) Heard(convo string) (all []string) {
	s.look(convo, func(k *conversation) { all = words(k.turns, "human") })
	return all
}

// History is the conversation as it is stored.
func (s *Server) History(convo string) (all []Turn) {
	s.look(convo, func(k *conversation) { all = slices.Clone(k.turns) })
	return all
}

// States are the states the conversation has had, the newest last.
func (s *Server) States(convo string) (all []string) {
	s.look(convo, func(k *conversation) { all = slices.Clone(k.states) })
	return all
}

// Release lets the turn go on that waits by the word pause or stall, and those to
// come wait again.
func (s *Server) Release(convo string) {
	s.look(convo, func(k *conversation) {
		close(k.release)
		k.release = make(chan struct{})
	})
}

func (k *conversation) state() string {
	if len(k.states) == 0 {
		return ""
	}
	return k.states[len(k.states)-1]
}

// frame is what the platform sends.
type frame = map[string]any

// chunk is a piece of an answer (spec): with ui false words that are appended,
// with ui true a turn as JSON that replaces what came before.
func chunk(said string, index int, ui bool) frame {
	return frame{"type": "chunk", "chunk": said, "chunkIndex": index, "ui_engine": ui}
}

// chunks sends words piece by piece.
func chunks(said string) []frame {
	var out []frame
	for piece := range strings.SplitAfterSeq(said, " ") {
		out = append(out, chunk(piece, len(out), false))
	}
	return out
}

// snapshots sends a turn message by message, each time as a whole.
func snapshots(messages ...Message) []frame {
	var out []frame
	for i := range messages {
		data, err := json.Marshal(Turn{From: "bot", TS: time.Now().Unix(), Messages: messages[:i+1]})
		if err == nil {
			out = append(out, chunk(string(data), i, true))
		}
	}
	return out
}
