package backend

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// Opening is why a conversation comes, in words, a line each.
func Opening(body event.HandoffRequested) []string {
	lines := []string{"Handed over to a person."}
	for _, one := range [][2]string{{"Reason", body.Reason}, {"Summary", body.Summary}, {"Queue", body.Routing.Queue}, {"Language", body.Routing.Language}} {
		if one[1] != "" {
			lines = append(lines, one[0]+": "+one[1])
		}
	}
	return lines
}

// Lines are turns of a transcript in words, each behind its author's name.
func Lines(said []event.TranscriptEntry) []string {
	var lines []string
	for _, one := range said {
		if text := codec.Plain(one.Content); text != "" {
			lines = append(lines, Author(one.Actor)+": "+text)
		}
	}
	return lines
}

// Author is what people are told of who speaks: a name, or what they are.
func Author(a event.Actor) string {
	names := map[event.Role]string{event.RoleCustomer: "Customer", event.RoleVirtualAgent: "Virtual agent", event.RoleLiveAgent: "Live agent",
		event.RoleObserver: "Assistant"}
	return cmp.Or(a.Name, names[a.Role], string(a.Role))
}

// Facts are facts in words, a line each, in the order of their names.
func Facts(attributes map[string]string) string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		lines = append(lines, name+": "+attributes[name])
	}
	return strings.Join(lines, "\n")
}

// Fact is the first of the facts that is there, by names in any case, or "".
func Fact(context map[string]string, names ...string) string {
	for _, name := range names {
		for _, key := range slices.Sorted(maps.Keys(context)) {
			if strings.EqualFold(key, name) && context[key] != "" {
				return context[key]
			}
		}
	}
	return ""
}

// The limits of what names somebody or a queue, in UTF-16 code units, and of an address,
// in bytes: they come from other vendors as long as those like, and are kept between
// turns.
const (
	nameMost    = 256
	addressMost = 1024
)

func within(text string, limit int) string {
	head, _ := codec.Cut(text, limit)
	return head
}

// Name is what the customer is called, by themselves or in the context, or "". It has
// no more than 256 UTF-16 code units.
func Name(who event.Actor, context map[string]string) string {
	return within(cmp.Or(strings.TrimSpace(who.Name), strings.TrimSpace(Fact(context, "name", "profile_name", "full_name"))), nameMost)
}

// File is a file as it is kept until it was sent, its name no longer than 256 UTF-16 code
// units; false where there is none, or its address is longer than any of the bridge's.
func File(c event.Content) (event.Media, bool) {
	m, ok := c.Part.(event.Media)
	return event.Media{Kind: m.Kind, URL: m.URL, Name: within(m.Name, nameMost), MIME: within(m.MIME, nameMost)}, ok && m.URL != "" && len(m.URL) <= addressMost
}

// Email is the customer's address, where the context has one that can be one, or "".
func Email(context map[string]string) string {
	text := Fact(context, "email", "user_email", "email_address")
	if strings.Count(text, "@") != 1 || strings.ContainsAny(text, " <>,;") || len(text) > 254 {
		return ""
	}
	return text
}

// Customer is who the customer is: who asked, or spoke before. ID and name have no more
// than 256 UTF-16 code units, and an avatar's address no more than 1024 bytes.
func Customer(e event.Event, body event.HandoffRequested) event.Actor {
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
	if who.ID, who.Name = within(who.ID, nameMost), within(who.Name, nameMost); len(who.Avatar) > addressMost {
		who.Avatar = ""
	}
	return who
}
