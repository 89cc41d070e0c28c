package libredesksim

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter/simvendor"
)

// Handler is the whole of it: the widget API, the agent API, files and the socket.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	widget := func(pattern string, f func(*http.Request, *Author) (any, error)) {
		mux.HandleFunc(pattern, s.answered(func(r *http.Request) (any, error) {
			who, err := s.contactOf(r)
			if err != nil {
				return nil, err
			}
			return f(r, who)
		}))
	}
	agent := func(pattern string, f func(*http.Request) (any, error)) {
		mux.HandleFunc(pattern, s.answered(func(r *http.Request) (any, error) {
			if r.Header.Get("Authorization") != "token "+s.APIKey+":"+s.APISecret {
				return nil, refuse(http.StatusUnauthorized, "unauthorized")
			}
			return f(r)
		}))
	}
	mux.HandleFunc("GET /widget/ws", s.Serve(func(*simvendor.Call) simvendor.Answer { return simvendor.Answer{Instead: s.socket} }))
	mux.HandleFunc("GET /uploads/{uuid}", s.file)
	mux.HandleFunc("GET /api/v1/widget/chat/settings/launcher", s.answered(s.launcher))
	mux.HandleFunc("POST /api/v1/widget/chat/auth/exchange", s.answered(s.exchange))
	widget("POST /api/v1/widget/chat/conversations/init", s.begin)
	widget("GET /api/v1/widget/chat/conversations", s.ofContact)
	widget("POST /api/v1/widget/chat/conversations/{uuid}/message", s.contactSays)
	widget("POST /api/v1/widget/chat/conversations/{uuid}/update-last-seen", s.contactSees)
	widget("POST /api/v1/widget/media/upload", s.contactUploads)
	agent("GET /api/v1/agents/compact", func(*http.Request) (any, error) { return s.agents, nil })
	agent("GET /api/v1/teams/compact", s.teamList)
	agent("GET /api/v1/webhooks", s.webhookList)
	agent("POST /api/v1/webhooks", s.webhookMade)
	agent("GET /api/v1/conversations/{uuid}", s.one)
	agent("GET /api/v1/conversations/{uuid}/messages", s.page)
	agent("POST /api/v1/conversations/{uuid}/messages", s.agentWrites)
	agent("PUT /api/v1/conversations/{uuid}/status", s.agentSetsStatus)
	agent("PUT /api/v1/conversations/{uuid}/assignee/{kind}", s.agentAssigns)
	return mux
}

// answered wraps what is done in what every answer is (envelope.go), under the lock.
func (s *Server) answered(f func(*http.Request) (any, error)) http.HandlerFunc {
	return s.Serve(func(c *simvendor.Call) simvendor.Answer {
		s.mu.Lock()
		defer s.mu.Unlock()
		data, err := f(c.Request)
		if err != nil {
			return simvendor.Answer{Status: codeOf(err), Body: failure(err.Error())}
		}
		return simvendor.Answer{Body: map[string]any{"status": "success", "data": data}}
	})
}

// wrong is what a Fault's calls are answered, too many of them as the rate limiter of
// cmd/middlewares.go does; its Retry-After is 1.
func wrong(f simvendor.Fault) any {
	if f.Status == http.StatusTooManyRequests {
		return map[string]any{"status": "error", "message": "rate limit exceeded"}
	}
	return failure("something went wrong")
}

func failure(words string) map[string]any {
	return map[string]any{"status": "error", "message": words, "data": nil, "error_type": "InputException"}
}

func read(r *http.Request, v any) error {
	if err := json.NewDecoder(r.Body).Decode(v); err != nil {
		return refuse(http.StatusBadRequest, "error parsing request")
	}
	return nil
}

// named is the conversation a path names.
func (s *Server) named(r *http.Request) (*Conversation, error) {
	if c := s.find(r.PathValue("uuid")); c != nil {
		return c, nil
	}
	return nil, refuse(http.StatusNotFound, "conversation not found")
}

// one is GET /api/v1/conversations/{uuid} (cmd/conversation.go).
func (s *Server) one(r *http.Request) (any, error) {
	c, err := s.named(r)
	if err != nil {
		return nil, err
	}
	return s.conversation(c), nil
}

// page is GET …/messages (cmd/messages.go handleGetMessages): the newest first.
func (s *Server) page(r *http.Request) (any, error) {
	c, err := s.named(r)
	if err != nil {
		return nil, err
	}
	number, _ := strconv.Atoi(r.URL.Query().Get("page"))
	size, _ := strconv.Atoi(r.URL.Query().Get("page_size"))
	number, size = max(number, 1), min(max(size, 1), s.PageSize)
	list := slices.Clone(c.Messages)
	slices.Reverse(list)
	from := min((number-1)*size, len(list))
	return map[string]any{"total": len(list), "results": list[from:min(from+size, len(list))], "page": number, "per_page": size,
		"total_pages": (len(list) + size - 1) / size}, nil
}

// agentWrites is POST …/messages (cmd/messages.go handleSendMessage).
func (s *Server) agentWrites(r *http.Request) (any, error) {
	c, err := s.named(r)
	if err != nil {
		return nil, err
	}
	var in struct {
		Message    string `json:"message"`
		Private    bool   `json:"private"`
		SenderType string `json:"sender_type"`
		EchoID     string `json:"echo_id"`
	}
	if err := read(r, &in); err != nil {
		return nil, err
	}
	if in.SenderType != "agent" || in.Message == "" {
		s.problem("a note without a sender_type or words")
		return nil, refuse(http.StatusBadRequest, "something went wrong")
	}
	by, _ := s.agent(1)
	m := s.add(c, Message{Type: "outgoing", Status: "sent", Content: in.Message, TextContent: in.Message, ContentType: "html", Private: in.Private, SenderID: 1, SenderType: "agent",
		Author: by, Meta: map[string]any{}})
	if !in.Private {
		s.problem("a message that is not private, in the name of the key's agent")
	}
	return m, nil
}

func (s *Server) agentSetsStatus(r *http.Request) (any, error) {
	c, err := s.named(r)
	if err != nil {
		return nil, err
	}
	var in struct {
		Status string `json:"status"`
	}
	if err := errors.Join(read(r, &in), s.setStatus(c, 1, in.Status)); err != nil {
		return nil, err
	}
	return true, nil
}

func (s *Server) agentAssigns(r *http.Request) (any, error) {
	c, err := s.named(r)
	if err != nil {
		return nil, err
	}
	var in struct {
		AssigneeID int `json:"assignee_id"`
	}
	if err := read(r, &in); err != nil {
		return nil, err
	}
	if r.PathValue("kind") == "user" {
		if s.assign(c, in.AssigneeID, 1) != nil {
			return nil, refuse(http.StatusBadRequest, "invalid assignee_id")
		}
		return true, nil
	}
	if s.teams[in.AssigneeID] == "" {
		return nil, refuse(http.StatusBadRequest, "invalid assignee_id")
	}
	c.Team = in.AssigneeID
	return true, nil
}

func (s *Server) teamList(*http.Request) (any, error) {
	var list []map[string]any
	for id, name := range s.teams {
		list = append(list, map[string]any{"id": id, "name": name, "emoji": nil})
	}
	return list, nil
}

// webhookList hides the secrets (cmd/webhooks.go).
func (s *Server) webhookList(*http.Request) (any, error) {
	list := []Webhook{}
	for _, w := range s.webhooks {
		one := *w
		if one.Secret != "" {
			one.Secret = strings.Repeat("•", 10)
		}
		list = append(list, one)
	}
	return list, nil
}

func (s *Server) webhookMade(r *http.Request) (any, error) {
	var w Webhook
	if err := read(r, &w); err != nil {
		return nil, err
	}
	if w.Name == "" || w.URL == "" || len(w.Events) == 0 {
		return map[string]any{"error_type": "InputException"}, nil // answered as if it were good (validateWebhook)
	}
	w.ID = s.number()
	s.webhooks = append(s.webhooks, &w)
	told := w
	told.Secret = strings.Repeat("•", 10)
	return told, nil
}
