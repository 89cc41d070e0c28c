package chatwootsim

import (
	"net/http"
	"slices"
	"strconv"
)

// application adds the application API, for who shows the access token.
// app/controllers/api/v1/accounts.
func (s *Server) application(mux *http.ServeMux) {
	const at = "/api/v1/accounts/1/conversations"
	add := func(pattern string, do func(*call) answer) { mux.HandleFunc(pattern, s.serve(s.keyed, do)) }
	add("POST "+at, s.create)
	add("GET "+at+"/{id}", s.theirs(func(_ *call, c *Conversation) answer { return ok(s.row(c)) }))
	add("GET "+at+"/{id}/messages", s.theirs(s.messages))
	add("POST "+at+"/{id}/messages", s.theirs(s.post))
	add("PATCH "+at+"/{id}/messages/{message}", s.theirs(s.status))
	add("POST "+at+"/{id}/assignments", s.theirs(s.assignments))
	add("POST "+at+"/{id}/toggle_status", s.theirs(s.toggle))
	add("GET /api/v1/profile", s.profile)
	add("GET /api/v1/accounts/1/inboxes/{id}", s.inbox)
	add("PATCH /api/v1/accounts/1/inboxes/{id}", s.inbox)
	mux.HandleFunc("GET /rails/active_storage/blobs/{how}/{id}/{name}", s.file)
}

// theirs finds a conversation by its number.
func (s *Server) theirs(do func(*call, *Conversation) answer) func(*call) answer {
	return func(c *call) answer {
		id, err := strconv.Atoi(c.PathValue("id"))
		if one := s.convos[id]; err == nil && one != nil {
			return do(c, one)
		}
		return missing()
	}
}

// create makes a conversation of a contact's. conversations_controller.rb: create;
// app/builders/conversation_builder.rb.
func (s *Server) create(c *call) answer {
	who := s.sources[c.Text("source_id")]
	if who == nil || c.Number("inbox_id") != inboxID {
		return missing()
	}
	status := c.Text("status")
	if status == "" {
		status = StatusOpen
	}
	facts, _ := c.Fields["custom_attributes"].(map[string]any)
	one := &Conversation{ID: 41 + len(s.order), Source: c.Text("source_id"), Contact: *who, Status: status, Facts: facts}
	s.convos[one.ID], s.order = one, append(s.order, one.ID)
	s.tell("conversation_created", s.pushed(one))
	return ok(s.row(one))
}

// messages gives a page. app/finders/message_finder.rb.
func (s *Server) messages(c *call, one *Conversation) answer {
	all := one.Messages
	q := c.URL.Query()
	if before, err := strconv.Atoi(q.Get("before")); err == nil {
		all = slices.DeleteFunc(slices.Clone(all), func(m Message) bool { return m.ID >= before })
	} else if after, err := strconv.Atoi(q.Get("after")); err == nil {
		all = slices.DeleteFunc(slices.Clone(all), func(m Message) bool { return m.ID <= after })
		all = all[:min(len(all), afterSize)]
	}
	if q.Get("after") == "" {
		all = all[max(0, len(all)-pageSize):]
	}
	payload := []map[string]any{}
	for _, m := range all {
		payload = append(payload, s.shown(one, m))
	}
	meta := map[string]any{"labels": []string{}, "additional_attributes": map[string]any{}, "contact": s.person(one)}
	if one.Assignee != 0 {
		meta["assignee"] = staff(one.Assignee)
	}
	return ok(map[string]any{"meta": meta, "payload": payload})
}

// post is a message in the name of the token's user, or of the contact.
// app/builders/messages/message_builder.rb.
func (s *Server) post(c *call, one *Conversation) answer {
	m := Message{Type: Outgoing, Content: c.Text("content"), Private: c.Text("private") == "true", Sender: "user", SenderID: selfID, Attachments: attachments(c)}
	if c.Text("message_type") == "incoming" {
		m.Type, m.Sender, m.SenderID = Incoming, "contact", one.Contact.ID
	}
	if m.Content == "" && len(m.Attachments) == 0 {
		return answer{Status: http.StatusUnprocessableEntity, Body: map[string]any{"error": "content missing"}}
	}
	return ok(s.shown(one, s.add(one, m)))
}

// status is messages_controller.rb: update, for API inboxes.
func (s *Server) status(c *call, one *Conversation) answer {
	for i := range one.Messages {
		if m := &one.Messages[i]; strconv.Itoa(m.ID) == c.PathValue("message") {
			m.Status, m.Error = c.Text("status"), c.Text("external_error")
			s.tell("message_updated", s.told(one, *m))
			return ok(s.shown(one, *m))
		}
	}
	return missing()
}

// assignments is assignments_controller.rb: create.
func (s *Server) assignments(c *call, one *Conversation) answer {
	if id := c.Number("assignee_id"); id != 0 {
		s.assign(one, id)
		return ok(staff(id))
	}
	one.Team = c.Number("team_id")
	s.changed(one, "conversation_updated", "team_id", nil, one.Team)
	return ok(map[string]any{"id": one.Team, "name": "team", "account_id": accountID})
}

// toggle is conversations_controller.rb: toggle_status. The user of an agent's token
// who opens a conversation has it, too: handle_human_open.
func (s *Server) toggle(c *call, one *Conversation) answer {
	s.move(one, c.Text("status"), agent(selfID).Name)
	if s.options.AsAgent && one.Status == StatusOpen {
		s.assign(one, selfID)
	}
	return ok(map[string]any{"meta": map[string]any{}, "payload": map[string]any{"success": true, "current_status": one.Status, "conversation_id": one.ID}})
}

// profile is app/views/api/v1/models/_user.json.jbuilder, in short.
func (s *Server) profile(*call) answer {
	role := "administrator"
	if s.options.AsAgent {
		role = "agent"
	}
	return ok(map[string]any{"id": selfID, "name": agent(selfID).Name, "role": role, "accounts": []map[string]any{{"id": accountID, "name": "Acme", "role": role}}})
}

// inbox is app/views/api/v1/models/_inbox.json.jbuilder, in short; a PATCH with a
// channel's webhook_url changes it.
func (s *Server) inbox(c *call) answer {
	if c.PathValue("id") != strconv.Itoa(inboxID) {
		return missing()
	}
	if channel, _ := c.Fields["channel"].(map[string]any); c.Method == http.MethodPatch {
		address, _ := channel["webhook_url"].(string)
		s.options.WebhookURL = address
	}
	return ok(map[string]any{"id": inboxID, "name": "Footbridge", "channel_type": "Channel::Api", "inbox_identifier": s.options.Inbox, "webhook_url": s.options.WebhookURL})
}

// file serves a stored file at proxy, and redirects at redirect, as Active Storage
// does by default.
func (s *Server) file(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("how") != "proxy" {
		http.Redirect(w, r, "/elsewhere/"+r.PathValue("id"), http.StatusFound)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.convos {
		for _, m := range c.Messages {
			for _, a := range m.Attachments {
				if strconv.Itoa(a.ID) == r.PathValue("id") {
					w.Header().Set("Content-Type", a.MIME)
					_, _ = w.Write(a.Data)
					return
				}
			}
		}
	}
	http.NotFound(w, r)
}
