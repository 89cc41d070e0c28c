package libredesksim

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"
)

// The limits of cmd/chat.go.
const (
	longest   = 10_000
	mostOpen  = 50
	mostBytes = 20 << 20
)

func (s *Server) inbox(r *http.Request) error {
	if id := r.Header.Get("X-Libredesk-Inbox-ID"); id != s.InboxUUID {
		return refuse(http.StatusBadRequest, "inbox not found")
	}
	return nil
}

func (s *Server) launcher(r *http.Request) (any, error) {
	if err := s.inbox(r); err != nil {
		return nil, err
	}
	return map[string]any{"launcher": map[string]any{"position": "right"}, "colors": map[string]any{"primary": "#000000"}}, nil
}

// exchange is handleAuthExchange: the signature is looked at before the claims.
func (s *Server) exchange(r *http.Request) (any, error) {
	if err := s.inbox(r); err != nil {
		return nil, err
	}
	var in struct{ JWT string }
	if err := read(r, &in); err != nil {
		return nil, err
	}
	var claims struct {
		ID        string `json:"external_user_id"`
		Email     string `json:"email"`
		FirstName string `json:"first_name"`
		LastName  string `json:"last_name"`
		Exp       int64  `json:"exp"`
	}
	if !s.signed(in.JWT, &claims) || time.Now().Unix() >= claims.Exp {
		return nil, refuse(http.StatusUnauthorized, "unauthorized")
	}
	if claims.ID == "" || len(claims.ID) > 128 || claims.Email == "" || len(claims.Email) > 254 || claims.FirstName == "" || len(claims.FirstName) > 128 {
		return nil, refuse(http.StatusBadRequest, "external_user_id, email and first_name are required")
	}
	who, known := s.contacts[claims.ID]
	if !known {
		who = &Author{ID: s.number(), Type: "contact"}
		s.contacts[claims.ID] = who
	}
	who.FirstName, who.LastName, who.Email = claims.FirstName, claims.LastName, claims.Email
	token := "widget-" + s.uuid()
	of := sessionOf{contact: who}
	if s.SessionLasts > 0 {
		of.until = time.Now().Add(s.SessionLasts)
	}
	s.sessions[token] = of
	return map[string]any{"session_token": token, "user": map[string]any{"user_id": who.ID, "is_visitor": false, "first_name": who.FirstName, "last_name": who.LastName}}, nil
}

// signed reads a JSON Web Token of the inbox's secret.
func (s *Server) signed(token string, claims any) bool {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return false
	}
	mac := hmac.New(sha256.New, []byte(s.InboxSecret))
	mac.Write([]byte(parts[0] + "." + parts[1]))
	body, err := base64.RawURLEncoding.DecodeString(parts[1])
	return err == nil && base64.RawURLEncoding.EncodeToString(mac.Sum(nil)) == parts[2] && json.Unmarshal(body, claims) == nil
}

// contactOf is whom a call's token stands for (widgetAuth).
func (s *Server) contactOf(r *http.Request) (*Author, error) {
	if err := s.inbox(r); err != nil {
		return nil, err
	}
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if who := s.contact(token); who != nil {
		return who, nil
	}
	return nil, refuse(http.StatusUnauthorized, "unauthorized")
}

func (s *Server) contact(token string) *Author {
	of, known := s.sessions[token]
	if !known || !of.until.IsZero() && time.Now().After(of.until) {
		return nil
	}
	return of.contact
}

// Forget makes all contacts' tokens bad, as an empty Redis does.
func (s *Server) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions = map[string]sessionOf{}
}

func (s *Server) externalID(who *Author) string {
	for id, one := range s.contacts {
		if one == who {
			return id
		}
	}
	return ""
}

// begin is handleChatInit. The first message is told before the conversation it is in.
func (s *Server) begin(r *http.Request, who *Author) (any, error) {
	var in struct{ Message string }
	if err := read(r, &in); err != nil {
		return nil, err
	}
	if in.Message == "" || len(in.Message) > longest {
		return nil, refuse(http.StatusBadRequest, "message is required, and at most 10000 long")
	}
	n := 0
	for _, c := range s.conversations {
		if c.Contact.ID == who.ID {
			n++
		}
	}
	if n >= mostOpen {
		return nil, refuse(http.StatusTooManyRequests, "too many conversations")
	}
	c := &Conversation{UUID: s.uuid(), Status: "Open", CreatedAt: s.now(), Contact: *who, ExternalID: s.externalID(who)}
	s.conversations = append(s.conversations, c)
	m := s.add(c, fromContact(*who, in.Message))
	s.tell("conversation.created", s.conversation(c))
	return map[string]any{"conversation": s.chat(c), "messages": []any{chatMessage(m)}, "business_hours_id": nil, "working_hours_utc_offset": nil}, nil
}

func fromContact(who Author, text string) Message {
	return Message{Type: "incoming", Status: "received", Content: text, TextContent: text, ContentType: "text", SenderID: who.ID, SenderType: "contact", Author: who}
}

// chat is a conversation as the widget has it (models.ChatConversation).
func (s *Server) chat(c *Conversation) map[string]any {
	var assignee any
	if a, ok := s.agent(c.Assignee); ok {
		assignee = a
	}
	return map[string]any{"uuid": c.UUID, "status": c.Status, "created_at": c.CreatedAt, "contact_last_seen_at": c.contactLastSeenAt, "unread_message_count": 0, "assignee": assignee}
}

// chatMessage is a message as the widget has it (models.ChatMessage).
func chatMessage(m Message) map[string]any {
	author := m.Author
	author.Email = ""
	return map[string]any{"id": m.ID, "uuid": m.UUID, "status": m.Status, "conversation_uuid": m.ConversationUUID, "created_at": m.CreatedAt, "content": m.Content,
		"text_content": m.TextContent, "author": author, "attachments": m.Attachments, "meta": m.Meta}
}

func (s *Server) ofContact(_ *http.Request, who *Author) (any, error) {
	list := []any{}
	for _, c := range s.conversations {
		if c.Contact.ID == who.ID {
			list = append(list, s.chat(c))
		}
	}
	return list, nil
}

func (s *Server) own(uuid string, who *Author) (*Conversation, error) {
	c := s.find(uuid)
	if c == nil || c.Contact.ID != who.ID {
		return nil, refuse(http.StatusForbidden, "permission denied")
	}
	return c, nil
}

// contactSays is handleChatSendMessage.
func (s *Server) contactSays(r *http.Request, who *Author) (any, error) {
	var in struct{ Message string }
	if err := read(r, &in); err != nil {
		return nil, err
	}
	c, err := s.own(r.PathValue("uuid"), who)
	switch {
	case err != nil:
		return nil, err
	case in.Message == "" || len(in.Message) > longest:
		return nil, refuse(http.StatusBadRequest, "message is required, and at most 10000 long")
	}
	if statuses[c.Status] != "open" { // an answer opens it again (ProcessIncomingMessageHooks)
		_ = s.setStatus(c, who.ID, "Open")
	}
	return chatMessage(s.add(c, fromContact(*who, in.Message))), nil
}

func (s *Server) contactSees(r *http.Request, who *Author) (any, error) {
	c, err := s.own(r.PathValue("uuid"), who)
	if err != nil {
		return nil, err
	}
	c.Seen++
	c.contactLastSeenAt = s.now()
	return true, nil
}

// contactUploads is handleWidgetMediaUpload, which takes the first file alone.
func (s *Server) contactUploads(r *http.Request, who *Author) (any, error) {
	if err := r.ParseMultipartForm(mostBytes); err != nil {
		return nil, refuse(http.StatusInternalServerError, "error parsing request")
	}
	c, err := s.own(r.FormValue("conversation_uuid"), who)
	switch {
	case err != nil:
		return nil, err
	case s.NoUploads:
		return nil, refuse(http.StatusBadRequest, "file upload is disabled")
	case len(r.MultipartForm.File["files"]) == 0:
		return nil, refuse(http.StatusBadRequest, "file not found")
	}
	head := r.MultipartForm.File["files"][0]
	f, err := head.Open()
	if err != nil {
		return nil, refuse(http.StatusInternalServerError, "something went wrong")
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	if err != nil || len(data) == 0 {
		return nil, refuse(http.StatusBadRequest, "file is empty")
	}
	m := fromContact(*who, "")
	id := s.uuid()
	m.Attachments = []Attachment{{Name: head.Filename, ContentType: head.Header.Get("Content-Type"), UUID: id, URL: "/uploads/" + id, Size: len(data), Disposition: "attachment", data: data}}
	return chatMessage(s.add(c, m)), nil
}

// file serves what a message has.
func (s *Server) file(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conversations {
		for _, m := range c.Messages {
			for _, a := range m.Attachments {
				if a.UUID == r.PathValue("uuid") {
					w.Header().Set("Content-Type", a.ContentType)
					_, _ = w.Write(a.data)
					return
				}
			}
		}
	}
	http.NotFound(w, r)
}
