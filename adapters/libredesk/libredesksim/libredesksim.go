// Package libredesksim is a simulated Libredesk: the widget API and socket, the agent
// API, and webhooks that are signed, told once, and never again.
//
// It does what the source of v2.7.0 and a running server did (cmd/chat.go, cmd/messages.go,
// cmd/conversation.go, cmd/widget_ws.go, internal/webhook). It shares no code with the
// adapter.
package libredesksim

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter/simvendor"
)

// Options are what a Server is made of.
type Options struct {
	// APIKey and APISecret are those of the agent with number 1.
	APIKey, APISecret string
	// InboxUUID and InboxSecret are the live-chat inbox's.
	InboxUUID, InboxSecret string
	// CSAT adds a survey to what is resolved; NoUploads refuses contacts' files.
	CSAT, NoUploads bool
	// SessionLasts is how long a contact's token is good; 0 means for ever.
	SessionLasts time.Duration
	// PageSize is the most messages a page has; 0 means 100.
	PageSize int
}

// Author is who wrote a message, or has a conversation (models.MessageAuthor).
type Author struct {
	ID        int    `json:"id"`
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
	Email     string `json:"email,omitempty"`
	AvatarURL string `json:"avatar_url,omitempty"`
	Type      string `json:"type"`
}

// Attachment is a file of a message (attachment.Attachment).
type Attachment struct {
	Name        string `json:"name"`
	ContentType string `json:"content_type"`
	UUID        string `json:"uuid"`
	URL         string `json:"url"`
	Size        int    `json:"size"`
	Disposition string `json:"disposition"`
	data        []byte
}

// Message is one message of a conversation (models.Message).
type Message struct {
	ID               int            `json:"id"`
	CreatedAt        time.Time      `json:"created_at"`
	UpdatedAt        time.Time      `json:"updated_at"`
	UUID             string         `json:"uuid"`
	Type             string         `json:"type"`
	Status           string         `json:"status"`
	ConversationUUID string         `json:"conversation_uuid"`
	Content          string         `json:"content"`
	TextContent      string         `json:"text_content"`
	ContentType      string         `json:"content_type"`
	Private          bool           `json:"private"`
	SenderID         int            `json:"sender_id"`
	SenderType       string         `json:"sender_type"`
	Meta             map[string]any `json:"meta"`
	Attachments      []Attachment   `json:"attachments"`
	Author           Author         `json:"author"`
}

// File is the bytes of a message's first file, nil where it has none.
func (m Message) File() []byte {
	if len(m.Attachments) == 0 {
		return nil
	}
	return m.Attachments[0].data
}

// Conversation is a conversation as it is now.
type Conversation struct {
	UUID, Status string
	CreatedAt    time.Time
	Contact      Author
	// ExternalID is what the bridge calls the contact.
	ExternalID        string
	Assignee, Team    int
	Messages          []Message
	Seen              int  // how often the contact has read all
	Typing            bool // the contact writes
	contactLastSeenAt time.Time
	surveyed          bool
}

// statuses are the names of statuses and their categories (conversation_statuses).
//
//nolint:gochecknoglobals // a table that is never written.
var statuses = map[string]string{"Open": "open", "Replied": "waiting", "Snoozed": "waiting", "Resolved": "resolved", "Closed": "resolved"}

// Server is a simulated Libredesk. It is safe for concurrent use.
type Server struct {
	Options
	simvendor.API
	*simvendor.Post[notice]
	mu            sync.Mutex
	next          int
	last          time.Time
	agents        []Author
	teams         map[int]string
	contacts      map[string]*Author // by external id
	sessions      map[string]sessionOf
	conversations []*Conversation
	webhooks      []*Webhook
	attempts      []int // the statuses of webhooks that were sent, 0 for no answer
	lost          int
	lines         map[*wire]bool
	problems      []string
}

// sessionOf is what a contact's token stands for.
type sessionOf struct {
	contact *Author
	until   time.Time
}

// NewServer makes one with the agents Footbridge (1), Sam Lee (7) and Kim (8) and the
// team Billing (4). Close ends its webhooks.
func NewServer(o Options) *Server {
	if o.PageSize == 0 {
		o.PageSize = 100
	}
	s := &Server{Options: o, next: 100, contacts: map[string]*Author{}, sessions: map[string]sessionOf{}, lines: map[*wire]bool{},
		teams: map[int]string{4: "Billing"},
		agents: []Author{{ID: 1, FirstName: "Footbridge", Type: "agent"}, {ID: 7, FirstName: "Sam", LastName: "Lee", Email: "sam@example.com", AvatarURL: "/uploads/sam.png", Type: "agent"},
			{ID: 8, FirstName: "Kim", Type: "agent"}}}
	s.Wrong = wrong
	s.Post = simvendor.NewPost(5*time.Second, 0, s.deliver)
	return s
}

// number gives the next one.
func (s *Server) number() int {
	s.next++
	return s.next
}

// now never gives the same time twice, as exact as PostgreSQL's.
func (s *Server) now() time.Time {
	at := time.Now().UTC().Truncate(time.Microsecond)
	if !at.After(s.last) {
		at = s.last.Add(time.Microsecond)
	}
	s.last = at
	return at
}

func (s *Server) uuid() string {
	return fmt.Sprintf("00000000-0000-4000-8000-%012d", s.number())
}

func (s *Server) problem(format string, args ...any) {
	s.problems = append(s.problems, fmt.Sprintf(format, args...))
}

// Problems are what no good client does, such as a call without a token.
func (s *Server) Problems() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.problems)
}

// Conversations are copies of all there are, the oldest first.
func (s *Server) Conversations() []Conversation {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Conversation
	for _, c := range s.conversations {
		one := *c
		one.Messages = slices.Clone(c.Messages)
		list = append(list, one)
	}
	return list
}

// ErrNone says there is no such conversation or agent.
var ErrNone = errors.New("there is none of that number or uuid")

func (s *Server) find(uuid string) *Conversation {
	for _, c := range s.conversations {
		if c.UUID == uuid {
			return c
		}
	}
	return nil
}

func (s *Server) agent(id int) (Author, bool) {
	for _, a := range s.agents {
		if a.ID == id {
			return a, true
		}
	}
	return Author{}, false
}

// add stores a message and tells of it.
func (s *Server) add(c *Conversation, m Message) Message {
	m.ID, m.UUID, m.ConversationUUID, m.CreatedAt = s.number(), s.uuid(), c.UUID, s.now()
	m.UpdatedAt = m.CreatedAt
	if m.Meta == nil {
		m.Meta = map[string]any{}
	}
	if m.Attachments == nil {
		m.Attachments = []Attachment{}
	}
	c.Messages = append(c.Messages, m)
	s.tell("message.created", m)
	return m
}

// sent is what the sender's worker does a moment later: the message is sent, the widget
// gets it.
func (s *Server) sent(c *Conversation, m Message) {
	m.Status, m.UpdatedAt = "sent", s.now()
	for i := range c.Messages {
		if c.Messages[i].UUID == m.UUID {
			c.Messages[i] = m
		}
	}
	s.tell("message.updated", m)
	s.push(c, "new_message", chatMessage(m))
}

// refusal is an error's status and words.
type refusal struct {
	status int
	words  string
}

func (r refusal) Error() string { return r.words }

func refuse(status int, words string) error { return refusal{status, words} }

// codeOf is the HTTP status of an error.
func codeOf(err error) int {
	var r refusal
	if errors.As(err, &r) {
		return r.status
	}
	return http.StatusNotFound
}
