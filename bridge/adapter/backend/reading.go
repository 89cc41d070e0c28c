package backend

import (
	"strconv"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

// Assigned says who has the conversation, when that is another than before.
func (d Desk) Assigned(who event.Actor) {
	passed := d.Course.Taken && d.Course.Agent.ID != ""
	d.Course.Agent = who
	switch {
	case passed:
		d.Tx.Emit(adapter.Emission{Actor: who, Body: event.TransferCompleted{}})
	case !d.Course.Taken && d.Ways.AcceptedOn == OnAssigned:
		d.Course.Taken = true
		d.Tx.Emit(adapter.Emission{Actor: who, Body: event.HandoffAccepted{}})
	}
}

// Resolved says what the end of their work means, once. What nobody had taken was
// declined.
func (d Desk) Resolved() {
	if d.Acts.Back != nil {
		d.Acts.Back()
	}
	d.Course.Late = false
	d.Reading.over()
	actor := d.Course.Agent
	actor.Role = event.RoleLiveAgent
	emit := func(next Phase, body event.Body) {
		d.Course.Phase = next
		d.Tx.Emit(adapter.Emission{Actor: actor, Body: body})
	}
	switch {
	case !d.Course.Taken:
		emit(Gone, event.HandoffFailed{Reason: event.FailedDeclined})
	case d.Ways.OnResolve == ResolveEnd:
		emit(Ended, event.ConversationEnded{Reason: "completed", By: event.RoleLiveAgent})
	default:
		emit(Returning, event.HandbackRequested{Reason: "resolved"})
	}
}

// Voice is somebody as they act for the desk. The bridge hears the person alone who has
// the conversation, known by their id, or one of no id; the desks let others answer, too,
// and so those have their name alone.
func (d Desk) Voice(who event.Actor) event.Actor {
	if has := d.Course.Agent.ID; d.Course.Taken && has != "" && who.ID != has {
		who.ID = ""
	}
	return who
}

// Says emits what a person there said to the customer, a part an event. ref is the
// desk's own id of it.
func (d Desk) Says(who event.Actor, ref string, parts []event.Part) {
	who = d.Voice(who)
	for i, part := range parts {
		at := ref
		if i > 0 {
			at += "/" + strconv.Itoa(i)
		}
		d.Course.Taken = true
		d.Tx.Emit(adapter.Emission{Actor: who, Ref: at, Body: event.MessageCreated{Content: event.Content{Part: part}}})
	}
}

// Notes emits what a person there wrote for other people only.
func (d Desk) Notes(who event.Actor, ref, text string) {
	d.Tx.Emit(adapter.Emission{Actor: who, Ref: ref, Body: event.NoteCreated{Text: text}})
}

// Types emits that a person there writes, or no longer does.
func (d Desk) Types(who event.Actor, writing bool) {
	body := event.Body(event.TypingStopped{})
	if writing {
		body = event.TypingStarted{Expires: d.Tx.Now().Add(TypingLasts)}
	}
	who.Role = event.RoleLiveAgent
	d.Tx.Emit(adapter.Emission{Actor: who, Body: body})
}
