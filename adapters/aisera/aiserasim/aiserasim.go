// Package aiserasim simulates both ends of Aisera's conversation WebSocket on real
// sockets: Server is the platform with its virtual agent and its people, Client a
// chat client.
//
// Requests are those of the vendor's page "Websocket", Sample Requests. The page
// names the modeType of answers (Message Types) and not their bodies: the bodies
// here are assumptions, one field for the words, "text".
package aiserasim

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// The transports of the simulation; which one the vendor means is not documented.
const (
	Raw      = "raw"
	SocketIO = "socketio"
)

// Options are what a Server is made of.
type Options struct {
	// Token is what every request must carry (Sample Requests, "token").
	Token string
	// Transport is Raw or SocketIO, the default; Event its event name, "message".
	Transport, Event string
}

// Request is one frame of a chat client (Sample Requests).
type Request struct {
	Token     string `json:"token,omitempty"`
	UserID    string `json:"userId,omitempty"`
	UserEmail string `json:"userEmail,omitempty"`
	ChannelID string `json:"channelId,omitempty"`
	// Type is of "type in conversation server requests" (Message Types), here or in Data.
	Type string `json:"type,omitempty"`
	Data Data   `json:"data"`
}

// Data is the inner object of a Request.
type Data struct {
	Text       string          `json:"text,omitempty"`
	ReqID      string          `json:"reqId,omitempty"`
	Type       string          `json:"type,omitempty"`
	IsReset    bool            `json:"isReset,omitempty"`
	History    bool            `json:"needsSessionHistory,omitempty"`
	FollowUpID string          `json:"followUpId,omitempty"`
	FollowUp   json.RawMessage `json:"followUpData,omitempty"`
	Context    json.RawMessage `json:"followUpContext,omitempty"`
	Vars       json.RawMessage `json:"sessionVars,omitempty"`
}

// Server is the platform: http.Handler of its one socket.
type Server struct {
	o Options

	mu       sync.Mutex
	sessions map[string]*session
	refused  int
}

// session is one user's conversation with the platform.
type session struct {
	people   bool // a person has it
	waiting  bool
	ours     bool // the client's side has people of its own
	ended    bool
	requests []Request
	line     *line
}

// NewServer makes a platform nobody talks to yet.
func NewServer(o Options) *Server {
	if o.Transport == "" {
		o.Transport = SocketIO
	}
	if o.Event == "" {
		o.Event = "message"
	}
	return &Server{o: o, sessions: map[string]*session{}}
}

// ServeHTTP takes one socket of a chat client.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l, err := accept(w, r, s.o)
	if err != nil {
		return
	}
	for {
		data, err := l.read(context.Background())
		if err != nil {
			return
		}
		var q Request
		if json.Unmarshal(data, &q) != nil || q.UserID == "" ||
			subtle.ConstantTimeCompare([]byte(q.Token), []byte(s.o.Token)) != 1 {
			s.mu.Lock()
			s.refused++
			s.mu.Unlock()
			l.close(1008)
			return
		}
		s.hear(l, q)
	}
}

// hear takes one request and answers as the platform would.
func (s *Server) hear(l *line, q Request) {
	s.mu.Lock()
	k := s.sessions[q.UserID]
	if k == nil || k.ended {
		k = &session{}
		s.sessions[q.UserID] = k
	}
	k.line = l
	k.requests = append(k.requests, q)
	answers := k.answers(q)
	s.mu.Unlock()
	for _, a := range answers {
		l.send(a)
	}
}

// Answer is a frame of the platform; Mode is a modeType of "Message Types".
type Answer struct {
	Mode      string     `json:"modeType,omitempty"`
	ReqID     string     `json:"reqId,omitempty"`
	Text      string     `json:"text,omitempty"`
	Agent     string     `json:"agentName,omitempty"`
	Position  int        `json:"position,omitempty"`
	FollowUps []FollowUp `json:"followUps,omitempty"`
	Form      any        `json:"form,omitempty"`
}

// FollowUp is a choice: its id is sent back as followUpId (Interactive Requests).
type FollowUp struct {
	ID    string `json:"followUpId"`
	Title string `json:"title"`
}

// answers is what the platform says to a request by itself.
func (k *session) answers(q Request) []Answer {
	kind := q.Type + q.Data.Type
	switch {
	case kind == "LiveAgentPickUp":
		k.ours, k.waiting = true, false
		return nil
	case kind == "LiveAgentCompleted":
		k.ours, k.waiting = false, false
		return nil
	case q.Data.Text == "/logout":
		k.ended = true
		return nil
	case k.people || k.ours || kind != "":
		return nil
	case strings.Contains(strings.ToLower(q.Data.Text), "agent"):
		k.waiting = true
		return []Answer{{Mode: "LiveAgentWaiting", ReqID: q.Data.ReqID, Text: "Connecting you to a person"}}
	case q.Data.Text == "choices":
		return []Answer{{ReqID: q.Data.ReqID, Text: "Which one?", FollowUps: []FollowUp{{"R:1", "Coffee"}, {"R:2", "Tea"}}}}
	case q.Data.FollowUpID != "":
		return []Answer{{ReqID: q.Data.ReqID, Text: "You chose " + q.Data.FollowUpID}}
	case q.Data.Text != "" && !k.waiting:
		return []Answer{{ReqID: q.Data.ReqID, Text: "You said: " + q.Data.Text}}
	}
	return nil
}

// ErrNobody says the user has no open socket.
var ErrNobody = errors.New("the user has no open socket")

// tell sends an answer to a user.
func (s *Server) tell(user string, a Answer, change func(*session)) error {
	s.mu.Lock()
	k := s.sessions[user]
	if k == nil || k.line == nil {
		s.mu.Unlock()
		return ErrNobody
	}
	if change != nil {
		change(k)
	}
	l := k.line
	s.mu.Unlock()
	return l.send(a)
}

// Queue tells the user the place in the line.
func (s *Server) Queue(user string, position int) error {
	return s.tell(user, Answer{Mode: "LiveAgentWaitingUpdate", Position: position}, nil)
}

// Join lets a person take the conversation.
func (s *Server) Join(user, agent string) error {
	return s.tell(user, Answer{Mode: "LiveAgentJoined", Agent: agent}, func(k *session) { k.people, k.waiting = true, false })
}

// Say lets the person say something.
func (s *Server) Say(user, agent, text string) error {
	return s.tell(user, Answer{Mode: "LiveAgent", Agent: agent, Text: text}, nil)
}

// Typing shows that the person writes.
func (s *Server) Typing(user string) error {
	return s.tell(user, Answer{Mode: "LiveAgentTyping"}, nil)
}

// Exit lets the person leave.
func (s *Server) Exit(user, agent string) error {
	return s.tell(user, Answer{Mode: "LiveAgentExited", Agent: agent}, func(k *session) { k.people, k.waiting = false, false })
}

// Send sends any answer.
func (s *Server) Send(user string, a Answer) error { return s.tell(user, a, nil) }

// Drop breaks the user's socket, as networks do.
func (s *Server) Drop(user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.sessions[user]; k != nil && k.line != nil {
		_ = k.line.conn.CloseNow()
		k.line = nil
	}
}

// Users lists who has talked to the platform.
func (s *Server) Users() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var users []string
	for u := range s.sessions {
		users = append(users, u)
	}
	slices.Sort(users)
	return users
}

// Requests are a user's frames in the order they came.
func (s *Server) Requests(user string) []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.sessions[user]; k != nil {
		return slices.Clone(k.requests)
	}
	return nil
}

// Texts are the words among a user's frames.
func (s *Server) Texts(user string) []string {
	var texts []string
	for _, q := range s.Requests(user) {
		if q.Data.Text != "" && q.Type+q.Data.Type == "" {
			texts = append(texts, q.Data.Text)
		}
	}
	return texts
}

// Refused is how many frames had no user or a wrong token.
func (s *Server) Refused() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refused
}

// writeWithin bounds the writing of one frame.
const writeWithin = 10 * time.Second
