package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/engine"
)

// EventList is one page of a conversation's events, oldest first.
type EventList struct {
	Events []event.Event `json:"events"`
	// Damaged names the events of the page that cannot be shown.
	Damaged []DamagedEvent `json:"damaged,omitempty"`
	Next    *string        `json:"next"`
}

// DamagedEvent is where an event stands that cannot be shown.
type DamagedEvent struct {
	ID  string `json:"id"`
	Seq int64  `json:"seq"`
}

// sift takes out the events that cannot be written, and names them.
func (l *EventList) sift() {
	l.Events = slices.DeleteFunc(l.Events, func(e event.Event) bool {
		_, err := json.Marshal(e)
		if err != nil {
			l.Damaged = append(l.Damaged, DamagedEvent{e.ID, e.Seq})
		}
		return err != nil
	})
}

// Saying is an event as its author gives it.
type Saying struct {
	Kind  event.Kind  `json:"kind"`
	Actor event.Actor `json:"actor,omitzero"`
	// Body is the kind's body.
	Body jsontext.Value `json:"body,omitempty"`
}

const (
	// doWithin bounds one command.
	doWithin = 15 * time.Second
	// typingFor is how long typing counts where its author does not say.
	typingFor = 6 * time.Second
	// maxKey is the longest Idempotency-Key.
	maxKey = 200
)

func (a *API) listEvents(w http.ResponseWriter, r *http.Request, p principal) error {
	id := r.PathValue("id")
	if !p.owns(id) {
		return fault(codeForbidden)
	}
	q := r.URL.Query()
	page, err := pageOf(q, "kind", "since")
	if err != nil {
		return err
	}
	after, err := position(page.after)
	if err != nil {
		return err
	}
	since, err := sinceOf(q)
	if err != nil {
		return err
	}
	if _, err := a.Journal.Conversation(r.Context(), id); err != nil {
		return err
	}
	kinds := wordsOf(q, "kind")
	keep := func(e event.Event) bool {
		return (len(kinds) == 0 || slices.Contains(kinds, string(e.Kind()))) && !e.Time.Before(since)
	}
	out, err := a.collect(r.Context(), p, id, after, page.limit, keep)
	if err != nil {
		return err
	}
	if err = answer(w, http.StatusOK, out); unwritable(err) {
		out.sift()
		a.Logger.Error("events of a conversation cannot be shown", "conversation", id, "events", out.Damaged, "error", err)
		err = answer(w, http.StatusOK, out)
	}
	return err
}

// unwritable reports whether an error says that something has no JSON form.
func unwritable(err error) bool {
	var no *json.MarshalerError
	return errors.As(err, &no)
}

// collect reads what the principal sees of a conversation after a position,
// until the page is full.
func (a *API) collect(ctx context.Context, p principal, id string, after int64, limit int, keep func(event.Event) bool) (EventList, error) {
	out := EventList{Events: []event.Event{}}
	for {
		events, err := a.Journal.Events(ctx, id, after, maxLimit)
		if err != nil {
			return out, err
		}
		see, err := a.eyesOf(ctx, p, id)
		if err != nil {
			return out, err
		}
		for _, e := range events {
			seen, ok := see(e)
			if ok && keep(e) && len(out.Events) == limit {
				out.Next = next(true, strconv.FormatInt(after, 10))
				return out, nil
			}
			after = e.Seq
			if ok && keep(e) {
				out.Events = append(out.Events, seen)
			}
		}
		if len(events) < maxLimit {
			return out, nil
		}
	}
}

func (a *API) postEvent(w http.ResponseWriter, r *http.Request, p principal) error {
	id := r.PathValue("id")
	if !p.owns(id) {
		return fault(codeForbidden)
	}
	var s Saying
	if err := readBody(w, r, &s); err != nil {
		return err
	}
	e, err := a.say(r.Context(), p, id, s, r.Header.Get("Idempotency-Key"))
	if err != nil {
		return err
	}
	return answer(w, http.StatusCreated, e)
}

// say gives a conversation what somebody says in it, and returns what it was
// recorded as, as the one who said it may see it.
func (a *API) say(ctx context.Context, p principal, id string, s Saying, key string) (event.Event, error) {
	c, err := a.command(ctx, p, id, s)
	if err != nil {
		return event.Event{}, err
	}
	if len(key) > maxKey {
		return event.Event{}, invalid("Idempotency-Key", "give at most 200 bytes")
	}
	c.Token, c.Key = p.name, key
	ctx, cancel := context.WithTimeout(ctx, doWithin)
	defer cancel()
	e, err := a.Engine.Do(ctx, c)
	if err != nil {
		return event.Event{}, err
	}
	if p.customer() {
		return plain(e), nil
	}
	return e, nil
}

// command makes a command of what somebody says.
func (a *API) command(ctx context.Context, p principal, id string, s Saying) (engine.Command, error) {
	c := engine.Command{Conversation: id}
	if s.Kind == "" {
		return c, invalid("kind", "name the kind of the event")
	}
	var err error
	if c.Role, err = p.voice(s.Kind, s.Actor.Role); err != nil {
		return c, err
	}
	if c.Body, err = bodyOf(s, c.Role); err != nil {
		return c, err
	}
	if c.Body, err = a.attach(ctx, id, c.Body); err != nil {
		return c, err
	}
	c.Actor, err = a.actor(ctx, p, c, s)
	return c, err
}

// bodyOf reads the body a voice may say.
func bodyOf(s Saying, voice event.Role) (event.Body, error) {
	body, err := event.DecodeBody(s.Kind, json.RawMessage(s.Body))
	if err != nil {
		return nil, invalid("body", "give the body the kind has in openapi.json")
	}
	switch b := body.(type) {
	case event.ConversationEnded:
		b.By = voice
		body = b
	case event.HandoffCancelled:
		b.By = voice
		body = b
	case event.TypingStarted:
		if limit := time.Now().Add(typingFor); b.Expires.IsZero() || b.Expires.After(limit) {
			b.Expires = limit.UTC().Truncate(time.Millisecond)
		}
		body = b
	}
	return body, checkBody(body)
}

// actor is who says it: the token's own agent where it has one, the
// conversation's customer, or the bridge.
func (a *API) actor(ctx context.Context, p principal, c engine.Command, s Saying) (event.Actor, error) {
	switch c.Role {
	case event.RoleCustomer:
		row, err := a.Journal.Conversation(ctx, c.Conversation)
		if err != nil {
			return event.Actor{}, err
		}
		customer := a.show(row).Customer
		customer.Role = event.RoleCustomer
		return customer, nil
	case event.RoleSystem:
		return event.Actor{Role: event.RoleSystem, Name: p.show().Name}, nil
	}
	return a.agentOf(p, s)
}

// agentOf is the live agent who speaks.
func (a *API) agentOf(p principal, s Saying) (event.Actor, error) {
	actor := event.Actor{Role: event.RoleLiveAgent, ID: s.Actor.ID, Name: s.Actor.Name, Avatar: s.Actor.Avatar}
	switch {
	case p.agent != "" && actor.ID != "" && actor.ID != p.agent:
		return actor, fault(codeAgent).at("actor.id")
	case p.agent != "":
		actor.ID, actor.Avatar = p.agent, cmp.Or(actor.Avatar, p.picture)
		if p.title != "" {
			actor.Name = p.title
		}
	case actor.ID == "" && !unnamed[s.Kind]:
		return actor, invalid("actor.id", "say which live agent this is, or use a token with an agent")
	case len(actor.ID) > maxName || len(actor.Name) > maxName:
		return actor, invalid("actor", "give at most 200 bytes each")
	case actor.ID != "" && p.has(roleLiveAgent):
		a.Desk.Touch(actor.ID)
	}
	if !webAddress(actor.Avatar) {
		return actor, invalid("actor.avatar", "give an https address")
	}
	if known, ok := a.Desk.Get(actor.ID); ok && actor.Name == "" {
		actor.Name = known.Name
	}
	return actor, nil
}
