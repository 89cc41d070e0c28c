// Package event is the canonical model of a conversation: every vendor's frames
// become these events and every vendor's frames are made from them.
//
// An event is a fact that has happened, named noun.past. It has one
// representation, the JSON this package reads and writes, and that
// representation is the same in the journal, in the plugin protocol and in the
// API. The package imports the standard library only and does no I/O.
package event

import (
	"encoding/json"
	"fmt"
	"time"
)

// Kind names what happened, for example "message.created". Kinds are open: a
// kind this program does not know is carried as Unknown.
type Kind string

// Role says what the far side of a leg, or the author of an event, is.
type Role string

// The roles. RoleSystem is the bridge's own voice; it is an actor's role and
// never a leg's.
const (
	RoleCustomer     Role = "customer"
	RoleVirtualAgent Role = "virtual_agent"
	RoleLiveAgent    Role = "live_agent"
	RoleObserver     Role = "observer"
	RoleSystem       Role = "system"
)

// Actor is who did an event. ID and Name are the source's own; both may be
// empty where the source names nobody.
type Actor struct {
	Role   Role   `json:"role"`
	ID     string `json:"id,omitempty"`
	Name   string `json:"name,omitempty"`
	Avatar string `json:"avatar,omitempty"`
}

// Via names the account an event came through and the role of that account's
// leg. It is empty for events of the bridge itself.
type Via struct {
	Account string `json:"account,omitempty"`
	Role    Role   `json:"role,omitempty"`
}

// Body is what a kind carries. Every kind has a struct of its own; Unknown
// carries the kinds this program does not know.
type Body interface {
	// Kind is the kind this body belongs to.
	Kind() Kind
}

// Event is one fact of a conversation. Events are values: they are not changed
// after they are made, and are safe to share.
type Event struct {
	// ID is unique and derived from the input that caused the event, so that a
	// repeated turn repeats it.
	ID string
	// Conversation is the id of the conversation the event belongs to.
	Conversation string
	// Seq is the event's position in its conversation, from 1. It is 0 for
	// transient events, which have no position.
	Seq int64
	// Time is when the bridge accepted the event, in UTC, to the millisecond.
	Time  time.Time
	Actor Actor
	Via   Via
	Body  Body
	// Ref is the vendor's own id of the fact, where it has one.
	Ref string
	// Vendor holds, per adapter, source fields the body does not carry.
	Vendor map[string]json.RawMessage
}

// Kind is the kind of the event's body, or "" when it has none.
func (e Event) Kind() Kind {
	if e.Body == nil {
		return ""
	}
	return e.Body.Kind()
}

// Unknown carries a kind this program does not know, untouched.
type Unknown struct {
	Name Kind
	JSON json.RawMessage
}

// Kind is the kind as it was read.
func (u Unknown) Kind() Kind { return u.Name }

// MarshalJSON writes the body as it was read.
func (u Unknown) MarshalJSON() ([]byte, error) {
	if len(u.JSON) == 0 {
		return []byte("{}"), nil
	}
	return u.JSON, nil
}

type wire struct {
	ID           string                     `json:"id,omitempty"`
	Conversation string                     `json:"conversation,omitempty"`
	Seq          int64                      `json:"seq,omitempty"`
	Time         *time.Time                 `json:"time,omitempty"`
	Kind         Kind                       `json:"kind"`
	Actor        Actor                      `json:"actor"`
	Via          *Via                       `json:"via,omitempty"`
	Ref          string                     `json:"ref,omitempty"`
	Body         json.RawMessage            `json:"body"`
	Vendor       map[string]json.RawMessage `json:"vendor,omitempty"`
}

// MarshalJSON writes the event in its one representation.
func (e Event) MarshalJSON() ([]byte, error) {
	body, err := json.Marshal(e.Body)
	if err != nil {
		return nil, fmt.Errorf("encode body of %s: %w", e.Kind(), err)
	}
	w := wire{ID: e.ID, Conversation: e.Conversation, Seq: e.Seq, Kind: e.Kind(),
		Actor: e.Actor, Ref: e.Ref, Body: body, Vendor: e.Vendor}
	if !e.Time.IsZero() {
		t := e.Time.UTC().Truncate(time.Millisecond)
		w.Time = &t
	}
	if e.Via != (Via{}) {
		w.Via = &e.Via
	}
	return json.Marshal(w)
}

// UnmarshalJSON reads an event. Unknown fields are ignored and an unknown kind
// becomes an Unknown body; a known kind whose body does not fit is an error.
func (e *Event) UnmarshalJSON(data []byte) error {
	var w wire
	if err := json.Unmarshal(data, &w); err != nil {
		return err
	}
	body, err := DecodeBody(w.Kind, w.Body)
	if err != nil {
		return err
	}
	*e = Event{ID: w.ID, Conversation: w.Conversation, Seq: w.Seq, Actor: w.Actor,
		Ref: w.Ref, Body: body, Vendor: w.Vendor}
	if w.Time != nil {
		e.Time = w.Time.UTC()
	}
	if y := e.Time.Year(); y < 0 || y > 9999 {
		return fmt.Errorf("event time %s: its year in UTC has not four digits", e.Time)
	}
	if w.Via != nil {
		e.Via = *w.Via
	}
	return nil
}

// DecodeBody reads the body of one kind. A kind this program does not know
// gives an Unknown; an empty kind is an error.
func DecodeBody(kind Kind, data json.RawMessage) (Body, error) {
	if kind == "" {
		return nil, fmt.Errorf("event has no kind")
	}
	decode, known := decoders[kind]
	if !known {
		return Unknown{Name: kind, JSON: append(json.RawMessage(nil), data...)}, nil
	}
	if len(data) == 0 || string(data) == "null" {
		data = json.RawMessage("{}")
	}
	body, err := decode(data)
	if err != nil {
		return nil, fmt.Errorf("decode body of %s: %w", kind, err)
	}
	return body, nil
}
