package backend

import (
	"strconv"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
)

// Saying is a message of the customer's on its way, in parts where it is longer than
// the vendor takes at once: the delivery is offered again for each, so that no text is
// kept between turns. An adapter's own embeds it, and begins it anew for each event.
type Saying struct {
	Event string `json:"event,omitempty"`
	// Part is which part is next; More that the one under way is not the last, Fault why
	// one before did not arrive.
	Part  int    `json:"part,omitempty"`
	More  bool   `json:"more,omitempty"`
	Fault string `json:"fault,omitempty"`
}

// Ready reports whether the message, which is text in words, is to be sent now: nothing
// of it is under way, and what went before arrived. Where not, the delivery is dealt
// with.
func (d Desk) Ready(s *Saying, text string) bool {
	switch {
	case text == "":
		d.Tx.Fail("the message has no words and no file to send")
	case s.More:
		d.Tx.Later() // something else came meanwhile; the part before is under way
	case s.Fault != "":
		d.Tx.Fail(s.Fault)
		*s = Saying{}
	default:
		return true
	}
	return false
}

// SendPart sends the next of the parts, which mostly is all there is, under an id of its
// own.
func (d Desk) SendPart(s *Saying, parts []string, send func(id, text string)) {
	at := min(s.Part, len(parts)-1)
	send(s.ID(), parts[at])
	if s.More = at < len(parts)-1; s.More {
		d.Tx.Later()
	}
}

// ID is what the part under way is sent as: the event's id, and behind the first which
// part it is.
func (s *Saying) ID() string {
	if s.Part == 0 {
		return s.Event
	}
	return s.Event + "/" + strconv.Itoa(s.Part)
}

// Sends reports whether an id is of the message.
func (s *Saying) Sends(id string) bool {
	return s.Event != "" && (id == s.Event || strings.HasPrefix(id, s.Event+"/"))
}

// PartSent notes how a part ended that others follow; false for the last. login is the
// credential a refusal is put down to.
func (s *Saying) PartSent(r adapter.Result, login string) bool {
	if !s.More {
		return false
	}
	s.More, s.Part = false, s.Part+1
	if !r.OK() {
		s.Fault = r.Fault(login)
	}
	return true
}
