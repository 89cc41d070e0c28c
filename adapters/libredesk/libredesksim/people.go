package libredesksim

import (
	"fmt"
	"html"
	"strings"
)

// Say is an agent's reply, in HTML as the editor writes it. It gives the message's uuid.
func (s *Server) Say(uuid string, agent int, text string) (string, error) {
	return s.write(uuid, agent, Message{Content: "<p>" + html.EscapeString(text) + "</p>", TextContent: text})
}

// Note is an agent's private note.
func (s *Server) Note(uuid string, agent int, text string) (string, error) {
	return s.write(uuid, agent, Message{Content: "<p>" + html.EscapeString(text) + "</p>", TextContent: text, Private: true})
}

// SendFile is an agent's reply that is a file.
func (s *Server) SendFile(uuid string, agent int, name, kind string, data []byte) (string, error) {
	s.mu.Lock()
	id := s.uuid()
	s.mu.Unlock()
	return s.write(uuid, agent, Message{Attachments: []Attachment{{Name: name, ContentType: kind, UUID: id, URL: "/uploads/" + id + "?sig=s", Size: len(data), Disposition: "attachment", data: data}}})
}

// Automate is what an automation rule writes, in the name of System.
func (s *Server) Automate(uuid, text string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.find(uuid)
	if c == nil {
		return "", ErrNone
	}
	m := s.add(c, Message{Type: "outgoing", Status: "pending", Content: "<p>" + text + "</p>", TextContent: text, ContentType: "html", SenderID: 2, SenderType: "agent",
		Meta: map[string]any{"is_automated": true}, Author: Author{ID: 2, FirstName: "System", Type: "agent"}})
	s.sent(c, m)
	return m.UUID, nil
}

func (s *Server) write(uuid string, agent int, m Message) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.find(uuid)
	by, known := s.agent(agent)
	if c == nil || !known {
		return "", ErrNone
	}
	m.Type, m.Status, m.ContentType, m.SenderID, m.SenderType, m.Author = "outgoing", "pending", "html", agent, "agent", by
	if m.Private {
		m.Status = "sent"
	}
	if m = s.add(c, m); !m.Private {
		s.sent(c, m)
	}
	return m.UUID, nil
}

// Type is what an agent who writes, or no longer does, shows the contact
// (BroadcastTypingToConversation).
func (s *Server) Type(uuid string, writing bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.find(uuid)
	if c == nil {
		return ErrNone
	}
	s.push(c, "typing", map[string]any{"conversation_uuid": uuid, "is_typing": writing})
	return nil
}

// Assign gives a conversation to an agent, in the name of that agent; 0 takes it away.
func (s *Server) Assign(uuid string, agent int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.find(uuid)
	if c == nil {
		return ErrNone
	}
	return s.assign(c, agent, agent)
}

// Pass gives a conversation to a team, which takes it from whoever has it
// (UpdateConversationTeamAssignee).
func (s *Server) Pass(uuid string, team int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.find(uuid)
	if c == nil || s.teams[team] == "" {
		return ErrNone
	}
	c.Team = team
	s.activity(c, "Assigned to the team "+s.teams[team])
	return s.assign(c, 0, 2)
}

func (s *Server) assign(c *Conversation, agent, actor int) error {
	by, known := s.agent(agent)
	if !known && agent != 0 {
		return ErrNone
	}
	c.Assignee = agent
	if agent == 0 {
		s.tell("conversation.unassigned", map[string]any{"conversation_uuid": c.UUID, "actor_id": actor, "conversation": s.conversation(c)})
		s.push(c, "conversation_update", map[string]any{"conversation_uuid": c.UUID, "assignee": nil})
		return nil
	}
	s.tell("conversation.assigned", map[string]any{"conversation_uuid": c.UUID, "assigned_to": agent, "actor_id": actor, "conversation": s.conversation(c)})
	s.activity(c, fmt.Sprintf("Assigned to %s", strings.TrimSpace(by.FirstName+" "+by.LastName)))
	s.push(c, "conversation_update", map[string]any{"conversation_uuid": c.UUID, "assignee": by})
	return nil
}

// SetStatus changes a conversation's status, in the name of an agent.
func (s *Server) SetStatus(uuid string, agent int, status string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.find(uuid)
	if c == nil {
		return ErrNone
	}
	return s.setStatus(c, agent, status)
}

func (s *Server) setStatus(c *Conversation, actor int, status string) error {
	category, known := statuses[status]
	if !known {
		return refuse(400, "invalid status")
	}
	if c.Status == status {
		return nil
	}
	old := c.Status
	c.Status = status
	s.tell("conversation.status_changed", map[string]any{"conversation_uuid": c.UUID, "previous_status": old, "new_status": status,
		"snooze_until": "", "actor_id": actor, "conversation": s.conversation(c)})
	s.activity(c, "Status is "+status)
	s.push(c, "conversation_update", map[string]any{"conversation_uuid": c.UUID, "status": status})
	if category == "resolved" && s.CSAT && !c.surveyed {
		c.surveyed = true
		by, _ := s.agent(actor)
		m := s.add(c, Message{Type: "outgoing", Status: "pending", Content: "Please rate this conversation", TextContent: "Please rate this conversation",
			ContentType: "html", SenderID: actor, SenderType: "agent", Author: by, Meta: map[string]any{"is_csat": true, "is_automated": true, "csat_uuid": s.uuid()}})
		s.sent(c, m)
	}
	return nil
}

// activity is a notice, which no customer sees.
func (s *Server) activity(c *Conversation, text string) {
	s.add(c, Message{Type: "activity", Status: "sent", Content: text, TextContent: text, ContentType: "text", SenderID: 2, SenderType: "agent",
		Author: Author{ID: 2, FirstName: "System", Type: "agent"}, Meta: map[string]any{"activity_type": "status_change"}})
}

// conversation is a conversation as the agent API and webhooks have it
// (models.Conversation).
func (s *Server) conversation(c *Conversation) map[string]any {
	var assignee any
	if c.Assignee != 0 {
		assignee = c.Assignee
	}
	return map[string]any{"id": 42, "uuid": c.UUID, "created_at": c.CreatedAt, "updated_at": s.last, "status": c.Status, "status_category": statuses[c.Status],
		"assigned_user_id": assignee, "assigned_team_id": c.Team, "contact_id": c.Contact.ID, "inbox_channel": "livechat", "inbox_name": "Chat",
		"subject": "", "meta": map[string]any{}, "custom_attributes": map[string]any{}, "previous_conversations": []any{}, "contact": c.Contact}
}
