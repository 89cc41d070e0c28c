package chatwootsim

import (
	"fmt"
	"net/url"
	"strings"
)

// person is a contact. app/models/contact.rb: push_event_data.
func (s *Server) person(c *Conversation) map[string]any {
	return map[string]any{"id": c.Contact.ID, "name": c.Contact.Name, "email": c.Contact.Email, "phone_number": c.Contact.Phone,
		"identifier": c.Contact.Identifier, "thumbnail": "", "additional_attributes": map[string]any{}, "custom_attributes": map[string]any{}, "type": "contact"}
}

// user is one of the people. app/models/user.rb: push_event_data.
func user(id int) map[string]any {
	return map[string]any{"id": id, "name": agent(id).Name, "available_name": agent(id).Name, "avatar_url": "", "type": "user", "availability_status": "online", "thumbnail": ""}
}

// staff is app/views/api/v1/models/_agent.json.jbuilder.
func staff(id int) map[string]any {
	return map[string]any{"id": id, "account_id": accountID, "availability_status": "online", "auto_offline": true, "confirmed": true,
		"email": strings.ToLower(agent(id).Name) + "@example.com", "available_name": agent(id).Name, "name": agent(id).Name, "role": "agent", "thumbnail": ""}
}

func (s *Server) sender(c *Conversation, m Message) any {
	switch m.Sender {
	case "contact":
		return s.person(c)
	case "user":
		return user(m.SenderID)
	}
	return nil
}

// shown is a message as the application API shows it.
// app/views/api/v1/models/_message.json.jbuilder; the echo_id is not stored, so it is
// in the answer to its own call alone.
func (s *Server) shown(c *Conversation, m Message) map[string]any {
	out := map[string]any{"id": m.ID, "content": m.Content, "inbox_id": inboxID, "conversation_id": c.ID, "message_type": m.Type, "content_type": "text",
		"status": m.Status, "content_attributes": map[string]any{}, "created_at": m.At.Unix(), "private": m.Private, "source_id": nil}
	if sender := s.sender(c, m); sender != nil {
		out["sender"] = sender
	}
	if files := s.attached(m); len(files) > 0 {
		out["attachments"] = files
	}
	return out
}

// attached are a message's files. app/models/attachment.rb: push_event_data; the
// address is Active Storage's redirecting one.
func (s *Server) attached(m Message) []map[string]any {
	var files []map[string]any
	for _, a := range m.Attachments {
		kind, _, _ := strings.Cut(a.MIME, "/")
		if kind != "image" && kind != "audio" && kind != "video" {
			kind = "file"
		}
		address := fmt.Sprintf("%s/rails/active_storage/blobs/redirect/%d/%s", s.base, a.ID, url.PathEscape(a.Name))
		files = append(files, map[string]any{"id": a.ID, "message_id": m.ID, "file_type": kind, "account_id": accountID, "extension": nil,
			"data_url": address, "thumb_url": "", "file_size": len(a.Data)})
	}
	return files
}

// told is a message as the webhook tells it. app/models/message.rb: webhook_data.
func (s *Server) told(c *Conversation, m Message) map[string]any {
	out := map[string]any{"id": m.ID, "content": m.Content, "created_at": m.At.Format("2006-01-02T15:04:05.000Z"),
		"message_type": []string{"incoming", "outgoing", "activity", "template"}[m.Type], "content_type": "text", "content_attributes": map[string]any{},
		"private": m.Private, "source_id": nil, "sender": s.sender(c, m), "contact": s.person(c), "inbox": map[string]any{"id": inboxID, "name": "Footbridge"},
		"conversation": s.pushed(c), "account": map[string]any{"id": accountID, "name": "Acme"}}
	if files := s.attached(m); len(files) > 0 {
		out["attachments"] = files
	}
	return out
}

// pushed is a conversation as webhooks have it.
// app/presenters/conversations/event_data_presenter.rb.
func (s *Server) pushed(c *Conversation) map[string]any {
	meta := map[string]any{"sender": s.person(c), "assignee": nil, "team": nil, "hmac_verified": false}
	if c.Assignee != 0 {
		meta["assignee"] = user(c.Assignee)
	}
	return map[string]any{"additional_attributes": map[string]any{}, "can_reply": true, "channel": "Channel::Api", "id": c.ID, "inbox_id": inboxID,
		"contact_inbox": map[string]any{"source_id": c.Source, "inbox_id": inboxID, "contact_id": c.Contact.ID}, "messages": s.last(c), "labels": []string{},
		"meta": meta, "status": c.Status, "custom_attributes": c.Facts, "snoozed_until": nil, "unread_count": 0}
}

// row is a conversation as the application API shows it.
// app/views/api/v1/conversations/partials/_conversation.json.jbuilder.
func (s *Server) row(c *Conversation) map[string]any {
	meta := map[string]any{"sender": s.person(c), "channel": "Channel::Api", "hmac_verified": false}
	if c.Assignee != 0 {
		meta["assignee"] = staff(c.Assignee)
	}
	if c.Team != 0 {
		meta["team"] = map[string]any{"id": c.Team, "name": "team"}
	}
	return map[string]any{"meta": meta, "id": c.ID, "messages": s.last(c), "account_id": accountID, "uuid": "u", "additional_attributes": map[string]any{},
		"can_reply": true, "custom_attributes": c.Facts, "inbox_id": inboxID, "labels": []string{}, "muted": false, "snoozed_until": nil, "status": c.Status,
		"unread_count": 0, "agent_last_seen_at": 0, "contact_last_seen_at": 0}
}

// last is a conversation's last message, in a list.
func (s *Server) last(c *Conversation) []map[string]any {
	if len(c.Messages) == 0 {
		return []map[string]any{}
	}
	return []map[string]any{s.shown(c, c.Messages[len(c.Messages)-1])}
}
