package zendesksim

import (
	"fmt"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter/simdesk"
)

// Desk is the simulated Agent Workspace as its people have it before them. Who answers
// has the conversation; internal notes are not on the wire, so there is nothing to try.
func (s *Server) Desk() simdesk.Desk {
	act := func(name, label string, do func(simdesk.Order)) simdesk.Act {
		return simdesk.Act{Name: name, Label: label, Do: func(o simdesk.Order) error {
			known := false
			if s.with(o.Conversation, func(*Conversation) { known = true }); !known {
				return fmt.Errorf("there is no conversation %q", o.Conversation)
			}
			do(o)
			return nil
		}}
	}
	reply := act(simdesk.Reply, "Reply", s.replies)
	reply.Words, reply.Files = true, true
	bot := act(simdesk.Automate, "Send as the bot", func(o simdesk.Order) { s.Answers(o.Conversation, o.Text) })
	bot.Words = true
	return simdesk.Desk{Title: "Zendesk", Conversations: s.shownToPeople, People: []simdesk.Person{{ID: "Sam", Name: "Sam"}, {ID: "Kim", Name: "Kim"}},
		Acts: []simdesk.Act{reply,
			act(simdesk.Type, "Show typing", func(o simdesk.Order) { s.Typing(o.Conversation, o.Person, true) }), bot,
			act(simdesk.Resolve, "End session", func(o simdesk.Order) { s.End(o.Conversation, "ticketClosed") })}}
}

// replies sends words and a file, each as a message.
func (s *Server) replies(o simdesk.Order) {
	if o.Text != "" {
		s.Reply(o.Conversation, o.Person, o.Text)
	}
	if o.File.Name != "" {
		kind := "file"
		if strings.HasPrefix(o.File.MIME, "image/") {
			kind = "image"
		}
		s.Attach(o.Conversation, o.Person, o.File.Name, o.File.MIME, kind, o.File.Data)
	}
}

func (s *Server) shownToPeople() []simdesk.Conversation {
	var all []simdesk.Conversation
	names := map[string]string{}
	for _, u := range s.Users() {
		names[u.ID], _ = u.Profile["givenName"].(string)
	}
	for _, c := range s.Conversations() {
		one := simdesk.Conversation{ID: c.ID, Customer: names[c.User], Status: c.Active, Open: c.Active == Workspace, Read: c.Seen > 0, Facts: map[string]string{}}
		for key, value := range c.Ticket {
			one.Facts[key[strings.LastIndex(key, ".")+1:]] = fmt.Sprint(value)
		}
		for _, m := range c.Messages {
			l := s.lineOf(m, one.Customer)
			if one.Lines = append(one.Lines, l); l.Kind == simdesk.Staff {
				one.With = l.Author
			}
		}
		all = append(all, one)
	}
	return all
}

// lineOf is a message as people see it.
func (s *Server) lineOf(m Message, customer string) simdesk.Line {
	author, _ := m.Author["displayName"].(string)
	at, _ := time.Parse(time.RFC3339, m.Received)
	l := simdesk.Line{Kind: simdesk.Bridge, Author: author, Text: m.Text(), At: at}
	switch {
	case m.Author["type"] == "user":
		l.Kind, l.Author = simdesk.Customer, customer
	case m.Source["type"] == sourceWorkspace:
		l.Kind = simdesk.Staff
	case m.Source["type"] == sourceBot:
		l.Kind = simdesk.Program
	}
	if address, err := url.Parse(textField(m.Content, "mediaUrl")); err == nil && address.Path != "" {
		s.mu.Lock()
		kind := s.types[address.String()]
		s.mu.Unlock()
		l.Files = []simdesk.File{{Name: path.Base(address.Path), MIME: kind, URL: address.Path}}
	}
	return l
}
