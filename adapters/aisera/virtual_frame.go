package aisera

import (
	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

// frame says what Aisera's frames mean on a leg of its virtual agent.
func (v virtual) frame(in adapter.Frame) error {
	if v.s.Phase == over || in.Conn != v.s.Line.conn() {
		return nil
	}
	all, err := frames(in.Data)
	if err != nil {
		return err
	}
	for _, f := range all {
		v.s.Line.heard()
		v.answer(readAnswer(f))
	}
	return nil
}

func (v virtual) answer(a answer) {
	read, known := map[string]func(answer){
		"":            v.plain,
		modeLiveAgent: v.person,
		modeWaiting:   v.waiting,
		modeUpdate:    v.update,
		modeJoined:    v.joined,
		modeExited:    v.exited,
		modeTyping:    v.typing,
		modeError:     v.fault, modeFormError: v.fault, modeExternal: v.fault,
		modeStreaming: func(a answer) { v.s.Stream.piece(v.tx, a, v.set.Streaming) },
		modeStreamed:  func(a answer) { v.s.Stream.whole(v.tx, a, &v.s.Offer, v.set.TextFormat) },
	}[a.mode]
	if !known {
		read = v.other
	}
	if v.s.repeats(a) {
		read = func(a answer) { v.tx.Emit(a.extension(virtualAgent())) }
	}
	read(a)
}

// plain is what the virtual agent says. It may ask for a person without a mode.
func (v virtual) plain(a answer) {
	if shared, ok := a.history(); ok {
		v.tx.Emit(adapter.Emission{Actor: virtualAgent(), Body: shared, Vendor: keep(a.rest("sessionHistory", "history"))})
		return
	}
	if a.body.Get(handOffFlag).Text() == "true" {
		v.waiting(a)
		return
	}
	a.say(v.tx, &v.s.Offer, virtualAgent(), v.set.TextFormat)
}

// The outputs of a flow that hands over.
const (
	handOffFlag  = "handleOffToLiveAgent"
	firstMessage = "initMsg"
)

func (v virtual) person(a answer) {
	if !a.say(v.tx, &v.s.Offer, agentOf(a.body), v.set.TextFormat) {
		v.tx.Emit(a.extension(agentOf(a.body)))
	}
}

// waiting is the wish for a person.
func (v virtual) waiting(a answer) {
	understood := a.aside(v.tx, &v.s.Offer, virtualAgent(), v.set.TextFormat)
	if v.set.People == peopleVendor {
		if v.s.Phase == virtualAnswers {
			v.s.Phase = virtualAsks
		}
		v.tx.Emit(a.queued(agentOf(a.body), append(understood, agentKeys()...)...))
		return
	}
	if v.s.Phase != virtualAnswers && v.s.Phase != declining {
		return
	}
	v.s.Phase = virtualAsks
	summary := textOf(a.body.Get(firstMessage))
	v.tx.Emit(adapter.Emission{Actor: virtualAgent(), Body: event.HandoffRequested{Summary: summary},
		Vendor: keep(a.rest(append(understood, firstMessage)...))})
}

// update is news of a queue. Where our people are asked the queue is ours.
func (v virtual) update(a answer) {
	if v.set.People == peopleVendor {
		v.waiting(a)
		return
	}
	v.tx.Emit(a.extension(virtualAgent()))
}

// joined is a person of Aisera's own. Where ours picked up it confirms that.
func (v virtual) joined(a answer) {
	agent := agentOf(a.body)
	body := event.Body(event.HandoffAccepted{})
	switch {
	case v.s.Phase == ourPeople, v.s.Phase == returning:
		return
	case v.s.Phase == theirPeople && (agent.ID == "" || agent.ID == v.s.Agent.ID):
		return
	case v.s.Phase == theirPeople:
		body = event.TransferCompleted{}
	}
	v.s.Phase, v.s.Agent = theirPeople, event.Actor{Role: agent.Role, ID: clip(agent.ID), Name: clip(agent.Name)}
	v.with(a, agent, body, agent)
}

// with emits a body, and after it the words that came with it.
func (v virtual) with(a answer, actor event.Actor, body event.Body, speaker event.Actor) {
	parts, understood := content(a.body, v.set.TextFormat, textKeys())
	v.tx.Emit(adapter.Emission{Actor: actor, Body: body, Vendor: keep(a.rest(append(understood, agentKeys()...)...))})
	if len(parts) > 0 {
		a.aside(v.tx, &v.s.Offer, speaker, v.set.TextFormat)
	}
}

// exited ends what people had to do with it.
func (v virtual) exited(a answer) {
	agent := agentOf(a.body)
	switch v.s.Phase {
	case theirPeople:
		v.s.Phase, v.s.Agent = virtualAnswers, event.Actor{}
		v.with(a, agent, event.HandbackCompleted{}, virtualAgent())
	case ourPeople: // an answer to what our people did before
	case returning:
		v.returned()
	case virtualAsks:
		v.s.Phase = virtualAnswers
		if v.set.People == peopleOurs {
			v.with(a, virtualAgent(), event.HandoffCancelled{Reason: "exited", By: event.RoleVirtualAgent}, virtualAgent())
			return
		}
		v.tx.Emit(a.extension(agent))
	default:
		v.tx.Emit(a.extension(agent))
	}
}

func (v virtual) typing(a answer) {
	if v.s.Phase == theirPeople {
		v.tx.Emit(typing(a))
	}
}

// typing is a person who writes, or stops.
func typing(a answer) adapter.Emission {
	body := event.Body(event.TypingStarted{})
	if a.body.Get("typing", "isTyping").Text() == "false" {
		body = event.TypingStopped{}
	}
	return adapter.Emission{Actor: agentOf(a.body), Body: body}
}

func (v virtual) fault(a answer) { a.fault(v.tx, &v.s.Offer, virtualAgent(), v.set.TextFormat) }

// other is a frame of a mode only Aisera has: words for the customer if it has
// some, else an extension.
func (v virtual) other(a answer) {
	if a.hidden() || !a.say(v.tx, &v.s.Offer, virtualAgent(), v.set.TextFormat) {
		v.tx.Emit(a.extension(virtualAgent()))
	}
}
