// Package chatwootsim is a simulated Chatwoot on real sockets: one account with an
// inbox of type API, its public and application API, its people, and its webhook,
// which is sent once and never again. It imports no adapter.
//
// What it sends and answers is taken from chatwoot/chatwoot: the views below
// app/views/public/api/v1 and app/views/api/v1, app/finders/message_finder.rb,
// app/listeners/webhook_listener.rb, app/presenters/conversations and
// app/controllers/public/api/v1; each place is named where it is played.
package chatwootsim

import (
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter/simvendor"
)

// The statuses of a conversation. app/models/conversation.rb.
const (
	StatusOpen     = "open"
	StatusResolved = "resolved"
	StatusPending  = "pending"
	StatusSnoozed  = "snoozed"
)

// The numbers of message_type. app/models/message.rb.
const (
	Incoming = iota
	Outgoing
	Activity
	Template
)

// The account, the inbox and the user of the API token.
const (
	accountID = 1
	inboxID   = 3
	selfID    = 1
)

// pageSize is how many messages a list has; more than after= asks for are 100.
// app/finders/message_finder.rb: messages_latest, messages_before, messages_after.
const (
	pageSize  = 20
	afterSize = 100
)

// Options are what a Server is made of.
type Options struct {
	// Inbox is the inbox's identifier and Token the access token of its user, who is
	// an administrator, or with AsAgent an agent.
	Inbox, Token string
	AsAgent      bool
	// Secret signs webhooks; without it they are not signed, as in older versions.
	Secret string
	// WebhookURL is where webhooks go; "" sends none.
	WebhookURL string
	// AutoAssign is the agent every opened conversation is given to, or 0.
	AutoAssign int
	// PerSecond is how many calls a second are answered; others get 429. 0 is no
	// limit. config/initializers/rack_attack.rb has 3,000 a minute.
	PerSecond int
}

// Agent is a person who works there.
type Agent struct {
	ID   int    `json:"id"`
	Name string `json:"name"`
}

// Message is one message of a conversation.
type Message struct {
	ID          int          `json:"id"`
	Type        int          `json:"message_type"`
	Content     string       `json:"content"`
	Private     bool         `json:"private"`
	Sender      string       `json:"sender_type"` // user, contact or ""
	SenderID    int          `json:"sender_id"`
	Status      string       `json:"status"`
	Error       string       `json:"external_error,omitempty"`
	Echo        string       `json:"-"`
	Attachments []Attachment `json:"attachments,omitempty"`
	At          time.Time    `json:"created_at"`
}

// Attachment is a file of a message.
type Attachment struct {
	ID   int
	Name string
	MIME string
	Data []byte
}

// Conversation is one conversation as it stands.
type Conversation struct {
	ID       int
	Source   string
	Contact  Contact
	Status   string
	Facts    map[string]any
	Assignee int
	Team     int
	Typing   string // what the contact last showed
	Seen     int    // how often the contact has seen all
	Messages []Message
}

// Contact is a customer as Chatwoot knows them.
type Contact struct {
	ID                             int
	Identifier, Name, Email, Phone string
}

// Server is a simulated Chatwoot. All its methods are safe for concurrent use.
type Server struct {
	simvendor.API
	*simvendor.Post[[]byte] // webhooks
	options                 Options
	mu                      sync.Mutex
	next                    int // of messages, contacts and files, as the installation counts
	convos                  map[int]*Conversation
	order                   []int
	sources                 map[string]*Contact // by the inbox's source_id
	base                    string
}

// New makes a Server. Close ends its webhooks.
func New(o Options) *Server {
	s := &Server{options: o, next: 100, convos: map[int]*Conversation{}, sources: map[string]*Contact{}}
	s.Wrong = func(simvendor.Fault) any { return map[string]any{"error": "it went wrong"} }
	// config/initializers/rack_attack.rb: 429 and Retry-After.
	s.PerSecond, s.TooMany = o.PerSecond, simvendor.Fault{Status: http.StatusTooManyRequests, RetryAfter: 1}
	s.Post = simvendor.NewPost(webhookTimeout, 0, s.deliver)
	return s
}

// Agents are the people who work there, and the token's own user.
func Agents() []Agent { return []Agent{{selfID, "Footbridge"}, {7, "Sam"}, {8, "Kim"}} }

func agent(id int) Agent {
	all := Agents()
	if i := slices.IndexFunc(all, func(a Agent) bool { return a.ID == id }); i >= 0 {
		return all[i]
	}
	return Agent{ID: id, Name: "Agent " + strconv.Itoa(id)}
}

// Conversations are the numbers of all there are, in the order they were made.
func (s *Server) Conversations() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.order)
}

// Conversation is one as it stands.
func (s *Server) Conversation(id int) Conversation {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.convos[id]
	if c == nil {
		return Conversation{}
	}
	out := *c
	out.Messages = slices.Clone(c.Messages)
	return out
}

// Texts are the contents of a conversation's messages of a type that are not private.
func (s *Server) Texts(id, kind int) []string {
	return s.texts(id, func(m Message) bool { return m.Type == kind && !m.Private })
}

// Notes are the contents of a conversation's private notes.
func (s *Server) Notes(id int) []string {
	return s.texts(id, func(m Message) bool { return m.Private })
}

func (s *Server) texts(id int, which func(Message) bool) []string {
	var out []string
	for _, m := range s.Conversation(id).Messages {
		if which(m) {
			out = append(out, m.Content)
		}
	}
	return out
}

// add puts a message into a conversation and tells of it. It is called with the lock
// held, as is all below.
func (s *Server) add(c *Conversation, m Message) Message {
	s.next += 3 // other conversations have messages, too
	m.ID, m.At, m.Status = s.next, time.Now().UTC(), "sent"
	for i := range m.Attachments {
		m.Attachments[i].ID = m.ID*100 + i
	}
	c.Messages = append(c.Messages, m)
	if m.Type != Activity { // app/models/message.rb: webhook_sendable?
		s.tell("message_created", s.told(c, m))
	}
	if m.Type == Incoming && c.Status == StatusResolved { // app/models/message.rb: reopen_conversation
		s.move(c, StatusOpen, "")
	}
	return m
}

// move gives a conversation a status, and says so in an activity.
func (s *Server) move(c *Conversation, status, by string) {
	if c.Status == status {
		return
	}
	was := c.Status
	c.Status = status
	if by != "" {
		s.add(c, Message{Type: Activity, Content: "Conversation was marked " + status + " by " + by})
	}
	s.changed(c, "conversation_status_changed", "status", was, status)
	s.changed(c, "conversation_updated", "status", was, status)
	if status == StatusOpen && was == StatusPending && s.options.AutoAssign != 0 && c.Assignee == 0 {
		s.assign(c, s.options.AutoAssign)
	}
}

func (s *Server) assign(c *Conversation, id int) {
	was := c.Assignee
	c.Assignee = id
	s.add(c, Message{Type: Activity, Content: "Assigned to " + agent(id).Name})
	s.changed(c, "conversation_updated", "assignee_id", was, id)
}

// changed tells what of a conversation is another now.
// app/listeners/webhook_listener.rb: conversation_updated.
func (s *Server) changed(c *Conversation, event, attribute string, was, is any) {
	body := s.pushed(c)
	body["changed_attributes"] = []map[string]any{{attribute: map[string]any{"previous_value": was, "current_value": is}}}
	s.tell(event, body)
}

// Handler serves the API, and the control below /sim/.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	s.public(mux)
	s.application(mux)
	s.control(mux)
	return mux
}
