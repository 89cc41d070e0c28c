// Package scripted is the built-in virtual agent: it answers by keywords, offers
// choices and hands over to a live agent when the customer asks for one.
//
// Its script is the account's settings, so it needs no vendor, no file and no
// network: it serves the first steps of a new installation, tests, and simple
// entrances such as a menu before a queue. Every key has a default; an account
// without settings greets, says what it can do and hands over.
package scripted

import (
	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

// Definition is the whole adapter: serve runs it, adaptertest tests it.
func Definition() adapter.Definition {
	return adapter.Definition{
		Manifest:  manifest(),
		Configure: configure,
		Adapter:   adapter.Func(handle),
	}
}

func manifest() adapter.Manifest {
	return adapter.Manifest{
		Name: "scripted", Title: "Scripted virtual agent", Version: "1.0.0", StateVersion: 1,
		Roles: []event.Role{event.RoleVirtualAgent},
		FarSides: map[event.Role]string{
			event.RoleVirtualAgent: "the built-in one: greeting, keywords, choices, asks for a person",
		},
		Settings: []adapter.Setting{
			{Name: "name", Type: "string", Default: defaultName, Doc: "The name the customer sees beside its words."},
			{Name: "greeting", Type: "string", Default: defaultGreeting,
				Doc: "Its first words. Every text may be empty: then nothing is said."},
			{Name: "choices", Type: "list", Default: defaultChoice,
				Doc: "What can be picked under greeting, fallback and welcome_back. Each must be a keyword, or hold one. The default is offered where it asks for a live agent."},
			{Name: "answers", Type: "list",
				Doc: `What it knows, each { keywords = ["order", "delivery"], text = "Which order?", choices = ["Talk to a person"] }. A customer's words that are a keyword choose its answer; else the first answer counts that has a keyword among them, whole words in any case. Default: none.`},
			{Name: "fallback", Type: "string", Default: defaultFallback, Doc: "Said when nothing else fits."},
			{Name: "handoff.keywords", Type: "list",
				Doc: "Words that ask for a live agent; they go before those of answers. An empty list: never. Default: agent, human, person."},
			{Name: "handoff.text", Type: "string", Doc: "Said to the customer before the handoff. Default: " + defaultHandoffText},
			{Name: "handoff.reason", Type: "string", Doc: "The reason the live agent is given. Default: " + defaultReason + "."},
			{Name: "handoff.summary", Type: "string",
				Doc: "The summary the live agent is given; " + askedMark + " stands for the customer's last questions. Default: " + defaultSummary + "."},
			{Name: "handoff.queue", Type: "string", Doc: "The queue asked for. Default: the route's."},
			{Name: "handoff.skills", Type: "list", Doc: "The skills asked for. Default: none."},
			{Name: "handoff.attributes.NAME", Type: "string", Doc: "A fact NAME added to the conversation's context."},
			{Name: "failed.REASON", Type: "string",
				Doc: "Said when nobody took the conversation for that reason: no_agents, out_of_hours, queue_full, timed_out, declined, backend_down or rejected. The bridge has told the customer the reason before."},
			{Name: "failed.other", Type: "string", Doc: "Said for the reasons that have no text of their own. Default: " + defaultFailed},
			{Name: "welcome_back", Type: "string", Default: defaultWelcomeBack, Doc: "Said when the live agent gives the conversation back."},
		},
	}
}

// configure reads the script once, so that a mistake in it stops the start and
// not a conversation.
func configure(a adapter.Account) (adapter.Profile, error) {
	s := unset()
	if err := manifest().ReadSettings(a, &s); err != nil {
		return adapter.Profile{}, err
	}
	s.fill()
	if err := s.check(); err != nil {
		return adapter.Profile{}, err
	}
	return adapter.Profile{Levels: adapter.Levels{
		Content: map[string]adapter.Level{"text": adapter.Full},
		Typing:  adapter.Dropped, Receipts: adapter.Dropped, Partials: adapter.Fallback,
		Transcript: adapter.Dropped, QueuePosition: adapter.Dropped, CustomerEnd: adapter.Full,
	}}, nil
}
