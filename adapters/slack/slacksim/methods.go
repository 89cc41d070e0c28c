package slacksim

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"
)

// bucket is how many messages a channel still takes at once.
type bucket struct {
	left float64
	at   time.Time
}

// methods adds the methods. docs.slack.dev/reference/methods/NAME.
func (s *Server) methods(mux *http.ServeMux) {
	for name, do := range map[string]struct {
		scopes []string // any of them
		do     func(*call) answer
	}{
		"auth.test":                    {nil, s.test},
		"chat.postMessage":             {[]string{"chat:write"}, s.post},
		"chat.update":                  {[]string{"chat:write"}, s.update},
		"conversations.replies":        {[]string{"channels:history", "groups:history"}, s.repliesOf},
		"conversations.history":        {[]string{"channels:history", "groups:history"}, s.history},
		"conversations.info":           {[]string{"channels:read", "groups:read"}, s.info},
		"conversations.join":           {[]string{"channels:join"}, s.join},
		"users.info":                   {[]string{"users:read"}, s.user},
		"files.getUploadURLExternal":   {[]string{"files:write"}, s.place},
		"files.completeUploadExternal": {[]string{"files:write"}, s.share},
	} {
		mux.HandleFunc("/api/"+name, s.serve(s.options.Token, func(c *call) answer {
			if missing := s.missing(do.scopes); missing != "" {
				return answer{Body: map[string]any{"ok": false, "error": "missing_scope", "needed": missing, "provided": strings.Join(s.options.Scopes, ",")}}
			}
			return do.do(c)
		}))
	}
}

// missing is the scope the token lacks, or "".
func (s *Server) missing(wanted []string) string {
	if len(wanted) == 0 || len(s.options.Scopes) == 0 || slices.ContainsFunc(wanted, func(w string) bool { return slices.Contains(s.options.Scopes, w) }) {
		return ""
	}
	return wanted[0]
}

func good(body map[string]any) answer {
	body["ok"] = true
	return answer{Body: body}
}

func refused(name string) answer {
	return answer{Body: map[string]any{"ok": false, "error": name}}
}

// member is the channel of a call, of which the app is a member, or why not.
func (s *Server) member(c *call) (*Channel, string) {
	ch := s.channel(c.Text("channel") + c.Text("channel_id"))
	switch {
	case ch == nil:
		return nil, "channel_not_found"
	case ch.Archived:
		return nil, "is_archived"
	case !ch.Member:
		return nil, "not_in_channel"
	}
	return ch, ""
}

func (s *Server) test(*call) answer {
	return good(map[string]any{"url": "https://acme.slack.com/", "team": "Acme", "user": "footbridge", "team_id": teamID, "user_id": selfID, "bot_id": botID})
}

func (s *Server) post(c *call) answer {
	ch, why := s.member(c)
	if why != "" {
		return refused(why)
	}
	if wait := s.full(ch.ID); wait > 0 {
		return answer{Status: http.StatusTooManyRequests, RetryAfter: wait, Body: map[string]any{"ok": false, "error": "ratelimited"}}
	}
	m := &Message{Channel: ch.ID, Thread: c.Text("thread_ts"), Bot: botID, User: selfID, Text: c.Text("text"), Blocks: c.Fields["blocks"], Metadata: c.Fields["metadata"],
		Username: c.Text("username"), Icon: c.Text("icon_url"), Plain: c.Text("mrkdwn") == "false"}
	switch {
	case m.Text == "" && m.Blocks == nil:
		return refused("no_text")
	case len([]rune(m.Text)) > 40_000:
		return refused("msg_too_long")
	case m.Thread != "" && s.find(ch.ID, m.Thread) == nil:
		return refused("thread_not_found")
	}
	if m.Username != "" && s.missing([]string{"chat:write.customize"}) == "" { // a name of its own makes a bot_message without a user
		m.User, m.Subtype = "", "bot_message"
	} else {
		m.Username, m.Icon = "", ""
	}
	s.add(m)
	return good(map[string]any{"channel": ch.ID, "ts": m.TS, "message": s.shown(m)})
}

// full is how many seconds a channel takes nothing.
func (s *Server) full(channel string) int {
	if s.options.Burst == 0 {
		return 0
	}
	b := s.buckets[channel]
	if b == nil {
		b = &bucket{left: float64(s.options.Burst), at: time.Now()}
		s.buckets[channel] = b
	}
	b.left = min(float64(s.options.Burst), b.left+time.Since(b.at).Seconds())
	b.at = time.Now()
	if b.left < 1 {
		return 1
	}
	b.left--
	return 0
}

func (s *Server) update(c *call) answer {
	ch, why := s.member(c)
	if why != "" {
		return refused(why)
	}
	m := s.find(ch.ID, c.Text("ts"))
	switch {
	case m == nil:
		return refused("message_not_found")
	case m.Bot == "":
		return refused("cant_update_message")
	}
	previous := s.shown(m)
	m.Text, m.Blocks = c.Text("text"), c.Fields["blocks"]
	s.buttons(m)
	s.changed(m, previous)
	return good(map[string]any{"channel": ch.ID, "ts": m.TS, "text": m.Text, "message": s.shown(m)})
}

// repliesOf gives a page of a thread, from old to new, with its head before it.
func (s *Server) repliesOf(c *call) answer {
	ch, why := s.member(c)
	if why != "" {
		return refused(why)
	}
	head := s.find(ch.ID, c.Text("ts"))
	if head == nil {
		return refused("thread_not_found")
	}
	after := max(c.Text("oldest"), c.Text("cursor"))
	var found []*Message
	for _, m := range s.messages {
		if m.Channel == ch.ID && m.Thread == head.TS && m.TS > after && !m.Deleted {
			found = append(found, m)
		}
	}
	body, page := s.paged(c, found)
	body["messages"] = append([]map[string]any{s.listed(c, head)}, page...)
	return good(body)
}

// paged is the first page of a list, and what says how to have the next.
func (s *Server) paged(c *call, found []*Message) (body map[string]any, page []map[string]any) {
	limit := cmp.Or(c.Number("limit"), 1000)
	if s.options.PageSize > 0 {
		limit = min(limit, s.options.PageSize)
	}
	body = map[string]any{"has_more": len(found) > limit}
	if len(found) > limit {
		found = found[:limit]
		body["response_metadata"] = map[string]any{"next_cursor": found[limit-1].TS}
	}
	page = []map[string]any{}
	for _, m := range found {
		page = append(page, s.listed(c, m))
	}
	return body, page
}

// listed is a message in a list, with its metadata where the call wants it.
func (s *Server) listed(c *call, m *Message) map[string]any {
	out := s.shown(m)
	if c.Text("include_all_metadata") == "true" && m.Metadata != nil {
		out["metadata"] = m.Metadata
	}
	return out
}

// history gives the heads of a channel, the newest first.
func (s *Server) history(c *call) answer {
	ch, why := s.member(c)
	if why != "" {
		return refused(why)
	}
	var found []*Message
	for _, m := range slices.Backward(s.messages) {
		if m.Channel == ch.ID && m.Thread == "" && m.TS > c.Text("oldest") && !m.Deleted {
			found = append(found, m)
		}
	}
	body, page := s.paged(c, found)
	body["messages"] = page
	return good(body)
}

func (s *Server) info(c *call) answer {
	ch := s.channel(c.Text("channel"))
	if ch == nil || ch.Private && !ch.Member {
		return refused("channel_not_found")
	}
	return good(map[string]any{"channel": map[string]any{"id": ch.ID, "name": ch.Name, "is_channel": true, "is_member": ch.Member, "is_private": ch.Private, "is_archived": ch.Archived}})
}

func (s *Server) join(c *call) answer {
	ch := s.channel(c.Text("channel"))
	switch {
	case ch == nil || ch.Private:
		return refused("channel_not_found")
	case ch.Archived:
		return refused("is_archived")
	}
	ch.Member = true
	return good(map[string]any{"channel": map[string]any{"id": ch.ID, "name": ch.Name, "is_member": true}})
}

func (s *Server) user(c *call) answer {
	i := slices.IndexFunc(People(), func(p Person) bool { return p.ID == c.Text("user") })
	if i < 0 {
		return refused("user_not_found")
	}
	p := People()[i]
	return good(map[string]any{"user": map[string]any{"id": p.ID, "team_id": teamID, "name": p.Name, "real_name": p.real(), "is_bot": false,
		"profile": map[string]any{"display_name": p.Display, "real_name": p.real(), "image_72": "https://avatars.example/" + p.Name + "_72.png"}}})
}
