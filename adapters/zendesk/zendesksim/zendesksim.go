// Package zendesksim is a simulated Zendesk on real sockets: one app of Sunshine
// Conversations with its users, conversations and switchboard, the people of its Agent
// Workspace and its bot, and webhooks that are tried five times. It imports no adapter.
//
// What it sends and answers is taken from the public specification
// zendesk/sunshine-conversations-api-spec: paths/v2@apps@{appId}@*.yaml,
// components/schemas (messages, webhooks, switchboard), components/requestBodies and
// components/examples; each place is named where it is played. What is not written there
// is marked as assumed.
package zendesksim

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter/simvendor"
)

// The names of the switchboard integrations every account begins with, and the types of
// source of what they write (assumed: seen in public integrations, not specified).
const (
	Workspace       = "zd-agentWorkspace"
	Bot             = "zd-answerBot"
	sourceWorkspace = "zd:agentWorkspace"
	sourceBot       = "zd:answerBot"
	sourceAPI       = "api:conversations"
)

// The limits of the API. openapi.yaml: Request Size Limits; messages/textMessage.yaml;
// metadata.yaml.
const (
	textLimit     = 4096
	jsonLimit     = 100 << 10
	fileLimit     = 50 << 20
	metadataLimit = 4 << 10
	pageSize      = 100
)

// Options are what a Server is made of.
type Options struct {
	AppID, KeyID, KeySecret string
	// Integration, where it is set, is an integration of that name, in the switchboard
	// already, that tells WebhookURL and shows Secret. Deaf leaves its
	// deliverStandbyEvents off.
	Integration, WebhookURL, Secret string
	Deaf                            bool
	// PageSize replaces the 100 messages a page has.
	PageSize int
	// Most is how many messages a conversation takes; 0 is 30,000.
	Most int
	// PerSecond is how many calls a second are answered; others get 429. 0 is no limit.
	PerSecond int
	// Backoff is how long a webhook that failed waits before its second try, and twice
	// as long before each other; 0 is a second.
	Backoff time.Duration
}

// User is a customer as Zendesk knows them.
type User struct {
	ID       string         `json:"id"`
	External string         `json:"externalId,omitempty"`
	Profile  map[string]any `json:"profile,omitempty"`
	// Became is who the user is since two were merged.
	Became string `json:"became,omitempty"`
}

// Message is one message of a conversation. components/schemas/message.yaml.
type Message struct {
	ID       string         `json:"id"`
	Received string         `json:"received"`
	Author   map[string]any `json:"author"`
	Content  map[string]any `json:"content"`
	Source   map[string]any `json:"source"`
	Metadata map[string]any `json:"metadata,omitempty"`
}

// Text is the words of a message.
func (m Message) Text() string { return textField(m.Content, "text") }

// Conversation is one conversation as it stands.
type Conversation struct {
	ID       string         `json:"id"`
	User     string         `json:"user"`
	Metadata map[string]any `json:"metadata,omitempty"`
	// Active and Pending are the names of the switchboard integrations that have control,
	// or were offered it.
	Active  string `json:"active,omitempty"`
	Pending string `json:"pending,omitempty"`
	// Ticket is what control came to the people with, and Seen how often the customer
	// has read all.
	Ticket   map[string]any `json:"ticket,omitempty"`
	Seen     int            `json:"seen"`
	Notes    []string       `json:"notes,omitempty"`
	Messages []Message      `json:"messages"`
	// Became is the conversation this one was merged into.
	Became string `json:"became,omitempty"`
}

// Texts are the words of those messages of an author's type, "user" or "business", whose
// source type is as given; "" is any.
func (c Conversation) Texts(author, source string) []string {
	var out []string
	for _, m := range c.Messages {
		if m.Author["type"] == author && (source == "" || m.Source["type"] == source) {
			out = append(out, m.Text())
		}
	}
	return out
}

// member is an integration of the switchboard, and custom one of the API that may have
// webhooks. components/schemas/switchboardIntegration.yaml, integrations/custom.yaml.
type member struct {
	id, name, integration string
	standby               bool
}

type custom struct {
	id, name string
	hooks    []*hook
}

// Server is a simulated Zendesk. All its methods are safe for concurrent use.
type Server struct {
	simvendor.API
	*simvendor.Post[letter]
	options Options
	mu      sync.Mutex
	next    int
	base    string
	users   []*User
	convos  []*Conversation
	members []*member
	customs []*custom
	files   map[string][]byte
	types   map[string]string
}

// New makes a Server. Close ends its webhooks.
func New(o Options) *Server {
	s := &Server{options: o, files: map[string][]byte{}, types: map[string]string{}}
	if s.options.PageSize == 0 {
		s.options.PageSize = pageSize
	}
	if s.options.Most == 0 {
		s.options.Most = 30_000
	}
	s.members = []*member{{id: s.newID(), name: Bot, standby: true}, {id: s.newID(), name: Workspace}}
	s.Wrong = func(f simvendor.Fault) any { return wrong(f.Status, "fault").Body }
	// openapi.yaml: Rate Limits; it names no Retry-After.
	s.PerSecond, s.TooMany = o.PerSecond, simvendor.Fault{Status: http.StatusTooManyRequests}
	s.Post = simvendor.NewPost(webhookTimeout, together, s.deliver)
	if o.Integration != "" {
		c := &custom{id: s.newID(), name: o.Integration}
		c.hooks = []*hook{{id: s.newID(), target: o.WebhookURL, secret: o.Secret, triggers: Triggers()}}
		s.customs = append(s.customs, c)
		s.members = append(s.members, &member{id: s.newID(), name: o.Integration, integration: c.id, standby: !o.Deaf})
	}
	return s
}

// Triggers are all there are. components/schemas/webhooks/triggers.yaml.
func Triggers() []string { return []string{"*"} }

// Serves says where the Server itself is, for the addresses of files.
func (s *Server) Serves(base string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.base = base
}

// Tells says where the webhooks of the integration of Options go from now on.
func (s *Server) Tells(address string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.customs[0].hooks[0].target = address
}

// newID is an id such as Zendesk's: later ones are greater. It is called with the lock
// held, as is all below that does not take it.
func (s *Server) newID() string {
	s.next++
	return fmt.Sprintf("5f%06x%s", s.next, rand.Text()[:16])
}

// Conversations are all there are, in the order they were made, but for those that were
// merged into others.
func (s *Server) Conversations() []Conversation {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Conversation
	for _, c := range s.convos {
		if c.Became == "" {
			one := *c
			one.Messages, one.Notes = slices.Clone(c.Messages), slices.Clone(c.Notes)
			all = append(all, one)
		}
	}
	return all
}

// Users are all there are.
func (s *Server) Users() []User {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []User
	for _, u := range s.users {
		all = append(all, *u)
	}
	return all
}

// Hooks are the addresses all webhooks go to.
func (s *Server) Hooks() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, c := range s.customs {
		for _, h := range c.hooks {
			all = append(all, h.target)
		}
	}
	return all
}

// File is what is stored at an address below the Server's own.
func (s *Server) File(address string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.files[address]
}

func (s *Server) user(id string) *User {
	for _, u := range s.users {
		if u.ID == id && u.Became == "" {
			return u
		}
	}
	return nil
}

func (s *Server) convo(id string) *Conversation {
	for _, c := range s.convos {
		if c.ID == id && c.Became == "" {
			return c
		}
	}
	return nil
}

// member finds a switchboard integration by its name or id, "next" being the people's.
func (s *Server) member(name string) *member {
	for _, m := range s.members {
		if m.name == name || m.id == name || name == "next" && m.name == Workspace {
			return m
		}
	}
	return nil
}

// add puts a message into a conversation and tells of it. What a user writes that no
// integration has control of goes to the switchboard's first, and the bot answers what it
// is to answer (assumed of the bot: its words).
func (s *Server) add(c *Conversation, m Message) Message {
	m.ID, m.Received = s.newID(), time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	if m.Metadata == nil {
		m.Metadata = map[string]any{}
	}
	if m.Author["type"] == "user" && c.Active == "" {
		c.Active = Bot
	}
	c.Messages = append(c.Messages, m)
	s.tell("conversation:message", c, map[string]any{"message": m})
	if m.Author["type"] == "user" && c.Active == Bot {
		s.add(c, Message{Author: map[string]any{"type": "business", "displayName": "Answer Bot"}, Content: words("A bot's answer"), Source: map[string]any{"type": sourceBot}})
	}
	return m
}

func words(text string) map[string]any { return map[string]any{"type": "text", "text": text} }

// give changes who has control, and tells of it.
// components/schemas/webhooks/switchboardPassControl.yaml and its neighbours.
func (s *Server) give(c *Conversation, event, to string, more map[string]any) {
	if event == "switchboard:offerControl" {
		c.Pending = to
	} else {
		c.Active, c.Pending = to, ""
	}
	payload := map[string]any{}
	for name, value := range more {
		if value != nil {
			payload[name] = value
		}
	}
	if to == Workspace && event == "switchboard:passControl" {
		c.Ticket, _ = more["metadata"].(map[string]any)
	}
	s.tell(event, c, payload)
}

// Handler serves the API, files, and the control below /sim/.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	s.routes(mux)
	s.setup(mux)
	s.control(mux)
	return mux
}
