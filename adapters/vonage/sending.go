package vonage

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// restLimit bounds the text kept between the parts of one message, in bytes of
// JSON: the state of a leg must stay below 64 KiB.
const restLimit = 48 << 10

// sending is the message on its way: one part's call is open, Rest comes after.
type sending struct {
	Event string `json:"event,omitempty"`
	Part  int    `json:"part,omitempty"`
	Rest  string `json:"rest,omitempty"`
}

func (s *sending) tag() string { return "say/" + s.Event + "/" + strconv.Itoa(s.Part) }

// post is how a message's frames leave: the address, and whether they carry the
// type word of an agent's message or of a customer's.
type post struct {
	settings settings
	url      string
	// session and inbound are for frames to a desk's inbound.
	session string
	inbound bool
	// kept is what a frame of the same vendor held beyond its content.
	kept json.RawMessage
}

// begin sends a message's first part. What cannot be sent at all settles the
// delivery as failed.
func (p post) begin(tx *adapter.Tx, s *sending, e event.Event, c event.Content) {
	*s = sending{Event: e.ID}
	p.kept = e.Vendor["vonage"]
	if m, ok := c.Part.(event.Media); ok && m.URL != "" && p.settings.Channel != "http" {
		f, kind := mediaFrame(m)
		p.send(tx, s, f, kind)
		return
	}
	text := codec.Plain(c)
	head, rest := codec.Cut(text, textLimit)
	switch {
	case text == "":
		p.give(tx, s, "the message has no words and no address to send")
	case tooLong(rest):
		p.give(tx, s, fmt.Sprintf("the text is too long: %d characters", codec.Length(text)))
	default:
		s.Rest = rest
		p.send(tx, s, frame{Text: &head}, "text")
	}
}

// tooLong reports whether text takes more room than the state has for it.
func tooLong(text string) bool {
	if len(text) <= restLimit/6 {
		return false // no character takes more than six times its bytes
	}
	encoded, err := json.Marshal(text)
	return err != nil || len(encoded) > restLimit
}

// settle goes on after a part that arrived.
func (p post) settle(tx *adapter.Tx, s *sending) {
	if s.Rest == "" {
		*s = sending{}
		return
	}
	head, rest := codec.Cut(s.Rest, textLimit)
	s.Part, s.Rest = s.Part+1, rest
	p.send(tx, s, frame{Text: &head}, "text")
}

// give gives the message up, with a reason for people.
func (p post) give(tx *adapter.Tx, s *sending, why string) {
	*s = sending{}
	tx.Fail(why)
}

func (p post) send(tx *adapter.Tx, s *sending, f frame, kind string) {
	f.MessageType = kind
	if p.inbound {
		f.SessionID, f.Type, f.MessageType = p.session, kind, ""
	}
	key := s.Event
	if s.Part > 0 {
		key += "-" + strconv.Itoa(s.Part+1)
	}
	tx.Call(s.tag(), p.settings.call(tx, p.url, key, restored(f, p.kept)))
}

// restored is a frame with the members a frame of the same vendor had beside it.
func restored(frame any, kept json.RawMessage) any {
	if len(kept) == 0 {
		return frame
	}
	own := map[string]any{}
	if json.Unmarshal(codec.Compose(frame), &own) != nil {
		return frame
	}
	return joined(own, kept)
}

// call makes a POST with a JSON body. Calls to AI Studio carry its key; key is
// what a far side that recognises repeats knows this call by.
func (s settings) call(tx *adapter.Tx, url, key string, body any) adapter.Call {
	c := adapter.Call{Method: http.MethodPost, URL: url, Body: codec.Compose(body), Repeat: adapter.RepeatMarked,
		Header: http.Header{"Content-Type": {"application/json"}}}
	if tx.Role() == event.RoleVirtualAgent {
		c.Header.Set(keyHeader, tx.Credential(credential))
	}
	if s.IdempotencyHeader != "" {
		c.Header.Set(s.IdempotencyHeader, key)
		c.Repeat = adapter.RepeatKeyed
	}
	return c
}
