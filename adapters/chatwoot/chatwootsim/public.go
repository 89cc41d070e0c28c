package chatwootsim

import (
	"net/http"
	"regexp"
	"strconv"
)

// public adds the public API: what a contact does.
// app/controllers/public/api/v1/inboxes.
func (s *Server) public(mux *http.ServeMux) {
	const at = "/public/api/v1/inboxes/{inbox}/contacts"
	mux.HandleFunc("POST "+at, s.serve(anybody, s.contact))
	mux.HandleFunc("GET "+at+"/{source}/conversations", s.serve(anybody, s.list))
	mux.HandleFunc("POST "+at+"/{source}/conversations/{id}/messages", s.serve(anybody, s.ours(s.say)))
	mux.HandleFunc("POST "+at+"/{source}/conversations/{id}/toggle_typing", s.serve(anybody, s.ours(s.types)))
	mux.HandleFunc("POST "+at+"/{source}/conversations/{id}/update_last_seen", s.serve(anybody, s.ours(s.seen)))
}

// The forms of a contact's number and address. app/models/contact.rb.
//
//nolint:gochecknoglobals // never written.
var (
	phoneForm = regexp.MustCompile(`^\+[1-9]\d{1,14}$`)
	emailForm = regexp.MustCompile(`^[^@\s]+@[^@\s]+\.[^@\s]+$`)
)

// contact makes a contact, or finds the one with that identifier, under a source_id
// of the caller's where there is one. contacts_controller.rb: create;
// app/builders/contact_inbox_with_contact_builder.rb.
func (s *Server) contact(c *call) answer {
	if c.PathValue("inbox") != s.options.Inbox {
		return missing()
	}
	email, number := c.Text("email"), c.Text("phone_number")
	if email != "" && !emailForm.MatchString(email) || number != "" && !phoneForm.MatchString(number) {
		return answer{Status: http.StatusUnprocessableEntity, Body: map[string]any{"message": "Invalid email or phone number"}}
	}
	source := c.Text("source_id")
	if source == "" {
		s.next++
		source = "source-" + strconv.Itoa(s.next)
	}
	who := s.sources[source]
	for _, other := range s.sources {
		if who == nil && other.Identifier == c.Text("identifier") {
			who = other
		}
	}
	if who == nil {
		s.next++
		who = &Contact{ID: s.next, Identifier: c.Text("identifier"), Name: c.Text("name"), Email: email, Phone: number}
	}
	s.sources[source] = who
	// app/views/public/api/v1/models/_contact.json.jbuilder
	return ok(map[string]any{"source_id": source, "pubsub_token": "pubsub-" + source, "id": who.ID, "name": who.Name, "email": who.Email, "phone_number": who.Phone})
}

// list gives the conversations of a source_id. conversations_controller.rb: index;
// app/views/public/api/v1/models/_conversation.json.jbuilder.
func (s *Server) list(c *call) answer {
	if s.sources[c.PathValue("source")] == nil {
		return missing()
	}
	all := []map[string]any{}
	for _, id := range s.order {
		if one := s.convos[id]; one.Source == c.PathValue("source") {
			all = append(all, map[string]any{"id": one.ID, "uuid": "u", "inbox_id": inboxID, "status": one.Status, "contact_last_seen_at": 0,
				"agent_last_seen_at": 0, "messages": s.last(one), "contact": s.person(one)})
		}
	}
	return ok(all)
}

// ours finds the contact's conversation.
func (s *Server) ours(do func(*call, *Conversation) answer) func(*call) answer {
	return func(c *call) answer {
		id, err := strconv.Atoi(c.PathValue("id"))
		one := s.convos[id]
		if err != nil || one == nil || one.Source != c.PathValue("source") || c.PathValue("inbox") != s.options.Inbox {
			return missing()
		}
		return do(c, one)
	}
}

// say is the contact's message. messages_controller.rb: create; the answer is that
// of app/views/public/api/v1/models/_message.json.jbuilder.
func (s *Server) say(c *call, one *Conversation) answer {
	if c.Text("content") == "" && len(c.Files) == 0 {
		return answer{Status: http.StatusUnprocessableEntity, Body: map[string]any{"message": "content missing"}}
	}
	m := s.add(one, Message{Type: Incoming, Content: c.Text("content"), Sender: "contact", SenderID: one.Contact.ID, Echo: c.Text("echo_id"), Attachments: attachments(c)})
	body := s.shown(one, m)
	body["message_type"] = "incoming"
	return ok(body)
}

// types is conversations_controller.rb: toggle_typing. It is told to the webhook,
// too, with the contact as the user.
func (s *Server) types(c *call, one *Conversation) answer {
	word := c.URL.Query().Get("typing_status")
	one.Typing = word
	if word == "on" || word == "off" {
		s.tell("conversation_typing_"+word, map[string]any{"user": s.person(one), "conversation": s.pushed(one), "is_private": false})
	}
	return answer{}
}

// seen is conversations_controller.rb: update_last_seen. A job then marks what was
// sent as read.
func (s *Server) seen(_ *call, one *Conversation) answer {
	one.Seen++
	for i := range one.Messages {
		if m := &one.Messages[i]; m.Type == Outgoing && !m.Private {
			m.Status = "read"
		}
	}
	return answer{}
}
