package slacksim

import (
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter/simdesk"
)

// Desk is the simulated Slack as its people have it before them: the threads the app
// began.
func (s *Server) Desk() simdesk.Desk {
	d := simdesk.Desk{Title: "Slack", Conversations: s.shownToPeople}
	for _, p := range People() {
		d.People = append(d.People, simdesk.Person{ID: p.ID, Name: p.shown()})
	}
	act := func(name, label string, words bool, do func(head Message, o simdesk.Order) error) simdesk.Act {
		return simdesk.Act{Name: name, Label: label, Words: words, Do: func(o simdesk.Order) error { return s.acts(o, do) }}
	}
	press := func(action string) func(Message, simdesk.Order) error {
		return func(head Message, o simdesk.Order) error { return s.pressShown(head, o.Person, action) }
	}
	reply := act(simdesk.Reply, "Reply", true, func(head Message, o simdesk.Order) error {
		if o.File.Name == "" {
			s.Write(head.Channel, head.TS, o.Person, stored(o.Text))
			return nil
		}
		s.Attach(head.Channel, head.TS, o.Person, stored(o.Text), File{Name: o.File.Name, MIME: o.File.MIME, Data: o.File.Data})
		return nil
	})
	reply.Files = true
	d.Acts = []simdesk.Act{reply,
		act(simdesk.Remark, "Reply with //", true, func(head Message, o simdesk.Order) error {
			s.Write(head.Channel, head.TS, o.Person, "// "+stored(o.Text))
			return nil
		}),
		act(simdesk.Take, "Claim", false, press("")),
		act(simdesk.Automate, "Send as another app", true, func(head Message, o simdesk.Order) error {
			s.Program(head.Channel, head.TS, stored(o.Text))
			return nil
		}),
		act(simdesk.Resolve, "Hand back", false, press("footbridge_hand_back")),
		act("close", "Close", false, press("footbridge_close"))}
	return d
}

// acts finds what an order is for.
func (s *Server) acts(o simdesk.Order, do func(Message, simdesk.Order) error) error {
	head := s.Head(o.Conversation)
	if head.TS == "" || !slices.ContainsFunc(People(), func(p Person) bool { return p.ID == o.Person }) {
		return errors.New("there is no such thread, or nobody of that name")
	}
	return do(head, o)
}

// pressShown presses a button the head has now; "" is the first.
func (s *Server) pressShown(head Message, user, action string) error {
	if len(head.Buttons) == 0 || action != "" && !slices.Contains(head.Buttons, action) {
		return errors.New("the thread has no such button now")
	}
	if action == "" {
		action = head.Buttons[0]
	}
	return s.Press(head.TS, user, action)
}

// stored is a text as Slack stores it, and plain as people read it.
func stored(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}

func plain(text string) string {
	text = regexp.MustCompile(`(?m)^\*([^*\n]+:)\*`).ReplaceAllString(text, "$1")
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(text)
}

// factsIn are the lines of a head that say what something is.
func factsIn(text string) map[string]string {
	facts := map[string]string{}
	for line := range strings.SplitSeq(text, "\n") {
		if name, value, found := strings.Cut(line, ": "); found {
			facts[name] = value
		}
	}
	return facts
}

func (s *Server) shownToPeople() []simdesk.Conversation {
	var all []simdesk.Conversation
	for _, thread := range s.Threads() {
		head := s.Head(thread)
		words := wordsIn(head.Blocks)
		one := simdesk.Conversation{ID: thread, Customer: strings.TrimPrefix(plain(head.Text), "Customer: "), Open: len(head.Buttons) > 0}
		if len(words) > 1 {
			one.Facts, one.Status = factsIn(plain(words[0])), strings.Trim(plain(words[1]), "*")
			one.With, _ = strings.CutPrefix(one.Status, "With ")
			if one.With == one.Status {
				one.With = ""
			}
		}
		for _, m := range s.Replies(thread) {
			one.Lines = append(one.Lines, lineOf(m))
		}
		all = append(all, one)
	}
	return all
}

// wordsIn are the texts of a head's section and context.
func wordsIn(blocks any) (all []string) {
	list, _ := blocks.([]any)
	for _, block := range list {
		of, _ := block.(map[string]any)
		texts, _ := of["elements"].([]any)
		for _, one := range append([]any{of["text"]}, texts...) {
			object, _ := one.(map[string]any)
			if text, ok := object["text"].(string); ok {
				all = append(all, text)
			}
		}
	}
	return all
}

// lineOf is a reply as people see it. What stands under a name the app gave is the
// customer's, what the app says otherwise is for people.
func lineOf(m Message) simdesk.Line {
	l := simdesk.Line{Kind: simdesk.Staff, Author: m.User, Text: plain(m.Text)}
	if seconds, err := strconv.ParseFloat(m.TS, 64); err == nil {
		l.At = time.UnixMicro(int64(seconds * 1e6)).UTC()
	}
	for _, p := range People() {
		if p.ID == m.User {
			l.Author = p.shown()
		}
	}
	switch {
	case m.Username != "":
		l.Kind, l.Author = simdesk.Customer, m.Username
	case m.Bot == botID:
		l.Kind, l.Author = simdesk.Note, "Footbridge"
	case m.Bot != "":
		l.Kind, l.Author = simdesk.Program, "another app"
	case strings.HasPrefix(m.Text, "//"):
		l.Kind = simdesk.Note
	case m.Subtype != "" && m.Subtype != "file_share":
		l.Kind = simdesk.Notice
	}
	for _, f := range m.Files {
		l.Files = append(l.Files, simdesk.File{Name: f.Name, MIME: f.MIME, URL: "/simfiles/" + f.ID + "/" + url.PathEscape(f.Name)})
	}
	return l
}
