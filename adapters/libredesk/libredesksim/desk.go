package libredesksim

import (
	"html"
	"regexp"
	"strconv"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter/simdesk"
)

// Desk is the simulated Libredesk as its people have it before them.
func (s *Server) Desk() simdesk.Desk {
	d := simdesk.Desk{Title: "Libredesk", Conversations: s.shownToPeople}
	for _, a := range s.agents[1:] {
		d.People = append(d.People, simdesk.Person{ID: strconv.Itoa(a.ID), Name: fullName(a)})
	}
	act := func(name, label string, do func(o simdesk.Order, by int) error) simdesk.Act {
		return simdesk.Act{Name: name, Label: label, Do: func(o simdesk.Order) error {
			by, err := strconv.Atoi(o.Person)
			if err != nil {
				return ErrNone
			}
			return do(o, by)
		}}
	}
	words := func(a simdesk.Act) simdesk.Act { a.Words = true; return a }
	reply := words(act(simdesk.Reply, "Reply", s.replies))
	reply.Files = true
	d.Acts = []simdesk.Act{reply,
		words(act(simdesk.Remark, "Private note", func(o simdesk.Order, by int) error { _, err := s.Note(o.Conversation, by, o.Text); return err })),
		act(simdesk.Take, "Assign to me", func(o simdesk.Order, by int) error { return s.Assign(o.Conversation, by) }),
		act(simdesk.Pass, "To Billing", func(o simdesk.Order, _ int) error { return s.Pass(o.Conversation, 4) }),
		act(simdesk.Type, "Show typing", func(o simdesk.Order, _ int) error { return s.Type(o.Conversation, true) }),
		words(act(simdesk.Automate, "Send by automation", func(o simdesk.Order, _ int) error { _, err := s.Automate(o.Conversation, o.Text); return err })),
		act(simdesk.Resolve, "Resolve", func(o simdesk.Order, by int) error { return s.SetStatus(o.Conversation, by, "Resolved") }),
		act(simdesk.Reopen, "Reopen", func(o simdesk.Order, by int) error { return s.SetStatus(o.Conversation, by, "Open") })}
	return d
}

// replies sends words and a file, each as a message.
func (s *Server) replies(o simdesk.Order, by int) error {
	if o.Text != "" {
		if _, err := s.Say(o.Conversation, by, o.Text); err != nil {
			return err
		}
	}
	if o.File.Name == "" {
		return nil
	}
	_, err := s.SendFile(o.Conversation, by, o.File.Name, o.File.MIME, o.File.Data)
	return err
}

func fullName(a Author) string { return strings.TrimSpace(a.FirstName + " " + a.LastName) }

func (s *Server) shownToPeople() []simdesk.Conversation {
	var all []simdesk.Conversation
	for _, c := range s.Conversations() {
		one := simdesk.Conversation{ID: c.UUID, Customer: fullName(c.Contact), Status: c.Status, Open: statuses[c.Status] != "resolved",
			Typing: c.Typing, Read: c.Seen > 0, Facts: map[string]string{"email": c.Contact.Email}}
		if a, ok := s.agent(c.Assignee); ok {
			one.With = fullName(a)
		}
		for _, m := range c.Messages {
			one.Lines = append(one.Lines, lineOf(m))
		}
		all = append(all, one)
	}
	return all
}

// lineOf is a message as people see it.
func lineOf(m Message) simdesk.Line {
	l := simdesk.Line{Kind: simdesk.Staff, Author: fullName(m.Author), Text: m.Content, At: m.CreatedAt}
	automated, _ := m.Meta["is_automated"].(bool)
	switch {
	case m.Type == "activity":
		l.Kind = simdesk.Notice
	case m.Type == "incoming":
		l.Kind = simdesk.Customer
	case m.Private:
		l.Kind = simdesk.Note
	case automated:
		l.Kind = simdesk.Program
	}
	if m.ContentType == "html" {
		l.Text = plain(m.Content)
	}
	for _, a := range m.Attachments {
		l.Files = append(l.Files, simdesk.File{Name: a.Name, MIME: a.ContentType, URL: a.URL})
	}
	return l
}

// The markup of messages: what ends a line, and all of it.
//
//nolint:gochecknoglobals // never written.
var (
	lineEnd = regexp.MustCompile(`(?i)<br ?/?>|</p>`)
	markup  = regexp.MustCompile(`<[^>]*>`)
)

// plain is a message without its markup.
func plain(text string) string {
	return strings.TrimSpace(html.UnescapeString(markup.ReplaceAllString(lineEnd.ReplaceAllString(text, "\n"), "")))
}
