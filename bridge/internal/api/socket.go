package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/engine"
	"github.com/footbridge/footbridge/bridge/internal/ws"
)

// Spoken is what a socket's peer sends: an event for a conversation, or with
// Subscribe another choice of what it is told.
type Spoken struct {
	// Request comes back with the answer.
	Request        string         `json:"request,omitempty"`
	Conversation   string         `json:"conversation,omitempty"`
	Kind           event.Kind     `json:"kind,omitempty"`
	Actor          event.Actor    `json:"actor,omitzero"`
	Body           jsontext.Value `json:"body,omitempty"`
	IdempotencyKey string         `json:"idempotency_key,omitempty"`
	Subscribe      *Filter        `json:"subscribe,omitempty"`
}

// Told is what a socket sends: an event with its position (none for one that is
// not stored), a position alone as a sign of life, or the answer to a request.
type Told struct {
	Position   int64        `json:"position,omitempty"`
	Event      *event.Event `json:"event,omitempty"`
	Request    string       `json:"request,omitempty"`
	ID         string       `json:"id,omitempty"`
	Subscribed *Filter      `json:"subscribed,omitempty"`
	Error      *Problem     `json:"error,omitempty"`
}

// getSocket is the same as the events and POST of an event, both ways over one
// WebSocket.
func (a *API) getSocket(w http.ResponseWriter, r *http.Request, p principal) error {
	s, err := a.streamOf(r, p)
	if err != nil {
		return err
	}
	gone, err := a.present(r, p)
	if err != nil {
		return err
	}
	defer gone()
	conn, err := ws.Accept(w, r, ws.Options{MaxMessage: maxBody})
	if err != nil {
		return nil //nolint:nilerr // Accept has answered.
	}
	ctx, cancel := context.WithCancel(context.Background())
	c := &socket{api: a, who: p, stream: s, conn: conn, ctx: ctx}
	ended := make(chan struct{})
	go func() { defer close(ended); c.feed() }()
	conn.Run(c)
	cancel()
	<-ended
	return nil
}

// socket is one open WebSocket.
type socket struct {
	api    *API
	who    principal
	stream *stream
	conn   *ws.Conn
	ctx    context.Context
}

// feed tells the peer what happens until the socket ends, and closes it where we
// are the one to end it.
func (c *socket) feed() {
	err := c.stream.follow(c.ctx, c)
	switch {
	case err == nil, c.ctx.Err() != nil:
	case errors.Is(err, errClosing):
		c.conn.Close(ws.CodeGoingAway, "shutting down")
	case errors.Is(err, errOver):
		c.conn.Close(ws.CodePolicy, "sign in again")
	case errors.Is(err, errSlow), errors.Is(err, ws.ErrOverflow):
		c.conn.Close(ws.CodeTryLater, "too slow: come back with after")
	default:
		c.conn.Close(ws.CodeTryLater, "come back with after")
	}
}

func (c *socket) event(position int64, e event.Event) error {
	return c.tell(Told{Position: position, Event: &e})
}

func (c *socket) beat(position int64) error { return c.tell(Told{Position: position}) }

func (c *socket) tell(t Told) error {
	data, err := json.Marshal(t)
	if err != nil {
		return err
	}
	return c.conn.Write(data, false)
}

// OnMessage takes what the peer says, one at a time: while a conversation thinks,
// nothing more is read.
func (c *socket) OnMessage(conn *ws.Conn, data []byte, binary bool) {
	if binary {
		conn.Close(ws.CodeUnsupported, "send JSON as text")
		return
	}
	var s Spoken
	told, err := Told{}, strict(data, &s)
	if err == nil {
		told, err = c.hear(s)
	}
	told.Request = s.Request
	if err != nil {
		told.Error = c.problem(err)
	}
	_ = c.tell(told) // an outbox that is full has closed the socket
}

// problem is what the peer is told of an error.
func (c *socket) problem(err error) *Problem {
	p := *problemOf(err)
	p.RequestID = engine.NewID()
	if p.Status >= http.StatusInternalServerError {
		c.api.Logger.Error("request on a socket failed", "for", c.who.name, "code", p.Code, "request_id", p.RequestID, "error", err)
	}
	return &p
}

// hear does what the peer asks for.
func (c *socket) hear(s Spoken) (Told, error) {
	if !c.api.still(c.who) {
		return Told{}, fault(codeUnauthorized)
	}
	if s.Subscribe != nil {
		c.stream.filter.Store(s.Subscribe)
		return Told{Subscribed: s.Subscribe}, nil
	}
	if s.Conversation == "" {
		s.Conversation = c.who.conversation
	}
	if s.Conversation == "" {
		return Told{}, invalid("conversation", "name the conversation")
	}
	if !c.who.owns(s.Conversation) {
		return Told{}, fault(codeForbidden)
	}
	c.api.seen(c.who)
	e, err := c.api.say(c.ctx, c.who, s.Conversation, Saying{Kind: s.Kind, Actor: s.Actor, Body: s.Body}, s.IdempotencyKey)
	return Told{ID: e.ID}, err
}

// OnClose is told the end; Run returns after it.
func (c *socket) OnClose(*ws.Conn, int, string) {}
