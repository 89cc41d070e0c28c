package aisera

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// answer is a server's frame as it was read: body holds its members, wherever
// they stood.
type answer struct {
	mode string
	body codec.Value
}

func readAnswer(v codec.Value) answer {
	a := answer{mode: scalar(v.Get("modeType")), body: v}
	for _, name := range []string{"data", "response"} {
		inner := v.Get(name).Unwrap()
		if !inner.IsObject() {
			continue
		}
		outer := objectOf(v.Without(name))
		a.mode = cmp.Or(a.mode, scalar(inner.Get("modeType")))
		f := fields{}
		f.add(inner)
		f.add(outer)
		if data, err := codec.Encode(f); err == nil {
			a.body = merged(inner, outer, data)
		}
		break
	}
	a.mode = spelled(a.mode, modeLiveAgent, modeWaiting, modeUpdate, modeJoined, modeExited, modeTyping,
		modeError, modeFormError, modeExternal, modeStreaming, modeStreamed, modeStatus)
	return a
}

// merged keeps the order of an inner object where nothing stood around it.
func merged(inner, outer codec.Value, both json.RawMessage) codec.Value {
	if len(outer.Members()) == 0 {
		return inner
	}
	return objectOf(both)
}

// spelled is a word as Aisera writes it, whatever its case.
func spelled(word string, known ...string) string {
	for _, one := range known {
		if strings.EqualFold(word, one) {
			return one
		}
	}
	return word
}

// hidden reports whether the words of the frame are not for the customer.
func (a answer) hidden() bool {
	return a.mode == modeStatus || strings.HasPrefix(strings.ToLower(a.mode), strings.ToLower(modeSilent))
}

// rest is what is left when the members named were understood.
func (a answer) rest(understood ...string) json.RawMessage {
	return a.body.Without(append(understood, "modeType")...)
}

// withMode is what is left with the mode, for a body that does not tell it.
func (a answer) withMode(understood ...string) map[string]json.RawMessage {
	if a.mode == "" {
		return keep(a.rest(understood...))
	}
	f := fields{"modeType": a.mode}
	f.add(objectOf(a.rest(understood...)))
	rest, err := codec.Encode(f)
	if err != nil {
		return nil
	}
	return keep(rest)
}

// say emits the words of the frame, if it has any, and remembers what they
// offer. It reports whether there were some.
func (a answer) say(tx *adapter.Tx, o *offer, actor event.Actor, format string) bool {
	parts, understood := content(a.body, format, textKeys())
	if actor.Role == event.RoleLiveAgent {
		understood = append(understood, agentKeys()...)
	}
	for i, p := range parts {
		o.remember(p)
		e := adapter.Emission{Actor: actor, Body: event.MessageCreated{Content: event.Content{Part: p}}}
		if i == len(parts)-1 {
			e.Vendor = keep(a.rest(understood...))
			if a.mode != modeLiveAgent {
				e.Vendor = a.withMode(understood...)
			}
		}
		tx.Emit(e)
	}
	return len(parts) > 0
}

// aside emits words that come with a frame of another meaning, under no mode.
func (a answer) aside(tx *adapter.Tx, o *offer, actor event.Actor, format string) (understood []string) {
	parts, understood := content(a.body, format, textKeys())
	for _, p := range parts {
		o.remember(p)
		tx.Emit(adapter.Emission{Actor: actor, Body: event.MessageCreated{Content: event.Content{Part: p}}})
	}
	return understood
}

// extension is the frame as what only Aisera has.
func (a answer) extension(actor event.Actor) adapter.Emission {
	e := adapter.Emission{Actor: actor, Body: event.Extension{Vendor: vendor, Name: cmp.Or(a.mode, plainAnswer), Data: a.rest("reqId")}}
	if id := a.body.Get("reqId"); id.Exists() {
		rest, err := codec.Encode(fields{"reqId": id.Raw()})
		if err == nil {
			e.Vendor = keep(rest)
		}
	}
	return e
}

// plainAnswer names the extension of a frame without a mode.
const plainAnswer = "Answer"

// fault emits what went wrong, and what of it is for the customer.
func (a answer) fault(tx *adapter.Tx, o *offer, actor event.Actor, format string) {
	parts, understood := content(a.body, format, []string{"text", "displayText"})
	report := event.ErrorReported{Code: a.mode}
	e := adapter.Emission{Actor: actor}
	if len(parts) == 0 {
		name := firstOf(a.body, "error", "message", "errors")
		report.Detail = textOf(a.body.Get(name))
		e.Vendor = keep(a.rest(name))
	}
	e.Body = report
	tx.Emit(e)
	for i, p := range parts {
		o.remember(p)
		e := adapter.Emission{Actor: actor, Body: event.MessageCreated{Content: event.Content{Part: p}}}
		if i == len(parts)-1 {
			e.Vendor = a.withMode(understood...)
		}
		tx.Emit(e)
	}
}

func firstOf(v codec.Value, names ...string) string {
	for _, name := range names {
		if textOf(v.Get(name)) != "" {
			return name
		}
	}
	return names[0]
}

func isFault(mode string) bool {
	return slices.Contains([]string{modeError, modeFormError, modeExternal}, mode)
}

// queued is the place in a queue a frame tells.
func (a answer) queued(agent event.Actor, understood ...string) adapter.Emission {
	number := func(v codec.Value) int {
		var n float64
		if err := json.Unmarshal([]byte(scalar(v)), &n); err != nil || n < 0 || n > 1e6 {
			return 0
		}
		return int(n)
	}
	return adapter.Emission{Actor: agent, Vendor: keep(a.rest(append(understood, "position", "queuePosition", "waitTime", "estimatedWaitTime")...)),
		Body: event.HandoffQueued{Position: number(a.body.Get("position", "queuePosition")), Wait: number(a.body.Get("waitTime", "estimatedWaitTime"))}}
}

// history is the past messages a frame holds; false where it holds none.
func (a answer) history() (event.TranscriptShared, bool) {
	list := a.body.Get("sessionHistory", "history")
	if !list.IsArray() {
		return event.TranscriptShared{}, false
	}
	shared := event.TranscriptShared{Entries: []event.TranscriptEntry{}}
	for _, item := range list.Items() {
		text := textOf(item.Get("text", "message"))
		if text == "" {
			continue
		}
		at, err := time.Parse(time.RFC3339, scalar(item.Get("time", "timestamp")))
		if at = at.UTC(); err != nil || at.Year() < 0 || at.Year() > 9999 {
			at = time.Time{}
		}
		role := roleOf(scalar(item.Get("role", "from", "sender")))
		shared.Entries = append(shared.Entries, event.TranscriptEntry{Actor: event.Actor{Role: role}, Time: at, Content: event.Plain(text)})
	}
	return shared, len(shared.Entries) > 0
}

// roleOf is who a word of the history stands for; one that is not known is the
// virtual agent.
func roleOf(word string) event.Role {
	word = strings.ToLower(word)
	for _, r := range []struct {
		part string
		role event.Role
	}{{"virtual", event.RoleVirtualAgent}, {"user", event.RoleCustomer}, {"customer", event.RoleCustomer},
		{"requester", event.RoleCustomer}, {"live", event.RoleLiveAgent}, {"human", event.RoleLiveAgent}, {"agent", event.RoleLiveAgent}} {
		if strings.Contains(word, r.part) {
			return r.role
		}
	}
	return event.RoleVirtualAgent
}
