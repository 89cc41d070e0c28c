package adaptertest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

// specimen is a well-formed event: its kind, its author, its body.
type specimen struct {
	kind  event.Kind
	actor event.Role
	body  string
}

// specimens are one of everything a far side may be handed, and what no version
// knows yet.
func specimens() []specimen {
	list := []specimen{
		{"conversation.started", "customer", `{"customer":{"role":"customer","id":"c-1","name":"Ada"},"language":"en"}`},
		{"handoff.requested", "virtual_agent", `{"reason":"asked","summary":"short","context":{"plan":"gold"},"routing":{"queue":"q"},"transcript":[{"actor":{"role":"virtual_agent"},"content":{"type":"text","text":"Hi"}},{"actor":{"role":"customer","id":"c-1","name":"Ada"},"time":"2026-01-05T09:00:00Z","content":{"type":"text","text":"a person"}}]}`},
		{"handoff.queued", "live_agent", `{"position":3,"wait":60}`}, {"handoff.offered", "live_agent", `{"agent":{"role":"live_agent","id":"sam"}}`},
		{"handoff.accepted", "live_agent", `{}`}, {"handoff.declined", "live_agent", `{"reason":"busy"}`},
		{"handoff.failed", "system", `{"reason":"no_agents"}`}, {"handoff.cancelled", "system", `{"reason":"superseded","by":"system"}`},
		{"handback.requested", "live_agent", `{"reason":"solved","summary":"done"}`}, {"handback.completed", "virtual_agent", `{}`},
		{"handback.failed", "virtual_agent", `{"reason":"down"}`}, {"transfer.requested", "live_agent", `{"routing":{"queue":"q2"}}`},
		{"transfer.completed", "live_agent", `{}`}, {"transfer.failed", "live_agent", `{"reason":"nobody"}`},
		{"context.updated", "system", `{"attributes":{"plan":"gold"}}`}, {"transcript.shared", "system", `{"entries":[]}`},
		{"message.partial", "virtual_agent", `{"stream":"s","index":0,"mode":"append","text":"wo"}`},
		{"message.delivered", "customer", `{"message":"m-1"}`}, {"message.read", "customer", `{"message":"m-1"}`},
		{"message.failed", "system", `{"message":"m-1","reason":"gone"}`}, {"answer.completed", "virtual_agent", `{}`},
		{"typing.started", "customer", `{}`}, {"typing.stopped", "live_agent", `{}`},
		{"participant.joined", "system", `{"participant":{"role":"live_agent","id":"sam"}}`}, {"participant.left", "system", `{"participant":{"role":"live_agent"}}`},
		{"availability.changed", "system", `{"open":true}`}, {"command.issued", "customer", `{"name":"start_over"}`},
		{"survey.offered", "system", `{"question":"How was it?"}`}, {"survey.answered", "customer", `{"score":"5"}`},
		{"wrapup.completed", "live_agent", `{"disposition":"solved"}`}, {"note.created", "live_agent", `{"text":"a note"}`},
		{"error.reported", "system", `{"code":"x"}`}, {"extension", "system", `{"vendor":"other","name":"n","data":{}}`},
		{"insight.observed", "observer", `{"type":"sentiment","value":"bad"}`}, {"insight.observed", "observer", `{"type":"analysis","customer_sentiment":"bad"}`},
		{"insight.requested", "live_agent", `{"type":"dialog","parameters":{"from":1}}`}, {"future.happened", "customer", `{"what":1}`},
		{"conversation.ended", "customer", `{"reason":"completed","by":"customer"}`},
	}
	for _, content := range []string{
		`{"type":"text","text":"hello","format":"plain"}`, `{"type":"text","text":""}`,
		`{"type":"media","kind":"image","url":"https://files.example/a.png","caption":"c"}`, `{"type":"media","kind":"other","blob":"b-1"}`,
		`{"type":"choices","text":"Which?","options":[{"label":"One"}]}`, `{"type":"form","fields":[{"name":"n"}]}`,
		`{"type":"form_response","values":[{"name":"n","value":"v"}]}`, `{"type":"card","title":"T"}`, `{"type":"carousel","cards":[{"title":"T"}]}`,
		`{"type":"location","latitude":1,"longitude":2}`, `{"type":"link","url":"https://x.example"}`, `{"type":"hologram","depth":3}`,
	} {
		for _, actor := range []event.Role{event.RoleCustomer, event.RoleLiveAgent, event.RoleVirtualAgent, event.RoleSystem} {
			list = append(list, specimen{"message.created", actor, `{"content":` + content + `}`})
		}
	}
	return list
}

// events are the specimens of a kind, by one actor where one is named; an empty
// kind is all of them.
func (b *bench) events(kind event.Kind, actor event.Role) []event.Event {
	var out []event.Event
	for _, s := range specimens() {
		if (kind == "" || s.kind == kind) && (actor == "" || s.actor == actor) {
			out = append(out, b.event(s))
		}
	}
	return out
}

func (b *bench) event(s specimen) event.Event {
	b.inputs++
	e := event.Event{ID: fmt.Sprintf("event-%d", b.inputs), Conversation: "conversation", Seq: int64(b.inputs),
		Time: time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC), Actor: event.Actor{Role: s.actor, ID: string(s.actor) + "-1"}}
	body, err := event.DecodeBody(s.kind, json.RawMessage(s.body))
	if err != nil {
		body = event.Unknown{Name: s.kind}
	}
	e.Body = body
	return e
}

// words is a message of text to the leg's far side, by who may speak to it.
func (b *bench) words(text string) event.Event {
	actor := event.RoleLiveAgent
	front := b.account.Role == event.RoleCustomer || b.account.Role == event.RoleVirtualAgent && b.profile.HoldsCustomer
	if !front {
		actor = event.RoleCustomer
	}
	e := b.event(specimen{"message.created", actor, ""})
	e.Body = event.MessageCreated{Content: event.Plain(text)}
	return e
}

// step is one random thing that can happen to a leg now. A delivery comes only
// when the one before is settled, as the bridge has it.
func (b *bench) step(l *leg, kinds func(event.Kind) bool) adapter.Input {
	for {
		switch n := b.random.IntN(10); {
		case n < 3 && len(b.profile.Endpoints) > 0:
			e := b.profile.Endpoints[b.random.IntN(len(b.profile.Endpoints))]
			all := b.samples(l, e)
			return b.arrive(l, e, all[b.random.IntN(len(all))])[0]
		case n < 4 && len(l.stands()) > 0:
			return b.onConnection(l)
		case n < 7 && len(l.calls)+len(l.sends) == 0:
			return adapter.Deliver{Event: b.anyEvent(kinds), MaybeDuplicate: n == 6}
		case n < 9 && len(l.dials)+len(l.sends)+len(l.closing) > 0:
			in, _ := l.connected(b.random.IntN(4) > 0)
			return in
		case n < 9 && len(l.calls) > 0:
			result := b.anyOutcome()(l.calls[0])
			if string(result.Body) == "{}" && result.Status == http.StatusOK && b.random.IntN(3) > 0 {
				result = sampled(l.samples, result)
			}
			l.finish(result.Tag)
			return result
		case n == 9 && b.profile.Reconcile && b.random.IntN(3) == 0:
			return adapter.Reconcile{Since: l.now.Add(-2 * time.Minute)}
		case n == 9 && len(l.timers) > 0:
			return adapter.Fired{Timer: l.timers[0]}
		case n == 9 && len(l.held) > 0 && b.random.IntN(4) == 0:
			return adapter.Expired{Request: anyOf(l.held), Reason: adapter.ExpiredDeadline}
		}
	}
}

// onConnection is a frame, or now and then the loss of a connection.
func (b *bench) onConnection(l *leg) adapter.Input {
	if all := l.stands(); b.random.IntN(20) == 0 {
		return adapter.Closed{Conn: all[b.random.IntN(len(all))], Reason: adapter.ClosedLost}
	}
	all := b.heard(l)
	return all[b.random.IntN(len(all))]
}

func (b *bench) anyEvent(kinds func(event.Kind) bool) event.Event {
	all := b.specimens
	for {
		if s := all[b.random.IntN(len(all))]; kinds(s.kind) {
			return b.event(s)
		}
	}
}

func (b *bench) anyOutcome() outcome {
	if b.random.IntN(2) == 0 {
		return answered(200)
	}
	all := outcomes()
	names := make(map[string]bool, len(all))
	for name := range all {
		names[name] = true
	}
	return all[pick(b.random, names)]
}

// anyOf is the least name, so that a run repeats.
func anyOf(set map[string]bool) string { return sorted(set)[0] }

func pick(r *rand.Rand, set map[string]bool) string {
	names := sorted(set)
	return names[r.IntN(len(names))]
}

// mutate changes a body as broken senders and networks do.
func mutate(r *rand.Rand, body string) string {
	at := r.IntN(len(body) + 1)
	switch r.IntN(7) {
	case 0:
		return body[:at]
	case 1:
		return body[:at] + string([]byte{byte(r.IntN(256))}) + body[at:]
	case 2:
		return strings.Replace(body, `"`, "", 1)
	case 3:
		return strings.NewReplacer(`:"`, `:[{"x":"`, `",`, `"}],`).Replace(body)
	case 4:
		return strings.NewReplacer(`:"`, `:7,"y":"`).Replace(body)
	case 5:
		return strings.Repeat(`{"a":[`, 1+r.IntN(300)) + body
	}
	noise := make([]byte, r.IntN(300))
	for i := range noise {
		noise[i] = byte(r.IntN(256))
	}
	return string(noise)
}
