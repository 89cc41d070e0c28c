package convocore

import (
	"slices"
	"strconv"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// eventHandlers say what becomes of an event of the webhook, by type. All others
// about the conversation are for people to see.
//
//nolint:gochecknoglobals // a table that is never written.
var eventHandlers = map[string]func(*agentState, *adapter.Tx, settings, codec.Value){
	"conversation_updated": (*agentState).updated,
	"message_received":     (*agentState).received,
	"webhook_test":         func(*agentState, *adapter.Tx, settings, codec.Value) {},
}

// told is an event of the vendor's webhook.
func (s *agentState) told(tx *adapter.Tx, set settings, r adapter.Request) error {
	if r.Endpoint != "events" {
		return adapter.ErrUnsupported
	}
	v, err := codec.Lenient(r.Body)
	if err != nil {
		return err
	}
	kind, payload := v.Get("type").Text(), v.Get("payload").Unwrap()
	if handle, known := eventHandlers[strings.ToLower(kind)]; known {
		handle(s, tx, set, payload)
		return nil
	}
	if kind != "" && payload.IsObject() {
		data := payload.Without("workspaceSecret", "createdAt")
		s.emit(tx, event.Extension{Vendor: vendor, Name: kind, Data: data})
	}
	return nil
}

// updated follows the conversation's state. The vendor keeps no order and repeats
// the state with each change of anything, our own among them.
func (s *agentState) updated(tx *adapter.Tx, set settings, v codec.Value) {
	light := v.Get("lightConvoData").Unwrap()
	at, _ := strconv.ParseInt(v.Get("createdAt").Text(), 10, 64)
	state := strings.ToLower(light.Get("state").Text())
	if state == "" || at != 0 && at < s.Desk.Seen {
		return
	}
	s.Desk.Seen = max(s.Desk.Seen, at)
	if was := s.Desk.State; was == state {
		return
	}
	s.Desk.State = state
	switch state {
	case stateRequested:
		s.requested(tx, set)
	case stateHuman:
		s.taken(tx, light)
	case stateAgent, stateEnded:
		s.returned(tx, state)
	}
}

func (s *agentState) requested(tx *adapter.Tx, set settings) {
	if s.Asked || s.Desk.Theirs {
		return
	}
	s.Asked = true
	s.emit(tx, event.HandoffRequested{Waiting: *set.Waiting})
}

// taken says the vendor's own people have the conversation.
func (s *agentState) taken(tx *adapter.Tx, light codec.Value) {
	s.Desk.Theirs, s.Asked = true, false
	s.Desk.Agent = clip(light.Get("chatAssignedTo").Text(), factLength)
	s.theirs(tx, event.HandoffAccepted{})
}

// returned says they have given it back, or ended it.
func (s *agentState) returned(tx *adapter.Tx, state string) {
	had := s.Desk.Theirs
	s.Desk.Theirs, s.Asked = false, false
	switch {
	case state == stateEnded && had:
		s.theirs(tx, event.ConversationEnded{Reason: stateEnded, By: event.RoleLiveAgent})
	case state == stateEnded:
		s.emit(tx, event.ConversationEnded{Reason: stateEnded, By: event.RoleVirtualAgent})
	case had:
		s.theirs(tx, event.HandbackRequested{})
	}
}

// received is a message in the vendor's conversation. Those of the customer and
// of the agent are known; one of its people is news while they have it.
func (s *agentState) received(tx *adapter.Tx, _ settings, v codec.Value) {
	from := squash(v.Get("from").Text())
	text := v.Get("messageContent").Text()
	if !s.Desk.Theirs || strings.TrimSpace(text) == "" || !slices.Contains([]string{"agent", "humanagent", "liveagent", "operator", "team"}, from) {
		return
	}
	s.theirs(tx, event.MessageCreated{Content: event.Plain(text)})
}

// theirs says what the vendor's own people did.
func (s *agentState) theirs(tx *adapter.Tx, body event.Body) {
	who := s.Desk.Agent
	tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleLiveAgent, ID: who, Name: who}, Body: body})
}
