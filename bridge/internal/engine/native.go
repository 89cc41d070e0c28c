package engine

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/conversation"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// Refusal is the error of a command the conversation does not allow; Reason is
// one of the conversation.Refused constants.
type Refusal struct{ Reason string }

// Error names the reason.
func (r *Refusal) Error() string { return "the conversation does not allow this: " + r.Reason }

// ErrKeyReused says an idempotency key came again with another command.
var ErrKeyReused = errors.New("idempotency key was used for another command")

// Command is what a person or program says through the API for a native leg.
type Command struct {
	Conversation string
	// Role is whom the command speaks for: customer, live_agent or, for the
	// bridge itself, system. A live agent takes up a message that was left, or
	// says that it is dealt with, where no leg of the desk has the conversation.
	Role  event.Role
	Actor event.Actor
	Body  event.Body
	// Token and Key identify the caller's Idempotency-Key; Key may be empty.
	Token, Key string
}

type command struct {
	Command
	done chan commandResult
}

type commandResult struct {
	event event.Event
	err   error
}

func (k *command) finish(e event.Event, err error) {
	select {
	case k.done <- commandResult{e, err}:
	default:
	}
}

// Opening is a conversation a customer begins through the API.
type Opening struct {
	Account    string
	Customer   event.Actor
	Language   string
	Attributes map[string]string
	// Vouched says that the business's own side gives the attributes, not a
	// customer's browser.
	Vouched bool
}

// Open begins a conversation at a native customer account and returns its id
// once it is stored.
func (e *Engine) Open(ctx context.Context, o Opening) (string, error) {
	if e.isClosed() {
		return "", ErrClosed
	}
	c, b, err := e.begin(opening{account: o.Account, customer: o.Customer, language: o.Language, attributes: o.Attributes, vouched: o.Vouched})
	if err != nil {
		return "", err
	}
	if err := b.finish(ctx); err != nil {
		return "", err
	}
	return c.id, e.post(c.id, work{kind: workWake})
}

// Do gives a conversation a command and waits for what it came to: the event it
// was recorded as, or a *Refusal. A command repeated with its key gives the same
// event and changes nothing. ErrBusy means it was not given to the conversation.
func (e *Engine) Do(ctx context.Context, k Command) (event.Event, error) {
	if e.full(k.Conversation) {
		return event.Event{}, ErrBusy
	}
	pending := &command{Command: k, done: make(chan commandResult, 1)}
	if err := e.post(k.Conversation, work{kind: workCommand, command: pending}); err != nil {
		return event.Event{}, err
	}
	select {
	case r := <-pending.done:
		return r.event, r.err
	case <-ctx.Done():
		return event.Event{}, ctx.Err()
	}
}

// onCommand records a command through the native leg it is for.
func (c *convo) onCommand(ctx context.Context, w work) error {
	k := w.command
	digest := k.digest()
	if e, found, err := c.before(ctx, k, digest); found || err != nil {
		k.finish(e, err)
		return nil
	}
	l, ok := c.nativeLeg(k)
	if !ok {
		k.finish(event.Event{}, &Refusal{conversation.RefusedNoOffer})
		return nil
	}
	b := c.begin("command/" + NewID())
	if l != nil {
		b.caused(l, Cause{})
	}
	e, refused := c.perform(b, k, l)
	if refused != "" {
		k.finish(event.Event{}, &Refusal{refused})
		return nil
	}
	if e.Seq == 0 {
		b.act() // transient: nothing of it is stored
		k.finish(e, nil)
		return nil
	}
	if k.Key != "" {
		b.commit.Idempotent = &journal.Idempotent{Token: k.Token, Key: k.Key, Digest: digest, Event: e.ID, Expires: b.at.Add(idempotencyKept)}
	}
	err := b.finish(ctx)
	if errors.Is(err, journal.ErrRepeated) {
		k.finish(event.Event{}, ErrKeyReused) // for another conversation, a moment ago
		return err
	}
	k.finish(e, err)
	return err
}

// idempotencyKept is how long an Idempotency-Key is remembered.
const idempotencyKept = 24 * time.Hour

// perform lets the machine decide on a command. A command that is refused
// leaves nothing behind: its caller is told.
func (c *convo) perform(b *batch, k *command, l *leg) (event.Event, string) {
	in := conversation.Input{Actor: k.Actor, Body: k.Body}
	if l != nil {
		in.Leg = l.ID
	}
	if !event.Transient(k.Body) {
		if step := conversation.Decide(c.doc.Machine, in, b.facts(in)); step.Refused != "" {
			return event.Event{}, step.Refused
		}
	}
	return b.decide(in, origin{})
}

// before finds what an earlier command with the same key came to.
func (c *convo) before(ctx context.Context, k *command, digest []byte) (event.Event, bool, error) {
	if k.Key == "" {
		return event.Event{}, false, nil
	}
	seen, err := c.e.Journal.Idempotent(ctx, k.Token, k.Key)
	if errors.Is(err, journal.ErrNotFound) || err == nil && seen.Expires.Before(now()) {
		return event.Event{}, false, nil
	}
	if err != nil {
		return event.Event{}, false, fmt.Errorf("look up idempotency key: %w", err)
	}
	if string(seen.Digest) != string(digest) {
		return event.Event{}, true, ErrKeyReused
	}
	e, err := c.e.Journal.Event(ctx, seen.Event)
	return e, true, err
}

func (k *command) digest() []byte {
	body, err := json.Marshal(k.Body)
	if err != nil {
		return nil
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%s\n%s\n%s", k.Conversation, k.Role, k.Actor.ID, k.Body.Kind(), body))
	return sum[:]
}

// ofOffer are the kinds by which a desk answers an offer.
//
//nolint:gochecknoglobals // a table that is never written.
var ofOffer = map[event.Kind]bool{event.KindHandoffQueued: true, event.KindHandoffOffered: true,
	event.KindHandoffAccepted: true, event.KindHandoffDeclined: true, event.KindHandoffFailed: true}

// legless tells whether a live agent speaks through no leg: where nobody is asked
// they can only take up a message that was left, and one that waits no leg has,
// though one may have left before it or be asked meanwhile.
func (c *convo) legless(k *command) bool {
	m := c.doc.Machine
	switch k.Body.Kind() {
	case event.KindHandoffAccepted:
		return k.Role == event.RoleLiveAgent && !m.Phase.Waiting()
	case event.KindWrapupCompleted:
		return k.Role == event.RoleLiveAgent && m.Left.Waits()
	}
	return false
}

// nativeLeg finds the leg a command speaks through: of several live-agent legs
// the owner's for the agent who has the conversation, else the one that is asked
// now, else the last. nil and true is none: the bridge itself speaks, or a live
// agent of a message that was left.
func (c *convo) nativeLeg(k *command) (*leg, bool) {
	if k.Role == event.RoleSystem || c.legless(k) {
		return nil, true
	}
	m := c.doc.Machine
	first := []string{m.Candidate, m.Owner.Leg}
	if !ofOffer[k.Body.Kind()] && m.Agent.ID != "" && k.Actor.ID == m.Agent.ID {
		slices.Reverse(first)
	}
	last := slices.Clone(c.order)
	slices.Reverse(last)
	for _, id := range append(first, last...) {
		if l := c.legs[id]; l != nil && l.Role == k.Role && c.e.setup.Load().Accounts[l.Account].Native() {
			return l, true
		}
	}
	return nil, false
}
