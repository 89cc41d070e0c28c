package slacksim

import (
	"fmt"
	"slices"
	"time"
)

// Write is what a person writes below a head, or with thread "" in the channel; its
// timestamp is given. The text is as Slack stores it: &, < and > escaped.
func (s *Server) Write(channel, thread, user, text string) string {
	return s.says(&Message{Channel: channel, Thread: thread, User: user, Text: text})
}

// Attach is a person's message with files.
func (s *Server) Attach(channel, thread, user, text string, files ...File) string {
	s.mu.Lock()
	for i := range files {
		files[i].ID = s.id("F")
		s.uploads[files[i].ID] = &files[i]
	}
	s.mu.Unlock()
	return s.says(&Message{Channel: channel, Thread: thread, User: user, Text: text, Subtype: "file_share", Files: files})
}

// Event is a message with a subtype, such as channel_join, in a person's name.
func (s *Server) Event(channel, thread, user, subtype, text string) string {
	return s.says(&Message{Channel: channel, Thread: thread, User: user, Text: text, Subtype: subtype})
}

// Program is what another app writes in the thread.
func (s *Server) Program(channel, thread, text string) string {
	return s.says(&Message{Channel: channel, Thread: thread, User: "U0OTHER", Bot: "B0OTHER", Text: text})
}

func (s *Server) says(m *Message) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.add(m).TS
}

// Edit is a person's change of their message.
func (s *Server) Edit(channel, ts, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.find(channel, ts); m != nil {
		previous := s.shown(m)
		m.Text, m.Edited = text, s.stamp()
		s.changed(m, previous)
	}
}

// Delete takes a message away. docs.slack.dev/reference/events/message/message_deleted.
func (s *Server) Delete(channel, ts string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.find(channel, ts); m != nil {
		previous := s.shown(m)
		m.Deleted = true
		at := s.stamp()
		s.tell(map[string]any{"type": "message", "subtype": "message_deleted", "hidden": true, "channel": channel, "channel_type": "channel", "deleted_ts": ts,
			"previous_message": previous, "ts": at, "event_ts": at})
	}
}

// Press is a person's press of a button of a thread's head, also one that is no longer
// shown: their page may be older. docs.slack.dev/reference/interaction-payloads/block_actions-payload.
func (s *Server) Press(thread, user, action string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.messages, func(m *Message) bool { return m.TS == thread })
	value, shown := s.values[thread+" "+action]
	if i < 0 || !shown {
		return fmt.Errorf("thread %s has never had a button %s", thread, action)
	}
	m, who := s.messages[i], Person{ID: user, Name: user}
	for _, p := range People() {
		if p.ID == user {
			who = p
		}
	}
	name := "directmessage"
	if ch := s.channel(m.Channel); ch != nil {
		name = ch.Name
	}
	s.Put(notice{form: true, body: encode(map[string]any{"type": "block_actions", "api_app_id": appID, "token": "deprecated", "trigger_id": fmt.Sprintf("%d.%s", time.Now().UnixNano(), s.id("t")),
		"team": map[string]any{"id": teamID, "domain": "acme"}, "user": map[string]any{"id": who.ID, "username": who.Name, "name": who.Name, "team_id": teamID},
		"container": map[string]any{"type": "message", "message_ts": thread, "channel_id": m.Channel, "is_ephemeral": false},
		"channel":   map[string]any{"id": m.Channel, "name": name}, "message": s.shown(m), "response_url": s.base + "/actions/T0SIM/1/x", "is_enterprise_install": false,
		"actions": []map[string]any{{"type": "button", "action_id": action, "block_id": "b", "value": value, "action_ts": s.stamp(),
			"text": map[string]any{"type": "plain_text", "text": action}}}})})
	return nil
}
