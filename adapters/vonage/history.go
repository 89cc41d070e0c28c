package vonage

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// startFrame is the body of the Start connection EP.
type startFrame struct {
	SessionID string  `json:"sessionId"`
	History   history `json:"history"`
}

type history struct {
	Transcription []map[string]string `json:"transcription"`
	Parameters    []json.RawMessage   `json:"parameters"`
}

type parameter struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

func startFrameOf(tx *adapter.Tx, set settings, session string, e event.Event, body event.HandoffRequested) startFrame {
	h := history{Transcription: []map[string]string{}, Parameters: []json.RawMessage{}}
	for _, entry := range body.Transcript {
		text := codec.Plain(entry.Content)
		if author := authorWord(entry.Actor.Role); author != "" && text != "" {
			h.Transcription = append(h.Transcription, map[string]string{author: text})
		}
	}
	known := parameters{values: body.Context, names: slices.Sorted(maps.Keys(body.Context))}
	var list []parameter
	for _, name := range known.names {
		list = append(list, parameter{name, known.values[name]})
	}
	for _, p := range synthesised(tx, set, session, e, body, known) {
		if known.values[p.Name] == "" {
			list = appendParameter(list, p)
		}
	}
	odd := oddParameters(e.Vendor["vonage"])
	for _, p := range list {
		h.Parameters = append(h.Parameters, p.raw(odd))
	}
	return startFrame{SessionID: session, History: h}
}

// oddParameters are the parameters of a start of the same vendor whose value was
// more than text, as they were written, by name.
func oddParameters(kept json.RawMessage) map[string]json.RawMessage {
	odd := map[string]json.RawMessage{}
	v, err := codec.Lenient(kept)
	if err != nil {
		return odd
	}
	for _, item := range v.Get("parameters").Items() {
		odd[item.Get("name", "key").Text()] = item.Raw()
	}
	return odd
}

func (p parameter) raw(odd map[string]json.RawMessage) json.RawMessage {
	if raw, ok := odd[p.Name]; ok {
		return raw
	}
	data, err := codec.Encode(p)
	if err != nil {
		return json.RawMessage(`{}`)
	}
	return data
}

// appendParameter gives an empty parameter of that name its value, or adds it.
func appendParameter(list []parameter, p parameter) []parameter {
	for i := range list {
		if list[i].Name == p.Name {
			list[i].Value = p.Value
			return list
		}
	}
	return append(list, p)
}

// authorWord is AI Studio's word for an author; people and the bridge spoke to
// the customer as the agent did.
func authorWord(role event.Role) string {
	switch role {
	case event.RoleCustomer:
		return "User"
	case event.RoleVirtualAgent, event.RoleLiveAgent, event.RoleSystem:
		return "Agent"
	}
	return ""
}

// synthesised are the parameters AI Studio always sends, and what the request
// says beyond its context.
func synthesised(tx *adapter.Tx, set settings, session string, e event.Event, body event.HandoffRequested, known parameters) []parameter {
	customer, first, began := opening(body.Transcript)
	if e.Actor.Role == event.RoleCustomer {
		customer = e.Actor
	}
	if began.IsZero() {
		began = tx.Now()
	}
	list := []parameter{
		{"SENDER_PHONE_NUMBER", cmp.Or(known.get("SENDER_PHONE_NUMBER", "CALLER_PHONE_NUMBER"), phone(customer.ID), stand(e.Conversation))},
		{"PROFILE_NAME", cmp.Or(known.get("PROFILE_NAME"), customer.Name, "Customer")},
		{"CONVERSATION_START_DATE", began.UTC().Format("2006-01-02")},
		{"CONVERSATION_START_TIME", began.UTC().Format("15:04:05")},
		{"AGENT_PHONE_NUMBER", set.AgentPhone},
		{"INITIAL_MESSAGE", first},
		{"SESSION_ID", session},
	}
	for _, p := range []parameter{{"SUMMARY", body.Summary}, {"REASON", body.Reason}, {"QUEUE", body.Routing.Queue}, {"LANGUAGE", body.Routing.Language}} {
		if p.Value != "" && known.get(p.Name) == "" {
			list = append(list, p)
		}
	}
	return list
}

// opening is who the customer is, their first words, and when all began.
func opening(transcript []event.TranscriptEntry) (customer event.Actor, first string, began time.Time) {
	for _, entry := range transcript {
		if began.IsZero() {
			began = entry.Time
		}
		if entry.Actor.Role != event.RoleCustomer {
			continue
		}
		if first == "" {
			first = codec.Plain(entry.Content)
		}
		customer.ID = cmp.Or(customer.ID, entry.Actor.ID)
		customer.Name = cmp.Or(customer.Name, entry.Actor.Name)
	}
	return customer, first, began
}

// phone is an id that is a telephone number, as WhatsApp writes it, or "".
func phone(id string) string {
	digits := id
	if len(digits) > 0 && digits[0] == '+' {
		digits = digits[1:]
	}
	if len(digits) < 7 || len(digits) > 15 {
		return ""
	}
	for _, r := range digits {
		if r < '0' || r > '9' {
			return ""
		}
	}
	return digits
}

// stand is a number for a customer who has none, the same throughout the
// conversation. No telephone number begins with 000.
func stand(conversation string) string {
	sum := sha256.Sum256([]byte(conversation))
	return fmt.Sprintf("000%09d", binary.BigEndian.Uint64(sum[:8])%1_000_000_000)
}
