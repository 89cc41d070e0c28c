package slack

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

const (
	// cardLimit is the longest head of a thread, and partLimit the longest reply that
	// goes with it, in characters as they are sent: a section takes 3,000, a message
	// shows 4,000.
	cardLimit = 2000
	partLimit = 3500
)

// briefing is what people are shown of a conversation before they see the customer's
// next words: the head of the thread, and the replies below it. It is the same each
// time it is made.
func briefing(e event.Event, body event.HandoffRequested) (card string, rest []string) {
	var lines []string
	for _, one := range [][2]string{{"Customer", customerOf(e, body)}, {"Reason", body.Reason}, {"Summary", body.Summary}, {"Queue", body.Routing.Queue},
		{"Language", body.Routing.Language}, {"Priority", priority(body.Routing)}} {
		if one[1] != "" {
			lines = append(lines, "*"+one[0]+":* "+escape(one[1]))
		}
	}
	if told := facts(body.Context); told != "" {
		lines = append(lines, escape(told))
	}
	whole := strings.Join(lines, "\n")
	card = within(whole, cardLimit)
	var said []string
	if card != whole {
		said = append(said, whole)
		card += "…"
	}
	for _, one := range body.Transcript {
		if text, _ := wordsOf(one.Content); text != "" {
			said = append(said, "*"+name(one.Actor)+":* "+text)
		}
	}
	return card, pack(said)
}

// pack puts texts together into as few messages as they fit, in order; a long one is
// in several.
func pack(said []string) []string {
	var list []string
	for _, one := range said {
		last := len(list) - 1
		if last >= 0 && codec.Length(list[last])+codec.Length(one) < partLimit {
			list[last] += "\n" + one
			continue
		}
		for one != "" {
			head := within(one, partLimit)
			list, one = append(list, head), one[len(head):]
		}
	}
	return list
}

// within is the beginning of a text in mrkdwn that has room, with no entity or link
// cut apart unless it alone is longer.
func within(text string, limit int) string {
	head, rest := codec.Cut(text, limit)
	if rest == "" {
		return head
	}
	for _, pair := range []string{"&;", "<>"} {
		if i := strings.LastIndexByte(head, pair[0]); i > 0 && !strings.Contains(head[i:], pair[1:]) && i > len(head)-600 {
			head = head[:i]
		}
	}
	return head
}

// customerOf is the customer's name: of who asked, or spoke before.
func customerOf(e event.Event, body event.HandoffRequested) string {
	all := []event.Actor{e.Actor}
	for _, one := range body.Transcript {
		all = append(all, one.Actor)
	}
	found := ""
	for _, one := range all {
		if one.Role == event.RoleCustomer {
			found = cmp.Or(found, one.Name)
		}
	}
	found = cmp.Or(found, body.Context["name"], body.Context["profile_name"], "Customer")
	found, _ = codec.Cut(found, nameLimit)
	return found
}

func priority(r event.Routing) string {
	if r.Priority == 0 {
		return ""
	}
	return strconv.Itoa(r.Priority)
}

// name is somebody's name within a message.
func name(a event.Actor) string { return escape(label(a)) }

// label is somebody's name, or what they are.
func label(a event.Actor) string {
	names := map[event.Role]string{event.RoleCustomer: "Customer", event.RoleVirtualAgent: "Virtual agent", event.RoleLiveAgent: "Agent",
		event.RoleObserver: "Assistant"}
	text, _ := codec.Cut(cmp.Or(strings.TrimSpace(a.Name), names[a.Role], string(a.Role)), nameLimit)
	return text
}

// facts are facts in words, a line each.
func facts(attributes map[string]string) string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		lines = append(lines, name+": "+attributes[name])
	}
	return strings.Join(lines, "\n")
}

// headline is the head of the thread in a notification.
func (d desk) headline() string {
	first, _, _ := strings.Cut(d.s.Card, "\n")
	return within(first, 300)
}

// blocks are the head of the thread: why it is there, how it stands, and the buttons
// that fit. A button's value is the leg's own key, for the
// timestamp of a thread is that of one channel only.
func (d desk) blocks() []fields {
	list := []fields{{"type": "section", "text": fields{"type": "mrkdwn", "text": cmp.Or(d.s.Card, "…")}},
		{"type": "context", "elements": []fields{{"type": "mrkdwn", "text": "*" + within(d.s.Status, 500) + "*"}}}}
	if d.s.Phase != phaseOpen && d.s.Phase != phaseSetting {
		return list
	}
	claim := map[bool]string{false: actionClaim, true: actionTakeOver}[d.s.Taken]
	var elements []fields
	for _, one := range [][2]string{{claim, d.set.ClaimLabel}, {actionBack, d.set.HandBackLabel}, {actionClose, d.set.CloseLabel}} {
		elements = append(elements, fields{"type": "button", "action_id": one[0], "value": d.s.Key, "text": fields{"type": "plain_text", "text": one[1]}})
	}
	return append(list, fields{"type": "actions", "elements": elements})
}
