package convocore

import (
	"strconv"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// The bounds of a transcript that is passed on whole.
const (
	entriesMost = 500
	entriesSize = 240 << 10
)

// authors are the words turns have for who spoke. People at the vendor's desk
// are not told from its agent.
//
//nolint:gochecknoglobals // a table that is never written.
var authors = map[string]event.Role{
	"bot": event.RoleVirtualAgent, "agent": event.RoleVirtualAgent, "ai": event.RoleVirtualAgent, "assistant": event.RoleVirtualAgent,
	"human": event.RoleCustomer, "user": event.RoleCustomer, "system": event.RoleSystem,
}

// authorOf is who a turn is by.
func authorOf(turn codec.Value) event.Role {
	return authors[strings.ToLower(turn.Get("from", "role").Text())]
}

// fromOf is the word a turn has for an author.
func fromOf(role event.Role) string {
	switch role {
	case event.RoleCustomer:
		return fromHuman
	case event.RoleSystem:
		return fromSystem
	}
	return fromBot
}

// said is one message of a turn that is understood.
type said struct {
	part    event.Part
	message codec.Value
	turn    codec.Value
}

// answerOf is what the agent said after the customer's last turn.
func answerOf(turns codec.Value) []said {
	var out []said
	for _, turn := range turns.Unwrap().Items() {
		switch authorOf(turn) {
		case event.RoleCustomer:
			out = nil
		case event.RoleVirtualAgent:
			out = append(out, messagesIn(turn)...)
		}
	}
	return out
}

func messagesIn(turn codec.Value) []said {
	var out []said
	for _, m := range turn.Get("messages").Items() {
		if part := partOf(m); part != nil {
			out = append(out, said{part, m, turn})
		}
	}
	return out
}

// historyOf reads turns as a transcript; of a long one the end.
func historyOf(turns codec.Value) []event.TranscriptEntry {
	entries := []event.TranscriptEntry{}
	for _, turn := range turns.Unwrap().Items() {
		role := authorOf(turn)
		if role == "" {
			continue
		}
		for _, m := range messagesIn(turn) {
			entries = append(entries, event.TranscriptEntry{Actor: event.Actor{Role: role},
				Time: timeOf(m.message, turn), Content: event.Content{Part: m.part}})
		}
	}
	first := max(0, len(entries)-entriesMost)
	for size, i := 0, len(entries)-1; i >= first; i-- {
		if size += weight(entries[i]); size > entriesSize {
			first = i + 1
		}
	}
	return entries[first:]
}

// timeOf is when a message was said: seconds since 1970, in newer stores
// milliseconds.
func timeOf(values ...codec.Value) time.Time {
	for _, v := range values {
		n, err := strconv.ParseFloat(v.Get("ts").Text(), 64)
		switch {
		case err != nil || n <= 0 || n > 4e12:
			continue
		case n > 4e10:
			return time.UnixMilli(int64(n)).UTC()
		}
		return time.Unix(int64(n), 0).UTC()
	}
	return time.Time{}
}

// turnsOf writes a transcript as turns; what one author says in a row is one.
func turnsOf(entries []event.TranscriptEntry) []any {
	turns := []any{}
	var last object
	for _, e := range entries {
		from := fromOf(e.Actor.Role)
		if last == nil || last["from"] != from {
			last = turnOf(from, []any{}, e.Time)
			turns = append(turns, last)
		}
		messages, _ := last["messages"].([]any)
		for _, m := range messagesOf(from, e.Content, e.Time) {
			messages = append(messages, m)
		}
		last["messages"] = messages
	}
	return turns
}
