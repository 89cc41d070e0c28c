package zendesksim

import (
	"encoding/json"
	"net/http"
	"slices"
	"unicode/utf8"

	"github.com/footbridge/footbridge/bridge/adapter/simvendor"
)

// routes are the calls of conversations. paths/v2@apps@{appId}@users*.yaml,
// …@conversations*.yaml, …@attachments.yaml.
func (s *Server) routes(mux *http.ServeMux) {
	const app = "/v2/apps/{app}"
	for pattern, do := range map[string]func(*call) answer{
		"POST " + app + "/users":                             s.newUser,
		"GET " + app + "/users/{id}":                         s.readUser,
		"PATCH " + app + "/users/{id}":                       s.changeUser,
		"POST " + app + "/conversations":                     s.newConversation,
		"GET " + app + "/conversations":                      s.listConversations,
		"GET " + app + "/conversations/{id}":                 s.at(s.readConversation),
		"GET " + app + "/conversations/{id}/participants":    s.at(s.participants),
		"GET " + app + "/conversations/{id}/messages":        s.at(s.listMessages),
		"POST " + app + "/conversations/{id}/messages":       s.at(s.newMessage),
		"POST " + app + "/conversations/{id}/activity":       s.at(s.newActivity),
		"POST " + app + "/conversations/{id}/passControl":    s.at(s.passControl),
		"POST " + app + "/conversations/{id}/offerControl":   s.at(s.offerControl),
		"POST " + app + "/conversations/{id}/acceptControl":  s.at(s.acceptControl),
		"POST " + app + "/conversations/{id}/releaseControl": s.at(s.releaseControl),
		"POST " + app + "/attachments":                       s.upload,
		"DELETE " + app + "/conversations/{id}":              s.at(s.deleteConversation),
	} {
		mux.HandleFunc(pattern, s.serve(do))
	}
	mux.HandleFunc("GET /attachments/{file}/{name}", s.serveFile)
}

// at finds the conversation of a call.
func (s *Server) at(do func(*call, *Conversation) answer) func(*call) answer {
	return func(c *call) answer {
		if one := s.convo(c.PathValue("id")); one != nil {
			return do(c, one)
		}
		return wrong(http.StatusNotFound, "conversation_not_found")
	}
}

// newUser makes a user, one for each externalId. components/requestBodies/userCreateBody.yaml.
func (s *Server) newUser(c *call) answer {
	external := textField(c.Fields, "externalId")
	email := textField(object(c.Fields, "profile"), "email")
	switch {
	case external == "" || len(external) > 1024 || email == "refused@example.com":
		return wrong(http.StatusBadRequest, "bad_request")
	case slices.ContainsFunc(s.users, func(u *User) bool { return u.External == external }):
		return wrong(http.StatusConflict, "conflict")
	}
	u := &User{ID: s.newID(), External: external, Profile: object(c.Fields, "profile")}
	s.users = append(s.users, u)
	return created(map[string]any{"user": s.shown(u)})
}

// shown is a user. components/schemas/user.yaml.
func (s *Server) shown(u *User) map[string]any {
	return map[string]any{"id": u.ID, "externalId": u.External, "authenticated": false, "profile": u.Profile, "metadata": map[string]any{}}
}

// known finds a user by id or externalId. components/parameters/userIdOrExternalId.yaml.
func (s *Server) known(name string) *User {
	for _, u := range s.users {
		switch {
		case u.External == name && u.Became != "":
			return s.now(u.Became)
		case u.External == name, u.ID == name && u.Became == "":
			return u
		}
	}
	return nil
}

// now is who a user is after all merges; later ones stand later.
func (s *Server) now(id string) *User {
	for _, u := range s.users {
		if u.ID == id && u.Became != "" {
			id = u.Became
		}
	}
	return s.user(id)
}

func (s *Server) readUser(c *call) answer {
	if u := s.known(c.PathValue("id")); u != nil {
		return ok(map[string]any{"user": s.shown(u)})
	}
	return wrong(http.StatusNotFound, "user_not_found")
}

func (s *Server) changeUser(c *call) answer {
	u := s.known(c.PathValue("id"))
	if u == nil {
		return wrong(http.StatusNotFound, "user_not_found")
	}
	u.Profile = object(c.Fields, "profile")
	return ok(map[string]any{"user": s.shown(u)})
}

// newConversation makes one with its one user; the first of the switchboard has control.
// components/requestBodies/conversationCreateBody.yaml.
func (s *Server) newConversation(c *call) answer {
	list, _ := c.Fields["participants"].([]any)
	if textField(c.Fields, "type") != "personal" || len(list) != 1 {
		return wrong(http.StatusBadRequest, "bad_request")
	}
	one, _ := list[0].(map[string]any)
	u := s.user(textField(one, "userId"))
	if u == nil {
		return wrong(http.StatusNotFound, "user_not_found")
	}
	made := &Conversation{ID: s.newID(), User: u.ID, Metadata: object(c.Fields, "metadata"), Active: Bot}
	s.convos = append(s.convos, made)
	s.tell("conversation:create", made, map[string]any{"creationReason": "none"})
	return created(map[string]any{"conversation": s.whole(made)})
}

// brief is a conversation as webhooks have it. components/schemas/conversationTruncated.yaml.
func (s *Server) brief(c *Conversation) map[string]any {
	out := map[string]any{"id": c.ID, "type": "personal"}
	for field, name := range map[string]string{"activeSwitchboardIntegration": c.Active, "pendingSwitchboardIntegration": c.Pending} {
		if m := s.member(name); m != nil && name != "" {
			out[field] = map[string]any{"id": m.id, "name": m.name, "integrationId": m.integration, "integrationType": m.kind()}
		}
	}
	return out
}

// kind is an integration's type. components/schemas/switchboardIntegration.
func (m *member) kind() string {
	if m.integration != "" {
		return "custom"
	}
	return map[string]string{Workspace: sourceWorkspace, Bot: sourceBot}[m.name]
}

// whole is a conversation as it is read. components/schemas/conversation.yaml.
func (s *Server) whole(c *Conversation) map[string]any {
	out := s.brief(c)
	out["metadata"], out["isDefault"] = c.Metadata, false
	return out
}

func (s *Server) readConversation(_ *call, one *Conversation) answer {
	return ok(map[string]any{"conversation": s.whole(one)})
}

func (s *Server) deleteConversation(_ *call, one *Conversation) answer {
	s.convos = slices.DeleteFunc(s.convos, func(c *Conversation) bool { return c == one })
	return ok(map[string]any{})
}

// listConversations lists a user's. components/parameters/conversationFilterQuery.yaml.
func (s *Server) listConversations(c *call) answer {
	list := []map[string]any{}
	for _, one := range s.convos {
		if one.User == c.URL.Query().Get("filter[userId]") && one.Became == "" {
			list = append(list, s.whole(one))
		}
	}
	return ok(map[string]any{"conversations": list, "meta": map[string]any{"hasMore": false}})
}

// participants are who takes part. components/responses/participantListResponse.yaml.
func (s *Server) participants(_ *call, one *Conversation) answer {
	return ok(map[string]any{"participants": []map[string]any{{"id": "p" + one.User, "userId": one.User, "unreadCount": 0}}, "meta": map[string]any{"hasMore": false}})
}

// listMessages gives a page, the newest where no cursor says otherwise.
// paths/v2@apps@{appId}@conversations@{conversationId}@messages.yaml.
func (s *Server) listMessages(c *call, one *Conversation) answer {
	list, q := one.Messages, c.URL.Query()
	place := func(id string) int { return slices.IndexFunc(list, func(m Message) bool { return m.ID == id }) }
	from, to := max(len(list)-s.options.PageSize, 0), len(list)
	more := from > 0
	if id := q.Get("page[before]"); id != "" {
		to = max(place(id), 0)
		from = max(to-s.options.PageSize, 0)
		more = from > 0
	} else if id := q.Get("page[after]"); id != "" {
		from = place(id) + 1
		to = min(from+s.options.PageSize, len(list))
		more = to < len(list)
	}
	meta := map[string]any{"hasMore": more}
	if from < to && from > 0 {
		meta["beforeCursor"] = list[from].ID
	}
	return ok(map[string]any{"messages": append([]Message{}, list[from:to]...), "meta": meta, "links": map[string]any{}})
}

// newMessage posts a message. components/requestBodies/messagePost.yaml.
func (s *Server) newMessage(c *call, one *Conversation) answer {
	author, content := object(c.Fields, "author"), object(c.Fields, "content")
	data, err := json.Marshal(c.Fields["metadata"])
	user := author["type"] == "user"
	switch {
	case user && s.user(textField(author, "userId")) == nil:
		return wrong(http.StatusNotFound, "user_not_found")
	case user && textField(author, "userId") != one.User:
		return wrong(http.StatusForbidden, "forbidden")
	case err != nil || len(data) > metadataLimit || !user && author["type"] != "business" || !fine(content, user):
		return wrong(http.StatusBadRequest, "bad_request")
	case len(one.Messages) >= s.options.Most: // openapi.yaml: a conversation takes 30,000
		return wrong(http.StatusLocked, "conversation_full")
	}
	m := s.add(one, Message{Author: author, Content: content, Source: map[string]any{"type": sourceAPI}, Metadata: object(c.Fields, "metadata")})
	return created(map[string]any{"messages": []Message{m}})
}

// fine reports whether content is as components/schemas/messages have it. A user sends
// no buttons and no questions (assumed), and nobody a formResponse.
func fine(content map[string]any, user bool) bool {
	text, kind := textField(content, "text"), textField(content, "type")
	list := func(name string) []any { l, _ := content[name].([]any); return l }
	if utf8.RuneCountInString(text) > textLimit || user && (len(list("actions")) > 0 || !slices.Contains([]string{"text", "image", "file", "location"}, kind)) {
		return false
	}
	switch kind {
	case "text":
		return text != "" || len(list("actions")) > 0
	case "image", "file":
		return textField(content, "mediaUrl") != ""
	case "carousel", "list":
		return len(list("items")) > 0
	case "form":
		return len(list("fields")) > 0
	case "location":
		return object(content, "coordinates") != nil
	}
	return false
}

// newActivity is that somebody reads or types; a user only reads.
// components/schemas/activityTypes.yaml.
func (s *Server) newActivity(c *call, one *Conversation) answer {
	author, kind := object(c.Fields, "author"), textField(c.Fields, "type")
	if author["type"] == "user" && kind != "conversation:read" || author["type"] == nil {
		return wrong(http.StatusBadRequest, "bad_request")
	}
	if kind == "conversation:read" {
		one.Seen++
	}
	s.acts(one, kind, author)
	return ok(map[string]any{})
}

// acts tells of an activity. components/schemas/webhooks/conversationReadEvent.yaml,
// conversationTypingEvent.yaml, activity.yaml.
func (s *Server) acts(one *Conversation, kind string, author map[string]any) {
	event := "conversation:typing"
	if kind == "conversation:read" {
		event = kind
	}
	s.tell(event, one, map[string]any{"activity": map[string]any{"type": kind, "author": author, "source": map[string]any{"type": sourceAPI}}})
}

// passControl gives control to another. components/requestBodies/passControlBody.yaml.
func (s *Server) passControl(c *call, one *Conversation) answer {
	return s.switched(c, one, "switchboard:passControl", s.member(textField(c.Fields, "switchboardIntegration")))
}

// offerControl makes another pending. components/requestBodies/offerControlBody.yaml.
func (s *Server) offerControl(c *call, one *Conversation) answer {
	return s.switched(c, one, "switchboard:offerControl", s.member(textField(c.Fields, "switchboardIntegration")))
}

// acceptControl makes the pending one active. components/requestBodies/acceptControlBody.yaml.
func (s *Server) acceptControl(c *call, one *Conversation) answer {
	return s.switched(c, one, "switchboard:acceptControl", s.member(one.Pending))
}

func (s *Server) switched(c *call, one *Conversation, event string, to *member) answer {
	metadata := object(c.Fields, "metadata")
	data, err := json.Marshal(metadata)
	if to == nil || err != nil || len(data) > metadataLimit {
		s.tell(event+":failure", one, map[string]any{"error": map[string]any{"code": "bad_request"}, "metadata": metadata})
		return wrong(http.StatusBadRequest, "bad_request")
	}
	s.give(one, event, to.name, map[string]any{"metadata": metadata})
	return ok(map[string]any{})
}

// releaseControl leaves nobody with control. ReleaseControlBody of the public clients:
// reason ticketClosed or transferToEmail, and metadata.
func (s *Server) releaseControl(c *call, one *Conversation) answer {
	s.give(one, "switchboard:releaseControl", "", map[string]any{"reason": c.Fields["reason"], "metadata": c.Fields["metadata"]})
	return ok(map[string]any{})
}

// upload stores the file of the field "source". paths/v2@apps@{appId}@attachments.yaml,
// components/requestBodies/attachmentUploadBody.yaml.
func (s *Server) upload(c *call) answer {
	i := slices.IndexFunc(c.Files, func(f simvendor.File) bool { return f.Field == "source" })
	if i < 0 {
		return wrong(http.StatusBadRequest, "bad_request")
	}
	f := c.Files[i]
	return created(map[string]any{"attachment": map[string]any{"mediaUrl": s.store(f.Name, f.MIME, f.Data), "mediaType": f.MIME}})
}

func (s *Server) store(name, kind string, data []byte) string {
	path := "/attachments/" + s.newID() + "/" + name
	s.files[s.base+path], s.types[s.base+path] = data, kind
	return s.base + path
}

func (s *Server) serveFile(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	data, kind := s.files[s.base+r.URL.Path], s.types[s.base+r.URL.Path]
	s.mu.Unlock()
	if data == nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", kind)
	_, _ = w.Write(data)
}
