package convocore

import (
	"slices"
	"strconv"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// told is an event of the vendor's webhook. One that means nothing to us is for
// people to see.
func (a agent) told(r adapter.Request) error {
	if r.Endpoint != "events" {
		return adapter.ErrUnsupported
	}
	v, err := codec.Lenient(r.Body)
	if err != nil {
		return err
	}
	kind, payload := v.Get("type").Text(), v.Get("payload").Unwrap()
	switch lower := strings.ToLower(kind); {
	case lower == "conversation_updated":
		a.updated(payload)
	case lower == "message_received":
		a.received(payload)
	case kind != "" && lower != "webhook_test" && payload.IsObject():
		a.emit(event.Extension{Vendor: vendor, Name: kind, Data: payload.Without("workspaceSecret", "createdAt")})
	}
	return nil
}

// updated follows the conversation's state. The vendor keeps no order and repeats
// the state with each change of anything, our own among them.
func (a agent) updated(v codec.Value) {
	light := v.Get("lightConvoData").Unwrap()
	at, _ := strconv.ParseInt(v.Get("createdAt").Text(), 10, 64)
	state := strings.ToLower(light.Get("state").Text())
	if state == "" || at != 0 && at < a.Desk.Seen {
		return
	}
	a.Desk.Seen = max(a.Desk.Seen, at)
	if a.Desk.State == state {
		return
	}
	a.Desk.State = state
	switch state {
	case stateRequested:
		a.request(event.HandoffRequested{Waiting: *a.set.Waiting}, nil)
	case stateHuman:
		a.Desk.Theirs, a.Asked = true, false
		a.Desk.Agent = clip(light.Get("chatAssignedTo").Text(), factLength)
		a.theirs(event.HandoffAccepted{})
	case stateAgent, stateEnded:
		a.returned(state)
	}
}

// returned says the vendor's own people have given the conversation back, or that
// it ended.
func (a agent) returned(state string) {
	had := a.Desk.Theirs
	a.Desk.Theirs, a.Asked = false, false
	switch {
	case state == stateEnded && had:
		a.theirs(event.ConversationEnded{Reason: stateEnded, By: event.RoleLiveAgent})
	case state == stateEnded:
		a.emit(event.ConversationEnded{Reason: stateEnded, By: event.RoleVirtualAgent})
	case had:
		a.theirs(event.HandbackRequested{})
	}
}

// received is a message in the vendor's conversation. Those of the customer and
// of the agent are known; one of its people is news while they have it.
func (a agent) received(v codec.Value) {
	from := squash(v.Get("from").Text())
	text := v.Get("messageContent").Text()
	if a.Desk.Theirs && strings.TrimSpace(text) != "" && slices.Contains([]string{"agent", "humanagent", "liveagent", "operator", "team"}, from) {
		a.theirs(event.MessageCreated{Content: event.Plain(text)})
	}
}

// theirs says what the vendor's own people did.
func (a agent) theirs(body event.Body) {
	who := a.Desk.Agent
	a.tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleLiveAgent, ID: who, Name: who}, Body: body})
}
