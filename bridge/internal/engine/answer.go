package engine

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/conversation"
)

// quiet is how long a virtual agent must say nothing more until its answer counts
// as complete, where it does not tell itself.
const quiet = 1500 * time.Millisecond

// answering is what the customer said whose answer is not complete.
type answering struct {
	Events []string `json:"events"`
	// Due is when the answer counts as complete; zero before its first word.
	Due time.Time `json:"due,omitzero"`
}

// answerDue is when the answer counts as complete; zero while nothing waits for it
// or another message is being written.
func (d document) answerDue() time.Time {
	if d.Answering.empty() || len(d.Streams) > 0 {
		return time.Time{}
	}
	return d.Answering.Due
}

// asksForAnswers reports whether the far side that leads to the customer comes
// with a question and stays until the answer is complete.
func (b *batch) asksForAnswers() bool {
	setup := b.c.e.setup.Load()
	for _, l := range b.c.doc.Machine.Legs {
		if a := setup.Accounts[l.Account]; l.Role == event.RoleCustomer && !l.Detached {
			return !a.Native() && (a.Profile.Levels.Push == adapter.PushNone || slices.ContainsFunc(a.Profile.Endpoints, asks))
		}
	}
	return false
}

// asks reports whether a request about a conversation there is waits at an
// endpoint for what its adapter answers.
func asks(e adapter.Endpoint) bool { return e.Answer == adapter.AnswerReply && e.Key != "new" }

// followAnswer keeps track of the answer to what the customer said last.
func (b *batch) followAnswer(e event.Event) {
	doc := &b.c.doc
	switch kind := e.Kind(); {
	case kind == event.KindConversationEnded:
		doc.Answering = nil
	case kind == event.KindAnswerCompleted && e.Actor.Role != event.RoleSystem && doc.Machine.Phase != conversation.Automated:
		// Who does not own the conversation completes nothing: who waits does not hear of it.
	case kind == event.KindAnswerCompleted:
		doc.Answering.completed(e.Body)
		if doc.Answering.empty() {
			doc.Answering = nil
		}
	case (kind == event.KindMessageCreated || kind == event.KindCommandIssued) && e.Actor.Role == event.RoleCustomer:
		if b.asksForAnswers() {
			if doc.Answering == nil {
				doc.Answering = &answering{}
			}
			doc.Answering.Events = append(doc.Answering.Events, e.ID)
		}
	case doc.Answering != nil && e.Via.Role == event.RoleVirtualAgent && (kind == event.KindMessageCreated || kind == event.KindHandoffQueued):
		doc.Answering.Due = b.at.Add(quiet)
	}
	command, _ := e.Body.(event.CommandIssued)
	switch phase := doc.Machine.Phase; {
	case doc.Answering == nil:
	case phase == conversation.Automated && command.Name == event.CommandHistory:
		b.unheeded(e.ID) // the bridge has answered it
	case phase == conversation.Automated:
	case phase == conversation.Requested && e.Actor.Role != event.RoleCustomer:
		if doc.Answering.Due.IsZero() {
			doc.Answering.Due = b.at.Add(quiet) // a desk that queues it at once is heard of before
		}
	default:
		b.completeAnswer() // people answer when they answer
	}
}

// completed takes what an answer was to off the list, and all before it; an answer
// that names nothing is to all of it.
func (a *answering) completed(body event.Body) {
	c, ok := body.(event.AnswerCompleted)
	if a == nil || !ok {
		return
	}
	if at := slices.Index(a.Events, c.To); at >= 0 {
		a.Events = a.Events[at+1:]
	} else if c.To == "" {
		a.Events = nil
	}
}

func (a *answering) empty() bool { return a == nil || len(a.Events) == 0 }

// completeAnswer completes the answer to everything the customer said, each once.
func (b *batch) completeAnswer() {
	all := b.c.doc.Answering.Events
	b.c.doc.Answering = nil
	for _, to := range all {
		if b.c.doc.Machine.Phase == conversation.Ended {
			return
		}
		b.decide(conversation.Input{Actor: event.Actor{Role: event.RoleSystem}, Body: event.AnswerCompleted{To: to}}, origin{})
	}
}

// unheeded completes the answer to what the virtual agent has not taken, and to
// nothing else.
func (b *batch) unheeded(eventID string) {
	a := b.c.doc.Answering
	if a == nil || b.c.doc.Machine.Phase != conversation.Automated {
		return
	}
	at := slices.Index(a.Events, eventID)
	if at < 0 {
		return
	}
	if a.Events = slices.Delete(a.Events, at, at+1); a.empty() {
		b.c.doc.Answering = nil
	}
	b.decide(conversation.Input{Actor: event.Actor{Role: event.RoleSystem}, Body: event.AnswerCompleted{To: eventID}}, origin{})
}

// beQuiet completes an answer whose author has said nothing more for a while.
func (c *convo) beQuiet(ctx context.Context) error {
	b := c.begin(fmt.Sprintf("quiet/%s/%s", c.id, c.doc.Answering.Events[0]))
	b.completeAnswer()
	return b.finish(ctx)
}

// offer notes the answers a far side was shown as a numbered list.
func (l *leg) offer(c event.Content, lost string) {
	p, ok := c.Part.(event.Choices)
	if !ok || lost != p.Type() {
		return
	}
	l.doc.Choices = nil
	for _, o := range p.Options {
		value := o.Value
		if value == "" {
			value = o.Label
		}
		l.doc.Choices = append(l.doc.Choices, value)
	}
}

// choose turns a customer's bare number into the answer it stands for. The list
// is good for the next words only.
func (l *leg) choose(actor event.Role, body event.Body) event.Body {
	m, ok := body.(event.MessageCreated)
	if !ok || actor != event.RoleCustomer || len(l.doc.Choices) == 0 {
		return body
	}
	choices := l.doc.Choices
	l.doc.Choices = nil
	t, ok := m.Content.Part.(event.Text)
	if !ok {
		return body
	}
	n, err := strconv.Atoi(strings.Trim(t.Text, " .)\t\n"))
	if err != nil || n < 1 || n > len(choices) {
		return body
	}
	m.Content = event.Plain(choices[n-1])
	return m
}
