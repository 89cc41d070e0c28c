package stories

import (
	"strings"
	"testing"

	"github.com/footbridge/footbridge/bridge/event"
)

// night is a web chat whose people are not there, and are left messages.
const night = `
[accounts.night]
adapter = "native"
role = "customer"
publishable_key = "pk_night"
[queues.night]
when_no_agent = "fail"
[[routes]]
name = "night"
customer = "night"
virtual_agent = "helper"
live_agent = ["desk"]
queue = "night"
fallback = "leave_message"
`

// left are the conversations where a message waits.
func (r *rig) left() (ids []string) {
	r.t.Helper()
	var page struct {
		Conversations []struct {
			ID   string
			Left struct{ Since string }
		}
	}
	r.api("GET", "/conversations?left=true", deskToken, "", nil, &page)
	for _, c := range page.Conversations {
		ids = append(ids, c.ID+" "+c.Left.Since[:2])
	}
	return ids
}

func (r *rig) metric(line string) {
	r.t.Helper()
	if all := r.metrics(); !strings.Contains(all, "\n"+line+"\n") {
		r.t.Errorf("no metric %s", line)
	}
}

// TestMessageIsLeft: a message waits through a crash, is counted and listed, is
// answered at the bridge's own desk though nobody serves its queue, and goes back to the
// virtual agent.
func TestMessageIsLeft(t *testing.T) {
	t.Parallel()
	r := newRig(t, setting{extra: night})
	r.metric("footbridge_left_messages 0")
	id, token := r.chatAt("pk_night")
	r.write(id, token, "person", "okapi agent")
	r.eventually("a message is asked for", func() bool {
		return len(only(texts(r.events(id), event.RoleSystem), "Please leave a message: we will come back to you.")) == 1
	})
	if got := r.left(); len(got) != 0 {
		t.Errorf("left before a word: %q", got)
	}
	r.write(id, token, "message", "okapi plums")
	r.answered(id, "okapi about plums")
	r.kill()
	r.ready()
	if got := r.left(); len(got) != 1 || got[0] != id+" 20" {
		t.Errorf("left after a crash: %q, want %s", got, id)
	}
	r.metric("footbridge_left_messages 1")
	other, _ := r.chat()
	if got := r.command("", "conversations", "--left"); got.code != exitOK || !strings.Contains(got.out, id) || strings.Contains(got.out, other) {
		t.Errorf("listed: %d\n%s", got.code, got.all())
	}
	r.say(id, "accept", event.HandoffAccepted{})
	r.say(id, "answer", event.MessageCreated{Content: event.Plain("okapi yes, plums")})
	r.reads(id, "okapi yes, plums")
	if got := r.left(); len(got) != 0 {
		t.Errorf("left though it is answered: %q", got)
	}
	r.metric("footbridge_left_messages 0")
	r.write(id, token, "later", "okapi pears")
	r.say(id, "back", event.HandbackRequested{})
	r.inState(id, "automated")
	r.write(id, token, "again", "okapi cherries")
	r.answered(id, "okapi about cherries")
	if got := only(texts(r.events(id), event.RoleVirtualAgent), "okapi about plums", "okapi about pears", "okapi about cherries"); len(got) != 2 {
		t.Errorf("the virtual agent said %q", got)
	}
}
