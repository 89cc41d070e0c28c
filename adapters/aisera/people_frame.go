package aisera

import (
	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

// frame says what Aisera's frames mean on a leg of its people.
func (p people) frame(in adapter.Frame) error {
	if p.s.Phase == over || in.Conn != p.s.Line.conn() {
		return nil
	}
	all, err := frames(in.Data)
	if err != nil {
		return err
	}
	for _, f := range all {
		p.s.Line.heard()
		p.answer(readAnswer(f))
	}
	return nil
}

func (p people) answer(a answer) {
	read, known := map[string]func(answer){
		modeLiveAgent: p.person,
		modeWaiting:   p.queued,
		modeUpdate:    p.queued,
		modeJoined:    p.joined,
		modeExited:    p.exited,
		modeTyping:    p.typing,
		modeError:     p.fault, modeFormError: p.fault, modeExternal: p.fault,
	}[a.mode]
	if !known || !p.open() || p.s.repeats(a) {
		read = p.beside
	}
	read(a)
}

// beside is what is not said by a person, or by one who is not asked.
func (p people) beside(a answer) { p.tx.Emit(a.extension(agentOf(a.body))) }

func (p people) queued(a answer) {
	if p.s.Phase == withThem {
		p.beside(a)
		return
	}
	p.s.Phase = waitingIn
	p.tx.Emit(a.queued(agentOf(a.body), agentKeys()...))
}

func (p people) joined(a answer) {
	agent := agentOf(a.body)
	body := event.Body(event.HandoffAccepted{})
	if p.s.Phase == withThem {
		if agent.ID == "" || agent.ID == p.s.Agent.ID {
			return
		}
		body = event.TransferCompleted{}
	}
	p.take(agent)
	parts, understood := content(a.body, event.FormatPlain, textKeys())
	p.tx.Emit(adapter.Emission{Actor: agent, Body: body, Vendor: keep(a.rest(append(understood, agentKeys()...)...))})
	if len(parts) > 0 {
		a.aside(p.tx, &p.s.Offer, agent, event.FormatPlain)
	}
}

func (p people) take(agent event.Actor) {
	p.s.Phase = withThem
	if agent.ID != "" || agent.Name != "" {
		p.s.Agent = event.Actor{Role: agent.Role, ID: clip(agent.ID), Name: clip(agent.Name)}
	}
}

// person is what a person says. Saying something takes the conversation.
func (p people) person(a answer) {
	agent := agentOf(a.body)
	p.take(agent)
	if !a.say(p.tx, &p.s.Offer, agent, event.FormatPlain) {
		p.beside(a)
	}
}

func (p people) typing(a answer) {
	if p.s.Phase == withThem {
		p.tx.Emit(typing(a))
	}
}

// exited is a person who has left the conversation, or that none came.
func (p people) exited(a answer) {
	agent := agentOf(a.body)
	if p.s.Phase == withThem {
		p.s.Phase = givenBack
		p.tx.Emit(adapter.Emission{Actor: agent, Body: event.HandbackRequested{}, Vendor: keep(a.rest(agentKeys()...))})
		return
	}
	p.fail(agent, event.FailedNoAgents, a.rest(agentKeys()...))
}

// fault is reported to people; before a person is on the way it is a no.
func (p people) fault(a answer) {
	name := firstOf(a.body, append(textKeys(), "error", "errors")...)
	p.tx.Emit(adapter.Emission{Actor: liveAgent(), Vendor: keep(a.rest(name)),
		Body: event.ErrorReported{Code: a.mode, Detail: textOf(a.body.Get(name))}})
	if p.s.Phase == asking {
		p.fail(liveAgent(), event.FailedBackendDown, nil)
	}
}
