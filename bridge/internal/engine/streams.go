package engine

import (
	"context"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/conversation"
)

// The bounds of what is gathered of messages in pieces: how long one may pause
// until it counts as over, its bytes, and how many a conversation has at once.
const (
	streamWithin = 2 * time.Minute
	streamSize   = 64 << 10
	streamsMost  = 8
)

// stream is a message of which pieces came and no end.
type stream struct {
	Leg   string      `json:"leg"`
	Name  string      `json:"name"`
	Actor event.Actor `json:"actor"`
	Text  string      `json:"text,omitempty"`
	// Due is when it counts as over.
	Due time.Time `json:"due"`
}

// gather keeps the pieces of a message until it comes whole: a far side that is
// told no pieces has nothing else of it, should it never come. What a customer began
// to write and did not send is not theirs to have said.
func (b *batch) gather(d conversation.Draft) {
	if l := b.c.legs[d.Leg]; l == nil || l.Role == event.RoleCustomer || d.Actor.Role == event.RoleCustomer {
		return
	}
	body, ok := d.Body.(event.MessagePartial)
	if !ok {
		b.gathered(d.Leg, d.Body)
		return
	}
	key := d.Leg + "/" + body.Stream
	text := b.c.doc.Streams[key].Text + body.Text
	if body.Mode == "replace" {
		text = body.Text
	}
	if b.c.doc.Streams == nil {
		b.c.doc.Streams = map[string]stream{}
	}
	b.c.doc.Streams[key] = stream{Leg: d.Leg, Name: body.Stream, Actor: d.Actor, Text: clip(text, streamSize), Due: b.at.Add(streamWithin)}
	switch {
	case text == "":
		delete(b.c.doc.Streams, key)
	case len(b.c.doc.Streams) > streamsMost:
		b.closeStream()
	}
}

// gathered forgets the pieces of a message that is there whole.
func (b *batch) gathered(leg string, body event.Body) {
	if m, ok := body.(event.MessageCreated); ok {
		delete(b.c.doc.Streams, leg+"/"+m.Stream)
	}
}

// clip is a text of at most so many bytes, cut between characters.
func clip(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}

// oldest is the stream that has waited longest for its next piece.
func (d document) oldest() (key string, oldest stream) {
	for k, s := range d.Streams {
		if key == "" || s.Due.Before(oldest.Due) || s.Due.Equal(oldest.Due) && k < key {
			key, oldest = k, s
		}
	}
	return key, oldest
}

// closeStream ends the oldest stream with what came of it.
func (b *batch) closeStream() {
	key, s := b.c.doc.oldest()
	delete(b.c.doc.Streams, key)
	b.decide(conversation.Input{Leg: s.Leg, Actor: s.Actor,
		Body: event.MessageCreated{Content: event.Plain(s.Text), Stream: s.Name, Incomplete: true}}, origin{})
}

// lapseStream ends a stream whose next piece did not come.
func (c *convo) lapseStream(ctx context.Context) error {
	b := c.begin(fmt.Sprintf("stream/%s/%d", c.id, c.version))
	b.closeStream()
	return b.finish(ctx)
}

// closeStreams ends all: the conversation is about to.
func (b *batch) closeStreams() {
	for len(b.c.doc.Streams) > 0 {
		b.closeStream()
	}
}
