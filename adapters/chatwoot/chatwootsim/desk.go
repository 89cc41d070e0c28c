package chatwootsim

import (
	"fmt"
	"net/url"
	"strconv"

	"github.com/footbridge/footbridge/bridge/adapter/simdesk"
)

// Desk is the simulated Chatwoot as its people have it before them.
func (s *Server) Desk() simdesk.Desk {
	d := simdesk.Desk{Title: "Chatwoot", Conversations: s.shownToPeople}
	for _, a := range Agents()[1:] {
		d.People = append(d.People, simdesk.Person{ID: strconv.Itoa(a.ID), Name: a.Name})
	}
	act := func(name, label string, do func(id, by int, o simdesk.Order)) simdesk.Act {
		return simdesk.Act{Name: name, Label: label, Do: func(o simdesk.Order) error { return s.acts(o, do) }}
	}
	words := func(a simdesk.Act) simdesk.Act { a.Words = true; return a }
	reply := words(act(simdesk.Reply, "Reply", func(id, by int, o simdesk.Order) {
		if o.File.Name == "" {
			s.Reply(id, by, o.Text)
			return
		}
		s.Attach(id, by, o.Text, Attachment{Name: o.File.Name, MIME: o.File.MIME, Data: o.File.Data})
	}))
	reply.Files = true
	d.Acts = []simdesk.Act{reply,
		words(act(simdesk.Remark, "Private note", func(id, by int, o simdesk.Order) { s.Note(id, by, o.Text) })),
		act(simdesk.Take, "Assign to me", func(id, by int, _ simdesk.Order) { s.Assign(id, by) }),
		act(simdesk.Pass, "To a team", func(id, _ int, _ simdesk.Order) { s.Pass(id, 4) }),
		act(simdesk.Type, "Show typing", func(id, by int, _ simdesk.Order) { s.Typing(id, by, true, false) }),
		words(act(simdesk.Automate, "Send as survey", func(id, _ int, o simdesk.Order) { s.Survey(id, o.Text) })),
		act(simdesk.Resolve, "Resolve", func(id, by int, _ simdesk.Order) { s.Resolve(id, by) }),
		act(simdesk.Reopen, "Reopen", func(id, by int, _ simdesk.Order) { s.Reopen(id, by) })}
	return d
}

// acts finds what an order is for.
func (s *Server) acts(o simdesk.Order, do func(id, by int, o simdesk.Order)) error {
	id, err := strconv.Atoi(o.Conversation)
	by, wrong := strconv.Atoi(o.Person)
	if err != nil || wrong != nil || s.Conversation(id).ID == 0 {
		return fmt.Errorf("there is no conversation %q, or nobody called %q", o.Conversation, o.Person)
	}
	do(id, by, o)
	return nil
}

func (s *Server) shownToPeople() []simdesk.Conversation {
	var all []simdesk.Conversation
	for _, id := range s.Conversations() {
		c := s.Conversation(id)
		one := simdesk.Conversation{ID: strconv.Itoa(id), Customer: c.Contact.Name, Status: c.Status, Open: c.Status == StatusOpen,
			Typing: c.Typing == "on", Read: c.Seen > 0, Facts: map[string]string{}}
		if c.Assignee != 0 {
			one.With = agent(c.Assignee).Name
		}
		for name, value := range c.Facts {
			one.Facts[name] = fmt.Sprint(value)
		}
		for _, m := range c.Messages {
			one.Lines = append(one.Lines, lineOf(c, m))
		}
		all = append(all, one)
	}
	return all
}

// lineOf is a message as people see it. What is not private and of the token's user is
// the rest of a transcript.
func lineOf(c Conversation, m Message) simdesk.Line {
	l := simdesk.Line{Kind: []simdesk.Kind{simdesk.Customer, simdesk.Staff, simdesk.Notice, simdesk.Program}[m.Type], Author: "Chatwoot", Text: m.Content, At: m.At}
	switch {
	case m.Sender == "contact":
		l.Author = c.Contact.Name
	case m.Sender == "user":
		l.Author = agent(m.SenderID).Name
	}
	if m.Private {
		l.Kind = simdesk.Note
	} else if m.Sender == "user" && m.SenderID == selfID {
		l.Kind = simdesk.Bridge
	}
	for _, a := range m.Attachments {
		l.Files = append(l.Files, simdesk.File{Name: a.Name, MIME: a.MIME, URL: fmt.Sprintf("/rails/active_storage/blobs/proxy/%d/%s", a.ID, url.PathEscape(a.Name))})
	}
	return l
}
