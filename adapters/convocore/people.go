package convocore

import (
	"cmp"
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
func (a agent) action(v codec.Value) {
	act := v.Get("action").Unwrap()
	name := act.Text()
	if act.IsObject() {
		name = act.Get("type").Text()
	}
	tool := act.Get("toolMetadata").Get("toolName").Text()
	switch {
	case a.set.wants(name), tool != "" && a.set.wants(tool):
		a.requested(v, act.Get("payload").Unwrap())
	case squash(name) == "toolcall" || name == "":
	case act.IsObject():
		a.emit(event.Extension{Vendor: vendor, Name: frameAction, Data: act.Raw()})
	}
}

func (s *settings) wants(name string) bool {
	name = squash(name)
	return slices.Contains(wanting, name) || slices.ContainsFunc(s.HandoffActions, func(more string) bool { return squash(more) == name })
}

// requested reads an action that asks for people.
func (a agent) requested(v, payload codec.Value) {
	note, waiting := payload.Text(), *a.set.Waiting
	if payload.IsObject() {
		note = payload.Get("note", "reason", "message").Text()
		if n, err := strconv.Atoi(payload.Get("timeout").Text()); err == nil && n > 0 && n <= 24*60*60 {
			waiting = n
		}
	}
	rest, _ := residue(v, actionFrame(note)).(object)
	a.request(event.HandoffRequested{Reason: note, Waiting: waiting}, rest)
}

// request asks for people, once until something comes of it.
func (a agent) request(body event.HandoffRequested, rest object) {
	if !a.Asked && !a.Desk.Theirs {
		a.Asked = true
		a.relay(body, "", rest)
	}
}

// stages are the states the vendor has for what our people do.
//
//nolint:gochecknoglobals // a table that is never written.
var stages = map[event.Kind]string{
	event.KindHandoffQueued: stateRequested, event.KindHandoffOffered: stateRequested, event.KindHandoffAccepted: stateHuman,
	event.KindHandoffFailed: stateAgent, event.KindHandoffCancelled: stateAgent, event.KindHandbackRequested: stateAgent,
}

// handing keeps the state at the vendor in step with what our people do, and
// leaves the agent a word of it.
func (a agent) handing(e event.Event) {
	state := stages[e.Kind()]
	back, isBack := e.Body.(event.HandbackRequested)
	a.Desk.Theirs = false
	a.Asked = a.Asked && state != stateAgent
	switch {
	case a.set.Rest && isBack:
		a.Desk.Back = e.ID
		a.mark(e.ID, state, "")
		if back.Summary != "" {
			a.add("append/"+e.ID, fromSystem, event.Plain(back.Summary))
		}
	case isBack:
		a.emit(event.HandbackCompleted{})
	case a.set.Rest && a.Desk.State != state:
		a.mark(e.ID, state, cmp.Or(e.Actor.Name, e.Actor.ID))
	}
}

// mark sets the conversation's state at the vendor. To set it twice does no harm.
func (a agent) mark(id, state, who string) {
	a.Desk.State = state
	metadata := object{"state": state}
	if state == stateHuman && who != "" {
		metadata["chatAssignedTo"] = who
	}
	a.post("state/"+id, "/state", adapter.RepeatKeyed, object{"metadata": metadata})
}

// add appends content to the vendor's conversation without an answer.
func (a agent) add(tag, from string, c event.Content) {
	a.post(tag, "", adapter.RepeatMarked, object{"origin": a.origin(), "appendMessages": listed(messagesOf(from, c, a.tx.Now()))})
}

func (a agent) post(tag, path, repeat string, body object) {
	c := adapter.Call{Method: http.MethodPost, Body: codec.Compose(body), Repeat: repeat, Header: http.Header{"Content-Type": {"application/json"}},
		URL: a.set.RestURL + "/agents/" + url.PathEscape(a.set.AgentID) + "/interact/" + url.PathEscape(a.tx.Key()) + path}
	if token := a.tx.Credential(secret); token != "" {
		c.Header.Set("Authorization", "Bearer "+token)
	}
	a.tx.Call(tag, c)
}

// result is how a call to the vendor's REST interface ended.
func (a agent) result(r adapter.Result) {
	fault := why(r)
	if fault != "" && strings.HasPrefix(r.Tag, "state/") {
		a.Desk.State = "" // it is not known now
	}
	switch back := a.Desk.Back != "" && r.Tag == "state/"+a.Desk.Back; {
	case back && fault == "":
		a.Desk.Back = ""
		a.emit(event.HandbackCompleted{})
	case back:
		a.Desk.Back = ""
		a.emit(event.HandbackFailed{Reason: fault})
	case fault != "":
		a.tx.Fail(fault)
	}
}

// why says in words how a call failed; it is empty when it did not. The vendor
// answers some faults with 200 and an error inside.
func why(r adapter.Result) string {
	if fault := r.Fault(secret); fault != "" {
		return fault
	}
	v, err := codec.Lenient(r.Body)
	if inner := v.Get("error").Text(); err == nil && inner != "" && inner != "false" {
		return "answered an error: " + clip(inner, factLength)
	}
	return ""
}
