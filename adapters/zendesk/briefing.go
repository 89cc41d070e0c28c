package zendesk

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// ticketLimit is how much metadata Zendesk takes, in bytes, with room for its quotes.
const ticketLimit = 3900

// The keys of a ticket's own fields in the metadata of passControl.
const (
	fieldName  = "dataCapture.systemField.requester.name"
	fieldEmail = "dataCapture.systemField.requester.email"
	fieldGroup = "dataCapture.systemField.group_id"
	fieldTags  = "dataCapture.systemField.tags"
)

// customer is who the customer is to be there.
type customer struct{ external, name, email, avatar string }

// customerOf is who asked, or spoke before.
func (s *settings) customerOf(e event.Event, body event.HandoffRequested, conversation string) customer {
	who := event.Actor{}
	all := []event.Actor{e.Actor}
	for _, one := range body.Transcript {
		all = append(all, one.Actor)
	}
	for _, one := range all {
		if one.Role == event.RoleCustomer {
			who.ID, who.Name, who.Avatar = cmp.Or(who.ID, one.ID), cmp.Or(who.Name, one.Name), cmp.Or(who.Avatar, one.Avatar)
		}
	}
	c := customer{external: within(*s.UserPrefix+cmp.Or(who.ID, conversation), 4*idLimit),
		name: within(strings.TrimSpace(cmp.Or(who.Name, fact(body.Context, "name", "profile_name", "full_name"))), nameLimit)}
	if email := fact(body.Context, "email", "user_email", "email_address"); strings.Count(email, "@") == 1 && !strings.ContainsAny(email, " <>,;") && len(email) <= 128 {
		c.email = email
	}
	if strings.HasPrefix(who.Avatar, "http") && len(who.Avatar) <= addressLimit {
		c.avatar = who.Avatar
	}
	return c
}

// profile is what Zendesk is told of the customer.
func (c customer) profile() fields {
	f := fields{}
	f.put("givenName", c.name)
	f.put("email", c.email)
	f.put("avatarUrl", c.avatar)
	return f
}

// fact is the first of the facts that is there, by names in any case.
func fact(context map[string]string, names ...string) string {
	for _, name := range names {
		for _, key := range slices.Sorted(maps.Keys(context)) {
			if strings.EqualFold(key, name) && context[key] != "" {
				return context[key]
			}
		}
	}
	return ""
}

// ticket is what the ticket is to have, as far as there is room: who the customer is,
// the group and tags, and the facts in the order of the setting fields.
func (s *settings) ticket(who customer, body event.HandoffRequested) fields {
	group, _ := codec.Rows(s.Groups).Value(body.Routing.Queue)
	rows := [][2]string{{fieldName, who.name}, {fieldEmail, who.email}, {fieldGroup, group}, {fieldTags, strings.Join(s.Tags, ",")}}
	told := map[string]string{"reason": body.Reason, "summary": body.Summary, "queue": body.Routing.Queue, "language": body.Routing.Language}
	for _, row := range s.Fields {
		name, key, _ := strings.Cut(row, "=")
		rows = append(rows, [2]string{key, cmp.Or(fact(body.Context, name), told[name])})
	}
	out, room := fields{}, ticketLimit
	for _, row := range rows {
		if room -= len(row[0]) + 6; room <= 0 {
			break
		}
		value := within(row[1], room)
		for room < len(codec.Compose(value)) && value != "" {
			value = within(value, len(value)/2) // what is written with escapes takes more
		}
		room -= len(codec.Compose(value))
		out.put(row[0], value)
	}
	return out
}

// briefing is what people are shown of a conversation before they see the customer's
// next words: why it comes, and what was said, as turns or in a block. It is the same
// each time it is made.
func (s *settings) briefing(body event.HandoffRequested) []entry {
	said := body.Transcript
	turns := min(len(said), *s.MaxTurns)
	if s.Transcript == transcriptBlock {
		turns = 0
	}
	early := said[:len(said)-turns]
	var lines []string
	for _, one := range [][2]string{{"Reason", body.Reason}, {"Summary", body.Summary}, {"Queue", body.Routing.Queue}, {"Language", body.Routing.Language}} {
		if one[1] != "" {
			lines = append(lines, one[0]+": "+one[1])
		}
	}
	for _, one := range early {
		if text := codec.Plain(one.Content); text != "" {
			lines = append(lines, author(one.Actor)+": "+text)
		}
	}
	list := textEntries(bridgeName, strings.Join(lines, "\n"))
	for _, one := range said[len(early):] {
		name := ""
		if one.Actor.Role != event.RoleCustomer {
			name = author(one.Actor)
		}
		list = append(list, entriesOf(name, one.Content)...)
	}
	return list
}

func author(a event.Actor) string {
	names := map[event.Role]string{event.RoleCustomer: "Customer", event.RoleVirtualAgent: "Virtual agent", event.RoleLiveAgent: "Live agent",
		event.RoleObserver: "Assistant"}
	return within(cmp.Or(a.Name, names[a.Role], string(a.Role), bridgeName), nameLimit)
}
