package zendesk

import (
	"cmp"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter/backend"
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
	who := backend.Customer(e, body)
	prefix := map[bool]string{true: mark + "-"}[s.Users != usersShared]
	c := customer{external: codec.Within(prefix+cmp.Or(who.ID, conversation), 4*idLimit),
		name: codec.Within(backend.Name(who, body.Context), nameLimit), email: backend.Email(body.Context)}
	if strings.HasPrefix(who.Avatar, "http") && len(who.Avatar) <= addressLimit {
		c.avatar = who.Avatar
	}
	return c
}

// profile is what Zendesk is told of the customer.
func (c customer) profile() backend.Fields {
	f := backend.Fields{}
	f.Put("givenName", c.name)
	f.Put("email", c.email)
	f.Put("avatarUrl", c.avatar)
	return f
}

// ticket is what the ticket is to have, as far as there is room: who the customer is,
// the group and tags, and the facts in the order of the setting fields.
func (s *settings) ticket(who customer, body event.HandoffRequested) backend.Fields {
	group, _ := codec.Rows(s.Groups).Value(body.Routing.Queue)
	rows := [][2]string{{fieldName, who.name}, {fieldEmail, who.email}, {fieldGroup, group}, {fieldTags, strings.Join(s.Tags, ",")}}
	told := map[string]string{"reason": body.Reason, "summary": body.Summary, "queue": body.Routing.Queue, "language": body.Routing.Language}
	for _, row := range s.Fields {
		name, key, _ := strings.Cut(row, "=")
		rows = append(rows, [2]string{key, cmp.Or(backend.Fact(body.Context, name), told[name])})
	}
	out, room := backend.Fields{}, ticketLimit
	for _, row := range rows {
		if room -= len(row[0]) + 6; room <= 0 {
			break
		}
		value := codec.Within(row[1], room)
		for room < len(codec.Compose(value)) && value != "" {
			value = codec.Within(value, len(value)/2) // what is written with escapes takes more
		}
		room -= len(codec.Compose(value))
		out.Put(row[0], value)
	}
	return out
}

// briefing is what people are shown of a conversation before they see the customer's
// next words: why it comes, and what was said, as turns or in a block. It is the same
// each time it is made.
func (s *settings) briefing(body event.HandoffRequested) []entry {
	said := body.Transcript
	turns := min(len(said), s.MaxTurns)
	if s.Transcript == transcriptBlock {
		turns = 0
	}
	early := said[:len(said)-turns]
	list := textEntries(bridgeName, strings.Join(append(backend.Opening(body), backend.Lines(early)...), "\n"))
	for _, one := range said[len(early):] {
		name := ""
		if one.Actor.Role != event.RoleCustomer {
			name = author(one.Actor)
		}
		list = append(list, entriesOf(name, one.Content)...)
	}
	return list
}

// author is the displayName of whoever speaks of the business.
func author(a event.Actor) string {
	return codec.Within(cmp.Or(backend.Author(a), bridgeName), nameLimit)
}
