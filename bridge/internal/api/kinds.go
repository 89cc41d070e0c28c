package api

import (
	"slices"
	"strings"

	"github.com/footbridge/footbridge/bridge/event"
)

// utterance says who may say a kind: role of the token → whom it then speaks for.
type utterance map[string]event.Role

// Common rows of utterances.
//
//nolint:gochecknoglobals // never written.
var (
	everybody = utterance{roleCustomer: event.RoleCustomer, roleLiveAgent: event.RoleLiveAgent}
	customers = utterance{roleCustomer: event.RoleCustomer}
	people    = utterance{roleLiveAgent: event.RoleLiveAgent}
	noters    = utterance{roleLiveAgent: event.RoleLiveAgent, roleSupervisor: event.RoleLiveAgent}
	movers    = utterance{roleLiveAgent: event.RoleLiveAgent, roleSupervisor: event.RoleSystem}
	enders    = utterance{roleCustomer: event.RoleCustomer, roleLiveAgent: event.RoleLiveAgent,
		roleSupervisor: event.RoleSystem, roleOperator: event.RoleSystem}
)

// utterances are the kinds that come through the API, and from whom. Whether the
// conversation allows one at this moment it decides itself.
//
//nolint:gochecknoglobals // a table that is never written.
var utterances = map[event.Kind]utterance{
	event.KindMessageCreated:    everybody,
	event.KindMessageDelivered:  everybody,
	event.KindMessageRead:       everybody,
	event.KindMessageFailed:     people,
	event.KindTypingStarted:     everybody,
	event.KindTypingStopped:     everybody,
	event.KindConversationEnded: enders,
	event.KindContextUpdated:    movers,
	event.KindCommandIssued:     customers,
	event.KindSurveyAnswered:    customers,
	event.KindSurveyOffered:     people,
	event.KindParticipantJoined: people,
	event.KindParticipantLeft:   people,
	event.KindHandoffRequested:  customers,
	event.KindHandoffQueued:     people,
	event.KindHandoffOffered:    people,
	event.KindHandoffAccepted:   people,
	event.KindHandoffDeclined:   people,
	event.KindHandoffFailed:     people,
	event.KindHandoffCancelled:  enders,
	event.KindHandbackRequested: movers,
	event.KindTransferRequested: movers,
	event.KindNoteCreated:       noters,
	event.KindInsightRequested:  people,
	event.KindWrapupCompleted:   people,
}

// unnamed are the kinds a desk says as a whole: no agent has to be named.
//
//nolint:gochecknoglobals // a table that is never written.
var unnamed = map[event.Kind]bool{
	event.KindHandoffQueued: true, event.KindHandoffOffered: true, event.KindHandoffFailed: true,
}

// voice finds whom the principal speaks for with a kind. Who has several roles
// speaks as a live agent where that is possible, unless asked to be the system.
func (p principal) voice(kind event.Kind, wish event.Role) (event.Role, error) {
	row, ok := utterances[kind]
	if !ok {
		return "", fault(codeKind).at("kind")
	}
	var voices []event.Role
	for _, role := range []string{roleCustomer, roleLiveAgent, roleSupervisor, roleOperator} {
		if as, may := row[role]; may && p.has(role) {
			voices = append(voices, as)
		}
	}
	if len(voices) == 0 {
		return "", fault(codeRole).at("kind")
	}
	if slices.Contains(voices, wish) {
		return wish, nil
	}
	return voices[0], nil
}

// checkBody looks for what a body must hold and what none may.
func checkBody(body event.Body) error {
	switch b := body.(type) {
	case event.MessageCreated:
		return checkContent(b.Content)
	case event.MessageDelivered:
		return required("message", b.Message)
	case event.MessageRead:
		return required("message", b.Message)
	case event.MessageFailed:
		return required("message", b.Message)
	case event.NoteCreated:
		return required("text", b.Text)
	case event.InsightRequested:
		return required("type", b.Type)
	case event.CommandIssued:
		if !slices.Contains(commands, b.Name) {
			return invalid("body.name", "use one of "+strings.Join(commands, ", "))
		}
	case event.HandoffOffered:
		return required("agent.id", b.Agent.ID)
	case event.SurveyAnswered:
		return required("score", b.Score+b.Comment)
	case event.HandoffFailed:
		return required("reason", b.Reason)
	case event.ContextUpdated:
		if len(b.Attributes) == 0 || len(b.Attributes) > maxAttributes {
			return invalid("body.attributes", "give 1 to 64")
		}
	}
	return nil
}

//nolint:gochecknoglobals // a table that is never written.
var commands = []string{"back", "start_over", "reset", "logout", "history", "cancel"}

func required(name, value string) error {
	if strings.TrimSpace(value) == "" {
		return invalid("body."+name, "give it a value")
	}
	return nil
}

// checkContent refuses content that says nothing or leads where it should not.
func checkContent(c event.Content) error {
	switch p := c.Part.(type) {
	case nil:
		return invalid("body.content", "give the message content")
	case event.UnknownContent:
		return invalid("body.content.type", "use a type openapi.json knows")
	case event.Text:
		if !slices.Contains([]string{"", event.FormatPlain, event.FormatMarkdown, event.FormatHTML}, p.Format) {
			return invalid("body.content.format", "use plain, markdown or html")
		}
		return required("content.text", p.Text)
	}
	for _, address := range addresses(c.Part) {
		if !webAddress(address) {
			return invalid("body.content", "use http and https addresses only")
		}
	}
	return nil
}

// addresses are the addresses in content, which a reader's browser may open.
func addresses(part event.Part) []string {
	switch p := part.(type) {
	case event.Media:
		return []string{p.URL}
	case event.Link:
		return []string{p.URL}
	case event.Choices:
		return choiceAddresses(p.Options)
	case event.Card:
		return append(choiceAddresses(p.Actions), p.Image)
	case event.Carousel:
		var all []string
		for _, card := range p.Cards {
			all = append(all, addresses(card)...)
		}
		return all
	}
	return nil
}

func choiceAddresses(options []event.Choice) []string {
	var all []string
	for _, o := range options {
		all = append(all, o.URL)
	}
	return all
}
