package zendesksim

import "maps"

// with does something to a conversation; an unknown one does nothing.
func (s *Server) with(id string, do func(*Conversation)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.convo(id); c != nil {
		do(c)
	}
}

// person is the author of what one of the people writes: a name, and no id.
// components/schemas/author.yaml.
func person(name string) map[string]any {
	return map[string]any{"type": "business", "displayName": name, "avatarUrl": "https://acme.example/" + name + ".png"}
}

// Reply is one of the people's answer to the customer.
func (s *Server) Reply(id, name, text string) { s.Send(id, name, words(text)) }

// Send is any content one of the people sends. components/schemas/content.yaml.
func (s *Server) Send(id, name string, content map[string]any) {
	s.with(id, func(c *Conversation) {
		s.add(c, Message{Author: person(name), Content: content, Source: map[string]any{"type": sourceWorkspace}})
	})
}

// Attach sends the customer a file.
func (s *Server) Attach(id, name, file, kind, image string, data []byte) {
	s.with(id, func(c *Conversation) {
		content := map[string]any{"type": image, "mediaUrl": s.store(file, kind, data), "mediaType": kind, "mediaSize": len(data)}
		s.add(c, Message{Author: person(name), Content: content, Source: map[string]any{"type": sourceWorkspace}})
	})
}

// Note is an internal note of one of the people: nothing of it is on the wire.
func (s *Server) Note(id, text string) {
	s.with(id, func(c *Conversation) { c.Notes = append(c.Notes, text) })
}

// Survey is what a trigger writes when all is over, in the name of the business, or in
// none (assumed).
func (s *Server) Survey(id, name, text string) {
	s.with(id, func(c *Conversation) {
		author := map[string]any{"type": "business"}
		if name != "" {
			author["displayName"] = name
		}
		s.add(c, Message{Author: author, Content: words(text), Source: map[string]any{"type": sourceWorkspace}})
	})
}

// Answers is what the bot writes unasked.
func (s *Server) Answers(id, text string) {
	s.with(id, func(c *Conversation) {
		s.add(c, Message{Author: map[string]any{"type": "business", "displayName": "Answer Bot"}, Content: words(text), Source: map[string]any{"type": sourceBot}})
	})
}

// Typing shows that one of the people writes, or no longer does.
func (s *Server) Typing(id, name string, on bool) {
	kind := map[bool]string{true: "typing:start", false: "typing:stop"}[on]
	s.with(id, func(c *Conversation) { s.acts(c, kind, person(name)) })
}

// Read is that one of the people has read what the customer wrote.
func (s *Server) Read(id, name string) {
	s.with(id, func(c *Conversation) { s.acts(c, "conversation:read", person(name)) })
}

// End is that one of the people ends the session: control is released (assumed of Agent
// Workspace; the reason is ReleaseControlBody's).
func (s *Server) End(id, reason string) {
	s.with(id, func(c *Conversation) { s.give(c, "switchboard:releaseControl", "", map[string]any{"reason": reason}) })
}

// Pass gives control to a switchboard integration by its name, as a trigger may.
func (s *Server) Pass(id, to string) {
	s.with(id, func(c *Conversation) { s.give(c, "switchboard:passControl", to, nil) })
}

// Merge makes the customer of a conversation another user, as when they sign in at
// another channel, and with conversation the conversation another, too, in which one of
// the people had written long before; its id is given.
// components/schemas/webhooks/userMergeEvent.yaml.
func (s *Server) Merge(id string, conversation bool) (now string) {
	s.with(id, func(c *Conversation) {
		now = id
		old := s.user(c.User)
		stays := &User{ID: s.newID(), External: "signed-in-" + old.ID, Profile: maps.Clone(old.Profile)}
		old.Became = stays.ID
		s.users = append(s.users, stays)
		c.User = stays.ID
		payload := map[string]any{"mergedUsers": map[string]any{"surviving": s.shown(stays), "discarded": s.shown(old)}}
		if conversation {
			gone := s.brief(c)
			made := *c
			made.ID = s.newID()
			old := Message{ID: "4f" + s.newID()[2:], Received: "2020-09-30T13:46:02.733Z", Author: person("Max"), Content: words("An old answer"),
				Source: map[string]any{"type": sourceWorkspace}, Metadata: map[string]any{}}
			made.Messages = append([]Message{old}, c.Messages...)
			c.Became = made.ID
			s.convos = append(s.convos, &made)
			now = made.ID
			payload["mergedConversations"] = map[string]any{"surviving": s.brief(&made), "discarded": gone}
		}
		s.tell("user:merge", nil, payload)
	})
	return now
}
