package backend

import (
	"net/http"
	"strconv"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

// How much is read: the messages, or before them what became of the conversation.
const (
	LookMessages = 1
	LookWhole    = 2
)

// Look is a read of what happened at a desk. One runs at a time; what asks for one
// meanwhile is answered by another after it, so that nothing told is left unread. An
// adapter's own embeds it.
type Look struct {
	// Level is what is read, 0 while nothing is, and Again what is to be read after.
	Level int `json:"level,omitempty"`
	Again int `json:"again,omitempty"`
	// Resolved is what the conversation's own read said of its end.
	Resolved bool `json:"resolved,omitempty"`
}

// Look reports whether a read of that level is to begin now.
func (d Desk) Look(l *Look, level int) bool {
	if d.Course.Phase != Open {
		return false
	}
	if l.Level != 0 {
		l.Again = max(l.Again, level)
		return false
	}
	*l = Look{Level: level}
	return true
}

// Stopped ends a read that failed. What it would have brought, a later one brings: soon
// where another was asked for meanwhile, after a while otherwise, and not by itself where
// it was refused, for one more would be, too.
func (d Desk) Stopped(l *Look, r adapter.Result) {
	level, wait := l.Level, lookAgain
	if l.Again != 0 {
		wait = lookSoon
	}
	l.Level, l.Again = 0, 0
	refused := r.Reason == "" && r.Status >= 400 && r.Status < 500 && r.Status != http.StatusTooManyRequests
	if d.Course.Phase == Open && level != 0 && !refused {
		d.Tx.After(TimerLook, wait)
	}
}

// Finished ends a read that has brought all there is: with what became of the
// conversation, or with the level of the next read, 0 for none.
func (d Desk) Finished(l *Look) (again int) {
	again = l.Again
	l.Level, l.Again = 0, 0
	if l.Resolved {
		d.Resolved()
		return 0
	}
	return again
}

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
