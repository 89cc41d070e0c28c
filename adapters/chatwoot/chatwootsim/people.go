package chatwootsim

import "strconv"

// with does something to a conversation; an unknown number does nothing.
func (s *Server) with(id int, do func(*Conversation)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.convos[id]; c != nil {
		do(c)
	}
}

// Assign gives a conversation to one of the people.
func (s *Server) Assign(id, agent int) { s.with(id, func(c *Conversation) { s.assign(c, agent) }) }

// Pass gives a conversation to a team whoever has it is not in, and nobody of which
// takes it by itself. app/models/concerns/assignment_handler.rb.
func (s *Server) Pass(id, team int) {
	s.with(id, func(c *Conversation) {
		c.Team, c.Assignee = team, 0
		s.add(c, Message{Type: Activity, Content: "Assigned to team " + strconv.Itoa(team)})
		s.changed(c, "conversation_updated", "team_id", nil, team)
	})
}

// Reply is one of the people's answer to the customer; its number is given.
func (s *Server) Reply(id, agent int, text string) (message int) {
	s.with(id, func(c *Conversation) {
		message = s.add(c, Message{Type: Outgoing, Content: text, Sender: "user", SenderID: agent}).ID
	})
	return message
}

// Note is a private note of one of the people.
func (s *Server) Note(id, agent int, text string) {
	s.with(id, func(c *Conversation) {
		s.add(c, Message{Type: Outgoing, Content: text, Private: true, Sender: "user", SenderID: agent})
	})
}

// Attach sends the customer a file, with words where there are any.
func (s *Server) Attach(id, agent int, text string, files ...Attachment) {
	s.with(id, func(c *Conversation) {
		s.add(c, Message{Type: Outgoing, Content: text, Sender: "user", SenderID: agent, Attachments: files})
	})
}

// Survey is Chatwoot's own question when a conversation is resolved.
func (s *Server) Survey(id int, text string) {
	s.with(id, func(c *Conversation) { s.add(c, Message{Type: Template, Content: text}) })
}

// Typing shows that one of the people writes, or no longer does; private is a note.
// app/services/conversations/typing_status_manager.rb.
func (s *Server) Typing(id, by int, on, private bool) {
	word := map[bool]string{true: "on", false: "off"}[on]
	s.with(id, func(c *Conversation) {
		who := map[string]any{"id": by, "name": agent(by).Name, "email": "", "type": "user"} // app/models/user.rb: webhook_data
		s.tell("conversation_typing_"+word, map[string]any{"user": who, "conversation": s.pushed(c), "is_private": private})
	})
}

// Resolve, and Reopen, is what one of the people does with a conversation.
func (s *Server) Resolve(id, by int) { s.moved(id, by, StatusResolved) }

// Reopen opens a conversation again.
func (s *Server) Reopen(id, by int) { s.moved(id, by, StatusOpen) }

// Snooze puts a conversation off.
func (s *Server) Snooze(id, by int) { s.moved(id, by, StatusSnoozed) }

func (s *Server) moved(id, by int, status string) {
	s.with(id, func(c *Conversation) { s.move(c, status, agent(by).Name) })
}
