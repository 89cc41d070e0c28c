package convocore

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// The states of a conversation at the vendor.
const (
	stateRequested = "requested_chat"
	stateHuman     = "human-chatting"
	stateAgent     = "ai-chatting"
	stateEnded     = "ended_chat"
)

// people is what is known of who has the conversation at the vendor.
type people struct {
	// State is the last state we set or saw, Seen when, by the vendor's clock.
	State string `json:"state,omitempty"`
	Seen  int64  `json:"seen,omitempty"`
	// Theirs says the vendor's own people have the conversation, Agent which.
	Theirs bool   `json:"theirs,omitempty"`
	Agent  string `json:"agent,omitempty"`
	// Back is the handback that waits for the state to be set.
	Back string `json:"back,omitempty"`
}

// wanting are names of actions and tools that ask for people, squashed.
//
//nolint:gochecknoglobals // a table that is never written.
var wanting = []string{"requesthandoff", "handoff", "handofftohuman", "humanhandoff", "livehandoff", "requesthuman", "requestchat", "requestedchat", "talktohuman", "transfertohuman"}

// action is something the agent does beside its words.
func (s *agentState) action(tx *adapter.Tx, set settings, v codec.Value) {
	a := v.Get("action").Unwrap()
	name := a.Text()
	if a.IsObject() {
		name = a.Get("type").Text()
	}
	tool := a.Get("toolMetadata").Get("toolName").Text()
	switch {
	case set.wants(name) || tool != "" && set.wants(tool):
		s.wanted(tx, set, v, a)
	case squash(name) == "toolcall" || name == "":
	case a.IsObject():
		s.emit(tx, event.Extension{Vendor: vendor, Name: frameAction, Data: a.Raw()})
	}
}

func (s *settings) wants(name string) bool {
	name = squash(name)
	return slices.Contains(wanting, name) || slices.ContainsFunc(s.HandoffActions, func(more string) bool { return squash(more) == name })
}

// wanted asks for people, once until something comes of it.
func (s *agentState) wanted(tx *adapter.Tx, set settings, v, a codec.Value) {
	payload := a.Get("payload").Unwrap()
	note := payload.Text()
	waiting := *set.Waiting
	if payload.IsObject() {
		note = payload.Get("note", "reason", "message").Text()
		if n, err := strconv.Atoi(payload.Get("timeout").Text()); err == nil && n > 0 && n <= 24*60*60 {
			waiting = n
		}
	}
	if s.Asked || s.Desk.Theirs {
		return
	}
	s.Asked = true
	rest, _ := residue(v, actionFrame(note)).(object)
	tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleVirtualAgent}, Vendor: keep(rest),
		Body: event.HandoffRequested{Reason: note, Waiting: waiting}})
}

// handing keeps the state at the vendor in step with what our people do.
func (s *agentState) handing(tx *adapter.Tx, set settings, e event.Event) {
	state := map[event.Kind]string{event.KindHandoffQueued: stateRequested, event.KindHandoffOffered: stateRequested,
		event.KindHandoffAccepted: stateHuman, event.KindHandoffFailed: stateAgent, event.KindHandoffCancelled: stateAgent,
		event.KindHandbackRequested: stateAgent}[e.Kind()]
	back, isBack := e.Body.(event.HandbackRequested)
	s.Desk.Theirs = false
	if state == stateAgent {
		s.Asked = false
	}
	switch {
	case set.Rest && isBack:
		s.Desk.Back = e.ID
		s.mark(tx, set, e.ID, state, "")
		s.note(tx, set, e.ID, back.Summary)
	case isBack:
		s.emit(tx, event.HandbackCompleted{})
	case set.Rest && s.Desk.State != state:
		s.mark(tx, set, e.ID, state, cmp.Or(e.Actor.Name, e.Actor.ID))
	}
}

// mark sets the conversation's state at the vendor. To set it twice does no harm.
func (s *agentState) mark(tx *adapter.Tx, set settings, id, state, agent string) {
	s.Desk.State = state
	metadata := object{"state": state}
	if state == stateHuman && agent != "" {
		metadata["chatAssignedTo"] = agent
	}
	s.post(tx, set, "state/"+id, "/state", adapter.RepeatKeyed, object{"metadata": metadata})
}

// note leaves the agent a word of what its people did.
func (s *agentState) note(tx *adapter.Tx, set settings, id, text string) {
	if text != "" {
		s.add(tx, set, "append/"+id, fromSystem, event.Plain(text))
	}
}

// add appends content to the vendor's conversation without an answer.
func (s *agentState) add(tx *adapter.Tx, set settings, tag, from string, c event.Content) {
	messages := []any{}
	for _, m := range messagesOf(from, c, tx.Now()) {
		messages = append(messages, m)
	}
	s.post(tx, set, tag, "", adapter.RepeatMarked, object{"origin": cmp.Or(s.Who.Facts["origin"], set.Origin), "appendMessages": messages})
}

func (s *agentState) post(tx *adapter.Tx, set settings, tag, path, repeat string, body object) {
	c := adapter.Call{Method: http.MethodPost, Body: written(body), Repeat: repeat, Header: http.Header{"Content-Type": {"application/json"}},
		URL: set.RestURL + "/agents/" + url.PathEscape(set.AgentID) + "/interact/" + url.PathEscape(tx.Key()) + path}
	if token := tx.Credential(secret); token != "" {
		c.Header.Set("Authorization", "Bearer "+token)
	}
	tx.Call(tag, c)
}

// toPeople gives the customer's words to the vendor's own people.
func (s *agentState) toPeople(tx *adapter.Tx, set settings, e event.Event) {
	body, _ := e.Body.(event.MessageCreated)
	if len(itemsOf(body.Content)) == 0 {
		tx.Fail("the message has no words to send")
		return
	}
	s.add(tx, set, "append/"+e.ID, fromHuman, body.Content)
}

// result is how a call to the vendor's REST interface ended.
func (s *agentState) result(tx *adapter.Tx, r adapter.Result) {
	fault := why(r)
	switch {
	case s.Desk.Back != "" && r.Tag == "state/"+s.Desk.Back:
		s.Desk.Back = ""
		if fault == "" {
			s.emit(tx, event.HandbackCompleted{})
			return
		}
		s.Desk.State = ""
		s.emit(tx, event.HandbackFailed{Reason: fault})
		return
	case fault == "":
		return
	case strings.HasPrefix(r.Tag, "state/"):
		s.Desk.State = "" // it is not known now
	case !strings.HasPrefix(r.Tag, "append/"):
		return
	}
	tx.Fail(fault)
}

// why says in words how a call failed; it is empty when it did not. The vendor
// answers some faults with 200 and an error inside.
func why(r adapter.Result) string {
	v, err := codec.Lenient(r.Body)
	inner := v.Get("error").Text()
	switch {
	case r.Reason != "":
		return "no answer: " + r.Reason
	case r.Status == http.StatusUnauthorized || r.Status == http.StatusForbidden:
		return fmt.Sprintf("answered %d: check the account's secret", r.Status)
	case !r.OK():
		return fmt.Sprintf("answered %d", r.Status)
	case err == nil && inner != "" && inner != "false":
		return "answered an error: " + clip(inner, factLength)
	}
	return ""
}
