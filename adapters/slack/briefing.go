package slack

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter/backend"
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
	if told := backend.Facts(body.Context); told != "" {
		lines = append(lines, escape(told))
	}
	whole := strings.Join(lines, "\n")
	card = kept(whole, cardLimit)
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
		if last >= 0 && weight(list[last])+weight(one) < partLimit {
			list[last] += "\n" + one
			continue
		}
		list = append(list, pieces(one, partLimit)...)
	}
	return list
}

// pieces are a text in as many parts as it needs, in order.
func pieces(text string, limit int) (list []string) {
	for text != "" {
		head := kept(text, limit)
		list, text = append(list, head), text[len(head):]
	}
	return list
}

// weight is the length of a text, or half of what it takes in the state where that is
// more.
func weight(text string) int {
	return max(codec.Length(text), len(codec.Compose(text))/2)
}

// kept is the beginning of a text that has room in the state, too.
func kept(text string, limit int) string {
	head := within(text, limit)
	for room := limit; weight(head) > limit && room > 100; {
		room = room * 3 / 4
		head = within(text, room)
	}
	return head
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

// customerOf is the customer's name.
func customerOf(e event.Event, body event.HandoffRequested) string {
	return label(event.Actor{Role: event.RoleCustomer, Name: backend.Name(backend.Customer(e, body), body.Context)})
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
	a.Name = strings.TrimSpace(a.Name)
	text, _ := codec.Cut(backend.Author(a), nameLimit)
	return text
}

// headline is the head of the thread in a notification.
func (d desk) headline() string {
	first, _, _ := strings.Cut(d.s.Card, "\n")
	return within(first, 300)
}

// blocks are the head of the thread: why it is there, how it stands, and the buttons
// that fit. A button's value is the leg's own key, for the
// timestamp of a thread is that of one channel only.
func (d desk) blocks() []backend.Fields {
	list := []backend.Fields{{"type": "section", "text": backend.Fields{"type": "mrkdwn", "text": cmp.Or(d.s.Card, "…")}},
		{"type": "context", "elements": []backend.Fields{{"type": "mrkdwn", "text": "*" + within(d.s.Status, 500) + "*"}}}}
	if d.s.Phase != backend.Open && d.s.Phase != backend.Setting {
		return list
	}
	claim := map[bool]string{false: actionClaim, true: actionTakeOver}[d.s.Taken]
	var elements []backend.Fields
	for _, one := range [][2]string{{claim, d.set.ClaimLabel}, {actionBack, d.set.HandBackLabel}, {actionClose, d.set.CloseLabel}} {
		elements = append(elements, backend.Fields{"type": "button", "action_id": one[0], "value": d.s.Key, "text": backend.Fields{"type": "plain_text", "text": one[1]}})
	}
	return append(list, backend.Fields{"type": "actions", "elements": elements})
}
