package adaptertest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/adaptertest"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// window is a small adapter of a web client that opens a socket to us and gets
// every word in pieces nobody confirms, unless it is given a flaw.
type window struct{ flaw string }

type windowState struct {
	Conn  string `json:"conn,omitempty"`
	Put   bool   `json:"put,omitempty"`
	Ended bool   `json:"ended,omitempty"`
}

func (w window) definition() adapter.Definition {
	return adapter.Definition{
		Manifest: adapter.Manifest{Name: "window", StateVersion: 1, Roles: []event.Role{event.RoleCustomer}},
		Configure: func(adapter.Account) (adapter.Profile, error) {
			return adapter.Profile{Levels: adapter.Levels{Push: adapter.PushSocket}, Endpoints: []adapter.Endpoint{
				{Name: "ws", Transport: adapter.TransportWebSocket, Path: "/ws", Key: "frame:/id", Unknown: adapter.UnknownOpen}}}, nil
		},
		Adapter: adapter.Func(w.handle),
	}
}

func (w window) handle(tx *adapter.Tx, s *windowState, in adapter.Input) error {
	switch in := in.(type) {
	case adapter.Opened:
		if w.flaw == "greets whoever comes after the end" && s.Ended {
			tx.Send("", in.Conn, []byte("welcome"))
		}
		s.Conn = in.Conn
	case adapter.Closed:
		if in.Conn == s.Conn {
			s.Conn = ""
		}
	case adapter.Frame:
		if w.flaw == "answers who speaks after the end" && s.Ended && in.Conn != "served-ws" {
			tx.Send("", in.Conn, []byte("what?"))
		}
	case adapter.Deliver:
		w.deliver(tx, s, in.Event)
	default:
		return adapter.ErrUnsupported
	}
	return nil
}

func (w window) deliver(tx *adapter.Tx, s *windowState, e event.Event) {
	body, said := e.Body.(event.MessageCreated)
	if _, ended := e.Body.(event.ConversationEnded); ended {
		s.Ended = true
	}
	switch {
	case !said || s.Ended:
	case s.Conn == "", w.flaw == "forgets who was away" && s.Put:
		s.Put = true
		tx.Later()
	default:
		s.Put = false
		w.say(tx, s.Conn, codec.Split(codec.Plain(body.Content), 700))
	}
}

func (w window) say(tx *adapter.Tx, conn string, parts []string) {
	for i := range parts {
		part := parts[i]
		switch {
		case w.flaw == "backwards":
			part = parts[len(parts)-1-i]
		case w.flaw == "says the first piece only" && i > 0:
			continue
		case w.flaw == "mixes what is confirmed with what is not" && i%2 == 1:
			tx.Send(fmt.Sprintf("say/%d", i), conn, []byte(parts[0]))
			continue
		}
		tx.Send("", conn, []byte(part))
	}
}

func TestTheWindowKeepsTheLaws(t *testing.T) {
	adaptertest.Laws(t, window{}.definition(), adaptertest.Options{})
}

func TestBrokenWindowsAreFound(t *testing.T) {
	for flaw, c := range map[string]struct{ law, want string }{
		"backwards":                                {"orderly", " left after "},
		"says the first piece only":                {"orderly", "words sent"},
		"mixes what is confirmed with what is not": {"orderly", " left after "},
		"greets whoever comes after the end":       {"quiet", "after the end: send - again-"},
		"answers who speaks after the end":         {"quiet", "after the end: send - again-"},
		"forgets who was away":                     {"conserving", "is postponed although the client has come"},
	} {
		if err := judged(window{flaw}.definition(), c.law, ""); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %s wants %s, got %.300v", flaw, c.law, c.want, err)
		}
	}
}
